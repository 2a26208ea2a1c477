"""What an extract of actions adds up to, group by group: actions, people, trainings, hours, cost.

Rows are read few times: once for each variable, once by title, once by person, once by provider.
How many people and trainings each group has comes from one number a person (and a title) whose bits
are the groups it was seen in: nobody is counted twice, and no group needs a pass of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any

import ibis
import pandas as pd
from ibis.expr import types as ir

from analysis.chapters.extract import Extract, amount, fetched
from analysis.chapters.titles import DEFAULT, VALUES, TitleRule, classified, hit, read_rules, spaced
from analysis.definition import Consumption

# Bits of a whole number that every engine has.
WORD = 62
AMOUNTS = ("actions", "hours", "cost")
YEAR = "year"


@ibis.udf.agg.builtin(name="bit_or")
def bit_or(value: int) -> int:  # type: ignore[empty-body]
    """An aggregate of the engine: DuckDB, Spark, PostgreSQL and MySQL have it by this name."""


@ibis.udf.scalar.builtin(name="array_position")
def array_position(values: list[str], value: str) -> int:  # type: ignore[empty-body]
    """Place of a text in a list, from 1, by the engine: DuckDB, Spark and PostgreSQL have it."""


@dataclass(frozen=True)
class Groups:
    """Groups that rows are counted by: a column of text and its values, in their order."""

    name: str
    answers: Sequence[str]


def rows_of(extract: Extract, spec: Consumption) -> ir.Table:
    """Rows of the population of actions, with the year of each as text."""
    table = extract.population(spec.actions)
    return table.mutate(**{YEAR: table[spec.date].year().cast("string")})


def amounts(table: ir.Table, spec: Consumption) -> dict[str, Any]:
    """Aggregates of AMOUNTS; cost where the extract has one."""
    found = {"actions": table.count(), "hours": amount(table[spec.hours]).sum()}
    return found | ({"cost": amount(table[spec.cost]).sum()} if spec.cost else {})


def by_year(table: ir.Table, spec: Consumption, groups: Groups) -> pd.DataFrame:
    """AMOUNTS of each group and year (columns: group, year, amounts)."""
    found = fetched(
        table.group_by(group=table[groups.name], year=table[YEAR]).agg(**amounts(table, spec))
    )
    return found[found["group"].isin(groups.answers)].fillna(0)


def years(table: ir.Table) -> list[str]:
    """Years of the rows, in order."""
    return sorted(fetched(table.select(YEAR).distinct())[YEAR].dropna())


# --- People and trainings


def _words(variables: Sequence[Groups]) -> Iterator[list[tuple[Groups, int, list[str]]]]:
    """Variables packed into whole numbers: of each, the place of its first bit, and its values."""
    word: list[tuple[Groups, int, list[str]]] = []
    used = 0
    for groups in variables:
        for start in range(0, len(groups.answers), WORD):
            part = list(groups.answers[start : start + WORD])
            if used + len(part) > WORD:
                yield word
                word, used = [], 0
            word.append((groups, used, part))
            used += len(part)
    if word:
        yield word


def masks(table: ir.Table, variables: Sequence[Groups]) -> dict[str, Any]:
    """Aggregates, one a word, whose bits are the groups that the rows of a holder are in."""
    found = {}
    for number, word in enumerate(_words(variables)):
        bits = []
        for groups, first, part in word:
            place = array_position(ibis.array(part), table[groups.name]).fill_null(0)
            # From a number of 64 bits downwards: a plain 1 would have 32 in some engines.
            bit = ibis.literal(1 << WORD) >> (WORD + 1 - first - place)
            bits.append(ibis.ifelse(place > 0, bit, ibis.literal(0)))
        found[f"word_{number}"] = bit_or(reduce(lambda one, other: one | other, bits))
    return found


def inside(table: ir.Table, variables: Sequence[Groups]) -> dict[tuple[str, str], ir.BooleanValue]:
    """Whether each holder (a row with words) is in a group, by variable and value."""
    return {
        (groups.name, answer): (table[f"word_{number}"] & (1 << (first + at))) != 0
        for number, word in enumerate(_words(variables))
        for groups, first, part in word
        for at, answer in enumerate(part)
    }


def holders(
    table: ir.Table, variables: Sequence[Groups]
) -> tuple[dict[str, Any], dict[tuple[str, str], str]]:
    """Aggregates that count holders by group, and the column of each group."""
    truths = inside(table, variables)
    columns = {key: f"b_{at}" for at, key in enumerate(truths)}
    return {columns[key]: table.count(where=truth) for key, truth in truths.items()}, columns


def paths(table: ir.Table, variables: Sequence[Groups]) -> dict[str, Any]:
    """Aggregates that count people by the levels of AI training they have had."""
    truths, levels = inside(table, variables), VALUES["ai_level"]
    if not any(groups.name == "ai_level" for groups in variables):
        return {}
    found = {}
    for names in PATHS:
        parts = [
            truths["ai_level", level] if level in names else ~truths["ai_level", level]
            for level in levels
        ]
        found["_".join(names)] = table.count(where=reduce(lambda one, two: one & two, parts))
    return found


PATHS = [
    [level for bit, level in enumerate(VALUES["ai_level"]) if chosen >> bit & 1]
    for chosen in (1, 2, 4, 3, 5, 6, 7)
]


def _known(table: ir.Table, name: str) -> ir.Table:
    """Rows with something in a column."""
    return table.filter(table[name].notnull() & (table[name] != ""))


def people(table: ir.Table, spec: Consumption, variables: Sequence[Groups]) -> pd.Series:
    """People in all and in each group, and how many times they were trained.

    Returns counts by (variable, value); those of no variable are `people`, and `once`, `twice`,
    `3_to_5`, `6_plus`.
    """
    known = _known(table, str(spec.person))
    words = masks(known, variables)
    each = known.group_by(holder=known[spec.person]).agg(times=known.count(), **words)
    counts, columns = holders(each, variables)
    times = {
        name: each.count(where=each["times"].between(low, high))
        for name, (low, high) in TIMES.items()
    }
    walked = paths(each, variables)
    found = fetched(each.agg(people=each.count(), **times, **walked, **counts)).iloc[0]
    named = {("", name): int(found[name]) for name in ("people", *TIMES, *walked)}
    return pd.Series(named | {key: int(found[name]) for key, name in columns.items()})


TIMES = {"once": (1, 1), "twice": (2, 2), "3_to_5": (3, 5), "6_plus": (6, 2**62)}


def trainings(titles: ir.Table, variables: Sequence[Groups]) -> pd.Series:
    """Different titles in all and in each group, by (variable, value)."""
    counts, columns = holders(titles, variables)
    found = fetched(titles.agg(trainings=titles.count(), **counts)).iloc[0]
    named = {("", "trainings"): int(found["trainings"])}
    return pd.Series(named | {key: int(found[name]) for key, name in columns.items()})


def providers(table: ir.Table, spec: Consumption) -> pd.DataFrame:
    """AMOUNTS of each provider, the largest first."""
    known = _known(table, str(spec.provider))
    each = known.group_by(provider=known[spec.provider]).agg(**amounts(known, spec))
    found = fetched(each).fillna(0)
    return found.sort_values(["actions", "provider"], ascending=[False, True], ignore_index=True)


def values(frame: pd.DataFrame, group: str, answers: Sequence[str]) -> Mapping[str, pd.Series]:
    """Sums of AMOUNTS over the years, by amount: one value a group, zeros included."""
    sums = frame.groupby(group)[[name for name in AMOUNTS if name in frame]].sum()
    return {str(name): sums[name].reindex(list(answers), fill_value=0) for name in sums}


@dataclass(frozen=True)
class Volumes:
    """Everything counted of an extract, each part worked out once and where it is asked for."""

    extract: Extract
    spec: Consumption

    @cached_property
    def rows(self) -> ir.Table:
        """Rows of the population of actions, with their year and their leading provider."""
        table = rows_of(self.extract, self.spec)
        if self.spec.ai:
            told = self.classes.rename(_title="title")
            table = table.left_join(told, table[self.spec.title] == told["_title"]).drop("_title")
        if not self.spec.provider:
            return table
        name, leading = table[self.spec.provider], self.leading
        shown = ibis.ifelse(array_position(ibis.array(leading), name) > 0, name, OTHERS)
        return table.mutate(**{LEADING: shown})

    @cached_property
    def rules(self) -> list[TitleRule]:
        """Rules of titles: those of the study, else the default ones."""
        paths = self.extract.study.paths
        own = paths.definition / DEFAULT.name
        return read_rules(own, paths.shown(own)) if own.is_file() else read_rules(DEFAULT, "")

    @cached_property
    def classes(self) -> ir.Table:
        """Each title once, with its classes."""
        known = _known(rows_of(self.extract, self.spec), self.spec.title)
        titles = known.select(title=known[self.spec.title]).distinct()
        return self.extract.kept(classified(self.extract.kept(titles, "each"), self.rules), "told")

    @cached_property
    def matched(self) -> pd.DataFrame:
        """Titles that each rule of the class `ai` matches (columns: rule, trainings)."""
        letters = self.classes.select(letters=spaced(self.classes["title"]))
        telling = [rule for rule in self.rules if "ai" in rule.classes]
        counts = {
            f"r{at}": letters.count(where=hit(rule, letters["letters"]))
            for at, rule in enumerate(telling)
        }
        found = fetched(letters.agg(**counts)).iloc[0]
        frame = pd.DataFrame(
            {"rule": [rule.pattern for rule in telling], "trainings": found.to_numpy(dtype=int)}
        )
        matched = frame.groupby("rule", as_index=False)["trainings"].max()
        matched = matched[matched["trainings"] > 0]
        return matched.sort_values(["trainings", "rule"], ascending=[False, True])

    @cached_property
    def years(self) -> list[str]:
        return years(rows_of(self.extract, self.spec))

    @cached_property
    def providers(self) -> pd.DataFrame:
        return providers(rows_of(self.extract, self.spec), self.spec)

    @property
    def leading(self) -> list[str]:
        """The providers of most actions, who are told by name."""
        return list(self.providers["provider"].head(FIRST))

    @cached_property
    def groups(self) -> list[Groups]:
        """What is counted by: years, the columns of study.yml, leading providers."""
        found = [Groups(YEAR, self.years)]
        found += [Groups(name, self.extract.answers(name)) for name in self.spec.by]
        if self.spec.provider and self.leading:
            others = [OTHERS] if len(self.providers) > FIRST else []
            found.append(Groups(LEADING, [*self.leading, *others]))
        if self.spec.ai:
            found += [Groups(name, answers) for name, answers in VALUES.items()]
        return found

    @cached_property
    def amounts(self) -> dict[str, pd.DataFrame]:
        """AMOUNTS by variable, of each group and year."""
        return {groups.name: by_year(self.rows, self.spec, groups) for groups in self.groups}

    @cached_property
    def people(self) -> pd.Series | None:
        return people(self.rows, self.spec, self.groups) if self.spec.person else None

    @cached_property
    def titles(self) -> ir.Table:
        known = _known(self.rows, self.spec.title)
        each = known.group_by(title=known[self.spec.title]).agg(
            **amounts(known, self.spec), **masks(known, self.groups)
        )
        return self.extract.kept(each, "titles")

    @cached_property
    def trainings(self) -> pd.Series:
        return trainings(self.titles, self.groups)


# Providers told by name, and what stands for all others.
FIRST, OTHERS, LEADING = 10, "other_providers", "provider"
