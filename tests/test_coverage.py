"""How often intervals hold what they are of: counted over all outcomes, or else simulated.

A simulated share of N runs has a standard error of at most sqrt(0.05 * 0.95 / N) near 95 %: 0.0015
over 20,000 runs, 0.007 over 1,000. Limits stand at least three of these from what was found.
"""

import numpy as np
import pytest
from scipy.stats import binom

from analysis.stats.bootstrap import index_interval
from analysis.stats.intervals import goodman, korn_graubard, newcombe, wilson


def inside(bounds, truth):
    """Is the truth within, but for rounding?"""
    low, high = (np.asarray(bound) for bound in bounds)
    return (low - 1e-12 <= truth) & (truth <= high + 1e-12)


def wilson_coverage(n, shares):
    """Exact coverage at each share: the chances of the counts whose interval holds it."""
    counts = np.arange(n + 1)
    hold = inside(wilson(counts, np.full(n + 1, n)), shares[:, None])
    return (binom.pmf(counts, n, shares[:, None]) * hold).sum(axis=1)


def newcombe_coverage(first, second, sizes):
    """Exact coverage at two shares: the chances of the pairs of counts whose interval holds."""
    pairs = [(i, j) for i in range(sizes[0] + 1) for j in range(sizes[1] + 1)]
    bounds = np.array([newcombe(pair, sizes) for pair in pairs]).T
    i, j = np.array(pairs).T
    one = binom.pmf(i, sizes[0], first[:, None])
    other = binom.pmf(j, sizes[1], second[:, None])
    return (one * other * inside(bounds, (second - first)[:, None])).sum(axis=1)


def clustered(rng, runs, clusters, size, share, correlation):
    """Counts of people per cluster (runs, clusters), shares beta with this correlation inside."""
    spread = (1 - correlation) / correlation
    own = rng.beta(share * spread, (1 - share) * spread, (runs, clusters))
    return rng.binomial(size, own)


@pytest.mark.parametrize("n", [18, 30, 100, 341])
def test_wilson_over_all_shares(n):
    found = wilson_coverage(n, np.arange(1, 2000) / 2000)
    assert 0.949 < found.mean() < 0.955
    # Brown, Cai and DasGupta (2001), Statistical Science 16: near the ends, at shares about
    # 0.18 / n, it falls to about 0.84 and no further, whatever n.
    assert found.min() > 0.835
    assert found[200:-200].min() > 0.92


def test_wilson_at_single_shares():
    shares = np.array([0.02, 0.1, 0.5])
    for n in (18, 30, 100):
        found = wilson_coverage(n, shares)
        assert ((found > 0.935) & (found < 0.98)).all()


def test_newcombe_over_pairs_of_shares():
    grid = np.arange(0.05, 1, 0.05)
    first, second = np.repeat(grid, len(grid)), np.tile(grid, len(grid))
    found = newcombe_coverage(first, second, (18, 30))
    assert 0.945 < found.mean() < 0.96
    assert found.min() > 0.93


@pytest.mark.parametrize(
    ("shares", "n"),
    [
        ([0.1, 0.2, 0.3, 0.4], 60),
        ([0.05, 0.15, 0.2, 0.25, 0.35], 100),
        ([0.25, 0.25, 0.25, 0.25], 341),
    ],
)
def test_goodman_holds_all_shares_at_once(shares, n):
    counts = np.random.default_rng(3).multinomial(n, shares, 20_000)
    together = inside(goodman(counts), shares).all(axis=1).mean()
    assert 0.938 < together < 0.97
    # Each at 95 %, they are not all right nearly so often: what simultaneous intervals are for.
    assert inside(wilson(counts, n), shares).all(axis=1).mean() < 0.85


@pytest.mark.parametrize(
    ("clusters", "size", "share", "correlation"),
    [(15, 12, 0.3, 0.1), (15, 12, 0.1, 0.1), (30, 10, 0.5, 0.2), (30, 10, 0.05, 0.1)],
)
def test_korn_graubard_holds_where_people_come_in_clusters(clusters, size, share, correlation):
    counts = clustered(np.random.default_rng(5), 20_000, clusters, size, share, correlation)
    shares, n = counts.mean(axis=1) / size, clusters * size
    variance = (counts / size).var(axis=1, ddof=1) / clusters
    found = inside(korn_graubard(shares, variance, n, clusters - 1), share).mean()
    assert 0.945 < found < 0.98
    # The same people taken as a simple sample: what the design is for.
    assert inside(wilson(counts.sum(axis=1), n), share).mean() < 0.88


def test_bootstrap_of_an_index_of_fifty_people():
    rng = np.random.default_rng(2)
    held = [
        inside(index_interval(rng.binomial(12, rng.beta(3, 1, 50)) / 12, None, 500, run)[1:], 0.75)
        for run in range(1000)
    ]
    assert 0.92 < np.mean(held) < 0.97


def test_bootstrap_of_an_index_of_people_in_clusters():
    rng = np.random.default_rng(4)
    labels = np.repeat(np.arange(25), 8)
    held, naive = [], []
    for run, counts in enumerate(clustered(rng, 400, 25, 8, 0.6, 0.2)):
        scores = (np.tile(np.arange(8), 25) < np.repeat(counts, 8)).astype(float)
        held.append(inside(index_interval(scores, None, 300, run, clusters=labels)[1:], 0.6))
        naive.append(inside(index_interval(scores, None, 300, run)[1:], 0.6))
    # 400 runs: a standard error of 0.011 near 95 %, 0.02 near 80 %.
    assert 0.91 < np.mean(held) < 0.99
    assert np.mean(naive) < 0.87
