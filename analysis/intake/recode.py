"""Headers and values as delivered to the names of the study, by recodes.csv.

Every recode must serve and every column must be known: what matches nothing is an error, because
a recode that stopped matching is how an answer gets lost.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from analysis.errors import Problem
from analysis.intake.fields import Field, fields
from analysis.intake.layouts import PLAIN, Arranged
from analysis.intake.texts import Failure, near, problem
from analysis.intake.values import BOOLEANS, TEXT, coded, reworded, split_codes
from analysis.study import Recode, Study

MARKS = (";", "|", ",", " ")
# Types whose texts are not expected to come again.
APART = ("id", "text")


@dataclass(frozen=True)
class Delivered:
    """A source under the names of the study, still text.

    frame: one column a known header, values recoded, lists of codes joined by ";"; categoricals
    of text but for identifiers and open answers.
    raw: the same cells before values were recoded, to show what was found.
    headers: the header in the file of each column of `frame`.
    received: columns in the file, including those set aside.
    layout: how the file was read.
    """

    source: str
    file: str
    frame: pd.DataFrame
    raw: pd.DataFrame
    headers: dict[str, str]
    received: int
    problems: tuple[Problem, ...]
    layout: str = PLAIN


def recode(
    frame: pd.DataFrame, study: Study, source: str, file: str, arranged: Arranged | None = None
) -> Delivered:
    """Apply recodes.csv to a frame of text as delivered, arranged by its layout or plain.

    Returns the source under the study's names, with the problems found: recodes that match
    nothing, aim at nothing or contradict each other; columns unknown, missing, or there twice.
    """
    known = fields(study, source)
    recodes = [item for item in study.recodes if item.source == source]
    told = _Told(file, study.paths.shown(study.paths.definition / "recodes.csv"))
    arranged = arranged or Arranged(PLAIN, frame)
    named, headers, problems = _headers(arranged.frame, recodes, known, told)
    headers = {name: arranged.headers.get(header, header) for name, header in headers.items()}
    problems += _columns(named, recodes, known, headers, told)
    names = set(_all_headers(known))
    raw = named[[column for column in named if column in names]]
    codes = {name: column for name, column in arranged.codes.items() if name in raw}
    recoded, more = _values(raw.assign(**codes) if codes else raw, recodes, known, told)
    received = frame.shape[1]
    found = (*problems, *more)
    return Delivered(source, file, recoded, raw, headers, received, found, arranged.layout)


def stray_recodes(study: Study) -> list[Failure]:
    """Recodes of a source that the study does not have."""
    known = list(study.definition.sources.present())
    file = study.paths.shown(study.paths.definition / "recodes.csv")
    return [
        problem(
            "recode_source",
            file,
            item.row,
            "source",
            value=item.source,
            known=", ".join(known),
            near=near(item.source, known),
        )
        for item in study.recodes
        if item.source not in known
    ]


@dataclass(frozen=True)
class _Told:
    """Names of the two files as people are told them."""

    file: str
    recodes: str

    def unused(self, item: Recode, candidates: Iterable[str]) -> Failure:
        return problem(
            "recode_unused",
            self.recodes,
            item.row,
            "found",
            value=item.found,
            place=self.file,
            near=near(item.found, list(candidates)),
        )

    def column(self, item: Recode, name: str, cell: str, known: dict[str, Field]) -> Failure:
        suggestion = near(name, _all_headers(known))
        return problem("recode_column", self.recodes, item.row, cell, value=name, near=suggestion)


def _all_headers(known: dict[str, Field]) -> list[str]:
    return [header for field in known.values() for header in field.headers]


# --- Headers


def _headers(
    frame: pd.DataFrame, recodes: list[Recode], known: dict[str, Field], told: _Told
) -> tuple[pd.DataFrame, dict[str, str], list[Problem]]:
    """The frame under its new names, without the columns set aside; delivered header by name."""
    renaming = [item for item in recodes if item.kind == "header"]
    dropping = [item for item in recodes if item.kind == "drop"]
    names = set(_all_headers(known))
    problems: list[Problem] = [*_twice([*renaming, *dropping], told)]
    problems += [
        told.column(item, item.becomes, "becomes", known)
        for item in renaming
        if item.becomes not in names
    ]
    renames = {item.found: item.becomes for item in renaming if item.becomes in names}
    dropped = [item.found for item in dropping if item.found in frame]
    named = frame.drop(columns=dropped).rename(columns=renames)
    delivered = {new: old for old, new in renames.items() if old in frame}
    headers = {str(name): delivered.get(str(name), str(name)) for name in named}
    problems += _given_twice(named, renames, told)
    named = named.loc[:, ~named.columns.duplicated()]
    problems += _unused_headers([*renaming, *dropping], frame, named, known, told)
    return named, headers, problems


def _unused_headers(
    items: list[Recode],
    frame: pd.DataFrame,
    named: pd.DataFrame,
    known: dict[str, Field],
    told: _Told,
) -> list[Failure]:
    """Headers that recodes.csv names and the file does not have.

    Where the column it should give is missing too, that problem says it better.
    """
    missing = {name for field in known.values() for name in _missing(field, named)}
    missing |= {tick for name in missing & set(known) for tick in known[name].ticks}
    return [
        told.unused(item, [str(name) for name in frame])
        for item in items
        if item.found not in frame and (item.kind == "drop" or item.becomes not in missing)
    ]


def _given_twice(named: pd.DataFrame, renames: dict[str, str], told: _Told) -> list[Failure]:
    """Two columns of the file that end under one name."""
    repeated = named.columns[named.columns.duplicated()].unique()
    return [
        problem(
            "header_twice",
            told.file,
            1,
            name,
            value=name,
            known=", ".join([old for old, new in renames.items() if new == name]),
        )
        for name in repeated
    ]


def _twice(items: list[Recode], told: _Told) -> list[Failure]:
    """Recodes of one text to more than one thing: which would hold is a guess."""
    first: dict[tuple[str, str], Recode] = {}
    problems = []
    for item in items:
        before = first.setdefault((item.column, item.found), item)
        if before is not item:
            problems.append(
                problem(
                    "recode_twice",
                    told.recodes,
                    item.row,
                    "found",
                    value=item.found,
                    known=str(before.row),
                )
            )
    return problems


def _columns(
    named: pd.DataFrame,
    recodes: list[Recode],
    known: dict[str, Field],
    headers: dict[str, str],
    told: _Told,
) -> list[Problem]:
    """Columns of the file that nobody knows, and columns expected that are not there."""
    wanted = {item.becomes: item.found for item in recodes if item.kind == "header"}
    missing = {
        name: wanted.get(name, "") for field in known.values() for name in _missing(field, named)
    }
    names = set(_all_headers(known))
    expected = [*names, *(found for found in missing.values() if found)]
    problems: list[Problem] = [
        problem(
            "column_unknown",
            told.file,
            1,
            headers[name],
            value=headers[name],
            near=near(headers[name], expected),
        )
        for name in map(str, named)
        if name not in names
    ]
    problems += [
        problem(
            "column_missing",
            told.file,
            1,
            found or name,
            value=found or name,
            detail=f" ({name})" if found else "",
        )
        for name, found in missing.items()
    ]
    return problems + [
        problem("column_both", told.file, 1, field.name, value=field.name)
        for field in known.values()
        if field.name in named and any(tick in named for tick in field.ticks)
    ]


def _missing(field: Field, named: pd.DataFrame) -> list[str]:
    if field.name in named:
        return []
    absent = [tick for tick in field.ticks if tick not in named]
    return [field.name] if len(absent) == len(field.ticks) else absent


# --- Values


def _values(
    frame: pd.DataFrame, recodes: list[Recode], known: dict[str, Field], told: _Told
) -> tuple[pd.DataFrame, list[Problem]]:
    """Values recoded all at once (never one after another), lists of codes joined by ";"."""
    items = [item for item in recodes if item.kind == "value"]
    problems: list[Problem] = [*_twice(items, told)]
    by_column: dict[str, list[Recode]] = {}
    for item in items:
        by_column.setdefault(item.column, []).append(item)
    recoded = _coded(frame, known)
    for field in known.values():
        if field.type == "several" and field.name in recoded:
            mine = by_column.get(field.name, [])
            words = {*field.answers, *(item.found for item in mine)}
            recoded[field.name] = _joined(recoded[field.name], words)
    for column, mine in by_column.items():
        aimed = known.get(column) or known.get(column.rpartition("/")[0])
        names = [str(name) for name in recoded]
        targets = [name for name in names if name == column or name.startswith(f"{column}/")]
        if aimed is None:
            problems += [told.column(item, column, "column", known) for item in mine]
        elif targets:
            problems += _recode_column(recoded, targets, mine, aimed, told)
        elif aimed.name in recoded or any(tick in recoded for tick in aimed.ticks):
            problems += [told.unused(item, []) for item in mine]
        # Else the column is missing, which is a problem of its own.
    return recoded, problems


def _coded(frame: pd.DataFrame, known: dict[str, Field]) -> pd.DataFrame:
    """The frame with a categorical for each column whose texts are expected to come again."""
    plain = {field.name for field in known.values() if field.type in APART}
    return pd.DataFrame(
        {name: frame[name] if name in plain else coded(frame[name]) for name in map(str, frame)},
        index=frame.index,
    )


def _recode_column(
    frame: pd.DataFrame, targets: list[str], items: list[Recode], field: Field, told: _Told
) -> list[Problem]:
    """Recode the columns of one field in place, and say which recodes were of no use."""
    mapping = {item.found: item.becomes for item in items}
    listed = field.type == "several" and targets == [field.name]
    seen: set[str] = set()
    for name in targets:
        column = coded(frame[name])
        values = column.cat.categories
        seen |= {code for value in values for code in (split_codes(value) if listed else [value])}
        column = reworded(column, lambda value: _become(value, mapping, listed) or None)
        frame[name] = column.astype(TEXT) if field.type in APART else column
    problems: list[Problem] = [told.unused(i, sorted(seen)) for i in items if i.found not in seen]
    return problems + _wrong_answers(items, field, listed, told)


def _become(value: str, mapping: dict[str, str], listed: bool) -> str:
    if listed:
        return ";".join(mapping.get(code, code) for code in split_codes(value))
    return mapping.get(value, value)


def _wrong_answers(items: list[Recode], field: Field, listed: bool, told: _Told) -> list[Problem]:
    """Recodes that lead to an answer no one provides for; an empty one means no answer."""
    if field.type == "category" or listed:
        known: list[str] = list(field.answers)
    elif field.type in ("boolean", "several"):
        known = list(BOOLEANS)
    else:
        return []
    return [
        problem(
            "recode_answer",
            told.recodes,
            item.row,
            "becomes",
            value=item.becomes,
            known=", ".join(known),
            near=near(item.becomes, known),
        )
        for item in items
        if item.becomes and item.becomes not in known
    ]


def _joined(column: pd.Series, words: set[str]) -> pd.Series:
    """A delimited column with its codes joined by ";", whatever separates them in the file.

    The separator is the one that gives most codes of `words`, so that a label with a comma in it
    is not cut where semicolons separate.
    """
    cells = column.cat.categories

    def recognised(mark: str) -> int:
        return sum(code in words for cell in cells for code in split_codes(cell, mark))

    mark = max(MARKS, key=recognised)
    return reworded(column, lambda cell: ";".join(split_codes(cell, mark)))
