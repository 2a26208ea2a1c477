"""An export as it came, before anything is known of its study: columns with what they may say.

The layouts of intake are asked what their tool writes by itself, which rows are headers, and how
a question and one of its answers make a header; nothing here reads a file in its own way.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pandas as pd

from analysis.intake.layouts import AGAIN, LAYOUTS, PLAIN
from analysis.intake.layouts.layout import Export, Layout
from analysis.intake.layouts.recognise import export_of
from analysis.intake.layouts.words import days, plain
from analysis.intake.readers import read_table
from analysis.intake.values import as_date, as_number
from analysis.start.words import has_word, is_one_of, words

MOST_HEADS = 3
# What parts groups from questions in the headers of a tool.
GROUP_MARKS = {"kobo": "/.", "odk": "-"}


@dataclass(frozen=True)
class Column:
    """One column of an export.

    header: as the reader gives it; readings: what it may be read as, without the number of a
    repeated one; wording: the question as people read it; cells: its texts by row of the file,
    without the empty ones, under the labels that the file gives its codes; listed: all of these
    labels, in order.
    """

    header: str
    readings: tuple[str, ...]
    wording: str
    cells: pd.Series
    listed: tuple[str, ...] = ()

    @cached_property
    def counts(self) -> Counter[str]:
        """Rows by text, the most frequent first."""
        return Counter(dict(Counter(self.cells).most_common()))

    @cached_property
    def filled(self) -> frozenset[int]:
        return frozenset(self.cells.index)

    def share(self, truth: pd.Series) -> float:
        return float(truth.mean()) if len(truth) else 0.0

    @cached_property
    def numbers(self) -> pd.Series:
        return as_number(self.cells)

    @cached_property
    def dates(self) -> pd.Series:
        """Days, missing where a cell is none."""
        written = days(list(self.counts))
        return as_date(self.cells.map(lambda text: written.get(text, text)).astype("string"))

    @property
    def is_date(self) -> bool:
        return self.share(self.dates.notna()) >= 0.95

    @property
    def is_number(self) -> bool:
        return self.share(self.numbers.notna()) == 1


@dataclass(frozen=True)
class Delivery:
    """An export: its columns in order, and the tool it comes from (none: the plain layout)."""

    path: Path
    layout: Layout | None
    columns: list[Column] = field(default_factory=list)
    rows: int = 0

    @property
    def name(self) -> str:
        return self.layout.name if self.layout else PLAIN

    def own(self, *names: str) -> Column | None:
        """The column that the tool adds under the first of these names that is there."""
        for name in names:
            for column in self.columns:
                if plain(name) in map(plain, column.readings):
                    return column
        return None


def read_delivery(path: Path, shown: str) -> Delivery:
    """Read an export of any supported layout. Raises InputError as the readers do."""
    received = read_table(path, shown, lambda _header: True)
    frame = received[received.notna().any(axis=1)]
    export = export_of(path, frame)
    layout = next((each for each in LAYOUTS.values() if each.signs(export)), None)
    if layout is None:
        return Delivery(path, None, _columns(frame, {}, {}), len(frame))
    extra = layout.heads(export, _is_header(export, frame, layout))
    told = layout.readings(Export(path, export.headers, export.rows[:extra]))
    labels = layout.labels(path)
    body = layout.reshape(frame.iloc[extra:], path)
    return Delivery(path, layout, _columns(body, told, labels, layout), len(body))


def _columns(
    frame: pd.DataFrame,
    told: dict[str, list[str]],
    labels: dict[str, dict[str, str]],
    layout: Layout | None = None,
) -> list[Column]:
    headers = [str(name) for name in frame]
    readings = {
        name: tuple(dict.fromkeys(AGAIN.sub("", text) for text in told.get(name, [name]) if text))
        for name in headers
    }
    said = _wordings(readings, layout.name if layout else PLAIN)
    return [
        Column(
            name,
            readings[name],
            said[name],
            _labelled(frame[name].dropna(), labels.get(name, {})),
            tuple(labels.get(name, {}).values()),
        )
        for name in headers
    ]


def _wordings(readings: dict[str, tuple[str, ...]], layout: str) -> dict[str, str]:
    """The question that each header asks, as people read it."""
    first = {header: said[0] for header, said in readings.items()}
    if layout in GROUP_MARKS:
        return {header: _ungrouped(text, first, GROUP_MARKS[layout])
                for header, text in first.items()}  # fmt: skip
    if layout in ("limesurvey", "qualtrics"):
        return {header: said[-1] for header, said in readings.items()}
    if layout == "microsoft_forms":
        # The second of two questions with one wording carries a 2 after it.
        return {header: said[-1] if said[-1] in readings else said[0]
                for header, said in readings.items()}  # fmt: skip
    return {header: max(said, key=len) for header, said in readings.items()}


def _ungrouped(text: str, headers: dict[str, str], marks: str) -> str:
    """A header without the groups before it, in a file where any header has some."""
    for mark in marks:
        heads = Counter(other.rpartition(mark)[0] for other in headers.values() if mark in other)
        tail = text.rpartition(mark)[2].strip()
        if max(heads.values(), default=0) > 1 and tail:
            return tail
    return text


def _labelled(cells: pd.Series, labels: dict[str, str]) -> pd.Series:
    texts = cells.astype(object)
    return texts.map(lambda text: labels.get(text, text)) if labels else texts


def _is_header(export: Export, frame: pd.DataFrame, layout: Layout) -> Callable[[str], bool]:
    """What layouts ask of a cell below the header: whether it is one too.

    Without a questionnaire, a row is a header where it repeats the tool's own columns, or where
    it stands above numbers and days without being either.
    """
    heads: set[str] = set()
    for at, row in enumerate(export.rows[:MOST_HEADS]):
        own = sum(layout.own.has(cell) for cell in row if cell)
        if own < 2 and sum(_stands_out(frame, at, place) for place in range(len(row))) < 2:
            break
        heads |= {cell for cell in row if cell}
    return heads.__contains__


def _stands_out(frame: pd.DataFrame, at: int, place: int) -> bool:
    """Whether a cell is a word where all below it are numbers, or all are days."""
    cells = frame.iloc[at:, place].astype("string")
    below = cells.iloc[1:].dropna()
    if pd.isna(cells.iloc[0]) or len(below) < 2:
        return False
    return any(bool(read(below).notna().all() and read(cells.iloc[:1]).isna().all())
               for read in (as_number, as_date))  # fmt: skip


# --- What is no question


def is_private(column: Column) -> bool:
    """Whether a column names or reaches a person: by its header, or by what it holds."""
    lists = words()["columns"]["private"]
    if any(is_one_of(text, lists["whole"]) for text in column.readings):
        return True
    mails = column.cells.astype("string").str.fullmatch(r"\S+@\S+\.\S+")
    phones = column.cells.astype("string").str.fullmatch(r"(?:\+33|0)\s?[1-9](?:[\s.-]?\d{2}){4}")
    if column.share(mails) > 0.5 or column.share(phones) > 0.5:
        return True
    free = len(column.counts) > 0.6 * len(column.cells)
    return free and any(has_word(text, lists["part"]) for text in column.readings)


def is_consent(column: Column) -> bool:
    """Whether a column holds a consent: asked as one, and (nearly) everyone says the same."""
    asked = any(has_word(text, words()["columns"]["consent"]["part"]) for text in column.readings)
    return asked and len(column.counts) <= 2


def is_free(column: Column) -> bool:
    """Whether a header asks for words of one's own: « Autre, précisez », a comment."""
    return any(has_word(text, words()["columns"]["free"]["part"]) for text in column.readings)


def named_as(column: Column, kind: str) -> bool:
    """Whether a header is, as a whole, one of the words for an identifier, a date…"""
    return any(is_one_of(text, words()["columns"][kind]["whole"]) for text in column.readings)


# --- Headers of two parts

SURE_FORMS = ("{q} [{a}]", "{q}[{a}]", "{q}/{a}")
SPACED_FORMS = ("{q} - {a}", "{q} : {a}", "{q}: {a}", "{q} > {a}")
WEAK_FORMS = (*SPACED_FORMS, "{q}.{a}", "{q}${a}", "{q}_{a}")


@dataclass(frozen=True)
class Part:
    """A header read as a question and one of its answers (or a battery and one of its items).

    last: whether it is parted at the last place it could be.
    """

    form: str
    question: str
    answer: str
    last: bool = True

    @property
    def key(self) -> tuple[str, str]:
        return self.form, self.question


def parts(readings: Iterable[str], layout: Layout | None) -> list[Part]:
    """What a header may be made of, the surest form first."""
    forms = dict.fromkeys([*SURE_FORMS, *(layout.forms if layout else ()), *WEAK_FORMS])
    return [part for form in forms for text in readings for part in _parted(form, text)]


def _parted(form: str, text: str) -> Iterator[Part]:
    mark = form[len("{q}") : form.index("{a}")]
    close = form[form.index("{a}") + len("{a}") :]
    if not text.endswith(close):
        return
    rest, at = text[: len(text) - len(close)], 0
    last = rest.rfind(mark)
    while (at := rest.find(mark, at)) >= 0:
        question, answer = rest[:at].strip(), rest[at + len(mark) :].strip()
        if (len(question) > 1 or answer.isdigit()) and answer and re.search(r"[^\W\d_]", question):
            yield Part(form, question, answer, at == last)
        at += len(mark)
