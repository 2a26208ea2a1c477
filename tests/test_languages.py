"""The report in each language: the same pages, the same calls, and nothing of the other one."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
import yaml

from analysis.paths import PROJECT
from analysis.publish.pages import Cell, Prose, page_order, read_page

REPORT = PROJECT / "report"
PAGES = sorted(path.stem for path in (REPORT / "fr").glob("*.qmd"))
INLINE = re.compile(r"`\{python\}[ \t]([^`]+)`")
FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^(#+) .*?(?:\{([^}`]*)\})?$", re.MULTILINE)
REFERENCE = re.compile(r"@((?:fig|tbl|sec)-[\w-]+)")
LINK = re.compile(r"\]\(([^)]*)\)")
DIV = re.compile(r"^:::+[ \t]*(\S.*)$", re.MULTILINE)


def prose(lang: str, name: str) -> str:
    """What a page says outside of its cells, without the code it shows."""
    parts = read_page(REPORT / lang / f"{name}.qmd").parts
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
    for part in read_page(REPORT / lang / f"{name}.qmd").parts:
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


@pytest.mark.parametrize("name", PAGES)
def test_a_page_makes_the_same_calls_in_the_same_order(name: str) -> None:
    french = code("fr", name)
    assert french and code("en", name) == french


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_the_same_headings_blocks_and_links(name: str) -> None:
    french, english = prose("fr", name), prose("en", name)
    for pattern in (HEADING, REFERENCE, DIV):
        assert pattern.findall(english) == pattern.findall(french)
    # The audit is explained in words, so there is a file of it in each language.
    links = [link.replace("audit_en.csv", "audit.csv") for link in LINK.findall(english)]
    assert sorted(links) == sorted(LINK.findall(french))


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("lang", ["fr", "en"])
def test_a_heading_has_an_anchor_of_its_own(lang: str, name: str) -> None:
    """One made of its words would not be the same in the other language."""
    callout = re.compile(r"^::: \{\.callout.*?^:::$", re.DOTALL | re.MULTILINE)
    headings = HEADING.findall(callout.sub("", prose(lang, name)))
    assert all(anchor.startswith("#") for level, anchor in headings if level != "#")


def test_the_words_of_figures_have_the_same_keys_and_blanks() -> None:
    french, english = (
        yaml.safe_load((REPORT / lang / "texts.yml").read_text(encoding="utf-8"))
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
