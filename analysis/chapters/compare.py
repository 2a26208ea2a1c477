"""Groups compared: any question by any profile variable, with the tests that hold for them, and
how far each group is from all the others."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from analysis.chapters.data import Data, names
from analysis.stats import design_tests
from analysis.stats.association import independence, valid
from analysis.stats.design import Estimated, Sample
from analysis.stats.intervals import newcombe
from analysis.stats.ordered import exact_trend, gamma, somers_d
from analysis.stats.ordinal_groups import kruskal, permutation_kruskal
from analysis.stats.several import joint_tests, joint_tests_of_two
from analysis.stats.trend import Outcome, linear_by_linear

# Resamples: p values near 0.05 are then known to about half a point, or a point for joint tests.
DRAWS, JOINT_DRAWS = 9999, 1999


def compared(data: Data, chapter: str) -> list[dict]:
    """Tests of the tables by group that study.yml asks of a chapter."""
    return [
        row
        for cut in data.study.definition.tables.get(chapter, [])
        if cut.by and data.study.definition.populations[cut.population].source == "survey"
        for row in tests(data, chapter, cut.variable, cut.by, cut.population)
    ]


def tests(
    data: Data, chapter: str, question: str | None, by: str | None, population: str | None = None
) -> list[dict]:
    """Tests of a question against a group, as rows of results; the first one leads the table.

    None where the study has no such question or group.
    """
    if question is None or by is None:
        return []
    population = population or data.study.population_of(question)
    outcomes = _outcomes(data, question, by, population)
    named = names(data, chapter, question, population, by)
    return [named | vars(outcome) for outcome in outcomes]


def _outcomes(data: Data, question: str, by: str, population: str) -> list[Outcome]:
    frame, seed = data.population(population), data.study.definition.seed
    many, groups = (bool(data.answers(name, population)) for name in (question, by))
    if data.sample is not None:
        return designed(data, question, by, population)
    if many and groups:
        first, second = (data.chosen(name, population, frame) for name in (question, by))
        return joint_tests_of_two(first, second, JOINT_DRAWS, seed)
    if many or groups:
        several, single = (question, by) if many else (by, question)
        chosen = data.chosen(several, population, frame)
        return joint_tests(data.study.single(single, frame), chosen, JOINT_DRAWS, seed)
    table, ordered = crossed(data, question, by, population), data.study.ordered
    return of_counts(table, seed, ordered(question), ordered(by))


def of_counts(
    table: pd.DataFrame, seed: int, ordered: bool = False, ordered_groups: bool = False
) -> list[Outcome]:
    """Tests of two single-answer variables, by what is in order; none with nothing to compare.

    table: counts, groups by answers. Where expected counts are too small for an asymptotic test,
    another one leads.
    """
    table = table.loc[table.sum(axis=1) > 0, table.sum() > 0]
    if min(table.shape) < 2:
        return []
    if ordered and ordered_groups:
        trend = [linear_by_linear(table), exact_trend(table, draws=DRAWS, seed=seed)]
        return [*trend, gamma(table), somers_d(table)]
    if ordered:
        return [kruskal(table) if valid(table) else permutation_kruskal(table, DRAWS, seed)]
    return [independence(table, DRAWS, seed)]


def designed(data: Data, question: str, by: str, population: str) -> list[Outcome]:
    """Tests that hold under the survey design; none of two several-answer questions."""
    many, groups = (bool(data.answers(name, population)) for name in (question, by))
    if many and groups:
        return []
    if many or groups:
        several, single = (question, by) if many else (by, question)
        return joint_designed(data, single, several, population)
    table, ordered = crossed_designed(data, question, by, population), data.study.ordered
    return of_shares(table, ordered(question), ordered(by))


def of_shares(
    table: design_tests.Table, ordered: bool = False, ordered_groups: bool = False
) -> list[Outcome]:
    """As `of_counts`, from shares estimated under the survey design."""
    if min(table.shares.shape) < 2:
        return []
    if ordered and ordered_groups:
        tests = (design_tests.correlation, design_tests.gamma, design_tests.somers_d)
        return [test(table) for test in tests]
    return [design_tests.ranks(table) if ordered else design_tests.rao_scott(table)]


def crossed_designed(
    data: Data, question: str, by: str, population: str, sets: dict[str, list[str]] | None = None
) -> design_tests.Table:
    """Estimated shares of answers (columns, in order) by group (rows), no empty row or column.

    sets: answers to be read together as the columns, instead of each by itself; people who gave
    none of them are left out.
    """
    given, groups = data.given(question, population), data.groups(by, population)
    if sets:
        given = pd.DataFrame({name: given[members].any(axis=1) for name, members in sets.items()})
        given = given[given.any(axis=1)]
    member = pd.DataFrame(groups).reindex(given.index)
    there = member.any(axis=1)
    given, member = given[there], member[there]
    given, member = given.loc[:, given.any()], member.loc[:, member.any()]
    found = _cells(data, given, member)
    shares = found.value.reshape(member.shape[1], given.shape[1])
    return design_tests.Table(shares, found.covariance, found.n, found.df)


def joint_designed(data: Data, single: str, several: str, population: str) -> list[Outcome]:
    """Joint test of a several-answer question against the groups of a single-answer one."""
    given, groups = data.given(several, population), data.groups(single, population)
    member = pd.DataFrame(groups).reindex(given.index)
    there = member.any(axis=1)
    given, member = given[there], member[there]
    given = given.loc[:, given.any() & ~given.all()]
    member = member.loc[:, member.any()]
    if member.shape[1] < 2 or given.empty:
        return []
    found = _cells(data, given.assign(**{"": True})[["", *given.columns]], member)
    shares = found.value.reshape(member.shape[1], -1)
    return [design_tests.several(
        design_tests.SeveralTable(shares, found.covariance, found.n, found.df)
    )]  # fmt: skip


def _cells(data: Data, given: pd.DataFrame, member: pd.DataFrame) -> Estimated:
    """Shares of the people in each group who gave each answer, group by group."""
    assert data.sample is not None
    columns = {(g, a): member[g] & given[a] for g in member for a in given}
    return data.sample.shares(pd.DataFrame(columns, index=given.index))


def crossed(data: Data, question: str, by: str, population: str | None = None) -> pd.DataFrame:
    """Counts of answers (columns, in order) by group (rows, in order), no empty row or column."""
    frame = data.population(population or data.study.population_of(question))
    rows, columns = (data.study.single(name, frame) for name in (by, question))
    table = pd.crosstab(rows, columns, dropna=False)
    table = table.loc[table.index.notna(), table.columns.notna()]
    return table.loc[table.sum(axis=1) > 0, table.sum() > 0]


def differences(data: Data, estimates: pd.DataFrame) -> list[pd.DataFrame]:
    """Share of each answer in each group, less that among everyone else, for tables by group."""
    survey = [name for name, p in data.study.definition.populations.items() if p.source == "survey"]
    tables = estimates[(estimates["by"] != "") & estimates["population"].isin(survey)]
    keys = tables[["chapter", "population", "variable", "by"]].drop_duplicates()
    return [
        apart(data.sample, names(data, chapter, question, population, by),
              data.given(question, population), data.groups(by, population))
        for chapter, population, variable, by in keys.itertuples(index=False)
        for question in [_question(data, variable, population)]
    ]  # fmt: skip


def _question(data: Data, variable: str, population: str) -> str:
    """The question behind a variable of the results: several wordings may ask one, each of its own
    people."""
    motivation = data.study.roles.motivation
    if motivation is None or variable != motivation.variable:
        return variable
    asked = motivation.questions.values()
    return next(name for name in asked if len(data.given(name, population)))


def apart(
    sample: Sample | None,
    named: Mapping[str, str],
    given: pd.DataFrame,
    groups: Mapping[str, pd.Series],
) -> pd.DataFrame:
    """One row an answer and a group with someone in it and someone outside.

    given: booleans, people by answers; groups: who is in each, on the index of their population.
    """
    member = pd.DataFrame(groups).reindex(given.index)
    there = member.any(axis=1).to_numpy()
    given, member = given[there], member[there]
    tables = []
    for group in member:
        inside = member[group].to_numpy(dtype=bool)
        if not inside.any() or inside.all():
            continue
        value, low, high, method = difference(sample, given, inside)
        tables.append(
            pd.DataFrame(
                {"category": given.columns, "by_category": group, "base_n": int(inside.sum()),
                 "value": value, "low": low, "high": high, "method": method}
            )
        )  # fmt: skip
    found = pd.concat(tables) if tables else pd.DataFrame(columns=["category"])
    return found.assign(**named, base_kind="respondents", measure="difference")


def difference(
    sample: Sample | None, given: pd.DataFrame, inside: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, str]:
    """Differences of shares, inside less outside, with their interval and its name."""
    if sample is None:
        y = given.to_numpy()
        counts = y[~inside].sum(axis=0), y[inside].sum(axis=0)
        bases = np.full(y.shape[1], (~inside).sum()), np.full(y.shape[1], inside.sum())
        low, high = newcombe(counts, bases)
        return counts[1] / bases[1] - counts[0] / bases[0], low, high, "newcombe"
    found = sample.difference(given, inside)
    half = stdtrit(max(found.df, 1), 0.975) * np.sqrt(found.variance)
    low, high = (np.clip(found.value + side * half, -1, 1) for side in (-1, 1))
    return found.value, low, high, "linearised"
