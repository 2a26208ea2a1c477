"""Satisfaction: overall, by status, by hours of training, and its reasons on both sides."""

from __future__ import annotations

import pandas as pd

from analysis.chapters.data import Data, cuts, shares
from analysis.stats.trend import Outcome, chi_square, cochran_armitage, linear_by_linear

CHAPTER = "satisfaction"


def estimates(data: Data) -> list[pd.DataFrame]:
    """Shares of satisfaction in each group, and of the reasons given."""
    roles = data.study.roles
    tables: list[pd.DataFrame] = []
    if roles.satisfaction:
        tables += shares(data, CHAPTER, roles.satisfaction)
        for by in (roles.hours, roles.status):
            if by:
                tables += shares(data, CHAPTER, roles.satisfaction, by=by)
    for question in (roles.dissatisfaction_reason, roles.satisfaction_reason):
        if question:
            tables += shares(data, CHAPTER, question)
    return tables + cuts(data, CHAPTER)


def tests(data: Data) -> list[dict]:
    """Trend of satisfaction over bands of hours, and its association with status."""
    roles = data.study.roles
    if not roles.satisfaction:
        return []
    rows = []
    if roles.hours:
        table = crossed(data, roles.hours)
        rows.append(row(data, roles.hours, linear_by_linear(table)))
        if roles.satisfied:
            rows.append(row(data, roles.hours, share_trend(data, table)))
    if roles.status:
        rows.append(row(data, roles.status, chi_square(crossed(data, roles.status))))
    return rows


def crossed(data: Data, by: str) -> pd.DataFrame:
    """Counts of satisfaction (columns, in order) by group (rows, in order), no empty row."""
    question = data.study.roles.satisfaction or ""
    frame = data.population(data.study.population_of(question))
    table = pd.crosstab(data.single(by, frame), data.single(question, frame), dropna=False)
    table = table.loc[table.index.notna(), table.columns.notna()]
    return table[table.sum(axis=1) > 0]


def share_trend(data: Data, table: pd.DataFrame) -> Outcome:
    """Trend of the share satisfied over ordered bands."""
    roles = data.study.roles
    satisfied = data.sets(roles.satisfaction or "")[roles.satisfied or ""]
    return cochran_armitage(table[satisfied].sum(axis=1), table.sum(axis=1))


def row(data: Data, by: str, outcome: Outcome) -> dict:
    question = data.study.roles.satisfaction or ""
    return {
        "chapter": CHAPTER,
        "table": f"{question}_by_{by}",
        "population": data.study.population_of(question),
        "variable": question,
        "by": by,
        **vars(outcome),
    }
