"""Tests and measures go with the tables that they are computed from.

A statistic printed to ten digits nearly always belongs to one table only: with known margins, a
chi-square tells the cell of a 2 x 2 table. So a test is released where every cell of its table is,
and a measure where every number is that it follows from. What is withheld is in no family of
adjusted p values either, since an adjusted p may be another test's.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.chapters.data import KEYS, Data
from analysis.definition import Disclosure
from analysis.release.disclosure.cells import Reader
from analysis.release.disclosure.people import ANSWERED, FLOW, YES, meet
from analysis.study import SIDES

LIFT, PARTIALS = "lift", "partials_difference"
# Of how three items or more go together, which no count of one of them tells.
TOGETHER = ["cronbach_alpha", "mcdonald_omega"]
CODERS = ["cohen_kappa", "krippendorff_alpha"]
DIFFERENCE, RANK, NET = "difference", "rank", "net_agreement"
MEASURE_NAMES = [*KEYS, "base_kind", "measure", "method", "evidence"]
NAMES = ["chapter", "table", "population", "variable", "by", "test", "effect", "evidence"]
Names = tuple[Hashable, ...]


@dataclass(frozen=True)
class Batteries:
    """What the totals of a battery are called, worst first; and indices of two items."""

    sides: tuple[str, str] = SIDES
    of_two: frozenset[str] = frozenset()


def counted(data: Data, measures: pd.DataFrame) -> pd.DataFrame:
    """Measures that tell a count which no other row shows, as rows for disclosure control: people
    who gave two answers, and partial responses that gave one."""
    if "survey" not in data.tables:
        return measures.head(0)
    reader = Reader(data)
    rows: list[tuple[Any, ...]] = []
    people = reader.people["survey"]
    for at, row in measures[measures["measure"].isin([LIFT, PARTIALS])].iterrows():
        question = next(
            (q for q in _asked(data, row["variable"], row["population"])), row["variable"]
        )
        base = people.condition(data.study.definition.populations[row["population"]].where)
        several = bool(data.answers(question, row["population"]))
        meet(base, question, ANSWERED if several else people.attribute(question).answered)
        box = dict(base)
        if row["measure"] == LIFT:
            for answer in (row["category"], row["by_category"]):
                meet(box, *people.any_of(question, [answer]))
        else:
            answers = data.sets(question).get(row["category"], [row["category"]])
            if several:
                meet(box, *people.any_of(question, answers))
            else:
                labels = people.attribute(question).labels
                meet(box, question, frozenset(labels.index(answer) for answer in answers))
            for each in (base, box):
                meet(each, FLOW, YES)
        keys = reader.key(people, box), reader.key(people, base)
        found = [int(people.inside(key[1]).sum()) for key in keys]  # type: ignore[arg-type]
        rows.append((at, *found, *keys))
    frame = measures.loc[[row[0] for row in rows]].drop(columns=["value", "low", "high"])
    return frame.assign(
        count=[row[1] for row in rows], base_n=[row[2] for row in rows], method="count",
        cell_key=pd.Series([row[3] for row in rows], index=frame.index, dtype=object),
        base_key=pd.Series([row[4] for row in rows], index=frame.index, dtype=object),
    )  # fmt: skip


def _asked(data: Data, variable: str, population: str) -> list[str]:
    motivation = data.study.roles.motivation
    if motivation is None or variable != motivation.variable:
        return [variable]
    own = motivation.questions.get(population)
    return [own] if own else list(motivation.questions.values())


class Shown:
    """Which rows of results are shown, by the names of their tables."""

    def __init__(self, rows: pd.DataFrame, hidden: pd.Series) -> None:
        self.tables: dict[Names, bool] = {}
        self.cells: dict[Names, bool] = {}
        names = ["population", "variable", "by", "by_category", "category", "base_kind"]
        for row, is_hidden in zip(rows[names].itertuples(index=False), hidden, strict=True):
            population, variable, by, group, category, kind = row
            for key in ((population, variable, by), (population, variable, by, kind)):
                self.tables[key] = self.tables.get(key, True) and not is_hidden
            for cell in ((population, variable, by, group, category),
                         (population, variable, by, group, category, kind)):  # fmt: skip
                self.cells[cell] = self.cells.get(cell, True) and not is_hidden

    def table(self, *names: Hashable) -> bool:
        """Whether every cell is shown; of a table that is not there, nothing is."""
        return self.tables.get(names, False)

    def cell(self, *names: Hashable) -> bool:
        return self.cells.get(names, False)


def tests_shown(tests: pd.DataFrame, shown: Shown) -> pd.Series:
    """Tests of tables that are shown whole."""
    names = tests[["population", "variable", "by"]].itertuples(index=False)
    return pd.Series([shown.table(*each) for each in names], index=tests.index, dtype=bool)


def measures_shown(
    measures: pd.DataFrame,
    shown: Shown,
    own: pd.Series,
    rules: Disclosure,
    batteries: Batteries,
) -> pd.Series:
    """Measures whose every ingredient is shown. own: whether those with a count of their own are
    hidden, on their index."""
    ranks = measures[measures["measure"] == RANK]
    ranked = all(
        shown.cell(row.population, row.variable, "", "", batteries.sides[1], row.base_kind)
        for row in ranks.itertuples()
    )
    found = [
        _is_shown(row, shown, own, rules, (ranked, batteries)) for row in measures.itertuples()
    ]
    return pd.Series(found, index=measures.index, dtype=bool)


def _is_shown(  # noqa: PLR0911 - one rule a measure
    row: object,
    shown: Shown,
    own: pd.Series,
    rules: Disclosure,
    battery: tuple[bool, Batteries],
) -> bool:
    ranked, batteries = battery
    at, measure, kind, base = (getattr(row, n) for n in ("Index", "measure", "base_kind", "base_n"))
    names = tuple(getattr(row, n) for n in ("population", "variable", "by"))
    cell = (*names, *(getattr(row, n) for n in ("by_category", "category")))
    everyone = (names[0], names[1], "")
    if 0 < base < rules.minimum_base:
        return False
    if measure in (LIFT, PARTIALS):
        return not bool(own.get(at, True)) and (
            measure == PARTIALS or all(shown.cell(*everyone, "", name) for name in cell[3:])
        )
    if measure == DIFFERENCE:
        return shown.cell(*cell) and shown.cell(*everyone, "", cell[4])
    if measure == RANK:
        return ranked
    if measure == NET:
        return all(shown.cell(*everyone, "", name, kind) for name in batteries.sides)
    if measure in TOGETHER:
        return shown.cell(*cell) and cell[4] not in batteries.of_two
    if measure in CODERS:
        return shown.cell(*cell) if cell[4] else shown.table(*everyone, kind)
    if measure in ("mean", "median"):
        return shown.cell(*everyone, "", "mean")
    return shown.table(*names, kind) or (names[2] != "" and shown.table(*names))


def without(frame: pd.DataFrame, shown: pd.Series, names: list[str]) -> pd.DataFrame:
    """Rows without their numbers where they are not shown. names: columns that are kept."""
    return frame.assign(
        **{str(name): frame[name].where(shown) for name in frame if name not in names}
    )
