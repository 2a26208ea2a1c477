"""Ordered answers: rank association, exact and permutation tests of trend, proportional odds.

The cumulative logit model is that of `OrderedModel` of statsmodels, and tested against it. It is
written here for three things: it reads counts, so that a million people cost as much as a hundred
(`OrderedModel` wants a row a person); it tells answers that are separated, where `OrderedModel`
returns large numbers with a warning; and it needs no second of imports.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, expit, gammaln, logit, ndtr, ndtri

from analysis.stats.trend import Outcome, cochran_armitage, linear_by_linear

Array = NDArray[np.float64]

Z95 = float(ndtri(0.975))
STEPS, HALVINGS, TOLERANCE = 60, 30, 1e-9
# A standard error this large, per standard deviation of a predictor, belongs to a likelihood that
# still rises at infinity: answers are separated.
LARGEST_ERROR = 100.0
WORST_CONDITION = 1e14
# Additions of an exact test, at most: a few tenths of a second and 200 MB.
LARGEST_WORK = 5e8


def gamma(table: ArrayLike) -> Outcome:
    """Goodman and Kruskal's gamma of two ordered variables.

    table: counts, rows by columns, both in order. z and the two-sided p value take the variance
    under no association; for the interval see `_interval`. NaN where every pair is tied.
    Source: Goodman & Kruskal (1963, 1972); Agresti (2013), 2.4.4.
    """
    return _rank_outcome("gamma", gamma_with_error, table)


def gamma_with_error(table: ArrayLike) -> tuple[float, float]:
    """Gamma and its asymptotic standard error, which is 0 at -1 and 1 whatever the counts.

    The same as SAS PROC FREQ, MEASURES (ASE).
    """
    counts = np.asarray(table, dtype=float)
    concordant, discordant = _pairs(counts)
    c, d = float((counts * concordant).sum()), float((counts * discordant).sum())
    return _ratio(counts, c - d, c + d, 4 * (d * concordant - c * discordant), (c + d) ** 2)


def somers_d(table: ArrayLike) -> Outcome:
    """Somers' D of the columns given the rows, both in order.

    As `gamma`, but pairs tied on the columns alone count in the base. NaN, as gamma, where one of
    the variables does not vary.
    Source: Somers (1962); Goodman & Kruskal (1972); as SAS PROC FREQ, D(C|R).
    """
    return _rank_outcome("somers_d", somers_d_with_error, table)


def somers_d_with_error(table: ArrayLike) -> tuple[float, float]:
    """Somers' D of the columns given the rows and its asymptotic standard error, as for gamma."""
    counts = np.asarray(table, dtype=float)
    concordant, discordant = _pairs(counts)
    apart = concordant - discordant
    rows, n = counts.sum(axis=1), counts.sum()
    base, excess = float(n**2 - (rows**2).sum()), float((counts * apart).sum())
    if not (counts * (concordant + discordant)).any():
        base = 0.0  # every pair is tied on the columns: no order to be found, and no error of it
    return _ratio(counts, excess, base, 2 * (base * apart - excess * (n - rows)[:, None]), base**2)


def _ratio(
    counts: Array, excess: float, base: float, gradient: Array, scale: float
) -> tuple[float, float]:
    """Pairs in order less pairs in disorder, over a base, with standard error."""
    if base <= 0:
        return float("nan"), float("nan")
    return excess / base, float(np.sqrt((counts * gradient**2).sum())) / scale


def _pairs(counts: Array) -> tuple[Array, Array]:
    """For each cell, the people above and below it on both variables, and those on one each."""
    before = np.zeros((counts.shape[0] + 1, counts.shape[1] + 1))
    before[1:, 1:] = counts.cumsum(axis=0).cumsum(axis=1)
    lower = before[:-1, :-1]
    left = before[-1, :-1] - before[1:, :-1]
    above = before[:-1, -1][:, None] - before[:-1, 1:]
    upper = before[-1, -1] - before[1:, -1][:, None] - before[-1, 1:] + before[1:, 1:]
    return lower + upper, left + above


def _rank_outcome(
    name: str, measure: Callable[[ArrayLike], tuple[float, float]], table: ArrayLike
) -> Outcome:
    """A rank measure with interval and null test."""
    counts = np.asarray(table, dtype=float)
    n, (size, _) = counts.sum(), measure(counts)
    if np.isnan(size):
        return Outcome(name, np.nan, 1, np.nan, name, np.nan, np.nan, np.nan, int(n))
    concordant, discordant = _pairs(counts)
    apart = concordant - discordant
    excess = float((counts * apart).sum())
    null = float((counts * apart**2).sum() - excess**2 / n)
    z = excess / (2 * np.sqrt(null)) if null > 0 else float("nan")
    low, high = _interval(size, counts, measure)
    return Outcome(name, float(z), 1, float(2 * ndtr(-abs(z))), name, size, low, high, int(n))


def _interval(
    size: float, counts: Array, measure: Callable[[ArrayLike], tuple[float, float]]
) -> tuple[float, float]:
    """Interval of a rank measure, normal on Fisher's z scale, with one person more.

    The plain interval (size and 1.96 errors each way) has no width at -1 and 1, and covers far less
    than it says in small tables. One person more, spread over the cells as under independence,
    keeps the error above 0. By simulation (3 x 4 tables, 10 to 100 people, measures from 0 to 0.98)
    the interval covers 92 to 98 % where the plain one covers 16 to 95 %.
    Source: in a 2 x 2 table it is the logit interval of the odds ratio, which Agresti (1999),
    Biometrics 55, 597 smooths so; Woods (2007), Psychological Methods 12, 185 for the plain one.
    """
    spread = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum() ** 2
    centre, error = measure(counts + spread)
    half = Z95 * error / (1 - centre**2)
    low, high = np.tanh(np.arctanh(centre) + np.array([-half, half]))
    edge = 1 - 1e-12
    return (
        -1.0 if size < -edge else float(min(low, size)),
        1.0 if size > edge else float(max(high, size)),
    )


def permutation_trend(
    table: ArrayLike, statistic: str = "linear_by_linear", draws: int = 9999, seed: int = 0
) -> Outcome:
    """Monte-Carlo permutation test of a trend (two-sided); effect and z as the asymptotic test.

    table: counts, both variables in order; for `cochran_armitage` two columns, successes and
    failures. statistic: `linear_by_linear` or `cochran_armitage`, both with scores 1, 2, 3…
    p = (1 + tables at least as far from independence) / (1 + draws), never zero. The same seed
    gives the same p. Source: Phipson & Smyth (2010), SAGMB 9(1), 39.
    """
    counts = np.asarray(table, dtype=np.int64)
    outcome = ASYMPTOTIC[statistic](counts)
    drawn = random_tables(counts.sum(axis=1), counts.sum(axis=0), draws, seed)
    scores = np.outer(np.arange(counts.shape[0]), np.arange(counts.shape[1])).astype(float)
    rows, columns = counts.sum(axis=1), counts.sum(axis=0)
    expected = (np.outer(rows, columns) * scores).sum() / max(counts.sum(), 1)
    far = abs((counts * scores).sum() - expected)
    # Scores are whole numbers: half a unit of rounding tells ties from the rest.
    reached = int((np.abs((drawn * scores).sum(axis=(1, 2)) - expected) >= far - 1e-6).sum())
    p = (1 + reached) / (1 + draws) if np.isfinite(outcome.statistic) else float("nan")
    return replace(outcome, test=f"{statistic}_permutation", p_value=p)


def exact_trend(
    table: ArrayLike, statistic: str = "linear_by_linear", draws: int = 9999, seed: int = 0
) -> Outcome:
    """Exact test of a trend (two-sided); effect and z as the asymptotic test.

    table, statistic: as `permutation_trend`. p is the chance, among all tables of these margins, of
    one at least as far from independence. Where they are too many to go through (LARGEST_WORK) the
    test is `permutation_trend` with these draws and seed, and has its name.
    Source: Agresti, Mehta & Patel (1990), JASA 85, 453; two columns are Cochran-Armitage.
    """
    counts = np.asarray(table, dtype=np.int64)
    outcome = ASYMPTOTIC[statistic](counts)
    named = replace(outcome, test=f"{statistic}_exact")
    if not np.isfinite(outcome.statistic):
        return named
    chances = sums_of_products(counts.sum(axis=1), counts.sum(axis=0))
    if chances is None:
        return permutation_trend(counts, statistic, draws, seed)
    scores = np.outer(np.arange(counts.shape[0]), np.arange(counts.shape[1]))
    distance = np.abs(np.arange(chances.size) * counts.sum() - _expected_sum(counts))
    far = distance[(counts * scores).sum()]
    return replace(named, p_value=min(1.0, float(chances[distance >= far].sum())))


def _expected_sum(counts: NDArray[np.int64]) -> int:
    """Sum of the products of scores 0, 1, 2… under independence, times the number of people."""
    rows, columns = counts.sum(axis=1), counts.sum(axis=0)
    return int((rows * np.arange(rows.size)).sum() * (columns * np.arange(columns.size)).sum())


def sums_of_products(rows: ArrayLike, columns: ArrayLike) -> Array | None:
    """Chance of each sum of products of scores over people, given the totals of both variables.

    rows, columns: people at each score 0, 1, 2… of one variable and of the other. Returns the
    chances of the sums 0, 1, 2…, or None where the work would exceed LARGEST_WORK. The rows come in
    one after the other, each with a multinomial draw of its columns; kept is the chance of each sum
    together with the people so far in each column but the largest. What has the right totals at
    the end are the tables as permuting people gives them.
    Source: a network algorithm as of Mehta & Patel (1983), JASA 78, 427.
    """
    sides = [np.asarray(rows, dtype=int), np.asarray(columns, dtype=int)]
    # The sum is the same either way round, the work is not.
    given, drawn = min([sides, sides[::-1]], key=lambda pair: _work(*pair))
    if not drawn.sum():
        return np.ones(1)
    if _work(given, drawn) > LARGEST_WORK:
        return None
    scores = _by_total(drawn)
    totals = drawn[scores]
    chances = np.zeros((*(totals[:-1] + 1).tolist(), _largest_sum(given, drawn) + 1))
    chances[(0,) * chances.ndim] = 1.0
    for score, people in enumerate(given.tolist()):
        chances = _with_row(chances, score, people, totals, scores)
    ends: Array = chances[tuple(totals[:-1].tolist())]
    return ends / ends.sum()


def _by_total(totals: NDArray[np.int64]) -> NDArray[np.intp]:
    """The scores that anyone has, that of most people last."""
    scores = np.argsort(totals, kind="stable")
    return scores[totals[scores] > 0]


def _largest_sum(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> int:
    """A bound on the sum of products: everyone at the largest score of one variable."""
    sums = [(totals * np.arange(totals.size)).sum() for totals in (rows, columns)]
    return int(min(sums[0] * (columns.size - 1), sums[1] * (rows.size - 1)))


def _work(given: NDArray[np.int64], drawn: NDArray[np.int64]) -> float:
    """A bound on the additions of `sums_of_products`: draws of each row times what is kept."""
    tracked = drawn[_by_total(drawn)][:-1]
    kept = math.prod((tracked + 1).tolist()) * (_largest_sum(given, drawn) + 1)
    return float(kept * sum(math.comb(n + tracked.size, tracked.size) for n in given.tolist()))


def _with_row(
    chances: Array, score: int, people: int, totals: NDArray[np.int64], scores: NDArray[np.intp]
) -> Array:
    """The chances after one more row, of so many people at one score."""
    limits = (np.minimum(totals[:-1], people) + 1).tolist()
    tracked = np.indices(limits).reshape(len(limits), math.prod(limits))
    draws = np.vstack([tracked, people - tracked.sum(axis=0)])
    draws = draws[:, (draws[-1] >= 0) & (draws[-1] <= totals[-1])]
    shares = np.log(totals / totals.sum())
    each = gammaln(people + 1) - gammaln(draws + 1).sum(axis=0) + shares @ draws
    moves = np.vstack([draws[:-1], score * (scores @ draws)]).T.tolist()
    after = np.zeros_like(chances)
    for move, chance in zip(moves, np.exp(each).tolist(), strict=True):
        old = tuple(slice(size - step) for size, step in zip(chances.shape, move, strict=True))
        after[tuple(slice(step, None) for step in move)] += chance * chances[old]
    return after


def _binary_trend(counts: NDArray[np.int64]) -> Outcome:
    return cochran_armitage(counts[:, 0], counts.sum(axis=1))


ASYMPTOTIC: dict[str, Callable[[NDArray[np.int64]], Outcome]] = {
    "linear_by_linear": linear_by_linear,
    "cochran_armitage": _binary_trend,
}


def random_tables(rows: ArrayLike, columns: ArrayLike, draws: int, seed: int) -> NDArray[np.int64]:
    """Tables with these margins as permuting people gives them: draws by rows by columns.

    Cell after cell is hypergeometric given those before it, so that the work does not grow with
    the number of people. Source: Patefield (1981), Applied Statistics 30, AS 159.
    """
    rng = np.random.default_rng(seed)
    row_totals = np.asarray(rows, dtype=np.int64)
    left = np.tile(np.asarray(columns, dtype=np.int64), (draws, 1))
    tables = np.zeros((draws, row_totals.size, left.shape[1]), dtype=np.int64)
    for i, total in enumerate(row_totals):
        wanted = np.full(draws, total)
        for j in range(left.shape[1]):
            others = left[:, j + 1 :].sum(axis=1)
            tables[:, i, j] = rng.hypergeometric(left[:, j], others, wanted)
            wanted = wanted - tables[:, i, j]
        left -= tables[:, i]
    return tables


@dataclass(frozen=True)
class CumulativeFit:
    """A fitted cumulative logit model: logit P(answer ≤ j) = threshold j - predictors @ slopes."""

    thresholds: Array
    slopes: Array
    covariance: Array
    log_likelihood: float
    assumption: tuple[float, int]
    """Score statistic of proportional odds and its degrees of freedom."""


def cumulative_logit(table: ArrayLike, predictors: ArrayLike) -> CumulativeFit | None:
    """Proportional-odds model by maximum likelihood; None where there is no finite estimate.

    table: counts or weights, one row a distinct set of predictors, one column an answer in order
    (empty ones are left out); predictors: rows by k, without constant. A slope is the log odds
    ratio of a higher answer. covariance (thresholds, then slopes) is the inverse of the observed
    information. None: fewer than two answers or sets of predictors, predictors that repeat one
    another, or answers separated by them.
    Source: McCullagh (1980), JRSS B 42; the same as `polr` of R package MASS.
    """
    counts = np.asarray(table, dtype=float)
    counts = counts[:, counts.sum(axis=0) > 0]
    n = counts.sum()
    x = np.asarray(predictors, dtype=float).reshape(len(counts), -1)
    if counts.shape[1] < 2:
        return None
    weights = counts.sum(axis=1) / n
    centre = weights @ x
    spread = np.sqrt(weights @ (x - centre) ** 2)
    if not (spread > 0).all():
        return None
    standard = (x - centre) / spread
    start = np.concatenate([logit(counts.sum(axis=0).cumsum()[:-1] / n), np.zeros(x.shape[1])])
    found = _maximise(counts, _cuts(standard, counts.shape[1]), start)
    if found is None:
        return None
    estimate, covariance = found
    return _unstandardised(counts, standard, estimate, covariance, centre, spread)


def _unstandardised(
    counts: Array, standard: Array, estimate: Array, covariance: Array, centre: Array, spread: Array
) -> CumulativeFit:
    """The fit on the predictors' own scale."""
    cuts = counts.shape[1] - 1
    back = np.eye(estimate.size)
    back[cuts:, cuts:] = np.diag(1 / spread)
    back[:cuts, cuts:] = centre / spread
    parameters = back @ estimate
    cells = _cells(_cuts(standard, cuts + 1) @ estimate)
    likelihood = float((counts[counts > 0] * np.log(cells[counts > 0])).sum())
    return CumulativeFit(
        parameters[:cuts],
        parameters[cuts:],
        back @ covariance @ back.T,
        likelihood,
        _score_test(counts, standard, estimate),
    )


def _cuts(x: Array, answers: int, proportional: bool = True) -> Array:
    """Design of the cuts between answers: rows by cuts by parameters."""
    cuts = answers - 1
    thresholds = np.broadcast_to(np.eye(cuts), (len(x), cuts, cuts))
    if proportional:
        slopes = np.repeat(-x[:, None, :], cuts, axis=1)
    else:
        slopes = (-x[:, None, :, None] * np.eye(cuts)[:, None, :]).reshape(len(x), cuts, -1)
    return np.concatenate([thresholds, slopes], axis=2)


def _cells(cuts: Array) -> Array:
    """Probability of each answer from the logits of the cuts (rows by answers)."""
    ones = np.ones((len(cuts), 1))
    return np.diff(np.hstack([0 * ones, expit(cuts), ones]), axis=1)


def _derivatives(counts: Array, design: Array, estimate: Array) -> tuple[Array, Array]:
    """Gradient of the log likelihood, and the observed information."""
    cuts = design @ estimate
    cells, below = _cells(cuts), expit(cuts)
    slope = below * (1 - below)
    ratio = counts / cells
    gradient = np.einsum("ic,icp->p", slope * (ratio[:, :-1] - ratio[:, 1:]), design)
    bend = slope * (1 - 2 * below) * (ratio[:, :-1] - ratio[:, 1:])
    return gradient, _information(ratio / cells, slope, bend, design)


def _information(weights: Array, slope: Array, bend: Array, design: Array) -> Array:
    """Information on the parameters; neighbouring cuts share the answer between them."""
    own = slope**2 * (weights[:, :-1] + weights[:, 1:]) - bend
    total = np.einsum("ic,icp,icq->pq", own, design, design)
    shared = slope[:, :-1] * slope[:, 1:] * weights[:, 1:-1]
    cross = np.einsum("ic,icp,icq->pq", shared, design[:, :-1], design[:, 1:])
    return total - cross - cross.T


def _maximise(counts: Array, design: Array, start: Array) -> tuple[Array, Array] | None:
    """Newton's method with halved steps: the estimate and its covariance, or None.

    The log likelihood is concave (Pratt 1981, JASA 76), so a climb that ends has ended well.
    """
    estimate, level = start, _level(counts, design, start)
    for _ in range(STEPS):
        gradient, information = _derivatives(counts, design, estimate)
        if np.linalg.cond(information) > WORST_CONDITION:
            return None
        covariance: Array = np.linalg.inv(information).astype(float)
        if np.sqrt(np.diag(covariance).max()) > LARGEST_ERROR:
            return None
        step = covariance @ gradient
        if gradient @ step < TOLERANCE:
            return estimate, covariance
        for _ in range(HALVINGS):
            reached = _level(counts, design, estimate + step)
            if reached > level:
                break
            step = step / 2
        else:
            return None
        estimate, level = estimate + step, reached
    return None


def _level(counts: Array, design: Array, estimate: Array) -> float:
    """Log likelihood, minus infinity where an answer would have no probability left."""
    cells = _cells(design @ estimate)
    return float((counts * np.log(cells)).sum()) if cells.min() > 0 else -np.inf


def _score_test(counts: Array, standard: Array, estimate: Array) -> tuple[float, int]:
    """Score test of equal slopes at every cut, and its degrees of freedom.

    It needs only the fit under equal slopes, so that it stands where empty cells leave the model
    with a slope a cut no finite estimate; the information is then singular, and a direction
    without information tells nothing. Source: Peterson & Harrell (1990), Applied Statistics 39; as
    SAS PROC LOGISTIC, with the generalised inverse of the observed information.
    """
    cuts, k = counts.shape[1] - 1, standard.shape[1]
    df = k * (cuts - 1)
    if not df:
        return float("nan"), 0
    apart = np.concatenate([estimate[:cuts], np.repeat(estimate[cuts:], cuts)])
    design = _cuts(standard, cuts + 1, proportional=False)
    gradient, information = _derivatives(counts, design, apart)
    inverse = np.linalg.pinv(information, rcond=1e-10, hermitian=True)
    return float(gradient @ inverse @ gradient), df


def fitted_shares(fit: CumulativeFit, predictors: ArrayLike) -> tuple[Array, Array]:
    """Share of each answer that the model gives, and its standard error by the delta method.

    predictors: rows by k, as `cumulative_logit`. Returns two arrays, rows by answers (those that
    were given at all).
    """
    x = np.asarray(predictors, dtype=float).reshape(-1, fit.slopes.size)
    design = _cuts(x, fit.thresholds.size + 1)
    cuts = design @ np.concatenate([fit.thresholds, fit.slopes])
    below = expit(cuts)
    slopes = np.pad((below * (1 - below))[:, :, None] * design, ((0, 0), (1, 1), (0, 0)))
    gradient = np.diff(slopes, axis=1)
    variance = np.einsum("iap,pq,iaq->ia", gradient, fit.covariance, gradient)
    return _cells(cuts), np.sqrt(variance)


def predicted_shares(table: pd.DataFrame) -> pd.DataFrame:
    """Shares of each answer by band as the proportional-odds model smooths them.

    table: counts, bands (index; scores 1, 2, 3…) by answers (columns), both in order. Returns one
    row a band and answer: band, answer, share, share_low, share_high (95 %, normal on the logit
    scale, between 0 and 1). An answer that nobody gave has share 0 and no interval. No row where
    the model has no finite estimate.
    Source: see `cumulative_logit`; as `predict(type = "probs")` of `polr` (MASS), and for the
    interval `predict(type = "prob", interval = TRUE)` of `clm` (ordinal).
    """
    counts = table.to_numpy(dtype=float)
    scores = np.arange(1.0, len(counts) + 1)
    fit = cumulative_logit(counts, scores)
    columns = ["band", "answer", "share", "share_low", "share_high"]
    if fit is None:
        return pd.DataFrame(columns=columns)
    share, error = fitted_shares(fit, scores)
    half = Z95 * error / (share * (1 - share))
    given = counts.sum(axis=0) > 0
    filled = np.full((3, *counts.shape), np.nan)
    filled[0, :, ~given] = 0.0
    filled[:, :, given] = share, expit(logit(share) - half), expit(logit(share) + half)
    cells = pd.MultiIndex.from_product([table.index, table.columns], names=columns[:2])
    frame = pd.DataFrame(filled.reshape(3, -1).T, index=cells, columns=columns[2:])
    return frame.reset_index()


def proportional_odds(table: ArrayLike) -> Outcome:
    """Odds ratio of a higher answer from one band to the next, with Wald's interval and z.

    table: counts, bands (scores 1, 2, 3…) by answers, both in order. Where there is no finite
    estimate (answers separated by the bands, a single answer or band), the test is called
    `proportional_odds_failed` and its numbers are NaN. Source: see `cumulative_logit`.
    """
    return _odds("proportional_odds", table)


def binary_logit(table: ArrayLike) -> Outcome:
    """The same for one cut (two columns, the higher answer last): ordinary logistic regression.

    It assumes nothing about other cuts; `binary_logit_failed` where there is no finite estimate.
    """
    return _odds("binary_logit", table)


def _odds(name: str, table: ArrayLike) -> Outcome:
    counts = np.asarray(table, dtype=float)
    n = int(counts.sum())
    fit = cumulative_logit(counts, np.arange(1.0, len(counts) + 1))
    if fit is None:
        nan = float("nan")
        return Outcome(f"{name}_failed", nan, 1, nan, "odds_ratio", nan, nan, nan, n)
    slope, error = float(fit.slopes[0]), float(np.sqrt(fit.covariance[-1, -1]))
    low, ratio, high = (float(np.exp(slope + side * Z95 * error)) for side in (-1, 0, 1))
    z = slope / error
    return Outcome(name, z, 1, float(2 * ndtr(-abs(z))), "odds_ratio", ratio, low, high, n)


def proportional_odds_assumption(table: ArrayLike) -> Outcome | None:
    """Test of one odds ratio for every cut between answers; None where there is none to test.

    table: as `proportional_odds`. A small p value speaks against the model; the test is known to
    reject too often where cells are small. Source: Peterson & Harrell (1990); SAS PROC LOGISTIC.
    """
    counts = np.asarray(table, dtype=float)
    fit = cumulative_logit(counts, np.arange(1.0, len(counts) + 1))
    if fit is None or not np.isfinite(fit.assumption[0]):
        return None
    statistic, df = fit.assumption
    p, nan = float(chdtrc(df, statistic)), float("nan")
    name = "proportional_odds_assumption"
    return Outcome(name, statistic, df, p, "", nan, nan, nan, int(counts.sum()))
