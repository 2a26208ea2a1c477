"""The structure of each page of the national report, as stored when it was last looked at.

A page that gains or loses a heading, a figure, a table or an internal link fails here until the
stored structure is written anew: `make structure`, and read the difference before it is committed.
"""

from __future__ import annotations

import json
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

STORED = Path(__file__).with_name("structure.json")
# What is stored of a tag: its attribute, where it has one.
KEPT = {"h1": "id", "h2": "id", "h3": "id", "figure": "id", "table": "", "a": "href", "svg": ""}
COUNTED = ("table", "svg")


class Structure(HTMLParser):
    """Headings, figures and internal links of the main part in order; tables and charts counted."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.counts = dict.fromkeys(COUNTED, 0)
        self.inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.inside |= tag == "main"
        if not self.inside or tag not in KEPT:
            return
        if tag in COUNTED:
            self.counts[tag] += 1
        elif tag != "a" or internal(values.get("href") or ""):
            self.found.append(f"{tag} {values.get(KEPT[tag]) or ''}".strip())

    def handle_endtag(self, tag: str) -> None:
        self.inside &= tag != "main"


def internal(href: str) -> bool:
    """A link to a page or a place of the report; rows cited are as many as numbers, and change."""
    return not href.startswith(("http", "mailto", "data:", "#row-"))


def structure(path: Path) -> dict:
    parser = Structure()
    parser.feed(path.read_text(encoding="utf-8"))
    return {"parts": parser.found, **parser.counts}


def structures(sites: dict[str, Path]) -> dict[str, dict]:
    return {
        f"{lang}/{path.stem}": structure(path)
        for lang, site in sites.items()
        for path in sorted(site.glob("*.html"))
    }


def test_each_page_has_the_structure_that_is_stored(national_sites: dict[str, Path]) -> None:
    stored = json.loads(STORED.read_text(encoding="utf-8"))
    found = structures(national_sites)
    assert sorted(found) == sorted(stored)
    for name, page in found.items():
        assert page == stored[name], name


@pytest.mark.parametrize("change", ["<h2>", "<figure>", '<a href="data.html">', "<table>"])
def test_a_change_of_structure_is_seen(tmp_path: Path, change: str) -> None:
    pages = [tmp_path / "before.html", tmp_path / "after.html"]
    for path, more in zip(pages, ("", change), strict=True):
        path.write_text(f"<main><h1 id='a'>Title</h1>{more}</main>", encoding="utf-8")
    before, after = map(structure, pages)
    assert before != after


if __name__ == "__main__":
    folders = {path.name: path for path in map(Path, sys.argv[1:])}
    text = json.dumps(structures(folders), indent=1, ensure_ascii=False) + "\n"
    STORED.write_text(text, encoding="utf-8")
