"""A mixed-integer linear programme, written row by row and solved by HiGHS (scipy)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_array, vstack

Terms = dict[int, float]


class InfeasibleError(Exception):
    """No whole numbers satisfy the rows."""


@dataclass
class Programme:
    """Variables and rows as they are added; `solve` does not change it."""

    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    whole: list[int] = field(default_factory=list)
    rows: list[Terms] = field(default_factory=list)
    row_low: list[float] = field(default_factory=list)
    row_high: list[float] = field(default_factory=list)

    def variables(self, number: int, high: float = np.inf, whole: bool = True) -> np.ndarray:
        """Add variables from 0 to `high`; returns their numbers."""
        start = len(self.low)
        self.low += [0.0] * number
        self.high += [high] * number
        self.whole += [int(whole)] * number
        return np.arange(start, start + number)

    def row(self, terms: Terms, low: float = -np.inf, high: float = np.inf) -> None:
        """Add low <= terms <= high."""
        self.rows.append(terms)
        self.row_low.append(low)
        self.row_high.append(high)

    def solve(
        self, cost: Mapping[int, float], fixed: Mapping[int, float] | None = None, gap: float = 0.0
    ) -> np.ndarray:
        """Values of least cost, whole where they must be. Raises InfeasibleError.

        No time limit: it would make the answer depend on the machine.
        """
        low, high = np.array(self.low), np.array(self.high)
        for number, value in (fixed or {}).items():
            low[number] = high[number] = value
        costs = np.zeros(len(low))
        for number, value in cost.items():
            costs[number] = value
        result = milp(
            costs,
            integrality=np.array(self.whole),
            bounds=Bounds(low, high),
            constraints=LinearConstraint(self._matrix(), self.row_low, self.row_high),
            options={"mip_rel_gap": gap},
        )
        if result.x is None:
            raise InfeasibleError(result.message)
        return np.where(np.array(self.whole) == 1, np.rint(result.x), result.x)

    def _matrix(self) -> csr_array:
        pairs = [(r, v, c) for r, terms in enumerate(self.rows) for v, c in terms.items()]
        rows, columns, values = zip(*pairs, strict=True)
        return csr_array((values, (rows, columns)), shape=(len(self.rows), len(self.low)))


def add(*parts: Terms, scale: float = 1.0) -> Terms:
    """Sum of linear expressions, times a number."""
    total: Terms = {}
    for part in parts:
        for number, value in part.items():
            total[number] = total.get(number, 0.0) + scale * value
    return total


def minus(left: Terms, right: Terms, scale: float = 1.0) -> Terms:
    """left - scale * right."""
    return add(left, add(right, scale=-scale))


def assign(scores: np.ndarray, totals: np.ndarray, low: int, high: int) -> np.ndarray:
    """Who gets which answer: the allocation of highest score.

    scores: persons x answers. totals: persons to give each answer. Each person gets from `low`
    to `high` answers. A transportation problem: its extreme points are whole numbers, so a
    linear programme solves it exactly; with random scores the best one is the only one.
    Returns a boolean array of the shape of `scores`. Raises InfeasibleError.
    """
    people, answers = scores.shape
    if not people:
        return np.zeros((0, answers), dtype=bool)
    cells = np.arange(people * answers)
    ones = np.ones(cells.size)
    by_person = csr_array((ones, (cells // answers, cells)), shape=(people, cells.size))
    by_answer = csr_array((ones, (cells % answers, cells)), shape=(answers, cells.size))
    result = linprog(
        -scores.ravel(),
        A_ub=vstack([by_person, -by_person]),
        b_ub=np.r_[np.full(people, high), np.full(people, -low)],
        A_eq=by_answer,
        b_eq=totals,
        bounds=(0, 1),
        method="highs-ds",
    )
    if result.x is None:
        raise InfeasibleError(result.message)
    return np.rint(result.x).astype(bool).reshape(scores.shape)
