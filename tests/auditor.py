"""An auditor that reads released tables and works out what is withheld. It shares no code, and no
list of relations, with the disclosure control that it attacks.

Whoever answered belongs to one combination of answers, those left out included. Every released
number is then a sum of combinations: margins, answer sets, sub-populations, groups, the same table
in another base and differences between pages all follow, without being written down.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import pandas as pd
from scipy.optimize import linprog
from scipy.sparse import coo_array, csr_array, hstack, vstack

from analysis.study import Study

LEFT_OUT = ""
# Who belongs to a population, from the answers as read.
POPULATIONS: dict[str, Callable[[dict[str, np.ndarray]], np.ndarray]] = {
    "all": lambda answers: np.ones(len(answers["status"]), dtype=bool),
    "trained": lambda answers: ~np.isin(answers["training_hours"], ["none", LEFT_OUT]),
}
TABLE = ["population", "variable", "by", "by_category", "base_kind"]


class Auditor:
    """What follows from released estimates about the people of a survey."""

    def __init__(self, study: Study, released: pd.DataFrame) -> None:
        levels = {q.name: [*q.answers, LEFT_OUT] for q in study.questionnaire}
        self.sets = {v: {name: list(each.answers) for name, each in sets.items()}
                     for v, sets in study.definition.answer_sets.items()}  # fmt: skip
        every = list(product(*levels.values()))
        self.people = {
            name: np.array(column)
            for name, column in zip(levels, zip(*every, strict=True), strict=True)
        }
        self.counts: dict[tuple, np.ndarray] = {}
        self.known: dict[tuple, float] = {}
        rows = released[
            released["population"].isin(POPULATIONS) & released["by"].isin([*levels, ""])
        ]
        for row in rows.itertuples():
            if row.variable in levels:
                self.see(row, (*(getattr(row, n) for n in TABLE[:4]), row.category))
            elif row.variable == "question_base":
                self.told(
                    ("answered", row.category), self.people[row.category] != LEFT_OUT, row.count_
                )
            elif (row.variable, row.category) == ("response_flow", "retained"):
                self.told(("everyone",), POPULATIONS["all"](self.people), row.count_)

    def see(self, row, key: tuple) -> None:
        """A released cell and its base, the count from the share where it is not there itself."""
        answers = self.people[row.variable]
        inside = POPULATIONS[row.population](self.people)
        if row.by:
            inside = inside & np.isin(self.people[row.by], self.members(row.by, row.by_category))
        count = row.count_
        if np.isnan(count) and not np.isnan(row.share) and not np.isnan(row.base_n):
            count = row.share * row.base_n
        self.told((*key[:4], None), inside & (answers != LEFT_OUT), row.base_n)
        self.told(key, inside & np.isin(answers, self.members(row.variable, row.category)), count)

    def members(self, variable: str, category: str) -> list[str]:
        return self.sets.get(variable, {}).get(category, [category])

    def told(self, key: tuple, inside: np.ndarray, number: float) -> None:
        self.counts[key] = inside
        if not np.isnan(number):
            self.known[key] = number

    def recovered(self, hidden: dict[tuple, float], tolerance: float) -> dict[tuple, tuple]:
        """Hidden counts whose range is narrower than the tolerance, with that range.

        hidden: true numbers. They only shorten the search: two fillings that fit all that is
        released and differ enough prove that a count is not recovered.
        """
        keys = [key for key in hidden if key not in self.known]
        truth = np.array([hidden[key] for key in keys])
        size = len(next(iter(self.people.values())))
        told = [self.counts[key] for key in self.known]
        sums = csr_array(np.array(told, dtype=float).reshape(-1, size))
        own = csr_array(np.array([self.counts[key] for key in keys], dtype=float).reshape(-1, size))
        table = vstack([hstack([sums, coo_array((sums.shape[0], len(keys)))]),
                        hstack([own, -coo_array(np.eye(len(keys)))])]).tocsr()  # fmt: skip
        right = np.concatenate([list(self.known.values()), np.zeros(len(keys))])
        low, high = truth.copy(), truth.copy()

        def fill(goal: np.ndarray, far: float) -> None:
            nonlocal low, high
            ends = np.column_stack([np.maximum(truth - far, 0), truth + far])
            bounds = np.vstack([np.tile([0.0, np.inf], (own.shape[1], 1)), ends])
            cost = np.concatenate([np.zeros(own.shape[1]), -goal])
            found = linprog(cost, A_eq=table, b_eq=right, bounds=bounds)
            assert found.status == 0, found.message
            low = np.minimum(low, found.x[own.shape[1] :])
            high = np.maximum(high, found.x[own.shape[1] :])

        rng = np.random.default_rng(0)
        for _ in range(3):
            left = high - low < tolerance - 1e-6
            way = np.where(left, rng.choice([-1.0, 1.0], len(keys)), 0.0)
            if left.any():
                fill(way, tolerance)
                fill(-way, tolerance)
        for at in np.flatnonzero(high - low < tolerance - 1e-6):
            for sign in (1.0, -1.0):
                if high[at] - low[at] < tolerance - 1e-6:
                    fill(sign * (np.arange(len(keys)) == at), 1e4)
        return {key: (low[at], high[at]) for at, key in enumerate(keys)
                if high[at] - low[at] < tolerance - 1e-6}  # fmt: skip
