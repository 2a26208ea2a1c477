"""The content security policy of each page: what it lets run, from a file and from a server."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import plotly
import pytest
from playwright.sync_api import Browser, Page
from publishing import project

from analysis.publish.site import render
from analysis.publish.stage import ASSETS

TEMPLATE = (ASSETS / "template.html").read_text(encoding="utf-8")
META = re.compile(r'<meta http-equiv="Content-Security-Policy" content="([^"]+)">')
INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)
SCRIPT = re.compile(r"<script\b([^>]*)>")
HANDLER = re.compile(r"<[^>]*\son[a-z]+\s*=", re.IGNORECASE)
BLOCKED = "Content Security Policy"


def policy(html: str) -> dict[str, list[str]]:
    """The directives of a page, which has one policy, before anything that it could load."""
    (found,) = META.findall(html)
    assert html.index(found) < min(html.index(tag) for tag in ("<title", "<link", "<script"))
    rules = [rule.split() for rule in found.split(";")]
    return {name: values for name, *values in rules}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = render(project(tmp_path_factory.mktemp("project")), "fr", "pandoc")
    # The larger of the two scripts, which a machine without npm ships.
    whole = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    shutil.copyfile(whole, made / "assets" / "plotly.min.js")
    return made


class Noting(SimpleHTTPRequestHandler):
    """Notes what is asked for, and says nothing of it."""

    def __init__(self, *args: Any, asked: list[str], **kwargs: Any) -> None:
        self.asked = asked
        super().__init__(*args, **kwargs)

    def log_message(self, format: str, *args: Any) -> None:
        self.asked.append(self.path)


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """The address of a server of a folder, and what it is asked for."""
    asked: list[str] = []
    handler = partial(Noting, directory=str(folder), asked=asked)
    made = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{made.server_address[1]}", asked
    made.shutdown()
    made.server_close()


@pytest.fixture(scope="module")
def server(site: Path) -> Iterator[str]:
    with serving(site) as (address, _):
        yield address


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    with serving(tmp_path) as found:
        yield found


@pytest.fixture(params=["file", "http"])
def root(request: pytest.FixtureRequest, site: Path, server: str) -> str:
    return site.as_uri() if request.param == "file" else server


def said(page: Page) -> list[str]:
    """What the browser complains of, filled as the page goes on."""
    found: list[str] = []
    page.on("console", lambda line: found.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def test_nothing_comes_from_another_host() -> None:
    rules = policy(TEMPLATE)
    assert rules["default-src"] == ["'self'"]
    assert rules["object-src"] == rules["base-uri"] == rules["form-action"] == ["'none'"]
    every = {value for values in rules.values() for value in values}
    hashes = {value for value in every if value.startswith("'sha256-")}
    assert every - hashes == {"'self'", "'none'", "'unsafe-inline'", "data:", "blob:"}
    assert [name for name, values in rules.items() if "'unsafe-inline'" in values] == ["style-src"]


def test_the_one_script_in_the_text_of_a_page_is_known_by_its_hash() -> None:
    (script,) = INLINE.findall(TEMPLATE)
    known = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy(TEMPLATE)["script-src"] == ["'self'", f"'sha256-{known}'"]


def test_every_page_has_the_policy_and_no_script_of_another_kind(site: Path) -> None:
    paths = sorted(site.glob("*.html"))
    assert len(paths) == 3
    for path in paths:
        html = path.read_text(encoding="utf-8")
        assert policy(html) == policy(TEMPLATE)
        assert not HANDLER.search(html)
        for attributes in SCRIPT.findall(html):
            data = 'type="application/json"' in attributes
            assert data or not attributes or ' src="assets/' in attributes


def test_pages_do_all_they_do_under_the_policy(browser: Browser, root: str) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 900})
    errors = said(page)
    page.goto(f"{root}/index.html")
    assert not page.evaluate("document.getElementById('menu').open")
    chart = page.locator(".chart").first
    chart.dispatch_event("pointerenter")
    chart.locator(".main-svg .bars path").first.wait_for(state="attached")
    picture = """async () => (await Plotly.toImage(document.querySelector(".plot"),
        {format: "png", width: 300, height: 200})).slice(0, 22)"""
    assert page.evaluate(picture) == "data:image/png;base64,"
    assert errors == []
    page.close()


def test_what_the_policy_forbids_does_not_happen(
    browser: Browser, site: Path, root: str, elsewhere: tuple[str, list[str]]
) -> None:
    host, asked = elsewhere
    bad = (
        '<script>window.bad = 1</script><img src="x" onerror="window.bad = 2">'
        f'<img src="{host}/x.png"><form action="{host}/"><button>go</button></form>'
        f'<iframe src="{host}/"></iframe><a href="javascript:bad=3">a</a>'
        f'<link rel="stylesheet" href="{host}/x.css"><script src="{host}/x.js"></script>'
        '<script src="assets/eval.js"></script>'
    )
    script, html = site / "assets" / "eval.js", (site / "index.html").read_text(encoding="utf-8")
    script.write_text("try { eval('window.bad = 4') } catch { window.refused = true }")
    (site / "bad.html").write_text(html.replace("</main>", f"{bad}</main>"), encoding="utf-8")
    page = browser.new_page()
    errors = said(page)
    page.goto(f"{root}/bad.html")
    page.evaluate("document.querySelector('main form button').click()")
    page.evaluate("document.querySelector('main a[href^=javascript]').click()")
    page.evaluate(f"fetch('{host}/y').catch(() => 0)")
    assert page.evaluate("window.refused")
    assert page.evaluate("window.bad") is None
    assert len([error for error in errors if BLOCKED in error]) >= 9
    assert asked == []
    page.close()
    for path in (site / "bad.html", script):
        path.unlink()


def test_without_the_policy_it_would(
    browser: Browser, tmp_path: Path, elsewhere: tuple[str, list[str]]
) -> None:
    host, asked = elsewhere
    bad = f'<script>window.bad = 1</script><img src="{host}/x.png">'
    (tmp_path / "bad.html").write_text(f"<title>a</title>{bad}", encoding="utf-8")
    page = browser.new_page()
    page.goto((tmp_path / "bad.html").as_uri())
    assert page.evaluate("window.bad") == 1
    assert set(asked) == {"/x.png"}
    page.close()
