"""Whether questions are asked of the populations that study.yml gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from analysis import expression
from analysis.intake.fields import SURVEY
from analysis.intake.texts import Failure, problem
from analysis.questionnaire import Question
from analysis.study import Study


def outside_base(study: Study, tables: Mapping[str, Any]) -> list[Failure]:
    """A problem a question that people outside its population (`base_populations`) answered: its
    table would leave them out, and the count along the routing would not.

    tables: clean, by source. Told at the row of the questionnaire, where the routing is missing.
    """
    form = study.questionnaire
    if form is None or SURVEY not in tables:
        return []
    survey, problems = tables[SURVEY], []
    inside: dict[str, pd.Series] = {}
    for question in form:
        name = study.population_of(question.name)
        if name not in inside:
            where = expression.parse(study.definition.populations[name].where)
            inside[name] = expression.evaluate(where, survey)
        # Most populations are of everyone, and a million answers take a while.
        if not inside[name].all() and (outside := _given(question, survey) & ~inside[name]).any():
            problems.append(_problem(form.file, question, name, int(outside.sum())))
    return problems


def _given(question: Question, survey: pd.DataFrame) -> pd.Series:
    if question.several:
        return survey[question.columns].fillna(False).any(axis=1)
    return survey[question.name].notna()


def _problem(file: str, question: Question, population: str, number: int) -> Failure:
    condition = question.relevant
    return problem(
        "outside_base", file, question.row, "relevant",
        value=str(number), name=question.name, population=population,
        asked_fr=f"si {condition}" if condition else "à tout le monde",
        asked_en=f"if {condition}" if condition else "of everyone",
    )  # fmt: skip
