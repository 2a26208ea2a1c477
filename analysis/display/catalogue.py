"""The catalogue of figures: which table of the results each figure shows, and how.

`report/figures.yml` holds it; the words of each figure stand in `report/<lang>/texts.yml`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from analysis.errors import InputError, Problem, nearest
from analysis.plain_text import read_text
from analysis.safe_yaml import read_study

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

    kind: Literal["bars", "diverging", "bands", "stacked", "flow", "dots", "columns", "ranks",
                  "pairs", "gaps"]  # fmt: skip
    variable: str | None = None
    population: str | None = None
    by: str | None = None
    base_kind: str | None = None
    category: str | None = None
    populations: list[str] = Field(default_factory=list)
    cells: list[Cell] = Field(default_factory=list)
    order: Literal["value", "given"] = "given"
    top: int | None = None
    # Of a table in the order of time: how many rows at its end are drawn.
    last: int | None = None
    series: int | None = None
    tag: Literal["family", "group"] | None = None
    value: Literal["share", "count", "fraction", "mean", "rank"] = "share"
    minimum_base: int = 0
    palette: Literal["agreement", "sequence"] = "sequence"
    battery: bool = False
    each: bool = False
    test: str | None = None
    # Of the figures made for questions: the chapter they stand in, and the words they take.
    chapter: str = ""
    words: str = ""


class Card(Model):
    """A key figure: one estimate, as a share or as a count."""

    variable: str
    category: str
    population: str | None = None
    value: Literal["share", "count", "mean"] = "share"
    base: Literal["interval", "fraction", "received"] = "interval"


class Catalogue(Model):
    """Everything `report/figures.yml` declares."""

    figures: dict[str, Entry] = Field(default_factory=dict)
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

    figures: dict[str, FigureText] = Field(default_factory=dict)
    # Of figures made for any question, by the kind of their table (see general.py).
    questions: dict[str, FigureText] = Field(default_factory=dict)
    cards: dict[str, CardText] = Field(default_factory=dict)


Files = tuple[tuple[Path, str], ...]


@cache
def read_catalogue(files: Files) -> Catalogue:
    """Read `figures.yml`, and that of the study if there is one. Raises InputError.

    files: each with how it is told. What a later one says of a figure takes the place of what an
    earlier one says, key by key.
    """
    return _read(files, Catalogue)


@cache
def read_texts(files: Files) -> Texts:
    """Read `texts.yml` of one language, in the same way. Raises InputError."""
    return _read(files, Texts)


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


def _read(files: Files, model: Any) -> Any:
    tree: dict[str, dict[str, Any]] = {}
    for path, shown in files:
        if not path.is_file():
            raise InputError(
                [
                    Problem(
                        shown, "the report's words are there", "no file", shown, "write this file"
                    )
                ]
            )
        for part, entries in _tree(path, shown).items():
            known = tree.setdefault(part, {})
            for name, entry in entries.items():
                known[name] = {**known.get(name, {}), **entry}
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        shown = " or ".join(shown for _, shown in files)
        raise InputError([_problem(shown, item) for item in error.errors()]) from error


def _tree(path: Path, shown: str) -> dict[str, Any]:
    """Parts of a file of words, which a study may bring too. Raises InputError."""
    found: str | None = None
    try:
        tree = read_study(read_text(path, shown, "YAML in UTF-8"))[0] or {}
        if not isinstance(tree, dict):
            found = type(tree).__name__
        elif wrong := [part for part, entries in tree.items() if not _named(entries)]:
            found = f"{wrong[0]}: {tree[wrong[0]]!r}"
    except yaml.YAMLError as error:
        found = str(error).splitlines()[0]
    if found is not None:
        raise InputError(
            [Problem(shown, "the report's words are YAML, each below its name", found,
                     "parts, names in them, and words by name", "correct this file")]
        )  # fmt: skip
    return tree


def _named(entries: Any) -> bool:
    return isinstance(entries, dict) and all(isinstance(entry, dict) for entry in entries.values())


def _problem(shown: str, item: Any) -> Problem:
    place = ".".join(str(part) for part in item["loc"])
    return Problem(
        shown, "the report's words and figures are well formed", place, item["msg"],
        f"correct {place}",
    )  # fmt: skip
