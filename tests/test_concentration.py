"""The Gini index beside published values."""

import math

import pytest

from analysis.stats.concentration import gini

# Example of the R package ineq (Zeileis, https://cran.r-project.org/package=ineq): ineq(x) prints
# 0.4620911.
INEQ = [541, 1463, 2445, 3438, 4437, 5401, 6392, 8304, 11904, 22261]


def test_the_example_of_ineq():
    assert gini(INEQ) == pytest.approx(0.4620911, abs=5e-8)
    assert gini(INEQ[::-1]) == gini(INEQ)


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [([5, 5, 5], 0), ([0, 0, 0, 8], 0.75), ([1, 2, 3, 4], 0.25), ([7], 0)],
)
def test_known_values(amounts, expected):
    assert gini(amounts) == pytest.approx(expected)


@pytest.mark.parametrize("amounts", [[], [0, 0]])
def test_nothing_to_share(amounts):
    assert math.isnan(gini(amounts))
