"""Bootstrap of statistics that have no interval of their own: indices, ratios, ranks of items.

A resample is a row of weights, so a statistic is written once, with matrix products, and is worked
out for a block of resamples at a time. Without a design, n people are drawn of n; people who are
alike are drawn together as one pattern, whatever the order of the rows. Under strata or clusters,
one cluster fewer than there are is drawn in each stratum and weights are raised to make up for it.

Sources: Efron (1987), JASA 82; Efron and Tibshirani (1993), chapter 14, for the BCa interval; Rao
and Wu (1988), JASA 83; Rao, Wu and Yue (1992), Survey Methodology 18, for weights under a design;
Davison and Hinkley (1997), 3.2 and 5.3, for the acceleration with strata.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from analysis.stats.intervals import Floats, wilson

# weights (resamples, rows), data (rows, …) to values (resamples,) or (resamples, values)
Statistic = Callable[[Floats, Floats], Floats]

# Weights held at once: 32 MB, whatever the number of people.
BLOCK = 4_000_000
# Draws this near each other, for their size, differ by rounding alone.
ROUNDING = 1e-10


@dataclass(frozen=True)
class Sampling:
    """How the rows were drawn: one entry a row, in any order; None for what there is not.

    weights: above or at 0; strata and clusters: labels. Clusters are nested in strata: the same
    label in two strata is two clusters.
    """

    weights: ArrayLike | None = None
    strata: ArrayLike | None = None
    clusters: ArrayLike | None = None

    @property
    def designed(self) -> bool:
        return self.strata is not None or self.clusters is not None

    def base(self, n: int) -> Floats:
        """Weights, ones where there are none. ValueError: not n of them, or one below 0."""
        if self.weights is None:
            return np.ones(n)
        weights = np.asarray(self.weights, dtype=float)
        if weights.shape != (n,) or not np.all(weights >= 0):
            raise ValueError("weights must be one number a row, none missing or below 0")
        return weights


@dataclass(frozen=True)
class Units:
    """What is drawn: patterns of people, or clusters in strata.

    row_unit: the unit of each row; weights: base weight of each row; times: how many units of this
    kind there are; stratum: of each unit, from 0; kept_back: how many fewer are drawn in a stratum.
    """

    row_unit: NDArray[np.intp]
    weights: Floats
    times: NDArray[np.int64]
    stratum: NDArray[np.intp]
    kept_back: int

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Units of each stratum."""
        return np.bincount(self.stratum, self.times).astype(np.int64)

    def rows(self, units: Floats) -> Floats:
        """Weights of rows (…, rows) from multipliers of units (…, units)."""
        return units[..., self.row_unit] * self.weights

    def draw(self, rng: np.random.Generator, draws: int) -> Floats:
        """Multipliers of units in resamples: draws by units. A lone unit of a stratum stays."""
        found = np.ones((draws, len(self.times)))
        for stratum, size in enumerate(self.sizes):
            taken = size - self.kept_back
            if taken < 1:
                continue
            here = np.flatnonzero(self.stratum == stratum)
            counts = rng.multinomial(taken, self.times[here] / size, draws)
            found[:, here] = counts * (size / taken)
        return found

    def without(self, units: NDArray[np.intp]) -> Floats:
        """Multipliers of units where each of these in turn is taken out once: len(units) by units.

        The others of its stratum are raised to make up for it. Each must have company there.
        """
        sizes = self.sizes[self.stratum[units]]
        raised = (sizes / (sizes - 1))[:, None]
        beside = self.stratum[units][:, None] == self.stratum
        found = self.times.astype(float) * np.where(beside, raised, 1.0)
        found[np.arange(len(units)), units] -= raised[:, 0]
        return found


@dataclass(frozen=True)
class Bootstrap:
    """A statistic and its resamples.

    estimate: (values,); draws: (resamples, values), NaN where there was nothing to draw from.
    """

    estimate: Floats
    draws: Floats

    @property
    def error(self) -> Floats:
        """Standard errors: standard deviations of the resamples."""
        return np.asarray(self.draws.std(axis=0, ddof=1))


def blocks(units: Units, draws: int, seed: int) -> Iterator[Floats]:
    """Blocks of weights of the rows: (resamples of the block, rows), `draws` rows over all blocks.

    The same seed gives the same weights. They go with the rows as they stand.
    """
    rng = np.random.default_rng(seed)
    step = max(1, BLOCK // max(len(units.row_unit), 1))
    for start in range(0, draws, step):
        yield units.rows(units.draw(rng, min(step, draws - start)))


def bootstrap(
    statistic: Statistic,
    data: ArrayLike,
    draws: int = 2000,
    seed: int = 0,
    sampling: Sampling = Sampling(),
) -> Bootstrap:
    """Resamples of a statistic.

    statistic: takes weights (resamples, rows) and data (rows, …) and returns one value, or one row
    of values, a resample; it must rest on the weighted rows alone, since alike rows are handed to
    it as one without a design. data: one row a person, numbers. The same seed gives the same draws
    in any order of the rows, to rounding. The draws are NaN where each stratum has one unit (a
    person, a cluster) alone; a unit alone in its stratum beside others stays in every draw, and
    adds nothing to the error. ValueError: no rows, or a design of another length.
    """
    rows, units = _units(np.asarray(data, dtype=float), sampling)
    found = [_values(statistic, block, rows) for block in blocks(units, draws, seed)]
    observed = units.rows(units.times.astype(float))[None, :]
    estimate = _values(statistic, observed, rows)[0]
    drawn = np.concatenate(found)
    return Bootstrap(estimate, drawn if units.sizes.max() > 1 else np.full(drawn.shape, np.nan))


def _values(statistic: Statistic, weights: Floats, data: Floats) -> Floats:
    found = np.asarray(statistic(weights, data), dtype=float)
    return found.reshape(len(weights), -1)


def _units(data: Floats, sampling: Sampling) -> tuple[Floats, Units]:
    """The rows handed to the statistic, and what is drawn of them."""
    if not len(data):
        raise ValueError("there are no rows to resample")
    if sampling.designed:
        return data, clustered(len(data), sampling)
    # Rows alike in data and weight are one pattern; sorted, their order says nothing.
    keys = np.column_stack([data.reshape(len(data), -1), sampling.base(len(data))])
    order = np.lexsort(keys.T[::-1])
    keys, data = keys[order], data[order]
    new = np.ones(len(data), dtype=bool)
    new[1:] = ~np.all((keys[1:] == keys[:-1]) | (np.isnan(keys[1:]) & np.isnan(keys[:-1])), axis=1)
    first = np.flatnonzero(new)
    times = np.diff(np.append(first, len(data)))
    return data[first], Units(
        np.arange(len(first)), keys[first, -1], times, np.zeros(len(first), np.intp), 0
    )


def clustered(n: int, sampling: Sampling) -> Units:
    """Clusters in strata: rows are their own clusters without labels, and one stratum."""
    strata = np.zeros(n, np.intp) if sampling.strata is None else _codes(sampling.strata, n)
    inside = np.arange(n) if sampling.clusters is None else _codes(sampling.clusters, n)
    pairs, row_unit = np.unique(np.column_stack([strata, inside]), axis=0, return_inverse=True)
    times = np.ones(len(pairs), np.int64)
    return Units(row_unit.reshape(-1), sampling.base(n), times, pairs[:, 0].astype(np.intp), 1)


def _codes(labels: ArrayLike, n: int) -> NDArray[np.intp]:
    values = np.asarray(labels)
    if values.shape != (n,):
        raise ValueError("strata and clusters must be one label a row")
    return np.unique(values, return_inverse=True)[1].reshape(-1)


def acceleration(statistic: Statistic, data: ArrayLike, sampling: Sampling = Sampling()) -> Floats:
    """Skewness of a statistic, for its BCa interval: (values,), 0 where no unit matters.

    From the values of the statistic with each unit taken out once (jackknife), so that the time
    grows with the square of the number of distinct rows. Arguments as `bootstrap`.
    """
    rows, units = _units(np.asarray(data, dtype=float), sampling)
    company = np.flatnonzero(units.sizes[units.stratum] > 1)
    if not len(company):
        return np.zeros(_values(statistic, units.weights[None, :], rows).shape[1])
    step = max(1, BLOCK // len(units.row_unit))
    left_out = np.concatenate([
        _values(statistic, units.rows(units.without(company[at : at + step])), rows)
        for at in range(0, len(company), step)
    ])  # fmt: skip
    times, stratum = units.times[company, None], units.stratum[company]
    sizes = units.sizes[stratum][:, None]
    influence = (sizes - 1) * (_means(left_out, times, stratum) - left_out)
    cubes = (times * (influence / sizes) ** 3).sum(axis=0)
    squares = (times * (influence / sizes) ** 2).sum(axis=0)
    smallest = (ROUNDING * np.abs(left_out).max(axis=0)) ** 2
    nothing = squares <= smallest
    return np.divide(cubes, 6 * squares**1.5, out=np.zeros_like(cubes), where=~nothing)


def _means(values: Floats, times: NDArray[np.int64], stratum: NDArray[np.intp]) -> Floats:
    """The mean of each stratum, beside each of its units."""
    codes = np.unique(stratum, return_inverse=True)[1].reshape(-1)
    sums = np.zeros((codes.max() + 1, values.shape[1]))
    np.add.at(sums, codes, values * times)
    return np.asarray((sums / np.bincount(codes, times[:, 0])[:, None])[codes])


def percentile(found: Bootstrap, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Percentile interval: (low, high), one a value of the statistic."""
    tail = (1 - confidence) / 2
    low, high = np.quantile(found.draws, [tail, 1 - tail], axis=0)
    return low, high


def bca(found: Bootstrap, skew: Floats, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Bias-corrected and accelerated interval: (low, high), one a value of the statistic.

    skew: the `acceleration`. Where no resample differs from the estimate, both bounds are the
    estimate. NaN where all are on one side of it, since their bias cannot be told, or where one is
    missing.
    """
    tail = ndtri([(1 - confidence) / 2, (1 + confidence) / 2])
    bounds = np.array([
        _bca_bounds(float(estimate), draws, float(one), tail)
        for estimate, draws, one in zip(found.estimate, found.draws.T, skew, strict=True)
    ])  # fmt: skip
    return bounds[:, 0], bounds[:, 1]


def _bca_bounds(estimate: float, draws: Floats, skew: float, tail: Floats) -> Floats:
    gaps = draws - estimate
    same = np.abs(gaps) <= ROUNDING * np.abs(draws).max()
    if same.all():
        return np.array([estimate, estimate])
    below = float(((gaps < 0) & ~same).mean() + same.mean() / 2)
    if not (0 < below < 1 and np.isfinite(gaps).all() and np.isfinite(skew)):
        return np.array([np.nan, np.nan])
    bias = ndtri(below)
    levels = ndtr(bias + (bias + tail) / (1 - skew * (bias + tail)))
    return np.asarray(np.quantile(draws, levels))


def bootstrap_interval(
    statistic: Statistic,
    data: ArrayLike,
    draws: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
    method: str = "bca",
    sampling: Sampling = Sampling(),
) -> tuple[Floats, Floats, Floats]:
    """Estimate and interval of a statistic: (estimate, low, high), each (values,).

    method: `bca`, or `percentile` for statistics that jump (a rank, a median), where leaving one
    person out tells nothing. The rest as `bootstrap`. ValueError: an unknown method.
    """
    if method not in ("bca", "percentile"):
        raise ValueError("method must be bca or percentile")
    found = bootstrap(statistic, data, draws, seed, sampling)
    if method == "percentile":
        return found.estimate, *percentile(found, confidence)
    return found.estimate, *bca(found, acceleration(statistic, data, sampling), confidence)


def mean(weights: Floats, data: Floats) -> Floats:
    """Weighted mean of each column, a statistic for `bootstrap`; NaN where all weights are 0."""
    return _over(weights @ data, weights.sum(axis=1))


def _over(above: Floats, below: Floats) -> Floats:
    below = below.reshape(below.shape + (1,) * (above.ndim - below.ndim))
    return np.divide(above, below, out=np.full(above.shape, np.nan), where=below != 0)


def index_interval(
    values: ArrayLike,
    weights: ArrayLike | None = None,
    draws: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
    strata: ArrayLike | None = None,
    clusters: ArrayLike | None = None,
) -> tuple[float, float, float]:
    """Mean of scores between 0 and 1 with its BCa interval, which never leaves 0 to 1.

    values: one score a person, NaN left out; weights, strata, clusters: as `Sampling`. Fewer than
    two scores give NaN bounds, none a NaN mean. Where all scores are the same no resample differs
    and the bootstrap knows nothing: the bounds are then those of Wilson for that share of the
    effective sample size, which no other scores with this mean could make wider.
    ValueError: a score outside 0 to 1.
    """
    x = np.asarray(values, dtype=float)
    if np.any((x < 0) | (x > 1)):
        raise ValueError("scores must lie between 0 and 1")
    sampling = Sampling(weights, strata, clusters)
    base = np.where(np.isnan(x), 0.0, sampling.base(len(x)))
    there = base > 0
    if not there.any():
        return np.nan, np.nan, np.nan
    known = x[there]
    if len(known) < 2:
        return float(known[0]), np.nan, np.nan
    if np.ptp(known) == 0:
        effective = base.sum() ** 2 / (base**2).sum()
        low, high = wilson(known[0] * effective, effective, confidence)
        return float(known[0]), float(low), float(high)
    if sampling.designed:
        # A cluster where no one has a score is still one that was drawn.
        data, sampling = np.where(there, x, 0.0), Sampling(base, strata, clusters)
    else:
        data, sampling = known, Sampling(base[there])
    point, lower, upper = bootstrap_interval(mean, data, draws, seed, confidence, "bca", sampling)
    low, high = np.clip([lower[0], upper[0]], 0, 1)
    return float(point[0]), float(low), float(high)
