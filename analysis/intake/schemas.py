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
from analysis.intake.layouts import PLAIN
from analysis.intake.recode import Delivered
from analysis.intake.texts import Failure, near, problem
from analysis.intake.values import READABLE, answered, by_text, split_codes
from analysis.questionnaire import Question

# What pandera calls the two checks that a column has without a Check.
PROPERTIES = {"not_nullable": "required", "field_uniqueness": "unique"}
# Failures of one rule on one column that are told one by one. A column that fails on more rows
# has one cause, and a hundred thousand blocks would hide it.
LISTED = 200


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
        check = pa.Check.isin(list(item.answers), error="allowed", n_failure_cases=1)
        words = "\n".join(label for said in item.answer_labels.values() for label in said.values())
        rules.append(Rule("allowed", name, check, values={"known": codes, "words": words}))
    elif listed:
        rules.append(Rule("several", name, _codes_check(item.answers), values={"known": codes}))
    elif item.type == "several":
        rules.append(Rule("boolean", name, _readable("boolean")))
    elif item.type in READABLE:
        rules.append(Rule(item.type, name, _readable(item.type)))
    return rules


def _readable(kind: str) -> pa.Check:
    return _check(kind, lambda column: by_text(column, READABLE[kind]).notna())


def _codes_check(answers: tuple[str, ...]) -> pa.Check:
    known = set(answers)

    def allowed(texts: pd.Series) -> pd.Series:
        return pd.Series([known.issuperset(split_codes(cell)) for cell in texts], dtype="boolean")

    return _check("several", lambda column: by_text(column, allowed).astype(bool))


def _check(key: str, truth: Callable[[pd.Series], pd.Series], ignore_na: bool = True) -> pa.Check:
    # Failing rows are read from the outcome of a check; pandera's own list of them, which grows
    # to a row a cell, is left at one.
    return pa.Check(truth, name=key, error=key, ignore_na=ignore_na, n_failure_cases=1)


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
    return Rule(key, name, _check(key, inside), values=values)


def _moment(day: Any) -> pd.Timestamp | None:
    return None if day is None else pd.Timestamp(day)


def _day(moment: pd.Timestamp) -> str:
    return moment.date().isoformat()


# --- Rules of the questionnaire


def answers_frame(table: pd.DataFrame, known: Mapping[str, Field]) -> pd.DataFrame:
    """One column a question (codes of a several-answer question joined by ";"), missing where
    the question has no answer; indexed as the typed table."""
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
    routes = _routes(known, table)
    asked = {
        name: (routes[item.question.relevant], _sure(name, item.question.relevant, unread))
        for name, item in known.items()
        if item.question
    }
    for name, (open_, sure) in asked.items():
        question = known[name].question
        assert question is not None
        condition = {"condition": question.relevant}
        if question.relevant:
            check = _row_check("route_closed", open_ | ~sure | ~given[name])
            rules.append(Rule("route_closed", name, check, ~open_ & sure, condition))
        if question.required:
            units = open_ & sure & further[name]
            check = _row_check("route_skipped", given[name] | ~units)
            rules.append(Rule("route_skipped", name, check, units))
        if question.constraint:
            rules.append(_constraint(question, table, unread, given[name]))
    return rules


@cache
def _parsed(text: str) -> expression.Node:
    return expression.parse(text)


def _routes(known: Mapping[str, Field], table: pd.DataFrame) -> dict[str, pd.Series]:
    """Where each routing condition holds; a section gives its own to all of its questions."""
    conditions = {item.question.relevant for item in known.values() if item.question}
    return {
        text: expression.evaluate(_parsed(text or "true()"), table) for text in sorted(conditions)
    }


def _sure(name: str, condition: str, unread: pd.DataFrame) -> pd.Series:
    """Where a question and all that a condition reads could be read."""
    read = {name, *_parsed(condition or "true()").questions()}
    return ~unread[sorted(read)].any(axis=1)


def _further(given: pd.DataFrame, complete: pd.Series) -> dict[str, pd.Series]:
    """Whether a response goes on after each question: a later answer, or complete."""
    further = {}
    goes_on = complete.astype(bool)
    for name in reversed(list(given)):
        further[str(name)] = goes_on
        goes_on = goes_on | given[name]
    return further


def _constraint(
    question: Question, table: pd.DataFrame, unread: pd.DataFrame, given: pd.Series
) -> Rule:
    name, node = question.name, _parsed(question.constraint)
    units = given & _sure(name, question.constraint, unread)
    met = expression.evaluate(node, table, this=name) | ~units
    # The form's own words, where it has some, before the expression they stand for.
    said = {
        f"condition_{lang}": f"{question.messages[lang]} : {question.constraint}"
        if lang in question.messages
        else question.constraint
        for lang in ("fr", "en")
    }
    return Rule("constraint", name, _row_check("constraint", met), units, said)


def _row_check(key: str, truth: pd.Series) -> pa.Check:
    """A check whose truth is known by row, since routing reads more than one column."""
    return _check(key, lambda _: truth, ignore_na=False)


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


@dataclass(frozen=True)
class Outcome:
    """What came of the rules on a frame.

    checked: each rule with its counts; failures: the problems to tell, cut at LISTED a rule and
    column; rows: every row that fails a rule, by rule and column.
    """

    checked: list[Checked]
    failures: list[Failure]
    rows: dict[tuple[str, str], pd.Index]


def check(rules: Sequence[Rule], frame: pd.DataFrame, delivered: Delivered) -> Outcome:
    """Validate a frame by the schema of its rules.

    frame: indexed by row of the file. Failures are told with the header and the text of the file.
    """
    rows = _failing(rules, frame)
    checked = [_checked(rule, frame, delivered.source, rows) for rule in rules]
    failures = [
        failure
        for rule in rules
        if (rule.key, rule.column) in rows
        for failure in _failures(rule, rows[rule.key, rule.column], frame, delivered)
    ]
    return Outcome(checked, failures, rows)


def _failing(rules: Sequence[Rule], frame: pd.DataFrame) -> dict[tuple[str, str], pd.Index]:
    """Rows that fail, by rule and column."""
    rows: dict[tuple[str, str], pd.Index] = {}
    for name, column in schema(rules).columns.items():
        try:
            # Column by column, because what pandera keeps of a failure is as large as the column.
            # No parser and no coercion: there is nothing that validation could change in place.
            column.validate(frame, lazy=True, inplace=True)
        except pa.errors.SchemaErrors as error:
            rows |= {(_key(item), str(name)): _rows(item) for item in error.schema_errors}
    return rows


def _key(item: pa.errors.SchemaError) -> str:
    """The rule of a failed check."""
    return PROPERTIES[item.check] if isinstance(item.check, str) else str(item.check.error)


def _rows(item: pa.errors.SchemaError) -> pd.Index:
    if isinstance(item.check, str):  # a property: its cases are listed whole
        return pd.Index(item.failure_cases["index"].astype("int64")).sort_values()
    truth = item.check_output.astype(bool)
    return truth.index[~truth.to_numpy()]


def _checked(
    rule: Rule, frame: pd.DataFrame, source: str, rows: Mapping[tuple[str, str], pd.Index]
) -> Checked:
    units = frame[rule.column].notna() if rule.units is None else rule.units
    failed = len(rows.get((rule.key, rule.column), ()))
    return Checked(source, rule.key, rule.column, int(units.sum()), failed, rule.values)


def _failures(
    rule: Rule, rows: pd.Index, frame: pd.DataFrame, delivered: Delivered
) -> list[Failure]:
    """A problem a failing row, and one for the rest where they are many."""
    header = delivered.headers.get(rule.column, rule.column)
    listed = rows[:LISTED]
    cells = delivered.raw if rule.column in delivered.raw else frame
    found = [_shown(value) for value in cells.loc[listed, rule.column]]
    first = _first_rows(frame[rule.column], listed) if rule.key == "unique" else {}
    told = []
    for row, value in zip(listed, found, strict=True):
        values = {**rule.values, "value": value}
        if rule.key == "unique":
            values["first"] = str(first[frame.at[row, rule.column]])
        if rule.key == "allowed":
            words = "" if delivered.layout == PLAIN else rule.values["words"]
            values["near"] = _near(value, rule.values["known"], words)
        told.append(problem(rule.key, delivered.file, int(row), header, **values))
    if len(rows) > LISTED:
        values = {"value": f"{len(rows) - LISTED}", "known": f"{len(rows)}"}
        told.append(problem("more_rows", delivered.file, None, header, **values))
    return told


@cache
def _near(value: str, known: str, words: str) -> str:
    """The nearest code, or wording where the layout takes wordings for codes."""
    return near(value, [*known.split(", "), *words.splitlines()])


def _first_rows(column: pd.Series, rows: pd.Index) -> dict[Any, Any]:
    """The row where each value found in `rows` stands first."""
    first = column[column.isin(column.loc[rows].unique())].drop_duplicates()
    return {value: row for row, value in first.items()}


def _shown(value: Any) -> str:
    return "" if pd.isna(value) else str(value)
