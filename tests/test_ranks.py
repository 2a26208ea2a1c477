"""Ranks of items: clear cases, the simultaneous bound against R and Tukey, joint coverage."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import ndtri
from scipy.stats import studentized_range

from analysis.stats.ranks import COLUMNS, rank_intervals, simultaneous_bound


def answers(rng, shares, people, missing=0.0, together=0.5):
    """Correlated answers, agreeing with these chances, some not concerned."""
    shared, own = rng.normal(size=(people, 1)), rng.normal(size=(people, len(shares)))
    leaning = np.sqrt(together) * shared + np.sqrt(1 - together) * own
    scores = (leaning < ndtri(np.array(shares))).astype(float)
    scores[rng.random(scores.shape) < missing] = np.nan
    return pd.DataFrame(scores, columns=list("abcdefghij")[: len(shares)])


def ranks(found):
    return found.set_index("item")[COLUMNS[1:]].to_numpy(dtype=float, na_value=np.nan).tolist()


def test_items_far_apart_have_exact_ranks():
    scores = answers(np.random.default_rng(1), [0.2, 0.95, 0.5, 0.75], 400, 0.1)
    assert ranks(rank_intervals(scores)) == [[4, 4, 4], [1, 1, 1], [3, 3, 3], [2, 2, 2]]


def test_items_alike_have_the_full_range_and_the_best_of_their_ranks():
    one = answers(np.random.default_rng(1), [0.6], 200)["a"]
    scores = pd.DataFrame(dict.fromkeys("abcd", one))
    assert ranks(rank_intervals(scores)) == [[1, 1, 4]] * 4
    scores["below"] = 0.0
    assert ranks(rank_intervals(scores)) == [[1, 1, 4]] * 4 + [[5, 5, 5]]


def test_bound_is_that_of_tukey_for_independent_items():
    for items in (2, 4, 8):
        expected = studentized_range.ppf(0.95, items, np.inf) / np.sqrt(2)
        bound = simultaneous_bound(0.3 * np.eye(items), draws=40_000, seed=1)
        assert bound == pytest.approx(expected, abs=0.03)
    assert simultaneous_bound(np.eye(1)) == np.inf


def test_bound_equals_mvtnorm_for_items_that_go_together():
    covariance = np.array([[4, 1, 0.5, 0], [1, 2, 0.8, 0.3], [0.5, 0.8, 1, 0.2], [0, 0.3, 0.2, 3]])
    # R package mvtnorm: qmvnorm(.95, tail = "both.tails", corr = cov2cor(K %*% C %*% t(K))), where
    # K takes the six differences; GenzBretz(maxpts = 1e6, abseps = 1e-6), seed 1.
    bound = simultaneous_bound(covariance, draws=40_000, seed=1)
    assert bound == pytest.approx(2.53660562, abs=0.03)


def test_two_items_are_apart_where_agresti_and_min_say():
    """The adjusted Wald interval of matched shares: half a person more in each cell."""
    confident = {}
    for only in range(1, 20):
        cells = [(1, 1)] * 20 + [(1, 0)] * only + [(0, 1)] * 3 + [(0, 0)] * 10
        n, b, c = len(cells) + 2, only + 0.5, 3.5
        z = (b - c) / n / (np.sqrt(b + c - (b - c) ** 2 / n) / n)
        scores = pd.DataFrame(cells, columns=["a", "b"])
        confident[only] = ranks(rank_intervals(scores))[0] == [1, 1, 1], z
    # The seeded bound of one pair is 1.96, give or take the noise of the draws.
    assert all(apart == (z > 1.96) for apart, z in confident.values() if abs(z - 1.96) > 0.08)
    assert {apart for apart, _ in confident.values()} == {True, False}


def test_a_few_people_who_all_agree_are_not_sure_to_be_first():
    scores = answers(np.random.default_rng(2), [0.85, 0.85], 240)
    scores.loc[3:, "b"] = np.nan
    scores.loc[:2, "b"] = 1.0
    assert ranks(rank_intervals(scores)) == [[2, 1, 2], [1, 1, 2]]


@pytest.mark.parametrize(
    ("shares", "people", "missing"),
    [([0.7] * 5, 243, 0.2), ([0.9] * 5, 18, 0.2), ([0.95, 0.9, 0.85, 0.8, 0.8], 60, 0.3)],
)
def test_all_ranks_are_covered_together(shares, people, missing):
    rng, runs = np.random.default_rng(3), 200
    true = np.array(shares)
    best = 1 + (true[:, None] < true).sum(axis=1)
    worst = (true[:, None] <= true).sum(axis=1)
    covered = 0
    for seed in range(runs):
        scores = answers(rng, shares, people, missing)
        found = rank_intervals(scores, draws=999, seed=seed)
        covered += ((found["rank_low"] <= best) & (found["rank_high"] >= worst)).all()
    # Three standard errors of 95 % over 200 runs are 4.6 points.
    assert covered / runs > 0.95 - 0.046


def test_people_compared_with_themselves_part_items_sooner():
    rng = np.random.default_rng(5)
    scores = answers(rng, [0.6, 0.7], 200, together=0.98)
    mixed = scores.assign(b=rng.permutation(scores["b"]))
    assert ranks(rank_intervals(scores)) == [[2, 2, 2], [1, 1, 1]]
    assert ranks(rank_intervals(mixed)) == [[2, 1, 2], [1, 1, 2]]


def test_weights_change_shares_and_their_scale_does_not():
    scores = answers(np.random.default_rng(6), [0.5, 0.55, 0.9], 300, 0.1)
    plain = rank_intervals(scores)
    for same in (1.0, 3.0):
        weights = pd.Series(same, scores.index)
        pd.testing.assert_frame_equal(rank_intervals(scores, weights), plain)
    turned = pd.Series(np.where(scores["a"] > scores["b"].fillna(0), 3.0, 1.0), scores.index)
    share = [np.average(x.dropna(), weights=turned[x.notna()]) for _, x in scores.items()]
    found = rank_intervals(scores, turned)
    assert found["rank"].tolist() == pd.Series(share).rank(ascending=False).tolist() == [2, 3, 1]
    shuffled = scores.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(rank_intervals(shuffled, turned), found)


def test_unequal_weights_widen_ranks():
    scores = answers(np.random.default_rng(8), [0.6, 0.68, 0.76, 0.84], 400, together=0.3)
    heavy = pd.Series(np.random.default_rng(9).lognormal(0, 1.5, 400))
    width = [
        (found["rank_high"] - found["rank_low"]).sum()
        for found in (rank_intervals(scores), rank_intervals(scores, heavy))
    ]
    assert width[0] < width[1]


def test_items_without_answers_have_no_rank():
    scores = answers(np.random.default_rng(1), [0.2, 0.95], 200)
    scores.insert(1, "nobody", np.nan)
    low, none, high = ranks(rank_intervals(scores))
    assert low == [2, 2, 2] and high == [1, 1, 1] and np.isnan(none).all()
    assert ranks(rank_intervals(scores[["a"]])) == [[1, 1, 1]]
    assert rank_intervals(scores.iloc[:0])["rank"].isna().all()
    assert list(rank_intervals(pd.DataFrame()).columns) == COLUMNS
    unweighted = rank_intervals(scores, pd.Series(0.0, scores.index))
    assert unweighted["rank"].isna().all()


def test_nonsense_is_told():
    scores = pd.DataFrame({"a": [0.0, 1], "b": [1.0, 0]})
    with pytest.raises(ValueError, match="between 0 and 1"):
        rank_intervals(scores * 4)
    for wrong in ([-1.0, 1], [np.nan, 1]):
        with pytest.raises(ValueError, match="weights"):
            rank_intervals(scores, pd.Series(wrong))


@settings(max_examples=50)
@given(
    arrays(float, (12, 4), elements=st.sampled_from([0.0, 1.0, np.nan])),
    st.sampled_from([0.5, 0.95]),
)
def test_a_rank_lies_in_its_interval(values, confidence):
    found = rank_intervals(pd.DataFrame(values), confidence=confidence, draws=199).dropna()
    assert (found["rank_low"] >= 1).all() and (found["rank_high"] <= len(found)).all()
    assert (found["rank_low"] <= found["rank"]).all()
    assert (found["rank"] <= found["rank_high"]).all()
