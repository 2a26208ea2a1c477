"""The rows of the results that a page cites: one row each, where a number's link leads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from analysis.display.labels import Labels
from analysis.display.results import Results
from analysis.display.rows import Sources
from analysis.display.tables import table_html
from analysis.display.traced import FILES, ranges

COLUMNS = ["counted", "population", "cited", "share", "interval", "count", "base_n", "verdict",
           "evidence", "row"]  # fmt: skip
NUMERIC = ("cited", "share", "interval", "count", "base_n")


def anchor(rows: str) -> str:
    """Id of the table's row for these rows of the results: e12, or e12-e14-3 for several."""
    names = rows.split()
    several = f"-{names[-1]}-{len(names)}" if len(names) > 1 else ""
    return f"row-{names[0]}{several}"


def table(cited: Mapping[str, Sequence[str]], sources: Sources, caption: str) -> str:
    """Every row cited, in the order of the text. cited: rows by name, and the numbers printed of
    them. Nothing where no row is cited."""
    if not cited:
        return ""
    labels = sources.labels
    told = [_cells(rows, texts, sources) for rows, texts in cited.items()]
    names = [name for name in COLUMNS if any(cells.get(name) for cells in told)]
    body = [[cells.get(name, "") for name in names] for cells in told]
    marks = [f'id="{anchor(rows)}" tabindex="-1"' for rows in cited]
    head = [labels.term("columns", name) for name in names]
    numeric = [at for at, name in enumerate(names) if name in NUMERIC]
    html = table_html(head, body, caption, numeric, marks)
    return f'<div class="scroll cited" tabindex="0">{html}</div>'


def _cells(rows: str, texts: Sequence[str], sources: Sources) -> dict[str, str]:
    names, labels = rows.split(), sources.labels
    found = [_row(name, sources.results) for name in names]
    return {
        "cited": " · ".join(dict.fromkeys(texts)),
        "row": _place(names, labels),
        **(_one(names[0], found[0], labels) if len(names) == 1 else _several(found, labels)),
    }


def _row(name: str, results: Results) -> Any:
    frame: pd.DataFrame = getattr(results, FILES[name[0]])
    return frame.iloc[int(name[1:]) - 2]


def _place(names: Sequence[str], labels: Labels) -> str:
    lines = ranges([int(name[1:]) for name in names])
    return labels.term("figure", "file_line", file=FILES[names[0][0]], lines=lines)


def _one(name: str, row: Any, labels: Labels) -> dict[str, str]:
    """What a single row says. A test and a fact have no share."""
    if name[0] == "f":
        return {"counted": f"{row['variable']} · {row['category']}"}
    told = {"evidence": labels.term("evidence", row["evidence"])}
    if name[0] == "t":
        told["counted"] = f"{labels.term('tests', row['test'])} · {_question(row, labels)}"
        told["base_n"] = labels.formats.number(row["n"])
        return told | {"population": _who(row, labels)}
    told |= {"counted": _counted(row, labels), "population": _who(row, labels)}
    return told | (_measure(row, labels) if name[0] == "m" else _estimate(row, labels))


def _estimate(row: Any, labels: Labels) -> dict[str, str]:
    formats = labels.formats
    mean = row["method"] in ("mean", "score")
    told = {
        "share": "" if pd.isna(row["share"]) or mean else formats.percent(row["share"]),
        "interval": "",
        "count": formats.number(row["count"]),
        "base_n": formats.number(row["base_n"]),
        "verdict": labels.verdict(row["verdict"], row["reason"]),
    }
    if not pd.isna(row["share_low"]) and not mean:
        told["interval"] = formats.interval(row["share_low"], row["share_high"])
    return told


def _measure(row: Any, labels: Labels) -> dict[str, str]:
    ends = [labels.formats.number(row[name], 2) for name in ("value", "low", "high")]
    return {
        "interval": labels.formats.with_ends(*ends),
        "base_n": labels.formats.number(row["base_n"]),
    }


def _several(found: Sequence[Any], labels: Labels) -> dict[str, str]:
    """What several rows say together: what they have in common."""
    told = {"counted": labels.term("figure", "calculated", n=labels.formats.number(len(found)))}
    variables = {(row["variable"], row["population"]) for row in found}
    if len(variables) == 1:
        told["counted"] += f" · {_question(found[0], labels)}"
        told["population"] = labels.population(found[0]["population"])
    kinds = dict.fromkeys(row["evidence"] for row in found)
    told["evidence"] = " · ".join(labels.term("evidence", kind) for kind in kinds)
    return told


def _question(row: Any, labels: Labels) -> str:
    question = labels.variable(row["variable"], row["population"])
    if not row["by"]:
        return question
    return labels.term("figure", "crossed", variable=question, by=labels.variable(row["by"]))


def _counted(row: Any, labels: Labels) -> str:
    question = labels.variable(row["variable"], row["population"])
    if not row["category"]:
        return question
    answer = labels.answer(row["variable"], row["category"], row["population"])
    return question if answer == question else f"{question} · {answer}"


def _who(row: Any, labels: Labels) -> str:
    """Whom a row counts, and which group of them."""
    people = labels.population(row["population"])
    group = row.get("by_category", "")
    return f"{people} · {labels.answer(row['by'], group)}" if group else people
