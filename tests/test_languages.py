"""The report in each language: the same pages, the same calls, and nothing of the other one."""

from __future__ import annotations

import ast
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from string import Formatter
from typing import Any

import pandas as pd
import pytest
import yaml

from analysis.display.labels import Labels
from analysis.display.tables import audit_table
from analysis.paths import PROJECT
from analysis.publish.pages import Cell, Prose, page_order, read_page
from analysis.study import Study

REPORT = PROJECT / "report"
PAGES = sorted(path.stem for path in (REPORT / "fr").glob("*.qmd"))
# Pages that a study has of its own, by its name.
OWN = sorted(f"{path.parts[-4]}/{path.stem}" for path in
             (PROJECT / "studies").glob("*/report/fr/*.qmd"))  # fmt: skip
# Those of the national study: each of its questions has a role, and it has no other list.
SHOWN = [name for name in PAGES if name not in ("general", "lists", "titles")]
INLINE = re.compile(r"`\{python\}[ \t]([^`]+)`")
FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^(#+) .*?(?:\{([^}`]*)\})?$", re.MULTILINE)
REFERENCE = re.compile(r"@((?:fig|tbl|sec)-[\w-]+)")
LINK = re.compile(r"\]\(([^)]*)\)")
DIV = re.compile(r"^:::+[ \t]*(\S.*)$", re.MULTILINE)


def file(lang: str, name: str) -> Path:
    study, _, page = name.rpartition("/")
    folder = PROJECT / "studies" / study / "report" if study else REPORT
    return folder / lang / f"{page}.qmd"


def prose(lang: str, name: str) -> str:
    """What a page says outside of its cells, without the code it shows."""
    parts = read_page(file(lang, name)).parts
    return FENCE.sub("", "\n".join(part.text for part in parts if isinstance(part, Prose)))


def skeleton(source: str) -> str:
    """A piece of Python without its prose: the texts with a space in them that are not given to
    a call of the report."""
    tree = ast.parse(source)
    given = {id(inner) for node in ast.walk(tree) if _asks(node) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            node.values = [one for one in node.values if isinstance(one, ast.FormattedValue)]
        elif isinstance(node, ast.Constant) and id(node) not in given and _is_prose(node.value):
            node.value = ""
    return ast.dump(tree)


def _asks(node: ast.AST) -> bool:
    """Whether a node is a call of a method of the report, `r`."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "r"
    )


def _is_prose(value: object) -> bool:
    return isinstance(value, str) and " " in value


def code(lang: str, name: str) -> list[tuple[str, Any]]:
    """The cells and the code in sentences of a page, in order, with the options of each cell."""
    found: list[tuple[str, Any]] = []
    for part in read_page(file(lang, name)).parts:
        if isinstance(part, Cell):
            options = {key: value for key, value in part.options.items() if "cap" not in key}
            found.append((skeleton(part.source), options))
        else:
            found += [(skeleton(inline), "inline") for inline in INLINE.findall(part.text)]
    return found


def shape(tree: Any) -> Any:
    """Keys and lengths of nested texts, each text by what it has filled in."""
    if isinstance(tree, dict):
        return {key: shape(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [shape(value) for value in tree]
    return sorted({name for _, name, _, _ in Formatter().parse(str(tree)) if name})


# What is written


def test_every_language_has_every_page() -> None:
    assert {"index", "method", "satisfaction"} < set(PAGES)
    assert sorted(path.stem for path in (REPORT / "en").glob("*.qmd")) == PAGES
    assert set(PAGES) == set(page_order(PROJECT / "_quarto.yml"))


@pytest.mark.parametrize("name", [*PAGES, *OWN])
def test_a_page_makes_the_same_calls_in_the_same_order(name: str) -> None:
    french = code("fr", name)
    assert french and code("en", name) == french


@pytest.mark.parametrize("name", [*PAGES, *OWN])
def test_a_page_has_the_same_headings_blocks_and_links(name: str) -> None:
    french, english = prose("fr", name), prose("en", name)
    for pattern in (HEADING, REFERENCE, DIV):
        assert pattern.findall(english) == pattern.findall(french)
    # The audit is explained in words, so there is a file of it in each language.
    links = [link.replace("audit_en.csv", "audit.csv") for link in LINK.findall(english)]
    assert sorted(links) == sorted(LINK.findall(french))


@pytest.mark.parametrize("name", [*PAGES, *OWN])
@pytest.mark.parametrize("lang", ["fr", "en"])
def test_a_heading_has_an_anchor_of_its_own(lang: str, name: str) -> None:
    """One made of its words would not be the same in the other language."""
    callout = re.compile(r"^::: \{\.callout.*?^:::$", re.DOTALL | re.MULTILINE)
    headings = HEADING.findall(callout.sub("", prose(lang, name)))
    assert all(anchor.startswith("#") for level, anchor in headings if level != "#")


def test_the_words_of_figures_have_the_same_keys_and_blanks() -> None:
    own = sorted((PROJECT / "studies").glob("*/report"))
    assert own
    for folder in [REPORT, *own]:
        french, english = (
            yaml.safe_load((folder / lang / "texts.yml").read_text(encoding="utf-8"))
            for lang in ("fr", "en")
        )
        assert shape(english) == shape(french)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ("r.share('trained', 'untrained')", "another argument"),
        ("r.count('trained', 'trained')", "another call"),
        ("'un mot' if r.share('trained', 'trained') else ''", "another condition"),
    ],
)
def test_a_changed_call_is_noticed(changed: str, said: str) -> None:
    assert skeleton(changed) != skeleton("r.share('trained', 'trained')"), said


def test_a_translated_sentence_is_the_same_code() -> None:
    french = "f'Ses {r.count(\"a b\")} réponses.' if weights == 'none' else 'Pas de poids.'"
    english = "f'Its {r.count(\"a b\")} answers.' if weights == 'none' else 'No weights.'"
    assert skeleton(french) == skeleton(english)
    assert skeleton(english.replace("a b", "a c")) != skeleton(french)
    assert skeleton(english.replace("'none'", "'raked'")) != skeleton(french)


# What is rendered

ID = re.compile(r' id="([^"]+)"')
# Names, of people and places, and the name of the other language.
NAMES = {
    "Français", "Île-de-France", "Auvergne-Rhône-Alpes", "Provence-Alpes-Côte", "Cramér",
    "Cramér’s", "Särndal", "Genève",
}  # fmt: skip
ACCENTED = re.compile(r"[\w’-]*[À-ÖØ-öø-ÿœŒ][\w’-]*")
FRENCH_SIGNS = re.compile(r"[«»]|[\u00a0\u202f](?=[:;?!%»])|\u202f\d|\d,\d\d?\b")
ENGLISH_SIGNS = re.compile(r"[“”]|\d%|\d\.\d+[)%]")
FRENCH_WORDS = re.compile(r"\b(?:les?|la|des|une?|est|sont|dans|pour|avec|selon|chez|sur)\b", re.I)
ENGLISH_WORDS = re.compile(r"\b(?:the|of|and|with|from|which|is|are|people|by|to)\b", re.I)


class Said(HTMLParser):
    """What a page says in its own language: no code, no titles of journals, no other language."""

    SILENT = ("em", "code", "style", "script", "kbd")
    VOID = ("meta", "link", "br", "img", "input", "hr", "col", "path", "wbr")

    def __init__(self, lang: str) -> None:
        super().__init__(convert_charrefs=True)
        self.lang, self.silent, self.text = lang, [], [""]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self.VOID:
            return
        other = dict(attrs).get("lang", self.lang) != self.lang
        self.silent.append(tag in self.SILENT or other or any(self.silent[-1:]))
        self.text.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            self.silent.pop()
            self.text.append("\n")

    def handle_data(self, data: str) -> None:
        if not any(self.silent[-1:]):
            self.text.append(data)


def page(sites: dict[str, Path], lang: str, name: str) -> str:
    return (sites[lang] / f"{name}.html").read_text(encoding="utf-8")


def said(sites: dict[str, Path], lang: str, name: str) -> str:
    reader = Said(lang)
    reader.feed(page(sites, lang, name))
    return "".join(reader.text)


def around(pattern: re.Pattern[str], text: str) -> list[str]:
    return [text[max(0, m.start() - 30) : m.end() + 30] for m in pattern.finditer(text)]


@pytest.mark.parametrize("name", SHOWN)
def test_rendered_pages_have_the_same_anchors_in_the_same_order(
    national_sites: dict[str, Path], name: str
) -> None:
    french = ID.findall(page(national_sites, "fr", name))
    assert len(french) > 3
    assert ID.findall(page(national_sites, "en", name)) == french


@pytest.mark.parametrize("name", SHOWN)
@pytest.mark.parametrize(("lang", "other"), [("fr", "en"), ("en", "fr")])
def test_a_page_says_its_language_and_leads_to_the_same_page_in_the_other(
    national_sites: dict[str, Path], lang: str, other: str, name: str
) -> None:
    html = page(national_sites, lang, name)
    there = f"../{other}/{name}.html"
    assert f'<html lang="{lang}">' in html
    assert f'<link rel="alternate" hreflang="{other}" href="{there}">' in html
    assert f'<link rel="alternate" hreflang="{lang}" href="{name}.html">' in html
    assert re.findall(r'<a href="([^"]*)" lang="(\w+)" hreflang="(\w+)"(.*?)>', html) == [
        (f"{name}.html", lang, lang, ' aria-current="true"') if code == lang else
        (there, other, other, "") for code in ("fr", "en")
    ]  # fmt: skip


@pytest.mark.parametrize("name", SHOWN)
def test_no_french_is_left_in_an_english_page(national_sites: dict[str, Path], name: str) -> None:
    text = said(national_sites, "en", name)
    assert "English" in text
    assert around(FRENCH_SIGNS, text) == []
    assert set(ACCENTED.findall(text)) <= NAMES
    assert around(FRENCH_WORDS, text) == []


@pytest.mark.parametrize("name", SHOWN)
def test_no_english_is_left_in_a_french_page(national_sites: dict[str, Path], name: str) -> None:
    text = said(national_sites, "fr", name)
    assert "Français" in text
    assert around(ENGLISH_SIGNS, text) == []
    assert around(ENGLISH_WORDS, text) == []


def test_numbers_dates_and_p_values_are_written_as_each_language_does(
    national_sites: dict[str, Path],
) -> None:
    for lang, expected in (
        ("fr", ["4\u202f198", "8,4", "p\u00a0<\u00a00,001", "80\u00a0%", "11\u00a0décembre 2025"]),
        ("en", ["4,198", "8.4", "p\u00a0<\u00a00.001", "80%", "11\u00a0December 2025"]),
    ):
        text = "".join(said(national_sites, lang, one) for one in ("consumption", "satisfaction"))
        assert [one for one in expected if one not in text] == []


@pytest.mark.parametrize(
    ("printed", "french", "english"),
    [
        ("4198", "4\u202f198", "4,198"),
        ("44 ; 63.8 %", "44 · 63,8\u00a0%", "44 · 63.8%"),
        ("8.4 hours", "8,4\u00a0heures", "8.4\u00a0hours"),
        ("2 rank", "rang\u00a02", "rank\u00a02"),
        ("~3/4", "environ 3/4", "about 3/4"),
        (">1/2", "plus de 1/2", "more than 1/2"),
        ("2025-12-11", "11 décembre 2025", "11 December 2025"),
        ("12 apples", "12 apples", "12 apples"),
    ],
)
def test_a_printed_figure_is_written_as_each_language_does(
    national: Study, printed: str, french: str, english: str
) -> None:
    row = {"figure_id": "a", "status": "exact", "published": printed, "recomputed": "",
           "base_n": "341.0", "explanation": "Le 2025."}  # fmt: skip
    for lang, expected in (("fr", french), ("en", english)):
        table = audit_table(pd.DataFrame([row]), Labels(national, lang), "A")
        assert expected in unescape(table) and ">341<" in table
