"""Raking: base weights adjusted until their shares are those of known margins.

Unbounded it is calibration with the exponential (multiplicative) method, whose weights are the
limit of iterative proportional fitting; with bounds it is the logit method. Both are solved by
Newton's method, which needs some ten rounds where fitting one margin after the other may need
hundreds. The work is done on the joint cells of the margins: people who gave the same answers to
all of them share one ratio of final to base weight.

Sources: Deming and Stephan (1940), Annals of Mathematical Statistics 11; Deville and Särndal
(1992), JASA 87; Deville, Särndal and Sautory (1993), JASA 88; the same as `rake` and `calibrate`
(calfun "raking" and "logit") of R package survey.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import expit

Array = NDArray[np.float64]
Codes = NDArray[np.integer]
Targets = Mapping[str, Mapping[str, float]]
Bounds = tuple[float, float]

# How far totals may be from each other, as a share of them: rounding in a file, not a disagreement.
ROUNDING = 1e-6
# A score this far from where it starts belongs to a weight that vanishes, or is held by a bound:
# it would go on for ever.
FURTHEST = 20.0


@dataclass(frozen=True)
class Fault:
    """Why margins cannot be met, one category or one margin each.

    kind, with what `found` and `expected` are:
    empty_cell: a target above zero for a category with no person; people (0), target.
    unknown_category: people in a category that has no target; people, 0.
    zero_target: people in a category with target 0, though weights are positive; people, 0.
    negative_target: a target that is negative or not a number; the target, 0.
    disagree: the targets of a margin add up to something else than those of the others, or shares
    (none above 1) not to 1, or percents not to 100; their total, the total expected. `category` is
    None.
    not_converged: after raking, a margin not met; weighted share, target share.
    """

    kind: str
    margin: str
    category: str | None
    found: float
    expected: float


@dataclass(frozen=True)
class Raked:
    """Weights and how well they meet the margins.

    weights: on the index of the margins, positive. iterations: rounds done. gap: the largest
    difference, over all categories, of weighted share and target share. smallest, largest: ratio
    of final to base weight, over its mean (the total of final over that of base weights).
    """

    weights: pd.Series
    iterations: int
    gap: float
    smallest: float
    largest: float
    converged: bool


@dataclass(frozen=True)
class Cells:
    """Joint cells of the margins.

    member: the cell of each person; mass: share of each cell in the base weights; codes: for each
    margin the category of each cell, -1 where it was not answered; shares: for each margin the
    target shares of its categories, all above 0.
    """

    member: Codes
    mass: Array
    codes: list[Codes]
    shares: list[Array]

    @property
    def blocks(self) -> list[slice]:
        """Where the categories of each margin stand in the coefficients; the first is for all."""
        ends = np.cumsum([1, *map(len, self.shares)]).tolist()
        return [slice(*pair) for pair in pairwise(ends)]

    @property
    def design(self) -> csr_array:
        """Cells by coefficients: 1 for all, 1 in the category of each margin that was answered."""
        columns = [np.maximum(c, 0) + b.start for c, b in zip(self.codes, self.blocks, strict=True)]
        ones = np.ones(len(self.mass))
        values = np.column_stack([ones, *(codes >= 0 for codes in self.codes)])
        places = np.column_stack([np.zeros(len(ones), dtype=np.int64), *columns])
        starts = np.arange(0, values.size + 1, values.shape[1])
        width = self.blocks[-1].stop
        return csr_array((values.ravel(), places.ravel(), starts), shape=(len(ones), width))

    def gap(self, ratio: Array) -> float:
        """Largest difference of weighted share and target share over all categories."""
        pairs = zip(self.codes, self.shares, strict=True)
        return float(max(abs(_shares(c, self.mass * ratio, len(s)) - s).max() for c, s in pairs))


def rake(
    margins: pd.DataFrame,
    targets: Targets,
    base: pd.Series | None = None,
    bounds: Bounds | None = None,
    rounds: int = 100,
    tolerance: float = 1e-8,
) -> Raked:
    """Weights closest to the base weights among those that meet every margin.

    margins: one row a person, one column a margin, categorical or plain. targets: for each margin
    the share or the count of each category. With shares (each margin sums to 1) the weights sum to
    the number of people; with counts (any other total, the same for all margins) to that total.
    base: positive weights before raking, on the same index, default all equal; only their
    proportions matter. bounds: least and greatest ratio of final to base weight over its mean,
    least below 1 and greatest above, such as (0.3, 3). rounds: at most so many. tolerance: the gap
    at which margins are met, and the relative change of weights at which they have settled.

    A person who did not answer a margin (missing) is left out of it: the targets hold among those
    who answered, counts being scaled to their weight, and the person's factor for this margin is
    1. The factors of those who answered are such that their total weight is the same as without
    this margin: not to answer neither gains nor loses weight by itself. The order of margins does
    not matter.

    Margins that no positive weights meet within the bounds come back with converged False; `unmet`
    names them. Bounds that only just allow the margins may leave no room for what is said of people
    who did not answer, and come back the same. ValueError: targets with `faults`, nobody or no
    margin, base weights or bounds that are none.
    """
    _check(margins, targets, base, bounds)
    weights = np.ones(len(margins)) if base is None else base.to_numpy(dtype=float)
    cells = _cells(margins, targets, weights)
    ratio, iterations, settled = _solve(cells, bounds, rounds, tolerance)
    gap = cells.gap(ratio)
    ratio = ratio / (cells.mass @ ratio)
    final = weights * ratio[cells.member]
    final *= _total(targets, len(margins)) / final.sum()
    return Raked(
        weights=pd.Series(final, index=margins.index, name="weight"),
        iterations=iterations,
        gap=gap,
        smallest=float(ratio.min()),
        largest=float(ratio.max()),
        converged=settled and gap <= tolerance,
    )


def faults(margins: pd.DataFrame, targets: Targets) -> list[Fault]:
    """What makes these targets impossible for these people, before raking; empty if nothing does.

    margins, targets: as for `rake`. In the order of the targets.
    """
    return _totals_apart(targets) + [
        fault
        for name, wanted in targets.items()
        for fault in _margin_faults(name, margins[name], wanted)
    ]


def unmet(
    raked: Raked, margins: pd.DataFrame, targets: Targets, tolerance: float = 1e-8
) -> list[Fault]:
    """The categories whose share is not the target, widest gap first; empty if it converged.

    Where margins are met only by weights that vanish, or only at the bounds themselves, no
    category stands out: then the one with the widest gap is named.
    """
    if raked.converged:
        return []
    cells = _cells(margins, targets, raked.weights.to_numpy())
    found = [
        Fault("not_converged", name, category, float(share), float(target))
        for name, codes, target_shares in zip(targets, cells.codes, cells.shares, strict=True)
        for category, share, target in zip(
            _positive(targets[name]),
            _shares(codes, cells.mass, len(target_shares)),
            target_shares,
            strict=True,
        )
    ]
    found.sort(key=lambda fault: -abs(fault.found - fault.expected))
    wide = [fault for fault in found if abs(fault.found - fault.expected) > tolerance]
    return wide or found[:1]


def _totals_apart(targets: Targets) -> list[Fault]:
    """Margins whose total is not the one that all should have."""
    totals = {name: float(sum(wanted.values())) for name, wanted in targets.items()}
    if any(max(wanted.values(), default=0) <= 1 for wanted in targets.values()):
        common = 1.0
    elif any(99 < total < 101 for total in totals.values()):
        common = 100.0
    else:
        common = next(iter(totals.values()), 1.0)
    return [
        Fault("disagree", name, None, total, common)
        for name, total in totals.items()
        if not abs(total - common) <= ROUNDING * common
    ]


def _margin_faults(name: str, answers: pd.Series, wanted: Mapping[str, float]) -> list[Fault]:
    """What is wrong with single categories of one margin."""
    counted = answers.value_counts(sort=False)
    people = {category: int(number) for category, number in counted.items() if number}
    found = []
    for category, target in wanted.items():
        there = people.pop(category, 0)
        if not 0 <= target < np.inf:
            found.append(Fault("negative_target", name, category, float(target), 0.0))
        elif target > 0 and not there:
            found.append(Fault("empty_cell", name, category, 0.0, float(target)))
        elif target == 0 and there:
            found.append(Fault("zero_target", name, category, float(there), 0.0))
    # In an order of their own, not that of the rows.
    unknown = sorted(people.items(), key=lambda item: str(item[0]))
    return found + [
        Fault("unknown_category", name, str(category), float(number), 0.0)
        for category, number in unknown
    ]


def _check(
    margins: pd.DataFrame, targets: Targets, base: pd.Series | None, bounds: Bounds | None
) -> None:
    """ValueError with a plain message for what cannot be raked."""
    if margins.empty:
        raise ValueError("raking needs people and at least one margin")
    if set(margins.columns) != set(targets):
        raise ValueError("margins and targets must name the same variables")
    if base is not None:
        if not base.index.equals(margins.index):
            raise ValueError("base weights must be on the index of the margins")
        if not ((base > 0) & (base < np.inf)).all():
            raise ValueError("base weights must be positive numbers")
    if bounds is not None and not 0 <= bounds[0] < 1 < bounds[1] < np.inf:
        raise ValueError("bounds must be a number from 0 to below 1 and one above 1")
    wrong = [
        f"{fault.kind} ({fault.margin}{'' if fault.category is None else f': {fault.category}'})"
        for fault in faults(margins, targets)
    ]
    if wrong:
        raise ValueError(f"these margins cannot be met: {', '.join(wrong)}")


def _total(targets: Targets, people: int) -> float:
    """What the final weights sum to."""
    total = float(sum(next(iter(targets.values())).values()))
    return float(people) if abs(total - 1) <= ROUNDING else total


def _positive(wanted: Mapping[str, float]) -> list[str]:
    return [category for category, target in wanted.items() if target > 0]


def _cells(margins: pd.DataFrame, targets: Targets, weights: Array) -> Cells:
    """People with the same answers to all margins, taken together."""
    member = np.zeros(len(margins), dtype=np.int64)
    each: list[Codes] = []
    shares: list[Array] = []
    for name, wanted in targets.items():
        categories = _positive(wanted)
        coded = margins[name].astype("category").cat.set_categories(categories)
        each.append(coded.cat.codes.to_numpy(dtype=np.int64))
        target = np.array([wanted[category] for category in categories], dtype=float)
        shares.append(target / target.sum())
        # Numbered anew after each margin, so that many margins do not overflow.
        member = pd.factorize(member * (len(categories) + 1) + each[-1] + 1)[0].astype(np.int64)
    mass = np.bincount(member, weights)
    someone = np.zeros(len(mass), dtype=np.int64)
    someone[member] = np.arange(len(member))
    return Cells(member, mass / mass.sum(), [codes[someone] for codes in each], shares)


def _shares(codes: Codes, weight: Array, categories: int) -> Array:
    """Weighted share of each category among those who answered."""
    sums = np.bincount(codes + 1, weight, minlength=categories + 1)[1:]
    return np.asarray(sums / sums.sum())


def _ratio(score: Array, bounds: Bounds | None) -> tuple[Array, Array]:
    """Ratio of final to base weight at a score, and its derivative: exponential or logit method."""
    if bounds is None:
        ratio = np.exp(score)
        return ratio, ratio
    low, high = bounds
    between = expit(score)
    return low + (high - low) * between, (high - low) * between * expit(-score)


def _solve(
    cells: Cells, bounds: Bounds | None, rounds: int, tolerance: float
) -> tuple[Array, int, bool]:
    """The ratio of each cell, the rounds done, and whether the ratios have settled.

    A round is a Newton step on the coefficients of the categories, whose sum, the score of a cell,
    gives its ratio.
    """
    design = cells.design
    start = 0.0 if bounds is None else float(np.log((1 - bounds[0]) / (bounds[1] - 1)))
    coefficients, score = np.zeros(design.shape[1]), np.full(len(cells.mass), start)
    for iteration in range(1, rounds + 1):
        step = _newton(cells, design, coefficients, score, bounds)
        # Along the step the third derivative of the distance is at most `far` times the second:
        # with every margin answered, this part of the step always comes closer.
        # Source: Sun and Tran-Dinh (2019), Mathematical Programming 178.
        far = float(abs(design @ step).max())
        coefficients += step * (np.log1p(far) / far if far > 0 else 1.0)
        score = start + design @ coefficients
        if far <= tolerance:
            return _ratio(score, bounds)[0], iteration, True
        if abs(score - start).max() > FURTHEST:
            return _ratio(score, bounds)[0], iteration, False
    return _ratio(score, bounds)[0], rounds, False


def _newton(
    cells: Cells, design: csr_array, coefficients: Array, score: Array, bounds: Bounds | None
) -> Array:
    """The step at which, to first order, the margins are met and the mean ratio is 1."""
    ratio, slope = _ratio(score, bounds)
    weight = design.T @ (cells.mass * ratio)
    slopes = (design.T @ design.multiply((cells.mass * slope)[:, None]).tocsr()).toarray()
    misses, change = [weight[:1] - 1], [slopes[:1]]
    for codes, shares, block in zip(cells.codes, cells.shares, cells.blocks, strict=True):
        # The excess of a category is its weight less its target share of all who answered.
        misses.append(weight[block] - shares * weight[block].sum())
        change.append(slopes[block] - np.outer(shares, slopes[block].sum(axis=0)))
        if (codes < 0).any():
            # Its shares say nothing of the weight of all who answered: the same as without it.
            without, flat = _ratio(score - coefficients[block][codes], bounds)
            answered = cells.mass * (codes >= 0)
            others = design.T @ (answered * flat)
            others[block] = 0
            misses.append(np.array([answered @ (ratio - without)]))
            change.append((slopes[block].sum(axis=0) - others)[None])
    # Margins repeat each other in part, so that there is no one solution: the shortest is taken.
    solution = np.linalg.lstsq(np.concatenate(change), -np.concatenate(misses), rcond=None)
    return np.asarray(solution[0])
