"""Headers of an export to the columns of the study: by name, then by wording, then by place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Set
from itertools import takewhile

from analysis.intake.fields import Field, fields
from analysis.intake.layouts.layout import Layout, Readings
from analysis.intake.layouts.words import plain
from analysis.study import Study

# Columns that a spelling of a header may stand for, in the order of the questionnaire.
Spelled = dict[str, list[str]]
NAME, WORDING, PLACE = range(3)


def shared_wordings(study: Study, source: str) -> frozenset[str]:
    """Wordings that more than one question of a source has, as plain()."""
    said = Counter(
        wording
        for field in fields(study, source).values()
        for wording in {plain(label) for label in field.labels.values()}
    )
    return frozenset(wording for wording, times in said.items() if times > 1)


def spellings(study: Study, known: Mapping[str, Field], layout: Layout) -> list[Spelled]:
    """What a header may be for each column of the study: by names, by wordings, by places."""
    tiers: list[Spelled] = [{}, {}, {}]
    for field in known.values():
        own = [*_tiered(_names(field.name), NAME), *_tiered(field.labels.values(), WORDING)]
        found = [(text, tier, field.name) for text, tier in own]
        if field.type == "several":
            found += _paired(layout.forms, own, _answers(field, layout.name))
        for text, tier, column in found:
            columns = tiers[tier].setdefault(plain(text), [])
            if column not in columns:
                columns.append(column)
    for text, tier, column in _batteries(study, known, layout):
        columns = tiers[tier].setdefault(plain(text), [])
        if column not in columns:
            columns.append(column)
    return tiers


Part = tuple[str, int]
Piece = tuple[str, int, str]


def _names(name: str) -> list[str]:
    """A name, and as tools write it that take letters and figures only."""
    return list(dict.fromkeys([name, name.replace("_", "")]))


def _tiered(texts: Iterable[str], tier: int) -> list[Part]:
    return [(text, tier) for text in texts if text]


def _places(at: int) -> list[Part]:
    return [(str(at), PLACE), (f"SQ{at:03}", PLACE)]


def _answers(field: Field, layout: str) -> list[Piece]:
    """What stands for each box of a several-answer field."""
    extra = (
        {c.name: c.extra.get(layout, "") for c in field.question.choices} if field.question else {}
    )
    return [
        (text, tier, tick)
        for at, (code, tick) in enumerate(zip(field.answers, field.ticks, strict=True), start=1)
        for text, tier in [
            *_tiered([*_names(code), extra.get(code, "")], NAME),
            *_tiered(field.answer_labels[code].values(), WORDING),
            *_places(at),
        ]
    ]


def _batteries(study: Study, known: Mapping[str, Field], layout: Layout) -> Iterator[Piece]:
    """Single-answer questions of one group, as the rows of a grid under the group's title."""
    form = study.questionnaire
    for name, group in form.groups.items() if form else ():
        members = [f for f in known.values() if f.question and name in f.question.groups]
        items = [field for field in members if field.type == "category"]
        if len(items) < 2:
            continue
        cut = len(_prefix([field.name for field in items]))
        pieces = [
            (text, tier, field.name)
            for at, field in enumerate(items, start=1)
            for text, tier in [
                *_tiered([*_names(field.name), *_names(field.name[cut:])], NAME),
                *_tiered(field.labels.values(), WORDING),
                *_places(at),
            ]
        ]
        own = [*_tiered(_names(name), NAME), *_tiered(group.labels.values(), WORDING)]
        yield from _paired(layout.forms, own, pieces)


def _prefix(names: list[str]) -> str:
    """What all names begin with, up to an underscore."""
    first, last = min(names), max(names)
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    same = "".join(letter for letter, _ in pairs)
    return same[: same.rfind("_") + 1]


def _paired(forms: Iterable[str], own: list[Part], pieces: list[Piece]) -> list[Piece]:
    """Headers of two parts: names with names, wordings with wordings, places with names.

    No tool mixes them, and one answer's code may be another one's wording.
    """
    return [
        (form.format(q=text, a=piece), other, column)
        for form in forms
        for text, tier in own
        for piece, other, column in pieces
        if tier == (NAME if other == PLACE else other)
    ]


def matched(
    headers: Iterable[str], readings: Readings, tiers: list[Spelled], given: Set[str]
) -> dict[str, str]:
    """Column of the study by header. A column is given once, and names go before wordings.

    given: columns that have their header already.
    """
    found: dict[str, str] = {}
    taken = set(given)
    for spelled in tiers:
        for header in headers:
            if header in found:
                continue
            said = (plain(reading) for reading in readings.get(header, [header]))
            columns = (c for text in said for c in spelled.get(text, []) if c not in taken)
            column = next(columns, None)
            if column:
                found[header] = column
                taken.add(column)
    return found


def by_place(found: Mapping[str, str], readings: Readings, tiers: list[Spelled]) -> list[str]:
    """Headers that nothing but the place of an answer ties to their column."""
    return [
        header
        for header, column in found.items()
        if not any(
            column in tier.get(plain(reading), [])
            for tier in tiers[:PLACE]
            for reading in readings.get(header, [header])
        )
    ]
