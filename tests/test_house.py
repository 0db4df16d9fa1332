"""The laws of the house that import-linter cannot say."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from engine.registry import ESTIMATORS

ROOT = Path(__file__).resolve().parent.parent
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
    "eslint.config.js",
    ".npmrc",
    ".gitignore",
    ".pre-commit-config.yaml",
}
LONGEST = 300  # lines
KNOW_ESTIMATES = ("engine/config/estim", "engine/config/lookups.py", "engine/registry.py", "engine/estimators/")
"""Where one estimate may be told from another; all other modules read what its options declare."""
ESTIMATE_OPTIONS = {entry.options.__name__ for entry in ESTIMATORS.values()} | {"EstimateOptions"}
NOT_ROWS = {"self", "resolved", "form", "body", "example", "entry", "throughput"}
"""Names of what has a ``config`` and is no row of the database."""
SHOWN = {".html", ".js", ".css", ".svg"}


def tracked() -> list[Path]:
    """Every file that is, or would be, committed; relative to the root."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [Path(name) for name in listed if (ROOT / name).is_file()]


def text(path: Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


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


def rows_read_raw(code: str) -> list[str]:
    """Return the places in Python code that read a row's ``config`` document instead of its ``configuration``."""
    found = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Attribute) and node.attr == "config"]
    return [f"{node.lineno}: {ast.unparse(node)}" for node in found if ast.unparse(node.value) not in NOT_ROWS]


def test_stored_configurations_are_read_through_one_property() -> None:
    """`searches.models.documents.Stored` reads them; pages use it too."""
    assert rows_read_raw("x = search.config['seed']") == ["1: search.config"]
    code = [path for path in tracked() if path.suffix == ".py" and path.parts[0] in {"nasweb", "searches"}]
    modules = [path for path in code if path.parts[:2] != ("searches", "models")]
    assert len(modules) > 100
    assert {str(path): raw for path in modules if (raw := rows_read_raw(text(path)))} == {}
    pages = [path for path in tracked() if path.parts[0] == "templates"]
    assert [str(path) for path in pages if ".config." in text(path)] == []


def test_pages_load_nothing_from_elsewhere() -> None:
    """No CDN: pages load only what the app serves. Links to read, and names of XML vocabularies, are no loading."""
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


def code(*folders: str) -> Iterator[tuple[str, ast.AST]]:
    """Yield the path of a module and each node of its syntax tree, for all modules of these packages."""
    for path in tracked():
        if path.suffix == ".py" and path.parts[0] in folders and "migrations" not in path.parts:
            for node in ast.walk(ast.parse(text(path))):
                yield str(path), node


def orders_networks(node: ast.AST) -> bool:
    """Say whether a call sorts, or a tuple is a key that sorts, by a final score or by what a score is worth."""
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        source = ast.unparse(node) if name in {"max", "min", "sorted", "sort"} else ""
        return bool(re.search(r"final_score|\.worth\b|\bmerit\(", source)) and "rank(" not in source
    if isinstance(node, ast.Tuple):
        return any(isinstance(part, ast.UnaryOp) for part in node.elts) and bool(re.search("worth", ast.unparse(node)))
    return False


def test_one_module_says_who_is_best() -> None:
    assert orders_networks(ast.parse("max(rows, key=lambda c: (c.final_score, -c.number))").body[0].value)
    assert orders_networks(ast.parse("rank = (score, worth[network], -network)").body[0].value)
    owners = {path for path, node in code("engine", "searches", "nasweb") if orders_networks(node)}
    assert owners == {"engine/ranking.py"}


def test_scripts_keep_to_120_columns() -> None:
    """Prettier lays out code, but leaves comments and strings as long as they are."""
    scripts = [path for path in tracked() if path.suffix == ".js"]
    assert len(scripts) > 50
    long = [f"{path}:{at}" for path in scripts for at, line in enumerate(text(path).split("\n"), 1) if len(line) > 120]
    assert long == []


def words(node: ast.AST) -> set[str]:
    """Names, attributes and texts in an expression."""
    found = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    found |= {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}
    return found | {str(part.value) for part in ast.walk(node) if isinstance(part, ast.Constant)}


def distinguishes_estimates(node: ast.AST) -> bool:
    """Whether code compares an estimate's kind with a text, or asks for the class of its options."""
    if isinstance(node, ast.Compare):
        sides = [words(side) for side in (node.left, *node.comparators)]
        asked = any(side & {"kind", "estimator"} for side in sides)
        return asked and any(side & ESTIMATORS.keys() for side in sides)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in ("isinstance", "issubclass") and bool(words(node.args[1]) & ESTIMATE_OPTIONS)
    return isinstance(node, ast.MatchClass) and bool(words(node) & ESTIMATE_OPTIONS)


def test_what_an_estimate_is_stands_on_its_options() -> None:
    asking = ['options.kind == "mote"', 'row.estimator in ("table", "proxy")', "isinstance(options, MoteOptions)"]
    assert all(distinguishes_estimates(ast.parse(line, mode="eval").body) for line in asking)
    parts = code("engine", "searches", "nasweb")
    found = {name for name, node in parts if not name.startswith(KNOW_ESTIMATES) and distinguishes_estimates(node)}
    assert found == set()


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


def test_the_models_alone_list_active_and_ended_statuses() -> None:
    from searches.models import Search

    owned = {frozenset(status.name for status in group) for group in (Search.ACTIVE, Search.ENDED)}
    copies = []
    for path, node in code("searches", "nasweb"):
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            names = frozenset(item.attr for item in node.elts if isinstance(item, ast.Attribute))
            if names in owned and len(node.elts) == len(names):
                copies.append(path)
    assert copies == ["searches/models/search.py"] * 2


def test_a_label_of_a_metric_has_one_owner() -> None:
    """`engine.metrics` alone names metrics. Code asks it; scripts ask `core/metrics.js`, which reads the page."""
    from engine.metrics import COST_NAMES, METRICS

    owner = "engine/metrics.py"
    labels = {label for m in METRICS.values() for label in (m.label, m.title, m.heading) if re.search(r"[ -]", label)}
    assert {"Peak memory", "Multiply-adds", "Validation accuracy (%)"} <= labels
    copies, lists = set(), set()
    for path, node in code("engine", "searches", "nasweb"):
        if isinstance(node, ast.Constant) and node.value in labels:
            copies.add(path)
        if isinstance(node, ast.Tuple | ast.List | ast.Set | ast.Dict):
            items = node.keys if isinstance(node, ast.Dict) else node.elts
            if sum(isinstance(item, ast.Constant) and item.value in COST_NAMES for item in items) > 1:
                lists.add(path)
    assert copies == {owner}
    assert lists == {
        "engine/benchmark_tables/catalogue.py",  # the columns of official benchmarks
        "engine/benchmark_tables/nats.py",
        "engine/config/lookups.py",  # which of them an option takes
        "engine/benchmarks/mobile_spaces.py",  # the two figures of published tables
        "nasweb/benchmarks/browser.py",  # the columns that the benchmark sorts by
    }
    costs = {METRICS[name].label for name in COST_NAMES} & labels
    named = re.compile("|".join((*COST_NAMES, *costs)))
    shown = [path for path in tracked() if path.suffix in {".js", ".html"} and path.parts[0] in {"static", "templates"}]
    assert named.search("c.costs.madds_m")
    assert [str(path) for path in shown if named.search(text(path))] == []
    assert [str(path) for path in shown if 'getElementById("metrics")' in text(path)] == ["static/js/core/metrics.js"]
OTHER_TALK = {
    "engine/promotion/run.py",
    "nasweb/embedded/supervisor.py",
    "searches/services/measuring.py",
    "searches/api/downloads.py",
}
"""Modules whose ``ask`` and ``tell`` have nothing to do with search algorithms."""


def test_one_module_drives_rounds() -> None:
    """Only `engine.rounds` asks and tells an algorithm, applies the budget and gives proposals up.

    The benchmark that times ask and tell calls the algorithm itself.
    """
    drivers: dict[str, set[str]] = {}
    for path, node in code("engine", "searches", "nasweb"):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            receiver = ast.unparse(node.func.value)
            spoken_to = node.func.attr in {"ask", "tell"} and not receiver.endswith("rounds")
            if spoken_to or node.func.attr in {"abandon", "admits"}:
                drivers.setdefault(path, set()).add(node.func.attr)
    owner = {"ask", "tell", "abandon", "admits"}
    timing = {"engine/benchmarks/layernas_core.py": {"ask", "tell"}}
    assert {p: names for p, names in drivers.items() if p not in OTHER_TALK} == {"engine/rounds.py": owner, **timing}


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


def test_the_readme_of_the_engine_names_what_is_there() -> None:
    rows = re.findall(r"^\| (`.+?`) \|", text(Path("engine/README.md")), re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`([^`]+)`", row)}
    assert [name for name in named if not list((ROOT / "engine").glob(name))] == []


@pytest.mark.processes
def test_the_web_server_never_loads_torch(tmp_path: Path) -> None:
    """Importing the whole application, every view included, leaves torch out of memory."""
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
