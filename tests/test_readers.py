"""Readers: every format gives the same text, and every damaged file is named."""

import csv
import datetime as dt
import io
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.errors import InputError
from analysis.intake import readers
from analysis.intake.plain_csv import read_plain
from analysis.intake.readers import column_letter, read_table

EXPECTED = [["é1", "7,5"], ["b; c", None]]


def problems(path: Path) -> list:
    with pytest.raises(InputError) as caught:
        read_table(path, f"shown/{path.name}")
    assert all(problem.file == f"shown/{path.name}" for problem in caught.value.problems)
    return caught.value.problems


def only(path: Path, key: str):
    found = problems(path)
    assert [problem.key for problem in found] == [key]
    return found[0]


def put(folder: Path, data: bytes, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_csv_in_every_dress(tmp_path, encoding, delimiter, end):
    text = end.join(delimiter.join(r) for r in (["né", "h"], ["é1", '"7,5"'], ['"b; c"', ""]))
    frame = read_table(put(tmp_path, text.encode(encoding)), "t.csv")
    assert list(frame) == ["né", "h"]
    assert list(frame.index) == [2, 3]
    assert frame.astype(object).where(frame.notna(), None).values.tolist() == EXPECTED
    assert {str(kind) for kind in frame.dtypes} == {"string"}


def test_words_that_look_like_missing_stay_words(tmp_path):
    frame = read_table(put(tmp_path, b"a,b\nnone,NA\nnull,nan\n"), "t.csv")
    assert frame["a"].tolist() == ["none", "null"]
    assert frame["b"].tolist() == ["NA", "nan"]


def test_rows_are_counted_as_a_spreadsheet_does(tmp_path):
    frame = read_table(put(tmp_path, b'a,b\n"two\nlines",1\n\nx,2\n,\n'), "t.csv")
    assert list(frame.index) == [2, 3, 4]
    assert frame.loc[2, "a"] == "two\nlines"
    assert frame.loc[3].isna().all()


def test_short_rows_and_empty_last_columns(tmp_path):
    frame = read_table(put(tmp_path, b"a,b,\n1,2,\n3\n"), "t.csv")
    assert list(frame) == ["a", "b"]
    assert pd.isna(frame.loc[3, "b"])


def test_xlsx_gives_the_text_of_its_cells(tmp_path):
    book = openpyxl.Workbook()
    book.create_sheet("empty")
    sheet = book.active
    sheet.append(["id", "on", "n", "share", "yes", "at"])
    sheet.append(["R1", dt.date(2026, 1, 2), 7.0, 7.5, True, dt.datetime(2026, 1, 2, 9, 30)])
    path = tmp_path / "t.xlsx"
    book.save(path)
    row = read_table(path, "t.xlsx").loc[2].tolist()
    assert row == ["R1", "2026-01-02", "7", "7.5", "true", "2026-01-02 09:30:00"]


def test_parquet_gives_the_text_of_its_cells(tmp_path):
    frame = pd.DataFrame(
        {
            "id": ["R1", None],
            "n": [7.0, float("nan")],
            "on": pd.to_datetime(["2026-01-02", None]),
            "codes": [["a", "b"], []],
            "band": pd.Categorical(["x", None]),
        }
    )
    path = tmp_path / "t.parquet"
    frame.to_parquet(path)
    read = read_table(path, "t.parquet")
    assert read.loc[2].tolist() == ["R1", "7", "2026-01-02", "a;b", "x"]
    assert list(read.index) == [2]  # the last row is empty, so it is no row


def test_missing_file_names_the_nearest(tmp_path):
    put(tmp_path, b"a\n1\n", "survey.csv")
    assert "'survey.csv'" in only(tmp_path / "survay.csv", "file_missing").action


@pytest.mark.parametrize("data", [b"", b"\n \n", b"\xef\xbb\xbf", b",,\n,,\n"])
def test_empty_file(tmp_path, data):
    assert only(put(tmp_path, data), "file_empty").found == "an empty file"


def test_header_alone(tmp_path):
    assert only(put(tmp_path, b"a,b\n"), "file_rows").row == 1


def test_unknown_ending(tmp_path):
    assert only(put(tmp_path, b"x", "t.ods"), "file_format").found == "t.ods"


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("t.csv", b"PK\x03\x04rest", "XLSX"),
        ("t.csv", b"PAR1rest", "Parquet"),
        ("t.csv", b"  <html><body>", "HTML"),
        ("t.xlsx", b"a,b\n1,2\n", "text"),
        ("t.xlsx", b"\xd0\xcf\x11\xe0rest", "XLS"),
        ("t.parquet", b"PK\x03\x04rest", "XLSX"),
    ],
)
def test_file_that_is_not_what_its_ending_says(tmp_path, name, data, kind):
    assert kind in only(put(tmp_path, data, name), "file_kind").found


@pytest.mark.parametrize("ending", ["xlsx", "parquet"])
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.95])
def test_truncated(tmp_path, ending, kept):
    frame = pd.DataFrame({"a": range(300)})
    whole = tmp_path / f"whole.{ending}"
    frame.to_excel(whole, index=False) if ending == "xlsx" else frame.to_parquet(whole)
    data = whole.read_bytes()
    only(put(tmp_path, data[: int(len(data) * kept)], f"cut.{ending}"), "file_damaged")


def test_two_sheets_with_content(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["a"])
    book.create_sheet("Notice").append(["read me"])
    book.save(tmp_path / "t.xlsx")
    assert "Notice" in only(tmp_path / "t.xlsx", "file_sheets").found


def test_nul_bytes_are_placed(tmp_path):
    found = only(put(tmp_path, b'a,b\n"x\ny",1\n1,\x002\n'), "file_nul")
    assert found.row == 3  # the quoted cell takes two lines of the file but one row
    assert "byte 15" in found.found


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
def test_utf16(tmp_path, encoding):
    found = problems(put(tmp_path, "a,b\n1,2\n".encode(encoding)))[0]
    assert found.key in ("file_encoding", "file_nul")
    assert found.row == 1


def test_half_utf8_half_cp1252(tmp_path):
    data = "a,b\né,1\n".encode() + "è,2\n".encode("cp1252")
    found = only(put(tmp_path, data), "file_mixed")
    assert found.row == 3
    assert "0xE8" in found.found


def test_bytes_of_no_known_encoding(tmp_path):
    found = only(put(tmp_path, b"a,b\n1,2\n\x81,2\n"), "file_encoding")
    assert found.row == 3
    assert "0x81 (byte 9)" in found.found


def test_row_with_more_cells_than_the_header(tmp_path):
    found = problems(put(tmp_path, b"a,b\n1,2\n7,5,2\n8,5,3\n1,2,,\n"))
    assert [(p.key, p.row, p.found) for p in found] == [
        ("file_cells", 3, "3 cells"),
        ("file_cells", 4, "3 cells"),
    ]


def test_header_twice_and_header_without_a_name(tmp_path):
    found = problems(put(tmp_path, b"a,,a\n1,2,3\n"))
    assert [(p.key, p.row, p.column) for p in found] == [
        ("header_empty", 1, "B"),
        ("header_twice", 1, "a"),
    ]
    assert "A, C" in found[1].found


def test_quote_that_never_closes(tmp_path):
    found = only(put(tmp_path, b'a,b\n1,2\n"x,2\ny,3\n'), "file_quotes")
    assert found.row == 3


def test_absurd_sizes(tmp_path, monkeypatch):
    only(put(tmp_path, b",".join([b"c"] * 5001) + b"\n1\n"), "limit_columns")
    only(put(tmp_path, b"a\n" + b"x" * 10_000_001), "limit_line")
    monkeypatch.setattr(readers, "MAX_BYTES", 10)
    only(put(tmp_path, b"a,b\n1,2\n3,4\n"), "limit_bytes")


@pytest.mark.parametrize(
    ("at", "letter"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA")]
)
def test_column_letters(at, letter):
    assert column_letter(at) == letter


@given(data=st.binary(max_size=200))
def test_any_bytes_give_a_table_or_a_problem(tmp_path_factory, data):
    path = put(tmp_path_factory.getbasetemp(), data, "any.csv")
    try:
        frame = read_table(path, "any.csv")
    except InputError as error:
        assert error.problems
    else:
        assert len(frame) > 0
        assert frame.index.min() > 1


CELLS = st.text(alphabet='ab ,;\t"\n\r\x1f\x85\u00a0\u3000é0', max_size=6)


def careful(data: bytes) -> pd.DataFrame | None:
    """The table read row by row; None where that finds a problem."""
    try:
        return readers._table(readers._csv_rows(data, ",", "t.csv"), "t.csv")
    except InputError:
        return None


@given(rows=st.lists(st.lists(CELLS, min_size=2, max_size=3), min_size=1, max_size=5))
def test_read_at_once_or_row_by_row_the_table_is_the_same(rows):
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows([["x", "y"], *rows])
    data = buffer.getvalue().encode()
    at_once = read_plain(data, ",", readers.MAX_COLUMNS)
    if at_once is not None:
        pd.testing.assert_frame_equal(at_once, careful(data), check_index_type=False)
    elif all(len(row) == 2 for row in rows) and any(c.strip() for row in rows for c in row):
        # Rows as wide as the header are read at once, whatever their quotes hold.
        assert all(not "".join(row) for row in rows)


@given(text=st.text(alphabet='ab,"\n\r é', max_size=30))
def test_what_is_read_at_once_is_what_would_be_read_row_by_row(text):
    data = b"x,y\n" + text.encode()
    at_once = read_plain(data, ",", readers.MAX_COLUMNS)
    if at_once is not None:
        pd.testing.assert_frame_equal(at_once, careful(data), check_index_type=False)


@pytest.mark.parametrize(
    "data",
    [
        b"a,b\n1,2\n3\n",  # a short row
        b"a,b,\n1,2,\n",  # a delimiter after the last header
        b'a,b\nx"y,2\n',  # a quote within a cell
        b'a,b\n"x"y,2\n',  # and after one
        b'"a\nb",c\n1,2\n',  # a header on two lines
        b"a,b\n",
        b"a,b\n1,2,3\n",
    ],
)
def test_what_must_be_judged_is_not_read_at_once(data):
    assert read_plain(data, ",", readers.MAX_COLUMNS) is None


def test_large_files_are_read_in_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr("analysis.intake.plain_csv.BLOCK", 64)
    lines = [f'{n},"cell {n}, with ""quotes""\nand two lines",é' for n in range(500)]
    frame = read_table(put(tmp_path, ("n,text,b\n" + "\n".join(lines) + "\n").encode()), "t.csv")
    assert list(frame.index) == list(range(2, 502))
    assert frame.loc[451, "text"] == 'cell 449, with "quotes"\nand two lines'
    assert frame["n"].tolist() == [str(n) for n in range(500)]


def test_a_bad_byte_far_into_a_file_is_placed(tmp_path, monkeypatch):
    monkeypatch.setattr(readers, "PIECE", 7)
    data = "".join(f"é{n},{n}\n" for n in range(100)).encode()
    found = only(put(tmp_path, b"a,b\n" + data + b"\xe8,1\n"), "file_mixed")
    assert found.row == 102
