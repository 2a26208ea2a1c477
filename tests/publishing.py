"""A project of a few pages in a folder of its own, for the tests of rendering."""

from __future__ import annotations

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

from analysis.paths import PROJECT
from analysis.study import Study, load_study

STUDY = "cnc_afdas_2026"
PAGES = Path(__file__).parent / "report_pages"
ESTIMATES = "chapter,table,share\nsatisfaction,satisfaction,0.8\n"


def project(root: Path) -> Study:
    """The national definition with the pages of tests/report_pages and one line of results."""
    own = shutil.ignore_patterns("report")
    shutil.copytree(PROJECT / "studies" / STUDY, root / "studies" / STUDY, ignore=own)
    shutil.copytree(PAGES, root / "report" / "fr")
    shutil.copyfile(PROJECT / "_quarto.yml", root / "_quarto.yml")
    study = load_study(STUDY, root)
    study.paths.results.mkdir(parents=True)
    (study.paths.results / "estimates.csv").write_text(ESTIMATES, encoding="utf-8")
    return study


def page(study: Study, name: str, body: str, front: str = "") -> Path:
    """Write one page of a project."""
    path = study.paths.pages / "fr" / f"{name}.qmd"
    path.write_text(f"---\ntitle: Page {name}\n{front}---\n\n{body}\n", encoding="utf-8")
    return path


class Outline(HTMLParser):
    """What a page says and how it is built, without what a serialiser may write either way."""

    ATTRIBUTES = ("id", "href", "src", "role", "alt", "lang", "rel", "download")
    # Quarto sets classes on tables and their rows.
    CLASSES_OF = ("div", "figure", "aside", "section", "span", "a", "p", "nav", "sup", "figcaption")

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        kept = [
            f"{key}={value}"
            for key, value in sorted(attrs)
            if key in self.ATTRIBUTES
            or key.startswith(("aria-", "data-"))
            or (key == "class" and tag in self.CLASSES_OF)
        ]
        self.found.append(" ".join([f"<{tag}", *kept]) + ">")

    def handle_data(self, data: str) -> None:
        text = re.sub(r"[ \t\r\n]+", " ", data).strip(" ")
        if text and self.found and not self.found[-1].startswith("<"):
            self.found[-1] += text
        elif text:
            self.found.append(text)


def outline(path: Path) -> list[str]:
    """Tags with their meaning and texts of a page, in order."""
    parser = Outline()
    parser.feed(path.read_text(encoding="utf-8"))
    return parser.found
