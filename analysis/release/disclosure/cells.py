"""Each released number as a cell: the count of a set of people, whatever table it stands in."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import pandas as pd

from analysis.chapters.data import Data
from analysis.release.disclosure.people import (
    ANSWERED,
    FLOW,
    KEPT,
    WHOLE,
    Box,
    People,
    Values,
    meet,
)

# Sets of people, or another count: ("mentions", …), or a number of a table we know nothing of.
Key = tuple[str, Hashable]
TABLE = ["population", "variable", "by", "by_category", "base_kind"]
FLOWS = {
    "responses_any": frozenset({0, 1, 2, 3}),
    "responses_complete": WHOLE,
    "responses_partial": frozenset({1, 3}),
    "partial_retained": frozenset({1}),
    "partial_dropped": frozenset({3}),
    "retained": KEPT,
}
COMPLETION = {"complete": WHOLE, "partial": frozenset({1, 3})}
RECEIVED = "received"
# Who was asked and gave no answer: no attribute of a person, and what every base tells by itself.
NO_ANSWER = "item_nonresponse"


@dataclass(frozen=True)
class Table:
    """The rows of one table in one group: what they count, and of whom."""

    population: str
    variable: str
    by: str
    by_category: str
    base_kind: str

    @property
    def names(self) -> tuple[str, ...]:
        return self.population, self.variable, self.by, self.by_category


class Reader:
    """Finds the cells of each row of results: of its count, and of its base."""

    def __init__(self, data: Data) -> None:
        self.data = data
        self.people = {"survey": People(data, "survey")} if "survey" in data.tables else {}

    def keys(self, rows: pd.DataFrame) -> list[tuple[Key, Key]]:
        """Cells of count and base of each row, in order."""
        found: dict[Hashable, tuple[Key, Key]] = {}
        for names, part in rows.groupby(TABLE, sort=False, dropna=False):
            table = Table(*map(str, names))
            categories = part["category"].tolist()
            for at, keys in zip(part.index, self._table(table, categories), strict=True):
                found[at] = keys
        return [found[at] for at in rows.index]

    def source(self, population: str) -> str:
        populations = self.data.study.definition.populations
        return populations[population].source if population in populations else "survey"

    def _table(self, table: Table, categories: list[str]) -> list[tuple[Key, Key]]:
        people = self.people.get(self.source(table.population))
        unknown: list[tuple[Key, Key]] = [(("cell", (*table.names, table.base_kind, name)),
                    ("base", (*table.names, table.base_kind))) for name in categories]  # fmt: skip
        if people is None:
            # Rows of an extract: tables of one population that are as large count the same rows.
            return [(cell, ("base", (table.population, table.by_category, table.base_kind)))
                    for cell, _ in unknown]  # fmt: skip
        if table.variable == "response_flow":
            base = self.key(people, {FLOW: FLOWS["responses_any"]})
            return [(self.key(people, {FLOW: FLOWS[name]}), base) for name in categories]
        if table.variable == "question_base":
            return [self._asked(people, name) for name in categories]
        where = self._where(people, table)
        if where is None:
            return unknown
        found = self._answers(people, table, where, categories)
        everyone = self.key(people, where)
        if found is None:
            whole = table.variable in ("left_before", NO_ANSWER)
            return [(cell, everyone if whole else base) for cell, base in unknown]
        return found

    def _where(self, people: People, table: Table) -> dict[str, Values] | None:
        """The population and the group of a table; None where they are none of the study's."""
        if table.population == RECEIVED:
            box: dict[str, Values] = {FLOW: FLOWS["responses_any"]}
        else:
            text = self.data.study.definition.populations[table.population].where
            box = people.condition(text)
        if not table.by:
            return box
        if table.by == "completion":
            meet(box, FLOW, COMPLETION[table.by_category])
            return box
        group = self._answer(people, table.by, table.by_category)
        if group is None:
            return None
        meet(box, *group)
        return box

    def _answer(self, people: People, variable: str, category: str) -> tuple[str, Values] | None:
        """One answer, or a set of answers, of a question or a derived variable."""
        study = self.data.study
        if variable in study.definition.derived:
            derived = study.definition.derived[variable]
            labels = people.attribute(derived.source).labels
            if category not in derived.answers:
                return None
            members = derived.answers[category].answers
            return derived.source, frozenset(labels.index(a) for a in members if a in labels)
        if variable not in people.frame and not self.data.answers(variable, people._population):
            return None
        members = self._members(variable, category)
        if self.data.answers(variable, people._population):
            known = self.data.answers(variable, people._population)
            return people.any_of(variable, members) if set(members) <= set(known) else None
        labels = people.attribute(variable).labels
        if not set(members) <= set(labels):
            return None
        return variable, frozenset(labels.index(answer) for answer in members)

    def _members(self, variable: str, category: str) -> list[str]:
        """The answers that a category stands for."""
        sets = self.data.sets(variable)
        if category in sets:
            return list(sets[category])
        for battery in self.data.study.batteries:
            if battery.group in self._groups(variable):
                totals = self.data.study.totals(battery)
                if category in totals:
                    return list(totals[category])
        return [category]

    def _groups(self, variable: str) -> tuple[str, ...]:
        form = self.data.study.questionnaire
        return form[variable].groups if form is not None and variable in form else ()

    def _question(self, table: Table) -> str:
        """The question behind a variable: several wordings may ask one."""
        motivation = self.data.study.roles.motivation
        if motivation and table.variable == motivation.variable:
            asked = motivation.questions
            return asked.get(table.population) or self._asked_of(table, list(asked.values()))
        return table.variable

    def _asked_of(self, table: Table, questions: list[str]) -> str:
        given = {name: len(self.data.given(name, table.population)) for name in questions}
        return max(given, key=lambda name: given[name])

    def _answers(
        self, people: People, table: Table, where: Mapping[str, Values], categories: list[str]
    ) -> list[tuple[Key, Key]] | None:
        """Cells of a table of answers to a question; None where it is not one."""
        question, families = self._question(table), self._families(table)
        if families:
            question = next(iter(families.values()))[0]
        several = bool(self.data.answers(question, people._population))
        answers = []
        for name in categories:
            if families:
                found: tuple[str, Values] | None = people.any_of(question, families[name][1])
            elif name == "mean":
                return None
            elif name == "base" and question in people.frame:
                found = (question, people.attribute(question).answered)
            else:
                found = self._answer(people, question, name)
            if found is None:
                return None
            answers.append(found)
        base = dict(where)
        if several:
            meet(base, question, ANSWERED)
        else:
            meet(base, answers[0][0], frozenset().union(*(values for _, values in answers)))
        whole = self.key(people, base)
        if table.base_kind == "mentions":
            whole = ("mentions", (question, self.key(people, base)))
        cells = []
        for name, values in answers:
            box = dict(where)
            meet(box, name, values)
            cells.append((self.key(people, box), whole))
        return cells

    def _families(self, table: Table) -> dict[str, tuple[str, list[str]]]:
        """Question and answers of each family of motivations, for their table."""
        motivation = self.data.study.roles.motivation
        if motivation is None or motivation.family is None:
            return {}
        if table.variable != f"{motivation.variable}_{motivation.family}":
            return {}
        question = motivation.questions[table.population]
        found: dict[str, tuple[str, list[str]]] = {}
        for choice in self.data.study.question(question).choices:
            family = choice.extra.get(motivation.family, "")
            found.setdefault(family, (question, []))[1].append(choice.name)
        return found

    def _asked(self, people: People, name: str) -> tuple[Key, Key]:
        """Who answered a question, of whom the routing asks it."""
        question = self.data.study.question(name)
        asked = people.condition(question.relevant) if question.relevant else {}
        answered = {name: people.attribute(name).answered}
        return self.key(people, answered), self.key(people, asked)

    def key(self, people: People, conditions: Mapping[str, Values]) -> Key:
        return people.source, people.box(conditions)


def box_of(key: Key) -> Box | None:
    """The box of a cell that counts a set of people; None for another."""
    return key[1] if isinstance(key[1], frozenset) else None
