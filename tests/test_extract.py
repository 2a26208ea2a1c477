"""Extracts read in an engine: formats, columns that come and go, rows that break a rule."""

import datetime as dt
import io
import json

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from extracts import HEADER, LATER, ROWS, cells, checked, make, text, two_years

from analysis.cli import main
from analysis.intake.clean import examine, extract_engine
from analysis.intake.extract.files import at_scale
from analysis.intake.extract.rules import rules
from analysis.intake.fields import fields
from analysis.release.build import build


def frame(lines):
    made = pd.DataFrame(cells(*lines), columns=HEADER)
    made["start_date"] = pd.to_datetime(made["start_date"]).dt.date
    return made.astype({"hours": float, "cost": float})


def parquet(lines, **columns):
    buffer = io.BytesIO()
    frame(lines).assign(**columns).to_parquet(buffer, index=False)
    return buffer.getvalue()


def workbook(lines):
    book = openpyxl.Workbook()
    for row in [HEADER, *cells(*lines)]:
        book.active.append(row)
    book["Sheet"]["F2"] = 7.5
    book["Sheet"]["E2"] = dt.date(2023, 1, 15)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def decimal_commas(lines):
    rows = cells(*lines)
    for row in rows:
        day = dt.date.fromisoformat(row[4])
        row[4], row[5] = f"{day:%d/%m/%Y}", row[5].replace(".", ",")
        row[6] = row[6].replace(".", ",")
    return text(rows, ";")


FORMS = {
    "commas": {"2023.csv": text(cells(*ROWS)), "2024.csv": text(cells(*LATER))},
    "semicolons": {"2023.csv": decimal_commas(ROWS), "2024.csv": decimal_commas(LATER)},
    "cp1252": {
        "2023.csv": decimal_commas(ROWS).encode("cp1252"),
        "2024.csv": b"\xef\xbb\xbf" + decimal_commas(LATER).replace("\n", "\r\n").encode(),
    },
    "parquet": {"2023.parquet": parquet(ROWS), "2024.parquet": parquet(LATER)},
    "by year": {"year=2023/a.parquet": parquet(ROWS), "year=2024/a.parquet": parquet(LATER)},
    "other types": {
        "2023.parquet": parquet(ROWS),
        "2024.parquet": parquet(
            LATER, hours=["7", "3,5"], start_date=pd.to_datetime(["2024-03-01", "2024-04-01"])
        ),
    },
    "workbooks": {"2023.xlsx": workbook(ROWS), "2024.csv": text(cells(*LATER))},
    "mixed": {"2023.parquet": parquet(ROWS), "2024.txt": text(cells(*LATER), "\t")},
}


@pytest.mark.parametrize("files", FORMS.values(), ids=FORMS)
def test_every_format_gives_the_same_rows(tmp_path, files):
    study = make(tmp_path, files)
    assert at_scale(study)
    _, problems, rows = checked(study)
    assert not problems
    expected = frame([*ROWS, *LATER]).to_dict("records")
    assert rows == expected
    assert not list((tmp_path / "data" / "clean").rglob(".engine*"))


def test_columns_come_and_go_over_the_years(tmp_path):
    old = text(cells(*ROWS), header=["N°", "Intitulé", *HEADER[2:]])
    rows = [[*row[:6], *row[7:], "x"] for row in cells(*LATER)]
    new = text(rows, header=[*(name for name in HEADER if name != "cost"), "Remarque"])
    recodes = (
        "actions,header,,N°,action_id\nactions,header,,Intitulé,training_title\n"
        "actions,drop,,Remarque,not needed\nactions,value,sector,S3,sector_3\n"
    )
    study = make(tmp_path, {"a.csv": old, "b.csv": new.replace("sector_3", "S3")}, recodes)
    column = study.definition.sources.actions.columns["cost"]
    object.__setattr__(column, "required", False)
    _, problems, rows = checked(study)
    assert not problems
    assert [row["cost"] for row in rows] == [100, 200.5, 300, None, None]
    assert rows[3]["sector"] == "sector_3"


def test_a_recode_of_values_that_no_row_holds_is_flagged(tmp_path):
    recodes = "actions,value,sector,S3,sector_3\nactions,value,sector,S9,sector_9\n"
    study = make(
        tmp_path, two_years(y2024_csv=text(cells(*LATER)).replace("sector_3", "S3")), recodes
    )
    _, (problem,), _ = checked(study)
    assert (problem.key, problem.row) == ("recode_unused", 3)
    assert dict(problem.values)["value"] == "S9" and problem.file.endswith("recodes.csv")


def test_several_answers_in_a_cell_are_refused_with_what_to_do(tmp_path):
    study = make(tmp_path, two_years())
    column = study.definition.sources.actions.columns["sector"]
    object.__setattr__(column, "type", "several")
    _, (problem,), _ = checked(study)
    assert (problem.key, problem.column) == ("several_at_scale", "sector")
    assert "boolean" in problem.action


def test_a_pattern_names_the_files(tmp_path):
    study = make(tmp_path, two_years(y2022_csv="broken"))
    source = study.definition.sources.actions
    object.__setattr__(source, "path", "actions/202[34].csv")
    _, problems, rows = checked(study)
    assert (problems, len(rows)) == ([], 5)


def bad(line: str, **changes: str) -> str:
    row = dict(zip(HEADER, line.split(","), strict=True)) | changes
    return ",".join(row.values())


BAD_ROWS = [
    ("hours below nothing", {"hours": "-7"}, "range", "-7"),
    ("more hours than a year", {"hours": "10000"}, "range", "10000"),
    ("hours in words", {"hours": "two days"}, "number", "two days"),
    ("another century", {"start_date": "1924-03-01"}, "period", "1924-03-01"),
    ("a century ahead", {"start_date": "2204-03-01"}, "period", "2204-03-01"),
    ("no such day", {"start_date": "2024-02-31"}, "date", "2024-02-31"),
    ("unknown answer", {"region": "region_99"}, "allowed", "region_99"),
    ("no identifier", {"action_id": ""}, "required", ""),
    ("cost out of all proportion", {"cost": "1e15"}, "range", "1e15"),
]


@pytest.mark.parametrize(("changes", "rule", "found"), [b[1:] for b in BAD_ROWS],
                         ids=[b[0] for b in BAD_ROWS])  # fmt: skip
def test_a_bad_row_is_named_with_its_file(tmp_path, changes, rule, found):
    lines = [LATER[0], bad(LATER[1], **changes)]
    study = make(tmp_path, two_years(y2024_csv=text(cells(*lines))))
    _, problems, _ = checked(study)
    (problem,) = problems
    assert (problem.key, problem.row, problem.column) == (rule, 3, next(iter(changes)))
    assert problem.file.endswith("actions/2024.csv")
    assert dict(problem.values)["value"] == found


def test_the_same_in_parquet(tmp_path):
    lines = [LATER[0], bad(LATER[1], hours="-7", region="region_99")]
    files = {"2023.parquet": parquet(ROWS), "2024.parquet": parquet(lines)}
    _, problems, _ = checked(make(tmp_path, files))
    assert {(p.key, p.row, p.column) for p in problems} == {
        ("range", 3, "hours"),
        ("allowed", 3, "region"),
    }
    assert {p.file.rpartition("/")[2] for p in problems} == {"2024.parquet"}


def test_spaces_around_the_text_of_parquet_are_stripped(tmp_path):
    lines = [
        bad(LATER[0], region=" region_1\t"),
        bad(LATER[1], action_id="A5 ", provider="\nBêta "),
    ]
    files = {"2023.parquet": parquet(ROWS), "2024.parquet": parquet(lines)}
    _, problems, rows = checked(make(tmp_path, files))
    assert not problems
    assert [row["action_id"] for row in rows] == ["A1", "A2", "A3", "A4", "A5"]
    assert (rows[3]["region"], rows[4]["provider"]) == ("region_1", "Bêta")


def test_an_identifier_that_comes_again_in_another_file(tmp_path):
    lines = [bad(LATER[0], action_id="A2"), LATER[1]]
    _, problems, _ = checked(make(tmp_path, two_years(y2024_csv=text(cells(*lines)))))
    (problem,) = problems
    assert (problem.key, problem.row) == ("unique", 2)
    assert problem.file.endswith("2024.csv")
    assert "2023.csv" in dict(problem.values)["first"]


def test_many_bad_rows_are_counted_and_a_thousand_listed(tmp_path):
    rows = [["B" + str(n), *LATER[0].split(",")[1:5], "-1", *LATER[0].split(",")[6:]]
            for n in range(1500)]  # fmt: skip
    clean, problems, _ = checked(make(tmp_path, two_years(y2024_csv=text(rows))))
    assert len(problems) == 1001
    assert problems[-1].key == "more_rows"
    checks = clean.checks.set_index(["rule", "column"])
    assert checks.loc[("range", "hours"), ["tested", "failed"]].tolist() == [1503, 1500]


BAD_FILES = [
    ("a column is missing in one year",
     text([row[:5] + row[6:] for row in cells(*LATER)], header=HEADER[:5] + HEADER[6:]),
     "column_missing", 1),
    ("a column nobody knows", text([[*row, "1"] for row in cells(*LATER)],
                                   header=[*HEADER, "Extra"]), "column_unknown", 1),
    ("a file cut short", text(cells(*LATER))[:-30], "file_short", 3),
    ("more cells than the header", text([[*cells(*LATER)[0], "x"]]), "file_cells", 2),
    ("quotes left open", text(cells(*LATER)).replace("Le son", '"Le son'), "file_quotes", None),
    ("an empty file", "", "file_empty", None),
    ("two encodings", text(cells(*LATER)).encode() + "B1,é".encode("cp1252"), "file_mixed", 4),
    ("a zero byte", text(cells(*LATER)) + "\0", "file_nul", 4),
    ("a workbook by another name", b"PK\x03\x04", "file_kind", None),
    ("one name twice", text(cells(*LATER), header=[*HEADER[:-1], "region"]), "header_twice", 1),
]  # fmt: skip


@pytest.mark.parametrize(("content", "rule", "row"), [b[1:] for b in BAD_FILES],
                         ids=[b[0] for b in BAD_FILES])  # fmt: skip
def test_a_bad_file_is_named(tmp_path, content, rule, row):
    study = make(tmp_path, two_years(y2024_csv=content))
    _, problems, _ = checked(study)
    assert rule in {p.key for p in problems}
    problem = next(p for p in problems if p.key == rule)
    assert problem.file.endswith("actions/2024.csv")
    assert row is None or problem.row == row


def test_parquet_cut_short(tmp_path):
    files = {"2023.parquet": parquet(ROWS), "2024.parquet": parquet(LATER)[:-40]}
    _, (problem,), _ = checked(make(tmp_path, files))
    assert (problem.key, problem.file.rpartition("/")[2]) == ("file_damaged", "2024.parquet")


def test_nothing_is_half_written(tmp_path, capsys):
    lines = [LATER[0], bad(LATER[1], hours="-7")]
    make(tmp_path, two_years(y2024_csv=text(cells(*lines))))
    assert main(["build", "consumption", "--root", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "actions/2024.csv, row 3, column hours" in said
    left = {path.name for path in (tmp_path / "data" / "clean" / "consumption").iterdir()}
    assert left <= {"validation.html", "validation.json", ".lock"}


def test_bad_rows_can_be_set_aside_with_their_reason(tmp_path):
    lines = [bad(LATER[0], action_id="A1"), bad(LATER[1], hours="-7"), bad(LATER[1])]
    files = two_years(y2024_csv=text(cells(*lines)))
    study = make(tmp_path, files, on_bad_row="quarantine")
    _, problems, rows = checked(study)
    assert not problems
    assert [row["action_id"] for row in rows] == ["A1", "A2", "A3", "A5"]
    assert rows[0]["start_date"] == dt.date(2023, 1, 15)
    build(study)
    aside = pd.read_csv(study.paths.clean / "quarantine.csv")
    assert aside["rule"].tolist() == ["range", "unique"]
    assert aside["row"].tolist() == [3, 2]
    page = json.loads((study.paths.clean / "validation.json").read_text(encoding="utf-8"))
    (source,) = page["sources"]
    assert (source["received"], source["kept"]) == (6, 4)
    assert {item["reason"]: item["count"] for item in source["set_aside"]} == {
        "bad_row": 1,
        "repeated": 1,
    }


def test_where_every_row_is_bad_nothing_is_left_to_go_on_with(tmp_path):
    files = {"2024.csv": text(cells(*[bad(line, hours="-7") for line in LATER]))}
    _, problems, rows = checked(make(tmp_path, files, on_bad_row="quarantine"))
    assert not rows
    assert {problem.key for problem in problems} == {"range"}


def test_a_table_of_a_database(tmp_path):
    import duckdb  # noqa: PLC0415

    database = tmp_path / "afdas.duckdb"
    with duckdb.connect(str(database)) as con:
        con.register("made", pa.Table.from_pandas(frame([*ROWS, *LATER])))
        con.execute("create table training as from made")
    study = make(tmp_path, {}, engine=f"duckdb://{database}")
    source = study.definition.sources.actions
    object.__setattr__(source, "table", "training")
    _, problems, rows = checked(study)
    assert (problems, len(rows)) == ([], 5)
    object.__setattr__(source, "table", "trainings")
    _, (problem,), _ = checked(study)
    assert problem.key == "table_missing"
    assert "training" in problem.action


def test_rules_have_their_bits_and_limits(tmp_path):
    study = make(tmp_path, {})
    found = {(rule.key, rule.column): rule.values for rule in rules(fields(study, "actions"))}
    assert found["range", "hours"] == {"minimum": "0", "maximum": "8784"}
    assert found["period", "start_date"]["minimum"] == "1971-07-16"
    assert ("unique", "action_id") not in found  # of the whole extract, not of a row


def test_a_small_file_and_an_engine_agree(tmp_path):
    """The same extract as one small file, which is read into memory, and as a folder."""
    folder = make(tmp_path / "a", {"all.csv": text(cells(*ROWS, *LATER))})
    file = make(tmp_path / "b", {"all.csv": text(cells(*ROWS, *LATER))})
    object.__setattr__(file.definition.sources.actions, "path", "actions/all.csv")
    assert at_scale(folder) and not at_scale(file)
    names = ("estimates.csv", "measures.csv")
    one, other = (build(study) for study in (folder, file))
    for name in names:
        assert (one / name).read_bytes() == (other / name).read_bytes()


def test_parquet_that_needs_no_work_stays_where_it_is(tmp_path):
    path = tmp_path / "x.parquet"
    pq.write_table(pa.Table.from_pandas(frame(ROWS)), path)
    study = make(tmp_path / "s", {"2023.parquet": path.read_bytes()})
    with extract_engine(study) as engine:
        _, problems = examine(study, engine)
        assert not problems
        assert not [name for name in engine.con.list_tables() if name.startswith("typed_")]
        assert not list(engine.folder.glob("rows-*"))
