"""Tests of independence against scipy, R and full enumeration."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, fisher_exact, hypergeom, ncx2
from scipy.stats.contingency import association

from analysis.stats.association import (
    chi_square,
    cramers_v,
    fisher,
    independence,
    permutation_chi_square,
    valid,
)

BANDS = np.array([[6, 6, 9, 4], [4, 7, 20, 9], [2, 6, 28, 23], [1, 9, 45, 64]])
THREE = np.array([[12, 3, 2], [4, 15, 6], [3, 5, 14]])
EVEN = np.array([[10, 20, 30], [6, 9, 17]])
SMALL = np.array([[4, 1, 0], [2, 3, 1], [0, 2, 5]])
TABLES = st.integers(2, 4).flatmap(
    lambda columns: st.lists(
        st.lists(st.integers(0, 12), min_size=columns, max_size=columns), min_size=2, max_size=4
    )
)


def numbers(outcome):
    return [outcome.p_value, outcome.effect_size, outcome.effect_low, outcome.effect_high]


@pytest.mark.parametrize("table", [BANDS, THREE, EVEN])
def test_chi_square_equals_scipy(table):
    other = chi2_contingency(table, correction=False)
    result = chi_square(table)
    assert result.statistic == pytest.approx(other.statistic)
    assert result.p_value == pytest.approx(other.pvalue)
    assert result.df == other.dof and result.n == table.sum()


# cramers_v(matrix(..., byrow = TRUE), adjust = TRUE), R package effectsize 0.8.3.
@pytest.mark.parametrize(
    ("table", "v"), [(EVEN, 0), (BANDS, 0.216531417), (THREE, 0.4443639012), (SMALL, 0.4824430772)]
)
def test_corrected_v_equals_effectsize(table, v):
    assert chi_square(table).effect_size == pytest.approx(v, abs=1e-9)


def test_without_its_correction_v_is_that_of_scipy():
    n = BANDS.sum()
    v = chi_square(BANDS).effect_size
    share = 3 - 9 / (n - 1)
    plain = np.sqrt((v**2 * share + 9 / (n - 1)) / 3)
    assert plain == pytest.approx(association(BANDS, method="cramer"))


# Noncentralities by uniroot(function(l) pchisq(X2, df, ncp = l) - p, c(0, 3 * X2), tol = 1e-12),
# p = 0.975 and 0.025, R 4.2.2; V as cramers_v(adjust = FALSE) of effectsize 0.8.3 has them from
# the same noncentralities (0.1402, 0.2943 for the first, where the smaller side is 3).
@pytest.mark.parametrize(
    ("statistic", "df", "low", "high"),
    [(42.793, 9, 14.3359659782, 63.1333531779), (300, 12, 225.590331295, 360.128078747),
     (20, 1, 6.311008009, 41.3719096322)],
)  # fmt: skip
def test_interval_of_v_from_noncentralities_of_r(statistic, df, low, high):
    shape = {9: (4, 4), 12: (4, 5), 1: (2, 2)}[df]
    n, sides = 5000, np.array(shape) - 1
    found = np.array(cramers_v(statistic, n, shape)[1:]) ** 2 * n
    largest = (sides - sides**2 / (n - 1)).min()
    np.testing.assert_allclose(found * largest, [low, high], rtol=1e-8)


def test_interval_of_v_is_that_of_effectsize_over_the_corrected_largest_v():
    n = BANDS.sum()
    result = chi_square(BANDS)
    # cramers_v(adjust = FALSE, alternative = "two.sided"), effectsize 0.8.3: its bounds, which the
    # package finds by a search to three digits.
    bounds = np.array([0.1402337165, 0.2942841112]) * np.sqrt(3 / (3 - 9 / (n - 1)))
    np.testing.assert_allclose([result.effect_low, result.effect_high], bounds, rtol=1e-3)


def test_interval_of_v_holds_the_v_that_would_be_no_surprise():
    n = THREE.sum()
    result = chi_square(THREE)
    largest = 2 - 4 / (n - 1)
    tails = ncx2.cdf(
        result.statistic, 4, n * largest * np.array([result.effect_low, result.effect_high]) ** 2
    )
    np.testing.assert_allclose(tails, [0.975, 0.025], atol=1e-9)


def test_an_even_table_proves_no_independence():
    even = chi_square([[20, 20], [20, 20]])
    assert (even.effect_size, even.effect_low) == (0, 0)
    # The bound of X² = df = 1; what V² is divided by is 1 - 1 / 79.
    assert ncx2.cdf(1, 1, even.effect_high**2 * 80 * (1 - 1 / 79)) == pytest.approx(0.025)
    assert chi_square(EVEN).effect_high == cramers_v(2, EVEN.sum(), (2, 3))[2]


def test_a_perfect_association_is_one_and_its_interval_ends_there():
    perfect = chi_square(np.diag([9, 7, 8]))
    assert perfect.effect_size == pytest.approx(1) and perfect.effect_high == 1
    assert 0.5 < perfect.effect_low < 1


@settings(deadline=None)
@given(table=TABLES)
def test_v_stays_between_its_bounds_and_these_in_zero_and_one(table):
    result = chi_square(table)
    if not np.isnan(result.effect_size):
        assert 0 <= result.effect_low <= result.effect_size <= result.effect_high <= 1


@settings(deadline=None)
@given(table=TABLES, data=st.data())
def test_order_and_empty_lines_do_not_matter(table, data):
    counts = np.array(table)
    rows = data.draw(st.permutations(range(len(counts))))
    columns = data.draw(st.permutations(range(counts.shape[1])))
    mixed = np.pad(counts[rows][:, columns], ((0, 1), (1, 0)))
    first, again = chi_square(counts), chi_square(mixed)
    np.testing.assert_allclose(numbers(first), numbers(again), atol=1e-7)
    np.testing.assert_allclose(numbers(first), numbers(chi_square(counts.T)), atol=1e-7)
    assert valid(counts) == valid(mixed)


def test_interval_of_v_covers_about_as_often_as_it_says():
    rng = np.random.default_rng(3)
    for strength, n in ((0.0, 40), (0.3, 60), (0.3, 300), (0.6, 100)):
        cells = (1 - strength) / 9 + strength * np.eye(3) / 3
        runs = [chi_square(rng.multinomial(n, cells.ravel()).reshape(3, 3)) for _ in range(500)]
        # In this mixture V is the strength itself.
        inside = np.mean([run.effect_low <= strength <= run.effect_high for run in runs])
        # 91 % at the least, less two standard errors of 500 runs.
        assert inside > 0.885


@pytest.mark.parametrize("test", [chi_square, permutation_chi_square, independence])
@pytest.mark.parametrize("table", [np.zeros((3, 2)), [[4, 2]], [[4], [2]], [[3, 0], [5, 0]]])
def test_nothing_to_compare_is_not_a_number(test, table):
    result = test(table)
    assert np.isnan([result.statistic, *numbers(result)]).all()
    assert not valid(table)


def test_a_row_for_each_person_has_no_v():
    assert np.isnan(chi_square(np.eye(3)).effect_size)
    assert np.isnan(chi_square(np.eye(2)).effect_size)


def test_valid_is_cochrans_rule():
    assert valid([[5, 5], [5, 5]])
    assert not valid([[5, 5], [5, 4]])  # one expected count of four is under 5
    assert valid(np.full((2, 5), 5) + np.array([[1, 1, 1, 1, -3]] * 2))  # two of ten: a fifth
    assert not valid(np.full((2, 4), 5) + np.array([[1, 1, 1, -3]] * 2))  # two of eight
    assert not valid([[100, 1], [900, 3], [900, 3]])  # one expected under 1
    assert valid(np.pad([[5, 5], [5, 5]], 1))


def every_table(rows, columns):
    """All tables with these margins, and the chance of each as permuting people gives them."""
    if len(rows) == 1:
        yield [list(columns)], 1.0
        return
    for first, chance in every_row(rows[0], columns):
        left = [total - n for total, n in zip(columns, first, strict=True)]
        for rest, chance_of_rest in every_table(rows[1:], left):
            yield [first, *rest], chance * chance_of_rest


def every_row(people, columns):
    if len(columns) == 1:
        yield [people], 1.0
        return
    total = sum(columns)
    for n in range(max(0, people - sum(columns[1:])), min(people, columns[0]) + 1):
        chance = hypergeom.pmf(n, total, columns[0], people)
        for rest, chance_of_rest in every_row(people - n, columns[1:]):
            yield [n, *rest], chance * chance_of_rest


def test_permutation_equals_full_enumeration_and_r():
    far = chi2_contingency(SMALL, correction=False).statistic
    tables = list(every_table(SMALL.sum(axis=1).tolist(), SMALL.sum(axis=0).tolist()))
    assert sum(chance for _, chance in tables) == pytest.approx(1)
    exact = sum(
        chance for table, chance in tables
        if chi2_contingency(table, correction=False).statistic >= far - 1e-9
    )  # fmt: skip
    # chisq.test(matrix(c(4,1,0,2,3,1,0,2,5), 3, byrow = TRUE), simulate.p.value = TRUE, B = 1e6)
    # after set.seed(1), R 4.2.2: X-squared 11.62857142857, p 0.01465.
    assert exact == pytest.approx(0.01465, abs=5e-4)
    result = permutation_chi_square(SMALL, 20_000, seed=1)
    assert result.statistic == pytest.approx(11.62857142857)
    assert result.p_value == pytest.approx(exact, abs=4 * np.sqrt(exact / 20_000))
    assert result.test == "chi_square_permutation" and np.isnan(result.df)


def test_permutation_is_reproducible_and_never_zero():
    first, again = (permutation_chi_square(THREE, 499, seed=5).p_value for _ in range(2))
    assert first == again
    assert permutation_chi_square(np.diag([20, 20, 20]), 499).p_value == 1 / 500
    assert permutation_chi_square([[20, 20], [20, 20]], 499).p_value == 1


def test_permutation_nears_the_chi_square_of_a_large_table():
    large = np.array([[60, 75, 80], [70, 62, 90]])
    result = permutation_chi_square(large, 20_000, seed=2)
    assert result.p_value == pytest.approx(chi_square(large).p_value, abs=0.015)
    assert numbers(result)[1:] == numbers(chi_square(large))[1:]


def test_fisher_equals_r():
    # fisher.test(matrix(c(3, 1, 2, 9), 2, byrow = TRUE))$p.value and of c(8, 2, 1, 5), R 4.2.2.
    assert fisher([[3, 1], [2, 9]]).p_value == pytest.approx(0.0769230769231)
    assert fisher([[8, 2], [1, 5]]).p_value == pytest.approx(0.034965034965)


@settings(deadline=None)
@given(cells=st.lists(st.integers(0, 300), min_size=4, max_size=4))
def test_fisher_equals_scipy(cells):
    table = np.array(cells).reshape(2, 2)
    result = fisher(table)
    if min(table.sum(axis=0).min(), table.sum(axis=1).min()) == 0:
        assert np.isnan(result.p_value)
    else:
        assert result.p_value == pytest.approx(fisher_exact(table).pvalue, rel=1e-6, abs=1e-12)
        np.testing.assert_equal(numbers(result)[1:], numbers(chi_square(table))[1:])


def test_fisher_reads_two_by_two_only():
    with pytest.raises(ValueError, match="2 x 3"):
        fisher(EVEN)


def test_the_test_is_the_one_that_the_counts_allow():
    assert independence(THREE) == chi_square(THREE)
    assert independence([[3, 1], [2, 9]]).test == "fisher"
    assert independence([[3, 1, 0], [2, 9, 0]]).test == "fisher"
    assert independence(SMALL, 99).test == "chi_square_permutation"
