"""Which further cells to hide so that the hidden ones are safe, with the least lost.

Optimal cell suppression after Fischetti and Salazar (2000): choose the cells to hide by a small
integer programme, attack the choice, add what each successful attack asks of a better one, and
repeat until no attack succeeds. Cells that no attack links are chosen apart. After some rounds
cells are only added, cheapest first, until every attack fails; and when this takes too much work,
whole rows and columns of tables (coarse). The answer is then not the smallest, but as safe.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from analysis.release.disclosure.attack import (
    Cut,
    Floats,
    Lot,
    Needs,
    OutOfWorkError,
    Places,
    Published,
    Work,
    linked,
    plain,
)
from analysis.release.disclosure.coarse import Coarse

Flags = NDArray[np.bool_]
# Nodes of one integer programme, and how near to the best it may stop. Limits are of work, not of
# time: the same answers always give the same results.
NODES, GAP = 2_000, 0.005
# Work (see attack) that the search for a good choice may take.
WORK = 3_000_000.0
# Hidden cells from which on a lot is attacked part by part, and relations of a cell that links
# them.
LARGE, LINK = 2_500, 6
# Cells up to which the cheapest choice is looked for, and for how many rounds.
FEW, ROUNDS = 500, 30


@dataclass(frozen=True)
class Task:
    """What is to be protected, and at what price.

    hidden: cells hidden whatever is chosen; fixed: cells that can never be hidden usefully (zeros);
    needs: how far each range must reach; cost: loss when a cell is hidden.
    """

    published: Published
    hidden: Flags
    fixed: Flags
    needs: Needs
    cost: Floats


def protect(task: Task, work: Work | None = None) -> Flags:
    """Cells to hide, those given included. Every one that needs protection has it.

    work: what the search may still take, shared by several tasks; WORK where it is not given.
    """
    work = Work(WORK) if work is None else work
    try:
        best = _best(task, work) if len(task.cost) <= FEW else None
        return _until_safe(task, _Seen(task, work), task.hidden) if best is None else best
    except OutOfWorkError:
        work.left = 0
        return _coarse(task)


def _coarse(task: Task) -> Flags:
    def asked(hidden: Flags) -> list[Cut]:
        return plain(task.published, hidden & ~task.fixed, task.needs)

    def choose(hidden: Flags, cuts: list[Cut]) -> Flags:
        chosen = np.zeros_like(hidden)
        free = ~hidden & ~task.fixed
        rows = [_asked(task, hidden, cut) for cut in cuts if free[cut.cells].any()]
        for part, members in _lots(rows, len(task.cost)):
            chosen[part] |= _greedy(task.cost[part], *_table([rows[n] for n in members], part))
        return chosen

    run = Coarse(task.published, task.fixed, task.needs, task.cost)
    return run.protect(task.hidden, asked, choose)


def _best(task: Task, work: Work) -> Flags | None:
    """The cheapest choice, where it is found in a few rounds: each starts from what attacks have
    asked for so far, and nothing else."""
    rows: list[tuple[Places, Floats, float]] = []
    hidden = task.hidden
    for _ in range(ROUNDS):
        cuts = _Seen(task, work).attack(hidden)
        if not cuts:
            return hidden
        rows += [_asked(task, task.hidden, cut) for cut in cuts]
        hidden = task.hidden.copy()
        for part, members in _lots(rows, len(task.cost)):
            hidden[part] |= _solve(task.cost[part], [rows[n] for n in members], part)
    return None


def _asked(task: Task, hidden: Flags, cut: Cut) -> tuple[Places, Floats, float]:
    """What a cut asks of the cells that are not hidden yet, something at the least."""
    free = ~hidden[cut.cells] & ~task.fixed[cut.cells]
    weights = cut.weights[free]
    given = cut.weights[hidden[cut.cells] & ~task.fixed[cut.cells]].sum()
    rest = min(cut.need - given, weights.sum())
    return cut.cells[free], weights, max(rest, weights.min())


class _Seen:
    """Attacks on lots of cells, each made once.

    hopeless: cells that nothing published tells, and that are not safe all the same, since there
    are too few people in all.
    """

    def __init__(self, task: Task, work: Work) -> None:
        self.task, self.work = task, work
        # Whatever fits what is published still fits when less is: ranges only widen.
        self.low, self.high = task.published.value.copy(), task.published.value.copy()
        self.safe: set[bytes] = set()
        self.hopeless: set[int] = set()
        needs = task.needs
        self.needs = Needs(needs.below.copy(), needs.above.copy(), needs.width.copy())

    def attack(self, hidden: Flags) -> list[Cut]:
        """What every lot asks for; nothing where all are safe."""
        task = self.task
        open_ = hidden & ~task.fixed
        cuts = self._possible(plain(task.published, open_, self.needs), hidden)
        if cuts:
            return cuts
        for cells, rows in linked(task.published, open_):
            name = cells.tobytes()
            while name not in self.safe:
                lot = Lot(task.published, cells, rows, (self.low, self.high), self.work)
                found = self._lot(lot, open_, hidden)
                self.low[cells], self.high[cells] = lot.low, lot.high
                if not found:
                    self.safe.add(name)
                elif possible := self._possible(found, hidden):
                    cuts += possible
                    break
        return cuts

    def _lot(self, lot: Lot, open_: Flags, hidden: Flags) -> list[Cut]:
        """Attack one lot: a large one part by part first, as if what links the parts were known.

        What is safe from those who know more is safe. What is not asks for cells that make it so;
        where there are none, the whole lot is attacked.
        """
        if len(lot.cells) <= LARGE:
            return lot.attack(self.needs)
        links = lot.cells[np.diff(lot.sums.tocsc().indptr) >= LINK]
        parts = np.zeros_like(open_)
        parts[lot.cells] = True
        parts[links] = False
        place = {cell: n for n, cell in enumerate(lot.cells.tolist())}
        asked: list[Cut] = []
        for cells, rows in linked(self.task.published, parts):
            part = Lot(self.task.published, cells, rows, (self.low, self.high), self.work)
            asked += part.attack(self.needs)
            at = [place[cell] for cell in cells.tolist()]
            lot.low[at] = np.minimum(lot.low[at], part.low)
            lot.high[at] = np.maximum(lot.high[at], part.high)
        useful = [cut for cut in asked if self._is_possible(cut, hidden)]
        return useful or lot.attack(self.needs)

    def _is_possible(self, cut: Cut, hidden: Flags) -> bool:
        return bool((~hidden[cut.cells] & ~self.task.fixed[cut.cells]).any())

    def _possible(self, cuts: list[Cut], hidden: Flags) -> list[Cut]:
        """Those that can be met by hiding more; cells of the others are given up."""
        found = []
        for cut in cuts:
            if self._is_possible(cut, hidden):
                found.append(cut)
            else:
                self.hopeless.add(cut.target)
                for each in (self.needs.below, self.needs.above, self.needs.width):
                    each[cut.target] = 0
        return found


def _lots(
    rows: list[tuple[Places, Floats, float]], size: int
) -> Iterable[tuple[Places, list[int]]]:
    """Cells and cuts that hang together."""
    if not rows:
        return
    at = np.concatenate([np.full(len(row[0]), n) for n, row in enumerate(rows)])
    cells = np.concatenate([row[0] for row in rows])
    table = csr_array((np.ones(len(at)), (at, cells)), shape=(len(rows), size))
    _, group = connected_components(table @ table.T, directed=False)
    for number in range(group.max() + 1):
        members = np.flatnonzero(group == number).tolist()
        yield np.unique(np.concatenate([rows[n][0] for n in members])), members


def _solve(cost: Floats, rows: list[tuple[Places, Floats, float]], cells: Places) -> Flags:
    """One integer programme: least cost over the cells, every row met."""
    table, need = _table(rows, cells)
    found = milp(
        cost, integrality=np.ones(len(cells)), bounds=Bounds(0, 1),
        constraints=LinearConstraint(table, need - 1e-7, np.inf),
        options={"node_limit": NODES, "mip_rel_gap": GAP},
    )  # fmt: skip
    if found.x is not None:
        return found.x > 0.5
    return _greedy(cost, table, need)


def _table(rows: list[tuple[Places, Floats, float]], cells: Places) -> tuple[csr_array, Floats]:
    """What rows ask for as a matrix of rows by cells, and how much each asks."""
    place = {cell: n for n, cell in enumerate(cells.tolist())}
    at = [n for n, row in enumerate(rows) for _ in row[0]]
    columns = [place[cell] for row in rows for cell in row[0].tolist()]
    weights = np.concatenate([row[1] for row in rows])
    table = csr_array((weights, (at, columns)), shape=(len(rows), len(cells)))
    need = np.array([row[2] for row in rows])
    return table, need


def _greedy(cost: Floats, table: csr_array, need: Floats) -> Flags:
    """A choice that meets every row, most of what is asked for the price first."""
    chosen = np.zeros(len(cost), dtype=bool)
    rest = need.copy()
    while (rest > 1e-7).any():
        gain = np.minimum(table.toarray(), np.maximum(rest, 0)[:, None]).sum(axis=0)
        gain[chosen] = 0
        if not gain.any():
            break
        best = int(np.argmax(gain / cost))
        chosen[best] = True
        rest = need - table[:, chosen].sum(axis=1)
    return chosen


def _until_safe(task: Task, safe: _Seen, hidden: Flags) -> Flags:
    """Add what attacks ask for until none succeeds. Ends at the latest when all is hidden."""
    while cuts := safe.attack(hidden):
        rows = [_asked(task, hidden, cut) for cut in cuts]
        cells = np.unique(np.concatenate([row[0] for row in rows]))
        hidden = hidden.copy()
        for part, members in _lots(rows, len(task.cost)):
            hidden[part] |= _solve(task.cost[part], [rows[n] for n in members], part)
        if not hidden[cells].any():
            hidden[cells] = True
    return hidden
