"""Bootstrap against scipy, R boot and survey, formulas, and samples drawn out in full."""

import itertools

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.paths import PROJECT
from analysis.stats import bootstrap as module
from analysis.stats.bootstrap import (
    Sampling,
    Units,
    acceleration,
    bca,
    blocks,
    bootstrap,
    bootstrap_interval,
    clustered,
    index_interval,
    mean,
    percentile,
)
from analysis.stats.intervals import wilson

SCHOOLS = PROJECT.parent / "shared" / "reference" / "apiclus1.csv"
SCORES = np.array([
    0.849, 0.947, 0.822, 0.532, 0.998, 0.895, 0.825, 0.844, 0.72, 0.754, 0.857, 0.961, 0.82, 0.385,
    0.706, 0.738, 0.594, 0.644, 0.753, 0.476, 0.601, 0.777, 0.958, 0.851, 0.929, 0.995, 0.854,
    0.771, 0.182, 0.191,
])  # fmt: skip
ALIKE = Sampling()
PAIRS = np.array([
    (1.2, 2), (0.4, 1), (3.3, 4), (2.1, 3), (0.9, 1), (5.6, 5), (0.3, 1), (1.1, 2), (0.8, 1),
    (2.7, 3), (9.4, 6), (0.6, 2),
])  # fmt: skip


def resample_weights(n, draws, seed, sampling=ALIKE):
    """Weights of n people, of which none is like another, as they are drawn."""
    alone = np.arange(n)
    units = Units(alone, sampling.base(n), np.ones(n, np.int64), np.zeros(n, np.intp), 0)
    return blocks(clustered(n, sampling) if sampling.designed else units, draws, seed)


def all_weights(*arguments, **keywords):
    return np.concatenate(list(resample_weights(*arguments, **keywords)))


def ratio(weights, data):
    sums = weights @ data
    above, below = sums[:, 0], sums[:, 1]
    return np.divide(above, below, out=np.full(above.shape, np.nan), where=below != 0)


def total(weights, data):
    return weights @ data


def alpha(weights, items):
    """Cronbach's alpha of weighted people: matrix products alone."""
    n = weights.sum(axis=1)
    variances = weights @ items**2 / n[:, None] - (weights @ items / n[:, None]) ** 2
    sums = items.sum(axis=1)
    of_sum = weights @ sums**2 / n - (weights @ sums / n) ** 2
    k = items.shape[1]
    return k / (k - 1) * (1 - variances.sum(axis=1) / of_sum)


def ranks(weights, items):
    return (-(weights @ items)).argsort(axis=1).argsort(axis=1) + 1.0


def test_weights_are_counts_of_n_people():
    weights = all_weights(40, 300, 1)
    assert weights.shape == (300, 40)
    assert (weights == weights.round()).all() and (weights.sum(axis=1) == 40).all()
    # A count is binomial of 40 at 1 / 40: variance 0.975. Over 12,000 counts, to 4 errors.
    assert weights.var() == pytest.approx(0.975, abs=0.06)


def test_blocks_hold_no_more_than_they_may(monkeypatch):
    once = all_weights(20, 50, 3)
    monkeypatch.setattr(module, "BLOCK", 130)
    drawn = list(resample_weights(20, 50, 3))
    assert max(block.size for block in drawn) <= 130
    np.testing.assert_array_equal(np.concatenate(drawn), once)
    monkeypatch.setattr(module, "BLOCK", 7)
    np.testing.assert_array_equal(all_weights(20, 50, 3), once)
    in_blocks = acceleration(mean, SCORES)
    monkeypatch.undo()
    assert in_blocks == pytest.approx(acceleration(mean, SCORES), rel=1e-12)


def test_clusters_are_drawn_whole_one_fewer_in_each_stratum():
    strata = np.array(list("aaaaaabbbbc"))
    clusters = np.array([1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 9])
    base = np.arange(1.0, 12.0)
    weights = all_weights(11, 400, 5, sampling=Sampling(base, strata, clusters)) / base
    for pair in ((0, 1), (2, 3), (4, 5), (6, 7), (8, 9)):
        np.testing.assert_allclose(weights[:, pair[0]], weights[:, pair[1]])
    # Two of three clusters, each then worth 3 / 2; one of two, worth 2; one alone stays.
    assert set(np.round(weights[:, 0] / 1.5, 9)) == {0, 1, 2}
    np.testing.assert_allclose(weights[:, [0, 2, 4]].sum(axis=1), 3)
    assert set(np.round(weights[:, 6], 9)) == {0, 2}
    np.testing.assert_allclose(weights[:, 10], 1)


def test_error_of_a_mean_is_that_of_its_formula():
    found = bootstrap(mean, SCORES, 20_000, 1)
    assert found.estimate == pytest.approx(SCORES.mean(), rel=1e-12)
    # A standard deviation of 20,000 draws is known to about 0.5 %.
    assert found.error == pytest.approx(SCORES.std() / np.sqrt(30), rel=0.02)
    # One fewer of n, raised: the unbiased variance.
    rows = Sampling(strata=np.zeros(30))
    found = bootstrap(mean, SCORES, 20_000, 1, rows)
    assert found.error == pytest.approx(SCORES.std(ddof=1) / np.sqrt(30), rel=0.02)


def test_mean_interval_equals_r_boot():
    # R package boot 1.3-28.1: boot.ci(boot(x, function(d, i) mean(d[i]), R = 1e6),
    # type = c("perc", "bca"), L = L), set.seed(3); L the jackknife values less their mean, times
    # 1 - n; a = sum(L^3) / (6 sum(L^2)^1.5). A bound of 20,000 draws is known to about 0.001.
    skew = acceleration(mean, SCORES)
    assert skew == pytest.approx(-0.0373232829167, rel=1e-9)
    found = bootstrap(mean, SCORES, 20_000, 4)
    assert np.ravel(bca(found, skew)) == pytest.approx([0.6513, 0.804966666667], abs=0.004)
    assert np.ravel(percentile(found)) == pytest.approx([0.6618, 0.811633333333], abs=0.004)


def test_ratio_interval_equals_r_boot():
    # As above with function(d, i) sum(d[i, 1]) / sum(d[i, 2]), set.seed(2): error 0.1444, bounds
    # known to about 0.004.
    skew = acceleration(ratio, PAIRS)
    assert skew == pytest.approx(0.112336726864, rel=1e-9)
    found = bootstrap(ratio, PAIRS, 20_000, 4)
    assert found.estimate == pytest.approx(0.916129032258, rel=1e-9)
    assert found.error == pytest.approx(0.144399831887, rel=0.02)
    assert np.ravel(bca(found, skew)) == pytest.approx([0.684, 1.2675], abs=0.015)
    assert np.ravel(percentile(found)) == pytest.approx([0.618181818, 1.169230769], abs=0.015)


def test_interval_equals_scipy():
    rng = np.random.default_rng(2)
    values = rng.binomial(12, rng.beta(4, 1, 60)) / 12
    other = scipy.stats.bootstrap(
        (values,), np.mean, n_resamples=9999, method="BCa", rng=np.random.default_rng(5)
    )
    _, low, high = bootstrap_interval(mean, values, 20_000, 1)
    # Both bounds are known to about 0.03 standard errors.
    limit = 0.15 * other.standard_error
    assert low == pytest.approx(other.confidence_interval.low, abs=limit)
    assert high == pytest.approx(other.confidence_interval.high, abs=limit)


def test_total_under_strata_equals_r_survey():
    # R survey 4.1-1, data scd: svytotal(~alive, svydesign(id = ~ambulance, strata = ~ESA,
    # weights = ~c(1, 1, 2, 2, 1.5, 1.5), data = scd, nest = TRUE)): 432, SE 40.8656334834; the
    # ratio to arrests 0.152974504249.
    alive = np.array([25.0, 24, 30, 49, 80, 70])
    arrests = np.array([120.0, 78, 185, 228, 670, 530])
    design = Sampling([1, 1, 2, 2, 1.5, 1.5], [1, 1, 2, 2, 3, 3], [1, 2, 1, 2, 1, 2])
    found = bootstrap(total, alive, 4000, 1, design)
    assert found.estimate == pytest.approx(432)
    # One of two clusters in each of three strata: eight resamples, the half samples.
    halves = [2 * sum(half) for half in itertools.product((25, 24), (60, 98), (120, 105))]
    assert set(np.round(found.draws[:, 0], 6)) == set(halves)
    assert np.std(halves) == pytest.approx(40.8656334834, rel=1e-9)
    assert found.error == pytest.approx(40.8656334834, rel=0.03)
    both = bootstrap(ratio, np.column_stack([alive, arrests]), 100, 1, design)
    assert both.estimate == pytest.approx(0.152974504249, rel=1e-9)


def test_mean_of_clusters_equals_r_survey():
    if not SCHOOLS.exists():
        pytest.skip(f"no reference data at {SCHOOLS}")
    schools = pd.read_csv(SCHOOLS)
    design = Sampling(schools["pw"], clusters=schools["dnum"])
    found = bootstrap(mean, schools["api00"], 10_000, 1, design)
    assert found.estimate == pytest.approx(644.1693989071, rel=1e-9)
    # R survey 4.1-1: SE(svymean(~api00, as.svrepdesign(svydesign(id = ~dnum, weights = ~pw,
    # data = apiclus1), type = "subbootstrap", replicates = 20000))), set.seed(3). Both errors are
    # of draws, known to about 0.5 and 0.7 %.
    assert found.error == pytest.approx(23.5894944100543, rel=0.03)


def test_statistics_of_weights_are_those_of_people_repeated():
    rng = np.random.default_rng(6)
    items = (rng.normal(size=(40, 1)) + rng.normal(size=(40, 4))).round()
    weights = all_weights(40, 20, 2)
    for row, value in zip(weights, alpha(weights, items), strict=True):
        people = np.repeat(items, row.astype(int), axis=0)
        of_items, of_sum = people.var(axis=0, ddof=1).sum(), people.sum(axis=1).var(ddof=1)
        assert value == pytest.approx(4 / 3 * (1 - of_items / of_sum))
    estimate, low, high = bootstrap_interval(alpha, items, 500, 1)
    assert low[0] < estimate[0] < high[0] < 1


def test_ranks_of_items_have_an_interval_each():
    rng = np.random.default_rng(7)
    items = rng.binomial(3, [0.9, 0.5, 0.52, 0.1], (80, 4)) / 3
    estimate, low, high = bootstrap_interval(ranks, items, 1000, 1, method="percentile")
    assert sorted(estimate) == [1, 2, 3, 4]
    assert (low[0], high[0], low[3], high[3]) == (1, 1, 4, 4)
    assert (low[1], high[1]) == (low[2], high[2]) == (2, 3)


@settings(max_examples=25)
@given(st.randoms(use_true_random=False), st.integers(0, 100))
def test_order_of_rows_does_not_matter(random, seed):
    data = np.column_stack([PAIRS, np.arange(12) % 3])
    data[4, 2] = np.nan
    mixed = random.sample(range(12), 12)
    one = bootstrap(ratio, data, 50, seed)
    np.testing.assert_array_equal(bootstrap(ratio, data[mixed], 50, seed).draws, one.draws)
    weights, clusters = np.arange(12.0), np.arange(12) // 3
    design = Sampling(weights, None, clusters)
    other = Sampling(weights[mixed], None, clusters[mixed])
    np.testing.assert_allclose(
        bootstrap(ratio, data[mixed], 50, seed, other).draws,
        bootstrap(ratio, data, 50, seed, design).draws,
    )


def test_same_seed_same_numbers():
    assert index_interval(SCORES, seed=3) == index_interval(SCORES, seed=3)
    assert index_interval(SCORES, seed=3) != index_interval(SCORES, seed=4)


@pytest.mark.parametrize("design", [{}, {"strata": np.arange(30) % 2}, {"clusters": SCORES > 0.8}])
def test_weights_of_one_are_none_and_their_scale_does_not_matter(design):
    plain = index_interval(SCORES, **design)
    assert index_interval(SCORES, np.ones(30), **design) == plain
    assert index_interval(SCORES, np.full(30, 2.0), **design) == pytest.approx(plain)


def test_acceleration_with_one_stratum_is_that_without_and_adds_over_strata():
    plain = acceleration(ratio, PAIRS)
    rows = acceleration(ratio, PAIRS, Sampling(strata=np.zeros(12)))
    assert rows == pytest.approx(plain, rel=1e-9)
    # A sum over two strata: third moments add, and so do second ones.
    values, strata = SCORES, np.arange(30) % 2
    cubes, squares = 0.0, 0.0
    for stratum in (0, 1):
        gaps = values[strata == stratum] - values[strata == stratum].mean()
        # Taking one of 15 out and raising the others moves a sum by 15 / 14 of its gap.
        cubes, squares = cubes + (gaps**3).sum(), squares + (gaps**2).sum()
    found = acceleration(total, values, Sampling(strata=strata))
    assert found == pytest.approx(cubes / (6 * squares**1.5), rel=1e-9)


def test_one_alone_has_no_error():
    for data, sampling in (
        (SCORES[:1], Sampling()),
        (SCORES, Sampling(clusters=np.zeros(30))),
        (SCORES[:3], Sampling(strata=[1, 2, 3])),
    ):
        estimate, low, high = bootstrap_interval(mean, data, 50, 1, sampling=sampling)
        assert estimate == pytest.approx(data.mean())
        assert np.isnan([low, high, bootstrap(mean, data, 50, 1, sampling).error]).all()


def test_what_cannot_be_told_is_missing():
    # Fewer people are in a resample than in the sample, in each; a ratio to nothing is no number.
    drawn = bootstrap_interval(lambda w, x: (w > 0).mean(axis=1), SCORES, 50, 1)
    assert drawn[0] == 1 and np.isnan(drawn[1:]).all()
    nothing = bootstrap_interval(ratio, PAIRS * [1, 0], 50, 1)
    assert np.isnan(nothing).all()
    same = bootstrap_interval(mean, np.full(9, 0.1), 50, 1)
    assert np.ravel(same) == pytest.approx([0.1, 0.1, 0.1])


def test_wrong_calls_are_told():
    with pytest.raises(ValueError, match="no rows"):
        bootstrap(mean, [], 10, 1)
    with pytest.raises(ValueError, match="weights"):
        bootstrap(mean, SCORES, 10, 1, Sampling([1.0]))
    with pytest.raises(ValueError, match="weights"):
        bootstrap(mean, [1.0, 2.0], 10, 1, Sampling([1.0, -1.0]))
    with pytest.raises(ValueError, match="label"):
        list(resample_weights(3, 10, 1, Sampling(clusters=[1, 2])))
    with pytest.raises(ValueError, match="method"):
        bootstrap_interval(mean, SCORES, method="normal")
    with pytest.raises(ValueError, match="between 0 and 1"):
        index_interval([0.5, 1.5])


def test_index_is_the_interval_of_the_mean_of_the_scores_there_are():
    estimate, low, high = bootstrap_interval(mean, SCORES, 2000, 0)
    with_gaps = np.insert(SCORES, [0, 7, 30], np.nan)
    assert index_interval(with_gaps) == (estimate[0], low[0], high[0])
    weights = np.insert(np.ones(30), [0, 7, 30], 5.0)
    assert index_interval(with_gaps, weights) == (estimate[0], low[0], high[0])


def test_index_of_clusters_counts_those_without_a_score():
    clusters = np.repeat(np.arange(10), 3)
    scores = np.where(clusters < 8, SCORES, np.nan)
    found = index_interval(scores, clusters=clusters)
    assert found[0] == pytest.approx(SCORES[:24].mean())
    alone = index_interval(SCORES[:24], clusters=clusters[:24])
    assert alone[0] == pytest.approx(found[0]) and alone != found


def test_index_of_few_scores_or_of_one_score():
    assert np.isnan(index_interval([])).all()
    assert np.isnan(index_interval([np.nan, np.nan])).all()
    first, *bounds = index_interval([0.25, np.nan])
    assert first == 0.25 and np.isnan(bounds).all()
    # Resamples of scores all alike say nothing: the widest that such a mean allows.
    assert index_interval([1.0] * 5) == pytest.approx((1, *wilson(5, 5)))
    assert index_interval([0.5] * 8) == pytest.approx((0.5, *wilson(4, 8)))
    # Weights 1 and 3 are worth 1.6 people.
    assert index_interval([0.0, 0.0], [1, 3]) == pytest.approx((0, *wilson(0, 1.6)))


@settings(max_examples=50)
@given(st.lists(st.sampled_from([0, 1 / 3, 0.5, 2 / 3, 1]), min_size=2, max_size=30))
def test_index_never_leaves_0_to_1(scores):
    found, low, high = index_interval(scores, draws=200)
    assert found == pytest.approx(np.mean(scores))
    assert 0 <= low <= high <= 1
    assert low <= found + 1e-12 and found <= high + 1e-12
