"""Free comments: how many, and the themes they were coded with. Their text stays here."""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis.chapters.data import Data, cuts, measured, names, shares
from analysis.chapters.responses import answered
from analysis.stats.agreement import by_theme, cohen_kappa, krippendorff_alpha

CHAPTER = "comments"
METHODS = {"cohen_kappa": "fleiss_cohen_everitt", "krippendorff_alpha": "bootstrap"}


def estimates(data: Data) -> list[pd.DataFrame]:
    """Number of comments, and shares of themes among the comments coded."""
    roles = data.study.roles
    tables: list[pd.DataFrame] = []
    if roles.comment:
        tables.append(answered(data, CHAPTER, roles.comment))
    if roles.comment_theme:
        tables += shares(data, CHAPTER, roles.comment_theme)
    return tables + cuts(data, CHAPTER)


def measures(data: Data) -> list[pd.DataFrame]:
    """Agreement of two coders on the themes, where a second column of codes is there: theme by
    theme where a comment may have several."""
    first, second = data.study.roles.comment_theme, data.study.roles.comment_theme_second
    if not (first and second):
        return []
    seed, frame = data.study.definition.seed, data.population("all")
    named = names(data, CHAPTER, first) | {"base_kind": "respondents"}
    if data.answers(first, "all"):
        one, two = (data.chosen(name, "all", frame) for name in (first, second))
        return by_coders(by_theme(one, two, seed=seed), named)
    codes = frame[[first, second]].astype("string")
    kappa, alpha = cohen_kappa(codes[first], codes[second]), krippendorff_alpha(codes, seed=seed)
    base = named | {"base_n": kappa.n}
    return [
        measured(base, measure, (found.value, found.low, found.high), METHODS[measure])
        for measure, found in (("cohen_kappa", kappa), ("krippendorff_alpha", alpha))
    ]


def by_coders(found: pd.DataFrame, named: dict[str, Any]) -> list[pd.DataFrame]:
    """Rows of measures from a table of agreement by theme."""
    tables = []
    for measure, name in (("cohen_kappa", "kappa"), ("krippendorff_alpha", "alpha")):
        table = found[["theme", "n", name, f"{name}_low", f"{name}_high"]]
        table = table.set_axis(["category", "base_n", "value", "low", "high"], axis=1)
        tables.append(
            table.assign(**named, by="", by_category="", measure=measure, method=METHODS[measure])
        )
    return tables
