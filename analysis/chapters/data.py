"""What a chapter receives: the study and its clean tables, and the questions it may ask of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis import expression
from analysis.intake.weighting import sample_of
from analysis.stats.bands import Bands, bands_of
from analysis.stats.design import Sample
from analysis.stats.shares import Shares
from analysis.study import Study

if TYPE_CHECKING:
    from analysis.chapters.extract import Extract

KEYS = ["chapter", "table", "population", "variable", "category", "by", "by_category"]


@dataclass(frozen=True)
class Data:
    """A study with its clean tables, by source."""

    study: Study
    tables: Mapping[str, Any]
    say: Callable[[str], None] = lambda _: None

    def population(self, name: str) -> pd.DataFrame:
        """Rows of a population, as study.yml defines it."""
        if name not in self._populations:
            population = self.study.definition.populations[name]
            frame = self.tables[population.source]
            inside = expression.evaluate(expression.parse(population.where), frame)
            # Everyone is the frame itself: a copy of a million rows takes a while.
            self._populations[name] = frame if inside.all() else frame[inside]
        return self._populations[name]

    @cached_property
    def _populations(self) -> dict[str, pd.DataFrame]:
        """Populations already taken: many tables read the same one."""
        return {}

    def extract(self, source: str) -> Extract:
        """Rows of an extract, to be counted where they are."""
        from analysis.chapters.extract import Extract  # noqa: PLC0415 - slow to import

        if source not in self._extracts:
            self._extracts[source] = Extract(self.study, source, self.tables[source], self.say)
        return self._extracts[source]

    @cached_property
    def _extracts(self) -> dict[str, Extract]:
        """Extracts already opened: estimates and measures read the same one."""
        return {}

    @cached_property
    def sample(self) -> Sample | None:
        """What each person of the survey stands for; None where the sample is a simple one."""
        return sample_of(self.study, self.tables["survey"]) if "survey" in self.tables else None

    def how(self, population: str, base_kind: str = "respondents") -> Shares:
        """How shares of a population are estimated: under the design, where it is the survey's."""
        survey = self.study.definition.populations[population].source == "survey"
        return Shares(base_kind, design=self.sample if survey else None)

    def weights(self, people: pd.Index) -> pd.Series | None:
        """Weights of people of the survey; None for a simple sample."""
        return None if self.sample is None else pd.Series(self.sample.weigh(people), people)

    def drawn(self, people: pd.Index) -> dict[str, Any]:
        """Weights, strata and clusters of people, as a bootstrap takes them."""
        sample = self.sample
        if sample is None:
            return {}
        at = sample.places(people)
        found: dict[str, Any] = {"weights": sample.weights[at]}
        if len(sample.population) > 1:
            found["strata"] = sample.stratum[at]
        return found if sample.unit is None else found | {"clusters": sample.unit[at]}

    def single(self, variable: str, frame: pd.DataFrame) -> pd.Series:
        """Answers to a single-answer variable, as a categorical. Numbers and days are put into
        bands, the same in every population."""
        form = self.study.questionnaire
        measured = form is not None and variable in form and form[variable].measured
        # An extract may have a column of answers by the name of a question about a number.
        if not measured or isinstance(frame[variable].dtype, pd.CategoricalDtype):
            return self.study.single(variable, frame)
        assert form is not None
        if variable not in self._bands:
            whole = form[variable].kind == "integer"
            self._bands[variable] = bands_of(self.tables["survey"][variable], whole)
        return self._bands[variable].cut(frame[variable])

    @cached_property
    def _bands(self) -> dict[str, Bands]:
        """Bands of the questions already read in bands."""
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

    def groups(self, by: str, population: str) -> dict[str, pd.Series]:
        """Who of a population is in each group of a variable, in its order; a person who may give
        several answers is in several groups."""
        frame = self.population(population)
        if self.answers(by, population):
            chosen = self.chosen(by, population, frame).fillna(False).astype(bool)
            return {str(group): chosen[group] for group in chosen}
        answers = self.single(by, frame)
        return {str(group): answers == group for group in answers.cat.categories}

    def given(self, question: str, population: str) -> pd.DataFrame:
        """Who of a population gave each answer: booleans, of those who answered."""
        frame = self.population(population)
        if self.answers(question, population):
            chosen = self.chosen(question, population, frame)
            return chosen[chosen.notna().any(axis=1)].fillna(False).astype(bool)
        answers = self.single(question, frame).dropna()
        columns = {str(answer): answers == answer for answer in answers.cat.categories}
        return pd.DataFrame(columns, index=answers.index)

    def asked(self, question: str, population: str) -> pd.Series | pd.DataFrame:
        """Answers to a question: a categorical, or where several are possible `chosen`."""
        frame = self.population(population)
        if self.answers(question, population):
            return self.chosen(question, population, frame)
        return self.single(question, frame)

    def chosen(self, variable: str, population: str, frame: pd.DataFrame) -> pd.DataFrame:
        """Answers to a several-answer variable: one boolean column an answer, named by it."""
        columns = self.answers(variable, population)
        return frame[list(columns.values())].set_axis(list(columns), axis=1)


def names(
    data: Data, chapter: str, question: str, population: str | None = None, by: str = ""
) -> dict[str, Any]:
    """The names of a table: what its rows of results begin with."""
    variable = data.study.variable_of(question)
    return {
        "chapter": chapter,
        "table": f"{variable}_by_{by}" if by else variable,
        "population": population or data.study.population_of(question),
        "variable": variable,
        "by": by,
    }


def measured(
    named: Mapping[str, Any], measure: str, found: tuple[float, float, float], method: str
) -> pd.DataFrame:
    """One row of measures: its names, its base, its value with an interval."""
    value, low, high = found
    row = dict.fromkeys(KEYS, "") | dict(named)
    row |= {"measure": measure, "value": value, "low": low, "high": high, "method": method}
    return pd.DataFrame([row])


def label(
    frame: pd.DataFrame,
    chapter: str,
    variable: str,
    population: str,
    by: str = "",
    by_category: str = "",
) -> pd.DataFrame:
    """Put the names of a table before its numbers."""
    named = {
        "chapter": chapter,
        "table": f"{variable}_by_{by}" if by else variable,
        "population": population,
        "variable": variable,
        "by": by,
        "by_category": by_category,
    }
    columns = {name: _repeated(value, len(frame)) for name, value in named.items()}
    return pd.concat([pd.DataFrame(columns, index=frame.index, copy=False), frame], axis=1)


@lru_cache(maxsize=4096)
def _repeated(value: str, times: int) -> Any:
    """A column of one text, kept: hundreds of tables bear the same names."""
    return pd.Series([value] * times, dtype=None if times else object).array


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
    how = how or data.how(population)
    if by is None:
        everyone = data.asked(question, population)
        return _one_group(data, chapter, question, population, everyone, how)
    answers, tables = data.asked(question, population), []
    for group, inside in data.groups(by, population).items():
        if inside.any():
            names, here = (by, group), answers[inside.to_numpy(dtype=bool, na_value=False)]
            tables += _one_group(data, chapter, question, population, here, how, names)
    return tables


def _one_group(
    data: Data,
    chapter: str,
    question: str,
    population: str,
    answers: pd.Series | pd.DataFrame,
    how: Shares,
    group: tuple[str, str] = ("", ""),
) -> list[pd.DataFrame]:
    variable = data.study.variable_of(question)
    if isinstance(answers, pd.DataFrame):
        counted = [how.several(answers, data.sets(question))]
        if not group[0] and how.base_kind == "respondents":
            counted.append(how.mentions(answers))
    else:
        counted = [how.single(answers, data.sets(question))]
    return [label(table, chapter, variable, population, *group) for table in counted]


def cuts(data: Data, chapter: str, how: Shares | None = None) -> list[pd.DataFrame]:
    """The tables that study.yml asks for beside those the chapter makes by itself."""
    return [
        table
        for cut in data.study.definition.tables.get(chapter, [])
        for table in shares(data, chapter, cut.variable, cut.population, cut.by, how)
    ]
