"""What an extract of actions adds up to, group by group: actions, people, trainings, hours, cost.

Rows are read few times: once for each column of groups, once by title, provider, person and month.
How many people and trainings each group has comes from a few numbers a person (and a title) whose
bits are the groups it was seen in: nobody is counted twice, and no group needs a pass of its own.
What a title is about is worked out once a title, and put beside the rows by a join.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import ibis
import pandas as pd
from ibis.expr import types as ir

from analysis.chapters.extract import Extract, amount, fetched, known
from analysis.chapters.holders import (
    LEVEL,
    Groups,
    Places,
    dimension,
    marked,
    merged,
    paths,
    people,
    places,
    trainings,
)
from analysis.chapters.matches import Matches
from analysis.chapters.titles import DEFAULT, VALUES, TitleRule, classified, read_rules
from analysis.definition import Consumption

# Combinations of groups that rows are added up by at once; where there are more, one by one.
CELLS = 20_000
# Digits of an amount after the point: sums of the same numbers are the same in any order.
DIGITS = 6
AMOUNTS = ("actions", "hours", "cost")
YEAR, MONTH = "year", "month"
# Providers told by name, and what stands for all others.
FIRST, OTHERS, LEADING = 10, "other_providers", "provider"


def amounts(table: ir.Table, spec: Consumption) -> dict[str, Any]:
    """Aggregates of AMOUNTS; cost where the extract has one."""
    found = {"actions": table.count(), "hours": amount(table[spec.hours]).sum()}
    return found | ({"cost": amount(table[spec.cost]).sum()} if spec.cost else {})


def added(table: ir.Table) -> dict[str, Any]:
    """Aggregates of AMOUNTS of a table that has them by smaller groups."""
    return {name: table[name].sum() for name in AMOUNTS if name in table.columns}


def by_year(table: ir.Table, found: Mapping[str, Any], group: ir.Value) -> pd.DataFrame:
    """Amounts of each group and year (columns: group, year, amounts).

    table: with a column `year`; found: the aggregates of the amounts.
    """
    rows = fetched(table.group_by(group=group, year=table[YEAR]).agg(**found))
    rows = rows[rows["group"].notna()]
    filled = rows.fillna({name: 0 for name in found if name in AMOUNTS})
    return filled.assign(year=_text(filled[YEAR]))


def _text(numbers: pd.Series) -> pd.Series:
    """Whole numbers as text; what is missing stays so."""
    return numbers.astype("Int64").astype("string").astype(object).where(numbers.notna(), None)


def _month(number: int) -> str:
    """A month counted from the year 0, as it is written."""
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def values(frame: pd.DataFrame, group: str, answers: Sequence[str]) -> Mapping[str, pd.Series]:
    """Sums of AMOUNTS over the years, by amount: one value a group, zeros included."""
    sums = frame.groupby(group)[[name for name in AMOUNTS if name in frame]].sum()
    return {
        str(name): sums[name].round(DIGITS).reindex(list(answers), fill_value=0) for name in sums
    }


@dataclass(frozen=True)
class Volumes:
    """Everything counted of an extract, each part worked out once and where it is asked for."""

    extract: Extract
    spec: Consumption

    @cached_property
    def rows(self) -> ir.Table:
        """Rows of the population of actions, with year, and month counted from the year 0."""
        table = self.extract.population(self.spec.actions)
        date = table[self.spec.date]
        year = date.year().cast("int64")
        return table.mutate(**{YEAR: year, MONTH: year * 12 + date.month() - 1})

    @cached_property
    def rules(self) -> list[TitleRule]:
        """Rules of titles: those of the study, else the default ones."""
        paths = self.extract.study.paths
        own = paths.definition / DEFAULT.name
        return read_rules(own, paths.shown(own)) if own.is_file() else read_rules(DEFAULT, "")

    # --- Small tables that stay in the engine

    @cached_property
    def _months(self) -> ir.Table:
        found = amounts(self.rows, self.spec)
        if self.spec.cost:
            found["costed"] = self.rows[self.spec.cost].count()
        return self.extract.kept(self.rows.group_by([YEAR, MONTH]).agg(**found), "months")

    @cached_property
    def _providers(self) -> ir.Table:
        rows = known(self.rows, str(self.spec.provider))
        each = rows.group_by([rows[self.spec.provider].name(LEADING), YEAR])
        return self.extract.kept(each.agg(**amounts(rows, self.spec)), "providers")

    @cached_property
    def titles(self) -> ir.Table:
        """Each title, with its actions and hours, how many actions have a length, and the words of
        the groups of its actions."""
        rows = known(marked(self.rows, self._of_rows), self.spec.title)
        hours = rows[self.spec.hours]
        each = rows.group_by(rows[self.spec.title].name("title")).agg(
            actions=rows.count(), hours=amount(hours).sum(), lengths=hours.count(), **merged(rows)
        )
        return self.extract.kept(each, "titles")

    @cached_property
    def classes(self) -> ir.Table:
        """Each title once, with its classes and their words."""
        told = self.extract.kept(
            classified(self.titles.select("title"), self.rules), "classes of titles"
        )
        return self.extract.kept(marked(told, self._of_classes))

    @cached_property
    def _cells(self) -> ir.Table:
        """Amounts by all columns of groups together, and by year."""
        each = self.rows.group_by([*self.spec.by, YEAR]).agg(**amounts(self.rows, self.spec))
        return self.extract.kept(each, "groups")

    @cached_property
    def _about_ai(self) -> ir.Table:
        """Rows about AI with the classes of their titles: few of all."""
        told = self.classes.filter(self.classes["ai"] == "ai").select(*VALUES, key="title")
        rows = self.rows.join(told, self.rows[self.spec.title] == told["key"])
        spec = self.spec
        columns = [name for name in (spec.hours, spec.cost, spec.date, spec.person) if name]
        return self.extract.kept(
            rows.select(*VALUES, YEAR, *dict.fromkeys(columns)), "training about AI"
        )

    @cached_property
    def _classes_by_year(self) -> dict[str, pd.DataFrame]:
        """Amounts by each class of titles and by year; what is not about AI is all the rest that
        has a title."""
        about, rows = self._about_ai, self.rows
        found = {name: by_year(about, amounts(about, self.spec), about[name]) for name in VALUES}
        title = rows[self.spec.title]
        untitled = rows.filter(title.isnull() | (title == ""))
        whole, without = (
            by_year(table, among, ibis.literal("not_ai"))
            for table, among in (
                (self._months, added(self._months)),
                (untitled, amounts(untitled, self.spec)),
            )
        )
        names = list(added(self._months))
        parts = [whole.set_index(YEAR)[names]]
        parts += [-frame.set_index(YEAR)[names] for frame in (found["ai"], without)]
        rest = pd.concat(parts).groupby(level=YEAR, dropna=False).sum().round(DIGITS)
        rest = rest[rest["actions"] > 0].reset_index().assign(group="not_ai")
        return found | {"ai": pd.concat([found["ai"], rest], ignore_index=True)}

    # --- Words of each group, by column of the rows

    @cached_property
    def _places(self) -> Places:
        return places(self.groups)

    def _dimension(self, keys: Mapping[Any, Sequence[tuple[str, str]]]) -> ir.Table:
        words = dimension(self._places, keys)
        # Other engines take a table of this machine along with the expression that reads it.
        return self.extract.kept(words) if self.extract.embedded else words

    @cached_property
    def _of_rows(self) -> dict[str, ir.Table]:
        """Of what a row tells by itself."""
        found = {
            name: self._dimension(
                {answer: [(name, answer)] for answer in self.extract.answers(name)}
            )
            for name in self.spec.by
        }
        if self.spec.provider and self.leading:
            shown = (
                (name, name if name in self.leading else OTHERS) for name in self.providers[LEADING]
            )
            found[self.spec.provider] = self._dimension(
                {name: [(LEADING, as_)] for name, as_ in shown}
            )
        months = {m: [(YEAR, str(m // 12)), (MONTH, _month(m))] for m in self._dated}
        return found | ({MONTH: self._dimension(months)} if months else {})

    @cached_property
    def _of_classes(self) -> dict[str, ir.Table]:
        return {name: self._dimension({value: [(name, value)] for value in found})
                for name, found in VALUES.items()}  # fmt: skip

    # --- Groups

    @cached_property
    def _dated(self) -> range:
        """Every month from the first to the last, counted from the year 0."""
        months = self._months[MONTH]
        first, last = fetched(self._months.agg(first=months.min(), last=months.max())).iloc[0]
        return range(0) if pd.isna(first) else range(int(first), int(last) + 1)

    @cached_property
    def years(self) -> list[str]:
        """Every year from the first to the last."""
        return [str(year) for year in sorted({month // 12 for month in self._dated})]

    @cached_property
    def months(self) -> Groups:
        return Groups(MONTH, [_month(month) for month in self._dated])

    @cached_property
    def leading(self) -> list[str]:
        """The providers of most actions, who are told by name."""
        return list(self.providers["provider"].head(FIRST))

    @cached_property
    def groups(self) -> list[Groups]:
        """What is counted by: years, columns of study.yml, leading providers, classes, months."""
        found = [Groups(YEAR, self.years)]
        found += [Groups(name, self.extract.answers(name)) for name in self.spec.by]
        if self.spec.provider and self.leading:
            others = [OTHERS] if len(self.providers) > FIRST else []
            found.append(Groups(LEADING, [*self.leading, *others]))
        if self.spec.ai:
            found += [Groups(name, values) for name, values in VALUES.items()]
        return [*found, self.months]

    # --- What comes back

    @cached_property
    def totals(self) -> dict[str, float]:
        """AMOUNTS of all actions, and how many have a cost (`costed`)."""
        sums = added(self._months)
        if self.spec.cost:
            sums["costed"] = self._months["costed"].sum()
        found = fetched(self._months.agg(**sums)).iloc[0].fillna(0)
        return {str(name): float(value) for name, value in found.items()}

    @cached_property
    def amounts(self) -> dict[str, pd.DataFrame]:
        """AMOUNTS by variable, of each group and year."""
        months = self._months
        found = {YEAR: by_year(months, added(months), months[YEAR].cast("string"))}
        cells, among = self.rows, amounts(self.rows, self.spec)
        if prod(len(self.extract.answers(name)) for name in self.spec.by) <= CELLS:
            cells = self._cells
            among = added(cells)
        for name in self.spec.by:
            found[name] = by_year(cells, among, cells[name])
        if self.spec.provider and self.leading:
            each = self._providers
            named = ibis.ifelse(each[LEADING].isin(self.leading), each[LEADING], OTHERS)
            found[LEADING] = by_year(each, added(each), named)
        if self.spec.ai:
            found |= self._classes_by_year
        each = by_year(months, added(months), months[MONTH])
        found[MONTH] = each.assign(group=[_month(int(month)) for month in each["group"]])
        return {
            groups.name: found[groups.name][found[groups.name]["group"].isin(groups.answers)]
            for groups in self.groups
        }

    @cached_property
    def providers(self) -> pd.DataFrame:
        """AMOUNTS of each provider, the largest first."""
        each = self._providers.group_by(LEADING).agg(**added(self._providers))
        order = ["actions", LEADING]
        return fetched(each).fillna(0).sort_values(
            order, ascending=[False, True], ignore_index=True)  # fmt: skip

    @cached_property
    def people(self) -> pd.Series | None:
        if not self.spec.person:
            return None
        dimensions = dict(self._of_rows)
        if self.spec.ai:
            dimensions[self.spec.title] = self.classes.rename(key="title")
        rows = marked(self.rows, dimensions)
        return people(self.extract, rows, self.spec.person, self._places)

    @cached_property
    def paths(self) -> pd.Series:
        """People by their path through the levels of training on AI."""
        return paths(self.extract, self._about_ai, str(self.spec.person), self.spec.date)

    @cached_property
    def trainings(self) -> pd.Series:
        found = trainings(self.extract, self.titles, self._places)
        if self.spec.ai:
            told = trainings(self.extract, self.classes, self._places)
            found = pd.concat([found, told[[key for key in told.index if key[0] in VALUES]]])
        return found[~found.index.duplicated(keep="last")]

    @cached_property
    def matches(self) -> Matches:
        """What rules say of the titles."""
        told = self.classes.select("title", "ai", LEVEL)
        each = self.titles.select("title", "actions")
        return Matches(self.extract, told.join(each, "title"), self.rules)
