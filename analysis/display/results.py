"""The released results as frames: the only data that display reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from analysis.errors import InputError, Problem

ESTIMATE_TEXT = [
    "chapter", "table", "population", "variable", "category", "by", "by_category", "base_kind",
    "method", "verdict", "evidence",
]  # fmt: skip
ESTIMATE_NUMBERS = ["base_n", "count", "share", "share_low", "share_high"]
TEST_NUMBERS = [
    "statistic", "df", "p_value", "p_adjusted", "effect_size", "effect_low", "effect_high", "n",
]  # fmt: skip


@dataclass(frozen=True)
class Results:
    """estimates, tests and audit with the columns of the results contract.

    Text columns hold "" where they are empty, numbers are float with NaN.
    """

    estimates: pd.DataFrame
    tests: pd.DataFrame = field(default_factory=pd.DataFrame)
    audit: pd.DataFrame = field(default_factory=pd.DataFrame)


def read_results(folder: Path, shown: str, lang: str) -> Results:
    """Read a study's results, the audit as explained in `lang`.

    Raises InputError where nothing was built yet.
    """
    path = folder / "estimates.csv"
    if not path.is_file():
        raise InputError(
            [
                Problem(
                    shown,
                    "a report reads results that were built",
                    "no estimates.csv",
                    "estimates.csv",
                    "run `python -m analysis build` for this study",
                )
            ]
        )
    return Results(
        typed(_read(path), ESTIMATE_NUMBERS),
        typed(_read(folder / "tests.csv"), TEST_NUMBERS),
        typed(_audit(folder, lang), []),
    )


def typed(frame: pd.DataFrame, numbers: list[str]) -> pd.DataFrame:
    """Numbers as float, everything else as text, in the order given."""
    frame = frame.reset_index(drop=True)
    for name in frame.columns:
        if name in numbers:
            frame[name] = pd.to_numeric(frame[name], errors="coerce").astype(float)
        else:
            frame[name] = frame[name].fillna("").astype(str)
    return frame


def _audit(folder: Path, lang: str) -> pd.DataFrame:
    spoken = folder / f"audit_{lang}.csv"
    return _read(spoken if spoken.is_file() else folder / "audit.csv")


def _read(path: Path) -> pd.DataFrame:
    if not path.is_file():
        return pd.DataFrame()
    # Answers may be called "none" or "NA": only an empty cell is empty.
    return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")


def select(
    estimates: pd.DataFrame,
    variable: str,
    population: str,
    by: str = "",
    base_kind: str | None = None,
) -> pd.DataFrame:
    """Rows of one table, in the order they were released.

    Where a table holds several kinds of base and none is asked for, the first one stands: it is
    the people, mentions coming after them.
    """
    rows = estimates[
        (estimates["variable"] == variable)
        & (estimates["population"] == population)
        & (estimates["by"] == by)
    ]
    if base_kind is None and not rows.empty:
        base_kind = rows["base_kind"].iloc[0]
    return rows[rows["base_kind"] == base_kind]
