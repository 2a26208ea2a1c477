"""What a chapter receives: the study and its clean tables, and the questions it may ask of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from analysis import expression
from analysis.stats.several import joint_tests
from analysis.stats.shares import Shares
from analysis.study import Study

# Resamples of a joint test: p values near 0.05 are then known to about a point.
DRAWS = 1999
KEYS = ["chapter", "table", "population", "variable", "category", "by", "by_category"]


@dataclass(frozen=True)
class Data:
    """A study with its clean tables, by source."""

    study: Study
    tables: Mapping[str, pd.DataFrame]

    def population(self, name: str) -> pd.DataFrame:
        """Rows of a population, as study.yml defines it."""
        if name not in self._populations:
            population = self.study.definition.populations[name]
            frame = self.tables[population.source]
            inside = expression.evaluate(expression.parse(population.where), frame)
            self._populations[name] = frame[inside]
        return self._populations[name]

    @cached_property
    def _populations(self) -> dict[str, pd.DataFrame]:
        """Populations already taken: many tables read the same one."""
        return {}

    def sets(self, variable: str) -> dict[str, list[str]]:
        """Answers of a variable that are also read together."""
        declared = self.study.definition.answer_sets.get(variable, {})
        return {name: item.answers for name, item in declared.items()}

    def answers(self, variable: str, population: str) -> dict[str, str]:
        """Answer and clean column of a several-answer variable; empty for a single one.

        Sources may name columns alike, so the population says which source is meant.
        """
        source = self.study.definition.populations[population].source
        form = self.study.questionnaire
        if source == "survey" and form is not None and variable in form:
            question = form[variable]
            pairs = zip(question.answers, question.columns, strict=True)
            return dict(pairs) if question.several else {}
        column = self.study.definition.sources.present()[source].columns.get(variable)
        if column is None or column.type != "several":
            return {}
        return {answer: f"{variable}/{answer}" for answer in column.answers}

    def single(self, variable: str, frame: pd.DataFrame) -> pd.Series:
        """Answers to a single-answer variable, derived ones included, as a categorical."""
        derived = self.study.definition.derived.get(variable)
        if derived is None:
            return frame[variable].astype("category")
        names = {answer: name for name, item in derived.answers.items() for answer in item.answers}
        values = frame[derived.source].astype("string").map(names)
        return values.astype(pd.CategoricalDtype(list(derived.answers), ordered=True))

    def chosen(self, variable: str, population: str, frame: pd.DataFrame) -> pd.DataFrame:
        """Answers to a several-answer variable: one boolean column an answer, named by it."""
        columns = self.answers(variable, population)
        return frame[list(columns.values())].set_axis(list(columns), axis=1)


def label(
    frame: pd.DataFrame,
    chapter: str,
    variable: str,
    population: str,
    by: str = "",
    by_category: str = "",
) -> pd.DataFrame:
    """Put the names of a table before its numbers."""
    names = {
        "chapter": chapter,
        "table": f"{variable}_by_{by}" if by else variable,
        "population": population,
        "variable": variable,
    }
    frame = frame.assign(**names, by=by, by_category=by_category)
    return frame[KEYS + [c for c in frame.columns if c not in KEYS]]


def shares(
    data: Data,
    chapter: str,
    question: str,
    population: str | None = None,
    by: str | None = None,
    how: Shares | None = None,
) -> list[pd.DataFrame]:
    """Tables of one variable in one population, or in each group of another variable.

    question: a question, a derived variable or a column of an extract. Returns one frame a base
    (respondents, and mentions where several answers are possible) and a group.
    """
    population = population or data.study.population_of(question)
    frame = data.population(population)
    if by is None:
        return _one_group(data, chapter, question, population, frame, how or Shares())
    groups = data.single(by, frame)
    tables = []
    for group in groups.cat.categories:
        inside = frame[groups == group]
        if len(inside):
            tables += _one_group(
                data, chapter, question, population, inside, how or Shares(), (by, str(group))
            )
    return tables


def _one_group(
    data: Data,
    chapter: str,
    question: str,
    population: str,
    frame: pd.DataFrame,
    how: Shares,
    group: tuple[str, str] = ("", ""),
) -> list[pd.DataFrame]:
    variable = data.study.variable_of(question)
    if data.answers(question, population):
        chosen = data.chosen(question, population, frame)
        counted = [how.several(chosen, data.sets(question))]
        if not group[0] and how.base_kind == "respondents":
            counted.append(how.mentions(chosen))
    else:
        counted = [how.single(data.single(question, frame), data.sets(question))]
    return [label(table, chapter, variable, population, *group) for table in counted]


def joint(data: Data, chapter: str, question: str | None, by: str | None) -> list[dict]:
    """Joint tests of a several-answer question against a group, as rows of results.

    None where the study has no such question or group, or where one answer only was possible.
    """
    if question is None or by is None:
        return []
    population = data.study.population_of(question)
    if not data.answers(question, population):
        return []
    frame = data.population(population)
    chosen = data.chosen(question, population, frame)
    variable = data.study.variable_of(question)
    names = {
        "chapter": chapter,
        "table": f"{variable}_by_{by}",
        "population": population,
        "variable": variable,
        "by": by,
    }
    outcomes = joint_tests(data.single(by, frame), chosen, DRAWS, data.study.definition.seed)
    return [names | vars(outcome) for outcome in outcomes]


def cuts(data: Data, chapter: str, how: Shares | None = None) -> list[pd.DataFrame]:
    """The tables that study.yml asks for beside those the chapter makes by itself."""
    return [
        table
        for cut in data.study.definition.tables.get(chapter, [])
        for table in shares(data, chapter, cut.variable, cut.population, cut.by, how)
    ]
