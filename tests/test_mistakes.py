"""Mistakes that people make in the files of a study: each told with file, row, and what to do.

One row a mistake: what is changed, where that is told, and the words that a person needs.
"""

import csv
import io
import shutil

import openpyxl
import pytest

from analysis.cli import main
from analysis.errors import InputError
from analysis.paths import PROJECT
from analysis.study import load_study

STUDY = "cnc_afdas_2026"
Y, Q, R = "study.yml", "questionnaire.csv", "recodes.csv"


@pytest.fixture(scope="session")
def pristine(tmp_path_factory):
    root = tmp_path_factory.mktemp("mistakes")
    shutil.copytree(PROJECT / "studies" / STUDY, root / "studies" / STUDY)
    return root


@pytest.fixture
def folder(pristine, tmp_path):
    shutil.copytree(pristine / "studies", tmp_path / "studies")
    return tmp_path / "studies" / STUDY


def told(folder):
    with pytest.raises(InputError) as caught:
        load_study(STUDY, folder.parents[1])
    return caught.value.problems


def change(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert text.count(old) >= 1, old
    before = text[: text.index(old)].count("\n")
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return before


# (file, old, new, rows below the first one changed, words of the block)
CHANGED = {
    # YAML itself
    "a tab": (Y, "  fr: Se former", "\tfr: Se former", 0, ["a tab before", "indent with spaces"]),
    "a key twice": (Y, "seed: 2026\n", "seed: 2026\nseed: 2027\n", 1,
                    ["the key 'seed' stands twice", "remove one of the two"]),
    "an open bracket": (Y, "ordered: [age,", "ordered: [[age,", None, ["a bracket", "close"]),
    "an open quote": (Y, 'en: "film, audiovisual, animation, video games"', 'en: "film', None,
                      ["study.yml is YAML"]),
    "a colon in a text": (Y, "publisher: CNC, Afdas", "publisher: CNC: Afdas", 0,
                          ["put the text in quotes"]),
    "an object": (Y, "seed: 2026", "seed: !!python/name:os.system", 0, ["write plain values"]),
    # Keys and values
    "an unknown key": (Y, "publisher:", "publishers:", 0, ["write 'publisher'", "keys of study"]),
    "an unknown role": (Y, "  satisfied: sat", "  satisfyed: sat", 0, ["satisfied", "one of"]),
    "a missing key": (Y, "publisher: CNC, Afdas\n", "", None, ["add the key publisher", "KEYS.md"]),
    "a text for a number": (Y, "seed: 2026", "seed: many", 0, ["'many'", "a whole number"]),
    "more answers than questions": (Y, "min_answered: 6", "min_answered: 600", 0,
                                    ["found:    600", "39 at most, the questions of the form"]),
    "two answers with one label": (Q, ",status,permanent,Salariat permanent,",
                                   ",status,permanent,Personne en  études,", 0,
                                   ["a label of its own", "another fr label than row 70"]),
    "a decimal for a whole number": (Y, "min_answered: 6", "min_answered: 6.5", 0,
                                     ["6.5", "a whole number"]),
    "yes for true": (Y, "synthetic: true", "synthetic: maybe", 0, ["'maybe'", "true or false"]),
    "a decimal comma": (Y, "suppressed_base: 0", "fragile_width: 0,40\n  suppressed_base: 0", 0,
                        ["'0,40'", "with a point for decimals"]),
    "a decimal comma in brackets": (Y, "{min_answered: 6}", "{min_answered: 6,5}", 0,
                                    ["decimals are written with a point"]),
    "a percentage": (Y, "suppressed_base: 0", "fragile_width: 40%\n  suppressed_base: 0", 0,
                     ["'40%'", "with a point for decimals"]),
    "an apostrophe in quotes": (Y, "brand: {fr: Former à l’IA,", "brand: {fr: 'L'IA',", None,
                                ["in double quotes"]),
    "a list for a role": (Y, "  practice: practice", "  practice: [practice]", 0,
                          ["a list: ['practice']", "a text"]),
    "a language in capitals": (Y, "languages: [fr, en]", "languages: [FR, EN]", 0,
                               ["a code of two or three letters"]),
    "an answer on both sides": (Y, " agree: [rather_agree,",
                                " agree: [rather_disagree, rather_agree,", None,
                                ["remove rather_disagree from one of them"]),
    "a text for a list": (Y, "languages: [fr, en]", "languages: fr", 0,
                          ["'fr'", "a list, as [one, two]"]),
    "a list for keys": (Y, "retention: {min_answered: 6}", "retention: [6]", 0,
                        ["a list: [6]", "keys and values"]),
    "a number for a text": (Y, "publisher: CNC, Afdas", "publisher: 12", 0, ["12", "a text"]),
    "nothing for a text": (Y, "publisher: CNC, Afdas", "publisher:", 0, ["nothing", "a text"]),
    "a day of no calendar": (Y, "end: 2026-01-16", "end: 2026-02-30", 0,
                             ["2026-02-30", "a day that the calendar has"]),
    "a day written otherwise": (Y, "end: 2026-01-16", "end: 16/01/2026", 0,
                                ["16/01/2026", "as 2026-01-31"]),
    "an end before the start": (Y, "end: 2026-01-16", "end: 2025-01-16", 0,
                                ["a period ends after it starts", "2025-12-11 or later"]),
    "an unknown type": (Y, "        type: boolean", "        type: bool", 0,
                        ["'bool'", "boolean", "one of id"]),
    "an unknown layout": (Y, "path: survey.csv", "path: survey.csv\n    layout: limesurvay", 1,
                          ["limesurvay", "write 'limesurvey'"]),
    "a negative base": (Y, "suppressed_base: 0", "suppressed_base: -1", 0,
                        ["-1", "a number of 0 or more"]),
    "limits the wrong way": (Y, "        minimum: 0.5\n", "        minimum: 5000\n", 1,
                             ["the smallest number comes first", "5000 or more"]),
    "days the wrong way": (Y, "        before: 2024-12-31", "        before: 2023-12-31", 0,
                           ["the first day comes first", "2024-01-01 or later"]),
    "bands out of order": (Y, "below: 8}", "below: 80}", 1, ["each band ends after"]),
    # Texts
    "a text in one language": (Y, "brand: {fr: Former à l’IA, en: Training in AI}",
                               "brand: {fr: Former à l’IA}", 0, ["no en text", "add en"]),
    # Names that must exist
    "a role of no question": (Y, "  practice: practice", "  practice: practise", 0,
                              ["practise", "write 'practice'"]),
    "a role of another kind": (Y, "  satisfaction: satisfaction", "  satisfaction: sector", 0,
                               ["several answers (select_multiple, questionnaire row 6)",
                                "one answer"]),
    "a comment that is a list": (Y, "  comment: comment\n", "  comment: status\n", 0,
                                 ["the role comment", "free text"]),
    "an unknown answer in a set": (Y, "answers: [rather_satisfied, satisfied]",
                                   "answers: [rather_satisfied, satisfyed]", -1,
                                   ["satisfyed", "write 'satisfied'", "an answer of satisfaction"]),
    "an unknown answer in a battery": (Y, " agree: [rather_agree,", " agree: [rather_agre,", 0,
                                       ["rather_agre", "write 'rather_agree'"]),
    "an unknown set": (Y, "satisfied: satisfied_total", "satisfied: satisfied_totl", 0,
                       ["write 'satisfied_total'", "answer_sets.satisfaction"]),
    "an unknown answer of no training": (Y, "no_training: none", "no_training: nothing", 0,
                                         ["an answer of training_hours"]),
    "a population of no question": (Y, "where: \"${practice} = 'none'\"",
                                    "where: \"${practise} = 'none'\"", 0,
                                    ["${practise}", "write 'practice'"]),
    "a population of no answer": (Y, "where: \"${practice} = 'none'\"",
                                  "where: \"${practice} = 'nonee'\"", 0,
                                  ["'nonee' of ${practice}", "write 'none'"]),
    "an unsupported function": (Y, "where: \"${practice} = 'none'\"",
                                "where: \"lower(${practice}) = 'none'\"", 0,
                                ["'lower' is not supported", "selected()"]),
    "half a condition": (Y, "where: \"${practice} = 'none'\"", "where: \"${practice}\"", 0,
                         ["a comparison is expected"]),
    "a population of no source": (Y, "    source: programmes", "    source: programs", 0,
                                  ["programs", "write 'programmes'"]),
    "a base of no question": (Y, "  practice_benefit: pra", "  practise_benefit: pra", 0,
                              ["practise_benefit", "write 'practice_benefit'"]),
    "a base of no population": (Y, "_benefit: practising", "_benefit: practicing", 0,
                                ["practicing", "write 'practising'"]),
    "a margin of no answer": (Y, "thresholds:\n",
                              "design: {raking: {margins: {age: {under_3O: 1}}}}\nthresholds:\n", 0,
                              ["under_3O", "write 'under_30'"]),
    "a path out of the folder": (Y, "path: survey.csv", "path: ../survey.csv", 0,
                                 ["a relative path without .."]),
    "the name of another study": (Y, "study: cnc_afdas_2026", "study: bretagne", 0,
                                  ["write the folder's name"]),
    # The questionnaire
    "an unknown question type": (Q, ",select_one status,status", ",select_on status,status", 0,
                                 ["select_on", "write 'select_one'"]),
    "no such list": (Q, ",select_one practice,practice", ",select_one practise,practice", 0,
                     ["practise", "the sheet choices", "write 'practice'"]),
    "a question name twice": (Q, ",select_one age,age,", ",select_one age,status,", 0,
                              ["another name", "row 4"]),
    "a question without a name": (Q, ",select_one age,age,", ",select_one age,,", 0, ["no name"]),
    "a name with spaces": (Q, ",select_one age,age,", ",select_one age,my age,", 0,
                           ["my age", "without spaces"]),
    "an answer twice": (Q, ",age,30_39,", ",age,under_30,", 0, ["age: under_30", "row"]),
    "a label missing": (Q, "Publicité,Advertising", "Publicité,", 0,
                        ["no en label for 'advertising'"]),
    "a group that does not close": (Q, "\n,end_group,,,,,,,,,,\n,begin_group,learning",
                                    "\n,begin_group,learning", None, ["without end_group"]),
    "a group closed twice": (Q, "\n,end_group,,,,,,,,,,\n,begin_group,learning",
                             "\n,end_group,,,,,,,,,,\n,end_group,,,,,,,,,,\n,begin_group,learning",
                             None, ["end_group without begin_group"]),
    "routing of no question": (Q, "${practice} = 'none'", "${practise} = 'none'", 0,
                               ["${practise}", "write 'practice'", "column relevant"]),
    "routing of no answer": (Q, "${practice} = 'none'", "${practice} = 'nonne'", 0,
                             ["'nonne' of ${practice}", "write 'none'"]),
    "routing by an unsupported function": (Q, "${practice} = 'none'", "int(${practice}) = 1", 0,
                                           ["'int' is not supported"]),
    "a constraint that does not close": (Q, "count-selected(.) <= 3", "count-selected(. <= 3", 0,
                                         ["column constraint"]),
    "no sheet of choices": (Q, "\nchoices\n", "\nchoix\n", None,
                            ["a sheet named choices", "'choix'"]),
    "no column of names": (Q, ",type,name,", ",type,nom,", None, ["a column name"]),
    "labels in no language": (Q, "label::Français (fr),label::English (en)", "label,label_en", None,
                              ["labels say their language", "label::Français (fr)"]),
    "quotes of a text processor": (Q, "${practice} = 'none'", "${practice} = ‘none’", 0,
                                   ["write straight quotes"]),
    "two signs for one": (Q, "${practice} = 'none'", "${practice} == 'none'", 0,
                          ["write = once"]),
    "a question without its dollar": (Q, "${practice} = 'none'", "{practice} = 'none'", 0,
                                      ["write a question as ${name}"]),
    "a type in capitals": (Q, ",select_one age,age,", ",Select_One age,age,", 0,
                           ["write 'select_one'"]),
    "a comma too many in a label": (Q, "Pourquoi vous êtes-vous formés à l’IA ?,Why",
                                    "Pourquoi vous êtes-vous formés, à l’IA ?,Why", 0,
                                    ["12: select_multiple motivation_pro", "11 cells at most",
                                     "in quotes"]),
    "the title of a column of sheets": (Q, "survey\n", "sheet\nsurvey\n", 0,
                                        ["survey or choices on a line of its own"]),
    # Recodes
    "another header": (R, "source,kind,", "source;kind,", 0, ["write this header"]),
    "an unknown kind": (R, "survey,drop,", "survey,remove,", 0, ["remove", "header, value, drop"]),
    "a comma too many": (R, "survey,drop,,Dernière page,", "survey,drop,,Dernière, page,", 0,
                         ["6 cells", "in quotes"]),
    "an empty recode": (R, "survey,header,,Identifiant,", "survey,header,,,", 0, ["an empty cell"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGED)
def test_a_mistake_is_told_with_file_and_row(name, folder):
    file, old, new, below, words = CHANGED[name]
    before = change(folder / file, old, new)
    problems = told(folder)
    said = "\n\n".join(problem.block() for problem in problems)
    for word in words:
        assert word in said, said
    assert all(problem.file.endswith(file) for problem in problems)
    assert all(problem.expected and problem.action for problem in problems)
    assert "pydantic" not in said and "Input should" not in said and "\n  found:    \n" not in said
    if below is not None:
        rows = [problem.row for problem in problems]
        offset = below if below >= 0 else new_row(folder / file, new) - before - 1
        assert before + 1 + offset in rows, said


def new_row(path, new):
    """The key that holds a text stands on the row of the text, or on one above."""
    text = path.read_text(encoding="utf-8")
    row = text[: text.index(new)].count("\n") + 1
    return row - 2 if text.splitlines()[row - 2].lstrip().startswith("label:") else row


def utf16(text):
    return text.encode("utf-16")


def workbook(path):
    book = openpyxl.Workbook()
    book.active.append(["type", "name"])
    book.save(path)
    return path.read_bytes()


# What each file may be instead, and the words of the block.
REPLACED = {
    "empty": (lambda _: b"", ["an empty file"]),
    "blank": (lambda _: b"\n \n", ["an empty file"]),
    "UTF-16": (utf16, ["UTF-16", "save it again"]),
    "cp1252": (lambda text: text.encode("cp1252", errors="ignore"), ["not UTF-8", "Windows-1252"]),
    "a PDF": (lambda _: b"%PDF-1.7 ...", ["a PDF"]),
    "a web page": (lambda _: b"<!DOCTYPE html><p>", ["a web page"]),
    "a zip": (lambda _: b"PK\x03\x04....", ["zip"]),
}


@pytest.mark.parametrize("file", [Y, Q, R])
@pytest.mark.parametrize("kind", REPLACED)
def test_a_file_that_is_not_what_its_ending_says(file, kind, folder):
    make, words = REPLACED[kind]
    path = folder / file
    path.write_bytes(make(path.read_text(encoding="utf-8")))
    (problem,) = told(folder)
    assert problem.file.endswith(file)
    for word in words:
        assert word in problem.block(), problem.block()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"survey\n,type,name\n", "text (CSV, maybe)"),
        (b"", "an empty file"),
        (b"<!DOCTYPE html>", "a web page"),
        (b"PK\x03\x04 no workbook", "not a zip file"),
    ],
)
def test_a_workbook_that_is_none(content, words, folder):
    (folder / Q).unlink()
    (folder / "questionnaire.xlsx").write_bytes(content)
    (problem,) = told(folder)
    assert problem.file.endswith("questionnaire.xlsx") and words in problem.found


def test_a_workbook_without_its_sheets(folder):
    (folder / Q).unlink()
    workbook(folder / "questionnaire.xlsx")
    (problem,) = told(folder)
    assert "a sheet named survey" in problem.expected and "'Sheet'" in problem.found


# Ways of saving that other programs have, and that change nothing.
SAVED = {
    "a byte order mark": lambda text: text.encode("utf-8-sig"),
    "Windows line ends": lambda text: text.replace("\n", "\r\n").encode(),
    "semicolons": lambda text: parted_by_semicolons(text).encode("utf-8-sig"),
}


def parted_by_semicolons(text):
    """As Excel saves a CSV file in French: every row as wide as the widest."""
    rows = list(csv.reader(text.splitlines()))
    width = max(map(len, rows))
    handle = io.StringIO()
    writer = csv.writer(handle, delimiter=";")
    writer.writerows([*row, *[""] * (width - len(row))] for row in rows)
    return handle.getvalue()


@pytest.mark.parametrize("how", SAVED)
def test_tables_saved_otherwise_are_the_same(how, folder):
    before = load_study(STUDY, folder.parents[1])
    for name in (Q, R):
        path = folder / name
        path.write_bytes(SAVED[how](path.read_text(encoding="utf-8")))
    after = load_study(STUDY, folder.parents[1])
    assert after.questionnaire.questions == before.questionnaire.questions
    assert [vars(recode) for recode in after.recodes] == [vars(r) for r in before.recodes]


def test_a_questionnaire_that_is_not_there(folder):
    (folder / Q).unlink()
    (problem,) = told(folder)
    assert problem.file == f"studies/{STUDY}/{Q}"
    assert "an XLSForm" in problem.expected


def test_two_questionnaires(folder):
    workbook(folder / "questionnaire.xlsx")
    (problem,) = told(folder)
    assert problem.rule == "a study has one questionnaire" and "move the one" in problem.action


def test_a_definition_under_another_ending(folder):
    (folder / Y).rename(folder / "study.yaml")
    (problem,) = told(folder)
    assert problem.action == "rename study.yaml to study.yml"


def test_mistakes_of_several_files_are_told_at_once(folder, capsys):
    change(folder / Y, "seed: 2026", "sede: 2026")
    change(folder / Y, "synthetic: true", "synthetic: maybe")
    change(folder / Q, "${practice} = 'none'", "${practise} = 'none'")
    change(folder / R, "survey,drop,", "survey,remove,")
    assert main(["build", STUDY, "--root", str(folder.parents[1])]) == 2
    said = capsys.readouterr().err
    for word in ("sede", "maybe", "${practise}", "remove", "4 problems to mend"):
        assert word in said
    assert "Traceback" not in said


def test_an_answer_list_changed_since_the_data(folder, capsys):
    root = folder.parents[1]
    shutil.copytree(PROJECT / "data/raw" / STUDY, root / "data/raw" / STUDY)
    with (folder / Q).open(encoding="utf-8", newline="") as handle:
        rows = list(csv.reader(handle))
    for row in rows:
        if row[1:3] == ["practice", "daily"]:
            row[2] = "every_day"
        row[:] = [
            cell.replace("${practice} = 'daily'", "${practice} = 'every_day'") for cell in row
        ]
    with (folder / Q).open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows(rows)
    text = (folder / Y).read_text(encoding="utf-8")
    (folder / Y).write_text(
        text.replace("category: daily}", "category: every_day}").replace(
            "${practice} = 'daily'", "${practice} = 'every_day'"), encoding="utf-8")  # fmt: skip
    assert main(["validate", STUDY, "--root", str(root)]) == 2
    said = capsys.readouterr().err
    assert "survey.csv, row" in said and "column practice" in said and "daily" in said
    assert "every_day" in said
