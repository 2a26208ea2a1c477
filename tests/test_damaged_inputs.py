"""Damaged inputs: each is refused with the file, the place and the rule, and exit code 2."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import small_study as small

from analysis.cli import main
from analysis.errors import InputError
from analysis.intake.clean import clean
from analysis.study import load_study

RAW = f"data/raw/{small.STUDY}"
DEFINITION = f"studies/{small.STUDY}"
SURVEY, ACTIONS = f"{RAW}/survey.csv", f"{RAW}/training_actions.csv"
UNKNOWN, MISSING = "Each column of the file is known", "Each expected column is in the file"

Damage = Callable[[Path], None]


def cell(row: int, column: str, value: str) -> Damage:
    return lambda root: small.set_cell(root / SURVEY, row, column, value)


def line(file: str, row: int, old: str, new: str) -> Damage:
    return lambda root: small.replace_line(root / file, row, old, new)


def content(file: str, make: Callable[[bytes], bytes]) -> Damage:
    def damage(root: Path) -> None:
        path = root / file
        path.write_bytes(make(path.read_bytes()))

    return damage


def four_reasons(root: Path) -> None:
    small.set_cell(root / SURVEY, 3, "dissatisfaction_reason/too_expensive", "1")


def truncated_workbook(root: Path) -> None:
    path = root / RAW / "survey.xlsx"
    pd.read_csv(root / SURVEY, dtype="string").to_excel(path, index=False)
    path.write_bytes(path.read_bytes()[:2000])
    small.replace_line(
        root / DEFINITION / "study.yml",
        _line_of(root / DEFINITION / "study.yml", "path: survey.csv"),
        "survey.csv",
        "survey.xlsx",
    )


def no_french_label(root: Path) -> None:
    path = root / DEFINITION / "questionnaire.csv"
    row = _line_of(path, ",under_30,")
    small.replace_line(path, row, "Moins de 30 ans", "")


def unused_recode(root: Path) -> None:
    with (root / DEFINITION / "recodes.csv").open("a", encoding="utf-8") as handle:
        handle.write("actions,value,sector,Radio,audiovisual\n")


def unknown_key(root: Path) -> None:
    path = root / DEFINITION / "study.yml"
    small.replace_line(path, _line_of(path, "publisher:"), "publisher:", "publishr:")


def _line_of(path: Path, text: str) -> int:
    lines = path.read_text(encoding="utf-8").split("\n")
    return next(number for number, line in enumerate(lines, start=1) if text in line)


def _last_recode() -> int:
    return len((small.DEFINITION / "recodes.csv").read_text(encoding="utf-8").splitlines()) + 1


CASES: dict[str, tuple[Damage, str, int | None, str | None, str]] = {
    "utf-16": (
        content(ACTIONS, lambda data: data.decode("utf-8-sig").encode("utf-16")),
        ACTIONS, 1, None, "The encoding of the text is known",
    ),
    "half utf-8, half cp1252": (
        content(ACTIONS, lambda data: data + "A9;é".encode("cp1252")),
        ACTIONS, 10, None, "The file has one encoding only",
    ),
    "nul bytes": (
        content(SURVEY, lambda data: data.replace(b"R2", b"R\0")),
        SURVEY, 3, None, "The file holds text only",
    ),
    "missing column": (
        line(f"{RAW}/institutions.csv", 1, "ai_modules", "ai_integration_2"),
        f"{RAW}/institutions.csv", 1, "ai_modules", MISSING,
    ),
    "missing column that recodes.csv renames": (
        line(ACTIONS, 1, "Durée (h)", "Durée"), ACTIONS, 1, "Durée (h)", MISSING,
    ),
    "missing answer column": (
        line(SURVEY, 1, "sector/other", "sector/another"), SURVEY, 1, "sector/other", MISSING,
    ),
    "extra column": (
        line(f"{RAW}/programmes.csv", 1, "prerequisite", "prerequisites,prerequisite"),
        f"{RAW}/programmes.csv", 1, "prerequisites", UNKNOWN,
    ),
    "column twice": (
        line(f"{RAW}/programmes.csv", 1, "approach", "prerequisite"),
        f"{RAW}/programmes.csv", 1, "prerequisite", "Each column has its own name",
    ),
    "row with too many cells": (
        line(f"{RAW}/programmes.csv", 3, "P2", "P2,x"),
        f"{RAW}/programmes.csv", 3, None, "A row has no more cells than the header",
    ),
    "unknown answer": (
        cell(3, "age", "30-39"), SURVEY, 3, "age", "An answer is one of those provided for",
    ),
    "unknown value of an extract": (
        line(ACTIONS, 4, "Bretagne", "Brtagne"),
        ACTIONS, 4, "Région", "An answer is one of those provided for",
    ),
    "unknown code in a list": (
        line(f"{RAW}/programmes.csv", 2, "single_tool", "one_tool"),
        f"{RAW}/programmes.csv", 2, "approach",
        "Each answer of a list is one of those provided for",
    ),
    "neither ticked nor not": (
        cell(2, "sector/other", "peut-être"), SURVEY, 2, "sector/other", "A box is ticked or not",
    ),
    "four reasons of three": (
        four_reasons, SURVEY, 3, "dissatisfaction_reason",
        "An answer meets the constraint of its question",
    ),
    "answer behind a closed route": (
        cell(2, "practice", "daily"), SURVEY, 2, "practice",
        "A question that is not asked has no answer",
    ),
    "required question skipped": (
        cell(3, "job", ""), SURVEY, 3, "job", "A required question that is asked has an answer",
    ),
    "duplicated id": (
        cell(4, "Identifiant", "R1"), SURVEY, 4, "Identifiant", "An identifier is used once",
    ),
    "no id": (
        line(ACTIONS, 3, "A2;", ";"), ACTIONS, 3, "Numéro d'action", "A required cell is filled",
    ),
    "date outside the fieldwork": (
        cell(4, "Date de réponse", "2026-01-17"), SURVEY, 4, "Date de réponse",
        "A date falls within the period of the study",
    ),
    "no date": (
        cell(4, "Date de réponse", "hier"), SURVEY, 4, "Date de réponse", "A date can be read",
    ),
    "text in hours": (
        line(ACTIONS, 2, ";7,5;", ";7 h 30;"), ACTIONS, 2, "Durée (h)",
        "A number is written in figures",
    ),
    "unbelievable hours": (
        line(ACTIONS, 2, ";7,5;", ";75000;"), ACTIONS, 2, "Durée (h)", "A number is believable",
    ),
    "empty file": (content(SURVEY, lambda _: b""), SURVEY, None, None, "The file has content"),
    "missing file": (
        lambda root: (root / SURVEY).unlink(), SURVEY, None, None,
        "The file that study.yml names is there",
    ),
    "truncated workbook": (
        truncated_workbook, f"{RAW}/survey.xlsx", None, None, "The file is whole",
    ),
    "workbook named csv": (
        content(SURVEY, lambda data: b"PK\x03\x04" + data), SURVEY, None, None,
        "The file is what its ending says",
    ),
    "unused recode": (
        unused_recode, f"{DEFINITION}/recodes.csv", _last_recode(), "found",
        "Each recode is used",
    ),
    "missing label": (
        no_french_label, f"{DEFINITION}/questionnaire.csv",
        _line_of(small.DEFINITION / "questionnaire.csv", ",under_30,"), "label (fr)",
        "a label in each language",
    ),
    "unknown key": (
        unknown_key, f"{DEFINITION}/study.yml",
        _line_of(small.DEFINITION / "study.yml", "publisher:"), "publishr",
        "keys of study.yml are known",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_damage_is_refused_at_its_place(tmp_path, name):
    damage, file, row, column, rule = CASES[name]
    small.make(tmp_path)
    damage(tmp_path)
    with pytest.raises(InputError) as caught:
        clean(load_study(small.STUDY, tmp_path))
    problems = caught.value.problems
    assert (file, row, column, rule) in [(p.file, p.row, p.column, p.rule) for p in problems]
    assert all(p.found and p.expected and p.action for p in problems)


@pytest.mark.parametrize("name", CASES)
def test_damage_gives_exit_2_and_no_traceback(tmp_path, capsys, name):
    damage, file, _, _, rule = CASES[name]
    small.make(tmp_path)
    damage(tmp_path)
    assert main(["validate", small.STUDY, "--root", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert file in said
    assert rule in said
    assert "Traceback" not in said


def test_undamaged_study_passes(tmp_path, capsys):
    small.make(tmp_path)
    assert main(["validate", small.STUDY, "--root", str(tmp_path)]) == 0
    assert "no problem" in capsys.readouterr().out


def test_all_damages_are_told_at_once(tmp_path):
    """The problems of one file do not hide those of another, nor of another row."""
    names = ["unknown answer", "duplicated id", "text in hours", "extra column", "unused recode"]
    small.make(tmp_path)
    for name in names:
        CASES[name][0](tmp_path)
    with pytest.raises(InputError) as caught:
        clean(load_study(small.STUDY, tmp_path))
    found = [(p.file, p.row, p.column, p.rule) for p in caught.value.problems]
    for name in names:
        assert CASES[name][1:] in found
