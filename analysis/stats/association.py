"""Tests of a single-answer question against groups in no order, from a table of counts.

Nothing here reads an order in the answers or in the groups: see `trend` and `ordered` for those.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtr, chdtrc, chndtrinc, gammaln

from analysis.stats.ordered import random_tables
from analysis.stats.trend import Outcome

Array = NDArray[np.float64]
# Tables as likely as the observed one, or as far from independence, differ in their last bits.
TIE = 1e-9


def independence(table: ArrayLike, draws: int = 9999, seed: int = 0) -> Outcome:
    """The test of independence that the counts allow.

    table: counts, groups by answers. Pearson's chi-square where `valid`, otherwise Fisher's exact
    test of a 2 x 2 table, otherwise `permutation_chi_square`. The outcome names the test.
    """
    counts = occupied(table)
    if valid(counts) or min(counts.shape) < 2:
        return chi_square(counts)
    if counts.shape == (2, 2):
        return fisher(counts)
    return permutation_chi_square(counts, draws, seed)


def occupied(table: ArrayLike) -> Array:
    """The counts without empty rows and columns, which compare nothing."""
    counts = np.asarray(table, dtype=float)
    return counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]


def expected(counts: Array) -> Array:
    """Counts expected under independence: rows by columns, of the same margins."""
    return np.outer(counts.sum(axis=1), counts.sum(axis=0)) / max(counts.sum(), 1)


def valid(table: ArrayLike) -> bool:
    """Whether the chi-square distribution may be read: no expected count under 1, at most a fifth
    under 5. False where there is nothing to compare. Source: Cochran (1954), Biometrics 10, 417.
    """
    counts = occupied(table)
    if min(counts.shape) < 2:
        return False
    each = expected(counts)
    return bool(each.min() >= 1 and (each < 5).mean() <= 0.2)


def chi_square(table: ArrayLike) -> Outcome:
    """Pearson's test of independence; the effect is Cramér's V without its bias, with an interval.

    table: counts, groups by answers; empty rows and columns are left out. NaN where fewer than two
    are left. Source: Agresti (2013), Categorical Data Analysis, 3rd ed., 3.2; see `cramers_v`.
    """
    counts = occupied(table)
    df = _df(counts.shape)
    statistic = _pearson(counts) if df else float("nan")
    p = float(chdtrc(df, statistic)) if df else float("nan")
    n = int(counts.sum())
    effect = cramers_v(statistic, n, counts.shape)
    return Outcome("chi_square", statistic, df, p, "cramers_v", *effect, n)


def _df(shape: tuple[int, ...]) -> int:
    """Degrees of freedom of a table of this shape, 0 where there is nothing to compare."""
    return (shape[0] - 1) * (shape[1] - 1) if min(shape) > 1 else 0


def _pearson(counts: Array) -> float:
    each = expected(counts)
    return float(((counts - each) ** 2 / each).sum())


def cramers_v(
    statistic: float, n: int, shape: tuple[int, ...], confidence: float = 0.95
) -> tuple[float, float, float]:
    """Cramér's V corrected for bias, and its interval, between 0 and 1.

    statistic: Pearson's X² of n people in a table of this shape, without empty rows or columns.
    Returns (V, low, high); NaN where the table has one row or column, or a row for each person.

    X² grows by df from chance alone, which the correction takes away. The interval holds the
    noncentralities of which X² is no unlikely draw; these are already free of what chance adds, so
    that the corrected V lies within. Where X² is under df, V is 0 and the upper bound is that of
    X² = df: a table more even than chance makes it is no proof of independence. By simulation
    (2 x 2 to 4 x 4 tables, 40 to 1000 people) the interval covers 91 to 100 %.
    Source: Bergsma (2013), J. Korean Statistical Society 42, 323; Steiger and Fouladi (1997) and
    Smithson (2003), Confidence Intervals, for the interval.
    """
    df = _df(shape)
    sides = np.array(shape) - 1.0
    # What V² is divided by: Bergsma's, which is smaller than the smaller side less one.
    largest = float((sides - sides**2 / (n - 1)).min()) if df > 0 and n > 1 else 0.0
    if largest <= 0:
        return float("nan"), float("nan"), float("nan")
    tail = (1 - confidence) / 2
    low = chndtrinc(statistic, df, 1 - tail) if chdtr(df, statistic) > 1 - tail else 0.0
    high = chndtrinc(max(statistic, df), df, tail)
    corrected = max(0.0, statistic - df * n / (n - 1))
    size, below, above = np.sqrt(np.array([corrected, low, high]) / (n * largest)).clip(0, 1)
    return float(size), float(min(below, size)), float(max(above, size))


def permutation_chi_square(table: ArrayLike, draws: int = 9999, seed: int = 0) -> Outcome:
    """Monte-Carlo test of independence, for expected counts too small for `chi_square`.

    table: counts, groups by answers. X² is compared with that of `draws` tables of the same margins
    as permuting people gives them; p = (1 + tables at least as far) / (1 + draws), never zero, the
    same for the same seed. No df: nothing is read in a chi-square distribution but the interval of
    the effect, which is that of `chi_square`.
    Source: Agresti (1992), Statistical Science 7, 131; Phipson & Smyth (2010), SAGMB 9(1), 39; the
    same as `chisq.test(simulate.p.value = TRUE)` of R.
    """
    counts = occupied(table)
    plain = chi_square(counts)
    if not np.isfinite(plain.statistic):
        return _renamed(plain, "chi_square_permutation", float("nan"), plain.p_value)
    drawn = random_tables(counts.sum(axis=1), counts.sum(axis=0), draws, seed)
    each = expected(counts)
    statistics = ((drawn - each) ** 2 / each).sum(axis=(1, 2))
    reached = int((statistics >= plain.statistic * (1 - TIE)).sum())
    p = (1 + reached) / (1 + draws)
    return _renamed(plain, "chi_square_permutation", plain.statistic, p)


def fisher(table: ArrayLike) -> Outcome:
    """Fisher's exact test of a 2 x 2 table (two-sided); the effect is that of `chi_square`.

    table: counts, two groups by two answers. p is the chance, among tables of the same margins, of
    one no likelier than this one; the test has no statistic and no df. NaN where a margin is empty.
    Errors: ValueError for a table of another shape.
    Source: Fisher (1935); Agresti (2013), 3.5; the same as `fisher.test` of R.
    """
    whole = np.asarray(table, dtype=float)
    if whole.shape != (2, 2):
        raise ValueError(
            f"Fisher's test reads a 2 x 2 table, not {' x '.join(map(str, whole.shape))}"
        )
    counts = occupied(whole)
    plain = chi_square(counts)
    p = _fisher_p(counts) if counts.shape == (2, 2) else float("nan")
    return _renamed(plain, "fisher", float("nan"), p)


def _fisher_p(counts: Array) -> float:
    (first, second), column = counts.sum(axis=1), counts[:, 0].sum()
    x = np.arange(max(0.0, column - second), min(first, column) + 1)
    cells = np.array([x, first - x, column - x, second - column + x])
    chances = -gammaln(cells + 1).sum(axis=0)
    chances = np.exp(chances - chances.max())
    own = chances[int(counts[0, 0] - x[0])]
    return min(1.0, float(chances[chances <= own * (1 + TIE)].sum() / chances.sum()))


def _renamed(plain: Outcome, test: str, statistic: float, p: float) -> Outcome:
    """The effect of the chi-square under another test of the same table."""
    effect = plain.effect_size, plain.effect_low, plain.effect_high
    return Outcome(test, statistic, float("nan"), p, plain.effect, *effect, plain.n)
