"""What a source may hold: its columns from study.yml and, for the survey, its questions."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from analysis.definition import Column
from analysis.questionnaire import Question
from analysis.study import Study

SURVEY, ACTIONS = "survey", "actions"
# What no action of training passes, where study.yml gives no closer limits: the hours of a year,
# the day of the French law on continuing training (16 July 1971), the end of the century.
HOURS, FIRST_DAY, LAST_DAY = 8784, dt.date(1971, 7, 16), dt.date(2099, 12, 31)
KINDS = {
    "select_one": "category",
    "select_multiple": "several",
    "integer": "integer",
    "decimal": "number",
    "text": "text",
    "date": "date",
}


@dataclass(frozen=True)
class Field:
    """One thing a source tells of each row, whether a question or a column describes it.

    type: id, text, date, number, integer, boolean, category or several.
    """

    name: str
    type: str
    answers: tuple[str, ...] = ()
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    after: dt.date | None = None
    before: dt.date | None = None
    question: Question | None = None
    labels: dict[str, str] = field(default_factory=dict)
    answer_labels: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def ticks(self) -> list[str]:
        """Names of its columns where a several-answer field has one column an answer."""
        return [f"{self.name}/{answer}" for answer in self.answers]

    @property
    def columns(self) -> list[str]:
        """Its columns in the clean table."""
        return self.ticks if self.type == "several" else [self.name]

    @property
    def headers(self) -> list[str]:
        """Every header under which it may come."""
        return [self.name, *self.ticks] if self.type == "several" else [self.name]


def fields(study: Study, source: str) -> dict[str, Field]:
    """Fields of a source by name, in the order of its clean table."""
    declared = study.definition.sources.present()[source].columns
    known = {name: _declared(study, source, name, column) for name, column in declared.items()}
    if source == SURVEY and study.questionnaire is not None:
        known |= {question.name: _asked(question) for question in study.questionnaire}
    return known


def _declared(study: Study, source: str, name: str, column: Column) -> Field:
    after, before = column.after, column.before
    minimum, maximum = column.minimum, column.maximum
    role = study.roles.consumption
    if source == ACTIONS and role is not None and name == role.hours and column.type == "number":
        minimum, maximum = _else(minimum, 0), _else(maximum, HOURS)
    if source == ACTIONS and column.type == "date":
        after, before = after or FIRST_DAY, before or LAST_DAY
    if source == SURVEY and column.type == "date":
        # The fieldwork bounds the dates of a survey that gives no closer ones.
        after = after or study.definition.period.start
        before = before or study.definition.period.end
    return Field(
        name=name,
        type=column.type,
        answers=tuple(column.answers),
        required=column.required,
        minimum=minimum,
        maximum=maximum,
        after=after,
        before=before,
        labels=column.label,
        answer_labels=column.answers,
    )


def _else(limit: float | None, otherwise: float) -> float:
    return otherwise if limit is None else limit


def _asked(question: Question) -> Field:
    return Field(
        name=question.name,
        type=KINDS[question.kind],
        answers=tuple(question.answers),
        question=question,
        labels=question.labels,
        answer_labels={choice.name: choice.labels for choice in question.choices},
    )
