"""The bucket grid (LayerNAS, equation 4): layers by cost buckets, each with the networks it keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from searches.models import Bucket, Candidate, Search


def grid(search: Search, layer_names: Sequence[str], **place: int) -> list[dict[str, Any]]:
    """Layers that have buckets, in order, with their buckets by index; ``place`` names a layer or a bucket's index."""
    return cells(search, layer_names, list(Bucket.objects.filter(search=search, **place).order_by("layer", "index")))


def cells(search: Search, layer_names: Sequence[str], buckets: Sequence[Bucket]) -> list[dict[str, Any]]:
    """As `grid`, of rows by layer and index that may not be saved.

    Where buckets rank by scores weighed by size, networks are shown with their scores, as everywhere.
    """
    buckets = _with_scores(search, buckets)
    best = {bucket.residents[0][0] for bucket in buckets if bucket.residents}
    ids = dict(Candidate.objects.filter(search=search, number__in=best).values_list("number", "id")) if best else {}
    layers: dict[int, list[dict[str, Any]]] = {}
    for bucket in buckets:
        layers.setdefault(bucket.layer, []).append(_cell(bucket, ids))
    return [
        {"layer": layer, "name": layer_names[layer] if layer < len(layer_names) else str(layer + 1), "buckets": found}
        for layer, found in layers.items()
    ]


def _cell(bucket: Bucket, ids: dict[int, int]) -> dict[str, Any]:
    number, score = bucket.residents[0] if bucket.residents else (None, None)
    return {
        "index": bucket.index,
        "low": bucket.low,
        "high": bucket.high,
        "score": score,
        "number": number,
        "id": ids.get(number),
        "kept": len(bucket.residents),
        "residents": bucket.residents,
        "inserted": bucket.inserted,
        "evicted": bucket.evicted,
    }


def _with_scores(search: Search, buckets: Sequence[Bucket]) -> Sequence[Bucket]:
    if not search.config["objective"].get("size_exponent"):
        return buckets
    numbers = {number for bucket in buckets for number, _ in bucket.residents}
    plain = Candidate.objects.filter(search=search, number__in=numbers, score__isnull=False)
    scores = dict(plain.values_list("number", "score"))
    for bucket in buckets:
        bucket.residents = [[number, scores.get(number, worth)] for number, worth in bucket.residents]
    return buckets
