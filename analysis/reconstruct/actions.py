"""Training actions: the published totals of an extract, dealt out to trainings and sessions."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from string import Formatter

import numpy as np
import pandas as pd

from analysis.definition import Band, Consumption
from analysis.errors import InputError, Problem
from analysis.reconstruct.plan import Extract, Titles
from analysis.study import Study

STEPS = 60


def actions(
    study: Study,
    plan: Extract,
    bands: pd.Series,
    groups: pd.Series,
    mean: float,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """One row an action, with the columns of study.yml.

    bands: band of mean length of each training. groups: number of actions of each group.
    mean: mean length of an action, in hours.
    """
    roles = study.roles.consumption
    assert roles is not None
    trainings = _trainings(study, plan, bands, groups, rng)
    trainings["rows"] = _sizes(trainings, groups, mean, plan.spread, rng)
    sessions = pd.concat(
        [_sessions(study, plan, training, rng) for _, training in trainings.iterrows()],
        ignore_index=True,
    )
    return _rows(study, roles, plan, sessions, rng)


def _trainings(
    study: Study, plan: Extract, bands: pd.Series, groups: pd.Series, rng: np.random.Generator
) -> pd.DataFrame:
    """Title, group, provider and usual length of each training."""
    named = {g: plan.titles[g].trainings for g in groups.index}
    rest = len(bands) - sum(number or 0 for number in named.values())
    kinds = [group for group, number in named.items() for _ in range(number or rest)]
    frame = pd.DataFrame({"band": rng.permutation(bands.to_numpy()), "group": kinds})
    frame["title"] = ""
    for group, rows in frame.groupby("group").groups.items():
        frame.loc[rows, "title"] = _titles(study, plan.titles[str(group)], len(rows), rng)
    number = plan.providers.number or 1
    frame["provider"] = [
        plan.providers.pattern.format(n=n)
        for n in 1 + (number * rng.random(len(frame)) ** 2).astype(int)
    ]
    frame["hours"] = [float(rng.choice(plan.lengths[band])) for band in frame["band"]]
    return frame


def _titles(study: Study, titles: Titles, number: int, rng: np.random.Generator) -> list[str]:
    """Distinct titles, drawn from every combination of the lists in the pattern."""
    fields = [name for _, name, _, _ in Formatter().parse(titles.pattern) if name]
    combinations = list(product(*(titles.lists[name] for name in fields)))
    if len(combinations) < number:
        raise InputError(
            [
                Problem(
                    study.paths.shown(study.paths.definition / "reconstruction.yml"),
                    "there are enough titles",
                    f"{len(combinations)} combinations",
                    f"{number} or more",
                    "lengthen the lists",
                    column="actions.titles",
                )
            ]
        )
    chosen = rng.choice(len(combinations), number, replace=False)
    return [
        titles.pattern.format(**dict(zip(fields, combinations[n], strict=True))) for n in chosen
    ]


def _sizes(
    trainings: pd.DataFrame,
    groups: pd.Series,
    mean: float,
    spread: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Actions of each training: some are popular, and the long ones as little as it takes for
    the mean length of an action to be the published one (found by bisection)."""
    popular = np.exp(spread * rng.standard_normal(len(trainings)))
    hours = trainings["hours"].to_numpy()
    low, high = -1.0, 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        sizes = _rounded(trainings, groups, popular * np.exp(-middle * hours))
        low, high = (middle, high) if sizes @ hours > mean * sizes.sum() else (low, middle)
    return _rounded(trainings, groups, popular * np.exp(-high * hours))


def _rounded(trainings: pd.DataFrame, groups: pd.Series, weights: np.ndarray) -> np.ndarray:
    """Whole numbers, one at least, that sum to each group's total: largest remainders."""
    sizes = np.ones(len(trainings), dtype=int)
    for group, total in groups.items():
        rows = np.flatnonzero(trainings["group"] == group)
        share = weights[rows] / weights[rows].sum() * (total - len(rows))
        whole = np.floor(share).astype(int)
        order = np.argsort(whole - share, kind="stable")
        whole[order[: int(total - len(rows) - whole.sum())]] += 1
        sizes[rows] += whole
    return sizes


def _sessions(
    study: Study, plan: Extract, training: pd.Series, rng: np.random.Generator
) -> pd.DataFrame:
    """Sessions of one training: their sizes, dates and lengths, and what a session shares."""
    sizes = list(_cut(int(training["rows"]), plan.session, rng))
    hours = np.full(len(sizes), training["hours"])
    if _stays(study.definition.duration_bands, training, plan.drift):
        pairs = int(rng.binomial(len(sizes) // 2, plan.drifting))
        hours[: 2 * pairs] += np.tile([plan.drift, -plan.drift], pairs)
    frame = pd.DataFrame({"size": sizes, "hours": hours}).assign(
        title=training["title"], provider=training["provider"], group=training["group"]
    )
    frame["date"] = _dates(study, plan, len(frame), rng)
    return frame


def _cut(total: int, size: int, rng: np.random.Generator) -> Iterator[int]:
    while total > 0:
        part = min(total, int(rng.integers(1, 2 * size)))
        yield part
        total -= part


def _stays(bands: list[Band], training: pd.Series, drift: float) -> bool:
    """May sessions drift in length without the training leaving its band?"""
    names = [band.name for band in bands]
    ends = [band.below or np.inf for band in bands]
    at = names.index(training["band"])
    start = ends[at - 1] if at else 0.0
    return start + drift <= training["hours"] < ends[at] - drift


def _dates(study: Study, plan: Extract, number: int, rng: np.random.Generator) -> np.ndarray:
    """Working days of the period of the extract, busier in some months."""
    roles = study.roles.consumption
    assert roles is not None
    column = study.definition.sources.present()["actions"].columns[roles.date]
    days = pd.bdate_range(column.after, column.before)
    days = days[~days.isin(pd.DatetimeIndex(plan.closed))]
    weights = np.array([plan.months[day.month - 1] for day in days])
    return rng.choice(days.to_numpy(), number, p=weights / weights.sum())


def _rows(
    study: Study,
    roles: Consumption,
    plan: Extract,
    sessions: pd.DataFrame,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Actions in the order of their dates. Some columns are a session's, some a person's."""
    sessions = sessions.sort_values(["date", "title"], kind="stable", ignore_index=True)
    frame = sessions.loc[sessions.index.repeat(sessions["size"])].reset_index(drop=True)
    columns = study.definition.sources.present()["actions"].columns
    identifier = next(name for name, column in columns.items() if column.type == "id")
    frame = frame.rename(
        columns={
            "title": roles.title,
            "hours": roles.hours,
            "date": roles.date,
            "provider": plan.provider,
            "group": plan.group,
        }
    )
    frame[identifier] = [plan.identifier.format(n=n) for n in range(1, len(frame) + 1)]
    for name, shares in plan.shares.items():
        odds = np.array(list(shares.values()))
        frame[name] = rng.choice(list(shares), len(frame), p=odds / odds.sum())
    return frame[list(columns)]
