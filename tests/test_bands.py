"""Numbers and days in bands; means and medians against textbook and hand values."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.stats.bands import bands_of, mean, median
from analysis.stats.design import sample


@pytest.mark.parametrize(
    ("values", "whole", "names"),
    [
        ([0, 3, 1], True, ["0", "1", "2", "3"]),
        ([18, 44, 67], True, ["10_19", "20_29", "30_39", "40_49", "50_59", "60_69"]),
        ([0.5, 2.0], False, ["0.4_0.6", "0.6_0.8", "0.8_1", "1_1.2", "1.2_1.4", "1.4_1.6",
                             "1.6_1.8", "1.8_2", "2_2.2"]),
        ([7, 7], False, ["7_8"]),
        ([-3, 2], True, ["-3", "-2", "-1", "0", "1", "2"]),
    ],
)  # fmt: skip
def test_bands_of_numbers(values, whole, names):
    column = pd.Series(values, dtype="Float64")
    bands = bands_of(column, whole)
    assert list(bands.names) == names
    assert bands.cut(column).notna().all()


def test_every_value_is_in_the_band_that_names_it():
    values = pd.Series(np.random.default_rng(4).integers(0, 400, 500), dtype="Float64")
    bands = bands_of(values, True)
    for value, name in zip(values, bands.cut(values), strict=True):
        low, high = map(float, name.split("_"))
        assert low <= value <= high
    assert len(bands.names) <= 10


def test_days_are_read_by_month_then_by_year():
    days = pd.Series(pd.to_datetime(["2025-11-30", "2026-02-01", None]))
    bands = bands_of(days, False)
    assert bands.names == ("2025-11", "2025-12", "2026-01", "2026-02")
    assert list(bands.cut(days))[:2] == ["2025-11", "2026-02"]
    long = pd.Series(pd.to_datetime(["2020-01-01", "2023-06-01"]))
    assert bands_of(long, False).names == ("2020", "2021", "2022", "2023")
    assert list(bands_of(long, False).cut(long)) == ["2020", "2023"]


def test_nothing_answered_has_one_empty_band():
    assert bands_of(pd.Series([], dtype="Float64"), True).cut(pd.Series([], dtype="Float64")).empty
    assert np.isnan(mean(pd.Series([], dtype=float))[0])
    assert np.isnan(median(pd.Series([], dtype=float))[0])


def test_mean_has_the_interval_of_the_t_test():
    values = pd.Series([3.0, 5, 8, 13, 21, 2])
    found = stats.ttest_1samp(values, 0).confidence_interval()
    assert mean(values) == pytest.approx((values.mean(), found.low, found.high))


def test_median_has_the_interval_of_order_statistics():
    # n = 10: the 2nd and the 9th values bound the median at 97.9 % (Conover 1999, table of the
    # binomial), the 3rd and the 8th only at 89.1 %.
    assert median(pd.Series(range(1, 11), dtype=float)) == (5.5, 2.0, 9.0)


def test_a_median_under_equal_weights_is_that_of_the_people():
    values = pd.Series(np.random.default_rng(1).normal(size=401))
    found = median(values, sample(pd.DataFrame(index=values.index), np.ones(401) * values**0))
    plain = median(values)
    assert found[0] == pytest.approx(plain[0])
    assert found[1:] == pytest.approx(plain[1:], abs=0.05)
