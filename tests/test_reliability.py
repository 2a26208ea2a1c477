"""Reliability against R packages psych and lavaan, on a small matrix written out."""

import warnings

import numpy as np
import pandas as pd
import pytest

from analysis.stats.reliability import Reliability, alpha, omega

FULL = """32343 34344 32343 44344 44444 12111 22112 11232 32233 44442 23314 33342 11111 23233 23223
44434 44334 43243 42231 34332 44333 32311 22133 33332 23122 11233 12333 33312 32242 11222 33443
33233 13221 13122 33223 32233"""
# 0: not concerned.
MISSING = """32343 34044 32303 40344 44400 12101 20112 11202 32233 44442 23304 30342 11011 23233
23023 44434 44330 43243 42231 34332 44333 32311 22133 33332 23122 11233 12033 33302 32242 11202
33003 33233 13201 13022 33203 32203"""


@pytest.fixture(autouse=True)
def no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def matrix(text):
    rows = [[float(score) for score in person] for person in text.split()]
    return pd.DataFrame(rows, columns=list("abcde")).replace(0, np.nan)


def people(rng, n, missing=0.0):
    """Answers 1 to 4 that rest on one factor, the last items missing most."""
    factor, own = rng.normal(size=(n, 1)), rng.normal(size=(n, 6))
    leaning = factor * np.linspace(0.9, 0.4, 6) + 0.7 * own
    scores = np.digitize(leaning, [-1.2, -0.4, 0.6]) + 1.0
    scores[rng.random(scores.shape) < np.linspace(0, 2 * missing, 6)] = np.nan
    return pd.DataFrame(scores)


def test_alpha_of_complete_answers_equals_psych():
    found = alpha(matrix(FULL))
    # R package psych 2.2.9: alpha(d)$total$raw_alpha; alpha.ci(., n.obs = 36, n.var = 5).
    assert found.value == pytest.approx(0.825844566, abs=1e-8)
    assert (found.low, found.high) == pytest.approx((0.716245513, 0.901811247), abs=1e-7)
    assert (found.n, found.items) == (pytest.approx(36), 5)


def test_alpha_of_answers_with_missing_ones_equals_psych():
    found = alpha(matrix(MISSING))
    # R package psych 2.2.9: alpha(d)$total$raw_alpha, pairwise. The people behind a pair:
    # n <- crossprod(!is.na(d)); 1 / mean(1 / n[row(n) != col(n)]), and alpha.ci with them.
    assert found.value == pytest.approx(0.794305094, abs=1e-8)
    assert found.n == pytest.approx(26.6539632, abs=1e-6)
    assert (found.low, found.high) == pytest.approx((0.638298871, 0.895892242), abs=1e-7)


def test_omega_equals_psych():
    # R package psych 2.2.9: l <- fa(d, 1, fm = "minres")$loadings[, 1]; s <- sd of each item;
    # sum(l * s)^2 / (sum(l * s)^2 + sum((1 - l^2) * s^2)).
    assert omega(matrix(FULL), draws=9).value == pytest.approx(0.830342505, abs=1e-5)
    assert omega(matrix(MISSING), draws=9).value == pytest.approx(0.811449017, abs=1e-5)
    # By maximum likelihood, lavaan: cfa("f =~ a + b + c + d + e", d), 0.830044973.
    assert omega(matrix(FULL), draws=9).value == pytest.approx(0.830044973, abs=5e-4)


def test_omega_of_standardised_items_equals_psych():
    items = matrix(FULL)
    found = omega((items - items.mean()) / items.std(), draws=9).value
    # psych 2.2.9: the same of loadings alone, 0.829694056; omega(d, nfactors = 1)$omega.tot, which
    # divides by the sum of the observed correlations, 0.829758934.
    assert found == pytest.approx(0.829694056, abs=1e-5)
    assert found == pytest.approx(0.829758934, abs=1e-3)


def test_weighted_values_equal_r():
    items, weights = matrix(FULL), pd.Series(np.linspace(0.5, 2, 36))
    # R 4.2.2: V <- cov.wt(d, w / sum(w))$cov; 5 / 4 * (1 - sum(diag(V)) / sum(V)); Kish's n;
    # psych 2.2.9: fa(cov2cor(V), 1, fm = "minres"), as above.
    found = alpha(items, weights)
    assert found.value == pytest.approx(0.78428348, abs=1e-8)
    assert found.n == pytest.approx(31.9472617, abs=1e-6)
    assert omega(items, weights, draws=9).value == pytest.approx(0.792724934, abs=1e-5)


def test_weights_of_one_and_order_and_units_change_nothing():
    items = matrix(MISSING)
    mixed, scaled = items.sample(frac=1, random_state=1), 10 * items - 3
    for measure in (alpha, omega):
        plain = measure(items)
        expected = pytest.approx((plain.value, plain.low, plain.high, plain.n), abs=1e-8)
        for found in (measure(items, pd.Series(2.5, items.index)), measure(mixed), measure(scaled)):
            assert (found.value, found.low, found.high, found.n) == expected


def test_people_without_weight_do_not_count():
    items, weights = matrix(FULL), pd.Series([0.0] * 6 + [1.0] * 30)
    assert alpha(items, weights).value == pytest.approx(alpha(items[6:]).value)
    assert omega(items, weights) == omega(items[6:])


def test_equal_loadings_give_alpha_and_omega_alike():
    rng = np.random.default_rng(1)
    items = pd.DataFrame(rng.normal(size=(20_000, 1)) + rng.normal(size=(20_000, 4)))
    # Four items that share half their variance: 4 × 0.5 / (1 + 3 × 0.5).
    assert alpha(items).value == pytest.approx(0.8, abs=0.01)
    assert omega(items, draws=9).value == pytest.approx(alpha(items).value, abs=1e-3)


def test_intervals_cover():
    rng, runs = np.random.default_rng(3), 100
    true = alpha(people(rng, 50_000)).value, omega(people(rng, 50_000), draws=1).value
    inside = np.zeros(2)
    for seed in range(runs):
        items = people(rng, 120, missing=0.2)
        found = alpha(items), omega(items, draws=99, seed=seed)
        inside += [one.low <= value <= one.high for one, value in zip(found, true, strict=True)]
    # Three standard errors of 95 % over 100 runs are 6.5 points.
    assert (inside / runs > 0.885).all()


def test_bootstrap_is_seeded():
    items = matrix(MISSING)
    assert omega(items, seed=1) == omega(items, seed=1)
    assert omega(items, seed=1).low != omega(items, seed=2).low
    found = omega(items)
    assert found.low < found.value < found.high < 1


def is_nothing(found: Reliability):
    return np.isnan([found.value, found.low, found.high]).all()


@pytest.mark.parametrize("measure", [alpha, omega])
def test_too_little_gives_nothing(measure):
    items = matrix(FULL)
    apart = items[["a", "b", "c"]].copy()
    apart.loc[:17, "a"], apart.loc[18:, "b"] = np.nan, np.nan
    cases = [items[["a"]], items[[]], items[:0], items[:2], items * 0 + 1, items * np.nan, apart]
    assert [is_nothing(measure(case)) for case in cases] == [True] * len(cases)


@pytest.mark.parametrize("measure", [alpha, omega])
def test_items_that_cancel_out_have_no_reliability(measure):
    one = matrix(FULL)["a"]
    items = pd.DataFrame({"a": one, "b": one, "c": 5 - one, "d": 5 - one})
    assert is_nothing(measure(items))
    assert measure(items).items == 4


def test_omega_needs_three_items():
    assert is_nothing(omega(matrix(FULL)[["a", "b"]]))
    assert not is_nothing(alpha(matrix(FULL)[["a", "b"]]))


@pytest.mark.parametrize("measure", [alpha, omega])
def test_a_constant_item_is_left_out(measure):
    items = matrix(FULL)
    assert measure(items.assign(c=2.0)) == measure(items.drop(columns="c"))


@pytest.mark.parametrize("measure", [alpha, omega])
def test_the_same_item_over_again_is_perfectly_reliable(measure):
    found = measure(pd.DataFrame({name: [1.0, 2, 4, 4, 3] for name in "abcd"}))
    assert (found.value, found.low, found.high) == pytest.approx((1, 1, 1))


@pytest.mark.parametrize("measure", [alpha, omega])
def test_weights_must_be_there(measure):
    items = matrix(FULL)
    for wrong in (pd.Series(1.0, items.index[:-1]), pd.Series(-1.0, items.index)):
        with pytest.raises(ValueError, match="weights"):
            measure(items, wrong)
