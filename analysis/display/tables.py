"""Tables as accessible HTML, and the numbers of a figure as CSV."""

from __future__ import annotations

import csv
import datetime as dt
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
from analysis.display.results import ADJUSTMENTS, TESTED
from analysis.plain import guarded_frame

CSV_COLUMNS = [
    "label", "series_label", "variable", "population", "category", "by", "by_category",
    "base_kind", "base_n", "count", "share", "share_low", "share_high", "joint_low", "joint_high",
    "method", "verdict", "reason", "evidence",
]  # fmt: skip
MEASURE_COLUMNS = [
    "label", "variable", "population", "category", "base_kind", "measure", "base_n", "value",
    "low", "high", "method", "evidence",
]  # fmt: skip
# Of rows of several studies.
STUDY_COLUMNS = [
    "study", *CSV_COLUMNS, "difference", "difference_low", "difference_high", "p_adjusted",
]  # fmt: skip
# Corrections of p values, and the columns they stand in.
CORRECTIONS = {"holm": "p_question", "benjamini_hochberg": "p_chapter"}
FAULTS = ("truncated", "impossible", "contradicted")
WHOLE = ("base_n", "count")
# A figure as the audit writes it: `69`, `36.7 %`, `8.4 hours`, `~3/4` (about), `>1/2` (more than).
QUANTITY = re.compile(r"([~>]?)(\d+(?:/\d+|\.\d+)?)( \S+)?")
DAY = re.compile(r"\d{4}-\d\d-\d\d")


def table_html(
    head: Sequence[str],
    body: Sequence[Sequence[str]],
    caption: str,
    numeric: Sequence[int] = (),
    attributes: Sequence[str] = (),
    sections: Sequence[str] = (),
) -> str:
    """A table whose first column heads its rows. numeric: columns set in tabular figures at
    the right. attributes: what each row carries, already escaped, such as `data-status="exact"`.
    sections: what each row is about, told once over the rows that follow one another.
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
        if sections and (not at or sections[at] != sections[at - 1]):
            lines.append("</tbody><tbody>" if at else "")
            lines.append(
                f'<tr><th scope="rowgroup" colspan="{len(head)}">'
                f"<span>{escape(sections[at])}</span></th></tr>"
            )
        lines.append(f"<tr{extra}>{first}{rest}</tr>")
    return (
        f"<table><caption>{escape(caption)}</caption><thead><tr>{heads}</tr></thead>"
        f"<tbody>{''.join(lines)}</tbody></table>"
    )


def scrolled(table: str) -> str:
    """A table in a box that scrolls where it is wider than the page, by keyboard too."""
    return f'<div class="scroll" tabindex="0">{table}</div>'


def numbers_table(rows: pd.DataFrame, words: Words, caption: str) -> str:
    """Every number of a figure: label, group, share, intervals, count, base, share on another
    base, difference to all others, verdict with its reasons, evidence."""
    names = _columns(rows, words)
    body = [[_cell(row, name, words) for name in names] for row in records(rows)]
    text = ("label", "series", "verdict", "evidence")
    numeric = [n for n, name in enumerate(names) if name not in text]
    heads = _heads(words)
    if "other_share" in names:
        heads["other_share"] = f"share_of_{rows['other_kind'].dropna().iloc[0]}"
    head = [words.labels.term("columns", heads.get(name, name)) for name in names]
    return table_html(head, body, caption, numeric)


def _columns(rows: pd.DataFrame, words: Words) -> list[str]:
    """Columns of a table of numbers: those that have something to say."""
    entry = words.entry
    if entry.value == "rank":
        return ["label", "rank", "interval", "base_n", "evidence"]
    shares = entry.value != "count"
    # One answer picked out of its question is not read with the others.
    whole = shares and not entry.category and not entry.cells
    there = {
        "series": bool((rows["series_label"] != "").any()),
        "share": shares,
        "interval": shares,
        "joint": whole and bool(rows["joint_low"].notna().any()),
        "other_share": _has(rows, "other_share"),
        "difference": _has(rows, "difference"),
        "p_adjusted": _has(rows, "p_adjusted"),
        "verdict": bool((rows["verdict"] != "ok").any()),
    }
    every = ["label", "series", "share", "interval", "joint", "count", "base_n", "other_share",
             "difference", "p_adjusted", "verdict", "evidence"]  # fmt: skip
    return [name for name in every if there.get(name, True)]


def _has(rows: pd.DataFrame, name: str) -> bool:
    return name in rows and bool(rows[name].notna().any())


def _heads(words: Words) -> dict[str, str]:
    """What the lines and the groups of a figure are: answers by group, or the reverse."""
    entry = words.entry
    if entry.kind in ("pairs", "gaps"):
        named = {"series": "study", "difference": "gap", "p_adjusted": "p_gap"}
        return named | ({"label": "item"} if entry.battery else {})
    if entry.kind in ("diverging", "ranks") or entry.battery:
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
        "verdict": lambda: words.verdict(row),
        "p_adjusted": lambda: (
            "" if math.isnan(row.p_adjusted) else _p(row.p_adjusted, words.labels)
        ),
        "evidence": lambda: words.labels.term("evidence", row.evidence),
        "share": lambda: (
            words.value(row) if words.entry.value == "mean" else formats.percent(row.share)
        ),
        "interval": lambda: _interval(row, words),
        "rank": lambda: words.labels.formats.rank(row.share),
        "joint": lambda: (
            "" if math.isnan(row.joint_low) else formats.interval(row.joint_low, row.joint_high)
        ),
        "difference": lambda: _difference(row, words.labels),
        "other_share": lambda: (
            "" if math.isnan(row.other_share) else formats.percent(row.other_share)
        ),
        "count": lambda: formats.number(row.count),
        "base_n": lambda: formats.number(row.base_n),
    }
    return formats.told(makers[name](), row.verdict)


def _interval(row: Any, words: Words) -> str:
    """The interval of a share or of a mean, or nothing where there is none."""
    formats = words.labels.formats
    if math.isnan(row.share_low):
        return ""
    if words.entry.value not in ("mean", "rank"):
        return formats.interval(row.share_low, row.share_high)
    rank = words.entry.value == "rank"
    ends = [words.labels.formats.rank(end) if rank else formats.number(end, 2)
            for end in (row.share_low, row.share_high)]  # fmt: skip
    return str(formats.facts["interval"].format(low=ends[0], high=ends[1]))


def _difference(row: Any, labels: Labels) -> str:
    """How far a group lies from all others, with a mark where only that is illustrative."""
    if math.isnan(row.difference):
        return ""
    text = points(labels, row.difference, row.difference_low, row.difference_high)
    apart = row.difference_evidence == "illustrative" != row.evidence
    return marked(text, row.difference_evidence, labels) if apart else text


def points(labels: Labels, value: float, low: float, high: float, decimals: int = 0) -> str:
    """A difference of shares and its interval, in points: +12 (−3 à +27)."""
    formats = labels.formats
    ends = (formats.signed(100 * number, decimals) for number in (value, low, high))
    return formats.with_ends(*ends)


def marked(text: str, evidence: str, labels: Labels) -> str:
    """A text with a mark beside it where what it says rests on reconstructed answers alone."""
    if evidence != "illustrative":
        return text
    return f"{text} ·\u00a0{labels.term('evidence', evidence)}"


def numbers_csv(rows: pd.DataFrame, columns: Sequence[str] = CSV_COLUMNS) -> str:
    """The numbers of a figure as CSV: as released, shares between 0 and 1."""
    drawn = {"share": "value", "share_low": "low", "share_high": "high"}
    rows = rows.rename(columns=drawn) if "measure" in rows else rows
    frame = rows[list(columns)].astype(object).where(rows[list(columns)].notna(), "")
    for name in (name for name in WHOLE if name in frame):
        frame[name] = [int(v) if v != "" and float(v) == int(v) else v for v in frame[name]]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(guarded_frame(frame).itertuples(index=False, name=None))
    return text.getvalue()


def csv_columns(rows: pd.DataFrame) -> list[str]:
    """Columns of the download of a figure, by what its rows are."""
    if "measure" in rows:
        return MEASURE_COLUMNS
    return STUDY_COLUMNS if "study" in rows else CSV_COLUMNS


def csv_link(content: str) -> str:
    """A CSV as a link of its own; the mark at its start tells spreadsheets it is UTF-8."""
    return "data:text/csv;charset=utf-8," + quote("\ufeff" + content)


def audit_table(audit: pd.DataFrame, labels: Labels, caption: str) -> str:
    """Published figures beside their recomputation, to be filtered by status without script.

    The figures of each question are folded under it: hundreds of rows are neither read nor laid
    out at once.
    """
    statuses = list(audit["status"].drop_duplicates())
    if "variable" in audit:
        parts = audit.groupby(audit["variable"].map(labels.subject), sort=False)
        body = "".join(_audit_part(str(subject), rows, labels) for subject, rows in parts)
    else:
        body = scrolled(_audit_rows(audit, labels, caption))
    return _filter(statuses, audit["status"], labels, body)


def _audit_part(subject: str, audit: pd.DataFrame, labels: Labels) -> str:
    """The figures of one subject under its name and how many of them have each status."""
    known = audit["status"].value_counts()
    counts = [
        f"{labels.answer('audit_status', status)}\u00a0{labels.formats.number(known[status])}"
        for status in labels.answers("audit_status")
        if status in known
    ]
    return (
        f'<details class="part"><summary>{escape(subject)} '
        f'<span class="tally">{escape(" · ".join(counts))}</span></summary>'
        f"{scrolled(_audit_rows(audit, labels, subject))}</details>"
    )


def faults_table(audit: pd.DataFrame, labels: Labels, caption: str) -> str:
    """The published figures that do not hold as printed."""
    return scrolled(_audit_rows(audit[audit["status"].isin(FAULTS)], labels, caption))


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
    table = table_html(head, body, caption, (names.index("base_n"),), marks)
    return f'<div class="audited">{table}</div>'


def _audit_cell(labels: Labels, name: str, value: str) -> str:
    if name == "status":
        return labels.answer("audit_status", value)
    if name in ("published", "recomputed", "base_n"):
        return " · ".join(_quantity(labels, part) for part in value.split(" ; "))
    text = labels.formats.typography(value)
    return DAY.sub(lambda day: _quantity(labels, day[0]), text) if name == "explanation" else text


def _quantity(labels: Labels, text: str) -> str:
    """A number, a percentage, a fraction or a day of the audit, as the language writes it."""
    if DAY.fullmatch(text):
        return labels.formats.date(dt.date.fromisoformat(text))
    match = QUANTITY.fullmatch(text)
    if match is None:
        return text
    sign, number, unit = match.groups(default="")
    if "/" not in number:
        # A whole base comes as 341.0 where another one of its column is missing.
        number = number if unit else number.removesuffix(".0")
        number = labels.formats.number(float(number), len(number.partition(".")[2]))
    known = labels.terms["units"]
    for key in filter(None, (unit.strip(), sign)):
        number = labels.term("units", key, n=number) if key in known else f"{number} {key}"
    return number


def _filter(statuses: list[str], every: pd.Series, labels: Labels, table: str) -> str:
    """Radio buttons before a table; the rules that hide rows go with it."""
    rules = "".join(
        f'.filtered:has([value="{s}"]:checked) :is(tr[data-status]:not([data-status="{s}"]), '
        f'.part:not(:has([data-status="{s}"]))){{display:none}}'
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
        f"{table}</div>"
    )


def tests_table(
    tests: pd.DataFrame, adjustments: pd.DataFrame, labels: Labels, caption: str
) -> str:
    """Every test under the question and the group it is of: what it rests on, its p value, that
    value corrected for the tests it is read with, and its effect."""
    names = ["test", "p_value", *CORRECTIONS.values(), "effect", "n"]
    head = [labels.term("columns", name) for name in names]
    known = {(*row[:6], row.adjustment): row for row in records(adjustments[ADJUSTMENTS])}
    body = [_test_cells(row, known, labels) for row in records(tests)]
    sections = [_crossed(row, labels) for row in records(tests)]
    return scrolled(table_html(head, body, caption, (1, 2, 3, 5), sections=sections))


def _crossed(row: Any, labels: Labels) -> str:
    """The question a test is of, and the group it is crossed with."""
    variable = labels.variable(row.variable, row.population)
    if not row.by:
        return variable
    return labels.term("figure", "crossed", variable=variable, by=labels.variable(row.by))


def corrected(row: Any, labels: Labels) -> str:
    """A corrected p value, and over how many tests."""
    tests = int(row.tests)
    key = "tests" if tests > 1 else "tests_one"
    return f"{_p(row.p_adjusted, labels)} ({labels.term('figure', key, n=tests)})"


def _p(value: float, labels: Labels) -> str:
    """A p value alone: 0,012, or p < 0,001 where it is smaller."""
    text = labels.formats.p_value(value)
    return text.partition("=")[2].strip() or text


def _test_cells(row: Any, known: dict[tuple[str, ...], Any], labels: Labels) -> list[str]:
    found = [known.get((*(getattr(row, name) for name in TESTED), name)) for name in CORRECTIONS]
    return [
        f"{labels.term('tests', row.test)} · {labels.term('evidence', row.evidence)}",
        _p(row.p_value, labels),
        # A test of an assumption is in no family, and is not corrected.
        *(corrected(each, labels) if each is not None and each.tests else "" for each in found),
        _effect(row, labels),
        labels.formats.number(row.n),
    ]


def _effect(row: Any, labels: Labels) -> str:
    """The measure of effect, its value and interval; nothing for the test of an assumption."""
    if not row.effect:
        return ""
    values = (row.effect_size, row.effect_low, row.effect_high)
    size = labels.formats.with_ends(*(labels.formats.number(value, 2) for value in values))
    return labels.term("figure", "named", name=labels.term("effects", row.effect), value=size)


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
    return scrolled(table_html(head, body, caption))
