"""Response flow: what was received, what was kept, and the base of every question after it."""

from __future__ import annotations

import pandas as pd

from analysis import expression
from analysis.chapters.data import Data, label
from analysis.stats.shares import total

CHAPTER = "responses"


def estimates(data: Data) -> list[pd.DataFrame]:
    """Tables `response_flow` (base: responses received) and `question_base` (base: asked)."""
    return [flow(data), question_bases(data)] if "responses" in data.tables else []


def flow(data: Data) -> pd.DataFrame:
    received = data.tables["responses"]
    complete, kept = received["complete"].astype(bool), received["retained"].astype(bool)
    steps = {
        "responses_any": len(received),
        "responses_complete": complete.sum(),
        "responses_partial": (~complete).sum(),
        "partial_retained": (~complete & kept).sum(),
        "partial_dropped": (~complete & ~kept).sum(),
        "retained": kept.sum(),
    }
    rows = [total(step, int(n), len(received), "respondents") for step, n in steps.items()]
    return label(pd.concat(rows), CHAPTER, "response_flow", "all")


def question_bases(data: Data) -> pd.DataFrame:
    """One row a question: how many answered, of how many the routing asked."""
    frame = data.tables["survey"]
    rows = []
    for question in data.study.questionnaire or ():
        if question.name == data.study.roles.comment_theme:
            continue  # coded after fieldwork, asked of nobody
        asked = len(frame)
        if question.relevant:
            asked = int(expression.evaluate(expression.parse(question.relevant), frame).sum())
        answered = frame[question.columns].notna().any(axis=1)
        rows.append(total(question.name, int(answered.sum()), asked, "respondents"))
    return label(pd.concat(rows), CHAPTER, "question_base", "all")


def answered(data: Data, chapter: str, question: str) -> pd.DataFrame:
    """One row: how many gave an open answer."""
    population = data.study.population_of(question)
    count = int(data.population(population)[question].notna().sum())
    row = total("base", count, count, "respondents")
    return label(row, chapter, data.study.variable_of(question), population)


def facts(data: Data) -> pd.DataFrame:
    """What is no share: first and last day of answers, and the rule that keeps a partial answer.

    Returns columns variable, category, value (text, dates as ISO).
    """
    rows: list[tuple[str, str, str]] = []
    if "responses" in data.tables:
        survey = data.study.definition.sources.survey
        dates = [
            name
            for name, column in (survey.columns if survey else {}).items()
            if column.type == "date"
        ]
        for name in dates[:1]:
            days = data.tables["survey"][name]
            rows += [
                ("fieldwork", "fieldwork_start", days.min().date().isoformat()),
                ("fieldwork", "fieldwork_end", days.max().date().isoformat()),
            ]
        kept = data.study.definition.retention.min_answered
        rows.append(("response_flow", "min_questions_answered", str(kept)))
    return pd.DataFrame(rows, columns=["variable", "category", "value"])
