"""What intake says to people: texts.yml by rule and language, and problems told from it.

A problem carries its rule and its values beside the English text, so that the page of `validate`
tells it again in another language without a word in code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from analysis.errors import Problem
from analysis.safe_yaml import read_yaml

DEFAULT = "en"
PARTS = ("rule", "found", "expected", "action")


@dataclass(frozen=True)
class Failure(Problem):
    """A problem found by intake: `key` is its entry in texts.yml, `values` fill the braces."""

    key: str = ""
    values: tuple[tuple[str, str], ...] = ()


@cache
def texts() -> dict[str, Any]:
    """texts.yml, read once."""
    path = Path(__file__).with_name("texts.yml")
    return read_yaml(path.read_text(encoding="utf-8"))


def text(entry: dict[str, str], lang: str, **values: str) -> str:
    """One text in a language, or in English where texts.yml does not speak it."""
    return (entry.get(lang) or entry[DEFAULT]).format(**values)


def problem(
    key: str, file: str, row: int | None = None, column: str | None = None, **values: str
) -> Failure:
    """A problem under the rule `key`. values: `value` is what was found, `near` the nearest
    known word (may be empty), others as the texts of the rule ask."""
    said = {part: _say(key, part, DEFAULT, values) for part in PARTS}
    return Failure(file=file, row=row, column=column, key=key, values=tuple(values.items()), **said)


def told(item: Problem, lang: str) -> dict[str, str]:
    """rule, found, expected and action of a problem, in a language where texts.yml knows it."""
    if isinstance(item, Failure):
        return {part: _say(item.key, part, lang, dict(item.values)) for part in PARTS}
    return {part: getattr(item, part) for part in PARTS}


def rule_text(key: str, part: str, lang: str, values: dict[str, str]) -> str:
    """The wording of a rule, or of what it expects, without any failure of it."""
    return _say(key, part, lang, values)


def near(word: str, known: Sequence[str]) -> str:
    """The known word nearest to a mistyped one, or nothing."""
    match = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return match[0] if match else ""


def _say(key: str, part: str, lang: str, values: dict[str, str]) -> str:
    entry = texts()["rules"][key].get(part)
    if entry is None:
        return values.get("value") or text(texts()["empty"], lang)
    found = values.get("near", "")
    suggestion = text(texts()["suggestion"], lang, near=found) if found else ""
    return text(entry, lang, **(values | {"suggestion": suggestion}))
