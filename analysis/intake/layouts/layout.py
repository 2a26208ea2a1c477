"""What a layout is: how the export of one survey tool is told apart, and how it is read."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

# What stands for a header, beside the header itself, nearest to the questionnaire first.
Readings = dict[str, list[str]]


@dataclass(frozen=True)
class Export:
    """The start of a file as delivered: all that recognition looks at.

    headers: of the columns; rows: the first rows below, "" where a cell is empty.
    """

    path: Path
    headers: list[str]
    rows: list[list[str]]


@dataclass(frozen=True)
class Own:
    """Columns that a tool adds by itself, by what they say of a response (first one there wins).

    `finished` says yes or no, `filled` says yes where it is filled; `sent`: the tool exports
    forms that were sent and no other; `numbered`: it gives no identifier, so the row is one.
    others: the rest, as a pattern over a whole header.
    """

    id: tuple[str, ...] = ()
    date: tuple[str, ...] = ()
    finished: tuple[str, ...] = ()
    filled: tuple[str, ...] = ()
    sent: bool = False
    numbered: bool = False
    others: str = ""

    def has(self, header: str) -> bool:
        """Whether a column is one of these, whatever its case."""
        named = (*self.id, *self.date, *self.finished, *self.filled)
        low = header.casefold()
        return low in {name.casefold() for name in named} or bool(
            self.others and re.fullmatch(self.others, header, re.IGNORECASE)
        )


def as_it_is(export: Export) -> Readings:
    """Headers that are read as they stand."""
    return {header: [header] for header in export.headers}


@dataclass(frozen=True)
class Layout:
    """The export of one survey tool.

    name: as in study.yml; tool: as people know it; signs: what in a file shows the layout, in the
    file's own words, nothing where it does not; expected: what a file of it shows.
    forms: how a question and one of its answers (or a battery and one of its items) make a header.
    heads: rows below the header that are no answers, given whether a text is a header of the study;
    readings: what each header may be read as (the rows of the export are those headers then).
    marks: what stands between the answers of one cell; blanks: words for no answer.
    position: a code that says nothing but the place of an answer in its list, as the group.
    companion: header of the free text beside an answer, with its question as the group.
    free_other: whether the box `other` holds its free text.
    labels: labels of cells that a file has beside its codes, by header.
    reshape: columns to put in order before they are named.
    """

    name: str
    tool: str
    expected: str
    signs: Callable[[Export], list[str]]
    forms: tuple[str, ...] = ("{q}/{a}",)
    own: Own = field(default_factory=Own)
    readings: Callable[[Export], Readings] = as_it_is
    heads: Callable[[Export, Callable[[str], bool]], int] = lambda _export, _is_header: 0
    marks: str = ";"
    blanks: tuple[str, ...] = ()
    position: str = ""
    companion: str = ""
    free_other: bool = False
    labels: Callable[[Path], dict[str, dict[str, str]]] = lambda _path: {}
    reshape: Callable[[pd.DataFrame, Path], pd.DataFrame] = lambda frame, _path: frame


def there(names: tuple[str, ...], headers: list[str], least: int = 1) -> list[str]:
    """Which of the names are headers, if at least so many are."""
    low = {header.casefold(): header for header in headers}
    found = [low[name.casefold()] for name in names if name.casefold() in low]
    return found if len(found) >= least else []


def pieces(header: str, mark: str) -> list[str]:
    """A header, then without its first group, without its two first ones, and so on."""
    parts = header.split(mark)
    return [mark.join(parts[at:]).strip() for at in range(len(parts))]
