"""What an extract adds up to, in plain pandas: written apart from the package, to check it."""

from __future__ import annotations

import pandas as pd

VARIABLES = ["year", "trainee_status", "sector", "region", "company_size", "provider"]
TIMES = {"once": (1, 1), "twice": (2, 2), "3_to_5": (3, 5), "6_plus": (6, 10**9)}
Cells = dict[tuple[str, str, str], float]


def cells(frame: pd.DataFrame) -> Cells:
    """Counts by (variable, category, base_kind), of a frame as bench/extract.py makes it."""
    frame = frame.assign(year=pd.to_datetime(frame["start_date"]).dt.year.astype(str))
    first = leading(frame)
    frame["provider"] = frame["provider"].where(frame["provider"].isin(first), "other_providers")
    found: Cells = {
        ("hours", "hours", "hours"): frame["hours"].sum(),
        ("cost", "cost", "cost"): frame["cost"].sum(),
        ("people", "people", "people"): frame["person"].nunique(),
        ("trainings", "trainings", "trainings"): frame["training_title"].nunique(),
    }
    for name in VARIABLES:
        groups = frame.groupby(name)
        for kind, counts in {
            "actions": groups.size(),
            "people": groups["person"].nunique(),
            "trainings": groups["training_title"].nunique(),
            "hours": groups["hours"].sum(),
            "cost": groups["cost"].sum(),
        }.items():
            found |= {(name, str(group), kind): count for group, count in counts.items()}
    each = frame["person"].value_counts()
    for name, (low, high) in TIMES.items():
        found["times_trained", name, "people"] = int(each.between(low, high).sum())
    return found


def leading(frame: pd.DataFrame) -> list[str]:
    actions = frame["provider"].value_counts().rename_axis("name").reset_index()
    return list(actions.sort_values(["count", "name"], ascending=[False, True])["name"].head(10))


def estimated(estimates: pd.DataFrame) -> Cells:
    """The same of estimates, those by year left out."""
    rows = estimates[estimates["by"].isna() | (estimates["by"] == "")]
    wanted = {*VARIABLES, "hours", "cost", "people", "trainings", "times_trained"}
    rows = rows[rows["variable"].isin(wanted)]
    keys = (
        rows[["variable", "category", "base_kind"]].astype(str).itertuples(index=False, name=None)
    )
    return dict(zip(keys, rows["count"], strict=True))
