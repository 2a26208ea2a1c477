"""How closely a withheld number can be told from what stays published.

The attacker knows every published number, every relation, who is missing, and that counts are not
negative. The range of a withheld number is then a pair of linear programmes (Fischetti and Salazar
2000, section 2). Each solution is a set of counts that fits all that is published, so that one may
prove the safety of many cells; and it fits as well when less is published, so that a range that is
proved once only widens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack

if TYPE_CHECKING:
    import highspy

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]
Places = NDArray[np.intp]
EPSILON = 1e-6
# Part of the cells that may stay unproved when they are sent out together once more.
LEAST = 0.8
# What a hidden cell costs that moves, beside the price of those to hide: little, so that no more of
# them move than need to.
FREE = 1e-6


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

    def at(self, cell: int) -> tuple[float, float, float]:
        return float(self.below[cell]), float(self.above[cell]), float(self.width[cell])


@dataclass(frozen=True)
class Cut:
    """What must hold for one cell to be safe: the hidden cells among `cells` weigh `need`."""

    target: int
    cells: Places
    weights: Floats
    need: float


class Attacker:
    """Attacks on hidden cells, and the ranges that they have proved so far (low, high).

    One linear programme lasts for all attacks, so that each starts where the last one ended: how
    far each cell moves up from its true number (first half of the columns) and down from it, with
    every relation kept. An attack says which cells may move, which are sought and at what price.
    """

    def __init__(self, published: Published) -> None:
        self.published, self.size = published, len(published.value)
        self.room = published.ceiling - published.value, published.value
        self.columns = np.arange(2 * self.size, dtype=np.int32)
        self.solver = _solver(csr_array(hstack([published.sums, -published.sums])))
        self.forget()

    def forget(self) -> None:
        """Begin anew: of a choice that hides less, nothing is proved yet."""
        self.low, self.high = self.published.value.copy(), self.published.value.copy()

    def unproved(self, needs: Needs) -> Flags:
        """Cells whose range, in whole numbers, is not known to reach as far as it must."""
        value = self.published.value
        low, high = np.ceil(self.low - EPSILON), np.floor(self.high + EPSILON)
        short = (low > value - needs.below + EPSILON) | (high < value + needs.above - EPSILON)
        return np.asarray(short | (high - low < needs.width - EPSILON))

    def together(self, open_: Flags, needs: Needs) -> Flags:
        """Send cells up and down all at once, some one way and some the other, so that one solution
        proves many. Returns those that stay unproved."""
        left = self.unproved(needs)
        before, draw = np.inf, np.random.default_rng(0)
        while left.any() and left.sum() < LEAST * before:
            before, ups = left.sum(), draw.random(self.size) < 0.5
            for way in (ups, ~ups):
                self.send(left & way, left & ~way, open_, needs)
            left = self.unproved(needs)
        return left

    def send(
        self, up: Flags, down: Flags, open_: Flags, needs: Needs, price: Floats | None = None
    ) -> Flags:
        """Send some cells up and some down, none farther than it has to go, where all open cells
        give way to them: those that cost least. Returns the cells that move."""
        far = np.maximum(np.maximum(needs.above, needs.below), needs.width)
        far = np.where(up | down, far, np.inf)
        room = [np.minimum(np.where(open_, room, 0.0), far) for room in self.room]
        cost = np.full(self.size, FREE) if price is None else price + FREE
        ways = down.astype(float) - up, up.astype(float) - down
        sought = 1.0 + 10 * cost.max()
        self.solver.clearSolver()
        found = self._solve(
            np.concatenate([way * sought + np.where(up | down, 0.0, cost) for way in ways]),
            np.concatenate(room),
        )
        moved = self._learn(found)
        return np.asarray(np.abs(moved) > EPSILON)

    def alone(self, cell: int, open_: Flags, needs: Needs) -> list[Cut]:
        """What one cell asks for; nothing where it is safe after all."""
        below, above, width = needs.at(cell)
        up, grows = self.farthest(cell, 1, open_)
        if not self.unproved(needs)[cell]:
            return []
        down, shrinks = self.farthest(cell, -1, open_)
        if not self.unproved(needs)[cell]:
            return []
        up, down = np.floor(up + EPSILON), np.floor(down + EPSILON)
        found = [(grows, above, up), (shrinks, below, down), (grows + shrinks, width, up + down)]
        return [_capped(cell, weights, need) for weights, need, reach in found if reach < need]

    def farthest(self, cell: int, sign: int, open_: Flags) -> tuple[float, Floats]:
        """How far a cell can go from its value (sign 1 up, -1 down), and by linear duality the
        weight of every cell: hiding it lets this one go farther by no more."""
        cost = np.zeros(2 * self.size)
        cost[cell], cost[cell + self.size] = -sign, sign
        found = self._solve(cost, np.concatenate([np.where(open_, room, 0) for room in self.room]))
        reach = sign * self._learn(found)[cell]
        gain = np.maximum(-np.array(found.col_dual), 0)
        gain[gain < EPSILON] = 0
        rise, fall = self.room
        return float(reach), np.maximum(gain[: self.size] * rise, gain[self.size :] * fall)

    def _solve(self, cost: Floats, room: Floats) -> highspy.HighsSolution:
        """The cheapest moves within the room that each column has."""
        import highspy  # noqa: PLC0415

        self.solver.changeColsBounds(len(room), self.columns, np.zeros(len(room)), room)
        self.solver.changeColsCost(len(cost), self.columns, cost)
        self.solver.run()
        status = self.solver.getModelStatus()
        if status != highspy.HighsModelStatus.kOptimal:  # no move at all is always possible
            raise ArithmeticError(f"disclosure control: an attack ended with {status}")
        return self.solver.getSolution()

    def _learn(self, found: highspy.HighsSolution) -> Floats:
        """Widen the ranges by one more way to fill the cells; returns how far each moved."""
        columns = np.array(found.col_value)
        moved = columns[: self.size] - columns[self.size :]
        filled = self.published.value + moved
        self.low, self.high = np.minimum(self.low, filled), np.maximum(self.high, filled)
        return np.asarray(moved)


def _solver(sums: csr_array) -> highspy.Highs:
    """A linear programme whose rows are relations between moves."""
    # Few studies have control on, and no other needs it.
    import highspy  # noqa: PLC0415

    programme, (rows, columns) = highspy.HighsLp(), sums.shape
    programme.num_row_, programme.num_col_ = rows, columns
    programme.col_cost_ = programme.col_lower_ = programme.col_upper_ = np.zeros(columns)
    programme.row_lower_ = programme.row_upper_ = np.zeros(rows)
    programme.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    programme.a_matrix_.start_, programme.a_matrix_.index_ = sums.indptr, sums.indices
    programme.a_matrix_.value_ = sums.data
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("presolve", "off")  # or each attack starts from nothing
    solver.setOptionValue("threads", 1)
    solver.passModel(programme)
    return solver


def _capped(target: int, weights: Floats, need: float) -> Cut:
    """No cell need weigh more than what is asked (Fischetti and Salazar, section 4)."""
    cells = np.flatnonzero(weights > EPSILON)
    cells = cells[cells != target]
    return Cut(target, cells, np.minimum(weights[cells], need), need)


def ranges(published: Published, hidden: Flags, cells: Places) -> Floats:
    """Lowest and highest value of some hidden cells, in whole numbers, as two columns."""
    attacker = Attacker(published)
    for cell in cells.tolist():
        attacker.farthest(cell, 1, hidden)
        attacker.farthest(cell, -1, hidden)
    low, high = attacker.low[cells], attacker.high[cells]
    return np.column_stack([np.ceil(low - EPSILON), np.floor(high + EPSILON)])
