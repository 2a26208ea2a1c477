"""Rules on the rows of an extract, and its typed columns, as expressions of an engine.

One expression a row says which rules it breaks: a number whose bits are the rules, in the order of
`rules`. So all rules are checked in one pass, and the rows that break one can be found again.
Pandera's Ibis backend reads the rows once a check, 0.35 s for each on ten million rows of Parquet;
all of these rules together take about as long as two of its checks.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import ibis
from ibis.expr import types as ir

from analysis.errors import DefectError
from analysis.intake.fields import Field
from analysis.intake.values import BOOLEANS
from analysis.study import Recode

BAD, FOUND, FILE, ROW = "_bad", "_found", "_file", "_row"
# What parts the raw cells of a row in FOUND; it stands in no text.
MARK = "\x1f"
THOUSANDS = "[ \u00a0\u202f]"
NUMBER = r"^[-+]?[0-9]+([.,][0-9]+)?([eE][-+]?[0-9]{1,2})?$"
ISO_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?$"
DAY_FIRST = r"^([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})( .*)?$"
# No amount of a training action has more digits, and sums of them stay exact.
LARGEST = 1e11
BITS = 62


@dataclass(frozen=True)
class Rule:
    """A rule on a column: its entry in texts.yml and what fills its texts."""

    key: str
    column: str
    values: Mapping[str, str] = field(default_factory=dict)


def rules(known: Mapping[str, Field]) -> list[Rule]:
    """Rules on the rows of an extract, in the order of their bits."""
    found = [rule for item in known.values() for rule in _rules(item)]
    if len(found) > BITS:
        raise DefectError(f"{len(found)} rules on the rows of an extract; {BITS} can be checked")
    return found


def _rules(item: Field) -> list[Rule]:
    made = []
    if item.type == "id" or item.required:
        made.append(Rule("required", item.name))
    if item.type == "category":
        made.append(Rule("allowed", item.name, {"known": ", ".join(item.answers)}))
    if item.type in ("number", "date", "boolean"):
        made.append(Rule(item.type, item.name))
    if item.type == "number":
        low, high = item.minimum, item.maximum
        values = {"minimum": "…" if low is None else f"{low:g}",
                  "maximum": f"{LARGEST if high is None else high:g}"}  # fmt: skip
        made.append(Rule("range", item.name, values))
    if item.type == "date" and (item.after or item.before):
        values = {"minimum": item.after.isoformat() if item.after else "…",
                  "maximum": item.before.isoformat() if item.before else "…"}  # fmt: skip
        made.append(Rule("period", item.name, values))
    return made


def broken(mask: int, among: Sequence[Rule]) -> list[Rule]:
    """The rules that a number of BAD stands for."""
    return [rule for bit, rule in enumerate(among) if mask >> bit & 1]


def direct(table: ir.Table, known: Mapping[str, Field], recodes: Sequence[Recode]) -> bool:
    """Whether the columns of a table need no work but to be read: types as they should be, answers
    as the study writes them."""
    types = {"number": "is_numeric", "date": "is_temporal", "boolean": "is_boolean"}
    return not any(item.kind == "value" for item in recodes) and all(
        getattr(table[name].type(), types[item.type])()
        for name, item in known.items()
        if item.type in types and name in table.columns
    )


def read(
    table: ir.Table,
    known: Mapping[str, Field],
    recodes: Sequence[Recode],
    raw: bool,
) -> ir.Table:
    """The typed columns of a table with BAD beside them, and FILE and ROW as they were.

    table: columns under the names of the study, as text or typed; those it lacks are empty.
    raw: whether the cells of a row that breaks a rule go into FOUND, for where they cannot be read
    again.
    """
    typed: dict[str, ir.Value] = {}
    faults: dict[tuple[str, str], ir.BooleanValue] = {}
    for name, item in known.items():
        if name in table.columns:
            value, wrong = _column(table[name], item, recodes)
            faults |= {(key, name): fault for key, fault in wrong.items()}
        else:
            value = ibis.null(KINDS[item.type])
        typed[name] = value
    typed[BAD] = _mask(faults, rules(known)).cast("int64")
    if raw:
        there = [name for name in known if name in table.columns]
        cells = [table[name].cast("string").fill_null("") for name in there]
        joined = ibis.literal(MARK).join(cells)
        typed[FOUND] = ibis.ifelse(_any(faults), joined, ibis.null("string"))
    return table.select(**typed, **{FILE: table[FILE], ROW: table[ROW].cast("int64")})


KINDS = {
    "id": "string", "text": "string", "category": "string", "number": "float64", "date": "date",
    "boolean": "boolean",
}  # fmt: skip


def _any(faults: Mapping[tuple[str, str], ir.BooleanValue]) -> ir.BooleanValue:
    return reduce(lambda one, other: one | other, faults.values(), ibis.literal(False))


def _mask(
    faults: Mapping[tuple[str, str], ir.BooleanValue], among: Sequence[Rule]
) -> ir.IntegerValue:
    bits = [
        ibis.ifelse(faults[rule.key, rule.column], ibis.literal(1 << bit, "int64"),
                    ibis.literal(0, "int64"))
        for bit, rule in enumerate(among)
        if (rule.key, rule.column) in faults
    ]  # fmt: skip
    zero = ibis.literal(0, "int64")
    # Most rows break nothing, so that bits are seldom added up.
    return ibis.ifelse(_any(faults), reduce(lambda one, other: one + other, bits, zero), zero)


Column = tuple[Any, dict[str, Any]]


def _column(column: ir.Value, item: Field, recodes: Sequence[Recode]) -> Column:
    """A typed column, and what is wrong with its rows by rule."""
    text = column.strip() if isinstance(column, ir.StringValue) else None
    value, wrong = READERS[item.type](column, text, item, recodes)
    if item.type == "id" or item.required:
        empty = column.isnull() if text is None else column.isnull() | (text == "")
        wrong = {"required": empty} | wrong
    return value, wrong


def _text(column: Any, text: Any, item: Field, recodes: Sequence[Recode]) -> Column:
    value = column.cast("string") if text is None else text
    return _recoded(value, item, recodes), {}


def _recoded(value: Any, item: Field, recodes: Sequence[Recode]) -> Any:
    mine = {r.found: r.becomes or None for r in recodes if r.kind == "value"
            and r.column == item.name}  # fmt: skip
    if not mine:
        return value
    kept = {found: becomes for found, becomes in mine.items() if becomes is not None}
    recoded = value.substitute(kept) if kept else value
    emptied = [found for found, becomes in mine.items() if becomes is None]
    return ibis.ifelse(value.isin(emptied), ibis.null("string"), recoded) if emptied else recoded


def _category(column: Any, text: Any, item: Field, recodes: Sequence[Recode]) -> Column:
    value, _ = _text(column, text, item, recodes)
    known = ibis.array([*item.answers, ""])
    return value, {"allowed": value.notnull() & ~known.contains(value)}


def _number(column: Any, text: Any, item: Field, recodes: Sequence[Recode]) -> Column:
    wrong: dict[str, Any] = {}
    if text is None:
        value = column.cast("float64")
        wrong["number"] = value.isnan() | value.isinf()
    else:
        text = _recoded(text, item, recodes)
        tight = text.re_replace(THOUSANDS, "")
        value = tight.replace(",", ".").try_cast("float64")
        wrong["number"] = (text != "") & ~tight.re_search(NUMBER)
    low = -LARGEST if item.minimum is None else item.minimum
    high = LARGEST if item.maximum is None else item.maximum
    wrong["range"] = (value < low) | (value > high)
    return value, wrong


def _date(column: Any, text: Any, item: Field, recodes: Sequence[Recode]) -> Column:
    wrong: dict[str, Any] = {}
    if text is None:
        value = column.cast("date")
        wrong["date"] = ibis.literal(False)
    else:
        text = _recoded(text, item, recodes)
        parts = [text.re_extract(DAY_FIRST, at) for at in (3, 2, 1)]
        day_first = parts[0] + "-" + parts[1].lpad(2, "0") + "-" + parts[2].lpad(2, "0")
        iso = ibis.ifelse(text.re_search(DAY_FIRST), day_first, text.left(10))
        readable = text.re_search(ISO_DATE) | text.re_search(DAY_FIRST)
        value = iso.try_cast("date")
        wrong["date"] = (text != "") & (value.isnull() | ~readable)
    outside = []
    if item.after:
        outside.append(value < _day(item.after))
    if item.before:
        outside.append(value > _day(item.before))
    if outside:
        wrong["period"] = reduce(lambda one, other: one | other, outside)
    return value, wrong


def _day(day: dt.date) -> Any:
    return ibis.date(day.isoformat())


def _boolean(column: Any, text: Any, item: Field, recodes: Sequence[Recode]) -> Column:
    if text is None:
        return column.cast("boolean"), {"boolean": ibis.literal(False)}
    said = _recoded(text, item, recodes).lower()
    yes = [word for word, truth in BOOLEANS.items() if truth]
    no = [word for word, truth in BOOLEANS.items() if not truth]
    value = ibis.cases((said.isin(yes), True), (said.isin(no), False), else_=None)
    return value, {"boolean": ~said.isin([*yes, *no, ""])}


READERS = {
    "id": _text, "text": _text, "category": _category, "number": _number, "date": _date,
    "boolean": _boolean,
}  # fmt: skip
