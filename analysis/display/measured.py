"""Tables of what is no share: ranks, reliability, answers that go together, agreement of coders,
predicted shares, and what becomes of those who leave before the end.

Each maker reads the results and returns a Table, or None where the study has nothing of the kind.
A number that rests on reconstructed answers alone says so beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd

from analysis.display.charts import records
from analysis.display.labels import Labels
from analysis.display.results import measured
from analysis.display.rows import Sources, items_of, table_of, told_apart
from analysis.display.tables import marked, points, scrolled, table_html

# Pairs of answers shown a question, the strongest first; the download holds them all.
PAIRS = 10
CELL = ["population", "variable", "category", "by", "by_category"]


@dataclass(frozen=True)
class Table:
    """Heads and cells, all plain text. words: columns that hold no number. sections: what each
    row is about, where rows are of several questions."""

    head: Sequence[str]
    body: Sequence[Sequence[str]]
    words: Sequence[int] = (0,)
    sections: Sequence[str] = ()

    def html(self, labels: Labels, name: str, caption: str) -> str:
        """The table in a box that scrolls, and what must be known to read it."""
        numeric = [n for n in range(len(self.head)) if n not in self.words]
        table = table_html(self.head, self.body, caption, numeric, sections=self.sections)
        note = escape(labels.term("table_notes", name))
        return f'{scrolled(table)}<p class="note">{note}</p>'


def table(
    maker: Callable[[Sources], Table | None], name: str, sources: Sources, caption: str
) -> str:  # fmt: skip
    """A table as HTML, with the note of its name, or "" where the study has nothing for it."""
    made = maker(sources)
    return made.html(sources.labels, name, caption) if made is not None and made.body else ""


def ranking(sources: Sources) -> Table | None:
    """Items of the battery by rank, with net agreement and polarisation, in that order."""
    labels, names = sources.labels, ("rank", "net_agreement", "polarisation")
    found = measured(sources.results.measures, *names)
    found = found[found["by"] == ""]
    by_item = {(row.variable, row.measure): row for row in records(found)}
    first = found[found["measure"] == "rank"].sort_values("value", kind="stable")
    body = [
        [
            labels.variable(row.variable),
            marked(rank, row.evidence, labels),
            _points(by_item.get((row.variable, "net_agreement")), labels),
            _score(by_item.get((row.variable, "polarisation")), labels),
            labels.formats.number(row.base_n),
        ]
        for row in records(first)
        for rank in [labels.formats.with_ends(*map(labels.formats.rank, _three(row)))]
    ]
    return Table(_heads(labels, "item", *names, "base_n"), body)


def reliability(sources: Sources) -> Table | None:
    """How far the items of each expectation go together: alpha and omega."""
    labels, names = sources.labels, ("cronbach_alpha", "mcdonald_omega")
    sizes = {group: len(items) for group, items in items_of(sources).items()}
    found = measured(sources.results.measures, *names)
    body = [
        [
            _named(labels.answer(str(variable), str(category)), rows, labels),
            labels.formats.number(sizes.get(str(category))),
            *_scores(rows, names, labels),
            labels.formats.number(rows["base_n"].max()),
        ]
        for (variable, category), rows in found.groupby(["variable", "category"], sort=False)
    ]
    return Table(_heads(labels, "expectation", "items", *names, "n"), body)


def pairs(sources: Sources) -> Table | None:
    """Answers given by the same people more often than if one said nothing of the other.

    What rests on reconstructed answers is not shown: pairs are no one's finding there.
    """
    labels = sources.labels
    found = measured(sources.results.measures, "lift")
    found = found[(found["evidence"] != "illustrative") & found["value"].notna()]
    strongest = [
        row
        for _, rows in found.groupby(["variable", "population"], sort=False)
        for row in records(rows.sort_values("value", ascending=False, kind="stable").head(PAIRS))
    ]
    body = [
        [
            labels.answer(row.variable, row.category, row.population),
            labels.answer(row.variable, row.by_category, row.population),
            labels.formats.with_ends(*(labels.formats.number(end, 2) for end in _three(row))),
            labels.formats.number(row.base_n),
        ]
        for row in strongest
    ]
    questions = [labels.variable(row.variable, row.population) for row in strongest]
    return Table(_heads(labels, "label", "second_answer", "lift", "n"), body, (0, 1), questions)


def agreement(sources: Sources) -> Table | None:
    """How far two coders of the comments agree, over all themes and theme by theme."""
    labels, names = sources.labels, ("cohen_kappa", "krippendorff_alpha")
    found = measured(sources.results.measures, *names)
    body = [
        [
            _named(
                labels.answer(str(variable), str(theme))
                if theme
                else labels.term("figure", "themes"),
                rows,
                labels,
            ),
            *_scores(rows, names, labels),
            labels.formats.number(rows["base_n"].max()),
        ]
        for (variable, theme), rows in found.groupby(["variable", "category"], sort=False)
    ]
    return Table(_heads(labels, "theme", *names, "comments"), body)


def partials(sources: Sources) -> Table | None:
    """Headline shares with the partial responses that were kept, and without them."""
    labels, formats = sources.labels, sources.labels.formats
    found = measured(sources.results.measures, "partials_difference")
    body, questions = [], []
    for row in records(found):
        cells = table_of(sources, row.variable, row.population)
        share = cells.loc[cells["category"] == row.category, "share"]
        if len(share) != 1:
            continue
        kept = float(share.iloc[0])
        questions.append(labels.variable(row.variable, row.population))
        body.append(
            [
                labels.answer(row.variable, row.category, row.population),
                formats.percent(kept, 1),
                formats.percent(kept - row.value, 1),
                marked(_points(row, labels, 1), row.evidence, labels),
            ]
        )
    heads = _heads(labels, "label", "with_partials", "without_partials", "gap")
    return Table(heads, body, sections=questions)


def drop_out(sources: Sources) -> Table | None:
    """Along the questionnaire: who was asked, who went on without an answer, who left before."""
    labels, estimates = sources.labels, sources.results.estimates
    skipped = estimates[estimates["variable"] == "item_nonresponse"]
    left = estimates[estimates["variable"] == "left_before"]
    shown = skipped if not skipped.empty else left
    names = shown.assign(
        key=shown["category"],
        label=[labels.answer("question_base", name) for name in shown["category"]],
    )
    lines = told_apart(names, sources)
    cells = {(row.variable, row.category): row for row in records(pd.concat([skipped, left]))}
    body = [
        [
            f"{row.label} ({row.tag})" if row.tag else row.label,
            labels.formats.number(_value(cells.get(("item_nonresponse", row.key)), "base_n")),
            *(
                _marked_people(cells.get((name, row.key)), labels)
                for name in ("item_nonresponse", "left_before")
            ),
        ]
        for row in records(lines)
    ]
    return Table(_heads(labels, "question", "asked", "no_answer", "left_before"), body)


def leavers(sources: Sources) -> Table | None:
    """What is known of those who left, beside those who went to the end."""
    labels, estimates = sources.labels, sources.results.estimates
    rows = estimates[estimates["by"] == "completion"]
    gaps = measured(sources.results.measures, "difference")
    gap = {row[:5]: row for row in records(gaps[[*CELL, "value", "low", "high", "evidence"]])}
    body, questions = [], []
    keys = ["variable", "population", "category"]
    for (variable, population, category), found in rows.groupby(keys, sort=False):
        cell = {row.by_category: row for row in records(found)}
        questions.append(labels.variable(str(variable), str(population)))
        left, stayed = cell.get("partial"), cell.get("complete")
        apart = gap.get((population, variable, category, "completion", "partial"))
        body.append(
            [
                _named(labels.answer(str(variable), str(category), str(population)), found, labels),
                _people(stayed, labels),
                _people(left, labels),
                _points(apart, labels),
                _weakest([stayed, left], labels),
            ]
        )
    heads = _heads(labels, "label", "complete", "partial", "gap", "verdict")
    if not any(row[-1] for row in body):
        heads, body = heads[:-1], [row[:-1] for row in body]
    return Table(heads, body, (0, 4), questions)


def predicted(sources: Sources) -> Table | None:
    """Shares of each answer that the model of ordered answers predicts for each band."""
    labels, formats = sources.labels, sources.labels.formats
    found = measured(sources.results.measures, "predicted_share")
    if found.empty:
        return None
    variable, by = found["variable"].iloc[0], found["by"].iloc[0]
    population = found["population"].iloc[0]
    found = found[(found["variable"] == variable) & (found["by"] == by)]
    answers = list(found["category"].drop_duplicates())
    body = []
    for band, rows in found.groupby("by_category", sort=False):
        cell = {row.category: row for row in records(rows)}
        shares = [_three(cell[name]) if name in cell else (None,) * 3 for name in answers]
        body.append(
            [
                _named(labels.answer(by, str(band)), rows, labels),
                *(formats.with_ends(*map(formats.percent, three)) for three in shares),
            ]
        )
    head = _heads(labels, "series")
    head += [labels.answer(variable, answer, population) for answer in answers]
    return Table(head, body)


def _heads(labels: Labels, *names: str) -> list[str]:
    return [labels.term("columns", name) for name in names]


def _three(row: Any) -> tuple[float, float, float]:
    return row.value, row.low, row.high


def _value(row: Any, name: str) -> float | None:
    return None if row is None else float(getattr(row, name))


def _points(row: Any, labels: Labels, decimals: int = 0) -> str:
    """A difference of shares in points, or nothing."""
    return "" if row is None else points(labels, *_three(row), decimals)


def _score(row: Any, labels: Labels) -> str:
    """A measure between 0 and 1 with its interval, or nothing."""
    if row is None:
        return ""
    formats = labels.formats
    text = formats.with_ends(*(formats.number(value, 2) for value in _three(row)))
    return marked(text, row.evidence, labels)


def _scores(rows: pd.DataFrame, names: Sequence[str], labels: Labels) -> list[str]:
    """Measures of a line, each with its mark unless the whole line carries it."""
    found = {row.measure: row for row in records(rows if not _made_up(rows) else _plain(rows))}
    return [_score(found.get(name), labels) for name in names]


def _made_up(rows: pd.DataFrame) -> bool:
    """Whether everything a line says rests on reconstructed answers alone."""
    return bool((rows["evidence"] == "illustrative").all())


def _plain(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(evidence="")


def _named(label: str, rows: pd.DataFrame, labels: Labels) -> str:
    """The name of a line, with a mark where everything it says is illustrative."""
    return marked(label, "illustrative", labels) if _made_up(rows) else label


def _people(row: Any, labels: Labels) -> str:
    """A share with its count and base: 35 % (22 sur 63)."""
    if row is None:
        return ""
    formats = labels.formats
    if row.share != row.share:
        return formats.missing
    return f"{formats.percent(row.share)} ({formats.fraction(row.count, row.base_n)})"


def _marked_people(row: Any, labels: Labels) -> str:
    return "" if row is None else marked(_people(row, labels), row.evidence, labels)


def _weakest(cells: Sequence[Any], labels: Labels) -> str:
    """The verdict of the cells of a line that are compared: that of the weakest, and why."""
    there = [cell for cell in cells if cell is not None]
    order = ["ok", "fragile", "suppressed"]
    worst = max(there, key=lambda cell: order.index(cell.verdict))
    return labels.verdict(worst.verdict, worst.reason)


MAKERS: dict[str, Callable[[Sources], Table | None]] = {
    "ranking": ranking,
    "reliability": reliability,
    "pairs": pairs,
    "agreement": agreement,
    "partials": partials,
    "drop_out": drop_out,
    "leavers": leavers,
    "predicted": predicted,
}
