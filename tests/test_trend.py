"""Trend tests against printed values and against other packages."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency
from statsmodels.stats.contingency_tables import Table
from statsmodels.stats.multitest import multipletests

from analysis.stats.trend import chi_square, cochran_armitage, holm, linear_by_linear

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
    assert round(z, 4) == 2.4812  # R coin vignette, p = 0.01309


def test_linear_by_linear_equals_statsmodels():
    table = np.array([[3, 9, 11, 2], [3, 4, 13, 3], [2, 11, 22, 12], [2, 4, 14, 9], [3, 7, 52, 57]])
    result = linear_by_linear(table)
    other = Table(table).test_ordinal_association()
    n = table.sum()
    # statsmodels uses n where coin and SAS use n - 1.
    assert result.statistic * np.sqrt(n / (n - 1)) == pytest.approx(other.zscore, rel=0.01)
    assert result.p_value < 1e-4
    assert result.effect_low < result.effect_size < result.effect_high


def test_cochran_armitage_printed_value():
    # Agresti (2013), table 3.8 and 5.3.5: malformations by alcohol, z^2 = 6.57 with scores 0…7.
    successes, bases = [48, 38, 5, 1, 1], [17_114, 14_502, 793, 127, 38]
    result = cochran_armitage(successes, bases, [0, 0.5, 1.5, 4, 7])
    assert result.statistic**2 == pytest.approx(6.57, abs=0.005)
    assert result.p_value == pytest.approx(0.0104, abs=0.0001)


def test_cochran_armitage_without_variation_is_not_a_number():
    assert np.isnan(cochran_armitage([5, 7], [5, 7]).statistic)


def test_chi_square_equals_scipy():
    table = [[10, 20, 30], [6, 9, 17]]
    expected = chi2_contingency(table, correction=False)
    result = chi_square(table)
    assert result.statistic == pytest.approx(expected.statistic)
    assert result.p_value == pytest.approx(expected.pvalue)


def test_holm_equals_statsmodels():
    p = pd.Series([0.04, 0.001, np.nan, 0.03, 0.2])
    expected = multipletests(p.dropna(), method="holm")[1]
    np.testing.assert_allclose(holm(p).dropna(), expected)
    assert np.isnan(holm(p)[2])
