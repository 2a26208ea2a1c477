"""Which counts to prefer among all that agree with the register: the believable ones.

Targets are the table nearest (in relative entropy) to the tendencies of reconstruction.yml that
has the published counts, found by iterative proportional fitting. Rounding and the remaining
constraints are left to the programme, which pays for every departure from its target, and pays
more for a large one.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace

import numpy as np

from analysis.reconstruct.catalogue import truth
from analysis.reconstruct.counts import Block, Model, Table, Wanted, agreeing, links, terms_of
from analysis.reconstruct.linear import Terms, add, minus
from analysis.reconstruct.plan import Counting
from analysis.reconstruct.reference import Reference
from analysis.reconstruct.register import Figure

Margin = tuple[np.ndarray, float]
Ratio = tuple[np.ndarray, np.ndarray, float]

ROUNDS = 200
STEEP = 4.0
SKIP_COST = 3.0


def believable(
    model: Model,
    counting: Counting,
    wanted: Wanted,
    held: dict[int, float],
    rng: np.random.Generator,
) -> np.ndarray:
    """Values of the programme nearest to believable ones, the switches held where they are.

    First the sizes of groups, the answers they give and the margins of tables; then, with those
    held, the cells. Both at once is a hard problem, one after the other two easy ones. A little
    chance in the costs leaves no ties, so that the answer does not hang on the solver.
    """
    kept = [(f, r) for f, r in wanted if f.hard or not held[model.soft[f.figure_id]]]
    sums = _sums(model, kept)
    values = _outline(model, counting, kept, sums, held, rng)
    numbers = [n for block in model.blocks.values() for n in (*block.answered, *block.given.flat)]
    held = held | {int(number): float(values[number]) for number in numbers}
    totals = [(terms, sum(values[n] * f for n, f in terms.items())) for terms in sums]
    detail, cost = copy(model), dict[int, float]()
    for terms, total in totals:
        detail.programme.row(terms, total, total)
    for table, target in _targets(model, counting, kept, totals):
        for number, aim in zip(table.numbers, target, strict=True):
            _pay(detail, cost, {int(number): 1.0}, float(aim), float(aim), rng)
    return detail.programme.solve(cost, held)


def _outline(
    model: Model,
    counting: Counting,
    kept: Wanted,
    sums: list[Terms],
    held: dict[int, float],
    rng: np.random.Generator,
) -> np.ndarray:
    """Values whose sums of cells, and whose answers by group, are near to believable ones."""
    aims = np.zeros(len(model.programme.low))
    for table, target in _targets(model, counting, kept, []):
        aims[table.numbers] = target
    outline, cost = copy(model), dict[int, float]()
    for terms in sums:
        aim = sum(float(aims[n]) * f for n, f in terms.items())
        _pay(outline, cost, terms, aim, aim, rng)
    for block in model.blocks.values():
        _pay_block(outline, cost, block, kept, rng)
    return outline.programme.solve(cost, held)


def copy(model: Model) -> Model:
    """The same model with a programme of its own to add rows to."""
    return replace(model, programme=deepcopy(model.programme))


def _sums(model: Model, kept: Wanted) -> list[Terms]:
    """Sums of cells that figures count, that groups hold, and margins of tables; each once."""
    found = [terms for table in model.tables for terms in _table_margins(table)]
    found += [b.size(g) for b in model.blocks.values() for g in range(len(b.answered))]
    for _, reference in kept:
        if reference.variable not in model.blocks:
            found += terms_of(model, reference)
    cells = {int(number) for table in model.tables for number in table.numbers}
    plain = [terms for terms in found if terms and set(terms) <= cells]
    return list({tuple(sorted(terms.items())): terms for terms in plain}.values())


def _table_margins(table: Table) -> list[Terms]:
    """Rows with each answer to each question of a table."""
    return [
        table.terms(table.cells[name] == answer)
        for name in table.names
        for answer in table.cells[name].unique()
    ]


Totals = list[tuple[Terms, float]]


def _targets(
    model: Model, counting: Counting, kept: Wanted, totals: Totals
) -> list[tuple[Table, np.ndarray]]:
    """Fitted cells of each table, each agreeing with those before it."""
    published = [item for figure, reference in kept for item in _totals(model, figure, reference)]
    ratios = [item for figure, reference in kept for item in _ratios(model, figure, reference)]
    fitted: list[tuple[Table, np.ndarray]] = []
    for table in model.tables:
        margins = [*_assumed(table, counting), *_shared(table, fitted)]
        margins += _inside(table, [*published, *totals])
        if counting.size is not None:
            margins.append((np.ones(len(table.cells), dtype=bool), float(counting.size)))
        pairs = [
            (masks[0][0], masks[1][0], share)
            for terms, whole, share in ratios
            if len(masks := _inside(table, [(terms, 0.0), (whole, 0.0)])) == 2
        ]
        fitted.append((table, _fit(table, counting, margins, pairs)))
    return fitted


def _fit(
    table: Table, counting: Counting, margins: list[Margin], ratios: list[Ratio]
) -> np.ndarray:
    """Cells of a table fitted to totals, and to shares whose base is not known."""
    cells = np.ones(len(table.cells))
    for tendency in counting.tendencies:
        reads = Reference("", "", None, tendency.where).reads
        if reads <= set(table.names):
            cells = np.where(truth(tendency.where, table.cells), cells * tendency.weight, cells)
    for _ in range(ROUNDS):
        for inside, base, share in ratios:
            total = cells[base].sum()
            _scale(cells, inside, share * total)
            _scale(cells, base & ~inside, (1 - share) * total)
        for mask, total in margins:
            _scale(cells, mask, total)
    return cells


def _scale(cells: np.ndarray, mask: np.ndarray, total: float) -> None:
    now = cells[mask].sum()
    if now > 0:
        cells[mask] *= total / now


def _inside(table: Table, totals: Totals) -> list[Margin]:
    """The totals that stand in one table, as masks on its cells."""
    place = {int(number): at for at, number in enumerate(table.numbers)}
    margins = []
    for terms, total in totals:
        if terms and set(terms) <= set(place) and set(terms.values()) == {1.0}:
            mask = np.zeros(len(table.cells), dtype=bool)
            mask[[place[number] for number in terms]] = True
            margins.append((mask, total))
    return margins


def _totals(model: Model, figure: Figure, reference: Reference) -> Totals:
    count, base = terms_of(model, reference)
    found = []
    if figure.base_n is not None:
        found.append((base, float(figure.base_n)))
        if figure.percent is not None and figure.count is None:
            found.append((count, float(figure.percent) * figure.base_n / 100))
    if figure.count is not None:
        found.append((count, float(figure.count)))
    return found


def _ratios(model: Model, figure: Figure, reference: Reference) -> list[tuple[Terms, Terms, float]]:
    if figure.percent is None or figure.base_n is not None:
        return []
    return [(*terms_of(model, reference), float(figure.percent) / 100)]


def _assumed(table: Table, counting: Counting) -> list[tuple[np.ndarray, float]]:
    return [
        ((table.cells[name] == answer).to_numpy(), total)
        for name, totals in counting.assumed.items()
        if name in table.names
        for answer, total in totals.items()
    ]


def _shared(
    table: Table, earlier: Sequence[tuple[Table, np.ndarray]]
) -> list[tuple[np.ndarray, float]]:
    return [
        (here, float(target[there].sum()))
        for other, shared in links([t for t, _ in earlier], table.names)
        for target in [values for t, values in earlier if t is other]
        for here, there in agreeing(table, other, shared)
    ]


def _pay(
    model: Model,
    cost: dict[int, float],
    terms: Terms,
    aim: float,
    size: float,
    rng: np.random.Generator,
) -> None:
    """Make departures of an expression from its aim cost: twice the usual size, much more."""
    usual = np.sqrt(max(size, 0.0)) + 0.5
    near = model.programme.variables(2, usual, whole=False)
    far = model.programme.variables(2, whole=False)
    prices = (1 + 0.05 * rng.random(2)) / usual
    spread: Terms = {}
    for pair, steep in ((near, 1.0), (far, STEEP)):
        for number, sign, price in zip(pair, (-1.0, 1.0), prices, strict=True):
            spread[int(number)] = sign
            cost[int(number)] = price * steep
    model.programme.row(add(terms, spread), aim, aim)


def _pay_block(
    model: Model, cost: dict[int, float], block: Block, wanted: Wanted, rng: np.random.Generator
) -> None:
    """Groups give each answer about as often as everybody, and few skip a question."""
    shares = _shares(block, wanted)
    sizes = _sizes(block, wanted)
    for group, number in enumerate(block.answered):
        answered = {int(number): 1.0}
        skipped = model.programme.variables(1, whole=False)
        model.programme.row(minus(minus(block.size(group), answered), {int(skipped[0]): 1.0}), 0, 0)
        cost[int(skipped[0])] = SKIP_COST if block.given.size else 0.0
        for share, given in zip(shares, block.given[group], strict=False):
            terms = minus({int(given): 1.0}, answered, share)
            _pay(model, cost, terms, 0.0, share * sizes, rng)


def _shares(block: Block, wanted: Wanted) -> list[float]:
    """Printed share of each answer in the widest population printed, or an equal share."""
    printed: dict[str, tuple[int, float]] = {}
    for figure, reference in wanted:
        if reference.variable != block.variable.name or len(reference.answers or ()) != 1:
            continue
        base = figure.base_n or 0
        if figure.percent is not None and not reference.mentions:
            share = float(figure.percent) / 100
        elif figure.count is not None and base:
            share = figure.count / base
        else:
            continue
        answer = (reference.answers or ("",))[0]
        printed[answer] = max(printed.get(answer, (0, 0.0)), (base, share))
    equal = 1 / max(1, len(block.variable.answers))
    return [printed.get(answer, (0, equal))[1] for answer in block.variable.answers]


def _sizes(block: Block, wanted: Wanted) -> float:
    bases = [f.base_n or 0 for f, r in wanted if r.variable == block.variable.name]
    return max(bases, default=100) / max(1, len(block.answered))
