"""Equation 4 and the rules of a bucket."""

from __future__ import annotations

from itertools import pairwise
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.buckets import Bucket, CostScale, Ranked


def network(number: int, score: float) -> Ranked:
    return Ranked(-score, number, ())


def test_the_paper_example_has_these_buckets() -> None:
    """Appendix I, second layer: 6 to 12M in four buckets: [6-7], [8], [9, 10], [11, 12]."""
    scale = CostScale(6, 12, 4)
    assert [scale.index(cost) for cost in (6, 7, 8, 9, 10, 11, 12)] == [0, 0, 1, 2, 2, 3, 3]


def test_a_range_that_is_a_point_and_unknown_costs_share_the_first_bucket() -> None:
    assert CostScale(5, 5, 100).index(5) == 0
    assert CostScale(1, 2, 100).index(float("nan")) == 0
    assert CostScale(float("nan"), float("nan"), 100).index(3) == 0


@given(st.floats(0, 1e6), st.floats(1e-3, 1e6), st.integers(1, 200), st.floats(-0.5, 1.5))
def test_every_cost_falls_into_a_bucket_and_its_interval_holds_it(
    low: float, width: float, count: int, share: float
) -> None:
    scale = CostScale(low, low + width, count)
    cost = low + share * width
    index = scale.index(cost)
    assert 0 <= index < count
    if 0 <= share <= 1:
        start, end = scale.interval(index)
        slack = 1e-6 * (low + width)
        assert start - slack <= cost <= end + slack


@pytest.mark.parametrize("count", [1, 3, 7, 100])
def test_intervals_touch_and_cover_the_range(count: int) -> None:
    intervals = [CostScale(2, 9, count).interval(index) for index in range(count)]
    assert intervals[0][0] == 2
    assert intervals[-1][1] == 9
    assert all(left[1] == right[0] for left, right in pairwise(intervals))


def test_a_full_bucket_takes_only_what_is_strictly_better_than_its_worst() -> None:
    bucket = Bucket(2)
    bucket.insert(network(0, 0.5))
    assert bucket.floor == -inf
    bucket.insert(network(1, 0.4))
    assert bucket.floor == 0.4
    assert bucket.insert(network(2, 0.9)) == network(1, 0.4)
    assert bucket.residents == [network(2, 0.9), network(0, 0.5)]
    assert (bucket.inserted, bucket.evicted, bucket.floor) == (3, 1, 0.5)


def test_of_equal_scores_the_later_network_leaves_first() -> None:
    bucket = Bucket(2)
    for number in (4, 1):
        bucket.insert(network(number, 0.5))
    assert bucket.insert(network(7, 0.6)) == network(4, 0.5)


def test_without_a_capacity_everything_stays() -> None:
    bucket = Bucket(None)
    for number in range(50):
        assert bucket.insert(network(number, -1.0)) is None
    assert [resident.number for resident in bucket.residents] == list(range(50))
    assert (bucket.floor, bucket.residents[0].score) == (-inf, -1.0)
