"""Rules on the rows of an extract, and its typed columns, as expressions of an engine.

One expression a row says which rules it breaks: a number whose bits are the rules, in the order of
`rules`. So all rules are checked in one pass, and the rows that break one can be found again.
Pandera's Ibis backend takes about as long (bench/consumption.py, part pandera) and is not used: it
gives back no file, row and cell of what fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
# Whether a row breaks a rule: cheaper to tell than which.
WRONG = "_wrong"
# Whether a text of a row still has spaces around it.
PADDED = "_padded"
BESIDE = (WRONG, BAD, FOUND, FILE, ROW, PADDED)
# What parts the raw cells of a row in FOUND; it stands in no text.
MARK = "\x1f"
SPACES = " \t\n\r\v\f"
THOUSANDS = " \u00a0\u202f"
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


def padded(text: ir.StringValue) -> ir.BooleanValue:
    """Whether a text is empty, or begins or ends with a space, for engines that compare bytes.
    Looking is ten times faster in DuckDB than stripping what has nothing to strip."""
    ends = [text.endswith(space) for space in SPACES]
    return reduce(lambda one, other: one | other, [text < "!", *ends])


def tidy(text: ir.StringValue) -> ir.StringValue:
    """A text without spaces around it, missing if nothing is left."""
    return text.strip().nullif("")


def direct(
    columns: Mapping[str, ir.Value], known: Mapping[str, Field], recodes: Sequence[Recode]
) -> bool:
    """Whether columns need no work but to be read: types as they should be, answers as the study
    writes them."""
    types = {"number": "is_numeric", "date": "is_temporal", "boolean": "is_boolean"}
    return not any(item.kind == "value" for item in recodes) and all(
        getattr(columns[name].type(), types[item.type])()
        for name, item in known.items()
        if item.type in types and name in columns
    )


def read(
    table: ir.Table,
    known: Mapping[str, Field],
    recodes: Sequence[Recode],
    apart: Callable[[ir.Table], ir.Table],
) -> ir.Table:
    """The typed columns of a table with WRONG and BAD beside them, the cells of a row that breaks a
    rule in FOUND, and FILE, ROW and PADDED as they were.

    table: columns under the names of the study, typed or as `tidy` text; those it lacks are empty.
    apart: names a table, so that what is computed in it is not computed again where it is read.
    """
    typed: dict[str, ir.Value] = {}
    faults: dict[tuple[str, str], ir.BooleanValue] = {}
    there = [name for name in known if name in table.columns]
    for name, item in known.items():
        if name not in table.columns:
            typed[name] = ibis.null(KINDS[item.type])
            continue
        text = table[name] if isinstance(table[name], ir.StringValue) else None
        typed[name] = READERS[item.type](table[name], text, item, recodes)
    cells = {f"raw_{name}": table[name] for name in there}
    values = apart(
        table.select(**typed, **cells, **{name: table[name] for name in (FILE, ROW, PADDED)})
    )
    for name in there:
        wrong = _wrong(values[name], values[f"raw_{name}"], known[name])
        faults |= {(key, name): fault.fill_null(False) for key, fault in wrong.items()}
    told = {f"fault_{at}": fault for at, fault in enumerate(faults.values())}
    marked = apart(values.mutate(**told))
    bits = {rule: marked[name] for rule, name in zip(faults, told, strict=True)}
    some = reduce(lambda one, other: one | other, bits.values())
    raw = [
        marked[f"raw_{name}"].cast("string").fill_null("") if name in there else ibis.literal("")
        for name in known
    ]
    found = ibis.ifelse(some, ibis.literal(MARK).join(raw), ibis.null("string"))
    mask = ibis.ifelse(some, _mask(bits, rules(known)), ibis.literal(0, "int64"))
    return marked.select(
        **{name: marked[name] for name in known},
        **{WRONG: some, BAD: mask.cast("int64"), FOUND: found, FILE: marked[FILE]},
        **{ROW: marked[ROW].cast("int64"), PADDED: marked[PADDED]},
    )


KINDS = {
    "id": "string", "text": "string", "category": "string", "number": "float64", "date": "date",
    "boolean": "boolean",
}  # fmt: skip


def _mask(
    faults: Mapping[tuple[str, str], ir.BooleanValue], among: Sequence[Rule]
) -> ir.IntegerValue:
    bits = [
        ibis.ifelse(faults[rule.key, rule.column], ibis.literal(1 << bit, "int64"),
                    ibis.literal(0, "int64"))
        for bit, rule in enumerate(among)
        if (rule.key, rule.column) in faults
    ]  # fmt: skip
    return reduce(lambda one, other: one + other, bits)


def _wrong(value: Any, raw: Any, item: Field) -> dict[str, Any]:
    """What is wrong with each cell of a column, by rule. raw: the cell as delivered."""
    text = isinstance(raw, ir.StringValue)
    given = raw.notnull()
    wrong: dict[str, Any] = {}
    if item.type == "id" or item.required:
        wrong["required"] = ~given
    if item.type == "category":
        wrong["allowed"] = value.notnull() & ~ibis.array(list(item.answers)).contains(value)
    if item.type in ("date", "boolean"):
        wrong[item.type] = given & value.isnull() if text else ibis.literal(False)
    if item.type == "number":
        wrong["number"] = given & (value.isnull() | value.isnan() | value.isinf())
        low = -LARGEST if item.minimum is None else item.minimum
        high = LARGEST if item.maximum is None else item.maximum
        wrong["range"] = ~value.isnan() & ((value < low) | (value > high))
    if item.type == "date" and (item.after or item.before):
        outside = []
        if item.after:
            outside.append(value < ibis.date(item.after.isoformat()))
        if item.before:
            outside.append(value > ibis.date(item.before.isoformat()))
        wrong["period"] = reduce(lambda one, other: one | other, outside)
    return wrong


def _text(column: Any, text: Any, item: Field, recodes: Sequence[Recode]) -> Any:
    return _recoded(column.cast("string") if text is None else text, item, recodes)


def _recoded(value: Any, item: Field, recodes: Sequence[Recode]) -> Any:
    mine = {r.found: r.becomes or None for r in recodes if r.kind == "value"
            and r.column == item.name}  # fmt: skip
    if not mine:
        return value
    kept = {found: becomes for found, becomes in mine.items() if becomes is not None}
    recoded = value.substitute(kept) if kept else value
    emptied = [found for found, becomes in mine.items() if becomes is None]
    return ibis.ifelse(value.isin(emptied), ibis.null("string"), recoded) if emptied else recoded


def _number(column: Any, text: Any, item: Field, recodes: Sequence[Recode]) -> Any:
    """Numbers with a point or a decimal comma, with or without spaces between thousands."""
    if text is None:
        return column.cast("float64")
    text = _recoded(text, item, recodes)
    plain = text.replace(",", ".")
    # Taking spaces out of what has none would take most of the time of reading a file of text.
    spaced = reduce(lambda one, other: one | other, [plain.contains(sign) for sign in THOUSANDS])
    tight = reduce(lambda text, sign: text.replace(sign, ""), THOUSANDS, plain)
    return ibis.ifelse(spaced, tight, plain).try_cast("float64")


def _date(column: Any, text: Any, item: Field, recodes: Sequence[Recode]) -> Any:
    """Days as ISO 8601 or day/month/year; a time of day is left out."""
    if text is None:
        return column.cast("date")
    text = _recoded(text, item, recodes)
    nothing = ibis.null("string")
    iso = ibis.ifelse((text.length() == 10) & (text.substr(4, 1) == "-"), text, nothing)
    slashed = text.substr(6, 4) + "-" + text.substr(3, 2) + "-" + text.left(2)
    is_slashed = (text.length() == 10) & (text.substr(2, 1) == "/") & (text.substr(5, 1) == "/")
    parts = [text.re_extract(DAY_FIRST, at) for at in (3, 2, 1)]
    rest = parts[0] + "-" + parts[1].lpad(2, "0") + "-" + parts[2].lpad(2, "0")
    # The two forms that nearly all dates have come first: patterns are slow.
    return ibis.coalesce(
        iso.try_cast("date"),
        ibis.ifelse(is_slashed, slashed, nothing).try_cast("date"),
        ibis.ifelse(text.re_search(DAY_FIRST), rest, nothing).try_cast("date"),
        ibis.ifelse(text.re_search(ISO_DATE), text.left(10), nothing).try_cast("date"),
    )


def _boolean(column: Any, text: Any, item: Field, recodes: Sequence[Recode]) -> Any:
    if text is None:
        return column.cast("boolean")
    said = _recoded(text, item, recodes).lower()
    yes = [word for word, truth in BOOLEANS.items() if truth]
    no = [word for word, truth in BOOLEANS.items() if not truth]
    return ibis.cases((said.isin(yes), True), (said.isin(no), False), else_=None)


READERS = {
    "id": _text, "text": _text, "category": _text, "number": _number, "date": _date,
    "boolean": _boolean,
}  # fmt: skip
