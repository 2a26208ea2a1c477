"""Groups compared under a survey design: the tests of `compare`, from linearised covariances."""

from __future__ import annotations

import pandas as pd

from analysis.chapters.data import Data
from analysis.stats import design_tests
from analysis.stats.design import Estimated
from analysis.stats.trend import Outcome


def tests(data: Data, question: str, by: str, population: str) -> list[Outcome]:
    """Tests that hold under the survey design; none of two several-answer questions."""

    many, groups = (bool(data.answers(name, population)) for name in (question, by))
    if many and groups:
        return []
    if many or groups:
        several, single = (question, by) if many else (by, question)
        return joint(data, single, several, population)
    table, ordered = crossed(data, question, by, population), data.study.ordered
    return of_shares(table, ordered(question), ordered(by))


def of_shares(
    table: design_tests.Table, ordered: bool = False, ordered_groups: bool = False
) -> list[Outcome]:
    """As `of_counts`, from shares estimated under the survey design."""
    if min(table.shares.shape) < 2:
        return []
    if ordered and ordered_groups:
        found = (design_tests.correlation, design_tests.gamma, design_tests.somers_d)
        return [test(table) for test in found]
    return [design_tests.ranks(table) if ordered else design_tests.rao_scott(table)]


def crossed(
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


def joint(data: Data, single: str, several: str, population: str) -> list[Outcome]:
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
