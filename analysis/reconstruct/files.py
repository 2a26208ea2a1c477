"""Raw files as they would be delivered, each with its provenance record, whole or not at all."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable
from typing import Any

import pandas as pd
import yaml

from analysis.reconstruct.check import Broken
from analysis.reconstruct.plan import File, Plan
from analysis.reconstruct.register import Figure
from analysis.study import Study


def delivered(study: Study, source: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Names and values of the clean table turned back into those of the raw file."""
    own = [recode for recode in study.recodes if recode.source == source]
    for recode in own:
        if recode.kind == "value" and recode.column in frame:
            frame = frame.assign(
                **{recode.column: frame[recode.column].replace({recode.becomes: recode.found})}
            )
    return frame.rename(columns={r.becomes: r.found for r in own if r.kind == "header"})


def content(frame: pd.DataFrame, file: File) -> bytes:
    """A table as CSV bytes, the same on every machine."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=file.delimiter, lineterminator="\n")
    writer.writerow(frame.columns)
    shown = pd.DataFrame({name: frame[name].map(_shower(file)) for name in frame})
    writer.writerows(shown.to_numpy().tolist())
    return buffer.getvalue().encode(file.encoding)


def _shower(file: File) -> Callable[[Any], str]:
    def show(value: Any) -> str:
        if value is pd.NA or value is None:
            return ""
        if isinstance(value, pd.Timestamp):
            return value.strftime(file.date)
        if isinstance(value, bool):
            return str(int(value))
        if isinstance(value, float):
            return f"{value:g}".replace(".", file.decimal)
        return str(value)

    return show


def provenance(study: Study, plan: Plan, source: str, data: bytes, rows: int) -> bytes:
    """The record beside a raw file: what it is, who made it, how, under which terms."""
    file, licence = plan.files[source], study.definition.licence
    record = {
        "title": file.title,
        "producer": plan.producer,
        "date": plan.date.isoformat(),
        "licence": licence.name,
        "licence_url": licence.url,
        "sha256": hashlib.sha256(data).hexdigest(),
        "rows": rows,
        "synthetic": True,
        "seed": study.definition.seed,
        "method": file.method,
    }
    return as_yaml(record)


def report(
    study: Study, plan: Plan, fewest: int, found: list[Broken], outside: list[Figure]
) -> bytes:
    """What the reconstruction could not give back, figure by figure."""
    record = {
        "study": study.name,
        "date": plan.date.isoformat(),
        "synthetic": True,
        "seed": study.definition.seed,
        "fewest_statements_broken": fewest,
        "statements_broken": [_line(item) for item in found],
        "not_in_any_file": [figure.figure_id for figure in outside],
    }
    return as_yaml(record)


def _line(item: Broken) -> dict[str, Any]:
    figure = item.figure
    printed = {
        "base_n": figure.base_n,
        "count": figure.count,
        "percent": None if figure.percent is None else float(figure.percent),
        "value": figure.value or None,
    }
    line: dict[str, Any] = {
        "figure_id": figure.figure_id,
        "printed": {name: value for name, value in printed.items() if value is not None},
        "broken": [claim.kind for claim in item.claims],
        "reconstructed": {"base_n": int(item.base), "count": int(item.count)},
    }
    if item.base:
        line["reconstructed"]["percent"] = round(100 * item.count / item.base, 2)
    return line


def as_yaml(record: dict[str, Any]) -> bytes:
    text = yaml.safe_dump(record, sort_keys=False, allow_unicode=True, width=1000)
    return text.encode("utf-8")
