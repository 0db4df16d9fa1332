"""Paths of the embedded services; plain functions of ``NASWEB_HOME``, so that settings can use them too."""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from pathlib import Path
from urllib.parse import quote

SOCKET_PATH_LIMIT = 100  # bytes; the kernel allows 107 on Linux and 103 on macOS


def broker_socket(home: Path) -> Path:
    """Return the broker's socket: in the home, or in the temporary folder if the home's path is too long."""
    inside = home / "run" / "broker.sock"
    if len(os.fsencode(inside)) <= SOCKET_PATH_LIMIT:
        return inside
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"nasweb-{os.getuid()}-{digest}" / "broker.sock"


def broker_url(home: Path) -> str:
    """Return the broker's address in Celery's notation."""
    return f"redis+socket://{quote(str(broker_socket(home)))}"


def private_folder(folder: Path) -> Path:
    """Create the folder, readable only by this user; PermissionError if it belongs to another user."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to another user")
    folder.chmod(0o700)
    return folder


def read_secret_key(home: Path) -> str | None:
    """Return the home's secret key, or None before the first start."""
    try:
        return (home / "secret_key").read_text().strip() or None
    except OSError:
        return None


def ensure_secret_key(home: Path) -> str:
    """Return the home's secret key; the first call creates it, readable only by this user."""
    if key := read_secret_key(home):
        return key
    key = secrets.token_urlsafe(48)
    descriptor = os.open(home / "secret_key", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(key)
    return key
