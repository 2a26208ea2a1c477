"""Conditions of study.yml as Ibis expressions: the language of `expression`, for rows that stay in
an engine.

Each function mirrors its counterpart of `expression`, which works on a pandas frame; the tests
evaluate both on the same rows. An unanswered question compares as the empty string, a missing
number compares as false, and no row is ever neither true nor false.
"""

from __future__ import annotations

from typing import Any

import ibis
from ibis.expr import types as ir

from analysis.expression import COMPARISONS, ExpressionError, Node

NUMBER = r"^[-+]?\d+(\.\d+)?$"


def condition(node: Node, table: ir.Table) -> ir.BooleanValue:
    """Truth of a parsed expression for each row of a table, never missing.

    table: clean columns (a several-answer column stands in boolean columns ``column/answer``).
    """
    kind, arguments = node.kind, node.arguments
    if kind in ("and", "or"):
        parts = [condition(part, table) for part in arguments]
        joined = parts[0]
        for part in parts[1:]:
            joined = joined & part if kind == "and" else joined | part
        return joined
    if kind == "not":
        return ~condition(arguments[0], table)
    if kind == "selected":
        return _selected(_name(arguments[0]), arguments[1].arguments[0], table)
    if kind == "compare":
        return _compare(arguments, table)
    if kind in ("true", "false"):
        return ibis.literal(kind == "true")
    raise ExpressionError(f"{kind!r} is not a condition")


def always(node: Node) -> bool:
    """Whether a condition is `true()`: everyone, without looking at a row."""
    return node.kind == "true"


def _name(node: Node) -> str:
    if node.kind != "question":
        raise ExpressionError("a question is expected, as ${name}")
    return node.arguments[0]


def _selected(name: str, answer: str, table: ir.Table) -> ir.BooleanValue:
    if f"{name}/{answer}" in table.columns:
        return table[f"{name}/{answer}"].fill_null(False)
    if name in table.columns:
        return (_text(table[name]) == answer).fill_null(False)
    return ibis.literal(False)


def _compare(arguments: tuple, table: ir.Table) -> ir.BooleanValue:
    symbol, left, right = arguments
    one, other = _value(left, table), _value(right, table)
    if not isinstance(one, ir.Value) and not isinstance(other, ir.Value):
        return ibis.literal(bool(COMPARISONS[symbol](one, other)))
    one, other = _alike(one, other), _alike(other, one)
    if _numeric(one) and isinstance(other, str):
        return _number_and_text(symbol, one)
    if _numeric(other) and isinstance(one, str):
        return _number_and_text(symbol, other)
    return COMPARISONS[symbol](one, other).fill_null(False)


def _number_and_text(symbol: str, number: ir.Value) -> ir.BooleanValue:
    """A number is no text: it differs from every one, and does not come before or after it."""
    if symbol not in ("=", "!="):
        raise ExpressionError("a number and a text have no order")
    return number.notnull() if symbol == "!=" else ibis.literal(False)


def _numeric(value: Any) -> bool:
    return isinstance(value, ir.NumericValue) and not isinstance(value, ir.BooleanValue)


def _alike(value: Any, other: Any) -> Any:
    """Text read as a number where it meets one."""
    if isinstance(value, ir.StringValue) and isinstance(other, float):
        return ibis.ifelse(value.re_search(NUMBER), value, ibis.null("string")).cast("float64")
    return value


def _value(node: Node, table: ir.Table) -> Any:
    if node.kind == "value":
        return node.arguments[0]
    if node.kind == "question":
        return _column(_name(node), table)
    if node.kind == "count-selected":
        return _count(_name(node.arguments[0]), table)
    return condition(node, table)


def _count(name: str, table: ir.Table) -> ir.IntegerValue:
    given = [table[column] for column in table.columns if column.startswith(f"{name}/")]
    ticks = [column.fill_null(False).cast("int64") for column in given]
    return sum(ticks[1:], ticks[0]) if ticks else ibis.literal(0, "int64")


def _column(name: str, table: ir.Table) -> Any:
    if name not in table.columns:
        return ""
    column = table[name]
    if isinstance(column, ir.BooleanValue):  # a number to pandas
        return column.cast("float64")
    return column if _numeric(column) else _text(column).fill_null("")


def _text(column: ir.Value) -> ir.StringValue:
    """A column as the text that pandas would make of it."""
    if isinstance(column, ir.BooleanValue):
        return ibis.ifelse(column, "True", "False")
    if isinstance(column, ir.TimestampValue):
        return column.date().cast("string")
    return column if isinstance(column, ir.StringValue) else column.cast("string")
