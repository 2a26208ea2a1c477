"""The model of `study.yml`: every key a region may write, with its type and its default."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

# What readers are told, by language of the study.
Text = Annotated[dict[str, str], "by language"]


class Model(BaseModel):
    """A part of study.yml: unknown keys are mistakes, values never change once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Period(Model):
    """First and last day of fieldwork."""

    start: dt.date
    end: dt.date


class Retention(Model):
    """A partial answer is kept from this number of answered questions on."""

    min_answered: int = Field(default=6, ge=0)


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


SourceLayout = Literal[
    "plain",
    "kobo",
    "odk",
    "limesurvey",
    "google_forms",
    "microsoft_forms",
    "sphinx",
    "qualtrics",
    "spss",
]


class Source(Model):
    """A raw file, named from `data/raw/<study>/`, and its columns beyond the questionnaire.

    `layout`: the tool it was exported from; recognised where nothing is said. `assumed`: why the
    number of its rows is an assumption, for a file rebuilt from shares of an unpublished number.
    """

    path: str = ""
    layout: SourceLayout | None = None
    # Of the actions alone: a table of the engine in place of files, and what a row that breaks a
    # rule does.
    table: str | None = None
    on_bad_row: Literal["stop", "quarantine"] = "stop"
    columns: dict[str, Column] = Field(default_factory=dict)
    assumed: Text = Field(default_factory=dict)


# What lies beside the files of a source, and is not one of them.
ASIDE = (".yml", ".yaml", ".md", ".json")


def source_files(raw: Path, source: Source) -> list[Path]:
    """Every file of a source: that named, or those of a folder or that a pattern finds, by name."""
    path = raw / source.path
    if not source.path or path.is_file():
        return [path] if source.path else []
    found = path.rglob("*") if path.is_dir() else raw.glob(source.path)
    return sorted(
        file
        for file in found
        if file.is_file()
        and not file.name.startswith((".", "_"))
        and file.suffix.lower() not in ASIDE
    )


class Sources(Model):
    """The sources a study may have. The survey's columns also come from the questionnaire.

    `lists`: any other list counted whole, by what its rows are (trainees, companies…).
    """

    survey: Source | None = None
    actions: Source | None = None
    institutions: Source | None = None
    programmes: Source | None = None
    lists: dict[str, Source] = Field(default_factory=dict)

    def present(self) -> dict[str, Source]:
        named = {
            name: source
            for name in type(self).model_fields
            if isinstance(source := getattr(self, name), Source)
        }
        return named | self.lists


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


class Headline(Model):
    """A share that is also estimated without the partial responses."""

    variable: str
    category: str


class Motivation(Model):
    """One variable asked with one question a population, and the families of its answers.

    `family` is the column of the choices sheet that gives each answer its family.
    """

    variable: str
    questions: dict[str, str]
    family: str | None = None
    families: dict[str, Text] = Field(default_factory=dict)


def _names(value: Any) -> bool:
    """Whether a value is a list of names, before the model says what it should be."""
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


class Battery(Model):
    """Items on one scale of two to seven answers: the group they stand in, and what answers mean.

    Once read, answers stand worst first, whichever end study.yml begins with. An answer that is on
    neither side is the neutral one.
    """

    group: str
    scale: list[str]
    disagree: list[str]
    agree: list[str]
    not_concerned: str | None = None
    by: list[str] = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _worst_first(cls, given: Any) -> Any:
        """The same with its answers from the worst to the best; others are told by the checks."""
        parts = ("scale", "disagree", "agree")
        if not isinstance(given, dict) or not all(_names(given.get(part)) for part in parts):
            return given
        scale, disagree, agree = (given[part] for part in parts)
        if not set(disagree) | set(agree) <= set(scale) or not disagree or not agree:
            return given
        if scale.index(agree[0]) < scale.index(disagree[0]):
            scale = scale[::-1]
        at = scale.index
        return {**given, "scale": scale, "disagree": sorted(disagree, key=at),
                "agree": sorted(agree, key=at)}  # fmt: skip

    @property
    def neutral(self) -> list[str]:
        """Answers of the scale on neither side."""
        return [one for one in self.scale if one not in (*self.disagree, *self.agree)]


class Consumption(Model):
    """What the training-consumption chapter counts, and in which columns of the extract.

    `ai`: whether titles are told apart by the rules of `ai_rules.csv` (of the study, else the
    default ones). `sampling`: which part of all actions the extract holds, where it is a sample.
    """

    counts: list[str]
    actions: str
    trainings: str
    title: str
    hours: str
    date: str
    by: list[str] = Field(default_factory=list)
    person: str | None = None
    provider: str | None = None
    cost: str | None = None
    ai: bool = False
    sampling: float | None = Field(default=None, gt=0, lt=1)


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
    battery: Battery | list[Battery] | None = None
    satisfaction: str | None = None
    satisfied: str | None = None
    dissatisfaction_reason: str | None = None
    satisfaction_reason: str | None = None
    practice: str | None = None
    practice_benefit: str | None = None
    non_use_reason: str | None = None
    comment: str | None = None
    comment_theme: str | None = None
    comment_theme_second: str | None = None
    consumption: Consumption | None = None


class Raking(Model):
    """Known shares, or counts, of single-answer variables, that weights are fitted to.

    `bounds`: smallest and largest that a weight may become, as a multiple of what it was.
    """

    margins: dict[str, dict[str, float]] = Field(min_length=1)
    bounds: tuple[float, float] | None = None
    rounds: int = Field(default=100, ge=1, le=10_000)
    tolerance: float = Field(default=1e-8, gt=0)


class SurveyDesign(Model):
    """How people came into the survey, and what each of them stands for.

    `weights`, `strata` and `clusters` are columns; `population` is how many people (or clusters)
    there were to draw from: one number, or where there are strata one for each.
    """

    weights: str | None = None
    strata: str | None = None
    clusters: str | None = None
    population: float | dict[str, float] | None = None
    raking: Raking | None = None

    @property
    def declared(self) -> bool:
        """Whether the sample is anything but a simple one."""
        return self != SurveyDesign()


class Thresholds(Model):
    """When an estimate is called fragile, and when it is not shown at all.

    The defaults for base, width and degrees of freedom follow the standards of the US National
    Center for Health Statistics (Parker et al. 2017, Vital and Health Statistics 2:175): a base of
    30, an interval 30 points wide, 8 degrees of freedom. Ours is 40 points, as these surveys are
    small. The base under which nothing is shown is the default of ACRO (10).
    """

    fragile_base: int = Field(default=30, ge=0)
    fragile_width: float = Field(default=0.40, gt=0)
    fragile_df: int = Field(default=8, ge=0)
    suppressed_base: int = Field(default=10, ge=0)


class Dominance(Model):
    """The n-k rule: an amount is hidden where its `n` largest contributions exceed the part `k`."""

    n: int = Field(default=2, ge=1)
    k: float = Field(default=0.90, gt=0, le=1)


class Disclosure(Model):
    """Disclosure control: which numbers are withheld, and how well those are protected.

    public: the numbers are public already, nothing is withheld. minimum_count, minimum_base: counts
    and bases of people from 1 to below it are hidden. dominance and p_percent: an amount (hours,
    cost) is hidden where its largest contributions exceed a part of it, or where the second largest
    contributor could tell the largest to within p per cent. tolerance: no hidden count can be told
    from what is published closer than to so many people. rounding: counts and bases are released as
    multiples of it.

    Defaults are those of ACRO (Green, Ritchie, Smith 2021) for count, n-k and p; a tolerance of 5
    is the base it rounds to.
    """

    public: bool = False
    minimum_count: int = Field(default=10, ge=0)
    minimum_base: int = Field(default=10, ge=0)
    dominance: Dominance = Dominance()
    p_percent: float = Field(default=10, ge=0)
    rounding: int | None = Field(default=None, ge=2)
    tolerance: int = Field(default=5, ge=1)


class AuditNote(Model):
    """What a reader must know of a printed figure: what is missing to check it, or a remark."""

    missing: Text = Field(default_factory=dict)
    remark: Text = Field(default_factory=dict)


class Licence(Model):
    """Under which terms data and results are reused."""

    name: str
    url: str = Field(pattern=r"^https?://[^\s<>\"]+$")


class Privacy(Model):
    """What only the owner of a study can say of personal data, for the page on privacy."""

    controller: Text = Field(default_factory=dict)
    legal_basis: Text = Field(default_factory=dict)
    retention: Text = Field(default_factory=dict)
    contact: Text = Field(default_factory=dict)


class Definition(Model):
    """The whole of study.yml.

    `wave_of`: the study that this one asks again, where it is a later wave of it: what is compared
    between them is a change.
    """

    study: str
    wave_of: str | None = None
    languages: list[str] = Field(min_length=1)
    brand: Text
    title: Text
    field: Text
    publisher: str
    published: Text = Field(default_factory=dict)
    synthetic: bool
    seed: int = Field(default=2026, ge=0, lt=2**63)
    period: Period
    retention: Retention = Retention()
    # Where rows of an extract of actions are worked on (analysis/engine.py).
    engine: str = "duckdb://"
    sources: Sources
    populations: dict[str, Population]
    base_populations: dict[str, str] = Field(default_factory=dict)
    roles: Roles = Roles()
    answer_sets: dict[str, dict[str, AnswerSet]] = Field(default_factory=dict)
    duration_bands: list[Band] = Field(default_factory=list)
    derived: dict[str, Derived] = Field(default_factory=dict)
    tables: dict[str, list[Cut]] = Field(default_factory=dict)
    ordered: list[str] = Field(default_factory=list)
    pairs: list[str] = Field(default_factory=list)
    headlines: list[Headline] = Field(default_factory=list)
    audit: dict[str, AuditNote] = Field(default_factory=dict)
    design: SurveyDesign = SurveyDesign()
    thresholds: Thresholds = Thresholds()
    privacy: Privacy = Privacy()
    disclosure: Disclosure | None = None
    licence: Licence

    @field_validator("languages")
    @classmethod
    def _codes(cls, languages: list[str]) -> list[str]:
        """Files of results and folders of pages are named after them."""
        if len(set(languages)) < len(languages):
            raise ValueError("each language stands once")
        if not all(re.fullmatch("[a-z]{2,3}", language) for language in languages):
            raise ValueError("a language is a code of two or three letters, such as fr")
        return languages
