"""Tables of what training consumption adds up to, each where its column is.

Counts of people, trainings, hours and costs stand beside those of actions in the same table, told
apart by their base (`base_kind`). Who trained in two groups counts in both, and once in all.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis.chapters.data import label, measured
from analysis.chapters.holders import TIMES, Groups
from analysis.chapters.titles import quality
from analysis.chapters.volumes import AMOUNTS, DIGITS, LEADING, MONTH, YEAR, Volumes, values
from analysis.stats.concentration import gini
from analysis.stats.growth import growth
from analysis.stats.shares import mean_row, total, totals

CHAPTER = "consumption"
PEOPLE, TRAININGS = "people", "trainings"
# Rules told in the results, those that match most.
RULES = 30


def estimates(volumes: Volumes) -> list[pd.DataFrame]:
    """Volumes in all and by group, actions of each group by year, times trained."""
    tables = [*in_all(volumes)]
    for groups in volumes.groups:
        tables += by_group(volumes, groups)
        if groups.name not in (YEAR, MONTH) and len(volumes.years) > 1:
            tables += by_group_and_year(volumes, groups)
    if volumes.people is not None:
        tables.append(times_trained(volumes, volumes.people))
        if volumes.spec.ai:
            tables.append(paths(volumes, volumes.people))
    if volumes.spec.provider:
        tables.append(providers(volumes))
    if volumes.spec.ai:
        tables.append(rules(volumes))
    return tables


def in_all(volumes: Volumes) -> list[pd.DataFrame]:
    """Volumes of all actions; the mean cost of an action has the total as its count."""
    sums = volumes.totals
    found = [("hours", sums["hours"])]
    if "cost" in sums:
        found.append(("cost", sums["cost"]))
    if volumes.people is not None:
        found.append((PEOPLE, float(volumes.people["", PEOPLE])))
    tables = [_labelled(volumes, total(kind, n, n, kind), kind) for kind, n in found]
    if "cost" in sums:
        row = mean_row("mean", sums["cost"], int(sums["costed"]), "actions")
        tables.append(_labelled(volumes, row, "action_cost"))
    return tables


def _labelled(
    volumes: Volumes, rows: pd.DataFrame, variable: str, by: str = "", group: str = ""
) -> pd.DataFrame:
    return label(rows, CHAPTER, variable, volumes.spec.actions, by, group)


def by_group(volumes: Volumes, groups: Groups) -> list[pd.DataFrame]:
    """Each group's actions (where no other table has them), hours, cost, people, trainings."""
    frame = volumes.amounts[groups.name]
    found = dict(values(frame, "group", groups.answers))
    if groups.name in (*volumes.spec.by, MONTH):  # a table of the chapter already
        found.pop("actions")
    bases = volumes.totals | {
        name: round(float(of.sum()), DIGITS) for name, of in found.items() if groups.name != LEADING
    }
    for kind, counts in ((PEOPLE, volumes.people), (TRAININGS, volumes.trainings)):
        if counts is not None:
            found[kind] = counts[groups.name].reindex(list(groups.answers))
            # The kind, scope and level of AI training are told of those about AI.
            whole = ("ai", "ai") if groups.name.startswith("ai_") else ("", kind)
            bases[kind] = float(counts[whole])
    return [
        _labelled(volumes, _rows(counts, bases[kind], kind), groups.name)
        for kind, counts in found.items()
    ]


def _rows(counts: pd.Series, base: float, kind: str) -> pd.DataFrame:
    return totals({str(name): float(n) for name, n in counts.items()}, base, kind)


def by_group_and_year(volumes: Volumes, groups: Groups) -> list[pd.DataFrame]:
    """Actions of each group among those of a year."""
    frame = volumes.amounts[groups.name]
    tables = []
    for year, rows in frame.groupby("year", sort=True):
        counts = rows.set_index("group")["actions"].reindex(list(groups.answers), fill_value=0)
        table = _rows(counts, float(counts.sum()), "actions")
        tables.append(_labelled(volumes, table, groups.name, YEAR, str(year)))
    return tables


def times_trained(volumes: Volumes, people: pd.Series) -> pd.DataFrame:
    """People by how many actions they took."""
    counts = people[""][list(TIMES)]
    return _labelled(volumes, _rows(counts, float(people["", PEOPLE]), PEOPLE), "times_trained")


def paths(volumes: Volumes, people: pd.Series) -> pd.DataFrame:
    """People trained on AI by the levels of training they have had, in their order."""
    base = float(people["ai", "ai"])
    return _labelled(volumes, _rows(volumes.paths, base, PEOPLE), "ai_path")


def rules(volumes: Volumes) -> pd.DataFrame:
    """Trainings that each rule says are about AI, the rules that match most."""
    frame = volumes.matches.patterns.head(RULES)
    counts = frame.set_index("rule")["trainings"]
    trained = float(volumes.trainings["ai", "ai"])
    if counts.empty:
        return _labelled(volumes, total("base", 0, 0, TRAININGS), "ai_rule")
    return _labelled(volumes, _rows(counts, trained, TRAININGS), "ai_rule")


def providers(volumes: Volumes) -> pd.DataFrame:
    """Number of providers, and the actions of the first ten."""
    frame = volumes.providers
    actions, first = float(frame["actions"].sum()), float(frame["actions"].head(10).sum())
    rows = [
        total("providers", len(frame), len(frame), "providers"),
        total("first_ten", first, actions, "actions"),
    ]
    return _labelled(volumes, pd.concat(rows), "provider_concentration")


def measures(volumes: Volumes) -> list[pd.DataFrame]:
    """Growth between years of every volume, of actions in each group; concentration."""
    tables = [*_growths(volumes), *(_quality(volumes) if volumes.spec.ai else [])]
    if volumes.spec.provider:
        named = _named(volumes, "provider_concentration")
        for kind in AMOUNTS:
            if kind in volumes.providers:
                held = volumes.providers[kind]
                row = {**named, "base_kind": kind, "base_n": len(held)}
                nothing = float("nan")
                found = (gini(held), nothing, nothing)
                tables.append(measured(row, "gini", found, "count"))
    return tables


def _quality(volumes: Volumes) -> list[pd.DataFrame]:
    """Precision and recall of the rules on the labelled sample of titles, class by class.

    Of titles that no rule was written after (`held_out`); made by the authors of the rules, so that
    other people's titles will be told apart less well.
    """
    tables = []
    for row in quality(volumes.rules).to_dict("records"):
        named = _named(volumes, row["variable"]) | {"category": row["category"]}
        named |= {"base_kind": TRAININGS}
        for measure, value, base in (
            ("precision", row["precision"], row["found"]),
            ("recall", row["recall"], row["labelled"]),
        ):
            nothing = float("nan")
            told = {**named, "base_n": base}
            tables.append(measured(told, measure, (float(value), nothing, nothing), "count"))
    return tables


def _named(volumes: Volumes, variable: str, by: str = "") -> dict:
    return {
        "chapter": CHAPTER,
        "table": f"{variable}_by_{by}" if by else variable,
        "population": volumes.spec.actions,
        "variable": variable,
        "by": by,
    }


def _growths(volumes: Volumes) -> list[pd.DataFrame]:
    """Growth of each volume on the year before, and of the actions of each group.

    An interval stands for a sample of actions; amounts, which vary from one action to the next,
    have none.
    """
    yearly = volumes.amounts[YEAR].set_index("group").reindex(volumes.years)
    kinds = [name for name in AMOUNTS if name in yearly]
    tables = [
        _growth(volumes, _named(volumes, YEAR) | {"category": after}, kind, pair)
        for kind in kinds
        for before, after in zip(volumes.years, volumes.years[1:], strict=False)
        for pair in [(yearly.at[before, kind], yearly.at[after, kind])]
    ]
    for groups in volumes.groups[1:]:
        if groups.name == MONTH:
            continue
        cells = volumes.amounts[groups.name].set_index(["group", "year"])["actions"]
        tables += [
            _growth(volumes, named, "actions", pair)
            for before, after in zip(volumes.years, volumes.years[1:], strict=False)
            for group in groups.answers
            for named in [_named(volumes, groups.name, YEAR)
                          | {"category": group, "by_category": after}]
            for pair in [(cells.get((group, before), 0), cells.get((group, after), 0))]
        ]  # fmt: skip
    return [table for table in tables if table["value"].notna().all()]


def _growth(volumes: Volumes, named: dict, kind: str, pair: tuple[Any, Any]) -> pd.DataFrame:
    before, after = (float(number) for number in pair)
    sampled = volumes.spec.sampling if kind == "actions" else None
    found = growth(before, after, sampled)
    row = {**named, "base_kind": kind, "base_n": before}
    return measured(row, "growth", found, "count" if sampled is None else "rate_ratio")
