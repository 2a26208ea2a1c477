"""The part of XLSForm's expression language that routing, constraints and populations need.

Supported: ``${question}``, ``.``, strings, numbers, ``=  !=  <  <=  >  >=``, ``and``, ``or``,
``not(…)``, ``selected(${question}, 'answer')``, ``count-selected(${question})``, ``true()`` and
``false()`` (https://docs.getodk.org/form-logic/). An expression is parsed once and evaluated on a
whole frame, so routing is checked on columns, not on rows one by one.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

TOKEN = re.compile(
    r"\s*(?:(?P<question>\$\{(?P<name>[^}]*)\})|(?P<string>'[^']*'|\"[^\"]*\")"
    r"|(?P<number>\d+(?:\.\d+)?)|(?P<symbol>!=|<=|>=|[=<>(),])|(?P<word>[a-z][a-z-]*)|(?P<dot>\.))"
)
LONGEST = 10_000  # characters
MOST_BRACKETS = 100  # an expression is read by functions that call each other
COMPARISONS: dict[str, Callable] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
FUNCTIONS = ("not", "selected", "count-selected", "true", "false")


class ExpressionError(ValueError):
    """An expression that cannot be read; the message says which part and what is supported."""


@dataclass(frozen=True)
class Node:
    """A parsed expression: an operation and its arguments (nodes, or one plain value)."""

    kind: str
    arguments: tuple

    def questions(self) -> set[str]:
        """Names of the questions the expression reads."""
        if self.kind == "question":
            return {self.arguments[0]}
        found: set[str] = set()
        for argument in self.arguments:
            if isinstance(argument, Node):
                found |= argument.questions()
        return found


def answers(node: Node, this: str = "") -> list[tuple[str, str]]:
    """(question, answer) of each comparison with a text, and of each `selected`.

    this: the question that `.` stands for.
    """
    parts = node.arguments[1:] if node.kind == "compare" else node.arguments
    found: list[tuple[str, str]] = []
    if node.kind in ("compare", "selected") and len(parts) == 2:
        names = [p.arguments[0] if p.kind == "question" else this for p in parts
                 if p.kind in ("question", "this")]  # fmt: skip
        texts = [p.arguments[0] for p in parts if p.kind == "value"]
        found = [(n, text) for n in names for text in texts if n and isinstance(text, str)]
    nested = [part for part in node.arguments if isinstance(part, Node)]
    return found + [pair for part in nested for pair in answers(part, this)]


def parse(text: str) -> Node:
    """Parse an expression. Raises ExpressionError where it leaves the supported part."""
    if len(text) > LONGEST:
        raise ExpressionError(f"{len(text)} characters, and {LONGEST} at most are read")
    tokens = _tokens(text)
    if sum(value == "(" for _, value in tokens) > MOST_BRACKETS:
        raise ExpressionError(f"more than {MOST_BRACKETS} brackets")
    parser = _Parser(tokens, text)
    node = parser.disjunction()
    if parser.peek() is not None:
        raise ExpressionError(f"nothing may follow {parser.done()!r} in {text!r}")
    _check_condition(node, text)
    return node


def _check_condition(node: Node, text: str) -> None:
    """Raises ExpressionError where something that is neither true nor false stands as if it was."""
    if node.kind in ("question", "this", "value", "count-selected"):
        raise ExpressionError(f"a comparison is expected, as ${{name}} = 'answer', in {text!r}")
    if node.kind in ("and", "or", "not"):
        for part in node.arguments:
            _check_condition(part, text)


def evaluate(node: Node, frame: pd.DataFrame, this: str | None = None) -> pd.Series:
    """Truth of an expression for each row.

    frame: a clean table (a several-answer question stands in boolean columns
    ``question/answer``). An unanswered question compares as the empty string, as in XLSForm.
    Returns a boolean Series on the frame's index, without missing values.
    """
    return _Evaluation(frame, this).truth(node)


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, position = [], 0
    while text[position:].strip():
        match = TOKEN.match(text, position)
        if match is None:
            raise ExpressionError(f"cannot read {text[position:].strip()!r} in {text!r}")
        kind = match.lastgroup or ""
        if match["question"] is not None:
            kind, value = "question", match["name"]
        else:
            value = match[kind]
        tokens.append((kind, value))
        position = match.end()
    return tokens


class _Parser:
    """Recursive descent, one method a level of precedence."""

    def __init__(self, tokens: list[tuple[str, str]], text: str) -> None:
        self.tokens, self.text, self.at = tokens, text, 0

    def peek(self) -> str | None:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else None

    def done(self) -> str:
        return " ".join(value for _, value in self.tokens[: self.at])

    def take(self) -> tuple[str, str]:
        if self.at >= len(self.tokens):
            raise ExpressionError(f"{self.text!r} ends too early")
        self.at += 1
        return self.tokens[self.at - 1]

    def expect(self, symbol: str) -> None:
        _, value = self.take()
        if value != symbol:
            raise ExpressionError(f"expected {symbol!r} where {value!r} stands in {self.text!r}")

    def disjunction(self) -> Node:
        parts = [self.conjunction()]
        while self.peek() == "or":
            self.take()
            parts.append(self.conjunction())
        return parts[0] if len(parts) == 1 else Node("or", tuple(parts))

    def conjunction(self) -> Node:
        parts = [self.comparison()]
        while self.peek() == "and":
            self.take()
            parts.append(self.comparison())
        return parts[0] if len(parts) == 1 else Node("and", tuple(parts))

    def comparison(self) -> Node:
        left = self.primary()
        symbol = self.peek()
        if symbol in COMPARISONS and self.tokens[self.at][0] == "symbol":
            self.take()
            return Node("compare", (symbol, left, self.primary()))
        return left

    def primary(self) -> Node:
        kind, value = self.take()
        if kind == "question":
            return Node("question", (value,))
        if kind == "dot":
            return Node("this", ())
        if kind == "string":
            return Node("value", (value[1:-1],))
        if kind == "number":
            return Node("value", (float(value),))
        if value == "(":
            inner = self.disjunction()
            self.expect(")")
            return inner
        return self.function(value)

    def function(self, name: str) -> Node:
        if name not in FUNCTIONS:
            known = ", ".join(f"{known}()" for known in FUNCTIONS)
            raise ExpressionError(f"{name!r} is not supported in {self.text!r}; supported: {known}")
        self.expect("(")
        arguments: list[Node] = []
        while self.peek() != ")":
            arguments.append(self.disjunction())
            if self.peek() == ",":
                self.take()
        self.expect(")")
        expected = {"not": 1, "selected": 2, "count-selected": 1}.get(name, 0)
        if len(arguments) != expected:
            raise ExpressionError(f"{name}() takes {expected} argument(s) in {self.text!r}")
        asks = name in ("selected", "count-selected")
        if asks and arguments[0].kind not in ("question", "this"):
            raise ExpressionError(f"{name}() reads a question, as ${{name}}, in {self.text!r}")
        if name == "selected" and not _is_text(arguments[1]):
            raise ExpressionError(f"selected() takes an answer in quotes, in {self.text!r}")
        return Node(name, tuple(arguments))


def _is_text(node: Node) -> bool:
    return node.kind == "value" and isinstance(node.arguments[0], str)


class _Evaluation:
    """One expression on one frame."""

    def __init__(self, frame: pd.DataFrame, this: str | None) -> None:
        self.frame, self.this = frame, this

    def truth(self, node: Node) -> pd.Series:
        kind, arguments = node.kind, node.arguments
        if kind in ("and", "or"):
            joined = pd.concat([self.truth(part) for part in arguments], axis=1)
            return joined.all(axis=1) if kind == "and" else joined.any(axis=1)
        if kind == "not":
            return ~self.truth(arguments[0])
        if kind == "selected":
            return self.selected(self.name(arguments[0]), arguments[1].arguments[0])
        if kind == "compare":
            return self.compare(*arguments)
        if kind in ("true", "false"):
            return pd.Series(kind == "true", index=self.frame.index)
        raise ExpressionError(f"{kind!r} is not a condition")

    def name(self, node: Node) -> str:
        if node.kind == "this" and self.this is not None:
            return self.this
        if node.kind == "question":
            return node.arguments[0]
        raise ExpressionError("a question is expected, as ${name}")

    def selected(self, name: str, answer: str) -> pd.Series:
        column = f"{name}/{answer}"
        if column in self.frame:
            return self.frame[column].fillna(False).astype(bool)
        if name in self.frame:
            return (self.frame[name].astype("string") == answer).fillna(False).astype(bool)
        return pd.Series(False, index=self.frame.index)

    def answers(self, name: str) -> pd.DataFrame:
        columns = [column for column in self.frame if str(column).startswith(f"{name}/")]
        return self.frame[columns].fillna(False).astype(bool)

    def compare(self, symbol: str, left: Node, right: Node) -> pd.Series:
        one, other = self.value(left), self.value(right)
        if isinstance(one, pd.Series) and isinstance(other, float):
            one = pd.to_numeric(one, errors="coerce")
        if isinstance(other, pd.Series) and isinstance(one, float):
            other = pd.to_numeric(other, errors="coerce")
        result = COMPARISONS[symbol](one, other)
        if not isinstance(result, pd.Series):
            return pd.Series(bool(result), index=self.frame.index)
        return result.fillna(False).astype(bool)

    def value(self, node: Node) -> pd.Series | str | float:
        if node.kind == "value":
            return node.arguments[0]
        if node.kind in ("question", "this"):
            return self.column(self.name(node))
        if node.kind == "count-selected":
            return self.answers(self.name(node.arguments[0])).sum(axis=1)
        return self.truth(node)

    def column(self, name: str) -> pd.Series:
        if name not in self.frame:
            return pd.Series("", index=self.frame.index, dtype="string")
        column = self.frame[name]
        if pd.api.types.is_numeric_dtype(column):
            return column
        return column.astype("string").fillna("")
