"""Reasons why `manage.py up` does not start: one sentence each, exit code 2, and nothing started."""

from __future__ import annotations

import os
import platform
import socket
import subprocess
from pathlib import Path

import pytest
import redis

from nasweb.embedded import broker, checks
from nasweb.embedded.errors import StartRefused
from nasweb.embedded.places import broker_socket, ensure_secret_key, private_folder
from tests.processes import environment, free_port, manage


def refusal(variables: dict[str, str]) -> str:
    """Return the sentence of an `up` that is refused."""
    done = manage(variables, "up")
    assert done.returncode == 2, done
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    return done.stderr.strip()


@pytest.mark.processes
def test_busy_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        sentence = refusal(environment(tmp_path, NASWEB_PORT=port))
    assert sentence == f"Port {port} on 127.0.0.1 is in use by another program: set NASWEB_PORT to a free port."


@pytest.mark.processes
def test_home_that_cannot_be_written(tmp_path: Path) -> None:
    """A file stands in place of the folder; a read-only folder takes the same path through the code."""
    (tmp_path / "file").touch()
    sentence = refusal(environment(tmp_path / "file" / "home", NASWEB_PORT=str(free_port())))
    assert sentence.startswith(f"Cannot write to {tmp_path / 'file'}")
    assert sentence.endswith("(not a directory): set NASWEB_HOME to a folder you may write to.")


@pytest.mark.processes
@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"DATABASE_URL": "sqlite:////nowhere/at/all.sqlite3"}, "SECRET_KEY"),
        ({"REDIS_URL": "redis://127.0.0.1:1/0", "SECRET_KEY": "k" * 50}, "ALLOWED_HOSTS"),
        ({"NASWEB_HOST": "0.0.0.0"}, "ALLOWED_HOSTS"),
        ({"NASWEB_PORT": "eight"}, "NASWEB_PORT"),
    ],
)
def test_settings_that_contradict_each_other(tmp_path: Path, variables: dict[str, str], named: str) -> None:
    assert named in refusal(environment(tmp_path, **variables))


@pytest.mark.processes
@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"REDIS_URL": "redis://127.0.0.1:1/0"}, "The Redis server does not answer"),
        ({"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}, "The database does not answer"),
    ],
)
def test_servers_that_do_not_answer(tmp_path: Path, variables: dict[str, str], sentence: str) -> None:
    accounts = {"SECRET_KEY": "k" * 50, "ALLOWED_HOSTS": "nas.example", "NASWEB_PORT": str(free_port())}
    assert refusal(environment(tmp_path, **accounts, **variables)).startswith(sentence)


def test_missing_binary(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package has no binary for this processor."""
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    with pytest.raises(StartRefused, match=r"binary is missing.*make clean setup.*REDIS_URL"):
        broker.binary()


@pytest.mark.parametrize(
    ("host", "port", "named"),
    [("no.host.invalid", 8000, "NASWEB_HOST"), ("127.0.0.1", 70_000, "NASWEB_PORT"), ("192.0.2.1", 80, "NASWEB_HOST")],
)
def test_addresses_that_are_none(host: str, port: int, named: str) -> None:
    with pytest.raises(StartRefused, match=named):
        checks.check_port(host, port)


def test_home_is_one_process_s(tmp_path: Path) -> None:
    """A second process is refused while the first holds the lock, and accepted afterwards."""
    (tmp_path / "run").mkdir()
    first = checks.lock_home(tmp_path)
    with pytest.raises(StartRefused, match=f"process {os.getpid()}"):
        checks.lock_home(tmp_path, patience=0.1)
    os.close(first)
    os.close(checks.lock_home(tmp_path))


def test_a_long_home_gets_a_short_private_socket(tmp_path: Path) -> None:
    """The kernel limits socket paths; with a long home the broker answers at a short path, and only there."""
    home = tmp_path / ("long" * 30)
    checks.check_home(home)
    assert len(bytes(broker_socket(home))) < 100
    assert broker_socket(home) != broker_socket(home / "other")
    process = subprocess.Popen(broker.command(home), stdout=subprocess.DEVNULL)
    try:
        assert broker.wait_ready(home, lambda: process.poll() is None)
        assert broker_socket(home).parent.stat().st_mode & 0o777 == 0o700
        with redis.Redis(unix_socket_path=str(broker_socket(home)), decode_responses=True) as client:
            told = client.config_get("maxmemory-policy", "appendonly", "port")
        assert told == {"maxmemory-policy": "noeviction", "appendonly": "yes", "port": "0"}
    finally:
        process.terminate()
        process.wait()
        broker_socket(home).parent.rmdir()


def test_socket_folder_must_not_be_a_link(tmp_path: Path) -> None:
    """In a shared temporary folder, another user could have created a link."""
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(PermissionError):
        private_folder(tmp_path / "link")


def test_secret_key_is_made_once(tmp_path: Path) -> None:
    key = ensure_secret_key(tmp_path)
    assert len(key) >= 50
    assert ensure_secret_key(tmp_path) == key
    assert ensure_secret_key(tmp_path.parent) != key
