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
    def chapters(self) -> list[str]:
        """The chapters of the results this page is about: without results, there is no page."""
        named = self.front.get("chapter", [])
        return [named] if isinstance(named, str) else list(named)


FRONT = re.compile(r"\A---[ \t]*\n(.*?\n)---[ \t]*\n", re.DOTALL)
FENCE = re.compile(r"^(?P<ticks>`{3,}|~{3,})(?P<info>.*)$")
CODE = re.compile(r"^\{python\b[^}]*\}$")
INLINE = re.compile(r"(^|[^`])`\{python\}[ \t]([^`]+)`", re.MULTILINE)
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
    parts = tuple(_parts(body, first, path.name))
    for part in parts:
        if isinstance(part, Prose):
            _expressions_are_lines(part, path.name)
    return Page(path.stem, front, match[0], parts)


def _expressions_are_lines(prose: Prose, name: str) -> None:
    """Quarto puts values into one line at a time: it would leave an expression of several."""
    for found in INLINE.finditer(prose.text):
        if "\n" in found[2]:
            line = prose.line + prose.text.count("\n", 0, found.start(2))
            raise RenderError(
                f"{name}, line {line}: an expression in a sentence stands on one line"
            )


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


def page_files(folder: Path, own: Path | None = None) -> dict[str, Path]:
    """Files of the pages of one language, by name: one of the study's own takes the place of the
    common page of its name."""
    folders = [folder] if own is None else [folder, own]
    return {path.stem: path for place in folders for path in sorted(place.glob("*.qmd"))}


def read_report(folder: Path, project: Path, chapters: set[str], own: Path | None = None) -> Report:
    """Pages of one language. `chapters` are those of the results; a page about others is left
    out. `own` holds pages of this study alone. Raises RenderError for a page that has no place in
    the order, or no index."""
    files = page_files(folder, own)
    if "index" not in files:
        raise RenderError(f"{folder.name}: there is no index.qmd")
    pages = _in_order({name: read_page(path) for name, path in files.items()}, project)
    kept = tuple(
        page for page in pages if not page.chapters or chapters.intersection(page.chapters)
    )
    return Report(kept, tuple(page.name for page in pages if page not in kept))


def _in_order(pages: dict[str, Page], project: Path) -> list[Page]:
    """Pages as `_quarto.yml` orders them; any other says which one it comes `after`."""
    order = [name for name in page_order(project) if name in pages]
    for name in sorted(set(pages) - set(order)):
        after = pages[name].front.get("after")
        if after is None:
            raise RenderError(
                f"{project.name}: no place in website.sidebar.contents for {name}.qmd, whose "
                "front matter does not say which page it comes `after` either"
            )
        if after not in order:
            raise RenderError(f"{name}.qmd comes after {after}, which is not a page")
        order.insert(order.index(after) + 1, name)
    return [pages[name] for name in order]
