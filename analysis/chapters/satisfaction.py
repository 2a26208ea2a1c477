"""Satisfaction: overall, by status, by hours of training, and its reasons on both sides."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.chapters import compare
from analysis.chapters.data import Data, cuts, names, shares
from analysis.stats.ordered import (
    binary_logit,
    exact_trend,
    gamma,
    predicted_shares,
    proportional_odds,
    proportional_odds_assumption,
    somers_d,
)
from analysis.stats.trend import Outcome, cochran_armitage, linear_by_linear

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
    """Trend of satisfaction over bands of hours, and whether it depends on status."""
    roles = data.study.roles
    if not roles.satisfaction:
        return []
    rows = []
    if roles.hours:
        named = names(data, CHAPTER, roles.satisfaction, by=roles.hours)
        rows = [named | vars(outcome) for outcome in over_hours(data, roles.hours)]
    return rows + compare.tests(data, CHAPTER, roles.satisfaction, roles.status)


def measures(data: Data) -> list[pd.DataFrame]:
    """Shares of each answer by band of hours, as the proportional-odds model smooths them.

    None under a survey design, for which the model is not fitted.
    """
    roles = data.study.roles
    if not (roles.satisfaction and roles.hours) or data.sample is not None:
        return []
    table = compare.crossed(data, roles.satisfaction, roles.hours)
    named = names(data, CHAPTER, roles.satisfaction, by=roles.hours)
    if min(table.shape) < 2:
        return []
    found = predicted_shares(table).rename(
        columns={"answer": "category", "band": "by_category", "share": "value"}
        | {"share_low": "low", "share_high": "high"}
    )
    found["base_n"] = found["by_category"].map(table.sum(axis=1)).astype(int)
    named |= {"base_kind": "respondents", "measure": "predicted_share"}
    return [found.assign(**named, method="proportional_odds")]


def over_hours(data: Data, hours: str) -> list[Outcome]:
    """Trend, rank association and odds of satisfaction over ordered bands of hours."""
    question = data.study.roles.satisfaction or ""
    table, seed = compare.crossed(data, question, hours), data.study.definition.seed
    if min(table.shape) < 2:
        return []  # one band, or one answer, is no order to test
    if data.sample is not None:
        return over_hours_designed(data, hours)
    split = satisfied_or_not(data, table) if data.study.roles.satisfied else None
    outcomes = [linear_by_linear(table), exact_trend(table, draws=DRAWS, seed=seed)]
    if split is not None:
        outcomes.append(cochran_armitage(split.iloc[:, 0], split.sum(axis=1)))
        outcomes.append(exact_trend(split, "cochran_armitage", draws=DRAWS, seed=seed))
    return [*outcomes, gamma(table), somers_d(table), *odds(table, split)]


def over_hours_designed(data: Data, hours: str) -> list[Outcome]:
    """The same under a survey design: trends and rank association, by linearised errors."""
    from analysis.chapters import designed  # noqa: PLC0415 (as in compare)
    from analysis.stats.design_tests import trend  # noqa: PLC0415

    roles = data.study.roles
    question = roles.satisfaction or ""
    population = data.study.population_of(question)
    outcomes = designed.tests(data, question, hours, population)
    if roles.satisfied and outcomes:
        satisfied = data.sets(question)[roles.satisfied]
        every = data.given(question, population).columns
        sets = {"other": [a for a in every if a not in satisfied], "satisfied": satisfied}
        table = designed.crossed(data, question, hours, population, sets)
        if table.shares.shape[1] == 2:  # else all are satisfied, or none
            outcomes.append(trend(table))
    return outcomes


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


def satisfied_or_not(data: Data, table: pd.DataFrame) -> pd.DataFrame:
    """Counts of satisfied and of other answers (two columns) in each band."""
    roles = data.study.roles
    members = data.sets(roles.satisfaction or "")[roles.satisfied or ""]
    satisfied = table.reindex(columns=members, fill_value=0).sum(axis=1)
    return pd.DataFrame({"satisfied": satisfied, "other": table.sum(axis=1) - satisfied})
