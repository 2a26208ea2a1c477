"""What a study is: `study.yml`, its questionnaire and its recodes, read and checked once.

Everything a region edits is read here and passed on as values; nothing below reads it again.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from pydantic import BaseModel, ValidationError

from analysis.definition import Battery, Definition, Roles
from analysis.errors import InputError, Problem, nearest
from analysis.paths import PROJECT, Paths
from analysis.plain import strange
from analysis.questionnaire import Question, Questionnaire, read_questionnaire
from analysis.safe_yaml import MAX_BYTES, read_study
from analysis.study_checks import check_names, role_questions

# A study is named as its folder, and results and pages are named after it.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
MAX_FILE = 20_000_000  # bytes, for a questionnaire with its choices or a register of figures


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
        return _line(self.lines, place)

    @property
    def name(self) -> str:
        return self.definition.study

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
            return frame[variable].astype("category")
        names = {answer: name for name, item in derived.answers.items() for answer in item.answers}
        values = frame[derived.source].astype("string").map(names)
        return values.astype(pd.CategoricalDtype(list(derived.answers), ordered=True))

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
        return (self.roles.battery,) if self.roles.battery else ()

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
    definition, lines = _definition(path, shown)
    form_path = _form_path(paths)
    form = read_questionnaire(form_path, paths.shown(form_path)) if form_path else None
    recodes = _recodes(paths.definition / "recodes.csv", paths)
    study = Study(paths, definition, form, recodes, lines)
    problems = check_names(study, shown, study.line)
    if problems:
        raise InputError(problems)
    return study


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


def _form_path(paths: Paths) -> Path | None:
    for ending in ("csv", "xlsx"):
        path = paths.definition / f"questionnaire.{ending}"
        if path.is_file():
            return path
    return None


def _definition(path: Path, shown: str) -> tuple[Definition, dict[tuple, int]]:
    try:
        with path.open(encoding="utf-8") as handle:
            tree, lines = read_study(handle.read(MAX_BYTES + 1))
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        mark = getattr(error, "problem_mark", None)
        raise InputError(
            [
                Problem(
                    shown,
                    "study.yml is YAML in UTF-8",
                    str(error).splitlines()[0],
                    "valid YAML",
                    "correct the line named",
                    mark.line + 1 if mark else None,
                )
            ]
        ) from error
    if not isinstance(tree, dict):
        raise InputError(
            [
                Problem(
                    shown,
                    "study.yml is a list of keys and values",
                    repr(tree),
                    "key: value lines",
                    "start from another study's study.yml",
                )
            ]
        )
    try:
        return Definition.model_validate(tree), lines
    except ValidationError as error:
        raise InputError(
            [_schema_problem(shown, item, lines) for item in error.errors()]
        ) from error


def _line(lines: Mapping[tuple, int], place: tuple) -> int | None:
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place)


def _schema_problem(shown: str, item: Any, lines: dict[tuple, int]) -> Problem:
    place = tuple(str(part) for part in item["loc"])
    key = ".".join(place)
    row = _line(lines, place)
    if item["type"] == "extra_forbidden":
        known = _keys_at(place[:-1])
        return Problem(
            shown,
            "keys of study.yml are known",
            place[-1],
            "one of " + ", ".join(known),
            nearest(place[-1], known),
            row,
            key,
        )
    if item["type"] == "missing":
        return Problem(
            shown,
            "required keys are there",
            f"no {key}",
            f"a value for {key}",
            f"add the key {place[-1]}",
            row,
            key,
        )
    return Problem(
        shown,
        "values of study.yml have the right type",
        repr(item.get("input")),
        item["msg"],
        f"correct {key}",
        row,
        key,
    )


def _keys_at(place: tuple[str, ...]) -> list[str]:
    """Known keys of the model that stands at a place of study.yml."""
    model: Any = Definition
    for part in place:
        fields = getattr(model, "model_fields", None)
        if fields is None:
            break
        annotation = fields[part].annotation if part in fields else None
        candidates = [annotation, *getattr(annotation, "__args__", ())]
        nested = [
            a
            for c in candidates
            for a in (c, *getattr(c, "__args__", ()))
            if isinstance(a, type) and issubclass(a, BaseModel)
        ]
        model = nested[0] if nested else model
    return sorted(model.model_fields)


RECODE_HEADER = ["source", "kind", "column", "found", "becomes"]


def _recodes(path: Path, paths: Paths) -> tuple[Recode, ...]:
    """recodes.csv: kind `header` renames a column, `value` a value of a column, `drop` sets aside
    a column that analysis does not need (the reason stands in `becomes`)."""
    if not path.is_file():
        return ()
    shown = paths.shown(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            reader = csv.reader(handle)
            rows = [(reader.line_num, cells) for cells in reader if any(cells)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            [
                Problem(
                    shown,
                    "recodes.csv is UTF-8 CSV",
                    str(error),
                    "UTF-8",
                    "save the file as UTF-8 CSV",
                )
            ]
        ) from error
    if not rows or rows[0][1] != RECODE_HEADER:
        raise InputError(
            [
                Problem(
                    shown,
                    "recodes.csv has its five columns",
                    ",".join(rows[0][1]) if rows else "an empty file",
                    ",".join(RECODE_HEADER),
                    "write this header",
                    1,
                )
            ]
        )
    problems = [
        Problem(
            shown,
            "each recode is complete",
            ",".join(cells),
            "five cells, kind header, value or drop",
            "complete the row",
            row,
        )
        for row, cells in rows[1:]
        if len(cells) != len(RECODE_HEADER) or cells[1] not in ("header", "value", "drop")
    ]
    problems += [
        Problem(shown, "texts have no hidden characters", sign, "letters and signs",
                "remove the character", row)
        for row, cells in rows[1:] for sign in filter(None, map(strange, cells))
    ]  # fmt: skip
    if problems:
        raise InputError(problems)
    return tuple(Recode(row, *cells) for row, cells in rows[1:])
