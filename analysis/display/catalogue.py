"""The catalogue of figures: which table of the results each figure shows, and how.

`report/figures.yml` holds it; the words of each figure stand in `report/<lang>/texts.yml`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from analysis.errors import InputError, Problem, nearest
from analysis.study import read_yaml

Text = str | dict[str, str]


class Model(BaseModel):
    """A part of the catalogue: unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Cell(Model):
    """One estimate by its names. `category` may be a role that names a set of answers."""

    variable: str
    category: str
    population: str | None = None
    note: bool = False


class Entry(Model):
    """One figure. `variable` and `by` are roles, or names of the results."""

    kind: Literal["bars", "diverging", "bands", "stacked", "flow", "dots", "columns", "ranks"]
    variable: str | None = None
    population: str | None = None
    by: str | None = None
    base_kind: str | None = None
    category: str | None = None
    populations: list[str] = Field(default_factory=list)
    cells: list[Cell] = Field(default_factory=list)
    order: Literal["value", "given"] = "given"
    top: int | None = None
    series: int | None = None
    tag: Literal["family", "group"] | None = None
    value: Literal["share", "count", "fraction", "mean", "rank"] = "share"
    minimum_base: int = 0
    palette: Literal["agreement", "sequence"] = "sequence"
    battery: bool = False
    each: bool = False
    test: str | None = None


class Card(Model):
    """A key figure: one estimate, as a share or as a count."""

    variable: str
    category: str
    population: str | None = None
    value: Literal["share", "count", "mean"] = "share"
    base: Literal["interval", "fraction", "received"] = "interval"


class Catalogue(Model):
    """Everything `report/figures.yml` declares."""

    figures: dict[str, Entry]
    cards: dict[str, Card] = Field(default_factory=dict)


class FigureText(Model):
    """The words of one figure. A title or sentence may have variants by condition."""

    topic: str
    title: Text
    say: Text
    subtitle: str | None = None
    note: str | None = None
    steps: list[str] = Field(default_factory=list)
    step_notes: list[str] = Field(default_factory=list)


class CardText(Model):
    """The words of one key figure."""

    what: str
    base: str | None = None


class Texts(Model):
    """Everything `report/<lang>/texts.yml` says."""

    figures: dict[str, FigureText]
    cards: dict[str, CardText] = Field(default_factory=dict)


@cache
def read_catalogue(path: Path, shown: str) -> Catalogue:
    """Read `figures.yml`. Raises InputError."""
    return _read(path, shown, Catalogue)


@cache
def read_texts(path: Path, shown: str) -> Texts:
    """Read `texts.yml` of one language. Raises InputError."""
    return _read(path, shown, Texts)


def entry_of(catalogue: Catalogue, name: str) -> tuple[Entry, str, str]:
    """A figure of the catalogue by its id: the entry, its name, and the group it is asked for.

    A figure made for each group of the battery has the group's name after its own. Raises
    InputError where the id is unknown.
    """
    if name in catalogue.figures and not catalogue.figures[name].each:
        return catalogue.figures[name], name, ""
    for key, entry in catalogue.figures.items():
        if entry.each and name.startswith(f"{key}-"):
            return entry, key, name.removeprefix(f"{key}-")
    raise InputError(
        [
            Problem(
                "report/figures.yml",
                "a page asks for figures of the catalogue",
                name,
                "a figure of report/figures.yml",
                nearest(name, list(catalogue.figures)),
            )
        ]
    )


def _read(path: Path, shown: str, model: Any) -> Any:
    if not path.is_file():
        raise InputError(
            [Problem(shown, "the report's words are there", "no file", shown, "write this file")]
        )
    try:
        return model.model_validate(read_yaml(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        raise InputError([_problem(shown, item) for item in error.errors()]) from error


def _problem(shown: str, item: Any) -> Problem:
    place = ".".join(str(part) for part in item["loc"])
    return Problem(
        shown, "the report's words and figures are well formed", place, item["msg"],
        f"correct {place}",
    )  # fmt: skip
