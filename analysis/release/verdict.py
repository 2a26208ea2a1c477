"""One verdict a cell: whether an estimate can be read as it stands, and if not, why."""

from __future__ import annotations

import pandas as pd

from analysis.definition import Thresholds

OK, FRAGILE, SUPPRESSED = "ok", "fragile", "suppressed"
TABLE = ["chapter", "table", "population"]
HIDDEN = ["base_n", "count", "share", "share_low", "share_high"]


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


def verdict(found: pd.DataFrame) -> pd.Series:
    """`suppressed`, `fragile` or `ok`, from the reasons."""
    fragile = found.drop(columns="hidden_base").any(axis=1)
    return (
        pd.Series(OK, index=found.index)
        .mask(fragile, FRAGILE)
        .mask(found["hidden_base"], SUPPRESSED)
    )


def told(found: pd.DataFrame) -> pd.Series:
    """The reasons of each estimate, joined by ";"."""
    names = pd.Series("", index=found.index)
    for name in found.columns:
        names = names.mask(found[name], names + ";" + name)
    return names.str.removeprefix(";")


def hide(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """The same frame without the numbers of what is suppressed."""
    return frame.assign(
        **{name: frame[name].mask(frame["verdict"] == SUPPRESSED) for name in columns}
    )
