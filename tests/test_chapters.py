"""Every chapter on made-up answers, recomputed in plain pandas."""

import made_up
import pandas as pd
import pytest

from analysis import chapters
from analysis.chapters import satisfaction
from analysis.chapters.data import Data


@pytest.fixture(scope="module")
def data(national):
    return Data(national, made_up.tables(national, 400))


@pytest.fixture(scope="module")
def estimates(data):
    return chapters.estimate(data)


@pytest.fixture(scope="module")
def survey(data):
    return data.tables["survey"]


def cell(estimates, category, base_kind="respondents", by="", by_category="", **names):
    rows = estimates[
        (estimates["category"] == category)
        & (estimates["base_kind"] == base_kind)
        & (estimates["by"] == by)
        & (estimates["by_category"] == by_category)
    ]
    for name, value in names.items():
        rows = rows[rows[name] == value]
    assert len(rows) == 1
    return rows.iloc[0]


def test_response_flow(estimates, data):
    received = data.tables["responses"]
    flow = estimates[estimates["variable"] == "response_flow"].set_index("category")["count"]
    assert flow["responses_any"] == len(received)
    assert flow["retained"] == len(data.tables["survey"])
    assert flow["partial_dropped"] == 9
    assert flow["responses_complete"] + flow["responses_partial"] == flow["responses_any"]


def test_bases_along_the_routing(estimates, survey):
    row = cell(estimates, "non_use_reason", variable="question_base")
    assert row["base_n"] == (survey["practice"] == "none").sum()
    assert row["count"] == survey["non_use_reason/by_choice"].notna().sum()


def test_profile(estimates, survey):
    assert (
        cell(estimates, "student", variable="status", population="all")["count"]
        == (survey["status"] == "student").sum()
    )
    mentions = cell(estimates, "other", "mentions", variable="sector")
    sectors = survey.filter(like="sector/").fillna(False).astype(bool)
    assert mentions["base_n"] == sectors.to_numpy().sum()
    assert mentions["count"] == sectors["sector/other"].sum()


def test_learning(estimates, survey):
    trained = survey[survey["training_hours"] != "none"]
    row = cell(estimates, "22_plus", variable="training_hours", population="trained")
    assert (row["count"], row["base_n"]) == (
        (trained["training_hours"] == "22_plus").sum(),
        len(trained),
    )
    students = survey[survey["status"] == "student"]
    row = cell(estimates, "peers", variable="informal_learning", by="status", by_category="student")
    assert row["count"] == students["informal_learning/peers"].sum()
    assert (
        cell(estimates, "trained", variable="trained", population="student")["count"]
        == (students["training_hours"] != "none").sum()
    )


def test_joint_tests_of_several_answers(data, estimates):
    tests = chapters.test(data)
    tests = tests[tests["test"].str.startswith("several_answers_")]
    assert set(tests["table"]) == {
        "training_setting_by_status",
        "informal_learning_by_status",
        "training_objective_by_job",
        "ai_use_frequency_by_sector",
    }
    assert (tests.groupby("table")["test"].nunique() == 3).all()
    assert set(tests["table"]) <= set(estimates["table"])
    assert tests["p_value"].between(0, 1).all()


def test_a_joint_test_has_the_base_of_its_question(data, survey):
    tests = chapters.test(data).set_index(["table", "test"])["n"]
    answered = survey["informal_learning/peers"].notna() & survey["status"].notna()
    assert tests["informal_learning_by_status", "several_answers_rao_scott"] == answered.sum()


def test_motivation_families_count_people_once(estimates, survey):
    answered = survey[survey["motivation_pro/curiosity"].notna()]
    either = answered["motivation_pro/curiosity"] | answered["motivation_pro/explore_creativity"]
    row = cell(
        estimates,
        "personal_development",
        variable="motivation_family",
        population="trained_non_students",
    )
    assert (row["count"], row["base_n"]) == (either.sum(), len(answered))


def test_objectives_by_job(estimates, survey):
    editors = survey[(survey["job"] == "editor") & survey["training_objective/use_ai"].notna()]
    row = cell(estimates, "use_ai", variable="training_objective", by="job", by_category="editor")
    assert (row["count"], row["base_n"]) == (
        editors["training_objective/use_ai"].sum(),
        len(editors),
    )


def test_skills_have_two_bases(estimates, survey):
    answers = survey["skill_tool_choice"].dropna()
    everyone = cell(estimates, "agree", variable="skill_tool_choice")
    concerned = cell(estimates, "agree", "concerned", variable="skill_tool_choice")
    agree = answers.isin(["rather_agree", "strongly_agree"]).sum()
    assert (everyone["count"], everyone["base_n"]) == (agree, len(answers))
    assert concerned["base_n"] == (answers != "not_concerned").sum()
    assert concerned["count"] == agree


def test_index_is_the_mean_score_of_those_concerned(estimates, survey):
    steps = {
        "strongly_disagree": 0,
        "rather_disagree": 1 / 3,
        "rather_agree": 2 / 3,
        "strongly_agree": 1,
    }
    items = survey[["skill_how_ai_works", "skill_technical_detail"]].astype("string")
    scores = items.apply(lambda item: item.map(steps)).mean(axis=1).dropna()
    row = cell(estimates, "fundamentals", "concerned", variable="expectation_index")
    assert row["share"] == pytest.approx(scores.mean())
    assert row["base_n"] == len(scores)
    assert 0 <= row["share_low"] < row["share"] < row["share_high"] <= 1


def test_satisfaction_by_hours_and_its_trend(estimates, data, survey):
    band = survey[survey["training_hours"] == "8_14"]["satisfaction"].dropna()
    row = cell(
        estimates,
        "satisfied_total",
        variable="satisfaction",
        by="training_hours",
        by_category="8_14",
    )
    satisfied = band.isin(["satisfied", "rather_satisfied"]).sum()
    assert (row["count"], row["base_n"]) == (satisfied, len(band))
    tests = chapters.test(data)
    tests = tests[tests["table"] == "satisfaction_by_training_hours"].set_index("test")
    asymptotic = {"linear_by_linear", "cochran_armitage", "gamma", "somers_d",
                  "proportional_odds", "proportional_odds_assumption"}  # fmt: skip
    assert asymptotic <= set(tests.index)
    # Each trend is also tested without the asymptotics, exactly where that is feasible.
    for name in ("linear_by_linear", "cochran_armitage"):
        assert len({f"{name}_exact", f"{name}_permutation"} & set(tests.index)) == 1
    assert tests.index.is_unique
    ends = (
        survey.dropna(subset=["satisfaction"])
        .groupby("training_hours", observed=True)["satisfaction"]
        .agg(lambda x: x.isin(["satisfied", "rather_satisfied"]).mean())
    )
    assert tests.loc["cochran_armitage", "effect_size"] == pytest.approx(
        ends["22_plus"] - ends["4_or_less"]
    )


def answered(national, data, by_band):
    """Tests of a study where these are the answers on satisfaction, by band of hours."""
    survey = data.tables["survey"].copy()
    bands = survey["training_hours"].astype(str).map(by_band)
    kept = survey["satisfaction"].where(survey["satisfaction"].isna(), bands)
    survey["satisfaction"] = kept.astype(survey["satisfaction"].dtype)
    tests = chapters.test(Data(national, data.tables | {"survey": survey}))
    return tests[tests["table"] == "satisfaction_by_training_hours"].set_index("test")


def test_separated_answers_leave_tests_that_can_be_read(national, data, recwarn):
    bands = [
        band for band in data.tables["survey"]["training_hours"].cat.categories if band != "none"
    ]
    answers = national.question("satisfaction").answers
    ranked = answers if answers[-1] == "satisfied" else answers[::-1]
    tests = answered(national, data, dict(zip(bands, [*ranked, ranked[-1]], strict=True)))
    assert (
        tests.loc["proportional_odds_failed", ["statistic", "p_value", "effect_size"]].isna().all()
    )
    assert "proportional_odds_assumption" not in tests.index
    assert (
        tests.loc["binary_logit_failed", "p_value"] != tests.loc["binary_logit_failed", "p_value"]
    )
    assert tests.loc["gamma", "effect_size"] == pytest.approx(1)
    assert tests.loc["linear_by_linear", "p_value"] < 1e-6
    assert not recwarn.list


def test_a_single_band_has_no_trend(national, data):
    survey = data.tables["survey"]
    kept = survey[survey["training_hours"].isin(["none", "8_14"])]
    tests = chapters.test(Data(national, data.tables | {"survey": kept}))
    assert set(tests.loc[tests["chapter"] == "satisfaction", "by"]) == {"status", "age"}


def test_one_cut_is_read_alone_where_the_assumption_is_doubtful():
    broken = pd.DataFrame([[20, 60, 20], [30, 40, 30], [45, 10, 45]])
    split = pd.DataFrame({"satisfied": [20, 30, 45], "other": [80, 70, 55]})
    found = {outcome.test: outcome for outcome in satisfaction.odds(broken, split)}
    assert list(found) == ["proportional_odds", "proportional_odds_assumption", "binary_logit"]
    assert found["binary_logit"].effect_size > 1.5
    assert len(satisfaction.odds(broken, None)) == 2
    assert [outcome.test for outcome in satisfaction.odds(split, split)] == ["proportional_odds"]


def test_practice_and_non_use(estimates, survey):
    assert cell(estimates, "daily", variable="practice")["base_n"] == survey["practice"].count()
    reasons = survey["non_use_reason/by_choice"].dropna()
    row = cell(estimates, "by_choice", variable="non_use_reason", population="not_practising")
    assert (row["count"], row["base_n"]) == (reasons.sum(), len(reasons))


def test_comments_count_and_themes(estimates, survey):
    assert cell(estimates, "base", variable="comment")["count"] == survey["comment"].count()
    assert (
        cell(estimates, "budget", variable="comment_theme")["count"]
        == (survey["comment_theme"] == "budget").sum()
    )


def test_consumption(estimates, data):
    actions = data.tables["actions"]
    row = cell(estimates, "mean", "actions", variable="duration_hours")
    assert row["count"] / row["base_n"] == pytest.approx(actions["hours"].mean())
    means = actions.groupby("training_title")["hours"].mean()
    band = cell(estimates, "8_14", "trainings", variable="mean_duration_band")
    assert (band["count"], band["base_n"]) == (((means >= 8) & (means < 15)).sum(), len(means))
    assert (
        cell(estimates, "actions", "actions", variable="actions", population="group_2")["count"]
        == (actions["group"] == "group_2").sum()
    )
    months = estimates[estimates["variable"] == "month"]
    assert months["count"].sum() == len(actions) and len(months) == 12


def test_offer(estimates, data):
    schools = data.tables["institutions"]
    public = schools[schools["institution_type"] == "public"]
    row = cell(
        estimates,
        "strong",
        "institutions",
        variable="ai_integration",
        by="institution_type",
        by_category="public",
    )
    assert (row["count"], row["base_n"]) == (
        (public["ai_integration"] == "strong").sum(),
        len(public),
    )
    programmes = data.tables["programmes"]
    assert cell(estimates, "single_tool", "programmes", variable="approach")["count"] == (
        programmes["approach/single_tool"].sum()
    )


def test_a_study_without_a_role_has_no_such_chapter(national, data):
    roles = national.roles.model_copy(
        update={
            "satisfaction": None,
            "battery": None,
            "dissatisfaction_reason": None,
            "satisfaction_reason": None,
        }
    )
    definition = national.definition.model_copy(update={"roles": roles, "tables": {}})
    study = type(national)(national.paths, definition, national.questionnaire, national.recodes)
    estimates = chapters.estimate(Data(study, data.tables))
    assert not {"satisfaction", "skills"} & set(estimates["chapter"])
    tested = set(chapters.test(Data(study, data.tables))["chapter"])
    assert tested == {"responses", "learning", "motivations"}


def test_order_of_rows_does_not_matter(national, data, estimates):
    shuffled = {name: table.sample(frac=1, random_state=3) for name, table in data.tables.items()}
    again = chapters.estimate(Data(national, shuffled))
    pd.testing.assert_frame_equal(again, estimates, check_exact=False, rtol=1e-12)
