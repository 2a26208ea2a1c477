"""Which further cells to hide where the cheapest choice would take too long: fast, and as safe.

All hidden cells are attacked together: a linear programme sends each of them up or down, so that
one solution proves many safe. Around each cell that stays unproved more is hidden: the cheapest
cell of each of its relations, after some rounds whole relations (rows and columns of tables), and
then what these are related to. Hidden cells only grow in number, so what is proved stays proved,
and it ends at the latest when nothing that hangs together with an unproved cell is published.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from analysis.release.disclosure.attack import Cut, Floats, Lot, Needs, Places, Published, linked

Flags = NDArray[np.bool_]
# Rounds that add the cheapest cell of each relation, before whole relations are withheld.
GENTLE = 6
Choose = Callable[[Flags, list[Cut]], Flags]


class Coarse:
    """One run.

    low, high: range of each cell that is proved so far. choose: cells that meet what single
    relations ask for.
    """

    def __init__(self, published: Published, fixed: Flags, needs: Needs, cost: Floats) -> None:
        self.published, self.fixed, self.needs, self.cost = published, fixed, needs, cost
        self.low, self.high = published.value.copy(), published.value.copy()
        self.sums = csr_array(published.sums)
        self.by_cell = csr_array(self.sums.T)

    def protect(self, hidden: Flags, plain: Callable[[Flags], list[Cut]], choose: Choose) -> Flags:
        """Cells to hide, those given included."""
        hidden, given_up, rounds = hidden.copy(), np.zeros_like(hidden), 0
        while True:
            while cuts := [cut for cut in plain(hidden) if not given_up[cut.target]]:
                more = choose(hidden, cuts) & ~hidden
                for cut in cuts:
                    if not (~hidden & ~self.fixed)[cut.cells].any():
                        given_up[cut.target] = True
                hidden |= more
            unproved = self._unproved(hidden, ~given_up)
            if not len(unproved):
                return hidden
            rounds += 1
            more = self._around(unproved, hidden, whole=rounds > GENTLE)
            alone = self._beyond(unproved, hidden, more, whole=rounds > GENTLE)
            given_up[alone] = True
            hidden |= more

    def _unproved(self, hidden: Flags, wanted: Flags) -> Places:
        """Cells that attacks on all of them together do not prove safe."""
        left = self._left(wanted)
        if not len(left):
            return left
        among = np.zeros_like(hidden)
        among[left] = True
        lots = [lot for lot in linked(self.published, hidden & ~self.fixed) if among[lot[0]].any()]
        if not lots:
            return left
        cells = np.concatenate([lot[0] for lot in lots])
        rows = np.concatenate([lot[1] for lot in lots])
        together = Lot(self.published, cells, rows, (self.low, self.high))
        together.spread(self.needs, among[cells])
        self.low[cells], self.high[cells] = together.low, together.high
        return self._left(wanted)

    def _left(self, wanted: Flags) -> Places:
        """Cells whose range is not known to reach as far as it must."""
        needs, value = self.needs, self.published.value
        low, high = np.ceil(self.low - 1e-6), np.floor(self.high + 1e-6)
        short = (
            (low > value - needs.below + 1e-6)
            | (high < value + needs.above - 1e-6)
            | (high - low < needs.width - 1e-6)
        )
        asked = np.zeros_like(wanted)
        asked[needs.cells] = True
        return np.flatnonzero(short & asked & wanted & ~self.fixed)

    def _around(self, cells: Places, hidden: Flags, whole: bool) -> Flags:
        """What stands in a relation with some cells and is not hidden yet: the cheapest of each
        relation, or all of it."""
        found = np.zeros_like(hidden)
        for row in np.unique(self.by_cell[cells].indices).tolist():
            members = self.sums.indices[self.sums.indptr[row] : self.sums.indptr[row + 1]]
            free = members[~hidden[members] & ~self.fixed[members]]
            if len(free):
                found[free if whole else free[np.argmin(self.cost[free])]] = True
        return found

    def _beyond(self, cells: Places, hidden: Flags, more: Flags, whole: bool) -> Places:
        """Let cells whose relations are hidden whole look farther. Puts what is found into `more`;
        returns cells that hang together with nothing published."""
        alone = []
        for cell in cells.tolist():
            near = np.array([cell])
            while True:
                rows = np.unique(self.by_cell[near].indices)
                wider = np.unique(self.sums[rows].indices) if len(rows) else near
                wider = np.union1d(near, wider[~self.fixed[wider]])
                free = wider[~hidden[wider]]
                if len(free):
                    more[free if whole else free[np.argmin(self.cost[free])]] = True
                    break
                if len(wider) == len(near):
                    alone.append(cell)
                    break
                near = wider
        return np.array(alone, dtype=np.intp)
