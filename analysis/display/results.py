"""The released results as frames: the only data that display reads."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.display.traced import lines
from analysis.errors import InputError, Problem
from analysis.plain import unguarded_frame

ESTIMATE_TEXT = [
    "chapter", "table", "population", "variable", "category", "by", "by_category", "base_kind",
    "method", "verdict", "evidence",
]  # fmt: skip
ESTIMATE_NUMBERS = ["base_n", "count", "share", "share_low", "share_high"]
TEST_NUMBERS = [
    "statistic", "df", "p_value", "p_adjusted", "effect_size", "effect_low", "effect_high", "n",
]  # fmt: skip
CELL = [
    "chapter", "table", "population", "variable", "category", "by", "by_category", "base_kind",
]  # fmt: skip
# What an estimate takes over from its row of precision.csv.
PRECISE = ["joint_low", "joint_high", "design_effect", "effective_n"]
PRECISION_NUMBERS = ["standard_error", "df", *PRECISE]
MEASURE_NUMBERS = ["base_n", "value", "low", "high"]
MEASURES = [*CELL, "measure", *MEASURE_NUMBERS, "method", "evidence"]
TESTED = ["chapter", "table", "population", "variable", "by", "test"]
ADJUSTMENT_NUMBERS = ["tests", "p_value", "p_adjusted"]
ADJUSTMENTS = [*TESTED, "adjustment", "family", *ADJUSTMENT_NUMBERS]
FACTS = ["variable", "category", "value"]
PROVENANCE = "provenance.json"
# Builds take longer than reading: who was overtaken this often meets something else.
TRIES = 5


def _nothing(*columns: str) -> pd.DataFrame:
    return pd.DataFrame(columns=list(columns), dtype=object)


@dataclass(frozen=True)
class Results:
    """The files of a study's results, with the columns of the results contract.

    Text columns hold "" where they are empty, numbers are float with NaN. Estimates also carry
    `reason` and PRECISE, from their row of precision, and `ref`, the name of their row; what a
    study has none of is an empty frame.
    """

    estimates: pd.DataFrame
    tests: pd.DataFrame = field(default_factory=pd.DataFrame)
    audit: pd.DataFrame = field(default_factory=pd.DataFrame)
    precision: pd.DataFrame = field(default_factory=pd.DataFrame)
    measures: pd.DataFrame = field(default_factory=partial(_nothing, *MEASURES))
    adjustments: pd.DataFrame = field(default_factory=partial(_nothing, *ADJUSTMENTS))
    facts: pd.DataFrame = field(default_factory=partial(_nothing, *FACTS))
    provenance: Mapping[str, Any] = field(default_factory=dict)


def read_results(folder: Path, shown: str, lang: str) -> Results:
    """Read a study's results, the audit as explained in `lang`.

    Raises InputError where nothing was built yet, or where files are of different builds.
    """
    for _ in range(TRIES):
        before = _stamp(folder)
        try:
            found = _read_once(folder, shown, lang)
        except (InputError, OSError):
            # Another build may have taken the place of this one between two of its files.
            if _stamp(folder) == before:
                raise
            continue
        if _stamp(folder) == before:
            return found
    return _read_once(folder, shown, lang)


def _stamp(folder: Path) -> bytes:
    """What says of which build results are: the record has the hash of each file."""
    try:
        return (folder / PROVENANCE).read_bytes()
    except OSError:
        return b""


def _read_once(folder: Path, shown: str, lang: str) -> Results:
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
    precision = typed(_read(folder / "precision.csv"), PRECISION_NUMBERS)
    return Results(
        with_precision(typed(_read(path), ESTIMATE_NUMBERS), precision, shown),
        typed(_read(folder / "tests.csv"), TEST_NUMBERS),
        typed(_audit(folder, lang), []),
        precision,
        typed(_read(folder / "measures.csv", MEASURES), MEASURE_NUMBERS),
        typed(_read(folder / "adjustments.csv", ADJUSTMENTS), ADJUSTMENT_NUMBERS),
        typed(_read(folder / "facts.csv", FACTS), []),
        json.loads(_stamp(folder) or "{}"),
    )


def read_crosses(folder: Path) -> pd.DataFrame:
    """Every closed question by every profile variable, as released: columns of the estimates and
    the reason of verdicts. Empty where the study has none."""
    names = [*ESTIMATE_TEXT, *ESTIMATE_NUMBERS, "reason"]
    return typed(_read(folder / "crosses.csv", names), ESTIMATE_NUMBERS)


def read_quotes(folder: Path) -> pd.DataFrame:
    """Comments that were chosen for publication: question, text. Empty where there are none."""
    return typed(_read(folder / "quotes.csv", ["question", "text"]), [])


def read_open_answers(folder: Path) -> pd.DataFrame:
    """Open answers that were chosen: question, answer, kind (named or other), count."""
    names = ["question", "answer", "kind", "count"]
    return typed(_read(folder / "open_answers.csv", names), ["count"])


def read_titles(folder: Path) -> pd.DataFrame:
    """Rules that tell titles, with titles they match, as released. Empty without."""
    names = ["rule", "pattern", "kind", "classes", "trainings", "actions", "level", "title"]
    return typed(_read(folder / "titles.csv", names), ["trainings", "actions"])


def with_precision(
    estimates: pd.DataFrame, precision: pd.DataFrame, shown: str = "results"
) -> pd.DataFrame:
    """Estimates with the name of their row, the reason of their verdict and PRECISE, row by row.

    Nothing is known of them where there is no precision. Raises InputError where the rows are not
    those of the estimates: the files were then not built together.
    """
    estimates = estimates.assign(ref=lines("e", range(len(estimates))))
    if precision.empty:
        return estimates.assign(reason="", **dict.fromkeys(PRECISE, float("nan")))
    if not estimates[CELL].equals(precision[CELL]):
        raise InputError(
            [
                Problem(
                    f"{shown}/precision.csv",
                    "precision.csv has a row for each of estimates.csv, in the same order",
                    f"{len(precision)} rows that are not those of the {len(estimates)} estimates",
                    "the files of one build",
                    "run `python -m analysis build` for this study",
                )
            ]
        )
    return estimates.assign(**{name: precision[name] for name in ["reason", *PRECISE]})


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


def _read(path: Path, columns: Sequence[str] = ()) -> pd.DataFrame:
    if not path.is_file():
        return _nothing(*columns)
    # Answers may be called "none" or "NA": only an empty cell is empty.
    return unguarded_frame(pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8"))


def measured(measures: pd.DataFrame, *names: str) -> pd.DataFrame:
    """Rows of the measures of these names, of everyone or by group, in the order released."""
    return measures[measures["measure"].isin(names)]


def find_test(
    tests: pd.DataFrame, variable: str, by: str, name: str, population: str
) -> pd.DataFrame:
    """Rows of one test of a table: one where it is there, none where it is not.

    Under a survey design its design-based form stands for it. Where several populations were
    tested, the one given is meant.
    """
    if tests.empty:
        return tests
    table = tests[(tests["variable"] == variable) & (tests["by"] == by)]
    for asked in (name, f"{name}_design"):
        found = table[table["test"] == asked]
        if len(found) > 1:
            found = found[found["population"] == population]
        if len(found):
            return found
    return table.head(0)


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
