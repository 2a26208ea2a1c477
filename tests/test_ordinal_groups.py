"""Kruskal-Wallis and its effects against R, scipy, exact enumeration and simulation."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import ndtr
from scipy.stats import brunnermunzel, ncx2
from scipy.stats import kruskal as scipy_kruskal

from analysis.stats.ordinal_groups import (
    cliffs_delta,
    epsilon_squared,
    kruskal,
    permutation_kruskal,
)

FOUR = np.array([[6, 6, 9, 4], [4, 7, 20, 9], [2, 6, 28, 23], [1, 9, 45, 64]])
TWO = np.array([[3, 4, 2, 1], [0, 2, 5, 6]])
SMALL = np.array([[2, 1, 0], [0, 1, 1], [0, 1, 2], [1, 0, 2]])


def people(table):
    """The answers of each group, one number a person."""
    return [np.repeat(np.arange(len(row)), row) for row in table]


def shares(shifts, cuts=(-1.2, -0.4, 0.6)):
    """Chances of four answers of groups so far apart on a normal scale."""
    below = ndtr(np.array(cuts) - np.array(shifts)[:, None])
    return np.diff(np.pad(below, ((0, 0), (1, 1)), constant_values=(0, 1)), axis=1)


def test_kruskal_prints_what_coin_prints():
    found = kruskal(FOUR)
    # R package coin 1.4-2, kruskal_test(y ~ g), and kruskal.test of R 4.2.2, people one by one.
    assert found.statistic == pytest.approx(31.6079, abs=5e-5)
    assert (found.df, found.n) == (3, 243)
    assert found.p_value == pytest.approx(6.33e-07, abs=5e-10)
    found = kruskal(TWO)
    assert found.statistic == pytest.approx(7.33159, abs=5e-6)
    assert found.p_value == pytest.approx(0.0067753, abs=5e-8)


def test_permutation_is_near_that_of_coin():
    # coin 1.4-2: distribution = approximate(nresample = 1e6), seed 1; for two groups also
    # wilcox_test(distribution = "exact"), 0.0062837.
    draws = 40_000
    for table, expected in ((SMALL, 0.3507), (TWO, 0.0062837)):
        found = permutation_kruskal(table, draws, seed=2)
        noise = np.sqrt(expected * (1 - expected) / draws)
        assert found.p_value == pytest.approx(expected, abs=4 * noise)
        assert found.test == "kruskal_wallis_permutation"
        assert found.statistic == kruskal(table).statistic


def test_permutation_equals_exact_enumeration():
    table = [[2, 1, 0], [0, 1, 1], [0, 0, 2]]
    groups = people(table)
    pooled, ends = np.concatenate(groups), np.cumsum([len(group) for group in groups])[:-1]
    orders = set(itertools.permutations(pooled))
    reached = scipy_kruskal(*groups).statistic - 1e-9
    p = np.mean([scipy_kruskal(*np.split(np.array(o), ends)).statistic >= reached for o in orders])
    found = permutation_kruskal(table, 20_000, seed=1)
    assert found.p_value == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / 20_000))


def test_permutation_is_reproducible_and_never_zero():
    first, again = (permutation_kruskal(SMALL, 999, seed=5).p_value for _ in range(2))
    assert first == again
    assert permutation_kruskal(SMALL, 999, seed=6).p_value != first
    assert permutation_kruskal(FOUR, 999).p_value == 1 / 1000


@given(arrays(int, (3, 4), elements=st.integers(0, 12)))
def test_kruskal_equals_scipy(table):
    groups = [group for group in people(table) if len(group)]
    found = kruskal(table)
    if len(groups) < 2 or len(set(np.concatenate(groups))) < 2:
        assert np.isnan([found.p_value, found.effect_size]).all()
        return
    expected = scipy_kruskal(*groups)
    assert found.statistic == pytest.approx(expected.statistic, abs=1e-9)
    # Near 0 the p-value goes as the root of the statistic: its last digits become 1e-7 of p.
    assert found.p_value == pytest.approx(expected.pvalue, abs=1e-6)
    assert found.df == len(groups) - 1
    if len(groups) > 2:
        assert 0 <= found.effect_low <= found.effect_size <= found.effect_high <= 1
        assert found.effect_size == pytest.approx(expected.statistic / (found.n - 1), abs=1e-12)


def test_order_of_groups_and_empty_ones_change_nothing():
    plain = kruskal(FOUR)
    padded = np.insert(np.insert(FOUR, 2, 0, axis=0), 1, 0, axis=1)
    for table in (padded, FOUR[::-1], FOUR[:, ::-1]):
        found = kruskal(table)
        assert (found.statistic, found.p_value, found.effect_low) == pytest.approx(
            (plain.statistic, plain.p_value, plain.effect_low)
        )


def test_delta_equals_outer_of_r_and_pairs_of_people():
    # Base R 4.2.2: mean(sign(outer(second, first, "-"))).
    value, low, high = cliffs_delta(TWO)
    assert value == pytest.approx(0.64615385, abs=1e-8)
    assert -1 <= low < value < high <= 1
    assert kruskal(TWO).effect == "cliffs_delta"
    assert kruskal(TWO).effect_size == value
    back = cliffs_delta(TWO[::-1])
    assert back == pytest.approx((-value, -high, -low))


@pytest.mark.parametrize("table", [TWO, FOUR[:2], FOUR[[0, 3]]])
def test_interval_of_delta_rests_on_the_error_of_brunner_and_munzel(table):
    """Its bounds are where the squared distance is Wilson's, from scipy's statistic alone."""
    first, second = people(table)
    chance = ((second[:, None] > first) + 0.5 * (second[:, None] == first)).mean()
    t = brunnermunzel(first, second, distribution="t", alternative="less").statistic
    error = (chance - 0.5) / abs(t)
    value, low, high = cliffs_delta(table)
    assert value == pytest.approx(2 * chance - 1)
    quantiles = [
        abs(chance - bound) / (error * np.sqrt(bound * (1 - bound) / (chance * (1 - chance))))
        for bound in ((low + 1) / 2, (high + 1) / 2)
    ]
    # One Student quantile at both bounds, with the degrees of freedom behind scipy's p value.
    assert quantiles[0] == pytest.approx(quantiles[1])
    assert 1.96 < quantiles[0] < 2.2


def test_delta_at_its_limits():
    apart = cliffs_delta([[9, 0, 0], [0, 3, 9]])
    # No overlap: Wilson's interval of 9 of 9, on the scale from -1 to 1.
    assert apart == pytest.approx((1, 2 * 9 / (9 + 1.959964**2) - 1, 1), abs=1e-6)
    assert np.isnan(cliffs_delta([[5, 0], [4, 0]])).all()
    value, low, high = cliffs_delta([[1, 0], [2, 5]])
    assert value == pytest.approx(5 / 7)
    assert np.isnan([low, high]).all()
    with pytest.raises(ValueError, match="two groups"):
        cliffs_delta(FOUR)


def test_delta_of_no_difference_is_nought():
    value, low, high = cliffs_delta([[5, 9, 6], [10, 18, 12]])
    assert value == pytest.approx(0)
    assert low == pytest.approx(-high)


@pytest.mark.parametrize("sizes", [(18, 18), (10, 60), (50, 50)])
@pytest.mark.parametrize("shift", [0, 1, 3])
def test_delta_covers(sizes, shift):
    rng, chances, runs = np.random.default_rng(1), shares([0, shift]), 600
    true = cliffs_delta(1e9 * chances)[0]
    drawn = np.stack([rng.multinomial(*of, runs) for of in zip(sizes, chances, strict=True)], 1)
    found = [cliffs_delta(table) for table in drawn]
    # Student's error of a group of 10 is a little optimistic (0.93 to 0.94 in long runs).
    assert np.mean([low <= true <= high for _, low, high in found]) > 0.91


@pytest.mark.parametrize("shifts", [(0, 0, 0), (0, 0.15, 0.3), (0, 0.35, 0.7), (0, 0.75, 1.5)])
def test_epsilon_squared_covers(shifts):
    rng, chances, runs = np.random.default_rng(2), shares(shifts), 600
    true = epsilon_squared(1e9 * chances)[0]
    found = [epsilon_squared(t) for t in rng.multinomial(30, chances, (runs, 3))]
    covered = np.mean([low - 1e-12 <= true <= high for _, low, high in found])
    # Three standard errors of 95 % over 600 runs are 2.7 points.
    assert covered > 0.923


def test_bounds_of_epsilon_squared_leave_a_tail_each():
    found = kruskal(FOUR)
    for bound, tail in ((found.effect_low, 0.975), (found.effect_high, 0.025)):
        assert ncx2.cdf(found.statistic, 3, 242 * bound) == pytest.approx(tail, abs=1e-6)
    alike = kruskal([[5, 9, 6], [10, 18, 12], [5, 9, 6]])
    assert alike.statistic == pytest.approx(0, abs=1e-9)
    assert alike.effect_low == 0
    assert alike.effect_high > 0.05


@pytest.mark.parametrize("make", [kruskal, permutation_kruskal])
@pytest.mark.parametrize("table", [[[5, 7]], [[5, 0], [4, 0]], [[0, 0], [0, 0]], [[1, 0], [0, 0]]])
def test_nothing_to_compare(make, table):
    found = make(table)
    assert np.isnan([found.p_value, found.effect_size, found.effect_low, found.effect_high]).all()


def test_counts_must_be_counts():
    with pytest.raises(ValueError, match="counts"):
        kruskal([[1, -1], [2, 3]])
