"""Checks on results, run on every build: a result that breaks one never leaves the house."""

from __future__ import annotations

import pandas as pd

from analysis.chapters.data import Data
from analysis.errors import DefectError
from analysis.release.evidence import TABLE


class ImplausibleError(DefectError):
    """A defect of ours: results contradict themselves. Names the table and the rule."""


def check(estimates: pd.DataFrame, data: Data) -> None:
    """Raise ImplausibleError where results contradict themselves."""
    faults = [
        *shares_in_range(estimates),
        *cells_stand_once(estimates),
        *single_answers_sum(estimates, data),
        *bases_agree(estimates, data),
    ]
    if faults:
        raise ImplausibleError("results contradict themselves:\n  " + "\n  ".join(faults))


def shares_in_range(estimates: pd.DataFrame) -> list[str]:
    """Shares and bounds lie in 0 to 1 and in order; a count never exceeds its base."""
    bounds = estimates[["share_low", "share", "share_high"]]
    outside = ((bounds < -1e-12) | (bounds > 1 + 1e-12)).any(axis=1)
    crossed = (bounds["share_low"] > bounds["share"]) | (bounds["share"] > bounds["share_high"])
    above = estimates["share"].notna() & (estimates["count"] > estimates["base_n"])
    bad = estimates[outside | crossed | above]
    return [
        f"{row.table}, {row.category}: share or interval out of order" for row in bad.itertuples()
    ]


def cells_stand_once(estimates: pd.DataFrame) -> list[str]:
    """No cell is estimated twice."""
    key = [*TABLE, "base_kind", "category"]
    return [
        f"{row.table} ({row.population}), {row.category}: estimated twice"
        for row in estimates[estimates.duplicated(key)].itertuples()
    ]


def single_answers_sum(estimates: pd.DataFrame, data: Data) -> list[str]:
    """Shares of a single-answer variable sum to 1 over its answers."""
    listed = [
        (variable, answer)
        for variable in estimates["variable"].unique()
        for answer in _single_answers(data, str(variable))
    ]
    cells = pd.MultiIndex.from_frame(estimates[["variable", "category"]])
    inside = estimates[cells.isin(listed) & (estimates["base_n"] > 0)]
    key = [*TABLE, "base_kind"]
    sums = inside.groupby(key, sort=False)["share"].sum()
    return [
        f"{place[0]} {place[1:]}: shares sum to {total:.4f}"
        for place, total in sums[(sums - 1).abs() > 1e-9].items()
        if isinstance(place, tuple)
    ]


def _single_answers(data: Data, variable: str) -> list[str]:
    form = data.study.questionnaire
    if form is not None and variable in form and form[variable].kind == "select_one":
        return form[variable].answers
    derived = data.study.definition.derived.get(variable)
    return list(derived.answers) if derived else []


def bases_agree(estimates: pd.DataFrame, data: Data) -> list[str]:
    """Along the routing: nobody answers unasked, and each table has its question's base."""
    bases = estimates[estimates["variable"] == "question_base"].set_index("category")
    faults = [
        f"{name}: {row['count']:.0f} answered of {row['base_n']:.0f} asked"
        for name, row in bases.iterrows()
        if row["count"] > row["base_n"]
    ]
    overall = estimates[(estimates["by"] == "") & (estimates["base_kind"] == "respondents")]
    tables = dict(iter(overall.groupby(["variable", "population"])["base_n"]))
    for name, row in bases.iterrows():
        question = str(name)
        key = data.study.variable_of(question), data.study.population_of(question)
        found = tables.get(key)
        if found is not None and (found != row["count"]).any():
            faults.append(
                f"{question}: base {found.iloc[0]:.0f} in its table, "
                f"{row['count']:.0f} along the routing"
            )
    return faults
