"""Ordered answers against printed values, other packages and exact enumeration."""

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.stats import kendalltau, somersd
from statsmodels.miscmodels.ordinal_model import OrderedModel

from analysis.display.labels import Labels
from analysis.paths import PROJECT
from analysis.stats.ordered import (
    ASYMPTOTIC,
    binary_logit,
    cumulative_logit,
    gamma,
    permutation_trend,
    proportional_odds,
    proportional_odds_assumption,
    random_tables,
    somers_d,
)
from analysis.stats.trend import cochran_armitage, linear_by_linear

HOUSING = PROJECT.parent / "shared" / "reference" / "housing.csv"
# Agresti (2002), Categorical Data Analysis, 2nd ed., table 2.8: job satisfaction by income.
INCOME = np.array([[1, 3, 10, 6], [2, 3, 10, 7], [1, 6, 14, 12], [0, 1, 9, 11]])
# McCullagh & Nelder (1989), p. 175: taste of four cheeses, 1 to 9.
CHEESE = np.array(
    [
        [0, 0, 1, 7, 8, 8, 19, 8, 1],
        [6, 9, 12, 11, 7, 6, 1, 0, 0],
        [1, 1, 6, 8, 23, 7, 5, 1, 0],
        [0, 0, 0, 1, 3, 7, 14, 16, 11],
    ]
)
BANDS = np.array([[6, 6, 9, 4], [4, 7, 20, 9], [2, 6, 28, 23], [1, 9, 45, 64]])


@pytest.fixture(autouse=True)
def no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def people(table):
    """One row a person: band and answer."""
    cells = [(i, j) for i, row in enumerate(table) for j, n in enumerate(row) for _ in range(n)]
    return np.array(cells)


def test_gamma_printed_value():
    result = gamma(INCOME)
    # Agresti (2002), 2.4.4 and 3.4.3: C = 1331, D = 849, gamma 0.221, standard error 0.117.
    assert result.effect_size == pytest.approx((1331 - 849) / (1331 + 849))
    assert (result.effect_high - result.effect_low) / 2 / 1.959964 == pytest.approx(0.117, abs=5e-4)
    assert round(result.effect_low, 2) == -0.01 and round(result.effect_high, 2) == 0.45


@pytest.mark.parametrize("table", [INCOME, BANDS, CHEESE, np.array([[9, 2], [3, 8]])])
def test_somers_d_and_its_null_test_equal_scipy(table):
    expected, result = somersd(table), somers_d(table)
    assert result.effect_size == pytest.approx(expected.statistic)
    assert result.p_value == pytest.approx(expected.pvalue)
    # One null hypothesis and one numerator: gamma has the same z.
    assert gamma(table).statistic == pytest.approx(result.statistic)


def test_somers_d_both_ways_gives_tau_b():
    tau = kendalltau(*people(BANDS).T).statistic
    both = somers_d(BANDS).effect_size * somers_d(BANDS.T).effect_size
    assert both == pytest.approx(tau**2)


@pytest.mark.parametrize("measure", [gamma, somers_d])
def test_asymptotic_error_is_that_of_the_delta_method(measure):
    """The same error from slopes taken numerically, a person more in each cell in turn."""
    n, slopes = BANDS.sum(), np.zeros(BANDS.shape)
    for cell in np.ndindex(*BANDS.shape):
        more, less = BANDS.astype(float), BANDS.astype(float)
        more[cell] += 1e-4
        less[cell] -= 1e-4
        slopes[cell] = (measure(more).effect_size - measure(less).effect_size) / 2e-4
    shares = BANDS / n
    variance = n * ((shares * slopes**2).sum() - (shares * slopes).sum() ** 2)
    result = measure(BANDS)
    assert (result.effect_high - result.effect_low) / 2 / 1.959964 == pytest.approx(
        np.sqrt(variance), rel=1e-4
    )


@pytest.mark.parametrize("measure", [gamma, somers_d])
def test_rank_measures_at_their_limits(measure):
    perfect = measure([[5, 0], [0, 7]])
    assert (perfect.effect_size, perfect.effect_low, perfect.effect_high) == (1, 1, 1)
    assert np.isnan(measure([[5, 7]]).effect_size)
    assert np.isnan(measure([[5], [7]]).statistic)
    near = measure([[30, 1], [1, 4]])
    assert near.effect_low < near.effect_size < near.effect_high <= 1
    assert measure(BANDS[::-1]).effect_size == pytest.approx(-measure(BANDS).effect_size)


def exact_p(table):
    """Share of the orders of people at least as far from independence, all of them counted."""
    rows, columns = people(table).T
    centre = rows.mean() * columns.sum()
    far = abs((rows * columns).sum() - centre)
    sums = [(rows * np.array(order)).sum() for order in itertools.permutations(columns)]
    return np.mean(np.abs(np.array(sums) - centre) >= far - 1e-9)


@pytest.mark.parametrize("table", [[[2, 1, 0], [0, 1, 1], [0, 1, 2]], [[3, 1], [0, 2], [0, 2]]])
def test_permutation_equals_exact_enumeration(table):
    draws = 20_000
    p = exact_p(table)
    result = permutation_trend(table, draws=draws, seed=1)
    assert result.p_value == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / draws))


def test_permutation_of_shares_equals_exact_enumeration():
    table = [[1, 3], [2, 1], [2, 0]]
    result = permutation_trend(table, "cochran_armitage", 20_000, seed=1)
    assert result.p_value == pytest.approx(exact_p(table), abs=0.014)
    asymptotic = cochran_armitage([1, 2, 2], [4, 3, 2])
    assert result.statistic == asymptotic.statistic
    assert result.effect_size == asymptotic.effect_size
    assert result.test == "cochran_armitage_permutation"


def test_permutation_is_near_the_asymptotic_test():
    # Steps of a whole unit make the permutation p larger by about half the chance of a tie.
    result = permutation_trend(INCOME, draws=20_000, seed=3)
    assert result.p_value == pytest.approx(linear_by_linear(INCOME).p_value, abs=0.02)
    assert permutation_trend(BANDS, draws=999, seed=3).p_value == 1 / 1000


def test_permutation_is_reproducible_and_never_zero_nor_invented():
    first, again = (permutation_trend(INCOME, draws=999, seed=5).p_value for _ in range(2))
    assert first == again
    assert permutation_trend(INCOME, draws=999, seed=6).p_value != first
    assert np.isnan(permutation_trend([[4, 0], [5, 0]], "cochran_armitage", 99).p_value)


def test_random_tables_keep_margins_and_means():
    rows, columns = INCOME.sum(axis=1), INCOME.sum(axis=0)
    tables = random_tables(rows, columns, 20_000, seed=2)
    assert (tables.sum(axis=2) == rows).all() and (tables.sum(axis=1) == columns).all()
    n = rows.sum()
    expected = np.outer(rows, columns) / n
    variance = np.outer(rows * (n - rows), columns * (n - columns)) / (n**2 * (n - 1))
    np.testing.assert_allclose(tables.mean(axis=0), expected, atol=0.06)
    np.testing.assert_allclose(tables.var(axis=0), variance, rtol=0.06)


def test_proportional_odds_equals_mass_on_housing():
    if not HOUSING.exists():
        pytest.skip(f"the reference data are not there: {HOUSING}")
    keys = ["Infl", "Type", "Cont"]
    wide = pd.read_csv(HOUSING).pivot(index=keys, columns="Sat", values="Freq").reset_index()
    names = [("Infl", "Medium"), ("Infl", "High"), ("Type", "Apartment"), ("Type", "Atrium"),
             ("Type", "Terrace"), ("Cont", "High")]  # fmt: skip
    x = np.column_stack([wide[name] == level for name, level in names])
    fit = cumulative_logit(wide[["Low", "Medium", "High"]], x)
    errors = np.sqrt(np.diag(fit.covariance))
    # Venables & Ripley (2002), Modern Applied Statistics with S, 7.3, and the help page of polr.
    expected = [0.5664, 1.2888, -0.5724, -0.3662, -1.0910, 0.3603]
    np.testing.assert_allclose(fit.slopes, expected, atol=6e-5)
    expected = [0.1248, 0.1255, 0.1047, 0.1272, 0.1192, 0.1552, 0.1515, 0.0955]
    np.testing.assert_allclose(errors, expected, atol=6e-5)
    np.testing.assert_allclose(fit.thresholds, [-0.4961, 0.6907], atol=6e-5)
    assert -2 * fit.log_likelihood == pytest.approx(3479.149, abs=5e-4)


def test_assumption_prints_what_sas_prints():
    fit = cumulative_logit(CHEESE, np.eye(4)[:, :3])
    # SAS/STAT User's Guide, PROC LOGISTIC, Multiple Response Cheese Tasting Experiment.
    np.testing.assert_allclose(-fit.slopes, [1.6128, 4.9645, 3.3227], atol=2e-4)
    assert -2 * fit.log_likelihood == pytest.approx(711.348, abs=5e-4)
    assert fit.assumption == (pytest.approx(17.2866, abs=5e-4), 21)


def test_proportional_odds_equals_statsmodels():
    cells = people(BANDS)
    answers = pd.Series(pd.Categorical(cells[:, 1], ordered=True))
    other = OrderedModel(answers, cells[:, :1].astype(float), distr="logit")
    fitted = other.fit(method="newton", disp=False)
    result = proportional_odds(BANDS)
    assert np.log(result.effect_size) == pytest.approx(fitted.params.iloc[0], abs=1e-6)
    assert result.statistic == pytest.approx(fitted.tvalues.iloc[0], abs=1e-3)
    assert result.effect_low < result.effect_size < result.effect_high
    assert result.p_value == pytest.approx(fitted.pvalues.iloc[0], rel=0.01)


def test_assumption_holds_and_breaks_where_it_should():
    # Shares of a model with one odds ratio, to a ten-thousandth: nothing left to find.
    cuts = 1 / (1 + np.exp(-(np.array([-1.5, 0, 1.2]) - 0.6 * np.arange(5)[:, None])))
    model = np.diff(np.pad(cuts, ((0, 0), (1, 1)), constant_values=(0, 1)), axis=1)
    kept = proportional_odds_assumption(np.round(1e4 * model))
    assert kept.df == 2 and kept.statistic < 0.01 and kept.p_value > 0.99
    broken = proportional_odds_assumption([[20, 60, 20], [30, 40, 30], [45, 10, 45]])
    assert broken.p_value < 1e-6
    assert proportional_odds_assumption([[5, 9], [8, 3]]) is None


@pytest.mark.parametrize("first", [[120, 130, 150], [140, 90, 170], [115, 160, 125]])
def test_assumption_is_near_the_likelihood_ratio(first):
    """The other classical test, from a likelihood written apart and a general optimiser.

    The two agree near the model, and drift apart (by some percent) far from it.
    """
    table = np.array([first, [90, 160, 140], [70, 150, 190], [80, 100, 260]])
    x = np.arange(1.0, 5)[:, None]

    def minus(parameters, slopes):
        cuts = parameters[:2] - x * np.broadcast_to(parameters[2:], slopes)
        below = np.pad(1 / (1 + np.exp(-cuts)), ((0, 0), (1, 1)), constant_values=(0, 1))
        return -(table * np.log(np.clip(np.diff(below, axis=1), 1e-12, None))).sum()

    equal = minimize(minus, [-1, 1, 0], (1,), "Nelder-Mead", options={"fatol": 1e-9})
    apart = minimize(minus, [-1, 1, 0, 0], (2,), "Nelder-Mead", options={"fatol": 1e-9})
    result = proportional_odds_assumption(table)
    assert result.statistic == pytest.approx(2 * (equal.fun - apart.fun), rel=0.03)
    assert result.df == 1


@pytest.mark.parametrize(
    "table",
    [
        [[5, 0, 0], [0, 6, 0], [0, 0, 7]],
        [[5, 0, 0], [2, 6, 0], [0, 0, 7]],
        [[0, 0, 7], [0, 6, 0], [5, 0, 0]],
        [[5, 3, 2]],
        [[5, 0, 0], [4, 0, 0]],
        [[0, 0], [0, 0]],
    ],
)
def test_separated_answers_are_told_without_a_warning(table):
    result = proportional_odds(table)
    assert result.test == "proportional_odds_failed"
    assert np.isnan([result.statistic, result.p_value, result.effect_size]).all()
    assert proportional_odds_assumption(table) is None


def is_separated(table):
    """No overlap at any cut, in one direction: what leaves no finite estimate with one score."""
    used = table[:, table.sum(axis=0) > 0]
    x = np.arange(len(used))
    return used.shape[1] < 2 or any(
        all(
            x[way[:, :cut].any(axis=1)].max() <= x[way[:, cut:].any(axis=1)].min()
            for cut in range(1, used.shape[1])
        )
        for way in (used, used[::-1])
    )


def test_a_fit_fails_exactly_where_answers_are_separated():
    rng = np.random.default_rng(7)
    told = []
    for _ in range(300):
        size = rng.integers(2, 6), rng.integers(2, 6)
        table = rng.poisson(rng.choice([0.3, 0.8, 3]), size)
        table = table[table.sum(axis=1) > 0]
        if len(table) > 1:
            failed = proportional_odds(table).test == "proportional_odds_failed"
            assert failed == is_separated(table), table
            told.append(failed)
    assert 30 < sum(told) < len(told) - 30


def test_empty_answers_and_bands_change_nothing():
    padded = np.insert(BANDS, 2, 0, axis=1)
    assert proportional_odds(padded).effect_size == pytest.approx(
        proportional_odds(BANDS).effect_size
    )


def test_binary_logit_is_the_log_odds_of_a_two_by_two_table():
    result = binary_logit([[30, 10], [12, 25]])
    assert result.effect_size == pytest.approx(30 * 25 / (10 * 12))
    error = np.sqrt(1 / 30 + 1 / 10 + 1 / 12 + 1 / 25)
    assert np.log(result.effect_high / result.effect_low) == pytest.approx(2 * 1.959964 * error)
    assert binary_logit([[5, 0], [0, 5]]).test == "binary_logit_failed"


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_every_outcome_has_words(national, lang):
    labels = Labels(national, lang)
    split, separated = BANDS[:, [0, 3]], [[5, 0], [0, 5]]
    outcomes = [measure(BANDS) for measure in (gamma, somers_d, proportional_odds)]
    outcomes += [permutation_trend(split, name, 9) for name in ASYMPTOTIC]
    outcomes += [make(table) for make in (binary_logit, proportional_odds)
                 for table in (split, separated)]  # fmt: skip
    for outcome in outcomes:
        assert len(labels.term("tests", outcome.test)) > 5
        assert len(labels.term("effects", outcome.effect)) > 4
    assert labels.term("tests", proportional_odds_assumption(BANDS).test)
