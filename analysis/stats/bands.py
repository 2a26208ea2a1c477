"""Numbers and days put into bands, and the mean and the median of a number."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from analysis.stats.design import Sample
from analysis.stats.intervals import korn_graubard

# Whole numbers up to this many are shown one by one, and days up to this many months by month.
ONE_BY_ONE, MONTHS = 12, 24
# About how many bands a number is cut into otherwise.
WANTED = 8
Bounds = tuple[float, float, float]


@dataclass(frozen=True)
class Bands:
    """Names of bands in their order, and what puts values into them.

    A band of whole numbers is named by its first and last one (10_19, or 3 alone), one of other
    numbers by its ends, the second outside (2.5_5); days by month (2025-03) or by year (2025).
    edges: where bands begin and the last one ends; none for days.
    """

    names: tuple[str, ...]
    edges: tuple[float, ...] = ()

    def cut(self, values: pd.Series) -> pd.Series:
        """Values by band, as an ordered categorical."""
        kind = pd.CategoricalDtype(list(self.names), ordered=True)
        if self.edges:
            numbers = values.astype("Float64").astype(float)
            return pd.cut(numbers, list(self.edges), right=False, labels=list(self.names)).astype(
                kind
            )
        texts = values.dt.strftime("%Y" if self._years else "%Y-%m")
        return texts.astype(kind)

    @property
    def _years(self) -> bool:
        return all(len(name) == 4 for name in self.names)


def bands_of(values: pd.Series, whole: bool) -> Bands:
    """Bands for a column of numbers, or of days (datetime64). whole: whether only whole numbers
    may be answered."""
    known = values.dropna()
    if pd.api.types.is_datetime64_any_dtype(values):
        return _of_days(known)
    if known.empty:
        return Bands(("0",), (0.0, 1.0))
    low, high = float(known.min()), float(known.max())
    if whole and high - low < ONE_BY_ONE:
        first, last = int(low), int(high)
        numbers = range(first, last + 1)
        return Bands(tuple(map(str, numbers)), tuple(map(float, range(first, last + 2))))
    step = _step((high - low) / WANTED, whole)
    first, last = math.floor(low / step), math.floor(high / step)
    edges = [round(n * step, 10) for n in range(first, last + 2)]
    ends = [edge - 1 for edge in edges[1:]] if whole else edges[1:]
    names = [f"{a:g}_{b:g}" for a, b in zip(edges[:-1], ends, strict=True)]
    return Bands(tuple(names), tuple(edges))


def _of_days(days: pd.Series) -> Bands:
    if days.empty:
        return Bands(("0000",))
    months = pd.period_range(days.min(), days.max(), freq="M")
    if len(months) <= MONTHS:
        return Bands(tuple(str(month) for month in months))
    return Bands(tuple(str(year) for year in range(days.min().year, days.max().year + 1)))


def _step(width: float, whole: bool) -> float:
    """The first of 1, 2, 5 times a power of ten that is at least this width."""
    if width <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(width))
    step = next(power * n for n in (1, 2, 5, 10) if power * n >= width * (1 - 1e-9))
    return max(step, 1.0) if whole else step


def mean(values: pd.Series, sample: Sample | None = None) -> Bounds:
    """Mean of a number with its 95 % interval: Student's, or linearised under a survey design."""
    numbers = values.dropna().astype(float)
    if numbers.empty:
        return np.nan, np.nan, np.nan
    if sample is None:
        value, df = float(numbers.mean()), len(numbers) - 1
        variance = float(numbers.var(ddof=1)) / len(numbers) if df else np.nan
    else:
        found = sample.mean(numbers)
        value, variance, df = float(found.value[0]), float(found.variance[0]), found.df
    half = float(stdtrit(max(df, 1), 0.975)) * math.sqrt(variance)
    return value, value - half, value + half


def median(values: pd.Series, sample: Sample | None = None) -> Bounds:
    """Median of a number with its 95 % interval.

    From the order statistics (Conover 1999, *Practical Nonparametric Statistics*, through scipy),
    or under a survey design that of Woodruff (1952, JASA 47): the interval of the share below the
    median, read back on the values. A bound that the sample is too small for is missing.
    """
    numbers = values.dropna().astype(float).sort_values(kind="stable")
    if numbers.empty:
        return np.nan, np.nan, np.nan
    if sample is None:
        # scipy.stats takes longer to import than many a build, and few studies ask for numbers.
        from scipy.stats import quantile_test  # noqa: PLC0415

        found = quantile_test(numbers.to_numpy(), q=0, p=0.5).confidence_interval(0.95)
        return float(numbers.median()), float(found.low), float(found.high)
    weights = sample.weigh(numbers.index)
    below = np.cumsum(weights) / weights.sum()
    value = _at(numbers, below, 0.5)
    under = sample.shares(pd.DataFrame({"under": numbers <= value}))
    df, effective = np.array([under.df], dtype=float), np.array([under.effective])
    half = np.array([0.5])
    low, high = korn_graubard(half, under.variance, np.array([under.n]), df, effective)
    return value, _at(numbers, below, float(low[0])), _at(numbers, below, float(high[0]))


def _at(numbers: pd.Series, below: np.ndarray, share: float) -> float:
    place = min(int(np.searchsorted(below, share)), len(numbers) - 1)
    return float(numbers.iloc[place])
