"""The survey design that study.yml declares, on the clean survey: weights, strata, clusters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.definition import Raking
from analysis.errors import Problem
from analysis.intake.fields import SURVEY
from analysis.intake.texts import problem
from analysis.stats.design import NoVarianceError, Sample, sample
from analysis.study import Study

if TYPE_CHECKING:
    from analysis.stats.raking import Fault, Raked

# What each person stands for, in the clean table, after raking and before. No question can be
# called this.
WEIGHT, BASE = "design/weight", "design/base_weight"
WEIGHTING = "weighting"
Tables = dict[str, pd.DataFrame]


def weigh(study: Study, tables: Mapping[str, pd.DataFrame]) -> tuple[Tables, list[Problem]]:
    """Clean tables with the weights of the survey, and what makes its design impossible.

    Adds the columns WEIGHT and BASE to `survey`, and after raking a table `weighting` of one row:
    how many rounds it took, the largest gap left, the smallest and largest change of a weight.
    """
    if SURVEY not in tables or not study.definition.design.declared:
        return dict(tables), []
    weighted, problems = _weighted(study, dict(tables))
    if problems:
        return dict(tables), problems
    try:
        sample_of(study, weighted[SURVEY])
    except NoVarianceError as error:
        return dict(tables), [_without_variance(study, error)]
    return weighted, []


def sample_of(study: Study, survey: pd.DataFrame) -> Sample | None:
    """The sample a clean survey is; None for a simple one. Errors: as `sample`."""
    design = study.definition.design
    if not design.declared:
        return None
    margins = list(design.raking.margins) if design.raking else []
    columns = [name for name in (design.strata, design.clusters, *margins) if name]
    frame = pd.DataFrame({name: study.single(name, survey) for name in columns}, survey.index)
    weights, base = (survey.get(name) for name in (WEIGHT, BASE))
    return sample(frame, weights, design.strata, design.clusters, design.population, margins, base)


def _weighted(study: Study, tables: Tables) -> tuple[Tables, list[Problem]]:
    design, survey = study.definition.design, tables[SURVEY]
    base = pd.Series(1.0, index=survey.index)
    if design.weights:
        base = survey[design.weights].astype(float)
        wrong = base[~(base > 0) | np.isinf(base)]
        if len(wrong):
            found = "" if pd.isna(wrong.iloc[0]) else f"{wrong.iloc[0]:g}"
            return tables, [_told(study, "weight_positive", ("weights",), value=found,
                                  column=design.weights, rows=str(len(wrong)))]  # fmt: skip
    if design.raking:
        return _raked(study, design.raking, tables, base)
    if design.weights:
        tables[SURVEY] = survey.assign(**{WEIGHT: base, BASE: base})
    return tables, []


def _raked(
    study: Study, raking: Raking, tables: Tables, base: pd.Series
) -> tuple[Tables, list[Problem]]:
    # scipy.sparse is slow to import, and few studies are raked.
    from analysis.stats.raking import faults, rake, unmet  # noqa: PLC0415

    survey = tables[SURVEY]
    margins = pd.DataFrame({name: study.single(name, survey) for name in raking.margins})
    found = faults(margins, raking.margins)
    if found:
        return tables, [_impossible(study, fault) for fault in found]
    raked = rake(margins, raking.margins, base, raking.bounds, raking.rounds, raking.tolerance)
    if not raked.converged:
        apart = unmet(raked, margins, raking.margins, raking.tolerance)
        apart = list({fault.margin: fault for fault in reversed(apart)}.values())
        return tables, [_not_met(study, raking, raked, fault) for fault in apart]
    told = {
        "rounds": raked.iterations,
        "gap": raked.gap,
        "smallest": raked.smallest,
        "largest": raked.largest,
    }
    tables[SURVEY] = survey.assign(**{WEIGHT: raked.weights, BASE: base})
    tables[WEIGHTING] = pd.DataFrame([told])
    return tables, []


def _impossible(study: Study, fault: Fault) -> Problem:
    place = tuple(part for part in (fault.margin, fault.category) if part)
    return _told(
        study, f"margin_{fault.kind}", ("raking", "margins", *place),
        value=f"{fault.found:g}", target=f"{fault.expected:g}", category=fault.category or "",
    )  # fmt: skip


def _not_met(study: Study, raking: Raking, raked: Raked, fault: Fault) -> Problem:
    """A margin that raking did not reach."""
    return _told(
        study, "margins_together", ("raking", "margins", fault.margin, fault.category or ""),
        value=f"{100 * fault.found:.2f}", target=f"{100 * fault.expected:.2f}",
        rounds=str(raked.iterations), bounds="{:g} – {:g}".format(*raking.bounds)
        if raking.bounds else "–",
    )  # fmt: skip


def _without_variance(study: Study, error: NoVarianceError) -> Problem:
    """What the design lacks, at the key that says so."""
    design = study.definition.design
    by_stratum = (error.where,) if isinstance(design.population, dict) else ()
    places = {
        "no_value": ("strata",) if error.where == design.strata else ("clusters",),
        "one_unit": ("strata",) if design.strata else ("clusters",) if design.clusters else (),
        "two_strata": ("clusters",),
        "no_size": ("population",),
        "too_many": ("population", *by_stratum),
    }
    return _told(
        study, f"design_{error.kind}", places[error.kind],
        value=f"{error.found:g}", target=f"{error.expected:g}", where=error.where or "–",
    )  # fmt: skip


def _told(study: Study, key: str, place: tuple[str, ...], **values: str) -> Problem:
    at = ("design", *place)
    file = study.paths.shown(study.paths.definition / "study.yml")
    named = {name: text for name, text in values.items() if name != "column"}
    return problem(key, file, study.line(at), ".".join(at), **named)
