"""How closely a withheld number can be told from what stays published.

The attacker knows every published number, every relation, who is missing, and that counts are not
negative. The range of a withheld number is then a pair of linear programmes (Fischetti and Salazar
2000, section 2). Each solution is a set of counts that fits all that is published, so that a few of
them prove the safety of many cells at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import OptimizeResult, linprog
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

Floats = NDArray[np.float64]
Places = NDArray[np.intp]
EPSILON = 1e-6
# Successful attacks on one lot after which a better choice is made.
ENOUGH = 60
# Times that cells are sent out together without much more being learnt.
IDLE = 3
# Steps of the simplex method that one programme may take.
STEPS = 100_000


class OutOfWorkError(Exception):
    """Attacks have taken as much work as they may."""


@dataclass
class Work:
    """Work that attacks may still do, about a microsecond a unit. No time: the same answers give
    the same results on any machine."""

    left: float

    def take(self, cells: int, steps: int) -> None:
        """Count one programme. Raises OutOfWorkError when no work is left."""
        self.left -= 4_000 + 5 * cells + 0.01 * cells * steps
        if self.left <= 0:
            raise OutOfWorkError


@dataclass(frozen=True)
class Published:
    """What an attacker works with.

    value: true numbers of all cells; sums: relations by cells, whose right-hand sides are those of
    the true numbers; ceiling: what each cell does not exceed, as anyone knows.
    """

    value: Floats
    sums: csr_array
    ceiling: Floats


@dataclass(frozen=True)
class Needs:
    """How far the range of each cell must reach: below and above its value, and in all."""

    below: Floats
    above: Floats
    width: Floats

    @property
    def cells(self) -> Places:
        return np.flatnonzero((self.below > 0) | (self.above > 0) | (self.width > 0))


@dataclass(frozen=True)
class Cut:
    """What must hold for one cell to be safe: the hidden cells among `cells` weigh `need`."""

    target: int
    cells: Places
    weights: Floats
    need: float


def linked(published: Published, hidden: NDArray[np.bool_]) -> Iterator[tuple[Places, Places]]:
    """Hidden cells that hang together, with their relations: each lot can be attacked apart."""
    cells = np.flatnonzero(hidden)
    part = published.sums[:, cells]
    rows = np.flatnonzero(np.diff(part.indptr))
    part = part[rows]
    graph = csr_array(abs(part).T @ abs(part))
    _, group = connected_components(graph, directed=False)
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    first = csr_array(part).indices[part.indptr[:-1]]
    of_row = group[first]
    row_order = np.argsort(of_row, kind="stable")
    bounds = np.searchsorted(of_row[row_order], np.arange(len(starts) + 1))
    for number, members in enumerate(np.split(order, starts[1:])):
        own = row_order[bounds[number] : bounds[number + 1]]
        yield cells[members], rows[own]


class Lot:
    """Hidden cells that hang together, under attack."""

    def __init__(
        self,
        published: Published,
        cells: Places,
        rows: Places,
        known: tuple[Floats, Floats],
        work: Work | None = None,
    ) -> None:
        """known: lowest and highest value of each cell that attacks have found so far."""
        self.work = work
        self.published, self.cells = published, cells
        self.all_sums = published.sums[rows]
        self.sums = csr_array(self.all_sums[:, cells])
        self.truth = published.value[cells]
        self.ceiling = published.ceiling[cells]
        self.right = self.sums @ self.truth
        self.low, self.high = known[0][cells], known[1][cells]
        self.twin = _twins(self.sums)
        self._share()

    def _share(self) -> None:
        """What is known of how far a cell goes holds of all that go with it."""
        down, up = np.zeros(len(self.cells)), np.zeros(len(self.cells))
        np.maximum.at(down, self.twin, self.truth - self.low)
        np.maximum.at(up, self.twin, self.high - self.truth)
        self.low, self.high = self.truth - down[self.twin], self.truth + up[self.twin]

    def _learn(self, filled: Floats) -> None:
        """Widen the ranges by one more way to fill the cells."""
        self.low, self.high = np.minimum(self.low, filled), np.maximum(self.high, filled)
        self._share()

    def _farthest(self, at: int, sign: float) -> tuple[float, Floats]:
        """How far a cell can go from its value (sign 1 up, -1 down), and the multipliers of the
        relations that keep it there."""
        if not self.sums.shape[0]:
            self.low[:], self.high[:] = 0, self.ceiling
            reach = self.ceiling[at] - self.truth[at] if sign > 0 else self.truth[at]
            return float(reach), np.zeros(0)
        objective = np.zeros(len(self.cells))
        objective[at] = -sign
        found = self._solve(objective, np.zeros(len(self.cells)), self.ceiling)
        if found.status != 0:  # nothing is proved either way
            raise OutOfWorkError
        self._learn(found.x)
        return float(sign * (found.x[at] - self.truth[at])), found.eqlin.marginals

    def _cut(self, at: int, sign: float, multipliers: Floats) -> Floats:
        """Weight of every cell of the relations, by linear duality: hiding it lets the range of
        this one grow by no more."""
        price = -np.asarray(self.all_sums.T @ multipliers).ravel()
        price[self.cells[at]] -= sign
        value, ceiling = self.published.value, self.published.ceiling
        price[np.abs(price) < EPSILON] = 0
        return np.where(price < 0, -price * (ceiling - value), price * value)

    def reach(self, at: int) -> tuple[float, float]:
        """Range known so far, in whole numbers."""
        return (
            float(np.ceil(self.low[at] - EPSILON)),
            float(np.floor(self.high[at] + EPSILON)),
        )

    def _is_safe(self, at: int, below: float, above: float, width: float) -> bool:
        low, high = self.reach(at)
        truth = self.truth[at]
        return bool(
            low <= truth - below + EPSILON
            and high >= truth + above - EPSILON
            and high - low >= width - EPSILON
        )

    def attack(self, needs: Needs) -> list[Cut]:
        """What is asked of a better choice; nothing where every cell is safe.

        Cells are first sent up and down all together, some one way and some the other: whichever
        gets far enough needs no attack of its own. With ENOUGH successful attacks a better choice
        is made before the next.
        """
        asked = [needs.below[self.cells], needs.above[self.cells], needs.width[self.cells]]
        left = self.spread(needs, np.max(asked, axis=0) > 0)
        cuts: list[Cut] = []
        attacked: set[int] = set()
        for at in left:
            if int(self.twin[at]) in attacked:
                continue
            attacked.add(int(self.twin[at]))
            cuts += self._alone(at, *(float(each[at]) for each in asked))
            if len(cuts) >= ENOUGH:
                break
        return cuts

    def spread(self, needs: Needs, wanted: NDArray[np.bool_]) -> list[int]:
        """Send cells out together; returns those that this does not prove safe."""
        asked = [needs.below[self.cells], needs.above[self.cells], needs.width[self.cells]]
        some = np.flatnonzero(wanted).tolist()
        left = [at for at in some if not self._is_safe(at, *(each[at] for each in asked))]
        far = np.maximum(np.maximum(asked[0], asked[1]), asked[2])
        draw, idle = np.random.default_rng(0), 0
        while left and idle < IDLE:
            before = len(left)
            way = draw.choice([-1.0, 1.0], len(self.cells))
            for sign in (1.0, -1.0):
                self._together(left, far, sign * way)
            left = [at for at in left if not self._is_safe(at, *(each[at] for each in asked))]
            idle = 0 if len(left) < 0.9 * before else idle + 1
        return left

    def _together(self, left: list[int], far: Floats, way: Floats) -> None:
        """Send cells each its way (1 up, -1 down) at once, none farther than it has to go."""
        if not self.sums.shape[0]:
            return
        objective = np.zeros(len(self.cells))
        objective[left] = -way[left]
        low, high = np.zeros(len(self.cells)), self.ceiling.copy()
        low[left] = np.maximum(self.truth - far, 0)[left]
        high[left] = np.minimum(self.truth + far, self.ceiling)[left]
        found = self._solve(objective, low, high)
        if found.status == 0:
            self._learn(found.x)

    def _solve(self, objective: Floats, low: Floats, high: Floats) -> OptimizeResult:
        """One linear programme over all that fits what is published."""
        found = linprog(
            objective, A_eq=self.sums, b_eq=self.right, bounds=np.column_stack([low, high]),
            method="highs-ds", options={"maxiter": STEPS},
        )  # fmt: skip
        if self.work is not None:
            self.work.take(len(self.cells), int(found.nit))
        return found

    def _alone(self, at: int, below: float, above: float, width: float) -> list[Cut]:
        """What one cell asks for; nothing where it is safe after all."""
        if self._is_safe(at, below, above, width):
            return []
        up, over = self._farthest(at, 1.0)
        if self._is_safe(at, below, above, width):
            return []
        down, under = self._farthest(at, -1.0)
        if self._is_safe(at, below, above, width):
            return []
        grows, shrinks = self._cut(at, 1.0, over), self._cut(at, -1.0, under)
        up, down = np.floor(up + EPSILON), np.floor(down + EPSILON)
        found = [(grows, above, up), (shrinks, below, down), (grows + shrinks, width, up + down)]
        target = int(self.cells[at])
        return [capped(target, np.arange(len(weights)), weights, need)
                for weights, need, reach in found if reach < need]  # fmt: skip


def _twins(sums: csr_array) -> Places:
    """Which cells differ from each other by what is known, so that they move together."""
    pairs = np.flatnonzero(np.diff(sums.indptr) == 2)
    first = sums.indptr[pairs]
    together = np.abs(sums.data[first] + sums.data[first + 1]) < EPSILON
    one, two = sums.indices[first[together]], sums.indices[first[together] + 1]
    size = sums.shape[1]
    graph = csr_array((np.ones(len(one)), (one, two)), shape=(size, size))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.intp)


def capped(target: int, cells: Places, weights: Floats, need: float) -> Cut:
    """No cell need weigh more than what is asked (Fischetti and Salazar, section 4)."""
    some = weights > EPSILON
    return Cut(target, cells[some], np.minimum(weights[some], need), need)


def plain(published: Published, hidden: NDArray[np.bool_], needs: Needs) -> list[Cut]:
    """What cells ask for that a single relation keeps too close: no programme is needed there."""
    sums = published.sums.tocsr()
    rows = np.repeat(np.arange(sums.shape[0]), np.diff(sums.indptr))
    cells, c = sums.indices, sums.data
    falls = np.abs(c) * published.value[cells]
    rises = np.abs(c) * (published.ceiling - published.value)[cells]
    positive, open_ = c > 0, hidden[cells]

    def of_row(weights: Floats, where: NDArray[np.bool_]) -> Floats:
        found = np.bincount(rows, weights * (where & open_), minlength=sums.shape[0])
        return found.astype(np.float64)

    # What lets a positive cell rise: positive cells that fall, negative ones that rise.
    lifts = of_row(falls, positive) + of_row(rises, ~positive)
    sinks = of_row(rises, positive) + of_row(falls, ~positive)
    up = np.where(positive, lifts[rows] - falls, sinks[rows] - falls) / np.abs(c)
    down = np.where(positive, sinks[rows] - rises, lifts[rows] - rises) / np.abs(c)
    up, down = np.floor(up + EPSILON), np.floor(down + EPSILON)
    down = np.minimum(down, published.value[cells])
    short = (
        (up < needs.above[cells]) | (down < needs.below[cells]) | (up + down < needs.width[cells])
    )
    found = []
    for at in np.flatnonzero(open_ & short):
        row = slice(sums.indptr[rows[at]], sums.indptr[rows[at] + 1])
        others = cells[row] != cells[at]
        same = positive[row] == positive[at]
        size = abs(c[at])
        grow = np.where(same, falls[row], rises[row])[others] / size
        shrink = np.where(same, rises[row], falls[row])[others] / size
        own, cell = cells[row][others], cells[at]
        asked = [(grow, needs.above[cell], up[at]), (shrink, needs.below[cell], down[at])]
        if not any(reach < need for _, need, reach in asked):
            asked = [(grow + np.minimum(shrink, published.value[cell]), needs.width[cell],
                      up[at] + down[at])]  # fmt: skip
        found += [
            capped(int(cell), own, weights, need)
            for weights, need, reach in asked if reach < need
        ]  # fmt: skip
    return found


def ranges(published: Published, hidden: NDArray[np.bool_], cells: Places) -> Floats:
    """Lowest and highest value of some hidden cells, in whole numbers, as two columns."""
    found = np.column_stack([published.value, published.value]).astype(float)
    wanted = set(cells.tolist())
    for members, rows in linked(published, hidden):
        lot = Lot(published, members, rows, (published.value, published.value))
        for at, cell in enumerate(members):
            if cell in wanted:
                lot._farthest(at, 1.0)
                lot._farthest(at, -1.0)
        for at, cell in enumerate(members):
            found[cell] = lot.reach(at)
    chosen: Floats = found[cells]
    return chosen
