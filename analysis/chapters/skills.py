"""Skills acquired: each item of the battery in two bases, and an index for each expectation."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.chapters.data import Data, label
from analysis.definition import Battery
from analysis.stats.intervals import mean_interval
from analysis.stats.shares import Shares, mean_row

CHAPTER = "skills"
INDEX = "expectation_index"


def estimates(data: Data) -> list[pd.DataFrame]:
    """Shares of every item among all who answered and among those concerned; the indices."""
    battery = data.study.roles.battery
    if battery is None or data.study.questionnaire is None:
        return []
    groups = data.study.questionnaire.battery(battery.group)
    items = [question.name for members in groups.values() for question in members]
    tables = [table for item in items for table in item_shares(data, battery, item)]
    return tables + [
        index(data, battery, name, [q.name for q in members]) for name, members in groups.items()
    ]


def item_shares(data: Data, battery: Battery, item: str) -> list[pd.DataFrame]:
    """The two tables of one item. `agree` and `disagree` are totals of their answers."""
    population = data.study.population_of(item)
    answers = data.single(item, data.population(population))
    sets = {"disagree": battery.disagree, "agree": battery.agree}
    tables = [label(Shares().single(answers, sets), CHAPTER, item, population)]
    if battery.not_concerned:
        scaled = answers.cat.set_categories(battery.scale)
        concerned = Shares("concerned").single(scaled, sets)
        tables.append(label(concerned, CHAPTER, item, population))
    return tables


def scores(data: Data, battery: Battery, items: list[str]) -> pd.Series:
    """Mean score of each person over the items that concern them, from 0 (worst) to 1 (best)."""
    frame = data.population(data.study.population_of(items[0]))[items]
    steps = {answer: n / (len(battery.scale) - 1) for n, answer in enumerate(battery.scale)}
    return frame.astype("string").apply(lambda item: item.map(steps)).mean(axis=1)


def index(data: Data, battery: Battery, name: str, items: list[str]) -> pd.DataFrame:
    """The index of an expectation: mean score of the people concerned by at least one item.

    `count` is the sum of scores, so that share = count / base_n, from 0 to 1.
    """
    values = scores(data, battery, items).dropna().to_numpy(dtype=float)
    mean, low, high = mean_interval(values)
    row = mean_row(name, float(values.sum()), len(values), "concerned")
    row = row.assign(
        share=mean,
        share_low=np.clip(low, 0, 1),
        share_high=np.clip(high, 0, 1),
        method="mean_score",
    )
    return label(row, CHAPTER, INDEX, data.study.population_of(items[0]))
