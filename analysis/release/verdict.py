"""One verdict a cell: whether an estimate can be read as it stands."""

from __future__ import annotations

import pandas as pd

from analysis.definition import Thresholds

OK, FRAGILE = "ok", "fragile"


def verdict(estimates: pd.DataFrame, thresholds: Thresholds) -> pd.Series:
    """`fragile` where a sample estimate has a small base or a wide interval, else `ok`.

    A base under 30 and an interval wider than 40 points are the defaults; see the method page.
    A complete count has no sampling interval and is never fragile.
    """
    width = estimates["share_high"] - estimates["share_low"]
    sampled = ~estimates["method"].isin(["count", "mean"])
    small = estimates["base_n"] < thresholds.fragile_base
    wide = width > thresholds.fragile_width
    return pd.Series(OK, index=estimates.index).mask(sampled & (small | wide), FRAGILE)
