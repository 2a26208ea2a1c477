"""Pairs of answers of a several-answer question that are chosen together.

The lift of two answers is how many times more often they are given together than if they were
independent: P(A and B) / (P(A) P(B)), 1 under independence. A question that takes no more than a
few answers ("three at most") pushes answers apart: most lifts are then under 1 by construction, and
neither they nor their p values speak of the answers. `lifts_given_margins` tells what the limit
alone would give.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import hypergeom

from analysis.stats.intervals import wilson

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
COLUMNS = [
    "first", "second", "both", "base_n", "share_both", "lift", "lift_low", "lift_high", "p_value",
]  # fmt: skip
MARGIN_COLUMNS = ["first", "second", "both", "base_n", "both_expected", "lift_expected", "p_value"]
# Rounds of trades before the first draw, and between two: each round trades for everyone once.
BURN_IN, THINNING = 50, 5


def lifts(chosen: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """Lift of each pair of answers, with its interval and Fisher's exact test.

    chosen: people by answers, boolean, all missing where the question was not answered; these
    people are not in the base. Returns one row a pair (columns COLUMNS): both, people who gave the
    two; base_n, people who answered. The interval is normal on the log scale, by the delta method
    on the four cells; where no one gave both, it goes from 0 to what Wilson's upper bound of
    share_both gives. By simulation it holds the lift 94 to 96 times in 100; where fewer than about
    five people are expected on both, nearly all its misses lie above the lift. p_value: two-sided,
    sum of the tables no more likely than this one. Lift and p are NaN where nobody or everybody
    gave one of the answers: nothing is learnt of the pair.
    Source: Brin, Motwani and Silverstein (1997), SIGMOD 26(2), who call it interest; Agresti
    (2013), 3.5.1 for the test, as `fisher.test` of R.
    """
    given = _given(chosen)
    n, pairs = len(given), _pairs(given.shape[1])
    both, one, two = _counts(given, pairs)
    varies = (one > 0) & (one < n) & (two > 0) & (two < n)
    expected = np.where(varies, one * two / max(n, 1), np.nan)
    lift = both / expected
    low, high = _interval(both, one, two, n, lift, confidence)
    frame = _named(chosen, pairs, both, n)
    frame["share_both"] = both / n if n else np.nan
    frame["lift"], frame["lift_low"], frame["lift_high"] = lift, low, high
    frame["p_value"] = np.nan
    frame.loc[varies, "p_value"] = _fisher(both[varies], one[varies], two[varies], n)
    return frame[COLUMNS]


def _given(chosen: pd.DataFrame) -> Flags:
    """Answers of the people who answered."""
    answered = chosen[chosen.notna().any(axis=1)]
    return answered.astype("boolean").fillna(False).to_numpy(dtype=bool)


def _pairs(answers: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    return np.triu_indices(answers, 1)


def _counts(
    given: Flags, pairs: tuple[NDArray[np.intp], NDArray[np.intp]]
) -> tuple[Array, Array, Array]:
    """People who gave both answers of each pair, the first one, the second one."""
    marks = given.astype(float)
    together, each = marks.T @ marks, marks.sum(axis=0)
    return together[pairs], each[pairs[0]], each[pairs[1]]


def _named(
    chosen: pd.DataFrame, pairs: tuple[NDArray[np.intp], NDArray[np.intp]], both: Array, n: int
) -> pd.DataFrame:
    """The first columns of a frame of pairs."""
    frame = pd.DataFrame({"first": chosen.columns[pairs[0]], "second": chosen.columns[pairs[1]]})
    frame["both"], frame["base_n"] = both.astype(int), n
    return frame


def _interval(
    both: Array, one: Array, two: Array, n: int, lift: Array, confidence: float
) -> tuple[Array, Array]:
    """Bounds of the lift; NaN with it."""
    z = ndtri(0.5 + confidence / 2)
    some = np.where((both > 0) & np.isfinite(lift), both, np.nan)
    variance = 1 / some - 1 / np.fmax(one, 1) - 1 / np.fmax(two, 1) + (2 * lift - 1) / max(n, 1)
    reach = np.exp(z * np.sqrt(np.fmax(variance, 0)))
    none = (both == 0) & np.isfinite(lift)
    most = wilson(both, np.full_like(both, n), confidence)[1] * n**2 / np.fmax(one * two, 1)
    return np.where(none, 0.0, lift / reach), np.where(none, most, lift * reach)


def _fisher(both: Array, one: Array, two: Array, n: int) -> Array:
    """Two-sided p of Fisher's exact test, one a pair.

    Counts beyond twelve standard deviations and forty people of the mean have next to no
    probability: leaving them out keeps the work small where people are many.
    """
    if not both.size:
        return both
    mean = one * two / n
    spread = np.sqrt(mean * (1 - one / n) * (1 - two / n) * n / max(n - 1, 1))
    start = np.maximum(np.floor(mean - 12 * spread - 40), np.maximum(0, one + two - n))
    width = np.minimum(np.ceil(mean + 12 * spread + 40), np.minimum(one, two)) - start
    steps = np.arange(width.max() + 1)
    here = hypergeom.pmf(both, n, one, two)
    chances = hypergeom.pmf(start[:, None] + steps, n, one[:, None], two[:, None])
    # As likely as this one, whatever the last bits, is no more likely than it.
    unlikely = (chances <= here[:, None] * (1 + 1e-7)) & (steps <= width[:, None])
    return np.clip(np.where(unlikely, chances, 0).sum(axis=1), here, 1)


def lifts_given_margins(chosen: pd.DataFrame, draws: int = 999, seed: int = 0) -> pd.DataFrame:
    """What the number of answers of each person, and of each answer, alone makes of the pairs.

    chosen: as `lifts`. Tables of answers are drawn at random among those in which each person gives
    as many answers as they did and each answer is given as often as it was: a limit on the number
    of answers holds in them. Returns one row a pair (columns MARGIN_COLUMNS): both_expected, mean
    of both over the draws; lift_expected, the lift it makes, to set beside that of `lifts`;
    p_value, two-sided, twice the smaller of the shares of draws at least as high and at least as
    low, these answers included. The draws are one chain that starts from the answers; work grows
    with people. NaN as in `lifts`.
    Source: Strona et al. (2014), Nature Communications 5, 4114 (curveball); Carstens, Berger and
    Strona (2018), MethodsX 5 (trades of everyone at once); as `curveball` of R package vegan.
    """
    given = _given(chosen)
    n, pairs = len(given), _pairs(given.shape[1])
    both, one, two = _counts(given, pairs)
    total, higher, lower = np.zeros_like(both), np.zeros_like(both), np.zeros_like(both)
    rng = np.random.default_rng(seed)
    # Rows in an order of their own, so that the order of people changes nothing.
    table = given[np.lexsort(given.T)] if given.size else given
    for round_ in range(BURN_IN + draws * THINNING if len(pairs[0]) and n else 0):
        table = _traded(table, rng)
        if round_ >= BURN_IN and (round_ - BURN_IN) % THINNING == 0:
            drawn = _counts(table, pairs)[0]
            total, higher, lower = total + drawn, higher + (drawn >= both), lower + (drawn <= both)
    varies = (one > 0) & (one < n) & (two > 0) & (two < n)
    frame = _named(chosen, pairs, both, n)
    frame["both_expected"] = total / draws
    frame["lift_expected"] = np.where(varies, total / draws * n / np.fmax(one * two, 1), np.nan)
    p = np.minimum(1, 2 * (1 + np.minimum(higher, lower)) / (1 + draws))
    frame["p_value"] = np.where(varies, p, np.nan)
    return frame[MARGIN_COLUMNS]


def _traded(table: Flags, rng: np.random.Generator) -> Flags:
    """One round: people meet two by two, and deal out anew the answers that only one of them gave.

    Each keeps a number of answers, and each answer its total.
    """
    order = rng.permutation(len(table))
    half = len(table) // 2
    one, two = table[order[:half]], table[order[half : 2 * half]]
    apart = one != two
    owed = (one & apart).sum(axis=1, keepdims=True)
    # Answers at stake come first, in a random order; the first person takes as many as before.
    place = np.where(apart, rng.random(apart.shape), 2.0).argsort(axis=1).argsort(axis=1)
    taken = apart & (place < owed)
    traded = table.copy()
    traded[order[:half]] = (one & ~apart) | taken
    traded[order[half : 2 * half]] = (two & ~apart) | (apart & ~taken)
    return traded
