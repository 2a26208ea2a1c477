"""What a study is: `study.yml`, its questionnaire and its recodes, read and checked once.

Everything a region edits is read here and passed on as values; nothing below reads it again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import pandas as pd

from analysis.definition import Battery, Definition, Roles
from analysis.errors import InputError, Problem, nearest
from analysis.paths import PROJECT, Paths
from analysis.pending import COLUMN as TO_DECIDE
from analysis.plain import strange
from analysis.plain_text import read_cells
from analysis.questionnaire import Question, Questionnaire, read_questionnaire
from analysis.study_checks import check_names, role_questions
from analysis.study_yaml import line_of, read_definition

T = TypeVar("T")
# A study is named as its folder, and results and pages are named after it.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
MAX_FILE = 20_000_000  # bytes, for a questionnaire with its choices or a register of figures

# Totals of the two sides of a battery in results.
SIDES = ("disagree", "agree")
TOTALS = ("disagree_total", "agree_total")


@dataclass(frozen=True)
class Recode:
    """One line of recodes.csv: a header or a value as delivered, and what it stands for."""

    row: int
    source: str
    kind: str
    column: str
    found: str
    becomes: str


@dataclass(frozen=True)
class Study:
    """A study as every room of the house receives it."""

    paths: Paths
    definition: Definition
    questionnaire: Questionnaire | None
    recodes: tuple[Recode, ...]
    lines: Mapping[tuple, int] = field(default_factory=dict)

    def line(self, place: tuple[str, ...]) -> int | None:
        """Line of study.yml where a key stands, or the nearest key above it."""
        return line_of(self.lines, place)

    @property
    def name(self) -> str:
        return self.definition.study

    @property
    def controlled(self) -> bool:
        """Whether disclosure control is in force: declared, of numbers that are not public."""
        rules = self.definition.disclosure
        return rules is not None and not rules.public

    @property
    def roles(self) -> Roles:
        return self.definition.roles

    def question(self, name: str) -> Question:
        if self.questionnaire is None:
            raise KeyError(name)
        return self.questionnaire[name]

    def population_of(self, question: str) -> str:
        """The population a question or its group is asked of, by the name results carry."""
        named = self.definition.base_populations
        groups = self.question(question).groups if question in (self.questionnaire or ()) else ()
        return next((named[n] for n in (question, *reversed(groups)) if n in named), "all")

    def variable_of(self, question: str) -> str:
        """The variable a question answers: several wordings may ask one."""
        motivation = self.roles.motivation
        if motivation and question in motivation.questions.values():
            return motivation.variable
        return question

    def single(self, variable: str, frame: pd.DataFrame) -> pd.Series:
        """Answers to a single-answer variable, derived ones included, as a categorical."""
        derived = self.definition.derived.get(variable)
        if derived is None:
            answers = frame[variable].astype("category")
            if variable == self.roles.satisfaction and self._best_first:
                return answers.cat.reorder_categories(answers.cat.categories[::-1], ordered=True)
            return answers
        names = {answer: name for name, item in derived.answers.items() for answer in item.answers}
        values = frame[derived.source].astype("string").map(names)
        return values.astype(pd.CategoricalDtype(list(derived.answers), ordered=True))

    @cached_property
    def _best_first(self) -> bool:
        """Whether the answers to satisfaction are asked from the best to the worst."""
        question, satisfied = self.roles.satisfaction or "", self.roles.satisfied or ""
        members = self.definition.answer_sets.get(question, {}).get(satisfied)
        if members is None or self.questionnaire is None or question not in self.questionnaire:
            return False
        return self.questionnaire[question].answers[0] in members.answers

    def ordered(self, variable: str) -> bool:
        """Whether the answers of a variable stand in an order that means something."""
        roles, form = self.roles, self.questionnaire
        measured = form is not None and variable in form and form[variable].measured
        return measured or variable in (
            *self.definition.ordered, roles.satisfaction, roles.hours
        )  # fmt: skip

    @property
    def batteries(self) -> tuple[Battery, ...]:
        """The batteries of items, in the order study.yml names them."""
        named = self.roles.battery
        return tuple(named) if isinstance(named, list) else (named,) if named else ()

    def battery_of(self, question: str) -> Battery | None:
        """The battery that a question is an item of."""
        form = self.questionnaire
        groups = form[question].groups if form is not None and question in form else ()
        return next((battery for battery in self.batteries if battery.group in groups), None)

    @cached_property
    def sides(self) -> tuple[str, str]:
        """What results call the totals of disagreement and of agreement: other names where an
        answer is called so itself."""
        codes = {code for battery in self.batteries for code in battery.scale}
        return SIDES if codes.isdisjoint(SIDES) else TOTALS

    def totals(self, battery: Battery) -> dict[str, list[str]]:
        """Answers on each side of the scale of a battery, by the name of their total."""
        return dict(zip(self.sides, (battery.disagree, battery.agree), strict=True))

    @cached_property
    def items(self) -> set[str]:
        """Questions that are items of a battery."""
        groups = {battery.group for battery in self.batteries}
        return {q.name for q in self.questionnaire or () if groups.intersection(q.groups)}

    def question_of(self, variable: str) -> str:
        """A question that asks a variable: the first one where several do."""
        motivation = self.roles.motivation
        if motivation and variable == motivation.variable:
            return next(iter(motivation.questions.values()))
        return variable

    @cached_property
    def played(self) -> set[str]:
        """Questions that play a part: they have a role, are items of a battery, or weigh people."""
        roles, design = self.roles, self.definition.design
        named = {name for _, name in role_questions(roles)}
        named |= {name for name in (design.weights, design.strata, design.clusters) if name}
        return named | self.items

    @cached_property
    def published(self) -> Path | None:
        path = self.paths.definition / "published.csv"
        return path if path.exists() else None


def load_study(name: str, root: Path = PROJECT) -> Study:
    """Read and check everything that defines a study. Raises InputError."""
    paths = Paths(name, root)
    path = paths.definition / "study.yml"
    if not NAME.fullmatch(name) or not path.is_file():
        known = sorted(p.parent.name for p in (root / "studies").glob("*/study.yml"))
        _check_file(paths)
        raise InputError(
            [
                Problem(
                    "studies/",
                    "a study has a folder with a study.yml",
                    name,
                    "one of " + (", ".join(known) or "(none yet)"),
                    nearest(name, known) if known else "create the study",
                )
            ]
        )
    _check_own(paths)
    shown = paths.shown(path)
    problems: list[Problem] = []
    read = _or_problems(lambda: read_definition(path, shown), problems)
    form = _or_problems(lambda: _form(paths), problems)
    recodes = _or_problems(lambda: _recodes(paths.definition / "recodes.csv", paths), problems)
    if problems or read is None or recodes is None:
        raise InputError(problems)
    definition, lines = read
    study = Study(paths, definition, form, recodes, lines)
    problems = check_names(study, shown, study.line)
    if problems:
        raise InputError(problems)
    return study


def _check_file(paths: Paths) -> None:
    """Raises InputError where the folder of a study is there, without its study.yml."""
    if NAME.fullmatch(paths.study) and paths.definition.is_dir():
        there = sorted(path.name for path in paths.definition.iterdir() if path.is_file())
        near = next((name for name in there if name.startswith("study.y")), "")
        raise InputError(
            [Problem(paths.shown(paths.definition), "a study has a folder with a study.yml",
                     ", ".join(there) or "an empty folder", "study.yml",
                     f"rename {near} to study.yml" if near else
                     "write study.yml, or move the folder away and start with `new`")]
        )  # fmt: skip


def _check_own(paths: Paths) -> None:
    """Raises InputError where a file of the study is a link out of its folder, or too large."""
    problems = []
    for path in sorted(paths.definition.glob("*")):
        if not paths.holds(paths.definition, path):
            problems.append(
                Problem(paths.shown(path), "the files of a study are its own", "a link out of it",
                        "a file in the folder of the study", "put the file itself there")
            )  # fmt: skip
        elif path.is_file() and path.stat().st_size > MAX_FILE:
            problems.append(
                Problem(paths.shown(path), "the files of a study have a believable size",
                        f"{path.stat().st_size} bytes", f"{MAX_FILE} bytes at most",
                        "keep answers and documents elsewhere")
            )  # fmt: skip
    if problems:
        raise InputError(problems)


def _or_problems(read: Callable[[], T], problems: list[Problem]) -> T | None:
    """What a file holds; with mistakes in it nothing, and these go to the others."""
    try:
        return read()
    except InputError as error:
        problems += error.problems
        return None


def _form(paths: Paths) -> Questionnaire | None:
    path = _form_path(paths)
    return read_questionnaire(path, paths.shown(path)) if path else None


def _form_path(paths: Paths) -> Path | None:
    """The questionnaire, where there is one. Raises InputError where there are two."""
    found = [path for ending in ("csv", "xlsx")
             if (path := paths.definition / f"questionnaire.{ending}").is_file()]  # fmt: skip
    if len(found) > 1:
        raise InputError(
            [Problem(paths.shown(found[1]), "a study has one questionnaire",
                     "questionnaire.csv and questionnaire.xlsx", "one of them",
                     "move the one that is not used out of the folder")]
        )  # fmt: skip
    return found[0] if found else None


RECODE_HEADER = ["source", "kind", "column", "found", "becomes"]
RECODE_KINDS = ("header", "value", "drop")


def _recodes(path: Path, paths: Paths) -> tuple[Recode, ...]:
    """recodes.csv: kind `header` renames a column, `value` a value of a column, `drop` sets aside
    a column that analysis does not need (the reason stands in `becomes`)."""
    if not path.is_file():
        return ()
    shown = paths.shown(path)
    rows = [(row, cells) for row, cells in read_cells(path, shown, "CSV in UTF-8") if any(cells)]
    header = rows[0][1]
    if header not in (RECODE_HEADER, [*RECODE_HEADER, TO_DECIDE]):
        raise InputError(
            [Problem(shown, "recodes.csv has its five columns", ",".join(header),
                     ",".join(RECODE_HEADER), "write this header, parted by commas", 1)]
        )  # fmt: skip
    problems = [problem for row, cells in rows[1:] if (problem := _recode_problem(
        shown, row, cells, len(header)))]  # fmt: skip
    if problems:
        raise InputError(problems)
    return tuple(Recode(row, *cells[: len(RECODE_HEADER)]) for row, cells in rows[1:])


def _recode_problem(shown: str, row: int, cells: list[str], width: int) -> Problem | None:
    if len(cells) != width:
        return Problem(shown, "each recode is complete", f"{len(cells)} cells: {','.join(cells)}",
                       f"{width} cells", "put a text that holds a comma in quotes", row
                       )  # fmt: skip
    if cells[1] not in RECODE_KINDS:
        return Problem(shown, "a recode renames, recodes or drops", cells[1] or "nothing",
                       ", ".join(RECODE_KINDS), nearest(cells[1], RECODE_KINDS), row, "kind"
                       )  # fmt: skip
    if sign := next(filter(None, map(strange, cells)), ""):
        return Problem(shown, "texts have no hidden characters", sign, "letters and signs",
                       "remove the character", row)  # fmt: skip
    if not cells[3]:
        return Problem(shown, "a recode says what it is about", "an empty cell",
                       "a header or a value as delivered", "fill the cell", row, "found"
                       )  # fmt: skip
    return None
