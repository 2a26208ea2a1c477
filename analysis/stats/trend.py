"""Tests of trend on ordered bands, and of association in small tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import chdtrc, ndtr, ndtri

from analysis.stats.intervals import newcombe


@dataclass(frozen=True)
class Outcome:
    """A test with its effect: what results carry of it."""

    test: str
    statistic: float
    df: float
    p_value: float
    effect: str
    effect_size: float
    effect_low: float
    effect_high: float
    n: int


def cochran_armitage(
    successes: ArrayLike, bases: ArrayLike, scores: ArrayLike | None = None
) -> Outcome:
    """Test of a linear trend of shares over ordered bands (two-sided, asymptotic).

    successes, bases: one number a band, lowest band first; scores: default 1, 2, 3…
    The effect is the share in the last band minus that in the first, with Newcombe's interval.
    Source: Armitage (1955), Biometrics 11; Agresti, Categorical Data Analysis, 3rd ed., 5.3.5.
    """
    x, n = np.asarray(successes, dtype=float), np.asarray(bases, dtype=float)
    w = np.arange(1, x.size + 1, dtype=float) if scores is None else np.asarray(scores, float)
    total = n.sum()
    share = x.sum() / total
    centre = (n * w).sum() / total
    variance = share * (1 - share) * (n * (w - centre) ** 2).sum()
    z = float((w * (x - n * share)).sum() / np.sqrt(variance)) if variance > 0 else float("nan")
    ends = (int(x[0]), int(x[-1])), (int(n[0]), int(n[-1]))
    low, high = newcombe(*ends)
    return Outcome(
        "cochran_armitage",
        z,
        1,
        float(2 * ndtr(-abs(z))),
        "share_difference",
        float(x[-1] / n[-1] - x[0] / n[0]),
        low,
        high,
        int(total),
    )


def linear_by_linear(
    table: ArrayLike, rows: ArrayLike | None = None, columns: ArrayLike | None = None
) -> Outcome:
    """Linear-by-linear association of two ordered variables (two-sided, asymptotic).

    table: counts, rows by columns, both in order; scores default 1, 2, 3… The statistic is
    Z = r sqrt(n - 1); the effect is r, with Fisher's interval.
    Source: Mantel (1963); Agresti (2013), 3.4.1; the same as `lbl_test` of R package coin.
    """
    counts = np.asarray(table, dtype=float)
    u = np.arange(1, counts.shape[0] + 1.0) if rows is None else np.asarray(rows, dtype=float)
    v = np.arange(1, counts.shape[1] + 1.0) if columns is None else np.asarray(columns, float)
    n = counts.sum()
    du = u - (counts.sum(axis=1) * u).sum() / n
    dv = v - (counts.sum(axis=0) * v).sum() / n
    spread = np.sqrt((counts.sum(axis=1) * du**2).sum() * (counts.sum(axis=0) * dv**2).sum())
    r = float((counts * np.outer(du, dv)).sum() / spread) if spread > 0 else float("nan")
    z = r * np.sqrt(n - 1)
    half = ndtri(0.975) / np.sqrt(n - 3) if n > 3 else np.inf
    low, high = np.tanh(np.arctanh(np.clip(r, -0.999999, 0.999999)) + np.array([-half, half]))
    return Outcome(
        "linear_by_linear",
        float(z),
        1,
        float(2 * ndtr(-abs(z))),
        "correlation",
        r,
        float(low),
        float(high),
        int(n),
    )


def chi_square(table: ArrayLike) -> Outcome:
    """Pearson's test of independence; the effect is Cramér's V, without an interval.

    table: counts; empty rows and columns are left out. Source: Agresti (2013), 3.2.
    """
    counts = np.asarray(table, dtype=float)
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    n = counts.sum()
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / n
    statistic = float(((counts - expected) ** 2 / expected).sum())
    df = (counts.shape[0] - 1) * (counts.shape[1] - 1)
    smallest = min(counts.shape) - 1
    v = float(np.sqrt(statistic / (n * smallest))) if smallest else float("nan")
    p = float(chdtrc(df, statistic)) if df else float("nan")
    return Outcome("chi_square", statistic, df, p, "cramers_v", v, np.nan, np.nan, int(n))


def holm(p_values: pd.Series) -> pd.Series:
    """P values adjusted for the number of tests read together. Source: Holm (1979)."""
    ordered = p_values.dropna().sort_values()
    m = len(ordered)
    adjusted = (ordered * np.arange(m, 0, -1)).cummax().clip(upper=1)
    return adjusted.reindex(p_values.index)
