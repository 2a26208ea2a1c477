"""Counts and bases as multiples of a rounding base, where a study declares one.

Rounding comes after suppression and does not replace it: what is withheld is safe from attacks on
exact numbers, and stays so when those that are shown are blurred. Shares follow from the rounded
numbers where they are shares of people; whatever else could tell an exact count is cut short.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.stats.intervals import wilson

# Decimals of what no rounded count gives: weighted shares, means, measures, statistics of tests.
DECIMALS = 2
TABLES = ("estimates", "crosses")


def rounded(frames: dict[str, pd.DataFrame], base: int) -> dict[str, pd.DataFrame]:
    """Tables of results with counts and bases to the nearest multiple of a base."""
    return {
        name: _table(frame, base) if name in TABLES else _cut_short(frame, base)
        for name, frame in frames.items()
    }


def whole_percentages(frames: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Tables of results with whole percentages, of a study that weights its answers.

    A weighted share of ten digits tells who is in it: where weights follow from published margins,
    one set of people alone gives it. Counts and bases, which are not weighted, stay as they are.
    """
    return {name: frame.round(DECIMALS) for name, frame in frames.items()}


def nearest(numbers: pd.Series, base: int) -> pd.Series:
    """Nearest multiples, halves upwards."""
    return (numbers.astype(float) / base + 0.5).map(np.floor, na_action="ignore") * base


def _table(frame: pd.DataFrame, base: int) -> pd.DataFrame:
    counts, bases = nearest(frame["count"], base), nearest(frame["base_n"], base)
    plain = frame["method"].isin(["wilson", "count"])
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (counts / bases.where(bases > 0)).clip(upper=1)
    low, high = wilson(counts.clip(upper=bases), bases.where(bases > 0))
    means = frame["method"] == "mean"
    average = (frame["count"] / frame["base_n"]).round(DECIMALS)
    sampled = frame["method"] == "wilson"
    return frame.assign(
        count=counts.mask(means, average * bases),
        base_n=bases,
        share=share.where(plain, frame["share"].round(DECIMALS)),
        share_low=pd.Series(low, index=frame.index).where(
            sampled, frame["share_low"].round(DECIMALS)
        ),
        share_high=pd.Series(high, index=frame.index).where(
            sampled, frame["share_high"].round(DECIMALS)
        ),
    )


def _cut_short(frame: pd.DataFrame, base: int) -> pd.DataFrame:
    people = [name for name in ("base_n", "n") if name in frame]
    found = frame.round(DECIMALS)
    for name in people:
        found[name] = nearest(frame[name], base)
    return found
