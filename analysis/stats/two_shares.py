"""Two estimates of one share, of independent samples, compared from what was released of each.

Frame in, frame out, and no person behind a row: counts, bases, shares and their precision do.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtr

from analysis.stats.association import fisher
from analysis.stats.intervals import square_and_add

Array = NDArray[np.float64]
# What is read of each estimate. `effective_n` is the base where the sample is a simple one, and
# `df` is then missing.
NUMBERS = ["base_n", "count", "share", "share_low", "share_high", "effective_n", "df"]
COLUMNS = ["difference", "low", "high", "p_value", "test"]
# Cochran's rule for a table of two by two: no expected count under this.
FEWEST = 5.0


def compared(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """How far the second share lies from the first, row by row.

    first, second: columns NUMBERS, as many rows on the same index. Returns, on that index,
    `difference` (second minus first, -1 to 1), `low` and `high` (95 %, from the two intervals:
    see `square_and_add`), `p_value` of no difference and `test`, its name:

    - `score`: the two shares are drawn from one, which is that of both samples together. Pearson's
      chi-square where the samples are simple; under a design the same with effective sizes, and
      Student's distribution with the degrees of freedom of both (Satterthwaite 1946).
    - `fisher`: exact, where the samples are simple and an expected count is under 5.

    NaN and "" where a number of either is missing: what is held back is not compared.
    Source: Agresti (2013), Categorical Data Analysis, 3.2 and 3.5; Rao and Scott (1981), JASA 76,
    for effective sizes.
    """
    pairs = {name: (first[name].to_numpy(float), second[name].to_numpy(float)) for name in NUMBERS}
    low, high = square_and_add(pairs["share"], pairs["share_low"], pairs["share_high"])
    known = np.isfinite(low) & np.isfinite(high)
    p, test = _score(pairs), np.full(len(first), "score", dtype=object)
    few = known & _simple(pairs) & (_expected(pairs) < FEWEST)
    p[few] = [_fisher(*counts) for counts in _counts(pairs, few)]
    test[few] = "fisher"
    difference = pairs["share"][1] - pairs["share"][0]
    return pd.DataFrame(
        {
            "difference": np.where(known, difference, np.nan),
            "low": low,
            "high": high,
            "p_value": np.where(known, p, np.nan),
            "test": np.where(known, test, ""),
        },
        index=first.index,
    )


def _simple(pairs: dict[str, Any]) -> NDArray[np.bool_]:
    """Rows of two simple samples: everyone stands for as many."""
    size, effective, df = (np.array(pairs[name]) for name in ("base_n", "effective_n", "df"))
    return (np.isnan(df) & (np.abs(size - effective) < 1e-6)).all(axis=0)


def _pooled(pairs: dict[str, Any]) -> tuple[Array, Array, Array]:
    """Effective sizes of both, and the share of the two samples together."""
    first, second = pairs["effective_n"]
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (first * pairs["share"][0] + second * pairs["share"][1]) / (first + second)
    return first, second, share


def _score(pairs: dict[str, Any]) -> Array:
    """Two-sided p values; 1 where both shares are 0, or both 1."""
    first, second, share = _pooled(pairs)
    variances = np.array([share * (1 - share) / first, share * (1 - share) / second])
    difference = pairs["share"][1] - pairs["share"][0]
    with np.errstate(invalid="ignore", divide="ignore"):
        z = np.abs(difference) / np.sqrt(variances.sum(axis=0))
    z = np.where(difference == 0, 0.0, z)
    df = _satterthwaite(variances, np.array(pairs["df"]))
    return np.asarray(2 * stdtr(df, -z), dtype=float)


def _satterthwaite(variances: Array, df: Array) -> Array:
    """Degrees of freedom of a sum of variances; that of a simple sample is as good as known."""
    each = np.where(np.isnan(df), np.inf, np.maximum(df, 1.0))
    with np.errstate(invalid="ignore", divide="ignore"):
        found = variances.sum(axis=0) ** 2 / (variances**2 / each).sum(axis=0)
    # No variance at all: there is nothing to be uncertain of.
    return np.where(np.isnan(found), np.inf, found)


def _expected(pairs: dict[str, Any]) -> Array:
    """The smallest count expected in either sample, of those with the answer and those without."""
    first, second, share = _pooled(pairs)
    return np.minimum(first, second) * np.minimum(share, 1 - share)


def _counts(pairs: dict[str, Any], rows: NDArray[np.bool_]) -> list[tuple[Array, Array]]:
    counts, bases = (np.array(pairs[name])[:, rows].T for name in ("count", "base_n"))
    return list(zip(counts, bases, strict=True))


def _fisher(counts: Array, bases: Array) -> float:
    p = fisher(np.column_stack([counts, bases - counts])).p_value
    # Nobody, or everybody, gave the answer: there is one table only.
    return 1.0 if np.isnan(p) else p
