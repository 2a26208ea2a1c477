"""Satisfaction: overall, by status, by hours of training, and its reasons on both sides."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.chapters.data import Data, cuts, shares
from analysis.stats.ordered import (
    binary_logit,
    gamma,
    permutation_trend,
    proportional_odds,
    proportional_odds_assumption,
    somers_d,
)
from analysis.stats.trend import Outcome, chi_square, cochran_armitage, linear_by_linear

CHAPTER = "satisfaction"
DRAWS = 9999
# Below this p value one odds ratio for every answer is not believed.
DOUBT = 0.05


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
        rows += [row(data, roles.hours, outcome) for outcome in over_hours(data, roles.hours)]
    if roles.status:
        rows.append(row(data, roles.status, chi_square(crossed(data, roles.status))))
    return rows


def over_hours(data: Data, hours: str) -> list[Outcome]:
    """Trend, rank association and odds of satisfaction over ordered bands of hours."""
    table, seed = crossed(data, hours), data.study.definition.seed
    if len(table) < 2:
        return []  # one band is no order to test
    outcomes = [linear_by_linear(table), permutation_trend(table, draws=DRAWS, seed=seed)]
    split = None
    if data.study.roles.satisfied:
        split = satisfied_or_not(data, table)
        outcomes.append(cochran_armitage(split.iloc[:, 0], split.sum(axis=1)))
        outcomes.append(permutation_trend(split, "cochran_armitage", DRAWS, seed))
    return [*outcomes, gamma(table), somers_d(table), *odds(table, split)]


def odds(table: pd.DataFrame, split: pd.DataFrame | None) -> list[Outcome]:
    """Odds ratio from one band to the next, and the test of what it assumes.

    Where the model cannot be fitted or its assumption is doubtful, the odds of being satisfied,
    which assume nothing of the other answers, come beside it.
    """
    model, assumption = proportional_odds(table), proportional_odds_assumption(table)
    outcomes = [model] if assumption is None else [model, assumption]
    doubtful = assumption is not None and assumption.p_value < DOUBT
    if split is not None and (doubtful or np.isnan(model.statistic)):
        outcomes.append(binary_logit(split.iloc[:, ::-1]))
    return outcomes


def crossed(data: Data, by: str) -> pd.DataFrame:
    """Counts of satisfaction (columns, in order) by group (rows, in order), no empty row."""
    question = data.study.roles.satisfaction or ""
    frame = data.population(data.study.population_of(question))
    table = pd.crosstab(data.single(by, frame), data.single(question, frame), dropna=False)
    table = table.loc[table.index.notna(), table.columns.notna()]
    return table[table.sum(axis=1) > 0]


def satisfied_or_not(data: Data, table: pd.DataFrame) -> pd.DataFrame:
    """Counts of satisfied and of other answers (two columns) in each band."""
    roles = data.study.roles
    satisfied = table[data.sets(roles.satisfaction or "")[roles.satisfied or ""]].sum(axis=1)
    return pd.DataFrame({"satisfied": satisfied, "other": table.sum(axis=1) - satisfied})


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
