"""The log: server errors with tracebacks and our warnings, each once, and no refused requests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.processes import ROOT, environment

WEB = """
import logging
import django
django.setup()
from django.test import Client
from django.urls import path

def broken(request):
    raise RuntimeError("a bug")

from nasweb import urls
urls.urlpatterns.append(path("broken/", broken))
client = Client(raise_request_exception=False)
assert client.get("/broken/", headers={"host": "localhost"}).status_code == 500
assert client.get("/static/nowhere", headers={"host": "localhost"}).status_code == 404
assert client.get("/broken/", headers={"host": "elsewhere.example"}).status_code == 400
logging.getLogger("searches.services.losses").warning("a worker was lost")
"""
WORKER = """
import logging
from nasweb.celery import app
app.loader.init_worker()
app.log.setup(loglevel="WARNING", redirect_stdouts=False)
logging.getLogger("searches.services.losses").warning("a worker was lost")
logging.getLogger("django.request").error("a bug")
"""


def logged(script: str, home: Path, **variables: str) -> str:
    """Return what a process of the product writes to stderr when it runs the script."""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=environment(home, **variables),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_the_web_server_logs_bugs_and_warnings_once(tmp_path: Path) -> None:
    for debug in ("0", "1"):
        words = logged(WEB, tmp_path, ALLOWED_HOSTS="localhost", DEBUG=debug)
        assert words.count("Traceback") == words.count("\nRuntimeError: a bug\n") == 1
        assert words.count("ERROR django.request: Internal Server Error: /broken/") == 1
        assert words.count("WARNING searches.services.losses: a worker was lost") == 1
        assert words.count("ERROR django.security.DisallowedHost: Invalid HTTP_HOST header") == 1
        assert "nowhere" not in words


def test_a_worker_logs_through_celery_alone(tmp_path: Path) -> None:
    words = logged(WORKER, tmp_path)
    assert words.count("a worker was lost") == words.count("a bug") == 1
