"""Compared cells as the rows that charts, tables and downloads read: each share under its study."""

from __future__ import annotations

from typing import Any

import pandas as pd

from analysis.comparison.reasons import OF_WAVES
from analysis.comparison.table import REFERENCE, SIDE
from analysis.display.charts import MARKS, records
from analysis.display.compared_names import Called
from analysis.display.tables import points

ALPHA = 0.05
NOTHING = float("nan")
APART = ["difference", "difference_low", "difference_high", "p_adjusted"]


def significant(cells: pd.DataFrame) -> pd.Series:
    """Whose difference no one has to doubt: the corrected p is small, the question is the same in
    both, and the difference does not rest on reconstructed answers alone."""
    same = ~cells["warning"].map(changed).astype(bool)
    return (cells["p_adjusted"] < ALPHA) & same & (cells["evidence"] != "illustrative")


def changed(warning: str) -> bool:
    """Whether a wave asked something else: what changed may be the question alone."""
    return bool(OF_WAVES & set(warning.split(";")))


def rows_of(cells: pd.DataFrame, called: Called, items: bool = False) -> pd.DataFrame:
    """Rows of a figure, the reference first in each line. Adds to those of a report `study`, the
    difference and its corrected p, on the rows of the other studies.

    cells: with `significant`. items: lines are items of a battery, and not answers.
    """
    made = []
    for cell in records(cells):
        label = (
            called.labels.variable(cell.variable_reference)
            if items
            else called.answer(called.reference, cell, cell.category)
        )
        made += [_row(cell, side, _capital(label), called) for side in (REFERENCE, "other")]
    rows = pd.DataFrame(made).drop_duplicates(["key", "study"], ignore_index=True)
    order = {study.name: at for at, study in enumerate(called.studies)}
    place = {key: at for at, key in enumerate(rows["key"].drop_duplicates())}
    at = rows["key"].map(place) * len(order) + rows["study"].map(order)
    rows = rows.iloc[at.argsort(kind="stable")].reset_index(drop=True)
    return rows.assign(tag=rows["key"].map(_tags(rows, called)))


def _row(cell: Any, side: str, label: str, called: Called) -> dict[str, Any]:
    study = getattr(cell, side)
    known = {name: getattr(cell, f"{name}_{side}") for name in SIDE}
    apart = dict.fromkeys(APART, NOTHING)
    if side != REFERENCE:
        apart = {name: getattr(cell, name) for name in apart}
    return known | apart | {
        "study": study, "series": study, "series_label": called.study(study),
        "key": f"{cell.source}-{cell.question}-{cell.category}", "label": label,
        "variable": cell.question, "category": cell.category, "by": "", "by_category": "",
        "base_kind": cell.base_kind, "joint_low": NOTHING, "joint_high": NOTHING,
        "difference_evidence": known["evidence"] if side == REFERENCE else cell.evidence,
        "significant": cell.significant and side != REFERENCE, "warning": cell.warning,
    }  # fmt: skip


def _tags(rows: pd.DataFrame, called: Called) -> dict[str, str]:
    """After the label of a line: how far each other study is from the reference, with its mark
    where there are several."""
    signs = {name: mark[2] for name, mark in zip(rows["series"].unique(), MARKS, strict=False)}
    several = len(signs) > 2
    others = rows[rows["study"] != called.reference]
    return {
        str(key): " · ".join(
            f"{signs[row.series]}\u00a0{_apart(row, called)}" if several else _apart(row, called)
            for row in records(some)
        )
        for key, some in others.groupby("key", sort=False)
    }


def _apart(row: Any, called: Called) -> str:
    if pd.isna(row.difference):
        return called.term("gap_missing")
    key = "gap_significant" if row.significant else "gap"
    return called.term("gap_changed" if changed(row.warning) else key, gap=gap(row, called))


def gap(row: Any, called: Called) -> str:
    """A difference and its interval, in points: +12 (−3 à +27)."""
    return points(called.labels, row.difference, row.difference_low, row.difference_high)


def widest(cells: pd.DataFrame) -> Any:
    """The cell whose difference is the widest: of the significant ones, where there are any."""
    some = cells[cells["significant"]] if cells["significant"].any() else cells
    return next(some.loc[[some["difference"].abs().idxmax()]].itertuples(index=False))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
