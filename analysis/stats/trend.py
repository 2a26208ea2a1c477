"""Tests of trend on ordered bands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

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

    successes, bases: one number a band, lowest band first; scores: default 1, 2, 3… A band with
    no one is left out, its score kept. The effect is the share in the last band minus that in the
    first, with Newcombe's interval. NaN where shares or bands do not vary, or nobody is there.
    Source: Armitage (1955), Biometrics 11; Agresti, Categorical Data Analysis, 3rd ed., 5.3.5.
    """
    x, n = np.asarray(successes, dtype=float), np.asarray(bases, dtype=float)
    w = np.arange(1, x.size + 1, dtype=float) if scores is None else np.asarray(scores, float)
    x, w, n = x[n > 0], w[n > 0], n[n > 0]
    if not x.size:
        nan = float("nan")
        return Outcome("cochran_armitage", nan, 1, nan, "share_difference", nan, nan, nan, 0)
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
        float(low),
        float(high),
        int(total),
    )


def linear_by_linear(
    table: ArrayLike, rows: ArrayLike | None = None, columns: ArrayLike | None = None
) -> Outcome:
    """Linear-by-linear association of two ordered variables (two-sided, asymptotic).

    table: counts, rows by columns, both in order; scores default 1, 2, 3… The statistic is
    Z = r sqrt(n - 1); the effect is r, with Fisher's interval. NaN where either does not vary.
    Source: Mantel (1963); Agresti (2013), 3.4.1; the same as `lbl_test` of R package coin.
    """
    counts = np.asarray(table, dtype=float)
    u = np.arange(1, counts.shape[0] + 1.0) if rows is None else np.asarray(rows, dtype=float)
    v = np.arange(1, counts.shape[1] + 1.0) if columns is None else np.asarray(columns, float)
    n = counts.sum()
    du = u - (counts.sum(axis=1) * u).sum() / max(n, 1)
    dv = v - (counts.sum(axis=0) * v).sum() / max(n, 1)
    spread = np.sqrt((counts.sum(axis=1) * du**2).sum() * (counts.sum(axis=0) * dv**2).sum())
    r = float((counts * np.outer(du, dv)).sum() / spread) if spread > 0 else float("nan")
    r = float(np.clip(r, -1, 1))
    z = r * np.sqrt(max(n - 1, 0))
    low, high = correlation_interval(r, n)
    return Outcome(
        "linear_by_linear",
        float(z),
        1,
        float(2 * ndtr(-abs(z))),
        "correlation",
        r,
        low,
        high,
        int(n),
    )


def correlation_interval(r: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """Fisher's interval of a correlation of n people, between -1 and 1.

    At -1 and 1, where Fisher's has no width, the inner bound is that of n people and one more
    spread as under independence: r n / (n + 1). No information under four people.
    Source: Fisher (1921); as `cor.test` of R, but at the ends.
    """
    if np.isnan(r):
        return float("nan"), float("nan")
    if n <= 3:
        return -1.0, 1.0
    inner = r if abs(r) < 1 - 1e-12 else r * n / (n + 1)
    half = ndtri(0.5 + confidence / 2) / np.sqrt(n - 3)
    low, high = np.tanh(np.arctanh(inner) + np.array([-half, half]))
    return float(min(low, r)), float(max(high, r))
