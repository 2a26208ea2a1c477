"""The explorer: what its page holds, and what a reader does with it in a real browser."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import made_up
import pandas as pd
import pytest
from playwright.sync_api import Browser, Page
from test_pages_in_browser import Visit

from analysis import chapters
from analysis.chapters import satisfaction
from analysis.chapters.data import Data
from analysis.display.explorer import PART, Names, explorer, payload
from analysis.display.report import Report, report_of
from analysis.display.results import Results, read_crosses
from analysis.paths import PROJECT
from analysis.release.crosses import counted, crossed
from analysis.release.disclosure.control import decide
from analysis.safe_yaml import read_yaml
from analysis.study import Study, load_study

STUDY = "cnc_afdas_2026"
FIRST = "satisfaction", "training_hours"
CELLS = """() => [...document.querySelectorAll(".explorer-view tbody")].map((body) => {
    const section = body.querySelector("th[scope=rowgroup]")
    const rows = [...body.rows].filter((row) => !row.querySelector("th[scope=rowgroup]"))
    return [section ? section.textContent : "",
            rows.map((row) => [...row.cells].map((cell) => cell.textContent))]
})"""
CHOOSE = """([q, by]) => {
    for (const [id, value] of [["explorer-q", q], ["explorer-by", by]]) {
        const select = document.getElementById(id)
        select.value = value
        select.dispatchEvent(new Event("change", {bubbles: true}))
    }
}"""
HOSTILE = '</script><img src=x onerror="window.bad=1"> {title} $& =1+1'


def names(report: Report) -> Names:
    return Names(report.sources, report.catalogue, report.texts)


def page_of(study: Study, crosses: pd.DataFrame, lang: str = "fr") -> tuple[str, dict[str, Any]]:
    """The Markdown of the explorer and the JSON in it."""
    report = report_of(study, Results(pd.DataFrame(columns=["variable", "population"])), lang)
    text = explorer(crosses, names(report))
    found = re.search(r'data-layout="explorer">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    return text, json.loads(found[1])


def made(study: Study, **fields: Any) -> pd.DataFrame:
    """Released crosses of made-up answers; satisfaction alone is published."""
    definition = study.definition.model_copy(update=fields)
    changed = Study(study.paths, definition, study.questionnaire, study.recodes, study.lines)
    data = Data(changed, made_up.tables(study, 300))
    estimates = pd.concat(satisfaction.estimates(data)).assign(evidence="published")
    tests = pd.DataFrame(columns=chapters.TEST_COLUMNS)
    frame = counted(data, estimates)
    measures = pd.DataFrame(columns=chapters.MEASURE_COLUMNS)
    decided = decide(data, estimates, frame, tests, measures).crosses
    return crossed(frame, decided, data.study, estimates, tests, None, None).reset_index(drop=True)


def plain_page(folder: Path, markdown: str) -> Path:
    """A page of the explorer alone, with the styles and the script of the site."""
    (folder / "assets").mkdir()
    for name in ("display/assets/explorer.js", "display/assets/explorer.css",
                 "display/assets/charts.css", "publish/assets/page.css"):  # fmt: skip
        shutil.copy(PROJECT / "analysis" / name, folder / "assets")
    html = markdown.replace("```{=html}", "").replace("\n```\n", "\n")
    links = "".join(f'<link rel="stylesheet" href="assets/{n}.css">' for n in ("page", "charts"))
    page = f'<!DOCTYPE html><html lang="fr"><head><meta charset="utf-8">{links}</head>'
    path = folder / "explorer.html"
    path.write_text(f"{page}<body><main>{html}</main></body></html>", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def study() -> Study:
    return load_study(STUDY)


@pytest.fixture(scope="module")
def crosses(study: Study) -> pd.DataFrame:
    return made(study)


@pytest.fixture(scope="module")
def hidden(study: Study) -> pd.DataFrame:
    thresholds = study.definition.thresholds.model_copy(update={"suppressed_base": 20})
    return made(study, thresholds=thresholds, disclosure=None)


# What the page holds


def test_every_number_embedded_is_a_released_one(study: Study, crosses: pd.DataFrame) -> None:
    _, data = page_of(study, crosses)
    keys = ["variable", "population", "by", "by_category", "category"]
    known = crosses.set_index(keys)
    columns, verdicts = data["cells"]["columns"], data["cells"]["verdicts"]
    groups = {each["id"]: [code for code, _ in each["groups"]] for each in data["by"]} | {"": [""]}
    shown = []
    for question in data["questions"]:
        for by, (places, bases, cells) in question["tables"].items():
            order = [
                (question["variable"], question["population"][0], by, groups[by][place], code, base)
                for place, base in zip(places, bases, strict=True)
                for code, _ in question["answers"]
            ]
            shown += [(*one, at) for one, at in zip(order, cells, strict=True)]
    found = pd.DataFrame(shown, columns=[*keys, "base_n", "at"])
    rows = known.loc[pd.MultiIndex.from_frame(found[keys])]
    assert len(found) > 8000 and not found.duplicated(keys).any()
    assert list(rows["base_n"]) == list(found["base_n"])
    assert list(rows["count"]) == [columns["count"][at] for at in found["at"]]
    for name in ("share", "share_low", "share_high"):
        cut = pd.Series([columns[name][at] for at in found["at"]]) / PART
        assert (rows[name].reset_index(drop=True) - cut).between(-1e-9, 1 / PART).all()
    told = [verdicts[columns["verdict"][at]][:2] for at in found["at"]]
    assert told == rows[["verdict", "reason"]].to_numpy().tolist()


def test_nothing_suppressed_is_in_the_page(study: Study, hidden: pd.DataFrame) -> None:
    _, data = page_of(study, hidden)
    gone = hidden["verdict"] == "suppressed"
    assert gone.sum() > 500
    columns = data["cells"]["columns"]
    kinds = [verdict for verdict, *_ in data["cells"]["verdicts"]]
    at = [n for n, verdict in enumerate(columns["verdict"]) if kinds[verdict] == "suppressed"]
    assert at
    for name in ("count", "share", "share_low", "share_high"):
        assert {columns[name][n] for n in at} == {None}
    bases = [base for q in data["questions"] for table in q["tables"].values() for base in table[1]]
    assert None in bases and min(base for base in bases if base is not None) == 20


def test_answers_stand_in_their_order_or_by_value(study: Study, crosses: pd.DataFrame) -> None:
    _, data = page_of(study, crosses)
    questions = {each["id"]: each for each in data["questions"]}
    scale = [code for code, _ in questions["satisfaction"]["answers"]]
    assert scale[:4] == study.question("satisfaction").answers
    assert set(scale[4:]) == {"satisfied_total", "dissatisfied_total"}
    sector = questions["sector"]
    cells = sector["tables"][""][2][: len(sector["answers"]) - sector["totals"]]
    shares = [data["cells"]["columns"]["share"][at] for at in cells]
    assert shares == sorted(shares, reverse=True)
    one_answer = {"recommendation", "employer_request"}
    assert not one_answer & {code for code, _ in questions["motivation_pro"]["answers"]}


def test_short_names_are_the_topics_of_figures(study: Study, crosses: pd.DataFrame) -> None:
    _, data = page_of(study, crosses)
    called = {each["id"]: each["name"] for each in data["questions"]}
    assert called["satisfaction"] == "Satisfaction"
    assert called["motivation_pro"] != called["motivation_student"]
    assert called["skill_tool_choice"] == "Choisir l’outil selon le besoin"
    assert {each["id"]: each["called"] for each in data["by"]}["age"] == "âge"
    assert len(set(called.values())) == len(called)
    assert data["first"] == {"q": FIRST[0], "by": FIRST[1]}


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_words_are_in_each_language(study: Study, crosses: pd.DataFrame, lang: str) -> None:
    texts = read_yaml((PROJECT / "report" / lang / "texts.yml").read_text(encoding="utf-8"))
    text, data = page_of(study, crosses, lang)
    topic = texts["figures"]["satisfaction"]["topic"]
    assert data["words"]["everyone"] == {"fr": "Ensemble", "en": "Everyone"}[lang]
    assert f'<h2 id="explorer-title">{topic}, ' in text
    assert data["formats"]["percent"] == {"fr": "{}\u00a0%", "en": "{}%"}[lang]


def test_a_page_is_light_and_loads_no_chart_library(study: Study, crosses: pd.DataFrame) -> None:
    text, _ = page_of(study, crosses)
    assert len(gzip.compress(text.encode())) < 100_000
    # report.lua loads plotly where a class says chart.
    assert re.search(r'class="[^"]*chart', text) is None


def test_without_crosses_there_is_no_explorer(study: Study, tmp_path: Path) -> None:
    report = report_of(study, Results(pd.DataFrame()), "fr")
    assert explorer(read_crosses(tmp_path), names(report)) == ""


def test_payload_is_in_plain_types(study: Study, hidden: pd.DataFrame) -> None:
    report = report_of(study, Results(pd.DataFrame(columns=["variable", "population"])), "fr")
    data = payload(hidden, names(report))
    assert json.loads(json.dumps(data, allow_nan=False)) == data


# In a browser


def copy(root: Path) -> Study:
    """The national study in a folder of its own, with the pages of the report that it links."""
    for name in (f"studies/{STUDY}", f"data/raw/{STUDY}"):
        shutil.copytree(PROJECT / name, root / name)
    (root / "report" / "fr").mkdir(parents=True)
    for name in ("figures.yml", "fr/texts.yml", "fr/explorer.qmd"):
        shutil.copyfile(PROJECT / "report" / name, root / "report" / name)
    for name in ("index", "method"):
        page = "---\ntitle: Page\n---\n\n## Reconstruction {#reconstruction}\n"
        (root / "report" / "fr" / f"{name}.qmd").write_text(page, encoding="utf-8")
    shutil.copyfile(PROJECT / "_quarto.yml", root / "_quarto.yml")
    return load_study(STUDY, root)


@pytest.fixture(scope="module")
def path(national_site: Path) -> Path:
    return national_site / "explorer.html"


@pytest.fixture
def visit(path: Path) -> Visit:
    return Visit(path.as_uri())


@pytest.fixture
def page(browser: Browser, path: Path, visit: Visit) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    visit.listen(opened)
    opened.goto(path.as_uri())
    yield opened
    opened.close()
    assert visit.problems == []


def title(page: Page) -> str:
    return page.locator("#explorer-title").inner_text()


def choice(page: Page) -> tuple[str, str]:
    return page.locator("#explorer-q").input_value(), page.locator("#explorer-by").input_value()


def test_choosing_changes_title_bars_table_sentence_and_address(page: Page) -> None:
    assert choice(page) == FIRST
    assert title(page) == "Satisfaction, par heures de formation suivies"
    before = {s: page.locator(s).inner_text() for s in (".bars", ".scroll", ".say", ".q")}
    page.locator("#explorer-q").select_option("practice")
    page.wait_for_function("() => location.hash === '#q=practice&by=training_hours'")
    page.locator("#explorer-by").select_option("age")
    page.wait_for_function("() => location.hash === '#q=practice&by=age'")
    assert title(page) == "Mise en pratique, par âge"
    after = {s: page.locator(s).inner_text() for s in before}
    assert all(after[selector] != before[selector] for selector in before)
    assert "Moins de 30 ans" in after[".bars"] and "Moins de 30 ans" in after[".scroll"]
    assert page.locator("a.self").get_attribute("href") == "#q=practice&by=age"


def test_back_and_forward_go_through_choices(page: Page) -> None:
    page.locator("#explorer-by").select_option("age")
    page.wait_for_function("() => location.hash.endsWith('by=age')")
    page.locator("#explorer-by").select_option("")
    page.wait_for_function("() => location.hash === '#q=satisfaction'")
    assert title(page) == "Satisfaction, ensemble"
    page.go_back()
    page.wait_for_function("() => document.getElementById('explorer-by').value === 'age'")
    assert title(page) == "Satisfaction, par âge"
    page.go_back()
    page.wait_for_function("() => location.hash === ''")
    assert choice(page) == FIRST
    page.go_forward()
    page.wait_for_function("() => location.hash.endsWith('by=age')")
    assert choice(page) == ("satisfaction", "age")


def test_an_address_opens_its_choice(browser: Browser, path: Path) -> None:
    page = browser.new_page()
    page.goto(path.as_uri() + "#q=motivation_pro&by=age")
    assert choice(page) == ("motivation_pro", "age")
    assert page.locator(".explorer-message").inner_text() == ""
    assert "Illustratif" in page.locator(".explorer-view .evidence").inner_text()
    assert page.locator(".say").inner_text().startswith("À titre d’illustration")
    page.close()


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("#q=nothing&by=age", ("satisfaction", "age")),
        ("#q=practice&by=nothing", ("practice", "")),
        ("#q=age&by=age", ("age", "")),
        ("#q=%3Cimg%20src=x%3E&by=constructor", ("satisfaction", "")),
        ("#q=__proto__&by=toString", ("satisfaction", "")),
    ],
)
def test_an_unknown_choice_falls_back_and_says_so(
    browser: Browser, path: Path, asked: str, shown: tuple[str, str]
) -> None:
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(path.as_uri() + asked)
    assert choice(page) == shown
    message = page.locator(".explorer-message")
    assert title(page) in message.inner_text() and "choix" in message.inner_text()
    page.locator("#explorer-q").select_option("job")
    page.wait_for_function("() => location.hash.startsWith('#q=job')")
    assert message.inner_text() == ""
    assert errors == []
    page.close()


def test_other_anchors_change_nothing(page: Page) -> None:
    page.locator("#explorer-by").select_option("age")
    page.wait_for_function("() => location.hash.endsWith('by=age')")
    page.evaluate("location.hash = '#content'")
    page.wait_for_timeout(100)
    assert choice(page) == ("satisfaction", "age")


def test_a_question_is_not_crossed_with_itself(page: Page) -> None:
    page.locator("#explorer-by").select_option("age")
    page.locator("#explorer-q").select_option("age")
    page.wait_for_function("() => location.hash === '#q=age'")
    assert page.locator("#explorer-by option[value=age]").is_disabled()
    assert not page.locator("#explorer-by option[value=status]").is_disabled()


def test_the_keyboard_is_enough(page: Page) -> None:
    page.locator("#explorer-q").focus()
    page.keyboard.press("ArrowDown")
    page.wait_for_function("() => location.hash.startsWith('#q=dissatisfaction_reason')")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "explorer-by"
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Home")
    page.wait_for_function("() => location.hash === '#q=dissatisfaction_reason'")
    reached = []
    for _ in range(3):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.className"))
    assert reached == ["csv", "self", "scroll"]


def expected(report: Report, rows: pd.DataFrame) -> list[list[str]]:
    formats, labels = report.formats, report.labels
    return [
        [*(text if text != formats.missing or row.verdict != "suppressed" else "secret" for text in
           (formats.percent(row.share), formats.interval(row.share_low, row.share_high),
            formats.number(row.count), formats.number(row.base_n))),
         labels.verdict(row.verdict, row.reason), labels.term("evidence", row.evidence)]
        for row in rows.itertuples()
    ]  # fmt: skip


def every_choice(page: Page) -> Iterator[tuple[str, str, list[Any]]]:
    values = "[...document.querySelectorAll('#explorer-q option')].map((one) => one.value)"
    for q in page.evaluate(values):
        for by in ["", "status", "age", "sector", "job", "ai_use_frequency", "training_hours"]:
            if q == by:
                continue
            page.evaluate(CHOOSE, [q, by])
            wanted = f"#q={q}&by={by}" if by else f"#q={q}"
            if page.evaluate("location.hash") != wanted:
                continue
            page.evaluate("() => new Promise((done) => setTimeout(done))")
            yield q, by, page.evaluate(CELLS)


def compare(page: Page, study: Study, crosses: pd.DataFrame) -> int:
    """Every cell of every choice beside the released row; gives how many were compared."""
    report = report_of(study, Results(pd.DataFrame(columns=["variable", "population"])), "fr")
    keyed = dict(iter(crosses.groupby(["variable", "population", "by"])))
    compared = 0
    for q, by, sections in every_choice(page):
        variable, population = study.variable_of(q), study.population_of(q)
        rows = keyed[variable, population, by]
        label = {
            (report.labels.answer(variable, row.category, population),
             report.labels.answer(by, row.by_category) if by else ""): row.Index
            for row in rows.itertuples()
        }  # fmt: skip
        shown = [
            ((section or cells[0], cells[0] if by else ""), cells[1:])
            for section, lines in sections
            for cells in lines
        ]
        assert len(shown) > len(rows) * 0.6, (q, by)
        found = rows.loc[[label[key] for key, _ in shown]]
        assert [cells for _, cells in shown] == expected(report, found), (q, by)
        compared += len(shown)
    return compared


def test_every_cell_shown_is_the_released_one(page: Page, national_copy: Study) -> None:
    assert compare(page, national_copy, read_crosses(national_copy.paths.results)) > 8000


def test_the_table_before_the_script_is_the_one_after_it(
    browser: Browser, path: Path, page: Page
) -> None:
    still = browser.new_context(java_script_enabled=False).new_page()
    still.goto(path.as_uri())
    table = still.locator(".explorer-view table")
    assert table.inner_text() == page.locator(".explorer-view table").inner_text()
    assert still.locator("#explorer-title").inner_text() == title(page)
    assert not still.locator(".choice").is_visible()
    questions = page.locator("#explorer-q option").count()
    assert still.locator("noscript li").count() == questions
    assert still.locator("noscript a").get_attribute("href") == "downloads/crosses.csv"
    still.close()


def test_the_csv_holds_what_is_shown(page: Page) -> None:
    page.evaluate(CHOOSE, ["satisfaction", "training_hours"])
    link = page.locator("a.csv")
    assert link.get_attribute("download") == f"{STUDY}-satisfaction-training_hours.csv"
    text = unquote((link.get_attribute("href") or "").partition(",")[2])
    assert text.startswith("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert len(rows) == 30
    row = next(r for r in rows if (r["category"], r["by_category"]) == ("satisfied", "22_plus"))
    assert (row["count"], row["base_n"], row["method"]) == ("57", "119", "wilson")
    assert float(row["share"]) == pytest.approx(57 / 119, abs=1e-4)
    assert row["evidence"] == "published" and row["verdict"] == "ok"


def test_a_suppressed_group_is_hatched_and_says_why(
    browser: Browser, study: Study, hidden: pd.DataFrame, tmp_path: Path
) -> None:
    thresholds = study.definition.thresholds.model_copy(update={"suppressed_base": 20})
    definition = study.definition.model_copy(update={"thresholds": thresholds, "disclosure": None})
    strict = Study(study.paths, definition, study.questionnaire, study.recodes, study.lines)
    page = browser.new_page()
    page.goto(plain_page(tmp_path, page_of(strict, hidden)[0]).as_uri() + "#q=practice&by=job")
    hatched = page.locator(".line.suppressed")
    assert hatched.count() > 0
    assert hatched.first.locator("rect.hatched").count() == 1
    assert hatched.first.locator(".mark, .ends").count() == 0
    assert "secret" in hatched.first.inner_text().replace("\u00a0", " ")
    assert "Hachures" in page.locator(".note").inner_text()
    assert "20 personnes" in page.locator(".note").inner_text()
    assert compare(page, strict, hidden) > 8000
    page.close()


def test_paper_shows_the_choice_and_not_the_controls(page: Page) -> None:
    page.locator("#explorer-by").select_option("status")
    page.wait_for_function("() => location.hash.endsWith('by=status')")
    page.emulate_media(media="print")
    assert not page.locator(".choice").is_visible()
    assert not page.locator(".explorer-view .tools").is_visible()
    for kept in ("#explorer-title", ".bars", ".explorer-view .evidence", ".scroll", ".note"):
        assert page.locator(kept).is_visible(), kept
    assert page.pdf(format="A4").startswith(b"%PDF")


@pytest.mark.parametrize("width", [1280, 390, 320])
def test_no_width_is_too_small(browser: Browser, path: Path, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    for asked in ("", "#q=motivation_pro&by=job", "#q=sector"):
        page.goto("about:blank")
        page.goto(path.as_uri() + asked)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, asked
    page.close()


def test_names_and_roles_are_told(page: Page) -> None:
    assert page.get_by_label("Question").input_value() == FIRST[0]
    assert page.get_by_label("Profil", exact=True).input_value() == FIRST[1]
    assert page.get_by_role("img", name=title(page)).count() == 1
    assert page.get_by_role("status").filter(has_text="écart").count() == 1
    assert page.get_by_role("region", name=f"Tableau\u00a0: {title(page)}").count() == 1
    assert page.locator("optgroup").count() >= 6


def test_hostile_labels_are_text(browser: Browser, crosses: pd.DataFrame, tmp_path: Path) -> None:
    study = copy(tmp_path)
    file = study.paths.definition / "questionnaire.csv"
    text = file.read_text(encoding="utf-8")
    assert text.count("Moins de 30 ans") == 1
    quoted = '"' + HOSTILE.replace('"', '""') + '"'
    file.write_text(text.replace("Moins de 30 ans", quoted), encoding="utf-8")
    study = load_study(STUDY, tmp_path)
    path = plain_page(tmp_path, page_of(study, crosses)[0])
    errors: list[str] = []
    for asked in ("#q=practice&by=age", "#q=age", ""):
        page = browser.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(path.as_uri() + asked)
        if asked:
            assert HOSTILE in page.locator(".scroll").inner_text()
            assert HOSTILE in page.locator(".bars").inner_text()
            sent = unquote((page.locator("a.csv").get_attribute("href") or "").partition(",")[2])
            assert HOSTILE in [cell for row in csv.reader(io.StringIO(sent)) for cell in row]
        assert page.evaluate("window.bad") is None and page.locator("main img").count() == 0
        page.close()
    assert errors == []


def test_a_label_like_a_formula_is_text_to_a_spreadsheet(
    browser: Browser, crosses: pd.DataFrame, tmp_path: Path
) -> None:
    study = copy(tmp_path)
    file = study.paths.definition / "questionnaire.csv"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("Moins de 30 ans", "=1+1"), encoding="utf-8")
    path = plain_page(tmp_path, page_of(load_study(STUDY, tmp_path), crosses)[0])
    page = browser.new_page()
    page.goto(path.as_uri() + "#q=age")
    sent = unquote((page.locator("a.csv").get_attribute("href") or "").partition(",")[2])
    cells = {cell for row in csv.reader(io.StringIO(sent)) for cell in row}
    assert "'=1+1" in cells and "=1+1" not in cells
    page.close()
