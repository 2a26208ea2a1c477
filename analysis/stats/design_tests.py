"""Tests under a survey design, from estimated shares and their covariance.

Whatever the design (weights, strata, clusters, a finite population, raked weights), a test needs
only what it does to the shares of the crossed table: their covariance. These functions therefore
take shares, covariance and the degrees of freedom of the design, and know nothing of the people.

Tests of t carry the degrees of freedom of the design; they divide an excess of pairs or products,
which is zero without association, by its linearised error. The intervals are linearised around the
association found (the delta method), with the quantile of t; a bound is NaN where the error is
zero, since the sample then tells nothing of it. Tests of F carry the degrees of freedom of the
numerator; those of the denominator are said beside each and are already in the p value. All tests
are two-sided. What cannot be tested or measured is NaN.

Sources: Rao and Scott (1984), Annals of Statistics 12; Binder (1983), International Statistical
Review 51, for linearised errors; R package survey (Lumley), where a function names one of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import helmert
from scipy.optimize import brentq
from scipy.special import fdtr, fdtrc, ncfdtr, stdtr, stdtrit

from analysis.stats.ordered import _pairs
from analysis.stats.trend import Outcome

Array = NDArray[np.float64]
NAN = float("nan")
# A variance this small beside the terms that it sums is rounding.
ROUNDING = 1e-13
# No sample has an error, or a design effect, as small as this.
NEGLIGIBLE = 1e-9


@dataclass(frozen=True)
class Table:
    """Estimated shares of two crossed variables.

    shares: rows by columns, their sum 1; covariance: square, of `shares.ravel()`; n: people in the
    table; df: degrees of freedom of the design (units drawn less strata), finite.
    """

    shares: Array
    covariance: Array
    n: int
    df: float

    def __post_init__(self) -> None:
        _check(self.shares, self.covariance)

    @property
    def rows(self) -> Array:
        return self.shares.sum(axis=1)

    @property
    def columns(self) -> Array:
        return self.shares.sum(axis=0)


@dataclass(frozen=True)
class SeveralTable:
    """Estimated shares of groups and of their answers to a several-answer question.

    shares: groups by (1 + answers), all of the whole table: first the share of the group, whose sum
    over the groups is 1, then that of the people in the group who gave each answer; covariance:
    square, of `shares.ravel()`; n, df: as `Table`.
    """

    shares: Array
    covariance: Array
    n: int
    df: float

    def __post_init__(self) -> None:
        _check(self.shares, self.covariance)


def _check(shares: Array, covariance: Array) -> None:
    if shares.ndim != 2 or covariance.shape != (shares.size, shares.size):
        raise ValueError(
            f"shares of {shares.shape} need a covariance of {(shares.size, shares.size)}, "
            f"not of {covariance.shape}"
        )


def rao_scott(table: Table) -> Outcome:
    """Pearson's test of independence corrected to the second order, referred to F.

    Empty rows and columns are left out. The statistic is F and df its numerator, which need not be
    whole; the denominator is df times that of the design. The effect is Cramér's V corrected for
    bias (Bergsma 2013, Journal of the Korean Statistical Society 42) with n divided by the mean
    design effect of the interactions. Its interval inverts the non-central F (Smithson 2003,
    Confidence Intervals) for V before that correction; it is wider than need be above one half.
    Source: Rao and Scott (1984); Thomas and Rao (1987), JASA 82; the same as `svychisq` of R
    package survey with statistic "F".
    """
    table = _filled(table)
    rows, columns = table.shares.shape
    outcome = Outcome("rao_scott_chi_square", NAN, NAN, NAN, "cramers_v",
                      NAN, NAN, NAN, table.n)  # fmt: skip
    if min(rows, columns) < 2:
        return outcome
    naive = (rows - 1) * (columns - 1)
    expected = np.outer(table.rows, table.columns)
    square = float(((table.shares - expected) ** 2 / expected).sum())
    total, squares = _moments(_generalised_effects(table))
    if not (total > 0 and table.df > 0):
        return outcome
    f, df = table.n * square / total, total**2 / squares
    size = _corrected_v(square, (rows, columns), table.n * naive / total)
    # The non-centrality of a perfect association, whose V is 1.
    largest = table.n * df * min(rows - 1, columns - 1) / total
    low, high = (float(np.sqrt(found / largest)) for found in
                 _noncentral_interval(f, df, df * table.df, largest))  # fmt: skip
    p = float(fdtrc(df, df * table.df, f))
    return Outcome(outcome.test, f, df, p, outcome.effect, size, low, high, table.n)


def _filled(table: Table) -> Table:
    """Without empty rows and columns."""
    rows, columns = table.rows > ROUNDING, table.columns > ROUNDING
    kept = np.outer(rows, columns).ravel()
    shares = table.shares[rows][:, columns]
    return Table(shares, table.covariance[np.ix_(kept, kept)], table.n, table.df)


def _generalised_effects(table: Table) -> Array:
    """The matrix whose eigenvalues are the design effects of the interactions.

    A cell without people tells nothing of its logarithm and takes no part, as in R survey.
    """
    contrasts = np.kron(*(helmert(length).T for length in table.shares.shape))
    share = table.shares.reshape(-1, 1)
    logs = np.divide(contrasts, share, out=np.zeros_like(contrasts), where=share > ROUNDING)
    simple = contrasts.T @ logs / table.n
    return np.linalg.pinv(simple, hermitian=True) @ (logs.T @ table.covariance @ logs)


def _moments(matrix: Array) -> tuple[float, float]:
    """Sum of the eigenvalues, and sum of their squares; rounding is nothing."""
    total, squares = float(np.trace(matrix)), float((matrix * matrix.T).sum())
    return (total, squares) if total > NEGLIGIBLE else (0.0, squares)


def _corrected_v(square: float, shape: tuple[int, int], n: float) -> float:
    """Cramér's V from the mean square contingency, less its expectation without association."""
    if n <= 1:
        return NAN
    rows, columns = (length - (length - 1) ** 2 / (n - 1) for length in shape)
    excess = square - (shape[0] - 1) * (shape[1] - 1) / (n - 1)
    smallest = min(rows, columns) - 1
    return float(np.sqrt(min(1.0, max(0.0, excess) / smallest))) if smallest > 0 else NAN


def _noncentral_interval(
    f: float, df: float, denominator: float, largest: float
) -> tuple[float, float]:
    """Non-centralities, to the largest there is, with F at one or the other end of its 95 %."""

    def found(chance: float) -> float:
        if fdtr(df, denominator, f) <= chance:
            return 0.0
        # Up in small steps: far in its tails the non-central F is not computed.
        above = df * f
        while ncfdtr(df, denominator, above, f) > chance:
            if above >= largest:
                return largest
            above = min(1.2 * above + 1, largest)
        if not np.isfinite(ncfdtr(df, denominator, above, f)):
            return NAN
        return float(brentq(lambda nc: ncfdtr(df, denominator, nc, f) - chance, 0, above))

    return found(0.975), found(0.025)


def correlation(
    table: Table, row_scores: ArrayLike | None = None, column_scores: ArrayLike | None = None
) -> Outcome:
    """Linear-by-linear association of two ordered variables, by t.

    Scores default 1, 2, 3… The effect is the correlation of the scores; its interval is linearised
    on Fisher's scale. Source: Mantel (1963); Fisher (1921); linearised as `svycontrast` of R
    package survey does it.
    """
    u, v = (_centred(scores, margin) for scores, margin in
            ((row_scores, table.rows), (column_scores, table.columns)))  # fmt: skip
    product = np.outer(u, v)
    excess = float((table.shares * product).sum())
    across, along = float(table.rows @ u**2), float(table.columns @ v**2)
    name = "linear_by_linear_design"
    if not across * along > 0:
        return Outcome(name, NAN, table.df, NAN, "correlation", NAN, NAN, NAN, table.n)
    r = float(np.clip(excess / np.sqrt(across * along), -1, 1))
    bend = (u**2)[:, None] / across + v**2 / along
    error = _error(table.covariance, product / np.sqrt(across * along) - r / 2 * bend)
    t, p = _t_test(table, excess, product)
    low, high = _fisher(r, error, table.df)
    return Outcome(name, t, table.df, p, "correlation", r, low, high, table.n)


def _centred(scores: ArrayLike | None, margin: Array) -> Array:
    values = np.arange(1.0, margin.size + 1) if scores is None else np.asarray(scores, dtype=float)
    gaps = values - margin @ values
    return np.where(np.abs(gaps) > ROUNDING * np.abs(values).max(), gaps, 0.0)


def _fisher(r: float, error: float, df: float) -> tuple[float, float]:
    """Interval of a correlation on Fisher's scale, from its error on its own."""
    if not (error > NEGLIGIBLE and df > 0 and abs(r) < 1):
        return NAN, NAN
    half = float(stdtrit(df, 0.975)) * error / (1 - r**2)
    return float(np.tanh(np.arctanh(r) - half)), float(np.tanh(np.arctanh(r) + half))


def _error(covariance: Array, gradient: Array) -> float:
    """Linearised standard error; zero where nothing is left but rounding."""
    slope = gradient.ravel()
    variance = float(slope @ covariance @ slope)
    terms = float(np.abs(slope) @ np.abs(covariance) @ np.abs(slope))
    return float(np.sqrt(variance)) if variance > ROUNDING * terms else 0.0


def _t_test(table: Table, excess: float, gradient: Array) -> tuple[float, float]:
    """An excess over its linearised error, and the p value by t."""
    error = _error(table.covariance, gradient)
    if not (error > 0 and table.df > 0):
        return NAN, NAN
    t = excess / error
    return t, float(2 * stdtr(table.df, -abs(t)))


def _interval(size: float, error: float, df: float) -> tuple[float, float]:
    """Interval by t, cut at -1 and 1."""
    if not (error > NEGLIGIBLE and df > 0):
        return NAN, NAN
    half = float(stdtrit(df, 0.975)) * error
    return max(-1.0, size - half), min(1.0, size + half)


def trend(table: Table, scores: ArrayLike | None = None) -> Outcome:
    """Linear trend of a share over ordered bands, by t.

    table: bands in order by two columns, the second the success; scores: default 1, 2, 3…, also
    over empty bands. The effect is the share in the last band with people less that in the first.
    Source: Armitage (1955), Biometrics 11, with a linearised variance.
    """
    if table.shares.shape[1] != 2:
        raise ValueError(f"a trend of shares needs two columns, not {table.shares.shape[1]}")
    outcome = correlation(table, scores, [0, 1])
    there = np.flatnonzero(table.rows > ROUNDING)
    size = low = high = NAN
    if there.size > 1:
        gradient = np.zeros(table.shares.shape)
        ends = there[[0, -1]]
        share = table.shares[ends, 1] / table.rows[ends]
        gradient[ends] = np.array([-share, 1 - share]).T / table.rows[ends, None]
        gradient[ends[0]] *= -1
        size = float(share[1] - share[0])
        low, high = _interval(size, _error(table.covariance, gradient), table.df)
    return Outcome("cochran_armitage_design", outcome.statistic, table.df, outcome.p_value,
                   "share_difference", size, low, high, table.n)  # fmt: skip


def gamma(table: Table) -> Outcome:
    """Goodman and Kruskal's gamma of two ordered variables, by t.

    NaN where every pair is tied. Under simple random sampling error and statistic are those of
    `ordered.gamma`. Source: Goodman and Kruskal (1963, 1972).
    """
    concordant, discordant = _ordered_pairs(table.shares)
    c, d = (float((table.shares * pairs).sum()) for pairs in (concordant, discordant))
    gradient = 4 * (d * concordant - c * discordant)
    return _rank_outcome("gamma", table, c + d, (c + d) ** 2, gradient)


def somers_d(table: Table) -> Outcome:
    """Somers' D of the columns given the rows, both in order, by t.

    As `gamma`, but pairs tied on the columns alone count in the base; the test is the same one.
    Source: Somers (1962); Goodman and Kruskal (1972).
    """
    concordant, discordant = _ordered_pairs(table.shares)
    base = float(1 - (table.rows**2).sum())
    excess = float((table.shares * (concordant - discordant)).sum())
    gradient = 2 * (base * (concordant - discordant) - excess * (1 - table.rows)[:, None])
    return _rank_outcome("somers_d", table, base, base**2, gradient)


def _ordered_pairs(shares: Array) -> tuple[Array, Array]:
    """For each cell, the people in order and in disorder with it; rounding is nobody."""
    concordant, discordant = (np.where(pairs > ROUNDING, pairs, 0.0) for pairs in _pairs(shares))
    return concordant, discordant


def _rank_outcome(name: str, table: Table, base: float, scale: float, gradient: Array) -> Outcome:
    """Pairs in order less pairs in disorder, over a base."""
    if not base > ROUNDING:
        return Outcome(f"{name}_design", NAN, table.df, NAN, name, NAN, NAN, NAN, table.n)
    concordant, discordant = _ordered_pairs(table.shares)
    apart = concordant - discordant
    excess = float((table.shares * apart).sum())
    size = max(-1.0, min(1.0, excess / base))
    t, p = _t_test(table, excess, 2 * apart)
    low, high = _interval(size, _error(table.covariance, gradient) / scale, table.df)
    return Outcome(f"{name}_design", t, table.df, p, name, size, low, high, table.n)


def ranks(table: Table) -> Outcome:
    """Do groups (rows) lie differently on an ordered answer (columns)? Wald's F on mean ranks.

    A rank is the estimated share of people below plus half of those beside, and is held fixed: only
    the mean of the ranks in each group varies. The statistic is F, df its numerator (groups less
    one), the denominator that of the design less df. The effect is epsilon squared, the share of
    the variance of the ranks that lies between groups (Tomczak and Tomczak 2014), no interval.
    Source: Lumley and Scott (2013), Biometrika 100; the same as `svyranktest` of R package survey
    with test "KruskalWallis", but for ties between people of unlike weights, to whom it gives ranks
    that depend on the order of the rows.
    """
    table = _filled(table)
    name, effect = "kruskal_wallis_design", "epsilon_squared"
    if min(table.shares.shape) < 2:
        return Outcome(name, NAN, NAN, NAN, effect, NAN, NAN, NAN, table.n)
    score = table.columns.cumsum() - table.columns / 2
    means = table.shares @ score / table.rows
    between = table.rows @ (means - 0.5) ** 2
    size = min(1.0, float(between / (table.columns @ (score - 0.5) ** 2)))
    gradient = _mean_gradients(table, score - means[:, None])
    f, p = _wald(means, gradient @ table.covariance @ gradient.T, table.df)
    return Outcome(name, f, means.size - 1, p, effect, size, NAN, NAN, table.n)


def _mean_gradients(table: Table, gaps: Array) -> Array:
    """Slope of the mean of each row in each cell (rows by cells), from gaps to that mean."""
    rows = table.rows.size
    slopes = np.eye(rows)[:, :, None] * (gaps / table.rows[:, None])
    return slopes.reshape(rows, -1)


def _wald(means: Array, covariance: Array, df: float) -> tuple[float, float]:
    """Wald's F of equal means, and its p value; NaN where the design is too small for it."""
    numerator = means.size - 1
    denominator = df - numerator
    if denominator <= 0:
        return NAN, NAN
    contrasts = helmert(means.size)
    inside = contrasts @ covariance @ contrasts.T
    if not np.isfinite(inside).all() or inside.trace() <= 0:
        return NAN, NAN
    if np.linalg.matrix_rank(inside, hermitian=True) < numerator:
        return NAN, NAN
    gaps = contrasts @ means
    f = float(gaps @ np.linalg.solve(inside, gaps)) / numerator
    return f, float(fdtrc(numerator, denominator, f))


def several(table: SeveralTable) -> Outcome:
    """Does any answer of a several-answer question depend on the group? Second-order correction.

    The statistic is the sum over the answers of Pearson's X² of the answer by group, referred to F
    as in `rao_scott`: df is that of the numerator, the denominator df times that of the design.
    Answers that nobody or everybody gave, and empty groups, are left out. The effect is the mean of
    Cramér's V over the answers, without an interval. Under simple random sampling F times df and df
    are the statistic and df of `several.joint_tests`, but for the sum of the eigenvalues, which
    that takes at its value under independence.
    Source: Bilder and Loughin (2004), Biometrics 60; Rao and Scott (1984).
    """
    group = table.shares[:, 0]
    overall = table.shares[:, 1:].sum(axis=0)
    varies = (overall > ROUNDING) & (overall < 1 - ROUNDING)
    kept = group > ROUNDING
    name, effect = "several_answers_rao_scott_design", "mean_cramers_v"
    nothing = Outcome(name, NAN, NAN, NAN, effect, NAN, NAN, NAN, table.n)
    if kept.sum() < 2 or not varies.any():
        return nothing
    weight, share = group[kept], overall[varies]
    within = table.shares[kept][:, 1:][:, varies] / weight[:, None]
    scale = np.sqrt(weight[:, None] / (share * (1 - share)))
    items = ((scale * (within - share)) ** 2).sum(axis=0)
    cells = np.outer(kept, np.concatenate([[True], varies])).ravel()
    slopes = _several_gradients(weight, within, scale)
    covariance = slopes @ table.covariance[np.ix_(cells, cells)] @ slopes.T
    total, squares = _moments(table.n * covariance)
    if not (total > 0 and table.df > 0):
        return nothing
    f, df = table.n * float(items.sum()) / total, total**2 / squares
    p = float(fdtrc(df, df * table.df, f))
    return Outcome(name, f, df, p, effect, float(np.sqrt(items).mean()), NAN, NAN, table.n)


def _several_gradients(weight: Array, within: Array, scale: Array) -> Array:
    """Slopes of the scaled gaps (group and answer) in the cells, sizes of the groups held fixed.

    A gap is the share in the group less the mean of the shares over the groups.
    """
    groups, answers = within.shape
    share = np.concatenate(
        [-within[:, :, None], np.broadcast_to(np.eye(answers), (groups, answers, answers))], axis=2
    )
    share = share / weight[:, None, None]
    centring = np.eye(groups) - weight
    slopes = np.einsum("gj,gh,hjk->gjhk", scale, centring, share)
    return slopes.reshape(groups * answers, groups * (1 + answers))
