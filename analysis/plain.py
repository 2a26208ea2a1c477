"""Text of others as what it is, text: in Markdown, in a spreadsheet, on a terminal.

Answers, labels and file names may hold anything. Each place they are shown has signs that mean
something there; these functions take that meaning away, so that the text is read as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pandas as pd

# Characters without a shape, which hide or reorder what stands around them: controls, halves of
# a pair, overrides of the direction of writing, and marks that this software sets by itself.
STRANGE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069"
    "\ud800-\udfff\ue000-\ue002\ufffe\uffff]"
)
# Every sign of ASCII may be written with a backslash before it (https://pandoc.org/MANUAL.html).
SIGNS = re.compile(r"([!-/:-@\[-`{-~])")
# Blanks that end a line or indent one. A no-break space does neither.
BLANKS = re.compile("[ \t\r\n\x0b\x0c\x1c-\x1f\x85\u2028\u2029]+")
# What a spreadsheet reads a formula from, its full-width forms and blanks before it included.
FORMULA = re.compile("[ \t\r\n\u00a0\u3000]*[=+\\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")
NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?([eE][+-]?\d+)?\s?%?")
MOST = 300  # characters of a text that is told to a person: more are no place to look at


def strange(text: str) -> str:
    """The first character that no text of a study may hold, as U+202E, or ""."""
    found = STRANGE.search(text)
    return f"U+{ord(found[0]):04X}" if found else ""


def markdown(text: str) -> str:
    """A text as Markdown that shows it, whatever signs it holds: of pandoc's and of Quarto's."""
    return SIGNS.sub(r"\\\1", BLANKS.sub(" ", text))


def told(text: str, most: int = MOST) -> str:
    """A text as it is said on a terminal: cut, indented, and without commands for it."""
    cut = text if len(text) <= most else f"{text[:most]}… ({len(text)} characters)"
    seen = STRANGE.sub(lambda found: f"\\u{ord(found[0]):04x}", cut.replace("\r", "\\r"))
    return seen.replace("\n", "\n" + " " * 12)


def guarded(text: str) -> str:
    """A text as a cell of a CSV file, with an apostrophe before what a spreadsheet would compute.

    `unguarded` gives the text back: one that has such an apostrophe by itself gets another.
    """
    return f"'{text}" if _computed(text) else text


def unguarded(text: str) -> str:
    """The text of a cell that `guarded` wrote."""
    return text[1:] if text[:1] == "'" and _computed(text) else text


def _computed(text: str) -> bool:
    bare = text.lstrip("'")
    return FORMULA.match(bare) is not None and NUMBER.fullmatch(bare) is None


def guarded_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """A table with its texts and its names of columns guarded."""
    return _changed(frame, guarded)


def unguarded_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """The table that `guarded_frame` made into cells."""
    return _changed(frame, unguarded)


def _changed(frame: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    made: dict[str, pd.Series] = {}
    for name in map(str, frame.columns):
        if pd.api.types.is_numeric_dtype(frame[name]):
            continue
        # Few texts of a column are distinct, and hardly any changes.
        known = {text: change(text) for text in frame[name].unique() if isinstance(text, str)}
        changes = {text: becomes for text, becomes in known.items() if becomes != text}
        if changes:
            made[name] = frame[name].replace(changes)
    return frame.assign(**made).rename(columns=change)
