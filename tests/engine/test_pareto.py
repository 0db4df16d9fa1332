"""Fronts and their hypervolume, against brute force."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.pareto import ParetoFront, Point

small = st.integers(0, 12)
point_lists = st.lists(st.tuples(small, small), max_size=40)


def _points(pairs: list[tuple[int, int]]) -> list[Point[int]]:
    return [Point(float(cost), float(score), key) for key, (cost, score) in enumerate(pairs)]


def _beaten(point: Point[int], other: Point[int]) -> bool:
    no_worse = other.cost <= point.cost and other.score >= point.score
    return no_worse and ((other.cost, other.score) != (point.cost, point.score) or other.key < point.key)


@given(point_lists)
def test_the_front_is_what_nothing_beats(pairs: list[tuple[int, int]]) -> None:
    points = _points(pairs)
    expected = sorted(p for p in points if not any(_beaten(p, other) for other in points))
    assert ParetoFront(points).points == expected


@given(point_lists)
def test_adding_says_whether_the_front_changed(pairs: list[tuple[int, int]]) -> None:
    front: ParetoFront[int] = ParetoFront()
    for point in _points(pairs):
        before = front.points
        assert front.add(point) == (front.points != before)


@given(point_lists)
def test_the_hypervolume_counts_dominated_unit_squares(pairs: list[tuple[int, int]]) -> None:
    points = _points(pairs)
    squares = sum(any(p.cost <= x and p.score >= y + 1 for p in points) for x in range(10) for y in range(3, 12))
    assert ParetoFront(points).hypervolume(cost=10, score=3) == squares


def test_unknown_numbers_never_enter() -> None:
    nan = float("nan")
    front = ParetoFront([Point(nan, 1.0, "a"), Point(1.0, nan, "b"), Point(2.0, 2.0, "c")])
    assert front.points == [Point(2.0, 2.0, "c")]
