"""Builds that are stopped, starved or disturbed: old results stand, or new ones, and the next
build succeeds."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import json
import multiprocessing
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import tiny_study as tiny

from analysis.cli import main
from analysis.errors import InputError
from analysis.release import build as building
from analysis.release.build import build, is_fresh
from analysis.study import Study

KILLS = 100
# Moments at which a program asks the system to change a file.
EVENTS = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate")


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def run(root: str, at: int = 0, seen: multiprocessing.Queue | None = None) -> None:
    """Build in this process, which kills itself at an event, the first being 1."""
    number = 0

    def count(event: str, arguments: tuple) -> None:
        nonlocal number
        if event not in EVENTS or root not in str(arguments):
            return
        number += 1
        if number == at:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    code = main(["build", tiny.NAME, "--root", root])
    if seen is not None:
        seen.put(number)
    sys.exit(code)


@pytest.fixture(scope="module")
def warm():
    """Processes forked from one that has imported everything already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["analysis.cli", "analysis.release.build", "analysis.intake.validation", "pyarrow.parquet",
         "xlsxwriter", "pyxform.xls2xform", "test_killed"]
    )  # fmt: skip
    return context


@pytest.fixture
def study(tmp_path) -> Study:
    made = tiny.make(tmp_path)
    build(made)
    return made


def said(root: Path) -> tuple[int, str]:
    """What a build ends with, and says of it."""
    with contextlib.redirect_stderr(io.StringIO()) as err:
        return main(["build", tiny.NAME, "--root", str(root)]), err.getvalue()


def leftovers(study: Study) -> list[str]:
    places = (study.paths.clean, study.paths.clean.parent, study.paths.raw)
    return [path.name for place in places for path in place.glob(".*")]


def test_killed_at_any_moment_old_results_stand_or_new_ones(study, warm):
    """Half of the moments are taken by the clock, half at the steps that change a file."""
    raw, root = study.paths.raw / "survey.csv", str(study.paths.root)
    known = {}
    for times in (3, 4):
        raw.write_text(tiny.survey(times))
        seen = warm.Queue()
        process = warm.Process(target=run, args=(root, 0, seen))
        began = time.monotonic()
        process.start()
        steps = seen.get(timeout=60)
        process.join()
        lasts = time.monotonic() - began
        known[times] = digests(study.paths.results)
    assert known[3] != known[4] and steps > 50
    chance, number, killed = random.Random(2026), 0, 0
    while killed < KILLS:
        raw.write_text(tiny.survey(3 + number % 2))
        at = chance.randint(1, steps) if number % 2 else 0
        process = warm.Process(target=run, args=(root, at))
        process.start()
        if not at:
            process.join(chance.uniform(0, lasts))
            process.kill()
        process.join()
        killed += process.exitcode == -signal.SIGKILL
        found = digests(study.paths.results)
        assert found in known.values(), (number, at, found)
        times = next(times for times, each in known.items() if each == found)
        # What is called fresh is so: results of these answers, and clean tables beside them.
        assert not is_fresh(study) or times == 3 + number % 2
        number += 1
    raw.write_text(tiny.survey(4))
    build(study)
    assert digests(study.paths.results) == known[4] and is_fresh(study)
    assert leftovers(study) == []


def test_two_builds_at_once_end_well(study, warm):
    processes = [warm.Process(target=run, args=(str(study.paths.root),)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert is_fresh(study) and leftovers(study) == []


def test_raw_files_are_only_read(study):
    raw = study.paths.raw / "survey.csv"
    raw.parent.chmod(0o555)
    raw.chmod(0o444)
    before = raw.read_bytes(), raw.stat().st_mtime_ns, raw.parent.stat().st_mtime_ns
    shutil.rmtree(study.paths.clean)
    try:
        assert said(study.paths.root) == (0, "")
    finally:
        raw.parent.chmod(0o755)
    assert before == (raw.read_bytes(), raw.stat().st_mtime_ns, raw.parent.stat().st_mtime_ns)


@pytest.mark.parametrize("change", ["written", "taken away"])
def test_an_input_that_changes_meanwhile_is_named(study, monkeypatch, change):
    raw, before = study.paths.raw / "survey.csv", digests(study.paths.results)
    release = building.release

    def meanwhile(*arguments):
        raw.write_text(tiny.survey(5)) if change == "written" else raw.unlink()
        return release(*arguments)

    monkeypatch.setattr(building, "release", meanwhile)
    code, err = said(study.paths.root)
    assert code == 2 and "data/raw/tiny/survey.csv" in err and "Traceback" not in err
    assert ("it changed meanwhile" if change == "written" else "it is gone") in err
    assert digests(study.paths.results) == before and leftovers(study) == []
    raw.write_text(tiny.survey(5))
    monkeypatch.undo()
    assert said(study.paths.root)[0] == 0


def test_a_folder_that_is_deleted_meanwhile_is_made_again(study, monkeypatch):
    release = building.release

    def meanwhile(*arguments):
        shutil.rmtree(study.paths.clean)
        return release(*arguments)

    before = digests(study.paths.results)
    monkeypatch.setattr(building, "release", meanwhile)
    assert said(study.paths.root)[0] == 0
    assert digests(study.paths.results) == before


def test_a_folder_that_is_deleted_while_it_is_written_is_told(study, monkeypatch):
    write = building.write_results

    def meanwhile(folder, *arguments):
        shutil.rmtree(study.paths.clean)
        write(folder, *arguments)

    monkeypatch.setattr(building, "write_results", meanwhile)
    code, err = said(study.paths.root)
    assert code == 2 and "files stay where they are" in err and "Traceback" not in err
    monkeypatch.undo()
    assert said(study.paths.root) == (0, "") and is_fresh(study)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("results/estimates.csv", "cut short"),
        ("results/provenance.json", "cut short"),
        ("results/estimates.xlsx", "taken away"),
        ("survey.parquet", "swapped"),
    ],
)
def test_damaged_results_are_stale_and_made_again(study, name, damage):
    path, before = study.paths.clean / name, digests(study.paths.results)
    content = path.read_bytes()
    if damage == "taken away":
        path.unlink()
    else:
        # The first half, as after a power cut, or something of the same length behind it.
        path.write_bytes(content[: len(content) // 2] + (damage == "swapped") * content[::-1])
    assert not is_fresh(study)
    assert main(["audit", tiny.NAME, "--root", str(study.paths.root)]) == 0
    build(study)
    assert is_fresh(study) and digests(study.paths.results) == before


def test_a_file_that_no_build_wrote_makes_results_stale(study):
    (study.paths.results / "extra.csv").write_text("a,b\n")
    assert not is_fresh(study)
    build(study)
    assert not (study.paths.results / "extra.csv").exists()


def test_a_table_of_a_source_that_is_no_more_goes_and_others_stay(study):
    record = study.paths.results / "provenance.json"
    content = json.loads(record.read_text())
    content["tables"]["actions.parquet"] = "0"
    record.write_text(json.dumps(content))
    for name in ("actions.parquet", "mine.parquet"):
        (study.paths.clean / name).write_bytes(b"PAR1")
    build(study)
    assert not (study.paths.clean / "actions.parquet").exists()
    assert (study.paths.clean / "mine.parquet").exists()


# A disk that is full, and files that are closed


@pytest.fixture
def small_disk(study, tmp_path):
    """A disk of its own under data/clean, with little room; a limit on files where only the
    administrator may mount one."""
    shutil.rmtree(tmp_path / "data/clean")
    (tmp_path / "data/clean").mkdir()
    call = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(tmp_path / "data/clean")]
    if (
        shutil.which("mount")
        and subprocess.run(call, check=False, capture_output=True).returncode == 0
    ):
        yield study
        subprocess.run(["umount", "-l", str(tmp_path / "data/clean")], check=True)
        return
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (9_000, before[1]))
    yield study
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_told_and_old_results_stand(small_disk):
    study = small_disk
    code, err = said(study.paths.root)
    assert code == 0, err
    before = digests(study.paths.results)
    space = shutil.disk_usage(study.paths.clean).free
    filler = study.paths.clean / "filler"
    # Less and less room, so that it runs out in each of the files.
    for free in (150_000, 100_000, 60_000, 30_000, 8_000, 0):
        filler.write_bytes(b"0" * max(0, space - free))
        code, err = said(study.paths.root)
        assert code == 2 and "files fit on the disk" in err and "make room" in err, (free, err)
        assert "Traceback" not in err
        assert digests(study.paths.results) == before and leftovers(study) == []
    filler.unlink()
    assert said(study.paths.root) == (0, "")


class Closed:
    """What the system says of a file that is closed to this account, the administrator too."""

    def __init__(self, number: int, name: str) -> None:
        self.number, self.name = number, name

    def __call__(self, event: str, arguments: tuple) -> None:
        if event == "open" and str(arguments[0]).endswith(self.name):
            raise OSError(self.number, os.strerror(self.number), str(arguments[0]))


@pytest.mark.parametrize(
    ("number", "name", "place"),
    [
        (errno.EACCES, "survey.csv", "data/raw/tiny/survey.csv"),
        (errno.EACCES, "study.yml", "studies/tiny/study.yml"),
        (errno.EROFS, ".lock", "data/clean/.tiny.lock"),
        (errno.EIO, ".part", "data/clean/tiny/"),
    ],
)
def test_a_file_that_is_closed_is_named(study, number, name, place):
    call = [sys.executable, "-c", f"""
import sys
sys.path[:0] = {sys.path!r}
from test_killed import Closed
from analysis.cli import main
import analysis.release.build, analysis.intake.validation, pyxform.xls2xform
sys.addaudithook(Closed({number}, {name!r}))
sys.exit(main(["build", "tiny", "--root", {str(study.paths.root)!r}]))
"""]  # fmt: skip
    done = subprocess.run(call, check=False, capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert place in done.stderr and "to do:" in done.stderr and "Traceback" not in done.stderr


def test_a_reader_never_sees_results_of_two_builds(study):
    """Files of results are read one by one while builds take each other's place."""
    from analysis.display.results import read_results  # noqa: PLC0415

    raw, done, wrong = study.paths.raw / "survey.csv", threading.Event(), []

    def read():
        while not done.is_set():
            found = read_results(study.paths.results, "results", "fr")
            base = found.estimates["base_n"].max()
            if len(found.precision) != len(found.estimates) or base not in (12, 16):
                wrong.append(base)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for number in range(6):
            raw.write_text(tiny.survey(3 + number % 2))
            build(study)
    finally:
        done.set()
        reader.join()
    assert not wrong


def test_a_lock_that_is_held_ends_with_2_and_a_name(study, capsys):
    from analysis.lock import lock  # noqa: PLC0415

    outcome = []

    def other():
        outcome.append(main(["build", tiny.NAME, "--root", str(study.paths.root), "--wait", "0"]))

    with lock(study.paths):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert outcome == [2]
    assert f"process {os.getpid()} on" in capsys.readouterr().err


def test_an_interruption_is_told_in_one_line(study, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(building, "release", interrupted)
    assert said(study.paths.root) == (130, "interrupted; what stood before still stands\n")


def test_a_mistake_is_an_error_for_who_calls_build(study):
    (study.paths.raw / "survey.csv").write_text("response_id,status,satisfaction\nR1,nobody,low\n")
    before = digests(study.paths.results)
    with pytest.raises(InputError, match="nobody"):
        build(study)
    assert digests(study.paths.results) == before
