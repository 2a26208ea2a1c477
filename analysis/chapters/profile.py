"""Who answered: one table a profile question."""

from __future__ import annotations

import pandas as pd

from analysis.chapters.data import Data, cuts, shares

CHAPTER = "profile"


def estimates(data: Data) -> list[pd.DataFrame]:
    """Shares of each profile question, and the cuts study.yml asks for."""
    tables = [t for question in data.study.roles.profile for t in shares(data, CHAPTER, question)]
    return tables + cuts(data, CHAPTER)
