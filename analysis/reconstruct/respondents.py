"""The survey export: kept rows as people, and the rows too partial to keep."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.reconstruct.catalogue import LAST_PAGE, Catalogue, truth
from analysis.reconstruct.plan import Respondents, Wording
from analysis.reconstruct.reference import FLOWS
from analysis.study import Study

# Few answers on a quiet day, and fewer and fewer as the fieldwork goes on.
QUIET, WEEKEND, FADING = 0.1, 0.35, 2.0
NEEDED = ("response_id", "started_on", "complete")


def too_partial(
    study: Study, catalogue: Catalogue, kept: pd.DataFrame, number: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Rows that stop after one to a few first questions; those few look like anyone's."""
    most = study.definition.retention.min_answered - 1
    rows = kept.iloc[rng.choice(len(kept), number)].reset_index(drop=True)
    answered = rng.integers(1, most + 1, number)
    for place, variable in enumerate(catalogue.variables.values()):
        stopped = answered <= place
        if variable.kind == "several":
            rows.loc[stopped, variable.columns] = pd.NA
        else:
            rows.loc[stopped, variable.name] = ""
    pages = [variable.page for variable in catalogue.variables.values()]
    return rows.assign(**{LAST_PAGE: [pages[n - 1] for n in answered]})


def word(
    frame: pd.DataFrame, texts: Mapping[str, list[Wording]], rng: np.random.Generator
) -> pd.DataFrame:
    """Openly made-up texts where a text was written."""
    for name, wordings in texts.items():
        column = frame[name].copy()
        free = column.ne("")
        for wording in wordings:
            rows = np.flatnonzero(free & truth(wording.where, frame))
            numbers = np.arange(1, len(rows) + 1)
            if wording.number:
                numbers = 1 + (wording.number * rng.random(len(rows)) ** 2).astype(int)
            column.iloc[rows] = [wording.pattern.format(n=n) for n in numbers]
            free.iloc[rows] = False
        frame = frame.assign(**{name: column})
    return frame


def export(
    study: Study,
    plan: Respondents,
    catalogue: Catalogue,
    frame: pd.DataFrame,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Rows in the order they came in, with the columns of the export and of every question."""
    frame = frame.iloc[rng.permutation(len(frame))].reset_index(drop=True)
    frame["started_on"] = np.sort(_days(study, plan, len(frame), rng))
    frame["response_id"] = [plan.identifier.format(n=n) for n in range(1, len(frame) + 1)]
    frame["complete"] = np.where(_complete(catalogue, frame), "yes", "no")
    frame[plan.last_page_header] = frame[LAST_PAGE]
    columns = [*NEEDED, plan.last_page_header]
    for variable in catalogue.variables.values():
        columns += (
            variable.columns or [variable.name] if variable.kind != "one" else [variable.name]
        )
    return frame[columns]


def _complete(catalogue: Catalogue, frame: pd.DataFrame) -> pd.Series:
    return frame[LAST_PAGE] == catalogue.last_asked(frame)


def _days(study: Study, plan: Respondents, number: int, rng: np.random.Generator) -> np.ndarray:
    """Days of the fieldwork: most answers come at first, on working days, off the holidays."""
    days = pd.date_range(study.definition.period.start, study.definition.period.end)
    weights = np.exp(-FADING * np.arange(len(days)) / len(days))
    weights[days.day_of_week >= 5] *= WEEKEND
    if plan.quiet:
        first, last = (pd.Timestamp(day) for day in (plan.quiet[0], plan.quiet[-1]))
        weights[(days >= first) & (days <= last)] *= QUIET
    return rng.choice(days.to_numpy(), number, p=weights / weights.sum())


def flow(catalogue: Catalogue, kept: pd.DataFrame, dropped: pd.DataFrame) -> dict[str, int]:
    """Responses received, complete, partial and kept, counted on rows."""
    complete = int(_complete(catalogue, kept).sum())
    received = len(kept) + len(dropped)
    numbers = (received, complete, received - complete, len(kept) - complete, len(dropped))
    return dict(zip(FLOWS, (*numbers, len(kept)), strict=True))
