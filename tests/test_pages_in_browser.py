"""The rendered pages as a reader's browser sees them: drawn, whole, and asking nobody else."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from playwright.sync_api import Browser, Locator, Page, TimeoutError
from publishing import outline, project

from analysis.publish.site import render
from analysis.study import Study

WIDE, PHONE = 1280, 390
A4_BETWEEN_MARGINS = 680  # CSS pixels in 180 mm
with_quarto = pytest.mark.skipif(shutil.which("quarto") is None, reason="quarto is not on the path")
ENGINES = ["pandoc", pytest.param("quarto", marks=with_quarto)]
# Plotly draws a chart when the pointer enters it.
POINT_AT_CHARTS = """() => {
    for (const chart of document.querySelectorAll(".chart")) {
        if (chart.clientWidth) chart.dispatchEvent(new PointerEvent("pointerenter"))
    }
}"""
ALL_DRAWN = """() => [...document.querySelectorAll(".chart")]
    .every((chart) => !chart.clientWidth || chart.dataset.drawn)"""
IDS = "() => [...document.querySelectorAll('[id]')].map((one) => one.id)"
LINKS = """() => [...document.querySelectorAll("a[href]")]
    .filter((link) => link.protocol === "file:").map((link) => link.href)"""
CONTRAST = """([front, back]) => {
    const style = getComputedStyle(document.documentElement)
    const light = (name) => {
        const pen = document.createElement("canvas").getContext("2d")
        pen.fillStyle = style.getPropertyValue(name)
        pen.fillRect(0, 0, 1, 1)
        const parts = [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3).map((byte) => {
            const part = byte / 255
            return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
        })
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
    }
    const [one, two] = [light(front), light(back)].sort((a, b) => b - a)
    return (one + 0.05) / (two + 0.05)
}"""


@pytest.fixture(scope="module", params=ENGINES)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render(project(tmp_path_factory.mktemp("project")), "fr", request.param)


@dataclass
class Visit:
    """What one reading of a page found: what went wrong, its anchors, its links in the site."""

    page: str
    problems: list[str] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        page.on("console", lambda said: self._said(said.type, said.text))
        page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        page.on("requestfailed", lambda request: self.problems.append(f"failed: {request.url}"))
        page.on("request", lambda request: self._asked(request.url))

    def _said(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.problems.append(f"console {kind}: {text}")

    def _asked(self, url: str) -> None:
        if not url.startswith(("file://", "data:", "blob:")):
            self.problems.append(f"foreign request: {url}")


def open_page(browser: Browser, path: Path, width: int = WIDE, **options: Any) -> Page:
    page = browser.new_page(viewport={"width": width, "height": 900}, **options)
    page.goto(path.as_uri())
    return page


def visit(browser: Browser, path: Path, width: int) -> Visit:
    """Read a page to its end, with every tab opened."""
    seen = Visit(path.as_uri())
    page = browser.new_page(viewport={"width": width, "height": 900})
    seen.listen(page)
    page.goto(seen.page)
    show_charts(page)
    for tab in page.locator("[role=tab]").all():
        tab.click()
        show_charts(page)
    charts, drawn = page.locator(".chart").count(), page.locator(".chart[data-drawn]").count()
    if drawn != charts:
        seen.problems.append(f"{charts - drawn} of {charts} charts are not drawn")
    overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    if overflow > 0:
        seen.problems.append(f"{overflow} px too wide for {width}")
    seen.ids |= set(page.evaluate(IDS))
    seen.links += page.evaluate(LINKS)
    page.close()
    return seen


def show_charts(page: Page) -> None:
    page.evaluate(POINT_AT_CHARTS)
    with suppress(TimeoutError):
        page.wait_for_function(ALL_DRAWN, timeout=8000)


def problems(visits: list[Visit]) -> list[str]:
    return [f"{Path(one.page).name}: {problem}" for one in visits for problem in one.problems]


def broken_links(visits: list[Visit], site: Path) -> list[str]:
    """Links of a site whose file or anchor is not there once scripts have run; anchors of the
    other language are those of this one."""
    ids = {one.page: one.ids for one in visits}
    files = {path.as_uri() for path in site.parent.rglob("*") if path.is_file()}
    broken = []
    for one in visits:
        for link in one.links:
            target, _, anchor = link.partition("#")
            if "=" in anchor:
                continue  # a choice of the explorer, which has tests of its own
            known = ids.get(target, ids[one.page])
            if target not in files or (anchor and unquote(anchor) not in known):
                broken.append(f"{Path(one.page).name}: {link}")
    return broken


# Pages made for the test


@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_pages_are_drawn_linked_and_ask_nobody(browser: Browser, site: Path, width: int) -> None:
    visits = [visit(browser, path, width) for path in sorted(site.glob("*.html"))]
    assert len(visits) == 3
    assert problems(visits) == []
    assert broken_links(visits, site) == []


def test_what_is_wrong_would_be_seen(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<div style="width:2000px" class="chart">x</div><a href="b.html">b</a><a href="#c">c</a>'
        '<img src="no.png"><img src="http://127.0.0.1:9/x.png"><script>throw Error("e")</script>',
        encoding="utf-8",
    )
    seen = visit(browser, tmp_path / "a.html", PHONE)
    said = " ".join(problems([seen]))
    for problem in ("no.png", "foreign request", "error: e", "not drawn", "too wide"):
        assert problem in said
    assert len(broken_links([seen], tmp_path)) == 2


def test_the_menu_stands_open_or_folds_with_the_width(browser: Browser, site: Path) -> None:
    page = open_page(browser, site / "index.html")
    chapters = page.locator(".menu nav")
    assert chapters.is_visible()
    assert not page.locator(".menu summary").is_visible()
    page.set_viewport_size({"width": PHONE, "height": 800})
    page.wait_for_function("() => !document.getElementById('menu').open")
    assert not chapters.is_visible()
    page.locator(".menu summary").click()
    assert chapters.is_visible()
    page.locator(".menu a", has_text="Satisfaction").click()
    page.wait_for_url("**/satisfaction.html")
    page.close()


def test_tabs_answer_to_the_keyboard(browser: Browser, site: Path) -> None:
    page = open_page(browser, site / "index.html")
    first, second = page.locator("[role=tab]").all()
    panels = page.locator("[role=tabpanel]")
    first.focus()
    assert [panels.nth(at).is_visible() for at in (0, 1)] == [True, False]
    page.keyboard.press("ArrowRight")
    assert [panels.nth(at).is_visible() for at in (0, 1)] == [False, True]
    assert second.get_attribute("aria-selected") == "true"
    assert second.evaluate("(tab) => tab === document.activeElement")
    page.keyboard.press("Home")
    assert [panels.nth(at).is_visible() for at in (0, 1)] == [True, False]
    page.close()


def test_a_link_opens_the_panel_it_leads_to(browser: Browser, site: Path) -> None:
    page = browser.new_page()
    page.goto((site / "index.html").as_uri() + "#fig-tab")
    assert page.locator("#fig-tab").is_visible()
    page.close()


def test_nothing_is_hidden_without_scripts(browser: Browser, site: Path) -> None:
    page = open_page(browser, site / "index.html", java_script_enabled=False)
    assert all(panel.is_visible() for panel in page.locator("[role=tabpanel]").all())
    assert not page.locator("[role=tablist]").is_visible()
    assert page.locator(".menu nav").is_visible()
    page.close()


def test_paper_keeps_the_text_and_the_banner(browser: Browser, site: Path) -> None:
    page = open_page(browser, site / "index.html", color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    for gone in (".side", ".pager", ".tab-list", ".skip"):
        assert not page.locator(gone).is_visible(), gone
    for kept in (".banner", ".references", ".link-number", "#fig-bars"):
        assert page.locator(kept).first.is_visible(), kept
    assert all(panel.is_visible() for panel in page.locator("[role=tabpanel]").all())
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert colour == "rgb(255, 255, 255)"
    assert page.pdf(format="A4").startswith(b"%PDF")
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_both_schemes(browser: Browser, site: Path, scheme: Any) -> None:
    page = open_page(browser, site / "index.html", color_scheme=scheme)
    pairs = [("--ink", "--paper"), ("--soft", "--paper"), ("--accent", "--paper")]
    pairs += [("--amber", "--amber-bg"), ("--amber", "--paper"), ("--ink", "--wash")]
    for pair in pairs:
        assert page.evaluate(CONTRAST, list(pair)) >= 4.5, pair
    assert page.evaluate(CONTRAST, ["--c1", "--paper"]) >= 3
    page.close()


# The national report


@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_the_national_report_is_drawn_linked_and_asks_nobody(
    browser: Browser, national_site: Path, width: int
) -> None:
    visits = [visit(browser, path, width) for path in sorted(national_site.glob("*.html"))]
    assert len(visits) == 15
    assert problems(visits) == []
    assert broken_links(visits, national_site) == []


@with_quarto
def test_both_engines_make_the_same_national_report(
    national_copy: Study, national_site: Path, tmp_path: Path
) -> None:
    other = render(national_copy, "fr", "quarto", out=tmp_path / "site")
    for path in sorted(national_site.glob("*.html")):
        assert outline(other / path.name) == outline(path), path.name


def asked_for(page: Page) -> list[str]:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    return asked


@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_charts_are_there_before_plotly_and_say_the_same(
    browser: Browser, national_site: Path, width: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    asked = asked_for(page)
    page.goto((national_site / "satisfaction.html").as_uri())
    chart = page.locator("#fig-satisfaction-levels-by-hours .chart")
    still = chart.locator(".still:visible")
    assert still.count() == 1 and "plotly.min.js" not in asked
    words = sorted(still.locator("text").all_text_contents())
    before = chart.bounding_box()
    chart.dispatch_event("pointerenter")
    chart.locator(".main-svg .annotation-text").first.wait_for()
    assert asked.count("plotly.min.js") == 1
    drawn = sorted(chart.locator(".annotation-text").all_text_contents())
    assert drawn == words and len(words) >= 20
    after = chart.bounding_box()
    assert before and after and abs(before["height"] - after["height"]) < 2
    assert not chart.locator(".still:visible").count()
    page.close()


def test_pointing_at_a_bar_says_count_base_and_interval(
    browser: Browser, national_site: Path
) -> None:
    page = open_page(browser, national_site / "satisfaction.html")
    chart = page.locator("#fig-satisfaction-students .chart")
    chart.scroll_into_view_if_needed()
    box = chart.locator(".still:visible rect").nth(3).bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    said = chart.locator(".hoverlayer").text_content
    page.wait_for_function("() => document.querySelector('.hoverlayer text')")
    assert "%" in (said() or "") and "sur" in (said() or "") and " à " in (said() or "")
    page.close()


def test_a_chart_goes_back_to_its_still_when_its_width_or_colours_change(
    browser: Browser, national_site: Path
) -> None:
    page = open_page(browser, national_site / "satisfaction.html", color_scheme="light")
    drawn = page.locator(".chart[data-drawn]")
    show_charts(page)
    assert drawn.count() >= 5
    page.set_viewport_size({"width": PHONE, "height": 900})
    page.wait_for_function("() => !document.querySelector('.chart[data-drawn]')")
    show_charts(page)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("() => !document.querySelector('.chart[data-drawn]')")
    assert page.locator(".still.narrow:visible").count() >= 5
    page.close()


def test_a_picture_of_a_chart_is_downloaded(browser: Browser, national_site: Path) -> None:
    page = open_page(browser, national_site / "satisfaction.html")
    with page.expect_download() as download:
        page.locator("button[data-image=satisfaction]").click()
    assert download.value.suggested_filename == "satisfaction.png"
    assert download.value.path().read_bytes().startswith(b"\x89PNG")
    page.close()


def test_charts_are_printed_without_plotly_and_fit_the_sheet(
    browser: Browser, national_site: Path
) -> None:
    page = open_page(browser, national_site / "satisfaction.html")
    show_charts(page)
    page.set_viewport_size({"width": A4_BETWEEN_MARGINS, "height": 900})
    page.emulate_media(media="print")
    stills = page.locator(".chart .still:visible")
    assert stills.count() == page.locator(".chart").count() >= 7
    assert not page.locator(".chart .plot:visible").count()
    edges = [box["x"] + box["width"] for box in map(bounds, stills.all())]
    assert max(edges) <= A4_BETWEEN_MARGINS
    page.close()


def test_charts_are_seen_without_script(browser: Browser, national_site: Path) -> None:
    page = open_page(browser, national_site / "satisfaction.html", java_script_enabled=False)
    assert page.locator(".chart .still.wide:visible").count() == page.locator(".chart").count()
    page.close()


def bounds(locator: Locator) -> dict[str, float]:
    box = locator.bounding_box()
    assert box
    return dict(box)


def test_the_other_language_opens_at_the_same_place(
    browser: Browser, national_sites: dict[str, Path]
) -> None:
    page = open_page(browser, national_sites["fr"] / "satisfaction.html")
    page.goto(page.url + "?choice=1#sec-hours")
    for name, lang in (("English", "en"), ("Français", "fr")):
        page.get_by_role("link", name=name, exact=True).click()
        page.wait_for_url(f"**/{lang}/satisfaction.html?choice=1#sec-hours")
        assert page.locator("#sec-hours").is_visible()
    page.goto((national_sites["fr"] / "satisfaction.html").as_uri())
    page.get_by_role("link", name="English", exact=True).click()
    page.wait_for_url("**/en/satisfaction.html")
    page.close()
