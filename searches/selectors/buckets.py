"""The bucket grid (LayerNAS, equation 4): layers by cost buckets, each with its networks.

Even if buckets rank networks by scores weighted by size, networks are shown with their plain scores, as everywhere.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from django.db.models import F, Func, IntegerField

from searches.models import Bucket, Candidate, Search

PLACE = ("layer", "index", "low", "high", "inserted", "evicted")


class ArrayLength(Func):
    """The number of entries of a JSON array."""

    function = "JSON_ARRAY_LENGTH"
    output_field = IntegerField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Return the SQL with PostgreSQL's name of the function."""
        return self.as_sql(compiler, connection, function="JSONB_ARRAY_LENGTH", **context)


def grid(search: Search, layer_names: Sequence[str], **place: int) -> list[dict[str, Any]]:
    """Return the layers that have buckets, in order, with their buckets by index.

    ``place`` restricts the grid to a layer or to one bucket index.
    """
    return cells(search, layer_names, list(Bucket.objects.filter(search=search, **place).order_by("layer", "index")))


def counts(search: Search, layer_names: Sequence[str], **place: int) -> list[dict[str, Any]]:
    """Return the grid with only the best network and the number of networks of each bucket, both from the database."""
    rows = Bucket.objects.filter(search=search, **place).order_by("layer", "index")
    rows = rows.annotate(kept=ArrayLength("residents"), best=F("residents__0"))
    return _layers(search, layer_names, list(rows.values(*PLACE, "kept", "best")))


def cells(search: Search, layer_names: Sequence[str], buckets: Sequence[Bucket]) -> list[dict[str, Any]]:
    """Return the grid of given rows, ordered by layer and index; the rows need not be saved."""
    plain = _plain_scores(search, {number for bucket in buckets for number, _ in bucket.residents})
    found = []
    for bucket in buckets:
        kept = [[number, plain.get(number, worth)] for number, worth in bucket.residents]
        place = {name: getattr(bucket, name) for name in PLACE}
        found.append({**place, "kept": len(kept), "residents": kept, "best": kept[0] if kept else None})
    return _layers(search, layer_names, found)


def _layers(search: Search, layer_names: Sequence[str], found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    best = {row["best"][0] for row in found if row["best"]}
    ids = dict(Candidate.objects.filter(search=search, number__in=best).values_list("number", "id"))
    plain = _plain_scores(search, best)
    layers: dict[int, list[dict[str, Any]]] = {}
    for row in found:
        layer = row.pop("layer")
        number, worth = row.pop("best") or (None, None)
        if number is None:
            shown: dict[str, Any] = {"score": None, "number": None, "id": None}
        else:
            shown = {"score": plain.get(number, worth), "number": number, "id": ids.get(number)}
        layers.setdefault(layer, []).append(row | shown)
    return [
        {"layer": layer, "name": layer_names[layer] if layer < len(layer_names) else str(layer + 1), "buckets": buckets}
        for layer, buckets in layers.items()
    ]


def _plain_scores(search: Search, numbers: Collection[int]) -> dict[int, float]:
    """Return the plain scores of these networks by number; empty unless buckets rank by weighted scores."""
    if not search.configuration.objective.size_exponent:
        return {}
    rows = Candidate.objects.filter(search=search, number__in=numbers)
    return {number: score for number, score in rows.values_list("number", "score") if score is not None}
