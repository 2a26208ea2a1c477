"""Raking against R survey, fitting margin after margin, and what no weights can meet."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.paths import PROJECT
from analysis.stats.raking import Fault, faults, rake, unmet

SCHOOLS = PROJECT.parent / "shared" / "reference" / "apiclus1.csv"
# As in tests/rakecheck.R of R package survey.
POPULATION = {
    "stype": {"E": 4421, "H": 755, "M": 1018},
    "sch.wide": {"No": 1072, "Yes": 5122},
}
SEEDS = st.integers(0, 10_000)
MISSING = st.sampled_from([0.0, 0.1, 0.4])
some = settings(max_examples=25, deadline=None)


@pytest.fixture
def schools():
    if not SCHOOLS.exists():
        pytest.skip(f"no reference data at {SCHOOLS}")
    return pd.read_csv(SCHOOLS)


def people(seed, missing=0.0, n=150):
    """Answers to three margins that go together, base weights, and targets that can be met.

    The targets are the shares of these people under other weights.
    """
    rng = np.random.default_rng(seed)
    leaning = rng.normal(size=n)
    cuts = {"age": [-1, 1], "status": [0], "region": [-2, 0, 2]}
    answers = {
        name: np.array(list("abcd"))[np.digitize(leaning + 2 * rng.normal(size=n), at)]
        for name, at in cuts.items()
    }
    margins = pd.DataFrame(answers, index=pd.RangeIndex(1000, 1000 + n))
    margins = margins.mask(rng.random(margins.shape) < missing)
    others = pd.Series(rng.uniform(0.4, 2.5, n), index=margins.index)
    base = pd.Series(rng.uniform(0.5, 2, n), index=margins.index)
    return margins, observed(margins, others), base


def observed(margins, weights):
    """Weighted share of each category among those who answered each margin."""
    return {
        name: (weights.groupby(answers).sum() / weights[answers.notna()].sum()).to_dict()
        for name, answers in margins.items()
    }


def widest(margins, targets, weights):
    """Largest difference between weighted shares and targets, in plain pandas."""
    found = observed(margins, weights)
    return max(
        abs(found[name].get(category, 0) - share)
        for name, wanted in targets.items()
        for category, share in wanted.items()
    )


def fitted(margins, targets, base, rounds=40):
    """Proportional fitting of one margin after the other, person by person.

    The factors of a margin are set anew given those of the others, so that the weight of those
    who answered is the one they have without it; 1 for those who did not answer.
    """
    factors = pd.DataFrame(1.0, index=margins.index, columns=list(targets))
    for _ in range(rounds):
        for name, wanted in targets.items():
            others = base * factors.drop(columns=name).prod(axis=1)
            sums = others.groupby(margins[name]).sum()
            factor = sums.sum() * pd.Series(wanted) / sums
            factors[name] = margins[name].map(factor).fillna(1.0)
    weights = base * factors.prod(axis=1)
    return weights * len(weights) / weights.sum()


def test_schools_weigh_what_r_survey_gives_them(schools):
    raked = rake(schools[["stype", "sch.wide"]], POPULATION, schools["pw"])
    # R package survey 4.1-1: rake(svydesign(id = ~dnum, weights = ~pw, data = apiclus1,
    # fpc = ~fpc), list(~stype, ~sch.wide), list(pop.types, pop.schwide),
    # control = list(maxit = 200, epsilon = 1e-10)); calibrate(calfun = "raking") agrees to 1e-9.
    in_r = {
        ("H", "Yes"): 50.3294011162,
        ("E", "Yes"): 29.8706754926,
        ("M", "Yes"): 36.7910248644,
        ("M", "No"): 49.0690721641,
        ("E", "No"): 39.8392362469,
        ("H", "No"): 67.1255292413,
    }
    expected = [in_r[pair] for pair in zip(schools["stype"], schools["sch.wide"], strict=True)]
    assert raked.converged and raked.gap < 1e-8
    assert np.abs(raked.weights - expected).max() < 1e-6
    # tests/rakecheck.Rout.save of the same package prints 641.23 and 3647280.
    assert round(np.average(schools["api00"], weights=raked.weights), 2) == 641.23
    assert round((raked.weights * schools["enroll"]).sum()) == 3647280


def test_schools_within_bounds_weigh_what_r_survey_gives_them(schools):
    raked = rake(schools[["stype", "sch.wide"]], POPULATION, schools["pw"], bounds=(0.5, 2))
    # R package survey 4.1-1: calibrate(design, ~stype + sch.wide, c(6194, 755, 1018, 5122),
    # calfun = "logit", bounds = c(0.5, 2), epsilon = 1e-12, maxit = 200).
    in_r = {
        ("H", "Yes"): 52.0993810335,
        ("E", "Yes"): 29.7341485689,
        ("M", "Yes"): 36.7058351495,
        ("M", "No"): 49.2501003073,
        ("E", "No"): 41.3410324092,
        ("H", "No"): 60.6356028772,
    }
    expected = [in_r[pair] for pair in zip(schools["stype"], schools["sch.wide"], strict=True)]
    assert raked.converged
    assert np.abs(raked.weights - expected).max() < 1e-5
    assert (raked.smallest, raked.largest) == pytest.approx((0.878487069, 1.791461858), abs=1e-7)
    assert round(np.average(schools["api00"], weights=raked.weights), 5) == 640.89188


def test_bounds_that_r_survey_cannot_meet_either_are_told(schools):
    margins = schools[["stype", "sch.wide"]]
    # calibrate() as above with bounds = c(0.7, 1.3) stops: "Calibration failed".
    raked = rake(margins, POPULATION, schools["pw"], bounds=(0.7, 1.3))
    assert not raked.converged and raked.gap > 0.01
    worst = unmet(raked, margins, POPULATION)[0]
    # High schools are 14 of 183 and should be 755 of 6194: at least 1.59 times their weight.
    assert (worst.kind, worst.margin) == ("not_converged", "stype")
    assert worst.expected == pytest.approx(POPULATION["stype"][worst.category] / 6194)
    assert abs(worst.found - worst.expected) == pytest.approx(raked.gap)


@pytest.mark.parametrize("missing", [0.0, 0.15, 0.4])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_weights_are_those_of_fitting_one_margin_after_the_other(missing, seed):
    margins, targets, base = people(seed, missing, n=60)
    raked = rake(margins, targets, base)
    assert raked.converged
    assert np.abs(raked.weights / fitted(margins, targets, base) - 1).max() < 1e-9


@some
@given(seed=SEEDS, missing=MISSING)
def test_every_margin_is_met_and_weights_sum_to_the_people(seed, missing):
    margins, targets, base = people(seed, missing)
    raked = rake(margins, targets, base)
    assert raked.converged and unmet(raked, margins, targets) == []
    assert widest(margins, targets, raked.weights) < 1e-8
    assert raked.weights.index.equals(margins.index) and (raked.weights > 0).all()
    assert raked.weights.sum() == pytest.approx(len(margins))
    ratio = raked.weights / base
    mean = raked.weights.sum() / base.sum()
    assert raked.smallest == pytest.approx(ratio.min() / mean)
    assert raked.largest == pytest.approx(ratio.max() / mean)


@some
@given(seed=SEEDS, missing=MISSING)
def test_bounds_hold_for_every_weight(seed, missing):
    margins, targets, base = people(seed, missing)
    free = rake(margins, targets, base)
    bounds = (free.smallest * 0.9, 1 + (free.largest - 1) * 0.95)
    raked = rake(margins, targets, base, bounds)
    ratio = raked.weights / base * base.sum() / raked.weights.sum()
    if raked.converged:
        assert widest(margins, targets, raked.weights) < 1e-8
        assert bounds[0] - 1e-8 <= ratio.min() and ratio.max() <= bounds[1] + 1e-8
    else:
        assert unmet(raked, margins, targets)[0].kind == "not_converged"


@some
@given(seed=SEEDS, missing=MISSING)
def test_wide_bounds_change_nothing(seed, missing):
    margins, targets, base = people(seed, missing)
    free, wide = rake(margins, targets, base), rake(margins, targets, base, bounds=(0, 1e7))
    assert np.abs(wide.weights / free.weights - 1).max() < 1e-4


@some
@given(seed=SEEDS, missing=MISSING, bounds=st.sampled_from([None, (0.1, 5)]))
def test_order_of_rows_and_of_margins_does_not_matter(seed, missing, bounds):
    margins, targets, base = people(seed, missing)
    shuffled = margins.sample(frac=1, random_state=seed)
    turned = {name: targets[name] for name in reversed(targets)}
    here = rake(margins, targets, base, bounds)
    there = rake(shuffled, turned, base[shuffled.index], bounds)
    assert here.converged == there.converged
    if here.converged:
        assert np.abs(here.weights / there.weights[margins.index] - 1).max() < 1e-6


@some
@given(seed=SEEDS, missing=MISSING)
def test_doubling_base_weights_changes_nothing(seed, missing):
    margins, targets, base = people(seed, missing)
    once, twice = rake(margins, targets, base), rake(margins, targets, 2 * base)
    assert twice.weights.to_numpy() == pytest.approx(once.weights.to_numpy())
    assert (twice.smallest, twice.largest) == pytest.approx((once.smallest, once.largest))


@some
@given(seed=SEEDS, missing=MISSING, bounds=st.sampled_from([None, (0.3, 3)]))
def test_observed_shares_as_targets_leave_weights_alone(seed, missing, bounds):
    margins, _, base = people(seed, missing)
    raked = rake(margins, observed(margins, base), base, bounds)
    assert raked.converged and raked.iterations == 1
    assert (raked.weights * base.sum() / len(base)).to_numpy() == pytest.approx(base.to_numpy())
    alone = rake(margins, observed(margins, base * 0 + 1), bounds=bounds)
    assert alone.weights.to_numpy() == pytest.approx(np.ones(len(margins)))


@some
@given(seed=SEEDS, missing=MISSING, bounds=st.sampled_from([None, (0.1, 5)]))
def test_a_category_split_in_proportion_changes_nothing(seed, missing, bounds):
    margins, targets, base = people(seed, missing)
    # Everyone is there twice, 3 and 7 tenths: each half of the category is like the whole.
    double = pd.concat([margins, margins], ignore_index=True)
    weights = pd.concat([base * 0.3, base * 0.7], ignore_index=True)
    whole = rake(double, targets, weights, bounds)
    first = (double["age"] == "a") & (double.index < len(margins))
    split = double.assign(age=double["age"].mask(first, "a2"))
    share = targets["age"]["a"]
    halves = {**targets["age"], "a": share * 0.7, "a2": share * 0.3}
    apart = rake(split, {**targets, "age": halves}, weights, bounds)
    assert apart.converged == whole.converged
    if whole.converged:
        assert np.abs(apart.weights / whole.weights - 1).max() < 1e-6


def test_categories_and_plain_answers_weigh_the_same():
    margins, targets, base = people(5)
    declared = margins.apply(lambda column: column.astype("category").cat.add_categories("unused"))
    plain = rake(margins.astype(object), targets, base)
    assert rake(declared, targets, base).weights.equals(plain.weights)


def test_not_answering_one_margin_changes_no_weight():
    margins = pd.DataFrame({"age": ["a"] * 6 + ["b"] * 2 + [None] * 2})
    raked = rake(margins, {"age": {"a": 0.5, "b": 0.5}})
    # Of eight who answered, four stand for each category; the two others stay as they were.
    assert raked.weights.to_numpy() == pytest.approx([4 / 6] * 6 + [2.0] * 2 + [1.0] * 2)


def test_a_question_asked_of_some_takes_the_weight_the_other_margin_gives_them():
    margins = pd.DataFrame(
        {"work": ["yes"] * 6 + ["no"] * 4, "sector": list("xxxxyy") + [None] * 4}
    )
    targets = {"work": {"yes": 0.8, "no": 0.2}, "sector": {"x": 0.25, "y": 0.75}}
    raked = rake(margins, targets)
    assert raked.weights.to_numpy() == pytest.approx([0.5] * 4 + [3.0] * 2 + [0.5] * 4)


def test_counts_give_weights_that_sum_to_them():
    margins, targets, base = people(3, missing=0.1)
    counts = {
        name: {category: share * 5000 for category, share in wanted.items()}
        for name, wanted in targets.items()
    }
    counted, shared = rake(margins, counts, base), rake(margins, targets, base)
    assert counted.weights.sum() == pytest.approx(5000)
    assert (counted.weights / 5000).to_numpy() == pytest.approx(
        (shared.weights / len(margins)).to_numpy()
    )


def test_margins_that_go_together_closely_are_met_in_few_rounds():
    # Two in a thousand differ, and have to stand for five in a hundred at least.
    margins = pd.DataFrame(
        {
            "one": ["a"] * 500 + ["b"] * 500,
            "other": ["a"] * 499 + ["b"] + ["b"] * 499 + ["a"],
        }
    )
    raked = rake(margins, {"one": {"a": 0.6, "b": 0.4}, "other": {"a": 0.55, "b": 0.45}})
    assert raked.converged and raked.iterations < 20


def test_faults_are_named_one_by_one():
    margins = pd.DataFrame({"age": ["a", "a", "b", "c", None], "sex": list("fmfmf")})
    assert faults(margins, {"age": {"a": 2, "b": 2, "c": 1}, "sex": {"f": 2, "m": 3}}) == []
    age = {"a": 0.7, "b": 0.0, "d": 0.5, "e": 0.0, "f": -0.2}
    assert faults(margins, {"age": age, "sex": {"f": 0.5, "m": 0.5}}) == [
        Fault("zero_target", "age", "b", 1.0, 0.0),
        Fault("empty_cell", "age", "d", 0.0, 0.5),
        Fault("negative_target", "age", "f", -0.2, 0.0),
        Fault("unknown_category", "age", "c", 1.0, 0.0),
    ]


@pytest.mark.parametrize(
    ("age", "sex", "expected"),
    [
        ((0.5, 0.5), (0.5, 0.499), [("sex", 0.999, 1.0)]),
        ((50, 50), (50, 49.9), [("sex", 99.9, 100.0)]),
        ((50, 49.9), (50, 49.9), [("age", 99.9, 100.0), ("sex", 99.9, 100.0)]),
        ((300, 200), (0.5, 0.5), [("age", 500.0, 1.0)]),
        ((300, 200), (300, 201), [("sex", 501.0, 500.0)]),
        ((300, 200), (301, 199), []),
        ((1 / 3, 2 / 3 + 5e-7), (0.5, 0.5), []),
    ],
)
def test_totals_that_disagree_are_told(age, sex, expected):
    margins = pd.DataFrame({"age": list("abab"), "sex": list("abba")})
    targets = {
        "age": dict(zip("ab", age, strict=True)),
        "sex": dict(zip("ab", sex, strict=True)),
    }
    found = [(f.margin, round(f.found, 6), f.expected) for f in faults(margins, targets)]
    assert found == expected
    assert all(f.kind == "disagree" and f.category is None for f in faults(margins, targets))


def test_a_category_of_no_one_with_target_zero_is_no_fault():
    margins = pd.DataFrame({"age": ["a", "b", "b"]})
    raked = rake(margins, {"age": {"a": 0.5, "b": 0.5, "c": 0}})
    assert raked.weights.to_numpy() == pytest.approx([1.5, 0.75, 0.75])


@pytest.mark.parametrize("share", [0.3, 0.5])
def test_a_structural_zero_that_cannot_be_met_is_told(share):
    # Everyone in "a" is in "x": "a" can be no more than "x"; as much only if others weigh nothing.
    margins = pd.DataFrame({"one": list("aaabbb"), "other": list("xxxxyy")})
    targets = {"one": {"a": 0.5, "b": 0.5}, "other": {"x": share, "y": 1 - share}}
    raked = rake(margins, targets)
    assert not raked.converged
    assert np.isfinite(raked.weights).all() and raked.weights.sum() == pytest.approx(6)
    told = unmet(raked, margins, targets)
    assert told and {fault.kind for fault in told} == {"not_converged"}


def test_the_same_margin_twice_is_met_if_its_targets_agree():
    margins = pd.DataFrame({"one": list("aabbb"), "again": list("aabbb")})
    agreed = {"one": {"a": 0.5, "b": 0.5}, "again": {"a": 0.5, "b": 0.5}}
    assert rake(margins, agreed).weights.to_numpy() == pytest.approx([1.25] * 2 + [5 / 6] * 3)
    apart = rake(margins, {**agreed, "again": {"a": 0.6, "b": 0.4}})
    assert not apart.converged and apart.gap == pytest.approx(0.05)


def test_too_few_rounds_are_told():
    margins, targets, base = people(1)
    raked = rake(margins, targets, base, rounds=2)
    assert raked.iterations == 2 and not raked.converged
    assert raked.gap == pytest.approx(widest(margins, targets, raked.weights))


ONE = pd.DataFrame({"age": ["a", "b"]})
HALVES = {"age": {"a": 0.5, "b": 0.5}}


@pytest.mark.parametrize(
    ("margins", "targets", "options", "message"),
    [
        (ONE, {"sex": {"a": 1.0}}, {}, "same variables"),
        (ONE, {"age": {"a": 1.0}}, {}, r"unknown_category \(age: b\)"),
        (ONE, {"age": {"a": 0.5, "b": 0.4}}, {}, r"disagree \(age\)"),
        (ONE, {"age": {}}, {}, r"disagree \(age\)"),
        (ONE, {"age": {"a": float("nan"), "b": 0.5}}, {}, r"negative_target \(age: a\)"),
        (ONE[:0], HALVES, {}, "people"),
        (ONE[[]], {}, {}, "at least one margin"),
        (ONE.assign(age=None), HALVES, {}, "empty_cell"),
        (ONE, HALVES, {"base": pd.Series([1.0, 0.0])}, "positive"),
        (ONE, HALVES, {"base": pd.Series([1.0, np.nan])}, "positive"),
        (ONE, HALVES, {"base": pd.Series([1.0, 1.0], index=[4, 5])}, "index"),
        (ONE, HALVES, {"bounds": (1.2, 3)}, "bounds"),
        (ONE, HALVES, {"bounds": (-0.1, 3)}, "bounds"),
    ],
)
def test_what_cannot_be_raked_is_a_plain_error(margins, targets, options, message):
    with pytest.raises(ValueError, match=message):
        rake(margins, targets, **options)
