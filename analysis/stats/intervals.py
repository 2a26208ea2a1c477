"""Confidence intervals for shares, distributions, differences of shares and means."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv, ndtri, stdtrit

Floats = NDArray[np.float64]

# A weighted share this near 0 or 1 is 0 or 1 but for rounding.
ROUNDING = 1e-12


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
    low, high = np.where(n > 0, low, np.nan), np.where(n > 0, high, np.nan)
    return np.clip(low, 0, 1), np.clip(high, 0, 1)


def goodman(
    counts: ArrayLike, base: ArrayLike | None = None, confidence: float = 0.95
) -> tuple[Floats, Floats]:
    """Simultaneous intervals of the shares of a multinomial distribution.

    counts: numbers, the categories on the last axis; base: what they are shares of, broadcast
    against counts (their sum over the categories if not given). Returns (low, high) of the shape of
    counts, between 0 and 1; NaN where the base is 0. All shares are inside together at least
    `confidence` of the time, near enough. Under a survey design give effective counts: base the
    effective sample size of each share, counts the share times that.
    Source: Goodman (1965), Technometrics 7, with the chi-square quantile of alpha / categories: the
    Wilson interval at that level.
    """
    x = np.atleast_1d(np.asarray(counts, dtype=float))
    n = x.sum(axis=-1, keepdims=True) if base is None else np.asarray(base, dtype=float)
    x, n = np.broadcast_arrays(x, n)
    return wilson(x, n, 1 - (1 - confidence) / max(x.shape[-1], 1))


def korn_graubard(
    share: ArrayLike,
    variance: ArrayLike,
    n: ArrayLike,
    df: ArrayLike,
    effective: ArrayLike | None = None,
    confidence: float = 0.95,
) -> tuple[Floats, Floats]:
    """Beta interval of a share under a survey design: Clopper and Pearson's at an effective size.

    share: estimated share, 0 to 1; variance: its variance under the design; n: people in the base;
    df: degrees of freedom of the design; effective: effective sample size by the weights (Kish), n
    if not given. Broadcast together. The effective size of a share is share (1 - share) / variance,
    less for a variance known from few clusters, at most n. Where the variance says nothing (share 0
    or 1, variance not positive, df under 1) it is `effective`, at most n. Returns (low, high),
    between 0 and 1; NaN where n is 0 or the share is missing. ValueError: a share outside 0 and 1.
    Source: Korn and Graubard (1998), Survey Methodology 24; truncated at n as in Parker et al.
    (2017), NCHS Vital and Health Statistics 2(175).
    """
    p, v, size, degrees, kish = np.broadcast_arrays(
        *(
            np.asarray(a, float)
            for a in (share, variance, n, df, n if effective is None else effective)
        )
    )
    if np.any((p < -ROUNDING) | (p > 1 + ROUNDING)):
        raise ValueError("a share must lie between 0 and 1")
    p = np.where(p < ROUNDING, 0.0, np.where(p > 1 - ROUNDING, 1.0, p))
    told = (p > 0) & (p < 1) & (v > 0) & (degrees >= 1) & (size > 1)
    tail = (1 - confidence) / 2
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        few = (stdtrit(size - 1, tail) / stdtrit(degrees, tail)) ** 2
        by_variance = p * (1 - p) / v * few
    m = np.minimum(np.where(told, by_variance, kish), size)
    m = np.where((size > 0) & (m > 0), m, np.nan)
    return _clopper_pearson(m * p, m, tail)


def _clopper_pearson(x: Floats, n: Floats, tail: float) -> tuple[Floats, Floats]:
    """Bounds with `tail` beyond each, for counts x of n that need not be whole; NaN in, NaN out."""
    low = np.where(x > 0, betaincinv(np.where(x > 0, x, 1.0), n - x + 1, tail), x)
    rest = n - x
    high = np.where(rest > 0, betaincinv(x + 1, np.where(rest > 0, rest, 1.0), 1 - tail), 1 + rest)
    return low, high


def newcombe(
    count: tuple[ArrayLike, ArrayLike], base: tuple[ArrayLike, ArrayLike], confidence: float = 0.95
) -> tuple[Floats, Floats]:
    """Interval of the difference of two independent shares, second minus first.

    count, base: two numbers, or two arrays of one shape; NaN where a base is 0.
    Source: Newcombe (1998), Statistics in Medicine 17, method 10.
    """
    x, n = np.asarray(count, dtype=float), np.asarray(base, dtype=float)
    low, high = wilson(x, n, confidence)
    shares = np.divide(x, n, out=np.full(x.shape, np.nan), where=n > 0)
    return square_and_add(tuple(shares), tuple(low), tuple(high))


def square_and_add(
    share: tuple[ArrayLike, ArrayLike],
    low: tuple[ArrayLike, ArrayLike],
    high: tuple[ArrayLike, ArrayLike],
) -> tuple[Floats, Floats]:
    """Interval of the difference of two independent estimates, second minus first.

    share, low, high: each estimate and its own interval at the same level, however it was made:
    Wilson's give Newcombe's interval. NaN where a number is missing.
    Source: Newcombe (1998), Statistics in Medicine 17, method 10; Zou and Donner (2008), the same
    journal 27, 1693, for intervals of any kind.
    """
    (first, second), (low_1, low_2), (high_1, high_2) = (
        [np.asarray(each, dtype=float) for each in pair] for pair in (share, low, high)
    )
    difference = second - first
    below = np.hypot(second - low_2, high_1 - first)
    above = np.hypot(high_2 - second, first - low_1)
    return difference - below, difference + above
