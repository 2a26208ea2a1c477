"""Shares with their bases and intervals: frame in, frame out, no labels, no study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.stats.design import Estimated, Sample
from analysis.stats.intervals import goodman, korn_graubard, wilson

NUMBERS = ["base_kind", "base_n", "count", "share", "share_low", "share_high", "method"]
PRECISION = ["standard_error", "effective_n", "df", "joint_low", "joint_high"]
COLUMNS = ["category", *NUMBERS, *PRECISION]
Sets = Mapping[str, Sequence[str]]
NAN = float("nan")


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
        categories = list(answers.cat.categories)
        counts = answers.value_counts(sort=False).reindex(categories, fill_value=0)
        for name, members in (sets or {}).items():
            counts[name] = counts[list(members)].sum()
        estimated = None
        if self.sample and self.design is not None:
            estimated = self.design.table(answers, _selection(categories, sets or {}))
        frame = self._frame(counts, int(answers.notna().sum()), estimated)
        return _with_joint(frame, len(categories), self.confidence) if self.sample else frame

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
        return self._frame(given.sum(), len(given), estimated)

    def mentions(self, chosen: pd.DataFrame) -> pd.DataFrame:
        """Shares of all answers given. No interval: mentions of one person go together."""
        given = chosen.fillna(False).astype(bool)
        counts = given.sum()
        frame = replace(self, base_kind="mentions", sample=False)._frame(counts, int(counts.sum()))
        if self.design is None or not len(given):
            return frame
        weighted = self.design.weigh(given.index) @ given.to_numpy(dtype=float)
        return frame.assign(share=weighted / weighted.sum() if weighted.sum() else NAN)

    def _frame(
        self, counts: pd.Series, base: int, estimated: Estimated | None = None
    ) -> pd.DataFrame:
        frame = pd.DataFrame({"category": counts.index.astype(str), "count": counts.to_numpy()})
        frame["base_kind"], frame["base_n"] = self.base_kind, base
        frame["share"] = frame["count"] / base if base else NAN
        frame["method"] = "count"
        if estimated is not None:
            frame = _designed(frame, estimated, self.confidence)
        elif self.sample:
            frame = _simple(frame, self.confidence)
        return frame.reindex(columns=COLUMNS)


def _simple(frame: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Uncertainty of shares of a simple sample."""
    share, base = frame["share"], frame["base_n"]
    low, high = wilson(frame["count"], base, confidence)
    return frame.assign(
        share_low=low,
        share_high=high,
        method="wilson",
        standard_error=np.sqrt(share * (1 - share) / base.where(base > 0)),
        effective_n=base.astype(float),
        df=NAN,
    )


def _designed(frame: pd.DataFrame, estimated: Estimated, confidence: float) -> pd.DataFrame:
    """The same under a survey design."""
    share, variance = np.clip(estimated.value, 0, 1), np.clip(estimated.variance, 0, None)
    low, high = korn_graubard(
        share, variance, estimated.n, estimated.df, estimated.effective, confidence
    )
    spread = share * (1 - share)
    varies = (variance > 1e-15) & (spread > 1e-15)
    effective = np.full(len(share), estimated.effective)
    effective[varies] = spread[varies] / variance[varies]
    return frame.assign(
        share=share,
        share_low=low,
        share_high=high,
        method="korn_graubard",
        standard_error=np.sqrt(variance),
        effective_n=effective,
        df=estimated.df,
    )


def _with_joint(frame: pd.DataFrame, answers: int, confidence: float) -> pd.DataFrame:
    """Simultaneous intervals of the answers, which stand in the first rows."""
    effective = frame["effective_n"].iloc[:answers].to_numpy()
    share = frame["share"].iloc[:answers].to_numpy()
    low, high = goodman(share * effective, effective, confidence)
    rest = np.full(len(frame) - answers, NAN)
    return frame.assign(joint_low=np.append(low, rest), joint_high=np.append(high, rest))


def _selection(categories: list[str], sets: Sets) -> np.ndarray:
    """Which categories each row adds up: themselves, then the sets."""
    columns = [np.isin(categories, list(members)) for members in sets.values()]
    return np.column_stack([np.eye(len(categories)), *columns]).astype(float)


def total(category: str, count: float, base: int, base_kind: str) -> pd.DataFrame:
    """One row that counts something, without a sampling interval."""
    row = {
        "category": category,
        "base_kind": base_kind,
        "base_n": base,
        "count": count,
        "share": count / base if base else NAN,
        "method": "count",
    }
    return pd.DataFrame([row]).reindex(columns=COLUMNS)


def mean_row(category: str, count: float, base: int, base_kind: str) -> pd.DataFrame:
    """One row for a mean: `count` is the total, so that the mean is count / base_n."""
    return total(category, count, base, base_kind).assign(share=NAN, method="mean")
