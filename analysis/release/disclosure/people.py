"""What can be told apart about the people (or the rows) of a source: their attributes.

A released count is the number of people in a *box*: for each of a few attributes, the values that
are counted. Populations, routing, answer sets and derived variables all come down to boxes, so that
one set of people is one unknown, in whatever table and on whatever page it is counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis import expression
from analysis.chapters import responses
from analysis.chapters.data import Data

Values = frozenset[int]
Box = frozenset[tuple[str, Values]]
Codes = NDArray[np.intp]
MISSING = -1
# Complete and kept, partial and kept, complete and dropped, partial and dropped.
FLOW, KEPT, WHOLE = "(flow)", frozenset({0, 1}), frozenset({0, 2})
YES, ANSWERED = frozenset({1}), frozenset({0})
BOTH = frozenset({0, 1})


@dataclass(frozen=True)
class Attribute:
    """A value for each person (MISSING where there is none), and what the values are called.

    binary: "no" (0) or "yes" (1) to one answer of the question `parent`, of those who answered it.
    """

    name: str
    codes: Codes
    labels: tuple[str, ...]
    binary: bool = False
    parent: str = ""

    @property
    def answered(self) -> Values:
        return frozenset(range(len(self.labels)))


@dataclass(frozen=True)
class People:
    """The people of the survey, or the rows of another source, as disclosure control sees them."""

    data: Data
    source: str
    _known: dict[str, Attribute] = field(default_factory=dict)
    _routed: dict[str, dict[str, Values]] = field(default_factory=dict)
    _parsed: dict[str, dict[str, Values]] = field(default_factory=dict)
    _masks: dict[tuple[str, Values], NDArray[np.bool_]] = field(default_factory=dict)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """Their answers; of the survey, every response received, those kept first."""
        if self.source == "survey" and "dropped" in self.data.tables:
            return responses.received(self.data)
        return self.data.tables[self.source]

    @cached_property
    def flow(self) -> Codes:
        """Where each response received ended: see FLOW. Rows of other sources are all kept."""
        kept = np.arange(len(self.frame)) < len(self.data.tables[self.source])
        if "complete" not in self.frame or self.source != "survey":
            return np.where(kept, 0, 2)
        complete = self.frame["complete"].fillna(False).to_numpy(dtype=bool)
        return 2 * ~kept + 1 * ~complete

    def attribute(self, name: str) -> Attribute:
        """An attribute by its name: a question, `question/answer`, a condition, or FLOW."""
        if name not in self._known:
            self._known[name] = self._attribute(name)
        return self._known[name]

    def _attribute(self, name: str) -> Attribute:
        if name == FLOW:
            return Attribute(name, self.flow, ("complete", "partial", "lost", "left"))
        answers = self.data.answers(name, self._population)
        if answers:
            answered = self.frame[list(answers.values())].notna().any(axis=1)
            return Attribute(name, np.where(answered, 0, MISSING), ("answered",))
        form = self.data.study.questionnaire
        banded = form is not None and name in form and form[name].measured
        column = self.data.single(name, self.frame) if banded else self.frame[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            labels = tuple(map(str, column.cat.categories))
            return Attribute(name, column.cat.codes.to_numpy().astype(np.intp), labels)
        return Attribute(name, np.where(column.notna(), 0, MISSING), ("answered",))

    @cached_property
    def _population(self) -> str:
        populations = self.data.study.definition.populations
        return next((n for n, p in populations.items() if p.source == self.source), "")

    def answers(self, question: str) -> list[str]:
        """The answers to a question where several are possible."""
        return list(self.data.answers(question, self._population))

    def any_of(self, question: str, answers: list[str]) -> tuple[str, Values]:
        """Who gave at least one of some answers of a question where several are possible."""
        name = f"{question}/" + "|".join(answers)
        if name not in self._known:
            columns = self.data.answers(question, self._population)
            given = self.frame[[columns[answer] for answer in answers]].fillna(False)
            there = self.attribute(question).codes >= 0
            yes = given.to_numpy(dtype=bool).any(axis=1)
            codes = np.where(there, yes.astype(np.intp), MISSING)
            self._known[name] = Attribute(name, codes, ("no", "yes"), True, question)
        return self._alias(name)

    def _alias(self, name: str) -> tuple[str, Values]:
        """The answer "none" that the routing ties to another question, as that question's."""
        roles = self.data.study.roles
        if roles.settings and roles.hours and name == f"{roles.settings}/{roles.no_training}":
            hours = self.attribute(roles.hours)
            if roles.no_training in hours.labels:
                none = hours.labels.index(roles.no_training)
                if ((hours.codes == none) == (self._known[name].codes == 1)).all():
                    return roles.hours, frozenset({none})
        return name, YES

    def condition(self, text: str) -> dict[str, Values]:
        """A condition of the routing language as a box: parts that no single attribute tells are
        attributes of their own."""
        if text not in self._parsed:
            self._parsed[text] = self._condition(text)
        return dict(self._parsed[text])

    def _condition(self, text: str) -> dict[str, Values]:
        node = expression.parse(text)
        parts = node.arguments if node.kind == "and" else (node,)
        box: dict[str, Values] = {}
        for part in parts:
            if part.kind != "true":
                meet(box, *self._part(part))
        return box

    def _part(self, node: expression.Node) -> tuple[str, Values]:
        names = node.questions()
        name = next(iter(names)) if len(names) == 1 else ""
        if name and self.data.answers(name, self._population):
            if node.kind == "selected":
                return self.any_of(name, [node.arguments[1].arguments[0]])
        elif name and name in self.frame and self._is_closed(name):
            labels = self.attribute(name).labels
            tried = pd.DataFrame({name: pd.Series([*labels, None], dtype="string")})
            true = np.flatnonzero(expression.evaluate(node, tried))
            return name, frozenset(int(n) if n < len(labels) else MISSING for n in true)
        key = f"({node})"
        if key not in self._known:
            inside = expression.evaluate(node, self.frame).to_numpy(dtype=bool)
            self._known[key] = Attribute(key, inside.astype(np.intp), ("out", "in"))
        return key, YES

    def _is_closed(self, name: str) -> bool:
        """Whether a column holds answers, as they are, of a closed question."""
        form = self.data.study.questionnaire
        banded = form is not None and name in form and form[name].measured
        return not banded and isinstance(self.frame[name].dtype, pd.CategoricalDtype)

    def routing(self, name: str) -> dict[str, Values]:
        """Whom the routing asks a question of; of an answer, who answered its question too."""
        attribute = self.attribute(name)
        if attribute.parent:
            return {attribute.parent: ANSWERED} | self.implied(attribute.parent)
        if self.source != "survey" or name not in (self.data.study.questionnaire or ()):
            return {}
        relevant = self.data.study.question(name).relevant
        box = self.condition(relevant) if relevant else {}
        for other in list(box):
            if MISSING not in box[other]:
                box = self.implied(other) | box
        return box

    def implied(self, name: str) -> dict[str, Values]:
        """What having answered tells of other attributes, by the routing, where it is kept."""
        if name not in self._routed:
            self._routed[name] = {}
            there = self.attribute(name).codes >= 0
            self._routed[name] = {
                other: values for other, values in self.routing(name).items()
                if np.isin(self.attribute(other).codes[there], list(values)).all()
            }  # fmt: skip
        return self._routed[name]

    def asked(self, name: str) -> dict[str, Values]:
        """Whom a question is asked of, whether or not others answered it all the same; of an
        answer, who answered its question."""
        parent = self.attribute(name).parent
        return {parent: ANSWERED} if parent else self.routing(name)

    def box(self, conditions: Mapping[str, Values]) -> Box:
        """Conditions in the shortest form: what follows from another one is left out."""
        found = dict(conditions)
        for name, values in conditions.items():
            if MISSING in values:
                continue
            for other, implied in self.implied(name).items():
                if other in found and other != name and found[other] & implied == implied:
                    del found[other]
        return frozenset(found.items())

    def inside(self, box: Box) -> NDArray[np.bool_]:
        """Who is in a box. Whoever is not said to be otherwise was kept."""
        told = dict(box)
        there = self._has(FLOW, told.pop(FLOW, KEPT)).copy()
        for name, values in told.items():
            there &= self._has(name, values)
        return there

    def _has(self, name: str, values: Values) -> NDArray[np.bool_]:
        """Who has one of some values of an attribute."""
        if (name, values) not in self._masks:
            codes = self.attribute(name).codes
            lookup = np.zeros(int(codes.max(initial=0)) + 2, dtype=bool)
            lookup[[value for value in values if value < len(lookup) - 1]] = True
            self._masks[name, values] = lookup[codes]  # MISSING is the last
        return self._masks[name, values]


def meet(box: dict[str, Values], name: str, values: Values) -> None:
    """Put one more condition on a box."""
    box[name] = box[name] & values if name in box else values
