"""Layouts: the export of each tool gives the same clean tables and estimates as the plain file."""

import csv
import json
import shutil
from functools import cache
from pathlib import Path

import pandas as pd
import pyreadstat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from layouts import make

from analysis.intake.clean import Examined, examine
from analysis.intake.layouts import spss
from analysis.intake.layouts.spss import sets_as_columns
from analysis.intake.layouts.words import days, plain, split
from analysis.intake.readers import read_table
from analysis.intake.validation import write_validation
from analysis.release.build import release
from analysis.study import Study, load_study

SAMPLES = Path(__file__).parent / "layouts"
FILES = {
    "plain": ["plain.csv"],
    "kobo": ["kobo.csv", "kobo_labels.xlsx"],
    "odk": ["odk.csv"],
    "limesurvey": ["limesurvey.csv", "limesurvey_full.csv"],
    "google_forms": ["google_forms.csv"],
    "microsoft_forms": ["microsoft_forms.xlsx"],
    "sphinx": ["sphinx.xlsx"],
    "qualtrics": ["qualtrics.csv", "qualtrics_numbers.csv"],
    "spss": ["spss.sav"],
}
EXPORTS = [(layout, name) for layout, names in FILES.items() for name in names]
# No documentation says how Le Sphinx writes the end of a questionnaire, so the study says it.
RECODES = {
    "sphinx.xlsx": [
        "survey,header,,PROGRESSION,complete",
        "survey,value,complete,Terminé,yes",
    ]
}
# Each tool gives its own identifiers; everything else is the people's.
ID = "response_id"


def study(
    root: Path,
    file: str,
    layout: str = "",
    recodes: list[str] | None = None,
    data: bytes | None = None,
) -> Study:
    """The made-up study below `root`, delivered as one of the samples or as `data`."""
    folder = root / "studies" / "layouts"
    folder.mkdir(parents=True)
    shutil.copy(SAMPLES / "questionnaire.csv", folder)
    said = f"path: {file}" + (f"\n    layout: {layout}" if layout else "")
    text = (SAMPLES / "study.yml").read_text(encoding="utf-8")
    (folder / "study.yml").write_text(text.replace("path: survey.csv", said), encoding="utf-8")
    recodes = RECODES.get(file, []) if recodes is None else recodes
    lines = ["source,kind,column,found,becomes", *recodes]
    (folder / "recodes.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    raw = root / "data" / "raw" / "layouts"
    raw.mkdir(parents=True)
    content = (SAMPLES / file).read_bytes() if data is None else data
    (raw / file).write_bytes(content)
    return load_study("layouts", root)


@pytest.fixture(scope="session")
def results(tmp_path_factory):
    """Clean tables and released results of a sample, worked out once."""

    @cache
    def of(file: str):
        made = study(tmp_path_factory.mktemp("layout"), file)
        clean, problems = examine(made)
        assert problems == []
        return clean, release(made, clean.tables)

    return of


def read(root: Path, *args, **keys) -> tuple[Examined, list]:
    clean, problems = examine(study(root, *args, **keys))
    return clean.sources[0], [(p.key, p.row, p.column) for p in problems]


def rows_of(name: str) -> list[list[str]]:
    mark = ";" if name == "kobo.csv" else ","
    with (SAMPLES / name).open(encoding="utf-8", newline="") as handle:
        return list(csv.reader(handle, delimiter=mark))


def as_csv(rows: list[list[str]]) -> bytes:
    lines = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    return "\n".join(lines).encode()


# --- The samples


@pytest.mark.parametrize(("layout", "file"), EXPORTS)
def test_a_layout_is_recognised(results, layout, file):
    assert results(file)[0].sources[0].layout == layout


@pytest.mark.parametrize(("layout", "file"), EXPORTS[1:])
def test_clean_tables_are_those_of_the_plain_file(results, layout, file):
    ours, theirs = (results(name)[0].tables for name in (file, "plain.csv"))
    assert ours["survey"][ID].is_unique
    for name, table in theirs.items():
        pd.testing.assert_frame_equal(ours[name].drop(columns=ID), table.drop(columns=ID))
    assert len(theirs["survey"]) == 12


@pytest.mark.parametrize(("layout", "file"), EXPORTS[1:])
def test_estimates_are_those_of_the_plain_file_cell_by_cell(results, layout, file):
    ours, theirs = (results(name)[1] for name in (file, "plain.csv"))
    assert len(theirs["estimates"]) > 50
    for name in ("estimates", "precision", "tests", "measures"):
        pd.testing.assert_frame_equal(ours[name], theirs[name], check_exact=True)


def test_the_plain_file_says_what_people_answered(results):
    """The table of people against what is read from their file, answer by answer."""
    table = results("plain.csv")[0].tables["survey"]
    with (SAMPLES / "people.csv").open(encoding="utf-8", newline="") as handle:
        people = list(csv.DictReader(handle))
    for row, person in zip(table.to_dict("records"), people, strict=True):
        for name in ("status", "skill_tool", "skill_law", "satisfaction", "comment"):
            assert (row[name] if pd.notna(row[name]) else "") == person[name]
        boxes = [name for name in table if name.startswith("training_setting/")]
        ticked = {name.partition("/")[2] for name in boxes if row[name]}
        assert ticked == set(person["training_setting"].split())


@pytest.mark.parametrize(("layout", "file"), EXPORTS)
def test_a_layout_that_is_named_is_the_same(tmp_path, results, layout, file):
    clean, problems = examine(study(tmp_path, file, layout))
    assert problems == []
    pd.testing.assert_frame_equal(clean.tables["survey"], results(file)[0].tables["survey"])


# --- Variants of a layout


def variant(name: str, change) -> bytes:
    """A sample with each header changed."""
    header, *body = rows_of(name)
    return as_csv([[change(cell) for cell in header], *body])


VARIANTS = {
    "kobo, groups by points": ("kobo.csv", lambda h: h.replace("/", ".")),
    "kobo, without groups": (
        "kobo.csv",
        lambda h: "/".join(part for part in h.split("/") if part not in ("profile", "training")),
    ),
    "odk, without groups": ("odk.csv", lambda h: h.split("-", 1)[-1]),
    "limesurvey, expression codes": (
        "limesurvey.csv",
        lambda h: h.replace("[", "_").replace("]", ""),
    ),
    "limesurvey, R": ("limesurvey.csv", lambda h: h.replace("[", ".").replace("]", ".")),
    "limesurvey, code and text": ("limesurvey.csv", lambda h: f"{h}. Some text"),
    "google forms, in English": (
        "google_forms.csv",
        lambda h: {"Horodateur": "Timestamp"}.get(h, h),
    ),
    "typography": (
        "google_forms.csv",
        lambda h: h.replace(" ?", "\u00a0?").replace("’", "'").replace("…", "…").upper(),
    ),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_options_of_an_export_change_nothing(tmp_path, results, name):
    file, change = VARIANTS[name]
    clean, problems = examine(study(tmp_path, file, data=variant(file, change)))
    assert problems == []
    pd.testing.assert_frame_equal(clean.tables["survey"], results(file)[0].tables["survey"])


def test_any_csv_may_come_as_a_workbook(tmp_path, results):
    for number, file in enumerate(["google_forms.csv", "limesurvey.csv", "qualtrics.csv"]):
        header, *body = rows_of(file)
        path = tmp_path / "book.xlsx"
        pd.DataFrame(body, columns=header).to_excel(path, index=False)
        name = file.replace(".csv", ".xlsx")
        root = tmp_path / str(number)
        clean, problems = examine(study(root, name, data=path.read_bytes(), recodes=[]))
        assert problems == []
        ours, theirs = clean.tables["survey"], results(file)[0].tables["survey"]
        pd.testing.assert_frame_equal(ours, theirs)


def test_forms_without_their_own_columns_are_told_by_their_wordings(tmp_path):
    """With no day in the file, only the day is missing."""
    data = as_csv([row[1:] for row in rows_of("google_forms.csv")])
    for layout in ("", "google_forms"):
        source, problems = read(tmp_path / f"a{layout}", "google_forms.csv", layout, data=data)
        assert problems == [("column_missing", 1, "started_on")]
        assert source.layout == "google_forms"
    table = read_table(SAMPLES / "microsoft_forms.xlsx", "m", lambda _: True).iloc[:, 5:]
    data = as_csv([list(table), *table.fillna("").to_numpy().tolist()])
    source, problems = read(tmp_path / "b", "m.csv", "microsoft_forms", data=data)
    assert problems == [("column_missing", 1, ID), ("column_missing", 1, "started_on")]
    assert source.layout == "microsoft_forms"


def test_other_of_a_single_answer_of_limesurvey(tmp_path, results):
    """-oth- is the answer `other`, and its text is set aside."""
    rows = rows_of("limesurvey.csv")
    at = rows[0].index("status")
    rows[0].insert(at + 1, "status[other]")
    for row in rows[1:]:
        row.insert(at + 1, "free" if row[at] == "AO02" else "")
        row[at] = "-oth-" if row[at] == "AO02" else row[at]
    made = study(tmp_path, "limesurvey.csv", data=as_csv(rows))
    form = tmp_path / "studies" / "layouts" / "questionnaire.csv"
    text = form.read_text(encoding="utf-8").replace(",status,self_employed,", ",status,other,")
    lines = text.splitlines()
    # The other answer comes last in the list, as in the tool.
    one = next(at for at, line in enumerate(lines) if line.startswith(",status,other,"))
    lines[one], lines[one + 1] = lines[one + 1], lines[one]
    form.write_text("\n".join(lines) + "\n", encoding="utf-8")
    rows = [[c.replace("AO03", "AO02") if i == at else c for i, c in enumerate(r)] for r in rows]
    (made.paths.raw / "limesurvey.csv").write_bytes(as_csv(rows))
    clean, problems = examine(load_study("layouts", tmp_path))
    assert problems == []
    assert "status[other]" in clean.sources[0].columns_aside
    expected = results("limesurvey.csv")[0].tables["survey"]["status"].astype(str)
    ours = clean.tables["survey"]["status"].astype(str).replace("other", "self_employed")
    assert ours.tolist() == expected.tolist()


def test_text_of_other_beside_a_select_of_kobo(tmp_path, results):
    rows = rows_of("kobo.csv")
    for row, cell in zip(rows, ["training/training_setting_other", *["free"] * 12], strict=True):
        row.insert(4, cell)
    clean, problems = examine(study(tmp_path, "kobo.csv", data=as_csv(rows)))
    assert problems == []
    assert "training/training_setting_other" in clean.sources[0].columns_aside
    expected = results("kobo.csv")[0].tables["survey"]
    pd.testing.assert_frame_equal(clean.tables["survey"], expected)


def test_labels_of_kobo_in_one_column(tmp_path, results):
    """Answers parted by a space, with spaces and commas in them, in both languages."""
    rows = rows_of("kobo.csv")
    cells = {
        q.name: at
        for at, h in enumerate(rows[0])
        for q in make.FORM
        if h.rpartition("/")[2] == q.name
    }
    boxes = [
        at
        for at, h in enumerate(rows[0])
        if h.rpartition("/")[0]
        in ("training/training_setting", "training/motivation_pro", "training/motivation_student")
    ]
    for lang in ("fr", "en"):
        header = list(rows[0])
        for q in make.FORM:
            groups = [make.FORM.groups[g].labels[lang] for g in q.groups]
            header[cells[q.name]] = "/".join([*groups, q.labels[lang]])
        made = [header]
        for row, person in zip(rows[1:], make.PEOPLE, strict=True):
            said = list(row)
            for q in make.FORM:
                said[cells[q.name]] = make.said(person, q, lang, " ")
            made.append(said)
        made = [[cell for at, cell in enumerate(row) if at not in boxes] for row in made]
        clean, problems = examine(study(tmp_path / lang, "kobo.csv", data=as_csv(made)))
        assert problems == []
        expected = results("kobo.csv")[0].tables["survey"]
        pd.testing.assert_frame_equal(clean.tables["survey"], expected)


def changed(name: str, old: str, new: str) -> bytes:
    data = (SAMPLES / name).read_bytes()
    assert old.encode() in data
    return data.replace(old.encode(), new.encode())


def test_what_a_tool_adds_is_set_aside_and_told(tmp_path):
    source, problems = read(tmp_path, "kobo.csv")
    assert problems == []
    assert source.columns_aside == (
        "end", "_id", "_submission_time", "_validation_status", "_notes", "_status",
        "_submitted_by", "__version__", "_tags", "_index", "training/training_setting",
        "training/motivation_pro", "training/motivation_student",
    )  # fmt: skip


def test_places_are_told(tmp_path):
    source, _ = read(tmp_path / "a", "limesurvey.csv")
    assert source.by_place == (
        "trainingsetting[SQ001]", "trainingsetting[SQ002]", "trainingsetting[SQ003]",
        "motivationpro[SQ001]", "motivationpro[SQ002]", "motivationpro[SQ003]",
        "motivationstudent[SQ001]", "motivationstudent[SQ002]", "motivationstudent[SQ003]",
        "skills[SQ001]", "skills[SQ002]", "status", "satisfaction",
    )  # fmt: skip
    assert read(tmp_path / "b", "limesurvey_full.csv")[0].by_place == ()


def test_a_place_beyond_the_list_is_no_answer(tmp_path):
    data = changed("limesurvey.csv", '"AO03"', '"AO09"')
    _, problems = read(tmp_path, "limesurvey.csv", data=data)
    assert {(key, column) for key, _, column in problems} >= {("allowed", "status")}


def test_the_choices_sheet_may_give_the_codes_of_a_tool(tmp_path):
    """Numbers that are not places: 11, 12 and 13 for the three situations."""
    rows = rows_of("qualtrics_numbers.csv")
    at = rows[0].index("status")
    for row in rows[3:]:
        row[at] = f"1{row[at]}"
    made = study(tmp_path / "a", "qualtrics_numbers.csv", data=as_csv(rows))
    assert {p.column for p in examine(made)[1]} == {"status"}
    made = study(tmp_path / "b", "qualtrics_numbers.csv", data=as_csv(rows))
    form = tmp_path / "b" / "studies" / "layouts" / "questionnaire.csv"
    text = form.read_text(encoding="utf-8")
    text = text.replace("label::English (en),\n,status", "label::English (en),qualtrics\n,status")
    for number, code in enumerate(("employee", "self_employed", "student"), start=11):
        line = next(x for x in text.splitlines() if x.startswith(f",status,{code},"))
        text = text.replace(line, f"{line}{number}")
    form.write_text(text, encoding="utf-8")
    clean, problems = examine(load_study("layouts", tmp_path / "b"))
    assert problems == []
    counts = clean.tables["survey"]["status"].value_counts().to_dict()
    assert counts == {"employee": 5, "self_employed": 3, "student": 4}


def test_an_unfinished_response_of_limesurvey_is_not_complete(tmp_path):
    rows = rows_of("limesurvey.csv")
    rows[1][rows[0].index("submitdate")] = ""
    clean, problems = examine(study(tmp_path, "limesurvey.csv", data=as_csv(rows)))
    assert problems == []
    assert clean.tables["survey"]["complete"].tolist() == [False] + [True] * 11


# --- recodes.csv goes first


def test_what_differs_is_said_in_recodes(tmp_path, results):
    data = changed("google_forms.csv", "Quelle est votre situation ?", "Votre situation")
    data = data.replace("À mon compte".encode(), "Indépendant".encode())
    data = data.replace("Par curiosité".encode(), "Curiosité, tout simplement".encode())
    recodes = [
        "survey,header,,Votre situation,status",
        "survey,value,status,Indépendant,self_employed",
        'survey,value,motivation_pro,"Curiosité, tout simplement",curiosity',
        'survey,value,motivation_student,"Curiosité, tout simplement",curiosity',
    ]
    clean, problems = examine(study(tmp_path, "google_forms.csv", recodes=recodes, data=data))
    assert problems == []
    expected = results("google_forms.csv")[0].tables["survey"]
    pd.testing.assert_frame_equal(clean.tables["survey"], expected)


def test_a_recode_wins_over_a_wording(tmp_path):
    recodes = ["survey,value,status,En études,employee"]
    clean, _ = examine(study(tmp_path, "google_forms.csv", recodes=recodes))
    # The motivations of students are then those of people who were not asked as students.
    assert set(clean.checks["rule"]) >= {"allowed"}
    source = clean.sources[0]
    assert {p.key for p in source.problems} == {"route_closed"}


# --- What is wrong is told


def only(root: Path, *args, **keys):
    _, problems = examine(study(root, *args, **keys))
    assert len(problems) == 1
    return problems[0]


def test_an_unknown_wording_is_told_with_the_nearest(tmp_path):
    data = changed("google_forms.csv", "À mon compte", "À son compte")
    _, problems = examine(study(tmp_path, "google_forms.csv", data=data))
    assert [(p.key, p.row, p.column) for p in problems] == [
        ("allowed", row, "Quelle est votre situation ?") for row in (6, 7, 8)
    ]
    assert problems[0].found == "À son compte"
    assert "'À mon compte'" in problems[0].action


def test_an_unknown_question_is_told_by_its_header(tmp_path):
    data = changed("google_forms.csv", "Combien de jours ?", "Combien de semaines, en tout ?")
    _, problems = read(tmp_path, "google_forms.csv", data=data)
    assert problems == [
        ("column_unknown", 1, "Combien de semaines, en tout ?"),
        ("column_missing", 1, "training_days"),
    ]


@pytest.mark.parametrize(("layout", "file"), [e for e in EXPORTS if e[0] != "plain"])
def test_a_wrong_layout_is_told_with_the_reason(tmp_path, layout, file):
    named = "odk" if layout == "google_forms" else "google_forms"
    problem = only(tmp_path, file, named)
    assert (problem.key, problem.row) == ("layout_other", 1)
    assert problem.file == f"data/raw/layouts/{file}"
    assert f"layout: {layout}" in problem.action
    sign = {
        "kobo": "_uuid", "odk": "KEY", "limesurvey": "submitdate", "google_forms": "Horodateur",
        "microsoft_forms": "Start time", "sphinx": "CLE", "qualtrics": "ImportId", "spss": ".sav",
    }[layout]  # fmt: skip
    sign = "Date de soumission" if file == "limesurvey_full.csv" else sign
    assert sign in problem.found


def test_a_plain_file_named_otherwise_and_the_reverse(tmp_path):
    problem = only(tmp_path / "a", "plain.csv", "kobo")
    assert problem.key == "layout_unseen"
    assert "_uuid" in problem.expected
    assert only(tmp_path / "b", "kobo.csv", "plain").key == "layout_other"


def test_a_repeated_header_of_no_two_questions_is_still_told(tmp_path):
    data = changed("google_forms.csv", '"Combien de jours ?"', '"Une remarque ?"')
    assert only(tmp_path, "google_forms.csv", data=data).key == "header_twice"


# --- Wordings


LABELS = ["En ligne", "En ligne, à distance", "Au travail, avec l’équipe", "Autre"]


@given(st.lists(st.sampled_from(LABELS), unique=True), st.sampled_from([", ", ";", " ; ", ","]))
def test_answers_of_a_cell_are_found_whatever_commas_they_hold(given_labels, mark):
    known = {plain(label) for label in LABELS}
    found = split(mark.join(given_labels), known, ",;")
    assert found == [plain(label) for label in given_labels]


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("  L’eau  claire\u00a0?", "l'eau claire?"),
        ("e\u0301tude", "étude"),
        ("«\u202fOui\u202f»", "«oui»"),
        ("porte‑voix", "porte-voix"),
    ],
)
def test_typography_makes_no_other_wording(text, same):
    assert plain(text) == same


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["2026/1/5 9:10:00 AM UTC+1"], ["2026-01-05"]),
        (["1/2/2026", "12/31/2026"], ["2026-01-02", "2026-12-31"]),  # one day above 12 tells all
        (["1/2/2026", "31/12/2026"], ["2026-02-01", "2026-12-31"]),
        (["1/2/2026", "3/4/2026 10:00"], ["2026-02-01", "2026-04-03"]),
        (["1/15/26 10:02"], ["2026-01-15"]),
    ],
)
def test_days_as_forms_write_them(texts, expected):
    change = days(texts)
    assert [change[text] for text in texts] == expected


# --- SPSS


def test_sets_of_variables_of_spss():
    """As pyreadstat describes them (it reads such sets and writes none)."""
    frame = pd.DataFrame(
        {
            "a": ["2", "1", None],
            "b": ["1", "1", None],
            "m1": ["1", "2", None],
            "m2": ["2", None, None],
        },
        dtype="string",
    )
    sets = {
        "$boxes": {
            "is_dichotomy": True,
            "counted_value": "2",
            "label": "",
            "variable_list": ["a", "b"],
        },
        "$cells": {
            "is_dichotomy": False,
            "counted_value": None,
            "label": "",
            "variable_list": ["m1", "m2"],
        },
    }
    made = sets_as_columns(frame, sets, {"m1": {"1": "One", "2": "Two"}, "m2": {"2": "Two"}})
    said = made.astype(object).where(made.notna(), None)
    assert said["a"].tolist() == ["1", "0", None]
    assert said["b"].tolist() == ["0", "0", None]
    assert said["$cells"].tolist() == ["One;Two", "Two", None]


def test_a_damaged_spss_file_is_told(tmp_path):
    data = (SAMPLES / "spss.sav").read_bytes()
    assert only(tmp_path / "a", "spss.sav", data=data[:200]).key == "file_damaged"
    assert only(tmp_path / "b", "spss.sav", data=b"a,b\n1,2\n").key == "file_kind"


def test_samples_are_those_of_the_script(tmp_path, monkeypatch):
    """No sample is edited by hand."""
    monkeypatch.setattr(make, "HERE", tmp_path)
    shutil.copy(SAMPLES / "people.csv", tmp_path)
    for sample in make.SAMPLES:
        sample()
    for _, name in EXPORTS:
        if name.endswith(".csv"):
            assert (tmp_path / name).read_bytes() == (SAMPLES / name).read_bytes()
        else:
            ours, theirs = (
                read_table(at / name, name, lambda _: True) for at in (tmp_path, SAMPLES)
            )
            pd.testing.assert_frame_equal(ours, theirs)


def with_sets(root: Path, monkeypatch) -> Study:
    """The SPSS sample with the boxes of a question labelled by their answers alone, in a set.

    pyreadstat reads such sets and cannot write one, so the set is put into what it reads.
    """
    made = study(root, "spss.sav")
    path = made.paths.raw / "spss.sav"
    frame, meta = pyreadstat.read_sav(path, user_missing=True)
    boxes = [f"Q2_{number}" for number in range(1, 5)]
    labels = dict(meta.column_names_to_labels)
    labels |= {name: labels[name].rpartition(" - ")[2] for name in boxes}
    # 2 is the box that is ticked here, and 1 the one that is not.
    frame[boxes] += 1
    values = {k: v for k, v in meta.variable_value_labels.items() if k not in boxes}
    pyreadstat.write_sav(
        frame, path, column_labels=labels, variable_value_labels=values,
        missing_ranges=meta.missing_ranges,
    )  # fmt: skip
    wording = made.question("training_setting").labels["fr"]
    sets = {
        "$Q2": {
            "type": "D", "is_dichotomy": True, "counted_value": 2, "label": wording,
            "variable_list": boxes,
        }
    }  # fmt: skip
    plain_metadata = spss._metadata

    def metadata(at: Path):
        told = plain_metadata(at)
        told.mr_sets = sets
        return told

    monkeypatch.setattr(spss, "_metadata", metadata)
    return made


def test_a_set_gives_its_boxes_their_question(tmp_path, monkeypatch, results):
    clean, problems = examine(with_sets(tmp_path, monkeypatch))
    assert problems == []
    expected = results("spss.sav")[0].tables["survey"]
    pd.testing.assert_frame_equal(clean.tables["survey"], expected)


# --- The report of `validate`


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("fr", ["Disposition LimeSurvey", "laissées de côté", "à vérifier"]),
        ("en", ["Layout LimeSurvey", "set aside", "to be checked"]),
    ],
)
def test_the_report_says_how_a_file_was_read(tmp_path, lang, words):
    made = study(tmp_path, "limesurvey.csv")
    page = write_validation(made, *examine(made), lang)
    text = page.read_text(encoding="utf-8")
    assert all(word in text for word in words)
    source = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))["sources"][0]
    assert source["layout"] == "limesurvey"
    assert source["columns_aside"] == ["lastpage", "startlanguage", "seed", "datestamp"]
    assert source["received"] == 12


def test_rows_of_headers_are_not_received(tmp_path):
    source, _ = read(tmp_path, "qualtrics.csv")
    assert (source.received, source.kept) == (12, 12)
