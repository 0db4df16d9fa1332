"""A class name means one thing in the whole project."""

from __future__ import annotations

import ast

from tests.tree import code

SAME_IDEA = {"Bucket", "Command", "LatencyTable", "SearchSpace", "Table"}
"""Names that stand twice: a row and the object that the engine makes of it, and the name that Django gives commands."""


def test_a_class_name_means_one_thing() -> None:
    """Classes inside of classes (Meta, Status) belong to the outer name."""
    places: dict[str, set[str]] = {}
    for path, node in code("engine", "searches", "nasweb"):
        for inner in node.body if isinstance(node, ast.Module) else ():
            if isinstance(inner, ast.ClassDef):
                places.setdefault(inner.name, set()).add(path)
    assert len(places) > 300
    assert {name for name, paths in places.items() if len(paths) > 1} == SAME_IDEA
