"""WCAG 2.2 AA: axe-core on every page of the national report, and what axe cannot see."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from analysis.display import theme
from analysis.publish.stage import ASSETS, CHART_ASSETS

WIDE, PHONE = 1280, 390
# The rules of WCAG 2.2 AA and the good practice of axe; none of them is switched off.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ASKED = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]}
OPEN_EVERYTHING = """() => {
    for (const fold of document.querySelectorAll("details")) fold.open = true
}"""
HEADINGS = """() => [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")]
    .map((heading) => Number(heading.tagName[1]))"""
FOCUSED = """() => {
    const one = document.activeElement
    if (one === document.body) return null
    const style = getComputedStyle(one)
    return {
        what: one.outerHTML.slice(0, 100),
        ring: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
        inside: one.closest("main") !== null,
    }
}"""
MOVES = """() => [...document.querySelectorAll("*")].filter((one) => {
    const style = getComputedStyle(one)
    const lasts = (times) => times.split(",").some((time) => parseFloat(time) > 0)
    return lasts(style.transitionDuration) || lasts(style.animationDuration)
        || style.scrollBehavior !== "auto"
}).map((one) => one.tagName)"""


def pages_of(sites: dict[str, Path]) -> list[Path]:
    return [path for site in sites.values() for path in sorted(site.glob("*.html"))]


def opened(browser: Browser, path: Path, **options: Any) -> Page:
    page = browser.new_page(viewport={"width": WIDE, "height": 900}, **options)
    page.goto(path.as_uri())
    return page


def violations(page: Page) -> list[str]:
    found = Axe().run(page, options=ASKED).response["violations"]
    return [f"{rule['id']}: {node['target']}" for rule in found for node in rule["nodes"]]


@pytest.mark.parametrize(("width", "scheme"), [(WIDE, "light"), (PHONE, "dark")])
def test_axe_finds_nothing(
    browser: Browser, national_sites: dict[str, Path], width: int, scheme: Any
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page, found = context.new_page(), []
    for path in pages_of(national_sites):
        page.goto(path.as_uri())
        page.evaluate(OPEN_EVERYTHING)
        found += [f"{path.parent.name}/{path.name}: {each}" for each in violations(page)]
    context.close()
    assert found == []


def test_axe_would_find_something(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "bad.html"
    path.write_text('<title>x</title><img src="data:,"><p style="color:#ccc">pale</p>')
    page = opened(browser, path)
    found = " ".join(violations(page))
    for rule in ("html-has-lang", "image-alt", "color-contrast", "landmark-one-main"):
        assert rule in found
    page.close()


def test_axe_finds_nothing_once_plotly_has_drawn(browser: Browser, national_site: Path) -> None:
    page = opened(browser, national_site / "satisfaction.html")
    chart = page.locator("#fig-satisfaction .chart")
    chart.dispatch_event("pointerenter")
    chart.locator(".main-svg").first.wait_for()
    assert violations(page) == []
    page.close()


def test_headings_are_in_order(browser: Browser, national_sites: dict[str, Path]) -> None:
    page = browser.new_page()
    for path in pages_of(national_sites):
        page.goto(path.as_uri())
        levels = page.evaluate(HEADINGS)
        assert levels[0] == 1 and levels.count(1) == 1, path.name
        steps = [after - before for before, after in pairwise(levels)]
        assert max(steps, default=0) <= 1, path.name
    page.close()


def test_every_chart_has_a_name_that_says_what_it_shows(
    browser: Browser, national_sites: dict[str, Path]
) -> None:
    page, charts = browser.new_page(), 0
    for path in pages_of(national_sites):
        page.goto(path.as_uri())
        for chart in page.locator(".chart").all():
            name = chart.get_attribute("aria-label") or ""
            say = chart.locator("xpath=following-sibling::p[@class='say']").first.text_content()
            assert chart.get_attribute("role") == "img"
            assert name == say and name.endswith(".") and len(name.split()) >= 4, path.name
            note = chart.get_attribute("aria-describedby")
            assert page.locator(f"[id='{note}']").count() == 1
            charts += 1
    assert charts >= 50
    page.close()


def test_the_table_of_a_chart_is_reached_and_opened_by_keyboard(
    browser: Browser, national_site: Path
) -> None:
    page = opened(browser, national_site / "satisfaction.html")
    figure = page.locator("#fig-satisfaction")
    table = figure.locator("table")
    assert not table.is_visible()
    figure.locator("summary").focus()
    page.keyboard.press("Enter")
    assert table.is_visible()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.classList.contains('scroll')")
    assert figure.locator(".scroll").get_attribute("aria-label")
    page.close()


@pytest.mark.parametrize("name", ["index", "audit"])
def test_focus_is_seen_wherever_it_goes(browser: Browser, national_site: Path, name: str) -> None:
    page = opened(browser, national_site / f"{name}.html")
    seen = []
    for _ in range(400):
        page.keyboard.press("Tab")
        at = page.evaluate(FOCUSED)
        if at is None:
            break
        seen.append(at)
    assert len(seen) > 20 and any(at["inside"] for at in seen)
    assert [at["what"] for at in seen if not at["ring"]] == []
    page.close()


def test_nothing_moves_for_those_who_ask(browser: Browser, national_site: Path) -> None:
    page = opened(browser, national_site / "index.html", reduced_motion="reduce")
    assert page.evaluate(MOVES) == []
    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate(MOVES) == ["HTML"]
    page.close()


# Colours of the charts: axe does not see what a text in a drawing stands on.

Colours = dict[str, tuple[float, float, float]]


def colours(scheme: str) -> Colours:
    """Every colour of the style sheets, by its custom property: linear red, green and blue."""
    found: dict[str, str] = {}
    for path in (ASSETS / "page.css", CHART_ASSETS / "charts.css"):
        text = path.read_text(encoding="utf-8")
        light, _, rest = text.partition("@media screen and (prefers-color-scheme: dark) {")
        roots = [light] if scheme == "light" else [light, rest.partition("\n}\n")[0]]
        for root in roots:
            found |= dict(re.findall(r"^\s*--([\w-]+): (#\w{3,6});", root, re.MULTILINE))
    return {name: linear(value) for name, value in found.items()}


def linear(colour: str) -> tuple[float, float, float]:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    one, two, three = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return one, two, three


def encoded(part: float) -> float:
    return 12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055


def over(front: tuple[float, ...], back: tuple[float, ...], share: float) -> tuple[float, ...]:
    """A colour of some opacity over another, mixed as a screen does: before linearisation."""
    mixed = [
        share * encoded(f) + (1 - share) * encoded(b) for f, b in zip(front, back, strict=True)
    ]
    return tuple(p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in mixed)


def contrast(one: tuple[float, ...], two: tuple[float, ...]) -> float:
    """Contrast ratio of WCAG 2.2."""
    lights = [0.2126 * red + 0.7152 * green + 0.0722 * blue for red, green, blue in (one, two)]
    return (max(lights) + 0.05) / (min(lights) + 0.05)


def token(value: str) -> str:
    return value.removeprefix("var(--").removesuffix(")")


@pytest.fixture(params=["light", "dark"])
def palette(request: pytest.FixtureRequest) -> Iterator[Colours]:
    yield colours(request.param)


def test_contrast_is_that_of_the_standard() -> None:
    # The two ends, and the grey that WCAG's own technique G18 names as the limit on white.
    assert contrast(linear("#000"), linear("#fff")) == pytest.approx(21)
    assert contrast(linear("#767676"), linear("#fff")) == pytest.approx(4.54, abs=0.01)
    assert over(linear("#000"), linear("#fff"), 0.5) == pytest.approx(linear("#808080"), abs=0.01)


def test_texts_of_charts_can_be_read(palette: Colours) -> None:
    on_paper = [theme.INK, theme.SOFT, theme.ACCENT, theme.SECOND, theme.THIRD]
    for ink in on_paper:
        assert contrast(palette[token(ink)], palette["paper"]) >= 4.5, ink
    for fill in [*theme.AGREEMENT, *theme.SEQUENCE]:
        ground = palette[token(fill.color)]
        assert contrast(palette[token(fill.ink)], ground) >= 4.5, fill
        faint = over(ground, palette["paper"], theme.FAINT)
        assert contrast(palette["ink"], faint) >= 4.5, fill


def test_marks_of_charts_stand_out(palette: Colours) -> None:
    for mark in (theme.ACCENT, theme.SECOND, theme.THIRD):
        for ground in (theme.PAPER, theme.TRACK):
            assert contrast(palette[token(mark)], palette[token(ground)]) >= 3, (mark, ground)
    # The interval over the end of a bar, and the outline of a pale one.
    assert contrast(palette["ink"], palette[token(theme.ACCENT)]) >= 3
    assert contrast(palette[token(theme.ACCENT)], palette[token(theme.PALE)]) >= 2


@pytest.mark.parametrize("fills", [theme.AGREEMENT, theme.SEQUENCE], ids=["agreement", "sequence"])
def test_answers_are_told_apart_without_their_colour(
    palette: Colours, fills: list[theme.Fill]
) -> None:
    """By dots, or by being lighter or darker."""
    for one, two in combinations(fills, 2):
        lighter = contrast(palette[token(one.color)], palette[token(two.color)])
        assert one.dotted != two.dotted or lighter >= 1.3, (one, two)
