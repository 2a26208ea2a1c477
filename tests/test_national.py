"""The national study through the whole pipeline: what the charts print is what comes out."""

import pytest

from analysis.intake.clean import clean
from analysis.release.audit import CONTRADICTED, IMPOSSIBLE, STATUSES
from analysis.release.build import release
from analysis.release.register import read_register


@pytest.fixture(scope="module")
def frames(national):
    return release(national, clean(national).tables)


@pytest.fixture(scope="module")
def audited(national, frames):
    register = read_register(national.published, "published.csv")
    return frames["audit"].merge(
        register, on="figure_id", validate="one_to_one", suffixes=("", "_printed")
    )


def test_every_figure_has_a_status(audited):
    assert len(audited) == 363
    assert set(audited["status"]) <= set(STATUSES)
    assert (audited["explanation"].str.len() > 20).all()


def test_every_chart_figure_is_reproduced(audited):
    charts = audited[audited["place"] != "text"]
    assert len(charts) > 250
    assert set(charts["status"]) <= {"exact", "rounds"}


def test_chart_counts_and_percentages_one_by_one(audited, frames):
    """The same without the audit's own code."""
    keys = ["variable", "population", "by", "by_category", "category"]
    charts = audited[(audited["place"] != "text") & ~audited["category"].isin(["base", "total"])]
    met = charts.merge(frames["estimates"], on=keys, suffixes=("_register", ""))
    on_base = met[met["base_n_register"].isna() | (met["base_n_register"] == met["base_n"])]
    assert on_base["figure_id"].nunique() == len(charts)
    counted = on_base[on_base["count_register"].notna()]
    same = counted["count_register"] == counted["count"]
    assert counted[same]["figure_id"].nunique() == counted["figure_id"].nunique()
    shares = on_base[on_base["percent"].notna()]
    # Half a point, and nothing more: rounding of a whole percentage.
    near = (100 * shares["share"] - shares["percent"]).abs() <= 0.5 + 1e-9
    assert shares[near]["figure_id"].nunique() == shares["figure_id"].nunique()


def test_bases_the_study_prints(frames):
    bases = frames["estimates"].query("variable == 'question_base'").set_index("category")["count"]
    assert bases.reindex(
        [
            "status",
            "informal_learning",
            "training_provider_name",
            "motivation_pro",
            "motivation_student",
            "training_objective",
            "skill_support_team",
            "satisfaction",
            "dissatisfaction_reason",
            "satisfaction_reason",
            "practice",
            "practice_benefit",
            "non_use_reason",
            "comment",
        ]
    ).tolist() == [341, 341, 196, 228, 23, 258, 245, 243, 47, 192, 237, 193, 34, 102]


def test_response_flow(frames):
    flow = frames["estimates"].query("variable == 'response_flow'").set_index("category")["count"]
    assert flow.to_dict() == {
        "responses_any": 378,
        "responses_complete": 315,
        "responses_partial": 63,
        "partial_retained": 26,
        "partial_dropped": 37,
        "retained": 341,
    }


def test_what_the_audit_finds(audited):
    """Statements that arithmetic refutes, whatever the answers behind them."""
    found = audited.set_index("figure_id")["status"]
    # 162 of 245 agree, which is 66 %; 113 of 123 where the chart has 109 of 119; 378 not 400.
    for figure in ("text.identify_risks", "text.satisfied_22_plus", "text.respondents_announced"):
        assert found[figure] == CONTRADICTED
    # 125 of 341 is 36.7 %; 44 of 69 is 63.8 %; 17 of 23 is 73.9 %.
    for figure in ("text.age_30_49", "text.peers_students", "text.student_mandatory"):
        assert found[figure] == "truncated"
    assert found["text.objective_use_director"] == "unspecified"


def test_contradictions_name_what_forbids_them(audited):
    refuted = audited[audited["status"] == CONTRADICTED].set_index("figure_id")["explanation"]
    assert "skills.identify_risks.agree" in refuted["text.identify_risks"]
    assert "satisfaction_by_hours.22_plus.satisfied" in refuted["text.satisfied_22_plus"]
    assert "method.responses_any" in refuted["text.respondents_announced"]


def test_few_statements_are_refuted(audited):
    text = audited[audited["place"] == "text"]
    refuted = text[text["status"].isin([CONTRADICTED, IMPOSSIBLE])]
    assert set(refuted["figure_id"]) == {
        "text.identify_risks",
        "text.satisfied_22_plus",
        "text.respondents_announced",
    }


def test_the_trend_is_published_and_strong(frames):
    tests = frames["tests"].set_index("test")
    assert tests.loc["cochran_armitage", "evidence"] == "published"
    assert tests.loc["cochran_armitage", "p_value"] < 1e-4
    # 109 of 119 against 13 of 25.
    assert tests.loc["cochran_armitage", "effect_size"] == pytest.approx(109 / 119 - 13 / 25)


def test_released_results_hold_no_microdata(national, frames):
    survey = clean(national).tables["survey"]
    private = set(survey["response_id"]) | set(survey["comment"].dropna())
    private |= set(survey["training_provider_name"].dropna())
    released = {
        value for frame in frames.values() for value in frame.astype(str).to_numpy().ravel()
    }
    assert len(private) > 400
    assert not private & released
