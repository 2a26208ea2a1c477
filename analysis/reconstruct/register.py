"""The register of published figures, and what each of them claims.

A figure of a chart or a tile is *hard*: answers rebuilt from it must give it back. A figure of a
sentence is *soft*: it is given back wherever that is possible.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path

from analysis.errors import InputError, Problem
from analysis.release.register import SAID

HARD_PLACES = ("chart", "tile")
# How far a fraction in words may lie from the share it speaks of: "two thirds", "about half".
NAMED_FRACTION = Fraction(2, 100)
ABOUT_FRACTION = Fraction(5, 100)


@dataclass(frozen=True)
class Figure:
    """One row of the register."""

    figure_id: str
    place: str
    variable: str
    population: str
    category: str
    base_kind: str
    base_n: int | None
    count: int | None
    percent: Decimal | None
    value: str
    unit: str

    @property
    def hard(self) -> bool:
        return self.place in HARD_PLACES


@dataclass(frozen=True)
class Claim:
    """One thing a figure says: low <= quantity < high.

    `kind`: `base` and `count` (numbers), `share` (count / base), `mean` (count / base too, where
    the count is a total), `rank` (place among the answers, ties sharing the best place).
    """

    kind: str
    low: Fraction
    high: Fraction

    def holds(self, count: float, base: float, rank: int = 0) -> bool:
        numbers = {"base": base, "count": count, "rank": rank}
        if self.kind in numbers:
            return self.low <= numbers[self.kind] < self.high
        return base > 0 and self.low <= Fraction(count) / Fraction(base) < self.high


def claims(figure: Figure) -> list[Claim]:
    """Everything a figure says. A rounded number stands for all that round to it, half up."""
    found = []
    if figure.base_n is not None and figure.unit != "rank":
        found.append(_whole("base", figure.base_n))
    if figure.count is not None:
        found.append(_whole("count", figure.count))
    if figure.percent is not None:
        low, high = _rounded(figure.percent)
        found.append(Claim("share", low / 100, high / 100))
    if figure.unit == "rank":
        found.append(_whole("rank", int(figure.value)))
    if figure.unit == "fraction":
        found.append(_fraction(figure.value))
    if figure.unit == "hours":
        found.append(Claim("mean", *_rounded(Decimal(figure.value))))
    return found


def _whole(kind: str, number: int) -> Claim:
    return Claim(kind, Fraction(number), Fraction(number) + Fraction(1, 2))


def _rounded(printed: Decimal) -> tuple[Fraction, Fraction]:
    exponent = printed.as_tuple().exponent
    half = Fraction(Decimal(1).scaleb(int(exponent))) / 2
    return Fraction(printed) - half, Fraction(printed) + half


def _fraction(text: str) -> Claim:
    sign, plain = (text[0], text[1:]) if text[0] in "~<>" else ("", text)
    named = Fraction(plain)
    if sign == ">":
        return Claim("share", named + Fraction(1, 10**6), Fraction(2))
    if sign == "<":
        return Claim("share", Fraction(0), named)
    margin = ABOUT_FRACTION if sign == "~" else NAMED_FRACTION
    return Claim("share", named - margin, named + margin)


def read_register(path: Path, shown: str) -> list[Figure]:
    """Every figure of published.csv. Raises InputError where a number cannot be read."""
    with path.open(encoding="utf-8-sig", newline="") as handle:
        reader = csv.DictReader(handle)
        rows = [(reader.line_num, row) for row in reader]
    figures, problems = [], []
    for line, row in rows:
        try:
            figures.append(_figure(row))
        except (ValueError, InvalidOperation, KeyError) as error:
            problems.append(
                Problem(
                    shown,
                    "figures of the register are numbers",
                    str(error),
                    "a number, or nothing",
                    "correct the figure",
                    line,
                )
            )
    if problems:
        raise InputError(problems)
    return figures


def _figure(row: dict[str, str]) -> Figure:
    figure = Figure(
        row["figure_id"],
        row["place"],
        row["variable"],
        row["population"],
        SAID.get((row["variable"], row["category"]), row["category"]),
        row["base_kind"],
        int(row["base_n"]) if row["base_n"] else None,
        int(row["count"]) if row["count"] else None,
        Decimal(row["percent"]) if row["percent"] else None,
        row["value"],
        row["unit"],
    )
    claims(figure)
    return figure
