"""Starts the services in order, starts again what dies, stops all of it; nothing is left running however it ends."""

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

TICK = 0.2  # seconds between two looks at the services
STOP_SECONDS = 5.0  # a service that has not stopped by then is killed; leases make sure that nothing is lost
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Supervisor:
    """Runs everything that nasweb needs on one machine, as the settings say."""

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
        """Checks, starts, prints the address, and stays until SIGINT, SIGTERM or SIGHUP; StartRefused, StartFailed."""
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
        """Ends the loop; a second signal while services stop is not needed and does nothing."""
        self.stopping.set()

    def url(self) -> str:
        """The one address to open."""
        host = self.host
        if host in ("0.0.0.0", "::"):
            host = next(name for name in settings.ALLOWED_HOSTS if name != "*").lstrip(".")
        prefix = f"{settings.FORCE_SCRIPT_NAME or ''}/"
        return f"http://[{host}]:{self.port}{prefix}" if ":" in host else f"http://{host}:{self.port}{prefix}"

    def check(self) -> None:
        """Everything that can be refused before a process is started."""
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
        """Broker, database, web server, worker, sweeper; returns when the web server answers or a signal came."""
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
        """Brings the database up to date and makes the local owner's account."""
        try:
            call_command("migrate", interactive=False, verbosity=0)
            if settings.NASWEB_EMBEDDED:
                local_owner()
            elif not get_user_model().objects.exists():
                self.warn("There is no account yet: make one with `.venv/bin/python manage.py createsuperuser`.")
        except DatabaseError as error:
            raise StartRefused(
                f"The database cannot be brought up to date ({error}): check it, or the version of nasweb."
            ) from error
        finally:
            connections.close_all()

    def web_command(self) -> list[str]:
        """The ASGI server; a proxy's headers are believed only where FORWARDED_ALLOW_IPS, uvicorn's own, names it."""
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
        """A Celery worker with as many processes as cores, each of one thread."""
        options = ["--queues", "advance,score,train", "--concurrency", str(settings.NASWEB_WORKERS or cores())]
        options += ["--loglevel", "WARNING", "--without-gossip", "--without-mingle"]
        return [sys.executable, "-m", "celery", "-A", "nasweb", "worker", *options]

    def launch(self, name: str, command: list[str]) -> Service:
        """Starts a service and puts it on the watchdog's list."""
        environment = {**os.environ, "NASWEB_HOME": str(self.home), "PYTHONUNBUFFERED": "1"}
        if name == "worker":  # its processes share the cores; more threads would only get in each other's way
            environment |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "NASWEB_TORCH_THREADS": "1"}
        service = Service(name, command, self.home / "logs" / f"{name}.log", settings.BASE_DIR, environment)
        self.register(service.start())
        self.services.append(service)
        return service

    def tend(self) -> None:
        """Plans restarts of services that died and carries out those that are due."""
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
        """The process that ends the services should this one be killed; it holds the home's lock until it has."""
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
        """Tells the watchdog; a dead one is replaced at the next tick and told everything."""
        assert self.watchdog is not None
        assert self.watchdog.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.watchdog.stdin.write(f"{'+' if begun else '-'}{group}\n")
            self.watchdog.stdin.flush()

    def answers(self) -> bool:
        """Whether the web server answers on this machine."""
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
        """Stops everything: first those that use the broker, then the broker, then the watchdog."""
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
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
