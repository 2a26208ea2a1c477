"""Exports of survey tools as they come, put under the names and the codes of the study.

One module a tool says how its export is recognised and read. What they share: `recognise`, then
`columns` and `names` (headers), then `words` (answers). recodes.csv goes before all of it, and is
needed only for what differs. A file under the names of the study, with its codes, is the plain
layout and is not touched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from analysis.intake.fields import Field, fields
from analysis.intake.layouts.columns import Named, made_columns, name_columns
from analysis.intake.layouts.layout import Export, Layout, Readings
from analysis.intake.layouts.names import shared_wordings, spellings
from analysis.intake.layouts.recognise import LAYOUTS, PLAIN, export_of, layout_of
from analysis.intake.layouts.words import TICKS, answer_words, plain, say_codes
from analysis.intake.values import BOOLEANS, coded, reworded
from analysis.study import Study

__all__ = ["LAYOUTS", "PLAIN", "Arranged", "arrange", "may_repeat"]
# How a reader tells apart two columns with one wording.
AGAIN = re.compile(r" \(\d+\)$")


@dataclass(frozen=True)
class Arranged:
    """A file of some layout, ready for recodes.csv.

    frame: rows of answers, columns under the names of the study where they are recognised, else
    under their header, with the texts of the file.
    codes: the same texts as codes of the questionnaire, by column of the study.
    headers: the header in the file of each column that has another name.
    aside: headers of the tool's own columns, and of those that say a thing twice.
    placed: headers read by the place of an answer in its list; extra: rows of headers left out.
    """

    layout: str
    frame: pd.DataFrame
    codes: dict[str, pd.Series] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    aside: tuple[str, ...] = ()
    placed: tuple[str, ...] = ()
    extra: int = 0


def may_repeat(study: Study, source: str) -> Callable[[str], bool]:
    """Whether two columns may have one header: because two questions have one wording, or because
    recodes.csv speaks of the second one by its number."""
    shared = shared_wordings(study, source)
    told = {AGAIN.sub("", i.found) for i in study.recodes if AGAIN.search(i.found)}
    return lambda header: header in told or any(wording in plain(header) for wording in shared)


def arrange(frame: pd.DataFrame, study: Study, source: str, path: Path, file: str) -> Arranged:
    """A frame of text as delivered, put under the names of the study by its layout.

    Raises InputError where the file is not of the layout that study.yml names.
    """
    export = export_of(path, frame)
    layout = layout_of(study, source, export, file)
    if layout is None:
        return Arranged(PLAIN, frame)
    known = fields(study, source)
    extra = _extra_rows(export, layout, study, known)
    body = layout.reshape(frame.iloc[extra:], path)
    readings = _readings(export, layout, [str(name) for name in body], extra)
    named = name_columns([str(name) for name in body], readings, layout, study, source)
    made = made_columns(body, named, readings, layout, known)
    aside = [header for header in named.aside if header not in {h for h, _ in made.values()}]
    texts = _labelled(body, named, known, layout, path)
    texts = texts.drop(columns=list(named.aside)).rename(columns=named.columns)
    texts = texts.assign(**{name: values for name, (_, values) in made.items()})
    codes, placed = _codes(texts, named, known, study, source, layout)
    headers = {column: header for header, column in named.columns.items()}
    headers |= {name: header or name for name, (header, _) in made.items()}
    placed = list(dict.fromkeys([*named.placed, *(headers.get(name, name) for name in placed)]))
    return Arranged(layout.name, texts, codes, headers, tuple(aside), tuple(placed), extra)


def _extra_rows(export: Export, layout: Layout, study: Study, known: Mapping[str, Field]) -> int:
    """Rows below the header that are headers too."""
    said = {text for tier in spellings(study, known, layout) for text in tier}
    return layout.heads(export, lambda text: plain(text) in said or layout.own.has(text))


def _readings(export: Export, layout: Layout, headers: list[str], extra: int) -> Readings:
    """What each header may be read as, and the same without the number of a repeated one."""
    start = Export(export.path, export.headers, export.rows[:extra])
    told = layout.readings(start)
    found = {}
    for header in headers:
        said = [text for text in told.get(header, [header]) if text]
        found[header] = list(dict.fromkeys([*said, *(AGAIN.sub("", text) for text in said)]))
    return found


def _labelled(
    body: pd.DataFrame, named: Named, known: Mapping[str, Field], layout: Layout, path: Path
) -> pd.DataFrame:
    """Cells by their labels where the file has some; codes of the questionnaire stay where the
    label is not one of its answers."""
    columns = {**named.columns, **named.aimed}
    changed = {}
    for header, labels in layout.labels(path).items():
        column = columns.get(header, "")
        item = known.get(column) or known.get(column.partition("/")[0])
        if header not in body or item is None:
            continue
        words = {*answer_words(item, layout.name), *BOOLEANS, *TICKS}
        told = {
            code: label
            for code, label in labels.items()
            if plain(label) in words or (column in known and code not in item.answers)
        }
        texts = coded(body[header])
        said = {text: told.get(text, text) for text in texts.cat.categories}
        changed[header] = reworded(texts, said.get)
    return body.assign(**changed)


def _codes(
    texts: pd.DataFrame,
    named: Named,
    known: Mapping[str, Field],
    study: Study,
    source: str,
    layout: Layout,
) -> tuple[dict[str, pd.Series], list[str]]:
    """Answers as codes by column of the study, and the columns read by place."""
    values = [i for i in study.recodes if i.source == source and i.kind == "value"]
    codes, placed = {}, []
    for name in map(str, texts):
        column = named.aimed.get(name, name)
        question, _, answer = column.partition("/")
        item = known.get(column) or known.get(question)
        if item is None:
            continue
        answer = "" if column in known else answer
        kept = {i.found for i in values if i.column in (column, item.name)}
        codes[column], by_place = say_codes(texts[name], item, answer, kept, layout)
        placed += [column] * by_place
    return codes, placed
