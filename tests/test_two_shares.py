"""Differences of two shares against Newcombe's paper, statsmodels, scipy, and by simulation."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, chi2_contingency, fisher_exact, ttest_ind_from_stats

from analysis.stats.intervals import korn_graubard, wilson
from analysis.stats.two_shares import compared

# Newcombe (1998), Statistics in Medicine 17, 873, table II: his contrasts a to h, and the interval
# that he prints for method 10. First minus second there, second minus first here.
NEWCOMBE = [
    ((56, 70), (48, 80), 0.0524, 0.3339),
    ((9, 10), (3, 10), 0.1705, 0.8090),
    ((6, 7), (2, 7), 0.0582, 0.8062),
    ((5, 56), (0, 29), -0.0381, 0.1926),
    ((0, 10), (0, 20), -0.1611, 0.2775),
    ((0, 10), (0, 10), -0.2775, 0.2775),
    ((10, 10), (0, 20), 0.6791, 1.0000),
    ((10, 10), (0, 10), 0.6075, 1.0000),
    # Fagerland, Lydersen and Laake (2015), Stat. Methods in Medical Research 24, 224: the table of
    # their example, "Newcombe hybrid score".
    ((7, 34), (1, 34), 0.019, 0.34),
]


def simple(count, base) -> pd.DataFrame:
    """Released numbers of simple samples."""
    count, base = np.atleast_1d(count).astype(float), np.atleast_1d(base).astype(float)
    low, high = wilson(count, base)
    return pd.DataFrame(
        {"base_n": base, "count": count, "share": count / base, "share_low": low,
         "share_high": high, "effective_n": base, "df": np.nan}
    )  # fmt: skip


def designed(share, variance, base, df) -> pd.DataFrame:
    """Released numbers under a survey design."""
    low, high = korn_graubard(share, variance, base, df)
    effective = np.asarray(share) * (1 - np.asarray(share)) / variance
    return pd.DataFrame(
        {"base_n": base, "count": np.nan, "share": share, "share_low": low, "share_high": high,
         "effective_n": effective, "df": df}, index=[0],
    )  # fmt: skip


@pytest.mark.parametrize(("one", "other", "low", "high"), NEWCOMBE)
def test_the_interval_is_the_one_newcombe_prints(one, other, low, high):
    found = compared(simple(*other), simple(*one)).iloc[0]
    digits = 5e-5 if round(high, 2) != high or high == 1 else 5e-3
    assert (found["low"], found["high"]) == pytest.approx((low, high), abs=digits)
    assert found["difference"] == pytest.approx(one[0] / one[1] - other[0] / other[1])


def test_the_p_value_of_large_samples_is_pearsons():
    found = compared(simple(48, 80), simple(56, 70)).iloc[0]
    table = [[48, 32], [56, 14]]
    assert found["test"] == "score"
    assert found["p_value"] == pytest.approx(chi2_contingency(table, correction=False).pvalue)


def test_the_p_value_of_small_samples_is_fishers():
    found = compared(simple(3, 10), simple(9, 10)).iloc[0]
    assert found["test"] == "fisher"
    assert found["p_value"] == pytest.approx(fisher_exact([[3, 7], [9, 1]]).pvalue)
    # Expected counts 5 and 15: Pearson's holds from there on.
    assert compared(simple(4, 20), simple(6, 20)).iloc[0]["test"] == "score"


def test_no_answer_at_all_is_no_difference():
    found = compared(simple([0, 10], [10, 10]), simple([0, 20], [20, 20]))
    assert list(found["difference"]) == [0, 0] and list(found["p_value"]) == [1, 1]


def test_what_is_held_back_is_not_compared():
    hidden = simple(3, 9).assign(share=np.nan, share_low=np.nan, share_high=np.nan, count=np.nan,
                                 base_n=np.nan, effective_n=np.nan)  # fmt: skip
    for pair in ((hidden, simple(40, 80)), (simple(40, 80), hidden), (hidden, hidden)):
        found = compared(*pair).iloc[0]
        assert found[["difference", "low", "high", "p_value"]].isna().all()
        assert found["test"] == ""


def test_a_complete_count_has_no_interval_and_is_not_compared():
    counted = simple(400, 4198).assign(share_low=np.nan, share_high=np.nan, effective_n=np.nan)
    found = compared(counted, simple(40, 80)).iloc[0]
    assert np.isnan(found["difference"]) and np.isnan(found["p_value"])


def test_a_design_of_equal_weights_and_many_units_is_a_simple_sample():
    many = 10**7
    first, second = (designed(p, p * (1 - p) / n, n, many) for p, n in ((0.6, 800), (0.7, 700)))
    found = compared(first, second).iloc[0]
    plain = compared(simple(480, 800), simple(490, 700)).iloc[0]
    assert found["test"] == "score"
    assert found["p_value"] == pytest.approx(plain["p_value"], rel=1e-4)
    # Korn and Graubard's intervals are a little wider than Wilson's.
    assert found["low"] < plain["low"] < plain["high"] < found["high"]
    assert found["high"] - found["low"] == pytest.approx(plain["high"] - plain["low"], rel=0.03)


def test_a_design_has_the_degrees_of_freedom_of_welch():
    """At one share, pooling changes nothing: the p value is Welch's of two means."""
    first, second = designed(0.5, 0.004, 300, 8), designed(0.5, 0.001, 400, 30)
    second["share"] += 0.13
    second["effective_n"] = 0.25 / 0.001
    found = compared(first, second).iloc[0]
    pooled = (62.5 * 0.5 + 250 * 0.63) / 312.5
    spread = pooled * (1 - pooled)
    # A mean of df + 1 people has df degrees of freedom.
    deviations = [np.sqrt(spread / m * (df + 1)) for m, df in ((62.5, 8), (250, 30))]
    welch = ttest_ind_from_stats(0.5, deviations[0], 9, 0.63, deviations[1], 31, equal_var=False)
    assert found["p_value"] == pytest.approx(welch.pvalue, rel=1e-9)


@pytest.mark.parametrize(
    ("p", "n"),
    [
        ((0.1, 0.1), (341, 72)),
        ((0.5, 0.62), (72, 72)),
        ((0.95, 0.85), (341, 40)),
        ((0.03, 0.02), (200, 341)),
    ],
)
def test_the_interval_covers_and_the_test_holds_its_level(p, n):
    """Every pair of counts, weighted by its chance: coverage without the noise of a simulation."""
    first, second = (np.arange(size + 1) for size in n)
    x, y = (each.ravel() for each in np.meshgrid(first, second, indexing="ij"))
    chance = binom.pmf(x, n[0], p[0]) * binom.pmf(y, n[1], p[1])
    likely = chance > 1e-9
    x, y, chance = x[likely], y[likely], chance[likely]
    found = compared(simple(x, np.full(len(x), n[0])), simple(y, np.full(len(y), n[1])))
    inside = (found["low"] <= p[1] - p[0]) & (p[1] - p[0] <= found["high"])
    assert 0.93 <= chance[inside].sum() <= 0.99
    if p[0] == p[1]:
        assert chance[found["p_value"] < 0.05].sum() <= 0.055


def test_intervals_of_two_designs_cover():
    """Clusters of ten people who are alike, in both samples: the design knows, and covers."""
    rng = np.random.default_rng(5)
    rates, clusters, size, draws = (0.35, 0.5), 30, 10, 4000
    frames = []
    for rate in rates:
        centres = rng.beta(rate * 6, (1 - rate) * 6, (draws, clusters))
        means = rng.binomial(size, centres) / size
        share, variance = means.mean(axis=1), means.var(axis=1, ddof=1) / clusters
        low, high = korn_graubard(share, variance, clusters * size, clusters - 1)
        frames.append(
            pd.DataFrame(
                {"base_n": clusters * size, "count": share * clusters * size, "share": share,
                 "share_low": low, "share_high": high,
                 "effective_n": share * (1 - share) / variance, "df": clusters - 1.0}
            )
        )  # fmt: skip
    found = compared(*frames)
    inside = (found["low"] <= rates[1] - rates[0]) & (rates[1] - rates[0] <= found["high"])
    assert 0.945 <= inside.mean() <= 0.985
