"""From counts to rows: who gives which answer, so that rows look like people.

Counts are settled before; here they are only dealt out. Each person has a few traits (levels),
and leans towards some answers; the answers are dealt by an exact allocation, so no count moves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.reconstruct.catalogue import WRITTEN, Variable, truth
from analysis.reconstruct.counts import Block, Model, Table
from analysis.reconstruct.linear import assign
from analysis.reconstruct.plan import Leaning, Trait


@dataclass(frozen=True)
class Taste:
    """What makes people differ. `families`: a question and the groups it stands in."""

    leanings: Sequence[Leaning] = ()
    traits: Sequence[Trait] = ()
    families: Mapping[str, Sequence[str]] | None = None

    def on(self, question: str) -> list[Leaning]:
        names = {question, *(self.families or {}).get(question, ())}
        return [leaning for leaning in self.leanings if leaning.question in names]


def people(
    model: Model, values: np.ndarray, taste: Taste, rng: np.random.Generator
) -> pd.DataFrame:
    """One row a person. Questions of one answer stand in a column of texts, "" where there is no
    answer; of several answers in boolean columns `question/answer`, missing where there is none;
    a text that was written is marked."""
    frame = _expand(model.tables[0], values, rng)
    traits = _traits(model, frame, taste, rng)
    for table in model.tables[1:]:
        frame = _join(model, frame, table, values, traits, taste, rng)
    for block in model.blocks.values():
        frame = _fill(model, frame, block, values, traits, taste, rng)
    return frame


def _expand(table: Table, values: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    times = values[table.numbers].astype(int)
    frame = table.cells.loc[table.cells.index.repeat(times)]
    return frame.iloc[rng.permutation(len(frame))].reset_index(drop=True)


def _traits(
    model: Model, frame: pd.DataFrame, taste: Taste, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Standard levels: the part read from an answer follows the order of the answers."""
    levels = {}
    for trait in taste.traits:
        level = rng.standard_normal(len(frame))
        if trait.reads is not None:
            answers = model.catalogue.variables[trait.reads].answers
            place = frame[trait.reads].map({a: n for n, a in enumerate(answers)}).astype(float)
            known = place.notna().to_numpy()
            score = ((place - place.mean()) / place.std()).to_numpy()
            rest = np.sqrt(1 - trait.loading**2)
            level[known] = trait.loading * score[known] + rest * level[known]
        levels[trait.name] = level
    return levels


def _join(
    model: Model,
    frame: pd.DataFrame,
    table: Table,
    values: np.ndarray,
    traits: Mapping[str, np.ndarray],
    taste: Taste,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Deal out the one question that a table adds, within each combination of the others."""
    shared = [name for name in table.names if name in frame]
    (name,) = [name for name in table.names if name not in frame]
    variable = model.catalogue.variables[name]
    levels = [*(variable.answers or (WRITTEN,)), ""]
    scores = _scores(variable, levels, frame, traits, taste, rng)
    counted = table.cells.assign(rows=values[table.numbers])
    column = np.full(len(frame), "", dtype=object)
    groups = frame.groupby(shared if len(shared) > 1 else shared[0], sort=True).groups
    for key, rows in groups.items():
        keys = key if isinstance(key, tuple) else (key,)
        inside = counted[(counted[shared] == list(keys)).all(axis=1)]
        totals = inside.groupby(name)["rows"].sum().reindex(levels, fill_value=0)
        chosen = assign(scores[rows], totals.to_numpy(), 1, 1)
        column[rows] = np.array(levels, dtype=object)[chosen.argmax(axis=1)]
    return frame.assign(**{name: column})


def _fill(
    model: Model,
    frame: pd.DataFrame,
    block: Block,
    values: np.ndarray,
    traits: Mapping[str, np.ndarray],
    taste: Taste,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Deal out a question in each of its groups."""
    variable = block.variable
    asked = model.catalogue.asked(variable, frame).to_numpy()
    places = _places(block.host, frame)
    levels = list(variable.answers) or [WRITTEN]
    scores = _scores(variable, levels, frame, traits, taste, rng)
    given = np.full((len(frame), len(levels)), False)
    answered = np.full(len(frame), False)
    for group, number in enumerate(block.answered):
        rows = np.flatnonzero(asked & (block.groups[places] == group))
        chosen = rng.permutation(rows)[: int(values[number])]
        answered[chosen] = True
        if variable.kind == "text":
            given[chosen] = True
            continue
        totals = values[block.given[group]]
        given[chosen] = _deal(model, variable, scores[chosen], totals)
    return pd.concat([frame, _columns(variable, levels, given, answered)], axis=1)


def _places(host: Table, frame: pd.DataFrame) -> np.ndarray:
    """The host table's cell of each row."""
    numbered = host.cells.assign(place=range(len(host.cells)))
    joined = frame[list(host.names)].merge(numbered, on=list(host.names), how="left")
    return joined["place"].to_numpy()


def _deal(model: Model, variable: Variable, scores: np.ndarray, totals: np.ndarray) -> np.ndarray:
    """Answers of one group: those that stand alone first, then the others."""
    if variable.kind == "one":
        return assign(scores, totals, 1, 1)
    given = np.zeros(scores.shape, dtype=bool)
    free = np.full(len(scores), True)
    alone = [variable.answers.index(a) for a in model.catalogue.exclusive(variable)]
    for answer in alone:
        order = np.argsort(-np.where(free, scores[:, answer], -np.inf), kind="stable")
        chosen = order[: int(totals[answer])]
        given[chosen, answer], free[chosen] = True, False
    others = np.array([n for n in range(len(variable.answers)) if n not in alone])
    most = model.catalogue.most(variable)
    rows = np.flatnonzero(free)
    given[np.ix_(rows, others)] = assign(scores[np.ix_(rows, others)], totals[others], 1, most)
    return given


def _columns(
    variable: Variable, levels: list[str], given: np.ndarray, answered: np.ndarray
) -> pd.DataFrame:
    if variable.kind != "several":
        texts = np.array(levels, dtype=object)[given.argmax(axis=1)]
        return pd.DataFrame({variable.name: np.where(answered, texts, "")})
    columns = pd.DataFrame(given, columns=variable.columns).astype("boolean")
    columns.loc[~answered] = pd.NA
    return columns


def _scores(
    variable: Variable,
    levels: list[str],
    frame: pd.DataFrame,
    traits: Mapping[str, np.ndarray],
    taste: Taste,
    rng: np.random.Generator,
) -> np.ndarray:
    """How much each person leans to each level of an answer.

    Along a scale a person has one position, so neighbouring answers go to alike people; off the
    scale each answer has a chance of its own.
    """
    scores = rng.standard_normal((len(frame), len(levels)))
    leanings = taste.on(variable.name)
    scale = _scale(variable, levels, leanings)
    if scale is not None:
        inside = ~np.isnan(scale)
        position = rng.standard_normal(len(frame))
        scores[:, inside] = 0.01 * scores[:, inside] + np.outer(position, scale[inside])
    for leaning in leanings:
        push = leaning.by * _push(leaning, frame, traits)
        if leaning.answer is not None:
            scores[:, levels.index(leaning.answer)] += push
        elif scale is not None:
            scores += np.outer(push, np.nan_to_num(scale))
    return scores


def _scale(variable: Variable, levels: list[str], leanings: list[Leaning]) -> np.ndarray | None:
    """Place of each level from -1 to 1, not a number off the scale; None without a scale."""
    along = [leaning for leaning in leanings if leaning.answer is None]
    if not along:
        return None
    order = along[0].scale or list(variable.answers)
    place = dict(zip(order, np.linspace(-1, 1, len(order)), strict=True))
    return np.array([place.get(level, np.nan) for level in levels])


def _push(leaning: Leaning, frame: pd.DataFrame, traits: Mapping[str, np.ndarray]) -> np.ndarray:
    trait = traits[leaning.trait] if leaning.trait else np.ones(len(frame))
    where = truth(leaning.where or "", frame)
    return trait * where.to_numpy()
