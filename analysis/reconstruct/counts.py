"""How many rows of each kind: one programme over whole numbers for a whole source.

Tables cross a few questions; tables that share questions agree on them. A question in no table
is a *block*: how many answer it, and how many give each answer, in each group of rows that the
register tells apart. Hard figures are rows of the programme. A soft figure has a switch that
gives it up: first the fewest figures are given up, then, among all the ways to do that, the
counts that lie nearest to believable ones are taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pandas as pd

from analysis.errors import InputError, Problem
from analysis.reconstruct.catalogue import LAST_PAGE, Catalogue, Variable, truth
from analysis.reconstruct.linear import Programme, Terms, add, minus
from analysis.reconstruct.plan import Counting
from analysis.reconstruct.reference import ALL_ROWS, FLOW, Reference
from analysis.reconstruct.register import Claim, Figure, claims

LARGE = 100_000.0
FIGURE_COST, CLAIM_COST = 100.0, 1.0


@dataclass(frozen=True)
class Table:
    """Cells of a few questions crossed, and the number of each cell's variable."""

    names: tuple[str, ...]
    cells: pd.DataFrame
    numbers: np.ndarray

    def terms(self, mask: pd.Series | np.ndarray) -> Terms:
        return dict.fromkeys(self.numbers[np.asarray(mask, dtype=bool)].tolist(), 1.0)


@dataclass(frozen=True)
class Block:
    """One question by group of rows.

    groups: for each cell of the host table its group, -1 where the question is not asked.
    answered: one number a group. given: groups x answers (no column for a text).
    """

    variable: Variable
    host: Table
    groups: np.ndarray
    answered: np.ndarray
    given: np.ndarray

    def size(self, group: int) -> Terms:
        return self.host.terms(self.groups == group)


@dataclass
class Model:
    """The programme of one source, and what its variables stand for."""

    catalogue: Catalogue
    programme: Programme
    tables: list[Table] = field(default_factory=list)
    blocks: dict[str, Block] = field(default_factory=dict)
    dropped: int | None = None
    soft: dict[str, int] = field(default_factory=dict)
    lost_claims: list[int] = field(default_factory=list)

    def table_with(self, names: set[str]) -> Table | None:
        fits = [table for table in self.tables if names <= set(table.names)]
        return fits[0] if fits else None


Wanted = Sequence[tuple[Figure, Reference]]


def build(catalogue: Catalogue, counting: Counting, wanted: Wanted, flow: bool = False) -> Model:
    """The programme of one source. `flow`: rows may also have been received and not kept."""
    model = Model(catalogue, Programme())
    for names in counting.tables:
        _add_table(model, tuple(names), [t.where for t in counting.tendencies if not t.weight])
    if counting.size is not None:
        everyone = model.tables[0].terms(np.ones(len(model.tables[0].cells), dtype=bool))
        model.programme.row(everyone, counting.size, counting.size)
    in_tables = {name for table in model.tables for name in table.names}
    for variable in catalogue.variables.values():
        if variable.name not in in_tables:
            _add_block(model, variable, [r for _, r in wanted if r.variable == variable.name])
    if flow:
        model.dropped = int(model.programme.variables(1)[0])
    for name, order in counting.ordered.items():
        _add_order(model, name, order)
    for figure, reference in wanted:
        _add_figure(model, figure, reference)
    return model


def _add_table(model: Model, names: tuple[str, ...], never: list[str]) -> None:
    cells = model.catalogue.cells(names)
    for where in never:
        if Reference("", "", None, where).reads <= set(names):
            cells = cells[~truth(where, cells)].reset_index(drop=True)
    table = Table(names, cells, model.programme.variables(len(cells)))
    for earlier, shared in links(model.tables, names):
        for here, there in agreeing(table, earlier, shared):
            model.programme.row(minus(table.terms(here), earlier.terms(there)), 0, 0)
    model.tables.append(table)


def links(tables: list[Table], names: tuple[str, ...]) -> list[tuple[Table, list[str]]]:
    """The earlier table that a new one must agree with.

    All they share must stand in one earlier table: only then do rows exist that have the counts
    of all tables at once.
    """
    if not tables:
        return []
    shared = {name for table in tables for name in table.names} & set(names)
    fits = [table for table in tables if shared <= set(table.names)]
    if not fits:
        found, expected = ", ".join(names), "a table that shares questions with one other only"
        problem = Problem(
            "reconstruction.yml",
            "tables form a tree",
            found,
            expected,
            "put the questions shared into one table",
        )
        raise InputError([problem])
    return [(fits[0], [name for name in names if name in shared])]


def agreeing(
    one: Table, other: Table, shared: list[str]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """For each combination of shared answers, the cells of both tables that have it."""
    keys = pd.concat([one.cells[shared], other.cells[shared]]).drop_duplicates()
    for _, key in keys.iterrows():
        here, there = ((t.cells[shared] == key).all(axis=1).to_numpy() for t in (one, other))
        yield here, there


def _add_block(model: Model, variable: Variable, references: list[Reference]) -> None:
    catalogue = model.catalogue
    known = {name for table in model.tables for name in table.names}
    needs = {name for reference in references for name in reference.reads}
    needs |= _dims(variable, catalogue, known)
    host = model.table_with(needs)
    if host is None:
        problem = Problem(
            "reconstruction.yml",
            "a table crosses what a question depends on",
            f"no table with {', '.join(sorted(needs))}",
            f"one, for {variable.name}",
            "add these questions to a table",
            column=variable.name,
        )
        raise InputError([problem])
    groups = _groups(catalogue, variable, host, references)
    number = int(groups.max()) + 1
    answered = model.programme.variables(number)
    given = model.programme.variables(number * len(variable.answers))
    block = Block(variable, host, groups, answered, given.reshape(number, -1))
    model.blocks[variable.name] = block
    for group in range(number):
        _bound_group(model, block, group)


def _dims(variable: Variable, catalogue: Catalogue, known: set[str]) -> set[str]:
    """Questions of tables that say who is asked and what may be answered."""
    routing = Reference("", "", None, variable.relevant or "true()").reads
    needs = (routing | catalogue.partners(variable)) & known
    return needs | {LAST_PAGE} if catalogue.beyond_kept(variable) else needs


def _groups(
    catalogue: Catalogue, variable: Variable, host: Table, references: list[Reference]
) -> np.ndarray:
    """Cells that neither the register nor the questionnaire tells apart form one group."""
    asked = catalogue.asked(variable, host.cells)
    keys = catalogue.compatible(variable, host.cells)
    for number, where in enumerate(dict.fromkeys(r.where for r in references)):
        keys[f"where {number}"] = truth(where, host.cells)
    codes = np.full(len(host.cells), -1)
    if keys.shape[1] == 0:
        codes[asked] = 0
    elif asked.any():
        codes[asked] = keys[asked].groupby(list(keys.columns), sort=False).ngroup()
    return codes


def _bound_group(model: Model, block: Block, group: int) -> None:
    """Answers that some rows of the group could give without breaking the questionnaire."""
    programme, variable = model.programme, block.variable
    answered = {int(block.answered[group]): 1.0}
    asked = block.size(group)
    programme.row(minus(asked, answered), 0, np.inf if variable.skippable else 0)
    if variable.kind == "text":
        return
    given = [{int(number): 1.0} for number in block.given[group]]
    if variable.kind == "one":
        programme.row(minus(add(*given), answered), 0, 0)
    else:
        _bound_several(model, variable, given, answered)
    inside = block.host.cells[block.groups == group].head(1)
    fits = model.catalogue.compatible(variable, inside).iloc[0]
    for answer, terms in zip(variable.answers, given, strict=True):
        if not fits[answer]:
            programme.row(terms, 0, 0)


def _bound_several(model: Model, variable: Variable, given: list[Terms], answered: Terms) -> None:
    alone = set(model.catalogue.exclusive(variable))
    pairs = list(zip(variable.answers, given, strict=True))
    free = [terms for answer, terms in pairs if answer not in alone]
    others = minus(answered, add(*[terms for answer, terms in pairs if answer in alone]))
    model.programme.row(others, 0)
    for terms in free:
        model.programme.row(minus(others, terms), 0)
    model.programme.row(minus(add(*free), others), 0)
    most = model.catalogue.most(variable)
    model.programme.row(minus(add(*free), others, most), -np.inf, 0)


def _add_order(model: Model, name: str, order: list[str]) -> None:
    """Answers that are known to be given in this order, most often first."""
    for more, less in pairwise(order):
        terms = minus(_given(model, name, more), _given(model, name, less))
        model.programme.row(terms, 0)


def _given(model: Model, name: str, answer: str) -> Terms:
    return terms_of(model, Reference("", name, (answer,)))[0]


def terms_of(model: Model, reference: Reference) -> tuple[Terms, Terms]:
    """Count and base of what a figure counts, as linear expressions."""
    if reference.variable == FLOW:
        return _flow(model, (reference.answers or ("",))[0])
    if reference.variable in model.blocks:
        return _block_terms(model.blocks[reference.variable], reference)
    names = reference.reads | ({reference.variable} - {ALL_ROWS})
    table = model.table_with(names)
    if table is None:
        problem = Problem(
            "reconstruction.yml",
            "a table crosses what a figure crosses",
            f"no table with {', '.join(sorted(names))}",
            "one",
            "add these questions to a table",
        )
        raise InputError([problem])
    base = truth(reference.where, table.cells)
    if reference.variable != ALL_ROWS:
        base &= table.cells[reference.variable] != ""
    if reference.answers is None:
        return table.terms(base), table.terms(base)
    chosen = base & table.cells[reference.variable].isin(reference.answers)
    return table.terms(chosen), table.terms(base)


def _block_terms(block: Block, reference: Reference) -> tuple[Terms, Terms]:
    inside = truth(reference.where, block.host.cells).to_numpy()
    groups = sorted({int(g) for g in block.groups[inside & (block.groups >= 0)]})
    base: Terms = dict.fromkeys(block.answered[groups].tolist(), 1.0)
    if reference.mentions:
        base = dict.fromkeys(block.given[groups].ravel().tolist(), 1.0)
    if reference.answers is None:
        return base, base
    columns = [block.variable.answers.index(answer) for answer in reference.answers]
    return dict.fromkeys(block.given[np.ix_(groups, columns)].ravel().tolist(), 1.0), base


def _flow(model: Model, category: str) -> tuple[Terms, Terms]:
    """Responses received, complete, partial and kept, in the words of the register."""
    table = next(t for t in model.tables if LAST_PAGE in t.names)
    complete = table.terms(table.cells[LAST_PAGE] == model.catalogue.last_asked(table.cells))
    kept = table.terms(np.ones(len(table.cells), dtype=bool))
    dropped: Terms = {} if model.dropped is None else {model.dropped: 1.0}
    received = add(kept, dropped)
    parts = {
        "responses_any": received,
        "responses_complete": complete,
        "responses_partial": minus(received, complete),
        "partial_retained": minus(kept, complete),
        "partial_dropped": dropped,
        "retained": kept,
    }
    return parts[category], received


def _add_figure(model: Model, figure: Figure, reference: Reference) -> None:
    count, base = terms_of(model, reference)
    lost = None
    if not figure.hard:
        lost = int(model.programme.variables(1, 1)[0])
        model.soft[figure.figure_id] = lost
    for claim in claims(figure):
        switch = None
        if lost is not None:
            switch = int(model.programme.variables(1, 1)[0])
            model.programme.row({lost: 1.0, switch: -1.0}, 0)
            model.lost_claims.append(switch)
        if claim.kind == "rank":
            _add_rank(model, reference, claim, switch)
        else:
            _add_window(model, claim, count, base, switch)


def _add_window(model: Model, claim: Claim, count: Terms, base: Terms, switch: int | None) -> None:
    """low <= quantity < high on whole numbers: the open end moves in by the smallest step."""
    freed = {} if switch is None else {switch: LARGE}
    if claim.kind in ("base", "count"):
        terms = base if claim.kind == "base" else count
        model.programme.row(add(terms, freed), float(claim.low))
        model.programme.row(minus(terms, freed), -np.inf, float(claim.low))
        return
    step = 0.5 / claim.high.denominator
    model.programme.row(add(minus(count, base, float(claim.low)), freed), -step / 2)
    model.programme.row(minus(minus(count, base, float(claim.high)), freed), -np.inf, -step)


def _add_rank(model: Model, reference: Reference, claim: Claim, switch: int | None) -> None:
    """Exactly rank - 1 answers are given more often than this one."""
    variable = model.catalogue.variables[reference.variable]
    own, _ = terms_of(model, reference)
    ahead: Terms = {}
    for answer in variable.answers:
        if reference.answers and answer in reference.answers:
            continue
        other = Reference(reference.source, variable.name, (answer,), reference.where)
        above = int(model.programme.variables(1, 1)[0])
        gap = minus(terms_of(model, other)[0], own)
        model.programme.row(minus(gap, {above: LARGE}), -LARGE + 1)
        model.programme.row(minus(gap, {above: LARGE}), -np.inf, 0)
        ahead[above] = 1.0
    freed = {} if switch is None else {switch: LARGE}
    target = float(claim.low) - 1
    model.programme.row(add(ahead, freed), target)
    model.programme.row(minus(ahead, freed), -np.inf, target)


def fewest_broken(model: Model, gap: float = 0.0) -> np.ndarray:
    """Values that break the fewest soft figures, and of those figures the fewest claims."""
    cost = dict.fromkeys(model.soft.values(), FIGURE_COST)
    cost |= dict.fromkeys(model.lost_claims, CLAIM_COST)
    return model.programme.solve(cost, gap=gap)


def switches(model: Model, values: np.ndarray) -> dict[int, float]:
    """What was kept and given up, as values to hold."""
    numbers = [*model.soft.values(), *model.lost_claims]
    return {number: float(values[number]) for number in numbers}
