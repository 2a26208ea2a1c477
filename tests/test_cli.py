"""The commands as a person calls them: exit codes, one block a problem, no traceback."""

import shutil
import subprocess
import sys

import pytest

from analysis.cli import main
from analysis.paths import PROJECT
from analysis.release.plausibility import ImplausibleError

STUDY = "cnc_afdas_2026"


@pytest.fixture
def root(tmp_path):
    """A copy of the study, to be damaged."""
    for folder in ("studies", "data/raw"):
        shutil.copytree(PROJECT / folder, tmp_path / folder)
    return tmp_path


def call(capsys, root, *arguments):
    code = main([*arguments, "--root", str(root)])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_build_writes_results_and_says_where(capsys, root):
    code, out, err = call(capsys, root, "build", STUDY)
    assert (code, err) == (0, "")
    assert out == f"{STUDY}: results in data/clean/{STUDY}/results\n"
    names = {path.name for path in (root / "data/clean" / STUDY / "results").iterdir()}
    assert {
        "estimates.csv",
        "estimates.parquet",
        "tests.csv",
        "audit.csv",
        "estimates.xlsx",
        "codebook.csv",
        "datapackage.json",
        "provenance.json",
    } <= names


def test_two_builds_give_the_same_bytes(capsys, root):
    folder = root / "data/clean" / STUDY / "results"
    call(capsys, root, "build", STUDY)
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    shutil.rmtree(root / "data/clean")
    call(capsys, root, "build", STUDY)
    assert first == {path.name: path.read_bytes() for path in folder.iterdir()}


def test_audit_sums_up_and_shows_what_does_not_hold(capsys, root):
    code, out, _ = call(capsys, root, "audit", STUDY)
    assert code == 0
    assert "363 published figures" in out
    assert "contradicted: text.identify_risks" in out


def test_validate_names_its_report(capsys, root):
    code, out, _ = call(capsys, root, "validate", STUDY)
    assert code == 0 and f"data/clean/{STUDY}/validation.html" in out
    assert (root / "data/clean" / STUDY / "validation.json").is_file()


def test_a_mistake_in_the_input_ends_with_2_and_keeps_old_results(capsys, root):
    call(capsys, root, "build", STUDY)
    estimates = root / "data/clean" / STUDY / "results/estimates.csv"
    before = estimates.read_bytes()
    raw = root / "data/raw" / STUDY / "survey.csv"
    text = raw.read_text(encoding="utf-8")
    raw.write_text(text.replace(",permanent,", ",permanente,", 1), encoding="utf-8")
    code, out, err = call(capsys, root, "build", STUDY)
    assert code == 2 and out == ""
    for words in ("survey.csv, row", "column status", "permanente", "to do:"):
        assert words in err
    assert "Traceback" not in err
    assert estimates.read_bytes() == before


def test_unknown_study_ends_with_2(capsys, root):
    code, _, err = call(capsys, root, "build", "cnc_afdas_2025")
    assert code == 2 and "cnc_afdas_2026" in err


def test_as_a_module_and_without_a_terminal(root):
    done = subprocess.run(
        [sys.executable, "-m", "analysis", "audit", STUDY, "--root", str(root)],
        capture_output=True,
        text=True,
        cwd=PROJECT,
        check=False,
    )
    assert done.returncode == 0 and done.stderr == ""


def test_a_change_of_input_makes_results_stale(capsys, root):
    call(capsys, root, "audit", STUDY)
    provenance = root / "data/clean" / STUDY / "results/provenance.json"
    first = provenance.stat().st_mtime_ns
    call(capsys, root, "audit", STUDY)
    assert provenance.stat().st_mtime_ns == first
    register = root / "studies" / STUDY / "published.csv"
    register.write_text(
        register.read_text(encoding="utf-8").replace(",378,,", ",379,,", 1), encoding="utf-8"
    )
    _, out, _ = call(capsys, root, "audit", STUDY)
    assert "contradicted: method.responses_any" in out


def test_a_language_without_pages_ends_with_2(capsys, root):
    shutil.copytree(PROJECT / "report", root / "report")
    code, _, err = call(capsys, root, "report", STUDY, "--lang", "de")
    assert code == 2 and "de" in err and "fr" in err


def test_results_that_cannot_be_right_end_with_1(capsys, root, monkeypatch):
    def cannot_be(*_):
        raise ImplausibleError("shares sum to 1.2")

    monkeypatch.setattr("analysis.release.plausibility.check", cannot_be)
    code, _, err = call(capsys, root, "build", STUDY)
    assert code == 1 and "shares sum to 1.2" in err
    assert not (root / "data/clean" / STUDY / "results").exists()
