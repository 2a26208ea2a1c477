"""P values adjusted for the tests that are read together."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]

TABLE = ["chapter", "table", "population"]
KEY = [*TABLE, "variable", "by", "test"]
COLUMNS = [*KEY, "adjustment", "family", "tests", "p_value", "p_adjusted"]


def holm(p_values: pd.Series) -> pd.Series:
    """P values that hold the chance of any false finding among them, on the same index.

    A missing p is of no test: it stays missing and counts for none.
    Source: Holm (1979), Scand. J. Statistics 6, 65; the same as `p.adjust(method = "holm")` of R.
    """
    return _of_those_there(p_values, _holm)


def benjamini_hochberg(p_values: pd.Series) -> pd.Series:
    """P values that hold the share of false findings among all findings, on the same index.

    A missing p is of no test: it stays missing and counts for none.
    Source: Benjamini & Hochberg (1995), JRSS B 57, 289; as `p.adjust(method = "BH")` of R.
    """
    return _of_those_there(p_values, _benjamini_hochberg)


def adjust(tests: pd.DataFrame) -> pd.DataFrame:
    """Each test adjusted within its question (Holm) and its chapter (Benjamini-Hochberg).

    tests: chapter, table, population, variable, by, test, effect, p_value, one row a test, those of
    a table in the order they are read. The tables of one question (population, variable), which
    differ in their groups, are a family for Holm; those of a chapter are one for
    Benjamini-Hochberg. Several tests of a table ask one question: the first leads and counts, and
    each other is adjusted as if it stood in its place. A test without an effect (of an assumption)
    or without a p is in no family.

    Returns two rows a test: its key (KEY), adjustment (`holm`, `benjamini_hochberg`), family (the
    variable or the chapter; empty where in none), tests (how many the family has), p_value,
    p_adjusted (NaN where in none).
    """
    asked = _asked(tests)
    question = _adjusted(tests, asked, ["population", "variable"], _holm)
    chapter = _adjusted(tests, asked, ["chapter"], _benjamini_hochberg)
    both = pd.concat([question.assign(adjustment="holm"),
                      chapter.assign(adjustment="benjamini_hochberg")])  # fmt: skip
    # A test keeps its place, its two rows one after the other.
    places = np.tile(np.arange(len(tests)), 2).argsort(kind="stable")
    return both.iloc[places][COLUMNS].reset_index(drop=True)


def _asked(tests: pd.DataFrame) -> pd.Series:
    """Whether a test asks for an association and has an answer."""
    return tests["p_value"].notna() & tests["effect"].fillna("").ne("")


def _adjusted(
    tests: pd.DataFrame, asked: pd.Series, family: list[str], method: Callable[[Array], Array]
) -> pd.DataFrame:
    """The tests with the name and size of their family and the adjusted p."""
    inside = tests[asked].assign(place=np.flatnonzero(asked))
    named = np.full(len(tests), "", dtype=object)
    sizes, adjusted = np.zeros(len(tests), dtype=int), np.full(len(tests), np.nan)
    for _, rows in inside.groupby(family, sort=False, dropna=False):
        table, leads = _tables(rows)
        # One line a test: the family with this test in the place of its lead.
        lines = np.tile(leads, (len(rows), 1))
        lines[np.arange(len(rows)), table] = rows["p_value"]
        places = rows["place"].to_numpy()
        adjusted[places] = method(lines)[np.arange(len(rows)), table]
        named[places], sizes[places] = rows[family[-1]], len(leads)
    return tests[[*KEY, "p_value"]].assign(family=named, tests=sizes, p_adjusted=adjusted)


def _tables(rows: pd.DataFrame) -> tuple[NDArray[np.intp], Array]:
    """The number of the table of each test, and the p value that leads each table."""
    groups = rows.groupby(TABLE, sort=False, dropna=False)
    numbers: NDArray[np.intp] = groups.ngroup().to_numpy().astype(np.intp)
    leads: Array = groups["p_value"].first().to_numpy(dtype=float)
    return numbers, leads


def _of_those_there(p_values: pd.Series, method: Callable[[Array], Array]) -> pd.Series:
    there = p_values.notna()
    adjusted = pd.Series(np.nan, index=p_values.index, dtype=float, name=p_values.name)
    adjusted[there] = method(p_values[there].to_numpy(dtype=float))
    return adjusted


def _holm(p: Array) -> Array:
    """Along the last axis: the k-th smallest p times the tests not smaller, never falling."""
    order = np.argsort(p, axis=-1)
    steps = np.take_along_axis(p, order, axis=-1) * np.arange(p.shape[-1], 0, -1)
    return _back(np.maximum.accumulate(steps, axis=-1), order)


def _benjamini_hochberg(p: Array) -> Array:
    """Along the last axis: the k-th smallest p times the tests over k, never falling."""
    m = p.shape[-1]
    order = np.argsort(p, axis=-1)
    steps = np.take_along_axis(p, order, axis=-1) * (m / np.arange(1, m + 1))
    return _back(np.minimum.accumulate(steps[..., ::-1], axis=-1)[..., ::-1], order)


def _back(steps: Array, order: NDArray[np.intp]) -> Array:
    """Adjusted values in the order of the tests, at most 1."""
    adjusted = np.empty_like(steps)
    np.put_along_axis(adjusted, order, steps.clip(max=1), axis=-1)
    return adjusted
