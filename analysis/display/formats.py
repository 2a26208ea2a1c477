"""Numbers, dates and intervals as each language writes them.

The facts of a language (signs, spaces, names of months) stand in `locales.yml`.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from analysis.errors import InputError, Problem, nearest

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Formats:
    """Formats of one language. Every method takes plain values and returns text."""

    lang: str
    facts: dict[str, Any]

    def number(self, value: float | None, decimals: int = 0) -> str:
        """A number with its separators: 4 198 in French, 4,198 in English."""
        if _missing(value):
            return self.missing
        text = f"{_rounded(float(value or 0), decimals):,}"
        whole, _, part = text.partition(".")
        whole = whole.replace(",", self.facts["thousands"]).replace("-", "−")
        return whole + (self.facts["decimal"] + part if part else "")

    def answered(self, value: float | None, decimals: int = 0) -> str:
        """A number people gave: one of four figures may be a year, and has no separator."""
        text = self.number(value, decimals)
        years = not _missing(value) and 1000 <= abs(float(value or 0)) < 10_000
        return text.replace(self.facts["thousands"], "") if years else text

    def signed(self, value: float | None, decimals: int = 0) -> str:
        """A difference with its sign: +12, −3, 0."""
        text = self.number(value, decimals)
        above = not _missing(value) and _rounded(float(value or 0), decimals) > 0
        return f"+{text}" if above else text

    def rank(self, value: float | None) -> str:
        """A rank: 3, or 3,5 where items share their places."""
        whole = _missing(value) or float(value or 0).is_integer()
        return self.number(value, 0 if whole else 1)

    def with_ends(self, value: str, low: str, high: str) -> str:
        """A number and the ends of its interval: 0,40 (0,20 à 0,59). No ends, no brackets."""
        if self.missing in (low, high):
            return value
        return f"{value} ({self.facts['interval'].format(low=low, high=high)})"

    def percent(self, share: float | None, decimals: int = 0) -> str:
        """A share between 0 and 1 as a percentage, with the space its language asks for."""
        if _missing(share):
            return self.missing
        return self.facts["percent"].format(self.number(float(share or 0) * 100, decimals))

    def interval(self, low: float | None, high: float | None, decimals: int = 0) -> str:
        """Two shares as the ends of an interval: 75 % à 85 %."""
        if _missing(low) or _missing(high):
            return self.missing
        return self.facts["interval"].format(
            low=self.percent(low, decimals), high=self.percent(high, decimals)
        )

    def fraction(self, count: float | None, total: float | None) -> str:
        """A count over its base: 13 sur 25."""
        if _missing(count) or _missing(total):
            return self.missing
        return self.facts["fraction"].format(count=self.number(count), total=self.number(total))

    def date(self, day: dt.date) -> str:
        """A day in full: 11 décembre 2025."""
        number = self.facts["first_day"] if day.day == 1 else str(day.day)
        return self.facts["date"].format(
            day=number, month=self.facts["months"][day.month - 1], year=day.year
        )

    def period(self, start: dt.date, end: dt.date) -> str:
        """Two days in full with a dash between them."""
        return self.facts["period"].format(start=self.date(start), end=self.date(end))

    def month(self, code: str, short: bool = False) -> str:
        """A month written YYYY-MM: décembre 2024, or déc. where room is short."""
        year, number = code.split("-")
        name = self.facts["months_short" if short else "months"][int(number) - 1]
        return name if short else self.facts["month"].format(month=name, year=year)

    def p_value(self, p: float | None) -> str:
        """A p value: p = 0,012, or p < 0,001 where it is smaller."""
        if _missing(p):
            return self.missing
        if float(p or 0) < 0.001:
            return self.facts["p_below"].format(self.number(0.001, 3))
        return self.facts["p_equal"].format(self.number(p, 3))

    def quote(self, text: str) -> str:
        """A text between the quotation marks of its language."""
        return self.facts["quote"].format(text)

    def typography(self, text: str) -> str:
        """A text with the spaces its language wants around its signs: never broken before a
        colon, never broken inside quotation marks."""
        for found, becomes in self.facts["typography"].items():
            text = re.sub(found, becomes, text)
        return text

    def words(self, value: int) -> str:
        """A small whole number in words, a large one in figures."""
        known = self.facts["words"]
        return known[value] if 0 <= value < len(known) else self.number(value)

    def listed(self, items: Sequence[str], last: str = "list_last") -> str:
        """Items in a row: a, b et c; with `last="list_or"`: a, b ou c."""
        if len(items) < 2:
            return "".join(items)
        return ", ".join(items[:-1]) + self.facts[last] + items[-1]

    @property
    def withheld(self) -> str:
        """What stands where a number is not released, as statistical offices write it."""
        return str(self.facts["withheld"])

    def told(self, text: str, verdict: str) -> str:
        """A number as text: of an estimate that is not released, what says so."""
        return self.withheld if verdict == "suppressed" and text == self.missing else text

    @property
    def missing(self) -> str:
        """What stands where a number cannot be given."""
        return self.facts["missing"]


@cache
def _locales() -> dict[str, dict[str, Any]]:
    return yaml.safe_load((HERE / "locales.yml").read_text(encoding="utf-8"))


def formats(lang: str) -> Formats:
    """Formats of a language. Raises InputError where the language is not described."""
    known = _locales()
    if lang not in known:
        raise InputError(
            [
                Problem(
                    "analysis/display/locales.yml",
                    "a language of a study has its formats",
                    lang,
                    "one of " + ", ".join(sorted(known)),
                    nearest(lang, list(known)) + f", or describe {lang!r} in this file",
                )
            ]
        )
    return Formats(lang, known[lang])


def _missing(value: float | None) -> bool:
    # pd.NA is neither a float nor None, and cannot be compared.
    return value is None or type(value).__name__ == "NAType" or math.isnan(float(value))


def _rounded(value: float, decimals: int) -> Decimal:
    """Half goes up, as printed figures do; binary noise is cut first (0.585 is 58.5 %)."""
    step = Decimal(1).scaleb(-decimals)
    rounded = Decimal(repr(round(value, 9))).quantize(step, rounding=ROUND_HALF_UP)
    return rounded if rounded else abs(rounded)


PRONOUN = re.compile(r"I(?:\s|['’](?:m|d|ll|ve)\b)")


def lower_first(text: str) -> str:
    """A label inside a sentence: its capital goes, unless it is an acronym's or the English I."""
    if PRONOUN.match(text):
        return text
    if len(text) > 1 and text[0].isupper() and not text[1].isupper():
        return text[0].lower() + text[1:]
    return text
