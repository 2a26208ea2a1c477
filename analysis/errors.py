"""Mistakes in the input, told to the person who can mend them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches


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
        place = self.file
        if self.row is not None:
            place += f", row {self.row}"
        if self.column is not None:
            place += f", column {self.column}"
        return (
            f"{place}\n  rule:     {self.rule}\n  found:    {self.found}\n"
            f"  expected: {self.expected}\n  to do:    {self.action}"
        )


class InputError(Exception):
    """Something in the input must change. Carries every problem found, not the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("\n\n".join(problem.block() for problem in self.problems))


class DefectError(Exception):
    """Results that cannot be right: a defect of ours, which whoever runs a study cannot mend."""


def nearest(word: str, known: Sequence[str]) -> str:
    """The known word nearest to a mistyped one, as the end of an instruction."""
    match = get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"write {match[0]!r}" if match else "choose one of " + ", ".join(sorted(known))
