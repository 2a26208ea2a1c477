"""One module a chapter. Each makes the estimates its roles allow, from clean tables."""

from __future__ import annotations

from dataclasses import fields
from types import ModuleType

import pandas as pd

from analysis.chapters import (
    comments,
    consumption,
    learning,
    motivations,
    non_use,
    offer,
    practice,
    profile,
    responses,
    satisfaction,
    skills,
)
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
    consumption,
    offer,
)
ESTIMATE_COLUMNS = KEYS + [column for column in COLUMNS if column not in KEYS]
TEST_COLUMNS = [
    "chapter", "table", "population", "variable", "by",
    *(field.name for field in fields(Outcome)),
]  # fmt: skip


def estimate(data: Data) -> pd.DataFrame:
    """Every estimate of the study, chapter after chapter (columns: names, then numbers)."""
    tables = [table for chapter in CHAPTERS for table in chapter.estimates(data)]
    if not tables:
        return pd.DataFrame(columns=ESTIMATE_COLUMNS)
    return pd.concat(tables, ignore_index=True)[ESTIMATE_COLUMNS]


def test(data: Data) -> pd.DataFrame:
    """Every test of the study, chapter after chapter."""
    rows = [row for chapter in CHAPTERS if hasattr(chapter, "tests") for row in chapter.tests(data)]
    return pd.DataFrame(rows, columns=TEST_COLUMNS)
