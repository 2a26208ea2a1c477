"""Figures of tables that the catalogue has none for: any question, whatever its kind.

Each is drawn as its kind asks, from the words `questions` of `report/<lang>/texts.yml`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

import pandas as pd

from analysis.display.catalogue import Catalogue, Entry
from analysis.display.rows import Sources
from analysis.display.traced import lines
from analysis.study import Study

# Chapters whose tables by group are drawn too: those of others are in their own figures.
GENERAL = ("general", "lists")
# Answers that one stacked bar holds, and months that stand side by side.
STACKED, COLUMNS = 5, 12
PREFIX = "question-"
TABLE = ["chapter", "variable", "population", "by"]
Kind = Literal["single", "several", "number", "date", "text", "column"]


def figures(catalogue: Catalogue, sources: Sources) -> dict[str, Entry]:
    """An entry for each table that no figure of the catalogue draws, by the name of its figure."""
    drawn = _drawn(catalogue, sources)
    found: dict[str, Entry] = {}
    tables = sources.results.estimates[TABLE].drop_duplicates()
    for chapter, variable, population, by in tables.itertuples(index=False):
        kind = kind_of(sources.study, variable, population)
        own = population in _asked(sources, variable, population)
        if kind is None or {(variable, ""), (variable, population)} & drawn:
            continue
        if chapter in GENERAL or (own and not by and kind != "text"):
            name = _name(variable, "" if own else population, by)
            found[name] = _entry(sources, chapter, kind, variable, population, by)
    return found


def kind_of(study: Study, variable: str, population: str) -> Kind | None:
    """What kind of question or column a variable is; None for what the analysis makes."""
    known = study.definition.populations.get(population)
    source = known.source if known else ""
    form = study.questionnaire
    asked = study.question_of(variable)
    if source == "survey" and form is not None and asked in form:
        if asked in study.items:
            return None
        question = form[asked]
        kinds: dict[str, Kind] = {"select_one": "single", "select_multiple": "several",
                                  "date": "date", "text": "text"}  # fmt: skip
        return kinds.get(question.kind, "number")
    present = study.definition.sources.present()
    if source in present and source != "survey" and variable in present[source].columns:
        if variable in _amounts(study, source):
            return None
        column = present[source].columns[variable]
        return "several" if column.type == "several" else "column"
    return "single" if variable in study.definition.derived else None


def _amounts(study: Study, source: str) -> tuple[str | None, ...]:
    """Columns of the extract of actions that are added up: their totals are no answers."""
    extract = study.roles.consumption
    return (extract.hours, extract.cost) if extract and source == "actions" else ()


def _asked(sources: Sources, variable: str, population: str) -> set[str]:
    """The populations a question is asked of, or that hold a whole list."""
    study = sources.study
    motivation = study.roles.motivation
    if motivation and variable == motivation.variable:
        return set(motivation.questions)
    form = study.questionnaire
    if form is not None and variable in form:
        return {study.population_of(variable)}
    known = study.definition.populations.get(population)
    return {population} if known and known.where == "true()" else set()


def _drawn(catalogue: Catalogue, sources: Sources) -> set[tuple[str, str]]:
    """Variables that figures of the catalogue draw: in any population (""), or where several
    questions ask one, in the population of each."""
    estimates, motivation = sources.results.estimates, sources.study.roles.motivation
    whole = estimates[estimates["by"] == ""]
    there = set(zip(whole["variable"], whole["population"], strict=True))
    found = set()
    for entry in catalogue.figures.values():
        if entry.by or entry.populations or entry.top or entry.each:
            continue
        cells = [(cell.variable, cell.population) for cell in entry.cells]
        for name, asked in [*cells, (entry.variable or "", entry.population)]:
            variable, population = sources.variable(name), sources.population(name, asked)
            joined = motivation is not None and variable == motivation.variable
            if (variable, population) in there:
                found.add((variable, population if joined else ""))
    return found


def _name(variable: str, population: str, by: str) -> str:
    parts = [variable, *([population] if population else [])]
    parts += ["by", by] if by else []
    return PREFIX + re.sub(r"[^\w-]", "-", "-".join(parts))


def _entry(
    sources: Sources, chapter: str, kind: Kind, variable: str, population: str, by: str
) -> Entry:
    told: Mapping[str, object] = {
        "variable": sources.literal(variable), "population": population, "chapter": chapter,
        "words": kind,
    }  # fmt: skip
    answers = sources.labels.answers(variable, population)
    if by:
        few = kind in ("single", "column", "number", "date") and 0 < len(answers) <= STACKED
        how: dict[str, object] = {"kind": "stacked"} if few else {"kind": "dots", "series": 2}
        words = {"words": "by" if few else "by-first", "by": sources.literal(by)}
        return Entry.model_validate({**told, **how, **words})
    if kind == "text":
        return Entry.model_validate({**told, "kind": "bars", "value": "fraction"})
    if kind == "date" and _groups(sources, variable) <= COLUMNS:
        return Entry.model_validate({**told, "kind": "columns", "value": "count"})
    if kind == "date":
        told = {**told, "words": "single"}
    given = kind in ("number", "date") or sources.study.ordered(variable)
    return Entry.model_validate({**told, "kind": "bars", "order": "given" if given else "value"})


def _groups(sources: Sources, variable: str) -> int:
    rows = sources.results.estimates
    return int(rows.loc[rows["variable"] == variable, "category"].nunique())


def measured_values(measures: pd.DataFrame, variable: str, population: str) -> pd.DataFrame:
    """Mean and median of a number, as released, with the name of their row."""
    own = (measures["variable"] == variable) & (measures["population"] == population)
    found = measures[own & (measures["by"] == "") & measures["measure"].isin(["mean", "median"])]
    return found.assign(ref=lines("m", found.index))
