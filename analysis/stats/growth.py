"""Growth of a count from one year to the next, with an interval where it is of a sample."""

from __future__ import annotations

import math

from scipy.special import ndtri

NAN = float("nan")


def growth(
    before: float, after: float, sampling: float | None = None, confidence: float = 0.95
) -> tuple[float, float, float]:
    """Growth (0.1 is ten percent more) with the bounds of its interval, missing without a sample.

    sampling: the part of all that was counted; None for a complete count. Counts of rare events are
    Poisson; the ratio of two has a normal logarithm of variance 1/before + 1/after (Rothman 1986,
    Modern Epidemiology), less what a large sample leaves to chance, 1 - sampling.
    """
    if not before:
        return NAN, NAN, NAN
    ratio = after / before
    if sampling is None or not after:
        return ratio - 1, NAN, NAN
    spread = math.sqrt((1 - sampling) * (1 / before + 1 / after))
    reach = math.exp(float(ndtri(0.5 + confidence / 2)) * spread)
    return ratio - 1, ratio / reach - 1, ratio * reach - 1
