"""study.yml as YAML: values without surprises of type, lines of keys, mistakes in plain words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from analysis.definition import Definition
from analysis.errors import InputError, Problem, nearest
from analysis.plain_text import read_text
from analysis.safe_yaml import read_study

Lines = Mapping[tuple, int]
WHAT = "YAML in UTF-8"
RULE = "study.yml is YAML in UTF-8"
UNKNOWN_KEY, MISSING_KEY = "keys of study.yml are known", "required keys are there"


def read_definition(path: Path, shown: str) -> tuple[Definition, dict[tuple, int]]:
    """study.yml as its model, and the line of each key. Raises InputError with every mistake."""
    text = read_text(path, shown, WHAT)
    try:
        tree, lines = read_study(text)
    except yaml.YAMLError as error:
        raise InputError([_broken(shown, text, error)]) from error
    if not isinstance(tree, dict):
        raise InputError(
            [Problem(shown, "study.yml is a list of keys and values", repr(tree)[:80],
                     "key: value lines", "start from another study's study.yml", 1)]
        )  # fmt: skip
    try:
        return Definition.model_validate(tree), lines
    except ValidationError as error:
        raise InputError(_schema_problems(shown, error, lines)) from error


def line_of(lines: Lines, place: tuple) -> int | None:
    """Line of a key, or of the nearest key above it."""
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place)


# --- Mistakes of YAML itself


def _broken(shown: str, text: str, error: Exception) -> Problem:
    """YAML that cannot be read, with its line and the usual reason."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:
        return Problem(shown, RULE, str(error).splitlines()[0], "valid YAML",
                       "correct the file, or start from another study's")  # fmt: skip
    row = mark.line + 1
    rows = text.splitlines()
    line = rows[row - 1] if row <= len(rows) else ""
    found, action = _reason(line, rows[: row - 1], str(getattr(error, "problem", "") or error))
    return Problem(shown, RULE, found, "key: value lines, indented with spaces", action, row)


def _reason(line: str, before: list[str], problem: str) -> tuple[str, str]:
    """What was found in a line that YAML refuses, and what to do: the usual reasons, in turn."""
    shown = repr(line.strip()[:80])
    rows = [*before, line]
    opened = sum(row.count("[") + row.count("{") for row in rows)
    closed = sum(row.count("]") + row.count("}") for row in rows)
    reasons = [
        ("\t" in line[: len(line) - len(line.lstrip())], f"a tab before {shown}",
         "indent with spaces"),
        ("levels of keys" in problem, problem, "flatten the lists and keys of this line"),
        ("stands twice" in problem, problem, "remove one of the two"),
        ("cannot be read as timestamp" in problem, shown,
         "write a day that the calendar has, as 2026-01-31"),
        ("the tag" in problem, f"{shown} ({problem})", "write plain values only, without !"),
        ("mapping values are not allowed" in problem, shown,
         "put the text in quotes, because it holds ': '"),
        ("expected ',' or '}'" in problem, shown,
         "put texts that hold ', : or a comma in double quotes"),
        (opened > closed, f"a bracket that is not closed, at or before {shown}",
         "close the bracket"),
        (line.count('"') % 2 == 1, shown, "close the quotes"),
        (True, f"{shown} ({problem})", "correct the line, or the one before it"),
    ]  # fmt: skip
    return next((found, action) for true, found, action in reasons if true)


# --- Values that the model refuses

# What each kind of refusal of pydantic expects, in the words of someone who writes the file.
EXPECTED = {
    "string_type": "a text (in quotes if it looks like a number)",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number, with a point for decimals",
    "float_parsing": "a number, with a point for decimals",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list, as [one, two]",
    "dict_type": "keys and values, as {fr: …, en: …}",
    "model_type": "keys and values, indented below the key",
    "model_attributes_type": "keys and values, indented below the key",
    "date_type": "a day, as 2026-01-31",
    "date_parsing": "a day that the calendar has, as 2026-01-31",
    "date_from_datetime_parsing": "a day that the calendar has, as 2026-01-31",
    "date_from_datetime_inexact": "a day without a time, as 2026-01-31",
    "too_short": "at least one entry",
    "invalid_key": "a key that is a word; decimals are written with a point",
    "tuple_type": "two numbers, as [0.2, 4]",
}
LIMITS = {
    "greater_than_equal": ("ge", "a number of {} or more"),
    "greater_than": ("gt", "a number above {}"),
    "less_than_equal": ("le", "a number of {} or less"),
    "less_than": ("lt", "a number below {}"),
}


def _schema_problems(shown: str, error: ValidationError, lines: Lines) -> list[Problem]:
    """One problem a place: where a value may be of several kinds, all that it may be."""
    by_place: dict[tuple, list[Any]] = {}
    for item in error.errors():
        by_place.setdefault(_place(item["loc"], lines), []).append(item)
    problems = [_schema_problem(shown, place, items, lines) for place, items in by_place.items()]
    # A misspelt key is also a missing one, and is told once.
    misspelt = {p.action for p in problems if p.rule == UNKNOWN_KEY}
    return [p for p in problems if not (
        p.rule == MISSING_KEY and f"write {(p.column or '').rpartition('.')[2]!r}" in misspelt)
    ]  # fmt: skip


def _place(loc: tuple, lines: Lines) -> tuple[str, ...]:
    """The place in the file: pydantic adds the kind of value it tried, which no key is called."""
    place: tuple[str, ...] = ()
    for at, part in enumerate(map(str, loc)):
        last = at == len(loc) - 1
        tried = bool(re.fullmatch(r"(?:dict|list|tuple|function)\[.*|float|int|str|bool", part))
        if not tried or (*place, part) in lines:
            place = (*place, part)
        elif last:
            break
    return place


def _schema_problem(shown: str, place: tuple[str, ...], items: list[Any], lines: Lines) -> Problem:
    item, key, row = items[0], ".".join(place), line_of(lines, place)
    if item["type"] == "extra_forbidden":
        known = keys_at(place[:-1])
        return Problem(shown, UNKNOWN_KEY, place[-1],
                       "one of " + ", ".join(known), nearest(place[-1], known), row, key
                       )  # fmt: skip
    if item["type"] == "missing":
        return Problem(shown, MISSING_KEY, f"no {key}", f"a value for {key}",
                       f"add the key {place[-1]} (see studies/KEYS.md)", row or 1, key)  # fmt: skip
    expected = " or ".join(dict.fromkeys(_expected(each) for each in items))
    return Problem(shown, "values of study.yml have the right type", _found(item.get("input")),
                   expected, f"write {key} so (see studies/KEYS.md)", row, key)  # fmt: skip


def _found(value: Any) -> str:
    """A value as it was written."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (dict, list)):
        kind = "keys and values" if isinstance(value, dict) else "a list"
        return f"{kind}: {value!r}"[:120]
    return repr(value) if isinstance(value, str) else str(value)


def _expected(item: Any) -> str:
    kind, context = item["type"], item.get("ctx", {})
    if kind == "literal_error":
        known = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        value = item.get("input")
        near = nearest(value, known) if isinstance(value, str) else ""
        return "one of " + ", ".join(known) + (f" ({near})" if near.startswith("write") else "")
    if kind in LIMITS:
        limit, words = LIMITS[kind]
        return words.format(context.get(limit))
    return EXPECTED.get(kind, item["msg"].removeprefix("Value error, "))


def keys_at(place: tuple[str, ...]) -> list[str]:
    """Known keys of the model that stands at a place of study.yml."""
    model: Any = Definition
    for part in place:
        fields = getattr(model, "model_fields", None)
        if fields is None:
            break
        annotation = fields[part].annotation if part in fields else None
        candidates = [annotation, *getattr(annotation, "__args__", ())]
        nested = [
            a
            for c in candidates
            for a in (c, *getattr(c, "__args__", ()))
            if isinstance(a, type) and issubclass(a, BaseModel)
        ]
        model = nested[0] if nested else model
    return sorted(model.model_fields)
