"""What is left to decide in the files of a study: marks that `new` leaves and `validate` reports.

A mark is a comment « À DÉCIDER » or "TO DECIDE" in study.yml, or a filled cell of the column
`to_decide` in questionnaire.csv and recodes.csv. None of them stops anything.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.paths import Paths

COLUMN = "to_decide"
MARK = re.compile(r"#\s*(?:À DÉCIDER|A DECIDER|TO DECIDE)\s*[::]?\s*(?P<text>.*)$", re.IGNORECASE)
BETWEEN = " ; "
TRANSLATE = (
    "traduire le libellé (repris du français)",
    "translate the label (taken from the English)",
)


@dataclass(frozen=True)
class Pending:
    """Something to decide: the file, its rows (or lines) and what."""

    file: str
    rows: tuple[int, ...]
    text: str

    def line(self, row: str = "row {}: ") -> str:
        """The mark as it is told on the screen. row: how its rows are told in a language."""
        some = ", ".join(map(str, self.rows[:4])) + ("…" if len(self.rows) > 4 else "")
        count = f" ({len(self.rows)})" if len(self.rows) > 1 else ""
        return f"{self.file}, {row.format(some)}{self.text}{count}"


def join(texts: list[str]) -> str:
    """Several things to decide of one row, in one cell."""
    return BETWEEN.join(texts)


def pending(paths: Paths, languages: Sequence[str]) -> list[Pending]:
    """Everything marked, in the order of files and rows; one entry a text and file.

    A study in one language has nothing to translate.
    """
    found: list[Pending] = []
    for name in ("study.yml", "questionnaire.csv", "recodes.csv"):
        path = paths.definition / name
        if path.is_file():
            marks = _comments(path) if name.endswith(".yml") else _cells(path)
            kept = [
                (row, text) for row, text in marks if len(languages) > 1 or text not in TRANSLATE
            ]
            found += _gathered(paths.shown(path), kept)
    return found


def _gathered(file: str, marks: list[tuple[int, str]]) -> list[Pending]:
    rows: dict[str, list[int]] = {}
    for row, text in marks:
        rows.setdefault(text, []).append(row)
    return [Pending(file, tuple(places), text) for text, places in rows.items()]


def _comments(path: Path) -> list[tuple[int, str]]:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    matches = [(number, MARK.search(line)) for number, line in enumerate(lines, start=1)]
    return [(number, match["text"].strip()) for number, match in matches if match]


def _cells(path: Path) -> list[tuple[int, str]]:
    """Filled cells of the column, below whichever header names it last."""
    found: list[tuple[int, str]] = []
    at: int | None = None
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as handle:
        reader = csv.reader(handle)
        for cells in reader:
            if COLUMN in cells:
                at = cells.index(COLUMN)
            elif at is not None and at < len(cells) and cells[at].strip():
                found += [(reader.line_num, text) for text in cells[at].split(BETWEEN)]
    return found
