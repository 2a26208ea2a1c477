"""Item non-response and drop-out along a questionnaire, and what they change.

A person has left when the last question asked of them has no answer; they left after the last
question they answered. Someone who only skips the end of the questionnaire looks the same, unless
these frames end with a question that everyone answers who reaches it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.stats.intervals import newcombe

Flags = NDArray[np.bool_]
ALONG_COLUMNS = [
    "question", "asked", "answered", "share", "item_non_response", "left_before", "left_here",
    "remaining",
]  # fmt: skip
PARTIAL_COLUMNS = [
    "figure", "kept_n", "kept_share", "complete_n", "complete_share", "partial_n", "partial_share",
    "difference", "difference_low", "difference_high",
]  # fmt: skip


def along(answered: pd.DataFrame, asked: pd.DataFrame) -> pd.DataFrame:
    """Base of each question in the order asked, and why it is not everyone.

    answered, asked: people by questions, boolean, same index and columns; asked is what the routing
    sends a person to, whether they got there or not. An answer to a question not asked does not
    count.
    Returns one row a question (columns ALONG_COLUMNS), in people. Of those asked: answered and
    share; item_non_response, no answer but one further on; left_before, no answer here or further
    on. Of everyone: left_here, for whom it is the first question not reached; remaining, those who
    have not left here or before. asked = answered + item_non_response + left_before. ValueError:
    other questions or people in the two frames.
    """
    given, sent = _flags(answered, asked)
    place = np.arange(given.shape[1])
    last = _last(given)[:, None]
    missing = sent & ~given
    gone = missing & (place > last)
    away = np.logical_or.accumulate(gone, axis=1)
    frame = pd.DataFrame({"question": answered.columns})
    frame["asked"], frame["answered"] = sent.sum(axis=0), given.sum(axis=0)
    frame["share"] = frame["answered"] / frame["asked"].where(frame["asked"] > 0)
    frame["item_non_response"] = (missing & (place < last)).sum(axis=0)
    frame["left_before"] = gone.sum(axis=0)
    frame["left_here"] = np.diff(away.sum(axis=0), prepend=0)
    frame["remaining"] = len(given) - away.sum(axis=0)
    return frame[ALONG_COLUMNS]


def _flags(answered: pd.DataFrame, asked: pd.DataFrame) -> tuple[Flags, Flags]:
    """Answers to questions asked, and questions asked: people by questions."""
    if not (answered.index.equals(asked.index) and answered.columns.equals(asked.columns)):
        raise ValueError("answered and asked are not on the same people and questions")
    sent = asked.to_numpy(dtype=bool)
    return answered.to_numpy(dtype=bool) & sent, sent


def _last(flags: Flags) -> NDArray[np.intp]:
    """Place of the last true column of each row, -1 where there is none."""
    if not flags.shape[1]:
        return np.full(len(flags), -1)
    from_end = flags[:, ::-1].argmax(axis=1)
    return np.where(flags.any(axis=1), flags.shape[1] - 1 - from_end, -1)


def with_and_without(
    figures: pd.DataFrame, complete: pd.Series, confidence: float = 0.95
) -> pd.DataFrame:
    """Figures with partial answers kept, and from complete answers alone.

    figures: people kept, complete and partial, by figures; boolean, missing where the person is not
    in the base of the figure. complete: on the same index, boolean. Returns one row a figure
    (columns PARTIAL_COLUMNS): difference is kept_share - complete_share.
    The two overlap, so they are not compared as independent: the difference equals f (partial_share
    - complete_share), f being the part of partial answers among those kept, and its interval is f
    times Newcombe's for these two distinct groups, f held as it is. Without partial answers it is 0
    exactly; NaN without complete ones. ValueError: the indexes differ.
    """
    if not figures.index.equals(complete.index):
        raise ValueError("the figures and who is complete are not on the same people")
    whole = complete.to_numpy(dtype=bool)
    rows = []
    for name in figures.columns:
        marks = figures[name].astype("boolean")
        base = marks.notna().to_numpy()
        true = marks.fillna(False).to_numpy(dtype=bool) & base
        n = (int((base & whole).sum()), int((base & ~whole).sum()))
        x = (int((true & whole).sum()), int((true & ~whole).sum()))
        part = _share(n[1], sum(n))
        apart = _difference(x, n, confidence) if n[1] or not n[0] else (0.0, 0.0, 0.0)
        rows.append((name, sum(n), _share(sum(x), sum(n)), n[0], _share(x[0], n[0]),
                     n[1], _share(x[1], n[1]), *(part * value for value in apart)))  # fmt: skip
    return pd.DataFrame(rows, columns=PARTIAL_COLUMNS)


def _share(count: float, base: int) -> float:
    return float(count / base) if base else float("nan")


def _difference(
    count: tuple[int, int], base: tuple[int, int], confidence: float
) -> tuple[float, float, float]:
    """Second share less the first, with Newcombe's interval; NaN where a base is empty."""
    low, high = newcombe(count, base, confidence)
    return _share(count[1], base[1]) - _share(count[0], base[0]), float(low), float(high)
