"""A build of a large extract that someone stops with Ctrl+C, on a terminal that shows how far it
is."""

import contextlib
import os
import pty
import shutil
import signal
import subprocess
import sys
import time

import pytest
from extracts import make, two_years

from analysis.release.build import build

sys.path.append("bench")
from extract import STUDY, write_study

ROWS = 1_000_000
COMMAND = [sys.executable, "-m", "analysis", "build", STUDY, "--root"]
WAIT = 120


@pytest.fixture
def heeded():
    """Ctrl+C is heeded by what is started here: what a shell starts in the background ignores it,
    and so do its children, as where a CI runs these tests."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def output_until(terminal, wanted):
    """What a terminal shows, until it shows something, or to its end."""
    shown, end = b"", time.monotonic() + WAIT
    with contextlib.suppress(OSError):  # a terminal whose program ended
        while not (wanted and wanted in shown) and time.monotonic() < end:
            piece = os.read(terminal, 4096)
            if not piece:
                break
            shown += piece
    return shown


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A study with results of a few actions, whose extract then became a million."""
    root = tmp_path_factory.mktemp("interrupted")
    study = make(root, two_years(), more="", on_bad_row="stop")
    build(study)
    write_study(root / "other", ROWS)
    raw = study.paths.raw / "actions"
    shutil.rmtree(raw)
    shutil.move(root / "other" / "data" / "raw" / STUDY / "actions", raw)
    return study


@pytest.mark.parametrize("when", [b"reading and checking", b"estimating: people"])
@pytest.mark.usefixtures("heeded")
def test_a_build_that_is_stopped_leaves_what_stood(large, when):
    before = contents(large.paths.results)
    terminal, program = pty.openpty()
    running = subprocess.Popen(
        [*COMMAND, str(large.paths.root)], stdout=program, stderr=program, start_new_session=True
    )
    os.close(program)
    shown = output_until(terminal, when)
    assert when in shown, shown
    time.sleep(0.2)
    running.send_signal(signal.SIGINT)
    shown += output_until(terminal, None)
    os.close(terminal)
    assert running.wait(WAIT) == 130, shown.decode()
    assert b"interrupted; what stood before still stands" in shown
    assert b"Traceback" not in shown
    assert contents(large.paths.results) == before
    left = {path.name for path in large.paths.clean.iterdir()}
    assert not [name for name in left if name.startswith(".engine")]


def test_progress_names_each_table_and_its_speed(large):
    terminal, program = pty.openpty()
    running = subprocess.Popen([*COMMAND, str(large.paths.root)], stdout=program, stderr=program)
    os.close(program)
    shown = output_until(terminal, None).decode()
    os.close(terminal)
    assert running.wait(WAIT) == 0, shown
    for told in ("checked 1,000,000 actions (", "estimating: titles", "estimating: providers",
                 "estimated: people, 1,000,000 actions ("):  # fmt: skip
        assert told in shown
    assert " a second)" in shown.partition("estimated: people")[2]
