"""The two regional studies: rebuilt from their registers, audited, and their pages."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import any_study
import pandas as pd
import pytest
import yaml

from analysis.paths import PROJECT
from analysis.reconstruct import reconstruct
from analysis.release.build import build
from analysis.study import Study, load_study

HAUTS, OCCITANIE = "hauts_de_france_2026", "occitanie_2024"
STUDIES = [HAUTS, OCCITANIE]


def copied(root: Path, name: str) -> Study:
    for folder in (f"studies/{name}", f"data/raw/{name}", "report"):
        shutil.copytree(PROJECT / folder, root / folder)
    shutil.copyfile(PROJECT / "_quarto.yml", root / "_quarto.yml")
    study = load_study(name, root)
    build(study)
    return study


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Study]:
    return {name: copied(tmp_path_factory.mktemp(name), name) for name in STUDIES}


def results(study: Study, name: str) -> pd.DataFrame:
    return pd.read_csv(study.paths.results / f"{name}.csv", keep_default_na=False)


@pytest.mark.parametrize("name", STUDIES)
def test_reconstructing_gives_the_committed_files(tmp_path: Path, name: str) -> None:
    written = reconstruct(load_study(name), tmp_path)
    committed = PROJECT / "data" / "raw" / name
    assert {path.name for path in written} == {path.name for path in committed.iterdir()}
    for path in written:
        assert path.read_bytes() == (committed / path.name).read_bytes(), path.name
    for path in (path for path in written if path.name.endswith(".csv.meta.yml")):
        assert yaml.safe_load(path.read_text(encoding="utf-8"))["synthetic"] is True


@pytest.mark.parametrize("name", STUDIES)
def test_every_printed_number_is_given_back_or_told_missing(
    built: dict[str, Study], name: str
) -> None:
    audit = results(built[name], "audit")
    register = pd.read_csv(PROJECT / "studies" / name / "published.csv")
    assert list(audit["figure_id"]) == list(register["figure_id"])
    assert set(audit["status"]) == {"exact", "rounds", "unspecified"}
    missing = audit[audit["status"] == "unspecified"]["figure_id"]
    assert missing.str.startswith("method.").all()


def test_the_base_that_is_not_printed_is_found_and_said(built: dict[str, Study]) -> None:
    audit = results(built[HAUTS], "audit").set_index("figure_id")
    told = audit.loc["ai_use_frequency.occasional"]
    assert (told["status"], told["base_n"]) == ("rounds", "72")
    assert "ne dit pas" in told["explanation"]
    # What the remark says: among the users, who are 56 at 78 % of 72, no count rounds to 53 %.
    users = [n for n in range(73) if round(100 * n / 72) == 78]
    assert users == [56]
    assert all(int(100 * n / 56 + 0.5) != 53 for n in range(57))


def test_shares_of_several_functions_add_up_as_printed(built: dict[str, Study]) -> None:
    estimates = results(built[HAUTS], "estimates")
    rows = estimates[(estimates["variable"] == "job_function") & (estimates["by"] == "")]
    rows = rows[(rows["base_kind"] == "respondents") & (rows["category"] != "other")]
    assert rows["share"].astype(float).sum() == pytest.approx(1.06, abs=0.03)


def test_an_assumed_number_is_marked_wherever_it_is_counted(built: dict[str, Study]) -> None:
    study = built[OCCITANIE]
    estimates = results(study, "estimates")
    trainees = estimates[estimates["base_kind"] == "trainees"]
    assert set(trainees["method"]) == {"assumed"}
    size = trainees[(trainees["variable"] == "trainees") & (trainees["population"] == "trainees")]
    assert list(size["evidence"]) == ["illustrative"] and list(size["count"]) == [10000]
    branch = trainees[(trainees["variable"] == "trainee_branch") & (trainees["by"] == "")]
    assert set(branch["evidence"]) == {"published"}
    companies = estimates[estimates["base_kind"] == "companies"]
    assert set(companies["method"]) == {"count"}
    audit = results(study, "audit").set_index("figure_id")
    assert "il est supposé" in audit.loc["trainee_branch.publishing", "explanation"]
    assert "supposé" not in audit.loc["companies.publishing", "explanation"]
    for meta in ("trainees", "trainings", "companies_trained"):
        path = study.paths.raw / f"{meta}.csv.meta.yml"
        assert "supposé" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "lang"), [(HAUTS, "fr"), (OCCITANIE, "en")])
def test_pages_are_sound(built: dict[str, Study], name: str, lang: str) -> None:
    study = built[name]
    assert any_study.problems(study, lang) == []
    folder = study.paths.clean / "pages" / lang
    assert json.loads((folder / "context.json").read_text(encoding="utf-8"))["banner"]
    pages = {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("_site/*.html")}
    assert ("lists" in pages) == (name == OCCITANIE)
    assert ("profile" in pages) == (name == HAUTS)
    if name == OCCITANIE:
        branch = re.search(r'<figure id="fig-question-trainee_branch".*?</figure>',
                           pages["lists"], re.DOTALL)  # fmt: skip
        assert branch and "it is assumed" in branch[0]
