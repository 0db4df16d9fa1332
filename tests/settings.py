"""Settings of the tests: a temporary home, a separate broker, required accounts, nothing from the shell's environment.

With ``NASWEB_TEST_SERVERS=1`` the same tests use the servers of ``NASWEB_TEST_DATABASE_URL`` and
``NASWEB_TEST_REDIS_URL``. Of several test processes (pytest-xdist) each has a home, a broker, a database and a Redis
database of its own, and one thread.
"""

from __future__ import annotations

import os
import tempfile

for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ALLOWED_HOSTS", "NASWEB_HOST", "NASWEB_PORT"):
    os.environ.pop(name, None)
if "NASWEB_HOME" not in os.environ:
    home = tempfile.TemporaryDirectory(prefix="nasweb-tests-")
    os.environ["NASWEB_HOME"] = home.name
if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    os.environ["NASWEB_HOME"] = os.path.join(os.environ["NASWEB_HOME"], worker)
    os.makedirs(os.environ["NASWEB_HOME"], exist_ok=True)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
TEST_DATABASE_URL = os.environ.get("NASWEB_TEST_DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/nasweb")
TEST_REDIS_URL = os.environ.get("NASWEB_TEST_REDIS_URL", "redis://127.0.0.1:6379/9")
if worker:
    server, _, number = TEST_REDIS_URL.rpartition("/")
    TEST_REDIS_URL = f"{server}/{int(number) + int(worker.removeprefix('gw'))}"
if os.environ.get("NASWEB_TEST_SERVERS"):
    os.environ |= {"DATABASE_URL": TEST_DATABASE_URL, "REDIS_URL": TEST_REDIS_URL}
    os.environ |= {
        "SECRET_KEY": "for tests only, for tests only, for tests only, for tests",
        "ALLOWED_HOSTS": "testserver",
    }

from nasweb.settings import *  # noqa: E402, F403

NASWEB_EMBEDDED = False
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":  # noqa: F405
    DATABASES["default"]["TEST"] = {"NAME": NASWEB_HOME / "tests.sqlite3"}  # noqa: F405 - a file: threads and processes
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
