"""One verdict a cell: whether an estimate can be read as it stands, and if not, why."""

from __future__ import annotations

import pandas as pd

from analysis.definition import Thresholds
from analysis.release.disclosure.control import Control

OK, FRAGILE, SUPPRESSED = "ok", "fragile", "suppressed"
TABLE = ["chapter", "table", "population"]
HIDDEN = ["count", "share", "share_low", "share_high"]
# What is withheld, not why: a reason would tell a small count from one hidden beside it.
WITHHELD = ["hidden_base", "hidden_count"]


def reasons(estimates: pd.DataFrame, tests: pd.DataFrame, thresholds: Thresholds) -> pd.DataFrame:
    """What speaks against each estimate, one boolean column a reason.

    hidden_base: so few people that nothing is shown. small_base, wide_interval and few_units (of
    the design) as the thresholds say. no_valid_test: groups are compared, and no test of their
    table could be computed. A complete count has no sampling interval, and none of the last four.
    """
    sampled = ~estimates["method"].isin(["count", "mean", "assumed"])
    width = estimates["share_high"] - estimates["share_low"]
    base = estimates["base_n"]
    # A base is hidden for the people in it; an empty one has nobody to recognise.
    people = estimates["base_kind"].isin(["respondents", "concerned"]) & (base > 0)
    return pd.DataFrame(
        {
            "hidden_base": people & sampled & (base < thresholds.suppressed_base),
            "small_base": sampled & (base < thresholds.fragile_base),
            "wide_interval": sampled & (width > thresholds.fragile_width),
            "few_units": sampled & (estimates["df"] < thresholds.fragile_df),
            "no_valid_test": sampled & _untested(estimates, tests),
        }
    )


def _untested(estimates: pd.DataFrame, tests: pd.DataFrame) -> pd.Series:
    """Cells of tables that were to be tested, and of which no test has a p value."""
    valid = tests.groupby(TABLE)["p_value"].count()
    failed = pd.MultiIndex.from_tuples(valid.index[valid == 0], names=TABLE)
    inside = pd.MultiIndex.from_frame(estimates[TABLE]).isin(failed)
    return pd.Series(inside, index=estimates.index) & (estimates["by"] != "")


def withhold(found: pd.DataFrame, decided: Control) -> pd.DataFrame:
    """Reasons, with what disclosure control withholds: bases, or counts and what tells them."""
    return found.assign(hidden_base=decided.base, hidden_count=decided.count & ~decided.base)


def verdict(found: pd.DataFrame) -> pd.Series:
    """`suppressed`, `fragile` or `ok`, from the reasons."""
    withheld = found.columns.isin(WITHHELD)
    return (
        pd.Series(OK, index=found.index)
        .mask(found.loc[:, ~withheld].any(axis=1), FRAGILE)
        .mask(found.loc[:, withheld].any(axis=1), SUPPRESSED)
    )


def told(found: pd.DataFrame) -> pd.Series:
    """The reasons of each estimate, joined by ";". Of one that is withheld, nothing else is told:
    a wide interval would tell of its numbers."""
    withheld = [name for name in WITHHELD if name in found]
    names = pd.Series("", index=found.index)
    for name in found.columns:
        names = names.mask(found[name], names + ";" + name)
    for name in withheld:
        names = names.mask(found[name], ";" + name)
    return names.str.removeprefix(";")


def hide(frame: pd.DataFrame, columns: list[str], decided: Control) -> pd.DataFrame:
    """The same frame without the numbers that are withheld."""
    hidden = {name: frame[name].mask(decided.count) for name in columns}
    return frame.assign(**hidden, base_n=frame["base_n"].mask(decided.base))
