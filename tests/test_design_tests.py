"""Tests under a design against R survey, and against the plain tests under simple sampling."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import f as f_law
from scipy.stats import kruskal

from analysis.paths import PROJECT
from analysis.stats import ordered
from analysis.stats.association import chi_square
from analysis.stats.design_tests import (
    SeveralTable,
    Table,
    correlation,
    gamma,
    ranks,
    rao_scott,
    several,
    somers_d,
    trend,
)
from analysis.stats.several import joint_tests
from analysis.stats.trend import linear_by_linear

FARMERS = PROJECT.parent / "shared" / "reference" / "farmer1.csv"
MEASURES = [rao_scott, correlation, gamma, somers_d, ranks]
# Degrees of freedom at which t and F are the normal and the chi-square to all that is compared.
MANY = 1e7

# Schools of R package survey 4.1-1, apiclus1, by district (rows): 15 drawn of 757, all their
# schools in, one weight. api: api00 to 600, 700, more; size: enroll to 400, 600, more; poor: meals
# to 30, 60, more; wide: sch.wide. Columns are the cells, the first variable slower.
SIZE_API = """
0 4 3 0 1 2 0 1 2 | 2 5 5 5 5 9 2 0 1 | 3 0 0 0 0 0 1 0 0 | 2 1 2 0 2 3 2 1 0 | 1 1 2 0 1 5 2 2 2
2 0 0 0 0 0 0 0 0 | 1 0 0 0 0 0 0 0 0 | 2 0 0 2 0 0 0 0 0 | 0 0 3 0 1 5 0 0 3 | 1 2 3 3 4 2 1 5 0
0 5 3 0 0 1 0 0 0 | 1 2 4 0 1 0 0 3 0 | 7 3 0 7 1 1 16 1 1 | 2 0 0 0 0 0 0 0 0 | 1 0 0 0 3 0 0 0 0
"""
POOR_API = """
0 6 5 0 0 2 0 0 0 | 0 0 12 1 5 3 8 5 0 | 0 0 0 0 0 0 4 0 0 | 1 1 5 1 3 0 2 0 0 | 0 0 7 0 4 2 3 0 0
0 0 0 0 0 0 2 0 0 | 0 0 0 0 0 0 1 0 0 | 0 0 0 0 0 0 4 0 0 | 0 0 7 0 1 4 0 0 0 | 0 0 1 1 9 4 4 2 0
0 1 2 0 3 2 0 1 0 | 0 2 2 1 4 2 0 0 0 | 0 0 1 6 3 1 24 2 0 | 0 0 0 0 0 0 2 0 0 | 0 1 0 1 2 0 0 0 0
"""
WIDE_STYPE = """
0 0 2 10 0 1 | 3 0 0 31 0 0 | 0 0 1 2 1 0 | 1 0 2 9 0 1 | 1 0 0 12 0 3 | 0 0 0 2 0 0 | 0 0 0 1 0 0
0 0 0 2 1 1 | 0 0 0 9 1 2 | 1 1 1 15 1 2 | 1 1 0 3 3 1 | 0 0 0 8 1 2 | 5 0 0 25 3 4 | 0 0 1 1 0 0
0 1 1 2 0 0
"""
WIDE_API = """
0 1 1 0 5 6 | 0 2 1 9 8 14 | 1 0 0 3 0 0 | 2 0 1 2 4 4 | 1 0 0 2 4 9 | 0 0 0 2 0 0 | 0 0 0 1 0 0
0 0 0 4 0 0 | 0 0 0 0 1 11 | 1 2 0 4 9 5 | 0 2 0 0 3 4 | 0 0 0 1 6 4 | 5 0 0 25 5 2 | 1 0 0 1 0 0
0 2 0 1 1 0
"""
# By stype: the schools, then those with sch.wide, comp.imp and awards, as three answers of several.
SEVERAL = """
10 10 9 9 0 0 0 0 3 1 1 1 | 34 31 26 26 0 0 0 0 0 0 0 0 | 2 2 2 2 1 1 1 1 1 0 0 0
10 9 9 9 0 0 0 0 3 1 0 0 | 13 12 10 10 0 0 0 0 3 3 3 3 | 2 2 2 2 0 0 0 0 0 0 0 0
1 1 1 1 0 0 0 0 0 0 0 0 | 2 2 2 1 1 1 1 1 1 1 1 1 | 9 9 9 9 1 1 1 1 2 2 1 1
16 15 12 12 2 1 0 0 3 2 2 2 | 4 3 2 2 4 3 2 2 1 1 0 0 | 8 8 6 6 1 1 1 1 2 2 2 2
30 25 21 21 3 3 1 0 4 4 4 3 | 1 1 1 1 0 0 0 0 1 0 0 0 | 2 2 0 0 1 0 0 0 1 0 0 0
"""
BANDS = np.array([[6, 6, 9, 4], [4, 7, 20, 9], [2, 6, 28, 23], [1, 9, 45, 64]])


def clusters(counts, rows):
    """Shares and their covariance in a cluster sample of 15 of 757, as svymean estimates them."""
    lines = counts.strip().replace("\n", "|").split("|")
    units = np.array([line.split() for line in lines], dtype=float)
    width = units.shape[1] // rows
    people = units.sum(axis=1) if width * rows != 12 else units[:, ::4].sum(axis=1)
    n = people.sum()
    share = units.sum(axis=0) / n
    scores = (units - np.outer(people, share)) / n
    covariance = (1 - 15 / 757) * 15 / 14 * scores.T @ scores
    return share.reshape(rows, width), covariance, int(n), 14


def simple(counts, df=MANY):
    """Shares of a simple random sample, with the covariance of a multinomial."""
    n = np.sum(counts)
    share = np.asarray(counts) / n
    covariance = np.diag(share.ravel()) - np.outer(share, share)
    return Table(share, covariance / n, int(n), df)


def collapsed(table):
    """Its last column against the others together."""
    by = np.zeros((2, table.shares.shape[1]))
    by[0, :-1] = by[1, -1] = 1
    whole = np.kron(np.eye(len(table.shares)), by)
    return Table(table.shares @ by.T, whole @ table.covariance @ whole.T, table.n, table.df)


@pytest.fixture
def size_api():
    return Table(*clusters(SIZE_API, 3))


def test_input_is_that_of_r(size_api):
    # R survey 4.1-1: SE(svymean(~interaction(api, size), dclus1)), dclus1 with id=~dnum,
    # weights=~pw, fpc=~fpc; here and below.
    errors = [3.4693344877e-02, 3.0264129224e-02, 3.5222757777e-02, 2.9792246478e-02,
              2.6624847065e-02, 4.3187217007e-02, 6.7030566510e-02, 2.9576664337e-02,
              1.9684314349e-02]  # fmt: skip
    np.testing.assert_allclose(np.sqrt(np.diag(size_api.covariance)), errors, rtol=1e-9)
    assert size_api.n == 183


@pytest.mark.parametrize(
    ("counts", "rows", "f", "df", "denominator", "p"),
    [
        # R survey 4.1-1: svychisq(~sch.wide + stype), (~size + api) and, with an empty cell,
        # (~poor + api), statistic "F".
        (WIDE_STYPE, 2, 5.1933695414749, 1.4946397777075, 20.9249568879044, 0.0217474623708),
        (SIZE_API, 3, 2.116466847629, 2.578756246455, 36.102587450365, 0.123178433099),
        (POOR_API, 3, 21.6322720915, 2.43103699650, 34.0345179511, 2.29046244851e-07),
    ],
)
def test_rao_scott_equals_svychisq(counts, rows, f, df, denominator, p):
    table = Table(*clusters(counts, rows))
    result = rao_scott(table)
    assert result.statistic == pytest.approx(f, rel=1e-10)
    assert result.df == pytest.approx(df, rel=1e-10)
    assert result.df * table.df == pytest.approx(denominator, rel=1e-10)
    assert result.p_value == pytest.approx(p, rel=1e-10)
    assert result.test == "rao_scott_chi_square"


@pytest.mark.parametrize(
    ("counts", "rows", "low", "high"),
    [
        # Non-centralities by R 4.2.2: uniroot of pf(F, df, denominator, ncp = x) - 0.975, - 0.025.
        (WIDE_STYPE, 2, 0.0741675071571, 23.2843172996),
        (SIZE_API, 3, 0, 16.8290071402),
        (POOR_API, 3, 20.0568404542, 94.9951704031),
    ],
)
def test_interval_of_v_inverts_the_non_central_f(counts, rows, low, high):
    table = Table(*clusters(counts, rows))
    result = rao_scott(table)
    expected = np.outer(table.rows, table.columns)
    square = ((table.shares - expected) ** 2 / expected).sum()
    # F is n times the square contingency over the sum of the design effects.
    squared = square / result.statistic / result.df / (min(table.shares.shape) - 1)
    assert result.effect_low == pytest.approx(np.sqrt(low * squared), abs=1e-7)
    assert result.effect_high == pytest.approx(np.sqrt(high * squared), abs=1e-7)
    assert result.effect_low <= result.effect_size <= result.effect_high


def test_v_is_bergsmas_with_the_effective_number_of_people():
    # Bergsma (2013), by hand: X² = 20 on 1 df of 80 people, without and with a design effect of 2.
    counts = np.array([[30, 10], [10, 30]])
    size = np.sqrt((20 / 80 - 1 / 79) / (1 - 1 / 79))
    assert rao_scott(simple(counts)).effect_size == pytest.approx(size)
    plain = simple(counts)
    twice = rao_scott(Table(plain.shares, 2 * plain.covariance, 80, MANY))
    assert twice.effect_size == pytest.approx(np.sqrt((20 / 80 - 1 / 39) / (1 - 1 / 39)))
    assert rao_scott(simple([[20, 20], [19, 21]])).effect_size == 0


def test_v_keeps_its_interval_in_clusters():
    """95 in 100 intervals hold the V of the population, or some more; 200 runs."""
    rng = np.random.default_rng(3)
    population = 0.9 * np.outer([0.4, 0.3, 0.3], [0.4, 0.3, 0.3]) + 0.1 * np.diag([0.4, 0.3, 0.3])
    missed = 0
    for _ in range(200):
        units = np.array(
            [rng.multinomial(10, share) for share in rng.dirichlet(19 * population.ravel(), 30)]
        )
        share = units.sum(axis=0) / 300
        scores = (units - 10 * share) / 300
        table = Table(share.reshape(3, 3), 30 / 29 * scores.T @ scores, 300, 29)
        result = rao_scott(table)
        missed += not result.effect_low <= 0.1 <= result.effect_high
    assert missed / 200 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)


# R survey 4.1-1, size by api: estimate, SE and their ratio by svycontrast() of quoted expressions
# on svymean(~interaction(api, size), dclus1): the correlation of scores 1, 2, 3, the pairs in order
# less those in disorder, over both together or over those untied on size; the ratio is that of the
# numerator (the covariance of the scores, the excess of pairs). Last: the shares of api > 700.
@pytest.mark.parametrize(
    ("measure", "size", "error", "ratio"),
    [
        (correlation, -0.1285328684468, 0.0835613768581, -1.4604425869750),
        (gamma, -0.154315133451, 0.117340910722, -1.2953940254802),
        (somers_d, -0.1037907782030, 0.0786157670453, -1.2953940254802),
        (lambda table: trend(collapsed(table)),
         -0.1468135795116, 0.0701998490337, -1.4350695529690),
    ],
)  # fmt: skip
def test_linearised_measures_equal_svycontrast(size_api, measure, size, error, ratio):
    result = measure(size_api)
    assert result.effect_size == pytest.approx(size, rel=1e-9)
    assert result.statistic == pytest.approx(ratio, rel=1e-9)
    ends = np.array([result.effect_low, result.effect_high])
    if measure is correlation:
        # Fisher's scale stretches an error by 1 / (1 - r²).
        ends, error = np.arctanh(ends), error / (1 - size**2)
    # R: qt(0.975, 14) = 2.14478668792.
    assert (ends[1] - ends[0]) / 2 == pytest.approx(2.14478668792 * error, rel=1e-9)
    assert result.df == 14


def test_p_is_that_of_t(size_api):
    # R: 2 * pt(-1.4604425869750, degf(dclus1)).
    assert correlation(size_api).p_value == pytest.approx(0.166244892819, rel=1e-9)


@pytest.mark.parametrize(
    ("counts", "rows", "wald", "df", "p"),
    [
        # R survey 4.1-1: svyranktest(as.integer(api) ~ size, test = "KruskalWallis"), on 2 and 12;
        # ~ poor; ~ sch.wide, whose t is squared, on 1 and 13.
        (SIZE_API, 3, 12.5882872751170, 2, 0.0135119430207),
        (POOR_API, 3, 385.915176524, 2, 7.52219270908e-10),
        (WIDE_API, 2, 2.689957204754**2, 1, 0.018545646638),
    ],
)
def test_ranks_equal_svyranktest(counts, rows, wald, df, p):
    result = ranks(Table(*clusters(counts, rows)))
    assert result.statistic * df == pytest.approx(wald, rel=1e-10)
    assert result.df == df
    assert result.p_value == pytest.approx(p, rel=1e-9)
    assert result.test == "kruskal_wallis_design"


def test_several_equals_eigenvalues_by_r():
    result = several(SeveralTable(*clusters(SEVERAL, 3)))
    # R survey 4.1-1: eigen(183 * vcov(svycontrast(svymean of the 12 indicators, scaled gaps))),
    # F = X² / sum, df = sum² / sum of squares, p by pf on df and 14 df; X² = 33.3209158272.
    assert result.statistic == pytest.approx(3.38189891071, rel=1e-9)
    assert result.df == pytest.approx(1.96969370698, rel=1e-9)
    assert result.p_value == pytest.approx(0.0492328655896, rel=1e-9)
    assert result.test == "several_answers_rao_scott_design"
    assert result.n == 183


def from_people(groups, chosen):
    """Shares of groups and answers with the covariance of a simple random sample of people."""
    member = pd.get_dummies(groups).to_numpy(dtype=float)
    answers = np.column_stack([np.ones(len(chosen)), chosen])
    cells = (member[:, :, None] * answers[:, None, :]).reshape(len(chosen), -1)
    covariance = np.cov(cells.T, bias=True) / len(chosen)
    shares = cells.mean(axis=0).reshape(member.shape[1], -1)
    return SeveralTable(shares, covariance, len(chosen), MANY)


def test_several_of_people_drawn_simply_is_the_joint_test():
    if not FARMERS.exists():
        pytest.skip(f"no reference data at {FARMERS}")
    farmers = pd.read_csv(FARMERS)
    groups, chosen = farmers["education"], farmers.iloc[:, 2:].astype(bool)
    result = several(from_people(groups, chosen))
    plain = joint_tests(groups, chosen, 9, 1)[0]
    assert result.effect_size == pytest.approx(plain.effect_size)
    assert plain.p_value == pytest.approx(0.0632, abs=5e-5)
    # The sum of squares of the eigenvalues is the same; their sum, here as it stands, is there that
    # of independence, 20: all that F and df differ by.
    ratio = np.sqrt(result.df / plain.df)
    assert result.statistic * result.df == pytest.approx(plain.statistic * ratio)
    assert ratio == pytest.approx(1, abs=0.05)
    assert result.p_value == pytest.approx(plain.p_value, abs=0.015)


def test_several_with_one_answer_is_a_chi_square():
    counts = np.array([[200, 100], [180, 120], [210, 90]])
    result = several(
        from_people(np.repeat([0, 1, 2], 300), np.concatenate([[1] * a + [0] * b
                                                              for a, b in counts])[:, None])
    )  # fmt: skip
    plain = chi_square(counts)
    assert result.effect_size == pytest.approx(np.sqrt(plain.statistic / plain.n))
    assert result.df == pytest.approx(2, rel=0.01)
    assert result.statistic * result.df == pytest.approx(plain.statistic, rel=0.02)


@pytest.mark.parametrize("counts", [BANDS, BANDS[:, [0, 3]], BANDS[:3, 1:]])
def test_under_simple_sampling_the_tests_are_the_plain_ones(counts):
    table = simple(counts)
    pearson, plain = rao_scott(table), chi_square(counts)
    assert pearson.df == pytest.approx(plain.df)
    assert pearson.statistic * pearson.df == pytest.approx(plain.statistic)
    assert pearson.p_value == pytest.approx(plain.p_value, rel=1e-3)
    for under, without in ((gamma, ordered.gamma), (somers_d, ordered.somers_d)):
        design, plain = under(table), without(counts)
        # Their intervals differ: the plain ones are widened for small samples.
        for name in ("statistic", "p_value", "effect_size"):
            assert getattr(design, name) == pytest.approx(getattr(plain, name), rel=1e-4)
    assert correlation(table).effect_size == pytest.approx(linear_by_linear(counts).effect_size)


def test_without_association_trend_and_correlation_are_the_plain_ones():
    counts = np.outer([50, 40, 30, 20], [3, 1]) + np.array([[1, -1], [0, 0], [0, 0], [-2, 2]])
    for result in (trend(simple(counts)), correlation(simple(counts))):
        assert result.statistic == pytest.approx(linear_by_linear(counts).statistic, rel=0.05)
    first, last = counts[0, 1] / counts[0].sum(), counts[3, 1] / counts[3].sum()
    result = trend(simple(counts))
    assert result.effect_size == pytest.approx(last - first)
    error = np.sqrt(first * (1 - first) / counts[0].sum() + last * (1 - last) / counts[3].sum())
    half = (result.effect_high - result.effect_low) / 2
    assert half == pytest.approx(1.959964 * error, rel=1e-5)


def test_epsilon_squared_is_that_of_kruskal_and_wallis():
    values = [np.repeat(np.arange(4), row) for row in BANDS]
    h = kruskal(*values).statistic
    assert ranks(simple(BANDS)).effect_size == pytest.approx(h / (BANDS.sum() - 1))


def test_scores_are_taken(size_api):
    plain = correlation(size_api)
    moved = correlation(size_api, [10, 20, 30], [2022, 2021, 2020])
    assert moved.statistic == pytest.approx(-plain.statistic)
    assert moved.effect_size == pytest.approx(-plain.effect_size)
    assert correlation(size_api, [1, 2, 9]).effect_size != pytest.approx(plain.effect_size)
    shares = collapsed(size_api)
    assert trend(shares, [0, 5, 10]).statistic == pytest.approx(trend(shares).statistic)
    assert trend(shares, [0, 1, 10]).statistic != pytest.approx(trend(shares).statistic)


def tables():
    """Simple random samples of three by three, none of them empty of association or people."""
    cells = st.lists(st.integers(1, 30), min_size=9, max_size=9)
    return cells.map(lambda found: simple(np.array(found).reshape(3, 3), 40))


def reordered(table, rows, columns):
    places = np.arange(table.shares.size).reshape(table.shares.shape)[rows][:, columns]
    cells = places.ravel()
    return Table(
        table.shares.ravel()[places], table.covariance[np.ix_(cells, cells)], table.n, table.df
    )


def numbers(outcome):
    return [outcome.statistic, outcome.df, outcome.p_value, outcome.effect_size,
            outcome.effect_low, outcome.effect_high]  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(tables(), st.permutations(range(3)), st.permutations(range(3)))
def test_order_matters_only_where_it_means_something(table, rows, columns):
    mixed = reordered(table, rows, columns)
    np.testing.assert_allclose(numbers(rao_scott(mixed)), numbers(rao_scott(table)), atol=1e-6)
    mixed = reordered(table, rows, [0, 1, 2])
    np.testing.assert_allclose(numbers(ranks(mixed)), numbers(ranks(table)), atol=1e-8)
    turned = reordered(table, [2, 1, 0], [0, 1, 2])
    for measure in (correlation, gamma, somers_d):
        found, back = measure(table), measure(turned)
        assert back.effect_size == pytest.approx(-found.effect_size, abs=1e-9)
        assert back.effect_low == pytest.approx(-found.effect_high, abs=1e-9)
        assert back.p_value == pytest.approx(found.p_value, abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(tables(), st.floats(0.3, 5))
def test_a_design_effect_divides_squares_by_itself(table, effect):
    wider = Table(table.shares, effect * table.covariance, table.n, table.df)
    for measure in (rao_scott, ranks):
        found = measure(wider).statistic * effect
        assert found == pytest.approx(measure(table).statistic, rel=1e-6, abs=1e-9)
    for measure in (correlation, gamma, somers_d):
        found = measure(wider).statistic * np.sqrt(effect)
        assert found == pytest.approx(measure(table).statistic, rel=1e-6, abs=1e-9)


def widened(table):
    """With an empty row before the last and an empty column after the first."""
    shares = np.insert(np.insert(table.shares, 2, 0.0, axis=0), 1, 0.0, axis=1)
    cells = np.flatnonzero(shares.ravel())
    covariance = np.zeros((shares.size, shares.size))
    covariance[np.ix_(cells, cells)] = table.covariance
    return Table(shares, covariance, table.n, table.df)


def test_empty_rows_and_columns_change_nothing(size_api):
    for measure in (rao_scott, gamma, somers_d, ranks):
        np.testing.assert_allclose(
            numbers(measure(widened(size_api))), numbers(measure(size_api)), atol=1e-8
        )
    far = correlation(size_api, [1, 2, 4], [1, 3, 4])
    assert correlation(widened(size_api)).effect_size == pytest.approx(far.effect_size)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(
    "counts", [[[5, 9, 4]], [[5], [9]], [[0, 0], [3, 4]], [[0, 7], [0, 4]], [[12]]]
)
def test_nothing_to_compare_is_nan(measure, counts):
    result = measure(simple(counts, 20))
    assert np.isnan([result.statistic, result.p_value, result.effect_low, result.effect_high]).all()
    # Pairs apart on the rows alone count for Somers' D, as in the plain one: no excess among them.
    tied = measure is somers_d and len(counts) > 1 and np.all(np.sum(counts, axis=1) > 0)
    assert result.effect_size == 0 if tied else np.isnan(result.effect_size)


@pytest.mark.parametrize("measure", MEASURES)
def test_no_people_no_variance_and_no_design_are_nan(measure):
    plain = simple([[12, 5, 4], [3, 9, 8]])
    nothing = [
        Table(np.full((2, 3), np.nan), np.full((6, 6), np.nan), 0, 0),
        Table(np.zeros((2, 3)), np.zeros((6, 6)), 0, 0),
        Table(plain.shares, 0 * plain.covariance, 41, 40),
        Table(plain.shares, np.full((6, 6), np.nan), 41, 0),
        Table(plain.shares, plain.covariance, 41, 0),
    ]
    for table in nothing:
        result = measure(table)
        assert np.isnan([result.statistic, result.p_value]).all()
        assert np.isnan([result.effect_low, result.effect_high]).all()


def test_ranks_need_a_design_larger_than_the_groups():
    assert np.isnan(ranks(simple(BANDS, df=3)).p_value)
    assert ranks(simple(BANDS, df=4)).p_value < 1
    assert np.isfinite(ranks(simple(BANDS, df=3)).effect_size)


def test_trend_at_its_limits():
    split = trend(simple([[9, 0], [0, 12]], 20))
    # Nothing varies inside the bands, so the difference has no error; the test still has one.
    assert split.effect_size == 1 and np.isnan(split.effect_low)
    assert split.p_value < 1e-6
    padded = trend(simple([[0, 0], [9, 3], [5, 6], [0, 0]], 20))
    assert padded.effect_size == pytest.approx(6 / 11 - 3 / 12)
    assert np.isnan(trend(simple([[9, 3], [0, 0]], 20)).effect_size)
    assert np.isnan(trend(simple([[9, 0], [5, 0]], 20)).statistic)
    with pytest.raises(ValueError, match="two columns, not 3"):
        trend(simple([[1, 2, 3], [3, 2, 1]]))


def test_perfect_order_has_a_test_and_no_interval():
    for measure in (correlation, gamma, somers_d):
        result = measure(simple([[8, 0, 0], [0, 9, 0], [0, 0, 7]], 20))
        assert result.effect_size == pytest.approx(1)
        assert np.isnan(result.effect_high)
        assert result.p_value < 1e-3
    perfect = rao_scott(simple([[8, 0, 0], [0, 9, 0], [0, 0, 7]], 20))
    assert perfect.effect_size == pytest.approx(1, abs=0.02)
    assert perfect.effect_high == 1


def test_several_with_nothing_to_compare_is_nan():
    groups = np.repeat([0, 1], 10)
    for chosen in (np.ones((20, 2)), np.zeros((20, 2)), np.zeros((20, 0))):
        assert np.isnan(several(from_people(groups, chosen)).p_value)
    answered = np.arange(20)[:, None] % 2
    assert np.isnan(several(from_people(groups * 0, answered)).p_value)
    missing = SeveralTable(np.full((2, 3), np.nan), np.full((6, 6), np.nan), 0, 0)
    assert np.isnan(several(missing).p_value)


def test_several_leaves_out_what_does_not_vary():
    rng = np.random.default_rng(4)
    groups, chosen = np.repeat([0, 1, 2], 30), rng.integers(0, 2, (90, 3))
    plain = several(from_people(groups, chosen))
    more = np.column_stack([chosen[:, :1], np.ones(90), chosen[:, 1:], np.zeros(90)])
    np.testing.assert_allclose(numbers(several(from_people(groups, more)))[:4], numbers(plain)[:4])
    full = from_people(groups, chosen)
    shares = np.vstack([full.shares, np.zeros(4)])
    covariance = np.pad(full.covariance, (0, 4))
    padded = several(SeveralTable(shares, covariance, 90, MANY))
    np.testing.assert_allclose(numbers(padded)[:4], numbers(plain)[:4])


def test_p_of_several_is_that_of_f():
    result = several(SeveralTable(*clusters(SEVERAL, 3)))
    expected = f_law.sf(result.statistic, result.df, 14 * result.df)
    assert result.p_value == pytest.approx(expected)


@pytest.mark.parametrize("kind", [Table, SeveralTable])
def test_a_covariance_of_another_size_is_told(kind):
    with pytest.raises(ValueError, match=r"need a covariance of \(6, 6\), not of \(4, 4\)"):
        kind(np.full((2, 3), 1 / 6), np.eye(4), 10, 9)


@pytest.mark.parametrize("seed", range(4))
def test_sparse_tables_of_few_units_stay_within_bounds(seed):
    """Empty cells, units as few as one, weights far apart: a number in its bounds, or NaN."""
    rng = np.random.default_rng(seed)
    told = 0
    for _ in range(150):
        rows, columns = rng.integers(1, 6, 2)
        cells = rng.dirichlet(np.full(rows * columns, rng.choice([0.05, 0.3, 2])))
        units = rng.multinomial(rng.choice([1, 3, 10]), cells, rng.choice([1, 2, 5, 60]))
        weighted = units * np.exp(rng.normal(0, 2, (len(units), 1)))
        share = weighted.sum(axis=0) / weighted.sum()
        scores = (weighted - weighted.sum(axis=1, keepdims=True) * share) / weighted.sum()
        table = Table(share.reshape(rows, columns), scores.T @ scores, units.sum(), len(units) - 1)
        for measure in MEASURES:
            result = measure(table)
            assert np.isnan(result.p_value) or 0 <= result.p_value <= 1
            assert np.isnan(result.effect_size) or -1 <= result.effect_size <= 1
            if np.isfinite(result.effect_low):
                assert result.effect_low - 1e-9 <= result.effect_size <= result.effect_high + 1e-9
                told += 1
    assert told > 40


def test_a_million_people_have_an_interval():
    result = rao_scott(simple(BANDS * 5000, 1e6))
    assert result.effect_low < result.effect_size < result.effect_high < result.effect_low + 0.01
