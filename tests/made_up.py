"""Clean tables made at random for a study: any study, and no one's answers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis import expression
from analysis.definition import Column
from analysis.questionnaire import Question, Questionnaire
from analysis.study import Study


def tables(study: Study, people: int = 120, seed: int = 1) -> dict[str, pd.DataFrame]:
    """Clean tables by source, with routing and constraints kept and some answers missing."""
    rng = np.random.default_rng(seed)
    made = {}
    sources = study.definition.sources.present()
    if study.questionnaire is not None and "survey" in sources:
        frame = survey(study.questionnaire, sources["survey"].columns, people, rng)
        made["survey"] = agree_on_training(study, frame)
        made["responses"] = responses(made["survey"])
        made["dropped"] = made["survey"].head(0)
    for name, source in sources.items():
        if name != "survey":
            made[name] = pd.DataFrame(
                {
                    column: values
                    for key, spec in source.columns.items()
                    for column, values in extract_column(key, spec, people, rng).items()
                }
            )
    return made


def survey(
    form: Questionnaire, columns: dict[str, Column], people: int, rng: np.random.Generator
) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            column: values
            for key, spec in columns.items()
            for column, values in extract_column(key, spec, people, rng).items()
        }
    )
    for question in form:
        asked = pd.Series(True, index=frame.index)
        if question.relevant:
            asked = expression.evaluate(expression.parse(question.relevant), frame)
        answered = asked & (question.required | (rng.random(people) < 0.9))
        frame = pd.concat([frame, answer(question, answered, frame, rng)], axis=1)
    return frame


def agree_on_training(study: Study, frame: pd.DataFrame) -> pd.DataFrame:
    """Keep the answers whose settings and hours agree on whether there was training."""
    settings, hours, none = study.roles.settings, study.roles.hours, study.roles.no_training
    if not (settings and hours and none):
        return frame
    agree = frame[f"{settings}/{none}"] == (frame[hours] == none)
    return frame[agree].reset_index(drop=True)


def answer(
    question: Question, answered: pd.Series, frame: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    size = len(frame)
    if question.several:
        chosen = rng.random((size, len(question.choices))) < 0.25
        chosen[~chosen.any(axis=1), 0] = True
        chosen &= chosen.cumsum(axis=1) <= 3
        made = pd.DataFrame(chosen, columns=question.columns, dtype="boolean")
        made.loc[~answered, :] = pd.NA
        return made
    if question.kind == "select_one":
        picked = pd.Series(rng.choice(question.answers, size))
        kind = pd.CategoricalDtype(question.answers, ordered=True)
        return picked.where(answered).astype(kind).to_frame(question.name)
    if question.measured:
        return measured(question, answered, rng)
    text = pd.Series([f"text {n}" for n in range(size)], dtype="string")
    return text.where(answered).to_frame(question.name)


def measured(question: Question, answered: pd.Series, rng: np.random.Generator) -> pd.DataFrame:
    """Numbers from 0 to 80, or days of three months."""
    size = len(answered)
    if question.kind == "date":
        days = pd.Timestamp("2025-10-01") + pd.to_timedelta(rng.integers(0, 90, size), "D")
        return pd.Series(days).where(answered).to_frame(question.name)
    numbers = rng.integers(0, 80, size) / (1 if question.kind == "integer" else 4)
    return pd.Series(numbers, dtype="Float64").where(answered).to_frame(question.name)


def extract_column(
    name: str, spec: Column, size: int, rng: np.random.Generator
) -> dict[str, pd.Series]:
    if spec.type == "several":
        return {
            f"{name}/{a}": pd.Series(rng.random(size) < 0.5, dtype="boolean") for a in spec.answers
        }
    if spec.type == "category":
        kind = pd.CategoricalDtype(list(spec.answers), ordered=True)
        return {name: pd.Series(rng.choice(list(spec.answers), size)).astype(kind)}
    if spec.type == "number":
        return {name: pd.Series(rng.integers(1, 60, size) / 2, dtype="Float64")}
    if spec.type == "date":
        first = pd.Timestamp(spec.after or "2024-01-01")
        days = (pd.Timestamp(spec.before or "2024-12-31") - first).days
        return {name: pd.Series(first + pd.to_timedelta(rng.integers(0, days + 1, size), "D"))}
    if spec.type == "boolean":
        return {name: pd.Series(rng.random(size) < 0.8, dtype="boolean")}
    unique = size if spec.type == "id" else max(2, size // 5)
    return {name: pd.Series([f"{name} {n % unique}" for n in range(size)], dtype="string")}


def responses(survey: pd.DataFrame) -> pd.DataFrame:
    kept = pd.DataFrame(
        {
            "response_id": survey.iloc[:, 0],
            "complete": survey["complete"],
            "n_answered": 20,
            "retained": True,
            "reason": "",
        }
    )
    dropped = kept.head(9).assign(
        complete=False, n_answered=3, retained=False, reason="too_few_answers"
    )
    return pd.concat([kept, dropped], ignore_index=True)
