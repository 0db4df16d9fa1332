"""The log: to stderr, which the supervisor keeps in ``NASWEB_HOME/logs``; workers log through Celery's own handler."""

from __future__ import annotations

from logging import LogRecord
from typing import Any


def sentence(record: LogRecord) -> bool:
    """Lets a record pass without its traceback."""
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
        "django": {"handlers": [], "level": "WARNING"},  # by root's handler, not twice and not by mail
        "django.request": {"level": "ERROR"},  # bugs, not every 404
        "django.security.DisallowedHost": {"filters": ["sentence"]},  # only the log says which host
    },
}
