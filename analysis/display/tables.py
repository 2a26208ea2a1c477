"""Tables as accessible HTML, and the numbers of a figure as CSV."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Sequence
from html import escape
from typing import Any
from urllib.parse import quote

import pandas as pd

from analysis.display.charts import Words, records
from analysis.display.labels import Labels

CSV_COLUMNS = [
    "label", "series_label", "variable", "population", "category", "by", "by_category",
    "base_kind", "base_n", "count", "share", "share_low", "share_high", "method", "verdict",
    "evidence",
]  # fmt: skip
FAULTS = ("truncated", "impossible", "contradicted")
WHOLE = ("base_n", "count")
DECIMAL_POINT = re.compile(r"(?<=\d)\.(?=\d)")


def table_html(
    head: Sequence[str],
    body: Sequence[Sequence[str]],
    caption: str,
    numeric: Sequence[int] = (),
    attributes: Sequence[str] = (),
) -> str:
    """A table whose first column heads its rows. numeric: columns set in tabular figures at
    the right. attributes: what each row carries, already escaped, such as `data-status="exact"`.
    """
    marks = [' class="num"' if n in numeric else "" for n in range(len(head))]
    heads = "".join(
        f'<th scope="col"{mark}>{escape(text)}</th>' for text, mark in zip(head, marks, strict=True)
    )
    lines = []
    for at, cells in enumerate(body):
        extra = f" {attributes[at]}" if attributes else ""
        first = f'<th scope="row">{escape(cells[0])}</th>'
        rest = "".join(
            f"<td{mark}>{escape(text)}</td>"
            for text, mark in zip(cells[1:], marks[1:], strict=True)
        )
        lines.append(f"<tr{extra}>{first}{rest}</tr>")
    return (
        f"<table><caption>{escape(caption)}</caption><thead><tr>{heads}</tr></thead>"
        f"<tbody>{''.join(lines)}</tbody></table>"
    )


def numbers_table(rows: pd.DataFrame, words: Words, caption: str) -> str:
    """Every number of a figure: label, group, share, interval, count, base, verdict, evidence."""
    labels, series = words.labels, bool((rows["series_label"] != "").any())
    shares = words.entry.value != "count"
    other = "other_share" in rows and bool(rows["other_share"].notna().any())
    names = ["label", *(["series"] if series else []), *(["share", "interval"] if shares else []),
             "count", "base_n", *(["other_share"] if other else []), "verdict",
             "evidence"]  # fmt: skip
    body = [[_cell(row, name, words) for name in names] for row in records(rows)]
    numeric = [n for n, name in enumerate(names) if name in ("share", "interval", "count",
                                                             "base_n", "other_share")]  # fmt: skip
    heads = _heads(words)
    if other:
        heads["other_share"] = f"share_of_{rows['other_kind'].dropna().iloc[0]}"
    head = [labels.term("columns", heads.get(name, name)) for name in names]
    return table_html(head, body, caption, numeric)


def _heads(words: Words) -> dict[str, str]:
    """What the lines and the groups of a figure are: answers by group, or the reverse."""
    entry = words.entry
    if entry.kind == "diverging" or entry.battery:
        return {"label": "question", "series": "label"}
    if entry.by or entry.category or entry.kind == "stacked":
        return {"label": "series", "series": "label"}
    return {}


def _cell(row: Any, name: str, words: Words) -> str:
    formats = words.labels.formats
    makers: dict[str, Callable[[], str]] = {
        # A line without a label of its own is an answer among all who answered.
        "label": lambda: str(row.label or row.series_label),
        "series": lambda: str(row.series_label),
        "verdict": lambda: words.labels.term("verdicts", row.verdict),
        "evidence": lambda: words.labels.term("evidence", row.evidence),
        "share": lambda: (
            words.value(row) if words.entry.value == "mean" else formats.percent(row.share)
        ),
        "interval": lambda: _interval(row, words),
        "other_share": lambda: (
            "" if math.isnan(row.other_share) else formats.percent(row.other_share)
        ),
        "count": lambda: formats.number(row.count),
        "base_n": lambda: formats.number(row.base_n),
    }
    return makers[name]()


def _interval(row: Any, words: Words) -> str:
    """The interval of a share or of a mean, or nothing where there is none."""
    formats = words.labels.formats
    if math.isnan(row.share_low):
        return ""
    if words.entry.value != "mean":
        return formats.interval(row.share_low, row.share_high)
    return str(
        formats.facts["interval"].format(
            low=formats.number(row.share_low, 2), high=formats.number(row.share_high, 2)
        )
    )


def numbers_csv(rows: pd.DataFrame) -> str:
    """The numbers of a figure as CSV: as released, shares between 0 and 1."""
    frame = rows[CSV_COLUMNS].astype(object).where(rows[CSV_COLUMNS].notna(), "")
    for name in WHOLE:
        frame[name] = [int(v) if v != "" and float(v) == int(v) else v for v in frame[name]]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    writer.writerows(frame.itertuples(index=False, name=None))
    return text.getvalue()


def csv_link(content: str) -> str:
    """A CSV as a link of its own; the mark at its start tells spreadsheets it is UTF-8."""
    return "data:text/csv;charset=utf-8," + quote("\ufeff" + content)


def audit_table(audit: pd.DataFrame, labels: Labels, caption: str) -> str:
    """Published figures beside their recomputation, to be filtered by status without script."""
    table = _audit_rows(audit, labels, caption)
    return _filter(list(audit["status"].drop_duplicates()), audit["status"], labels, table)


def faults_table(audit: pd.DataFrame, labels: Labels, caption: str) -> str:
    """The published figures that do not hold as printed."""
    table = _audit_rows(audit[audit["status"].isin(FAULTS)], labels, caption)
    return f'<div class="scroll" tabindex="0">{table}</div>'


def _audit_rows(audit: pd.DataFrame, labels: Labels, caption: str) -> str:
    """One row a figure, under its label where it has one in this language, else its code."""
    first = "label" if "label" in audit else "figure_id"
    names = [first, "status", "published", "recomputed", "base_n", "explanation"]
    head = [labels.term("columns", name) for name in ["figure_id", *names[1:]]]
    body = [
        [_audit_cell(labels, name, str(value)) for name, value in zip(names, cells, strict=True)]
        for cells in audit[names].itertuples(index=False, name=None)
    ]
    marks = [f'data-status="{escape(status)}"' for status in audit["status"]]
    return table_html(head, body, caption, (names.index("base_n"),), marks)


def _audit_cell(labels: Labels, name: str, value: str) -> str:
    if name == "status":
        return labels.answer("audit_status", value)
    if name in ("published", "recomputed"):
        value = DECIMAL_POINT.sub(labels.formats.facts["decimal"], value)
        return labels.formats.typography(value)
    return value.removesuffix(".0") if name == "base_n" else value


def _filter(statuses: list[str], every: pd.Series, labels: Labels, table: str) -> str:
    """Radio buttons before a table; the rules that hide rows go with it."""
    rules = "".join(
        f'.filtered:has([value="{s}"]:checked) tr[data-status]:not([data-status="{s}"])'
        "{display:none}"
        for s in map(escape, statuses)
    )
    choices = [("", f"{labels.term('figure', 'every')} ({len(every)})")]
    choices += [
        (s, f"{labels.answer('audit_status', s)} ({int((every == s).sum())})") for s in statuses
    ]
    buttons = "".join(
        f'<label><input type="radio" name="status" value="{escape(code)}"'
        f"{'' if code else ' checked'}> {escape(text)}</label>"
        for code, text in choices
    )
    legend = escape(labels.term("figure", "filter"))
    return (
        f'<div class="filtered"><style>{rules}</style><fieldset class="filter">'
        f"<legend>{legend}</legend>{buttons}</fieldset>"
        f'<div class="scroll" tabindex="0">{table}</div></div>'
    )


def tests_table(tests: pd.DataFrame, labels: Labels, caption: str) -> str:
    """Every test with its p value and its effect, and what it rests on where it is first read."""
    names = ["variable", "by", "evidence", "test", "p_value", "p_adjusted", "effect",
             "effect_size", "n"]  # fmt: skip
    head = [labels.term("columns", name) for name in names]
    body = [_test_cells(row, labels) for row in records(tests)]
    return f'<div class="scroll" tabindex="0">{table_html(head, body, caption, (4, 5, 7, 8))}</div>'


def _test_cells(row: Any, labels: Labels) -> list[str]:
    formats = labels.formats
    effect = formats.number(row.effect_size, 2)
    if row.effect_low == row.effect_low:
        ends = formats.number(row.effect_low, 2), formats.number(row.effect_high, 2)
        effect += f" ({formats.facts['interval'].format(low=ends[0], high=ends[1])})"
    return [
        labels.variable(row.variable, row.population),
        labels.variable(row.by) if row.by else "",
        labels.term("evidence", row.evidence),
        labels.term("tests", row.test),
        formats.p_value(row.p_value).partition("=")[2].strip() or formats.p_value(row.p_value),
        formats.p_value(row.p_adjusted).partition("=")[2].strip()
        or formats.p_value(row.p_adjusted),
        # A test of an assumption has no effect of its own.
        labels.term("effects", row.effect) if row.effect else "",
        effect,
        formats.number(row.n),
    ]


def codebook_table(labels: Labels, caption: str) -> str:
    """Every question as asked: its name, its wording, whom it is asked of, its answers."""
    form = labels.study.questionnaire
    names = ["variable", "question", "asked_of", "answers"]
    head = [labels.term("columns", name) for name in names]
    body = [
        [
            question.name,
            " ".join(filter(None, [question.labels[labels.lang],
                                   question.hints.get(labels.lang, "")])),
            labels.population(labels.study.population_of(question.name)),
            " · ".join(choice.labels[labels.lang] for choice in question.choices),
        ]
        for question in form or ()
    ]  # fmt: skip
    return f'<div class="scroll" tabindex="0">{table_html(head, body, caption)}</div>'
