"""The training on offer: institutions and programmes, listed whole."""

from __future__ import annotations

import pandas as pd

from analysis.chapters.data import Data, label, shares
from analysis.stats.shares import Shares, total

CHAPTER = "offer"
SOURCES = ("institutions", "programmes")


def estimates(data: Data) -> list[pd.DataFrame]:
    """Size of each list, shares of each of its columns, and the cuts study.yml asks for."""
    present = [source for source in SOURCES if source in data.tables]
    tables = [table for source in present for table in listed(data, source)]
    for cut in data.study.definition.tables.get(CHAPTER, []):
        how = Shares(cut.population, sample=False)
        tables += shares(data, CHAPTER, cut.variable, cut.population, cut.by, how)
    return tables


def listed(data: Data, source: str) -> list[pd.DataFrame]:
    """Tables of one list: its size, then every column with answers."""
    size, how = len(data.tables[source]), Shares(source, sample=False)
    tables = [label(total(source, size, size, source), CHAPTER, source, source)]
    columns = data.study.definition.sources.present()[source].columns
    for name, column in columns.items():
        if column.answers:
            tables += shares(data, CHAPTER, name, source, how=how)
    return tables
