"""The block of a figure: question, chart, sentence, base and method, table and downloads.

Written as Markdown for Quarto and pandoc: a div whose last paragraph is the caption, and raw HTML
for the rest. The table is in the page before any script runs.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd

from analysis.display.charts import Words, draw
from analysis.display.labels import Labels
from analysis.display.rows import Sources
from analysis.display.still import still
from analysis.display.tables import (
    csv_columns,
    csv_link,
    numbers_csv,
    numbers_table,
)
from analysis.plain import markdown

# A sign in a script that would open a comment, a script, or a shortcode of Quarto.
READ = re.compile(r"<(?=!--|script)|(?<=\{\{)<", re.IGNORECASE)
# How a kind of figure marks what is fragile, where it is not by a pale bar.
MARKS = {
    "stacked": "fragile_line",
    "diverging": "fragile_line",
    "bands": "fragile_point",
    "dots": "fragile_point",
}


@dataclass(frozen=True)
class Block:
    """What a figure says: all text is plain, and escaped where it is written."""

    name: str
    title: str
    question: str
    say: str
    note: str


def figure_block(rows: pd.DataFrame, words: Words, block: Block) -> str:
    """Markdown of a figure. rows: as drawn, at least one."""
    html = "\n".join(
        [
            f'<p class="q">{escape(block.question)}</p>',
            chart(draw(rows, words), block),
            f'<p class="say" id="say-{block.name}">{escape(block.say)}</p>',
            footer(rows, words, block),
        ]
    )
    return f"\n::: {{#fig-{block.name} .finding}}\n{raw(html)}\n\n{markdown(block.title)}\n:::\n"


def raw(html: str) -> str:
    """HTML that Quarto and pandoc pass on untouched: its fence is longer than any in it."""
    ticks = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", html))])
    return f"{ticks}{{=html}}\n{html}\n{ticks}"


def script(spec: dict[str, Any], name: str) -> str:
    """A specification beside its chart, with nothing in it that HTML or Quarto would read."""
    content = json.dumps(spec, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    content = READ.sub(r"\\u003c", content.replace("</", "<\\/"))
    return f'<script type="application/json" data-layout="{name}">{content}</script>'


def chart(specs: dict[str, dict[str, Any]], block: Block) -> str:
    """A chart in both its layouts: drawn, and as plotly draws it for a reader who points at it."""
    drawn = "".join(still(spec, name, f"{block.name}_{name}") for name, spec in specs.items())
    scripts = "".join(script(spec, name) for name, spec in specs.items())
    return (
        f'<div class="chart" data-chart="{block.name}" role="img" '
        f'aria-label="{escape(block.say)}" aria-describedby="note-{block.name}" '
        f'data-title="{escape(block.title)}" data-note="{escape(block.note)}">'
        f'{drawn}<div class="plot"></div>{scripts}</div>'
    )


def footer(rows: pd.DataFrame, words: Words, block: Block) -> str:
    """Base and method at the left, table, CSV, image and link at the right."""
    labels = words.labels

    def named(key: str) -> str:
        return escape(labels.term("figure", key, title=block.title))

    table = numbers_table(rows, words, block.title)
    link = csv_link(numbers_csv(rows, csv_columns(rows)))
    return (
        f'<div class="fig-foot"><p class="note" id="note-{block.name}">{escape(block.note)}</p>'
        f'<div class="tools"><details><summary aria-label="{named("table_of")}">'
        f"{escape(labels.term('figure', 'table'))}</summary>"
        f'<div class="scroll" tabindex="0" role="group" aria-label="{named("table_of")}">'
        f"{table}</div></details>"
        f'<a download="{block.name}.csv" href="{link}" aria-label="{named("csv_of")}">'
        f"{escape(labels.term('figure', 'csv'))}</a>"
        f'<button type="button" data-image="{block.name}" aria-label="{named("image_of")}" hidden>'
        f"{escape(labels.term('figure', 'image'))}</button>"
        f'<a href="#fig-{block.name}" aria-label="{named("link_of")}">#</a></div></div>'
    )


def note(rows: pd.DataFrame, words: Words, sources: Sources, own: str = "") -> str:
    """Base, method, and what the reader must know of the marks, in sentences."""
    parts = [_base(rows, words), own, *_method(rows, words), *_marks(rows, words)]
    parts += [
        *_assumed(rows, words),
        _outside(rows, words),
        _shown(rows, words, sources),
        evidence_note(rows, words),
    ]
    return " ".join(part for part in parts if part)


def _base(rows: pd.DataFrame, words: Words) -> str:
    labels, formats = words.labels, words.labels.formats
    if words.entry.kind == "flow":
        return ""
    if rows["variable"].iloc[0] == "question_base":
        return labels.term("figure", "base_each")
    people = _counted(rows, labels)
    seen = rows[rows["base_kind"] == rows["base_kind"].iloc[0]]
    low, high = seen["base_n"].min(), seen["base_n"].max()
    by_group = words.entry.kind in ("bands", "stacked") and bool(words.entry.by)
    if seen["base_n"].isna().all() or (by_group and seen["base_n"].isna().any()):
        return labels.term("figure", "base_alone", population=people)
    if by_group:
        groups = seen.drop_duplicates("key")["base_n"]
        return labels.term("figure", "base", population=people, n=words.base(groups.sum()))
    n = (
        words.base(high)
        if low == high
        else labels.term("figure", "n_range", low=formats.number(low), high=formats.number(high))
    )
    return labels.term("figure", "base", population=people, n=n)


def _counted(rows: pd.DataFrame, labels: Labels) -> str:
    """Whom a figure counts; the figures of the audit are no one's answers."""
    if rows["base_kind"].iloc[0] == "figures":
        return labels.term("base_kinds", "figures")
    names = [labels.population(name) for name in rows["population"].drop_duplicates()]
    return labels.formats.listed(names)


def _method(rows: pd.DataFrame, words: Words) -> list[str]:
    """How the intervals that are drawn were made."""
    if words.entry.kind not in ("bars", "bands", "dots") or words.entry.value == "count":
        return []
    methods = rows.loc[rows["share_low"].notna(), "method"].drop_duplicates()
    key = "band_interval" if words.entry.kind == "bands" else "interval"
    return [
        words.labels.term("figure", key, method=words.labels.term("methods", method))
        for method in methods
    ]


def _marks(rows: pd.DataFrame, words: Words) -> list[str]:
    kinds = set(rows["verdict"])
    found = []
    if "fragile" in kinds:
        key = MARKS.get(words.entry.kind, "fragile")
        found.append(words.labels.term("figure", key, why=_why(rows, words, "fragile")))
    if "suppressed" in kinds:
        why = _why(rows, words, "suppressed")
        found.append(words.labels.term("figure", "suppressed", why=why))
    return found


def _assumed(rows: pd.DataFrame, words: Words) -> list[str]:
    """That the number of rows counted is an assumption, as study.yml says."""
    definition, lang = words.labels.study.definition, words.labels.lang
    present, populations = definition.sources.present(), definition.populations
    sources = [populations[name].source for name in rows["population"].drop_duplicates()
               if name in populations]  # fmt: skip
    told = [present[name].assumed.get(lang, "") for name in sources if name in present]
    return list(dict.fromkeys(text for text in told if text))


def _why(rows: pd.DataFrame, words: Words, verdict: str) -> str:
    """The reasons that occur in a figure for a verdict, in brackets."""
    given = rows.loc[rows["verdict"] == verdict, "reason"].drop_duplicates()
    why = words.labels.formats.listed(words.labels.reasons(given), "list_or")
    return f" ({why})" if why else ""


def _outside(rows: pd.DataFrame, words: Words) -> str:
    battery = words.labels.study.battery_of(str(rows["key"].iloc[0]))
    if words.entry.kind != "diverging" or battery is None or not battery.not_concerned:
        return ""
    cells = rows[rows["series"] == battery.not_concerned]
    if cells.empty:
        return ""
    answer = cells["series_label"].iloc[0]
    return words.labels.term("figure", "not_concerned_note", answer=answer)


def _shown(rows: pd.DataFrame, words: Words, sources: Sources) -> str:
    """How many answers there are, where only the first are drawn."""
    if not words.entry.top:
        return ""
    every = len(words.labels.answers(rows["variable"].iloc[0], rows["population"].iloc[0]))
    if every <= len(rows):
        return ""
    return words.labels.term("figure", "shown_of", shown=len(rows), all=every)


def illustrative(rows: pd.DataFrame) -> bool:
    """Whether a figure may not be told as a finding: it rests on a choice of the reconstruction."""
    return bool((rows["evidence"] == "illustrative").any())


def evidence_note(rows: pd.DataFrame, words: Words) -> str:
    """What the reader must know where numbers rest on reconstructed answers alone."""
    marked = rows[rows["evidence"] == "illustrative"]
    if marked.empty:
        return ""
    if marked["key"].nunique() == rows["key"].nunique():
        return words.labels.term("figure", "illustrative")
    names = words.labels.formats.listed(list(marked.drop_duplicates("key")["label"]))
    return words.labels.term("figure", "illustrative_some", labels=names)
