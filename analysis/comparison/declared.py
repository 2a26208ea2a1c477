"""`studies/comparisons.yml`: what people know of questions of several studies, and no file says.

It names the questions that are the same under other names, and the differences that someone who
read both questionnaires has judged not to matter, with the reason.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import yaml
from pydantic import Field, ValidationError

from analysis.definition import Model, Text
from analysis.errors import InputError, Problem, nearest
from analysis.plain_text import read_text
from analysis.safe_yaml import read_study
from analysis.study import Study

FILE = "studies/comparisons.yml"
RULE = "comparisons.yml names questions that are the same"
# What may be judged not to matter: nobody can judge that two different bases are one.
Accepted = Literal["wording", "answers", "limit", "routing", "period"]


class Named(Model):
    """A question of one study: its own name, and the shared names of its answers where they
    differ from its own."""

    variable: str
    answers: dict[str, str] = Field(default_factory=dict)


class Same(Model):
    """One question of several studies, under the name it is compared by."""

    studies: dict[str, Named] = Field(min_length=2)
    accept: list[Accepted] = Field(default_factory=list)
    why: Text = Field(default_factory=dict)


class Declared(Model):
    """The whole of comparisons.yml.

    `months_apart`: how long between two periods of fieldwork a difference between studies can no
    longer be told from a change over time.
    """

    months_apart: float = Field(default=12, ge=0)
    questions: dict[str, Same] = Field(default_factory=dict)

    def shared(self, study: str, own: str) -> tuple[str, dict[str, str]]:
        """The name a question of a study is compared by, and the shared names of its answers."""
        for name, same in self.questions.items():
            named = same.studies.get(study)
            if named is not None and named.variable == own:
                return name, named.answers
        return own, {}

    def accepted(self, name: str) -> list[str]:
        """Differences in a question that were judged not to matter."""
        return list(self.questions[name].accept) if name in self.questions else []


def read_declared(root: Path) -> Declared:
    """The declarations of a project; the defaults where it has none. Raises InputError."""
    path = root / FILE
    if not path.is_file():
        return Declared()
    text = read_text(path, FILE, "YAML in UTF-8")
    try:
        return Declared.model_validate(read_study(text)[0] or {})
    except ValidationError as error:
        problems = [
            Problem(FILE, RULE, repr(item.get("input")), item["msg"],
                    "correct " + ".".join(map(str, item["loc"])))
            for item in error.errors()
        ]  # fmt: skip
        raise InputError(problems) from error
    except yaml.YAMLError as error:
        problem = Problem(FILE, "comparisons.yml is YAML in UTF-8", str(error).splitlines()[0],
                          "valid YAML", "correct the file")  # fmt: skip
        raise InputError([problem]) from error


def check_declared(declared: Declared, study: Study) -> None:
    """Raise InputError where a question, or an answer, that a study is said to have is not its."""
    problems = []
    for name, same in declared.questions.items():
        if same.accept and not all(same.why.get(lang) for lang in study.definition.languages):
            problems.append(
                Problem(FILE, "what is accepted has its reason in each language", f"no {name}.why",
                        "why: {" + ", ".join(study.definition.languages) + "}", "write the reason")
            )  # fmt: skip
        if study.name in same.studies:
            problems += _problems(name, same.studies[study.name], study)
    if problems:
        raise InputError(problems)


def _problems(name: str, named: Named, study: Study) -> list[Problem]:
    known = {question.name: question.answers for question in study.questionnaire or ()}
    for source in study.definition.sources.present().values():
        known |= {column: list(spec.answers) for column, spec in source.columns.items()}
    known |= {derived: list(item.answers) for derived, item in study.definition.derived.items()}
    place = f"questions.{name}.studies.{study.name}"
    if named.variable not in known:
        return [Problem(FILE, RULE, named.variable, f"a question of {study.name}",
                        nearest(named.variable, list(known)), column=place)]  # fmt: skip
    answers = [*known[named.variable], *study.definition.answer_sets.get(named.variable, {})]
    wrong = [
        Problem(FILE, RULE, answer, f"an answer of {named.variable}", nearest(answer, answers),
                column=f"{place}.answers")
        for answer in named.answers
        if answer not in answers
    ]  # fmt: skip
    shared = list(named.answers.values())
    return wrong + [
        Problem(FILE, "two answers of a study are not one", f"{name}, twice",
                "each shared name once", "declare a set of answers in study.yml, and name it here",
                column=f"{place}.answers")
        for name in sorted({name for name in shared if shared.count(name) > 1})
    ]  # fmt: skip
