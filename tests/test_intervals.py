"""Intervals against statsmodels and published worked examples."""

import numpy as np
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from analysis.stats.intervals import mean_interval, newcombe, wilson


def test_wilson_equals_statsmodels_everywhere():
    base = np.repeat([1, 5, 18, 25, 341], 20)
    count = np.concatenate([np.linspace(0, n, 20).round() for n in (1, 5, 18, 25, 341)])
    low, high = wilson(count, base)
    expected_low, expected_high = proportion_confint(count, base, method="wilson")
    np.testing.assert_allclose(low, expected_low, atol=1e-12)
    np.testing.assert_allclose(high, expected_high, atol=1e-12)


def test_wilson_printed_value():
    # Newcombe (1998), Statistics in Medicine 17:857, table I: 81 of 263, score method.
    low, high = wilson(81, 263)
    assert (round(float(low), 4), round(float(high), 4)) == (0.2553, 0.3662)


def test_wilson_stays_inside_and_needs_a_base():
    low, high = wilson([0, 10, 0], [10, 10, 0])
    assert low[0] == 0 and high[1] == 1
    assert 0 < high[0] < 1 and 0 < low[1] < 1
    assert np.isnan(low[2]) and np.isnan(high[2])


def test_wilson_covers_about_as_often_as_it_says():
    rng = np.random.default_rng(7)
    for share, base in ((0.5, 25), (0.08, 47), (0.92, 119)):
        low, high = wilson(rng.binomial(base, share, 20_000), np.full(20_000, base))
        assert 0.92 < np.mean((low <= share) & (share <= high)) < 0.98


def test_newcombe_equals_statsmodels_and_print():
    low, high = newcombe((48, 56), (80, 70))
    other = confint_proportions_2indep(56, 70, 48, 80, compare="diff", method="newcomb")
    assert (low, high) == pytest.approx(other, abs=1e-12)
    # Newcombe (1998), Statistics in Medicine 17:873, table II, example (a): 56/70 and 48/80.
    assert (round(low, 4), round(high, 4)) == (0.0524, 0.3339)


def test_mean_interval_by_hand():
    mean, low, high = mean_interval([1.0, 2.0, 3.0, np.nan])
    assert mean == 2
    assert high - mean == pytest.approx(4.302652729911275 / np.sqrt(3))
    assert mean - low == pytest.approx(high - mean)
