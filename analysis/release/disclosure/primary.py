"""Which numbers are withheld for themselves: small counts, small bases, amounts of a few."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from analysis.definition import Disclosure

# What is counted is listed for all to see, or is nobody.
OPEN = ["institutions", "programmes", "trainings"]
# A total of hours or scores is no number of people.
AMOUNTS = ["mean", "mean_score", "amount"]
LARGEST = "largest"
# What is no number of people or of actions, whatever the method.
UNITS = ["hours", "cost"]


def small(numbers: pd.Series, least: int) -> pd.Series:
    """Numbers from 1 to below the least: zero says that nobody is there to recognise."""
    return (numbers > 0) & (numbers < least)


def protects(rows: pd.DataFrame) -> pd.Series:
    """Rows that count people, or what one person or company did."""
    return ~rows["base_kind"].isin(OPEN)


def small_counts(rows: pd.DataFrame, rules: Disclosure) -> pd.Series:
    counts = ~rows["method"].isin(AMOUNTS)
    return protects(rows) & counts & small(rows["count"], rules.minimum_count)


def small_bases(rows: pd.DataFrame, rules: Disclosure) -> pd.Series:
    return protects(rows) & small(rows["base_n"], rules.minimum_base)


def dominated(rows: pd.DataFrame, rules: Disclosure) -> pd.Series:
    """Amounts that tell on their largest contributors.

    The column `largest`, where there is one, holds the largest contributions of people or companies
    to `count`, largest first.
    """
    if LARGEST not in rows:
        return pd.Series(False, index=rows.index)
    told = [
        isinstance(largest, Sequence) and tells(list(largest), total, rules)
        for largest, total in zip(rows[LARGEST], rows["count"], strict=True)
    ]
    return pd.Series(told, index=rows.index)


def untold(rows: pd.DataFrame) -> pd.Series:
    """Amounts of hours or cost whose largest contributions are not known: no rule can say whether
    they tell on someone."""
    amounts = rows["base_kind"].isin(UNITS)
    amounts |= (rows["method"] == "mean") & (rows["base_kind"] == "actions")
    known = rows[LARGEST].map(lambda of: isinstance(of, Sequence)) if LARGEST in rows else False
    return amounts & ~pd.Series(known, index=rows.index)


def tells(largest: Sequence[float], total: float, rules: Disclosure) -> bool:
    """The n-k and p % rules (Hundepool et al. 2012, section 4.2.2).

    n-k: the n largest contributions make up more than the part k. p %: the total less the two
    largest is so small that the second largest contributor knows the largest to within p per cent.
    """
    if not largest or total <= 0:
        return False
    first, second = largest[0], largest[1] if len(largest) > 1 else 0.0
    by_share = sum(largest[: rules.dominance.n]) > rules.dominance.k * total
    by_rest = total - first - second < rules.p_percent / 100 * first
    return bool(by_share or by_rest)
