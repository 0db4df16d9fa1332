"""A PostgreSQL database for one benchmark, and a process that uses it, because a Django process has one database."""

from __future__ import annotations

import multiprocessing
import os
import secrets
import signal
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import psycopg

from nasweb.benchmarks.__main__ import prepare

SERVER = os.environ.get("NASWEB_TEST_DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/nasweb").rpartition("/")[0]
P = ParamSpec("P")
T = TypeVar("T")


def unreachable() -> str:
    """Return why the server of ``NASWEB_TEST_DATABASE_URL`` cannot be used, or empty text if it can."""
    try:
        psycopg.connect(f"{SERVER}/postgres", connect_timeout=3).close()
    except psycopg.OperationalError as error:
        return f"no PostgreSQL server: set NASWEB_TEST_DATABASE_URL ({str(error).splitlines()[0]})"
    return ""


@contextmanager
def elsewhere(home: Path) -> Iterator[Callable[..., Any]]:
    """Yield ``call(function, *arguments)``, which runs a function in a process with its own home and database.

    The database is on PostgreSQL. All calls run in the same process, one after another; Ctrl-C ends the running call.
    Home and database are deleted at the end.
    """
    name = f"nasweb_bench_{secrets.token_hex(6)}"
    home.mkdir(parents=True, exist_ok=True)
    servers = {
        "DATABASE_URL": f"{SERVER}/{name}",
        "SECRET_KEY": secrets.token_urlsafe(48),
        "ALLOWED_HOSTS": "localhost",
    }
    with psycopg.connect(f"{SERVER}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            spawn = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(1, spawn, _prepare, (str(home), servers)) as pool:
                process = pool.submit(os.getpid).result()
                try:
                    yield lambda function, *arguments: pool.submit(function, *arguments).result()
                except KeyboardInterrupt:
                    os.kill(process, signal.SIGINT)  # otherwise this process would wait until the call has ended
                    raise
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _prepare(home: str, servers: Mapping[str, str]) -> None:
    os.setpgrp()  # Ctrl-C then reaches this process only through its parent: a second signal would disturb it
    prepare(home, servers)
