"""Linearised variances against R survey, and what must not change an estimate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.paths import PROJECT
from analysis.stats.design import Sample, sample
from analysis.stats.intervals import korn_graubard
from analysis.stats.raking import rake
from analysis.stats.shares import Shares

REFERENCE: Path = PROJECT.parent / "shared" / "reference" / "apiclus1.csv"
# pop.types and pop.schwide of R survey, tests/rakecheck.R.
MARGINS = {"stype": {"E": 4421, "H": 755, "M": 1018}, "sch.wide": {"No": 1072, "Yes": 5122}}


@pytest.fixture(scope="module")
def schools() -> pd.DataFrame:
    """A cluster sample of Californian schools: 15 districts of 757, data set apiclus1."""
    if not REFERENCE.exists():
        pytest.skip("the reference data apiclus1.csv does not stand beside the project")
    return pd.read_csv(REFERENCE)


@pytest.fixture(scope="module")
def clusters(schools: pd.DataFrame) -> Sample:
    """svydesign(id = ~dnum, weights = ~pw, data = apiclus1, fpc = ~fpc)."""
    return sample(schools, schools["pw"], clusters="dnum", population=757)


@pytest.fixture(scope="module")
def raked(schools: pd.DataFrame) -> Sample:
    """rake(dclus1, list(~stype, ~sch.wide), list(pop.types, pop.schwide))."""
    margins = list(MARGINS)
    weights = rake(schools[margins], MARGINS, schools["pw"]).weights
    return sample(schools, weights, None, "dnum", 757, margins, schools["pw"])


def errors(found) -> np.ndarray:
    return np.sqrt(found.variance)


def test_a_raked_mean_and_total_have_the_errors_of_r_survey(raked: Sample, schools) -> None:
    # R survey, tests/rakecheck.Rout.save: mean api00 641.23 (23.704), total enroll 3647280
    # (400603); all digits by svymean and svytotal of survey 4.1-1.
    mean, total = raked.mean(schools["api00"]), raked.total(schools["enroll"])
    assert mean.value[0] == pytest.approx(641.23, abs=0.005)
    assert errors(mean)[0] == pytest.approx(23.70361689, rel=1e-8)
    assert total.value[0] == pytest.approx(3647280, abs=0.5)
    assert errors(total)[0] == pytest.approx(400603.2569, rel=1e-8)


def test_raked_shares_have_the_errors_of_r_survey(raked: Sample, schools: pd.DataFrame) -> None:
    # survey 4.1-1: svymean(~stype + sch.wide + awards, r); margins are known, so do not vary.
    awards = raked.table(schools["awards"].astype("category"))
    assert awards.value == pytest.approx([0.33873027, 0.66126973], abs=1e-8)
    assert errors(awards) == pytest.approx([0.02178860089] * 2, rel=1e-6)
    assert errors(raked.table(schools["stype"].astype("category"))) == pytest.approx(0, abs=1e-7)


def test_a_domain_of_a_raked_sample_keeps_the_whole_design(raked: Sample, schools) -> None:
    # survey 4.1-1: svymean(~awards, subset(r, stype == "E"))
    elementary = schools.loc[schools["stype"] == "E", "awards"].astype("category")
    found = raked.table(elementary)
    assert found.value == pytest.approx([0.25002375, 0.74997625], abs=1e-8)
    assert errors(found) == pytest.approx([0.03206] * 2, abs=5e-6)


def test_covariance_of_shares_of_a_cluster_sample(clusters: Sample, schools: pd.DataFrame) -> None:
    # survey 4.1-1: vcov(svymean(~stype, dclus1))
    found = clusters.table(schools["stype"].astype("category"))
    assert found.covariance[0] == pytest.approx([0.0021470762, -0.0009933990, -0.0011536772])
    assert found.df == 14


def test_strata_and_weights_without_clusters(schools: pd.DataFrame) -> None:
    # survey 4.1-1: svymean(~awards, svydesign(id = ~1, strata = ~stype, weights = ~w, data = api)),
    # w = pw * (1 + api99 / 1000)
    weights = schools["pw"] * (1 + schools["api99"] / 1000)
    found = sample(schools, weights, strata="stype").table(schools["awards"].astype("category"))
    assert found.value == pytest.approx([0.29077759, 0.70922241], abs=1e-8)
    assert found.covariance[0] == pytest.approx([0.0010788365258, -0.0010788365258])


def test_the_beta_interval_of_r_survey(clusters: Sample, schools: pd.DataFrame) -> None:
    # R survey, help of svyciprop: ~I(ell == 0), method "beta": 0.02186 (0.00022, 0.1375)
    none = (schools["ell"] == 0).astype("category")
    found = clusters.table(none)
    low, high = korn_graubard(found.value, found.variance, found.n, found.df, found.effective)
    assert found.value[1] == pytest.approx(0.02186, abs=5e-6)
    assert (low[1], high[1]) == (pytest.approx(0.00022, abs=5e-6), pytest.approx(0.1375, abs=5e-5))


def made(seed: int, n: int = 60) -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "answer": pd.Categorical.from_codes(rng.integers(-1, 3, n), ["a", "b", "c"]),
            "stratum": np.repeat(["s", "t"], n // 2),
            "cluster": np.arange(n) // 5,
            "margin": rng.choice(["x", "y"], n),
        }
    )
    return frame, pd.Series(rng.gamma(3, 1, n))


DESIGNS = [
    {},
    {"strata": "stratum"},
    {"strata": "stratum", "population": {"s": 50, "t": 400}},
    {"margins": ["margin"]},
    {"margins": ["margin", "stratum"], "strata": "stratum", "population": 70},
]


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("domain", [False, True])
def test_sums_by_group_give_what_people_one_by_one_give(design: dict, domain: bool) -> None:
    frame, weights = made(3)
    answers = frame["answer"][frame["margin"] == "x"] if domain else frame["answer"]
    alone = frame.assign(person=range(len(frame)))
    by_group = sample(frame, weights, **design).table(answers)
    by_people = sample(alone, weights, clusters="person", **design).table(answers)
    assert by_group.value == pytest.approx(by_people.value)
    assert by_group.covariance == pytest.approx(by_people.covariance, abs=1e-15)
    assert (by_group.n, by_group.df) == (by_people.n, by_people.df)


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_weights_of_one_are_no_weights(seed: int) -> None:
    frame, _ = made(seed)
    n = frame["answer"].notna().sum()
    found = sample(frame, pd.Series(1.0, frame.index)).table(frame["answer"])
    plain = Shares().single(frame["answer"])
    assert found.value == pytest.approx(plain["share"].to_numpy())
    assert found.effective == pytest.approx(n)
    # The same but for the factor of a mean of all 60 people, n / (n - 1).
    expected = plain["standard_error"].to_numpy() * np.sqrt(60 / 59)
    assert errors(found) == pytest.approx(expected)


@given(st.integers(0, 10_000), st.sampled_from(DESIGNS), st.floats(0.1, 9))
@settings(max_examples=25, deadline=None)
def test_what_changes_nothing(seed: int, design: dict, factor: float) -> None:
    """The order of rows, and the scale of weights."""
    frame, weights = made(seed)
    found = sample(frame, weights, **design).table(frame["answer"])
    order = np.random.default_rng(seed).permutation(len(frame))
    mixed = sample(frame.iloc[order], factor * weights.iloc[order], **design)
    again = mixed.table(frame["answer"].iloc[order])
    assert again.value == pytest.approx(found.value)
    assert again.covariance == pytest.approx(found.covariance, abs=1e-12)


@given(st.integers(0, 10_000), st.sampled_from(DESIGNS))
@settings(max_examples=25, deadline=None)
def test_an_answer_split_in_two_and_put_back_together(seed: int, design: dict) -> None:
    frame, weights = made(seed)
    taken = sample(frame, weights, **design)
    whole = taken.table(frame["answer"])
    split = frame["answer"].cat.add_categories("c2").copy()
    split[(frame["answer"] == "c") & (frame["cluster"] % 2 == 0)] = "c2"
    together = np.vstack([np.eye(3), [0, 0, 1]])
    again = taken.table(split, together)
    assert again.value == pytest.approx(whole.value)
    assert again.covariance == pytest.approx(whole.covariance, abs=1e-15)


def test_a_difference_of_two_domains_is_that_of_r_survey(clusters: Sample, schools) -> None:
    # survey 4.1-1: svyglm(I(awards == "Yes") ~ I(stype == "E"), dclus1), its slope and SE
    given_ = pd.DataFrame({"Yes": schools["awards"] == "Yes"})
    found = clusters.difference(given_, (schools["stype"] == "E").to_numpy())
    assert found.value[0] == pytest.approx(0.283653846154)
    assert errors(found)[0] == pytest.approx(0.0872178396749)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"strata": "alone"}, "stratum b: one unit only"),
        ({"population": 10}, "60 drawn from a population of 10"),
        ({"strata": "stratum", "clusters": "margin"}, "a cluster stands in one stratum"),
        ({"strata": "stratum", "population": {"s": 99}}, "no population size for t"),
        ({"strata": "answer"}, "answer: a person without a value"),
    ],
)
def test_a_design_that_gives_no_variance_is_told(change: dict, said: str) -> None:
    frame, weights = made(1)
    frame["alone"] = ["b"] + ["a"] * 59
    with pytest.raises(ValueError, match=said):
        sample(frame, weights, **change)


def test_a_weight_is_positive() -> None:
    frame, weights = made(1)
    weights[3] = 0
    with pytest.raises(ValueError, match="positive"):
        sample(frame, weights)
