"""One module a chapter. Each makes the estimates its roles allow, from clean tables."""

from __future__ import annotations

from dataclasses import fields
from itertools import chain
from types import ModuleType

import pandas as pd

from analysis.chapters import (
    comments,
    consumption,
    general,
    learning,
    lists,
    motivations,
    non_use,
    offer,
    practice,
    profile,
    responses,
    satisfaction,
    skills,
)
from analysis.chapters.compare import compared, differences
from analysis.chapters.data import KEYS, Data
from analysis.stats.shares import COLUMNS
from analysis.stats.trend import Outcome

CHAPTERS: tuple[ModuleType, ...] = (
    responses,
    profile,
    learning,
    motivations,
    skills,
    satisfaction,
    practice,
    non_use,
    comments,
    general,
    consumption,
    lists,
    offer,
)
ESTIMATE_COLUMNS = KEYS + [column for column in COLUMNS if column not in KEYS]
LARGEST = "largest"
TEST_COLUMNS = [
    "chapter", "table", "population", "variable", "by",
    *(field.name for field in fields(Outcome)),
]  # fmt: skip
MEASURE_COLUMNS = [
    *KEYS, "base_kind", "measure", "base_n", "value", "low", "high", "method",
]  # fmt: skip


def estimate(data: Data) -> pd.DataFrame:
    """Every estimate of the study, chapter after chapter (columns: names, then numbers; LARGEST,
    which never leaves the gate, where amounts have contributors)."""
    tables = [table for chapter in CHAPTERS for table in chapter.estimates(data)]
    if not tables:
        return pd.DataFrame(columns=ESTIMATE_COLUMNS)
    found = pd.concat(tables, ignore_index=True)
    return found[[*ESTIMATE_COLUMNS, *({LARGEST} & set(found))]]


def test(data: Data) -> pd.DataFrame:
    """Every test of the study, chapter after chapter: a chapter's own, then those of the tables
    that study.yml asks for."""
    rows = [
        row
        for chapter in CHAPTERS
        for row in [
            *(chapter.tests(data) if hasattr(chapter, "tests") else []),
            *compared(data, chapter.CHAPTER),
        ]
    ]
    return pd.DataFrame(rows, columns=TEST_COLUMNS)


def measure(data: Data, estimates: pd.DataFrame) -> pd.DataFrame:
    """Every measure that is no share: those of each chapter, and how far the groups of the
    estimates are apart."""
    own = [chapter.measures(data) for chapter in CHAPTERS if hasattr(chapter, "measures")]
    tables = [*chain.from_iterable(own), *differences(data, estimates)]
    if not tables:
        return pd.DataFrame(columns=MEASURE_COLUMNS)
    # Tables of a study that has nothing to measure are empty, some of them without columns.
    return pd.concat(tables, ignore_index=True).reindex(columns=MEASURE_COLUMNS)
