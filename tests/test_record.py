"""The record beside a raw file, what a build records, and what pages say of both."""

import dataclasses
import hashlib
import json
import shutil

import extracts
import pytest
import tiny_study as tiny
import yaml

from analysis.cli import main
from analysis.definition import Disclosure, Privacy
from analysis.display.labels import Labels
from analysis.display.record import limits_table, provenance_table
from analysis.intake.record import check_record
from analysis.paths import PROJECT, record_of
from analysis.release.build import build, inputs, is_fresh, settings


@pytest.fixture
def study(tmp_path):
    return tiny.make(tmp_path)


def write_record(study, **content):
    path = record_of(study.paths.raw / "survey.csv")
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_record_of_another_export_is_told_with_what_to_write(study, capsys):
    raw = study.paths.raw / "survey.csv"
    write_record(study, producer="Region", sha256=sha256(raw))
    root = ["--root", str(study.paths.root)]
    assert main(["build", tiny.NAME, *root]) == 0
    old = raw.read_text()
    raw.write_text(tiny.survey(5))
    assert main(["validate", tiny.NAME, *root]) == 0
    err = capsys.readouterr().err
    assert "data/raw/tiny/survey.csv.meta.yml, column sha256" in err
    assert sha256(raw) in err and hashlib.sha256(old.encode()).hexdigest() in err
    page = (study.paths.clean / "validation.html").read_text(encoding="utf-8")
    assert "La fiche de provenance est celle du fichier" in page
    assert "Update the record" not in page and "mettre à jour la fiche" in page
    write_record(study, producer="Region", sha256=sha256(raw).upper())
    assert main(["validate", tiny.NAME, *root]) == 0
    assert "sha256" not in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"a: [", b"just words", b"\xff\xfe"])
def test_a_record_that_cannot_be_read_is_told(study, content):
    raw = study.paths.raw / "survey.csv"
    record_of(raw).write_bytes(content)
    (found,) = check_record(raw, "data/raw/tiny/survey.csv")
    assert found.key == "record_unread" and found.file == "data/raw/tiny/survey.csv.meta.yml"


def test_a_file_without_a_record_is_read_and_a_note_tells_it(study, capsys):
    raw, root = study.paths.raw / "survey.csv", ["--root", str(study.paths.root)]
    assert main(["validate", tiny.NAME, *root]) == 0
    err = capsys.readouterr().err
    assert "to look at, though it stops nothing:\ndata/raw/tiny/survey.csv\n" in err
    assert "Write survey.csv.meta.yml beside the file" in err
    page = (study.paths.clean / "validation.html").read_text(encoding="utf-8")
    assert "pas de fiche survey.csv.meta.yml" in page
    write_record(study, producer="Region")
    assert main(["validate", tiny.NAME, *root]) == 0
    assert capsys.readouterr().err == "" and check_record(raw, "survey.csv") == []


def test_files_of_an_extract_without_a_record_are_told_up_to_a_few(tmp_path):
    files = {f"{year}.csv": extracts.text(extracts.cells(f"A{year}" + extracts.ROWS[0][2:]))
             for year in range(2010, 2020)}  # fmt: skip
    study = extracts.make(tmp_path, files)
    record_of(study.paths.raw / "actions" / "2010.csv").write_text("producer: Region\n")
    clean, _, _ = extracts.checked(study)
    told = [found.file for found in clean.sources[0].remarks]
    assert told == [study.paths.shown(study.paths.raw / f"actions/{year}.csv")
                    for year in range(2011, 2016)]  # fmt: skip


def test_a_record_without_a_hash_is_believed(study):
    raw = study.paths.raw / "survey.csv"
    write_record(study, producer="Region")
    assert check_record(raw, "survey.csv") == []


def test_the_committed_raw_files_are_those_of_their_records(national):
    for source in national.definition.sources.present().values():
        path = national.paths.raw / source.path
        assert record_of(path).is_file() and check_record(path, source.path) == []


def test_a_build_records_inputs_versions_settings_and_results(study):
    (study.paths.raw / "answers of Mme X.xlsx").write_bytes(b"not a source")
    write_record(study, sha256=sha256(study.paths.raw / "survey.csv"))
    results = build(study)
    record = json.loads((results / "provenance.json").read_text(encoding="utf-8"))
    assert record["inputs"] == {
        study.paths.shown(path): sha256(path)
        for path in [
            study.paths.raw / "survey.csv",
            study.paths.raw / "survey.csv.meta.yml",
            *study.paths.definition.iterdir(),
        ]
    }
    assert "Mme X" not in json.dumps(record)
    assert {"Python", "learner-survey", "pandas", "scipy"} <= set(record["versions"])
    assert record["settings"]["seed"] == 2026
    assert record["settings"]["thresholds"]["suppressed_base"] == 0
    assert record["settings"]["design"]["weights"] is None
    names = {path.name for path in results.iterdir()} - {"provenance.json"}
    assert record["files"] == {name: sha256(results / name) for name in names}
    tables = {path.name: sha256(path) for path in study.paths.clean.glob("*.parquet")}
    assert record["tables"] == tables and tables
    assert is_fresh(study)


def test_a_file_beside_the_sources_changes_nothing(study):
    build(study)
    (study.paths.raw / "notes.txt").write_text("of no source")
    assert is_fresh(study)
    assert all(path.name != "notes.txt" for path in inputs(study))


def test_readers_see_what_results_are_made_of(national):
    record = {"inputs": {"data/<b>.csv": "0f"}, "versions": {"pandas": "3"}, "code": "ab",
              "settings": settings(national)}  # fmt: skip
    html = provenance_table(record, Labels(national, "fr"), "C")
    for words in ("data/&lt;b&gt;.csv", "0f", "pandas", "Programmes, et leur version",
                  "une estimation est dite fragile. (thresholds.fragile_base)"):  # fmt: skip
        assert words in html, words
    assert provenance_table({}, Labels(national, "fr"), "C") == ""


@pytest.mark.parametrize(
    ("rules", "said", "unsaid"),
    [
        (None, ["thresholds.suppressed_base"], ["disclosure"]),
        ({"public": True}, ["disclosure.public"], ["disclosure.minimum_count", "suppressed_base"]),
        ({}, ["disclosure.minimum_count", "disclosure.dominance.k", "disclosure.tolerance"],
         ["disclosure.public", "suppressed_base"]),
    ],
    ids=["not declared", "public", "in force"],
)  # fmt: skip
def test_the_rules_that_are_in_force_are_told_and_no_others(national, rules, said, unsaid):
    limits = Disclosure(**rules) if rules is not None else None
    definition = national.definition.model_copy(update={"disclosure": limits})
    study = dataclasses.replace(national, definition=definition)
    table = limits_table({"settings": settings(study)}, Labels(study, "en"), "C")
    assert "thresholds.fragile_width" in table and "seed" not in table
    assert all(f"({name}" in table for name in said)
    assert not [name for name in unsaid if name in table]


def test_every_key_of_privacy_is_on_the_page_in_both_languages():
    for lang in ("fr", "en"):
        page = (PROJECT / "report" / lang / "privacy.qmd").read_text(encoding="utf-8")
        for key in Privacy.model_fields:
            assert f'r.owner("{key}")' in page, (lang, key)


def test_what_the_owner_did_not_fill_in_is_said(tmp_path, national):
    from analysis.display.report import report_of  # noqa: PLC0415
    from analysis.display.results import read_results  # noqa: PLC0415
    from analysis.study import load_study  # noqa: PLC0415

    study = tiny.make(tmp_path)
    text = (study.paths.definition / "study.yml").read_text(encoding="utf-8")
    text += "privacy: {contact: {fr: donnees@region.example}}\n"
    (study.paths.definition / "study.yml").write_text(text, encoding="utf-8")
    shutil.copytree(PROJECT / "report", tmp_path / "report")
    study = load_study(tiny.NAME, tmp_path)
    report = report_of(study, read_results(build(study), "results", "fr"), "fr")
    assert report.owner("contact") == "donnees@region.example"
    assert "privacy.legal_basis" in report.owner("legal_basis")
    assert len(report.unfilled()) == len(Privacy.model_fields) - 1
    shown = report.table("limits").data
    assert "thresholds.suppressed_base" in shown


def test_the_page_on_privacy_says_how_many_numbers_are_withheld():
    """Where disclosure control is on, in both languages; nothing is said where it is off."""

    class Told:
        def __init__(self, **facts: str) -> None:
            self.facts = facts

        def fact(self, variable: str, category: str) -> str:
            return self.facts[category]

        def has_fact(self, variable: str, category: str) -> bool:
            return category in self.facts

    told = Told(rows="274", primary="145", complementary="51", tolerance="7", tests="60",
                tests_withheld="58")  # fmt: skip
    for lang in ("fr", "en"):
        page = (PROJECT / "report" / lang / "privacy.qmd").read_text(encoding="utf-8")
        (line,) = [line for line in page.splitlines() if "'complementary'" in line]
        code = line.removeprefix("`{python} ").removesuffix("`")
        said = eval(code, {"r": told})
        assert all(number in said for number in told.facts.values())
        assert eval(code, {"r": Told()}) == ""
