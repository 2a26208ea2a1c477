"""Disclosure control of a whole study: what each row of results may show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.chapters.data import Data
from analysis.definition import Disclosure
from analysis.release.disclosure import linked
from analysis.release.disclosure.attack import Needs, Published
from analysis.release.disclosure.cells import NO_ANSWER, Key, Reader, box_of
from analysis.release.disclosure.complementary import Flags, Task, protect
from analysis.release.disclosure.people import FLOW, MISSING, Values
from analysis.release.disclosure.primary import (
    AMOUNTS,
    UNITS,
    dominated,
    small,
    small_bases,
    small_counts,
    untold,
)
from analysis.release.disclosure.relations import System, relate, sums_of_rows

# What a number is worth: that of everyone, that of a group, that of the explorer, a measure.
EVERYONE, GROUP, EXPLORER, MEASURE = 20.0, 5.0, 1.0, 0.5
PRIMARY, COMPLEMENTARY = ["dominance", "hidden_count", "hidden_base"], "complementary"
ASKED = "question_base"
LEFT, PARTIAL = "left_before", frozenset({1, 3})


@dataclass(frozen=True)
class Control:
    """What may be shown of each row, on the rows' index.

    count, base: hidden or not. reason: the rule that hides it, empty where nothing does
    (`hidden_count`, `hidden_base`, `dominance`, `complementary`).
    """

    count: pd.Series
    base: pd.Series
    reason: pd.Series


@dataclass(frozen=True)
class Decided:
    """What may be shown of every table of results. tests, measures: shown or not; facts: the rules
    and how many numbers they withhold, as rows of facts."""

    estimates: Control
    crosses: Control
    tests: pd.Series
    measures: pd.Series
    facts: pd.DataFrame


def decide(
    data: Data,
    estimates: pd.DataFrame,
    crosses: pd.DataFrame,
    tests: pd.DataFrame,
    measures: pd.DataFrame,
) -> Decided:
    """Decide for all tables of results together, as they were computed."""
    rules = data.study.definition.disclosure
    if rules is None or rules.public:
        every_test = pd.Series(True, index=tests.index)
        every_measure = pd.Series(True, index=measures.index)
        least = 0 if rules else data.study.definition.thresholds.suppressed_base
        alone = [_bases_alone(frame, least) for frame in (estimates, crosses)]
        return Decided(alone[0], alone[1], every_test, every_measure, _facts(rules, None, None))
    own = linked.counted(data, measures)
    parts = {"estimates": estimates, "crosses": crosses, "measures": own}
    rows = pd.concat([f.assign(origin=name) for name, f in parts.items()], keys=parts)
    places = rows.index
    every = _controlled(data, rows)
    of = {}
    for name, frame in parts.items():
        part = every[places.get_level_values(0) == name].droplevel(0).reindex(frame.index)
        of[name] = Control(part["count"], part["base"], part["reason"])
    results = rows[rows["origin"] != "measures"]
    shown = linked.Shown(results, every.loc[results.index, "count"])
    tested = linked.tests_shown(tests, shown)
    return Decided(
        of["estimates"],
        of["crosses"],
        tested,
        ~measures["base_kind"].isin(UNITS)
        & linked.measures_shown(
            measures,
            shown,
            of["measures"].count,
            rules,
            linked.Batteries(data.study.sides, frozenset(_of_two(data))),
        ),
        _facts(rules, every.loc[results.index, "reason"], tested),
    )


def _controlled(data: Data, rows: pd.DataFrame) -> pd.DataFrame:
    """Control of rows of results, on their index. What cannot be tested is withheld, and is then
    known to nobody: it takes no part in the system."""
    apart = untold(rows)
    found = control(data, rows[~apart].reset_index(drop=True))
    every = pd.DataFrame(vars(found)).set_axis(rows.index[~apart]).reindex(rows.index)
    every.loc[apart, ["count", "base"]] = True
    every.loc[apart, "reason"] = "dominance"
    return every.astype({"count": bool, "base": bool})


def _bases_alone(frame: pd.DataFrame, least: int) -> Control:
    """Where a study declares no disclosure control: small bases of shares, and nothing beside."""
    sampled = ~frame["method"].isin(["count", "mean"])
    people = frame["base_kind"].isin(["respondents", "concerned"])
    hidden = people & sampled & small(frame["base_n"], least)
    return Control(hidden, hidden, hidden.map({True: "hidden_base", False: ""}))


def _facts(
    rules: Disclosure | None, reasons: pd.Series | None, tests: pd.Series | None
) -> pd.DataFrame:
    """The rules applied; how many numbers are withheld, for themselves and beside them; how many
    tests are."""
    if rules is None:
        return pd.DataFrame(columns=["variable", "category", "value"])
    rows = [("public", str(rules.public).lower())]
    if reasons is not None and tests is not None:
        rows += [
            ("minimum_count", str(rules.minimum_count)),
            ("minimum_base", str(rules.minimum_base)),
            ("tolerance", str(rules.tolerance)),
            ("rounding", str(rules.rounding or "")),
            ("rows", str(len(reasons))),
            ("primary", str(int(reasons.isin(PRIMARY).sum()))),
            ("complementary", str(int((reasons == COMPLEMENTARY).sum()))),
            ("tests", str(len(tests))),
            ("tests_withheld", str(int((~tests).sum()))),
        ]
    return pd.DataFrame(
        [("disclosure", *row) for row in rows], columns=["variable", "category", "value"]
    )


def control(data: Data, rows: pd.DataFrame) -> Control:
    """Decide for rows of results: estimates, then crosses, then measures that count people.

    rows: columns of estimates, `origin` (estimates, crosses, measures) and, of measures, `cell_key`
    and `base_key`.
    """
    rules = data.study.definition.disclosure or Disclosure()
    reader, system = Reader(data), System()
    cell, base = _system(data, rows, reader, system)
    first = pd.DataFrame(
        {
            "hidden_base": small_bases(rows, rules),
            "hidden_count": small_counts(rows, rules),
            "dominance": dominated(rows, rules),
        }
    )
    hidden = protect(_task(system, rows, cell, base, first, rules, reader))
    of_cell, of_base = (pd.Series(hidden[at], index=rows.index) for at in (cell, base))
    of_base |= _index_bases(data, rows, of_base) | _left_out(rows, of_cell | of_base)
    of_cell |= of_base | first.any(axis=1)
    return Control(of_cell, of_base, _reason(first, of_cell))


def _reason(first: pd.DataFrame, hidden: pd.Series) -> pd.Series:
    found = pd.Series("", index=hidden.index).mask(hidden, COMPLEMENTARY)
    for name in PRIMARY:
        found = found.mask(first[name], name)
    return found


def _system(
    data: Data, rows: pd.DataFrame, reader: Reader, system: System
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Put cells and relations of the rows into a system; which cell is the count and the base of
    each."""
    keys = _keys(reader, rows)
    counts, bases = rows["count"].to_numpy(float), rows["base_n"].to_numpy(float)
    checked: dict[Key, bool] = {}
    cell, base = np.empty(len(rows), dtype=np.intp), np.empty(len(rows), dtype=np.intp)
    for n, (read, of) in enumerate(keys):
        own: Key = read if _holds(reader, read, counts[n], checked) else ("cell", n)
        holds = _holds(reader, of, bases[n], checked)
        whole: Key = of if holds else ("base", tuple(rows.iloc[n][_TABLE]))
        if whole[0] == "base":
            whole = ("base", (whole[1], bases[n]))
        cell[n] = system.add(own, np.nan_to_num(counts[n]), shown=True)
        base[n] = system.add(whole, np.nan_to_num(bases[n]), shown=True)
    relate(system, reader.people, _neutral(data, reader))
    unknown = np.array([_is_unknown(own) for own, _ in keys])
    sets = {(v, s) for v, items in data.study.definition.answer_sets.items() for s in items}
    told = rows.assign(cell=cell, base=base)[unknown & (rows["variable"] != NO_ANSWER)]
    told = told[told["origin"] != "measures"]
    is_set = [pair in sets for pair in zip(told["variable"], told["category"], strict=True)]
    sums_of_rows(system, told.assign(is_set=is_set))
    _left(system, rows, cell)
    _indices(data, system, rows, cell)
    return cell, base


def _possible(reader: Reader, key: Key) -> bool:
    """Whether the questionnaire lets anyone be in a cell: a zero it makes is known to all."""
    box = dict(box_of(key) or ())
    told = [name for name, values in box.items() if MISSING not in values]
    asked = [reader.people[str(key[0])].asked(name) for name in told] if box else []
    return all(box.values()) and all(
        box[other] & values for of in asked for other, values in of.items() if other in box
    )


_TABLE = ["population", "variable", "by", "by_category", "base_kind"]


def _keys(reader: Reader, rows: pd.DataFrame) -> list[tuple[Key, Key]]:
    own = rows["origin"] == "measures"
    found = dict(zip(rows.index[~own], reader.keys(rows[~own]), strict=True))
    found |= {at: (rows.at[at, "cell_key"], rows.at[at, "base_key"]) for at in rows.index[own]}
    return [found[at] for at in rows.index]


def _is_unknown(key: Key) -> bool:
    return box_of(key) is None and key[0] != "mentions"


def _holds(reader: Reader, key: Key, number: float, checked: dict[Key, bool]) -> bool:
    """Whether the people of a box are as many as the row says; once for each box."""
    box = box_of(key)
    if box is None:
        return True
    if key not in checked:
        checked[key] = bool(reader.people[key[0]].inside(box).sum() == number)
    return checked[key]


def _neutral(data: Data, reader: Reader) -> dict[str, Values]:
    """Answers that say that a question does not concern someone."""
    found: dict[str, Values] = {}
    form = data.study.questionnaire
    for battery in data.study.batteries:
        for question in form or ():
            if battery.group in question.groups and battery.not_concerned in question.answers:
                labels = reader.people["survey"].attribute(question.name).labels
                found[question.name] = frozenset({labels.index(battery.not_concerned)})
    return found


def _left(system: System, rows: pd.DataFrame, cell: NDArray[np.intp]) -> None:
    """Those who left somewhere are those whose response is partial."""
    left = cell[(rows["variable"] == LEFT).to_numpy()]
    partial = system.cells.get(("survey", frozenset({(FLOW, PARTIAL)})))
    if len(left) and partial is not None:
        system.relate(partial, left.tolist())


def _indices(data: Data, system: System, rows: pd.DataFrame, cell: NDArray[np.intp]) -> None:
    """The sum of scores of an index, from the counts of its items: exact where nobody left an item
    out, and taken as known where someone did."""
    form = data.study.questionnaire
    for battery in data.study.batteries:
        if form is None:
            continue
        for name, items in form.battery(battery.group).items():
            at = cell[((rows["method"] == "mean_score") & (rows["category"] == name)).to_numpy()]
            steps = (len(battery.scale) - 1) * len(items)
            row = {
                system.cells.get(("survey", frozenset({(q.name, frozenset({q.answers.index(a)}))})))
                : place / steps
                for q in items for place, a in enumerate(battery.scale) if place
            }  # fmt: skip
            row.pop(None, None)
            if len(at) and row:
                system.sums.append({int(at[0]): -1.0, **row})  # type: ignore[dict-item]


def _of_two(data: Data) -> list[str]:
    """Indices of two items: how these go together tells who gave both answers."""
    return [name for name, items in _items(data).items() if len(items) < 3]


def _index_bases(data: Data, rows: pd.DataFrame, hidden: pd.Series) -> pd.Series:
    """Indices of items of which one has a hidden base: theirs counts nearly the same people."""
    found = pd.Series(False, index=rows.index)
    gone = set(rows.loc[hidden & (rows["by"] == ""), "variable"])
    for name, items in _items(data).items():
        if gone & set(items):
            found |= (rows["method"] == "mean_score") & (rows["category"] == name)
    return found


def _left_out(rows: pd.DataFrame, hidden: pd.Series) -> pd.Series:
    """Who left a question out, of those asked, where who answered it is hidden: one follows from
    the other."""
    gone = set(rows.loc[hidden & (rows["variable"] == ASKED), "category"])
    return (rows["variable"] == NO_ANSWER) & rows["category"].isin(gone)


def _items(data: Data) -> dict[str, list[str]]:
    """Items of each index, by its name."""
    form = data.study.questionnaire
    return {
        name: [question.name for question in items]
        for battery in data.study.batteries if form is not None
        for name, items in form.battery(battery.group).items()
    }  # fmt: skip


def _task(
    system: System,
    rows: pd.DataFrame,
    cell: NDArray[np.intp],
    base: NDArray[np.intp],
    first: pd.DataFrame,
    rules: Disclosure,
    reader: Reader,
) -> Task:
    """What is to be protected, how well, and what hiding each cell would lose."""
    value, shown = np.array(system.value), np.array(system.shown)
    neutral = np.array(system.neutral)
    exempt = (rows["variable"] == NO_ANSWER).to_numpy()
    counts = (first["hidden_count"]).to_numpy() & ~exempt
    size = len(value)
    few = np.zeros(size, dtype=bool)
    few[cell[counts]] = True
    few[base[first["hidden_base"].to_numpy() & ~exempt]] = True
    boxes = np.array([box_of(key) is not None and _answers(key) for key in system.cells])
    implied = boxes & ~shown & ~neutral & (value > 0) & (value < rules.minimum_count)
    guarded = few | implied
    tolerance = np.where(guarded, float(rules.tolerance), 0.0)
    amounts = np.zeros(size)
    dominance = first["dominance"].to_numpy()
    amounts[cell[dominance]] = np.maximum(rules.p_percent / 100 * value[cell[dominance]], 1.0)
    hidden = few | ~shown
    hidden[cell[dominance]] = True
    hidden[cell[exempt & first["hidden_count"].to_numpy()]] = True
    largest = np.zeros(size, dtype=bool)
    largest[cell[rows["method"].isin(AMOUNTS).to_numpy()]] = True
    possible = np.array([_possible(reader, key) for key in system.cells])
    people = max((len(each.frame) for each in reader.people.values()), default=0)
    ceiling = np.where(largest, 2 * value.max(initial=1), float(people))
    needs = Needs(amounts, amounts, tolerance + 2 * amounts)
    return Task(
        Published(value, system.matrix, np.maximum(ceiling, value + people)),
        hidden,
        (value == 0) & ~neutral,
        (value == 0) & ~neutral & possible,
        needs,
        np.where(shown & (value > 0), float(rules.tolerance), 0.0),
        _cost(rows, cell, base, hidden, size),
        _with_base(cell, base, value == 0),
    )


def _with_base(
    cell: NDArray[np.intp], base: NDArray[np.intp], known: Flags
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Bases and the counts that rows show of them: a row without its base has no count either."""
    pairs = np.unique(np.column_stack([base, cell]), axis=0)
    pairs = pairs[(pairs[:, 0] != pairs[:, 1]) & ~known[pairs[:, 1]]]
    return pairs[:, 0], pairs[:, 1]


def _answers(key: Key) -> bool:
    """Whether a cell counts people by what they said, all of them kept or not."""
    return all(MISSING not in values or len(values) > 1 for _, values in box_of(key) or ())


def _cost(
    rows: pd.DataFrame,
    cell: NDArray[np.intp],
    base: NDArray[np.intp],
    hidden: Flags,
    size: int,
) -> NDArray[np.float64]:
    """What the reader loses with each cell: its rows, dear where they are of everyone."""
    worth = rows["origin"].map({"estimates": GROUP, "crosses": EXPLORER, "measures": MEASURE})
    whole = (rows["origin"] == "estimates") & (rows["by"] == "")
    price = worth.mask(whole, EVERYONE).to_numpy(float)
    price = price * (1 + 0.05 * np.log1p(np.nan_to_num(rows["count"].to_numpy(float))))
    price[hidden[cell] | hidden[base]] = 0
    cost = np.full(size, 1e-3)
    np.add.at(cost, cell, price)
    np.add.at(cost, base, price)
    return cost
