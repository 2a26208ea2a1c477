"""An auditor that reads what is published and works out what is withheld. It shares no code, and no
list of relations, with the disclosure control that it attacks.

Whoever answered belongs to one combination of answers, those left out included. Every published
number then bounds a sum of combinations: margins, answer sets, sub-populations, groups, the same
table in another base and differences between pages all follow, without being written down.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import linprog
from scipy.sparse import csr_array, hstack, identity, vstack

from analysis import expression
from analysis.definition import Disclosure
from analysis.study import Study

Vector = np.ndarray
NAMES = ["population", "variable", "by", "by_category", "category", "base_kind"]
FLOW = "(flow)"
# How each response received ended: complete or not, kept or not.
FLOWS = ["complete", "partial", "dropped_complete", "dropped_partial"]
RESPONSES = {
    "responses_any": FLOWS,
    "responses_complete": ["complete", "dropped_complete"],
    "responses_partial": ["partial", "dropped_partial"],
    "partial_retained": ["partial"],
    "partial_dropped": ["dropped_partial"],
    "retained": ["complete", "partial"],
}
COMPLETION = {"complete": RESPONSES["responses_complete"],
              "partial": RESPONSES["responses_partial"]}  # fmt: skip
EXACT = 1e-9
# Largest base that is tried.
MOST = 150
# So many recovered counts are enough to say that there are some.
ENOUGH = 5
NORMAL = 1.959963984540054


@dataclass(frozen=True)
class Told:
    """What one place says of one row of results: its names, and numbers with half a unit of the
    last digit that is printed. Numbers: count, base, share, low, high."""

    names: tuple[str, ...]
    numbers: Mapping[str, tuple[float, float]]
    place: str = ""
    method: str = ""


class Combinations:
    """Every combination of answers that the questionnaire lets someone give."""

    def __init__(self, study: Study) -> None:
        self.study, self.definition = study, study.definition
        form = study.questionnaire
        assert form is not None
        frame = pd.DataFrame({FLOW: FLOWS})
        for question in form:
            asked = pd.Series(True, index=frame.index)
            if question.relevant:
                asked = expression.evaluate(expression.parse(question.relevant), frame)
            given = pd.DataFrame(_answers(question))
            left_out = given.tail(1)
            parts = [frame[asked].merge(given, how="cross"),
                     frame[~asked].merge(left_out, how="cross")]  # fmt: skip
            frame = pd.concat([part for part in parts if len(part)], ignore_index=True)
            columns = question.columns if question.several else [question.name]
            kind = "boolean" if question.several else "string"
            frame = frame.astype(dict.fromkeys(columns, kind))
        self.frame, self.kept = frame, frame[FLOW].isin(RESPONSES["retained"]).to_numpy()
        self.known: dict[tuple[str, ...], tuple[Vector, Vector] | None] = {}

    def of(self, told: Told) -> tuple[Vector, Vector] | None:
        """How often each combination counts in a row's count, and in its base; None where the
        row is of something else than answers."""
        if told.names not in self.known:
            self.known[told.names] = self._of(dict(zip(NAMES, told.names, strict=True)))
        return self.known[told.names]

    def _of(self, names: dict[str, str]) -> tuple[Vector, Vector] | None:
        variable, category = names["variable"], names["category"]
        if variable == "response_flow":
            return self._ended(RESPONSES[category]), self._ended(FLOWS)
        if variable == "question_base":
            return self._answered(category) & self.kept, self._asked(category) & self.kept
        if variable == "item_nonresponse":
            return self._skipped(category), self._asked(category)
        if variable == "left_before":
            return self._left(category), self._ended(FLOWS)
        where = self._population(names["population"])
        if names["by"] == "completion":
            where = where & self._ended(COMPLETION[names["by_category"]])
        elif names["by"]:
            group = self._gave(names["by"], names["by_category"])
            if group is None:
                return None
            where = where & (group > 0)
        return self._table(variable, category, names["base_kind"], where)

    def _table(
        self, variable: str, category: str, kind: str, where: Vector
    ) -> tuple[Vector, Vector] | None:
        scored = self._score(variable)
        if scored is not None:
            return scored[0] * where, scored[1] & where
        gave = self._gave(variable, category)
        if gave is None:
            return None
        base: Vector = self._answered(variable) * 1.0
        battery = self.study.battery_of(variable) if variable in self._form else None
        if kind == "mentions":
            base = sum(self._gave(variable, a) for a in self._form[variable].answers)  # type: ignore[assignment]
        if kind == "concerned" and battery and battery.not_concerned:
            base = base - self._gave(variable, battery.not_concerned)  # type: ignore[operator]
        return gave * where, base * where

    @property
    def _form(self) -> Any:
        return self.study.questionnaire

    def _ended(self, flows: list[str]) -> Vector:
        return self.frame[FLOW].isin(flows).to_numpy()

    def _population(self, name: str) -> Vector:
        if name == "received":
            return self._ended(FLOWS)
        where = self.definition.populations[name].where
        return expression.evaluate(expression.parse(where), self.frame).to_numpy() & self.kept

    def _answered(self, name: str) -> Vector:
        columns = self._form[name].columns if self._form[name].several else [name]
        return self.frame[columns].notna().any(axis=1).to_numpy()

    def _asked(self, name: str) -> Vector:
        relevant = self._form[name].relevant or "true()"
        return expression.evaluate(expression.parse(relevant), self.frame).to_numpy()

    def _along(self, name: str) -> tuple[Vector, Vector]:
        """Who was asked a question and gave no answer, and who said nothing from there on."""
        order = list(self._form.questions)
        on = [self._answered(each) for each in order[order.index(name) :]]
        ended = self._ended(RESPONSES["responses_complete"])
        return self._asked(name) & ~on[0], ~(np.any(on, axis=0) | ended)

    def _skipped(self, name: str) -> Vector:
        """Who gave no answer, though they gave one further on, or came to the end."""
        missing, silent = self._along(name)
        return missing & ~silent

    def _left(self, name: str) -> Vector:
        """For whom it is the first question asked that they did not reach."""
        order, before = list(self._form.questions), np.zeros(len(self.frame), dtype=bool)
        for each in order[: order.index(name)]:
            before |= np.logical_and(*self._along(each))
        return np.logical_and(*self._along(name)) & ~before

    def _gave(self, variable: str, category: str) -> Vector | None:
        """Who gave an answer, or one of a set of answers."""
        if variable not in self._form:
            return None
        members = [category]
        sets = self.definition.answer_sets.get(variable, {})
        battery = self.study.battery_of(variable)
        if category in sets:
            members = list(sets[category].answers)
        elif battery and category in ("agree", "disagree"):
            members = list(getattr(battery, category))
        if self._form[variable].several:
            columns = [f"{variable}/{member}" for member in members]
            return self.frame[columns].fillna(False).any(axis=1).to_numpy() * 1.0
        return self.frame[variable].isin(members).to_numpy() * 1.0

    def _score(self, variable: str) -> tuple[Vector, Vector] | None:
        """The mean score of the items of a battery, each from 0 to 1, and who has one."""
        if variable != "expectation_index":
            return None
        (battery,) = self.study.batteries
        places = {a: n / (len(battery.scale) - 1) for n, a in enumerate(battery.scale)}
        items = [q.name for q in self._form if battery.group in q.groups]
        scores = pd.DataFrame({item: self.frame[item].map(places) for item in items})
        scored = scores.notna().any(axis=1).to_numpy()
        return scores.mean(axis=1).fillna(0).to_numpy(float), scored


def _answers(question: Any) -> list[dict[str, Any]]:
    """Ways to answer a question; to leave it out, last."""
    if not question.several:
        return [{question.name: answer} for answer in [*question.answers, None]]
    ways = range(1, 2 ** len(question.columns))
    given = [{c: bool(way >> n & 1) for n, c in enumerate(question.columns)} for way in ways]
    return [*given, dict.fromkeys(question.columns, None)]


class Auditor:
    """What follows from what is published about the people of a survey.

    rounding: the base that counts are rounded to. Weighted shares are not read.
    """

    def __init__(self, of: Combinations, rules: Disclosure) -> None:
        self.of, self.rules = of, rules
        self.rounding = (rules.rounding or 1) if not rules.public else 1
        self.rows: dict[bytes, Vector] = {}
        self.ends: dict[bytes, list[float]] = {}
        self.places: dict[bytes, list[Told]] = {}
        self.unread: list[Told] = []

    def see(self, rows: Iterable[Told]) -> Auditor:
        """Take in what is published."""
        rows = list(rows)
        for told in rows:  # bases first: shares are read with them
            self._numbers(told)
        for told in rows:
            self._share(told)
        return self

    def _numbers(self, told: Told) -> None:
        found = self.of.of(told)
        if found is None:
            self.unread.append(told)
            return
        count, base = found
        for name, vector in (("count", count), ("base", base)):
            if name in told.numbers and not (name == "count" and told.method == "mean_score"):
                value, unit = told.numbers[name]
                self._tell(told, vector * 1.0, *self._unrounded(value, unit))

    def _unrounded(self, value: float, unit: float) -> tuple[float, float]:
        """True numbers that are printed so: of a multiple, half a multiple either way."""
        unit += self.rounding / 2 if self.rounding > 1 else 0
        return value - unit, value + unit

    def _share(self, told: Told) -> None:
        """A share and Wilson's interval give counts and bases away, each to within its digits."""
        found = self.of.of(told)
        if found is None or self.rounding > 1 or "share" not in told.numbers:
            return
        count, base = found
        if told.method not in ("wilson", "count"):
            return
        known = self.ends.get((base * 1.0).tobytes(), [1, MOST])
        bases = np.arange(max(1, np.ceil(known[0] - EXACT)), np.floor(known[1] + EXACT) + 1)
        n, c = (grid.ravel() for grid in np.meshgrid(bases, np.arange(bases.max(initial=0) + 1)))
        n, c = n[c <= n], c[c <= n]
        fits = np.ones(len(n), dtype=bool)
        ends = _wilson(c, n) if told.method == "wilson" else (0, 0)
        for name, printed in (("share", c / n), ("low", ends[0]), ("high", ends[1])):
            if name in told.numbers and (name == "share" or told.method == "wilson"):
                value, unit = told.numbers[name]
                fits &= abs(printed - value) <= unit + EXACT
        if fits.any():
            self._tell(told, count * 1.0, c[fits].min(), c[fits].max())
            self._tell(told, base * 1.0, n[fits].min(), n[fits].max())

    def _tell(self, told: Told, vector: Vector, low: float, high: float) -> None:
        key = vector.tobytes()
        self.rows[key] = vector
        ends = self.ends.setdefault(key, [-np.inf, np.inf])
        if low > ends[0] or high < ends[1]:
            self.places.setdefault(key, []).append(told)
        ends[0], ends[1] = max(ends[0], low), min(ends[1], high)

    def recovered(
        self, hidden: Mapping[tuple[str, ...], Vector], truth: Vector
    ) -> dict[tuple[str, ...], tuple[float, float]]:
        """Hidden counts whose range is narrower than the tolerance, with that range.

        hidden: how often each combination counts in them; truth: how many people gave each
        combination. It only shortens the search: two fillings that fit all that is published and
        differ enough prove that a count is not recovered.
        """
        keys = list(hidden)
        if not (keys and self.rows):
            return {}
        told = np.array(list(self.rows.values()))
        own = np.array([hidden[key] * 1.0 for key in keys])
        ends = np.array(list(self.ends.values()))
        low_end, high_end = ends.T
        holds = told @ truth
        wrong = np.flatnonzero((holds < low_end - 1e-6) | (holds > high_end + 1e-6))
        misread = [self.places[list(self.rows)[at]] for at in wrong]
        assert not misread, f"published numbers that are not those of the study: {misread[:3]}"
        _, first = np.unique(np.vstack([told, own]), axis=1, return_index=True)
        return Ranges(told[:, first], own[:, first], ends, own @ truth,
                      self.rules.tolerance).short(keys)  # fmt: skip


@dataclass
class Ranges:
    """Ranges of hidden sums, by linear programmes over combinations that are told apart."""

    told: Vector
    own: Vector
    ends: Vector
    truth: Vector
    tolerance: float

    def __post_init__(self) -> None:
        self.low, self.high = self.truth.copy(), self.truth.copy()
        size, keys = self.own.shape[1], len(self.own)
        exact = self.ends[:, 0] >= self.ends[:, 1] - EXACT
        empty = csr_array((len(self.told), keys))
        everything = hstack([csr_array(self.told), empty]).tocsr()
        defined = hstack([csr_array(self.own), -identity(keys)])
        self.equal = vstack([everything[exact], defined]).tocsr()
        self.right = np.concatenate([self.ends[exact].mean(axis=1), np.zeros(keys)])
        loose, (low, high) = everything[~exact], self.ends[~exact].T
        up, down = np.isfinite(high), np.isfinite(low)
        self.most = vstack([loose[up], -loose[down]]).tocsr() if len(low) else None
        self.limit = np.concatenate([high[up], -low[down]])
        self.size = size

    def fill(self, goal: Vector, far: float) -> None:
        ends = np.column_stack([np.maximum(self.truth - far, 0), self.truth + far])
        bounds = np.vstack([np.tile([0.0, np.inf], (self.size, 1)), ends])
        cost = np.concatenate([np.zeros(self.size), -goal])
        found = linprog(cost, A_ub=self.most, b_ub=self.limit if self.most is not None else None,
                        A_eq=self.equal, b_eq=self.right, bounds=bounds)  # fmt: skip
        assert found.status == 0, found.message
        self.low = np.minimum(self.low, found.x[self.size :])
        self.high = np.maximum(self.high, found.x[self.size :])

    def left(self) -> Vector:
        return self.high - self.low < self.tolerance - 1e-5

    def short(self, keys: list[tuple[str, ...]]) -> dict[tuple[str, ...], tuple[float, float]]:
        rng = np.random.default_rng(0)
        for _ in range(3):
            if self.left().any():
                way = np.where(self.left(), rng.choice([-1.0, 1.0], len(keys)), 0.0)
                self.fill(way, self.tolerance)
                self.fill(-way, self.tolerance)
        found: dict[tuple[str, ...], tuple[float, float]] = {}
        for at in np.flatnonzero(self.left()):
            for sign in (1.0, -1.0):
                if self.left()[at]:
                    self.fill(sign * (np.arange(len(keys)) == at), 1e4)
            if self.left()[at]:
                found[keys[at]] = float(self.low[at]), float(self.high[at])
            if len(found) == ENOUGH:
                break
        return found


def _wilson(count: Vector, base: Vector) -> tuple[Vector, Vector]:
    """Wilson 1927: the shares from which the one observed is no farther than NORMAL errors."""
    share, square = count / base, NORMAL**2 / base
    middle, half = (
        share + square / 2,
        NORMAL * np.sqrt(share * (1 - share) / base + square / base / 4),
    )
    return (middle - half) / (1 + square), (middle + half) / (1 + square)
