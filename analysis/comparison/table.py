"""The comparison as two tidy tables: one row a question, and one row a cell.

The first study is the reference: every other one is held against it, question by question. The
shape of the tables does not depend on how many studies there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from analysis.comparison.asked import KINDS, Asked, Table, asked
from analysis.comparison.declared import Declared
from analysis.comparison.reasons import Match, Setting, match, setting
from analysis.release.evidence import ILLUSTRATIVE, OBSERVED, PUBLISHED
from analysis.release.verdict import FRAGILE, OK, SUPPRESSED
from analysis.stats.families import holm
from analysis.stats.two_shares import NUMBERS, compared
from analysis.study import Study

YES, NO = "yes", "no"
REFERENCE, OTHER = "reference", "other"
PAIR = ["reference", "other", "source", "question"]
QUESTIONS = [
    *PAIR, "variable_reference", "variable_other", "population_reference", "population_other",
    "base_kind", "comparable", "reason", "warning", "accepted", "common", "only_reference",
    "only_other", "reworded", "waves",
]  # fmt: skip
SIDE = ["population", "base_n", "count", "share", "share_low", "share_high", "method", "verdict",
        "reason", "evidence"]  # fmt: skip
CELLS = [
    *PAIR, "variable_reference", "variable_other", "category", "base_kind",
    *(f"{name}_{side}" for side in (REFERENCE, OTHER) for name in SIDE),
    "difference", "difference_low", "difference_high", "test", "p_value", "p_adjusted", "verdict",
    "evidence", "comparable", "reason", "warning", "accepted",
]  # fmt: skip
# Columns of text; an empty one is empty text.
TEXT = [
    name
    for name in CELLS
    if not any(
        name.startswith(start) for start in ("base_n_", "count_", "share_", "difference", "p_")
    )
]
# From the strongest evidence to the weakest, and from the soundest estimate to the one held back.
EVIDENCE = [OBSERVED, PUBLISHED, ILLUSTRATIVE]
VERDICTS = [OK, FRAGILE, SUPPRESSED]


@dataclass(frozen=True)
class Released:
    """A study and its released estimates, each with what precision.csv says of it."""

    study: Study
    estimates: pd.DataFrame

    @property
    def name(self) -> str:
        return self.study.name


def comparison(
    studies: Sequence[Released], declared: Declared, langs: Sequence[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every question of every other study held against the first: questions, then cells.

    langs: the languages in which wordings are compared. P values are corrected by Holm for all the
    cells that are compared, of all the studies.
    """
    every = [asked(one.study, one.estimates, declared, langs) for one in studies]
    first = studies[0]
    matches, cells = [], []
    for one, questions in zip(studies[1:], every[1:], strict=True):
        how = setting(first.study.definition, one.study.definition, declared.months_apart)
        pair = _Pair(first, one, how)
        for key in dict.fromkeys([*every[0], *questions]):
            found = pair.row(every[0].get(key), questions.get(key), declared)
            matches.append(found)
            cells.append(pair.cells(every[0].get(key), questions.get(key), found))
    table = pd.concat(cells, ignore_index=True) if cells else pd.DataFrame(columns=CELLS)
    table["p_adjusted"] = holm(table["p_value"].astype(float))
    rows = pd.DataFrame([vars(found) for found in matches])
    return _with_hidden(rows, table)[QUESTIONS], table[CELLS]


@dataclass(frozen=True)
class _Row:
    """A row of the table of questions, and the tables that its cells come from."""

    reference: str
    other: str
    source: str
    question: str
    variable_reference: str
    variable_other: str
    population_reference: str
    population_other: str
    base_kind: str
    comparable: str
    reason: str
    warning: str
    accepted: str
    common: str
    only_reference: str
    only_other: str
    reworded: str
    waves: str
    matched: Match | None = None


@dataclass(frozen=True)
class _Pair:
    """The reference and another study."""

    first: Released
    second: Released
    how: Setting

    def row(self, one: Asked | None, other: Asked | None, declared: Declared) -> _Row:
        there = one or other
        assert there is not None
        if one is None or other is None:
            found = Match(None, None, ("not_asked",), (), (), (), (), (), ())
        else:
            found = match(one, other, self.how, declared.accepted(there.name))
            sides = ((self.first, one, found.first), (self.second, other, found.second))
            if not found.reasons and any(_counted(*side) for side in sides):
                found = replace(found, reasons=("complete_count",))
        return _Row(
            self.first.name, self.second.name, there.source, there.name,
            one.own if one else "", other.own if other else "",
            found.first.population if found.first else "",
            found.second.population if found.second else "",
            found.first.kind if found.first else "",
            NO if found.reasons else YES, ";".join(found.reasons), ";".join(found.warnings),
            ";".join(found.accepted), ";".join(found.common), ";".join(found.only_first),
            ";".join(found.only_second), ";".join(found.reworded),
            YES if self.how.waves else NO, found,
        )  # fmt: skip

    def cells(self, one: Asked | None, other: Asked | None, row: _Row) -> pd.DataFrame:
        """Rows of the cells of one question; of one that is not compared, a row without numbers."""
        named = {name: getattr(row, name) for name in CELLS if hasattr(row, name)}
        found = row.matched
        if row.comparable == NO or one is None or other is None or found is None:
            if row.reason == "not_asked":
                return pd.DataFrame(columns=CELLS)
            return _filled(pd.DataFrame([named]))
        both = [
            _rows(study, question, table)
            for study, question, table in (
                (self.first, one, found.first), (self.second, other, found.second))
        ]  # fmt: skip
        kept = [
            name for name in _categories(one, other)
            if all(name in rows.index for rows in both)
        ]  # fmt: skip
        sides = [rows.loc[kept] for rows in both]
        return _filled(_compared(*sides).assign(**named))


def _rows(released: Released, question: Asked, table: Table | None) -> pd.DataFrame:
    """Estimates of a table by the shared names of its answers."""
    assert table is not None
    rows = released.estimates
    rows = rows[
        (rows["variable"] == question.variable)
        & (rows["population"] == table.population)
        & (rows["by"] == "")
        & (rows["base_kind"] == table.kind)
    ]
    return rows.set_index(rows["category"].map(question.category))


def _counted(released: Released, question: Asked, table: Table | None) -> bool:
    """Whether a table is a complete count: no sample, so no interval."""
    return bool(_rows(released, question, table)["method"].eq("count").all()) or (
        table is not None and table.kind not in KINDS
    )


def _categories(one: Asked, other: Asked) -> list[str]:
    """What is compared: the answers both studies have, then what both read together alike."""
    answers = [name for name in one.answers if name in other.answers]
    return answers + [name for name, members in one.sets.items() if other.sets.get(name) == members]


def _compared(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Cells of two tables of the same answers, in the same order."""
    found = compared(first[NUMBERS], second[NUMBERS])
    sides = {
        f"{name}_{side}": rows[name].to_numpy()
        for side, rows in ((REFERENCE, first), (OTHER, second))
        for name in SIDE
    }
    return pd.DataFrame(
        {
            "category": first.index.to_numpy(),
            **sides,
            "difference": found["difference"].to_numpy(),
            "difference_low": found["low"].to_numpy(),
            "difference_high": found["high"].to_numpy(),
            "test": found["test"].to_numpy(),
            "p_value": found["p_value"].to_numpy(),
            "verdict": _worst(first["verdict"], second["verdict"], VERDICTS),
            "evidence": _worst(first["evidence"], second["evidence"], EVIDENCE),
        }
    )


def _worst(one: pd.Series, other: pd.Series, order: list[str]) -> list[str]:
    """The weaker of two words, row by row."""
    return [max(pair, key=order.index) for pair in zip(one, other, strict=True)]


def _filled(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with every column: missing text is empty, missing numbers are missing."""
    rows = rows.reindex(columns=CELLS)
    numbers = {name: rows[name].astype(float) for name in CELLS if name not in TEXT}
    texts = {name: rows[name].astype(object).fillna("").astype(str) for name in TEXT}
    return pd.DataFrame(numbers | texts)[CELLS]


def _with_hidden(rows: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Questions with every cell held back are not compared: nothing of them is there to see."""
    shown = cells[cells["difference"].notna()].set_index(PAIR).index
    hidden = (rows["comparable"] == YES) & ~pd.MultiIndex.from_frame(rows[PAIR]).isin(shown)
    rows = rows.assign(
        comparable=rows["comparable"].mask(hidden, NO), reason=rows["reason"].mask(hidden, "hidden")
    )
    gone = pd.MultiIndex.from_frame(cells[PAIR]).isin(rows.loc[hidden].set_index(PAIR).index)
    cells["comparable"] = cells["comparable"].mask(gone, NO)
    cells["reason"] = cells["reason"].mask(gone, "hidden")
    return rows
