"""Sentences from templates: variants chosen by condition, values put in by name."""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from typing import Any

from analysis.display.catalogue import Text
from analysis.display.facts import Facts
from analysis.display.formats import lower_first
from analysis.display.traced import Traced
from analysis.errors import InputError, Problem, nearest

ELSE = "else"


class _Sentences(string.Formatter):
    """str.format with two conversions: !l without the first capital, !u with one. Numbers keep
    the marks that name their rows."""

    def convert_field(self, value: Any, conversion: str | None) -> Any:
        change = CONVERSIONS.get(conversion or "")
        if change is None:
            return super().convert_field(value, conversion)
        return value.inside(change) if isinstance(value, Traced) else change(str(value))

    def format_field(self, value: Any, format_spec: str) -> Any:
        if isinstance(value, Traced) and not format_spec:
            return value.marked
        return super().format_field(value, format_spec)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


CONVERSIONS: dict[str, Callable[[str], str]] = {"l": lower_first, "u": _capital}


def fill(template: str, values: Mapping[str, Any], where: str) -> Traced:
    """A template with its values. Raises InputError where it names a value there is not."""
    try:
        return Traced(_Sentences().vformat(template, (), values))
    except (KeyError, IndexError, ValueError, AttributeError) as error:
        name = str(error).strip("'")
        raise InputError(
            [
                Problem(
                    where,
                    "a sentence names values that its figure has",
                    name,
                    ", ".join(sorted(k for k in values if not k.startswith("at_"))),
                    nearest(name, list(values)),
                )
            ]
        ) from error


def few(text: Text, facts: Facts) -> bool:
    """Whether a sentence names a second or a third line of a figure that has none."""
    template = _variant(text, facts)
    if template is None or "first" not in facts.values:
        return False
    lacking = [name for name in ("second", "third") if name not in facts.values]
    named = {name for _, name, _, _ in _Sentences().parse(template) if name}
    return any(name == rank or name.startswith(f"{rank}_") for name in named for rank in lacking)


def tell(text: Text, facts: Facts, where: str) -> Traced:
    """A sentence: the first variant whose condition holds (`a+b` asks for both), else `else`."""
    template = _variant(text, facts)
    if template is None:
        raise InputError(
            [
                Problem(
                    where,
                    "a sentence has a variant for every case",
                    ", ".join(sorted(facts.conditions)) or "no condition",
                    "a variant for it, or `else`",
                    "add the variant",
                )
            ]
        )
    return fill(template, facts.values, where)


def _variant(text: Text, facts: Facts) -> str | None:
    if isinstance(text, str):
        return text
    for condition, template in text.items():
        if condition != ELSE and set(condition.split("+")) <= facts.conditions:
            return template
    return text.get(ELSE)
