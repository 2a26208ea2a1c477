"""Net agreement and polarisation against R, exact coverage and plain definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import gammaln

from analysis.stats.battery import net_agreement, paired_score, polarisation
from analysis.stats.intervals import wilson

SIDES = {"disagree": [0, 1], "agree": [2, 3]}
COUNTS = st.lists(st.integers(0, 40), min_size=2, max_size=7)


@pytest.mark.parametrize(
    ("more", "less", "base", "low", "high"),
    [
        (9, 4, 18, -0.11564050, 0.58932548),
        (15, 1, 18, 0.38931445, 0.92362326),
        (120, 80, 243, 0.05080926, 0.27384385),
        (0, 3, 20, -0.360418875, 0.035293933),
        (1, 0, 50, -0.052774551, 0.104954436),
        (40, 2, 60, 0.47154941, 0.75220158),
    ],
)
def test_interval_is_that_of_the_profile_likelihood(more, less, base, low, high):
    # Base R 4.2.2: the shares under each difference by optimize() on the multinomial likelihood,
    # the bounds by uniroot() on the score statistic less qchisq(.95, 1).
    value, *bounds = net_agreement([less, base - more - less, more], [0], [2])
    assert value == pytest.approx((more - less) / base)
    assert bounds == pytest.approx([low, high], abs=1e-6)


def test_without_a_middle_it_is_wilson():
    counts = [3, 10, 40, 60]
    value, low, high = net_agreement(counts, **SIDES)
    expected = wilson(100, 113)
    assert value == pytest.approx(87 / 113)
    assert (low, high) == pytest.approx([2 * float(bound) - 1 for bound in expected], abs=1e-12)


@pytest.mark.parametrize("base", [18, 50, 200])
def test_net_agreement_covers_at_small_bases_and_near_the_ends(base):
    """Exact coverage: every table there is, by its chance."""
    more, less = (grid.astype(float) for grid in np.indices((base + 1, base + 1)))
    there = more + less <= base
    more, less = more[there], less[there]
    low, high = paired_score(more, less, np.full_like(more, base))
    rest = base - more - less
    ways = gammaln(base + 1) - gammaln(more + 1) - gammaln(less + 1) - gammaln(rest + 1)
    covered = []
    for p, q in np.random.default_rng(1).dirichlet([0.7] * 3, 200)[:, :2]:
        chance = np.exp(ways + more * np.log(p) + less * np.log(q) + rest * np.log(1 - p - q))
        covered.append(chance[(low <= p - q) & (p - q <= high)].sum())
    assert 0.945 < np.mean(covered) < 0.97
    assert np.quantile(covered, 0.05) > 0.935
    assert min(covered) > 0.88


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    # With nothing on either side the bounds are those of a share of 0: z² / (n + z²).
    [
        ([0, 20, 0], -0.161125, 0.161125),
        ([0, 0, 20], 2 / 1.1920729 - 1, 1),
        ([0, 1, 0], None, None),
    ],
)
def test_net_agreement_at_the_ends(counts, low, high):
    value, *bounds = net_agreement(counts, [0], [2])
    assert -1 <= bounds[0] <= value <= bounds[1] <= 1
    assert bounds[0] < bounds[1]
    if low is not None:
        assert bounds == pytest.approx([low, high], abs=1e-5)


@given(COUNTS.filter(lambda counts: sum(counts) > 0))
def test_net_agreement_turns_with_the_scale(counts):
    last = len(counts) - 1
    value, low, high = net_agreement(counts, [0], [last])
    assert -1 <= low <= value <= high <= 1
    assert net_agreement(counts, [last], [0]) == pytest.approx((-value, -high, -low), abs=1e-9)
    apart = np.insert(np.array(counts, dtype=float), 0, 0)
    assert net_agreement(apart, [0, 1], [last + 1]) == pytest.approx((value, low, high))


def test_net_agreement_of_an_effective_base():
    whole = net_agreement([3, 10, 40, 60], **SIDES)
    half = net_agreement([1.5, 5, 20, 30], **SIDES)
    assert half[0] == pytest.approx(whole[0])
    assert half[1] < whole[1] < whole[2] < half[2]


def test_nothing_answered_and_nonsense():
    assert np.isnan(net_agreement([0, 0, 0, 0], **SIDES)).all()
    assert np.isnan(polarisation([0, 0, 0, 0])).all()
    assert np.isnan(polarisation([7])).all()
    for wrong in ([1, -1, 3], [1, np.nan, 3]):
        with pytest.raises(ValueError, match="counts"):
            net_agreement(wrong, [0], [2])
        with pytest.raises(ValueError, match="counts"):
            polarisation(wrong)
    with pytest.raises(ValueError, match="both"):
        net_agreement([1, 2, 3], [0, 1], [1, 2])


def test_polarisation_is_the_mean_distance_of_two_people():
    # Base R 4.2.2: y <- rep(1:4, c(3, 10, 40, 60)); mean(abs(outer(y, y, "-"))) / (3 / 2)
    assert polarisation([3, 10, 40, 60])[0] == pytest.approx(0.50225807, abs=1e-8)
    people = np.repeat(np.arange(5), [4, 0, 7, 2, 9])
    apart = np.abs(people[:, None] - people).mean() / 2
    assert polarisation([4, 0, 7, 2, 9])[0] == pytest.approx(apart)


def test_polarisation_at_its_limits():
    assert polarisation([0, 0, 30, 0])[:2] == (0, 0)
    assert 0 < polarisation([0, 0, 30, 0])[2] < 0.4
    value, low, high = polarisation([15, 0, 0, 15])
    assert (value, high) == (1, 1)
    assert 0.6 < low < 1
    # Two answers: 4 p (1 - p).
    assert polarisation([10, 30])[0] == pytest.approx(0.75)


@given(COUNTS.filter(lambda counts: sum(counts) > 0))
def test_polarisation_stays_inside_and_has_no_direction(counts):
    value, low, high = polarisation(counts, draws=199)
    assert 0 <= low <= value <= high <= 1
    assert polarisation(counts[::-1], draws=199)[0] == pytest.approx(value)
    assert polarisation([2 * n for n in counts], draws=199)[0] == pytest.approx(value)


@pytest.mark.parametrize("base", [18, 50, 200])
@pytest.mark.parametrize(
    ("shares", "value"),
    [
        ([0.02, 0.05, 0.33, 0.6], 4 / 3 * 0.3247),
        ([0.25, 0.25, 0.25, 0.25], 5 / 6),
        ([0.4, 0.1, 0.1, 0.4], 0.97333),
        ([0.05, 0.15, 0.5, 0.3], 0.55667),
    ],
)
def test_polarisation_covers(base, shares, value):
    rng = np.random.default_rng(4)
    found = [polarisation(rng.multinomial(base, shares), draws=499, seed=i) for i in range(400)]
    assert polarisation(np.array(shares) * 1e9, draws=9)[0] == pytest.approx(value, abs=1e-5)
    # Three standard errors of 95 % over 400 runs are 3.3 points.
    assert np.mean([low <= value <= high for _, low, high in found]) > 0.915


def test_polarisation_is_reproducible_and_the_more_certain_the_more_people():
    assert polarisation([3, 10, 40, 60]) == polarisation([3, 10, 40, 60])
    assert polarisation([3, 10, 40, 60], seed=1) != polarisation([3, 10, 40, 60])
    few, many = polarisation([3, 10, 40, 60]), polarisation([30, 100, 400, 600])
    assert many[2] - many[1] < 0.5 * (few[2] - few[1])
    narrow = polarisation([3, 10, 40, 60], confidence=0.8)
    assert few[1] < narrow[1] < narrow[2] < few[2]
