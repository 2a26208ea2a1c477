"""Groups compared: which test leads, and differences against plain pandas and numpy."""

import dataclasses

import made_up
import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student
from test_weighting import designed
from test_weighting import tables as with_design

from analysis.chapters import compare
from analysis.chapters.data import Data, names
from analysis.definition import Cut
from analysis.intake.weighting import weigh
from analysis.stats.design import sample
from analysis.stats.intervals import newcombe

JOINT = ["rao_scott", "bootstrap", "bonferroni"]
COMBINATIONS = {
    "single by single": ("job", "status", ["chi_square_permutation"], ["rao_scott_chi_square"]),
    "ordered by nominal": ("age", "status", ["kruskal_wallis"], ["kruskal_wallis_design"]),
    "nominal by ordered": ("status", "age", ["chi_square"], ["rao_scott_chi_square"]),
    "ordered by ordered": (
        "ai_use_frequency", "age",
        ["linear_by_linear", "linear_by_linear_permutation", "gamma", "somers_d"],
        ["linear_by_linear_design", "gamma_design", "somers_d_design"],
    ),
    "several by single": (
        "informal_learning", "status",
        [f"several_answers_{name}" for name in JOINT], ["several_answers_rao_scott_design"],
    ),
    "single by several": (
        "status", "sector",
        [f"several_answers_{name}" for name in JOINT], ["several_answers_rao_scott_design"],
    ),
    "several by several": (
        "informal_learning", "sector",
        [f"several_by_several_{name}" for name in JOINT], [],
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def simple(national):
    return Data(national, made_up.tables(national, 250))


@pytest.fixture(scope="module")
def weighted(national):
    study = designed(national, weights="weight", strata="stratum")
    made, problems = weigh(study, with_design(study))
    assert problems == []
    return Data(study, made)


def test_each_combination_has_its_tests(simple, weighted, monkeypatch):
    monkeypatch.setattr(compare, "DRAWS", 99)
    monkeypatch.setattr(compare, "JOINT_DRAWS", 99)
    for name, (question, by, plain, designed_) in COMBINATIONS.items():
        for data, wanted in ((simple, plain), (weighted, designed_)):
            found = compare.tests(data, "profile", question, by, "all")
            assert [row["test"] for row in found] == wanted, name
            for row in found:
                assert (row["variable"], row["by"]) == (question, by)
                assert row["table"] == f"{question}_by_{by}"
                assert 0 <= row["p_value"] <= 1, name
                assert row["n"] == data.given(question, "all").shape[0]


@pytest.mark.parametrize(
    ("rows", "ordered", "groups", "leads"),
    [
        ([[30, 20], [10, 25]], False, False, "chi_square"),
        ([[3, 2], [1, 4]], False, False, "fisher"),
        ([[3, 2, 1], [1, 4, 0]], False, False, "chi_square_permutation"),
        ([[30, 20], [10, 25]], True, False, "kruskal_wallis"),
        ([[3, 2], [1, 4]], True, False, "kruskal_wallis_permutation"),
        ([[3, 2], [1, 4]], True, True, "linear_by_linear"),
    ],
)
def test_the_lead_follows_expected_counts(rows, ordered, groups, leads):
    found = compare.of_counts(pd.DataFrame(rows), 1, ordered, groups)
    assert found[0].test == leads


@pytest.mark.parametrize("rows", [[[3, 2]], [[3], [2]], [[3, 2], [0, 0]], [[0, 0], [0, 0]]])
def test_nothing_to_compare_gives_no_test(rows):
    for ordered in (False, True):
        assert compare.of_counts(pd.DataFrame(rows), 1, ordered, ordered) == []


def test_a_question_or_group_that_is_not_there_gives_no_test(simple):
    assert compare.tests(simple, "profile", None, "status") == []
    assert compare.tests(simple, "profile", "job", None) == []


def test_only_tables_of_the_survey_by_group_are_tested(simple):
    study = simple.study
    cuts = [
        Cut(variable="status", by="age"),
        Cut(variable="status"),
        Cut(variable="ai_integration", population="institutions", by="institution_type"),
    ]
    changed = study.definition.model_copy(update={"tables": {"profile": cuts}})
    data = Data(dataclasses.replace(study, definition=changed), simple.tables)
    assert {row["table"] for row in compare.compared(data, "profile")} == {"status_by_age"}
    assert compare.compared(data, "learning") == []


# --- Differences


def apart(data, question, by, population="all"):
    named = names(data, "profile", question, population, by)
    given, groups = data.given(question, population), data.groups(by, population)
    return compare.apart(data.sample, named, given, groups)


def test_groups_without_overlap(simple):
    survey = simple.tables["survey"]
    found = apart(simple, "age", "status").set_index(["category", "by_category"])
    assert len(found) == 25 and set(found["method"]) == {"newcombe"}
    inside = survey["status"] == "student"
    yes = survey["age"] == "under_30"
    row = found.loc[("under_30", "student")]
    assert row["base_n"] == inside.sum()
    assert row["value"] == pytest.approx(yes[inside].mean() - yes[~inside].mean())
    low, high = newcombe((yes[~inside].sum(), yes[inside].sum()), ((~inside).sum(), inside.sum()))
    assert (row["low"], row["high"]) == pytest.approx((low, high))


def test_groups_that_overlap(simple):
    """Who is in two sectors is in both groups; others are those in some sector, not this one."""
    survey = simple.tables["survey"]
    found = apart(simple, "age", "sector").set_index(["category", "by_category"])
    sectors = survey.filter(like="sector/").astype(bool)
    assert (sectors.sum(axis=1) > 1).any()
    for column in sectors:
        inside, yes = sectors[column], survey["age"] == "30_39"
        row = found.loc[("30_39", column.removeprefix("sector/"))]
        assert row["base_n"] == inside.sum()
        assert row["value"] == pytest.approx(yes[inside].mean() - yes[~inside].mean())


def test_several_answers_by_group(simple):
    survey = simple.tables["survey"]
    found = apart(simple, "informal_learning", "status").set_index(["category", "by_category"])
    chosen = survey["informal_learning/peers"].astype(bool)
    inside = survey["status"] == "intermittent"
    row = found.loc[("peers", "intermittent")]
    assert row["value"] == pytest.approx(chosen[inside].mean() - chosen[~inside].mean())


def test_a_group_with_nobody_or_everybody_has_no_difference():
    given = pd.DataFrame({"yes": [True, False, True]})
    groups = {"none": pd.Series(False, given.index), "all": pd.Series(True, given.index)}
    named = {"variable": "q", "by": "g"}
    assert len(compare.apart(None, named, given, groups)) == 0
    groups["one"] = pd.Series([True, False, False])
    found = compare.apart(None, named, given, groups)
    assert found["by_category"].tolist() == ["one"]
    assert found["value"].tolist() == [0.5]
    assert len(compare.apart(None, named, given.head(0), groups)) == 0


def linearised(y, inside, weight, stratum):
    """Difference of two weighted means and its error, stratum by stratum."""
    value, score = 0.0, np.zeros(len(y))
    for sign, people in ((1, inside), (-1, ~inside)):
        mean = np.average(y[people], weights=weight[people])
        value += sign * mean
        score[people] = sign * weight[people] * (y[people] - mean) / weight[people].sum()
    variance = 0.0
    for name in np.unique(stratum):
        part = score[stratum == name]
        variance += len(part) / (len(part) - 1) * ((part - part.mean()) ** 2).sum()
    return value, np.sqrt(variance)


def test_differences_under_a_design(weighted):
    survey = weighted.tables["survey"]
    weight = survey["weight"].to_numpy(dtype=float)
    stratum = survey["stratum"].to_numpy()
    yes = (survey["ai_use_frequency"] == "daily").to_numpy(dtype=float)
    half = student.ppf(0.975, len(survey) - 3)
    groups = {"status": survey["status"] == "student", "sector": survey["sector/other"]}
    for by, name in (("status", "student"), ("sector", "other")):
        found = apart(weighted, "ai_use_frequency", by).set_index(["category", "by_category"])
        row = found.loc[("daily", name)]
        value, error = linearised(yes, groups[by].to_numpy(dtype=bool), weight, stratum)
        assert row["method"] == "linearised"
        assert row["value"] == pytest.approx(value)
        assert (row["low"], row["high"]) == pytest.approx(
            (value - half * error, value + half * error)
        )


def test_a_difference_of_a_part_keeps_the_whole_design(weighted):
    """Others than those trained count in the error: their strata were drawn too."""
    survey = weighted.tables["survey"]
    trained = survey[survey["training_hours"] != "none"].dropna(subset="practice")
    found = apart(weighted, "practice", "status", "trained")
    row = found.set_index(["category", "by_category"]).loc[("daily", "student")]
    place = survey.index.get_indexer(trained.index)
    y, inside = np.zeros(len(survey)), np.zeros(len(survey), dtype=bool)
    y[place] = trained["practice"] == "daily"
    inside[place] = trained["status"] == "student"
    # People outside weigh nothing, and stay in their strata.
    weight = np.zeros(len(survey))
    weight[place] = trained["weight"].to_numpy(dtype=float)
    value, error = linearised(y, inside, weight, survey["stratum"].to_numpy())
    assert row["value"] == pytest.approx(value)
    half = student.ppf(0.975, len(trained) - 3)
    assert row["high"] == pytest.approx(min(1, value + half * error))


def test_everyone_in_one_group_has_no_difference_under_a_design(weighted):
    given = weighted.given("ai_use_frequency", "all")
    everyone = {"g": pd.Series(True, given.index), "h": pd.Series(False, given.index)}
    assert len(compare.apart(weighted.sample, {}, given, everyone)) == 0


def test_equal_weights_give_the_difference_of_a_simple_sample():
    rng = np.random.default_rng(5)
    given = pd.DataFrame(rng.random((40, 2)) < 0.4, columns=["a", "b"])
    groups = {"g": pd.Series(rng.random(40) < 0.5)}
    groups["h"] = ~groups["g"]
    equal = sample(given, pd.Series(2.0, index=given.index))
    plain, same = (compare.apart(how, {}, given, groups) for how in (None, equal))
    assert same["value"].tolist() == pytest.approx(plain["value"].tolist())
    assert same["base_n"].tolist() == plain["base_n"].tolist()


def test_differences_of_every_table_by_group(simple):
    rows = [
        {"chapter": "profile", "population": "all", "variable": "age", "by": "status"},
        {"chapter": "profile", "population": "all", "variable": "age", "by": ""},
        {"chapter": "offer", "population": "institutions", "variable": "ai_modules",
         "by": "institution_type"},
        {"chapter": "motivations", "population": "trained_students", "variable": "motivation",
         "by": "age"},
    ]  # fmt: skip
    found = compare.differences(simple, pd.DataFrame(rows))
    assert [table["table"].iloc[0] for table in found] == ["age_by_status", "motivation_by_age"]
    answers = simple.study.question("motivation_student").answers
    assert set(found[1]["category"]) == set(answers)


def test_answers_that_nobody_gave_are_no_traceback(weighted):
    survey = weighted.tables["survey"]
    nothing = survey.assign(practice=survey["practice"].where(survey["practice"].isna() & False))
    data = Data(weighted.study, dict(weighted.tables) | {"survey": nothing})
    assert compare.tests(data, "practice", "practice", "status", "trained") == []
    assert compare.tests(data, "practice", "practice", "sector", "trained") == []
    assert len(apart(data, "practice", "status", "trained")) == 0
