"""Hostile text in every place that holds text: shown as it is, in pages, tables and downloads."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from itertools import count
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
import yaml
from conftest import NATIONAL
from playwright.sync_api import Browser, Page

from analysis.display.results import read_results
from analysis.errors import Problem
from analysis.intake.validation import render as render_validation
from analysis.paths import PROJECT
from analysis.plain import FORMULA, guarded, markdown, strange, told, unguarded
from analysis.publish.quarto import find_quarto
from analysis.publish.site import render
from analysis.release.build import build
from analysis.safe_yaml import read_yaml
from analysis.study import Study, load_study

PAYLOADS = json.loads((Path(__file__).parent / "hostile.json").read_text(encoding="utf-8"))
NAME = "<img src=x onerror=window.bad=1> {{< meta title >}} `{python} 1`.csv"
HEADER = "<script>window.bad=1</script> {{< meta title >}}"
SECRET = "said in confidence"
LANG = "en"
# XLSForm refers to questions so, and refuses a reference to none.
IN_FORMS = [payload for payload in PAYLOADS if "${" not in payload]
# What a page holds that neither its template nor a figure ever makes.
FOREIGN = """() => [...document.querySelectorAll("*")].filter((one) =>
    ["IFRAME", "OBJECT", "EMBED", "BASE", "VIDEO", "IMG", "MATH"].includes(one.tagName)
    || (one.tagName === "SCRIPT" && one.type !== "application/json" && !one.src.includes("/assets/")
        && !one.textContent.startsWith("if (!matchMedia"))
    || (one.tagName === "FORM" && !one.matches("#explorer > .choice"))
    || (one.tagName === "META" && one.httpEquiv && one.httpEquiv !== "Content-Security-Policy")
    || (one.tagName === "A" && /^(javascript|vbscript):/i.test(one.getAttribute("href") || ""))
    || [...one.attributes].some((attribute) => /^on/i.test(attribute.name))
).map((one) => one.outerHTML.slice(0, 200))"""
DRAW = """() => { for (const chart of document.querySelectorAll(".chart")) {
    if (chart.clientWidth) chart.dispatchEvent(new PointerEvent("pointerenter")) } }"""


def flat(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


class Payloads:
    """Payloads one after another, each with a number of its own, so that labels stay apart."""

    def __init__(self) -> None:
        self.numbers, self.used = count(), []

    def __call__(self, allowed: list[str] = PAYLOADS) -> str:
        number = next(self.numbers)
        self.used.append(f"{allowed[number % len(allowed)]} {number}")
        return self.used[-1]


def poison_tree(value: Any, payload: Payloads) -> Any:
    """study.yml with every text that readers are told replaced."""
    if isinstance(value, dict):
        if set(value) == {"fr", "en"}:
            text = payload()
            return {"fr": text, "en": text}
        return {key: poison_tree(item, payload) for key, item in value.items()}
    return [poison_tree(item, payload) for item in value] if isinstance(value, list) else value


def poison_form(path: Path, payload: Payloads) -> None:
    """Labels of questions, groups and answers replaced."""
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))
    labels: list[int] = []
    for row in rows:
        if any(cell.startswith("label::") for cell in row):
            labels = [at for at, cell in enumerate(row) if cell.startswith(("label::", "hint::"))]
            continue
        text = payload(IN_FORMS) if any(row[at] for at in labels if at < len(row)) else ""
        for at in labels:
            if at < len(row) and row[at]:
                row[at] = text
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows(rows)


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, list[str]]:
    """The national study with hostile texts, a file and a header of hostile names, built."""
    root, payload = tmp_path_factory.mktemp("hostile"), Payloads()
    for name in (f"studies/{NATIONAL}", f"data/raw/{NATIONAL}", "report"):
        shutil.copytree(PROJECT / name, root / name)
    shutil.copyfile(PROJECT / "_quarto.yml", root / "_quarto.yml")
    definition, raw = root / "studies" / NATIONAL, root / "data" / "raw" / NATIONAL
    tree = poison_tree(read_yaml((definition / "study.yml").read_text("utf-8")), payload)
    tree["publisher"] = " ".join(PAYLOADS)
    tree["licence"]["name"] = payload()
    tree["sources"]["actions"]["path"] = NAME
    (raw / "training_actions.csv").rename(raw / NAME)
    (definition / "study.yml").write_text(yaml.safe_dump(tree, allow_unicode=True), "utf-8")
    poison_form(definition / "questionnaire.csv", payload)
    for path in (definition / "recodes.csv", raw / "survey.csv"):
        text = path.read_text(encoding="utf-8")
        assert "Identifiant" in text
        path.write_text(text.replace("Identifiant", HEADER, 1), encoding="utf-8")
    for column in ("Intitulé", "Organisme"):
        poison_column(raw / NAME, column)
    poison_column(raw / "survey.csv", "comment", SECRET)
    study = load_study(NATIONAL, root)
    build(study)
    return study, payload.used


def poison_column(path: Path, name: str, secret: str = "") -> None:
    text = path.read_text(encoding="utf-8-sig")
    mark = ";" if ";" in text[:100] else ","
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=mark))
    at = next(at for at, title in enumerate(rows[0]) if title.startswith(name))
    payloads = iter(PAYLOADS)
    for row in rows[1:]:
        if len(row) > at and row[at]:
            row[at] = f"{next(payloads, row[at])} {secret}".strip()
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle, delimiter=mark).writerows(rows)


@pytest.fixture(scope="module", params=[("en", "pandoc"), ("fr", "pandoc"), ("en", "quarto")],
                ids=" ".join)  # fmt: skip
def read(
    request: pytest.FixtureRequest, browser: Browser, poisoned: tuple[Study, list[str]]
) -> tuple[dict[str, str], list[str]]:
    """The text of each page as a browser shows it after every chart was pointed at, and all that
    happened and should not."""
    lang, engine = request.param
    if engine == "quarto" and find_quarto() is None:
        pytest.skip("quarto is not on the path")
    site = render(poisoned[0], lang, engine)
    found: dict[str, str] = {}
    wrong: list[str] = []
    for path in sorted(site.glob("*.html")):
        page = browser.new_page()
        listen(page, path.stem, wrong)
        page.goto(path.as_uri())
        page.evaluate(DRAW)
        page.wait_for_timeout(300)
        text = page.evaluate("document.body.textContent + ' ' + document.title")
        wrong += [f"{path.stem}: {html}" for html in page.evaluate(FOREIGN)]
        wrong += [f"{path.stem}: ran"] * bool(page.evaluate("'bad' in window"))
        found[path.stem] = flat(text)
        page.close()
    return found, wrong


@pytest.fixture(scope="module")
def pages(read: tuple[dict[str, str], list[str]]) -> dict[str, str]:
    return read[0]


def listen(page: Page, name: str, wrong: list[str]) -> None:
    def dialog(opened: Any) -> None:
        wrong.append(f"{name}: dialog {opened.message}")
        opened.dismiss()

    def asked(url: str) -> None:
        if not url.startswith(("file://", "data:", "blob:")):
            wrong.append(f"{name}: asked {url}")

    page.on("dialog", dialog)
    page.on("request", lambda request: asked(request.url))
    page.on("pageerror", lambda error: wrong.append(f"{name}: {error}"))


def test_there_are_enough_of_them() -> None:
    assert len(PAYLOADS) >= 60
    assert not [payload for payload in PAYLOADS if strange(payload)]


def test_nothing_runs_and_nothing_is_asked_for(read: tuple[dict[str, str], list[str]]) -> None:
    assert len(read[0]) >= 12
    assert read[1] == []


def test_every_payload_is_read_as_written(
    pages: dict[str, str], poisoned: tuple[Study, list[str]]
) -> None:
    everything = " ".join(pages.values())
    # The foot of each page names the publisher: all payloads at once.
    assert all(flat(" ".join(PAYLOADS)) in text for text in pages.values())
    study, used = poisoned
    shown = [text for text in used if flat(text) in everything]
    kinds = {text.rpartition(" ")[0] for text in shown}
    assert kinds == set(PAYLOADS)
    form = study.questionnaire
    assert form is not None
    lacking = [q.labels[LANG] for q in form if flat(q.labels[LANG]) not in everything]
    lacking += [c.labels[LANG] for q in form for c in q.choices
                if flat(c.labels[LANG]) not in everything]  # fmt: skip
    assert lacking == []


def test_what_people_wrote_is_in_no_page_and_no_result(
    poisoned: tuple[Study, list[str]], pages: dict[str, str]
) -> None:
    study, _ = poisoned
    clean = pd.read_parquet(study.paths.clean / "survey.parquet")
    assert clean[study.roles.comment].str.contains(SECRET).sum() > 5
    for path in study.paths.results.iterdir():
        assert SECRET.encode() not in path.read_bytes(), path.name
    assert not [name for name, text in pages.items() if SECRET in text]


def test_cells_start_no_formula_and_read_back(poisoned: tuple[Study, list[str]]) -> None:
    study, _ = poisoned
    folder = study.paths.results
    for path in sorted(folder.glob("*.csv")):
        cells = pd.read_csv(path, dtype=str, keep_default_na=False).to_numpy().ravel()
        number = re.compile(r"[+-]?\d+([.,]\d+)?([eE][+-]?\d+)?")
        assert not [c for c in set(cells) if FORMULA.match(c) and not number.fullmatch(c)], path
    raw = pd.read_csv(folder / "codebook.csv", dtype=str, keep_default_na=False)
    typed = pd.read_parquet(folder / "codebook.parquet").astype(str)
    back = raw.map(unguarded)
    assert (back.to_numpy() == typed.to_numpy()).all()
    assert (raw.to_numpy() != typed.to_numpy()).sum() >= 5
    assert not read_results(folder, "results", LANG).estimates.empty
    book = openpyxl.load_workbook(folder / "estimates.xlsx")
    kinds = {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}
    assert kinds <= {"s", "n", "inlineStr"}
    assert not [c for sheet in book for row in sheet.iter_rows() for c in row if c.hyperlink]


def test_the_validation_page_shows_what_it_found(browser: Browser, tmp_path: Path) -> None:
    problems = [
        {"rule": "r", "text": text, "file": NAME, "row": 1, "column": text, "found": text,
         "expected": text, "action": text}
        for text in PAYLOADS
    ]  # fmt: skip
    content = {"study": "s", "title": PAYLOADS[0], "language": "fr", "valid": False,
               "sources": [], "rules": [], "problems": problems}  # fmt: skip
    path, wrong = tmp_path / "validation.html", list[str]()
    path.write_text(render_validation(content, "fr"), encoding="utf-8")
    page = browser.new_page()
    listen(page, "validation", wrong)
    page.goto(path.as_uri())
    text = flat(page.evaluate("document.body.textContent"))
    wrong += page.evaluate(FOREIGN)
    assert wrong == [] and not page.evaluate("'bad' in window")
    assert [one for one in PAYLOADS if flat(one) not in text] == []
    assert "default-src 'none'" in path.read_text(encoding="utf-8")
    page.close()


@pytest.mark.parametrize("text", PAYLOADS)
def test_guarding_a_cell_is_undone_by_reading_it(text: str) -> None:
    for one in (text, f"'{text}", f"''{text}", f"\t{text}", f"={text}"):
        assert unguarded(guarded(one)) == one
        assert not FORMULA.match(guarded(one)) or re.fullmatch(r"[+-]?\d+", one)


def test_numbers_are_no_formulas() -> None:
    assert [guarded(text) for text in ("-1", "+2.5", "-1e-9", "-12 %")] == [
        "-1", "+2.5", "-1e-9", "-12 %",
    ]  # fmt: skip
    assert [guarded(text) for text in ("-1+1", "=1", "\uff0b1", "\r=1", " @a")] == [
        "'-1+1", "'=1", "'\uff0b1", "'\r=1", "' @a",
    ]  # fmt: skip


def test_a_terminal_is_told_no_commands_and_no_second_block() -> None:
    found = "\x1b[2J\x1b]0;x\x07\r\nfile.csv, row 1\n  rule: mine" + "x" * 5000
    block = Problem("a.csv", "r", found, "e", "a").block()
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", block)
    assert len(block) < 1000
    assert [line for line in block.splitlines() if not line.startswith(" ")] == ["a.csv"]
    assert told("a\u202eb") == "a\\u202eb"


def test_markdown_is_one_line() -> None:
    assert markdown("a\n\n:::\r\n# b") == r"a \:\:\: \# b"
