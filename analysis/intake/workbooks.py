"""Workbooks read row by row, and refused before they fill a machine.

An .xlsx is a zip of XML: a small file may hold gigabytes, entities that multiply, a cell in the
last column of each row. What no table of answers has is refused before it is unpacked.
"""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from analysis.errors import InputError
from analysis.intake.texts import problem

# Sixteen million cells unpacked; the answers of a survey pack ten to forty times smaller.
MAX_UNPACKED = 400_000_000
MAX_RATIO = 150
SMALL = 20_000_000  # unpacked bytes that are read whatever their ratio
MAX_PARTS = 2_000
MAX_COLUMNS = 5_000
MAX_ROWS = 1_048_576  # of a sheet, by the standard
MAX_SHEETS = 500
MAX_ELEMENTS = 40 * MAX_COLUMNS  # of XML between two ends of a row: a cell has up to five, or runs
PIECE = 1 << 20
ROW_END = re.compile(rb"</(?:\w+:)?row\s*>")
SHEET = re.compile(rb"<(?:\w+:)?sheet\s")


def check_parts(path: Path, shown: str) -> None:
    """Raises InputError for a workbook of a size or a ratio that no table of answers has, and
    zipfile.BadZipFile for what is no zip."""
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
    unpacked, packed = (sum(part.file_size for part in parts), path.stat().st_size)
    if unpacked > MAX_UNPACKED or len(parts) > MAX_PARTS:
        raise _stop("limit_bytes", shown, value=f"{unpacked}", known=f"{MAX_UNPACKED}")
    if unpacked > SMALL and unpacked > MAX_RATIO * packed:
        ratio = f"{unpacked / max(packed, 1):.0f}"
        raise _stop("limit_ratio", shown, value=ratio, known=f"{MAX_RATIO}")


def check_content(path: Path, shown: str) -> None:
    """Raises InputError for more sheets than any workbook has, or a row of more cells: told by
    their signs, as reading them as XML is what would take the time."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith("workbook.xml"):
                _check_sheets(archive.read(name), shown)
            elif name.startswith("xl/worksheets/") and name.endswith(".xml"):
                with archive.open(name) as part:
                    _check_rows(iter(lambda: part.read(PIECE), b""), shown)


def _check_sheets(book: bytes, shown: str) -> None:
    count = len(SHEET.findall(book))
    if count > MAX_SHEETS:
        raise _stop("limit_sheets", shown, value=f"{count}", known=f"{MAX_SHEETS}")


def _check_rows(pieces: Iterator[bytes], shown: str) -> None:
    count = 0
    for piece in pieces:
        for number, row in enumerate(ROW_END.split(piece)):
            count = row.count(b"<") + (0 if number else count)
            if count > MAX_ELEMENTS:
                value, known = f"{count // 2}…", f"{MAX_COLUMNS}"
                raise _stop("limit_columns", shown, value=value, known=known)


def sheets(
    path: Path, shown: str, text: Callable[[Any], str]
) -> Iterator[tuple[str, Iterator[list[str]]]]:
    """Sheets by title, each with its rows as they are read, cells made text.

    Raises InputError for what is too large or damaged.
    """
    # openpyxl takes a moment to import, and most studies come as CSV.
    import openpyxl  # noqa: PLC0415

    with _damage(shown):
        check_parts(path, shown)
        check_content(path, shown)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # styles and menus openpyxl does not know
            book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
        for sheet in book.worksheets:
            yield sheet.title, _rows(sheet, shown, text)
        book.close()


@contextmanager
def _damage(shown: str) -> Iterator[None]:
    """A damaged file makes zipfile, XML and openpyxl raise anything: it is told as one."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        value = str(error).strip() or type(error).__name__
        raise _stop("file_damaged", shown, value=value, known="XLSX") from error


def _rows(sheet: Any, shown: str, text: Callable[[Any], str]) -> Iterator[list[str]]:
    with _damage(shown):
        sheet.reset_dimensions()  # some programs write a wrong extent, some a giant one
        for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
            if len(row) > MAX_COLUMNS and any(value is not None for value in row[MAX_COLUMNS:]):
                value, known = f"{len(row)}", f"{MAX_COLUMNS}"
                raise _stop("limit_columns", shown, number, value=value, known=known)
            if number > MAX_ROWS:
                raise _stop("limit_rows", shown, number, value=f"{number}", known=f"{MAX_ROWS}")
            yield [text(value) for value in row]


def _stop(key: str, shown: str, row: int | None = None, **values: str) -> InputError:
    return InputError([problem(key, shown, row, **values)])
