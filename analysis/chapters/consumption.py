"""Training consumption: a complete count of actions, so shares without sampling intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.chapters.data import Data, label, shares
from analysis.definition import Consumption
from analysis.stats.shares import Shares, mean_row, total

CHAPTER = "consumption"
ACTIONS = Shares("actions", sample=False)
TRAININGS = Shares("trainings", sample=False)


def estimates(data: Data) -> list[pd.DataFrame]:
    """Counts, lengths and breakdowns of training actions, and of distinct trainings."""
    spec = data.study.roles.consumption
    if spec is None or "actions" not in data.tables:
        return []
    tables = [*volumes(data, spec), mean_hours(data, spec), *durations(data, spec)]
    for column in spec.by:
        tables += shares(data, CHAPTER, column, spec.actions, how=ACTIONS)
    return [*tables, months(data, spec)]


def volumes(data: Data, spec: Consumption) -> list[pd.DataFrame]:
    """Number of actions in each population, and of distinct trainings in the widest."""
    everything = len(data.tables["actions"])
    rows = [
        label(
            total("actions", len(data.population(name)), everything, "actions"),
            CHAPTER,
            "actions",
            name,
        )
        for name in spec.counts
    ]
    trainings = data.population(spec.counts[0])[spec.title].nunique()
    row = total("trainings", trainings, trainings, "trainings")
    return [*rows, label(row, CHAPTER, "trainings", spec.counts[0])]


def mean_hours(data: Data, spec: Consumption) -> pd.DataFrame:
    """Mean length of an action: `count` is the total of hours."""
    hours = data.population(spec.actions)[spec.hours]
    row = mean_row("mean", float(hours.sum()), int(hours.notna().sum()), "actions")
    return label(row, CHAPTER, "duration_hours", spec.actions)


def banded(data: Data, hours: pd.Series) -> pd.Series:
    """Hours put into the bands of study.yml, each closed below and open above."""
    bands = data.study.definition.duration_bands
    edges = [0.0, *(band.below for band in bands if band.below is not None), np.inf]
    return pd.cut(hours.astype(float), edges, right=False, labels=[band.name for band in bands])


def durations(data: Data, spec: Consumption) -> list[pd.DataFrame]:
    """Actions by length, and trainings by the mean length of their actions."""
    actions, trainings = data.population(spec.actions), data.population(spec.trainings)
    means = trainings.groupby(spec.title)[spec.hours].mean()
    tables = [
        ("duration_band", spec.actions, ACTIONS, banded(data, actions[spec.hours])),
        ("mean_duration_band", spec.trainings, TRAININGS, banded(data, means)),
    ]
    return [
        label(how.single(values, data.sets(name)), CHAPTER, name, population)
        for name, population, how, values in tables
    ]


def months(data: Data, spec: Consumption) -> pd.DataFrame:
    """Actions by month of their start, every month between the first and the last."""
    start = data.population(spec.actions)[spec.date].dt.to_period("M")
    every = pd.period_range(start.min(), start.max(), freq="M")
    values = start.astype(str).astype(pd.CategoricalDtype([str(month) for month in every]))
    return label(ACTIONS.single(values), CHAPTER, "month", spec.actions)
