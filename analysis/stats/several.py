"""Joint tests of a several-answer question against a group, or against another such question.

One person gives several answers, so a chi-square on the table of mentions counts people more than
once. These tests keep the person as the unit. Their hypothesis is that each answer is as frequent
in every group (multiple marginal independence), however the answers go together; it is the same
whichever of the two variables is called the group. Where people may be in several groups too, it is
that each answer is independent of being in each group (simultaneous pairwise marginal
independence).

Sources: Agresti and Liu (1999), Biometrics 55; Bilder, Loughin and Nettleton (2000), Communications
in Statistics 29; Bilder and Loughin (2004), Biometrics 60; the same as `MI.test` of R package MRCV
(Koziol and Bilder 2014, R Journal 6) for one single-answer variable, or none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import chdtrc

from analysis.stats.trend import Outcome

Array = NDArray[np.float64]
# Numbers held at once by the bootstrap: 32 MB, whatever the number of people.
BLOCK = 4_000_000
# Distinct rows of answers, and how many people gave each.
Patterns = tuple[Array, NDArray[np.intp]]


@dataclass(frozen=True)
class Crossed:
    """Who is in which group, and who gave which answer: the base of a joint test.

    member: people by groups, chosen: people by answers; both 0 or 1, no empty or full column in
    chosen, no empty one in member.
    """

    member: Array
    chosen: Array

    @property
    def n(self) -> int:
        return len(self.member)

    @property
    def sizes(self) -> Array:
        return self.member.sum(axis=0)

    @property
    def df(self) -> int:
        """Degrees of freedom of the table of one answer."""
        return self.member.shape[1] - 1


def joint_tests(groups: pd.Series, chosen: pd.DataFrame, draws: int, seed: int) -> list[Outcome]:
    """Does any answer of a several-answer question depend on the group? Three valid tests.

    groups: one group a person; chosen: on the same index, one boolean column an answer, all missing
    where the question was not answered. Those people, and people without a group, are not in the
    base; answers that nobody or everybody gave, and groups with no one, are left out. Nothing to
    compare (fewer than two groups, or no answer left) gives no test.

    Outcomes, all with the mean of Cramér's V over the answers as effect, without an interval:
    several_answers_rao_scott: statistic and df corrected to the second order;
    several_answers_bootstrap: X² and its p over `draws` resamples, no df;
    several_answers_bonferroni: the largest X² of one answer, its df, its p times the answers.
    """
    base = crossed(groups, chosen)
    if base.df < 1 or not base.chosen.shape[1]:
        return []
    items = item_statistics(base.member.T @ base.chosen, base.sizes)
    statistic = float(items.sum())
    adjusted, df = rao_scott(base, statistic)
    found = [
        ("rao_scott", adjusted, df, float(chdtrc(df, adjusted))),
        ("bootstrap", statistic, np.nan, bootstrap_p(base, statistic, draws, seed)),
        ("bonferroni", float(items.max()), base.df, bonferroni_p(items, base.df)),
    ]
    effect = float(np.sqrt(items / base.n).mean())
    return [
        Outcome(f"several_answers_{name}", value, degrees, p, "mean_cramers_v", effect,
                np.nan, np.nan, base.n)
        for name, value, degrees, p in found
    ]  # fmt: skip


def crossed(groups: pd.Series, chosen: pd.DataFrame) -> Crossed:
    """The base of a joint test: people with a group and an answer, columns that vary."""
    there = groups.notna() & chosen.notna().any(axis=1)
    # Groups in their order, not that of the rows, so that the resamples are the same ones.
    named = groups[there].astype("category").cat.remove_unused_categories()
    codes = named.cat.codes.to_numpy()
    member = (codes[:, None] == np.arange(len(named.cat.categories))).astype(float)
    given = chosen[there].fillna(False).astype(bool).to_numpy(dtype=float)
    varies = (given.sum(axis=0) > 0) & (given.sum(axis=0) < len(given))
    return Crossed(member, given[:, varies])


def item_statistics(counts: Array, sizes: Array) -> Array:
    """Pearson's X² of each answer by group; their sum is the modified statistic X²_S.

    counts: people of each group who gave each answer (…, groups, answers); sizes: people a group.
    An answer that nobody or everybody gave differs between no groups: its X² is 0.
    """
    overall = counts.sum(axis=-2, keepdims=True) / sizes.sum()
    gaps = (counts / sizes[:, None] - overall) ** 2 * sizes[:, None]
    variance = (overall * (1 - overall))[..., 0, :]
    return np.divide(
        gaps.sum(axis=-2), variance, out=np.zeros_like(variance), where=variance > 1e-15
    )


def rao_scott(base: Crossed, statistic: float) -> tuple[float, float]:
    """The modified statistic and its df, corrected to the first two moments of its limit.

    Under independence the limit of X²_S is a sum of chi-squares weighted by the eigenvalues of the
    covariance below, whose sum is the naive df and whose sum of squares is the trace of its square.
    Source: Bilder, Loughin and Nettleton (2000), appendix A: sizes of the groups held fixed, and
    answers covary in each group as they do there.
    """
    share = base.chosen.mean(axis=0)
    inside = base.chosen - base.member @ (base.member.T @ base.chosen / base.sizes[:, None])
    weights = base.sizes / base.n
    scores = (base.member - weights)[:, :, None] / np.sqrt(weights)[:, None]
    scores = scores * (inside / np.sqrt(share * (1 - share)))[:, None, :]
    flat = scores.reshape(base.n, -1)
    covariance = flat.T @ flat / base.n
    naive = base.df * base.chosen.shape[1]
    squares = float((covariance**2).sum())
    return statistic * naive / squares, naive**2 / squares


def bootstrap_p(base: Crossed, statistic: float, draws: int, seed: int) -> float:
    """Share of resamples at least as far from independence as the answers, these included.

    A resample keeps the sizes of the groups and gives each person the answers of anyone, all of
    them together: groups and answers are independent in it, answers go together as they did.
    Source: Bilder, Loughin and Nettleton (2000); Davison and Hinkley (1997), 4.2.3 for the p value.
    """
    rng = np.random.default_rng(seed)
    # People with the same answers are one pattern: drawing patterns costs no more for more people.
    patterns, times = np.unique(base.chosen, axis=0, return_counts=True)
    chances = times / base.n
    sizes = base.sizes
    step = max(1, BLOCK // len(patterns))
    beyond = 0
    for start in range(0, draws, step):
        block = min(step, draws - start)
        counts = np.stack(
            [rng.multinomial(int(size), chances, block) @ patterns for size in sizes], axis=1
        )
        drawn = item_statistics(counts, sizes).sum(axis=1)
        # A resample equal to the answers counts, whatever the last bits of its sum.
        beyond += int((drawn >= statistic * (1 - 1e-9)).sum())
    return (1 + beyond) / (1 + draws)


def bonferroni_p(items: Array, df: int) -> float:
    """P value of the answer that differs most, times the number of answers, at most 1."""
    return min(1.0, float(chdtrc(df, items.max())) * len(items))


def joint_tests_of_two(
    first: pd.DataFrame, second: pd.DataFrame, draws: int, seed: int
) -> list[Outcome]:
    """Does any answer of a several-answer question depend on any of another? Three valid tests.

    first, second: on the same index, one boolean column an answer (or a group, where people may be
    in several), all missing where the question was not answered. Base and outcomes as `joint_tests`
    over the tables of two by two of each answer of first with each of second, the tests named
    several_by_several_…; X² adds up those tables, df of the bonferroni test is 1.
    """
    there = first.notna().any(axis=1) & second.notna().any(axis=1)
    one, two = _varying(first[there]), _varying(second[there])
    n, k = len(one), one.shape[1] * two.shape[1]
    if not k:
        return []
    items = pair_statistics(one.T @ two, one.sum(axis=0), two.sum(axis=0), n)
    statistic = float(items.sum())
    adjusted, df = rao_scott_of_two(one, two, statistic)
    found = [
        ("rao_scott", adjusted, df, float(chdtrc(df, adjusted))),
        ("bootstrap", statistic, np.nan, bootstrap_p_of_two(one, two, statistic, draws, seed)),
        ("bonferroni", float(items.max()), 1, bonferroni_p(items.ravel(), 1)),
    ]
    effect = float(np.sqrt(items / n).mean())
    return [
        Outcome(f"several_by_several_{name}", value, degrees, p, "mean_cramers_v", effect,
                np.nan, np.nan, n)
        for name, value, degrees, p in found
    ]  # fmt: skip


def _varying(chosen: pd.DataFrame) -> Array:
    """Answers as 0 and 1, without those that nobody or everybody gave."""
    given = chosen.astype("boolean").fillna(False).to_numpy(dtype=float)
    return given[:, (given.sum(axis=0) > 0) & (given.sum(axis=0) < len(given))]


def pair_statistics(both: Array, one: Array, two: Array, n: int) -> Array:
    """Pearson's X² of each table of two by two, 0 where nobody or everybody gave an answer.

    both: people who gave each pair of answers (…, first, second); one, two: people who gave each
    answer (…, first) and (…, second).
    """
    one, two = one[..., :, None] / n, two[..., None, :] / n
    variance = one * (1 - one) * two * (1 - two)
    squares = n * (both / n - one * two) ** 2
    return np.divide(squares, variance, out=np.zeros_like(squares), where=variance > 1e-15)


def rao_scott_of_two(first: Array, second: Array, statistic: float) -> tuple[float, float]:
    """As `rao_scott`, over pairs of answers. Source: Bilder and Loughin (2004), appendix A.

    Near independence the gap of a pair is the mean of (x - P(x)) (y - P(y)) over people; these
    products, over their standard deviation under independence, have the covariance of the limit.
    """
    n = len(first)
    one, two = ((given - given.mean(axis=0)) / given.std(axis=0) for given in (first, second))
    scores = (one[:, :, None] * two[:, None, :]).reshape(n, -1)
    scores = scores - scores.mean(axis=0)
    covariance = scores.T @ scores / n
    squares = float((covariance**2).sum())
    naive = scores.shape[1]
    # Without any spread (all answers of all people alike or opposite) there is no limit to match.
    return (statistic * naive / squares, naive**2 / squares) if squares > 1e-12 else (np.nan,) * 2


def bootstrap_p_of_two(
    first: Array, second: Array, statistic: float, draws: int, seed: int
) -> float:
    """As `bootstrap_p`: a resample gives each person the answers of anyone to the first question,
    and those of anyone, another, to the second. Source: Bilder and Loughin (2004).
    """
    rng = np.random.default_rng(seed)
    n = len(first)
    one, two = (np.unique(given, axis=0, return_counts=True) for given in (first, second))
    # Pairs of patterns, or people: whichever is fewer is drawn.
    by_pattern = len(one[0]) * len(two[0]) <= n
    resample = _drawn_patterns if by_pattern else _drawn_people
    width = max(first.shape[1], second.shape[1])
    step = max(1, BLOCK // (len(one[0]) * len(two[0]) if by_pattern else n * width))
    beyond = 0
    for start in range(0, draws, step):
        drawn = pair_statistics(*resample(rng, min(step, draws - start), one, two), n)
        beyond += int((drawn.sum(axis=(1, 2)) >= statistic * (1 - 1e-9)).sum())
    return (1 + beyond) / (1 + draws)


def _drawn_patterns(
    rng: np.random.Generator, block: int, one: Patterns, two: Patterns
) -> tuple[Array, Array, Array]:
    """Counts of resamples as `pair_statistics` takes them, from how many have each two patterns."""
    n = one[1].sum()
    chances = np.outer(one[1] / n, two[1] / n)
    times = rng.multinomial(n, chances.ravel(), block).reshape(block, *chances.shape)
    both = one[0].T @ times @ two[0]
    return both, times.sum(axis=2) @ one[0], times.sum(axis=1) @ two[0]


def _drawn_people(
    rng: np.random.Generator, block: int, one: Patterns, two: Patterns
) -> tuple[Array, Array, Array]:
    """The same, from the patterns of each person drawn."""
    x, y = (
        np.repeat(patterns, times, axis=0)[rng.integers(times.sum(), size=(block, times.sum()))]
        for patterns, times in (one, two)
    )
    return x.transpose(0, 2, 1) @ y, x.sum(axis=1), y.sum(axis=1)
