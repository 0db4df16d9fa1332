"""Equation 4 and the rules of a bucket."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.buckets import Bucket, CostScale


@dataclass(frozen=True)
class Network:
    number: int
    score: float


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
    bucket: Bucket[Network] = Bucket(2)
    bucket.insert(Network(0, 0.5))
    assert bucket.accepts(1, 0.1)
    bucket.insert(Network(1, 0.4))
    assert not bucket.accepts(2, 0.4)
    assert bucket.accepts(2, 0.41)
    assert bucket.insert(Network(2, 0.9)) == Network(1, 0.4)
    assert bucket.residents == [Network(2, 0.9), Network(0, 0.5)]
    assert (bucket.inserted, bucket.evicted) == (3, 1)


def test_of_equal_scores_the_later_network_leaves_first() -> None:
    bucket: Bucket[Network] = Bucket(2)
    for number in (4, 1):
        bucket.insert(Network(number, 0.5))
    assert bucket.insert(Network(7, 0.6)) == Network(4, 0.5)


def test_a_network_is_never_kept_twice() -> None:
    bucket: Bucket[Network] = Bucket(3)
    bucket.insert(Network(3, 0.5))
    assert not bucket.accepts(3, 0.9)


def test_without_a_capacity_everything_stays() -> None:
    bucket: Bucket[Network] = Bucket(None)
    for number in range(50):
        assert bucket.accepts(number, -1.0)
        assert bucket.insert(Network(number, -1.0)) is None
    assert [network.number for network in bucket.residents] == list(range(50))
