"""Every sum by which one count follows from others.

Cells that are told apart by the same attributes (satisfaction and status, say) stand in one table
of those attributes, however their tables of results are cut: its values are put together where no
cell tells them apart, and each cell is a sum of what is left. A sum over one attribute is a cell
with one attribute less, which stands in the table of the others. So populations and their parts,
groups and everyone, answers and sets of them, the same people on two pages, all hang together.

What is missing (no answer) is taken as known to the attacker: it protects nothing. Numbers that are
nowhere released, and follow from released ones, are cells too: what two populations leave between
them, for instance. They are protected as if they were shown.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from analysis.release.disclosure.cells import Key, box_of
from analysis.release.disclosure.people import (
    ANSWERED,
    FLOW,
    KEPT,
    MISSING,
    YES,
    Box,
    People,
    Values,
    meet,
)  # fmt: skip

# Combinations of values that one table of attributes may have.
MOST = 200_000


@dataclass
class System:
    """Cells and their relations, as they are put together.

    cells: number of each key; value: counts; shown: whether a row of results shows the cell;
    neutral: whether it may be known (a "no", a slack); sums: coefficients of each relation, whose
    right-hand side is what the true values give.
    """

    cells: dict[Key, int] = field(default_factory=dict)
    value: list[float] = field(default_factory=list)
    shown: list[bool] = field(default_factory=list)
    neutral: list[bool] = field(default_factory=list)
    sums: list[dict[int, float]] = field(default_factory=list)

    def add(self, key: Key, value: float, shown: bool = False, neutral: bool = False) -> int:
        """Number of a cell, which is new or known."""
        at = self.cells.get(key)
        if at is None:
            at = self.cells[key] = len(self.value)
            self.value.append(float(value))
            self.shown.append(shown)
            self.neutral.append(neutral)
        self.shown[at] |= shown
        return at

    def relate(self, whole: int, parts: Iterable[int], factor: float = 1.0) -> None:
        """whole = factor * sum of parts, plus what is known."""
        row = {whole: 1.0}
        for part in parts:
            row[part] = row.get(part, 0.0) - factor
        row = {at: c for at, c in row.items() if c}
        if row:
            self.sums.append(row)

    def at_least(self, more: Mapping[int, float]) -> None:
        """A weighted sum of cells is never negative: the rest is a cell of its own."""
        slack = sum(c * self.value[at] for at, c in more.items())
        at = self.add(("slack", len(self.value)), slack, neutral=True)
        self.sums.append({**more, at: -1.0})

    @property
    def matrix(self) -> csr_array:
        """Relations by cells."""
        rows = [n for n, row in enumerate(self.sums) for _ in row]
        columns = [at for row in self.sums for at in row]
        entries = [c for row in self.sums for c in row.values()]
        return csr_array((entries, (rows, columns)), shape=(len(self.sums), len(self.value)))


def relate(system: System, people: Mapping[str, People], neutral: Mapping[str, Values]) -> None:
    """Put every relation between the cells of a system into it.

    neutral: values of attributes that are no answer to protect where no row shows them ("not
    concerned"), by attribute.
    """
    tables: dict[tuple[str, frozenset[str]], list[Box]] = {}
    for source, box in [(k[0], box_of(k)) for k in system.cells if k[0] in people]:
        if box is not None:
            tables.setdefault((source, frozenset(name for name, _ in box)), []).append(box)
    sizes = max((len(names) for _, names in tables), default=0)
    for size in range(sizes, 0, -1):
        for source, names in [key for key in tables if len(key[1]) == size]:
            boxes = tables[source, names]
            table = _Table(people[source], source, sorted(names), boxes, neutral)
            for margin in table.put(system):
                other = tables.setdefault((source, frozenset(n for n, _ in margin)), [])
                if margin not in other:
                    other.append(margin)
    _mentions(system)
    _unions(system)
    _at_least_one(system, people)


class _Table:
    """One table of a few attributes, in which all the cells stand that they tell apart."""

    def __init__(
        self,
        people: People,
        source: str,
        names: list[str],
        boxes: list[Box],
        neutral: Mapping[str, Values],
    ) -> None:
        self.people, self.source, self.names = people, source, names
        self.boxes = [dict(box) for box in boxes]
        self.neutral = neutral
        self.attributes = [people.attribute(name) for name in names]
        self.classes = [
            _classes(self._values(n), [box[name] for box in self.boxes] + self._own(name))
            for n, name in enumerate(names)
        ]
        if np.prod([len(c) for c in self.classes]) > MOST:
            raise ValueError(f"too many combinations of {', '.join(names)}")
        self.counts = self._count()

    def _values(self, n: int) -> list[int]:
        return [*range(len(self.attributes[n].labels)), MISSING]

    def _own(self, name: str) -> list[Values]:
        """Cuts that a table makes by itself: kept or not, yes or no, answered or not."""
        attribute = self.people.attribute(name)
        return [KEPT] if name == FLOW else [attribute.answered]

    def _count(self) -> np.ndarray:
        """People by class of each attribute; only those kept, where FLOW is not told apart."""
        where = np.zeros(len(self.people.frame), dtype=np.intp)
        for attribute, classes in zip(self.attributes, self.classes, strict=True):
            lookup = np.zeros(len(attribute.labels) + 1, dtype=np.intp)
            for n, values in enumerate(classes):
                lookup[list(values)] = n  # MISSING is the last
            where = where * len(classes) + lookup[attribute.codes]
        kept = slice(None) if FLOW in self.names else np.isin(self.people.flow, list(KEPT))
        shape = [len(classes) for classes in self.classes]
        return np.bincount(where[kept], minlength=int(np.prod(shape))).reshape(shape)

    def put(self, system: System) -> list[Box]:
        """Put the relations of this table into the system; returns the boxes of its margins."""
        atoms, elsewhere = np.full(self.counts.shape, -1, dtype=np.intp), []
        for at in np.ndindex(*self.counts.shape):
            chosen = [classes[n] for classes, n in zip(self.classes, at, strict=True)]
            if frozenset({MISSING}) in chosen:
                continue  # known to the attacker
            box = self.people.box(dict(zip(self.names, chosen, strict=True)))
            atoms[at] = system.add(
                (self.source, box), int(self.counts[at]), neutral=self._neutral_box(box)
            )
            if 0 < len(box) < len(self.names):
                elsewhere.append(box)  # the routing says the rest
        for conditions in self.boxes:
            self._sum(system, atoms, conditions)
        return [*elsewhere, *self._margins(system, atoms)]

    def _sum(self, system: System, atoms: np.ndarray, box: dict[str, Values]) -> None:
        """A cell as the sum of the combinations that it holds."""
        inside = [
            [n for n, values in enumerate(classes) if values <= box[name]]
            for name, classes in zip(self.names, self.classes, strict=True)
        ]
        parts = atoms[np.ix_(*inside)].ravel()
        whole = system.cells[self.source, frozenset(box.items())]
        parts = parts[parts >= 0]
        if list(parts) != [whole]:
            system.relate(whole, parts.tolist())

    def _margins(self, system: System, atoms: np.ndarray) -> list[Box]:
        """Sums over each attribute in turn, as cells with one attribute less."""
        found = []
        for n, name in enumerate(self.names):
            rest = [range(len(c)) for m, c in enumerate(self.classes) if m != n]
            summed = [k for k, values in enumerate(self.classes[n])
                      if not (name == FLOW and not values <= KEPT)]  # fmt: skip
            for at in product(*rest):  # of the other attributes
                where: list = [*at[:n], summed, *at[n:]]
                chosen = {m: self.classes[k][i] for m, k, i in self._others(n, at)}
                if frozenset({MISSING}) in chosen.values():
                    continue
                # Those asked, who gave no answer, are known; those not asked are not.
                for asked, values in self.people.asked(name).items():
                    meet(chosen, asked, values)
                margin = self.people.box(chosen)
                parts = atoms[tuple(where)]
                key = (self.source, margin)
                total = 0 if key in system.cells else self.people.inside(margin).sum()
                whole = system.add(key, total, neutral=self._neutral_box(margin))
                system.relate(whole, parts[parts >= 0].tolist())
                if margin:
                    found.append(margin)
        return found

    def _others(self, n: int, at: tuple[int, ...]) -> list[tuple[str, int, int]]:
        """Name, place among the attributes, and class of each attribute but one."""
        places = [m for m in range(len(self.names)) if m != n]
        return [(self.names[m], m, i) for m, i in zip(places, at, strict=True)]

    def _neutral_box(self, box: Box) -> bool:
        """Whether a box counts people who did not say something."""
        return any(
            (self.people.attribute(name).binary and values == frozenset({0}))
            or values <= self.neutral.get(name, frozenset()) | {MISSING}
            for name, values in box
        )


def _classes(values: list[int], sets: list[Values]) -> list[Values]:
    """Values put together where no set tells them apart."""
    found: dict[tuple[bool, ...], set[int]] = {}
    for value in values:
        found.setdefault(tuple(value in each for each in sets), set()).add(value)
    return [frozenset(each) for each in found.values()]


def _mentions(system: System) -> None:
    """Mentions are the sum of the answers given, in each population and group."""
    given: dict[Hashable, list[int]] = {}
    for key, at in system.cells.items():
        for name, values in box_of(key) or ():
            if "/" in name and "|" not in name and values == YES:
                rest = frozenset(item for item in box_of(key) or () if item[0] != name)
                given.setdefault((key[0], name.partition("/")[0], rest), []).append(at)
    for key in [key for key in system.cells if key[0] == "mentions"]:
        said: Any = key[1]
        question, (source, base) = said
        rest = frozenset(item for item in base if item[0] != question)
        if parts := given.get((source, question, rest)):
            system.relate(system.cells[key], parts)


def _at_least_one(system: System, people: Mapping[str, People]) -> None:
    """Whoever answered gave an answer: those of everyone in a base are no fewer than they are."""
    given: dict[Hashable, dict[str, int]] = {}
    for key, at in system.cells.items():
        for name, values in box_of(key) or ():
            if "/" in name and values == YES:
                question, _, answer = name.partition("/")
                rest = frozenset(item for item in box_of(key) or () if item[0] != name)
                given.setdefault((key[0], question, rest), {})[answer] = at
    for context, cells in given.items():
        named: Any = context
        source, question, rest = named
        base = system.cells.get((source, rest | {(question, ANSWERED)}))
        members = [cells.get(answer) for answer in people[source].answers(question)]
        if base is not None and None not in members:
            system.at_least({base: -1.0, **{m: 1.0 for m in members if m is not None}})


def _unions(system: System) -> None:
    """At least one of some answers: no fewer than gave each, no more than gave them in sum."""
    by_context: dict[Hashable, dict[str, int]] = {}
    for key, at in list(system.cells.items()):
        for name, values in box_of(key) or ():
            if "/" in name and values == YES:
                rest = frozenset(item for item in box_of(key) or () if item[0] != name)
                by_context.setdefault((key[0], name.partition("/")[0], rest), {})[name] = at
    for context, cells in by_context.items():
        named: Any = context
        question = named[1]
        for name, at in cells.items():
            members = [cells.get(f"{question}/{a}") for a in name.partition("/")[2].split("|")]
            if len(members) > 1 and None not in members:
                system.at_least({at: -1.0, **{m: 1.0 for m in members if m is not None}})
                for member in members:
                    system.at_least({at: 1.0, member: -1.0})  # type: ignore[dict-item]


def sums_of_rows(system: System, rows: pd.DataFrame) -> None:
    """Relations of tables we know nothing of: answers to their base, groups to everyone.

    rows: as released, with `cell` and `base` (numbers of cells), of which those of other keys than
    boxes are read. A set of answers whose members are not known stands alone.
    """
    table = ["population", "variable", "by", "by_category", "base_kind"]
    for _, part in rows.groupby(table, sort=False):
        singles = part[~part["is_set"]]
        near = abs(singles["count"].sum() - part["base_n"].iloc[0]) <= 0.5
        if near and len(singles) > 1:
            system.relate(int(part["base"].iloc[0]), singles["cell"].astype(int).tolist())
    grouped = rows[rows["by"] != ""]
    for names, part in grouped.groupby(["population", "variable", "category", "by", "base_kind"],
                                       sort=False):  # fmt: skip
        population, variable, category, _, kind = names
        whole = rows[
            (rows["population"] == population) & (rows["variable"] == variable)
            & (rows["category"] == category) & (rows["by"] == "") & (rows["base_kind"] == kind)
        ]  # fmt: skip
        if len(whole):
            system.relate(int(whole["cell"].iloc[0]), part["cell"].astype(int).tolist())
