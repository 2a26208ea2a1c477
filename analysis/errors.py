"""Mistakes in the input, told to the person who can mend them."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from analysis.plain import told

LONG = 1_000  # characters of a list of what is known


LONG = 1_000  # characters of a list of what is known


@dataclass(frozen=True)
class Problem:
    """One thing to mend: where it is, what was found, what was expected, what to do.

    `row` is the line of the file as a spreadsheet shows it (the header is row 1).
    """

    file: str
    rule: str
    found: str
    expected: str
    action: str
    row: int | None = None
    column: str | None = None

    def block(self) -> str:
        place = told(self.file)
        if self.row is not None:
            place += f", row {self.row}"
        if self.column is not None:
            place += f", column {told(self.column)}"
        return (
            f"{place}\n  rule:     {told(self.rule)}\n  found:    {told(self.found)}\n"
            f"  expected: {told(self.expected, LONG)}\n  to do:    {told(self.action, LONG)}"
        )


class InputError(Exception):
    """Something in the input must change. Carries every problem found, not the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("\n\n".join(problem.block() for problem in self.problems))


class DefectError(Exception):
    """Results that cannot be right: a defect of ours, which whoever runs a study cannot mend."""


FULL = ("files fit on the disk", "room for every file", "make room, or ask for more of it")
CLOSED = (
    "the files of a study can be read, and its results written",
    "the right to read the file, or to write where it stands",
    "give it to the account that runs the command, or run it as its owner",
)
WRITTEN = ("data/clean", "_site")
SYSTEM = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EFBIG: FULL,
    errno.EACCES: CLOSED,
    errno.EPERM: CLOSED,
    errno.EROFS: CLOSED,
    errno.ENOENT: (
        "files stay where they are while a command runs",
        "the file or folder, until the command has ended",
        "let whatever removes it end",
    ),
    errno.EIO: (
        "the disk reads and writes",
        "no error of the disk",
        "look after the disk, or use another one",
    ),
    errno.EBUSY: (
        "a folder of results can be replaced by another",
        "a folder that is no disk of its own",
        "mount the disk on the folder above",
    ),
}


def of_system(error: OSError, shown: Callable[[Path], str]) -> Problem | None:
    """What the system refused, told as a problem; None where no one could mend it.

    shown: a path as it is told to people. Results that stood before still stand.
    """
    place = shown(Path(str(error.filename))) if error.filename else "the disk"
    # A file of ours that is missing elsewhere is a defect.
    gone = error.errno == errno.ENOENT and not place.startswith(WRITTEN)
    if error.errno not in SYSTEM or gone:
        return None
    rule, expected, action = SYSTEM[error.errno]
    again = f"{action}, and call the command again; what stood before still stands"
    return Problem(place, rule, str(error.strerror or error), expected, again)


def nearest(word: str, known: Sequence[str]) -> str:
    """The known word nearest to a mistyped one, as the end of an instruction."""
    match = get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"write {match[0]!r}" if match else "choose one of " + ", ".join(sorted(known))
