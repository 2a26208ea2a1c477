"""What things are called: questions, answers, populations, in one language of a study.

Wordings come from the questionnaire and study.yml, the analysis' own words from `terms.yml`.
A name without a label is a mistake in the study, told as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from analysis.display.formats import Formats, formats
from analysis.errors import InputError, Problem
from analysis.safe_yaml import read_yaml
from analysis.study import Study

HERE = Path(__file__).resolve().parent
Text = dict[str, str]


# Variables of an extract whose values are told as they stand in it.
OWN_NAMES = ("year", "provider", "ai_rule")


@dataclass(frozen=True)
class Wording:
    """A variable and its answers in every language."""

    label: Text
    answers: dict[str, Text] = field(default_factory=dict)
    hint: Text = field(default_factory=dict)


@dataclass(frozen=True)
class Labels:
    """Labels of one study in one language. Every method raises InputError where one misses."""

    study: Study
    lang: str

    def variable(self, name: str, population: str = "") -> str:
        """The wording of a question, or the label of a column or of a variable of the analysis."""
        for wording in self._wordings(name, population):
            if self.lang in wording.label:
                return self._spaced(wording.label[self.lang])
        raise self._missing(name)

    def subject(self, name: str) -> str:
        """What a figure of the register is about: its variable, where the study has it."""
        known = any(self.lang in wording.label for wording in self._wordings(name, ""))
        return self.variable(name) if known else self.term("figure", "other_subjects")

    def hint(self, name: str, population: str = "") -> str:
        """The instruction printed under a question, or ""."""
        for wording in self._wordings(name, population):
            if self.lang in wording.label:
                return self._spaced(wording.hint.get(self.lang, ""))
        return ""

    def answers(self, name: str, population: str = "") -> list[str]:
        """Codes of the answers of a variable in the order of its question, sets left out."""
        if self._measured(name) and self._source(population) == "survey":
            return []  # numbers and days, though the analysis may call something so too
        if name in OWN_NAMES:
            return []  # as many as there are names; the analysis adds one for the rest
        for wording in self._wordings(name, population, sets=False):
            if wording.answers:
                return list(wording.answers)
        return []

    def answer(self, name: str, category: str, population: str = "") -> str:
        """The label of an answer, of a set of answers, or of a value the analysis makes."""
        if name == "month":
            return self.formats.month(category)
        for wording in self._wordings(name, population):
            if self.lang in wording.answers.get(category, {}):
                return self._spaced(wording.answers[category][self.lang])
        if name in OWN_NAMES:
            return category
        if self._measured(name):
            return self._band(name, category)
        return self.term("answers", category, problem=self._missing(f"{name}/{category}"))

    def _measured(self, name: str) -> bool:
        form = self.study.questionnaire
        return form is not None and name in form and form[name].measured

    def _band(self, name: str, code: str) -> str:
        """A band of numbers (10_19, 2.5_5), a month or a year, by the name of `stats.bands`."""
        kind = self.study.question(name).kind
        if kind == "date":
            return self.formats.month(code) if "-" in code else code
        if "_" not in code:
            return code if code == "mean" else self._decimal(code)
        low, high = map(self._decimal, code.split("_"))
        return self.term(
            "figure", "band" if kind == "integer" else "band_below", low=low, high=high
        )

    def _decimal(self, code: str) -> str:
        _, _, decimals = code.partition(".")
        return self.formats.answered(float(code), len(decimals))

    def family(self, name: str, category: str) -> str:
        """The label of the family an answer of the motivations belongs to, or ""."""
        code = self.family_code(name, category)
        return self.answer(self.family_variable, code) if code else ""

    @property
    def family_variable(self) -> str:
        """The variable that counts people by family of motivations."""
        role = self.study.roles.motivation
        return f"{role.variable}_{role.family}" if role else ""

    def family_code(self, name: str, category: str) -> str:
        """The family column of an answer's row in the questionnaire, or ""."""
        role = self.study.roles.motivation
        if role is None or role.family is None or name not in (role.variable, *self._asked(name)):
            return ""
        choices = (c for q in self._asked(role.variable) for c in self.study.question(q).choices)
        codes = (c.extra.get(role.family, "") for c in choices if c.name == category)
        return next((code for code in codes if code), "")

    def item_group(self, item: str) -> str:
        """The label of the group of the battery that an item stands in, or ""."""
        form = self.study.questionnaire
        if form is None or item not in form or not form[item].groups:
            return ""
        return self.group(form[item].groups[-1])

    def group(self, name: str) -> str:
        """The label of a group of questions."""
        form = self.study.questionnaire
        if form is None or name not in form.groups:
            raise self._missing(name)
        return self._spaced(form.groups[name].labels[self.lang])

    def population(self, name: str) -> str:
        """Who is counted, as it stands after "Base:"."""
        known = self.study.definition.populations
        if name not in known:
            return self.term("populations", name, problem=self._missing(name))
        return self._spaced(known[name].label[self.lang])

    def verdict(self, verdict: str, reason: str) -> str:
        """A verdict and why: fragile (base de moins de 30 personnes). Nothing where it is ok."""
        told, why = self.term("verdicts", verdict), self.reasons([reason])
        return f"{told} ({', '.join(why)})" if why else told

    def reasons(self, given: Iterable[str]) -> list[str]:
        """Why verdicts are not ok, each reason once and in words, with the study's thresholds.

        given: names joined by ";", one text an estimate. What is hidden for its base is not also
        said to have a small one.
        """
        found = [name for text in given for name in self._told(text)]
        limits = self.study.definition.thresholds
        values: dict[str, Any] = {
            "fragile_base": self.formats.number(limits.fragile_base),
            "fragile_width": self.formats.number(100 * limits.fragile_width),
            "fragile_df": self.formats.number(limits.fragile_df),
            "suppressed_base": self.formats.number(limits.suppressed_base),
        }
        return [self.term("reasons", name, **values) for name in dict.fromkeys(found)]

    def _told(self, reason: str) -> list[str]:
        names = reason.split(";") if reason else []
        if "hidden_base" in names:
            # Under disclosure control a base may be hidden for others than its own people.
            return ["hidden_count" if self.study.controlled else "hidden_base"]
        return names

    def term(
        self, section: str, key: str, problem: InputError | None = None, **values: object
    ) -> str:
        """A word of `terms.yml`, its braces filled."""
        entry = self.terms.get(section, {}).get(key)
        if entry is None or self.lang not in entry:
            raise problem or self._missing(f"{section}/{key}", "analysis/display/terms.yml")
        return self._spaced(entry[self.lang].format(**values) if values else entry[self.lang])

    @property
    def terms(self) -> dict[str, Any]:
        """The words every study shares."""
        return _terms()

    @cached_property
    def formats(self) -> Formats:
        """Number formats of the same language."""
        return formats(self.lang)

    def _spaced(self, text: str) -> str:
        return self.formats.typography(text)

    def _wordings(self, name: str, population: str, sets: bool = True) -> Iterator[Wording]:
        """Every description of a variable, that of the population's own source first.

        An extract and the survey may both have a column of one name (a sector, say): the
        population tells which is meant.
        """
        yield from self._columns(name, [self._source(population)])
        yield from self._questions(name, population)
        yield from self._derived(name)
        yield from self._made(name)
        yield from self._list(name)
        yield from self._columns(name, list(self.study.definition.sources.present()))
        if sets:
            yield from self._sets(name)

    def _source(self, population: str) -> str:
        known = self.study.definition.populations
        return known[population].source if population in known else "survey"

    def _columns(self, name: str, sources: list[str]) -> Iterator[Wording]:
        present = self.study.definition.sources.present()
        for source in sources:
            if source in present and name in present[source].columns:
                column = present[source].columns[name]
                yield Wording(column.label, column.answers)

    def _asked(self, name: str) -> list[str]:
        """Questions behind a variable: itself, or those that a role joins under its name."""
        role = self.study.roles.motivation
        if role is not None and name == role.variable:
            return list(role.questions.values())
        form = self.study.questionnaire
        return [name] if form is not None and name in form else []

    def _questions(self, name: str, population: str) -> Iterator[Wording]:
        role = self.study.roles.motivation
        asked = self._asked(name)
        if role is not None and name == role.variable and population in role.questions:
            asked = sorted(asked, key=lambda question: question != role.questions[population])
        for question in map(self.study.question, asked):
            answers = {choice.name: choice.labels for choice in question.choices}
            yield Wording(question.labels, answers, question.hints)

    def _derived(self, name: str) -> Iterator[Wording]:
        derived = self.study.definition.derived.get(name)
        if derived is not None:
            yield Wording(derived.label, {k: s.label for k, s in derived.answers.items()})

    def _sets(self, name: str) -> Iterator[Wording]:
        for key in dict.fromkeys([name, *self._asked(name)]):
            sets = self.study.definition.answer_sets.get(key, {})
            yield Wording({}, {code: entry.label for code, entry in sets.items()})

    def _made(self, name: str) -> Iterator[Wording]:
        """Variables that the analysis makes: their answers come from where it takes them."""
        if name == self.family_variable:
            name = "motivation_family"
        entry = self.terms["variables"].get(name)
        if entry is None:
            return
        made = {
            "question_base": self._question_labels,
            "left_before": self._question_labels,
            "item_nonresponse": self._question_labels,
            "duration_band": self._bands,
            "mean_duration_band": self._bands,
            "motivation_family": self._families,
            "expectation_index": self._groups,
        }
        answers = made[name]() if name in made else entry.get("answers", {})
        yield Wording(entry["label"], answers)

    def _list(self, name: str) -> Iterator[Wording]:
        """How many rows a list has, called as those who are on it."""
        if name in self.study.definition.sources.lists:
            for population in self.study.definition.populations.values():
                if population.source == name and population.where == "true()":
                    yield Wording(population.label, {name: population.label})

    def _question_labels(self) -> dict[str, Text]:
        form = self.study.questionnaire
        return {} if form is None else {question.name: question.labels for question in form}

    def _bands(self) -> dict[str, Text]:
        return {band.name: band.label for band in self.study.definition.duration_bands}

    def _families(self) -> dict[str, Text]:
        role = self.study.roles.motivation
        return role.families if role else {}

    def _groups(self) -> dict[str, Text]:
        form = self.study.questionnaire
        if form is None:
            return {}
        groups = (name for role in self.study.batteries for name in form.battery(role.group))
        return {name: form.groups[name].labels for name in groups}

    def _missing(self, name: str, file: str | None = None) -> InputError:
        return InputError(
            [
                Problem(
                    file or self.study.paths.shown(self.study.paths.definition),
                    "everything shown has a label in each language",
                    f"no label for {name!r}",
                    f"a label in {self.lang!r}",
                    "add the label to the questionnaire or to study.yml",
                )
            ]
        )


@cache
def _terms() -> dict[str, Any]:
    return read_yaml((HERE / "terms.yml").read_text(encoding="utf-8"))
