"""Each idea has one owner: no other module repeats its rule."""

from __future__ import annotations

import ast
import re

from engine.registry import ESTIMATORS
from tests.tree import code, text, tracked

KNOW_ESTIMATES = ("engine/config/estim", "engine/config/lookups.py", "engine/registry.py", "engine/estimators/")
"""Where one estimate may be told from another; all other modules read what its options declare."""
ESTIMATE_OPTIONS = {entry.options.__name__ for entry in ESTIMATORS.values()} | {"EstimateOptions"}
NOT_ROWS = {"self", "resolved", "form", "body", "example", "entry", "throughput"}
"""Names of what has a ``config`` and is no row of the database."""


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
    copies = set()
    lists = set()
    for path, node in code("engine", "searches", "nasweb"):
        if isinstance(node, ast.Constant) and node.value in labels:
            copies.add(path)
        if isinstance(node, ast.Tuple | ast.List | ast.Set | ast.Dict):
            items = node.keys if isinstance(node, ast.Dict) else node.elts
            if sum(isinstance(item, ast.Constant) and item.value in COST_NAMES for item in items) > 1:
                lists.add(path)
    assert copies == {owner}
    assert lists == {
        "engine/tabular_benchmarks.py",  # the columns of official benchmarks
        "engine/tabular/nats.py",
        "engine/config/lookups.py",  # which of them an option takes
        "engine/benchmarks/mobile_spaces.py",  # the two figures of published tables
        "searches/selectors/baselines.py",  # which counts estimates are compared with
        "nasweb/benchmarks/browser.py",  # the columns that the benchmark sorts by
    }
    costs = {METRICS[name].label for name in COST_NAMES} & labels
    named = re.compile("|".join((*COST_NAMES, *costs)))
    shown = [path for path in tracked() if path.suffix in {".js", ".html"} and path.parts[0] in {"static", "templates"}]
    assert named.search("c.costs.madds_m")
    assert [str(path) for path in shown if named.search(text(path))] == []
    assert [str(path) for path in shown if 'getElementById("metrics")' in text(path)] == ["static/js/core/metrics.js"]


OTHER_TALK = {
    "engine/full_training/run.py",
    "nasweb/embedded/supervisor.py",
    "searches/services/measuring.py",
    "searches/api/exports.py",
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
