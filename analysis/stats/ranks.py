"""Ranking of the items of a battery, with intervals of ranks that hold together."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DRAWS = 9999
COLUMNS = ["item", "rank", "rank_low", "rank_high"]


def rank_intervals(
    scores: pd.DataFrame,
    weights: pd.Series | None = None,
    confidence: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> pd.DataFrame:
    """Ranks of items by the share agreeing, 1 the best, with joint confidence intervals.

    scores: people by items; 1 agrees, 0 does not (or between the two), missing: not concerned.
    weights: one a person, on the same index, not negative. Returns one row an item (COLUMNS): all
    intervals together hold the true ranks with the confidence asked for. Tied items all have the
    best of their ranks. An item without answers has no rank, and the others are ranked without it.

    An item is above another where their difference is beyond its simultaneous bound; items answered
    by the same people are compared within people. As Wald's errors fail for shares near 0 and 1,
    differences are taken as if two more people had answered each item, one for and one against
    (Agresti & Min 2005, Statistics in Medicine 24).
    Source: Klein, Wright & Wieczorek (2020), JRSS A 183, 589-606; the simultaneous bound is the
    quantile of the largest standardised difference, from seeded Gaussian draws with the covariance
    of the items. Raises ValueError for scores out of 0 to 1, and weights missing or negative.
    """
    values = scores.to_numpy(dtype=float, na_value=np.nan)
    w = _weights(weights, scores.index)
    if ((values < 0) | (values > 1)).any():
        raise ValueError("scores must lie between 0 and 1")
    answered = (w[:, None] * ~np.isnan(values)).sum(axis=0) > 0
    share, centre, covariance = _moments(values[:, answered], w)
    bound = simultaneous_bound(covariance, confidence, draws, seed)
    above = centre[:, None] - centre > bound * _errors(covariance)
    rank = 1 + (share[:, None] < share - 1e-12).sum(axis=1)
    found = pd.DataFrame({
        "item": scores.columns[answered],
        "rank": rank,
        # Shares and smoothed differences may part by a hair where confidence is low.
        "rank_low": np.minimum(rank, 1 + above.sum(axis=0)),
        "rank_high": np.maximum(rank, len(rank) - above.sum(axis=1)),
    })  # fmt: skip
    found = found.astype(dict.fromkeys(COLUMNS[1:], "Int64"))
    return found.set_index("item").reindex(scores.columns).rename_axis("item").reset_index()


def _weights(weights: pd.Series | None, index: pd.Index) -> Floats:
    """One weight a person, in the order of the index."""
    if weights is None:
        return np.ones(len(index))
    w = weights.reindex(index).to_numpy(dtype=float, na_value=np.nan)
    if not (w >= 0).all():
        raise ValueError("weights must be there and not negative")
    return w


def _moments(values: Floats, w: Floats) -> tuple[Floats, Floats, Floats]:
    """Shares of the items, the smoothed shares, and the linearised covariance of these.

    The two added people weigh what an answer weighs on average (the base over its effective
    number), and answer each item apart from the others.
    """
    base = w[:, None] * ~np.isnan(values)
    total, y = base.sum(axis=0), np.nan_to_num(values)
    share = (base * y).sum(axis=0) / total
    added = (base**2).sum(axis=0) / total
    centre = (total * share + added) / (total + 2 * added)
    influence = base * (y - centre) / (total + 2 * added)
    own = (added / (total + 2 * added)) ** 2 * (centre**2 + (1 - centre) ** 2)
    return share, centre, influence.T @ influence + np.diag(own)


def simultaneous_bound(
    covariance: Floats, confidence: float = 0.95, draws: int = DRAWS, seed: int = 0
) -> float:
    """Standard errors that no difference of two estimates passes, with this confidence.

    covariance: of the estimates, normal. From seeded draws; infinite with fewer than two estimates.
    Independent estimates of one variance have Tukey's bound, the studentised range over root two.
    """
    if len(covariance) < 2:
        return np.inf
    roots, axes = np.linalg.eigh(covariance)
    noise = np.random.default_rng(seed).standard_normal((draws, len(covariance)))
    drawn = noise @ (axes * np.sqrt(np.maximum(roots, 0))).T
    largest = np.zeros(draws)
    for one, errors in enumerate(_errors(covariance)):
        apart = np.abs(drawn - drawn[:, [one]]) / errors
        largest = np.maximum(largest, apart.max(axis=1))
    return float(np.quantile(largest, confidence))


def _errors(covariance: Floats) -> Floats:
    """Standard errors of the differences; infinite where there is none, so never apart."""
    variance = np.diag(covariance)
    squares = variance[:, None] + variance - 2 * covariance
    none = squares <= 1e-12 * (variance[:, None] + variance)
    return np.sqrt(np.where(none, np.inf, squares))
