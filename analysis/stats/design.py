"""Survey design: what each person stands for, declared once and taken by every estimate.

Variances are linearised (Taylor): the estimate is written as a sum of one score a person, and the
variance is that of the sum, between the units drawn, within strata. Where weights were raked, the
scores are first taken off what the margins explain, since the margins are known and do not vary.

Sources: Binder (1983), International Statistical Review 51; Deville and Särndal (1992), JASA 87,
for raked weights; the same as `svymean`, `svytotal` and `rake` of R package survey (Lumley).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
OUTSIDE = 0


NO_VARIANCE = {
    "no_value": "{where}: a person without a value",
    "one_unit": "stratum {where}: one unit only, from which no variance can be estimated",
    "two_strata": "a cluster stands in one stratum: {where} in {found:g}",
    "no_size": "no population size for {where}",
    "too_many": "stratum {where}: {found:g} drawn from a population of {expected:g}",
}


class NoVarianceError(ValueError):
    """Why no variance can be estimated under a design.

    kind, with what `where`, `found` and `expected` are:
    no_value: people without a stratum or a cluster; the column, people, 0.
    one_unit: a stratum from which one unit was drawn; the stratum, 1, 2.
    two_strata: a cluster in more than one stratum; the cluster, its strata, 1.
    no_size: a stratum without a population size; the stratum, 0, units drawn.
    too_many: more units drawn than there were; the stratum, units drawn, the population.
    Where there are no strata, the stratum is "".
    """

    def __init__(self, kind: str, where: str, found: float, expected: float) -> None:
        self.kind, self.where, self.found, self.expected = kind, where, found, expected
        super().__init__(NO_VARIANCE[kind].format(where=where, found=found, expected=expected))


@dataclass(frozen=True)
class Estimated:
    """Estimates of one table with their covariance.

    value: one number an estimate; covariance: square, of `value`; n: people in the base;
    df: degrees of freedom (units drawn less strata, in the base); effective: people that would
    weigh as much if all weights were equal (Kish 1965, 11.7).
    """

    value: Floats
    covariance: Floats
    n: int
    df: int
    effective: float

    @property
    def variance(self) -> Floats:
        return np.diag(self.covariance)


@dataclass(frozen=True)
class Sample:
    """A sample that is not simple, one value a person in the order of `index`.

    weights: positive, of any scale; base: as they were before raking, else the same. stratum, unit:
    codes from 0 without gaps; a unit is what was drawn (a person, or a cluster of them) and stands
    in one stratum. population: units there were to draw from in each stratum, infinite where that
    is not known. margins: what raking fixed, one row a joint cell of the margins, and cell: that of
    each person.
    """

    index: pd.Index
    weights: Floats
    base: Floats
    stratum: Codes
    unit: Codes | None
    population: Floats
    margins: Floats
    cell: Codes

    def table(self, answers: pd.Series, sets: Floats | None = None) -> Estimated:
        """Shares of a single-answer question.

        answers: categorical, its index within that of the sample; missing ones and people not in
        it are outside the base. sets: categories by estimates, 0 or 1: which categories each
        estimate adds up; default each category by itself.
        """
        categories = len(answers.cat.categories)
        sets = np.eye(categories) if sets is None else sets
        code = np.zeros(len(self.index), dtype=np.intp)
        code[self.places(answers.index)] = answers.cat.codes.to_numpy() + 1
        if self.unit is not None:
            return self._by_people(np.vstack([np.zeros(sets.shape[1]), sets])[code], code > 0)
        return self._by_cells(code, categories, sets)

    def mean(self, values: pd.Series) -> Estimated:
        """Mean of a number (missing ones outside the base)."""
        y = np.full(len(self.index), np.nan)
        y[self.places(values.index)] = values.to_numpy(dtype=float)
        return self._by_people(np.nan_to_num(y)[:, None], ~np.isnan(y))

    def shares(self, chosen: pd.DataFrame) -> Estimated:
        """Shares of people who gave each answer of a several-answer question.

        chosen: one boolean column an answer, no missing value, people in the base only.
        """
        given = np.zeros((len(self.index), chosen.shape[1]))
        inside = np.zeros(len(self.index), dtype=bool)
        at = self.places(chosen.index)
        given[at], inside[at] = chosen.to_numpy(dtype=float), True
        return self._by_people(given, inside)

    def difference(self, given: pd.DataFrame, inside: NDArray[np.bool_]) -> Estimated:
        """Shares of each answer among some people, less those among all others in the base.

        given: one boolean column an answer, no missing value, people in the base only; inside: one
        a row of given.
        """
        at = self.places(given.index)
        y, here, there = given.to_numpy(dtype=float), inside, ~inside
        weight = self.weights[at]
        if not (here.any() and there.any()):
            return _nothing(y.shape[1])
        scores, value = np.zeros((len(self.index), y.shape[1])), np.zeros(y.shape[1])
        part = np.zeros_like(y)
        for sign, people in ((1, here), (-1, there)):
            mean = weight[people] @ y[people] / weight[people].sum()
            part[people] = sign * (y[people] - mean) / weight[people].sum()
            value += sign * mean
        scores[at] = part
        base = np.zeros(len(self.index), dtype=bool)
        base[at] = True
        return self._estimated(value, self._covariance(scores), base)

    def total(self, values: pd.Series) -> Estimated:
        """Total of a number over the population that the weights add up to."""
        y = np.zeros((len(self.index), 1))
        y[self.places(values.index), 0] = values.fillna(0).to_numpy(dtype=float)
        here = np.ones(len(y), dtype=bool)
        value = self.weights @ y
        return self._estimated(value, self._covariance(y), here)

    def weigh(self, people: pd.Index) -> Floats:
        """Weights of some people."""
        return self.weights[self.places(people)]

    def places(self, people: pd.Index) -> Codes | slice:
        """Where people stand in the sample."""
        if people is self.index or people.equals(self.index):
            return slice(None)
        at = self.index.get_indexer(people)
        if (at < 0).any():
            raise ValueError("people who are not in the sample")
        return at

    def _by_people(self, y: Floats, inside: NDArray[np.bool_]) -> Estimated:
        """Means of the columns of y over the people inside."""
        weight = self.weights * inside
        whole = weight.sum()
        if not whole:
            return _nothing(y.shape[1])
        value = weight @ y / whole
        scores = np.where(inside[:, None], y - value, 0.0) / whole
        return self._estimated(value, self._covariance(scores), inside)

    def _estimated(self, value: Floats, covariance: Floats, inside: NDArray[np.bool_]) -> Estimated:
        weight = self.weights[inside]
        units = int(inside.sum()) if self.unit is None else len(np.unique(self.unit[inside]))
        df = units - len(np.unique(self.stratum[inside]))
        return Estimated(value, covariance, int(inside.sum()), df, kish(weight))

    def _covariance(self, scores: Floats) -> Floats:
        """Covariance of the weighted sums of scores (people by estimates)."""
        weighted = self.weights[:, None] * (scores - self._explained(scores)[self.cell])
        if self.unit is not None:
            weighted = _summed(weighted, self.unit, len(self._units))
        sums = _summed(weighted, self._units, len(self.population))
        centred = weighted - (sums / self._drawn[:, None])[self._units]
        return centred.T @ (self._factor[self._units][:, None] * centred)

    def _explained(self, scores: Floats) -> Floats:
        """What the margins explain of scores, by least squares, one row a joint cell."""
        return self._fitted(_summed(self.base[:, None] * scores, self.cell, len(self.margins)))

    def _fitted(self, by_cell: Floats) -> Floats:
        """Scores summed by joint cell, put back as what the margins explain of one."""
        fitted: Floats = self.margins @ (self._inverse @ (self.margins.T @ by_cell))
        return fitted

    def _by_cells(self, code: Codes, categories: int, sets: Floats) -> Estimated:
        """The same as `_by_people` for indicators, from sums of weights alone.

        Each person is a unit here, so that people of one stratum, one cell of the margins and one
        answer have one score: a few sums a group of people serve, whatever their number.
        """
        count, weight, square, before = self._sums(code, categories + 1)
        inside = weight[:, OUTSIDE + 1 :]
        if not inside.any():
            return _nothing(sets.shape[1])
        value = inside.sum(axis=0) @ sets / inside.sum()
        score = np.vstack([np.zeros(len(value)), sets - value]) / inside.sum()
        by_cell = _summed(before @ score, self._cell_of_groups, len(self.margins))
        fitted = self._fitted(by_cell)[self._cell_of_groups]
        residual = score[None, :, :] - fitted[:, None, :]
        covariance = self._covariance_of_groups(weight, square, residual)
        people = count[:, OUTSIDE + 1 :].sum(axis=1)
        df = int(people.sum()) - len(np.unique(self._strata_of_groups[people > 0]))
        effective = kish(inside, square[:, OUTSIDE + 1 :])
        return Estimated(value, covariance, int(people.sum()), df, effective)

    def _sums(self, code: Codes, answers: int) -> list[Floats]:
        """People, weights, squares of weights and base weights by group and answer."""
        groups = len(self._strata_of_groups)
        flat, wide = self._group * answers + code, groups * answers
        sums = [np.bincount(flat, each, wide) for each in (None, self.weights, self._squares)]
        same = self.base is self.weights
        sums.append(sums[1] if same else np.bincount(flat, self.base, wide))
        return [each.reshape(groups, answers).astype(np.float64) for each in sums]

    def _covariance_of_groups(self, weight: Floats, square: Floats, residual: Floats) -> Floats:
        """As `_covariance`, for residuals by group, answer and estimate."""
        flat = residual.reshape(-1, residual.shape[2])
        factor = self._factor[self._strata_of_groups][:, None]
        covariance: Floats = flat.T @ ((square * factor).reshape(-1, 1) * flat)
        stratum = np.repeat(self._strata_of_groups, weight.shape[1])
        sums = _summed(weight.reshape(-1, 1) * flat, stratum, len(self.population))
        return covariance - sums.T @ ((self._factor / self._drawn)[:, None] * sums)

    @cached_property
    def _inverse(self) -> Floats:
        """Inverse of the margins' weighted cross products (generalised: margins overlap)."""
        by_cell = np.bincount(self.cell, self.base, len(self.margins))
        products = self.margins.T @ (by_cell[:, None] * self.margins)
        return np.asarray(np.linalg.pinv(products), dtype=np.float64)

    @cached_property
    def _squares(self) -> Floats:
        return self.weights**2

    @cached_property
    def _group(self) -> Codes:
        """Joint code of stratum and cell, one a person."""
        return self.stratum * len(self.margins) + self.cell

    @cached_property
    def _strata_of_groups(self) -> Codes:
        return np.repeat(np.arange(len(self.population)), len(self.margins))

    @cached_property
    def _cell_of_groups(self) -> Codes:
        return np.tile(np.arange(len(self.margins)), len(self.population))

    @cached_property
    def _units(self) -> Codes:
        """Stratum of each unit drawn."""
        if self.unit is None:
            return self.stratum
        first = np.unique(self.unit, return_index=True)[1]
        return self.stratum[first]

    @cached_property
    def _drawn(self) -> Floats:
        """Units drawn in each stratum."""
        drawn: Floats = np.bincount(self._units, minlength=len(self.population)).astype(np.float64)
        return drawn

    @cached_property
    def _factor(self) -> Floats:
        """What turns squares within a stratum into a variance: (1 - f) n / (n - 1)."""
        fraction = self._drawn / self.population
        return (1 - fraction) * self._drawn / (self._drawn - 1)


def sample(
    frame: pd.DataFrame,
    weights: pd.Series | None = None,
    strata: str | None = None,
    clusters: str | None = None,
    population: float | Mapping[str, float] | None = None,
    margins: list[str] | None = None,
    base: pd.Series | None = None,
) -> Sample:
    """A sample design from columns of a frame of people.

    weights: on the frame's index. population: units (clusters, or people) there were to draw from,
    one number for each stratum, or one a stratum. margins: columns that the weights were raked to,
    from the weights `base` (all one where it is not given). Raises NoVarianceError where the design
    gives none, ValueError where a weight is not positive.
    """
    weight = np.ones(len(frame)) if weights is None else weights.to_numpy(dtype=float)
    if not (weight > 0).all():
        raise ValueError("weights are positive numbers")
    stratum, names = _coded(frame, strata)
    unit, drawn = _coded(frame, clusters) if clusters else (None, [])
    indicators, cell = _margin_cells(frame, margins or [], weight)
    sizes = _sizes(population, names)
    before = weight
    if margins:
        before = np.ones(len(frame)) if base is None else base.to_numpy(dtype=float)
    made = Sample(frame.index, weight, before, stratum, unit, sizes, indicators, cell)
    _check(made, names, drawn)
    return made


def _coded(frame: pd.DataFrame, column: str | None) -> tuple[Codes, list[str]]:
    if column is None:
        return np.zeros(len(frame), dtype=np.intp), [""]
    codes, names = pd.factorize(frame[column], sort=True)
    if (codes < 0).any():
        raise NoVarianceError("no_value", column, float((codes < 0).sum()), 0)
    return codes.astype(np.intp), [str(name) for name in names]


def _margin_cells(frame: pd.DataFrame, margins: list[str], weight: Floats) -> tuple[Floats, Codes]:
    """What raking fixed, by joint cell of the margins, and each person's cell.

    The weights of a category less its share of those who answered the margin's question sum to 0,
    and all weights to what they did before: so a column each, and one of ones.
    """
    if not margins:
        return np.zeros((1, 1)), np.zeros(len(frame), dtype=np.intp)
    columns = [frame[name].astype("category") for name in margins]
    sizes = [len(column.cat.categories) + 1 for column in columns]
    joint = np.ravel_multi_index([c.cat.codes.to_numpy() + 1 for c in columns], sizes)
    known, cell = np.unique(joint, return_inverse=True)
    parts = np.unravel_index(known, sizes)
    by_cell = np.bincount(cell, weight, len(known))
    blocks = [np.ones((len(known), 1))]
    for part, n in zip(parts, sizes, strict=True):
        here = np.eye(n)[part][:, 1:]
        answered = float(by_cell @ (part > 0))
        shares = by_cell @ here / answered if answered else np.zeros(n - 1)
        blocks.append(here - (part > 0)[:, None] * shares)
    return np.hstack(blocks), cell.astype(np.intp)


def _sizes(population: float | Mapping[str, float] | None, names: list[str]) -> Floats:
    if population is None:
        return np.full(len(names), np.inf)
    if isinstance(population, Mapping):
        return np.array([population.get(name, np.nan) for name in names], dtype=float)
    return np.full(len(names), float(population))


def _check(made: Sample, names: list[str], clusters: list[str]) -> None:
    if made.unit is not None:
        pairs = np.unique(np.c_[made.unit, made.stratum], axis=0)
        strata = np.bincount(pairs[:, 0])
        if (strata > 1).any():
            raise NoVarianceError("two_strata", clusters[strata.argmax()], float(strata.max()), 1)
    for name, drawn, there in zip(names, made._drawn, made.population, strict=True):
        if drawn < 2:
            raise NoVarianceError("one_unit", name, float(drawn), 2)
        if np.isnan(there):
            raise NoVarianceError("no_size", name, 0, float(drawn))
        if drawn > there:
            raise NoVarianceError("too_many", name, float(drawn), float(there))


def _summed(values: Floats, codes: Codes, groups: int) -> Floats:
    """Sums of rows by code."""
    if groups == 1:
        return values.sum(axis=0, keepdims=True)
    columns = [np.bincount(codes, column, groups) for column in values.T]
    return np.column_stack(columns)


def kish(weight: Floats, square: Floats | None = None) -> float:
    """Effective number of people of these weights: as many of equal weight say as much of a mean.

    square: squares of weights, where they were summed by group. Source: Kish (1965), 11.7.
    """
    squares = weight**2 if square is None else square
    return float(weight.sum() ** 2 / squares.sum())


def _nothing(estimates: int) -> Estimated:
    empty = np.full((estimates, estimates), np.nan)
    return Estimated(empty[0] if estimates else np.zeros(0), empty, 0, 0, 0.0)
