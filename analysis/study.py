"""What a study is: `study.yml` as a validated model, with its questionnaire and its recodes.

Everything a region edits is read here and passed on as values; nothing below reads it again.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from analysis import expression
from analysis.errors import InputError, Problem, nearest
from analysis.paths import PROJECT, Paths
from analysis.questionnaire import Question, Questionnaire, read_questionnaire

Text = dict[str, str]


class Model(BaseModel):
    """A part of study.yml: unknown keys are mistakes, values never change once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Period(Model):
    """First and last day of fieldwork."""

    start: dt.date
    end: dt.date


class Retention(Model):
    """A partial answer is kept from this number of answered questions on."""

    min_answered: int = 6


class Column(Model):
    """A column that no question describes: of an extract, or of the survey export itself."""

    label: Text
    type: Literal["id", "text", "date", "number", "boolean", "category", "several"]
    answers: dict[str, Text] = Field(default_factory=dict)
    minimum: float | None = None
    maximum: float | None = None
    after: dt.date | None = None
    before: dt.date | None = None
    required: bool = True


class Source(Model):
    """A raw file, named from `data/raw/<study>/`, and its columns beyond the questionnaire."""

    path: str
    columns: dict[str, Column] = Field(default_factory=dict)


class Sources(Model):
    """The sources a study may have. The survey's columns also come from the questionnaire."""

    survey: Source | None = None
    actions: Source | None = None
    institutions: Source | None = None
    programmes: Source | None = None

    def present(self) -> dict[str, Source]:
        return {
            name: source
            for name in type(self).model_fields
            if (source := getattr(self, name)) is not None
        }


class AnswerSet(Model):
    """Several answers read together, such as "satisfied in total"."""

    label: Text
    answers: list[str]


class Band(Model):
    """A band of length in hours, from the end of the one before to below its own end."""

    name: str
    label: Text
    below: float | None = None


class Derived(Model):
    """A variable that follows from another one by sets of its answers."""

    label: Text
    source: str
    answers: dict[str, AnswerSet]


class Population(Model):
    """Who (or which rows of an extract) is counted, as a condition in the routing language."""

    label: Text
    where: str = "true()"
    source: str = "survey"


class Cut(Model):
    """A table asked for beside those a chapter makes by itself."""

    variable: str
    population: str = "all"
    by: str | None = None


class Motivation(Model):
    """One variable asked with one question a population, and the column naming families."""

    variable: str
    questions: dict[str, str]
    family: str | None = None


class Battery(Model):
    """Items on one scale: the group they stand in, and what its answers mean, worst first."""

    group: str
    prefix: str = ""
    scale: list[str]
    disagree: list[str]
    agree: list[str]
    not_concerned: str | None = None


class Consumption(Model):
    """What the training-consumption chapter counts, and in which columns of the extract."""

    counts: list[str]
    actions: str
    trainings: str
    title: str
    hours: str
    date: str
    by: list[str] = Field(default_factory=list)


class Roles(Model):
    """Which question plays which part. A part nobody plays has no chapter."""

    status: str | None = None
    profile: list[str] = Field(default_factory=list)
    job: str | None = None
    ai_use: str | None = None
    settings: str | None = None
    provider: str | None = None
    hours: str | None = None
    no_training: str | None = None
    informal_learning: str | None = None
    motivation: Motivation | None = None
    objective: str | None = None
    battery: Battery | None = None
    satisfaction: str | None = None
    satisfied: str | None = None
    dissatisfaction_reason: str | None = None
    satisfaction_reason: str | None = None
    practice: str | None = None
    practice_benefit: str | None = None
    non_use_reason: str | None = None
    comment: str | None = None
    comment_theme: str | None = None
    consumption: Consumption | None = None


class Thresholds(Model):
    """When an estimate is called fragile."""

    fragile_base: int = 30
    fragile_width: float = 0.40


class AuditNote(Model):
    """What a reader must know of a printed figure: what is missing to check it, or a remark."""

    missing: Text = Field(default_factory=dict)
    remark: Text = Field(default_factory=dict)


class Licence(Model):
    """Under which terms data and results are reused."""

    name: str
    url: str


class Definition(Model):
    """The whole of study.yml."""

    study: str
    languages: list[str]
    brand: Text
    title: Text
    field: Text
    publisher: str
    published: Text = Field(default_factory=dict)
    synthetic: bool
    seed: int = 2026
    period: Period
    retention: Retention = Retention()
    sources: Sources
    populations: dict[str, Population]
    base_populations: dict[str, str] = Field(default_factory=dict)
    roles: Roles = Roles()
    answer_sets: dict[str, dict[str, AnswerSet]] = Field(default_factory=dict)
    duration_bands: list[Band] = Field(default_factory=list)
    derived: dict[str, Derived] = Field(default_factory=dict)
    tables: dict[str, list[Cut]] = Field(default_factory=dict)
    audit: dict[str, AuditNote] = Field(default_factory=dict)
    thresholds: Thresholds = Thresholds()
    licence: Licence


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

    @cached_property
    def published(self) -> Path | None:
        path = self.paths.definition / "published.csv"
        return path if path.exists() else None


def load_study(name: str, root: Path = PROJECT) -> Study:
    """Read and check everything that defines a study. Raises InputError."""
    paths = Paths(name, root)
    path = paths.definition / "study.yml"
    if not path.is_file():
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
    shown = paths.shown(path)
    definition, lines = _definition(path, shown)
    form_path = _form_path(paths)
    form = read_questionnaire(form_path, paths.shown(form_path)) if form_path else None
    recodes = _recodes(paths.definition / "recodes.csv", paths)
    study = Study(paths, definition, form, recodes)
    problems = _checks(study, shown, lines)
    if problems:
        raise InputError(problems)
    return study


def _form_path(paths: Paths) -> Path | None:
    for ending in ("csv", "xlsx"):
        path = paths.definition / f"questionnaire.{ending}"
        if path.is_file():
            return path
    return None


class _Loader(yaml.SafeLoader):
    """Safe YAML where only what looks like a number is one: 30_39, yes and no stay text."""


_PLAIN = {
    "tag:yaml.org,2002:bool": re.compile(r"^(?:true|false)$"),
    "tag:yaml.org,2002:int": re.compile(r"^[-+]?\d+$"),
    "tag:yaml.org,2002:float": re.compile(r"^[-+]?\d+\.\d+$"),
}
_Loader.yaml_implicit_resolvers = {
    first: [(tag, _PLAIN.get(tag, pattern)) for tag, pattern in resolvers]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_yaml(text: str) -> Any:
    """YAML as study.yml is read: safe, and without surprises of type."""
    return yaml.load(text, Loader=_Loader)


def _definition(path: Path, shown: str) -> tuple[Definition, dict[tuple, int]]:
    try:
        text = path.read_text(encoding="utf-8")
        tree = read_yaml(text)
        lines = _lines(yaml.compose(text, Loader=_Loader))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
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


def _lines(node: yaml.Node | None, at: tuple = ()) -> dict[tuple, int]:
    """Line of each key of a YAML tree, so that a mistake can be pointed at."""
    found: dict[tuple, int] = {}
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            place = (*at, str(key.value))
            found[place] = key.start_mark.line + 1
            found |= _lines(value, place)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            place = (*at, str(number))
            found[place] = value.start_mark.line + 1
            found |= _lines(value, place)
    return found


def _line(lines: dict[tuple, int], place: tuple) -> int | None:
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
    if problems:
        raise InputError(problems)
    return tuple(Recode(row, *cells) for row, cells in rows[1:])


def _checks(study: Study, shown: str, lines: dict[tuple, int]) -> list[Problem]:
    """What the model alone cannot see: names that must exist elsewhere."""

    def problem(place: tuple, rule: str, found: str, expected: str, action: str) -> Problem:
        return Problem(shown, rule, found, expected, action, _line(lines, place), ".".join(place))

    definition = study.definition
    problems = []
    if definition.study != study.paths.study:
        problems.append(
            problem(
                ("study",),
                "the study is named as its folder",
                definition.study,
                study.paths.study,
                "write the folder's name",
            )
        )
    for name, source in definition.sources.present().items():
        pure = PurePosixPath(source.path)
        if pure.is_absolute() or ".." in pure.parts:
            problems.append(
                problem(
                    ("sources", name, "path"),
                    "sources stay in the study's folder",
                    source.path,
                    "a file below data/raw/<study>/",
                    "write a relative path without ..",
                )
            )
    problems += _missing_texts(definition, problem)
    if study.questionnaire is not None:
        problems += _unknown_names(study, problem)
    return problems


def _missing_texts(definition: Definition, problem: Any) -> list[Problem]:
    """Every text of study.yml in every language of the study."""
    found: list[Problem] = []

    def walk(value: Any, place: tuple) -> None:
        if isinstance(value, BaseModel):
            for key in type(value).model_fields:
                walk(getattr(value, key), (*place, key))
        elif isinstance(value, list):
            for number, item in enumerate(value):
                walk(item, (*place, str(number)))
        elif (
            isinstance(value, dict)
            and place[-1] in ("label", "title", "brand", "field", "published", "missing", "remark")
        ) or (len(place) > 1 and place[-2] == "answers" and isinstance(value, dict)):
            found.extend(
                problem(
                    place,
                    "a text in each language",
                    f"no {lang} text",
                    "texts in " + ", ".join(definition.languages),
                    f"add {lang}: …",
                )
                for lang in definition.languages
                if value and not value.get(lang)
            )
        elif isinstance(value, dict):
            for key, item in value.items():
                walk(item, (*place, key))

    walk(definition, ())
    return found


def _role_questions(roles: Roles) -> list[tuple[tuple[str, ...], str]]:
    """Every (place, question) pair that the roles name."""
    pairs: list[tuple[tuple[str, ...], str]] = []
    for key, value in roles:
        if key in ("no_training", "satisfied"):
            continue
        if isinstance(value, str):
            pairs.append((("roles", key), value))
        elif isinstance(value, list):
            pairs += [(("roles", key, str(n)), name) for n, name in enumerate(value)]
        elif isinstance(value, Motivation):
            pairs += [(("roles", key, "questions", p), q) for p, q in value.questions.items()]
    return pairs


def _unknown_names(study: Study, problem: Any) -> list[Problem]:
    form, definition = study.questionnaire, study.definition
    assert form is not None
    known = list(form.questions)
    problems = [
        problem(
            place,
            "a role names a question",
            name,
            "a question of the questionnaire",
            nearest(name, known),
        )
        for place, name in _role_questions(study.roles)
        if name not in form
    ]
    battery = study.roles.battery
    if battery and battery.group not in form.groups:
        problems.append(
            problem(
                ("roles", "battery", "group"),
                "a battery is a group",
                battery.group,
                "a group of the questionnaire",
                nearest(battery.group, list(form.groups)),
            )
        )
    problems += _unknown_answers(study, problem)
    for name, population in definition.populations.items():
        place = ("populations", name, "where")
        source = definition.sources.present().get(population.source)
        columns = [] if source is None else list(source.columns)
        names = [*known, *columns] if population.source == "survey" else columns
        try:
            read = expression.parse(population.where).questions()
        except expression.ExpressionError as error:
            problems.append(
                problem(
                    place,
                    "populations use the routing language",
                    str(error),
                    "an XLSForm expression",
                    "rewrite the condition",
                )
            )
            continue
        problems += [
            problem(
                place,
                "populations read known questions",
                f"${{{q}}}",
                "a question or a column of the population's source",
                nearest(q, names),
            )
            for q in sorted(read)
            if q not in names
        ]
    names = list(definition.populations)
    cuts: list[tuple[tuple, str]] = [
        (("tables", chapter, str(n)), cut.population)
        for chapter, cuts in definition.tables.items()
        for n, cut in enumerate(cuts)
    ]
    cuts += [(("base_populations", q), p) for q, p in definition.base_populations.items()]
    problems += [
        problem(
            place,
            "a table names a population",
            population,
            "a population of study.yml",
            nearest(population, names),
        )
        for place, population in cuts
        if population not in names
    ]
    return problems


def _answer_lists(study: Study) -> dict[str, list[str]]:
    """Answers of every variable that has a list of them."""
    form, definition = study.questionnaire, study.definition
    lists = {q.name: q.answers for q in form} if form else {}
    for source in definition.sources.present().values():
        lists |= {
            name: list(column.answers)
            for name, column in source.columns.items()
            if column.answers and name not in lists
        }
    bands = [band.name for band in definition.duration_bands]
    return lists | {"duration_band": bands, "mean_duration_band": bands}


def _unknown_answers(study: Study, problem: Any) -> list[Problem]:
    form, definition = study.questionnaire, study.definition
    assert form is not None
    sets: list[tuple[tuple, str, list[str]]] = [
        (("answer_sets", q, s), q, item.answers)
        for q, group in definition.answer_sets.items()
        for s, item in group.items()
    ]
    sets += [
        (("derived", v, "answers", s), d.source, item.answers)
        for v, d in definition.derived.items()
        for s, item in d.answers.items()
    ]
    known = _answer_lists(study)
    problems = []
    for place, name, answers in sets:
        if name not in known:
            problems.append(
                problem(
                    place,
                    "answer sets name a variable",
                    name,
                    "a question or a column",
                    nearest(name, list(known)),
                )
            )
            continue
        problems += [
            problem(
                place,
                "answer sets name answers of their variable",
                answer,
                "an answer of " + name,
                nearest(answer, known[name]),
            )
            for answer in answers
            if answer not in known[name]
        ]
    return problems
