"""What compared studies, their questions and their answers are called, in one language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pandas as pd

from analysis.comparison.declared import Declared
from analysis.definition import Period
from analysis.display.explorer import Names
from analysis.display.formats import Formats
from analysis.display.labels import Labels
from analysis.display.report import words_of
from analysis.display.results import Results
from analysis.display.rows import Sources
from analysis.study import Study


@dataclass(frozen=True)
class Called:
    """Names of compared studies, the reference first. A `row` is one of the table of questions, or
    of the table of cells."""

    studies: tuple[Study, ...]
    lang: str
    declared: Declared

    @property
    def reference(self) -> str:
        return self.studies[0].name

    @property
    def others(self) -> list[str]:
        return [study.name for study in self.studies[1:]]

    @cached_property
    def each(self) -> dict[str, Labels]:
        """Labels by study."""
        return {study.name: Labels(study, self.lang) for study in self.studies}

    @property
    def labels(self) -> Labels:
        """Labels of the reference, which speak for all that is the same in every study."""
        return self.each[self.reference]

    @property
    def formats(self) -> Formats:
        return self.labels.formats

    def term(self, key: str, **values: Any) -> str:
        """A word of the comparison."""
        return self.labels.term("comparison", key, **values)

    def study(self, name: str) -> str:
        """What a study is called here: its brand, with its years or days where others share it."""
        return self._names[name]

    @cached_property
    def _names(self) -> dict[str, str]:
        brands = [study.definition.brand[self.lang] for study in self.studies]
        periods = [study.definition.period for study in self.studies]
        tries = [
            brands,
            _beside(brands, [_years(period) for period in periods]),
            _beside(brands, [self.period(study.name) for study in self.studies]),
            _beside(brands, [study.name for study in self.studies]),
        ]
        chosen = next(names for names in tries if len(set(names)) == len(names))
        if len(set(brands)) == 1:
            chosen = [name.removeprefix(f"{brands[0]}, ") for name in chosen]
        return {study.name: name for study, name in zip(self.studies, chosen, strict=True)}

    def two(self, other: str) -> str:
        """The reference and another study."""
        return self.formats.listed([self.study(self.reference), self.study(other)])

    def all(self, waves: bool) -> str:
        """All the studies; waves of one by the name they share."""
        if waves:
            return self.studies[0].definition.brand[self.lang]
        return self.formats.listed(list(self._names.values()))

    def period(self, study: str) -> str:
        """First and last day of the fieldwork of a study."""
        period = self.each[study].study.definition.period
        return self.formats.period(period.start, period.end)

    def topic(self, row: Any) -> str:
        """What a question is called: the topic of the figure that shows it, or ""."""
        if row.source != "survey" or not row.variable_reference:
            return ""
        variable = self.studies[0].variable_of(row.variable_reference)
        return self._topics.topic(variable, row.population_reference)

    def question(self, row: Any, quoted: bool = False) -> str:
        """The topic of a question, or its wording: between quotation marks inside a sentence."""
        wording = self.wording(self.reference, row.source, row.variable_reference)
        return self.topic(row) or (self.formats.quote(wording) if quoted else wording)

    @cached_property
    def _topics(self) -> Names:
        sources = Sources(self.studies[0], Results(pd.DataFrame()), self.labels)
        return Names(sources, *words_of(self.studies[0], self.lang))

    def wording(self, study: str, source: str, own: str, lang: str = "") -> str:
        """A question as a study words it, in a language or that of the page. own: its name."""
        labels = replace(self.each[study], lang=lang) if lang else self.each[study]
        known = labels.study.definition.populations
        of = next((name for name, one in known.items() if one.source == source), "")
        return labels.variable(own, "" if source == "survey" else of)

    def answer(self, study: str, row: Any, shared: str) -> str:
        """An answer, by its shared name, as a study words it."""
        side = "reference" if study == self.reference else "other"
        own = getattr(row, f"variable_{side}")
        _, answers = self.declared.shared(study, own)
        back = {to: code for code, to in answers.items()}
        population = getattr(row, f"population_{side}")
        return self.each[study].answer(own, back.get(shared, shared), population)

    def answers(self, study: str, row: Any, codes: str) -> str:
        """Several answers, given by their shared names joined by ";"."""
        told = [self.formats.quote(self.answer(study, row, code)) for code in codes.split(";")]
        return self.formats.listed(told)


def _beside(brands: Sequence[str], others: Sequence[str]) -> list[str]:
    return [f"{brand}, {other}" for brand, other in zip(brands, others, strict=True)]


def _years(period: Period) -> str:
    return "–".join(dict.fromkeys(str(day.year) for day in (period.start, period.end)))
