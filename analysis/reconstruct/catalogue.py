"""The variables of one source, and the rules of the questionnaire on them.

Rules are never written again: which answers exclude each other, how many may be given and which
answers agree with which are asked of the questionnaire's own expressions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product

import pandas as pd

from analysis import expression
from analysis.questionnaire import Question
from analysis.reconstruct.plan import Plan
from analysis.reconstruct.reference import MEAN_BAND, TRAININGS
from analysis.study import Study

LAST_PAGE = "last_page"
WRITTEN = "x"


@dataclass(frozen=True)
class Variable:
    """A question or a column. `kind`: one, several or text."""

    name: str
    kind: str
    answers: tuple[str, ...]
    relevant: str = ""
    constraint: str = ""
    page: str = ""
    skippable: bool = False

    @property
    def columns(self) -> list[str]:
        return [f"{self.name}/{answer}" for answer in self.answers]


@dataclass(frozen=True)
class Catalogue:
    """Variables in order, and the pages they stand on with the routing of each page."""

    variables: dict[str, Variable]
    pages: dict[str, str] = field(default_factory=dict)
    kept_to: str = ""

    def page_number(self, page: str) -> int:
        return list(self.pages).index(page) if page else -1

    def beyond_kept(self, variable: Variable) -> bool:
        """Is the question on a page that not everyone kept has seen?"""
        return self.page_number(variable.page) > self.page_number(self.kept_to)

    def asked(self, variable: Variable, frame: pd.DataFrame) -> pd.Series:
        """Rows whose page was reached and whose routing leads to the question."""
        reached = pd.Series(not self.beyond_kept(variable), index=frame.index)
        if LAST_PAGE in frame:
            number = frame[LAST_PAGE].map(self.page_number)
            reached = number >= self.page_number(variable.page)
        return reached & truth(variable.relevant, frame)

    def last_asked(self, frame: pd.DataFrame) -> pd.Series:
        """The last page that routing leads each row to: who has reached it is complete."""
        last = pd.Series("", index=frame.index, dtype=object)
        for page, relevant in self.pages.items():
            last = last.mask(truth(relevant, frame), page)
        return last

    def exclusive(self, variable: Variable) -> list[str]:
        """Answers of a several-answer question that no other answer may join."""
        pairs = [(a, b) for a in variable.answers for b in variable.answers if a != b]
        rows = [{a, b} for a, b in pairs]
        allowed = self._permits(variable, rows)
        free = {a for (a, _), ok in zip(pairs, allowed, strict=True) if ok}
        return [a for a in variable.answers if a not in free] if len(variable.answers) > 1 else []

    def most(self, variable: Variable) -> int:
        """The largest number of answers one person may give."""
        alone = set(self.exclusive(variable))
        free = [answer for answer in variable.answers if answer not in alone]
        rows = [set(free[:number]) for number in range(1, len(free) + 1)]
        allowed = self._permits(variable, rows)
        return max((n for n, ok in enumerate(allowed, start=1) if ok), default=1)

    def _permits(self, variable: Variable, rows: Sequence[set[str]]) -> list[bool]:
        frame = pd.DataFrame(
            [[answer in row for answer in variable.answers] for row in rows],
            columns=variable.columns,
        )
        return list(truth(variable.constraint, frame, variable.name)) if len(frame) else []

    def partners(self, variable: Variable) -> set[str]:
        """Questions whose answers must agree with this one's, by either one's constraint."""
        found = _reads(variable.constraint) - {variable.name}
        found |= {
            other.name
            for other in self.variables.values()
            if variable.name in _reads(other.constraint) and other.name != variable.name
        }
        return found

    def compatible(self, variable: Variable, frame: pd.DataFrame) -> pd.DataFrame:
        """Which answers each row may give, as one boolean column an answer."""
        judges = [self.variables[name] for name in sorted(self.partners(variable))]
        columns = {}
        for answer in variable.answers:
            given = _giving(variable, answer, frame)
            fits = truth(variable.constraint, given, variable.name)
            for judge in judges:
                if judge.name in frame:
                    fits &= truth(judge.constraint, given, judge.name)
            columns[answer] = fits
        return pd.DataFrame(columns, index=frame.index)

    def cells(self, names: Sequence[str]) -> pd.DataFrame:
        """Every combination of answers that the questionnaire can produce, "" for no answer."""
        levels = [self._levels(name) for name in names]
        frame = pd.DataFrame(list(product(*levels)), columns=list(names), dtype=object)
        keep = pd.Series(True, index=frame.index)
        if LAST_PAGE in frame:
            final = self.last_asked(frame).map(self.page_number)
            keep &= frame[LAST_PAGE].map(self.page_number) <= final
        for name in names:
            if name != LAST_PAGE:
                keep &= self._consistent(self.variables[name], frame)
        return frame[keep].reset_index(drop=True)

    def _levels(self, name: str) -> list[str]:
        if name == LAST_PAGE:
            first = self.page_number(self.kept_to)
            return list(self.pages)[first:]
        variable = self.variables[name]
        return [*(variable.answers or (WRITTEN,)), ""]

    def _consistent(self, variable: Variable, frame: pd.DataFrame) -> pd.Series:
        asked, answered = self.asked(variable, frame), frame[variable.name] != ""
        return asked | ~answered if variable.skippable else asked == answered


def truth(text: str, frame: pd.DataFrame, this: str | None = None) -> pd.Series:
    """An expression of the questionnaire on a frame; an empty one is true."""
    if not text:
        return pd.Series(True, index=frame.index)
    return expression.evaluate(expression.parse(text), frame, this)


def _reads(text: str) -> set[str]:
    return expression.parse(text).questions() if text else set()


def _giving(variable: Variable, answer: str, frame: pd.DataFrame) -> pd.DataFrame:
    if variable.kind == "several":
        return frame.assign(**{c: c == f"{variable.name}/{answer}" for c in variable.columns})
    return frame.assign(**{variable.name: answer})


def survey_catalogue(study: Study, plan: Plan) -> Catalogue:
    """The questionnaire as a catalogue: its top groups are the pages."""
    form, survey = study.questionnaire, plan.survey
    assert form is not None and survey is not None
    kinds = {"select_one": "one", "select_multiple": "several"}
    variables = {
        q.name: Variable(
            q.name,
            kinds.get(q.kind, "text"),
            tuple(q.answers),
            _routing(study, q),
            q.constraint,
            q.groups[0] if q.groups else "",
            q.name in survey.optional or (q.kind != "select_one" and not q.required),
        )
        for q in form
    }
    pages = {g.name: g.relevant for g in form.groups.values() if not g.inside}
    return Catalogue(variables, pages, survey.kept_to)


def _routing(study: Study, question: Question) -> str:
    """Who is asked. The population a question's results carry narrows what its routing says,
    which may read an answer that no table of counts holds."""
    asked = study.definition.populations[study.population_of(question.name)].where
    routes = [question.relevant, asked if asked != "true()" else ""]
    return " and ".join(f"({route})" for route in routes if route)


def listing_catalogue(study: Study, source: str) -> Catalogue:
    """The columns of a list or an extract that have answers; every row answers all of them."""
    if source == TRAININGS and source not in study.definition.sources.lists:
        bands = tuple(band.name for band in study.definition.duration_bands)
        return Catalogue({MEAN_BAND: Variable(MEAN_BAND, "one", bands)})
    columns = study.definition.sources.present()[source].columns
    kinds = {"several": "several", "category": "one"}
    return Catalogue(
        {
            name: Variable(name, kinds[c.type], tuple(c.answers))
            for name, c in columns.items()
            if c.type in kinds
        }
    )
