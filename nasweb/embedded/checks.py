"""Checks before anything is started."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import tempfile
import time
from pathlib import Path

import redis
from django.db import OperationalError, connection

from nasweb.embedded.errors import StartRefused


def check_home(home: Path) -> None:
    """Create the home and its folders; StartRefused if they cannot be written."""
    try:
        for folder in (home, home / "run", home / "logs", home / "broker"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StartRefused(
            f"Cannot write to {error.filename or home} ({reason}): set NASWEB_HOME to a folder you may write to."
        ) from error


def lock_home(home: Path, patience: float = 1.0) -> int:
    """Lock the home for this process and for those that inherit the returned descriptor, until all of them end.

    It waits up to ``patience`` seconds for another process that is just ending.
    """
    descriptor = os.open(home / "run" / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except OSError:
            if time.monotonic() < deadline:
                time.sleep(0.05)
                continue
            owner = os.pread(descriptor, 20, 0).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise StartRefused(
                f"nasweb already runs on {home} (process {owner}): use that one, stop it, or set another NASWEB_HOME."
            ) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return descriptor


def check_port(host: str, port: int) -> None:
    """Raise StartRefused if the web server cannot listen on the address."""
    if not 0 < port < 65536:
        raise StartRefused(f"NASWEB_PORT={port} is not a port: set it to a number from 1 to 65535.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror as error:
        raise StartRefused(
            f"NASWEB_HOST={host} is not an address of this machine: set it to such an address, for example 127.0.0.1."
        ) from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            sentence = f"Port {port} on {host} is in use by another program: set NASWEB_PORT to a free port."
        elif error.errno == errno.EACCES:
            sentence = f"Port {port} needs more rights than you have: set NASWEB_PORT to a port above 1023."
        else:
            sentence = f"Cannot listen on {host}:{port} ({error.strerror}): change NASWEB_HOST or NASWEB_PORT."
        raise StartRefused(sentence) from error


def check_database() -> None:
    """Raise StartRefused if the database of DATABASE_URL does not answer."""
    try:
        connection.ensure_connection()
    except OperationalError as error:
        reason = str(error).strip().splitlines()[0]
        raise StartRefused(f"The database does not answer ({reason}): check DATABASE_URL.") from error
    finally:
        connection.close()


def check_redis(url: str) -> None:
    """Raise StartRefused if the server of REDIS_URL does not answer."""
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5) as client:
            client.ping()
    except (redis.RedisError, ValueError, OSError) as error:
        raise StartRefused(f"The Redis server does not answer ({error}): check REDIS_URL.") from error
