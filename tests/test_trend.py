"""Trend tests against printed values and against other packages."""

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import Table

from analysis.stats.trend import cochran_armitage, correlation_interval, linear_by_linear

BANDS = np.array([[6, 6, 9, 4], [4, 7, 20, 9], [2, 6, 28, 23], [1, 9, 45, 64]])

# jobsatisfaction, R package coin: income by satisfaction (women and men summed below).
WOMEN = np.array([[1, 3, 11, 2], [2, 3, 17, 3], [0, 1, 8, 5], [0, 2, 4, 2]])
MEN = np.array([[1, 1, 2, 1], [0, 3, 5, 1], [0, 0, 7, 3], [0, 1, 9, 6]])


def stratified_z(tables, rows, columns):
    """Linear-by-linear statistic over strata: what coin prints for jobsatisfaction."""
    numerator = variance = 0.0
    for table in tables:
        result = linear_by_linear(table, rows, columns)
        n = table.sum()
        du = rows - (table.sum(axis=1) * rows).sum() / n
        dv = columns - (table.sum(axis=0) * columns).sum() / n
        spread = (table.sum(axis=1) * du**2).sum() * (table.sum(axis=0) * dv**2).sum()
        numerator += result.effect_size * np.sqrt(spread)
        variance += spread / (n - 1)
    return numerator / np.sqrt(variance)


def test_linear_by_linear_prints_what_coin_prints():
    rows, columns = np.array([3.0, 10, 20, 35]), np.array([1.0, 3, 4, 5])
    z = stratified_z([WOMEN, MEN], rows, columns)
    # lbl_test(jobsatisfaction, scores = list(Job.Satisfaction = c(1, 3, 4, 5),
    #   Income = c(3, 10, 20, 35))), R package coin 1.4-2, and its vignette: p = 0.01309.
    assert round(z, 4) == 2.4812


def test_linear_by_linear_equals_coin():
    # lbl_test(as.table(matrix(c(...), 4, byrow = TRUE))), R package coin 1.4-2.
    result = linear_by_linear(BANDS)
    assert result.statistic == pytest.approx(6.060698299)
    assert result.p_value == pytest.approx(1.355318524e-09)


def test_linear_by_linear_equals_statsmodels():
    table = np.array([[3, 9, 11, 2], [3, 4, 13, 3], [2, 11, 22, 12], [2, 4, 14, 9], [3, 7, 52, 57]])
    result = linear_by_linear(table)
    other = Table(table).test_ordinal_association()
    n = table.sum()
    # statsmodels uses n where coin and SAS use n - 1.
    assert result.statistic * np.sqrt(n / (n - 1)) == pytest.approx(other.zscore, rel=0.01)
    assert result.p_value < 1e-4
    assert result.effect_low < result.effect_size < result.effect_high


@pytest.mark.parametrize("table", [BANDS, np.array([[3, 1, 0], [1, 2, 4]])])
def test_correlation_and_its_interval_equal_those_of_people(table):
    cells = [(i, j) for (i, j), n in np.ndenumerate(table) for _ in range(n)]
    result, r = linear_by_linear(table), np.corrcoef(np.array(cells).T)[0, 1]
    assert result.effect_size == pytest.approx(r)
    # Fisher (1921), as cor.test of R.
    z = np.arctanh(r) + np.array([-1, 1]) * 1.959964 / np.sqrt(len(cells) - 3)
    assert (result.effect_low, result.effect_high) == pytest.approx(np.tanh(z), abs=1e-6)


def test_correlation_interval_keeps_a_width_at_its_ends():
    low, high = correlation_interval(1, 12)
    assert 0.5 < low < 0.9 and high == 1
    assert correlation_interval(-1, 12) == pytest.approx((-1, -low))
    assert correlation_interval(1, 1e6)[0] > 0.9999
    assert correlation_interval(0.4, 3) == (-1, 1)
    perfect = linear_by_linear([[4, 0], [0, 8]])
    assert (perfect.effect_low, perfect.effect_high) == pytest.approx((low, 1))


@pytest.mark.parametrize("table", [np.zeros((2, 3)), [[4, 2, 1]], [[4], [2]], [[3, 0], [5, 0]]])
def test_linear_by_linear_without_variation_is_not_a_number(table):
    result = linear_by_linear(table)
    numbers = [result.statistic, result.p_value, result.effect_size, result.effect_low]
    assert np.isnan(numbers).all()


def test_cochran_armitage_printed_value():
    # Agresti (2013), table 3.8 and 5.3.5: malformations by alcohol. The digits:
    # prop.trend.test(c(48, 38, 5, 1, 1), c(17114, 14502, 793, 127, 38), c(0, 0.5, 1.5, 4, 7)),
    # R 4.2.2, package stats.
    successes, bases = [48, 38, 5, 1, 1], [17_114, 14_502, 793, 127, 38]
    result = cochran_armitage(successes, bases, [0, 0.5, 1.5, 4, 7])
    assert result.statistic**2 == pytest.approx(6.570133945)
    assert result.p_value == pytest.approx(0.01037041457)


def test_cochran_armitage_without_variation_is_not_a_number():
    assert np.isnan(cochran_armitage([5, 7], [5, 7]).statistic)
    assert np.isnan(cochran_armitage([5], [8]).p_value)
    assert np.isnan(cochran_armitage([0, 0], [0, 0]).effect_size)


def test_cochran_armitage_leaves_empty_bands_out_and_keeps_their_scores():
    result = cochran_armitage([0, 5, 0, 9, 0], [0, 20, 0, 15, 0])
    assert result == cochran_armitage([5, 9], [20, 15], [2, 4])
    assert result.effect_size == pytest.approx(9 / 15 - 5 / 20)
