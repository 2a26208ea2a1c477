"""Groups compared: any question by any profile variable, with the tests that hold for them, and
how far each group is from all the others."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from analysis.chapters.data import Data, names
from analysis.stats.association import independence, valid
from analysis.stats.design import Sample
from analysis.stats.intervals import newcombe
from analysis.stats.ordered import exact_trend, gamma, somers_d
from analysis.stats.ordinal_groups import kruskal, permutation_kruskal
from analysis.stats.several import joint_tests, joint_tests_of_two
from analysis.stats.trend import Outcome, linear_by_linear

# Resamples: p values near 0.05 are then known to about half a point, or a point for joint tests.
DRAWS, JOINT_DRAWS = 4999, 1999
DIFFERENCES = ["category", "by_category", "base_n", "value", "low", "high", "method"]


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
        # Slow to import, and needed under a survey design only.
        from analysis.chapters import designed  # noqa: PLC0415

        return designed.tests(data, question, by, population)
    if many and groups:
        first, second = (data.chosen(name, population, frame) for name in (question, by))
        return joint_tests_of_two(first, second, JOINT_DRAWS, seed)
    if many or groups:
        several, single = (question, by) if many else (by, question)
        chosen = data.chosen(several, population, frame)
        return joint_tests(data.single(single, frame), chosen, JOINT_DRAWS, seed)
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


def crossed(data: Data, question: str, by: str, population: str | None = None) -> pd.DataFrame:
    """Counts of answers (columns, in order) by group (rows, in order), no empty row or column."""
    frame = data.population(population or data.study.population_of(question))
    table = counts(data.single(by, frame), data.single(question, frame))
    return table.loc[table.sum(axis=1) > 0, table.sum() > 0]


def counts(groups: pd.Series, answers: pd.Series) -> pd.DataFrame:
    """People by group (rows) and answer (columns), of two categoricals of the same people."""
    rows, columns = groups.cat.codes.to_numpy(), answers.cat.codes.to_numpy()
    shape = len(groups.cat.categories), len(answers.cat.categories)
    there = (rows >= 0) & (columns >= 0)
    cells = rows[there].astype(np.intp) * shape[1] + columns[there]
    found = np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape)
    return pd.DataFrame(found, groups.cat.categories, answers.cat.categories)


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
    rows: dict[str, list] = {name: [] for name in DIFFERENCES}
    for group in member:
        inside = member[group].to_numpy(dtype=bool)
        if not inside.any() or inside.all():
            continue
        *numbers, method = difference(sample, given, inside)
        answers = len(given.columns)
        for name, values in zip(("value", "low", "high"), numbers, strict=True):
            rows[name].extend(values)
        rows["category"].extend(given.columns)
        rows["by_category"] += [group] * answers
        rows["base_n"] += [int(inside.sum())] * answers
        rows["method"] += [method] * answers
    return pd.DataFrame(rows).assign(**named, base_kind="respondents", measure="difference")


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
