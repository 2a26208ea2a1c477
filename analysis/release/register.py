"""The register of published figures: what a study prints, one row a figure."""

from __future__ import annotations

import re
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
LARGEST = 1e12  # more than there are people, or euros, in any of these studies
FRACTION = re.compile(r"[~>]?\d{1,9}/[1-9]\d{0,8}")
LONGEST = 40
# What a study prints as its number of people is the number of responses kept.
SAID = {("response_flow", "respondents"): "retained"}


def read_register(path: Path, shown: str) -> pd.DataFrame:
    """Read published.csv. Returns COLUMNS, plus `by` and `by_category` split from `a_x_b`.

    Raises InputError for a missing column, a repeated figure, an unknown place, a bad number.
    """
    try:
        frame = pd.read_csv(path, dtype="string", keep_default_na=False, encoding="utf-8")
    except (ValueError, pd.errors.ParserError) as error:  # not UTF-8, empty, or not a table
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
        numbers = pd.to_numeric(filled, errors="coerce").astype(float)
        for row, text in filled[~numbers.between(0, LARGEST)].items():
            problems.append(
                Problem(
                    shown,
                    "numbers are numbers",
                    text,
                    "a number with a point, not below 0",
                    "correct the cell",
                    int(str(row)) + 2,
                    name,
                )
            )
    return problems + _values(frame, shown)


def _values(frame: pd.DataFrame, shown: str) -> list[Problem]:
    """Figures that print nothing, or a value that cannot be compared."""
    problems = []
    for at, figure in enumerate(frame.to_dict("records"), start=2):
        value = figure["value"]
        fraction = figure["unit"] == "fraction"
        if not (value or figure["count"] or figure["percent"]):
            problems.append(
                Problem(shown, "a figure is a count, a percent or a value", "none of them",
                        "one of them", "write what the study prints", at, "value")
            )  # fmt: skip
        elif value and not (FRACTION.fullmatch(value) if fraction else len(value) <= LONGEST):
            problems.append(
                Problem(shown, "a value can be compared", value,
                        "a fraction such as 2/3, ~3/4 or >1/2" if fraction
                        else f"{LONGEST} characters at most", "correct the cell", at, "value")
            )  # fmt: skip
    return problems


def _crossed(frame: pd.DataFrame) -> pd.DataFrame:
    """Variable `a_x_b` and category `<of b>:<of a>` become variable a by b."""
    pairs = zip(frame["variable"], frame["category"], strict=True)
    frame["category"] = [SAID.get(pair, pair[1]) for pair in pairs]
    names = frame["variable"].str.partition("_x_")
    parts = frame["category"].str.partition(":")
    is_crossed = names[1] != ""
    frame["by"] = names[2].where(is_crossed, "")
    frame["by_category"] = parts[0].where(is_crossed, "")
    frame["variable"] = names[0].where(is_crossed, frame["variable"])
    frame["category"] = parts[2].where(is_crossed, frame["category"])
    return frame
