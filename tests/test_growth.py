"""Growth, its interval beside that of a Poisson regression of statsmodels on the year."""

import math

import numpy as np
import pytest
import statsmodels.api as sm

from analysis.stats.growth import growth


@pytest.mark.filterwarnings("ignore")  # a regression with as many terms as counts fits perfectly
@pytest.mark.parametrize(("before", "after"), [(40, 60), (1000, 900), (7, 7)])
def test_the_interval_of_a_small_sample_is_that_of_a_rate_ratio(before, after):
    value, low, high = growth(before, after, sampling=1e-12)
    model = sm.GLM([before, after], [[1, 0], [1, 1]], family=sm.families.Poisson()).fit()
    expected = np.exp(model.conf_int()[1])
    assert value == pytest.approx(after / before - 1)
    assert (low + 1, high + 1) == pytest.approx(expected, rel=1e-6)


def test_a_complete_count_has_no_interval_and_a_large_sample_a_narrow_one():
    assert growth(100, 110)[0] == pytest.approx(0.1)
    assert all(math.isnan(bound) for bound in growth(100, 110)[1:])
    small, large = (growth(100, 110, sampling=part) for part in (0.1, 0.9))
    assert large[2] - large[1] < small[2] - small[1]


def test_growth_from_nothing_is_not_told():
    assert all(math.isnan(number) for number in growth(0, 10, sampling=0.1))
