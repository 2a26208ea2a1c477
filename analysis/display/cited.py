"""The rows of the results that a page cites: one row each, where a number's link leads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

import pandas as pd

from analysis.display.labels import Labels
from analysis.display.results import Results
from analysis.display.rows import Sources
from analysis.display.tables import table_html
from analysis.display.traced import FILES, ranges

COLUMNS = ["counted", "value", "interval", "count", "base_n", "row", "verdict", "evidence"]
NUMERIC = ("value", "interval", "count", "base_n")


def anchor(rows: str) -> str:
    """Id of the table's row for these rows of the results: e12, or e12-e14-3 for several."""
    names = rows.split()
    several = f"-{names[-1]}-{len(names)}" if len(names) > 1 else ""
    return f"row-{names[0]}{several}"


def table(cited: Mapping[str, Sequence[str]], sources: Sources, caption: str) -> str:
    """Every row cited, in the order of the files, under its question and whom it counts.

    cited: rows by name, and the numbers printed of them. Nothing where no row is cited.
    """
    if not cited:
        return ""
    labels, order = sources.labels, sorted(cited, key=_place)
    lines = [_cells(rows, cited[rows], sources) for rows in order]
    names = [name for name in COLUMNS if any(cells.get(name) for cells in lines)]
    body = [[cells.get(name, "") for name in names] for cells in lines]
    marks = [f'id="{anchor(rows)}" tabindex="-1"' for rows in order]
    sections = [cells["section"] for cells in lines]
    head = [labels.term("columns", name) for name in names]
    numeric = [at for at, name in enumerate(names) if name in NUMERIC]
    html = table_html(head, body, caption, numeric, marks, sections)
    # Folded as notes are: a link to a row opens it.
    told = escape(labels.term("figure", "cited_rows", n=labels.formats.number(len(body))))
    return (
        f'<details class="part notes"><summary>{told}</summary>'
        f'<div class="scroll cited" tabindex="0">{html}</div></details>'
    )


def _place(rows: str) -> tuple[bool, str, int]:
    """Single rows in the order of their file, then what is computed from several."""
    first = rows.split(maxsplit=1)[0]
    return len(rows.split()) > 1, first[0], int(first[1:])


def _cells(rows: str, texts: Sequence[str], sources: Sources) -> dict[str, str]:
    names, labels = rows.split(), sources.labels
    found = [_row(name, sources.results) for name in names]
    several = len(found) > 1
    told = _several(found, texts, labels) if several else ONE[names[0][0]](found[0], labels)
    return told | {"row": f"{FILES[names[0][0]]}.csv, {ranges(int(name[1:]) for name in names)}"}


def _row(name: str, results: Results) -> Any:
    frame: pd.DataFrame = getattr(results, FILES[name[0]])
    return frame.iloc[int(name[1:]) - 2]


def _estimate(row: Any, labels: Labels) -> dict[str, str]:
    formats, mean = labels.formats, row["method"] == "mean"
    value = row["count"] / row["base_n"] if mean else row["share"]
    # The mean of a score may be drawn on its own scale; its share is that mean.
    told = formats.number(value, 2) if mean or _score(row) else formats.percent(value)
    count, base = formats.number(row["count"]), formats.number(row["base_n"])
    ends = [row["share_low"], row["share_high"]]
    known = not (mean or pd.isna(ends).any())
    return {
        "section": _section(row, labels),
        "counted": _answer(row, labels),
        "value": "" if pd.isna(value) else told,
        "interval": (_scores(ends, labels) if _score(row) else formats.interval(*ends))
        if known else "",
        "count": "" if _score(row) else formats.told(count, row["verdict"]),
        "base_n": formats.told(base, row["verdict"]),
        "verdict": labels.verdict(row["verdict"], row["reason"]),
        "evidence": labels.term("evidence", row["evidence"]),
    }  # fmt: skip


def _score(row: Any) -> bool:
    """Whether a row is the mean of an index, which no count stands behind."""
    return row["category"] == "mean" and pd.isna(row["count"])


def _scores(ends: Sequence[float], labels: Labels) -> str:
    low, high = (labels.formats.number(end, 2) for end in ends)
    return str(labels.formats.facts["interval"].format(low=low, high=high))


def _measure(row: Any, labels: Labels) -> dict[str, str]:
    ends = [row["low"], row["high"]]
    return {
        "section": _section(row, labels),
        "counted": _answer(row, labels) or row["measure"],
        "value": labels.formats.number(row["value"], 2),
        "interval": "" if pd.isna(ends).any() else _scores(ends, labels),
        "base_n": labels.formats.number(row["base_n"]),
        "evidence": labels.term("evidence", row["evidence"]),
    }


def _test(row: Any, labels: Labels) -> dict[str, str]:
    return {
        "section": _section(row, labels),
        "counted": labels.term("tests", row["test"]),
        "value": labels.formats.p_value(row["p_value"]),
        "base_n": labels.formats.number(row["n"]),
        "evidence": labels.term("evidence", row["evidence"]),
    }


def _fact(row: Any, labels: Labels) -> dict[str, str]:
    return {"section": row["variable"], "counted": row["category"], "value": row["value"]}


ONE: dict[str, Callable[[Any, Labels], dict[str, str]]] = {
    "e": _estimate, "m": _measure, "t": _test, "f": _fact,
}  # fmt: skip


def _several(found: Sequence[Any], texts: Sequence[str], labels: Labels) -> dict[str, str]:
    """What is computed from several rows, such as how many of them pass a half."""
    one = len({(row["variable"], row["population"]) for row in found}) == 1
    kinds = dict.fromkeys(row["evidence"] for row in found)
    return {
        "section": _section(found[0], labels) if one else labels.term("figure", "computed"),
        "counted": labels.term("figure", "calculated", n=labels.formats.number(len(found))),
        "value": " · ".join(dict.fromkeys(texts)),
        "evidence": " · ".join(labels.term("evidence", kind) for kind in kinds),
    }


def _section(row: Any, labels: Labels) -> str:
    """The question of a row, and whom it counts."""
    question = labels.variable(row["variable"], row["population"])
    if row["by"]:
        by = labels.variable(row["by"])
        question = labels.term("figure", "crossed", variable=question, by=by)
    return f"{question} · {labels.population(row['population'])}"


def _answer(row: Any, labels: Labels) -> str:
    """The answer a row counts, and the group it counts it in."""
    answer, group = "", row.get("by_category", "")
    if row["category"]:
        answer = labels.answer(row["variable"], row["category"], row["population"])
    return f"{answer} · {labels.answer(row['by'], group)}" if group else answer
