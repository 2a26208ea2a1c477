"""Attacks on what leaves the gate, by an auditor that reads nothing else."""

from __future__ import annotations

import dataclasses
from functools import partial

import made_up
import numpy as np
import pandas as pd
import pytest
from auditor import TABLE, Auditor

from analysis import chapters
from analysis.chapters import crosses
from analysis.chapters.data import Data
from analysis.definition import Disclosure
from analysis.release.disclosure import control
from analysis.release.disclosure.complementary import protect
from analysis.release.disclosure.control import decide
from analysis.release.verdict import HIDDEN, hide
from analysis.study import Study

ROLES = [
    "battery", "motivation", "objective", "job", "ai_use", "provider", "practice", "comment",
    "practice_benefit", "non_use_reason", "comment_theme", "informal_learning",
    "dissatisfaction_reason", "satisfaction_reason", "consumption",
]  # fmt: skip
THREE, FOUR = (
    ["status", "satisfaction", "training_hours"],
    ["status", "age", "satisfaction", "training_hours"],
)
STUDIES = 200


def some_study(national: Study, rules: Disclosure, asked: list[str]) -> Study:
    """The national study with a few questions, as a region's whose answers are not public."""
    definition, form = national.definition, national.questionnaire
    gone = dict.fromkeys(ROLES) | {"profile": ["status"], "settings": None}
    changed = definition.model_copy(
        update={
            "disclosure": rules, "synthetic": False, "tables": {}, "headlines": [], "pairs": [],
            "roles": definition.roles.model_copy(update=gone),
        }
    )  # fmt: skip
    kept = {name: form[name] for name in asked}
    return dataclasses.replace(
        national, definition=changed, questionnaire=dataclasses.replace(form, questions=kept)
    )


def some_answers(study: Study, people: int, seed: int) -> dict[str, pd.DataFrame]:
    """Answers of which some are common and others rare."""
    made = {n: t for n, t in made_up.tables(study, people, seed).items() if n != "actions"}
    rng, survey = np.random.default_rng(seed), made["survey"]
    for name in [name for name in study.questionnaire.questions if name != "training_hours"]:
        kind = survey[name].dtype
        often = rng.dirichlet(np.full(len(kind.categories), 0.7))
        drawn = pd.Series(rng.choice(kind.categories, len(survey), p=often), survey.index)
        survey[name] = drawn.where(survey[name].notna()).astype(kind)
    return made


def released(study: Study, tables: dict[str, pd.DataFrame]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Estimates and crosses as computed, and the same as they leave the gate."""
    data = Data(study, tables)
    estimates = chapters.estimate(data)
    counted = crosses.estimates(data)
    no_tests = pd.DataFrame(columns=chapters.TEST_COLUMNS)
    no_measures = pd.DataFrame(columns=chapters.MEASURE_COLUMNS)
    decided = decide(data, estimates, counted, no_tests, no_measures)
    out = [hide(estimates, HIDDEN, decided.estimates), hide(counted, HIDDEN, decided.crosses)]
    true, told = pd.concat([estimates, counted]), pd.concat(out)
    both = [
        frame.rename(columns={"count": "count_"}).reset_index(drop=True) for frame in (true, told)
    ]
    return both[0], both[1]


def recovered(study: Study, true: pd.DataFrame, told: pd.DataFrame) -> tuple[dict, int]:
    """What an auditor recovers of the counts and bases that are hidden, and how many these are."""
    auditor = Auditor(study, told)
    hidden = {}
    for row in true.itertuples():
        names = tuple(getattr(row, name) for name in TABLE[:4])
        for key, number in (((*names, row.category), row.count_), ((*names, None), row.base_n)):
            if key in auditor.counts and key not in auditor.known and number > 0:
                hidden[key] = float(number)
    return auditor.recovered(hidden, study.definition.disclosure.tolerance), len(hidden)


def too_small(told: pd.DataFrame, least: int) -> pd.DataFrame:
    """Rows of people that show a number from 1 to below the least."""
    rows = told[told["base_kind"].isin(["respondents", "concerned", "mentions"])]
    numbers = rows[["count_", "base_n"]]
    return rows[((numbers > 0) & (numbers < least)).any(axis=1)]


def random_study(national: Study, seed: int) -> tuple[Study, dict[str, pd.DataFrame]]:
    """Small bases, sparse tables, several that hang together; rules more and less strict."""
    rng = np.random.default_rng(seed)
    least, tolerance = int(rng.choice([5, 10])), int(rng.choice([3, 5]))
    rules = Disclosure(minimum_count=least, minimum_base=least, tolerance=tolerance)
    study = some_study(national, rules, FOUR if seed % 8 == 0 else THREE)
    return study, some_answers(study, int(rng.integers(25, 130)), seed)


@pytest.mark.parametrize("part", range(10))
def test_of_random_studies_nothing_hidden_is_recovered(national, part, monkeypatch):
    """In one part of ten the cheapest choice is looked for, in the others it is the fast one, as in
    a large study."""
    if part:
        monkeypatch.setattr(control, "protect", partial(protect, few=0))
    found = 0
    for seed in range(part, STUDIES, 10):
        study, tables = random_study(national, seed)
        true, told = released(study, tables)
        assert too_small(told, study.definition.disclosure.minimum_count).empty, seed
        told_too_closely, hidden = recovered(study, true, told)
        assert not told_too_closely, (seed, told_too_closely)
        found += hidden
    assert found > 500


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_without_complementary_suppression_the_attack_succeeds(national, seed, monkeypatch):
    """The auditor can find what is hidden: with the small counts alone left out, it does."""
    monkeypatch.setattr(control, "protect", lambda task: task.closed(task.hidden))
    study, tables = random_study(national, seed)
    true, told = released(study, tables)
    assert too_small(told, study.definition.disclosure.minimum_count).empty
    found, hidden = recovered(study, true, told)
    assert 0 < len(found) < hidden


def test_where_the_numbers_are_public_small_counts_are_seen(national):
    study = some_study(national, Disclosure(public=True), THREE)
    _, told = released(study, some_answers(study, 60, 1))
    assert len(too_small(told, 10)) > 20
