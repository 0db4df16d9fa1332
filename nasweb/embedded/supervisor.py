"""Start of the services in order, restart of those that die, and stop of all; no process survives the supervisor."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import DatabaseError, connections

from nasweb.embedded import broker, checks
from nasweb.embedded.errors import StartFailed, StartRefused
from nasweb.embedded.places import ensure_secret_key
from nasweb.embedded.process import Service
from nasweb.local_owner import local_owner

TICK = 0.2  # seconds between two checks of the services
STOP_SECONDS = 5.0  # a service that has not stopped by then is killed; because of leases no work is lost
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Supervisor:
    """Runs everything that nasweb needs on one machine, according to the settings."""

    def __init__(self, tell: Callable[[str], None], warn: Callable[[str], None]) -> None:
        self.home = settings.NASWEB_HOME
        self.host = settings.NASWEB_HOST
        self.port = settings.NASWEB_PORT
        self.tell = tell
        self.warn = warn
        self.stopping = threading.Event()
        self.services: list[Service] = []
        self.watchdog: subprocess.Popen[str] | None = None
        self.lock = -1

    def run(self) -> None:
        """Check, start, print the address, and run until SIGINT, SIGTERM or SIGHUP.

        Raises StartRefused or StartFailed.
        """
        self.check()
        before = {number: signal.signal(number, self.on_signal) for number in SIGNALS}
        try:
            self.start()
            if not self.stopping.is_set():
                self.tell(f"nasweb is running at {self.url()} (Ctrl-C stops it)")
            while not self.stopping.wait(TICK):
                self.tend()
        finally:
            self.stop()
            for number, handler in before.items():
                signal.signal(number, handler)

    def on_signal(self, *_: object) -> None:
        """End the loop; a second signal while services stop has no effect."""
        self.stopping.set()

    def url(self) -> str:
        """Return the address to open in a browser."""
        host = self.host
        if host in ("0.0.0.0", "::"):
            host = next(name for name in settings.ALLOWED_HOSTS if name != "*").lstrip(".")
        prefix = f"{settings.FORCE_SCRIPT_NAME or ''}/"
        return f"http://[{host}]:{self.port}{prefix}" if ":" in host else f"http://{host}:{self.port}{prefix}"

    def check(self) -> None:
        """Do all checks that are possible before a process is started."""
        checks.check_home(self.home)
        self.lock = checks.lock_home(self.home)
        checks.check_port(self.host, self.port)
        if settings.NASWEB_EMBEDDED_BROKER:
            broker.binary()
        else:
            checks.check_redis(settings.REDIS_URL)
        checks.check_database()
        if not os.environ.get("SECRET_KEY"):
            settings.SECRET_KEY = ensure_secret_key(self.home)

    def start(self) -> None:
        """Start broker, database, web server, worker and sweeper; return when the web server answers or on a signal."""
        self.watchdog = self.start_watchdog()
        if settings.NASWEB_EMBEDDED_BROKER:
            service = self.launch("broker", broker.command(self.home))
            if not broker.wait_ready(self.home, service.alive):
                raise StartFailed(f"The broker did not start. {service.last_words()}")
        self.migrate()
        if self.stopping.is_set():
            return
        web = self.launch("web", self.web_command())
        self.launch("worker", self.worker_command())
        self.launch("sweep", [sys.executable, "manage.py", "sweep"])
        deadline = time.monotonic() + 60
        while not self.answers():
            if not web.alive() or time.monotonic() > deadline:
                raise StartFailed(f"The web server did not start. {web.last_words()}")
            if self.stopping.wait(0.1):
                return

    def migrate(self) -> None:
        """Migrate the database, and create the local owner's account in the embedded default."""
        try:
            call_command("migrate", interactive=False, verbosity=0)
            if settings.NASWEB_EMBEDDED:
                local_owner()
            elif not get_user_model().objects.exists():
                self.warn("There is no account yet: create one with `.venv/bin/python manage.py createsuperuser`.")
        except DatabaseError as error:
            raise StartRefused(
                f"The database could not be migrated ({error}): check the database and the version of nasweb."
            ) from error
        finally:
            connections.close_all()

    def web_command(self) -> list[str]:
        """Return the command of the ASGI server.

        It trusts a proxy's headers only if uvicorn's setting FORWARDED_ALLOW_IPS names the proxy.
        """
        options = ["--host", self.host, "--port", str(self.port), "--lifespan", "off", "--log-level", "warning"]
        options += ["--proxy-headers" if os.environ.get("FORWARDED_ALLOW_IPS") else "--no-proxy-headers"]
        return [
            sys.executable,
            "-m",
            "uvicorn",
            "nasweb.asgi:application",
            *options,
            "--timeout-graceful-shutdown",
            "2",
        ]

    def worker_command(self) -> list[str]:
        """Return the command of a Celery worker, by default with one process per core and one thread per process."""
        options = ["--queues", "advance,score,train", "--concurrency", str(settings.NASWEB_WORKERS or cores())]
        options += ["--loglevel", "WARNING", "--without-gossip", "--without-mingle"]
        return [sys.executable, "-m", "celery", "-A", "nasweb", "worker", *options]

    def launch(self, name: str, command: list[str]) -> Service:
        """Start a service and register it with the watchdog."""
        environment = {**os.environ, "NASWEB_HOME": str(self.home), "PYTHONUNBUFFERED": "1"}
        if name == "worker":  # its processes share the cores, so more threads would only slow each other down
            environment |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "NASWEB_TORCH_THREADS": "1"}
        service = Service(name, command, self.home / "logs" / f"{name}.log", settings.BASE_DIR, environment)
        self.register(service.start())
        self.services.append(service)
        return service

    def tend(self) -> None:
        """Plan restarts of services that died, and do those that are due."""
        for service in self.services:
            if service.alive():
                continue
            if service.restart_at is None and service.process is not None:
                self.register(service.process.pid, begun=False)
                self.warn(service.plan_restart())
            elif service.restart_at is not None and time.monotonic() >= service.restart_at:
                self.register(service.start())
        if self.watchdog is not None and self.watchdog.poll() is not None:
            self.watchdog = self.start_watchdog()

    def start_watchdog(self) -> subprocess.Popen[str]:
        """Start the process that kills the services if this one is killed; it holds the home's lock until then."""
        script = Path(__file__).with_name("watchdog.py")
        watchdog = subprocess.Popen(
            [sys.executable, "-I", "-S", str(script)],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
            pass_fds=[self.lock],
        )
        assert watchdog.stdin is not None
        watchdog.stdin.writelines(
            f"+{service.process.pid}\n" for service in self.services if service.alive() and service.process
        )
        watchdog.stdin.flush()
        return watchdog

    def register(self, group: int, *, begun: bool = True) -> None:
        """Report a process group to the watchdog; a dead watchdog is replaced at the next tick and gets all groups."""
        assert self.watchdog is not None
        assert self.watchdog.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.watchdog.stdin.write(f"{'+' if begun else '-'}{group}\n")
            self.watchdog.stdin.flush()

    def answers(self) -> bool:
        """Return whether the web server answers on this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        address = f"http://[{host}]:{self.port}/healthz/" if ":" in host else f"http://{host}:{self.port}/healthz/"
        request = urllib.request.Request(address, headers={"Host": "localhost"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=5) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def stop(self) -> None:
        """Stop everything: first the services that use the broker, then the broker, then the watchdog."""
        users = [service for service in self.services if service.name != "broker"]
        for group in (users, [service for service in self.services if service.name == "broker"]):
            for service in group:
                service.ask_to_stop()
            deadline = time.monotonic() + STOP_SECONDS
            while any(service.alive() for service in group) and time.monotonic() < deadline:
                time.sleep(0.05)
            for service in group:
                service.kill()
        if self.watchdog is not None:
            self.watchdog.kill()
            self.watchdog.wait()
        if self.lock >= 0:
            os.close(self.lock)


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
