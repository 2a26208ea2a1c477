"""Disclosure control, and an attack on what it lets out that shares no code with it."""

from __future__ import annotations

import dataclasses

import made_up
import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog
from scipy.sparse import csr_array

from analysis import chapters
from analysis.chapters import crosses
from analysis.chapters.data import Data
from analysis.definition import Disclosure
from analysis.release.disclosure.attack import Needs, Published, ranges
from analysis.release.disclosure.complementary import Task, protect
from analysis.release.disclosure.control import decide
from analysis.release.disclosure.primary import tells
from analysis.release.disclosure.rounding import nearest
from analysis.study import Study

QUESTIONS = ["status", "age", "satisfaction", "training_hours"]
ROLES = [
    "battery", "motivation", "objective", "job", "ai_use", "provider", "practice", "comment",
    "practice_benefit", "non_use_reason", "comment_theme", "informal_learning",
    "dissatisfaction_reason", "satisfaction_reason", "consumption",
]  # fmt: skip
NAMES = ["population", "variable", "by", "by_category", "base_kind"]


def small(national: Study, asked: list[str]) -> Study:
    """The national study with a few questions, as a region's whose answers are not public."""
    definition, form = national.definition, national.questionnaire
    gone = dict.fromkeys(ROLES) | {"profile": ["status"], "settings": None}
    changed = definition.model_copy(
        update={
            "disclosure": Disclosure(), "synthetic": False, "tables": {}, "headlines": [],
            "pairs": [], "roles": definition.roles.model_copy(update=gone),
        }
    )  # fmt: skip
    kept = {name: form[name] for name in asked}
    return dataclasses.replace(
        national, definition=changed, questionnaire=dataclasses.replace(form, questions=kept)
    )


def released(study: Study, people: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows as computed, and the same as they leave the gate."""
    tables = {n: t for n, t in made_up.tables(study, people, seed).items() if n != "actions"}
    data = Data(study, tables)
    estimates = chapters.estimate(data)
    counted = crosses.estimates(data)
    nothing = pd.DataFrame(columns=chapters.TEST_COLUMNS)
    measures = pd.DataFrame(columns=chapters.MEASURE_COLUMNS)
    decided = decide(data, estimates, counted, nothing, measures)
    true = pd.concat([estimates, counted], keys=["estimates", "crosses"])
    count = pd.concat([decided.estimates.count, decided.crosses.count])
    base = pd.concat([decided.estimates.base, decided.crosses.base])
    count, base = (each.to_numpy(dtype=bool) for each in (count, base))
    out = true.assign(count=true["count"].mask(count), base_n=true["base_n"].mask(base))
    return true, out


class Auditor:
    """Reads what is published, writes down every sum it sees, and asks a solver for ranges."""

    def __init__(self, out: pd.DataFrame, sets: dict[str, dict[str, list[str]]]) -> None:
        self.known: dict[tuple, float] = {}
        self.places: dict[tuple, int] = {}
        self.equal: list[dict[tuple, float]] = []
        self.less: list[dict[tuple, float]] = []
        self.sets = sets
        rows = out[~out["variable"].isin(["left_before", "item_nonresponse", "question_base"])]
        rows = rows[rows["base_kind"].isin(["respondents", "concerned"])]
        for names, table in rows.groupby(NAMES, sort=False):
            self.table(names, table.drop_duplicates("category"))
        for names, group in rows[rows["by"] != ""].groupby(
            ["population", "variable", "by", "base_kind", "category"], sort=False
        ):
            self.margin(names, group.drop_duplicates("by_category"))

    def see(self, key: tuple, number: float) -> tuple:
        self.places.setdefault(key, len(self.places))
        if not np.isnan(number):
            self.known[key] = number
        return key

    def table(self, names: tuple, table: pd.DataFrame) -> None:
        base = self.see((*names, None), table["base_n"].iloc[0])
        cells = {row.category: self.see((*names, row.category), row.count_)
                 for row in table.rename(columns={"count": "count_"}).itertuples()}  # fmt: skip
        for cell in cells.values():
            self.less.append({cell: 1.0, base: -1.0})
        sets = self.sets.get(names[1], {})
        if names[1] in ("status", "age", "training_hours", "satisfaction"):
            self.equal.append({base: -1.0} | {c: 1.0 for n, c in cells.items() if n not in sets})
            for name, members in sets.items():
                if name in cells:
                    self.equal.append({cells[name]: -1.0} | {cells[m]: 1.0 for m in members})

    def margin(self, names: tuple, group: pd.DataFrame) -> None:
        population, variable, by, kind, category = names
        whole = (population, variable, "", "", kind, category)
        if by in ("status", "age", "training_hours") and whole in self.places:
            parts = [(population, variable, by, each, kind, category)
                     for each in group["by_category"]]  # fmt: skip
            self.less.append({whole: -1.0} | dict.fromkeys(parts, 1.0))

    def width(self, key: tuple) -> float:
        """Between the lowest and the highest number that fits what is published."""
        size = len(self.places)
        bounds = [(0.0, 10_000.0)] * size
        for known, number in self.known.items():
            bounds[self.places[known]] = (number, number)
        equal, less = self.matrix(self.equal), self.matrix(self.less)
        ends = []
        for sign in (1.0, -1.0):
            objective = np.zeros(size)
            objective[self.places[key]] = sign
            found = linprog(
                objective, A_eq=equal, b_eq=np.zeros(equal.shape[0]), A_ub=less,
                b_ub=np.zeros(less.shape[0]), bounds=bounds,
            )  # fmt: skip
            assert found.status == 0
            ends.append(found.x[self.places[key]])
        return ends[1] - ends[0]

    def matrix(self, rows: list[dict[tuple, float]]) -> csr_array:
        at = [n for n, row in enumerate(rows) for _ in row]
        columns = [self.places[key] for row in rows for key in row]
        entries = [c for row in rows for c in row.values()]
        return csr_array((entries, (at, columns)), shape=(len(rows), len(self.places)))


@pytest.mark.parametrize(("people", "seed"), [(110, 4)])
def test_an_attack_finds_no_hidden_count_closer_than_the_tolerance(national, people, seed):
    study = small(national, QUESTIONS)
    true, out = released(study, people, seed)
    people_rows = out["base_kind"].isin(["respondents", "concerned", "mentions"])
    told = out.loc[people_rows, ["count", "base_n"]].stack()
    assert not ((told > 0) & (told < 10)).any()
    hidden = out[people_rows & out["count"].isna() & (true["count"] > 0)]
    assert 0 < len(hidden) < people_rows.sum()
    sets = {v: {n: list(s.answers) for n, s in items.items()}
            for v, items in study.definition.answer_sets.items()}  # fmt: skip
    auditor = Auditor(out, sets)
    keys = dict.fromkeys((*row[:5], row[5]) for row in
                         hidden[[*NAMES, "category"]].itertuples(index=False))  # fmt: skip
    wanted = [key for key in keys if key in auditor.places and key not in auditor.known]
    assert len(wanted) > 10
    rng = np.random.default_rng(0)
    for key in rng.permutation(len(wanted))[:60]:
        assert auditor.width(wanted[key]) >= 5 - 1e-6, wanted[key]


def test_without_disclosure_control_the_attack_succeeds(national):
    """The auditor can find what is hidden: with the small counts alone left out, it does."""
    study = small(national, QUESTIONS)
    true, _ = released(study, 70, 3)
    few = (true["count"] > 0) & (true["count"] < 10)
    sets = {v: {n: list(s.answers) for n, s in items.items()}
            for v, items in study.definition.answer_sets.items()}  # fmt: skip
    auditor = Auditor(true.assign(count=true["count"].mask(few)), sets)
    wanted = [key for key in auditor.places if key not in auditor.known][:40]
    assert min(auditor.width(key) for key in wanted) < 1e-6


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
    task = Task(published, value == 3, value == 0, needs, 5 * np.sign(value), cost)
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
    task = Task(published, few, value == 0, needs, 5 * np.sign(value), 1 + value)
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


def test_rounding_is_to_the_nearest_multiple():
    found = nearest(pd.Series([0, 12, 13, 17.5, np.nan]), 5)
    assert found.tolist()[:4] == [0, 10, 15, 20] and np.isnan(found.iloc[4])
