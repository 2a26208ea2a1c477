"""The preview: a page follows its prose, says what is wrong, and leaves no trace in the site."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from publishing import project

from analysis.publish.preview import RELOAD, STATE, Preview, changes, serve, snapshot, watch
from analysis.publish.site import render_languages, stamp
from analysis.study import Study

PROSE = "satisfaction"


class Rebuilt:
    """Stands for the report made in a process of its own: notes each time, says what it is told."""

    def __init__(self) -> None:
        self.times, self.error = 0, ""

    def __call__(self, study: Study, lang: str) -> str:
        self.times += 1
        return self.error


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    made = project(tmp_path_factory.mktemp("preview"))
    # Pages lead to a language that was rendered before.
    made.paths.site("en").mkdir(parents=True)
    (made.paths.site("en") / "index.html").write_text("English", encoding="utf-8")
    render_languages(made, ["fr"], "pandoc")
    assert "../en/index.html" in (made.paths.site("fr") / "index.html").read_text(encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def preview(study: Study) -> Iterator[Preview]:
    running = Preview(study, "fr", Rebuilt())
    running.start()
    yield running
    running.stop()


def qmd(study: Study) -> Path:
    return study.paths.pages / "fr" / f"{PROSE}.qmd"


def html(preview: Preview) -> str:
    return (preview.site / f"{PROSE}.html").read_text(encoding="utf-8")


def until(true: Callable[[], bool]) -> None:
    for _ in range(300):
        if true():
            return
        time.sleep(0.1)
    raise AssertionError("nothing changed in 30 s")


def test_prose_makes_its_own_page_again_and_no_other(study: Study, preview: Preview) -> None:
    path, version, rebuilt = qmd(study), preview.state.version, preview.rebuild.times
    others = {p: p.stat().st_mtime_ns for p in preview.site.glob("*.html") if p.stem != PROSE}
    path.write_text(path.read_text(encoding="utf-8") + "\nUne phrase de plus.\n", encoding="utf-8")
    preview.update({path})
    assert "Une phrase de plus." in html(preview)
    assert (preview.state.version, preview.state.error) == (version + 1, "")
    assert preview.rebuild.times == rebuilt
    assert others == {p: p.stat().st_mtime_ns for p in others}
    # The report, asked for later, is not taken for what it was before.
    assert not stamp(study.paths, "fr").exists()


def noting(name: str) -> str:
    """Prose whose code notes in a file of the staged folder each time it is executed."""
    return f"\n`{{python}} open('{name}', 'a').write('x')`\n"


def put(preview: Preview, path: Path, *texts: str) -> None:
    """Write a page, as its author does."""
    path.write_text("".join(texts), encoding="utf-8")
    preview.update({path})


def test_code_that_did_not_change_is_not_executed_again(study: Study, preview: Preview) -> None:
    path = qmd(study)
    text = path.read_text(encoding="utf-8")
    put(preview, path, text, noting("times"))
    put(preview, path, text, noting("times"), "\nEncore une.\n")
    assert "Encore une." in html(preview)
    assert (preview.staged / "times").read_text() == "x"
    put(preview, path, text)


def test_pages_are_executed_ahead_while_nothing_changes(study: Study, preview: Preview) -> None:
    staged = {path.stem for path in preview.staged.glob("*.qmd")}
    for _ in staged:
        preview.ahead()
    path = qmd(study)
    text = path.read_text(encoding="utf-8")
    (preview.staged / path.name).write_text(text + noting("ahead"), encoding="utf-8")
    preview.stop()
    preview.start()
    for _ in staged:
        preview.ahead()
    put(preview, path, text, noting("ahead"), "\nSans attendre.\n")
    assert "Sans attendre." in html(preview)
    assert (preview.staged / "ahead").read_text() == "x"
    put(preview, path, text)


def test_an_error_is_told_and_the_next_change_mends_it(study: Study, preview: Preview) -> None:
    path = qmd(study)
    text, before, version = path.read_text(encoding="utf-8"), html(preview), preview.state.version
    path.write_text(text + "\n`{python} 1 / 0`\n", encoding="utf-8")
    preview.update({path})
    assert "satisfaction.qmd, line" in preview.state.error
    assert "ZeroDivisionError" in preview.state.error
    assert html(preview) == before and preview.state.version == version
    path.write_text(text + "\n[nulle part](#nowhere)\n", encoding="utf-8")
    preview.update({path})
    assert "nowhere" in preview.state.error
    path.write_text(text, encoding="utf-8")
    preview.update({path})
    assert (preview.state.version, preview.state.error) == (version + 1, "")


def test_anything_else_makes_the_report_anew(study: Study, preview: Preview) -> None:
    rebuilt = preview.rebuild.times
    preview.update({study.paths.definition / "study.yml"})
    assert preview.rebuild.times == rebuilt + 1
    path = qmd(study)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("title: ", "title: Autre ", 1), encoding="utf-8")
    preview.rebuild.error = "a title stands in every menu"
    preview.update({path})
    assert preview.rebuild.times == rebuilt + 2
    assert preview.state.error == "a title stands in every menu"
    path.write_text(text, encoding="utf-8")
    preview.rebuild.error = ""
    preview.update({study.paths.definition / "study.yml"})
    assert preview.state.error == ""


def test_files_written_added_and_removed_are_changes(study: Study) -> None:
    folder = study.paths.definition
    before = snapshot(study)
    (folder / "new.csv").write_text("a\n", encoding="utf-8")
    written = folder / "study.yml"
    os.utime(written, ns=(0, before[written] + 1))
    assert changes(before, snapshot(study)) == {folder / "new.csv", written}
    (folder / "new.csv").unlink()
    os.utime(written, ns=(0, before[written]))
    assert changes(before, snapshot(study)) == set()


def test_an_open_page_hears_of_a_change_and_the_site_holds_no_script(
    study: Study, preview: Preview
) -> None:
    server, stop, said = serve(preview, 0), threading.Event(), []
    root = f"http://127.0.0.1:{server.server_address[1]}"
    watching = threading.Thread(
        target=watch, args=(preview, snapshot(study), said.append, stop), daemon=True
    )
    watching.start()
    try:
        page = urlopen(f"{root}/fr/{PROSE}.html").read().decode()
        assert RELOAD in page and page.index(RELOAD) < page.index("</body>")
        assert RELOAD not in html(preview)
        assert STATE in urlopen(root + RELOAD).read().decode()
        before = json.load(urlopen(root + STATE))["version"]
        path = qmd(study)
        text = path.read_text(encoding="utf-8")
        path.write_text(text + "\nVue en direct.\n", encoding="utf-8")
        until(lambda: json.load(urlopen(root + STATE))["version"] > before)
        assert "Vue en direct." in urlopen(f"{root}/fr/{PROSE}.html").read().decode()
        until(lambda: bool(said))
        assert said[0].startswith(f"{PROSE}.qmd: made again in ")
    finally:
        stop.set()
        watching.join()
        server.shutdown()
        server.server_close()
