"""What a study asked, as another study's questions are held against it.

Texts come from the study's definition and questionnaire, numbers from its released results; names
of questions and answers are the shared ones (see `declared`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from analysis import expression
from analysis.comparison.declared import Declared
from analysis.expression import Node
from analysis.study import Study

# The kinds of base that an interval can be made for, that of those concerned before all others.
KINDS = ("concerned", "respondents")
LIMIT = re.compile(r"count-selected\(\s*\.\s*\)\s*(<=?)\s*(\d+)")
SIGNS = re.compile(r"[^\w%€$]+")
EVERYONE = Node("true", ())


@dataclass(frozen=True)
class Table:
    """A released table of a question: among whom, as a condition, and of what base."""

    population: str
    where: Node
    kind: str


@dataclass(frozen=True)
class Asked:
    """A closed question of one study.

    name: the shared one; own: in the questionnaire; variable: in the results. answers: wording by
    shared name, in their order. sets: answers that are also read together, by their members.
    limit: how many answers may be given, 0 where nothing says. tables: released ones, that of its
    own base first.
    """

    name: str
    own: str
    variable: str
    source: str
    kind: str
    wording: str
    answers: dict[str, str]
    sets: dict[str, frozenset[str]]
    shared: dict[str, str] = field(default_factory=dict)
    limit: int = 0
    routing: Node = EVERYONE
    tables: tuple[Table, ...] = ()

    def category(self, own: str) -> str:
        """The shared name of an answer."""
        return self.shared.get(own, own)


@dataclass(frozen=True)
class _Reader:
    """A study with its released estimates, and what is declared of it."""

    study: Study
    estimates: pd.DataFrame
    declared: Declared
    langs: tuple[str, ...]

    def said(self, text: Mapping[str, str]) -> str:
        """A wording in every language that is compared, one a line."""
        return "\n".join(text.get(lang, "") for lang in self.langs)

    @property
    def names(self) -> dict[str, str]:
        """Shared names of questions, where they are not their own."""
        form = self.study.questionnaire
        return {q.name: self.declared.shared(self.study.name, q.name)[0] for q in form or ()}


def asked(
    study: Study, estimates: pd.DataFrame, declared: Declared, langs: Sequence[str]
) -> dict[tuple[str, str], Asked]:
    """The closed questions of a study by source and shared name, in the order they are asked.

    estimates: as released, of everyone and by group. langs: those in which wordings are compared.
    """
    reader = _Reader(study, estimates[estimates["by"] == ""], declared, tuple(langs))
    found = [*_questions(reader), *_derived(reader), *_columns(reader)]
    return {(question.source, question.name): question for question in found}


def plain(text: str) -> str:
    """A wording without what no reader hears: case, spaces, punctuation, kind of apostrophe."""
    return SIGNS.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


def _questions(reader: _Reader) -> Iterator[Asked]:
    study, sets = reader.study, reader.study.definition.answer_sets
    for question in study.questionnaire or ():
        if not question.choices:
            continue
        name, shared = reader.declared.shared(study.name, question.name)
        members = {key: item.answers for key, item in sets.get(question.name, {}).items()}
        yield Asked(
            name, question.name, study.variable_of(question.name), "survey", question.kind,
            reader.said(question.labels),
            {shared.get(c.name, c.name): reader.said(c.labels) for c in question.choices},
            _sets(members | _scale(study, question.name), shared), shared,
            _limit(question.constraint),
            _condition(question.relevant, reader.names),
            _tables(reader, study.variable_of(question.name), study.population_of(question.name)),
        )  # fmt: skip


def _derived(reader: _Reader) -> Iterator[Asked]:
    """Variables that follow from a question are worded as it is, and as themselves."""
    study = reader.study
    for own, item in study.definition.derived.items():
        name, shared = reader.declared.shared(study.name, own)
        source = study.question(item.source)
        wording = f"{reader.said(item.label)} {reader.said(source.labels)}"
        labels = {
            shared.get(key, key): " ".join([reader.said(part.label), *part.answers])
            for key, part in item.answers.items()
        }
        yield Asked(
            name, own, own, "survey", "derived", wording, labels, {}, shared, 0,
            _condition(source.relevant, reader.names),
            _tables(reader, own, study.population_of(item.source)),
        )  # fmt: skip


def _columns(reader: _Reader) -> Iterator[Asked]:
    """Columns of extracts that results count."""
    for source, item in reader.study.definition.sources.present().items():
        for own, column in item.columns.items():
            tables = _tables(reader, own, "", source)
            if source == "survey" or not column.answers or not tables:
                continue
            name, shared = reader.declared.shared(reader.study.name, own)
            labels = {shared.get(k, k): reader.said(v) for k, v in column.answers.items()}
            yield Asked(name, own, own, source, column.type, reader.said(column.label),
                        labels, {}, shared, tables=tables)  # fmt: skip


def _scale(study: Study, question: str) -> dict[str, list[str]]:
    """The two sides of the scale, for an item of a battery."""
    battery = study.battery_of(question)
    if battery is None:
        return {}
    return study.totals(battery)


def _sets(members: Mapping[str, list[str]], shared: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """Answers read together, by their shared names; one answer under another name is no set."""
    return {
        shared.get(key, key): frozenset(shared.get(one, one) for one in answers)
        for key, answers in members.items()
        if len(answers) > 1
    }


def _limit(constraint: str) -> int:
    found = LIMIT.search(constraint)
    return 0 if found is None else int(found[2]) - (found[1] == "<")


def _condition(text: str, names: Mapping[str, str]) -> Node:
    """A condition by the shared names of the questions it reads, however it is spaced."""
    return _renamed(expression.parse(text or "true()"), names)


def _renamed(node: Node, names: Mapping[str, str]) -> Node:
    if node.kind == "question":
        return Node("question", (names.get(node.arguments[0], node.arguments[0]),))
    return Node(
        node.kind,
        tuple(_renamed(part, names) if isinstance(part, Node) else part for part in node.arguments),
    )


def _tables(
    reader: _Reader, variable: str, first: str, source: str = "survey"
) -> tuple[Table, ...]:
    """Released tables of a variable, that of the population `first` before all others."""
    rows = reader.estimates[reader.estimates["variable"] == variable]
    known = reader.study.definition.populations
    names = [n for n in rows["population"].unique() if n in known and known[n].source == source]
    found = []
    for name in sorted(names, key=lambda one: one != first):
        kinds = list(rows.loc[rows["population"] == name, "base_kind"].unique())
        kind = next((one for one in KINDS if one in kinds), kinds[0])
        found.append(Table(name, _condition(known[name].where, reader.names), kind))
    return tuple(found)
