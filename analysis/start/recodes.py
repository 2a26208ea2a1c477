"""recodes.csv as `new` writes it: only what the layout of the file does not say by itself."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from analysis.intake.fields import SURVEY
from analysis.intake.layouts import arrange, may_repeat
from analysis.intake.layouts.words import TICKS, plain
from analysis.intake.readers import read_table
from analysis.intake.recode import recode
from analysis.intake.texts import Failure
from analysis.intake.values import BOOLEANS, as_date, split_codes
from analysis.pending import COLUMN as TO_DECIDE
from analysis.start.forms import Wanted
from analysis.start.items import Aside
from analysis.start.words import say
from analysis.study import RECODE_HEADER, Study


@dataclass(frozen=True)
class Line:
    """One line of recodes.csv for the survey."""

    kind: str
    column: str
    found: str
    becomes: str
    mark: str = ""

    @property
    def cells(self) -> list[str]:
        return [SURVEY, self.kind, self.column, self.found, self.becomes, self.mark]


def written(lines: Iterable[Line]) -> str:
    """recodes.csv; with a column of marks where there are some."""
    rows = [line.cells for line in lines]
    marked = any(row[-1] for row in rows)
    header = [*RECODE_HEADER, TO_DECIDE]
    handle = io.StringIO()
    writer = csv.writer(handle, lineterminator="\n")
    writer.writerows(row if marked else row[:-1] for row in [header, *rows])
    return handle.getvalue()


def asides(found: Iterable[Aside], lang: str) -> list[Line]:
    """Columns that are not read, with the reason."""
    return [Line("drop", "", each.header, say(f"reasons.{each.reason}", lang)) for each in found]


@dataclass(frozen=True)
class Read:
    """The export as the study reads it now: the file, arranged, recoded; header by column."""

    raw: pd.DataFrame
    frame: pd.DataFrame
    headers: dict[str, str]
    unknown: list[str]
    missing: list[str]


def read(study: Study) -> Read:
    """What intake makes of the export, problems or not. Raises InputError if it cannot be read."""
    source = study.definition.sources.present()[SURVEY]
    path = study.paths.raw / source.path
    file = study.paths.shown(path)
    received = read_table(path, file, may_repeat(study, SURVEY))
    filled = received[received.notna().any(axis=1)]
    arranged = arrange(filled, study, SURVEY, path, file)
    delivered = recode(filled, study, SURVEY, file, arranged)
    told = [item for item in delivered.problems if isinstance(item, Failure)]

    def named(key: str) -> list[str]:
        return [dict(item.values)["value"] for item in told if item.key == key]

    columns = {**delivered.headers, **dict(arranged.headers)}
    return Read(filled, delivered.frame, columns, named("column_unknown"), named("column_missing"))


def headers(now: Read, wanted: Iterable[Wanted], own: Mapping[str, str]) -> list[Line]:
    """Headers that the layout gives another column than they should have, or none."""
    found = [(w.header, w.column) for w in wanted]
    found += [(header, column) for column, header in own.items()]
    given = {now.headers.get(column, column if column in now.frame else None): column
             for column in map(str, now.frame)}  # fmt: skip
    return [
        Line("header", "", header, column)
        for header, column in found
        if given.get(header) != column and header != column
    ]


def values(now: Read, wanted: Iterable[Wanted], lang: str) -> list[Line]:
    """Texts of the file that are not read as the answers they mean."""
    lines: list[Line] = []
    for each in wanted:
        if each.column in now.frame:
            cells = now.raw[each.header] if each.header in now.raw else now.frame[each.column]
            lines += _values(each, cells, now.frame[each.column].astype("string"), lang)
    return lines


def _values(wanted: Wanted, cells: pd.Series, got: pd.Series, lang: str) -> list[Line]:
    if wanted.kind == "date":
        return _dates(wanted.column, cells.dropna(), got)
    if wanted.kind == "several":
        codes = set(wanted.codes.values())
        sound = all(set(split_codes(cell)) <= codes for cell in got.dropna())
        return [] if sound else _lines(wanted, wanted.codes, lang)
    if wanted.kind == "box":
        ticked = [text for text in got.dropna().unique() if text.casefold() not in BOOLEANS]
        return [Line("value", wanted.column, text, TICKS.get(plain(text), "1")) for text in ticked]
    codes = set(wanted.codes.values())
    unread = {text for text in got.dropna().unique() if text not in codes}
    return _lines(wanted, {t: code for t, code in wanted.codes.items() if t in unread}, lang)


def _lines(wanted: Wanted, codes: Mapping[str, str], lang: str) -> list[Line]:
    mark = say("to_decide.rare", lang)
    return [
        Line("value", wanted.column, text, code, mark if text in wanted.rare else "")
        for text, code in codes.items()
        if text != code
    ]


def _dates(column: str, cells: pd.Series, got: pd.Series) -> list[Line]:
    unread = got[got.notna() & as_date(got).isna()].unique()
    return [Line("value", column, text, "") for text in unread]
