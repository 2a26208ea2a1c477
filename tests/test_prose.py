"""What the pages say follows from the data: change the data, and the sentences change."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from analysis.display.report import open_report
from analysis.paths import PROJECT
from analysis.publish.pages import Prose, read_page
from analysis.release.build import build
from analysis.study import load_study

STUDY = "cnc_afdas_2026"
PAGES = sorted(
    [*(PROJECT / "report" / "fr").glob("*.qmd"), *(PROJECT / "studies").glob("*/report/fr/*.qmd")]
)
INLINE = re.compile(r"`\{python\}[^`]*`")
ASIDE = re.compile(r"\]\([^)]*\)|```.*?```|\{#[^}]*\}", re.DOTALL)
NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
# Years of sources, the level of intervals, the ends of a scale, versions: none is a result.
NO_RESULT = re.compile(
    r"2016/679|articles 13 (?:à|to) 22 (?:et|and) 77"
    r"|\b(?:19|20)\d\d\b|95 %|\b0\b|\b1\b|100 %|2\.0|3\.11"
)


def told(root: Path, raw: pd.DataFrame):
    """The report on a changed survey."""
    path = root / "data/raw" / STUDY / "survey.csv"
    raw.to_csv(path, index=False, lineterminator="\n")
    build(load_study(STUDY, root))
    return open_report(STUDY, "fr", root)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("prose")
    for name in ("studies", "data/raw", "report"):
        shutil.copytree(PROJECT / name, root / name)
    return root


@pytest.fixture(scope="module")
def survey():
    path = PROJECT / "data/raw" / STUDY / "survey.csv"
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def test_a_few_answers_change_the_numbers(root, survey):
    before = told(root, survey)
    title, lead = before.title("satisfaction-by-hours"), before.say("satisfaction-by-hours")
    changed = survey.copy()
    long = changed[
        (changed["training_hours"] == "22_plus") & (changed["satisfaction"] == "satisfied")
    ].index[:10]
    changed.loc[long, "training_hours"] = "4_or_less"
    after = told(root, changed)
    # 13 of 25 becomes 23 of 35 in the shortest band, 109 of 119 becomes 99 of 109 in the longest.
    assert "52\u00a0%" in title and "92\u00a0%" in title
    assert "66\u00a0%" in after.title("satisfaction-by-hours")
    assert "91\u00a0%" in after.title("satisfaction-by-hours")
    assert after.say("satisfaction-by-hours") != lead


def test_a_turned_trend_turns_the_words(root, survey):
    bands = ["4_or_less", "5_7", "8_14", "15_21", "22_plus"]
    turned = survey.replace({"training_hours": dict(zip(bands, bands[::-1], strict=True))})
    assert "passe de" in told(root, survey).title("satisfaction-by-hours")
    assert "recule de" in told(root, turned).title("satisfaction-by-hours")


def test_another_first_motive_takes_the_title(root, survey):
    columns = [f"motivation_pro/{name}" for name in ("stay_competitive", "employer_offer")]
    swapped = survey.rename(columns=dict(zip(columns, columns[::-1], strict=True)))[survey.columns]
    assert "Rester dans la course" in told(root, survey).title("motivations-top")
    first = told(root, swapped).title("motivations-top")
    assert "Rester dans la course" not in first and "Découvrir de nouveaux outils" in first


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_no_result_is_typed_into_prose(path):
    page = read_page(path)
    prose = " ".join(part.text for part in page.parts if isinstance(part, Prose))
    prose = INLINE.sub(
        " ", re.sub(r"\]\([^)]*\)|```.*?```|\{#[^}]*\}", " ", prose, flags=re.DOTALL)
    )
    assert NUMBER.findall(NO_RESULT.sub(" ", prose)) == []
