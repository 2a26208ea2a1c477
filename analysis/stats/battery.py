"""One item of a Likert battery: which side is larger, and how divided people are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]

# Enough halvings of an interval of length two for the last bit of its bounds.
HALVINGS = 54
# Jeffreys' prior: half an answer more in each category.
PRIOR = 0.5
DRAWS = 9999


def net_agreement(
    counts: ArrayLike, disagree: Sequence[int], agree: Sequence[int], confidence: float = 0.95
) -> tuple[float, float, float]:
    """Share agreeing minus share disagreeing, with its score interval, between -1 and 1.

    counts: people concerned by answer of the scale, worst first; with weights, the weighted shares
    times the effective number of people. disagree, agree: positions in counts; answers in neither
    (a middle one) stay in the base. Returns (value, low, high); NaN without a base. Where every
    answer is on a side, the interval is Wilson's, twice the share less one.
    Raises ValueError for a position on both sides and for counts that are negative or missing.
    Source of the interval: see `paired_score`.
    """
    n = _counts(counts)
    if set(disagree) & set(agree):
        raise ValueError("an answer cannot both agree and disagree")
    base, more, less = n.sum(), n[list(agree)].sum(), n[list(disagree)].sum()
    low, high = paired_score(more, less, base, confidence)
    value = (more - less) / base if base > 0 else np.nan
    return float(value), float(low), float(high)


def paired_score(
    more: ArrayLike, less: ArrayLike, base: ArrayLike, confidence: float = 0.95
) -> tuple[Floats, Floats]:
    """Score interval of the difference of two shares of one multinomial: (more - less) / base.

    more, less, base: numbers of any one shape, more + less <= base. Returns (low, high), between
    -1 and 1, sound where a share is 0 or 1; NaN where the base is 0.
    Source: Tango (1998), Statistics in Medicine 17, 891-908: the discordant pairs of a matched
    table are two cells of a multinomial, as two answers are.
    """
    x, y, n = np.broadcast_arrays(*(np.asarray(a, dtype=float) for a in (more, less, base)))
    there = n > 0
    n = np.where(there, n, 1.0)
    value = np.clip((x - y) / n, -1, 1)
    cut = float(ndtri(0.5 + confidence / 2)) ** 2
    bounds = []
    for end in (-1.0, 1.0):
        outside, inside = np.full_like(value, end), value
        for _ in range(HALVINGS):
            middle = (outside + inside) / 2
            beyond = n * (value - middle) ** 2 > cut * _variance(x, y, n, middle)
            outside, inside = np.where(beyond, middle, outside), np.where(beyond, inside, middle)
        bounds.append(np.where(there, inside, np.nan))
    return bounds[0], bounds[1]


def _variance(more: Floats, less: Floats, n: Floats, difference: Floats) -> Floats:
    """Variance of one person's difference, at the likeliest shares with that true difference."""
    linear = (2 * n - more + less) * difference - more - less
    root = np.sqrt(np.maximum(linear**2 + 8 * n * less * difference * (1 - difference), 0))
    smaller: Floats = (root - linear) / (4 * n)
    return 2 * smaller + difference * (1 - difference)


def polarisation(
    counts: ArrayLike, confidence: float = 0.95, draws: int = DRAWS, seed: int = 0
) -> tuple[float, float, float]:
    """How many steps apart two people answer on average, over the largest such mean.

    0: all gave the same answer; 1: half at each end. Only the order of the answers counts.
    counts: people by answer of the scale, worst first; with weights, the weighted shares times the
    effective number of people. Returns (value, low, high), between 0 and 1; NaN without a base or
    with fewer than two answers. The interval is the shortest one of seeded draws of the shares
    (Dirichlet posterior, Jeffreys' prior), widened to the value: a bootstrap of people, or a
    standard error, would be zero where all agree. Raises ValueError for counts negative or missing.
    Source: index of ordinal variation, Berry & Mielke (1992), Educational and Psychological
    Measurement 52; the same as 1 - l² of Blair & Lacy (2000), Sociological Methods & Research 28.
    """
    n = _counts(counts)
    if n.sum() <= 0 or n.size < 2:
        return np.nan, np.nan, np.nan
    value = float(_variation(n / n.sum()))
    # Of two different people: without it the draws fall short of answers half at each end.
    unbiased = 1 + 1 / n.sum()
    shares = np.random.default_rng(seed).dirichlet(n + PRIOR, draws)
    drawn = np.sort(np.minimum(1, unbiased * _variation(shares)))
    inside = int(np.ceil(confidence * draws))
    widths = drawn[inside - 1 :] - drawn[: draws - inside + 1]
    first = int(widths.argmin())
    return value, min(value, float(drawn[first])), max(value, float(drawn[first + inside - 1]))


def _variation(shares: Floats) -> Floats:
    """Mean distance in steps of two answers drawn from these shares (…, answers), over its most."""
    below = np.clip(shares.cumsum(axis=-1)[..., :-1], 0, 1)
    variation: Floats = 4 * (below * (1 - below)).sum(axis=-1) / (shares.shape[-1] - 1)
    return variation


def _counts(counts: ArrayLike) -> Floats:
    n = np.asarray(counts, dtype=float)
    if not (n >= 0).all():
        raise ValueError("counts must be there and not negative")
    return n
