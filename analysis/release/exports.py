"""Results as files: CSV, Parquet, one workbook, a codebook and a Frictionless data package."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pandas as pd
import xlsxwriter

from analysis.study import Study

DESCRIPTIONS = {
    "estimates": "One row an estimate, with its base, interval, verdict and evidence",
    "tests": "One row a test, with its effect size",
    "measures": "One row a measure that is no share: net agreement, rank, reliability, difference…",
    "precision": "Standard error, design effect and verdict of each estimate, row by row",
    "adjustments": "One row a test and a correction for the number of tests read together",
    "audit": "One row a published figure, beside its recomputation",
    "crosses": "Every closed question by every profile variable, one row an answer and a group",
    "facts": "Dates and rules of the study that are not shares",
    "codebook": "Variables, answers and labels",
}


def write_results(folder: Path, frames: dict[str, pd.DataFrame], study: Study) -> None:
    """Write every export of a set of results into an empty folder."""
    for name, frame in frames.items():
        frame.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
        frame.to_parquet(folder / f"{name}.parquet", index=False)
    _workbook(folder / "estimates.xlsx", frames, study)
    _data_package(folder, frames, study)


def codebook(study: Study) -> pd.DataFrame:
    """One row an answer (or an open question): names, labels by language, routing."""
    rows = []
    for question in study.questionnaire or ():
        labels = {f"label_{lang}": text for lang, text in question.labels.items()}
        common = {
            "source": "survey",
            "variable": question.name,
            "type": question.kind,
            **labels,
            "asked_if": question.relevant,
            "constraint": question.constraint,
        }
        rows.append(common | {"answer": ""})
        rows += [
            common
            | {"answer": choice.name}
            | {f"answer_label_{lang}": text for lang, text in choice.labels.items()}
            for choice in question.choices
        ]
    for source, item in study.definition.sources.present().items():
        for name, column in item.columns.items():
            labels = {f"label_{lang}": text for lang, text in column.label.items()}
            common = {"source": source, "variable": name, "type": column.type, **labels}
            rows.append(common | {"answer": ""})
            rows += [
                common
                | {"answer": answer}
                | {f"answer_label_{lang}": text for lang, text in texts.items()}
                for answer, texts in column.answers.items()
            ]
    return pd.DataFrame(rows).fillna("")


def _workbook(path: Path, frames: dict[str, pd.DataFrame], study: Study) -> None:
    """A sheet a chapter, the codebook first. Text never becomes a formula or a link."""
    options = {"strings_to_formulas": False, "strings_to_urls": False, "nan_inf_to_errors": False}
    with xlsxwriter.Workbook(path, options) as book:
        # A fixed date, so that the same results are the same bytes.
        book.set_properties({"created": pd.Timestamp(study.definition.period.end)})
        head = book.add_format({"bold": True, "bottom": 1})
        share = book.add_format({"num_format": "0.0%"})
        _sheet(book, "codebook", frames["codebook"], head, share)
        for chapter, rows in frames["estimates"].groupby("chapter", sort=False):
            _sheet(book, str(chapter), rows, head, share)
        for name in ("tests", "adjustments", "measures", "audit"):
            if name in frames:
                _sheet(book, name, frames[name], head, share)


def _sheet(
    book: xlsxwriter.Workbook, name: str, frame: pd.DataFrame, head: object, share: object
) -> None:
    sheet = book.add_worksheet(name[:31])
    sheet.freeze_panes(1, 0)
    for column, title in enumerate(frame.columns):
        values = frame[title]
        longest = max((len(str(value)) for value in values), default=0)
        is_share = title.startswith("share")
        width = 10 if is_share else min(60, max(len(title), longest) + 2)
        sheet.set_column(column, column, width, share if is_share else None)
        sheet.write_string(0, column, title, head)
        for row, value in enumerate(values, start=1):
            _cell(sheet, row, column, value)
    sheet.autofilter(0, 0, len(frame), max(len(frame.columns) - 1, 0))


def _cell(sheet: xlsxwriter.worksheet.Worksheet, row: int, column: int, value: object) -> None:
    if pd.isna(value):  # type: ignore[call-overload]
        return
    if isinstance(value, str):
        sheet.write_string(row, column, value)
    else:
        sheet.write_number(row, column, float(value))  # type: ignore[arg-type]


def _data_package(folder: Path, frames: dict[str, pd.DataFrame], study: Study) -> None:
    """datapackage.json (https://specs.frictionlessdata.io/data-package/)."""
    definition = study.definition
    package = {
        "name": definition.study.replace("_", "-"),
        "title": definition.title[definition.languages[0]],
        "profile": "tabular-data-package",
        "licenses": [{"title": definition.licence.name, "path": definition.licence.url}],
        "synthetic": definition.synthetic,
        "resources": [_resource(folder, name, frame) for name, frame in frames.items()],
    }
    text = json.dumps(package, ensure_ascii=False, indent=2) + "\n"
    (folder / "datapackage.json").write_text(text, encoding="utf-8")


def _resource(folder: Path, name: str, frame: pd.DataFrame) -> dict:
    content = (folder / f"{name}.csv").read_bytes()
    return {
        "name": name.replace("_", "-"),
        "path": f"{name}.csv",
        "profile": "tabular-data-resource",
        "description": DESCRIPTIONS.get(name.partition("_")[0], name),
        "encoding": "utf-8",
        "bytes": len(content),
        "hash": "sha256:" + hashlib.sha256(content).hexdigest(),
        "schema": {
            "fields": [{"name": column, "type": _type(frame[column])} for column in frame.columns]
        },
    }


def _type(values: pd.Series) -> str:
    if pd.api.types.is_integer_dtype(values):
        return "integer"
    return "number" if pd.api.types.is_float_dtype(values) else "string"
