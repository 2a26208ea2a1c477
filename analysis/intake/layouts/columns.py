"""Every column of an export: one of the study, the tool's own, said twice, or unknown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from analysis.intake.fields import Field, fields
from analysis.intake.layouts.layout import Layout, Readings
from analysis.intake.layouts.names import Spelled, by_place, matched, spellings
from analysis.intake.layouts.words import plain
from analysis.intake.values import TEXT
from analysis.study import Study

COMPLETE = "complete"


@dataclass(frozen=True)
class Named:
    """What the columns of an export are.

    columns: column of the study by header; aimed: the same by recodes.csv, which renames them
    itself; aside: headers set aside; placed: headers read by the place of an answer.
    """

    columns: dict[str, str]
    aimed: dict[str, str]
    aside: tuple[str, ...]
    placed: tuple[str, ...]


def name_columns(
    headers: list[str], readings: Readings, layout: Layout, study: Study, source: str
) -> Named:
    """Columns of the study, by what recodes.csv says, then by the layout."""
    known = fields(study, source)
    recodes = [i for i in study.recodes if i.source == source and i.kind != "value"]
    aimed = {item.found: item.becomes for item in recodes if item.kind == "header"}
    free = [header for header in headers if header not in {item.found for item in recodes}]
    tiers = spellings(study, known, layout)
    # A tool's Status is not the study's status.
    asked = [header for header in free if header in known or not layout.own.has(header)]
    found = matched(asked, readings, tiers, set(aimed.values()))
    placed = by_place(found, readings, tiers)
    found |= _own(layout, known, free, readings, found, set(aimed.values()))
    twice = _said_twice(known, found)
    rest = [header for header in free if header not in found]
    aside = [header for header in rest if _is_aside(readings[header], layout, known, found, tiers)]
    columns = {header: column for header, column in found.items() if header not in twice}
    return Named(columns, aimed, (*aside, *twice), tuple(placed))


def _own(
    layout: Layout,
    known: Mapping[str, Field],
    free: list[str],
    readings: Readings,
    found: Mapping[str, str],
    aimed: set[str],
) -> dict[str, str]:
    """The tool's own columns for the identifier, the day and the end that the study declares."""
    given = {*found.values(), *aimed}
    lacking = [f for f in known.values() if f.question is None and f.name not in given]
    roles = {
        "id": (layout.own.id, [f for f in lacking if f.type == "id"]),
        "date": (layout.own.date, [f for f in lacking if f.type == "date"]),
        "boolean": (layout.own.finished, [f for f in lacking if f.name == COMPLETE]),
    }
    rest = [header for header in free if header not in found]
    columns = {}
    for names, wanted in roles.values():
        header = first_of(names, rest, readings)
        # With two dates to give, which one is which would be a guess.
        if header and len(wanted) == 1:
            columns[header] = wanted[0].name
    return columns


def first_of(names: Iterable[str], headers: Iterable[str], readings: Readings) -> str | None:
    """The header that may be read as the first of the names that is there."""
    said = {plain(text): header for header in headers for text in readings.get(header, [header])}
    return next((said[plain(name)] for name in names if plain(name) in said), None)


def _said_twice(known: Mapping[str, Field], found: Mapping[str, str]) -> list[str]:
    """Headers of answers in one cell where the same answers have their boxes too."""
    given = set(found.values())
    both = {
        field.name
        for field in known.values()
        if field.type == "several" and given.issuperset(field.ticks)
    }
    return [header for header, column in found.items() if column in both]


def _is_aside(
    said: list[str],
    layout: Layout,
    known: Mapping[str, Field],
    found: Mapping[str, str],
    tiers: list[Spelled],
) -> bool:
    """A column of the tool itself, or the free text beside an answer that is given elsewhere.

    Where boxes hold free text, the text of a box that no answer stands for is an answer to lose.
    """
    if any(layout.own.has(text) for text in said):
        return True
    for text in said:
        match = re.fullmatch(layout.companion, text) if layout.companion else None
        if not match:
            continue
        columns = [column for tier in tiers for column in tier.get(plain(match[1]), [])]
        columns += [column for header, column in found.items() if header == match[1]]
        kinds = {known[column].type for column in columns if column in known}
        if kinds and not (layout.free_other and "several" in kinds):
            return True
    return False


def made_columns(
    body: pd.DataFrame, named: Named, readings: Readings, layout: Layout, known: Mapping[str, Field]
) -> dict[str, tuple[str, pd.Series]]:
    """What a tool says of each response without a column of its own: (header, values) by column."""
    given = {*named.columns.values(), *named.aimed.values()}
    lacking = [f for f in known.values() if f.question is None and f.name not in given]
    made = {}
    filled = first_of(layout.own.filled, map(str, body), readings)
    for item in lacking:
        if item.type == "id" and layout.own.numbered:
            made[item.name] = ("", pd.Series(body.index.astype("string"), index=body.index))
        elif item.name == COMPLETE and filled:
            made[item.name] = (filled, body[filled].notna().map({True: "1", False: "0"}))
        elif item.name == COMPLETE and layout.own.sent:
            made[item.name] = ("", pd.Series("1", index=body.index))
    return {name: (header, values.astype(TEXT)) for name, (header, values) in made.items()}
