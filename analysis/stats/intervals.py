"""Confidence intervals for shares, differences of shares and means."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri, stdtrit

Floats = NDArray[np.float64]


def wilson(count: ArrayLike, base: ArrayLike, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Wilson score interval of a share.

    count, base: numbers of any one shape, 0 <= count <= base. Returns (low, high), between 0
    and 1, sound at count 0 and count = base; NaN where the base is 0.
    Source: Wilson (1927), JASA 22; recommended by Brown, Cai and DasGupta (2001).
    """
    x, n = np.asarray(count, dtype=float), np.asarray(base, dtype=float)
    z = ndtri(0.5 + confidence / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = x / n
        centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    # At the ends the bound is the end itself, which rounding would miss by 1e-17.
    low = np.where(x == 0, np.where(n > 0, 0.0, np.nan), centre - half)
    high = np.where((x == n) & (n > 0), 1.0, centre + half)
    return np.where(n > 0, low, np.nan), np.where(n > 0, high, np.nan)


def newcombe(
    count: tuple[int, int], base: tuple[int, int], confidence: float = 0.95
) -> tuple[float, float]:
    """Interval of the difference of two independent shares, second minus first.

    Source: Newcombe (1998), Statistics in Medicine 17, method 10.
    """
    low, high = wilson(count, base, confidence)
    first, second = count[0] / base[0], count[1] / base[1]
    difference = second - first
    below = np.hypot(second - low[1], high[0] - first)
    above = np.hypot(high[1] - second, first - low[0])
    return float(difference - below), float(difference + above)


def mean_interval(values: ArrayLike, confidence: float = 0.95) -> tuple[float, float, float]:
    """Mean and its Student interval. values: one-dimensional, NaN left out; NaN bounds under 2."""
    x = np.asarray(values, dtype=float)
    x = x[~np.isnan(x)]
    if x.size == 0:
        return np.nan, np.nan, np.nan
    if x.size == 1:
        return float(x[0]), np.nan, np.nan
    half = stdtrit(x.size - 1, 0.5 + confidence / 2) * x.std(ddof=1) / np.sqrt(x.size)
    return float(x.mean()), float(x.mean() - half), float(x.mean() + half)
