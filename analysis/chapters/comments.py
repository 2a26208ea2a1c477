"""Free comments: how many, and the themes they were coded with. Their text stays here."""

from __future__ import annotations

import pandas as pd

from analysis.chapters.data import Data, cuts, shares
from analysis.chapters.responses import answered

CHAPTER = "comments"


def estimates(data: Data) -> list[pd.DataFrame]:
    """Number of comments, and shares of themes among the comments coded."""
    roles = data.study.roles
    tables: list[pd.DataFrame] = []
    if roles.comment:
        tables.append(answered(data, CHAPTER, roles.comment))
    if roles.comment_theme:
        tables += shares(data, CHAPTER, roles.comment_theme)
    return tables + cuts(data, CHAPTER)
