"""What an extract of actions adds up to, group by group: actions, people, trainings, hours, cost.

Rows are read few times: once for each column of groups, once by title, provider, person and month.
How many people and trainings each group has comes from a few numbers a person (and a title) whose
bits are the groups it was seen in: nobody is counted twice, and no group needs a pass of its own.
What a title is about is worked out once a title, and put beside the rows by a join.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import combinations, permutations
from typing import Any

import ibis
import pandas as pd
from ibis.expr import types as ir

from analysis.chapters.extract import Extract, amount, fetched, known
from analysis.chapters.titles import DEFAULT, VALUES, TitleRule, classified, hit, read_rules, spaced
from analysis.definition import Consumption

# Bits of a whole number that every engine has, and how many of them are counted at a time.
WORD, CHUNK = 60, 12
AMOUNTS = ("actions", "hours", "cost")
YEAR, MONTH, LEVEL = "year", "month", "ai_level"
# Providers told by name, and what stands for all others.
FIRST, OTHERS, LEADING = 10, "other_providers", "provider"
# Titles told with each rule, titles no rule matches, and those that examples are taken from.
EXAMPLES, UNMATCHED, TOLD = 3, 30, 2_000
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


# --- People and trainings


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
    words = held.group_by(holder=held[person]).agg(times=held.count(), **merged(held))
    each = extract.kept(words.drop("holder"), "people")
    counts = {
        name: each.count(where=each["times"].between(low, high))
        for name, (low, high) in TIMES.items()
    }
    times = fetched(each.agg(people=each.count(), **counts)).iloc[0]
    named = {("", str(name)): int(number) for name, number in times.items()}
    return pd.Series(named | holders(each, among))


def paths(table: ir.Table, person: str, date: str) -> pd.Series:
    """People by the levels of training on AI they have had, in the order they first came to each.

    table: rows about AI with their level and date; those without a date are in no order and left
    out. Levels first come to on one day are taken in the order of VALUES.
    """
    rows = known(table, person)
    each = rows.group_by(holder=rows[person]).agg(
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
    each = extract.kept(titles.group_by("title").agg(**merged(titles)), "words")
    named = {("", "trainings"): int(each.count().to_pyarrow().as_py())}
    return pd.Series(named | holders(each, among))


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
        """Each title and year, with its amounts, how many actions have a length, and the words of
        the groups of its actions."""
        marks = marked(self.rows, self._of_rows)
        rows = known(marks, self.spec.title)
        each = rows.group_by([rows[self.spec.title].name("title"), YEAR]).agg(
            **amounts(rows, self.spec), lengths=rows[self.spec.hours].count(), **merged(rows)
        )
        return self.extract.kept(each, "titles")

    @cached_property
    def classes(self) -> ir.Table:
        """Each title once, with its classes and their words."""
        each = self.extract.kept(self.titles.select("title").distinct(), "each")
        told = self.extract.kept(classified(each, self.rules), "told")
        return self.extract.kept(marked(told, self._of_classes), "classes")

    # --- Words of each group, by column of the rows

    @cached_property
    def _places(self) -> Places:
        return places(self.groups)

    def _dimension(self, keys: Mapping[Any, Sequence[tuple[str, str]]]) -> ir.Table:
        words = dimension(self._places, keys)
        # Other engines take a table of this machine along with the expression that reads it.
        return self.extract.kept(words, "words") if self.extract.embedded else words

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
        for name in self.spec.by:
            found[name] = by_year(self.rows, amounts(self.rows, self.spec), self.rows[name])
        if self.spec.provider and self.leading:
            each = self._providers
            named = ibis.ifelse(each[LEADING].isin(self.leading), each[LEADING], OTHERS)
            found[LEADING] = by_year(each, added(each), named)
        if self.spec.ai:
            told = self.titles.join(self.classes, "title")
            for name in VALUES:
                found[name] = by_year(told, added(told), told[name])
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
        about = self.classes.filter(self.classes["ai"] == "ai").select("title", LEVEL)
        rows = self.rows.join(about, self.rows[self.spec.title] == about["title"])
        return paths(rows, str(self.spec.person), self.spec.date)

    @cached_property
    def trainings(self) -> pd.Series:
        found = trainings(self.extract, self.titles, self._places)
        if self.spec.ai:
            told = trainings(self.extract, self.classes, self._places)
            found = pd.concat([found, told[[key for key in told.index if key[0] in VALUES]]])
        return found[~found.index.duplicated(keep="last")]

    @cached_property
    def _marks(self) -> ir.Table:
        """Titles about AI with their actions, and in `r0`, `r1`… whether each rule matches."""
        told = self._told.filter(self._told["ai"] == "ai")
        letters = spaced(told["title"])
        hits = {f"r{at}": hit(rule, letters) for at, rule in enumerate(self.rules)}
        return self.extract.kept(told.select("title", "actions", LEVEL, **hits), "marks")

    @cached_property
    def _told(self) -> ir.Table:
        """Titles with their class and their actions in all."""
        each = self.titles.group_by("title").agg(actions=self.titles["actions"].sum())
        return self.classes.select("title", "ai", LEVEL).join(each, "title")

    @cached_property
    def by_rule(self) -> pd.DataFrame:
        """What each rule matches, in their order (columns: rule, pattern, kind, classes, trainings,
        actions)."""
        marks, rows = self._marks, []
        counts = {f"t{at}": marks.count(where=marks[f"r{at}"]) for at in range(len(self.rules))}
        counts |= {
            f"a{at}": marks["actions"].sum(where=marks[f"r{at}"]) for at in range(len(self.rules))
        }
        found = fetched(marks.agg(**counts)).fillna(0).iloc[0]
        for at, rule in enumerate(self.rules):
            named = (rule.name, rule.pattern, rule.kind, " ".join(rule.classes))
            rows.append((*named, int(found[f"t{at}"]), int(found[f"a{at}"])))
        columns = ["rule", "pattern", "kind", "classes", "trainings", "actions"]
        return pd.DataFrame(rows, columns=columns)

    def examples(self, least: int) -> pd.DataFrame:
        """Rules with titles they match, those of most actions; then frequent titles that are not
        about AI by any rule (`rule` is empty). Nothing of fewer than `least` actions is told.

        Columns: those of `by_rule`, level, title.
        """
        order = [ibis.desc("actions"), "title"]
        marks, told = self._marks, self._told
        frequent = fetched(marks.filter(marks["actions"] >= least).order_by(order).limit(TOLD))
        tables = []
        for at, row in self.by_rule.iterrows():
            if row["actions"] < least:
                continue
            shown = frequent[frequent[f"r{at}"]].head(EXAMPLES)[["title", LEVEL]]
            shown = shown if len(shown) else pd.DataFrame({"title": [""], LEVEL: [""]})
            tables.append(shown.assign(**row))
        others = told.filter((told["ai"] == "not_ai") & (told["actions"] >= least))
        none = fetched(others.order_by(order).limit(UNMATCHED))[["title", "actions"]]
        tables.append(
            none.assign(rule="", pattern="", kind="", classes="", trainings=1, **{LEVEL: ""})
        )
        found = pd.concat(tables, ignore_index=True).rename(columns={LEVEL: "level"})
        return found[[*self.by_rule.columns, "level", "title"]]

    @cached_property
    def matched(self) -> pd.DataFrame:
        """Titles that each pattern of the class `ai` matches (columns: rule, trainings)."""
        telling = self.by_rule[[("ai" in names.split()) for names in self.by_rule["classes"]]]
        matched = telling.groupby("pattern", as_index=False)["trainings"].max()
        matched = matched[matched["trainings"] > 0].rename(columns={"pattern": "rule"})
        return matched.sort_values(["trainings", "rule"], ascending=[False, True])
