"""Ordered answers of groups without an order: Kruskal-Wallis, with an effect and its interval."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, chndtrinc, ndtri, stdtrit

from analysis.stats.intervals import wilson
from analysis.stats.ordered import random_tables
from analysis.stats.trend import Outcome

Floats = NDArray[np.float64]

NAN = float("nan")


def kruskal(table: ArrayLike, confidence: float = 0.95) -> Outcome:
    """Kruskal-Wallis test of ordered answers between groups, ties corrected (asymptotic).

    table: counts, groups by answers, answers in order; groups with no one are left out. Numbers are
    NaN with fewer than two groups, or with one answer only. The effect is Cliff's delta between two
    groups (see `cliffs_delta`), otherwise epsilon squared (see `epsilon_squared`).
    Source: Kruskal & Wallis (1952), JASA 47; as `kruskal.test` of R.
    """
    counts = _counts(table)
    n, df = int(counts.sum()), max(len(counts) - 1, 0)
    statistic = float((n - 1) * _between(counts)) if n else NAN
    p = float(chdtrc(df, statistic)) if df else NAN
    if len(counts) == 2:
        effect, (size, low, high) = "cliffs_delta", cliffs_delta(counts, confidence)
    else:
        effect, (size, low, high) = "epsilon_squared", epsilon_squared(counts, confidence)
    return Outcome("kruskal_wallis", statistic, df, p, effect, size, low, high, n)


def permutation_kruskal(table: ArrayLike, draws: int = 9999, seed: int = 0) -> Outcome:
    """Monte-Carlo permutation test with the statistic of Kruskal-Wallis, for small groups.

    table: as `kruskal`, which gives everything but p = (1 + tables at least as far from alike
    groups) / (1 + draws). The same seed gives the same p.
    Source: Phipson & Smyth (2010), SAGMB 9(1), 39; as `kruskal_test` of R package coin with
    `distribution = "approximate"`.
    """
    outcome = replace(kruskal(table), test="kruskal_wallis_permutation")
    if np.isnan(outcome.p_value):
        return outcome
    counts = _counts(table).astype(np.int64)
    drawn = _between(random_tables(counts.sum(axis=1), counts.sum(axis=0), draws, seed))
    # A table as far as the answers counts, whatever the last bits of its sum.
    reached = int((drawn >= _between(counts) * (1 - 1e-9)).sum())
    return replace(outcome, p_value=(1 + reached) / (1 + draws))


def epsilon_squared(table: ArrayLike, confidence: float = 0.95) -> tuple[float, float, float]:
    """Share of the variance of ranks that lies between groups: H / (n - 1), with its interval.

    table: as `kruskal`. Returns (value, low, high), between 0 and 1. The bounds are those of the
    noncentrality of H, over n - 1, so that the low one is 0 where groups may be alike: a bootstrap
    of this never negative measure would never reach 0. An H below its mean among alike groups has
    the high bound of that mean, as it tells no more.
    Source: Tomczak & Tomczak (2014), Trends in Sport Sciences 21; Steiger (2004), Psychological
    Methods 9, for bounds by noncentrality.
    """
    counts = _counts(table)
    n, df = counts.sum(), len(counts) - 1
    value = float(_between(counts)) if n else NAN
    if np.isnan(value) or df < 1:
        return NAN, NAN, NAN
    statistic = (n - 1) * value
    tail = 0.5 - confidence / 2
    # Where groups may be alike there is no noncentrality to be found.
    low = chndtrinc(statistic, df, 1 - tail) if chdtrc(df, statistic) < tail else 0.0
    high = chndtrinc(max(statistic, df), df, tail)
    return value, float(low / (n - 1)), float(min(1, max(value, high / (n - 1))))


def cliffs_delta(table: ArrayLike, confidence: float = 0.95) -> tuple[float, float, float]:
    """Chance that one of the second group answers higher than one of the first, less the converse.

    table: counts, two groups by answers in order. Returns (value, low, high), between -1 and 1. The
    interval is Wilson's for the chance of superiority (ties count half), on the effective number of
    people that its variance and degrees of freedom (Brunner & Munzel) amount to; the smaller group
    where no answers overlap, and the variance is 0. Bounds are NaN with one person in a group.
    Raises ValueError unless there are two groups.
    Source: Cliff (1993), Psychological Bulletin 114; Brunner & Munzel (2000), Biometrical Journal
    42.
    """
    counts = _counts(table)
    if len(counts) != 2:
        raise ValueError(f"Cliff's delta is between two groups, not {len(counts)}")
    sizes = counts.sum(axis=1)
    # Where each answer stands in the other group: the share below it and half of that beside it.
    standing = ((counts.cumsum(axis=1) - counts / 2) / sizes[:, None])[::-1]
    chance = float((counts[1] * standing[1]).sum() / sizes[1])
    value = 2 * chance - 1
    if np.isnan(_between(counts)):
        return NAN, NAN, NAN
    if sizes.min() < 2:
        return value, NAN, NAN
    means = (counts * standing).sum(axis=1) / sizes
    squares = (counts * (standing - means[:, None]) ** 2).sum(axis=1)
    effective = _effective(chance, squares / (sizes - 1) / sizes, sizes, confidence)
    low, high = wilson(effective * chance, effective, confidence)
    return value, float(2 * low - 1), float(2 * high - 1)


def _effective(chance: float, variances: Floats, sizes: Floats, confidence: float) -> float:
    """People whose simple share would be as uncertain, Student's quantile included."""
    variance = variances.sum()
    if variance <= 0:
        return float(sizes.min())
    df = variance**2 / (variances**2 / (sizes - 1)).sum()
    side = 0.5 + confidence / 2
    return float(chance * (1 - chance) / variance * (ndtri(side) / stdtrit(df, side)) ** 2)


def _between(tables: ArrayLike) -> Floats:
    """Share of the variance of ranks between groups (…, groups, answers); NaN without variance."""
    counts = np.asarray(tables, dtype=float)
    answers, sizes = counts.sum(axis=-2), counts.sum(axis=-1)
    # Mean ranks of tied answers, from the mean of all ranks.
    ranks = answers.cumsum(axis=-1) - (answers + answers.sum(axis=-1, keepdims=True)) / 2
    sums = (counts * ranks[..., None, :]).sum(axis=-1)
    between = (sums**2 / sizes).sum(axis=-1)
    total = (answers * ranks**2).sum(axis=-1)
    empty = np.full_like(between, np.nan)
    return np.divide(between, total, out=empty, where=total > 0)


def _counts(table: ArrayLike) -> Floats:
    counts = np.asarray(table, dtype=float)
    if not (counts >= 0).all():
        raise ValueError("counts must be there and not negative")
    return counts[counts.sum(axis=1) > 0]
