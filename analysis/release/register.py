"""The register of published figures: what a study prints, one row a figure."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from analysis.errors import InputError, Problem

COLUMNS = [
    "figure_id",
    "place",
    "slide",
    "variable",
    "population",
    "base_n",
    "base_kind",
    "category",
    "label_fr",
    "count",
    "percent",
    "value",
    "unit",
    "note",
]
PLACES = ("chart", "tile", "text")
NUMBERS = ["base_n", "count", "percent"]


def read_register(path: Path, shown: str) -> pd.DataFrame:
    """Read published.csv. Returns COLUMNS, plus `by` and `by_category` split from `a_x_b`.

    Raises InputError for a missing column, a repeated figure, an unknown place, a bad number.
    """
    try:
        frame = pd.read_csv(path, dtype="string", keep_default_na=False, encoding="utf-8")
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError(
            [
                Problem(
                    shown,
                    "the register is UTF-8 CSV",
                    str(error),
                    "a CSV file",
                    "save the file as UTF-8 CSV",
                )
            ]
        ) from error
    missing = [name for name in COLUMNS if name not in frame]
    if missing:
        raise InputError(
            [
                Problem(
                    shown,
                    "the register has its columns",
                    "no " + ", ".join(missing),
                    ", ".join(COLUMNS),
                    "add the missing columns",
                    1,
                )
            ]
        )
    problems = _problems(frame, shown)
    if problems:
        raise InputError(problems)
    for name in NUMBERS:
        frame[name] = pd.to_numeric(frame[name].replace("", pd.NA))
    return _crossed(frame)


def _problems(frame: pd.DataFrame, shown: str) -> list[Problem]:
    problems = []
    for row, figure in frame[frame["figure_id"].duplicated()]["figure_id"].items():
        problems.append(
            Problem(
                shown,
                "a figure stands once",
                figure,
                "a figure_id of its own",
                "rename or remove one of them",
                int(str(row)) + 2,
                "figure_id",
            )
        )
    for row, place in frame[~frame["place"].isin(PLACES)]["place"].items():
        problems.append(
            Problem(
                shown,
                "a figure has a place",
                place,
                ", ".join(PLACES),
                "write where the study prints it",
                int(str(row)) + 2,
                "place",
            )
        )
    for name in NUMBERS:
        filled = frame[name][frame[name] != ""]
        for row, text in filled[pd.to_numeric(filled, errors="coerce").isna()].items():
            problems.append(
                Problem(
                    shown,
                    "numbers are numbers",
                    text,
                    "a number with a point",
                    "correct the cell",
                    int(str(row)) + 2,
                    name,
                )
            )
    return problems


def _crossed(frame: pd.DataFrame) -> pd.DataFrame:
    """Variable `a_x_b` and category `<of b>:<of a>` become variable a by b."""
    names = frame["variable"].str.partition("_x_")
    parts = frame["category"].str.partition(":")
    is_crossed = names[1] != ""
    frame["by"] = names[2].where(is_crossed, "")
    frame["by_category"] = parts[0].where(is_crossed, "")
    frame["variable"] = names[0].where(is_crossed, frame["variable"])
    frame["category"] = parts[2].where(is_crossed, frame["category"])
    return frame
