"""The report as one document: printed by a real Chromium, and read back with pypdf."""

from __future__ import annotations

import html
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import sync_playwright
from publishing import STUDY, page, project
from pypdf import PdfReader

from analysis.cli import main
from analysis.errors import InputError
from analysis.paths import PROJECT
from analysis.publish import paper
from analysis.publish.check import check_site
from analysis.publish.pages import RenderError
from analysis.publish.site import render
from analysis.study import Study, load_study
from analysis.whole import write

NAMES = ["index", "method", "satisfaction"]
MM = 96 / 25.4
A4 = (210 * MM, 297 * MM)


def solid(text: str) -> str:
    """A text without its spaces: how a PDF cuts lines says nothing."""
    return re.sub(r"\s+", "", html.unescape(text))


def texts(document: PdfReader) -> list[str]:
    return [solid(sheet.extract_text()) for sheet in document.pages]


def tags(document: PdfReader) -> list[tuple[str, str]]:
    """Every element of the structure tree: its kind, and the text that stands for it."""
    found: list[tuple[str, str]] = []
    waiting: list[Any] = [document.trailer["/Root"]["/StructTreeRoot"]]
    while waiting:
        node = waiting.pop().get_object()
        if isinstance(node, list):
            waiting += node
        elif hasattr(node, "get"):
            if "/S" in node:
                found.append((node["/S"], node.get("/Alt", "")))
            waiting += [node["/K"]] if hasattr(node.get("/K"), "get_object") else []
    return found


def chapters(document: PdfReader) -> list[str]:
    """Titles of the first level of the outline."""
    return [entry.title for entry in document.outline if not isinstance(entry, list)]


def fonts(document: PdfReader) -> Iterator[Any]:
    """The descriptor of every font of a document."""
    for sheet in document.pages:
        for font in sheet["/Resources"].get("/Font", {}).values():
            for one in font.get_object().get("/DescendantFonts", [font]):
                yield one.get_object().get("/FontDescriptor", {})


def targets(document: PdfReader) -> list[str]:
    """Addresses that the links of a document lead to, outside of it."""
    marks = [mark.get_object() for sheet in document.pages for mark in sheet.get("/Annots", [])]
    return [mark["/A"]["/URI"] for mark in marks if "/URI" in mark.get("/A", {})]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A project of three pages, rendered and printed."""
    study = project(tmp_path_factory.mktemp("project"))
    render(study, "fr", "pandoc")
    paper.print_report(study, "fr")
    return study


@pytest.fixture(scope="module")
def document(small: Study) -> PdfReader:
    return PdfReader(io.BytesIO(paper.pdf_path(small, "fr").read_bytes()))


@pytest.fixture(scope="module")
def national(national_copy: Study, national_site: Path) -> Iterator[Study]:
    """The national report, printed; its pages are put back as the other tests have them."""
    before = {path: path.read_text(encoding="utf-8") for path in national_site.glob("*.html")}
    document = paper.print_report(national_copy, "fr")
    yield national_copy
    document.unlink()
    for path, text in before.items():
        path.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def whole(national: Study) -> PdfReader:
    return PdfReader(io.BytesIO(paper.pdf_path(national, "fr").read_bytes()))


@pytest.fixture(scope="module")
def sheets(whole: PdfReader) -> list[str]:
    """The text of every sheet of the national document."""
    return texts(whole)


# A small document


def test_a_document_says_what_it_is(small: Study, document: PdfReader) -> None:
    root, said = document.trailer["/Root"], document.metadata
    assert root["/Lang"] == "fr" and root["/MarkInfo"]["/Marked"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert said is not None and said.title == small.definition.title["fr"]
    assert said.author == small.definition.publisher
    cover = texts(document)[0]
    for text in (said.title, said.author, "11 décembre 2025", "Réponses reconstituées", "Ouverte"):
        assert solid(text) in cover, text


def test_a_document_is_tagged_with_headings_tables_and_texts_of_charts(
    document: PdfReader,
) -> None:
    found = tags(document)
    kinds = [kind for kind, _ in found]
    # Contents, three chapters, the last part.
    assert kinds.count("/H1") == 5
    assert {"/H2", "/P", "/L", "/Link", "/Table", "/TH", "/TD", "/Figure"} <= set(kinds)
    assert [alt for kind, alt in found if kind == "/Figure" and alt] == ["Barres", "Barres"]


def test_the_contents_give_the_page_each_chapter_begins_on(document: PdfReader) -> None:
    contents, pages = document.pages[1].extract_text(), texts(document)
    assert chapters(document)[0] == "Sommaire"
    assert chapters(document)[1:4] == ["1 Synthèse", "2 Méthode et qualité", "3 Satisfaction"]
    for entry in (one for one in document.outline[1:] if not isinstance(one, list)):
        number = (document.get_destination_page_number(entry) or 0) + 1
        line = re.search(rf"{re.escape(entry.title)}\s*(\d+)", contents)
        assert line is not None and int(line[1]) == number, entry.title
        assert solid(entry.title) in pages[number - 1]


def test_every_sheet_but_the_cover_has_its_number_and_a_chapter_its_head(
    document: PdfReader,
) -> None:
    pages = texts(document)
    for at, text in enumerate(pages[1:], 2):
        assert f"{at}/{len(pages)}" in text
    assert f"1/{len(pages)}" not in pages[0]
    assert pages[-2].startswith("Satisfaction")


def test_fonts_are_in_the_document(document: PdfReader) -> None:
    found = list(fonts(document))
    assert found
    assert all({"/FontFile", "/FontFile2", "/FontFile3"} & set(one) for one in found)


def test_links_stay_inside_or_lead_to_the_web(small: Study, document: PdfReader) -> None:
    found = targets(document)
    assert "https://pandoc.org/lua-filters.html" in found
    assert all(one.startswith("https://") for one in found)
    content = paper.pdf_path(small, "fr").read_bytes()
    assert b"file:" not in content and str(small.paths.root).encode() not in content
    assert solid("https://pandoc.org/lua-filters.html") in texts(document)[-1]


def test_numbers_of_figures_and_references_carry_their_chapter(document: PdfReader) -> None:
    text = "".join(texts(document))
    assert "Figure1.1·Unelégendecalculée" in text
    assert "citeFigure1.2" in text
    assert not re.search(r"Figure\d+·", text)


def test_panels_and_folds_are_open(document: PdfReader) -> None:
    text = "".join(texts(document))
    for words in ("Textedupremieronglet", "Textedusecondonglet", "Parâge", "Uncorpsreplié"):
        assert words in text


def test_the_printed_page_needs_no_script_and_no_file(small: Study, tmp_path: Path) -> None:
    site = small.paths.site("fr")
    pages = [one for one in _pages(small) if one.name in NAMES]
    composed = paper.compose(site, pages, paper.describe(small, "fr"))
    still = paper.draw(paper.find_chromium(), composed, tmp_path)
    assert "<script" in composed and "<script" not in still
    assert "script-src" not in still and "default-src 'none'" in still
    loads = re.findall(r'<(?:img|link|iframe|script)\b[^>]*(?:src|href)="([^"]{0,40})', still)
    assert len(loads) == 2 and all(load.startswith("data:image/svg+xml") for load in loads)
    ids = re.findall(r'\bid="([^"]+)"', still)
    assert len(ids) == len(set(ids))


def _pages(study: Study) -> tuple[Any, ...]:
    return paper.written(study, "fr").pages


def test_both_languages_have_the_words_of_a_document() -> None:
    words = yaml.safe_load(paper.TEXTS.read_text(encoding="utf-8"))
    assert set(words["fr"]["paper"]) == set(words["en"]["paper"])
    made = paper.describe(load_study(STUDY, PROJECT), "en")
    assert solid(made.subject).endswith("11December2025–16January2026")


# What can go wrong


@pytest.fixture
def ready(tmp_path: Path) -> Study:
    """A project that has pages on screen, and none printed."""
    study = project(tmp_path)
    render(study, "fr", "pandoc")
    return study


def test_pages_link_to_the_document_once_and_lose_the_link_with_it(ready: Study) -> None:
    site, target = ready.paths.site("fr"), paper.pdf_path(ready, "fr")
    write(target, b"%PDF")
    for words in ("Un document", "Un autre & le même"):
        paper.link(site, target.name, words)
    for path in site.glob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert text.count(f'href="{target.name}"') == text.count("Un autre &amp; le même") == 1
        assert "Un document" not in text
    assert check_site(site, NAMES) == []
    assert not list(site.glob(".*"))
    page(ready, "satisfaction", "## Une autre page {#sec-reasons}\n\nUn texte.")
    render(ready, "fr", "pandoc")
    assert not target.exists()
    assert target.name not in (site / "index.html").read_text(encoding="utf-8")


def test_a_chart_that_is_not_drawn_leaves_the_document_before(ready: Study) -> None:
    site, target = ready.paths.site("fr"), paper.pdf_path(ready, "fr")
    target.write_bytes(b"before")
    index = site / "index.html"
    text = index.read_text(encoding="utf-8")
    index.write_text(text.replace("still wide", "still", 1), encoding="utf-8")
    with pytest.raises(RenderError, match="1 of 2 charts were not drawn"):
        paper.print_report(ready, "fr")
    assert target.read_bytes() == b"before"
    assert not list(site.glob(".*")) and not list(ready.paths.clean.glob("paper-*"))


def test_a_page_that_is_for_the_screen_only_stays_out(ready: Study) -> None:
    for name in ("method", "satisfaction"):
        path = ready.paths.pages / "fr" / f"{name}.qmd"
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("title:", "paper: false\ntitle:", 1), encoding="utf-8")
    target = paper.print_report(ready, "fr")
    made = PdfReader(target)
    assert chapters(made) == ["Sommaire", "1 Synthèse", "À propos de ce document"]
    # Printed on another day it is the same file: it bears the day of its data.
    assert made.metadata is not None and made.metadata["/CreationDate"] == "D:20260116000000Z"
    assert "Donnéesarrêtéesau16janvier2026" in texts(made)[0]
    first = target.read_bytes()
    assert paper.print_report(ready, "fr").read_bytes() == first


def _command(folder: Path, said: str) -> Path:
    path = folder / "chromium"
    path.write_text(f"#!/bin/sh\n{said}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_without_chromium_the_command_says_what_to_install(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    study = project(tmp_path)
    monkeypatch.setenv(paper.VARIABLE, "no-such-browser")
    assert main(["report", STUDY, "--root", str(tmp_path), "--pdf"]) == 2
    said = capsys.readouterr().err
    assert "no-such-browser" in said and "install" in said and "Traceback" not in said
    assert not study.paths.site("fr").exists()


@pytest.mark.parametrize("said", ["echo Chromium 120.0.6099.109", "exit 1"])
def test_a_chromium_too_old_for_page_numbers_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setenv(paper.VARIABLE, str(_command(tmp_path, said)))
    with pytest.raises(InputError, match="131 or later"):
        paper.find_chromium()


def test_a_chromium_that_fails_is_told_in_its_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path) + os.pathsep + os.environ["PATH"])
    monkeypatch.delenv(paper.VARIABLE, raising=False)
    script = 'case "$*" in --version) echo Chromium 140.0.1.2;; *) echo no room >&2; exit 5;; esac'
    command = _command(tmp_path, script)
    assert paper.find_chromium() == str(command)
    with pytest.raises(RenderError, match="Chromium: no room"):
        paper.print_html(str(command), "<p>", tmp_path)


def test_an_entry_of_the_contents_without_a_page_is_an_error() -> None:
    entry = '<span class="page-number" data-page="index.a"></span>'
    assert paper.number(entry, {"index.a": 7}).endswith(">7</span>")
    with pytest.raises(RenderError, match=r"index\.a"):
        paper.number(entry, {"index": 7})


# The national report


def figures(study: Study) -> list[tuple[str, str]]:
    """Title and note of every chart of the pages."""
    pattern = re.compile(r'data-title="([^"]*)" data-note="([^"]*)"')
    pages = sorted(study.paths.site("fr").glob("*.html"))
    return [found for path in pages for found in pattern.findall(path.read_text(encoding="utf-8"))]


def test_the_national_document_has_its_chapters_and_numbers(
    national: Study, whole: PdfReader, sheets: list[str]
) -> None:
    titles = [one.title for one in _pages(national) if one.front.get("paper", True)]
    expected = [f"{at} {title}" for at, title in enumerate(titles, 1)]
    assert len(titles) == 14
    assert chapters(whole)[1:-1] == expected
    assert all(f"{at}/{len(sheets)}" in text for at, text in enumerate(sheets[1:], 2))


def test_no_figure_of_the_national_document_is_cut(
    national: Study, whole: PdfReader, sheets: list[str]
) -> None:
    expected = figures(national)
    assert len(expected) > 50
    for title, note in expected:
        # The title stands at the head of a figure, and the note at its foot.
        assert any(0 <= text.find(solid(title)) < text.rfind(solid(note)) for text in sheets), title
    alts = [alt for kind, alt in tags(whole) if kind == "/Figure" and alt]
    assert len(alts) == len(expected) and all(len(alt) > 20 for alt in alts)


def test_a_long_table_repeats_its_head(whole: PdfReader, sheets: list[str]) -> None:
    outline = [one for one in whole.outline if not isinstance(one, list)]
    starts = {one.title: whole.get_destination_page_number(one) or 0 for one in outline}
    audit = sheets[starts["12 Chiffres vérifiés"] + 2 : starts["13 Données"]]
    assert len(audit) > 8
    assert all("ChiffreStatutPubliéRecalculéBaseExplication" in text for text in audit)


def test_figures_of_a_printed_page_fit_a_sheet(national: Study) -> None:
    margins = (2 * 16 * MM, 2 * 18 * MM)
    width, height = (round(a - b) for a, b in zip(A4, margins, strict=True))
    heights = """[...document.querySelectorAll("figure:has(.chart)")]
        .map((figure) => figure.getBoundingClientRect().height)"""
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=paper.find_chromium(), args=arguments)
        tab = browser.new_page(viewport={"width": width, "height": height})
        for name in ("method", "skills"):
            tab.goto((national.paths.site("fr") / f"{name}.html").as_uri())
            tab.emulate_media(media="print")
            found = tab.evaluate(heights)
            assert found and 100 < max(found) <= height, name
        browser.close()
