"""The XLSForm as it is read, and the mistakes it may hold."""

import csv
import shutil
from pathlib import Path

import openpyxl
import pytest

from analysis.errors import InputError
from analysis.questionnaire import read_questionnaire


@pytest.fixture
def form_path(national, tmp_path):
    return Path(shutil.copy(national.paths.definition / "questionnaire.csv", tmp_path))


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def problems(path):
    with pytest.raises(InputError) as caught:
        read_questionnaire(path)
    return caught.value.problems


def test_every_question_of_the_survey_is_there(national):
    form = national.questionnaire
    assert len(form.questions) == 39
    assert {group: len(items) for group, items in form.battery("skills").items()} == {
        "technical": 4,
        "creativity": 3,
        "fundamentals": 2,
        "transversal": 3,
        "hybridation": 2,
        "organisation": 5,
    }
    families = {choice.extra["family"] for choice in form["motivation_pro"].choices}
    assert families == {
        "career",
        "efficiency",
        "personal_development",
        "obligation_advice",
        "other",
    }
    assert form.languages == ("fr", "en")


def test_routing_of_groups_reaches_their_questions(national):
    skill = national.questionnaire["skill_tool_choice"]
    assert skill.relevant == "${training_hours} != 'none'"
    student = national.questionnaire["motivation_student"]
    assert "${status} = 'student'" in student.relevant
    assert "${training_hours} != 'none'" in student.relevant


def test_xlsx_reads_the_same(national, tmp_path):
    source = national.paths.definition / "questionnaire.csv"
    book = openpyxl.Workbook()
    sheet = book.active
    with source.open(encoding="utf-8", newline="") as handle:
        for cells in csv.reader(handle):
            if cells[0]:
                sheet = book.create_sheet(cells[0])
            else:
                sheet.append([cell or None for cell in cells[1:]])
    book.remove(book.worksheets[0])
    path = tmp_path / "questionnaire.xlsx"
    book.save(path)
    other = read_questionnaire(path)
    assert list(other.questions) == list(national.questionnaire.questions)
    assert other["sector"].labels == national.questionnaire["sector"].labels


def test_missing_label_names_the_row(form_path):
    path = edit(form_path, "Publicité,Advertising", "Publicité,")
    (problem,) = problems(path)
    assert problem.rule == "a label in each language" and "en" in problem.found
    line = path.read_text(encoding="utf-8").splitlines()[problem.row - 1]
    assert "advertising" in line


def test_unknown_question_in_routing(form_path):
    found = problems(edit(form_path, "${practice} = 'none'", "${practise} = 'none'"))
    assert [problem.found for problem in found] == ["${practise}"]
    assert "practice" in found[0].action


def test_unsupported_function_in_routing(form_path):
    (problem,) = problems(edit(form_path, "${practice} = 'none'", "number(${practice}) = 1"))
    assert "number" in problem.found and problem.column == "relevant"


def test_invalid_form_is_told_by_pyxform(form_path):
    (problem,) = problems(edit(form_path, ",sector,advertising,", ",sector,adver tising,"))
    assert problem.rule == "the questionnaire is a valid XLSForm"


def test_not_a_form(tmp_path):
    path = tmp_path / "questionnaire.csv"
    path.write_text("a,b\n1,2\n")
    (problem,) = problems(path)
    assert "sheet" in problem.rule
