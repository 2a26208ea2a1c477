"""Any study: whatever the roles it has, it is analysed and its pages have nothing broken."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import any_study
import made_up
import numpy as np
import pandas as pd
import pytest

from analysis.chapters import compare, satisfaction, skills
from analysis.definition import Roles
from analysis.display import figure
from analysis.study import Study

ROLES = [name for name in any_study.definition()["roles"] if name not in any_study.REFERS]
HEADING = re.compile(r"^#+ .*\{#([\w-]+)\}$", re.MULTILINE)
FLOAT = re.compile(r"^::: \{#([\w-]+)", re.MULTILINE)
REFERENCE = re.compile(r"(?<!\w)@((?:fig|tbl|sec)-[\w-]+)")
LINK = re.compile(r"\]\((?:([\w-]+)\.qmd)?(?:#([\w-]+))?\)")
BLANK = re.compile(r"\bnan\b|None|\{\w+\}| \.(?!\w)| ,|\(\)|«\s*»")


@pytest.fixture(autouse=True)
def _few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tested here does not depend on the number of resamples."""
    monkeypatch.setattr(skills, "DRAWS", 20)
    monkeypatch.setattr(compare, "DRAWS", 20)
    monkeypatch.setattr(compare, "JOINT_DRAWS", 20)
    monkeypatch.setattr(satisfaction, "DRAWS", 20)
    monkeypatch.setattr(figure, "draw", lambda rows, words: {})


def faults(texts: dict[str, str], standing: set[str], left_out: set[str]) -> list[str]:
    """References, links and sentences of Markdown pages that lead or come to nothing."""
    anchors = {n: {*HEADING.findall(t), *FLOAT.findall(t)} for n, t in texts.items()}
    found = []
    for name, text in texts.items():
        prose = re.sub(r"^(`{3,}).*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
        found += [f"{name}: @{r}" for r in REFERENCE.findall(prose) if r not in anchors[name]]
        for page, anchor in LINK.findall(prose):
            target = page or name
            if target not in standing | left_out:
                found.append(f"{name}: no page {target}")
            elif anchor and target in standing and anchor not in anchors[target]:
                found += [] if anchor.startswith("row-") else [f"{name}: no {target}#{anchor}"]
        found += [f"{name}: {m[0]!r} in {prose[max(0, m.start() - 40) : m.end() + 20]!r}"
                  for m in BLANK.finditer(prose)]  # fmt: skip
    return found


# Every role is gone from one of these studies, beside others that have nothing to do with it; those
# that others lean on are gone alone too.
GONE = [["satisfaction"], ["hours"], *(ROLES[start::4] for start in range(4))]


@pytest.mark.parametrize("gone", GONE, ids="+".join)
def test_a_study_without_some_roles_has_whole_pages(tmp_path: Path, gone: list[str]) -> None:
    tree = any_study.without(any_study.definition(), set(gone))
    study = any_study.released(any_study.project(tmp_path, tree))
    staged, texts = any_study.pages(study, "fr")
    standing = {page.name for page in staged.report.pages}
    assert {"index", "method", "data"} < standing
    assert faults(texts, standing, set(staged.report.left_out)) == []


@pytest.mark.parametrize("seed", [0])
def test_a_study_with_any_roles_has_sound_pages(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    gone = {role for role in ROLES if rng.random() < 0.5}
    tree = any_study.without(any_study.definition(), gone)
    study = any_study.released(any_study.project(tmp_path, tree), seed=seed)
    assert any_study.problems(study, ["fr", "en"][seed % 2]) == []


def test_the_roles_that_are_tested_are_all_there_are() -> None:
    optional = {"comment_theme_second"}
    assert set(ROLES) | set(any_study.REFERS) | optional == set(Roles.model_fields)


FORM = """survey,type,name,label::Français (fr),label::English (en),required,constraint
,select_one size,size,Taille de la structure,Size of the organisation,yes,
,select_multiple tool,tool,Outils utilisés,Tools used,,count-selected(.) <= 2
,integer,staff,Nombre de personnes employées,Number of people employed,,
,decimal,budget,Budget de formation,Training budget,,
,date,since,Jour de la dernière formation,Day of the last training,,
,text,wish,Souhait,Wish,,
choices,list_name,name,label::Français (fr),label::English (en),,
,size,small,Moins de dix,Under ten,,
,size,large,Dix et plus,Ten and over,,
,tool,text,Texte,Text,,
,tool,image,Image,Image,,
,tool,sound,Son,Sound,,
"""


def made_up_study(form: str, **more: Any) -> dict[str, Any]:
    """The smallest definition of a study with real answers."""
    text = {"fr": "Étude inventée", "en": "Made-up study"}
    return {
        "study": "made_up", "languages": ["fr", "en"], "brand": text, "title": text,
        "field": text, "publisher": "Nobody", "synthetic": False,
        "period": {"start": "2025-10-01", "end": "2025-12-31"},
        "licence": {"name": "CC0", "url": "https://creativecommons.org/publicdomain/zero/1.0/"},
        "sources": {"survey": {"path": "survey.csv", "columns": {"complete": {
            "label": {"fr": "Terminé", "en": "Complete"}, "type": "boolean"}}}},
        "populations": {"all": {"label": {"fr": "toutes les réponses", "en": "all responses"}}},
        **more,
    }  # fmt: skip


@pytest.fixture
def general(tmp_path: Path) -> Study:
    tables = {"general": [{"variable": name, "by": "size"} for name in ("tool", "staff")]}
    tree = made_up_study(FORM, tables=tables, ordered=["size"])
    return any_study.released(any_study.project(tmp_path, tree, FORM))


def read(study: Study, name: str) -> pd.DataFrame:
    return pd.read_csv(study.paths.results / f"{name}.csv", keep_default_na=False)


def test_questions_without_a_role_are_all_on_the_general_page(general: Study) -> None:
    estimates = read(general, "estimates")
    own = estimates[estimates["chapter"] == "general"]
    assert set(own["variable"]) == {"size", "tool", "staff", "budget", "since", "wish"}
    assert set(own["evidence"]) == {"observed"}
    mean = own[(own["variable"] == "staff") & (own["category"] == "mean")].iloc[0]
    staff = made_up.tables(general, 150, 1)["survey"]["staff"].dropna().astype(float)
    assert float(mean["count"]) / float(mean["base_n"]) == pytest.approx(staff.mean())
    bands = own[(own["variable"] == "staff") & (own["by"] == "") & (own["method"] == "wilson")]
    assert bands["count"].astype(float).sum() == len(staff)
    measures = read(general, "measures").set_index(["variable", "measure"])
    assert measures.loc[("staff", "median"), "value"] == staff.median()
    tests = read(general, "tests")
    assert {("tool", "size"), ("staff", "size")} <= set(zip(tests["variable"], tests["by"],
                                                            strict=True))  # fmt: skip


def test_the_pages_of_a_real_study_say_nothing_of_a_reconstruction(general: Study) -> None:
    assert any_study.problems(general, "fr") == []
    folder = general.paths.clean / "pages" / "fr"
    assert json.loads((folder / "context.json").read_text(encoding="utf-8"))["banner"] is None
    pages = {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("_site/*.html")}
    assert set(pages) == {"index", "method", "general", "privacy", "data"}
    for name in ("size", "tool", "staff", "budget", "since", "wish", "tool-by-size"):
        assert f'id="fig-question-{name}"' in pages["general"]
    for name, html in pages.items():
        assert not re.search(r"reconsti|Afdas|IA\b|illustratif", re.sub(r"<script.*?</script>", "",
                             html, flags=re.DOTALL)), name  # fmt: skip


NAMES = """survey,type,name,label::English (en)
,select_one size,status,Size of the organisation
,select_one place,who,What you do
,integer,hours,Hours of work
,integer,year,Year of the first training
,begin_group,views,Views
,select_one agree,one,First view
,select_one agree,two,Second view
,end_group,,
choices,list_name,name,label::English (en)
,size,small,Under ten
,size,large,Ten and over
,place,actor,Actor
,place,editor,Editor
,agree,strongly_disagree,Strongly disagree
,agree,disagree,Disagree
,agree,neutral,Neutral
,agree,agree,Agree
,agree,strongly_agree,Strongly agree
"""


def test_names_of_roles_totals_and_measures_may_name_questions_and_answers(tmp_path: Path) -> None:
    """A question `status` beside one that plays this role, an answer `agree` of a battery."""
    battery = {"group": "views", "scale": ["strongly_disagree", "disagree", "neutral", "agree",
               "strongly_agree"], "disagree": ["strongly_disagree", "disagree"],
               "agree": ["agree", "strongly_agree"], "by": ["status"]}  # fmt: skip
    tree = made_up_study(NAMES, roles={"status": "who", "battery": battery})
    study = any_study.released(any_study.project(tmp_path, {**tree, "languages": ["en"]}, NAMES))
    whole = read(study, "estimates")
    whole = whole[(whole["variable"] == "one") & (whole["by"] == "")].set_index("category")
    count = whole["count"].astype(float)
    assert count["agree_total"] == count["agree"] + count["strongly_agree"]
    assert any_study.problems(study, "en") == []
    page = next((study.paths.clean / "pages" / "en").glob("_site/general.html"))
    html = page.read_text(encoding="utf-8")
    for name in ("status", "hours", "year"):
        assert f'id="fig-question-{name}"' in html
    assert "Under ten" in html and "Editor" not in html.split('id="fig-question-status"')[1][:3000]


def test_a_study_of_one_question_has_whole_pages(tmp_path: Path) -> None:
    lines = FORM.splitlines()
    form = "\n".join([*lines[:2], *lines[7:10]]) + "\n"
    assert "small" in form and "staff" not in form
    study = any_study.released(any_study.project(tmp_path, made_up_study(form), form))
    assert any_study.problems(study, "en") == []
