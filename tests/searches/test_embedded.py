"""`manage.py up` with real processes: start, restart of dead services, stop, and no process left."""

from __future__ import annotations

import os
import signal
import stat
from pathlib import Path

import psutil
import pytest

from nasweb.embedded.places import broker_socket
from tests.processes import environment, manage, running, until
from tests.searches.driving import training_config

pytestmark = pytest.mark.processes
SMALL = training_config(budget={"evaluations": 8}, round_size=2).as_dict()


def gone(processes: list[psutil.Process]) -> bool:
    """Whether none of the processes is running."""
    return not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_runs_restarts_and_stops(tmp_path: Path) -> None:
    """One start: everything answers without an account, every killed service comes back, Ctrl-C leaves nothing."""
    home = tmp_path / "home"
    with running(home) as nasweb:
        services = nasweb.services()
        assert set(services) == {"broker", "web", "worker", "sweep", "watchdog"}
        assert nasweb.get("/api/v1/searches/").json()["results"] == []
        assert nasweb.get("/api/v1/searches/", Origin="http://elsewhere.example").status_code == 403
        assert nasweb.get("/api/v1/searches/", Host="elsewhere.example").status_code == 400
        assert (home / "logs" / "web.log").read_text().count("Invalid HTTP_HOST header: 'elsewhere.example'") == 1
        assert mode(home / "secret_key") == 0o600
        assert mode(home) == mode(broker_socket(home).parent) == mode(broker_socket(home)) == 0o700

        second = manage(environment(home, NASWEB_PORT="1"), "up")
        assert second.returncode == 2
        assert second.stderr.strip().startswith(f"nasweb already runs on {home} (process {nasweb.process.pid})")

        until(lambda: len(services["worker"].children()) == 2)
        pool = services["worker"].children()
        for name in ("broker", "web", "worker", "sweep", "watchdog"):
            services[name].send_signal(signal.SIGKILL)
        until(lambda: len(now := nasweb.services()) == 5 and all(now[name].pid != services[name].pid for name in now))
        until(lambda: gone(pool))
        until(nasweb.healthy)
        words = nasweb.errors.read_text()
        assert "web stopped (killed by SIGKILL); starting it again in 0.5 s. The end of its log (" in words

        family = nasweb.family()
        assert nasweb.interrupt() == 0
        assert nasweb.process.stdout is not None
        assert nasweb.process.stdout.read() == ""
        assert gone(family)
        assert not broker_socket(home).exists()


def test_a_second_start_finishes_what_a_killed_one_began(tmp_path: Path) -> None:
    """SIGKILL of the web server, then of the supervisor, which ends everything: the search has the same end."""
    with running(tmp_path / "undisturbed") as nasweb:
        number = nasweb.create(SMALL)
        until(lambda: nasweb.search(number)["status"] == "finished", seconds=120)
        expected = nasweb.outcomes(number)
    assert len(expected) == 8

    home = tmp_path / "home"
    lease = {"NASWEB_LEASE_SECONDS": "3"}
    with running(home, **lease) as nasweb:
        number = nasweb.create(SMALL)
        until(lambda: nasweb.search(number)["evaluated"] >= 2, seconds=60)
        nasweb.services()["web"].send_signal(signal.SIGKILL)
        until(nasweb.healthy)
        family = nasweb.family()
        key = (home / "secret_key").read_text()
        os.kill(nasweb.process.pid, signal.SIGKILL)
        nasweb.process.wait()
        until(lambda: gone(family), seconds=10)
    with running(home, **lease) as nasweb:
        assert (home / "secret_key").read_text() == key
        until(lambda: nasweb.search(number)["status"] == "finished", seconds=120)
        assert nasweb.outcomes(number) == expected


@pytest.mark.postgres
def test_servers_instead_of_the_embedded_ones(tmp_path: Path, fresh_servers: dict[str, str]) -> None:
    """With external servers no broker is started, and accounts are required."""
    with running(tmp_path / "home", SECRET_KEY="k" * 50, ALLOWED_HOSTS="nas.example", **fresh_servers) as nasweb:
        assert set(nasweb.services()) == {"web", "worker", "sweep", "watchdog"}
        assert nasweb.get("/api/v1/searches/").status_code == 401
        assert nasweb.get("/api/v1/searches/", Host="other.example").status_code == 400
        assert not (tmp_path / "home" / "nasweb.sqlite3").exists()
        assert "There is no account yet" in nasweb.errors.read_text()
        assert nasweb.interrupt() == 0
