"""Pandera schemas derived from the questionnaire and from study.yml, and what they found.

Two schemas a source, because a text that is not a number cannot be compared to a limit: one on
the text as delivered (filled, unique, readable, allowed), one on what was read from it (limits,
dates, routing, constraints). Each is validated lazily, so every problem is told at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pandas as pd
import pandera.pandas as pa

from analysis import expression
from analysis.intake.fields import Field
from analysis.intake.recode import Delivered
from analysis.intake.texts import Failure, near, problem
from analysis.intake.values import (
    answered,
    as_boolean,
    as_date,
    as_integer,
    as_number,
    split_codes,
)
from analysis.questionnaire import Question

# What pandera calls the two checks that a column has without a Check.
NULL, REPEATED = "not_nullable", "field_uniqueness"
READABLE: dict[str, Callable[[pd.Series], pd.Series]] = {
    "number": as_number,
    "integer": as_integer,
    "date": as_date,
    "boolean": as_boolean,
}


@dataclass(frozen=True)
class Rule:
    """One rule on one column: its entry in texts.yml, its pandera check, the rows it is for.

    check: none for `required` and `unique`, which are properties of a pandera column.
    units: rows that are tested; none means the rows with a value.
    values: what fills the texts of the rule.
    """

    key: str
    column: str
    check: pa.Check | None = None
    units: pd.Series | None = None
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Checked:
    """What came of a rule: units tested and failed."""

    source: str
    key: str
    column: str
    tested: int
    failed: int
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def passed(self) -> int:
        return self.tested - self.failed


# --- Rules on the text as delivered


def text_rules(known: Mapping[str, Field], frame: pd.DataFrame) -> list[Rule]:
    """Rules on recoded text: filled, unique, readable, allowed. Absent columns have none."""
    return [
        rule
        for item in known.values()
        for name in item.headers
        if name in frame
        for rule in _text_rules(item, name, frame)
    ]


def _text_rules(item: Field, name: str, frame: pd.DataFrame) -> list[Rule]:
    rules = []
    listed = item.type == "several" and name == item.name
    # A question is required by its routing, and an empty list means that none applies.
    if item.question is None and (item.type == "id" or (item.required and not listed)):
        rules.append(Rule("required", name, units=pd.Series(True, index=frame.index)))
    if item.type == "id":
        rules.append(Rule("unique", name))
    codes = ", ".join(item.answers)
    if item.type == "category":
        check = pa.Check.isin(list(item.answers), error="allowed")
        rules.append(Rule("allowed", name, check, values={"known": codes}))
    elif listed:
        rules.append(Rule("several", name, _codes_check(item.answers), values={"known": codes}))
    elif item.type == "several":
        rules.append(Rule("boolean", name, _readable("boolean")))
    elif item.type in READABLE:
        rules.append(Rule(item.type, name, _readable(item.type)))
    return rules


def _readable(kind: str) -> pa.Check:
    return pa.Check(lambda column: READABLE[kind](column).notna(), name=kind, error=kind)


def _codes_check(answers: tuple[str, ...]) -> pa.Check:
    known = set(answers)
    return pa.Check(
        lambda column: column.map(lambda cell: known.issuperset(split_codes(cell))).astype(bool),
        name="several",
        error="several",
    )


# --- Rules on what was read


def value_rules(known: Mapping[str, Field]) -> list[Rule]:
    """Limits of numbers and dates, on typed columns."""
    rules = []
    for item in known.values():
        low, high = item.minimum, item.maximum
        if low is not None or high is not None:
            rules.append(_limits("range", item.name, low, high, lambda limit: f"{limit:g}"))
        if item.after is not None or item.before is not None:
            rules.append(
                _limits("period", item.name, _moment(item.after), _moment(item.before), _day)
            )
    return rules


def _limits(key: str, name: str, low: Any, high: Any, write: Callable[[Any], str]) -> Rule:
    def inside(column: pd.Series) -> pd.Series:
        truth = pd.Series(True, index=column.index)
        if low is not None:
            truth &= (column >= low).astype(bool)
        return truth if high is None else truth & (column <= high).astype(bool)

    values = {
        "minimum": "…" if low is None else write(low),
        "maximum": "…" if high is None else write(high),
    }
    return Rule(key, name, pa.Check(inside, name=key, error=key), values=values)


def _moment(day: Any) -> pd.Timestamp | None:
    return None if day is None else pd.Timestamp(day)


def _day(moment: pd.Timestamp) -> str:
    return moment.date().isoformat()


# --- Rules of the questionnaire


def answers_frame(table: pd.DataFrame, known: Mapping[str, Field]) -> pd.DataFrame:
    """One text column a question (codes of a several-answer question joined by ";"), missing
    where the question has no answer; indexed as the typed table."""
    asked = {name: item for name, item in known.items() if item.question is not None}
    return pd.DataFrame(
        {name: answered(table, item) for name, item in asked.items()}, index=table.index
    )


def routing_rules(
    known: Mapping[str, Field],
    table: pd.DataFrame,
    answers: pd.DataFrame,
    unread: pd.DataFrame,
    complete: pd.Series,
) -> list[Rule]:
    """Rules on answers_frame(): routing both ways, and constraints.

    table: typed survey; answers: answers_frame() of it; unread: True where a question's cells
    could not be read (a rule is not tested where it reads one of them, or one mistake would be
    told twice); complete: whether a response says it is complete.
    """
    given = answers.notna()
    further = _further(given, complete)
    rules: list[Rule] = []
    asked = {name: _asked(item, table, unread) for name, item in known.items() if item.question}
    for name, (open_, sure) in asked.items():
        question = known[name].question
        assert question is not None
        condition = {"condition": question.relevant}
        if question.relevant:
            check = _row_check("route_closed", open_ | ~sure)
            rules.append(Rule("route_closed", name, check, ~open_ & sure, condition))
        if question.required:
            units = open_ & sure & further[name]
            check = _row_check("route_skipped", given[name] | ~units, ignore_na=False)
            rules.append(Rule("route_skipped", name, check, units))
        if question.constraint:
            rules.append(_constraint(question, table, unread, given[name]))
    return rules


@cache
def _parsed(text: str) -> expression.Node:
    return expression.parse(text)


def _asked(item: Field, table: pd.DataFrame, unread: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Where a question was asked, and where that can be said."""
    assert item.question is not None
    if not item.question.relevant:
        everyone = pd.Series(True, index=table.index)
        return everyone, ~unread[item.name]
    node = _parsed(item.question.relevant)
    return expression.evaluate(node, table), _sure(node, item.name, unread)


def _sure(node: expression.Node, name: str, unread: pd.DataFrame) -> pd.Series:
    return ~unread[sorted({name, *node.questions()})].any(axis=1)


def _further(given: pd.DataFrame, complete: pd.Series) -> pd.DataFrame:
    """Whether a response goes on after each question: a later answer, or complete."""
    later = given.iloc[:, ::-1].cummax(axis=1).iloc[:, ::-1].shift(-1, axis=1, fill_value=False)
    return later.apply(lambda column: column | complete)


def _constraint(
    question: Question, table: pd.DataFrame, unread: pd.DataFrame, given: pd.Series
) -> Rule:
    name, node = question.name, _parsed(question.constraint)
    units = given & _sure(node, name, unread)
    met = expression.evaluate(node, table, this=name) | ~units
    # The form's own words, where it has some, before the expression they stand for.
    said = {
        f"condition_{lang}": f"{question.messages[lang]} : {question.constraint}"
        if lang in question.messages
        else question.constraint
        for lang in ("fr", "en")
    }
    return Rule("constraint", name, _row_check("constraint", met), units, said)


def _row_check(key: str, truth: pd.Series, ignore_na: bool = True) -> pa.Check:
    """A check whose truth is known by row, since routing reads more than one column."""
    return pa.Check(
        lambda column: truth.loc[column.index], name=key, error=key, ignore_na=ignore_na
    )


# --- Validation


def schema(rules: Sequence[Rule]) -> pa.DataFrameSchema:
    """The pandera schema of a list of rules: one column each, types left to the readers."""
    by_column: dict[str, list[Rule]] = {}
    for rule in rules:
        by_column.setdefault(rule.column, []).append(rule)
    return pa.DataFrameSchema(
        {
            name: pa.Column(
                None,
                [rule.check for rule in mine if rule.check is not None],
                nullable=all(rule.key != "required" for rule in mine),
                unique=any(rule.key == "unique" for rule in mine),
                report_duplicates="exclude_first",
            )
            for name, mine in by_column.items()
        }
    )


def check(
    rules: Sequence[Rule], frame: pd.DataFrame, delivered: Delivered
) -> tuple[list[Checked], list[Failure]]:
    """Validate a frame by the schema of its rules.

    frame: indexed by row of the file. Returns what came of each rule, and one problem a failing
    cell, told with the header and the text of the file.
    """
    found = _failing(rules, frame)
    checked = [_checked(rule, frame, delivered.source, found) for rule in rules]
    failures = [
        _failure(rule, row, frame, delivered)
        for rule in rules
        for row in found.get((rule.key, rule.column), [])
    ]
    return checked, failures


def _failing(rules: Sequence[Rule], frame: pd.DataFrame) -> dict[tuple[str, str], list[int]]:
    """Rows that fail, by rule and column."""
    try:
        schema(rules).validate(frame, lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases.replace({"check": {NULL: "required", REPEATED: "unique"}})
        return {
            (str(key), str(column)): sorted({int(row) for row in group["index"]})
            for (key, column), group in cases.groupby(["check", "column"])
        }
    return {}


def _checked(
    rule: Rule, frame: pd.DataFrame, source: str, found: Mapping[tuple[str, str], list[int]]
) -> Checked:
    units = frame[rule.column].notna() if rule.units is None else rule.units
    failed = len(found.get((rule.key, rule.column), []))
    return Checked(source, rule.key, rule.column, int(units.sum()), failed, rule.values)


def _failure(rule: Rule, row: int, frame: pd.DataFrame, delivered: Delivered) -> Failure:
    value = _shown(delivered.raw if rule.column in delivered.raw else frame, row, rule.column)
    values = {**rule.values, "value": value}
    if rule.key == "unique":
        same = frame.index[frame[rule.column] == frame.at[row, rule.column]]
        values["first"] = str(same[0])
    if rule.key == "allowed":
        values["near"] = near(value, rule.values["known"].split(", "))
    header = delivered.headers.get(rule.column, rule.column)
    return problem(rule.key, delivered.file, row, header, **values)


def _shown(frame: pd.DataFrame, row: int, column: str) -> str:
    value: Any = frame.at[row, column]
    return "" if pd.isna(value) else str(value)
