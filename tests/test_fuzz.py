"""Mutated and made-up files: each builds, or is refused with a place (see fuzz.py)."""

from __future__ import annotations

from pathlib import Path

import fuzz
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import expression
from analysis.errors import InputError
from analysis.intake.readers import KINDS, read_table
from analysis.questionnaire import read_questionnaire
from analysis.safe_yaml import read_study

CASES = 450
OF_EXTRACTS = 60
# Cases that once ended in another way.
ONCE_FAILED = (18, 79, 120, 171, 390, 1185, 2015, 2281, 2693, 1_000_011, 1_000_025, 1_000_215,
               1_012_880, 1_017_640)  # fmt: skip
SIGNS = st.sampled_from([*"ab01.,;:\"'\n\r\t{}[]()&*!|>-?#%@`~=<>$/\\ é😀\u202e\0"])
CONTENT = st.one_of(st.binary(max_size=400), st.text(SIGNS, max_size=200).map(str.encode))
WORDS = st.sampled_from(["${a}", ".", "'x'", "1", "=", "<", "(", ")", "and", "or", "not(", ",",
                         "selected(", "count-selected(", "true()", " ", "$", "€"])  # fmt: skip


def test_mutated_files_build_or_are_refused_at_a_place(tmp_path: Path) -> None:
    assert fuzz.run(range(CASES), tmp_path / "root", builds=50) == {}


def test_mutated_extracts_build_or_are_refused_at_a_place(tmp_path: Path) -> None:
    numbers = range(fuzz.EXTRACTS, fuzz.EXTRACTS + OF_EXTRACTS)
    assert fuzz.run(numbers, tmp_path / "root", builds=50) == {}


def test_cases_are_of_all_kinds() -> None:
    """Each layout is delivered and changed, and so is each file that defines a study."""
    some = [fuzz.case(number) for number in range(300)]
    some += [fuzz.case(fuzz.EXTRACTS + number) for number in range(100)]
    changed = {found.target for found in some}
    assert {*fuzz.RAW, *fuzz.DEFINITION} <= changed
    assert {name.rpartition(".")[2] for name in changed if name.startswith("actions/")} >= {
        "csv", "xlsx", "parquet"
    }  # fmt: skip


@pytest.mark.parametrize("number", ONCE_FAILED)
def test_what_once_failed_does_not(tmp_path: Path, number: int) -> None:
    found = fuzz.case(number)
    assert [fuzz.fault(found, tmp_path / "root", c) for c in ("validate", "build")] == ["", ""]


def test_a_fault_would_be_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> int:
        raise KeyError("x")

    monkeypatch.setattr(fuzz, "main", fail)
    assert "KeyError" in fuzz.fault(fuzz.case(1), tmp_path / "root")
    monkeypatch.setattr(fuzz, "main", lambda _: 2)
    assert "no place" in fuzz.fault(fuzz.case(1), tmp_path / "root")
    monkeypatch.setattr(fuzz, "main", lambda _: 1)
    assert "exit 1" in fuzz.fault(fuzz.case(1), tmp_path / "root")


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(st.sampled_from(sorted(KINDS)), CONTENT)
def test_any_bytes_are_a_table_or_refused(tmp_path_factory, ending: str, data: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / f"file{ending}"
    path.write_bytes(data)
    try:
        assert isinstance(read_table(path, path.name), pd.DataFrame)
    except InputError as error:
        assert all(problem.file == path.name for problem in error.problems)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.text(SIGNS, max_size=300))
def test_any_text_is_yaml_or_refused(text: str) -> None:
    try:
        read_study(text)
    except yaml.YAMLError as error:
        assert str(error)


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(st.lists(st.lists(st.text(SIGNS, max_size=8), max_size=6), max_size=12))
def test_any_cells_are_a_questionnaire_or_refused(tmp_path_factory, cells: list[list[str]]) -> None:
    path = tmp_path_factory.mktemp("any") / "questionnaire.csv"
    lines = [
        "survey",
        ",type,name,label::Français (fr)",
        *([",".join(["", *row]) for row in cells]),
    ]
    path.write_bytes("\n".join([*lines, "choices", ",list_name,name", ",a,b"]).encode())
    try:
        read_questionnaire(path)
    except InputError as error:
        assert all(problem.file == path.name for problem in error.problems)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.lists(WORDS, max_size=30))
def test_any_condition_is_read_or_refused(parts: list[str]) -> None:
    try:
        expression.parse(" ".join(parts)).questions()
    except expression.ExpressionError as error:
        assert str(error)
