"""Settings: embedded by default (SQLite, bundled Valkey), servers when ``DATABASE_URL`` and ``REDIS_URL`` are set."""

from __future__ import annotations

import secrets
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from platformdirs import user_data_dir

from nasweb.embedded.places import broker_url, read_secret_key
from nasweb.logs import LOGGING as LOGGING

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

NASWEB_HOME = (
    Path(env.str("NASWEB_HOME", default="") or user_data_dir("nasweb", appauthor=False)).expanduser().absolute()
)
NASWEB_HOST = env.str("NASWEB_HOST", default="") or "127.0.0.1"
try:
    NASWEB_PORT = env.int("NASWEB_PORT", default=8000)
    NASWEB_WORKERS = env.int("NASWEB_WORKERS", default=0)  # worker processes; 0: as many as cores
    NASWEB_LEASE_SECONDS = env.float("NASWEB_LEASE_SECONDS", default=30.0)
    NASWEB_MAX_UPLOAD_MB = env.int("NASWEB_MAX_UPLOAD_MB", default=2048)
except ValueError as error:
    raise ImproperlyConfigured(
        f"NASWEB_PORT, NASWEB_WORKERS, NASWEB_LEASE_SECONDS and NASWEB_MAX_UPLOAD_MB must be numbers: {error}."
    ) from error

DEBUG = env.bool("DEBUG", default=False)
DATABASE_URL = env.str("DATABASE_URL", default="")
REDIS_URL = env.str("REDIS_URL", default="")
SECRET_KEY = env.str("SECRET_KEY", default="")
NASWEB_PREFIX = env.str("NASWEB_PREFIX", default="").strip("/")
FORCE_SCRIPT_NAME = (
    f"/{NASWEB_PREFIX}" if NASWEB_PREFIX else None
)  # nasweb.asgi accepts paths with the prefix and without
LOOPBACK_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[])

# By default the user of this machine is the owner and needs no account (nasweb.local_owner).
NASWEB_SERVERS = bool(DATABASE_URL or REDIS_URL)
NASWEB_EMBEDDED = not NASWEB_SERVERS and not ALLOWED_HOSTS and NASWEB_HOST in ("127.0.0.1", "::1", "localhost")
NASWEB_EMBEDDED_BROKER = not REDIS_URL

if NASWEB_SERVERS and not SECRET_KEY:
    raise ImproperlyConfigured(
        "Set SECRET_KEY to a long random string: DATABASE_URL or REDIS_URL is set, so accounts are in use."
    )
if not NASWEB_EMBEDDED and not ALLOWED_HOSTS:
    raise ImproperlyConfigured(
        "Set ALLOWED_HOSTS to the host names people will use, separated by commas: servers or NASWEB_HOST are set."
    )
SECRET_KEY = SECRET_KEY or read_secret_key(NASWEB_HOME) or secrets.token_urlsafe(48)
ALLOWED_HOSTS = [*ALLOWED_HOSTS, *LOOPBACK_HOSTS]
REDIS_URL = REDIS_URL or broker_url(NASWEB_HOME)
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
BEHIND_TLS = any(origin.startswith("https://") for origin in CSRF_TRUSTED_ORIGINS)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_TLS

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework.authtoken",
    "django_filters",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "axes",
    "channels",
    "csp",
    "nasweb",
    "searches",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "nasweb.local_owner.LocalOwnerMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "searches.views.unreadable.UnreadablePage",
    "axes.middleware.AxesMiddleware",
]
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = timedelta(hours=1)  # after the last counted failure
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_CALLABLE = "nasweb.sign_in.account"
AXES_CLIENT_IP_CALLABLE = "nasweb.sign_in.address"
AXES_LOCKOUT_CALLABLE = "nasweb.sign_in.refused"
AXES_DISABLE_ACCESS_LOG = True
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
"""No inline code and no eval: scripts and styles are files of the app, and scripts set styles through CSSOM."""
ROOT_URLCONF = "nasweb.urls"
ASGI_APPLICATION = "nasweb.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "searches.context.navigation",
                "searches.context.statuses",
                "searches.context.metrics",
            ]
        },
    }
]

SQLITE = {"ENGINE": "django.db.backends.sqlite3", "NAME": NASWEB_HOME / "nasweb.sqlite3"}
DATABASES = {"default": env.db_url_config(DATABASE_URL) if DATABASE_URL else SQLITE}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=30000;",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [{"address": REDIS_URL.replace("redis+socket://", "unix://"), "socket_timeout": None}]},
    }
}
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_ACKS_LATE = False  # leases, not the broker, prevent loss of work
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # keep trying until the broker is back
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "queue_order_strategy": "priority"
}  # queues in the order in which the worker lists them
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 2, "interval_start": 0, "interval_step": 0.1}
CELERY_TASK_ROUTES = {
    "searches.tasks.advance_search": {"queue": "advance"},
    "searches.tasks.score_candidates": {"queue": "score"},
    "searches.tasks.train_network": {"queue": "train"},
    "searches.tasks.measure_latency": {"queue": "score"},
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
        "nasweb.local_owner.LocalOwnerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["searches.api.rendering.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["searches.api.rendering.JSONParser", "searches.api.rendering.YAMLParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "searches.api.rendering.Negotiation",
    "DEFAULT_SCHEMA_CLASS": "searches.api.operations.OperationSchema",
    "EXCEPTION_HANDLER": "searches.api.problems.handle",
    "URL_FORMAT_OVERRIDE": None,  # the API uses ?format= itself
}
SPECTACULAR_SETTINGS = {
    "TITLE": "nasweb",
    "VERSION": version("nasweb"),
    "DESCRIPTION": "Search neural architectures; every error is a problem document (RFC 9457).",
    "OAS_VERSION": "3.1.0",
    "SERVERS": [{"url": FORCE_SCRIPT_NAME}] if FORCE_SCRIPT_NAME else [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "searches.api.schema.add_problems"],
    "ENUM_NAME_OVERRIDES": {
        "SearchStatus": "searches.models.search.Search.Status",
        "TrainingStatus": "searches.models.training.Training.Status",
        "CandidateStatus": "searches.models.candidate.Candidate.Status",
        "MeasurementStatus": "searches.models.latency.Measurement.Status",
        "TrainingProfile": ["fast", "paper"],
        "MoteProfile": ["fast", "paper", "untrained"],
        "CostMetric": "engine.metrics.COST_NAMES",
    },
}

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = (
    f"{FORCE_SCRIPT_NAME or ''}/static/"  # set here, because Django would add the prefix only at the first request
)
STATICFILES_DIRS = [BASE_DIR / "static", ("vendor/echarts", BASE_DIR / "node_modules" / "echarts" / "dist")]
WHITENOISE_USE_FINDERS = True  # serve files from their place, without a copy
WHITENOISE_AUTOREFRESH = DEBUG
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "searches"
