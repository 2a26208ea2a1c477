"""One command at a time writes what a study gives.

The system locks an open file for us (`flock`, or `locking` on Windows) and lets go of it when the
process ends, however it ends. Who holds it stands in the file, for people; where a file system
knows no locks, it stands there for us too, and a holder that is no more is recognised.
Soundness does not rest on it: results take their place in one step (`whole`).
"""

from __future__ import annotations

import datetime as dt
import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from analysis import whole
from analysis.errors import InputError, Problem
from analysis.paths import Paths

WAIT = 600.0  # seconds: a report takes less
PAUSE = 0.1
# Where no lock of the system is to be had, a holder on another machine that we cannot ask.
FORGOTTEN = dt.timedelta(days=1)


@dataclass(frozen=True)
class Holder:
    """Who holds a lock: process, machine, when it took it, and when the process itself began,
    which tells it from a later process of the same number."""

    pid: int
    host: str
    since: str
    began: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}, since {self.since}"


class UnlockableError(Exception):
    """The file system knows no locks."""


_held: set[tuple[Path, int]] = set()


@contextmanager
def lock(
    paths: Paths, wait: float = WAIT, say: Callable[[str], None] = lambda _: None
) -> Iterator[None]:
    """Hold the lock of a study, and take away what a killed command left behind.

    Waits up to `wait` seconds for another process, or thread, to let go of it, and says so.
    A thread that holds it already goes on. Raises InputError that names who holds it, OSError
    where its file cannot be written.
    """
    key = paths.lock, threading.get_ident()
    if key in _held:
        yield
        return
    paths.lock.parent.mkdir(parents=True, exist_ok=True)
    handle = _acquired(paths, wait, say)
    _held.add(key)
    try:
        whole.sweep(paths.clean)
        whole.sweep(paths.sites.parent, paths.sites.name)
        yield
    finally:
        _held.discard(key)
        with suppress(OSError):  # Windows keeps a file that is open
            paths.lock.unlink()
        if handle is not None:
            os.close(handle)


def _acquired(paths: Paths, wait: float, say: Callable[[str], None]) -> int | None:
    """The open file of the lock, once it is ours; None where its content alone is the lock."""
    ends, told = time.monotonic() + wait, False
    while True:
        handle = os.open(paths.lock, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            if _locks(handle) and _still(handle, paths.lock):
                _write(handle, myself())
                return handle
        except UnlockableError:
            if _claimed(paths.lock):
                os.close(handle)
                return None
        except OSError:
            os.close(handle)
            paths.lock.unlink(missing_ok=True)
            raise
        os.close(handle)
        holder = _read(paths.lock)
        if time.monotonic() >= ends:
            raise _busy(paths, holder, wait)
        if not told and holder is not None:
            say(f"waiting for {holder}")
            told = True
        time.sleep(PAUSE)


def _locks(handle: int) -> bool:
    """Whether the system gave us the lock. Raises UnlockableError where it has none to give."""
    try:
        if os.name == "nt":
            import msvcrt  # noqa: PLC0415

            os.lseek(handle, 1 << 30, os.SEEK_SET)  # far from what people read in it
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined, unused-ignore]
        else:
            import fcntl  # noqa: PLC0415

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError as error:
        raise UnlockableError from error
    return True


def _still(handle: int, path: Path) -> bool:
    """Whether the file we locked is the one that others see: who lets go takes it away."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except OSError:
        return False


def _claimed(path: Path) -> bool:
    """Whether a lock that is only what its file says is ours now."""
    found, mine = _read(path), myself()
    if found is not None and alive(found):
        return False
    whole.write(path, json.dumps(asdict(mine)))
    time.sleep(2 * PAUSE)  # another one may have found it free at the same moment: the last has it
    return _read(path) == mine


def alive(holder: Holder, now: dt.datetime | None = None) -> bool:
    """Whether who holds a lock still may: its process runs, or runs where we cannot look."""
    if holder.host != socket.gethostname():
        since = dt.datetime.fromisoformat(holder.since)
        return (now or dt.datetime.now().astimezone()) - since < FORGOTTEN
    return began(holder.pid) == holder.began


def myself() -> Holder:
    """This process."""
    since = dt.datetime.now().astimezone().isoformat(timespec="seconds")
    return Holder(os.getpid(), socket.gethostname(), since, began(os.getpid()))


def began(pid: int) -> str:
    """When a process began, as its system writes it; "" for a process that is not there."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        # The name, in brackets, may hold anything; the time is 20 fields after it.
        return stat.rpartition(")")[2].split()[19]
    except OSError:
        if Path("/proc/self").exists():
            return ""
    try:
        call = ["ps", "-o", "lstart=", "-p", str(pid)]
        return subprocess.run(call, check=False, capture_output=True, text=True).stdout.strip()
    except OSError:
        return "unknown"


def _write(handle: int, holder: Holder) -> None:
    os.ftruncate(handle, 0)
    os.lseek(handle, 0, os.SEEK_SET)
    os.write(handle, json.dumps(asdict(holder)).encode())


def _read(path: Path) -> Holder | None:
    """Who a lock says holds it; nobody where it is empty, gone or cut short."""
    try:
        return Holder(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _busy(paths: Paths, holder: Holder | None, wait: float) -> InputError:
    return InputError(
        [
            Problem(
                paths.shown(paths.lock),
                "one command at a time writes what a study gives",
                str(holder or "another process"),
                f"that it ends within {wait:g} seconds",
                "wait until it has ended, or end it, and call the command again; where that "
                "process is no more, delete the file",
            )
        ]
    )
