"""Intervals against statsmodels, scipy and values worked out with R."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from analysis.stats.intervals import goodman, korn_graubard, newcombe, wilson

# Shares of apiclus1, their variance and interval by R survey 4.1-1: svymean and
# svyciprop(x, dclus1, method = "beta"), dclus1 as in the help of svyciprop (n = 183, df = 14).
SVYCIPROP = [
    # ell == 0
    (0.02185792349726776, 0.0005117752829644199, 0.0002161468327431569, 0.1375077639149807629),
    # ell < 10
    (0.1584699453551913, 0.003455623709615069, 0.05485312376655719, 0.32835813430194971),
    # ell < 25
    (0.4262295081967213, 0.00259298615203092, 0.3161287298108981, 0.5419702834793303),
    # stype == "E"
    (0.7868852459016393, 0.002147076204151164, 0.6687850808430584, 0.8780530636733158),
    # api00 > 500
    (0.90163934426229508, 0.001599241574554193, 0.7789965237956140, 0.9691631902264252),
    # api00 > 900
    (0.00546448087431694, 2.958686808460649e-05, 7.877605755270517e-05, 3.366068483142648e-02),
]


def test_wilson_equals_statsmodels_everywhere():
    base = np.repeat([1, 5, 18, 25, 341], 20)
    count = np.concatenate([np.linspace(0, n, 20).round() for n in (1, 5, 18, 25, 341)])
    low, high = wilson(count, base)
    expected_low, expected_high = proportion_confint(count, base, method="wilson")
    np.testing.assert_allclose(low, expected_low, atol=1e-12)
    np.testing.assert_allclose(high, expected_high, atol=1e-12)


def test_wilson_equals_r():
    # R 4.2.2, stats::prop.test(81, 263, correct = FALSE)$conf.int
    assert wilson(81, 263) == pytest.approx((0.2552885198782743, 0.3662095769828002), abs=1e-12)


def test_wilson_stays_inside_and_needs_a_base():
    low, high = wilson([0, 10, 0], [10, 10, 0])
    assert low[0] == 0 and high[1] == 1
    assert 0 < high[0] < 1 and 0 < low[1] < 1
    assert np.isnan(low[2]) and np.isnan(high[2])


def test_newcombe_equals_statsmodels_and_r():
    low, high = newcombe((48, 56), (80, 70))
    other = confint_proportions_2indep(56, 70, 48, 80, compare="diff", method="newcomb")
    assert (low, high) == pytest.approx(other, abs=1e-12)
    # R package Epi 2.47, ci.pd(aa = 56, bb = 48, cc = 14, dd = 32, method = "Nc"): Newcombe's
    # method 10; then ci.pd(9, 3, 1, 7) and ci.pd(5, 0, 51, 29).
    assert (low, high) == pytest.approx((0.052431472402, 0.333872654037), abs=1e-11)
    assert newcombe((3, 9), (10, 10)) == pytest.approx((0.170522723935, 0.809017973535), abs=1e-11)
    assert newcombe((0, 5), (29, 56)) == pytest.approx((-0.038137147904, 0.192560013855), abs=1e-11)


@pytest.mark.parametrize(("share", "variance", "expected_low", "expected_high"), SVYCIPROP)
def test_korn_graubard_equals_r_survey(share, variance, expected_low, expected_high):
    found = korn_graubard(share, variance, 183, 14)
    assert found == pytest.approx((expected_low, expected_high), rel=1e-9)


def test_korn_graubard_prints_what_the_help_of_svyciprop_prints():
    share, variance, *_ = SVYCIPROP[0]
    low, high = korn_graubard(share, variance, 183, 14)
    assert (f"{share:.4g}", f"{low:.2g}", f"{high:.4g}") == ("0.02186", "0.00022", "0.1375")


def test_korn_graubard_is_of_an_array_what_it_is_of_each():
    shares, variances, lows, highs = np.array(SVYCIPROP).T
    low, high = korn_graubard(shares.reshape(2, 3), variances.reshape(2, 3), 183, 14)
    np.testing.assert_allclose(low, lows.reshape(2, 3), rtol=1e-9)
    np.testing.assert_allclose(high, highs.reshape(2, 3), rtol=1e-9)


def test_korn_graubard_never_counts_more_people_than_there_are():
    # sch.wide == "Yes" in apiclus1, where clusters do better than chance: effective size 224 of
    # 183. R 4.2.2, stats::qbeta(0.025, 183 p, 183 (1 - p) + 1) and qbeta(0.975, 183 p + 1, …).
    # svyciprop itself does not truncate and gives the narrower (0.8237, 0.9147).
    found = korn_graubard(0.8743169398907104, 0.0004145083136745021, 183, 14)
    assert found == pytest.approx((0.817402607297405, 0.918632469087454), rel=1e-9)


def test_korn_graubard_of_a_simple_sample_is_clopper_pearson():
    count = np.arange(21)
    share = count / 20
    # A variance over n, as under a design it is over n - 1, has 20 people worth 20.
    low, high = korn_graubard(share, share * (1 - share) / 20, 20, 19)
    exact = [binomtest(int(k), 20).proportion_ci(method="exact") for k in count]
    np.testing.assert_allclose(low, [ci.low for ci in exact], atol=1e-12)
    np.testing.assert_allclose(high, [ci.high for ci in exact], atol=1e-12)


def test_korn_graubard_where_the_variance_says_nothing():
    # R 4.2.2, stats::binom.test(0, 183)$conf.int and binom.test(20, 20)$conf.int.
    assert korn_graubard(0, 0, 183, 14) == pytest.approx((0, 0.0199560008413162), rel=1e-9)
    assert korn_graubard(1, np.nan, 20, 3) == pytest.approx((0.831566529016915, 1), rel=1e-9)
    # By the effective size of the weights: stats::qbeta(0.975, 1, 61.5); never above n.
    assert korn_graubard(0, 0, 183, 14, 61.5)[1] == pytest.approx(0.0582183070663588, rel=1e-9)
    assert korn_graubard(0, 0, 183, 14, 999) == korn_graubard(0, 0, 183, 14)
    # All of the population, or a variance from one cluster: as the effective size alone.
    whole = korn_graubard([0.5, 0.5, 0.5], [0, np.nan, 0.01], 20, [19, 19, 0])
    assert np.ptp(whole, axis=1) == pytest.approx([0, 0])
    assert korn_graubard(1 + 1e-15, 0, 20, 19)[1] == 1


def test_korn_graubard_without_a_base_or_with_an_impossible_share():
    low, high = korn_graubard([0.0, np.nan, 0.5], [0.0, 0.0, 0.1], [0, 10, 0], 5)
    assert np.isnan(low).all() and np.isnan(high).all()
    with pytest.raises(ValueError, match="between 0 and 1"):
        korn_graubard(1.2, 0.1, 20, 19)


@given(
    st.floats(0, 1), st.floats(0, 10), st.integers(1, 10**6), st.integers(0, 10**4),
    st.floats(0.5, 0.999),
)  # fmt: skip
def test_korn_graubard_is_around_the_share_and_between_0_and_1(share, variance, n, df, level):
    low, high = korn_graubard(share, variance, n, df, None, level)
    assert 0 <= low <= share + 1e-9 and share - 1e-9 <= high <= 1


def test_korn_graubard_widens_with_the_variance_and_with_fewer_clusters():
    low, high = korn_graubard(0.3, np.linspace(0.001, 0.05, 30), 500, 40)
    assert (np.diff(low) < 0).all() and (np.diff(high) > 0).all()
    low, high = korn_graubard(0.3, 0.001, 500, np.arange(1, 60))
    assert (np.diff(low) > 0).all() and (np.diff(high) < 0).all()


def test_goodman_equals_r():
    # R package CoinMinD, the output that its help page prints for GM(y, 0.05), where
    # y = c(44, 55, 43, 32, 67, 78); R 4.2.2 gives the same to every digit by
    # stats::prop.test(y[i], sum(y), conf.level = 1 - 0.05 / 6, correct = FALSE).
    low, high = goodman([44, 55, 43, 32, 67, 78])
    np.testing.assert_allclose(
        low, [0.09468368, 0.12376893, 0.09208527, 0.06412671, 0.15637944, 0.18692732], atol=5e-9
    )
    np.testing.assert_allclose(
        high, [0.1966413, 0.2350489, 0.1931040, 0.1535697, 0.2760670, 0.3130119], atol=5e-8
    )
    # R 4.2.2, stats::prop.test(x, 18, conf.level = 1 - 0.05 / 3, correct = FALSE) of 0, 3, 15:
    # the score interval at alpha / k that R package DescTools names "goodman".
    low, high = goodman([0, 3, 15])
    np.testing.assert_allclose(low, [0, 0.047111451500883, 0.552776175702842], atol=1e-12)
    np.testing.assert_allclose(
        high, [0.241502913697061, 0.447223824297158, 0.952888548499117], atol=1e-12
    )


def test_goodman_takes_effective_counts_and_a_base():
    # R 4.2.2: stats::polyroot of (p - x)² n = qchisq(1 - 0.05 / 3, 1) x (1 - x), p = counts / n.
    low, high = goodman([12.5, 30.25, 7.25])
    np.testing.assert_allclose(
        low, [0.1344905977668551, 0.4370663342289413, 0.0628399989628828], atol=1e-12
    )
    np.testing.assert_allclose(
        high, [0.416927149616217, 0.751338211870168, 0.300173202321079], atol=1e-12
    )
    shares, effective = np.array([0.25, 0.605, 0.145]), np.array([50, 40, 60])
    one, other = goodman(shares * effective, effective), goodman(shares * 50, 50)
    assert one[0][0] == pytest.approx(other[0][0])
    assert one[0][1] < other[0][1] and one[0][2] > other[0][2]


def test_goodman_of_tables_of_one_category_and_of_nobody():
    table = np.array([[4, 0, 16], [0, 0, 0]])
    low, high = goodman(table)
    np.testing.assert_allclose(low[0], goodman(table[0])[0])
    assert np.isnan(low[1]).all() and np.isnan(high[1]).all()
    assert low[0, 1] == 0 and high[0, 1] > 0
    low, high = goodman([12])
    assert (low[0], high[0]) == pytest.approx(wilson(12, 12)) and high[0] == 1
    assert goodman([])[0].size == 0


@given(st.lists(st.floats(0, 1e4), min_size=1, max_size=8).filter(lambda c: sum(c) > 1e-6))
def test_goodman_is_between_0_and_1_around_the_share(counts):
    low, high = goodman(counts)
    share = np.array(counts) / sum(counts)
    assert ((low >= 0) & (low <= share + 1e-12) & (share <= high + 1e-12) & (high <= 1)).all()


def test_goodman_is_wider_than_wilson():
    counts = np.array([10, 20, 30])
    (low, high), (alone_low, alone_high) = goodman(counts), wilson(counts, 60)
    assert (low < alone_low).all() and (high > alone_high).all()
