"""reconstruction.yml: what the register does not say and a reconstruction has to choose."""

from __future__ import annotations

import datetime as dt

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from analysis import expression
from analysis.definition import Text
from analysis.errors import InputError, Problem
from analysis.safe_yaml import read_yaml
from analysis.study import Study


class Part(BaseModel):
    """A part of reconstruction.yml: unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Tendency(Part):
    """Cells of a table that are more (or less) common than independence would make them."""

    where: str
    weight: float


class Trait(Part):
    """A level each person has; part of it is read from an answer, the rest is chance."""

    name: str
    reads: str | None = None
    loading: float = 0.0


class Leaning(Part):
    """Who leans towards an answer (`answer`) or up the scale of a question (no `answer`).

    `question` may also be a group: then all its questions lean alike. `scale` orders the answers
    that are on the scale, where these are not all answers.
    """

    question: str
    by: float
    answer: str | None = None
    trait: str | None = None
    where: str | None = None
    scale: list[str] | None = None


class Wording(Part):
    """Openly made-up text: `{n}` is a number from 1 to `number`, or a running number."""

    pattern: str
    number: int | None = None
    where: str = "true()"


class Counting(Part):
    """How the rows of one source are counted before they are written."""

    tables: list[list[str]]
    # Number of rows, where no figure prints it: an assumption, said in study.yml too.
    size: int | None = None
    ordered: dict[str, list[str]] = Field(default_factory=dict)
    assumed: dict[str, dict[str, float]] = Field(default_factory=dict)
    tendencies: list[Tendency] = Field(default_factory=list)


class Respondents(Counting):
    """The survey: also how people differ, leave, write and come in."""

    kept_to: str
    optional: list[str] = Field(default_factory=list)
    last_page_header: str
    identifier: str
    quiet: list[dt.date] = Field(default_factory=list)
    traits: list[Trait] = Field(default_factory=list)
    leanings: list[Leaning] = Field(default_factory=list)
    texts: dict[str, list[Wording]] = Field(default_factory=dict)


class Titles(Part):
    """Titles of one group of trainings, every combination of the lists in the pattern."""

    pattern: str
    trainings: int | None = None
    lists: dict[str, list[str]]


class Extract(Part):
    """The extract of training actions: what the published totals leave open."""

    group: str
    identifier: str
    provider: str
    providers: Wording
    titles: dict[str, Titles]
    lengths: dict[str, list[float]]
    spread: float
    session: int
    drift: float
    drifting: float
    months: list[float]
    closed: list[dt.date] = Field(default_factory=list)
    shares: dict[str, dict[str, float]]


class Listing(Counting):
    """A list of institutions or programmes."""

    identifier: str


class File(Part):
    """How a raw file is written, and what its provenance record says."""

    title: Text
    method: Text
    encoding: str = "utf-8"
    delimiter: str = ","
    decimal: str = "."
    date: str = "%Y-%m-%d"


class Plan(Part):
    """The whole of reconstruction.yml."""

    date: dt.date
    producer: Text
    beyond: list[str] = Field(default_factory=list)
    files: dict[str, File]
    survey: Respondents | None = None
    actions: Extract | None = None
    institutions: Listing | None = None
    programmes: Listing | None = None
    lists: dict[str, Listing] = Field(default_factory=dict)

    def listings(self) -> dict[str, Listing]:
        """Every list to rebuild, by source."""
        own = {"institutions": self.institutions, "programmes": self.programmes}
        return {name: item for name, item in own.items() if item is not None} | self.lists


def read_plan(study: Study) -> Plan:
    """Read and check reconstruction.yml. Raises InputError."""
    path = study.paths.definition / "reconstruction.yml"
    shown = study.paths.shown(path)
    if not path.is_file() or study.published is None:
        missing = "published.csv" if path.is_file() else path.name
        raise InputError(
            [
                Problem(
                    study.paths.shown(study.paths.definition),
                    "a study to reconstruct has reconstruction.yml and published.csv",
                    f"no {missing}",
                    "both files",
                    "write the file, taking another study's as an example",
                )
            ]
        )
    try:
        plan = Plan.model_validate(read_yaml(path.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise InputError([_problem(shown, str(error).splitlines()[0], "valid YAML")]) from error
    except ValidationError as error:
        raise InputError(
            [
                _problem(shown, repr(item.get("input")), item["msg"], item["loc"])
                for item in error.errors()
            ]
        ) from error
    problems = _unknown(study, plan, shown)
    if problems:
        raise InputError(problems)
    return plan


def _problem(shown: str, found: str, expected: str, place: tuple = ()) -> Problem:
    key = ".".join(str(part) for part in place) or None
    action = f"correct {key}" if key else "correct the file"
    return Problem(shown, "reconstruction.yml can be read", found, expected, action, None, key)


def _unknown(study: Study, plan: Plan, shown: str) -> list[Problem]:
    """Questions and conditions of the survey part that the questionnaire does not know."""
    survey, form = plan.survey, study.questionnaire
    if survey is None or form is None:
        return []
    known = {*form.questions, *form.groups, "last_page"}
    named = [name for table in survey.tables for name in table]
    named += [leaning.question for leaning in survey.leanings]
    named += [*survey.ordered, *survey.assumed, *survey.texts, *survey.optional, survey.kept_to]
    named += [trait.reads for trait in survey.traits if trait.reads]
    conditions = [t.where for t in survey.tendencies]
    conditions += [leaning.where for leaning in survey.leanings if leaning.where]
    conditions += [text.where for texts in survey.texts.values() for text in texts]
    for where in conditions:
        try:
            named += expression.parse(where).questions()
        except expression.ExpressionError as error:
            return [_problem(shown, str(error), "a condition as in XLSForm")]
    return [
        _problem(shown, name, "a question or group of the questionnaire", ("survey",))
        for name in sorted(set(named) - known)
    ]
