"""Mutation fuzzing of what a region edits or delivers: a case builds, or exits 2 with a place.

A case is a number: it says which file of the made-up study of tests/layouts is changed, and how;
from EXTRACTS on, which of the files of an extract of training actions (tests/extracts.py).
The same number is always the same case. `python tests/fuzz.py --cases 20000` is the long run;
tests/test_fuzz.py runs the first of them, and those that once failed.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import random
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import extracts
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.cli import main

SAMPLES = Path(__file__).parent / "layouts"
STUDY = "layouts"
EXTRACTS = 1_000_000
ONE_IN = 5  # cases that are of an extract, in the long run
SECONDS = 10
MEMORY = 1_000_000_000  # bytes above what the process had before its first case
RECODES = (
    "source,kind,column,found,becomes\n"
    "survey,header,,PROGRESSION,complete\n"
    "survey,value,complete,Terminé,yes\n"
)
PUBLISHED = (
    "figure_id,place,slide,variable,population,base_n,base_kind,category,label_fr,count,percent,"
    "value,unit,note\n"
    "s1,chart,1,satisfaction,all,8,respondents,satisfied,Satisfaites,4,50,,,\n"
    "s2,text,1,satisfaction,pros,5,respondents,satisfied,Satisfaites,,40,,,environ\n"
)
RAW = ("plain.csv", "kobo.csv", "kobo_labels.xlsx", "odk.csv", "limesurvey.csv",
       "limesurvey_full.csv", "google_forms.csv", "microsoft_forms.xlsx", "sphinx.xlsx",
       "qualtrics.csv", "qualtrics_numbers.csv", "spss.sav")  # fmt: skip
DEFINITION = ("study.yml", "questionnaire.csv", "recodes.csv", "published.csv")
# What mistakes, other programs and people of ill will put into files.
# fmt: off
PIECES = [
    b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\xe9", b"\x80", b"\r", b"\n", b"\n\n", b'"', b'""', b"'",
    b",", b";", b"\t", b",,,,,,", b"\x1b[2J", b"\xe2\x80\xae", b"\xee\x80\x80", b"\xed\xa0\x80",
    b"=1+1", b"@SUM(A1)", b"-", b"9" * 400, b"9" * 5000, b"1e999", b"-1", b"0", b"nan", b"inf",
    b"0x10", b"1,5", b"2026-02-30", b"0001-01-01", b"9999-12-31", b"2026-01-01T00:00:00Z", b"TRUE",
    b"<b>", b"<script>alert(1)</script>", b"{{ 1 }}", b"{0}", b"{value}", b"%s", b"$(id)", b"../",
    b"..\\", b"/etc/passwd", b"a/b", b"${status}", b"${nobody}", b"selected(", b"(" * 60,
    b"not(" * 40, b")", b" and ", b" or ", b"= ''", b"count-selected(.) <= 3", b"[", b"]",
    b"{", b"}",
    b": ", b"- ", b"? ", b"&a ", b"*a", b"<<: ", b"!!binary ", b"!!python/object:os.system ", b"| ",
    b"# ", b"---\n", b"...\n", b"%YAML 1.1\n", b"~", b"null", b"[" * 60, b"all", b"survey",
    b"status",
    b"select_one x", b"select_multiple x", b"begin_group", b"end_group", b"text", b"decimal",
    b"x" * 300,
    b"e\xcc\x81", b"\xf0\x9f\x98\x80", b"\xc2\xa0", b"\xe3\x80\x80", b"A" * 70000, b"\x1a", b"\x0b",
]
# fmt: on
Change = Callable[[random.Random, bytes], bytes]


def span(rng: random.Random, data: bytes) -> tuple[int, int]:
    start = rng.randrange(len(data) + 1)
    return start, min(len(data), start + rng.choice([1, 1, 2, 5, 20, 100, 1000]))


def flip(rng: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 8])):
        if changed:
            changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def cut(rng: random.Random, data: bytes) -> bytes:
    start, end = span(rng, data)
    return data[:start] + data[end:]


def insert(rng: random.Random, data: bytes) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice(PIECES) + data[at:]


def overwrite(rng: random.Random, data: bytes) -> bytes:
    start, end = span(rng, data)
    return data[:start] + rng.choice(PIECES) + data[end:]


def again(rng: random.Random, data: bytes) -> bytes:
    start, end = span(rng, data)
    return data[:end] + data[start:end] * rng.choice([1, 2, 50]) + data[end:]


def truncate(rng: random.Random, data: bytes) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def lines(rng: random.Random, data: bytes) -> bytes:
    """A line left out, said twice, or in another place."""
    found = data.splitlines(keepends=True) or [b""]
    one = rng.randrange(len(found))
    kind = rng.randrange(3)
    if kind == 0:
        del found[one]
    elif kind == 1:
        found.insert(rng.randrange(len(found) + 1), found[one])
    else:
        found.insert(rng.randrange(len(found)), found.pop(one))
    return b"".join(found)


def value(rng: random.Random, data: bytes) -> bytes:
    """What stands between two signs of the format replaced by something else."""
    places = [m.span() for m in re.finditer(rb"[^,;\t\r\n:{}\[\]\"]+", data)]
    if not places:
        return rng.choice(PIECES)
    start, end = rng.choice(places)
    other = data[slice(*rng.choice(places))] if rng.random() < 0.4 else rng.choice(PIECES)
    return data[:start] + other + data[end:]


CHANGES: list[Change] = [flip, cut, insert, overwrite, again, truncate, lines, value, value, value]


def changed(rng: random.Random, data: bytes) -> bytes:
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        data = rng.choice(CHANGES)(rng, data)
    return data


def changed_workbook(rng: random.Random, data: bytes) -> bytes:
    """A workbook with one of its parts changed, or the zip itself."""
    if rng.random() < 0.3:
        return changed(rng, data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = rng.choice([*parts, *[n for n in parts if "sheet" in n or "Strings" in n] * 3])
    if rng.random() < 0.1:
        del parts[name]
    else:
        parts[name] = changed(rng, parts[name])
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, content in parts.items():
            archive.writestr(part, content)
    return made.getvalue()


@cache
def sample(name: str) -> bytes:
    if name in ("recodes.csv", "published.csv"):
        return (RECODES if name == "recodes.csv" else PUBLISHED).encode()
    return (SAMPLES / name).read_bytes()


@dataclass(frozen=True)
class Case:
    """Content of the files of a study, those delivered (`raw`) and those that define it; the one
    changed is `target`."""

    number: int
    target: str
    raw: dict[str, bytes]
    files: dict[str, bytes]
    study: str = STUDY

    def __str__(self) -> str:
        return f"case {self.number} ({self.target} with {', '.join(self.raw)})"


def case(number: int) -> Case:
    if number >= EXTRACTS:
        return extract(number)
    rng = random.Random(number)
    raw = rng.choice(RAW)
    target = raw if rng.random() < 0.5 else rng.choice(DEFINITION)
    files = {name: sample(name) for name in ("study.yml", "questionnaire.csv", raw)}
    if raw == "sphinx.xlsx" or target == "recodes.csv":
        files["recodes.csv"] = sample("recodes.csv")
    if target == "published.csv":
        files["published.csv"] = sample("published.csv")
    change = changed_workbook if target.endswith(".xlsx") else changed
    files["study.yml"] = files["study.yml"].replace(b"survey.csv", raw.encode())
    files[target] = change(rng, files[target])
    return Case(number, target, {raw: files.pop(raw)}, files)


# --- Extracts


ROWS = [*extracts.ROWS, *extracts.LATER]
# What other programs make of a column, typed or not.
TYPES = [pa.string(), pa.int8(), pa.int64(), pa.float64(), pa.bool_(), pa.date32(), pa.binary(),
         pa.timestamp("ns"), pa.timestamp("ms", "Europe/Paris"), pa.decimal128(12, 2), pa.null(),
         pa.time64("us"), pa.list_(pa.string()), pa.dictionary(pa.int8(), pa.string())]  # fmt: skip


def extract(number: int) -> Case:
    """Two to four files of actions in a folder, of several kinds, one of them changed; or the
    definition of the study, or its recodes."""
    rng = random.Random(number)
    raw = {}
    for year in range(2023, 2023 + rng.choice([1, 2, 2, 4])):
        rows = [row.replace("A", f"A{year}", 1) for row in ROWS]
        kind = rng.choice(["csv", "csv", "csv", "xlsx", "parquet"])
        folder = rng.choice(["", "", "", f"year={year}/", "old/"])
        raw[f"actions/{folder}{year}.{kind}"] = delivered(kind, rows, rng)
    yml = extracts.study_yml(on_bad_row=rng.choice(["stop", "quarantine"]))
    files = {"study.yml": yml.encode(), "recodes.csv": RECODED.encode()}
    target = rng.choice([*raw, *raw, *raw, *files])
    if rng.random() < 0.1:  # under the ending of another kind, or of none
        name = target.rpartition(".")[0] + rng.choice([".csv", ".parquet", ".xlsx", ".sav", ""])
        raw = {name if each == target else each: content for each, content in raw.items()}
    elif target in raw:
        raw[target] = (changed_workbook if target.endswith(".xlsx") else changed)(rng, raw[target])
    else:
        files[target] = changed(rng, files[target])
    return Case(number, target, raw, files, extracts.STUDY)


RECODED = "source,kind,column,found,becomes\nactions,value,sector,sector_3,sector_2\n"


def delivered(kind: str, rows: list[str], rng: random.Random) -> bytes:
    """Rows of actions as a file of this kind."""
    cells = extracts.cells(*rows)
    if kind == "csv":
        mark = rng.choice([",", ",", ";", "\t"])
        text = extracts.text(cells, mark)
        return text.encode(rng.choice(["utf-8", "utf-8-sig", "cp1252"]))
    content = io.BytesIO()
    if kind == "xlsx":
        book = openpyxl.Workbook()
        for row in [extracts.HEADER, *cells]:
            book.active.append(row)
        book.save(content)
    else:
        columns = [_column([row[at] for row in cells], rng) for at in range(len(extracts.HEADER))]
        pq.write_table(pa.table(dict(zip(extracts.HEADER, columns, strict=True))), content)
    return content.getvalue()


def _column(texts: list[str], rng: random.Random) -> Any:
    """Texts as a column, now and then of another type than they ask for."""
    if rng.random() < 0.85:
        return pa.array(texts)
    kind = rng.choice(TYPES)
    try:
        return pa.array(texts).cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pa.nulls(len(texts), kind)


# --- Running them


def write(found: Case, root: Path) -> None:
    shutil.rmtree(root, ignore_errors=True)
    for place, files in (("studies", found.files), ("data/raw", found.raw)):
        for name, content in files.items():
            path = root / place / found.study / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


class TooSlow(BaseException):
    """Not an Exception: nothing that reads a file may catch it."""


@contextlib.contextmanager
def alarm(seconds: int) -> Iterator[None]:
    def ring(*_: object) -> None:
        raise TooSlow

    # Seconds of work, and not of the clock: a busy machine is no fault of a case.
    signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def memory() -> int:
    """The most memory this process ever had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def fault(found: Case, root: Path, command: str = "validate") -> str:
    """What is wrong with how a case ends, "" where it builds or is refused as it should be."""
    write(found, root)
    said, before = io.StringIO(), memory()
    try:
        with alarm(SECONDS), contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            code = main([command, found.study, "--root", str(root)])
    except TooSlow:
        return f"no end after {SECONDS} s: {traceback.format_exc(limit=-4)}"
    except BaseException:  # SystemExit too: a fuzzer must see what gets through
        return traceback.format_exc(limit=-4)
    text = said.getvalue()
    if code not in (0, 2) or "Traceback" in text:
        return f"exit {code}: {text[-2000:]}"
    if code == 2 and not re.search(r"^(studies|data/raw)/\S", text, re.MULTILINE):
        return f"no place in: {text[-2000:]}"
    if memory() - before > MEMORY:
        return f"{(memory() - before) / 1e6:.0f} MB"
    return ""


def run(numbers: Iterable[int], root: Path, builds: int = 10) -> dict[int, str]:
    """Faults by number of the case. One case in `builds` is built, the others validated."""
    faults = {}
    for number in numbers:
        found = fault(case(number), root, "validate" if number % builds else "build")
        if found:
            faults[number] = found
    return faults


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--start", type=int, default=0)
    asked = parser.parse_args()
    began, faults = time.monotonic(), {}
    with tempfile.TemporaryDirectory() as folder:
        for first in range(asked.start, asked.start + asked.cases, 500):
            numbers = range(first, min(first + 500, asked.start + asked.cases))
            new = run([EXTRACTS + n if n % ONE_IN == 0 else n for n in numbers],
                      Path(folder) / "root")  # fmt: skip
            faults |= new
            for number, said in new.items():
                print(f"{case(number)}\n{said}\n")
            minutes = (time.monotonic() - began) / 60
            print(f"{numbers[-1] + 1} cases, {len(faults)} faults, {minutes:.1f} min", flush=True)
    sys.exit(bool(faults))
