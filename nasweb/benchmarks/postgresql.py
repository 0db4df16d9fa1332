"""A PostgreSQL database for one benchmark, and a process that works on it: Django knows one database a process."""

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
    """Why the server of ``NASWEB_TEST_DATABASE_URL`` cannot be used; empty when it can."""
    try:
        psycopg.connect(f"{SERVER}/postgres", connect_timeout=3).close()
    except psycopg.OperationalError as error:
        return f"no PostgreSQL server: set NASWEB_TEST_DATABASE_URL ({str(error).splitlines()[0]})"
    return ""


@contextmanager
def elsewhere(home: Path) -> Iterator[Callable[..., Any]]:
    """``call(function, *arguments)`` in a process with a home and a PostgreSQL database of its own; both go in the end.

    All calls happen in the same process, one after another. Ctrl-C ends the one under way.
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
                    os.kill(process, signal.SIGINT)  # this process would wait until the call is over
                    raise
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _prepare(home: str, servers: Mapping[str, str]) -> None:
    os.setpgrp()  # Ctrl-C reaches this process once, from the one that asked: a second would disturb the tidying up
    prepare(home, servers)
