"""Reliability of a set of items: do they measure one thing well enough to be averaged?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, fdtri, logit, ndtri

Floats = NDArray[np.float64]

FEWEST_PEOPLE = 3
# A one-factor model of two items has no unique loadings.
FEWEST_LOADINGS = 3
DRAWS = 499
STEPS, TOLERANCE = 500, 1e-8
# How near 0 or 1 a resampled omega may come, that its logit be finite.
EDGE = 1e-6
# Numbers held at once by the bootstrap: 32 MB, whatever the number of people.
BLOCK = 4_000_000


@dataclass(frozen=True)
class Reliability:
    """A coefficient with its interval, the people behind it, and the items that vary.

    n: people who answered both items of a pair, as the harmonic mean over the pairs (0 where a pair
    has none); with weights, the effective number.
    """

    value: float
    low: float
    high: float
    n: float
    items: int


@dataclass(frozen=True)
class Pairwise:
    """Moments of each pair of items among the people who answered both (…, items, items)."""

    n: Floats
    covariance: Floats
    variance: Floats
    """Of the item of the row, among those who answered that of the column; NaN if it is constant"""

    @property
    def sound(self) -> NDArray[np.bool_]:
        """Whether every pair has people enough and items that vary."""
        there = (self.n > FEWEST_PEOPLE - 1e-9) & ~np.isnan(self.variance)
        return there.all(axis=(-2, -1)) & (self.n.shape[-1] > 1)


def alpha(
    items: pd.DataFrame, weights: pd.Series | None = None, confidence: float = 0.95
) -> Reliability:
    """Cronbach's alpha of the sum of the items, on their own scale.

    items: people by items, scores in one direction, missing where an item does not concern the
    person; weights: one a person, on the same index. Covariances are of the people who answered
    both items (pairwise): those concerned by every item may be few, and unlike the others.
    Constant items are left out. NaN with fewer than two items left, or three people behind a pair.
    Raises ValueError for weights missing or negative.
    Source: Cronbach (1951), Psychometrika 16; interval of Feldt, Woodruff & Salih (1987), Applied
    Psychological Measurement 11; as `alpha` (use = "pairwise") and `alpha.ci` of R package psych,
    but the people of the interval are those behind a pair: all rows, as psych takes, make it too
    narrow where many are missing.
    """
    values, w = _varying(items, weights)
    pairs = _pairwise(values, w, np.ones((1, len(values))))
    n, k = _people(pairs), values.shape[1]
    covariance = pairs.covariance[0]
    # Items that cancel out leave a sum without variance.
    if not pairs.sound[0] or covariance.sum() <= 1e-9 * covariance.trace():
        return Reliability(np.nan, np.nan, np.nan, n, k)
    value = k / (k - 1) * (1 - covariance.trace() / covariance.sum())
    sides = fdtri(n - 1, (n - 1) * (k - 1), [0.5 + confidence / 2, 0.5 - confidence / 2])
    low, high = 1 - (1 - value) * sides
    return Reliability(float(value), float(low), float(high), n, k)


def omega(
    items: pd.DataFrame,
    weights: pd.Series | None = None,
    confidence: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> Reliability:
    """McDonald's omega total: the share of the variance of the sum that one factor explains.

    items, weights: as `alpha`, with three items or more. Loadings are by minimum residual on the
    pairwise correlations, no uniqueness below 0, and put back on the scale of the items. The
    interval is normal for the logit, with its error over resampled people (seeded); a resample in
    which an item does not vary, or a pair has fewer than three people, is left out.
    Source: McDonald (1999), Test Theory, ch. 6; loadings as `fa(fm = "minres")` of R package psych
    (Harman & Jones 1966, Psychometrika 31); interval: Kelley & Pornprasertmanit (2016),
    Psychological Methods 21.
    """
    values, w = _varying(items, weights)
    pairs = _pairwise(values, w, np.ones((1, len(values))))
    n, k = _people(pairs), values.shape[1]
    value = float(_omega(pairs)[0])
    if np.isnan(value):
        return Reliability(value, np.nan, np.nan, n, k)
    drawn = np.concatenate([_omega(again) for again in _resampled(values, w, draws, seed)])
    drawn = drawn[~np.isnan(drawn)]
    if drawn.size < 2:
        return Reliability(value, np.nan, np.nan, n, k)
    error = logit(np.clip(drawn, EDGE, 1 - EDGE)).std(ddof=1)
    half = ndtri(0.5 + confidence / 2) * error
    low, high = expit(logit(value) + np.array([-half, half]))
    return Reliability(value, float(low), float(high), n, k)


def _varying(items: pd.DataFrame, weights: pd.Series | None) -> tuple[Floats, Floats]:
    """Scores of the items that vary (people by items) and the weights, people in sorted order.

    The order of the rows then changes no resample; nor do people who count for nothing.
    """
    w = pd.Series(1.0, items.index) if weights is None else weights.reindex(items.index)
    if not (w >= 0).all():
        raise ValueError("weights must be there and not negative")
    used = items[w > 0].astype("Float64").astype(float)
    values = used.loc[:, used.nunique() > 1].to_numpy()
    kept = np.asarray(w[w > 0], dtype=float)
    order = np.lexsort(np.column_stack([values, kept]).T)
    return values[order], kept[order]


def _pairwise(values: Floats, w: Floats, times: Floats) -> Pairwise:
    """Moments of the pairs of items, for people counted so many times (draws by people).

    The variance is unbiased for weights that are not numbers of people, as R's `cov.wt`.
    """
    people, k = values.shape
    there = ~np.isnan(values)
    spread = np.nanvar(values, axis=0) if k else np.ones(0)
    x = np.where(there, values - (np.nanmean(values, axis=0) if k else 0), 0)
    both, heavy = there[:, :, None] & there[:, None, :], w[:, None, None]
    terms = [heavy, heavy**2, heavy * x[:, :, None], heavy * x[:, :, None] ** 2,
             heavy * x[:, :, None] * x[:, None, :]]  # fmt: skip
    sums = [times @ (both * term).reshape(people, k * k) for term in terms]
    total, squares, one, own, cross = (each.reshape(len(times), k, k) for each in sums)
    n = np.divide(total**2, squares, out=np.zeros_like(total), where=total > 0)
    enough = n > 1 + 1e-9
    freedom = np.where(enough, total - squares / np.where(enough, total, 1), np.nan)
    other, base = one.swapaxes(-2, -1), np.where(enough, total, np.nan)
    variance = (own - one**2 / base) / freedom
    varies = np.greater(variance, 1e-9 * spread[:, None], where=enough, out=np.zeros_like(enough))
    return Pairwise(n, (cross - one * other / base) / freedom, np.where(varies, variance, np.nan))


def _people(pairs: Pairwise) -> float:
    """Harmonic mean of the people behind each pair: errors add up by one over their number."""
    n = pairs.n[0]
    of_pairs = n[~np.eye(len(n), dtype=bool)] if len(n) > 1 else n.ravel()
    # Rounded, as a whole number of people must not come out a hair below itself.
    return round(float(1 / np.mean(1 / of_pairs)), 9) if of_pairs.size and of_pairs.all() else 0.0


def _resampled(values: Floats, w: Floats, draws: int, seed: int) -> list[Pairwise]:
    """Moments in samples of people drawn with replacement, a block of samples at a time."""
    rng, people = np.random.default_rng(seed), len(values)
    step = max(1, BLOCK // people)
    blocks = []
    for start in range(0, draws, step):
        block = min(step, draws - start)
        drawn = rng.integers(people, size=(block, people)) + people * np.arange(block)[:, None]
        times = np.bincount(drawn.ravel(), minlength=block * people).reshape(block, people)
        blocks.append(_pairwise(values, w, times.astype(float)))
    return blocks


def _omega(pairs: Pairwise) -> Floats:
    """Omega total of each set of moments; NaN where there is no one-factor model."""
    found = np.full(len(pairs.n), np.nan)
    sound = pairs.sound & (pairs.n.shape[-1] >= FEWEST_LOADINGS)
    if not sound.any():
        return found
    variance, covariance = pairs.variance[sound], pairs.covariance[sound]
    loadings = _loadings(covariance / np.sqrt(variance * variance.swapaxes(-2, -1)))
    scale = np.sqrt(np.diagonal(variance, axis1=-2, axis2=-1))
    common = (loadings * scale).sum(axis=-1) ** 2
    unique = ((1 - loadings**2) * scale**2).sum(axis=-1)
    whole = common + unique
    varies = whole > 1e-9 * (scale**2).sum(axis=-1)
    found[sound] = np.where(varies, common / np.where(varies, whole, 1), np.nan)
    return found


def _loadings(correlations: Floats) -> Floats:
    """One-factor loadings that leave the least squares off the diagonal (draws by items)."""
    off = correlations * (1 - np.eye(correlations.shape[-1]))
    roots, axes = np.linalg.eigh(correlations)
    loadings: Floats = np.clip(axes[..., -1] * np.sqrt(roots[..., [-1]]), -1, 1)
    moving = np.arange(len(loadings))
    for _ in range(STEPS):
        better = _sweep(off[moving], loadings[moving])
        moved = np.abs(better - loadings[moving]).max(axis=1) > TOLERANCE
        loadings[moving] = better
        moving = moving[moved]
        if not moving.size:
            break
    return loadings


def _sweep(off: Floats, loadings: Floats) -> Floats:
    """Each loading in turn at its best given the others, which never makes the fit worse."""
    better = loadings.copy()
    for item in range(loadings.shape[1]):
        others = (better**2).sum(axis=1) - better[:, item] ** 2
        best = (off[:, item] * better).sum(axis=1) / np.where(others > 0, others, 1)
        better[:, item] = np.clip(best, -1, 1)
    return better
