"""Text files that people edit, read as text or told why they are not."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from analysis.errors import InputError, Problem

# First bytes of what has another ending than its own, and how people call it.
SIGNATURES = {
    b"PK\x03\x04": "a workbook (.xlsx) or another zip file",
    b"%PDF": "a PDF",
    b"\xd0\xcf\x11\xe0": "an old workbook (.xls)",
    b"\x1f\x8b": "a compressed file",
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
    b"<!DOCTYPE": "a web page",
    b"<!doctype": "a web page",
    b"<html": "a web page",
}


# Ten times the largest questionnaire anyone sent out; a review of comments too.
MAX_BYTES = 50_000_000


def kind_of(data: bytes) -> str:
    """What the first bytes of a file say it is; "" where they say nothing."""
    start = data.lstrip(b" \t\r\n\xef\xbb\xbf")
    return next((kind for mark, kind in SIGNATURES.items() if start.startswith(mark)), "")


def read_text(path: Path, shown: str, what: str) -> str:
    """A text file in UTF-8, without its mark.

    what: how the file should be, as « CSV in UTF-8 ». Raises InputError: cannot be opened, empty,
    too large, another kind of file, another encoding (with the line).
    """
    try:
        if (size := path.stat().st_size) > MAX_BYTES:
            raise InputError(
                [Problem(shown, "the file has a believable size", f"{size} bytes",
                         f"{MAX_BYTES} bytes at most", "check that it is the right file")]
            )  # fmt: skip
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            [Problem(shown, "the file can be opened", str(error.strerror), what,
                     "close it elsewhere, or change its permissions")]
        ) from error  # fmt: skip
    if found := kind_of(data):
        raise InputError([_other(shown, found, what)])
    if not data.strip():
        raise InputError(
            [Problem(shown, "the file has content", "an empty file", what,
                     "write it, or start the study again with `new`", 1)]
        )  # fmt: skip
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = data[: error.start].count(b"\n") + 1
        found = f"byte 0x{data[error.start]:02X}, which is not UTF-8 (Windows-1252, maybe)"
        raise InputError([_other(shown, found, what, row)]) from error


def read_cells(path: Path, shown: str, what: str) -> Iterator[tuple[int, list[str]]]:
    """Rows of a CSV file with their line; semicolons part cells too, as French Excel saves them.

    Raises InputError as `read_text`, and csv.Error.
    """
    text = read_text(path, shown, what)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_mark(text))
    return ((reader.line_num, cells) for cells in reader)


def _mark(text: str) -> str:
    """What parts the cells, by the first line that has any."""
    for line in text.splitlines():
        commas, semicolons = line.count(","), line.count(";")
        if commas or semicolons:
            return ";" if semicolons > commas else ","
    return ","


def _other(shown: str, found: str, what: str, row: int | None = None) -> Problem:
    return Problem(shown, "the file is what its ending says", found, what,
                   f"save it again as {what}", row)  # fmt: skip
