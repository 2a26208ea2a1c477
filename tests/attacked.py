"""A small study with disclosure control, its answers drawn at random: what attacks are tried on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import any_study
import made_up
import numpy as np
import pandas as pd
from auditor import FLOW, Auditor, Combinations
from published import of_frame

from analysis import chapters
from analysis.chapters import crosses
from analysis.chapters.data import Data
from analysis.release.build import release
from analysis.release.disclosure import control
from analysis.release.disclosure.rounding import rounded
from analysis.release.exports import write_results
from analysis.release.verdict import HIDDEN, hide
from analysis.study import Study

NAME = "attacked"
QUESTIONNAIRE = """\
survey
,type,name,label::Français (fr),label::English (en),relevant
,select_one statuses,status,Votre situation,Your situation,
,select_one hours,training_hours,Combien d’heures ?,How many hours?,
,select_multiple aims,objective,Pour quoi faire ?,What for?,${training_hours} != 'none'
,begin_group,skills,Compétences,Skills,
,select_one agree,skill_tools,Je choisis mes outils,I choose my tools,${training_hours} != 'none'
,end_group,skills,,,
,select_one levels,satisfaction,Votre satisfaction,Your satisfaction,${training_hours} != 'none'
choices
,list_name,name,label::Français (fr),label::English (en)
,statuses,permanent,En poste,Employed
,statuses,freelance,À son compte,Freelance
,statuses,student,En études,Student
,hours,none,Aucune,No training
,hours,short,Un jour ou moins,A day or less
,hours,long,Plus d’un jour,More than a day
,aims,tools,Découvrir des outils,Discover tools
,aims,work,Travailler autrement,Work in another way
,aims,teach,Former à son tour,Train others
,agree,no,Pas d’accord,Disagree
,agree,yes,D’accord,Agree
,agree,not_concerned,Non concerné·e,Not concerned
,levels,low,Faible,Low
,levels,middle,Moyenne,Middling
,levels,high,Forte,High
"""
LABELS = {
    "brand": ("Essai", "Trial"), "title": ("Une étude inventée", "A made-up study"),
    "field": ("essai", "trial"),
}  # fmt: skip
# Responses that are too short to keep.
DROPPED = 9


def tree(rules: Mapping[str, Any], langs: tuple[str, ...] = ("fr",), **more: Any) -> dict[str, Any]:
    """Its definition, under some rules of disclosure control."""

    def text(*texts: str) -> dict[str, str]:
        return {lang: told for lang, told in zip(("fr", "en"), texts, strict=True) if lang in langs}

    columns = {
        "response_id": {"label": text("Identifiant", "Identifier"), "type": "id"},
        "complete": {"label": text("Fini", "Completed"), "type": "boolean"},
    }
    trained = {
        "label": text("personnes formées", "people trained"), "where": "${training_hours} != 'none'"
    }  # fmt: skip
    content = {"label": text("Moyenne ou forte", "Middling or high"), "answers": ["middle", "high"]}
    return {
        "study": NAME,
        "languages": list(langs),
        **{name: text(*texts) for name, texts in LABELS.items()},
        "publisher": "nobody",
        "synthetic": False,
        "period": {"start": "2026-01-01", "end": "2026-03-31"},
        "retention": {"min_answered": 1},
        "licence": {"name": "Licence Ouverte 2.0", "url": "https://example.org/licence"},
        "sources": {"survey": {"path": "survey.csv", "columns": columns}},
        "populations": {"all": {"label": text("ensemble", "everyone")}, "trained": trained},
        "base_populations": dict.fromkeys(["objective", "skills", "satisfaction"], "trained"),
        "answer_sets": {"satisfaction": {"content": content}},
        "roles": {
            "status": "status", "profile": ["status"], "hours": "training_hours",
            "no_training": "none", "objective": "objective", "satisfaction": "satisfaction",
            "satisfied": "content",
            "battery": {"group": "skills", "scale": ["no", "yes"], "disagree": ["no"],
                        "agree": ["yes"], "not_concerned": "not_concerned", "by": ["status"]},
        },
        "pairs": ["objective"],
        "thresholds": {"suppressed_base": 0},
        "disclosure": dict(rules),
    } | more  # fmt: skip


def make(root: Path, rules: Mapping[str, Any], **more: Any) -> Study:
    """The study in a folder of its own, without answers."""
    return any_study.project(root, tree(rules, **more), QUESTIONNAIRE)


def answers(study: Study, people: int, seed: int) -> dict[str, pd.DataFrame]:
    """Clean tables, in which some answers are common and others rare."""
    made = made_up.tables(study, people, seed)
    rng, survey = np.random.default_rng(seed), made["survey"]
    for question in study.questionnaire or ():
        if question.several:
            often = rng.uniform(0.05, 0.6, len(question.columns))
            given = rng.random((len(survey), len(often))) < often
            given[~given.any(axis=1), 0] = True
            there = survey[question.columns[0]].notna().to_numpy()
            drawn = pd.DataFrame(given, survey.index, question.columns).astype("boolean")
            drawn.loc[~there, :] = pd.NA
            survey[question.columns] = drawn
        elif question.name != "training_hours":
            kind = survey[question.name].dtype
            often = rng.dirichlet(np.full(len(kind.categories), 0.8))
            drawn = pd.Series(rng.choice(kind.categories, len(survey), p=often), survey.index)
            survey[question.name] = drawn.where(survey[question.name].notna()).astype(kind)
    lost = survey.head(DROPPED).assign(complete=False)
    for question in study.questionnaire or ():
        lost[question.columns] = pd.NA
    made["dropped"] = lost.astype(survey.dtypes)
    return made


def gave(combinations: Combinations, tables: Mapping[str, pd.DataFrame]) -> np.ndarray:
    """How many people gave each combination of answers."""
    survey = tables["survey"]
    names = [name for name in combinations.frame if name != FLOW]
    ended = survey["complete"].map({True: "complete", False: "partial"})
    lost = pd.DataFrame({FLOW: "dropped_partial"}, index=range(len(tables["dropped"])))
    people = pd.concat(
        [survey[names].assign(**{FLOW: ended}), lost.reindex(columns=[*names, FLOW])]
    )
    keys = [frame[[*names, FLOW]].astype("string").fillna("") for frame in
            (people, combinations.frame)]  # fmt: skip
    counts = keys[0].value_counts()
    found = counts.reindex(pd.MultiIndex.from_frame(keys[1]), fill_value=0)
    assert found.sum() == len(people)
    return found.to_numpy(float)


def computed(data: Data) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Estimates and crosses before the gate."""
    estimates = chapters.estimate(data)
    return estimates, crosses.estimates(data)


def frames(study: Study, tables: dict[str, pd.DataFrame]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Estimates and crosses as computed, and the same as they leave the gate."""
    data = Data(study, tables)
    true = computed(data)
    none = [pd.DataFrame(columns=c) for c in (chapters.TEST_COLUMNS, chapters.MEASURE_COLUMNS)]
    decided = control.decide(data, *true, *none)
    told = [
        hide(f, HIDDEN, by)
        for f, by in zip(true, (decided.estimates, decided.crosses), strict=True)
    ]
    rules = study.definition.disclosure
    if study.controlled and rules and rules.rounding:
        told = list(
            rounded(dict(zip(("estimates", "crosses"), told, strict=True)), rules.rounding).values()
        )
    return pd.concat(true, ignore_index=True), pd.concat(told, ignore_index=True)


def withheld(
    combinations: Combinations, true: pd.DataFrame, told: pd.DataFrame
) -> dict[tuple, np.ndarray]:
    """Counts and bases of people that no row of the results shows, as sums of combinations."""
    found = {}
    for number, name in (("count", "count"), ("base_n", "base")):
        gone = true[told[number].isna() & (true[number] > 0)]
        gone = gone[~gone["method"].isin(["mean_score", "mean"])]
        for row in of_frame(gone, ""):
            if row.names[1] in ("item_nonresponse", "left_before"):
                continue  # who said nothing: what every base tells, and no answer of anyone
            vectors = combinations.of(row)
            if vectors is not None:
                found[(*row.names, name)] = vectors[name == "base"] * 1.0
    return found


def recovered(
    auditor: Auditor,
    tables: Mapping[str, pd.DataFrame],
    true: pd.DataFrame,
    told: pd.DataFrame,
) -> tuple[dict, int]:
    """What an auditor recovers of the counts that are withheld, and how many these are."""
    hidden = withheld(auditor.of, true, told)
    return auditor.recovered(hidden, gave(auditor.of, tables)), len(hidden)


def built(study: Study, tables: dict[str, pd.DataFrame]) -> Study:
    """The study with its results written."""
    study.paths.results.mkdir(parents=True)
    write_results(study.paths.results, release(study, tables), study)
    (study.paths.results / "provenance.json").write_text("{}\n", encoding="utf-8")
    return study


def site(study: Study, tables: dict[str, pd.DataFrame], lang: str = "fr") -> Path:
    """Its pages in a language, made without a kernel, with the results to download."""
    built(study, tables)
    found = any_study.problems(study, lang)
    assert not found, found
    return study.paths.clean / "pages" / lang / "_site"
