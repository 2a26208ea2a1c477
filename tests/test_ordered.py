"""Ordered answers against printed values, other packages and exact enumeration."""

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import hypergeom, kendalltau, somersd
from statsmodels.miscmodels.ordinal_model import OrderedModel

from analysis.display.labels import Labels
from analysis.paths import PROJECT
from analysis.stats.ordered import (
    ASYMPTOTIC,
    binary_logit,
    cumulative_logit,
    exact_trend,
    fitted_shares,
    gamma,
    gamma_with_error,
    permutation_trend,
    predicted_shares,
    proportional_odds,
    proportional_odds_assumption,
    random_tables,
    somers_d,
    somers_d_with_error,
    sums_of_products,
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


# GKgamma(matrix(c(...), 4, byrow = TRUE)), R package vcdExtra 0.8-2: gamma and sigma.
@pytest.mark.parametrize(
    ("table", "size", "error"),
    [
        # Also Agresti (2002), 2.4.4 and 3.4.3: 0.221 and 0.117.
        (INCOME, 0.221100917431, 0.117162829395),
        (BANDS, 0.4570815450644, 0.0725292130702),
        (CHEESE, 0.2637195121951, 0.0703154002937),
    ],
)
def test_gamma_and_its_error_equal_vcdextra(table, size, error):
    assert gamma_with_error(table) == pytest.approx((size, error))
    assert gamma(table).effect_size == pytest.approx(size)


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


MEASURES = {gamma: gamma_with_error, somers_d: somers_d_with_error}


@pytest.mark.parametrize("with_error", MEASURES.values())
@pytest.mark.parametrize("table", [BANDS, INCOME])
def test_asymptotic_error_is_that_of_the_delta_method(with_error, table):
    """The same error from slopes taken numerically, a person more in each cell in turn."""
    n, slopes = table.sum(), np.zeros(table.shape)
    for cell in np.ndindex(*table.shape):
        more, less = table.astype(float), table.astype(float)
        more[cell] += 1e-4
        less[cell] -= 1e-4
        slopes[cell] = (with_error(more)[0] - with_error(less)[0]) / 2e-4
    shares = table / n
    variance = n * ((shares * slopes**2).sum() - (shares * slopes).sum() ** 2)
    assert with_error(table)[1] == pytest.approx(np.sqrt(variance), rel=1e-4)


@pytest.mark.parametrize("table", [[[9, 2], [3, 8]], [[9, 0], [3, 8]], [[2, 1], [5, 1]]])
def test_interval_of_gamma_in_a_two_by_two_table_is_that_of_the_odds_ratio(table):
    """Gamma is (odds ratio - 1) / (odds ratio + 1): Woolf's interval, one person more."""
    counts = np.array(table, dtype=float)
    counts += np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum() ** 2
    log_ratio = np.log(counts[0, 0] * counts[1, 1] / counts[0, 1] / counts[1, 0])
    half = 1.959964 * np.sqrt((1 / counts).sum())
    ends = np.exp(log_ratio + np.array([-half, half]))
    low, high = (ends - 1) / (ends + 1)
    result = gamma(table)
    assert result.effect_low == pytest.approx(low, abs=1e-6)
    assert result.effect_high == pytest.approx(1 if result.effect_size == 1 else high, abs=1e-6)


@pytest.mark.parametrize("measure", MEASURES)
def test_rank_intervals_near_the_plain_ones_of_many_people(measure):
    many = 100 * BANDS
    size, error = MEASURES[measure](many)
    result = measure(many)
    plain = size + 1.959964 * error * np.array([-1, 1])
    np.testing.assert_allclose([result.effect_low, result.effect_high], plain, atol=5e-4)


@pytest.mark.parametrize("measure", MEASURES)
def test_rank_measures_at_their_limits(measure):
    perfect = measure([[5, 0], [0, 7]])
    # Twelve people who agree do not show that everyone does.
    assert (perfect.effect_size, perfect.effect_high) == (1, 1) and 0 < perfect.effect_low < 0.9
    against = measure([[0, 5], [7, 0]])
    assert (against.effect_low, against.effect_high) == (-1, pytest.approx(-perfect.effect_low))
    assert measure([[500, 0], [0, 700]]).effect_low > 0.95
    tiny = measure([[1, 0], [0, 1]])
    assert (tiny.effect_size, tiny.effect_high) == (1, 1) and tiny.effect_low < -0.5
    assert np.isnan(measure([[5, 7]]).effect_size)
    assert np.isnan(measure([[5], [7]]).statistic)
    assert np.isnan(measure(np.zeros((2, 2))).effect_low)
    near = measure([[30, 1], [1, 4]])
    assert near.effect_low < near.effect_size < near.effect_high < 1
    assert measure(BANDS[::-1]).effect_size == pytest.approx(-measure(BANDS).effect_size)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(("n", "strength"), [(12, 0.3), (18, 0.9), (40, 0.7), (100, 0.9)])
def test_rank_intervals_cover_about_as_often_as_they_say(measure, n, strength):
    rng = np.random.default_rng(n)
    cells = (1 - strength) / 12 + strength * np.eye(3, 4) / 3
    truth = MEASURES[measure](cells)[0]
    runs = [measure(rng.multinomial(n, cells.ravel()).reshape(3, 4)) for _ in range(300)]
    inside = np.mean([run.effect_low <= truth <= run.effect_high for run in runs])
    # 95 %, give or take three standard errors of 300 runs.
    assert 0.912 < inside < 0.988


TABLES = st.integers(2, 4).flatmap(
    lambda columns: st.lists(
        st.lists(st.integers(0, 9), min_size=columns, max_size=columns), min_size=2, max_size=4
    )
)


@settings(deadline=None)
@given(table=TABLES)
def test_rank_measures_lie_in_their_intervals_whatever_the_table(table):
    for measure in MEASURES:
        result, turned = measure(table), measure(np.array(table)[:, ::-1])
        ends = [result.effect_low, result.effect_size, result.effect_high]
        if not np.isnan(result.effect_size):
            assert -1 <= ends[0] <= ends[1] <= ends[2] <= 1
            assert ends[0] < ends[2]
        others = [-turned.effect_high, -turned.effect_size, -turned.effect_low]
        np.testing.assert_allclose(ends, others, atol=1e-9)


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


@pytest.mark.parametrize(
    "table",
    [
        [[2, 1, 0], [0, 1, 1], [0, 1, 2]],
        [[3, 1], [0, 2], [0, 2]],
        [[1, 3], [2, 1], [2, 0]],
        [[0, 0, 2], [1, 3, 0]],
        [[1, 0, 2, 0], [0, 1, 0, 3]],
        [[2, 0, 1], [0, 0, 0], [1, 0, 3]],
    ],
)
def test_exact_equals_full_enumeration(table):
    result = exact_trend(table)
    assert result.p_value == pytest.approx(exact_p(table), rel=1e-10)
    assert result.test == "linear_by_linear_exact"
    plain = linear_by_linear(table)
    assert (result.statistic, result.effect_size) == (plain.statistic, plain.effect_size)


# independence_test(x ~ g, distribution = exact()), x the number of the band and g the answer of
# each person, R package coin 1.4-2.
@pytest.mark.parametrize(
    ("table", "p"),
    [
        ([[1, 3], [2, 1], [2, 0]], 0.126984126984),
        ([[6, 3], [5, 9], [8, 20], [9, 31], [10, 14]], 0.277167905174),
        ([[26, 63], [45, 69], [28, 120]], 0.0327138740126),
    ],
)
def test_exact_cochran_armitage_equals_coin(table, p):
    result = exact_trend(table, "cochran_armitage")
    assert result.p_value == pytest.approx(p)
    assert result.test == "cochran_armitage_exact"
    counts = np.array(table)
    asymptotic = cochran_armitage(counts[:, 0], counts.sum(axis=1))
    assert result.statistic == asymptotic.statistic
    assert (result.effect_low, result.effect_high) == (
        asymptotic.effect_low,
        asymptotic.effect_high,
    )
    assert exact_trend(table).p_value == pytest.approx(p)


def test_exact_of_larger_tables_is_near_the_permutations():
    table = np.array([[3, 2, 1, 0], [1, 2, 2, 1], [1, 1, 3, 3], [0, 2, 2, 4]])
    result = exact_trend(table)
    assert result.test == "linear_by_linear_exact"
    draws = 50_000
    drawn = permutation_trend(table, draws=draws, seed=4).p_value
    error = np.sqrt(result.p_value / draws)
    assert result.p_value == pytest.approx(drawn, abs=4 * error)


def test_exact_gives_way_to_permutations_where_tables_are_too_many():
    result = exact_trend(10 * BANDS, draws=99, seed=3)
    assert result == permutation_trend(10 * BANDS, draws=99, seed=3)


@pytest.mark.parametrize("table", [[[4, 0], [5, 0]], [[4, 2]], [[0, 0], [0, 0]]])
def test_exact_of_nothing_to_compare_is_not_a_number(table):
    for statistic in ASYMPTOTIC:
        assert np.isnan(exact_trend(table, statistic).p_value)


def test_sums_of_two_groups_and_two_answers_are_hypergeometric():
    chances = sums_of_products([300, 41], [250, 91])
    expected = hypergeom.pmf(np.arange(chances.size), 341, 41, 91)
    np.testing.assert_allclose(chances, expected, rtol=1e-9, atol=1e-300)


@settings(max_examples=40, deadline=None)
@given(table=TABLES.filter(lambda rows: np.sum(rows) <= 30))
def test_exact_is_a_chance_and_the_same_either_way_round(table):
    counts = np.array(table)
    result = exact_trend(counts, draws=99)
    if result.test == "linear_by_linear_exact" and not np.isnan(result.p_value):
        assert 0 < result.p_value <= 1
        for other in (counts.T, counts[::-1], counts[:, ::-1]):
            assert exact_trend(other, draws=99).p_value == pytest.approx(result.p_value)
    chances = sums_of_products(counts.sum(axis=1), counts.sum(axis=0))
    if chances is not None and counts.sum():
        assert chances.sum() == pytest.approx(1)
        mean = np.outer(
            np.arange(len(counts)) * counts.sum(axis=1),
            np.arange(counts.shape[1]) * counts.sum(axis=0),
        )
        expected = mean.sum() / counts.sum()
        assert chances @ np.arange(chances.size) == pytest.approx(expected)


def test_random_tables_keep_margins_and_means():
    rows, columns = INCOME.sum(axis=1), INCOME.sum(axis=0)
    tables = random_tables(rows, columns, 20_000, seed=2)
    assert (tables.sum(axis=2) == rows).all() and (tables.sum(axis=1) == columns).all()
    n = rows.sum()
    expected = np.outer(rows, columns) / n
    variance = np.outer(rows * (n - rows), columns * (n - columns)) / (n**2 * (n - 1))
    np.testing.assert_allclose(tables.mean(axis=0), expected, atol=0.06)
    np.testing.assert_allclose(tables.var(axis=0), variance, rtol=0.06)


def housing():
    """The model of the reference data, its predictors, and the counts by satisfaction."""
    keys = ["Infl", "Type", "Cont"]
    wide = pd.read_csv(HOUSING).pivot(index=keys, columns="Sat", values="Freq")
    levels = [("Infl", "Medium"), ("Infl", "High"), ("Type", "Apartment"), ("Type", "Atrium"),
              ("Type", "Terrace"), ("Cont", "High")]  # fmt: skip
    x = np.column_stack([wide.index.get_level_values(name) == level for name, level in levels])
    return cumulative_logit(wide[["Low", "Medium", "High"]], x), x, wide


def test_proportional_odds_equals_mass_on_housing():
    if not HOUSING.exists():
        pytest.skip(f"the reference data are not there: {HOUSING}")
    fit, _, _ = housing()
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


def test_cumulative_logit_with_two_predictors_equals_statsmodels():
    cells = people(BANDS)
    x = np.column_stack([cells[:, 0], np.arange(len(cells)) % 3 == 0]).astype(float)
    answers = pd.Series(pd.Categorical(cells[:, 1], ordered=True))
    other = OrderedModel(answers, x, distr="logit")
    fitted = other.fit(method="newton", disp=False, tol=1e-10)
    fit = cumulative_logit(pd.get_dummies(answers).astype(float), x)
    np.testing.assert_allclose(fit.slopes, fitted.params[:2], atol=1e-6)
    thresholds = other.transform_threshold_params(fitted.params.to_numpy())[1:-1]
    np.testing.assert_allclose(fit.thresholds, thresholds, atol=1e-6)
    # Its Hessian is numerical.
    np.testing.assert_allclose(np.sqrt(np.diag(fit.covariance)[3:]), fitted.bse[:2], rtol=1e-3)
    assert fit.log_likelihood == pytest.approx(fitted.llf, rel=1e-9)
    np.testing.assert_allclose(fitted_shares(fit, x)[0], fitted.predict(x), atol=1e-6)


def test_predicted_shares_equal_ordinal():
    names = list("ABCD")
    found = predicted_shares(pd.DataFrame(BANDS, index=list("wxyz"), columns=names))
    assert list(found.columns) == ["band", "answer", "share", "share_low", "share_high"]
    assert found["band"].tolist() == list(np.repeat(list("wxyz"), 4))
    assert found["answer"].tolist() == names * 4
    # predict(clm(b ~ x), data.frame(x = 1:4), type = "prob", interval = TRUE), one row a person,
    # R package ordinal 2022.11-16.
    share = [[0.1707014938, 0.2801510116, 0.428368774, 0.120778720],
             [0.0902351674, 0.1932315590, 0.494692863, 0.221840411],
             [0.0456132813, 0.1144935987, 0.468179009, 0.371714111],
             [0.0225112160, 0.0616168608, 0.364743047, 0.551128876]]  # fmt: skip
    low = [[0.0936596117, 0.1912095526, 0.336382100, 0.0683097058],
           [0.0523714636, 0.1335115329, 0.422407954, 0.1584586607],
           [0.0260885206, 0.0793888857, 0.400119873, 0.3099828366],
           [0.0116009484, 0.0386863312, 0.301036685, 0.4701248148]]  # fmt: skip
    high = [[0.2907839411, 0.3904894187, 0.525587519, 0.204695037],
            [0.1511085227, 0.2713005887, 0.567200322, 0.301491535],
            [0.0785715810, 0.1623831352, 0.537443072, 0.437936484],
            [0.0432333796, 0.0967707909, 0.433568401, 0.629508528]]  # fmt: skip
    for column, expected in {"share": share, "share_low": low, "share_high": high}.items():
        np.testing.assert_allclose(found[column], np.ravel(expected), atol=2e-6)


def test_predicted_shares_equal_mass_on_housing():
    if not HOUSING.exists():
        pytest.skip(f"the reference data are not there: {HOUSING}")
    fit, x, wide = housing()
    share = pd.DataFrame(fitted_shares(fit, x)[0], index=wide.index)
    # predict(polr(Sat ~ Infl + Type + Cont, weights = Freq), type = "probs"), MASS 7.3-58.2.
    expected = {
        ("Low", "Tower", "Low"): [0.378449306, 0.287675165, 0.333875529],
        ("High", "Apartment", "Low"): [0.229240581, 0.264319618, 0.506439801],
        ("High", "Terrace", "High"): [0.258414869, 0.274691618, 0.466893513],
    }
    for key, values in expected.items():
        np.testing.assert_allclose(share.loc[key], values, atol=2e-5)


def test_predicted_shares_make_whole_bands_and_follow_the_counts():
    found = predicted_shares(pd.DataFrame(100 * BANDS))
    assert found.groupby("band")["share"].sum().tolist() == pytest.approx([1] * 4)
    assert (found["share_low"] < found["share"]).all()
    assert (found["share"] < found["share_high"]).all()
    plain = predicted_shares(pd.DataFrame(BANDS))
    np.testing.assert_allclose(found["share"], plain["share"], atol=1e-9)
    assert (
        found["share_high"] - found["share_low"] < 0.2 * (plain.share_high - plain.share_low)
    ).all()


def test_predicted_shares_of_an_answer_nobody_gave_and_of_no_model():
    padded = pd.DataFrame(np.insert(BANDS, 2, 0, axis=1), columns=list("ABxCD"))
    found = predicted_shares(padded)
    nobody = found[found["answer"] == "x"]
    assert (nobody["share"] == 0).all() and nobody["share_low"].isna().all()
    others = found[found["answer"] != "x"].reset_index(drop=True)
    expected = predicted_shares(pd.DataFrame(BANDS, columns=list("ABCD")))
    pd.testing.assert_frame_equal(others, expected)
    separated = predicted_shares(pd.DataFrame([[5, 0], [0, 6]]))
    assert separated.empty and list(separated.columns) == list(found.columns)


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
