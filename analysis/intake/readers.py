"""Raw files as they come: CSV, XLSX, SPSS or Parquet to one frame of text.

Nothing is interpreted here: a cell is text or missing, and the index is the row a spreadsheet
shows (the header is row 1), so that every later problem can be pointed at.
"""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import io
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.errors import InputError
from analysis.intake import workbooks
from analysis.intake.plain_csv import read_plain
from analysis.intake.texts import Failure, near, problem
from analysis.intake.values import TEXT
from analysis.intake.workbooks import MAX_COLUMNS

# A million answers to sixty questions take half a gigabyte.
MAX_BYTES = 2_000_000_000
MAX_LINE = 10_000_000
MAX_CELLS = 150_000_000
MAX_EMPTY = 100_000  # rows without a cell, more than any spreadsheet leaves
PIECE = 1 << 18
BLOCK = 1 << 20
END = re.compile(rb"[\r\n]")
DELIMITERS = (",", ";", "\t")

# First bytes that say what a file is, whatever its name.
SIGNATURES = {
    b"PK\x03\x04": "XLSX",
    b"PAR1": "Parquet",
    b"$FL2": "SPSS",
    b"$FL3": "SPSS",
    b"\xd0\xcf\x11\xe0": "XLS",
    b"%PDF": "PDF",
    b"\x1f\x8b": "gzip",
    b"<!DOCTYPE": "HTML",
    b"<html": "HTML",
}
# A letter with an accent as UTF-8 writes it: never seen in real cp1252 text.
UTF8_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}")

Row = tuple[int, Sequence[str]]


def read_table(
    path: Path, shown: str, may_repeat: Callable[[str], bool] = lambda _header: False
) -> pd.DataFrame:
    """Read a raw file.

    path: a .csv (.tsv, .txt), .xlsx, .sav (.zsav) or .parquet file; shown: its name as told to
    people; may_repeat: whether a header may come again, which then carries its number.
    Returns one "string" column a header, empty cells missing, indexed by row number.
    Raises InputError naming the place: no file, empty, damaged, not what its ending says, an
    encoding that cannot be read, a header without or with twice the same name, rows with more
    cells than the header, or a size that no table of answers has.
    """
    _check_file(path, shown)
    ending = path.suffix.lower()
    kind = KINDS[ending]
    check_kind(path, shown, kind)
    if kind == "CSV":
        return _csv_table(path, shown, may_repeat)
    return _table(_numbered(READERS[kind](path, shown), may_repeat), shown)


def _stop(key: str, shown: str, row: int | None = None, **values: str) -> InputError:
    return InputError([problem(key, shown, row, **values)])


def _check_file(path: Path, shown: str) -> None:
    if not path.is_file():
        beside = [file.name for file in path.parent.glob("*")] if path.parent.is_dir() else []
        raise _stop("file_missing", shown, value=path.name, near=near(path.name, beside))
    if path.suffix.lower() not in KINDS:
        raise _stop("file_format", shown, value=path.name, known=", ".join(KINDS))
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise _stop("limit_bytes", shown, value=str(size), known=str(MAX_BYTES))
    if size == 0:
        raise _stop("file_empty", shown)


def check_kind(path: Path, shown: str, kind: str) -> None:
    """A file is what its ending says, by its first bytes. Raises InputError."""
    try:
        with path.open("rb") as handle:
            start = handle.read(512).lstrip()
    except OSError as error:
        raise _stop("file_denied", shown, value=str(error.strerror)) from error
    found = next((k for mark, k in SIGNATURES.items() if start.startswith(mark)), "CSV")
    if found != kind:
        raise _stop("file_kind", shown, value="text" if found == "CSV" else found, known=kind)


# --- CSV


def _csv_table(path: Path, shown: str, may_repeat: Callable[[str], bool]) -> pd.DataFrame:
    """The table of a CSV file: at once where nothing is wrong with it, else row by row."""
    _check_lines(path, shown)
    data = _as_utf8(path.read_bytes(), shown)
    delimiter = delimiter_of(data)
    table = read_plain(data, delimiter, MAX_COLUMNS)
    if table is not None:
        return table
    return _table(_numbered(_csv_rows(data, delimiter, shown), may_repeat), shown)


def _csv_rows(data: bytes, delimiter: str, shown: str) -> list[Row]:
    reader = csv.reader(_lines(data), delimiter=delimiter, strict=True)
    rows: list[Row] = []
    empty = 0
    # A text that comes again is kept once.
    kept: dict[str, str] = {}
    try:
        # Rows are counted as records, because a cell may hold several lines.
        for number, cells in enumerate(reader, start=1):
            if len(cells) > MAX_COLUMNS and any(cells[MAX_COLUMNS:]):
                value, known = f"{len(cells)}", f"{MAX_COLUMNS}"
                raise _stop("limit_columns", shown, number, value=value, known=known)
            empty += not any(cells)
            if empty > MAX_EMPTY:
                value, known = f"{empty}…", f"{MAX_EMPTY}"
                raise _stop("limit_empty", shown, number, value=value, known=known)
            rows.append((number, [kept.setdefault(text := cell.strip(), text) for cell in cells]))
    except csv.Error as error:
        raise _stop("file_quotes", shown, len(rows) + 1, value=str(error)) from error
    return rows


def _lines(data: bytes) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", errors="ignore", newline="")


def _as_utf8(data: bytes, shown: str) -> bytes:
    """Content of a file in UTF-8 without a mark, where it was so or in cp1252; never half of
    each."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise _stop("file_encoding", shown, 1, value="UTF-16")
    if (at := data.find(b"\0")) >= 0:
        raise _stop("file_nul", shown, _row_of(data, at), value=str(at + 1))
    data = data.removeprefix(codecs.BOM_UTF8)
    if not data or data.isspace():
        raise _stop("file_empty", shown)
    try:
        _check_utf8(data)
    except UnicodeDecodeError:
        return _decoded_cp1252(data, shown).encode("utf-8")
    return data


def _check_lines(path: Path, shown: str) -> None:
    """Lines have a believable length: seen before the file is read as a whole."""
    length = 0
    with path.open("rb") as handle:
        while block := handle.read(BLOCK):
            first = END.search(block)
            length += first.start() if first else len(block)
            if length > MAX_LINE:
                raise _stop("limit_line", shown, value=f"{length}…", known=f"{MAX_LINE}")
            if first:
                length = len(block) - 1 - max(block.rfind(b"\n"), block.rfind(b"\r"))


def _check_utf8(data: bytes) -> None:
    """Decode piece by piece, so that no second copy of a large file is made."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(data)
    for start in range(0, len(data), PIECE):
        decoder.decode(view[start : start + PIECE], final=start + PIECE >= len(data))


def _decoded_cp1252(data: bytes, shown: str) -> str:
    if UTF8_SEQUENCE.search(data):
        bad = _first_not_utf8(data)
        raise _stop("file_mixed", shown, _row_of(data, bad), value=_byte(data, bad))
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError as error:
        row = _row_of(data, error.start)
        raise _stop("file_encoding", shown, row, value=_byte(data, error.start)) from error


def _first_not_utf8(data: bytes) -> int:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    raise ValueError("the text is UTF-8")


def _byte(data: bytes, at: int) -> str:
    return f"0x{data[at]:02X} (byte {at + 1})"


def _row_of(data: bytes, at: int) -> int:
    """Row of a byte that cannot be decoded."""
    before = data[:at].replace(b"\0", b"").decode("latin-1").encode("utf-8") + b"x"
    try:
        return sum(1 for _ in csv.reader(_lines(before), delimiter=delimiter_of(before)))
    except csv.Error:
        return before.count(b"\n") + 1


def delimiter_of(data: bytes) -> str:
    """The delimiter that cuts the header into most cells."""
    # A header may hold line breaks in quotes, so a reader finds its end, not a line.
    start = data[:MAX_LINE]

    def cells(delimiter: str) -> int:
        try:
            return len(next(csv.reader(_lines(start), delimiter=delimiter), []))
        except csv.Error:  # said when the file is read
            return 0

    return max(DELIMITERS, key=cells)


# --- XLSX


def sheets(path: Path, shown: str) -> Iterator[tuple[str, Iterator[list[str]]]]:
    """Sheets of a workbook by name, each with its rows of text as they are read, one by one.

    Raises InputError where the workbook is damaged or larger than any table.
    """
    return workbooks.sheets(path, shown, _cell)


def _xlsx_rows(path: Path, shown: str) -> list[Row]:
    found = {title: list(rows) for title, rows in sheets(path, shown)}
    filled: dict[str, list[Row]] = {
        title: list(enumerate(rows, start=1))
        for title, rows in found.items()
        if any(any(cells) for cells in rows)
    }
    if len(filled) > 1:
        raise _stop("file_sheets", shown, value=", ".join(filled))
    return next(iter(filled.values()), [])


def _cell(value: Any) -> str:
    """A typed cell as the text a CSV would have."""
    if value is None or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dt.datetime):
        midnight = value.time() == dt.time()
        return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(value).strip()


# --- Parquet


def _parquet_rows(path: Path, shown: str) -> list[Row]:
    import pyarrow.parquet  # noqa: PLC0415

    try:
        # By pyarrow itself: pandas would hide the columns it once used as an index.
        found = pyarrow.parquet.read_metadata(path)
        _check_cells(found.num_rows, found.num_columns, shown)
        _check_lists(found, shown)
        table = pyarrow.parquet.read_table(path)
    except InputError:
        raise
    except Exception as error:  # pyarrow's errors share no base with the others
        value = next(iter(str(error).splitlines()), "?")
        raise _stop("file_damaged", shown, value=value, known="Parquet") from error
    columns = [[_parquet_cell(v) for v in column.to_pylist()] for column in table.columns]
    header: Row = (1, [name.strip() for name in table.column_names])
    return [header, *enumerate(zip(*columns, strict=True), start=2)]


def _check_cells(rows: int, columns: int, shown: str) -> None:
    """A small file may say a column of one answer a billion times."""
    if columns > MAX_COLUMNS:
        raise _stop("limit_columns", shown, value=f"{columns}", known=f"{MAX_COLUMNS}")
    if rows * columns > MAX_CELLS:
        raise _stop("limit_cells", shown, value=f"{rows * columns}", known=f"{MAX_CELLS}")


def _check_lists(found: Any, shown: str) -> None:
    """A list in a cell holds the answers to one question, not a million of them."""
    for group in (found.row_group(at) for at in range(found.num_row_groups)):
        for column in (group.column(at) for at in range(group.num_columns)):
            if column.num_values > group.num_rows * MAX_COLUMNS:
                value, known = f"{column.num_values}", f"{group.num_rows * MAX_COLUMNS}"
                raise _stop("limit_cells", shown, value=value, known=known)


def _parquet_cell(value: Any) -> str:
    """A list in a cell is a several-answer question."""
    return ";".join(map(str, value)) if isinstance(value, list) else _cell(value)


# --- SPSS


def _sav_rows(path: Path, shown: str) -> list[Row]:
    # A compiled library that only these files need.
    import pyreadstat  # noqa: PLC0415

    try:
        _, found = pyreadstat.read_sav(path, metadataonly=True)
        _check_cells(found.number_rows or 0, found.number_columns or 0, shown)
        # Codes that the file declares missing are read as missing.
        table, _ = pyreadstat.read_sav(path, user_missing=False)
    except InputError:
        raise
    except Exception as error:  # ReadstatError, but also what its parts raise
        value = str(error).splitlines()[0] if str(error) else "?"
        raise _stop("file_damaged", shown, value=value, known="SPSS") from error
    columns = [[_cell(value) for value in table[name].tolist()] for name in table]
    header: Row = (1, [str(name) for name in table])
    return [header, *enumerate(zip(*columns, strict=True), start=2)]


# --- The table


def _numbered(rows: list[Row], may_repeat: Callable[[str], bool]) -> list[Row]:
    """Headers that may come again with their number, from the second one on."""
    if not rows:
        return rows
    times: Counter[str] = Counter()
    header = []
    for name in rows[0][1]:
        times[name] += 1
        again = times[name] > 1 and name and may_repeat(name)
        header.append(f"{name} ({times[name]})" if again else name)
    return [(rows[0][0], header), *rows[1:]]


def _table(rows: list[Row], shown: str) -> pd.DataFrame:
    """The frame of text below a checked header."""
    while rows and not any(rows[-1][1]):
        rows = rows[:-1]
    if not rows:
        raise _stop("file_empty", shown)
    header, body = list(rows[0][1]), rows[1:]
    width = max((len(cells) for _, cells in rows), default=0)
    if width > MAX_COLUMNS:
        raise _stop("limit_columns", shown, 1, value=str(width), known=str(MAX_COLUMNS))
    while header and not header[-1]:
        header.pop()  # delimiters that a spreadsheet leaves at the end of each row
    problems = [*_header_problems(header, body, shown), *_too_wide(body, len(header), shown)]
    if not body and not problems:
        problems = [problem("file_rows", shown, 1)]
    if problems:
        raise InputError(problems)
    return _frame(header, body)


def _frame(header: list[str], body: list[Row]) -> pd.DataFrame:
    index = pd.Index([number for number, _ in body], name="row")
    columns = {}
    for at, name in enumerate(header):
        cells = [row[at] or None if at < len(row) else None for _, row in body]
        if name or any(cells):
            columns[name] = pd.Series(pd.array(cells, dtype=TEXT), index=index)
    return pd.DataFrame(columns, index=index)


def _header_problems(header: list[str], body: list[Row], shown: str) -> list[Failure]:
    places: dict[str, list[int]] = {}
    for at, name in enumerate(header):
        places.setdefault(name, []).append(at)
    unnamed = [
        at for at in places.pop("", []) if any(at < len(cells) and cells[at] for _, cells in body)
    ]
    problems = [
        problem("header_empty", shown, 1, column_letter(at), value=column_letter(at))
        for at in unnamed
    ]
    for name, found in places.items():
        if len(found) > 1:
            letters = ", ".join(map(column_letter, found))
            problems.append(problem("header_twice", shown, 1, name, value=name, known=letters))
    return problems


def _too_wide(body: list[Row], width: int, shown: str) -> list[Failure]:
    return [
        problem("file_cells", shown, number, value=str(len(cells)), known=str(width))
        for number, cells in body
        if len(cells) > width and any(cells[width:])
    ]


def column_letter(at: int) -> str:
    """Name of a column as a spreadsheet shows it: 0 is A, 26 is AA."""
    letters = ""
    at += 1
    while at:
        at, rest = divmod(at - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


KINDS = {
    ".csv": "CSV",
    ".tsv": "CSV",
    ".txt": "CSV",
    ".xlsx": "XLSX",
    ".sav": "SPSS",
    ".zsav": "SPSS",
    ".parquet": "Parquet",
}
READERS: dict[str, Callable[[Path, str], list[Row]]] = {
    "XLSX": _xlsx_rows,
    "SPSS": _sav_rows,
    "Parquet": _parquet_rows,
}
