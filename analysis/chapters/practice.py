"""Putting into practice: how often, and with what benefits."""

from __future__ import annotations

import pandas as pd

from analysis.chapters.data import Data, cuts, shares

CHAPTER = "practice"


def estimates(data: Data) -> list[pd.DataFrame]:
    """Shares of practice and of its benefits."""
    roles = data.study.roles
    tables: list[pd.DataFrame] = []
    for question in (roles.practice, roles.practice_benefit):
        if question:
            tables += shares(data, CHAPTER, question)
    return tables + cuts(data, CHAPTER)
