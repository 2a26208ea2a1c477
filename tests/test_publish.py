"""Rendering: what pages become, that both engines agree, and what happens when they cannot."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
import shutil
import stat
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest
import yaml
from publishing import STUDY, outline, page, project

from analysis.paths import PROJECT
from analysis.publish import bundle
from analysis.publish.check import check_site
from analysis.publish.notebook import cell_markdown, execute, fenced, inline, python
from analysis.publish.pages import Cell, Prose, RenderError, read_page, read_report
from analysis.publish.quarto import failure
from analysis.publish.site import is_fresh, render, render_languages, stamp
from analysis.publish.stage import TEXTS, context, environment, long_date
from analysis.study import Study

QUARTO = shutil.which("quarto")
with_quarto = pytest.mark.skipif(QUARTO is None, reason="quarto is not on the path")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def site(study: Study) -> Path:
    return render(study, "fr", "pandoc")


@pytest.fixture
def index(site: Path) -> str:
    return (site / "index.html").read_text(encoding="utf-8")


def qmd(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "a.qmd"
    path.write_text(text, encoding="utf-8")
    return path


# Reading pages


def test_a_page_is_cut_at_its_cells(tmp_path: Path) -> None:
    text = "---\ntitle: A\n---\nun\n```{python}\n#| label: fig-a\n#| echo: true\nx = 1\n```\ndeux\n"
    read = read_page(qmd(tmp_path, text))
    assert read.parts == (
        Prose("un\n", 4),
        Cell("x = 1\n", 5, {"label": "fig-a", "echo": True}),
        Prose("deux\n", 10),
    )


def test_code_that_is_only_shown_stays_prose(tmp_path: Path) -> None:
    text = "---\ntitle: A\n---\n````\n```{python}\nx\n```\n````\n```python\ny\n```\n"
    assert [type(part) for part in read_page(qmd(tmp_path, text)).parts] == [Prose]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pas de front matter", "line 1"),
        ("---\ntitle: A\n---\n\nun `{python} f(\n1)`\n", "line 5: an expression in a sentence"),
        ("---\nlang: fr\n---\n", "no title"),
        ("---\ntitle: [\n---\n", "not YAML"),
        ("---\ntitle: A\n---\n\n```{python}\nx\n", "line 5: a code fence is not closed"),
        ("---\ntitle: A\n---\n```{python}\n#| echo\nx\n```\n", "line 4"),
    ],
)
def test_a_page_that_cannot_be_read_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(RenderError, match=r"a\.qmd.*" + said):
        read_page(qmd(tmp_path, text))


def test_pages_come_in_the_order_of_the_project(study: Study) -> None:
    report = read_report(study.paths.pages / "fr", study.paths.root / "_quarto.yml", set())
    assert [one.name for one in report.pages] == ["index", "method", "satisfaction"]
    assert report.left_out == ("consumption",)
    full = read_report(study.paths.pages / "fr", study.paths.root / "_quarto.yml", {"consumption"})
    assert [one.name for one in full.pages][-1] == "consumption"


def test_a_page_without_a_place_is_an_error(study: Study, tmp_path: Path) -> None:
    folder = tmp_path / "fr"
    shutil.copytree(study.paths.pages / "fr", folder)
    (folder / "extra.qmd").write_text("---\ntitle: E\n---\n", encoding="utf-8")
    with pytest.raises(RenderError, match=r"extra\.qmd"):
        read_report(folder, study.paths.root / "_quarto.yml", set())


def test_every_page_of_the_report_has_a_place() -> None:
    report = read_report(PROJECT / "report" / "fr", PROJECT / "_quarto.yml", set())
    named = {one.name for one in report.pages} | set(report.left_out)
    config = yaml.safe_load((PROJECT / "_quarto.yml").read_text(encoding="utf-8"))
    listed = {Path(one).stem for one in config["website"]["sidebar"]["contents"]}
    assert named == listed
    assert len(named) == 18


# Cells


def test_text_in_a_sentence_is_shown_as_it_is() -> None:
    assert inline({"text/plain": repr("*80\u202f%* [a]")}) == "\\*80\u202f%\\* \\[a\\]"
    assert inline({"text/plain": "42"}) == "42"
    assert inline({"text/markdown": "**42**", "text/plain": "x"}) == "**42**"
    assert inline({"text/html": "<b>4</b>", "text/plain": "x"}) == "`<b>4</b>`{=html}"


def test_a_fence_is_longer_than_those_inside() -> None:
    assert fenced("a\n````\nb") == "`````\na\n````\nb\n`````\n"
    assert fenced("a\n", "{=html}") == "```{=html}\na\n```\n"


def test_as_is_takes_the_wrappers_away() -> None:
    output = _display({"text/html": "<i>a</i>"})
    assert (
        cell_markdown(Cell("", 1, {"output": "asis"}), [output]) == "```{=html}\n<i>a</i>\n```\n\n"
    )
    assert ".cell-output-display" in cell_markdown(Cell("", 1), [output])
    assert cell_markdown(Cell("", 1, {"include": False}), [output]) == "\n"
    assert "<i>" not in cell_markdown(Cell("", 1, {"output": False}), [output])


def _display(data: dict[str, str]) -> dict[str, object]:
    return {"output_type": "display_data", "data": data}


def test_pages_do_not_see_each_other(study: Study, tmp_path: Path) -> None:
    first = read_page(qmd(tmp_path, "---\ntitle: A\n---\n```{python}\nx = 1\n```\n"))
    second = read_page(qmd(tmp_path, "---\ntitle: A\n---\n`{python} 'x' in globals()`\n"))
    with python(tmp_path, environment(study, "fr")) as here:
        execute(first, here)
        assert execute(second, here).endswith("\nFalse\n")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("```{python}\n1 + 1\n1 / 0\n```", r"cell at line 5 \(1 \+ 1\): ZeroDivisionError"),
        ("un\n\ndeux `{python} 1` et `{python} inconnu`", r"line 7 \(`inconnu`\): NameError"),
        ("```{python}\n#| layout-ncol: 2\n1\n```", "option 'layout-ncol' is not understood"),
        ("Voir @fig-absente.", "nothing is called @fig-absente"),
        ("::: {#fig-a}\n\n```\nx\n```\n\n:::", "fig-a has no caption"),
        ("[x](nulle-part.qmd)", "nulle-part.qmd, which is not a page"),
        ("[x](index.qmd#nulle-part)", "index.html#nulle-part"),
        ('```{=html}\n<script src="https://cdn.example/x.js"></script>\n```', "another host"),
    ],
)
def test_a_failure_names_its_place_and_leaves_the_site_alone(
    site: Path, study: Study, tmp_path: Path, body: str, said: str
) -> None:
    other = project(tmp_path)
    shutil.copytree(site, other.paths.site("fr"))
    before = sorted(path.name for path in other.paths.site("fr").rglob("*"))
    page(other, "satisfaction", body)
    page(other, "index", "Rien.")
    with pytest.raises(RenderError, match=said) as raised:
        render(other, "fr", "pandoc")
    assert "satisfaction" in str(raised.value)
    assert sorted(path.name for path in other.paths.site("fr").rglob("*")) == before
    assert not stamp(other.paths, "fr").exists()


# The site


def test_the_site_is_whole_and_stands_alone(site: Path) -> None:
    names = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    assert {"index.html", "method.html", "satisfaction.html", "downloads/estimates.csv"} <= names
    assert {
        "assets/page.css",
        "assets/page.js",
        "assets/charts.js",
        "assets/plotly.min.js",
    } <= names
    assert not [name for name in names if name.endswith((".qmd", ".md", ".json", ".lua"))]
    assert check_site(site, ["index", "method", "satisfaction"]) == []


def test_the_headline_is_the_heading_and_is_computed(index: str) -> None:
    assert "<h1>Quatre personnes sur cinq sont satisfaites</h1>" in index
    assert index.count("<h1") == 1
    assert "<title>Synthèse – Former à l’IA</title>" in index
    assert '<html lang="fr">' in index


def test_the_menu_marks_the_page_and_lists_its_contents(index: str, site: Path) -> None:
    assert '<a href="index.html" aria-current="page">Synthèse</a>' in index
    assert index.count('aria-current="page"') == 1
    assert '<li><a href="#sec-first">Ce que disent les réponses</a></li>' in index
    satisfaction = (site / "satisfaction.html").read_text(encoding="utf-8")
    assert '<a href="satisfaction.html" aria-current="page">Satisfaction</a>' in satisfaction
    assert 'rel="prev" href="method.html"' in satisfaction
    assert 'rel="next"' not in satisfaction


def test_a_page_without_results_is_left_out_with_its_links(index: str) -> None:
    assert "consumption" not in index
    assert "une page laissée de côté et" in index


def test_floats_are_numbered_and_referred_to(index: str) -> None:
    assert '<figure id="fig-bars" class="quarto-float quarto-float-fig finding">' in index
    assert "Figure\u00a01\u00a0· </span>Une <em>légende</em> calculée." in index
    assert '<a href="#fig-cell" class="quarto-xref">Figure\u00a02</a>' in index
    assert '<a href="#tbl-caption" class="quarto-xref">Tableau\u00a02</a>' in index
    assert 'le tableau <a href="#tbl-hand" class="quarto-xref">1</a>' in index
    assert '<a href="#sec-next" class="quarto-xref">La suite</a>' in index


def test_callouts_and_tabs_can_be_used_by_everyone(index: str) -> None:
    assert '<aside class="callout callout-note" aria-labelledby="callout-1">' in index
    assert '<p class="callout-title" id="callout-1">\nLe titre de l’encadré\n</p>' in index
    assert '<p class="callout-title" id="callout-2">\nAttention\n</p>' in index
    assert '<summary class="callout-title" id="callout-3">' in index
    assert index.count('role="tab"') == index.count('role="tabpanel"') == 2
    assert 'id="tab-1-1" aria-controls="par-statut" aria-selected="true"' in index


def test_links_are_numbered_and_spelled_out_for_paper(index: str) -> None:
    assert '<sup class="link-number">1</sup>' in index
    assert "<li>https://pandoc.org/lua-filters.html</li>" in index


def test_french_is_set_as_french(index: str) -> None:
    assert "80\u00a0%" in index
    assert "accroche\u00a0:" in index


def test_charts_are_only_loaded_where_there_are_some(index: str, site: Path) -> None:
    assert 'src="assets/charts.js" defer' in index
    assert "charts.js" not in (site / "method.html").read_text(encoding="utf-8")


def test_no_page_waits_for_plotly(site: Path) -> None:
    pages = [path.read_text(encoding="utf-8") for path in site.glob("*.html")]
    assert pages and not [page for page in pages if "plotly.min.js" in page]
    assert "plotly.min.js" in (site / "assets" / "charts.js").read_text(encoding="utf-8")


def test_every_page_says_what_the_data_are(site: Path) -> None:
    for name in ("index", "method", "satisfaction"):
        text = (site / f"{name}.html").read_text(encoding="utf-8")
        assert '<div class="banner" role="region"' in text
        assert '<a href="method.html#reconstruction">' in text
        assert "Licence Ouverte 2.0" in text


def test_real_answers_have_no_banner(study: Study) -> None:
    report = read_report(study.paths.pages / "fr", study.paths.root / "_quarto.yml", set())
    real = study.definition.model_copy(update={"synthetic": False})
    other = Study(study.paths, real, study.questionnaire, study.recodes)
    assert context(study, "fr", report, {})["banner"]
    assert context(other, "fr", report, {})["banner"] is None


# Languages


def in_two_languages(root: Path) -> Study:
    """Two short pages in French; in English, the first of them only."""
    study = project(root)
    shutil.rmtree(study.paths.pages / "fr")
    for lang, names in (("fr", ("index", "method")), ("en", ("index",))):
        (study.paths.pages / lang).mkdir()
        for name in names:
            path = study.paths.pages / lang / f"{name}.qmd"
            path.write_text("---\ntitle: A\n---\n\n## B {#reconstruction}\n", encoding="utf-8")
    definition = study.definition.model_copy(update={"synthetic": False})
    return Study(study.paths, definition, study.questionnaire, study.recodes)


def switches(page: Path) -> list[str]:
    """Where a page leads to in the languages there are, told to readers and to machines alike."""
    html = page.read_text(encoding="utf-8")
    links = re.findall(r'<a href="([^"]*)" lang="\w+" hreflang="\w+"', html)
    assert re.findall(r'<link rel="alternate" hreflang="\w+" href="([^"]*)">', html) == links
    return links


def test_languages_rendered_together_lead_to_each_other(tmp_path: Path) -> None:
    study = in_two_languages(tmp_path)
    fr, en = render_languages(study, ["fr", "en"], "pandoc")
    assert (fr, en) == (study.paths.site("fr"), study.paths.site("en"))
    assert switches(fr / "index.html") == ["index.html", "../en/index.html"]
    assert switches(en / "index.html") == ["../fr/index.html", "index.html"]
    # A page that the other language does not have leads to the first one there.
    assert switches(fr / "method.html") == ["method.html", "../en/index.html"]
    assert 'class="banner"' not in (fr / "index.html").read_text(encoding="utf-8")
    made = (fr / "index.html").stat().st_mtime_ns
    render_languages(study, ["fr", "en"], "pandoc")
    assert (fr / "index.html").stat().st_mtime_ns == made


def test_a_switch_leads_to_no_page_that_was_not_rendered(tmp_path: Path) -> None:
    study = in_two_languages(tmp_path)
    fr = render(study, "fr", "pandoc")
    assert switches(fr / "index.html") == []
    en = render(study, "en", "pandoc")
    assert switches(en / "index.html") == ["../fr/index.html", "index.html"]
    # The French pages are now stale: they could lead to the English ones.
    assert not is_fresh(study, "fr", "pandoc")
    assert switches(render(study, "fr", "pandoc") / "index.html") == [
        "index.html", "../en/index.html"
    ]  # fmt: skip
    shutil.rmtree(en)
    assert switches(render(study, "fr", "pandoc") / "index.html") == []


def test_no_language_appears_where_one_cannot_be_rendered(tmp_path: Path) -> None:
    study = in_two_languages(tmp_path)
    page = study.paths.pages / "en" / "index.qmd"
    page.write_text("---\ntitle: A\n---\n\nSee @fig-none.\n", encoding="utf-8")
    with pytest.raises(RenderError, match="@fig-none"):
        render_languages(study, ["fr", "en"], "pandoc")
    assert not study.paths.site("fr").exists() and not study.paths.site("en").exists()


def test_links_out_of_a_site_lead_to_pages_of_the_other_language(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<a href="../en/a.html"><a href="../en/b.html">')
    assert check_site(tmp_path, ["a"], {"en": ["a", "b"]}) == []
    for others in ({"en": ["a"]}, None):
        (problem, *_) = check_site(tmp_path, ["a"], others)[::-1]
        assert problem == "a.html: the link ../en/b.html goes to a page that is not there"


def test_texts_are_the_same_in_every_language() -> None:
    texts = yaml.safe_load(TEXTS.read_text(encoding="utf-8"))
    assert set(texts) == {"fr", "en"}
    assert texts["fr"].keys() == texts["en"].keys()
    assert texts["fr"]["callouts"].keys() == texts["en"]["callouts"].keys()


def test_dates_are_in_words() -> None:
    texts = yaml.safe_load(TEXTS.read_text(encoding="utf-8"))
    assert long_date(dt.date(2026, 1, 1), texts["fr"]) == "1er\u00a0janvier 2026"
    assert long_date(dt.date(2025, 12, 11), texts["en"]) == "11\u00a0December 2025"


# Checks


@pytest.mark.parametrize(
    ("html", "said"),
    [
        ('<img src="http://a.b/c.png">', "another host"),
        ('<link href="//a.b/c.css">', "another host"),
        ('<script src="c.js"></script>', "c.js is not in the site"),
        ('<a href="#b">', "an anchor that a.html does not have"),
        ('<a href="b.html">', "a file that is not in the site"),
        ('<i id="x"></i><i id="x"></i>', "more than once"),
        ("<p>?@fig-x</p>", r"\?@fig-x was not resolved"),
        ("<p>{python} 1 + 1</p>", "was not resolved"),
    ],
)
def test_what_is_wrong_with_a_page_is_found(tmp_path: Path, html: str, said: str) -> None:
    (tmp_path / "a.html").write_text(html, encoding="utf-8")
    problems = check_site(tmp_path, ["a"])
    assert len(problems) == 1
    assert re.search(said, problems[0])


def test_a_sound_page_has_no_problem(tmp_path: Path) -> None:
    html = '<a id="a" href="#a">a</a> <a href="https://a.b">b</a> <code>{python} 1</code>'
    (tmp_path / "a.html").write_text(html, encoding="utf-8")
    assert check_site(tmp_path, ["a"]) == []
    assert check_site(tmp_path, ["a", "b"]) == ["b.html was not made"]


# Fresh or not


def test_nothing_is_done_when_nothing_changed(tmp_path: Path) -> None:
    study = project(tmp_path)
    page(study, "index", "Rien.")
    page(study, "satisfaction", "Rien.")
    said: list[str] = []
    assert not is_fresh(study, "fr", "pandoc")
    first = render(study, "fr", "pandoc", log=said.append)
    made = (first / "index.html").stat().st_mtime_ns
    assert is_fresh(study, "fr", "pandoc")
    assert render(study, "fr", "pandoc", log=said.append) == first
    assert (first / "index.html").stat().st_mtime_ns == made
    assert said[-1].startswith("nothing changed")
    for path in (
        study.paths.results / "estimates.csv",
        study.paths.pages / "fr" / "index.qmd",
        study.paths.definition / "study.yml",
    ):
        kept = path.read_bytes()
        path.write_bytes(kept + b"\n")
        assert not is_fresh(study, "fr", "pandoc"), path
        path.write_bytes(kept)
    assert is_fresh(study, "fr", "pandoc")


def test_another_place_can_be_asked_for(study: Study, site: Path, tmp_path: Path) -> None:
    out = render(study, "fr", "pandoc", out=tmp_path / "elsewhere")
    assert (out / "index.html").read_bytes() == (site / "index.html").read_bytes()


# The bundle of plotly


def fake_npm(folder: Path, script: str) -> None:
    npm = folder / "npm"
    npm.write_text(f"#!{sys.executable}\n{script}", encoding="utf-8")
    npm.chmod(npm.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_without_npm_the_script_is_that_of_plotly(empty_cache: Path) -> None:
    assert bundle.plotly_bundle().parts[-2:] == ("package_data", "plotly.min.js")


@pytest.fixture
def npm_has(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What npm hands out as the small script, which is known as such."""
    source, text = empty_cache / "plotly-basic.min.js", "small"
    source.write_text(text, encoding="utf-8")
    digest = hashlib.sha256(text.encode()).hexdigest()
    monkeypatch.setattr(bundle, "KNOWN", {bundle.script_version(): digest})
    with tarfile.open(empty_cache / "ready.tgz", "w:gz") as archive:
        archive.add(source, bundle.FILE)
    fake_npm(
        empty_cache,
        "import shutil, sys\n"
        f"assert sys.argv[2] == '{bundle.PACKAGE}@{bundle.script_version()}'\n"
        f"shutil.copy({str(empty_cache / 'ready.tgz')!r}, sys.argv[-1].partition('=')[2])\n",
    )
    return text


def test_the_small_script_is_fetched_once(empty_cache: Path, npm_has: str) -> None:
    assert bundle.plotly_bundle().read_text(encoding="utf-8") == npm_has
    (empty_cache / "npm").unlink()
    assert bundle.plotly_bundle().read_text(encoding="utf-8") == npm_has


@pytest.mark.parametrize("known", [{}, {bundle.script_version(): "0" * 64}])
def test_a_script_that_is_not_known_is_not_shipped(
    empty_cache: Path, npm_has: str, monkeypatch: pytest.MonkeyPatch, known: dict[str, str]
) -> None:
    assert bundle.plotly_bundle().read_text(encoding="utf-8") == npm_has
    monkeypatch.setattr(bundle, "KNOWN", known)
    assert bundle.plotly_bundle().name == "plotly.min.js"


def test_the_small_script_of_this_plotly_is_known() -> None:
    version = bundle.script_version()
    assert version in bundle.KNOWN, (
        f"npm pack {bundle.PACKAGE}@{version}, and the sha256 of its {bundle.FILE} into KNOWN"
    )


def test_a_failed_fetch_is_not_tried_again_at_once(empty_cache: Path) -> None:
    fake_npm(empty_cache, f"open({str(empty_cache / 'calls')!r}, 'a').write('x')\nexit(1)\n")
    for _ in range(2):
        assert bundle.plotly_bundle().name == "plotly.min.js"
    assert (empty_cache / "calls").read_text() == "x"
    failed = next((empty_cache / "cache" / "learner-survey").glob("*.unavailable"))
    long_ago = time.time() - 2 * bundle.RETRY_AFTER
    os.utime(failed, (long_ago, long_ago))
    bundle.plotly_bundle()
    assert (empty_cache / "calls").read_text() == "xx"


# Quarto


def test_what_failed_is_read_from_what_quarto_prints() -> None:
    cell = ["[ 1/13] index.qmd", "[ 2/13] method.qmd", "Traceback", "NameError: name 'x'", "ERROR"]
    assert failure(cell) == "method.qmd: NameError: name 'x'"
    filtered = ["[1/1] a.qmd", "Error running filter report.lua:", "PAGE a.qmd: nothing is @fig-b"]
    assert failure(filtered) == "a.qmd: nothing is @fig-b"


def test_asking_for_quarto_without_it_says_so(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analysis.publish.quarto.find_quarto", lambda: None)
    with pytest.raises(RenderError, match="quarto is not on the path"):
        render(study, "fr", "quarto", out=tmp_path / "site")


def test_a_value_that_is_empty_leaves_nothing(site: Path) -> None:
    text = (site / "satisfaction.html").read_text(encoding="utf-8")
    assert "Une phrase, et sa fin." in re.sub(r"\s+", " ", text)
    assert "{python}" not in text and "Rien ne se trouve dessous" not in text


@with_quarto
def test_both_engines_make_the_same_site(study: Study, site: Path, tmp_path: Path) -> None:
    other = render(study, "fr", "quarto", out=tmp_path / "site")
    assert sorted(path.relative_to(other) for path in other.rglob("*")) == sorted(
        path.relative_to(site) for path in site.rglob("*")
    )
    for path in sorted(site.glob("*.html")):
        assert outline(other / path.name) == outline(path), path.name
        assert (other / path.name).read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


@with_quarto
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("```{python}\n1 / 0\n```", r"satisfaction\.qmd: ZeroDivisionError"),
        ("Voir @fig-absente.", r"satisfaction\.qmd: nothing is called @fig-absente"),
    ],
)
def test_a_failure_under_quarto_names_the_page(tmp_path: Path, body: str, said: str) -> None:
    study = project(tmp_path)
    page(study, "index", "Rien.")
    page(study, "satisfaction", body)
    with pytest.raises(RenderError, match=said):
        render(study, "fr", "quarto")
    assert not study.paths.site("fr").exists()


@with_quarto
def test_a_plain_quarto_render_of_the_root_makes_the_same_site(tmp_path: Path) -> None:
    study = project(tmp_path)
    shutil.copytree(PROJECT / "data" / "raw" / STUDY, study.paths.raw)
    shutil.copytree(PROJECT / "analysis", tmp_path / "analysis")
    shutil.copyfile(PROJECT / "_environment", tmp_path / "_environment")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(
        [str(QUARTO), "render"], cwd=tmp_path, check=True, capture_output=True,
        env={**os.environ, "PATH": path, "QUARTO_PYTHON": sys.executable},
    )  # fmt: skip
    made = study.paths.site("fr")
    site = render(study, "fr", "pandoc", out=tmp_path / "site")
    assert (site / "consumption.html").is_file()
    for page_path in sorted(site.glob("*.html")):
        assert outline(made / page_path.name) == outline(page_path), page_path.name
