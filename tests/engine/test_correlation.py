"""Rank statistics compared with counting by hand, and their treatment of missing scores."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from scipy.stats import kendalltau

from engine.correlation import (
    MOST_RESAMPLED,
    Bootstrap,
    Interval,
    best,
    constant,
    count_to_separate,
    kendall,
    kendall_interval,
    ndcg,
    spearman,
)


def counted_tau(x: list[float], y: list[float]) -> float:
    """Return tau-b, counted over all pairs."""
    agree = ties_x = ties_y = 0
    pairs = list(combinations(range(len(x)), 2))
    for i, j in pairs:
        a = np.sign(x[i] - x[j])
        b = np.sign(y[i] - y[j])
        agree += int(a * b)
        ties_x += a == 0
        ties_y += b == 0
    return float(agree / math.sqrt((len(pairs) - ties_x) * (len(pairs) - ties_y)))


def noisy(count: int, noise: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=count)
    return truth + noise * rng.normal(size=count), truth


def test_kendall_counts_pairs_ties_included() -> None:
    x, y = [1.0, 2, 2, 5, 4, 9, 0], [1.0, 3, 2, 2, 7, 8, 1]
    assert kendall(x, y) == pytest.approx(counted_tau(x, y))
    assert kendall(x, [-value for value in y]) == pytest.approx(-counted_tau(x, y))


def test_spearman_sees_ranks_only() -> None:
    scores, truth = noisy(50, 0.5)
    assert spearman(np.exp(3 * scores), truth) == pytest.approx(spearman(scores, truth))
    assert spearman([1, 2, 3, 4], [1, 3, 2, 4]) == pytest.approx(1 - 6 * 2 / (4 * 15))  # 1 - 6 sum d^2 / n(n^2 - 1)


def test_unscored_rank_last_and_unknown_truth_is_left_out() -> None:
    nan = math.nan
    assert kendall([nan, 1, 2, nan], [0, 1, 2, nan]) == pytest.approx(1.0)
    assert kendall([nan, 1, 2], [5, 1, 2]) == pytest.approx(kendall([-9, 1, 2], [5, 1, 2]))
    assert spearman([nan, -math.inf, 1, 2], [0, 0, 1, 2]) == pytest.approx(1.0)
    assert kendall_interval([1, 2, 3, 4], [1, 2, 3, nan], resamples=10).count == 3


@pytest.mark.parametrize("pair", [([1, 2], [1, 2]), ([1, 1, 1, 1], [1, 2, 3, 4]), ([1, 2, 3, 4], [5, 5, 5, 5])])
def test_no_order_has_no_correlation(pair: tuple[list[float], list[float]]) -> None:
    assert math.isnan(kendall(*pair))
    assert math.isnan(spearman(*pair))
    assert math.isnan(kendall_interval(*pair).low)


def test_lists_of_two_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="the same length"):
        kendall([1, 2, 3], [1, 2])


def test_intervals_hold_the_value_narrow_with_more_and_follow_the_seed() -> None:
    small, large = (kendall_interval(*noisy(count, 1.0), seed=1, resamples=200) for count in (40, 400))
    for found in (small, large):
        assert found.low < found.value < found.high
    assert large.high - large.low < 0.6 * (small.high - small.low)
    again, other = (kendall_interval(*noisy(40, 1.0), seed=seed, resamples=200) for seed in (1, 2))
    assert again == small
    assert (other.value, other.low) != (small.value, small.low)
    assert other.value == small.value


def test_the_interval_covers_the_true_correlation_about_as_often_as_it_says() -> None:
    """For normal pairs of correlation r the true tau is 2/pi arcsin(r); 40 samples, about two misses expected."""
    truth = 2 / math.pi * math.asin(1 / math.sqrt(2))
    found = [kendall_interval(*noisy(80, 1.0, seed), seed=0, resamples=100) for seed in range(40)]
    assert sum(i.low <= truth <= i.high for i in found) >= 33


def test_best_tenth_is_best_in_truth() -> None:
    truth = np.arange(40.0)
    scores, chosen = best(-truth, truth)
    assert chosen.tolist() == [39, 38, 37, 36]
    assert scores.tolist() == [-39, -38, -37, -36]
    assert len(best([1, 2, 3], [1, 2, 3])[0]) == 1
    assert len(best(truth, truth, share=0.5)[0]) == 20


def test_resamples_are_counted_as_scipy_counts_them() -> None:
    scores, truth = (values.round(1) for values in noisy(30, 1.0))
    scores[:3] = -np.inf
    found = kendall_interval(scores, truth, seed=5, resamples=40)
    drawn = np.random.default_rng(5).integers(0, 30, (40, 30))
    taus = [kendalltau(scores[rows], truth[rows]).statistic for rows in drawn]
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(taus, [2.5, 97.5])))
    assert found.value == pytest.approx(kendalltau(scores, truth).statistic)


def test_of_many_a_sample_is_resampled_and_scaled() -> None:
    scores, truth = noisy(4 * MOST_RESAMPLED, 1.0)
    found = kendall_interval(scores, truth, resamples=200)
    drawn = np.random.default_rng(1).integers(0, len(truth), (100, len(truth)))
    plain = np.percentile([kendall(scores[rows], truth[rows]) for rows in drawn], [2.5, 97.5])
    assert found.value == kendall(scores, truth)
    assert found.low < found.value < found.high
    assert found.high - found.low == pytest.approx(np.ptp(plain), rel=0.35)
    few = kendall_interval(scores[:MOST_RESAMPLED], truth[:MOST_RESAMPLED], resamples=200)
    assert found.high - found.low == pytest.approx((few.high - few.low) / 2, rel=0.35)


def test_a_difference_of_taus_is_resampled_in_pairs() -> None:
    """The same architectures are drawn for both, as scipy counts them; what the two estimates share cancels."""
    rng = np.random.default_rng(3)
    truth = rng.normal(size=60)
    one = truth + rng.normal(size=60)
    other = one + 0.3 * rng.normal(size=60)
    bootstrap = Bootstrap(truth, seed=5, resamples=40)
    found = bootstrap.difference(bootstrap.of(one), bootstrap.of(other))
    drawn = np.random.default_rng(5).integers(0, 60, (40, 60))
    taus = [[kendalltau(scores[rows], truth[rows]).statistic for scores in (one, other)] for rows in drawn]
    between = [a - b for a, b in taus]
    assert found.value == pytest.approx(kendalltau(one, truth).statistic - kendalltau(other, truth).statistic)
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(between, [2.5, 97.5])), abs=1e-6)
    alone = bootstrap.interval(bootstrap.of(one))
    assert found.high - found.low < 0.8 * (alone.high - alone.low)
    itself = bootstrap.difference(bootstrap.of(one), bootstrap.of(np.exp(one)))
    assert (itself.value, itself.low, itself.high) == (0, 0, 0)
    assert math.isnan(bootstrap.difference(bootstrap.of(one), bootstrap.of(np.ones(60))).low)
    assert math.isnan(Bootstrap([]).of([]).value)


def test_the_count_that_would_separate_follows_the_width_of_the_interval() -> None:
    assert count_to_separate(Interval(0.1, -0.1, 0.3, 25)) == 100, "half the width needs four times the networks"
    assert count_to_separate(Interval(-0.25, -0.9, 0.5, 30)) == 270, "only the side towards 0 counts"
    assert count_to_separate(Interval(0.03, -0.08, 0.1, 24)) == 330, "24 * (11 / 3)^2 = 322.7 rounded up to two digits"
    assert count_to_separate(Interval(0.2, 0.1, 0.3, 24)) == 24
    assert count_to_separate(Interval(0.0, -0.1, 0.1, 24)) is None
    assert count_to_separate(Interval(math.nan, math.nan, math.nan, 24)) is None


@pytest.mark.parametrize("seed", range(4))
def test_twice_as_many_networks_as_named_do_separate(seed: int) -> None:
    """From 60 architectures the number is guessed; twice as many from the same source have an interval above 0."""

    def compared(count: int) -> Interval:
        rng = np.random.default_rng(seed)
        truth = rng.normal(size=count)
        bootstrap = Bootstrap(truth, resamples=200)
        one, other = (bootstrap.of(truth + noise * rng.normal(size=count)) for noise in (1.0, 1.3))
        return bootstrap.difference(one, other)

    few = compared(60)
    needed = count_to_separate(few)
    assert few.low < 0 < few.high
    assert needed is not None
    many = compared(2 * needed)
    assert many.low > 0
    assert (many.high - many.low) / (few.high - few.low) == pytest.approx(math.sqrt(60 / (2 * needed)), rel=0.4)


def test_ndcg_by_hand() -> None:
    """Four architectures, half of them at the top: relevances 0, 1/3, 2/3 and 1."""
    gains = [2 ** (rank / 3) - 1 for rank in range(4)]
    ideal = gains[3] + gains[2] / math.log2(3)
    assert ndcg([1, 2, 3, 4], [10, 20, 30, 40], share=0.5) == pytest.approx(1.0)
    assert ndcg([1, 2, 4, 3], [10, 20, 30, 99], share=0.5) == pytest.approx(
        (gains[2] + gains[3] / math.log2(3)) / ideal
    )
    assert ndcg([4, 3, 2, 1], [1, 2, 3, 4], share=0.5) == pytest.approx((gains[0] + gains[1] / math.log2(3)) / ideal)
    tied = (gains[1] + gains[2] + gains[3]) / 3
    assert ndcg([0, 5, 5, 5], [1, 2, 3, 4], share=0.5) == pytest.approx(tied * (1 + 1 / math.log2(3)) / ideal)
    assert ndcg([1, math.nan, 3, 4], [10, 5, 30, 40], share=0.5) == pytest.approx(1.0)
    half = 2 ** (0.5 / 3) - 1  # the two that are equal in truth: the mean of 0 and 1/3
    assert ndcg([9, 1, 2, 3], [7, 7, 8, 9], share=0.25) == pytest.approx(half / gains[3])
    assert math.isnan(ndcg([1, 1, 1], [1, 2, 3]))


def test_ndcg_of_a_random_order_is_about_what_the_docstring_says_and_sees_the_top_only() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=200)
    assert np.mean([ndcg(rng.normal(size=200), truth) for _ in range(200)]) == pytest.approx(0.45, abs=0.02)
    upset = truth.copy()
    lower = np.argsort(truth)[:150]
    upset[lower] = truth[rng.permutation(lower)]
    assert ndcg(upset, truth) == pytest.approx(1.0)
    assert ndcg(truth, np.exp(3 * truth)) == pytest.approx(ndcg(truth, truth)), "the scale of the truth does not count"


@pytest.mark.parametrize(
    ("scores", "truth", "words"),
    [
        ([1, 2, 3], [4, 4, 4], "all 3 networks have the same truth, 4"),
        ([1, 1, 1, 9], [4, 5, 6, np.nan], "all 3 networks have the same score, 1"),
        ([np.nan] * 3, [4, 5, 6], "all 3 networks have the same score, none"),
        ([1, 1], [2, 2], None),
        ([1, 2, 3], [4, 4, 5], None),
        ([], [], None),
    ],
)
def test_constant_scores_and_truths_are_named(scores: list[float], truth: list[float], words: str | None) -> None:
    assert constant(scores, truth) == words
    assert words is None or math.isnan(kendall(scores, truth))
