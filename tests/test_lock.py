"""The lock of a study: who waits, who is named, and which locks are stale."""

import datetime as dt
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import asdict, replace

import pytest

from analysis import lock as locks
from analysis.errors import InputError
from analysis.lock import Holder, alive, began, lock, myself
from analysis.paths import PROJECT, Paths

HOLD = """
import sys, time
from pathlib import Path
from analysis.lock import lock
from analysis.paths import Paths
with lock(Paths("s", Path(sys.argv[1]))):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def paths(tmp_path):
    return Paths("s", tmp_path)


@pytest.fixture
def other(tmp_path):
    """Another process that holds the lock."""
    call = [sys.executable, "-c", HOLD, str(tmp_path)]
    process = subprocess.Popen(call, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def without_locks(monkeypatch):
    """A file system that knows no locks."""

    def none_to_give(_):
        raise locks.UnlockableError

    monkeypatch.setattr(locks, "_locks", none_to_give)


def test_who_holds_the_lock_is_named(paths, other):
    with pytest.raises(InputError) as raised, lock(paths, wait=0):
        pass
    (problem,) = raised.value.problems
    assert problem.file == "data/clean/.s.lock"
    assert f"process {other.pid} on {socket.gethostname()}, since 20" in problem.found
    assert "within 0 seconds" in problem.expected and problem.action


def test_a_killed_process_lets_go(paths, other):
    said = []
    os.kill(other.pid, signal.SIGKILL)
    with lock(paths, wait=10, say=said.append):
        assert json.loads(paths.lock.read_text())["pid"] == os.getpid()
    assert not paths.lock.exists()


def test_another_process_is_waited_for(paths, other):
    said = []
    threading.Timer(0.4, other.kill).start()
    with lock(paths, wait=20, say=said.append):
        pass
    assert said == [f"waiting for process {other.pid} on {socket.gethostname()}, since "
                    + said[0][-25:]]  # fmt: skip


def test_who_holds_it_may_take_it_again_and_another_thread_may_not(paths):
    outcome = []

    def try_it():
        try:
            with lock(paths, wait=0):
                outcome.append("taken")
        except InputError:
            outcome.append("refused")

    with lock(paths), lock(paths, wait=0):
        thread = threading.Thread(target=try_it)
        thread.start()
        thread.join()
    assert outcome == ["refused"]
    with lock(paths, wait=0):
        assert paths.lock.exists()


def test_the_lock_is_let_go_when_something_is_raised(paths):
    with pytest.raises(ValueError, match="stop"), lock(paths):
        raise ValueError("stop")
    with lock(paths, wait=0):
        assert paths.lock.exists()


def test_leftovers_are_taken_away_and_other_studies_left_alone(paths):
    ours = [paths.clean / ".results.0a1b2c3d.part", paths.root / "_site/.s.0a1b2c3d.part"]
    theirs = paths.root / "_site/.t.0a1b2c3d.part"
    for folder in (*ours, theirs):
        folder.mkdir(parents=True)
    with lock(paths):
        assert not any(folder.exists() for folder in ours) and theirs.exists()


def test_what_the_file_says_is_the_lock_where_the_system_has_none(paths, without_locks):
    with lock(paths, wait=0):
        assert json.loads(paths.lock.read_text())["pid"] == os.getpid()
        with pytest.raises(InputError, match=f"process {os.getpid()}"):
            locks._acquired(paths, 0, print)
    assert not paths.lock.exists()


def ended() -> int:
    """The number of a process that is no more."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.mark.parametrize(
    "stale",
    [
        replace(myself(), pid=ended(), began="1"),
        replace(myself(), began="1"),  # a later process has the number
        replace(myself(), host="elsewhere", since="2026-01-01T00:00:00+01:00"),
    ],
)
def test_a_stale_holder_is_recognised(paths, without_locks, stale):
    assert not alive(stale)
    paths.lock.parent.mkdir(parents=True)
    paths.lock.write_text(json.dumps(asdict(stale)))
    with lock(paths, wait=0):
        assert json.loads(paths.lock.read_text())["pid"] == os.getpid()


def test_a_holder_on_another_machine_is_believed_for_a_day(paths, without_locks):
    elsewhere = replace(myself(), host="elsewhere", pid=ended())
    tomorrow = dt.datetime.now().astimezone() + dt.timedelta(days=1, minutes=1)
    assert alive(elsewhere) and not alive(elsewhere, tomorrow)
    paths.lock.parent.mkdir(parents=True)
    paths.lock.write_text(json.dumps(asdict(elsewhere)))
    with pytest.raises(InputError, match="on elsewhere"), lock(paths, wait=0):
        pass


@pytest.mark.parametrize("text", ["", '{"pid": 1', "[]", '{"pid": 1}'])
def test_a_record_cut_short_holds_nothing(paths, without_locks, text):
    paths.lock.parent.mkdir(parents=True)
    paths.lock.write_text(text)
    with lock(paths, wait=0):
        assert json.loads(paths.lock.read_text())["pid"] == os.getpid()


def test_processes_are_told_by_when_they_began():
    first = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(30)"])
    try:
        mine, theirs = began(os.getpid()), began(first.pid)
        time.sleep(0.05)
        assert mine and theirs and mine != theirs
        assert began(first.pid) == theirs
    finally:
        first.kill()
        first.wait()
    assert began(first.pid) == ""
    assert isinstance(myself(), Holder)
