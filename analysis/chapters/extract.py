"""Rows of an extract of training actions, counted where they are.

Every question is an Ibis expression, and only its answer comes back, as a tidy frame: some numbers
a table, whatever the rows. A clean table that is already a frame is worked on in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from time import monotonic
from typing import TYPE_CHECKING, Any

import ibis
import pandas as pd
from ibis.expr import types as ir

from analysis import compiled, expression
from analysis.study import Study

if TYPE_CHECKING:
    from analysis.chapters.volumes import Volumes

# Seconds after which it is told how fast a table was made.
SLOW = 0.2
# Amounts are added as decimals, so that the order of rows changes no digit of a sum.
AMOUNT = "decimal(18, 6)"


@ibis.udf.scalar.builtin(name="hash")
def _hash(value: str) -> int:  # type: ignore[empty-body]
    """DuckDB's own, without the casts that Ibis puts around it."""


@dataclass(frozen=True)
class Extract:
    """An extract of a study. rows: its clean table, as a frame or as an Ibis table. say: told what
    is being worked out, and how fast."""

    study: Study
    source: str
    rows: Any
    say: Callable[[str], None] = lambda _: None

    @cached_property
    def table(self) -> ir.Table:
        if isinstance(self.rows, ir.Table):
            return self.rows
        plain = self.rows.assign(
            **{
                name: self.rows[name].astype("string")
                for name in self.rows.select_dtypes("category")
            }
        )
        con = ibis.duckdb.connect()
        return con.create_table("rows", ibis.memtable(plain))

    @cached_property
    def volumes(self) -> Volumes | None:
        """What the actions add up to; None where study.yml names neither people, nor providers,
        nor costs, nor asks for the classes of titles."""
        from analysis.chapters.volumes import Volumes  # noqa: PLC0415 - it builds on this module

        spec = self.study.roles.consumption
        asked = spec is not None and bool(spec.person or spec.provider or spec.cost or spec.ai)
        return Volumes(self, spec) if spec is not None and asked else None

    def inside(self, population: str) -> ir.BooleanValue | None:
        """The condition of a population; None for everyone."""
        node = expression.parse(self.where(population))
        return None if compiled.always(node) else compiled.condition(node, self.table)

    def population(self, name: str) -> ir.Table:
        inside = self.inside(name)
        return self.table if inside is None else self.table.filter(inside)

    def kept(self, expression: ir.Table, what: str = "") -> ir.Table:
        """An intermediate table, worked out once and kept in the engine while it runs. what: told
        to who waits, unless it takes no time."""
        if not what:
            return self._made(expression)
        self.say(f"estimating: {what}")
        started = monotonic()
        made = self._made(expression)
        elapsed = monotonic() - started
        if elapsed > SLOW:
            rate = self._size / elapsed
            self.say(f"estimated: {what}, {self._size:,} actions ({rate:,.0f} a second)")
        return made

    @cached_property
    def _size(self) -> int:
        return int(self.table.count().to_pyarrow().as_py())

    def _made(self, expression: ir.Table) -> ir.Table:
        con = self.table.get_backend()
        if con.name == "pyspark":  # it has no temporary tables
            # `cache` does not take tables of this machine along, as fetching an answer does.
            con._run_pre_execute_hooks(expression)
            return expression.cache()
        return con.create_table(ibis.util.gen_name("kept"), expression, temp=True)

    @cached_property
    def embedded(self) -> bool:
        return bool(self.table.get_backend().name == "duckdb")

    def key(self, column: ir.StringValue) -> ir.Value:
        """What tells holders of a name apart: in DuckDB a hash of 64 bits, which takes half the
        memory and time (of 20 million names, two have the same once in 90,000 extracts)."""
        return _hash(column) if self.embedded else column

    def titles(self, population: str, title: str, hours: str) -> ir.Table:
        """Each title of a population once, with its hours and how many actions have a length."""
        where = self.where(population)
        if where not in self._titles:
            rows = known(self.population(population), title)
            made = rows.select(
                title=title, hours=amount(rows[hours]), lengths=rows[hours].notnull().cast("int64")
            )
            volumes = self.volumes
            if volumes is not None and where == self.where(volumes.spec.actions):
                made = volumes.titles
            each = made.group_by("title").agg(
                hours=made["hours"].sum(), lengths=made["lengths"].sum()
            )
            self._titles[where] = self.kept(each, "titles")
        return self._titles[where]

    @cached_property
    def _titles(self) -> dict[str, ir.Table]:
        """Titles already looked at, by the condition of their population."""
        return {}

    def where(self, population: str) -> str:
        return self.study.definition.populations[population].where

    def answers(self, column: str) -> list[str]:
        """Answers of a column, in their order."""
        return list(self.study.definition.sources.present()[self.source].columns[column].answers)


def fetched(expression: ir.Table) -> pd.DataFrame:
    """An answer as a frame; it is small, whatever it was made of."""
    found = expression.to_pyarrow()
    decimals = [field.name for field in found.schema if str(field.type).startswith("decimal")]
    frame = found.to_pandas()
    return frame.astype(dict.fromkeys(decimals, float))


def counted(table: ir.Table, column: ir.Value | str, answers: Sequence[str]) -> dict[str, int]:
    """How many rows give each answer, in the order of `answers`; others are left out."""
    value = table[column] if isinstance(column, str) else column
    found = fetched(table.group_by(answer=value).agg(times=lambda rows: rows.count()))
    times = dict(zip(found["answer"], found["times"], strict=True))
    return {answer: int(times.get(answer, 0)) for answer in answers}


def known(table: ir.Table, name: str) -> ir.Table:
    """Rows with something in a column."""
    return table.filter(table[name].notnull() & (table[name] != ""))


def amount(column: ir.Value) -> ir.DecimalValue:
    return column.cast(AMOUNT)
