"""Disclosure control: which cells are hidden, and how safe they are. Attacks: test_attack."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

from analysis.definition import Disclosure
from analysis.release.disclosure.attack import Needs, Published, ranges
from analysis.release.disclosure.complementary import Task, protect
from analysis.release.disclosure.primary import tells, untold
from analysis.release.disclosure.rounding import nearest

NO_BASES = np.zeros(0, dtype=int), np.zeros(0, dtype=int)


def test_one_hidden_cell_of_a_table_takes_a_rectangle_with_it():
    """Three by three with its margins: nothing less than four cells protects one (Willenborg and
    de Waal 2001, section 7)."""
    counts = np.array([[3, 20, 30], [25, 40, 50], [35, 45, 60]])
    table = np.zeros((4, 4))
    table[:3, :3] = counts
    table[3, :3], table[:3, 3], table[3, 3] = counts.sum(0), counts.sum(1), counts.sum()
    at = np.arange(16).reshape(4, 4)
    sums = np.zeros((8, 16))
    for n in range(4):
        sums[n, at[n, :3]], sums[n, at[n, 3]] = 1, -1
        sums[4 + n, at[:3, n]], sums[4 + n, at[3, n]] = 1, -1
    value = table.ravel()
    need = np.where(value == 3, 5.0, 0.0)
    published = Published(value, csr_array(sums), np.full(16, 400.0))
    cost = 1 + value + 1_000 * np.isin(np.arange(16), [*at[3], *at[:, 3]])
    needs = Needs(0 * need, 0 * need, need)
    task = Task(
        published, value == 3, value == 0, value < 0, needs, 5 * np.sign(value), cost, NO_BASES
    )
    hidden = protect(task)
    assert hidden.sum() == 4
    ((low, high),) = ranges(published, hidden, np.array([0]))
    assert high - low >= 5


@pytest.mark.parametrize("seed", range(20))
def test_what_is_hidden_without_work_left_is_as_safe(seed):
    """Tables of three by five with small counts, where no search for the cheapest is allowed."""
    rng = np.random.default_rng(seed)
    table = np.zeros((4, 6))
    table[:3, :5] = rng.integers(0, 40, (3, 5))
    table[3], table[:, 5] = table.sum(0), table.sum(1)
    table[3, 5] = table[3, :5].sum()
    at, value = np.arange(24).reshape(4, 6), table.ravel()
    sums = np.zeros((10, 24))
    for n in range(4):
        sums[n, at[n, :5]], sums[n, at[n, 5]] = 1, -1
    for n in range(6):
        sums[4 + n, at[:3, n]], sums[4 + n, at[3, n]] = 1, -1
    few = (value > 0) & (value < 10)
    need = np.where(few, 5.0, 0.0)
    published = Published(value, csr_array(sums), np.full(24, 900.0))
    needs = Needs(0 * need, 0 * need, need)
    task = Task(
        published, few, value == 0, value < 0, needs, 5 * np.sign(value), 1 + value, NO_BASES
    )
    hidden = protect(task, few=0)
    assert hidden[few].all() and few.any()
    found = ranges(published, hidden & (value > 0), np.flatnonzero(few))
    assert (found[:, 1] - found[:, 0] >= 5).all()


def test_amounts_of_a_few_are_told_by_n_k_and_p():
    """Hundepool et al. (2012), 4.2.2: of 100, 50 and 45 leave 5, a tenth of the largest or less."""
    rules = Disclosure()
    assert tells([50, 45, 5], 100, rules)  # n-k: 95 % of two
    assert not tells([30, 20, 15, 15, 20], 100, rules)
    alone = Disclosure(dominance={"n": 1, "k": 1.0})
    assert tells([60, 35, 5], 100, alone)  # p %: 5 left, less than 6
    assert not tells([50, 40, 10], 100, alone)


def test_amounts_whose_contributions_are_not_known_are_told_apart():
    rows = pd.DataFrame(
        {
            "base_kind": ["hours", "cost", "hours", "actions", "actions", "actions", "respondents"],
            "method": ["count", "count", "count", "mean", "mean", "count", "mean"],
            "largest": [None, np.nan, (3.0, 2.0), None, (9.0,), None, None],
        }
    )
    assert untold(rows).tolist() == [True, True, False, True, False, False, False]
    assert untold(rows.drop(columns="largest")).tolist() == [*[True] * 5, False, False]


def test_rounding_is_to_the_nearest_multiple():
    found = nearest(pd.Series([0, 12, 13, 17.5, np.nan]), 5)
    assert found.tolist()[:4] == [0, 10, 15, 20] and np.isnan(found.iloc[4])
