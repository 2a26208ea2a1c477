"""Shares with their bases and intervals: frame in, frame out, no labels, no study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from analysis.stats.design import Estimated, Sample
from analysis.stats.intervals import Floats, goodman, korn_graubard, wilson

NUMBERS = ["base_kind", "base_n", "count", "share", "share_low", "share_high", "method"]
PRECISION = ["standard_error", "effective_n", "df", "joint_low", "joint_high"]
COLUMNS = ["category", *NUMBERS, *PRECISION]
Sets = Mapping[str, Sequence[str]]
Columns = dict[str, Any]
NAN = float("nan")
# Contributions to a total that disclosure control looks at.
LARGEST = 10


@dataclass(frozen=True)
class Shares:
    """How shares are estimated.

    sample: whether those who answered stand for more than themselves; a complete count has no
    sampling interval. base_kind: what is counted, by the name the results carry. design: what each
    person stands for, None for a simple sample. Counts and bases are always of people as they
    answered; shares are weighted.
    """

    base_kind: str = "respondents"
    confidence: float = 0.95
    sample: bool = True
    design: Sample | None = None

    def single(self, answers: pd.Series, sets: Sets | None = None) -> pd.DataFrame:
        """Shares of a single-answer question.

        answers: categorical; missing answers are not in the base. sets: named groups of answers
        that are also counted, as further rows. Returns one row a category (columns COLUMNS); its
        answers, not its sets, also carry simultaneous intervals, `joint_low` to `joint_high`, for
        who reads them together.
        """
        categories, sets = list(answers.cat.categories), sets or {}
        codes = answers.cat.codes.to_numpy()
        counts = np.bincount(codes[codes >= 0], minlength=len(categories))
        return self._single(categories, counts, sets, answers)

    def counted(self, counts: Mapping[str, int], sets: Sets | None = None) -> pd.DataFrame:
        """The same from how many gave each answer, where the rows were counted elsewhere.

        counts: in the order of the answers, zeros included. Of a simple sample or a complete count.
        """
        numbers = np.array(list(counts.values()), dtype=np.int64)
        return self._single(list(counts), numbers, sets or {}, None)

    def _single(
        self, categories: list, counts: Any, sets: Sets, answers: pd.Series | None
    ) -> pd.DataFrame:
        selection = _selection(categories, sets)
        estimated = None
        if self.sample and self.design is not None and answers is not None:
            estimated = self.design.table(answers, selection)
        names, totals = [*categories, *sets], counts @ selection
        columns = self._columns(names, totals, int(counts.sum()), estimated)
        joint = _joint(columns, len(categories), self.confidence) if self.sample else {}
        return _frame(columns | joint)

    def several(self, chosen: pd.DataFrame, sets: Sets | None = None) -> pd.DataFrame:
        """Shares of respondents who gave each answer of a several-answer question.

        chosen: one boolean column an answer, all missing where the question was not answered.
        A set counts the people who gave at least one of its answers.
        """
        given = chosen[chosen.notna().any(axis=1)].fillna(False).astype(bool)
        unions = {name: given[list(members)].any(axis=1) for name, members in (sets or {}).items()}
        given = given.assign(**unions)
        estimated = None
        if self.sample and self.design is not None:
            estimated = self.design.shares(given)
        totals = given.to_numpy().sum(axis=0)
        columns = self._columns(list(given), totals, len(given), estimated)
        return _frame(columns)

    def mentions(self, chosen: pd.DataFrame) -> pd.DataFrame:
        """Shares of all answers given. No interval: mentions of one person go together."""
        given = chosen.fillna(False).astype(bool)
        counts = given.to_numpy().sum(axis=0)
        how = replace(self, base_kind="mentions", sample=False)
        columns = how._columns(list(given), counts, int(counts.sum()), None)
        if self.design is not None and len(given):
            weighted = self.design.weigh(given.index) @ given.to_numpy(dtype=float)
            columns["share"] = weighted / (weighted.sum() or NAN)
        return _frame(columns)

    def _columns(
        self, categories: list, counts: Floats, base: int, estimated: Estimated | None
    ) -> Columns:
        """Columns of one table; those of PRECISION where there is a sample."""
        columns = {
            "category": [str(name) for name in categories],
            "count": np.asarray(counts).astype(int),
            "base_kind": self.base_kind,
            "base_n": base,
            "share": counts / base if base else np.full(len(categories), NAN),
            "method": "count",
        } | dict.fromkeys(["share_low", "share_high", *PRECISION], NAN)
        if estimated is not None:
            return columns | _designed(estimated, self.confidence)
        return columns | (_simple(counts, base, self.confidence) if self.sample else {})


def _frame(columns: Columns) -> pd.DataFrame:
    return pd.DataFrame({name: columns[name] for name in COLUMNS})


def _simple(counts: Floats, base: int, confidence: float) -> Columns:
    """Uncertainty of shares of a simple sample."""
    share = counts / base if base else np.full(len(counts), NAN)
    low, high = wilson(counts, base, confidence)
    return {
        "share_low": low,
        "share_high": high,
        "method": "wilson",
        "standard_error": np.sqrt(share * (1 - share) / (base or NAN)),
        "effective_n": np.full(len(counts), float(base)),
    }


def _designed(estimated: Estimated, confidence: float) -> Columns:
    """Shares and their uncertainty under a survey design."""
    share, variance = np.clip(estimated.value, 0, 1), np.clip(estimated.variance, 0, None)
    low, high = korn_graubard(
        share, variance, estimated.n, estimated.df, estimated.effective, confidence
    )
    spread = share * (1 - share)
    varies = (variance > 1e-15) & (spread > 1e-15)
    effective = np.full(len(share), estimated.effective)
    effective[varies] = spread[varies] / variance[varies]
    return {
        "share": share,
        "share_low": low,
        "share_high": high,
        "method": "korn_graubard",
        "standard_error": np.sqrt(variance),
        "effective_n": effective,
        "df": estimated.df,
    }


def _joint(columns: Columns, answers: int, confidence: float) -> Columns:
    """Simultaneous intervals of the answers, which stand in the first rows."""
    share, effective = (columns[name][:answers] for name in ("share", "effective_n"))
    bounds = goodman(share * effective, effective, confidence)
    rest = np.full(len(columns["share"]) - answers, NAN)
    low, high = (np.append(bound, rest) for bound in bounds)
    return {"joint_low": low, "joint_high": high}


def _selection(categories: list, sets: Sets) -> Floats:
    """Which categories each row adds up: themselves, then the sets."""
    columns = [np.isin(categories, list(members)) for members in sets.values()]
    return np.column_stack([np.eye(len(categories)), *columns]).astype(float)


def total(category: str, count: float, base: float, base_kind: str) -> pd.DataFrame:
    """One row that counts something, without a sampling interval."""
    return totals({category: count}, base, base_kind)


def totals(counts: Mapping[str, float], base: float, base_kind: str) -> pd.DataFrame:
    """Rows that count something, without a sampling interval."""
    numbers = list(counts.values())
    rows: Columns = dict.fromkeys(COLUMNS, NAN) | {
        "category": list(counts),
        "base_kind": base_kind,
        "base_n": base,
        "count": numbers,
        "share": [count / base if base else NAN for count in numbers],
        "method": "count",
    }
    return pd.DataFrame(rows, index=range(len(counts)))


def mean_row(
    category: str,
    count: float,
    base: int,
    base_kind: str,
    contributions: Sequence[float] | None = None,
) -> pd.DataFrame:
    """One row for a mean: `count` is the total, so that the mean is count / base_n.

    contributions: what each person or company adds to the total, or at least the largest. The gate
    reads the largest few in the column `largest`, and drops it.
    """
    row = total(category, count, base, base_kind).assign(share=NAN, method="mean")
    if contributions is None:
        return row
    largest = tuple(sorted((float(each) for each in contributions), reverse=True)[:LARGEST])
    return row.assign(largest=pd.Series([largest], index=row.index, dtype=object))
