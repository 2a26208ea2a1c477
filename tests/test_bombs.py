"""Files made to fill a machine: each refused in seconds, within a gigabyte, with its place."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import small_study as small

from analysis.cli import main
from analysis.paths import PROJECT

SECONDS = 10
MEGABYTES = 1_000
RAW, DEFINITION = f"data/raw/{small.STUDY}", f"studies/{small.STUDY}"
SURVEY = f"{RAW}/survey.csv"
SPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
# Runs commands in one process, so that its memory is that of the worst of them.
RUN = """
import sys, time
from analysis.cli import main
for root in sys.argv[1:]:
    before = time.process_time()
    code = main(["validate", "{study}", "--root", root])
    print("RAN", root, code, time.process_time() - before)
# Of this program alone: ru_maxrss begins at what the process that started it had.
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print("PEAK", int(status["VmHWM"].split()[0]) // 1024)
"""


def workbook(path: Path, sheet: bytes | Callable[[zipfile.ZipFile], None], **parts: bytes) -> None:
    """A workbook with one sheet, written by hand."""
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/"
    main_type = "application/vnd.openxmlformats-officedocument.spreadsheetml."
    content = {
        "[Content_Types].xml": f'<Types xmlns="{package}content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{main_type}sheet.main+xml"/>'
        f'<Override PartName="/xl/sharedStrings.xml" ContentType="{main_type}sharedStrings+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{main_type}worksheet+xml"/>'
        "</Types>",
        "_rels/.rels": f'<Relationships xmlns="{package}relationships"><Relationship Id="rId1" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{SPACE}" xmlns:r="{office}"><sheets><sheet name="a" '
        'sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}relationships">'
        f'<Relationship Id="rId1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{office}/sharedStrings" Target="sharedStrings.xml"/>'
        "</Relationships>",
        "xl/sharedStrings.xml": f'<sst xmlns="{SPACE}"/>',
    } | {f"xl/{name}.xml": text for name, text in parts.items()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in content.items():
            archive.writestr(name, text)
        if callable(sheet):
            sheet(archive)
        else:
            archive.writestr("xl/worksheets/sheet1.xml", sheet)


def rows(body: bytes, before: bytes = b"") -> bytes:
    return (
        before
        + f'<worksheet xmlns="{SPACE}"><sheetData>'.encode()
        + body
        + (b"</sheetData></worksheet>")
    )


def large(archive: zipfile.ZipFile) -> None:
    """Two gigabytes of blanks in two megabytes."""
    with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part:
        part.write(rows(b"")[:-26])
        for _ in range(200):
            part.write(b" " * 10_000_000)


LAUGHS = b'<!DOCTYPE x [<!ENTITY a "ha">' + b"".join(
    f'<!ENTITY {name} "{f"&{before};" * 10}">'.encode()
    for before, name in zip("abcdefghi", "bcdefghij", strict=True)
) + b"]>"  # fmt: skip
FILE = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
TEXT = b'<row r="1"><c r="A1" t="inlineStr"><is><t>%s</t></is></c></row>'


def as_xlsx(root: Path, *args: object, **parts: bytes) -> None:
    point_to(root, "survey.xlsx")
    workbook(root / RAW / "survey.xlsx", *args, **parts)  # type: ignore[arg-type]


def point_to(root: Path, name: str) -> None:
    path = root / DEFINITION / "study.yml"
    path.write_text(
        path.read_text("utf-8").replace("path: survey.csv", f"path: {name}", 1), "utf-8"
    )


def add(root: Path, text: str) -> None:
    with (root / DEFINITION / "study.yml").open("a", encoding="utf-8") as handle:
        handle.write(text)


def far_cells(root: Path) -> None:
    """A cell in the last column of each of 20,000 rows."""
    cells = (f'<row r="{n}"><c r="XFD{n}"><v>1</v></c></row>'.encode() for n in range(1, 20_000))
    as_xlsx(root, rows(b"".join(cells)))


def extent(root: Path) -> None:
    """A questionnaire that says it fills the whole sheet."""
    (root / DEFINITION / "questionnaire.csv").unlink()
    body = rows(TEXT % b"type").replace(
        b"<sheetData>", b'<dimension ref="A1:XFD1048576"/><sheetData>'
    )
    workbook(root / DEFINITION / "questionnaire.xlsx", body)


def shared(root: Path) -> None:
    """Strings by the million that no cell shows."""
    strings = f'<sst xmlns="{SPACE}">'.encode() + b"<si><t>a</t></si>" * 8_000_000 + b"</sst>"
    as_xlsx(root, rows(TEXT % b"a"), sharedStrings=strings)


def billion(root: Path) -> None:
    """A column of one answer, two hundred million times, in a few kilobytes."""
    point_to(root, "survey.parquet")
    codes = pa.array(np.zeros(20_000_000, dtype="int8"))
    column = pa.DictionaryArray.from_arrays(codes, pa.array(["a"]))
    with pq.ParquetWriter(root / RAW / "survey.parquet", pa.schema({"a": column.type})) as made:
        for _ in range(10):
            made.write_table(pa.table({"a": column}))


def line(root: Path) -> None:
    """A gigabyte of text without an end of line."""
    piece = b"a" * 10_000_000
    with (root / SURVEY).open("wb") as handle:
        for _ in range(100):
            handle.write(piece)


def columns(root: Path) -> None:
    text = b"a," * 1_000_000 + b"\n"
    (root / SURVEY).write_bytes(text * 4)


def quotes(root: Path) -> None:
    (root / SURVEY).write_bytes((root / SURVEY).read_bytes() + b'"' + b"a,b\n" * 3_000_000)


def laughing_yaml(root: Path) -> None:
    names = "abcdefghij"
    add(root, f"{names[0]}: &{names[0]} [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
        for before, name in pairwise(names)
    ))  # fmt: skip


def long_list(root: Path) -> None:
    """A cell of thirty million answers."""
    point_to(root, "survey.parquet")
    offsets, answers = pa.array([0, 30_000_000], pa.int32()), np.zeros(30_000_000, dtype="int8")
    cell = pa.ListArray.from_arrays(offsets, pa.array(answers))
    pq.write_table(pa.table({"a": cell}), root / RAW / "survey.parquet")


def many_sheets(root: Path) -> None:
    """A workbook that names one sheet 100,000 times."""
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    book = f'<workbook xmlns="{SPACE}" xmlns:r="{office}"><sheets>'.encode()
    book += b'<sheet name="a" sheetId="1" r:id="rId1"/>' * 100_000 + b"</sheets></workbook>"
    as_xlsx(root, rows(TEXT % b"a"), workbook=book)


def wide_row(root: Path) -> None:
    as_xlsx(root, rows(b'<row r="1">' + b"<c><v>1</v></c>" * 1_000_000 + b"</row>"))


def record(text: str) -> Callable[[Path], None]:
    def make(root: Path) -> None:
        (root / f"{SURVEY}.meta.yml").write_text(text, encoding="utf-8")

    return make


def large_record(root: Path) -> None:
    record("x")(root)
    os.truncate(root / f"{SURVEY}.meta.yml", 10**9)


def huge_sav(root: Path) -> None:
    """A header that promises two thousand million cases."""
    point_to(root, "survey.sav")
    data = bytearray((Path(__file__).parent / "layouts" / "spss.sav").read_bytes())
    data[80:84] = (2_000_000_000).to_bytes(4, "little")
    (root / RAW / "survey.sav").write_bytes(data)


BOMBS: dict[str, Callable[[Path], None]] = {
    "two gigabytes in a workbook": lambda root: as_xlsx(root, large),
    "entities that multiply": lambda root: as_xlsx(root, rows(TEXT % b"&j;", LAUGHS)),
    "an entity that reads a file": lambda root: as_xlsx(root, rows(TEXT % b"&a;", FILE)),
    "cells in the last column": far_cells,
    "an extent of the whole sheet": extent,
    "strings that no cell shows": shared,
    "a billion answers in a column": billion,
    "a line of a gigabyte": line,
    "a million columns": columns,
    "a quote that does not close": quotes,
    "aliases of aliases": laughing_yaml,
    "brackets in brackets": lambda root: add(root, "x: " + "[" * 200_000),
    "a study of a gigabyte": lambda root: os.truncate(root / DEFINITION / "study.yml", 10**9),
    "a number of 100,000 digits": lambda root: add(root, "seed: " + "9" * 100_000 + "\n"),
    "cases that are not there": huge_sav,
    "a cell of millions of answers": long_list,
    "a hundred thousand sheets": many_sheets,
    "a row of a million cells": wide_row,
    "rows without an answer": lambda root: (
        (root / SURVEY).write_bytes(b"a,b\n" + b",\n" * 10**6) and None
    ),
    "lines without a row": lambda root: (
        (root / SURVEY).write_bytes(b"a,b\n" + b"\n" * 10**7) and None
    ),
    "a record of brackets": record("x: " + "[" * 100_000),
    "a record of a gigabyte": large_record,
}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, tuple[int, float]], int, str]:
    """Exit code and seconds of each bomb, the most megabytes of all, and what was said."""
    roots = {}
    for name, make in BOMBS.items():
        roots[name] = tmp_path_factory.mktemp("bomb")
        small.make(roots[name])
        make(roots[name])
    done = subprocess.run(
        [sys.executable, "-c", RUN.replace("{study}", small.STUDY), *map(str, roots.values())],
        capture_output=True, text=True, check=False, cwd=PROJECT,
    )  # fmt: skip
    # Temporary folders are kept for a while, and this one is large.
    (roots["a line of a gigabyte"] / SURVEY).unlink()
    lines = [said.split() for said in done.stdout.splitlines()]
    found = {said[1]: (int(said[2]), float(said[3])) for said in lines if said[0] == "RAN"}
    peak = next((int(said[1]) for said in lines if said[0] == "PEAK"), -1)
    return {name: found[str(root)] for name, root in roots.items()}, peak, done.stderr


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_in_seconds(
    ran: tuple[dict[str, tuple[int, float]], int, str], name: str
) -> None:
    code, seconds = ran[0][name]
    assert code == 2
    assert seconds < SECONDS


def test_bombs_take_less_than_a_gigabyte_and_leave_no_traceback(
    ran: tuple[dict[str, tuple[int, float]], int, str],
) -> None:
    _, peak, said = ran
    assert 0 < peak < MEGABYTES
    assert "Traceback" not in said and "root:" not in said


@pytest.mark.parametrize(
    "path",
    ["../../studies/{}/study.yml", "/etc/hostname", "C:\\x.csv", "..\\x.csv", "a/../../b.csv",
     "link.csv", "x" * 300, " "],
)  # fmt: skip
def test_no_path_leaves_the_study(
    tmp_path: Path, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    small.make(tmp_path)
    (tmp_path / RAW / "link.csv").symlink_to("/etc/hostname")
    point_to(tmp_path, "'" + path.format(small.STUDY) + "'")
    assert main(["validate", small.STUDY, "--root", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "sources stay in the study's folder" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("name", ["questionnaire.csv", "recodes.csv", "study.yml", "comments.csv"])
def test_no_file_of_a_study_is_a_link_out_of_it(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    small.make(tmp_path)
    path, other = tmp_path / DEFINITION / name, tmp_path / "elsewhere"
    other.write_bytes(path.read_bytes() if path.is_file() else b"question,id,publish,text\n")
    path.unlink(missing_ok=True)
    path.symlink_to(other)
    assert main(["validate", small.STUDY, "--root", str(tmp_path)]) == 2
    assert f"{DEFINITION}/{name}" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["../cnc_afdas_2026", "..", "a/b", "", "x" * 200, "a\n"])
def test_a_study_is_named_as_a_folder(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    small.make(tmp_path)
    assert main(["validate", name, "--root", str(tmp_path)]) == 2
    assert "a study has a folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("languages: [fr, en]", "languages: [fr, ../../x]"),
        ("languages: [fr, en]", "languages: []"),
        ("url: https://", "url: javascript:https://"),
        ("seed: 2026", "seed: -1"),
        ("seed: 2026", "seed: 1\nseed: 2"),
        ("publisher: CNC", 'publisher: "CNC\\u202e"'),
    ],
)
def test_values_that_would_do_harm_are_refused_at_their_line(
    tmp_path: Path, old: str, new: str, capsys: pytest.CaptureFixture[str]
) -> None:
    small.make(tmp_path)
    path = tmp_path / DEFINITION / "study.yml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert main(["validate", small.STUDY, "--root", str(tmp_path)]) == 2
    assert f"{DEFINITION}/study.yml, row " in capsys.readouterr().err
