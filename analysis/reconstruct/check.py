"""Figures counted again on the rows themselves, apart from the programme that made them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.reconstruct.catalogue import truth
from analysis.reconstruct.reference import (
    ALL_ROWS,
    BAND,
    FLOW,
    MEAN_BAND,
    MEAN_HOURS,
    Reference,
    answers_of,
)
from analysis.reconstruct.register import Claim, Figure, claims
from analysis.study import Study


@dataclass(frozen=True)
class Broken:
    """A figure that the rows do not give back, and what they give instead."""

    figure: Figure
    claims: tuple[Claim, ...]
    count: float
    base: float
    rank: int


Rows = Mapping[str, pd.DataFrame]


def broken(
    study: Study,
    rows: Rows,
    flow: Mapping[str, int],
    wanted: list[tuple[Figure, Reference]],
) -> list[Broken]:
    """Every figure that the rows break."""
    found = []
    for figure, reference in wanted:
        count, base = observed(rows, flow, reference)
        rank = _rank(study, rows, flow, reference) if figure.unit == "rank" else 0
        lost = tuple(c for c in claims(figure) if not c.holds(count, base, rank))
        if lost:
            found.append(Broken(figure, lost, count, base, rank))
    return found


def observed(rows: Rows, flow: Mapping[str, int], reference: Reference) -> tuple[float, float]:
    """Count and base of a figure on the rows."""
    if reference.variable == FLOW:
        return flow[(reference.answers or ("",))[0]], flow["responses_any"]
    frame = rows[reference.source]
    frame = frame[truth(reference.where, frame)]
    name = reference.variable
    if name == ALL_ROWS:
        return len(frame), len(frame)
    if name == MEAN_HOURS:
        return float(frame[name].sum()), len(frame)
    if name in frame:
        answered = frame[name].ne("")
        return _counted(answered, frame[name].isin(reference.answers or ()), reference)
    columns = [column for column in frame if str(column).startswith(f"{name}/")]
    answered = frame[columns].notna().all(axis=1)
    wanted = frame[[f"{name}/{answer}" for answer in reference.answers or ()]]
    if reference.mentions:
        return int(wanted.sum().sum()), int(frame[columns].sum().sum())
    return _counted(answered, wanted.fillna(False).any(axis=1), reference)


def _counted(answered: pd.Series, chosen: pd.Series, reference: Reference) -> tuple[int, int]:
    base = int(answered.sum())
    return (base if reference.answers is None else int((answered & chosen).sum())), base


def _rank(study: Study, rows: Rows, flow: Mapping[str, int], reference: Reference) -> int:
    """Place of an answer: one more than the answers given more often."""
    own, _ = observed(rows, flow, reference)
    others = (
        observed(
            rows, flow, Reference(reference.source, reference.variable, (a,), reference.where)
        )[0]
        for a in answers_of(study, reference.variable)
    )
    return 1 + sum(count > own for count in others)


def extract_rows(study: Study, actions: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Actions and trainings with their bands of length, as figures count them."""
    roles = study.roles.consumption
    assert roles is not None
    hours = actions[roles.hours]
    means = hours.groupby(actions[roles.title]).mean()
    return {
        "actions": _with(actions, {BAND: _banded(study, hours), MEAN_HOURS: hours.to_numpy()}),
        "trainings": pd.DataFrame({MEAN_BAND: _banded(study, means)}),
    }


def _with(frame: pd.DataFrame, columns: Mapping[str, np.ndarray]) -> pd.DataFrame:
    return pd.concat([frame, pd.DataFrame(columns, index=frame.index)], axis=1)


def _banded(study: Study, hours: pd.Series) -> np.ndarray:
    bands = study.definition.duration_bands
    ends = [band.below for band in bands if band.below is not None]
    names = np.array([band.name for band in bands], dtype=object)
    return names[np.searchsorted(ends, hours.to_numpy(), side="right")]
