"""Skills acquired: each item of the battery in two bases, and an index for each expectation."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.chapters import compare
from analysis.chapters.data import Data, cuts, label, measured, names, shares
from analysis.definition import Battery
from analysis.stats.battery import net_agreement, polarisation
from analysis.stats.bootstrap import index_interval
from analysis.stats.ranks import rank_intervals
from analysis.stats.reliability import alpha, omega
from analysis.stats.shares import mean_row
from analysis.stats.trend import Outcome

CHAPTER = "skills"
INDEX = "expectation_index"
# Resamples: the bounds of an index, of ranks and of a coefficient then hold to about a point.
DRAWS = 2000


def estimates(data: Data) -> list[pd.DataFrame]:
    """Shares of every item among all who answered and among those concerned, and by group;
    the indices."""
    found = [table for battery in _batteries(data) for table in _of_battery(data, battery)]
    return found + (cuts(data, CHAPTER) if found else [])


def _batteries(data: Data) -> tuple[Battery, ...]:
    return data.study.batteries if data.study.questionnaire is not None else ()


def _of_battery(data: Data, battery: Battery) -> list[pd.DataFrame]:
    groups = expectations(data, battery)
    items = [item for members in groups.values() for item in members]
    tables = [table for item in items for table in item_shares(data, battery, item)]
    for by in battery.by:
        tables += [table for item in items for table in shares(data, CHAPTER, item, by=by)]
    return tables + [index(data, battery, name, members) for name, members in groups.items()]


def tests(data: Data) -> list[dict]:
    """Whether answers to each item depend on the group, among those it concerns."""
    rows = []
    for battery in _batteries(data):
        items = (item for members in expectations(data, battery).values() for item in members)
        for by, item in ((by, item) for item in items for by in battery.by):
            named = names(data, CHAPTER, item, by=by)
            rows += [named | vars(outcome) for outcome in by_group(data, battery, item, by)]
    return rows


def by_group(data: Data, battery: Battery, item: str, by: str) -> list[Outcome]:
    """Tests of the answers to an item, on its scale, against a group."""
    population, ordered = data.study.population_of(item), data.study.ordered(by)
    if data.sample is not None:
        from analysis.chapters import designed  # noqa: PLC0415 (as in compare)

        answers = {answer: [answer] for answer in battery.scale}
        table = designed.crossed(data, item, by, population, answers)
        return designed.of_shares(table, True, ordered)
    groups = data.single(by, data.population(population))
    counts = compare.counts(groups, scaled(data, battery, item))
    return compare.of_counts(counts, data.study.definition.seed, True, ordered)


def measures(data: Data) -> list[pd.DataFrame]:
    """Net agreement, polarisation and rank of every item; reliability of every expectation."""
    found: list[pd.DataFrame] = []
    items: dict[str, Battery] = {}
    for battery in _batteries(data):
        groups = expectations(data, battery)
        items |= {item: battery for members in groups.values() for item in members}
        for name, members in groups.items():
            found += reliability(data, battery, name, members)
    if not items:
        return []
    opinions = [t for item, battery in items.items() for t in opinion(data, battery, item)]
    return [*opinions, ranks(data, items), *found]


def expectations(data: Data, battery: Battery) -> dict[str, list[str]]:
    """Items by expectation, in the order of the questionnaire."""
    assert data.study.questionnaire is not None
    groups = data.study.questionnaire.battery(battery.group)
    return {name: [question.name for question in members] for name, members in groups.items()}


def item_shares(data: Data, battery: Battery, item: str) -> list[pd.DataFrame]:
    """The two tables of one item, with the totals of both sides of its scale."""
    population = data.study.population_of(item)
    answers = data.single(item, data.population(population))
    sets = data.study.totals(battery)
    tables = [label(data.how(population).single(answers, sets), CHAPTER, item, population)]
    if battery.not_concerned:
        concerned = data.how(population, "concerned").single(scaled(data, battery, item), sets)
        tables.append(label(concerned, CHAPTER, item, population))
    return tables


def scaled(data: Data, battery: Battery, item: str) -> pd.Series:
    """Answers to an item on its scale, worst first; missing for those it does not concern."""
    frame = data.population(data.study.population_of(item))
    return data.single(item, frame).cat.set_categories(battery.scale)


def scores(data: Data, battery: Battery, items: list[str]) -> pd.DataFrame:
    """Score of each person on each item that concerns them, from 0 (worst) to 1 (best)."""
    steps = len(battery.scale) - 1
    codes = {item: scaled(data, battery, item).cat.codes for item in items}
    return pd.DataFrame(codes).replace(-1, np.nan) / steps


def index(data: Data, battery: Battery, name: str, items: list[str]) -> pd.DataFrame:
    """The index of an expectation: mean score of the people concerned by at least one item.

    `count` is the sum of scores.
    """
    values = scores(data, battery, items).mean(axis=1).dropna()
    mean, low, high = index_interval(
        values, draws=DRAWS, seed=data.study.definition.seed, **data.drawn(values.index)
    )
    row = mean_row(name, float(values.sum()), len(values), "concerned")
    row = row.assign(share=mean, share_low=low, share_high=high, method="mean_score")
    return label(row, CHAPTER, INDEX, data.study.population_of(items[0]))


def opinion(data: Data, battery: Battery, item: str) -> list[pd.DataFrame]:
    """Net agreement with an item, and how divided its answers are."""
    counts = effective_counts(data, battery, scaled(data, battery, item))
    at = {answer: place for place, answer in enumerate(battery.scale)}
    sides = [at[answer] for answer in battery.disagree], [at[answer] for answer in battery.agree]
    base = int(scaled(data, battery, item).notna().sum())
    named = names(data, CHAPTER, item) | {"base_kind": "concerned", "base_n": base}
    seed = data.study.definition.seed
    divided = polarisation(counts, draws=DRAWS, seed=seed)
    return [
        measured(named, "net_agreement", net_agreement(counts, *sides), "tango"),
        measured(named, "polarisation", divided, "dirichlet"),
    ]


def effective_counts(data: Data, battery: Battery, answers: pd.Series) -> np.ndarray:
    """Answers of each kind, on as many people as would say as much about net agreement."""
    if data.sample is None:
        return answers.value_counts(sort=False).to_numpy(dtype=float)
    found = data.sample.table(answers)
    sign = np.isin(battery.scale, battery.agree) * 1.0 - np.isin(battery.scale, battery.disagree)
    spread = found.value @ sign**2 - (found.value @ sign) ** 2
    variance = sign @ found.covariance @ sign
    people = spread / variance if variance > 0 else found.effective
    return np.nan_to_num(found.value) * min(people, found.n)


def ranks(data: Data, items: Mapping[str, Battery]) -> pd.DataFrame:
    """Rank of each item by the share agreeing, with intervals that hold together."""
    agree = pd.DataFrame(
        {
            item: answers.isin(battery.agree).astype(float).where(answers.notna())
            for item, battery in items.items()
            for answers in [scaled(data, battery, item)]
        }
    )
    seed = data.study.definition.seed
    found = rank_intervals(agree, data.weights(agree.index), draws=DRAWS, seed=seed)
    found = found.set_index("item")
    rows = []
    for item in items:
        base = int(agree[item].notna().sum())
        named = names(data, CHAPTER, item) | {"base_kind": "concerned", "base_n": base}
        place = found.loc[item, ["rank", "rank_low", "rank_high"]].to_numpy(dtype=float)
        bounds = place[0], place[1], place[2]
        rows.append(measured(named, "rank", bounds, "klein_wright_wieczorek"))
    return pd.concat(rows)


def reliability(data: Data, battery: Battery, name: str, items: list[str]) -> list[pd.DataFrame]:
    """How far the items of an expectation measure one thing: alpha and omega."""
    frame = scores(data, battery, items)
    weights, seed = data.weights(frame.index), data.study.definition.seed
    found = {
        ("cronbach_alpha", "feldt"): alpha(frame, weights),
        ("mcdonald_omega", "bootstrap"): omega(frame, weights, seed=seed),
    }
    named = {
        "chapter": CHAPTER,
        "table": INDEX,
        "population": data.study.population_of(items[0]),
        "variable": INDEX,
        "category": name,
        "base_kind": "concerned",
    }
    return [
        measured(named | {"base_n": r.n}, measure, (r.value, r.low, r.high), method)
        for (measure, method), r in found.items()
    ]
