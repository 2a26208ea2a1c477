"""Text to typed columns. What cannot be read becomes missing here; the schemas say so before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from analysis.intake.fields import Field

# Text as it is read: kept by Arrow, which takes a tenth of the room of Python's strings.
TEXT = pd.StringDtype("pyarrow")

# How exports write a ticked and an unticked box.
BOOLEANS = {
    "1": True,
    "oui": True,
    "yes": True,
    "true": True,
    "vrai": True,
    "0": False,
    "non": False,
    "no": False,
    "false": False,
    "faux": False,
}
# Days that a nanosecond can count to; no one answers on another.
FIRST, LAST = pd.Timestamp("1678-01-01"), pd.Timestamp("2261-12-31")
# Spaces that French and English typography put between thousands.
THOUSANDS = "[ \u00a0\u202f]"
NUMBER = r"[-+]?\d+(?:[.,]\d+)?(?:[eE][-+]?\d{1,2})?"
ISO_DATE = r"(\d{4}[-/]\d{2}[-/]\d{2})(?:[T ].*)?"
DAY_FIRST = r"(\d{1,2}[/.-]\d{1,2}[/.-]\d{4})(?: .*)?"


def coded(column: pd.Series) -> pd.Series:
    """The same text as a categorical, so that a text that comes often is worked on once."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column
    codes, texts = pd.factorize(column.astype(TEXT))
    return _categorical(codes, texts, column.index)


def reworded(column: pd.Series, change: Callable[[str], str | None]) -> pd.Series:
    """A categorical of text with each text changed; None makes it missing, equal ones merge."""
    texts: Any = pd.array([change(text) for text in column.cat.categories], dtype=TEXT)
    merged, kept = pd.factorize(texts)
    codes = np.append(merged, -1)[column.cat.codes.to_numpy()]
    return _categorical(codes, kept, column.index)


def by_text(column: pd.Series, convert: Callable[[pd.Series], pd.Series]) -> pd.Series:
    """What `convert` makes of a column of text, worked out once for each text of a categorical.

    Missing where the column is.
    """
    if not isinstance(column.dtype, pd.CategoricalDtype):
        return convert(column)
    read = convert(pd.Series(column.cat.categories, dtype=TEXT))
    spread = read.array.take(column.cat.codes.to_numpy(), allow_fill=True)
    return pd.Series(spread, index=column.index)


def _categorical(codes: np.ndarray, texts: Any, index: pd.Index) -> pd.Series:
    return pd.Series(pd.Categorical.from_codes(codes, pd.Index(texts, dtype=TEXT)), index=index)


def split_codes(cell: str, mark: str = ";") -> list[str]:
    """Codes of a delimited cell, without blanks around and without empty ones."""
    return [code for part in cell.split(mark) if (code := part.strip())]


def as_number(column: pd.Series) -> pd.Series:
    """Numbers with a point or a decimal comma, as Float64; a comma is never a thousands mark."""
    tight = column.str.replace(THOUSANDS, "", regex=True)
    written = tight.str.fullmatch(NUMBER).fillna(False).astype(bool)
    return pd.to_numeric(
        tight.where(written).str.replace(",", ".", regex=False), errors="coerce"
    ).astype("Float64")


def as_integer(column: pd.Series) -> pd.Series:
    """Whole numbers as Float64; a number with decimals is missing."""
    number = as_number(column)
    return number.where((number % 1 == 0).fillna(False).astype(bool))


def as_date(column: pd.Series) -> pd.Series:
    """Days as datetime64: ISO 8601 or day, month, year; a time of day is left out."""
    iso = column.str.extract(f"^{ISO_DATE}$", expand=False).str.replace("/", "-")
    day = column.str.extract(f"^{DAY_FIRST}$", expand=False).str.replace("[.-]", "/", regex=True)
    read = pd.to_datetime(iso, format="%Y-%m-%d", errors="coerce").fillna(
        pd.to_datetime(day, format="%d/%m/%Y", errors="coerce")
    )
    read = read.where((read >= FIRST) & (read <= LAST))
    return read.astype("datetime64[ns]")  # one unit, whichever the version of pandas guesses


def as_boolean(column: pd.Series) -> pd.Series:
    """Ticked or not, as nullable boolean (see BOOLEANS)."""
    cells = column.to_numpy(dtype=object, na_value="")
    read = [BOOLEANS.get(cell.casefold()) for cell in cells]
    return pd.Series(pd.array(read, dtype="boolean"), index=column.index)


def as_category(column: pd.Series, answers: tuple[str, ...]) -> pd.Series:
    """An ordered Categorical over the answers, in their order; other texts are missing."""
    return coded(column).cat.set_categories(list(answers), ordered=True)


# How the text of each type of field is read.
READABLE: dict[str, Callable[[pd.Series], pd.Series]] = {
    "number": as_number,
    "integer": as_integer,
    "date": as_date,
    "boolean": as_boolean,
}


def typed(frame: pd.DataFrame, known: dict[str, Field]) -> pd.DataFrame:
    """A clean table from recoded text: one column a field, several-answer fields as boolean
    columns ``field/answer``. Fields that the frame lacks are left out."""
    parts: dict[str, pd.Series] = {}
    for field in known.values():
        if field.type == "several":
            parts |= _several(frame, field)
        elif field.name in frame:
            parts[field.name] = _single(frame[field.name], field)
    return pd.DataFrame(parts, index=frame.index)


def answered(frame: pd.DataFrame, field: Field) -> pd.Series:
    """The answer to a field for each row of a clean table; missing where none.

    The answers to a several-answer field are a categorical of text, joined by ";".
    """
    if field.type != "several":
        return frame[field.name]
    ticks = frame[field.columns].fillna(False).to_numpy(dtype=bool)
    # Rows are numbered by what they tick, so that each combination is written once.
    rows = np.zeros(len(ticks), dtype="int64")
    for ticked in ticks.T:
        rows, _ = pd.factorize(2 * rows + ticked)
    _, first = np.unique(rows, return_index=True)
    answers = np.array(field.answers, dtype=object)
    texts = [";".join(answers[ticks[row]]) for row in first]
    return reworded(_categorical(rows, texts, frame.index), lambda text: text or None)


def _single(column: pd.Series, field: Field) -> pd.Series:
    if field.type == "category":
        return as_category(column, field.answers)
    convert = READABLE.get(field.type)
    return by_text(column, convert) if convert else column.astype(TEXT)


def _several(frame: pd.DataFrame, field: Field) -> dict[str, pd.Series]:
    """Boolean columns of a several-answer field, whichever way it was delivered.

    A question with no box ticked was not answered: exports write 0 there too. For the column of
    an extract, where a row is described and not asked, no box ticked means that none applies.
    """
    ticks = _listed(frame[field.name], field) if field.name in frame else _ticked(frame, field)
    if not ticks.shape[1]:
        return {}
    values = ticks.fillna(False).to_numpy(dtype=bool)
    told = np.asarray(values.any(axis=1))
    if field.question is None:
        told = told | ticks.notna().to_numpy().any(axis=1) | field.required
    return {
        str(name): pd.Series(pd.arrays.BooleanArray(values[:, at], ~told), index=frame.index)
        for at, name in enumerate(ticks)
    }


def _listed(column: pd.Series, field: Field) -> pd.DataFrame:
    cells = coded(column)

    def ticked(answer: str) -> pd.Series:
        return by_text(
            cells,
            lambda texts: pd.Series(
                [answer in split_codes(text) for text in texts], dtype="boolean"
            ),
        )

    return pd.DataFrame(
        {tick: ticked(answer) for tick, answer in zip(field.ticks, field.answers, strict=True)},
        index=column.index,
    )


def _ticked(frame: pd.DataFrame, field: Field) -> pd.DataFrame:
    present = [tick for tick in field.ticks if tick in frame]
    return pd.DataFrame({t: by_text(frame[t], as_boolean) for t in present}, index=frame.index)
