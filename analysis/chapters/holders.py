"""How many people and trainings each group has, nobody counted twice.

Each person (and each title) gets a few numbers whose bits are the groups it was seen in, in one
pass over the rows: no group needs a pass of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations, permutations
from typing import Any

import ibis
import pandas as pd
from ibis.expr import types as ir

from analysis.chapters.extract import Extract, fetched, known
from analysis.chapters.titles import VALUES

# Bits of a whole number that every engine has, and how many of them are counted at a time.
WORD, CHUNK = 60, 12
LEVEL = "ai_level"
TIMES = {"once": (1, 1), "twice": (2, 2), "3_to_5": (3, 5), "6_plus": (6, 2**62)}
# Levels of training on AI in the order someone came to them, those never come to left out.
PATHS = {
    "_then_".join(levels): levels
    for size in range(1, len(VALUES[LEVEL]) + 1)
    for levels in permutations(VALUES[LEVEL], size)
}


@ibis.udf.agg.builtin(name="bit_or")
def bit_or(value: int) -> int:  # type: ignore[empty-body]
    """An aggregate of the engine: DuckDB, Spark, PostgreSQL and MySQL have it by this name."""


@dataclass(frozen=True)
class Groups:
    """Groups that rows are counted by: their name, and their values in order."""

    name: str
    answers: Sequence[str]


Places = Mapping[tuple[str, str], tuple[int, int]]


def places(variables: Sequence[Groups]) -> Places:
    """The word and the bit of each group, by variable and value."""
    named = ((groups.name, answer) for groups in variables for answer in groups.answers)
    return {key: divmod(at, WORD) for at, key in enumerate(named)}


def dimension(among: Places, keys: Mapping[Any, Sequence[tuple[str, str]]]) -> ir.Table:
    """A small table of the words that a value of a column gives a row.

    keys: the groups of each value. Columns: key, and `word_N` of the words that any value has.
    """
    wanted = sorted({among[group][0] for groups in keys.values() for group in groups})
    words = {f"word_{word}": [0] * len(keys) for word in wanted}
    for at, groups in enumerate(keys.values()):
        for word, bit in (among[group] for group in groups):
            words[f"word_{word}"][at] |= 1 << bit
    return ibis.memtable(pd.DataFrame({"key": list(keys), **words}))


def marked(table: ir.Table, dimensions: Mapping[str, ir.Table]) -> ir.Table:
    """A table with a column `word_N` for each word, whose bits are the groups of a row.

    dimensions: by column. A join with a small table costs less than a condition a group would.
    """
    parts: dict[str, list[str]] = {}
    for at, (column, words) in enumerate(dimensions.items()):
        names = [name for name in words.columns if name.startswith("word_")]
        told = words.select(
            **{f"key_{at}": words["key"]}, **{f"{name}_{at}": words[name] for name in names}
        )
        table = table.left_join(told, table[column] == told[f"key_{at}"]).drop(f"key_{at}")
        for name in names:
            parts.setdefault(name, []).append(f"{name}_{at}")
    given = {
        name: reduce(lambda one, other: one | other, [table[p].fill_null(0) for p in columns])
        for name, columns in parts.items()
    }
    return table.mutate(**given).drop(*[column for columns in parts.values() for column in columns])


def merged(table: ir.Table) -> dict[str, Any]:
    """Aggregates of the words of a table: the groups that any row of a holder is in."""
    return {name: bit_or(table[name]) for name in table.columns if name.startswith("word_")}


def holders(each: ir.Table, among: Places) -> dict[tuple[str, str], int]:
    """How many holders (rows with words) each group has.

    Words are cut into pieces, and rows counted by the values of each piece, of which there are few:
    ten times as fast in DuckDB as a condition for each group.
    """
    pieces = sorted({(word, bit // CHUNK) for word, bit in among.values()})
    counted = [
        each.group_by(value=(each[f"word_{word}"] >> (CHUNK * at)) & (2**CHUNK - 1))
        .agg(times=each.count())
        .mutate(word=ibis.literal(word, "int64"), at=ibis.literal(at, "int64"))
        for word, at in pieces
        if f"word_{word}" in each.columns
    ]
    found = fetched(ibis.union(*counted)) if len(counted) > 1 else fetched(counted[0])
    held = {
        key: (frame["value"].to_numpy(int), frame["times"].to_numpy(int))
        for key, frame in found.groupby(["word", "at"])
    }
    return {
        group: int(times[value & (1 << bit % CHUNK) != 0].sum())
        for group, (word, bit) in among.items()
        if (word, bit // CHUNK) in held
        for value, times in [held[word, bit // CHUNK]]
    }


def people(extract: Extract, rows: ir.Table, person: str, among: Places) -> pd.Series:
    """People in all and in each group, and how many times they were trained.

    rows: with the words of their groups. Returns counts by (variable, value); those of no variable
    are `people`, and `once`, `twice`, `3_to_5`, `6_plus`.
    """
    held = known(rows, person)
    words = held.group_by(holder=extract.key(held[person])).agg(times=held.count(), **merged(held))
    each = extract.kept(words.drop("holder"), "people")
    counts = {
        name: each.count(where=each["times"].between(low, high))
        for name, (low, high) in TIMES.items()
    }
    times = fetched(each.agg(people=each.count(), **counts)).iloc[0]
    named = {("", str(name)): int(number) for name, number in times.items()}
    return pd.Series(named | holders(each, among))


def paths(extract: Extract, table: ir.Table, person: str, date: str) -> pd.Series:
    """People by the levels of training on AI they have had, in the order they first came to each.

    table: rows about AI with their level and date; those without a date are in no order and left
    out. Levels first come to on one day are taken in the order of VALUES.
    """
    rows = known(table, person)
    each = rows.group_by(holder=extract.key(rows[person])).agg(
        **{level: rows[date].min(where=rows[LEVEL] == level) for level in VALUES[LEVEL]}
    )
    counts = {}
    for name, levels in PATHS.items():
        never = [level for level in VALUES[LEVEL] if level not in levels]
        parts = [each[level].notnull() for level in levels]
        parts += [each[level].isnull() for level in never]
        parts += [_before(each, *pair) for pair in combinations(levels, 2)]
        counts[name] = each.count(where=reduce(lambda one, other: one & other, parts))
    return fetched(each.agg(**counts)).iloc[0].astype(int)


def _before(each: ir.Table, one: str, other: str) -> ir.BooleanValue:
    listed = VALUES[LEVEL].index(one) < VALUES[LEVEL].index(other)
    return each[one] <= each[other] if listed else each[one] < each[other]


def trainings(extract: Extract, titles: ir.Table, among: Places) -> pd.Series:
    """Different titles in all and in each group, by (variable, value).

    titles: with the words of their groups, a title once or several times.
    """
    each = extract.kept(titles.group_by("title").agg(**merged(titles)))
    named = {("", "trainings"): int(each.count().to_pyarrow().as_py())}
    return pd.Series(named | holders(each, among))
