"""Shares with their bases and intervals: frame in, frame out, no labels, no study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.stats.intervals import wilson

COLUMNS = ["category", "base_kind", "base_n", "count", "share", "share_low", "share_high", "method"]
Sets = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Shares:
    """How shares are estimated.

    sample: whether those who answered stand for more than themselves; a complete count has no
    sampling interval. base_kind: what is counted, by the name the results carry.
    """

    base_kind: str = "respondents"
    confidence: float = 0.95
    sample: bool = True

    def single(self, answers: pd.Series, sets: Sets | None = None) -> pd.DataFrame:
        """Shares of a single-answer question.

        answers: categorical; missing answers are not in the base. sets: named groups of answers
        that are also counted, as further rows. Returns one row a category (columns COLUMNS).
        """
        counts = answers.value_counts(sort=False).reindex(answers.cat.categories, fill_value=0)
        for name, members in (sets or {}).items():
            counts[name] = counts[list(members)].sum()
        return self._frame(counts, int(answers.notna().sum()))

    def several(self, chosen: pd.DataFrame, sets: Sets | None = None) -> pd.DataFrame:
        """Shares of respondents who gave each answer of a several-answer question.

        chosen: one boolean column an answer, all missing where the question was not answered.
        A set counts the people who gave at least one of its answers.
        """
        answered = chosen[chosen.notna().any(axis=1)].fillna(False).astype(bool)
        counts = answered.sum()
        for name, members in (sets or {}).items():
            counts[name] = answered[list(members)].any(axis=1).sum()
        return self._frame(counts, len(answered))

    def mentions(self, chosen: pd.DataFrame) -> pd.DataFrame:
        """Shares of all answers given. No interval: mentions of one person go together."""
        counts = chosen.fillna(False).astype(bool).sum()
        return Shares("mentions", sample=False)._frame(counts, int(counts.sum()))

    def _frame(self, counts: pd.Series, base: int) -> pd.DataFrame:
        frame = pd.DataFrame({"category": counts.index.astype(str), "count": counts.to_numpy()})
        frame["base_kind"], frame["base_n"] = self.base_kind, base
        frame["share"] = frame["count"] / base if base else float("nan")
        frame["share_low"] = frame["share_high"] = float("nan")
        if self.sample:
            frame["share_low"], frame["share_high"] = wilson(
                frame["count"], frame["base_n"], self.confidence
            )
        frame["method"] = "wilson" if self.sample else "count"
        return frame[COLUMNS]


def total(category: str, count: float, base: int, base_kind: str) -> pd.DataFrame:
    """One row that counts something, without a sampling interval."""
    row = {
        "category": category,
        "base_kind": base_kind,
        "base_n": base,
        "count": count,
        "share": count / base if base else float("nan"),
        "share_low": float("nan"),
        "share_high": float("nan"),
        "method": "count",
    }
    return pd.DataFrame([row])[COLUMNS]


def mean_row(category: str, count: float, base: int, base_kind: str) -> pd.DataFrame:
    """One row for a mean: `count` is the total, so that the mean is count / base_n."""
    return total(category, count, base, base_kind).assign(share=float("nan"), method="mean")
