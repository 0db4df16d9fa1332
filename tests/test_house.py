"""Rules of the code base that import-linter cannot express."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from django.conf import settings

from tests.tree import ROOT, text, tracked

FOLDERS = {"nasweb", "searches", "engine", "templates", "static", "tests", "docker", "findings", ".ci"}
FILES = {
    "manage.py",
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "LICENSE",
    "Makefile",
    "pyproject.toml",
    "constraints.txt",
    "package.json",
    "package-lock.json",
    ".eslint.config.js",
    ".npmrc",
    ".gitignore",
    ".pre-commit-config.yaml",
}
LONGEST = 300  # lines
SHOWN = {".html", ".js", ".css", ".svg"}


def test_modules_are_short() -> None:
    modules = [path for path in tracked() if path.suffix in {".py", ".js"} and path.parent.name != "migrations"]
    lengths = {str(path): text(path).count("\n") for path in modules}
    assert len(lengths) > 50
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST} == {}


def test_nothing_else_lies_at_the_top() -> None:
    tops = {path.parts[0] for path in tracked()}
    assert tops <= FOLDERS | FILES
    assert {"nasweb", "searches", "engine", "tests", "manage.py"} <= tops


def test_no_drawer_for_everything() -> None:
    names = {"utils", "helpers", "common", "misc"}
    assert [str(path) for path in tracked() if path.suffix == ".py" and path.stem in names] == []


def test_pages_load_nothing_from_elsewhere() -> None:
    """No CDN: pages load only files of the app. Links for reading and names of XML vocabularies are allowed."""
    loading = re.compile(
        r"""(?:\b(?:src|srcset|href)\s*=\s*["']?|url\(\s*["']?|@import\s+["']|(?:import|from|fetch\(|WebSocket\()\s*["'`])"""
        r"""(?:https?:|wss?:)?//""",
        re.IGNORECASE,
    )
    assert loading.search('<script src="https://cdn.example/x.js">')
    assert loading.search('import x from "//cdn.example/x.js"')
    link = re.compile(r"<a\b[^>]*>", re.IGNORECASE)
    pages = [
        path for path in tracked() if path.suffix in SHOWN and path.parts[0] in {"templates", "static", "searches"}
    ]
    assert pages
    assert [str(path) for path in pages if loading.search(link.sub("", text(path)))] == []


def test_scripts_export_only_what_others_import() -> None:
    scripts = {path: text(path) for path in tracked() if path.suffix == ".js" and path.parts[0] == "static"}
    export = re.compile(r"^export (?:async )?(?:function|class|const|let) (\w+)", re.MULTILINE)
    exported = {(str(path), name) for path, code in scripts.items() for name in export.findall(code)}
    imported = {
        (os.path.normpath(path.parent / source), name.partition(" as ")[0].strip())
        for path, code in scripts.items()
        for names, source in re.findall(r'import \{([^}]*)\} from "([^"]+)"', code)
        for name in names.split(",")
    }
    assert len(exported) > 50
    assert exported - imported == set()


def test_scripts_keep_to_120_columns() -> None:
    """Prettier lays out code, but leaves comments and strings as long as they are."""
    scripts = [path for path in tracked() if path.suffix == ".js"]
    assert len(scripts) > 50
    long = [f"{path}:{at}" for path in scripts for at, line in enumerate(text(path).split("\n"), 1) if len(line) > 120]
    assert long == []


def test_scripts_have_no_list_of_statuses_of_their_own() -> None:
    """The page carries the models' lists (`searches.context.statuses`), and `core/status.js` alone reads them."""
    from searches.models import NetworkLatency, Search, Training

    words = "|".join({*Search.Status.values, *Training.Status.values, *NetworkLatency.Status.values})
    word = f"""["'`](?:{words})["'`]"""
    listed = re.compile(rf"\[\s*{word}\s*,\s*{word}|===?\s*{word}\s*\|\|[^;|]*===?\s*{word}")
    assert listed.search('new Set(["waiting", "measuring"])')
    assert listed.search("const ended = status === 'finished' || search.status === 'failed';")
    scripts = [path for path in tracked() if path.suffix == ".js" and path.parts[0] == "static"]
    assert scripts
    assert [str(path) for path in scripts if listed.search(text(path))] == []
    assert [str(path) for path in scripts if "status-groups" in text(path)] == ["static/js/core/status.js"]


def test_front_end_lock_file_names_no_registry() -> None:
    packages = json.loads(text(Path("package-lock.json")))["packages"]
    assert len(packages) > 1
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert all(package["integrity"].startswith("sha512-") for name, package in packages.items() if name)


def test_constraints_pin_exactly() -> None:
    pins = [line for line in text(Path("constraints.txt")).splitlines() if not line.startswith("#")]
    assert len(pins) > 100
    assert [pin for pin in pins if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", pin)] == []


def test_the_version_has_one_owner() -> None:
    """``pyproject.toml`` states it, all else asks the installed package; a file that states it would go stale."""
    number = tomllib.loads(text(Path("pyproject.toml")))["project"]["version"]
    assert importlib.metadata.version("nasweb") == number
    assert settings.SPECTACULAR_SETTINGS["VERSION"] == number
    owners = {"pyproject.toml", "CHANGELOG.md", "constraints.txt", "package-lock.json"}
    others = [path for path in tracked() if path.parts[0] != "tests" and str(path) not in owners]
    stated = re.compile(rf"(?<![\d.]){re.escape(number)}(?![\d.])".encode())
    assert [str(path) for path in others if stated.search((ROOT / path).read_bytes())] == []


def test_documents_link_to_what_is_there() -> None:
    link = re.compile(r"\]\((?!https?:)([^)#]+)[^)]*\)")
    links = {(path, target) for path in tracked() if path.suffix == ".md" for target in link.findall(text(path))}
    assert len(links) > 10
    assert [(str(path), target) for path, target in links if not (ROOT / path.parent / target).is_file()] == []
    assert text(Path("README.md")).count("\n") <= 120


def test_the_readme_of_the_engine_names_every_file_beside_it() -> None:
    rows = re.findall(r"^\| (`.+?`) \|", text(Path("engine/README.md")), re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`([^`]+)`", row)}
    assert [name for name in named if not list((ROOT / "engine").glob(name))] == []
    tracked_there = {path.relative_to("engine").parts for path in tracked() if path.parts[0] == "engine"}
    beside = {parts[0] if len(parts) == 1 else f"{parts[0]}/" for parts in tracked_there}
    assert {name for name in beside if name not in named} == {"README.md", "__init__.py"}


@pytest.mark.processes
def test_the_web_server_never_loads_torch(tmp_path: Path) -> None:
    """Importing the whole application, including every view, does not import torch."""
    code = """
import sys
import nasweb.asgi
from django.urls import get_resolver
get_resolver().url_patterns
import searches.tasks, searches.services.creation
print(sorted({"torch", "torchvision", "onnx"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
