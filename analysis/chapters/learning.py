"""How people learn: settings and hours of training, providers, learning outside training."""

from __future__ import annotations

import pandas as pd

from analysis.chapters import compare
from analysis.chapters.data import Data, cuts, shares
from analysis.chapters.responses import answered

CHAPTER = "learning"


def estimates(data: Data) -> list[pd.DataFrame]:
    """Shares of settings, hours and informal learning, and providers named.

    Settings and informal learning also by status.
    """
    roles = data.study.roles
    tables = []
    for question in (roles.settings, roles.hours, roles.informal_learning):
        if question:
            tables += shares(data, CHAPTER, question)
    if roles.provider:
        tables.append(answered(data, CHAPTER, roles.provider))
    for question in (roles.settings, roles.informal_learning):
        if question and roles.status:
            tables += shares(data, CHAPTER, question, by=roles.status)
    return tables + cuts(data, CHAPTER)


def tests(data: Data) -> list[dict]:
    """Whether settings and informal learning depend on status."""
    roles = data.study.roles
    questions = (roles.settings, roles.informal_learning)
    return [row for name in questions for row in compare.tests(data, CHAPTER, name, roles.status)]
