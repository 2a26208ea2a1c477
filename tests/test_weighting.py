"""The survey design end to end: from study.yml to every estimate, and what makes it impossible."""

import dataclasses
import json

import made_up
import numpy as np
import pandas as pd
import pytest
import small_study as small

from analysis import chapters
from analysis.chapters.data import Data
from analysis.cli import main
from analysis.definition import Column, SurveyDesign
from analysis.intake import clean, validation
from analysis.intake.texts import texts
from analysis.intake.weighting import BASE, WEIGHT, WEIGHTING, sample_of, weigh
from analysis.paths import Paths
from analysis.release.build import release

AGES = {"under_30": 0.3, "30_39": 0.2, "40_49": 0.2, "50_59": 0.2, "60_plus": 0.1}
SIZES = {"a": 500, "b": 600, "c": 700}
WORDS = {"fr": "x", "en": "x"}
ADDED = {
    "weight": Column(label=WORDS, type="number"),
    "stratum": Column(label=WORDS, type="category", answers=dict.fromkeys("abc", WORDS)),
    "cluster": Column(label=WORDS, type="text"),
}
SURVEYED = ["respondents", "concerned"]


def designed(study, added=ADDED, **design):
    """The study with a survey design, and the columns it names."""
    survey = study.definition.sources.survey
    survey = survey.model_copy(update={"columns": survey.columns | added})
    sources = study.definition.sources.model_copy(update={"survey": survey})
    change = {"sources": sources, "design": SurveyDesign.model_validate(design)}
    return dataclasses.replace(study, definition=study.definition.model_copy(update=change))


def tables(study, people=130, **columns):
    """Made-up tables where stratum, cluster and weight agree."""
    made = made_up.tables(study, people)
    survey = made["survey"]
    at = np.arange(len(survey))
    stratum = pd.Categorical.from_codes(at % 3, list("abc"), ordered=True)
    cluster = pd.Series([f"c{n % 3}{n % 30}" for n in at], dtype="string")
    weight = pd.Series(0.5 + (at * 7 % 11) / 4, dtype="Float64")
    added = {"stratum": stratum, "cluster": cluster, "weight": weight} | columns
    return made | {"survey": survey.assign(**added)}


def weighed(study, **columns):
    made, problems = weigh(study, tables(study, **columns))
    assert problems == []
    return made


@pytest.fixture(scope="module")
def use(national):
    answers = national.question("ai_use_frequency").answers
    return dict(zip(answers, [0.1, 0.2, 0.3, 0.4], strict=True))


@pytest.fixture(scope="module")
def column(national):
    study = designed(national, weights="weight")
    return Data(study, weighed(study))


@pytest.fixture(scope="module")
def estimates(column):
    return chapters.estimate(column)


@pytest.fixture(scope="module")
def simple(column, national):
    """The same people, each standing for themselves."""
    return chapters.estimate(Data(national, column.tables))


def cells(estimates, **names):
    rows = estimates
    for name, value in ({"by": "", "base_kind": "respondents"} | names).items():
        rows = rows[rows[name] == value]
    assert len(rows)
    return rows.set_index("category")


# --- Estimates


def weighted_shares(chosen, weight):
    """Shares of answers in plain pandas; chosen: one column an answer, people who answered."""
    return chosen.astype(float).mul(weight[chosen.index], axis=0).sum() / weight[chosen.index].sum()


def test_a_single_answer_has_its_weighted_share(column, estimates):
    survey = column.tables["survey"]
    trained = survey[survey["training_hours"] != "none"]
    answered = trained["satisfaction"].dropna()
    wanted = weighted_shares(pd.get_dummies(answered), survey["weight"].astype(float))
    found = cells(estimates, variable="satisfaction", population="trained")
    assert found.loc[wanted.index, "share"].to_numpy() == pytest.approx(wanted.to_numpy())
    # Counts and bases are those of people.
    assert found["base_n"].unique().tolist() == [len(answered)]
    assert found.loc["satisfied", "count"] == (answered == "satisfied").sum()
    total = wanted[["rather_satisfied", "satisfied"]].sum()
    assert found.loc["satisfied_total", "share"] == pytest.approx(total)


def test_several_answers_have_weighted_shares_of_people_and_of_mentions(column, estimates):
    survey = column.tables["survey"]
    weight = survey["weight"].astype(float)
    chosen = survey.filter(like="informal_learning/").dropna().astype(float)
    wanted = weighted_shares(chosen, weight)["informal_learning/peers"]
    of_people = cells(estimates, variable="informal_learning", population="all")
    assert of_people.loc["peers", "share"] == pytest.approx(wanted)
    mentions = chosen.mul(weight[chosen.index], axis=0).sum()
    wanted = mentions["informal_learning/peers"] / mentions.sum()
    found = cells(estimates, variable="informal_learning", population="all", base_kind="mentions")
    assert found.loc["peers", "share"] == pytest.approx(wanted)
    assert found.loc["peers", "base_n"] == chosen.to_numpy().sum()
    assert found["share"].sum() == pytest.approx(1)


def test_a_group_and_an_index_are_weighted(column, estimates):
    survey = column.tables["survey"]
    weight = survey["weight"].astype(float)
    student = survey[survey["status"] == "student"]
    wanted = weighted_shares(pd.get_dummies(student["training_hours"] != "none"), weight)[True]
    found = cells(estimates, variable="trained", by="status", by_category="student")
    assert found.loc["trained", "share"] == pytest.approx(wanted)
    battery = column.study.roles.battery
    steps = {answer: place / 3 for place, answer in enumerate(battery.scale)}
    items = survey[["skill_how_ai_works", "skill_technical_detail"]].astype("string")
    scores = items.apply(lambda item: item.map(steps)).mean(axis=1).dropna()
    found = cells(estimates, variable="expectation_index", base_kind="concerned")
    wanted = np.average(scores, weights=weight[scores.index])
    assert found.loc["fundamentals", "share"] == pytest.approx(wanted)


def test_intervals_are_those_of_the_design(estimates):
    sampled = estimates[estimates["method"] == "korn_graubard"]
    assert len(sampled) > 1000
    assert set(estimates["method"]) == {"korn_graubard", "count", "mean", "mean_score", "wilson"}
    # People received who were not kept have no weight: their profile stands for itself.
    assert set(estimates.loc[estimates["method"] == "wilson", "population"]) == {"received"}
    whole = sampled[sampled["base_n"] > 0]
    assert (whole["share_low"] >= 0).all() and (whole["share_high"] <= 1).all()
    assert (whole["share_low"] <= whole["share"]).all()
    assert (whole["share"] <= whole["share_high"]).all()


def test_counts_of_people_and_complete_counts_are_left_alone(estimates, simple):
    pd.testing.assert_frame_equal(estimates[["count", "base_n"]], simple[["count", "base_n"]])
    whole = ~estimates["base_kind"].isin([*SURVEYED, "mentions"])
    assert set(estimates.loc[whole, "base_kind"]) >= {"actions", "institutions", "programmes"}
    pd.testing.assert_frame_equal(estimates[whole], simple[whole])


def test_equal_weights_give_the_shares_of_a_simple_sample(national, simple, column):
    study = designed(national, weights="weight")
    ones = pd.Series(3.0, index=column.tables["survey"].index, dtype="Float64")
    found = chapters.estimate(Data(study, weighed(study, weight=ones)))
    for name in ("count", "base_n", "share"):
        assert found[name].to_numpy(dtype=float) == pytest.approx(
            simple[name].to_numpy(dtype=float), nan_ok=True
        )


def test_doubling_all_weights_changes_nothing(national, column, estimates):
    study = designed(national, weights="weight")
    twice = 2 * column.tables["survey"]["weight"]
    found = Data(study, weighed(study, weight=twice))
    pd.testing.assert_frame_equal(chapters.estimate(found), estimates, rtol=1e-9)


# --- Raking


def test_raked_weights_meet_shares_within_bounds(national, use):
    margins = {"age": AGES, "ai_use_frequency": use}
    study = designed(national, raking={"margins": margins, "bounds": (0.1, 6)}, weights="weight")
    made = weighed(study)
    survey, told = made["survey"], made[WEIGHTING].iloc[0]
    weight = survey[WEIGHT]
    for name, wanted in margins.items():
        shares = weight.groupby(survey[name], observed=True).sum() / weight.sum()
        assert shares[list(wanted)].tolist() == pytest.approx(list(wanted.values()))
    assert weight.sum() == pytest.approx(len(survey))
    ratio = weight / survey[BASE] / (weight.sum() / survey[BASE].sum())
    assert (ratio.min(), ratio.max()) == pytest.approx((told["smallest"], told["largest"]))
    assert 0.1 <= told["smallest"] < 1 < told["largest"] <= 6
    assert survey[BASE].tolist() == survey["weight"].tolist()
    assert told["gap"] < 1e-8 and 1 <= told["rounds"] <= 100


def test_raked_weights_meet_counts(national):
    counts = {name: 9000 * share for name, share in AGES.items()}
    study = designed(national, raking={"margins": {"age": counts}})
    survey = weighed(study)["survey"]
    totals = survey[WEIGHT].groupby(survey["age"], observed=True).sum()
    assert totals[list(counts)].tolist() == pytest.approx(list(counts.values()))
    assert survey[BASE].unique().tolist() == [1.0]


def test_a_margin_is_met_by_the_estimates_without_error(national):
    study = designed(national, raking={"margins": {"age": AGES}})
    data = Data(study, weighed(study))
    found = cells(chapters.profile.estimates(data)[1], variable="age")
    assert found.loc[list(AGES), "share"].tolist() == pytest.approx(list(AGES.values()))
    assert found.loc[list(AGES), "standard_error"].tolist() == pytest.approx([0] * 5, abs=1e-7)


def test_a_derived_variable_is_a_margin(national):
    study = designed(national, raking={"margins": {"trained": {"trained": 0.6, "untrained": 0.4}}})
    survey = weighed(study)["survey"]
    trained = survey["training_hours"] != "none"
    assert survey.loc[trained, WEIGHT].sum() == pytest.approx(0.6 * len(survey))


# --- The whole release


def without_register(study, folder):
    """The same study, of which nothing was published; auditing made-up answers takes long."""
    return dataclasses.replace(study, paths=Paths(study.name, folder))


DESIGNS = {
    "weights": {"weights": "weight"},
    "strata": {"strata": "stratum", "population": SIZES},
    "raked": {
        "weights": "weight",
        "strata": "stratum",
        "clusters": "cluster",
        "population": SIZES,
        "raking": {"margins": {"age": AGES}, "bounds": (0.1, 6)},
    },
}


@pytest.fixture(scope="module", params=DESIGNS)
def released(request, national, tmp_path_factory):
    study = designed(national, **DESIGNS[request.param])
    study = without_register(study, tmp_path_factory.mktemp("study"))
    return request.param, study, release(study, weighed(study))


def test_tests_hold_under_the_design(released):
    _, _, frames = released
    tests = frames["tests"]
    kept = tests[tests["population"] != "received"]
    assert set(kept["test"]) == {
        "linear_by_linear_design",
        "cochran_armitage_design",
        "gamma_design",
        "somers_d_design",
        "kruskal_wallis_design",
        "rao_scott_chi_square",
        "several_answers_rao_scott_design",
    }
    assert kept["p_value"].notna().mean() > 0.5
    assert kept["p_value"].dropna().between(0, 1).all()
    assert "skills" in set(kept["chapter"])


def test_measures_hold_under_the_design(released):
    name, _, frames = released
    measures = frames["measures"]
    apart = measures[(measures["measure"] == "difference") & (measures["population"] != "received")]
    assert set(apart["method"]) == {"linearised"}
    partials = measures[measures["measure"] == "partials_difference"]
    assert set(partials["method"]) == {"linearised"}
    assert not {"predicted_share", "lift"} & set(measures["measure"])
    assert {"net_agreement", "polarisation", "rank", "cronbach_alpha", "mcdonald_omega"} <= set(
        measures["measure"]
    )
    bounds = measures[["low", "value", "high"]].dropna()
    assert len(bounds) > 100
    assert (bounds["low"] <= bounds["value"] + 1e-9).all(), name
    assert (bounds["value"] <= bounds["high"] + 1e-9).all(), name


def test_precision_carries_the_design(released):
    name, _, frames = released
    precision = frames["precision"]
    sampled = precision["df"].notna() & (precision["standard_error"] > 0)
    effect = precision.loc[sampled, "design_effect"]
    assert len(effect) > 300
    assert (effect != 1).any() and (effect > 0).all()
    assert precision.loc[sampled, "df"].max() == frame_df(released, name == "raked")


def frame_df(released, clusters):
    """Units less strata, of everyone."""
    _, study, _ = released
    survey = tables(study)["survey"]
    strata = survey["stratum"].nunique() if study.definition.design.strata else 1
    return (survey["cluster"].nunique() if clusters else len(survey)) - strata


def test_facts_tell_the_weights(released):
    name, study, frames = released
    facts = frames["facts"]
    facts = facts[facts["variable"] == "design"].set_index("category")["value"]
    kind = {"weights": "column", "strata": "none", "raked": "raked"}[name]
    assert facts["weights"] == kind
    weight = weighed(study)["survey"].get(WEIGHT, pd.Series(np.ones(3)))
    people = len(tables(study)["survey"])
    effective = people if name == "strata" else weight.sum() ** 2 / (weight**2).sum()
    assert float(facts["effective_n"]) == pytest.approx(effective, abs=1e-9)
    assert float(facts["design_effect"]) == pytest.approx(people / effective, abs=1e-9)
    raking = [name for name in facts.index if name.startswith("raking_")]
    if name == "raked":
        assert raking == ["raking_rounds", "raking_gap", "raking_smallest", "raking_largest"]
        assert facts["raking_rounds"].isdigit() and float(facts["raking_gap"]) < 1e-8
    else:
        assert raking == []


def test_no_design_says_so(national):
    data = Data(national, tables(national))
    assert data.sample is None
    found = chapters.responses.design_facts(data)
    assert found == [("design", "weights", "none")]


def test_partials_under_a_design_are_compared_by_weight(national):
    study = designed(national, weights="weight")
    data = Data(study, weighed(study))
    (headline, *_) = study.definition.headlines
    found = chapters.responses.with_partials(data, headline).iloc[0]
    survey = data.tables["survey"]
    weight = survey["weight"].astype(float)
    answered = survey[survey["satisfaction"].notna() & (survey["training_hours"] != "none")]
    yes = answered["satisfaction"].isin(["satisfied", "rather_satisfied"])
    whole = answered["complete"].astype(bool)
    wanted = np.average(yes, weights=weight[answered.index]) - np.average(
        yes[whole], weights=weight[answered.index][whole]
    )
    assert found["value"] == pytest.approx(wanted)
    assert found["low"] < found["value"] < found["high"]
    done = survey.assign(complete=pd.array([True] * len(survey), dtype="boolean"))
    without = Data(study, dict(data.tables) | {"survey": done})
    found = chapters.responses.with_partials(without, headline).iloc[0]
    assert found[["value", "low", "high"]].tolist() == [0, 0, 0]


# --- Plain errors

PLACE = "design.raking.margins"


def damaged(study, **columns):
    """The one problem of a design."""
    made = tables(study, **columns)
    found, problems = weigh(study, made)
    assert WEIGHT not in found["survey"]
    (problem,) = problems
    return problem


@pytest.mark.parametrize(
    ("margins", "column", "found"),
    [
        ({"age": AGES | {"under_30": 0.0, "30_39": 0.5}}, "age.under_30", "whose share is zero"),
        ({"age": AGES | {"under_30": -0.3, "30_39": 0.8}}, "age.under_30", "-0.3"),
        ({"age": AGES | {"60_plus": 0.3}}, "age", "a total of 1.2"),
        (
            {"age": {k: v for k, v in AGES.items() if k != "60_plus"} | {"30_39": 0.3}},
            "age.60_plus",
            "without a share",
        ),
    ],
)
def test_a_margin_that_cannot_be_met(national, margins, column, found):
    study = designed(national, raking={"margins": margins})
    problem = damaged(study)
    assert problem.column == f"{PLACE}.{column}" and found in problem.found


def test_an_empty_cell(national):
    study = designed(national, raking={"margins": {"age": AGES}})
    survey = tables(study)["survey"]
    problem = damaged(study, age=survey["age"].replace("60_plus", "50_59"))
    assert problem.column == f"{PLACE}.age.60_plus"
    assert problem.found == "nobody in '60_plus'" and problem.expected == "people for 0.1"


def test_counts_of_two_totals(national, use):
    counts = {name: 1000 * share for name, share in AGES.items()}
    others = {name: 1001 * share for name, share in use.items()}
    study = designed(national, raking={"margins": {"age": counts, "ai_use_frequency": others}})
    problem = damaged(study)
    assert problem.column == f"{PLACE}.ai_use_frequency"
    assert (problem.found, problem.expected) == ("a total of 1001", "a total of 1000")


def test_margins_out_of_bounds(national):
    far = AGES | {"under_30": 0.9, "30_39": 0.05, "40_49": 0.02, "50_59": 0.02, "60_plus": 0.01}
    study = designed(national, raking={"margins": {"age": far}, "bounds": (0.9, 1.1)})
    problem = damaged(study)
    assert problem.column.startswith(f"{PLACE}.age.")
    assert "0.9 – 1.1" in problem.found


def test_margins_that_contradict_each_other(national):
    # All under 30 are trained: 30 % are under 30, and 10 % trained.
    margins = {"age": AGES, "trained": {"trained": 0.1, "untrained": 0.9}}
    study = designed(national, raking={"margins": margins})
    made = tables(study)
    hours = made["survey"]["training_hours"].copy()
    hours[made["survey"]["age"] == "under_30"] = "8_14"
    found, problems = weigh(study, made | {"survey": made["survey"].assign(training_hours=hours)})
    assert WEIGHT not in found["survey"] and problems
    assert {problem.key for problem in problems} == {"margins_together"}
    assert all(problem.column.startswith(PLACE) for problem in problems)


@pytest.mark.parametrize(("value", "found"), [(0, "'0'"), (-2, "'-2'"), (pd.NA, "''")])
def test_a_weight_that_is_none(national, value, found):
    study = designed(national, weights="weight")
    weight = tables(study)["survey"]["weight"].copy()
    weight[3] = value
    problem = damaged(study, weight=weight)
    assert problem.column == "design.weights"
    assert problem.found.startswith(found) and "1 row" in problem.found


@pytest.mark.parametrize(
    ("design", "change", "column", "found"),
    [
        ({"strata": "stratum"}, {"one": True}, "strata", "1 unit drawn, stratum 'c'"),
        ({"strata": "stratum", "population": SIZES | {"b": 3}}, {}, "population.b", "stratum 'b'"),
        ({"population": 20}, {}, "population", "units drawn"),
        ({"strata": "stratum", "population": {"a": 500, "b": 500}}, {}, "population", "'c'"),
        ({"strata": "cluster", "clusters": "stratum"}, {}, "clusters", "10 strata for cluster 'a'"),
        ({"strata": "stratum"}, {"missing": True}, "strata", "1 person(s) without 'stratum'"),
    ],
)
def test_a_design_without_a_variance(national, design, change, column, found):
    study = designed(national, **design)
    stratum = tables(study)["survey"]["stratum"]
    if "one" in change:
        lonely = np.where(np.arange(len(stratum)) == 0, "c", "a")
        stratum = pd.Series(lonely, stratum.index).astype("category")
    if "missing" in change:
        stratum = stratum.where(np.arange(len(stratum)) > 0)
    problem = damaged(study, stratum=stratum)
    assert problem.column == f"design.{column}" and found in problem.found


# --- From a folder to the results


def declare(root, text, weights=()):
    """Give the small study a design, and its raw file the column of weights."""
    raw = small.make(root)
    # Of these few people several tables are empty, and nothing of them was published.
    (root / "studies" / small.STUDY / "published.csv").unlink()
    path = root / "studies" / small.STUDY / "study.yml"
    lines = path.read_text(encoding="utf-8").replace(
        "  actions:\n    path:",
        "      weight:\n        label: {fr: Poids, en: Weight}\n        type: number\n"
        "        required: false\n  actions:\n    path:",
        1,
    )
    path.write_text(lines + text, encoding="utf-8")
    survey = raw / "survey.csv"
    rows = survey.read_text(encoding="utf-8").splitlines()
    cells = ["weight", *weights]
    cells += ["1"] * (len(rows) - len(cells))
    both = [f"{row},{cell}" for row, cell in zip(rows, cells, strict=True)]
    survey.write_text("\n".join(both) + "\n", encoding="utf-8")
    return path


def line_of(path, text):
    lines = path.read_text(encoding="utf-8").splitlines()
    return len(lines) - next(n for n, line in enumerate(reversed(lines)) if text in line)


def test_a_study_with_a_design_is_built(tmp_path, capsys):
    margins = "{status: {intermittent: 1}}"
    declare(tmp_path, f"design:\n  weights: weight\n  raking: {{margins: {margins}}}\n", "123")
    assert main(["build", small.STUDY, "--root", str(tmp_path)]) == 0
    assert capsys.readouterr().err == ""
    folder = tmp_path / "data/clean" / small.STUDY
    survey = pd.read_parquet(folder / "survey.parquet")
    assert survey[WEIGHT].tolist() == pytest.approx([0.5, 1.0, 1.5])
    assert survey[BASE].tolist() == [1, 2, 3]
    precision = pd.read_csv(folder / "results/precision.csv")
    assert (precision["design_effect"].dropna() > 1).any()
    facts = pd.read_csv(folder / "results/facts.csv").set_index("category")["value"]
    assert facts["weights"] == "raked"
    assert float(facts["effective_n"]) == pytest.approx(36 / 14)


REFUSED = {
    "zero": ("weights: weight", ["1", "0", "2"], "weights", "weights: weight"),
    "share": (
        "raking:\n    margins:\n      status:\n        intermittent: 0.9",
        [], "raking.margins.status", "      status:",
    ),
    "nobody": (
        "raking:\n    margins:\n      status:\n        intermittent: 0.9\n        student: 0.1",
        [], "raking.margins.status.student", "        student:",
    ),
    "small population": ("population: 2", [], "population", "population: 2"),
    "alone": ("strata: age\n  clusters: response_id", [], "strata", "strata: age"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_an_impossible_design_ends_with_2_and_says_where(name, tmp_path, capsys, monkeypatch):
    text, weights, key, line = REFUSED[name]
    path = declare(tmp_path, f"design:\n  {text}\n", weights)
    if name == "alone":
        small.set_cell(tmp_path / "data/raw" / small.STUDY / "survey.csv", 2, "age", "60_plus")
    found = []

    def examine(study, *rest):
        found.append((study, *clean.examine(study, *rest)))
        return found[0][1:]

    monkeypatch.setattr(validation, "examine", examine)
    assert main(["validate", small.STUDY, "--root", str(tmp_path)]) == 2
    study, made, (problem,) = found[0]
    err = capsys.readouterr().err
    row = line_of(path, line)
    assert f"studies/{small.STUDY}/study.yml, row {row}, column design.{key}\n" in err
    assert f"found:    {problem.found}" in err and "to do:" in err
    assert made.tables == {}
    actions = set()
    for lang in ("fr", "en"):
        page = validation.write_validation(study, made, [problem], lang)
        (told,) = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))["problems"]
        assert (told["row"], told["column"]) == (row, f"design.{key}")
        assert told["file"] == f"studies/{small.STUDY}/study.yml"
        assert told["text"] == texts()["rules"][problem.key]["rule"][lang]
        said = page.read_text(encoding="utf-8").replace("&#39;", "'")
        assert all(told[part] and told[part] in said for part in ("found", "expected", "action"))
        actions.add(told["action"])
    assert len(actions) == 2
    assert not (tmp_path / "data/clean" / small.STUDY / "survey.parquet").exists()


def test_all_satisfied_is_no_trend(national):
    study = designed(national, weights="weight")
    made = weighed(study)
    survey = made["survey"]
    answers = survey["satisfaction"].replace(["dissatisfied", "rather_dissatisfied"], "satisfied")
    data = Data(study, made | {"survey": survey.assign(satisfaction=answers)})
    found = [outcome.test for outcome in chapters.satisfaction.over_hours(data, "training_hours")]
    assert found == ["linear_by_linear_design", "gamma_design", "somers_d_design"]


def test_a_study_without_a_design_is_not_weighed(national):
    made = tables(national)
    again, problems = weigh(national, made)
    assert problems == [] and WEIGHT not in again["survey"]
    assert sample_of(national, made["survey"]) is None
