"""Questions that play no part in any other chapter: each by itself, whatever its kind."""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis.chapters.data import Data, cuts, label, measured, names, shares
from analysis.chapters.responses import answered
from analysis.questionnaire import Question
from analysis.stats.bands import mean, median
from analysis.stats.shares import mean_row
from analysis.study import Study

CHAPTER = "general"
METHODS = {"mean": ("student", "linearised"), "median": ("order_statistics", "woodruff")}


def estimates(data: Data) -> list[pd.DataFrame]:
    """Shares of every answer, band or month; of open texts, how many there are.

    A number also has a row `mean` without a share: its count is the mean times its base.
    """
    if "survey" not in data.tables:
        return cuts(data, CHAPTER)
    tables: list[pd.DataFrame] = []
    for question in questions(data.study):
        if question.kind == "text":
            tables.append(answered(data, CHAPTER, question.name))
            continue
        tables += shares(data, CHAPTER, question.name)
        if question.kind in ("integer", "decimal"):
            tables.append(mean_of(data, question))
    return tables + cuts(data, CHAPTER)


def measures(data: Data) -> list[pd.DataFrame]:
    """Mean and median of every number, with their intervals."""
    if "survey" not in data.tables:
        return []
    found = []
    for question in questions(data.study):
        if question.kind not in ("integer", "decimal"):
            continue
        values = numbers(data, question)
        named: dict[str, Any] = names(data, CHAPTER, question.name)
        named |= {"base_kind": "respondents", "base_n": int(values.notna().sum())}
        for measure, of in (("mean", mean), ("median", median)):
            method = METHODS[measure][data.sample is not None]
            found.append(measured(named, measure, of(values, data.sample), method))
    return found


def questions(study: Study) -> list[Question]:
    """Questions without a role, in the order they are asked."""
    played = study.played
    return [question for question in study.questionnaire or () if question.name not in played]


def numbers(data: Data, question: Question) -> pd.Series:
    """Answers to a question about a number."""
    return data.population(data.study.population_of(question.name))[question.name]


def mean_of(data: Data, question: Question) -> pd.DataFrame:
    values = numbers(data, question)
    base = int(values.notna().sum())
    average = mean(values, data.sample)[0]
    given = values.dropna().tolist()
    row = mean_row("mean", average * base, base, "respondents", given)
    population = data.study.population_of(question.name)
    return label(row, CHAPTER, question.name, population)
