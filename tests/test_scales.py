"""Scales of two to seven answers, in either direction, with or without a neutral one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import any_study
import made_up
import numpy as np
import pandas as pd
import pytest
from test_any_study import made_up_study

from analysis.chapters import compare, satisfaction, skills
from analysis.chapters.data import Data
from analysis.definition import Battery
from analysis.display import theme
from analysis.display.charts import Words, draw
from analysis.display.report import open_report
from analysis.errors import InputError
from analysis.study import Study

FIVE = ["very_high", "high", "middle", "low", "very_low"]
SIX = ["a1", "a2", "a3", "b1", "b2", "b3"]


def form(levels: list[str] = FIVE) -> str:
    """Two batteries, and satisfaction by hours; five levels come best first unless turned."""
    rows = [
        "survey,type,name,label::Français (fr),label::English (en),required",
        ",select_one hours,hours,Heures,Hours,yes",
        ",select_one five,liked,Satisfaction,Satisfaction,yes",
        ",begin_group,views,Avis,Views,",
        ",select_one five_or_not,view_one,Premier avis,First view,yes",
        ",select_one five_or_not,view_two,Second avis,Second view,yes",
        ",end_group,,,,",
        ",begin_group,ease,Aisance,Ease,",
        ",select_one six,ease_one,Première aisance,First ease,yes",
        ",end_group,,,,",
        "choices,list_name,name,label::Français (fr),label::English (en),",
    ]
    lists = {
        "hours": ["few", "some", "many"],
        "five": levels,
        "five_or_not": [*levels, "aside"],
        "six": SIX,
    }
    rows += [f",{name},{one},{one} fr,{one} en," for name, all_ in lists.items() for one in all_]
    return "\n".join(rows) + "\n"


def roles(levels: list[str]) -> dict[str, Any]:
    high, low = ["very_high", "high"], ["low", "very_low"]
    return {
        "profile": ["hours"], "hours": "hours", "satisfaction": "liked", "satisfied": "pleased",
        "battery": [
            {"group": "views", "scale": levels, "agree": high, "disagree": low,
             "not_concerned": "aside", "by": ["hours"]},
            {"group": "ease", "scale": SIX, "disagree": SIX[:3], "agree": SIX[3:]},
        ],
    }  # fmt: skip


def study(root: Path, levels: list[str] = FIVE) -> Study:
    pleased = {"label": {"fr": "Contents", "en": "Pleased"}, "answers": ["very_high", "high"]}
    tree = made_up_study("", roles=roles(levels), answer_sets={"liked": {"pleased": pleased}})
    return any_study.project(root, tree, form(levels))


@pytest.fixture(autouse=True)
def _few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in ((skills, "DRAWS"), (compare, "DRAWS"), (satisfaction, "DRAWS")):
        monkeypatch.setattr(module, name, 50)


def rising(made: Study) -> dict[str, pd.DataFrame]:
    """Answers of people who are the happier the longer they trained."""
    tables = made_up.tables(made, 200)
    survey = tables["survey"]
    better = {"few": ["low", "very_low"], "some": ["middle", "low"], "many": ["very_high", "high"]}
    rng = np.random.default_rng(3)
    picked = [better[hours][rng.integers(2)] for hours in survey["hours"]]
    survey["liked"] = pd.Categorical(picked, survey["liked"].cat.categories, ordered=True)
    return tables


def test_a_battery_is_read_worst_first_whichever_end_it_begins_with() -> None:
    given = roles(FIVE)["battery"][0]
    read, turned = Battery(**given), Battery(**given | {"scale": FIVE[::-1]})
    assert read == turned
    assert read.scale == FIVE[::-1] and read.neutral == ["middle"]
    assert read.disagree == ["very_low", "low"] and read.agree == ["high", "very_high"]


@pytest.mark.parametrize("levels", [FIVE, FIVE[::-1]], ids=["best first", "worst first"])
def test_satisfaction_rises_with_hours_whichever_answer_is_asked_first(
    tmp_path: Path, levels: list[str]
) -> None:
    made = study(tmp_path, levels)
    outcomes = satisfaction.over_hours(Data(made, rising(made)), "hours")
    found = {outcome.test: outcome for outcome in outcomes}
    assert found["gamma"].effect_size > 0.5
    assert found["somers_d"].effect_size > 0.5
    assert found["cochran_armitage"].statistic > 0 or found["linear_by_linear"].statistic > 0


def test_net_agreement_leaves_neutral_answers_on_neither_side(tmp_path: Path) -> None:
    made = study(tmp_path)
    tables = made_up.tables(made, 200)
    measures = pd.concat(skills.measures(Data(made, tables)))
    net = measures[measures["measure"] == "net_agreement"].set_index("variable")["value"]
    for item, high, low in (("view_one", ["very_high", "high"], ["low", "very_low"]),
                            ("ease_one", SIX[3:], SIX[:3])):  # fmt: skip
        answers = tables["survey"][item]
        answers = answers[answers != "aside"]
        assert net[item] == pytest.approx(answers.isin(high).mean() - answers.isin(low).mean())
    ranked = measures[measures["measure"] == "rank"]
    assert set(ranked["variable"]) == {"view_one", "view_two", "ease_one"}


@pytest.mark.parametrize("low", [1, 2, 3])
@pytest.mark.parametrize("high", [1, 2, 3])
def test_each_answer_of_a_scale_has_a_fill_of_its_own(low: int, high: int) -> None:
    worst, best = theme.sides(low, high)
    fills = [*worst, theme.NEUTRAL, *best]
    assert len({fill.color for fill in fills}) == low + high + 1
    # Told apart without colour too: dots on one side only.
    assert all(fill.dotted for fill in worst) and not any(fill.dotted for fill in [*best])


def test_several_batteries_are_drawn_each_on_its_scale(tmp_path: Path) -> None:
    made = any_study.released(study(tmp_path))
    report = open_report(made.name, "fr", tmp_path)
    assert report.names("skills") == ["skills-views", "skills-ease"]
    for name, fills in (("skills-views", 4), ("skills-ease", 6)):
        entry, _ = report._entry(name)
        rows = report._rows(name)
        spec = draw(rows, Words(report.labels, entry))["wide"]
        bars = [trace for trace in spec["data"] if trace["type"] == "bar"]
        assert len({bar["marker"]["color"][0] for bar in bars}) == fills
        shown = " ".join(str(each["text"]) for each in spec["layout"]["annotations"])
        assert ("middle fr\u00a0: " in shown) == (name == "skills-views")
    assert any_study.problems(made, "fr") == []


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"scale": [*SIX, "b4", "b5"]}, "two to seven answers"),
        ({"agree": ["b9"]}, "the sides of a scale are answers on it"),
        ({"scale": SIX[1:], "disagree": SIX[1:3]}, "names every answer to its items"),
    ],
)
def test_a_scale_that_does_not_fit_is_told(tmp_path: Path, part: dict, said: str) -> None:
    given = roles(FIVE)
    given["battery"] = {**given["battery"][1], **part}
    sets = {"liked": {"pleased": {"label": {"fr": "a", "en": "a"}, "answers": ["high"]}}}
    with pytest.raises(InputError, match=said):
        any_study.project(tmp_path, made_up_study("", roles=given, answer_sets=sets), form())
