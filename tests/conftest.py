"""Fixtures shared by the tests."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

sys.path.insert(0, str(Path(__file__).parent))

from analysis.paths import PROJECT
from analysis.publish.site import render_languages
from analysis.release.build import build
from analysis.study import Study, load_study

NATIONAL = "cnc_afdas_2026"
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="session")
def national() -> Study:
    return load_study(NATIONAL)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    assert chromium, "the pages are tested in Debian's chromium: apt-get install -y chromium"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(scope="session")
def national_copy(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The national study built in a folder of its own."""
    root = tmp_path_factory.mktemp("national")
    for name in (f"studies/{NATIONAL}", f"data/raw/{NATIONAL}", "report"):
        shutil.copytree(PROJECT / name, root / name)
    shutil.copyfile(PROJECT / "_quarto.yml", root / "_quarto.yml")
    study = load_study(NATIONAL, root)
    build(study)
    return study


@pytest.fixture(scope="session")
def national_sites(national_copy: Study) -> dict[str, Path]:
    """Its pages in each language."""
    langs = list(national_copy.definition.languages)
    return dict(zip(langs, render_languages(national_copy, langs, "pandoc"), strict=True))


@pytest.fixture(scope="session")
def national_site(national_sites: dict[str, Path]) -> Path:
    """Its pages in French; those in other languages stand beside them."""
    return national_sites["fr"]
