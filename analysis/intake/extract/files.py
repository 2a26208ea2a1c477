"""The files of an extract as they come: one, or a folder of them over the years.

Each file is looked at by itself before any of its rows is used, so that what is wrong is said with
the name of the file: it opens, it is what its ending says, it is whole, its text has one encoding.
"""

from __future__ import annotations

import codecs
import csv
import io
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from analysis.definition import source_files
from analysis.errors import InputError
from analysis.intake import readers
from analysis.intake.texts import near, problem
from analysis.study import Study

SOURCE = "actions"
# Files above this size, and folders, are worked on in an engine; a smaller file is read as those of
# the other sources are.
LARGE = 50_000_000
PIECE = 1 << 20
START = 1 << 16


@dataclass(frozen=True)
class Text:
    """A text file: where it can be read as UTF-8, its delimiter, and its header as it stands.

    checked: whether all of it is known to be UTF-8, or only its start.
    """

    path: Path
    delimiter: str
    header: list[str]
    checked: bool = True


def at_scale(study: Study) -> bool:
    """Whether the actions of a study are worked on in an engine and not read into memory."""
    source = study.definition.sources.actions
    if source is None:
        return False
    if source.table or study.definition.engine.rstrip("/") not in ("duckdb:", "duckdb"):
        return True
    path = study.paths.raw / source.path
    if path.is_file():
        return path.stat().st_size > LARGE
    return path.is_dir() or any(mark in source.path for mark in "*?[")


def delivered_files(study: Study) -> list[Path]:
    """Every file of the extract, in the order of their names.

    Raises InputError without one, or with one of a kind that is not read.
    """
    source = study.definition.sources.actions
    assert source is not None
    path = study.paths.raw / source.path
    kept = source_files(study.paths.raw, source)
    shown = study.paths.shown(path)
    if not kept:
        beside = [file.name for file in path.parent.glob("*")] if path.parent.is_dir() else []
        suggestion = near(path.name, beside)
        raise InputError([problem("file_missing", shown, value=path.name, near=suggestion)])
    known = [".csv", ".tsv", ".txt", ".xlsx", ".parquet"]
    out = [file for file in kept if not study.paths.holds(study.paths.raw, file)]
    if out:
        raise InputError([problem("file_link", study.paths.shown(file)) for file in out])
    odd = [file for file in kept if file.suffix.lower() not in known]
    if odd:
        raise InputError(
            [
                problem("file_format", study.paths.shown(file), value=file.name,
                        known=", ".join(known))
                for file in odd
            ]
        )  # fmt: skip
    return kept


def kind(path: Path) -> str:
    return readers.KINDS[path.suffix.lower()]


def check_opens(path: Path, shown: str) -> None:
    """A file has content, and what its ending says. Raises InputError."""
    if path.stat().st_size == 0:
        raise InputError([problem("file_empty", shown)])
    readers.check_kind(path, shown, kind(path))


def text_of(path: Path, shown: str, scratch: Path, quick: bool = False) -> Text:
    """A CSV file or a workbook as UTF-8 text with a checked header.

    scratch: where the text is written if it has to be written anew (another encoding, a workbook).
    quick: leave it to whoever reads the rows to find out that they are not UTF-8, if the start is.
    Raises InputError with the place of what cannot be read.
    """
    check_opens(path, shown)
    checked = not (quick and kind(path) == "CSV" and _starts_as_utf8(path))
    if checked:
        path = _as_utf8(path, shown, scratch)
    with path.open("rb") as handle:
        start = handle.read(START).removeprefix(codecs.BOM_UTF8)
    text = start.decode("utf-8", errors="ignore")
    delimiter = readers.delimiter_of(start)
    try:
        header = next(csv.reader(io.StringIO(text), delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise InputError([problem("file_quotes", shown, 1, value=str(error))]) from error
    return Text(path, delimiter, [name.strip() for name in header], checked)


# --- Encodings


def _as_utf8(path: Path, shown: str, scratch: Path) -> Path:
    """Where a file can be read as UTF-8 to its end: it, or a copy of it in `scratch`."""
    if kind(path) == "XLSX":
        return _from_workbook(path, shown, scratch)
    return path if _is_utf8(path, shown) else _from_cp1252(path, shown, scratch)


def _starts_as_utf8(path: Path) -> bool:
    """Whether the start of a file is UTF-8, and no byte of it is zero, which DuckDB lets by."""
    if any(b"\0" in piece for piece in _pieces(path)):
        return False
    with path.open("rb") as handle:
        start = handle.read(START)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start, final=len(start) < START)
    except UnicodeDecodeError:
        return False
    return True


def _is_utf8(path: Path, shown: str) -> bool:
    """Whether a file is UTF-8, read piece by piece; False for text that is all cp1252."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    at, rows, accents = 0, 1, False
    for piece in _pieces(path):
        nul = piece.find(b"\0")
        if nul >= 0:
            row = rows + piece.count(b"\n", 0, nul)
            raise InputError([problem("file_nul", shown, row, value=str(at + nul + 1))])
        before = decoder.getstate()[0]
        try:
            if before or not piece.isascii():
                decoder.decode(piece)
                accents = True
        except UnicodeDecodeError as error:
            bad = error.start - len(before)
            if accents or readers.UTF8_SEQUENCE.search(piece[: max(bad, 0)]):
                row = rows + piece.count(b"\n", 0, max(bad, 0))
                value = f"0x{(before + piece)[error.start]:02X} (byte {at + bad + 1})"
                raise InputError([problem("file_mixed", shown, row, value=value)]) from error
            return False
        at, rows = at + len(piece), rows + piece.count(b"\n")
    pending = decoder.getstate()[0]
    if pending and accents:
        value = f"0x{pending[0]:02X} (byte {at - len(pending) + 1})"
        raise InputError([problem("file_mixed", shown, rows, value=value)])
    return not pending


def _pieces(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as handle:
            while piece := handle.read(PIECE):
                yield piece
    except OSError as error:
        raise InputError(
            [problem("file_denied", path.name, value=str(error.strerror))]
        ) from error  # fmt: skip


def _from_cp1252(path: Path, shown: str, scratch: Path) -> Path:
    """A copy in UTF-8, written piece by piece."""
    copy = _scratch_file(scratch)
    at, rows = 0, 1
    with copy.open("wb") as written:
        for piece in _pieces(path):
            try:
                written.write(piece.decode("cp1252").encode("utf-8"))
            except UnicodeDecodeError as error:
                value = f"0x{piece[error.start]:02X} (byte {at + error.start + 1})"
                row = rows + piece.count(b"\n", 0, error.start)
                raise InputError([problem("file_encoding", shown, row, value=value)]) from error
            at, rows = at + len(piece), rows + piece.count(b"\n")
    return copy


def _scratch_file(scratch: Path) -> Path:
    scratch.mkdir(exist_ok=True)
    return scratch / f"{sum(1 for _ in scratch.iterdir()):05d}.csv"


# --- Workbooks


def _from_workbook(path: Path, shown: str, scratch: Path) -> Path:
    """The one filled sheet of a workbook as CSV, row after row."""
    copy = _scratch_file(scratch)
    filled: list[str] = []
    for title, rows in readers.sheets(path, shown):
        part = copy.with_suffix(".part")
        if _write_rows(part, rows):
            filled.append(title)
            shutil.move(part, copy)
        else:
            part.unlink()
    if not filled:
        raise InputError([problem("file_empty", shown)])
    if len(filled) > 1:
        raise InputError([problem("file_sheets", shown, value=", ".join(filled))])
    return copy


def _write_rows(path: Path, rows: Iterator[list[str]]) -> bool:
    """Write rows as wide as the first; returns whether any of them holds something."""
    width, some = 0, False
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, delimiter=";")
        for cells in rows:
            width = width or len(cells)
            some = some or any(cells)
            writer.writerow([*cells, *[""] * (width - len(cells))])
    return some
