"""Where people left, who they are, and what partial responses change: against hand counts."""

import dataclasses

import made_up
import numpy as np
import pandas as pd
import pytest

from analysis import chapters
from analysis.chapters import responses
from analysis.chapters.data import Data
from analysis.definition import Headline
from analysis.paths import Paths
from analysis.questionnaire import Question, Questionnaire
from analysis.release.build import release
from analysis.stats.intervals import newcombe

# Questions a, b (asked of those who said "x" to a), c, d; the last two are optional.
# Answers of five complete people and three who were not, "-" where there is none.
COMPLETE = ["xxxx", "y-xx", "y-x-", "xx--", "x-xx"]
PARTIAL = ["xx--", "y---", "----"]


def question(name, relevant=""):
    return Question(name, "select_one", {}, {}, 1, relevant=relevant)


@pytest.fixture
def few(national):
    """A form of four questions, and eight responses of which the last two were not kept."""
    asked = [question("a"), question("b", "${a} = 'x'"), question("c"), question("d")]
    form = Questionnaire("form", {q.name: q for q in asked}, {}, ("fr", "en"))
    roles = national.roles.model_copy(update={"profile": ["a"]})
    definition = national.definition.model_copy(update={"roles": roles, "headlines": []})
    study = dataclasses.replace(national, definition=definition, questionnaire=form)
    rows = [list(word) for word in [*COMPLETE, *PARTIAL]]
    frame = pd.DataFrame(rows, columns=list("abcd")).replace("-", np.nan)
    frame = frame.astype(pd.CategoricalDtype(["x", "y"]))
    done = [True] * len(COMPLETE) + [False] * len(PARTIAL)
    frame["complete"] = pd.array(done, dtype="boolean")
    kept = frame.index < 6
    received = pd.DataFrame({"complete": frame["complete"], "retained": kept})
    tables = {
        "survey": frame[kept],
        "dropped": frame[~kept].reset_index(drop=True),
        "responses": received,
    }
    return Data(study, tables)


def counted(tables, variable):
    table = pd.concat(tables)
    rows = table[table["variable"] == variable].set_index("category")
    return rows["count"].tolist(), rows["base_n"].tolist()


def test_who_went_to_the_end_has_not_left(few):
    tables = responses.along_the_way(few)
    # The sixth leaves at c, the seventh (who is not asked b) at c, the last at a. Nobody at d:
    # the third and the fourth are complete, and passed over what they did not answer.
    assert counted(tables, "left_before") == ([1, 0, 2, 0], [8, 8, 8, 8])
    # The fifth passes over b, the fourth over c and d, the third over d.
    assert counted(tables, "item_nonresponse") == ([0, 1, 1, 2], [8, 4, 8, 8])


def test_bases_are_those_kept(few):
    found = counted([responses.question_bases(few)], "question_base")
    assert found == ([6, 3, 4, 3], [6, 4, 6, 6])


def test_flow(few):
    flow = responses.flow(few).set_index("category")["count"]
    assert flow.to_dict() == {
        "responses_any": 8,
        "responses_complete": 5,
        "responses_partial": 3,
        "partial_retained": 1,
        "partial_dropped": 2,
        "retained": 6,
    }
    assert responses.flow(few)["base_n"].unique().tolist() == [8]


def test_leavers_by_completion(few):
    found = pd.concat(responses.by_completion(few)).set_index(["by_category", "category"])
    assert found["count"].to_dict() == {
        ("complete", "x"): 3,
        ("complete", "y"): 2,
        ("partial", "x"): 1,
        ("partial", "y"): 1,
    }
    assert found["base_n"].tolist() == [5, 5, 2, 2]
    assert set(found["population"]) == {"received"}
    (test,) = responses.tests(few)
    assert (test["test"], test["by"], test["n"]) == ("fisher", "completion", 7)
    assert test["p_value"] == pytest.approx(1)
    (apart,) = responses.measures(few)
    value = apart.set_index(["by_category", "category"])["value"]
    assert value["partial", "x"] == pytest.approx(1 / 2 - 3 / 5)
    assert value["complete", "x"] == pytest.approx(3 / 5 - 1 / 2)


def test_themes_coded_after_fieldwork_are_asked_of_nobody(few, national):
    assert national.roles.comment_theme == "comment_theme"
    named = [q.name for q in responses.asked_in_order(Data(national, few.tables))]
    assert "comment_theme" not in named and named[-1] == "comment"


# --- Partial responses in and out


@pytest.fixture(scope="module")
def made(national):
    return made_up.tables(national, 120)


def headline(data, variable, category):
    item = Headline(variable=variable, category=category)
    return responses.with_partials(data, item).iloc[0]


def test_a_headline_with_and_without_partial_responses(national, made):
    data = Data(national, made)
    survey = made["survey"]
    trained = survey[survey["training_hours"] != "none"].dropna(subset="satisfaction")
    yes = trained["satisfaction"].isin(["satisfied", "rather_satisfied"])
    whole = trained["complete"].astype(bool)
    row = headline(data, "satisfaction", "satisfied_total")
    assert row["value"] == pytest.approx(yes.mean() - yes[whole].mean())
    part = (~whole).mean()
    bounds = newcombe((yes[whole].sum(), yes[~whole].sum()), (whole.sum(), (~whole).sum()))
    assert (row["low"], row["high"]) == pytest.approx(tuple(part * bound for bound in bounds))
    assert (row["base_n"], row["method"]) == (len(trained), "newcombe")
    assert (row["variable"], row["population"]) == ("satisfaction", "trained")


def test_headlines_of_several_answers_and_of_derived_variables(national, made):
    survey = made["survey"]
    whole = survey["complete"].astype(bool)
    for variable, category, yes in (
        ("informal_learning", "peers", survey["informal_learning/peers"].astype(bool)),
        ("trained", "trained", survey["training_hours"] != "none"),
    ):
        row = headline(Data(national, made), variable, category)
        assert row["value"] == pytest.approx(yes.mean() - yes[whole].mean())


def changed(made, complete, dropped=True):
    """The same tables where everyone kept, or nobody, went to the end."""
    survey, received = made["survey"], made["responses"]
    done = survey.assign(complete=pd.array([complete] * len(survey), dtype="boolean"))
    kept = received["retained"]
    flags = received["complete"].mask(kept, complete)
    received = received.assign(complete=flags)
    return made | {"survey": done, "responses": received if dropped else received[kept]}


def test_every_response_complete(national, made):
    data = Data(national, changed(made, True, dropped=False))
    flow = responses.flow(data).set_index("category")["count"]
    assert flow["responses_partial"] == flow["partial_retained"] == flow["partial_dropped"] == 0
    assert counted(responses.along_the_way(data), "left_before")[0] == [0] * 38
    found = pd.concat(responses.by_completion(data))
    assert set(found["by_category"]) == {"complete"}
    assert responses.tests(data) == []
    measures = pd.concat(responses.measures(data))
    assert set(measures["measure"]) == {"partials_difference"}
    assert measures[["value", "low", "high"]].to_numpy().tolist() == [[0, 0, 0]] * 3


def test_every_response_partial(national, made):
    data = Data(national, changed(made, False))
    assert responses.tests(data) == []
    assert set(pd.concat(responses.by_completion(data))["by_category"]) == {"partial"}
    measures = pd.concat(responses.measures(data))
    assert measures["value"].isna().all()


def test_a_release_where_every_response_is_complete(national, made, tmp_path):
    # Nothing was published of these answers, so that there is nothing to audit.
    study = dataclasses.replace(national, paths=Paths(national.name, tmp_path))
    frames = release(study, changed(made, True, dropped=False))
    tests = frames["tests"]
    assert "responses" not in set(tests["chapter"])
    assert len(tests) > 20
    # Without a survey, and so without responses, there is nothing to say of them.
    others = {n: t for n, t in made.items() if n in ("actions", "institutions", "programmes")}
    data = Data(national, others)
    assert responses.estimates(data) == responses.tests(data) == responses.measures(data) == []
    assert len(responses.facts(data)) == 0
    assert len(chapters.offer.estimates(data)) > 0
