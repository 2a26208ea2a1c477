"""Reasons of non-use: why people trained do not put it into practice."""

from __future__ import annotations

import pandas as pd

from analysis.chapters.data import Data, cuts, shares

CHAPTER = "non_use"


def estimates(data: Data) -> list[pd.DataFrame]:
    """Shares of the reasons of non-use."""
    question = data.study.roles.non_use_reason
    return (shares(data, CHAPTER, question) if question else []) + cuts(data, CHAPTER)
