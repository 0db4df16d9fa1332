"""The project: settings, Celery, ASGI, and the embedded services that `make run` starts."""

from nasweb.celery import app as celery_app

__all__ = ["celery_app"]
