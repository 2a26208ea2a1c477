"""Every closed question of the survey by every profile variable, all groups counted at once.

A chapter goes through a table group by group; here there are thousands of groups, so that counts
are products of two indicator matrices, and intervals are made for all of them together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.chapters import responses
from analysis.chapters.data import KEYS, Data
from analysis.stats.design import Sample
from analysis.stats.intervals import Floats, korn_graubard, wilson
from analysis.stats.shares import NUMBERS

CHAPTER = "crosses"
COLUMNS = [*KEYS, *NUMBERS, "df"]
CLOSED = ("select_one", "select_multiple")
# People multiplied at a time: indicators as numbers would take eight times the memory.
BLOCK = 65_536
# People times groups times questions: about four seconds of either.
SIMPLE, DESIGNED = 1_000_000_000, 10_000_000
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Grouping:
    """Who of the survey is in each group of a variable: people by groups."""

    by: str
    groups: list[str]
    member: Flags


@dataclass(frozen=True)
class Question:
    """Answers of one question. given: its base by answers and sets; at: where the people of the
    base stand in the survey."""

    variable: str
    population: str
    base_kind: str
    answers: list[str]
    given: Flags
    at: NDArray[np.intp]


def estimates(data: Data, chapters: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Shares of each answer of every closed question, of everyone and in every group.

    chapters: chapter that a variable belongs to, CHAPTER where it is not said. Items of the battery
    have the people they concern as their base. A group that nobody of the base is in has no row.
    Nothing where there is no profile variable, or where it would take too long (SIMPLE, DESIGNED):
    such a study asks for the tables it wants in study.yml. Columns COLUMNS.
    """
    known, groupings = chapters or {}, _groupings(data)
    if len(groupings) < 2 or _too_many(data, groupings):
        return pd.DataFrame(columns=COLUMNS)
    found = [
        _table(data, question, grouping, known)
        for question in _questions(data)
        for grouping in groupings
        if grouping.by != question.variable and len(question.at)
    ]
    if not found:
        return pd.DataFrame(columns=COLUMNS)
    return pd.DataFrame({name: np.concatenate([each[name] for each in found]) for name in COLUMNS})


def _too_many(data: Data, groupings: list[Grouping]) -> bool:
    """Whether people times groups times questions are more than are counted in a few seconds."""
    groups = sum(len(each.groups) for each in groupings)
    people = len(groupings[0].member)
    most = SIMPLE if data.sample is None else DESIGNED
    return people * groups * len(questions(data)) > most


def profile(data: Data) -> list[str]:
    """Profile variables that answers are read by, those of the roles status and hours included."""
    roles = data.study.roles
    names = [*roles.profile, *(name for name in (roles.status, roles.hours) if name)]
    form = data.study.questionnaire
    return [n for n in dict.fromkeys(names) if form and n in form and form[n].kind in CLOSED]


def questions(data: Data) -> list[str]:
    """Closed questions in the order they are asked."""
    if data.study.questionnaire is None or "survey" not in data.tables:
        return []
    return [q.name for q in responses.asked_in_order(data) if q.kind in CLOSED]


def _questions(data: Data) -> Iterator[Question]:
    everyone = data.tables["survey"].index
    for name in questions(data):
        population = data.study.population_of(name)
        frame, base_kind, sets = data.given(name, population), "respondents", data.sets(name)
        answers, given = [str(answer) for answer in frame], frame.to_numpy(dtype=bool)
        at = everyone.get_indexer(frame.index)
        if battery := data.study.battery_of(name):
            base_kind = "concerned" if battery.not_concerned else "respondents"
            sets = data.study.totals(battery)
            given = given[:, [answers.index(answer) for answer in battery.scale]]
            answers, concerned = list(battery.scale), given.any(axis=1)
            given, at = given[concerned], at[concerned]
        unions = [given[:, np.isin(answers, members)].any(axis=1) for members in sets.values()]
        given = np.column_stack([given, *unions])
        variable = data.study.variable_of(name)
        yield Question(variable, population, base_kind, [*answers, *sets], given, at)


def _groupings(data: Data) -> list[Grouping]:
    """Everyone, then each profile variable."""
    if not questions(data):
        return []
    survey = data.tables["survey"]
    found = [Grouping("", [""], np.ones((len(survey), 1), dtype=bool))]
    for by in profile(data):
        columns = data.answers(by, data.study.population_of(by))
        if columns:
            member = survey[list(columns.values())].fillna(False).to_numpy(dtype=bool)
            found.append(Grouping(by, list(columns), member))
        else:
            answers = data.study.single(by, survey)
            groups = list(answers.cat.categories)
            member = answers.cat.codes.to_numpy()[:, None] == np.arange(len(groups))
            found.append(Grouping(by, [str(group) for group in groups], member))
    return found


def _table(
    data: Data, question: Question, grouping: Grouping, chapters: Mapping[str, str]
) -> dict[str, NDArray]:
    """Columns of one question by one variable: groups by answers, one after the other."""
    member = grouping.member[question.at]
    base = member.sum(axis=0)
    there = base > 0
    member, base = member[:, there], base[there]
    answers, sample = question.answers, data.sample
    shape = len(base), len(answers)
    counts = tally(member, question.given)
    if sample is None:
        numbers = _simple(counts, base)
    else:
        people = data.tables["survey"].index[question.at]
        numbers = _designed(sample, pd.DataFrame(question.given, people), member)
    variable, by = question.variable, grouping.by
    named = {
        "chapter": chapters.get(variable, CHAPTER),
        "table": f"{variable}_by_{by}" if by else variable,
        "population": question.population,
        "variable": variable,
        "by": by,
        "base_kind": question.base_kind,
        "method": "wilson" if sample is None else "korn_graubard",
    }
    columns: dict[str, NDArray] = {
        name: np.full(shape, text, dtype=object) for name, text in named.items()
    }
    columns["category"] = np.tile(np.array(answers, dtype=object), (shape[0], 1))
    groups = np.array(grouping.groups, dtype=object)[there]
    columns["by_category"] = np.repeat(groups, shape[1])
    columns |= {"count": counts, "base_n": np.repeat(base, shape[1])} | numbers
    return {name: values.reshape(-1) for name, values in columns.items()}


def tally(member: Flags, given: Flags) -> NDArray[np.int64]:
    """How many of each group gave each answer. member: people by groups, given: by answers."""
    counts = np.zeros((member.shape[1], given.shape[1]))
    for start in range(0, len(given), BLOCK):
        part = slice(start, start + BLOCK)
        counts += member[part].T.astype(np.float32) @ given[part].astype(np.float32)
    return counts.astype(np.int64)


def _simple(counts: NDArray[np.int64], base: NDArray[np.int64]) -> dict[str, Floats]:
    """Shares of a simple sample with their intervals."""
    low, high = wilson(counts, base[:, None])
    nothing = np.full(counts.shape, np.nan)
    share = counts / base[:, None]
    return {"share": share, "share_low": low, "share_high": high, "df": nothing}


def _designed(sample: Sample, given: pd.DataFrame, member: Flags) -> dict[str, Floats]:
    """The same under a survey design, whose variances need the people of each group."""
    found = [sample.shares(given[inside]) for inside in member.T]
    share = np.clip([each.value for each in found], 0, 1)
    variance = np.clip([each.variance for each in found], 0, None)
    n, df, effective = (
        np.array([getattr(each, name) for each in found], dtype=float)[:, None]
        for name in ("n", "df", "effective")
    )
    low, high = korn_graubard(share, variance, n, df, effective)
    degrees = np.broadcast_to(df, share.shape)
    return {"share": share, "share_low": low, "share_high": high, "df": degrees}
