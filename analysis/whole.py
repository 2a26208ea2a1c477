"""Files and folders that appear whole or not at all, whatever stops the program.

Everything is written beside its place under a name that ends in PART, reaches the disk, and takes
its place in one step. Linux and macOS can exchange two folders in one step; elsewhere, and on file
systems that cannot, there are two, and `sweep` puts back what was set aside between them.
"""

from __future__ import annotations

import ctypes
import errno
import os
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PART, OLD = ".part", ".old"
TOKEN = 4  # bytes that tell one draft from another
AT_FDCWD = -100  # of fcntl.h: paths are read from the working folder
EXCHANGE = 2  # RENAME_EXCHANGE of linux/fs.h, and RENAME_SWAP of macOS


def write(path: Path, content: bytes | str) -> Path:
    """Write a file, text as UTF-8. Raises OSError; what stood there before then still stands."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True)
    with files(path) as drafts:
        drafts[path].write_bytes(data)
    return path


@contextmanager
def files(*targets: Path) -> Iterator[dict[Path, Path]]:
    """A draft for each of some files, to be written; all take their places where nothing is
    raised, and none before."""
    drafts = {target: _beside(target) for target in targets}
    try:
        yield drafts
        for draft in drafts.values():
            _settle(draft)
        for target, draft in drafts.items():
            draft.replace(target)
        for place in {target.parent for target in targets}:
            _settle(place)
    finally:
        for draft in drafts.values():
            with suppress(OSError):
                draft.unlink(missing_ok=True)


@contextmanager
def folder(target: Path, carry: Callable[[str], bool] = lambda _: False) -> Iterator[Path]:
    """An empty folder to fill, which takes the place of `target` where nothing is raised.

    carry: names in the old folder that the new one keeps. They are linked rather than copied, so
    they may be replaced in the new one and must not be written into.
    """
    target = Path(os.path.realpath(target))
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = _beside(target)
    draft.mkdir()
    try:
        for path in target.iterdir() if target.is_dir() else ():
            if carry(path.name):
                _link(path, draft / path.name)
        try:
            yield draft
        except OSError as error:
            if draft.is_dir():
                raise
            # Libraries tell of a folder that is gone each in its own way.
            number = errno.ENOENT
            raise FileNotFoundError(number, os.strerror(number), str(target)) from error
        for path in sorted(draft.rglob("*")):
            _settle(path)
        _put(draft, target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def sweep(place: Path, name: str = "*") -> None:
    """Take away what a killed program left in a folder of what it was to name `name`, and put
    back what it had set aside."""
    for path in place.glob(f".{name}{OLD}"):
        target = path.with_name(path.name.removeprefix(".").removesuffix(OLD))
        if not target.exists():
            path.rename(target)
        _remove(path)
    for path in place.glob(f".{name}.{'?' * 2 * TOKEN}{PART}"):
        _remove(path)


def _beside(path: Path) -> Path:
    """A name of its own for a draft of a file or folder."""
    return path.with_name(f".{path.name}.{secrets.token_hex(TOKEN)}{PART}")


def _put(draft: Path, target: Path) -> None:
    """Put a folder in the place of another, which is gone afterwards."""
    set_aside = target.with_name(f".{target.name}{OLD}")
    if not target.exists():
        draft.rename(target)
    elif not _exchange(draft, target):
        shutil.rmtree(set_aside, ignore_errors=True)
        target.rename(set_aside)
        draft.rename(target)
    _settle(target.parent)
    shutil.rmtree(set_aside, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; whether this system and file system could."""
    names = os.fsencode(one), os.fsencode(other)
    try:
        library = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "linux":
            done = library.renameat2(AT_FDCWD, names[0], AT_FDCWD, names[1], EXCHANGE)
        elif sys.platform == "darwin":
            done = library.renamex_np(*names, EXCHANGE)
        else:
            return False
    except (OSError, TypeError, AttributeError):  # no such library, or an older one
        return False
    return bool(done == 0)


def _settle(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    if os.name == "nt" or path.is_symlink():
        return  # Windows flushes only what is open for writing, and needs no folder flushed
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _link(path: Path, target: Path) -> None:
    """A second name for a file, or for every file of a folder; a copy where links are not had."""
    if path.is_dir() and not path.is_symlink():
        shutil.copytree(path, target, symlinks=True, copy_function=_link_file)
    else:
        _link_file(path, target)


def _link_file(path: Path | str, target: Path | str) -> None:
    try:
        os.link(path, target, follow_symlinks=False)
    except (OSError, NotImplementedError):
        shutil.copy2(path, target, follow_symlinks=False)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
