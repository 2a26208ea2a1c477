"""Tables of training consumption: volumes by group, growth, concentration, and what rules say of
titles.

Each maker reads the results and returns a Table, or None where the study has nothing of the kind.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pandas as pd

from analysis.display.charts import records
from analysis.display.labels import Labels
from analysis.display.measured import Table
from analysis.display.results import measured, read_titles
from analysis.display.rows import Sources

CHAPTER = "consumption"
KINDS = ("actions", "people", "trainings", "hours", "cost")
# What volumes are shown by after the years and the columns of study.yml.
LAST = ("provider", "ai", "ai_kind", "ai_scope", "ai_level")
# Rules and titles on a page; the download holds them all.
RULES, TITLES = 40, 20


def volumes(sources: Sources) -> Table | None:
    """Actions, people, trainings, hours and cost of each group."""
    spec = sources.study.roles.consumption
    return _volumes(sources, ("year", *(spec.by if spec else ()), *LAST))


def volumes_by_month(sources: Sources) -> Table | None:
    """The same of each month."""
    return _volumes(sources, ("month",))


def _volumes(sources: Sources, variables: tuple[str, ...]) -> Table | None:
    labels, rows = sources.labels, _own(sources)
    rows = rows[(rows["by"] == "") & rows["base_kind"].isin(KINDS)]
    # Of an extract that has no more than actions, figures say it all.
    if not (rows["variable"] == "year").any():
        return None
    there = [kind for kind in KINDS if (rows["base_kind"] == kind).any()]
    body, sections = [], []
    for variable in dict.fromkeys(variables):
        table = rows[rows["variable"] == variable]
        for category, cells in table.groupby("category", sort=False):
            count = cells.drop_duplicates("base_kind").set_index("base_kind")["count"]
            name = labels.answer(variable, str(category), str(cells["population"].iloc[0]))
            body.append([name, *(_number(labels, count.get(kind)) for kind in there)])
            sections.append(labels.variable(variable))
    heads = [labels.term("columns", "series")]
    heads += [labels.term("volumes", kind) for kind in there]
    return Table(heads, body, sections=sections)


def _number(labels: Labels, value: Any) -> str:
    known = value is not None and not math.isnan(value)
    return labels.formats.number(float(value)) if known else labels.formats.missing


def growths(sources: Sources) -> Table | None:
    """Growth of each volume on the year before, with its interval where the extract is a sample."""
    labels = sources.labels
    found = measured(sources.results.measures, "growth")
    found = found[(found["variable"] == "year") & (found["by"] == "")]
    there = [kind for kind in KINDS if (found["base_kind"] == kind).any()]
    body = []
    for year, rows in found.groupby("category", sort=False):
        cell = {row.base_kind: row for row in records(rows)}
        body.append([str(year), *(_growth(labels, cell.get(kind)) for kind in there)])
    heads = [labels.variable("year"), *(labels.term("volumes", kind) for kind in there)]
    return Table(heads, body)


def _growth(labels: Labels, row: Any) -> str:
    if row is None:
        return labels.formats.missing
    value, low, high = (getattr(row, name) for name in ("value", "low", "high"))
    return labels.formats.with_ends(*map(labels.formats.percent, (value, low, high)))


def concentration(sources: Sources) -> Table | None:
    """Providers, the actions of the first ten, and the Gini index of each volume."""
    labels, formats, rows = sources.labels, sources.labels.formats, _own(sources)
    found = rows[rows["variable"] == "provider_concentration"]
    body = [
        [
            labels.answer(row.variable, row.category),
            formats.number(row.count)
            if row.base_kind == "providers"
            else f"{formats.percent(row.share)} ({formats.fraction(row.count, row.base_n)})",
        ]
        for row in records(found)
    ]
    for row in records(measured(sources.results.measures, "gini")):
        name = labels.term("volumes", "gini", what=labels.term("volumes", row.base_kind))
        body.append([name, formats.number(row.value, 2)])
    return Table([labels.term("columns", name) for name in ("part", "held")], body)


def rules(sources: Sources) -> Table | None:
    """What each rule matches, those of most actions first, with examples."""
    labels, titles = sources.labels, _titles(sources)
    titles = titles[titles["rule"] != ""]
    if titles.empty:
        return None
    order = titles.drop_duplicates("rule").sort_values("actions", ascending=False, kind="stable")
    body = []
    for row in records(order.head(RULES)):
        shown = titles[(titles["rule"] == row.rule) & (titles["title"] != "")]
        levels = dict.fromkeys(labels.answer("ai_level", level) for level in shown["level"])
        body.append(
            [
                f"{row.rule} · {row.pattern}",
                # Beside its rule, where a phone shows it without being pushed aside.
                " · ".join(shown["title"]),
                ", ".join(labels.term("ai_classes", name) for name in row.classes.split()),
                ", ".join(levels),
                labels.formats.number(row.trainings),
                labels.formats.number(row.actions),
            ]
        )
    heads = [labels.term("columns", name) for name in ("rule", "examples", "classes", "level")]
    heads += [labels.term("volumes", name) for name in ("trainings", "actions")]
    return Table(heads, body, (0, 1, 2, 3))


def unmatched(sources: Sources) -> Table | None:
    """Frequent titles that no rule says are about AI."""
    labels, titles = sources.labels, _titles(sources)
    body = [
        [row.title, labels.formats.number(row.actions)]
        for row in records(titles[titles["rule"] == ""].head(TITLES))
    ]
    return Table([labels.variable("title"), labels.term("volumes", "actions")], body)


def quality(sources: Sources) -> Table | None:
    """Precision and recall of the rules by class, on the labelled sample."""
    labels, formats = sources.labels, sources.labels.formats
    found = measured(sources.results.measures, "precision", "recall")
    body, sections = [], []
    for (variable, category), rows in found.groupby(["variable", "category"], sort=False):
        cell = {row.measure: row for row in records(rows)}
        told = [cell.get(name) for name in ("precision", "recall")]
        shares = [
            formats.missing
            if row is None or row.value != row.value
            else f"{formats.percent(row.value)} ({formats.number(row.base_n)})"
            for row in told
        ]
        body.append([labels.answer(str(variable), str(category)), *shares])
        sections.append(labels.variable(str(variable)))
    heads = [labels.term("columns", name) for name in ("series", "precision", "recall")]
    return Table(heads, body, sections=sections)


def _titles(sources: Sources) -> pd.DataFrame:
    return read_titles(sources.study.paths.results)


def _own(sources: Sources) -> pd.DataFrame:
    rows = sources.results.estimates
    return rows[rows["chapter"] == CHAPTER]


MAKERS: dict[str, Callable[[Sources], Table | None]] = {
    "volumes": volumes,
    "volumes_by_month": volumes_by_month,
    "growths": growths,
    "concentration": concentration,
    "title_rules": rules,
    "titles_unmatched": unmatched,
    "title_quality": quality,
}
