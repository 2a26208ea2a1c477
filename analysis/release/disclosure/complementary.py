"""Which further cells to hide so that all hidden ones are safe, with the least lost.

A small system: optimal cell suppression after Fischetti and Salazar (2000). Choose the cells to
hide by an integer programme, attack the choice, add what each successful attack asks of a better
one, and repeat until no attack succeeds.

A large one: for a few unsafe cells at a time, look for the cheapest move of all cells by which
these go as far as they must, and hide whatever moves (a heuristic by linear programming, as Kelly,
Golden and Assad 1992, Cell suppression, Networks 22). The move is itself the proof that they are
safe then.

What is hidden beside is protected as well. Both end after a bounded number of steps and know of no
clock: the same answers always give the same results.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from analysis.release.disclosure.attack import (
    Attacker,
    Cut,
    Flags,
    Floats,
    Needs,
    Places,
    Published,
)

# Nodes of one integer programme, and how near to the best it may stop.
NODES, GAP = 2_000, 0.005
# Cells up to which the cheapest choice is looked for, and for how many rounds.
FEW, ROUNDS = 500, 30
# Steps in which unsafe cells are looked after: with fewer, more at a time, faster and dearer.
STEPS = 150


@dataclass(frozen=True)
class Task:
    """What is to be protected, and at what price.

    hidden: cells hidden whatever is chosen; fixed: cells not hidden to help others (zeros);
    zeros: those of them that may be, where nothing else does;
    needs: how far the range of each must reach; beside: how wide that of a cell must be once it is
    hidden too; cost: loss when a cell is hidden; with_base: pairs of a base and a count that is not
    shown without it, as two arrays.
    """

    published: Published
    hidden: Flags
    fixed: Flags
    zeros: Flags
    needs: Needs
    beside: Floats
    cost: Floats
    with_base: tuple[Places, Places]

    def needed(self, hidden: Flags) -> Needs:
        """What all hidden cells need."""
        width = np.where(hidden & ~self.hidden, self.beside, self.needs.width)
        return Needs(self.needs.below, self.needs.above, np.where(hidden & ~self.fixed, width, 0))

    def with_zeros(self, hidden: Flags) -> Task:
        """The same with cells hidden already, and zeros to hide for those that are not safe yet:
        one person in a group of whom all other answers are published zeros."""
        needs = Needs(self.needs.below, self.needs.above, self.needed(hidden).width)
        return replace(self, hidden=hidden, fixed=self.fixed & ~self.zeros, needs=needs)

    def closed(self, hidden: Flags) -> Flags:
        """Hidden cells, and the counts whose base is hidden."""
        found, size = hidden.copy(), -1
        base, count = self.with_base
        while found.sum() > size:
            size = found.sum()
            found[count[found[base]]] = True
        return found

    def price(self, hidden: Flags) -> Floats:
        """What would be lost with each cell, and with the counts that go with it."""
        own, (base, count) = np.where(hidden, 0, self.cost), self.with_base
        found: Floats = own + np.bincount(base, own[count], minlength=len(own))
        return found


def protect(task: Task, few: int = FEW) -> Flags:
    """Cells to hide, those given included. Each is safe, save where too few people are there in all
    for its range to be as wide as it must even with nothing published.

    few: cells up to which the cheapest choice is looked for.
    """
    found = _cheapest(task) if len(task.cost) <= few else None
    # What is proved once stays so when more is hidden.
    attacker = Attacker(task.published)
    hidden = _moved(task, attacker) if found is None else found
    return _moved(task.with_zeros(hidden), attacker) if task.zeros.any() else hidden


def _moved(task: Task, attacker: Attacker) -> Flags:
    """Hide what moves when unsafe cells go as far as they must, until all are safe."""
    hidden = task.closed(task.hidden)
    hopeless = np.zeros_like(hidden)
    while True:
        left = attacker.together(hidden & ~task.fixed, task.needed(hidden)) & hidden & ~hopeless
        if not left.any():
            return hidden
        at_a_time = -(-left.sum() // STEPS)
        while left.any():
            cells = np.flatnonzero(left)
            some = _flags(cells[:: -(-len(cells) // at_a_time)], left)
            hidden |= _give_way(task, attacker, hidden, some)
            for cell in np.flatnonzero(some & attacker.unproved(task.needed(hidden))):
                # The others stood in its way, or its price did.
                hidden |= _give_way(
                    task, attacker, hidden, _flags(np.array([cell]), left), free=True
                )
            hopeless |= some & attacker.unproved(task.needed(hidden))
            left &= attacker.unproved(task.needed(hidden)) & ~hopeless


def _flags(cells: Places, like: Flags) -> Flags:
    found = np.zeros_like(like)
    found[cells] = True
    return found


def _give_way(
    task: Task, attacker: Attacker, hidden: Flags, some: Flags, free: bool = False
) -> Flags:
    """What moves when some cells go up as far as they must, and then down where that is not
    enough: the cheapest to hide, or anything (free)."""
    found = hidden.copy()
    nobody = np.zeros_like(some)
    for up in (True, False):
        needs = task.needed(found)
        sent = some & attacker.unproved(needs)
        if sent.any():
            price = task.price(found) * (not free)
            way = (sent, nobody) if up else (nobody, sent)
            found = task.closed(found | attacker.send(*way, ~task.fixed, needs, price))
    return found


# Cells that are not hidden yet, their weights, how much is asked, and the cell that asks for it
# only where it is hidden (-1: hidden in any case).
Row = tuple[Places, Floats, float, int]


def _cheapest(task: Task) -> Flags | None:
    """The cheapest choice, where it is found in a few rounds: each starts from what attacks have
    asked for so far, and nothing else."""
    attacker, rows = Attacker(task.published), _with_base(task)
    hidden, hopeless = task.closed(task.hidden), np.zeros_like(task.hidden)
    for _ in range(ROUNDS):
        attacker.forget()
        open_, needs = hidden & ~task.fixed, task.needed(hidden)
        left = attacker.together(open_, needs) & hidden & ~hopeless
        cuts = [
            cut
            for cell in np.flatnonzero(left).tolist()
            for cut in attacker.alone(cell, open_, needs)
        ]
        if not cuts:
            return hidden
        for cut in cuts:
            if row := _asked(task, cut):
                rows.append(row)
            else:
                hopeless[cut.target] = True
        chosen = _chosen(task.cost, rows)
        if chosen is None:
            return None
        hidden = task.closed(task.hidden | chosen)
    return None


def _with_base(task: Task) -> list[Row]:
    """Counts are hidden with their base."""
    return [
        (np.array([count]), np.ones(1), 1.0, -1 if task.hidden[base] else base)
        for base, count in zip(*(each.tolist() for each in task.with_base), strict=True)
        if not task.hidden[count]
    ]


def _asked(task: Task, cut: Cut) -> Row | None:
    """What a cut asks of the cells that are not hidden anyhow, something at the least; None where
    no cell can help."""
    movable = ~task.fixed[cut.cells]
    free = movable & ~task.hidden[cut.cells]
    own = not task.hidden[cut.target]
    if not free.any() and not own:
        return None
    weights = cut.weights[free]
    rest = cut.need - cut.weights[movable & ~free].sum()
    rest = max(rest if own else min(rest, weights.sum()), weights.min(initial=cut.need))
    return cut.cells[free], weights, rest, cut.target if own else -1


def _chosen(cost: Floats, rows: list[Row]) -> Flags | None:
    """The cheapest cells that meet all rows, those that hang together at a time."""
    hidden = np.zeros(len(cost), dtype=bool)
    for part, members in _lots(rows, len(cost)):
        found = _solve(cost[part], [rows[n] for n in members], part)
        if found is None:
            return None
        hidden[part] = found
    return hidden


def _lots(rows: list[Row], size: int) -> Iterable[tuple[Places, list[int]]]:
    """Cells and rows that hang together."""
    if not rows:
        return
    named = [np.append(row[0], row[3]) if row[3] >= 0 else row[0] for row in rows]
    at = np.repeat(np.arange(len(rows)), [len(cells) for cells in named])
    table = csr_array((np.ones(len(at)), (at, np.concatenate(named))), shape=(len(rows), size))
    _, group = connected_components(table @ table.T, directed=False)
    for number in range(group.max() + 1):
        members = np.flatnonzero(group == number).tolist()
        yield np.unique(np.concatenate([named[n] for n in members])), members


def _solve(cost: Floats, rows: list[Row], cells: Places) -> Flags | None:
    """One integer programme: least cost over the cells, every row met."""
    table = np.zeros((len(rows), len(cells)))
    need = np.zeros(len(rows))
    for n, (own, weights, rest, target) in enumerate(rows):
        table[n, np.searchsorted(cells, own)] = weights
        if target < 0:
            need[n] = rest
        else:
            table[n, np.searchsorted(cells, target)] = -rest
    found = milp(
        cost, integrality=np.ones(len(cells)), bounds=Bounds(0, 1),
        constraints=LinearConstraint(csr_array(table), need - 1e-7, np.inf),
        options={"node_limit": NODES, "mip_rel_gap": GAP},
    )  # fmt: skip
    return None if found.x is None else np.asarray(found.x > 0.5)
