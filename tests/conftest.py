"""Fixtures shared by the tests."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from analysis.paths import PROJECT
from analysis.publish.site import render_languages
from analysis.release.build import build
from analysis.study import Study, load_study

NATIONAL = "cnc_afdas_2026"


@pytest.fixture(scope="session")
def national() -> Study:
    return load_study(NATIONAL)


@pytest.fixture(scope="session")
def national_copy(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The national study in a folder of its own, built."""
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
