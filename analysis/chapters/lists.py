"""Lists that a study counts whole beside its survey, one row a trainee, a company, a course…"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from analysis.chapters.data import Data, label, shares
from analysis.stats.shares import Shares, total

CHAPTER = "lists"
# How estimates are named whose number of rows was assumed, not counted.
ASSUMED = "assumed"


@dataclass(frozen=True)
class Listed:
    """A population that is a list, or a part of one."""

    population: str
    source: str
    whole: bool
    method: str


def estimates(data: Data) -> list[pd.DataFrame]:
    """Size of each population of a list, shares of each column of whole lists, and the cuts that
    study.yml asks for."""
    listed = populations(data)
    tables = [table for one in listed.values() for table in _one(data, one)]
    for cut in data.study.definition.tables.get(CHAPTER, []):
        one = listed[cut.population]
        how = Shares(one.source, sample=False)
        found = shares(data, CHAPTER, cut.variable, cut.population, cut.by, how)
        tables += [table.assign(method=one.method) for table in found]
    return tables


def populations(data: Data) -> dict[str, Listed]:
    """Populations of lists by name, in the order of study.yml."""
    definition = data.study.definition
    lists = definition.sources.lists
    return {
        name: Listed(name, population.source, population.where == "true()",
                     ASSUMED if lists[population.source].assumed else "count")
        for name, population in definition.populations.items()
        if population.source in lists
    }  # fmt: skip


def _one(data: Data, one: Listed) -> list[pd.DataFrame]:
    everything, size = len(data.tables[one.source]), len(data.population(one.population))
    row = total(one.source, size, everything, one.source)
    tables = [label(row, CHAPTER, one.source, one.population)]
    if one.whole:
        how = Shares(one.source, sample=False)
        columns = data.study.definition.sources.lists[one.source].columns
        for name in (name for name, column in columns.items() if column.answers):
            tables += shares(data, CHAPTER, name, one.population, how=how)
    return [table.assign(method=one.method) for table in tables]
