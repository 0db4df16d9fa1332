"""Log settings: the log goes to stderr, which the supervisor writes to ``NASWEB_HOME/logs``; workers use Celery's
handler."""

from __future__ import annotations

from logging import LogRecord
from typing import Any


def sentence(record: LogRecord) -> bool:
    """Accept a record without its traceback."""
    record.exc_info = None
    return True


LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "filters": {"sentence": {"()": "django.utils.log.CallbackFilter", "callback": sentence}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "django": {"handlers": [], "level": "WARNING"},  # only through root's handler: not twice, and not by mail
        "django.request": {"level": "ERROR"},  # only server errors, not every 404
        "django.security.DisallowedHost": {"filters": ["sentence"]},  # the log is the only place that names the host
    },
}
