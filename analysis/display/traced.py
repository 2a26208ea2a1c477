"""Numbers that know the rows of the results they come from.

A row is named by a letter for its file and its line there, as a spreadsheet counts lines: `e12` is
line 12 of estimates.csv. A number computed from several rows names them all, a space between.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

# A number and its rows inside a text, between marks that no text of a study holds.
MARK = re.compile("\ue000([^\ue001]*)\ue001([^\ue002]*)\ue002")
FILES = {"e": "estimates", "m": "measures", "t": "tests", "f": "facts"}


class Traced(str):
    """A plain text that also knows, number by number, the rows it comes from.

    `marked` is the same text with its numbers between marks. Any method of str gives a plain text;
    `change` gives a traced one.
    """

    marked: str

    def __new__(cls, marked: str) -> Traced:
        traced = super().__new__(cls, MARK.sub(r"\2", marked))
        traced.marked = marked
        return traced

    def change(self, change: Callable[[str], str]) -> Traced:
        """The text changed around its numbers, which keep their rows."""
        return Traced(change(self.marked))

    def inside(self, change: Callable[[str], str]) -> Traced:
        """The text changed where its numbers are, as where one starts a sentence in words."""
        return Traced(MARK.sub(lambda m: number(change(m[2]), m[1]).marked, self.marked))

    def pieces(self) -> Iterator[tuple[str, str]]:
        """The text in order, cut at its numbers: each piece and its rows, "" where it has none."""
        at = 0
        for found in MARK.finditer(self.marked):
            yield self.marked[at : found.start()], ""
            yield found[2], found[1]
            at = found.end()
        yield self.marked[at:], ""


def number(text: str, rows: str) -> Traced:
    """A number as text, and its rows. One without any row is only text."""
    return Traced(f"\ue000{rows}\ue001{text}\ue002" if rows else text)


def lines(file: str, indices: Iterable[int]) -> list[str]:
    """Names of rows of a file by their place in its frame, 0 the first."""
    return [f"{file}{index + 2}" for index in indices]


def together(rows: Iterable[str]) -> str:
    """Several rows as those of one number, each once."""
    return " ".join(dict.fromkeys(name for row in rows for name in row.split()))


def ranges(numbers: Iterable[int]) -> str:
    """Line numbers in short: 3–5, 9."""
    runs: list[list[int]] = []
    for value in sorted(numbers):
        if runs and value == runs[-1][-1] + 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
