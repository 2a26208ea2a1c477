"""The gate for tables of every question by every profile variable.

The same rules as for the estimates: verdicts, suppression, evidence, plausibility.
"""

from __future__ import annotations

import pandas as pd

from analysis.chapters import crosses
from analysis.chapters.data import Data
from analysis.release import plausibility
from analysis.release.disclosure.control import Control
from analysis.release.evidence import CELL, ILLUSTRATIVE, OBSERVED, TABLE, evidence
from analysis.release.verdict import HIDDEN, hide, reasons, told, verdict, withhold
from analysis.study import Study

KEY = [*CELL, "base_kind"]


def counted(data: Data, estimates: pd.DataFrame) -> pd.DataFrame:
    """Every closed question by every profile variable, as counted. Raises ImplausibleError."""
    frame = crosses.estimates(data, chapters_of(estimates))
    if not frame.empty:
        check(frame, estimates)
    return frame


def crossed(
    frame: pd.DataFrame,
    decided: Control,
    study: Study,
    estimates: pd.DataFrame,
    tests: pd.DataFrame,
    register: pd.DataFrame | None,
    audited: pd.DataFrame | None,
) -> pd.DataFrame:
    """What may be released of `counted`, with the reason of verdicts.

    decided: by disclosure control; estimates: those of the chapters with their evidence; tests: as
    computed, since a comparison without a valid test is fragile.
    """
    if frame.empty:
        return frame.assign(verdict="", reason="", evidence="")
    why = withhold(reasons(frame, tests, study.definition.thresholds), decided)
    frame = frame.assign(verdict=verdict(why), reason=told(why))
    frame["evidence"] = _evidence(frame, estimates, register, audited, study)
    return hide(frame, HIDDEN, decided)


def chapters_of(estimates: pd.DataFrame) -> dict[str, str]:
    """The chapter that makes the table of each variable over everyone."""
    whole = estimates[estimates["by"] == ""].drop_duplicates("variable")
    return dict(zip(whole["variable"], whole["chapter"], strict=True))


def check(frame: pd.DataFrame, estimates: pd.DataFrame) -> None:
    """Raise ImplausibleError where crosses contradict themselves or the estimates."""
    faults = [
        *plausibility.shares_in_range(frame),
        *plausibility.cells_stand_once(frame),
        *same_as_estimates(frame, estimates),
    ]
    if faults:
        raise plausibility.ImplausibleError("crosses contradict results:\n  " + "\n  ".join(faults))


def same_as_estimates(frame: pd.DataFrame, estimates: pd.DataFrame) -> list[str]:
    """A cell that a chapter estimates too has the same numbers."""
    numbers = [name for name in ["base_n", *HIDDEN] if name in frame]
    both = frame.merge(estimates[[*KEY, *numbers]], on=KEY, suffixes=("", "_other"))
    apart = pd.Series(False, index=both.index)
    for name in numbers:
        apart |= (both[name] - both[f"{name}_other"]).abs() > 1e-9
    return [
        f"{row.table}, {row.by_category}, {row.category}: not the number of its chapter"
        for row in both[apart].itertuples()
    ]


def _evidence(
    frame: pd.DataFrame,
    estimates: pd.DataFrame,
    register: pd.DataFrame | None,
    audited: pd.DataFrame | None,
    study: Study,
) -> pd.Series:
    """Evidence of each cell: that of the same estimate where there is one."""
    if not study.definition.synthetic:
        return pd.Series(OBSERVED, index=frame.index)
    known = estimates.drop_duplicates(CELL).set_index(CELL)["evidence"]
    found = known.reindex(pd.MultiIndex.from_frame(frame[CELL])).set_axis(frame.index)
    if register is not None:
        # Only tables that the register prints something of can follow from it.
        printed = pd.MultiIndex.from_frame(register[TABLE].astype(str))
        rest = found.isna() & pd.MultiIndex.from_frame(frame[TABLE]).isin(printed)
        if rest.any():
            found = found.fillna(evidence(frame[rest], register, audited, study))
    return found.fillna(ILLUSTRATIVE)
