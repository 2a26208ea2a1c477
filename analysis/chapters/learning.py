"""How people learn: settings and hours of training, providers, learning outside training."""

from __future__ import annotations

import pandas as pd

from analysis.chapters.data import Data, cuts, shares
from analysis.chapters.responses import answered

CHAPTER = "learning"


def estimates(data: Data) -> list[pd.DataFrame]:
    """Shares of settings, hours and informal learning (also by status), and providers named."""
    roles = data.study.roles
    tables = []
    for question in (roles.settings, roles.hours, roles.informal_learning):
        if question:
            tables += shares(data, CHAPTER, question)
    if roles.provider:
        tables.append(answered(data, CHAPTER, roles.provider))
    if roles.informal_learning and roles.status:
        tables += shares(data, CHAPTER, roles.informal_learning, by=roles.status)
    return tables + cuts(data, CHAPTER)
