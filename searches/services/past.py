"""The bucket grid as it was after a number of evaluations, filled again from the rows of the candidates."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q

from engine.algorithms.proposals import Proposal
from engine.errors import ConfigError
from engine.registry import create_algorithm
from searches.models import Bucket, Candidate, Search
from searches.selectors.calibrations import NETWORK
from searches.services.algorithm_state import bucket_row
from searches.services.resolving import resolve_search

MOST = 20_000
"""The largest number of networks that are stored again for one such grid."""


def buckets(search: Search, upto: int | None = None, layers: Sequence[int] | None = None) -> list[Bucket]:
    """Return unsaved rows by layer and index: the grid that is filled by the networks with numbers below ``upto``.

    ``layers`` keeps only the networks of these layers and those without a layer. The algorithm's own rule stores the
    networks again in the order in which they were told, so insertions and evictions are those of the search. If
    scores were calibrated since, today's scores are used. Only told rounds count. Raises ConfigError (``upto``) if
    there are more than `MOST` networks.
    """
    rows = search.candidates.networks().filter(status=Candidate.Status.SCORED, round__lt=search.rounds)
    if upto is not None:
        rows = rows.filter(number__lt=upto)
    if layers is not None:
        rows = rows.filter(Q(layer__in=layers) | Q(layer__isnull=True))
    if rows.count() > MOST:
        raise ConfigError.at("upto", f"The bucket grid is replayed up to {MOST:,} networks; choose an earlier point.")
    found = list(rows.order_by("number").values_list(*NETWORK, "score", "round", "revived_round", named=True))
    found.sort(key=lambda row: (row.round, 0) if row.revived_round is None else (row.revived_round, 1))
    resolved = resolve_search(search)
    config = search.configuration
    algorithm = create_algorithm(config.algorithm, resolved.problem, config.seed)
    if not algorithm.rescorable:
        return []
    networks = []
    for row in found:
        place = (row.origin, row.layer, row.bucket, row.parent_number)
        networks.append((Proposal(row.number, resolved.space.architecture(row.choices), *place), row.score))
    algorithm.rescore(networks)
    return [bucket_row(search, view) for view in algorithm.buckets()]
