"""The pages of a report as they are written: Quarto Markdown with a front matter and cells."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml


class RenderError(RuntimeError):
    """A report that cannot be made; the message names the page, the place and what is wrong."""


@dataclass(frozen=True)
class Prose:
    """Markdown between two cells, and the line it starts on."""

    text: str
    line: int


@dataclass(frozen=True)
class Cell:
    """A code cell: its source without the options, the options, and the line of its fence."""

    source: str
    line: int
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """A .qmd file: its name without ending, its front matter, its prose and cells in order."""

    name: str
    front: dict[str, Any]
    header: str
    parts: tuple[Prose | Cell, ...]

    @property
    def title(self) -> str:
        return str(self.front["title"])

    @property
    def chapter(self) -> str | None:
        """The chapter of the results this page is about: without results, there is no page."""
        return self.front.get("chapter")


FRONT = re.compile(r"\A---[ \t]*\n(.*?\n)---[ \t]*\n", re.DOTALL)
FENCE = re.compile(r"^(?P<ticks>`{3,}|~{3,})(?P<info>.*)$")
CODE = re.compile(r"^\{python\b[^}]*\}$")
OPTION = re.compile(r"^#\|\s?(.*)$")


def read_page(path: Path) -> Page:
    """Read a .qmd file. Raises RenderError naming the file and line."""
    text = path.read_text(encoding="utf-8")
    match = FRONT.match(text)
    if match is None:
        raise RenderError(f"{path.name}, line 1: a page starts with a front matter between ---")
    try:
        front = yaml.safe_load(match[1]) or {}
    except yaml.YAMLError as error:
        raise RenderError(f"{path.name}: the front matter is not YAML: {error}") from error
    if not isinstance(front, dict) or not front.get("title"):
        raise RenderError(f"{path.name}: the front matter has no title")
    body = text[match.end() :]
    first = match[0].count("\n") + 1
    return Page(path.stem, front, match[0], tuple(_parts(body, first, path.name)))


def _parts(body: str, first: int, name: str) -> list[Prose | Cell]:
    """Cut a body at its executable fences. Fences that only show code stay prose."""
    parts: list[Prose | Cell] = []
    prose: list[str] = []
    start, lines = first, body.splitlines(keepends=True)
    at = 0
    while at < len(lines):
        fence = FENCE.match(lines[at].rstrip("\n"))
        if fence is None:
            prose.append(lines[at])
            at += 1
            continue
        end = _closing(lines, at, fence["ticks"])
        if end is None:
            raise RenderError(f"{name}, line {first + at}: a code fence is not closed")
        if CODE.match(fence["info"].strip()):
            parts.append(Prose("".join(prose), start))
            parts.append(_cell(lines[at + 1 : end], first + at, name))
            prose, start = [], first + end + 1
        else:
            prose += lines[at : end + 1]
        at = end + 1
    return [*parts, Prose("".join(prose), start)]


def _closing(lines: list[str], opened: int, ticks: str) -> int | None:
    for at in range(opened + 1, len(lines)):
        line = lines[at].strip()
        if len(line) >= len(ticks) and set(line) == {ticks[0]}:
            return at
    return None


def _cell(lines: list[str], line: int, name: str) -> Cell:
    options = []
    for text in lines:
        match = OPTION.match(text)
        if match is None:
            break
        options.append(match[1])
    try:
        read = yaml.safe_load("\n".join(options)) or {}
    except yaml.YAMLError as error:
        raise RenderError(f"{name}, line {line}: the cell's options are not YAML") from error
    if not isinstance(read, dict):
        raise RenderError(f"{name}, line {line}: a cell's option is written `#| name: value`")
    return Cell("".join(lines[len(options) :]), line, read)


def page_order(project: Path) -> list[str]:
    """Names of the pages in reading order, from the sidebar of `_quarto.yml`."""
    config = yaml.safe_load(project.read_text(encoding="utf-8"))
    return [Path(entry).stem for entry in config["website"]["sidebar"]["contents"]]


@dataclass(frozen=True)
class Report:
    """The pages to render in reading order, and the names of those the study has nothing for."""

    pages: tuple[Page, ...]
    left_out: tuple[str, ...]


def read_report(folder: Path, project: Path, chapters: set[str]) -> Report:
    """Pages of one language. `chapters` are those of the results; a page about another one is
    left out. Raises RenderError for a page that has no place in the order, or no index."""
    order = page_order(project)
    files = {path.stem: path for path in sorted(folder.glob("*.qmd"))}
    strange = sorted(set(files) - set(order))
    if strange:
        raise RenderError(
            f"{project.name}: no place in website.sidebar.contents for {', '.join(strange)}.qmd"
        )
    if "index" not in files:
        raise RenderError(f"{folder.name}: there is no index.qmd")
    pages = [read_page(files[name]) for name in order if name in files]
    kept = tuple(page for page in pages if page.chapter is None or page.chapter in chapters)
    return Report(kept, tuple(page.name for page in pages if page not in kept))
