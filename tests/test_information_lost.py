"""How much is withheld beside, on tables that the documentation of another package protects.

easySdcTable (Langsrud, Statistics Norway), vignette "Introduction to easySdcTable", data z2: counts
of regions by four kinds of support. What it prints as suppressed: `ex2w$suppressed` (method Gauss,
counts up to 3 and zeros primary) and `ex2wAdvanced$suppressed` (method SIMPLEHEURISTIC of sdcTable,
counts 1 and 2 primary, with totals of counties and of groups of municipalities).
https://statisticsnorway.github.io/ssb-easysdctable/articles/easySdcTableVignette.html
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.sparse import csr_array

from analysis.release.disclosure.attack import Needs, Published, ranges
from analysis.release.disclosure.complementary import Task, protect

KINDS = ["annet", "arbeid", "soshjelp", "trygd"]
# Region: county, group, counts by kind.
Z2 = {
    "A": (1, 300, 11, 11, 55, 36), "B": (4, 300, 7, 1, 29, 18), "C": (5, 300, 5, 8, 35, 25),
    "D": (5, 300, 13, 2, 17, 13), "E": (6, 300, 9, 14, 63, 52), "F": (6, 300, 12, 9, 24, 22),
    "G": (8, 300, 6, 4, 22, 8), "H": (8, 300, 9, 3, 38, 15), "I": (1, 400, 3, 0, 9, 2),
    "J": (10, 400, 9, 0, 32, 20), "K": (10, 400, 4, 2, 18, 11),
}  # fmt: skip
# Cells they print as suppressed: places of kinds (4: the total) by line.
GAUSS = {"B": (0, 1), "D": (0, 1), "G": (1, 3), "H": (0, 1), "I": (0, 1, 3), "J": (0, 1),
         "K": (0, 1)}  # fmt: skip
SIMPLE = {
    "A": (0, 3), "B": (0, 1, 3), "C": (0, 1), "D": (0, 1), "G": (1, 3), "H": (1, 3), "I": (0, 3),
    "K": (0, 1, 3), "county 4": (0, 1, 3), "county 10": (0, 1, 3), "group 300": (0, 1),
    "group 400": (0, 1),
}  # fmt: skip


def lines(linked: bool) -> dict[str, list[str]]:
    """What each line is the sum of; nothing of a region."""
    found: dict[str, list[str]] = {region: [] for region in Z2}
    if linked:
        for region, (county, group, *_) in Z2.items():
            found.setdefault(f"county {county}", []).append(region)
            found.setdefault(f"group {group}", []).append(region)
    return found | {"total": list(Z2)}


def table(linked: bool) -> tuple[list[str], np.ndarray, csr_array]:
    """Lines, their cells (the total of the kinds last), and every sum of them."""
    parts = lines(linked)
    names = list(parts)
    own = {name: np.array(row[2:]) for name, row in Z2.items()}
    own |= {name: sum(own[r] for r in regions) for name, regions in parts.items() if regions}
    cells = np.array([[*own[name], own[name].sum()] for name in names], dtype=float)
    at = np.arange(cells.size).reshape(cells.shape)
    sums = []
    for place, name in enumerate(names):
        sums.append({at[place, 4]: -1.0} | {at[place, kind]: 1.0 for kind in range(4)})
        for kind in range(5):
            if parts[name]:
                regions = {at[names.index(region), kind]: 1.0 for region in parts[name]}
                sums.append(regions | {at[place, kind]: -1.0})
    matrix = np.zeros((len(sums), cells.size))
    for row, told in enumerate(sums):
        matrix[row, list(told)] = list(told.values())
    return names, cells, csr_array(matrix)


def ours(cells: np.ndarray, sums: csr_array, primary: np.ndarray, cost: np.ndarray) -> np.ndarray:
    """What we withhold: no count withheld, for itself or beside, can be worked out."""
    value, nothing = cells.ravel(), np.zeros(cells.size)
    published = Published(value, sums, np.full(cells.size, value.max() * 2))
    zeros = (value == 0) & ~primary
    none = np.array([], dtype=np.intp)
    task = Task(
        published, primary.copy(), zeros, np.zeros_like(zeros),
        Needs(nothing, nothing, np.where(primary, 1.0, 0.0)), np.ones(cells.size), cost,
        (none, none),
    )  # fmt: skip
    return protect(task)


def theirs(names: list[str], shape: tuple[int, ...], suppressed: dict) -> np.ndarray:
    found = np.zeros(shape, dtype=bool)
    for name, kinds in suppressed.items():
        found[names.index(name), list(kinds)] = True
    return found.ravel()


LOSSES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "cells": np.ones_like, "counts": lambda value: value + 0.01
}  # fmt: skip


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(
    ("linked", "suppressed", "is_primary"),
    [(False, GAUSS, lambda v: v <= 3), (True, SIMPLE, lambda v: (v > 0) & (v <= 2))],
    ids=["one table", "two linked tables"],
)
def test_no_more_is_withheld_than_by_easysdctable(loss, linked, suppressed, is_primary):
    """At the protection that theirs gives: no withheld count can be worked out."""
    names, cells, sums = table(linked)
    value, primary = cells.ravel(), is_primary(cells.ravel())
    printed = theirs(names, cells.shape, suppressed)
    assert (printed | ~primary).all()  # read as printed: all small counts are among theirs
    hidden = ours(cells, sums, primary, LOSSES[loss](value))
    lost = {name: float(LOSSES[loss](value)[flags & ~primary].sum())
            for name, flags in (("ours", hidden), ("theirs", printed))}  # fmt: skip
    assert lost["ours"] <= lost["theirs"], lost
    published = Published(value, sums, np.full(cells.size, value.max() * 2))
    for flags in (hidden, printed):  # of neither does any withheld count follow
        low, high = ranges(published, flags, np.flatnonzero(flags)).T
        assert (high - low >= 1).all()
