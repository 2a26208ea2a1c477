"""Every question by every profile variable: counts, intervals, and the gate they pass."""

import made_up
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import chapters
from analysis.chapters import crosses
from analysis.chapters.data import Data, shares
from analysis.definition import Thresholds
from analysis.intake.weighting import WEIGHT
from analysis.release.build import CROSSES, release
from analysis.release.crosses import counted, crossed, same_as_estimates
from analysis.release.disclosure.control import decide
from analysis.release.plausibility import ImplausibleError
from analysis.study import Study

CELL = ["variable", "population", "category", "by", "by_category", "base_kind"]
NUMBERS = ["base_n", "count", "share", "share_low", "share_high"]


@pytest.fixture(scope="module")
def tables(national):
    return made_up.tables(national, 300)


@pytest.fixture(scope="module")
def data(national, tables):
    return Data(national, tables)


@pytest.fixture(scope="module")
def found(data):
    return crosses.estimates(data)


def changed(study: Study, **fields) -> Study:
    definition = study.definition.model_copy(update=fields)
    return Study(study.paths, definition, study.questionnaire, study.recodes, study.lines)


def test_every_closed_question_meets_every_profile_variable(data, found):
    names, by = crosses.questions(data), crosses.profile(data)
    assert by == ["status", "age", "sector", "job", "ai_use_frequency", "training_hours"]
    assert len(names) == 36 and "comment_theme" not in names and "comment" not in names
    pairs = set(map(tuple, found[["variable", "by"]].drop_duplicates().to_numpy()))
    wanted = {(data.study.variable_of(name), each) for name in names for each in ["", *by]}
    assert pairs == {(name, each) for name, each in wanted if name != each}
    assert not found.duplicated(CELL).any()


def test_a_count_is_that_of_the_people_one_by_one(data, found, tables):
    people = tables["survey"]
    row = found.set_index(CELL).loc[
        (
            "training_objective",
            "trained",
            "discover_ai",
            "sector",
            "games_animation_vfx",
            "respondents",
        )
    ]
    asked = people["training_objective/discover_ai"].notna() & people[
        "sector/games_animation_vfx"
    ].fillna(False)
    assert row["base_n"] == asked.sum() > 5
    assert row["count"] == (asked & people["training_objective/discover_ai"].fillna(False)).sum()


def test_intervals_are_those_of_the_chapters(data, found):
    slow = pd.concat(shares(data, "x", "practice", by="job"))
    slow = slow[slow["base_n"] > 0].set_index(CELL)[NUMBERS]
    fast = found.set_index(CELL).loc[slow.index, NUMBERS]
    assert len(slow) > 20
    np.testing.assert_allclose(fast.to_numpy(float), slow.to_numpy(float), atol=1e-12)


def test_an_item_of_the_battery_counts_those_it_concerns(data, found, tables):
    rows = found[(found["variable"] == "skill_tool_choice") & (found["by"] == "status")]
    assert set(rows["base_kind"]) == {"concerned"}
    assert "not_concerned" not in set(rows["category"])
    people = tables["survey"]
    here = (people["status"] == "student") & people["skill_tool_choice"].notna()
    concerned = here & (people["skill_tool_choice"] != "not_concerned")
    assert concerned.sum() < here.sum()
    student = rows[rows["by_category"] == "student"].set_index("category")
    assert set(student["base_n"]) == {concerned.sum()}
    agree = people["skill_tool_choice"].isin(["rather_agree", "strongly_agree"])
    assert student.loc["agree", "count"] == (concerned & agree).sum()


def test_the_design_is_that_of_the_other_tables(national, tables):
    rng = np.random.default_rng(7)
    weights = pd.Series(rng.uniform(0.5, 3, len(tables["survey"])), tables["survey"].index)
    survey = tables["survey"].assign(**{WEIGHT: weights})
    design = national.definition.design.model_copy(update={"weights": WEIGHT})
    study = changed(national, design=design)
    data = Data(study, tables | {"survey": survey})
    assert data.sample is not None
    fast = crosses.estimates(data)
    assert set(fast["method"]) == {"korn_graubard"}
    slow = pd.concat(
        shares(data, "x", "satisfaction", by="age") + shares(data, "x", "sector", by="job")
    )
    slow = slow[(slow["base_n"] > 0)].set_index(CELL)
    same = fast.set_index(CELL).loc[slow.index]
    columns = [*NUMBERS, "df"]
    np.testing.assert_allclose(
        same[columns].to_numpy(float), slow[columns].to_numpy(float), atol=1e-12
    )


def test_a_study_too_large_for_it_has_none(data, found, monkeypatch):
    assert len(found)
    monkeypatch.setattr(crosses, "SIMPLE", 1000)
    assert crosses.estimates(data).empty
    assert list(crosses.estimates(data).columns) == crosses.COLUMNS


def test_a_study_without_survey_has_none(national, tables):
    kept = {name: table for name, table in tables.items() if name == "programmes"}
    data = Data(national, kept)
    assert crosses.estimates(data).empty
    nothing = gate(data, pd.DataFrame(columns=[*chapters.ESTIMATE_COLUMNS, "evidence"]))
    assert list(nothing[CROSSES].columns) == CROSSES and nothing.empty


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 4), st.integers(1, 5))
def test_a_tally_is_the_count_of_each_pair(seed, people, groups, answers):
    rng = np.random.default_rng(seed)
    member, chosen = rng.random((people, groups)) < 0.5, rng.random((people, answers)) < 0.5
    counts = crosses.tally(member, chosen)
    for g in range(groups):
        for a in range(answers):
            assert counts[g, a] == (member[:, g] & chosen[:, a]).sum()


def test_a_tally_does_not_depend_on_its_blocks(monkeypatch):
    rng = np.random.default_rng(1)
    member, chosen = rng.random((100, 3)) < 0.5, rng.random((100, 4)) < 0.5
    whole = crosses.tally(member, chosen)
    monkeypatch.setattr(crosses, "BLOCK", 7)
    assert (crosses.tally(member, chosen) == whole).all()


# The gate


@pytest.fixture(scope="module")
def released(national, tables):
    return release(national, tables)


def test_released_columns_are_those_of_the_estimates_and_the_reason(released):
    assert list(released["crosses"].columns) == CROSSES


def test_what_a_chapter_estimates_too_is_the_same_in_both(released):
    keys = ["chapter", "table", *CELL]
    both = released["crosses"].merge(released["estimates"], on=keys, suffixes=("", "_chapter"))
    assert len(both) > 200
    for name in [*NUMBERS, "method", "verdict", "evidence"]:
        pd.testing.assert_series_equal(
            both[name], both[f"{name}_chapter"], check_names=False, check_dtype=False
        )


def test_only_printed_tables_are_published(released):
    rows = released["crosses"]
    by = rows[rows["by"] != ""]
    published = by[by["evidence"] == "published"]
    assert set(published["table"]) == {"satisfaction_by_training_hours"}
    assert set(by["evidence"]) == {"published", "illustrative"}


@pytest.fixture(scope="module")
def estimates(data):
    return chapters.estimate(data).assign(evidence="illustrative")


def gate(data, estimates):
    tests = pd.DataFrame(columns=chapters.TEST_COLUMNS)
    measures = pd.DataFrame(columns=chapters.MEASURE_COLUMNS)
    frame = counted(data, estimates)
    decided = decide(data, estimates, frame, tests, measures).crosses
    return crossed(frame, decided, data.study, estimates, tests, None, None)


def test_small_bases_are_hidden_and_say_so(national, tables, found, estimates):
    study = changed(
        national, thresholds=Thresholds(suppressed_base=20), synthetic=False, disclosure=None
    )
    rows = gate(Data(study, tables), estimates)
    small = (found["base_n"] < 20).to_numpy()
    assert 100 < small.sum() < len(rows) == len(found)
    hidden = rows[small]
    assert set(hidden["verdict"]) == {"suppressed"}
    assert hidden["reason"].str.contains("hidden_base").all()
    assert hidden[NUMBERS].isna().all(axis=None)
    assert rows[~small][["base_n", "share"]].notna().all(axis=None)
    assert set(rows["evidence"]) == {"observed"}


def test_numbers_that_differ_from_a_chapter_do_not_leave(found, estimates):
    assert same_as_estimates(found, estimates) == []
    at = found.index[found["table"] == "satisfaction_by_training_hours"][0]
    broken = found.copy()
    broken.loc[at, "count"] += 1
    assert len(same_as_estimates(broken, estimates)) == 1


def test_crosses_that_contradict_themselves_stop_the_build(data, found, estimates, monkeypatch):
    twice = pd.concat([found, found.head(1)], ignore_index=True)
    monkeypatch.setattr(crosses, "estimates", lambda data, chapters: twice)
    with pytest.raises(ImplausibleError, match="estimated twice"):
        gate(data, estimates)


def test_order_of_people_does_not_matter(national, tables, found):
    order = np.random.default_rng(3).permutation(len(tables["survey"]))
    turned = tables | {"survey": tables["survey"].iloc[order].reset_index(drop=True)}
    pd.testing.assert_frame_equal(crosses.estimates(Data(national, turned)), found)
