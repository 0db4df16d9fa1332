"""Fixtures for all tests. A test that needs something missing is skipped with a reason; on CI it fails."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest
import redis
from django.conf import settings

from nasweb.embedded import broker as embedded_broker
from tests.settings import TEST_DATABASE_URL, TEST_REDIS_URL

ROOT = Path(__file__).resolve().parent.parent


def missing(reason: str) -> NoReturn:
    """Skip the test, or fail on CI."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def unreachable_servers() -> str:
    """Return why the PostgreSQL and Redis servers of the tests cannot be used; empty if they can."""
    try:
        psycopg.connect(TEST_DATABASE_URL.rpartition("/")[0] + "/postgres", connect_timeout=3).close()
    except psycopg.OperationalError as error:
        return f"no PostgreSQL server: set NASWEB_TEST_DATABASE_URL ({str(error).splitlines()[0]})"
    try:
        with redis.Redis.from_url(TEST_REDIS_URL, socket_connect_timeout=3) as client:
            client.ping()
    except redis.RedisError as error:
        return f"no Redis server: set NASWEB_TEST_REDIS_URL ({error})"
    return ""


def pytest_configure(config: pytest.Config) -> None:
    """End a run on servers at once, with the reason, if the servers do not answer."""
    if os.environ.get("NASWEB_TEST_SERVERS") and (reason := unreachable_servers()):
        pytest.exit(f"skipped: {reason}", returncode=1 if os.environ.get("CI") else 0)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with real data sets and truth tables."""
    folder = Path(os.environ.get("NASWEB_SHARED_DATA", ROOT / ".." / "shared" / "data")).resolve()
    if not folder.is_dir():
        missing(f"no shared data: set NASWEB_SHARED_DATA to its folder (looked at {folder})")
    return folder


@pytest.fixture
def fresh_servers() -> Iterator[dict[str, str]]:
    """Environment variables for the test's own processes on the servers, with a separate database."""
    if reason := unreachable_servers():
        missing(reason)
    server, _, _ = TEST_DATABASE_URL.rpartition("/")
    name = f"nasweb_{secrets.token_hex(6)}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        yield {"DATABASE_URL": f"{server}/{name}", "REDIS_URL": TEST_REDIS_URL}
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the system's Chromium."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        missing("no chromium: install Debian's package chromium")
    return path


@pytest.fixture(scope="session", autouse=True)
def broker() -> Iterator[None]:
    """The embedded broker on the tests' own socket, unless the run is on servers."""
    if not settings.NASWEB_EMBEDDED_BROKER:
        yield
        return
    command = embedded_broker.command(settings.NASWEB_HOME)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        assert embedded_broker.wait_ready(settings.NASWEB_HOME, lambda: process.poll() is None)
        yield
    finally:
        process.kill()
        process.wait()
