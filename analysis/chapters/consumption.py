"""Training consumption: a complete count of actions, so shares without sampling intervals.

The tables are written once, in Ibis, and run in whatever engine holds the rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis.chapters.data import Data, label
from analysis.definition import Band, Consumption
from analysis.stats.shares import LARGEST, Shares, mean_row, total

if TYPE_CHECKING:
    from ibis.expr import types as ir

    from analysis.chapters.extract import Extract

CHAPTER, SOURCE = "consumption", "actions"
ACTIONS = Shares("actions", sample=False)
TRAININGS = Shares("trainings", sample=False)


def estimates(data: Data) -> list[pd.DataFrame]:
    """Counts, lengths and breakdowns of training actions, and of distinct trainings; with a column
    of people, providers or costs also what these add up to (see `consumed`)."""
    spec = data.study.roles.consumption
    if spec is None or SOURCE not in data.tables:
        return []
    extract = data.extract(SOURCE)
    tables = [*volumes(extract, spec), mean_hours(extract, spec), *durations(data, extract, spec)]
    tables += [shares(data, extract, column, spec) for column in spec.by]
    tables.append(months(extract, spec))
    if extract.volumes is not None:
        from analysis.chapters import consumed  # noqa: PLC0415 - slow to import

        tables += consumed.estimates(extract.volumes)
    return tables


def measures(data: Data) -> list[pd.DataFrame]:
    """Growth from year to year, and how concentrated providers are."""
    if data.study.roles.consumption is None or SOURCE not in data.tables:
        return []
    volumes = data.extract(SOURCE).volumes
    if volumes is None:
        return []
    from analysis.chapters import consumed  # noqa: PLC0415 - slow to import

    return consumed.measures(volumes)


def titles(data: Data, least: int) -> pd.DataFrame:
    """What rules say of titles of at least so many actions, for people to judge (see
    `Matches.examples`); empty without."""
    spec = data.study.roles.consumption
    if spec is None or not spec.ai or SOURCE not in data.tables:
        return pd.DataFrame()
    found = data.extract(SOURCE).volumes
    return pd.DataFrame() if found is None else found.matches.examples(least)


def volumes(extract: Extract, spec: Consumption) -> list[pd.DataFrame]:
    """Number of actions in each population, and of distinct trainings in the widest."""
    from analysis.chapters.extract import fetched  # noqa: PLC0415

    inside = {name: extract.inside(name) for name in spec.counts}
    counts = {f"n{at}": _count(extract.table, inside[name]) for at, name in enumerate(inside)}
    found = fetched(extract.table.agg(**counts, everything=extract.table.count())).iloc[0]
    rows = [
        label(
            total("actions", int(found[f"n{at}"]), int(found["everything"]), "actions"),
            CHAPTER,
            "actions",
            name,
        )
        for at, name in enumerate(spec.counts)
    ]
    titles = extract.titles(spec.counts[0], spec.title, spec.hours)
    trainings = int(titles.count().to_pyarrow().as_py())
    row = total("trainings", trainings, trainings, "trainings")
    return [*rows, label(row, CHAPTER, "trainings", spec.counts[0])]


def _count(table: ir.Table, inside: ir.BooleanValue | None) -> ir.IntegerScalar:
    return table.count() if inside is None else table.count(where=inside)


def mean_hours(extract: Extract, spec: Consumption) -> pd.DataFrame:
    """Mean length of an action: `count` is the total of hours."""
    from analysis.chapters.extract import amount, fetched  # noqa: PLC0415

    table = extract.population(spec.actions)
    hours = table[spec.hours]
    found = fetched(table.agg(sum=amount(hours).sum(), times=hours.count())).iloc[0]
    hours_in_all = 0.0 if pd.isna(found["sum"]) else float(found["sum"])
    largest = fetched(table.select(hours=hours).order_by(hours.desc()).limit(LARGEST))["hours"]
    known = largest.dropna().astype(float).tolist()
    row = mean_row("mean", hours_in_all, int(found["times"]), "actions", known)
    return label(row, CHAPTER, "duration_hours", spec.actions)


def banded(hours: ir.NumericValue, bands: list[Band]) -> ir.StringValue:
    """Hours put into the bands of study.yml, each closed below and open above."""
    import ibis  # noqa: PLC0415

    cases: list[tuple[Any, str | None]] = [(hours < 0, None)]
    cases += [(hours < band.below, band.name) for band in bands if band.below is not None]
    last = next((band.name for band in bands if band.below is None), None)
    cases.append((hours.notnull(), last))
    return ibis.cases(*cases, else_=None).cast("string")


def durations(data: Data, extract: Extract, spec: Consumption) -> list[pd.DataFrame]:
    """Actions by length, and trainings by the mean length of their actions."""
    from analysis.chapters.extract import counted  # noqa: PLC0415

    bands = data.study.definition.duration_bands
    names = [band.name for band in bands]
    actions = extract.population(spec.actions)
    titles = extract.titles(spec.trainings, spec.title, spec.hours)
    means = titles["hours"].cast("float64") / titles["lengths"].nullif(0)
    found = [
        ("duration_band", spec.actions, ACTIONS, actions, actions[spec.hours]),
        ("mean_duration_band", spec.trainings, TRAININGS, titles, means),
    ]
    return [
        label(
            how.counted(counted(table, banded(values, bands), names), data.sets(name)),
            CHAPTER, name, population,
        )
        for name, population, how, table, values in found
    ]  # fmt: skip


def shares(data: Data, extract: Extract, column: str, spec: Consumption) -> pd.DataFrame:
    """Actions by one column of the extract."""
    from analysis.chapters.extract import counted  # noqa: PLC0415

    counts = counted(extract.population(spec.actions), column, extract.answers(column))
    return label(ACTIONS.counted(counts, data.sets(column)), CHAPTER, column, spec.actions)


def months(extract: Extract, spec: Consumption) -> pd.DataFrame:
    """Actions by month of their start, every month between the first and the last."""
    from analysis.chapters.extract import fetched  # noqa: PLC0415

    table = extract.population(spec.actions)
    start = table[spec.date]
    found = fetched(
        table.filter(start.notnull())
        .group_by(month=start.year() * 12 + start.month() - 1)
        .agg(times=lambda rows: rows.count())
    )
    times = {int(month): int(n) for month, n in zip(found["month"], found["times"], strict=True)}
    every = range(min(times), max(times) + 1) if times else range(0)
    counts = {f"{month // 12:04d}-{month % 12 + 1:02d}": times.get(month, 0) for month in every}
    return label(ACTIONS.counted(counts), CHAPTER, "month", spec.actions)
