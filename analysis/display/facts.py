"""What a figure shows, as named values for its sentences, and the conditions that hold.

Sentences are templates in `report/<lang>/texts.yml`; every number in them is one of these values,
so a sentence changes when the data change, and its variant when their direction does.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from analysis.display.catalogue import Entry
from analysis.display.charts import Words, records
from analysis.display.formats import lower_first
from analysis.display.results import find_test
from analysis.display.rows import LAST, Sources
from analysis.display.traced import Traced, lines, number, together

HALF, ALPHA = 0.5, 0.05
# Conditions of a figure of one or two lines, about which less can be said.
FEW = ("alone", "pair")
# The condition of a figure whose every number is held back.
HIDDEN = "hidden"


@dataclass(frozen=True)
class Facts:
    """values: what a template may name. conditions: the variants that may be chosen."""

    values: dict[str, Any] = field(default_factory=dict)
    conditions: frozenset[str] = frozenset()


def facts_of(rows: pd.DataFrame, words: Words, sources: Sources) -> Facts:
    """Facts of a figure. rows: as drawn, at least one."""
    kind = words.entry.kind
    found = MAKERS[kind](rows, words, sources)
    conditions = set(found.conditions)
    if (rows["verdict"] == "fragile").all():
        conditions.add("fragile")
    return Facts(common(rows, words) | found.values, frozenset(conditions))


def common(rows: pd.DataFrame, words: Words) -> dict[str, Any]:
    """Base and size, for every kind of figure."""
    formats = words.labels.formats
    low, high = rows["base_n"].min(), rows["base_n"].max()
    count = rows["key"].nunique()
    return {
        "n": number(formats.number(high), _base_row(rows, high)),
        "n_low": number(formats.number(low), _base_row(rows, low)),
        "lines": number(str(count), _every(rows)),
        "lines_words": number(formats.words(count), _every(rows)),
        "fragile_lines": int(rows.loc[rows["verdict"] == "fragile", "key"].nunique()),
        "population": words.labels.population(rows["population"].iloc[0]),
    }


def _every(rows: pd.DataFrame) -> str:
    """All the rows of a figure, as those of one number."""
    return together(rows["ref"]) if "ref" in rows else ""


def _base_row(rows: pd.DataFrame, base: float) -> str:
    """A row that has this base."""
    return _every(rows[rows["base_n"] == base].head(1))


def named(prefix: str, row: Any, words: Words) -> dict[str, Any]:
    """One estimate under a name: {first}, {first_share}, {first_count}, {first_interval}…
    Its numbers know their row."""
    formats = words.labels.formats

    def told(text: str) -> Traced:
        return number(text, getattr(row, "ref", ""))

    return {
        prefix: row.label,
        f"{prefix}_quoted": formats.quote(row.label),
        f"{prefix}_series": row.series_label,
        f"{prefix}_value": told(words.value(row)),
        f"{prefix}_share": told(formats.percent(row.share)),
        f"{prefix}_mean": told(formats.number(row.share, 2)),
        f"{prefix}_count": told(formats.number(row.count)),
        f"{prefix}_base": told(formats.number(row.base_n)),
        f"{prefix}_fraction": told(formats.fraction(row.count, row.base_n)),
        f"{prefix}_interval": told(formats.interval(row.share_low, row.share_high)),
        f"{prefix}_number": row.count,
    }


def _ranked(rows: pd.DataFrame, column: str = "share") -> list[Any]:
    """Rows with a value, the largest first, answers such as "other" after all the others."""
    known = rows[rows[column].notna() & (rows["verdict"] != "suppressed")]
    other = known["key"].isin(LAST)
    order = known.assign(_o=other).sort_values(
        ["_o", column], ascending=[True, False], kind="stable"
    )
    return records(order.drop(columns="_o"))


def _of_bars(rows: pd.DataFrame, words: Words, sources: Sources) -> Facts:
    column = "count" if words.entry.value == "count" else "share"
    ranked = _ranked(rows, column)
    if not ranked:
        return Facts({}, frozenset({HIDDEN}))
    named_rows = [row for row in ranked if row.key not in LAST] or ranked
    values: dict[str, Any] = {}
    for name, row in zip(("first", "second", "third"), named_rows, strict=False):
        values |= named(name, row, words)
    values |= named("last", named_rows[-1], words)
    for row in records(rows):
        values |= named(f"at_{row.key}", row, words)
    over = [row for row in named_rows if row.share > HALF]
    formats, among = words.labels.formats, together([getattr(row, "ref", "") for row in named_rows])
    values |= {
        "over_half": number(str(len(over)), among),
        "over_half_words": number(formats.words(len(over)), among),
        "over_half_labels": formats.listed([_lower(row.label) for row in over]),
        "n": number(
            formats.number(rows["base_n"].max()),
            _base_row(pd.DataFrame(ranked), rows["base_n"].max()),
        ),
        "total": number(formats.number(rows["count"].sum()), _every(rows)),
        "total_number": float(rows["count"].sum()),
    }
    return Facts(values, _bar_conditions(named_rows, over, column))


def _bar_conditions(ranked: list[Any], over: list[Any], column: str) -> frozenset[str]:
    conditions = {"several_over_half" if len(over) > 1 else "one_over_half" if over else
                  "none_over_half"}  # fmt: skip
    if over:
        conditions.add("majority")
    if len(ranked) < len(FEW) + 1:
        conditions.add(FEW[len(ranked) - 1])
    if len(ranked) > 1 and _as_printed(ranked[0], column) == _as_printed(ranked[1], column):
        conditions.add("tie")
    if ranked[0].count == 0:
        conditions.add("zero")
    return frozenset(conditions)


def _as_printed(row: Any, column: str) -> float:
    return float(row.count) if column == "count" else _points(row.share)


def _points(share: float) -> int:
    """A share as it is printed, in whole points."""
    return math.floor(share * 100 + 0.5) if not math.isnan(share) else -1


def _of_bands(rows: pd.DataFrame, words: Words, sources: Sources) -> Facts:
    shown = rows[rows["share"].notna()]
    if shown.empty:
        return Facts({}, frozenset({HIDDEN}))
    found, ranked = records(shown), _ranked(shown)
    values = named("first", found[0], words) | named("last", found[-1], words)
    values |= named("high", ranked[0], words) | named("low", ranked[-1], words)
    test = trend_test(words.entry, sources)
    p = None if test is None else float(test["p_value"].iloc[0])
    weak = [row.label for row in found if row.verdict == "fragile"]
    values |= {
        "trend": number(
            words.labels.formats.p_value(p),
            "" if test is None else together(lines("t", test.index)),
        ),
        "fragile_labels": words.labels.formats.listed(weak),
        "n": number(words.labels.formats.number(shown["base_n"].sum()), _every(shown)),
    }
    conditions = {direction([row.share for row in found], p)}
    if p is not None:
        conditions.add("tested")
    if weak:
        conditions.add("some_fragile")
    return Facts(values, frozenset(conditions))


def trend_test(entry: Entry, sources: Sources) -> pd.DataFrame | None:
    """The row of the trend test that goes with a figure, if there is one that is released."""
    tests = sources.results.tests
    if tests.empty or not entry.test or not entry.by:
        return None
    names = sources.variable(entry.variable or ""), sources.variable(entry.by)
    population = sources.population(entry.variable or "", entry.population)
    found = find_test(tests, *names, entry.test, population)
    return found if found["p_value"].notna().sum() == len(found) == 1 else None


def direction(shares: list[float], p: float | None) -> str:
    """`rise`, `fall`, `flat` or `mixed` over ordered groups.

    A trend test, where there is one, says whether the ends differ; without it only a run that
    never turns back is called a rise or a fall.
    """
    printed = [_points(share) for share in shares]
    if len(set(printed)) == 1:
        return "flat"
    up = printed[-1] > printed[0]
    if p is not None:
        return "flat" if p >= ALPHA or printed[-1] == printed[0] else "rise" if up else "fall"
    if printed == sorted(printed):
        return "rise"
    return "fall" if printed == sorted(printed, reverse=True) else "mixed"


def _of_battery(rows: pd.DataFrame, words: Words, sources: Sources) -> Facts:
    agree = rows[rows["series"] == sources.study.sides[1]]
    found = _of_bars(agree, words, sources)
    outside = words.labels.study.battery_of(str(rows["key"].iloc[0]))
    not_concerned = rows[rows["series"] == (outside.not_concerned if outside else None)]
    most = _ranked(not_concerned, "count")
    values = dict(found.values) | {"group": rows["tag"].iloc[0]}
    if most:
        values |= named("outside", most[0], words)
    values["low_words"] = values.get("last")
    under = len(agree) - int(found.values.get("over_half", 0))
    conditions = set(found.conditions) | ({"all_over_half"} if not under else set())
    return Facts(values, frozenset(conditions))


def _of_stack(rows: pd.DataFrame, words: Words, sources: Sources) -> Facts:
    """For each answer, the group where it is most and least frequent; the ends of the groups."""
    values: dict[str, Any] = {}
    answers = list(rows.drop_duplicates("series")["series"])
    for place, answer in (("bottom", answers[0]), ("top", answers[-1])):
        cells = rows[rows["series"] == answer]
        ranked = _ranked(cells)
        if not ranked:
            return Facts({}, frozenset({HIDDEN}))
        values |= named(f"{place}_high", ranked[0], words)
        values |= named(f"{place}_low", ranked[-1], words)
        values |= named(f"{place}_first", records(cells)[0], words)
        values |= named(f"{place}_last", records(cells)[-1], words)
        values[place] = cells["series_label"].iloc[0]
        values[f"{place}_quoted"] = words.labels.formats.quote(values[place])
    top = rows.loc[rows["series"] == answers[-1], "share"].dropna()
    conditions = {direction(list(top), None)}
    return Facts(values, frozenset(conditions))


def _of_flow(rows: pd.DataFrame, words: Words, sources: Sources) -> Facts:
    found = records(rows)
    values = named("first", found[0], words) | named("last", found[-1], words)
    places = [f"{cell.variable}-{cell.category}" for cell in words.entry.cells]
    for at, row in enumerate(found):
        step = f"step{places.index(row.key) if row.key in places else at}"
        values |= named(step, row, words)
        fewer = found[at - 1].count - row.count if at else 0
        both = together([getattr(each, "ref", "") for each in found[max(at - 1, 0) : at + 1]])
        values[f"{step}_fewer"] = number(words.labels.formats.number(fewer), both)
    ratio = found[-1].count / found[0].count if found[0].count else float("nan")
    ends = together([getattr(each, "ref", "") for each in (found[0], found[-1])])
    values["kept_share"] = number(words.labels.formats.percent(ratio), ends)
    conditions = {f"to_{found[-1].key}"} | ({"majority"} if ratio > HALF else set())
    return Facts(values, frozenset(conditions))


def _of_dots(rows: pd.DataFrame, words: Words, sources: Sources) -> Facts:
    """The line where two groups differ most, the one where they agree most."""
    series = list(rows.drop_duplicates("series")["series"])[:2]
    wide = rows[rows["verdict"] != "suppressed"].pivot_table(
        index="key", columns="series", values="share", sort=False
    )
    if len(series) < 2 or wide.shape[1] < 2:
        return Facts({}, frozenset({HIDDEN}))
    gap = (wide[series[0]] - wide[series[1]]).dropna()
    if gap.empty:
        return Facts({}, frozenset({HIDDEN}))
    values: dict[str, Any] = {}
    for name, key in (("widest", gap.abs().idxmax()), ("nearest", gap.abs().idxmin())):
        for place, which in zip(("one", "other"), series, strict=True):
            cell = rows[(rows["key"] == key) & (rows["series"] == which)]
            values |= named(f"{name}_{place}", records(cell)[0], words)
        values[name] = values[f"{name}_one"]
        values[f"{name}_quoted"] = values[f"{name}_one_quoted"]
    names = rows.drop_duplicates("series").set_index("series")["series_label"]
    for place, which in zip(("one", "other"), series, strict=True):
        values |= {place: names[which], f"{place}_quoted": words.labels.formats.quote(names[which])}
    for place, which in zip(("one", "other"), series, strict=True):
        values |= named(f"first_{place}", _ranked(rows[rows["series"] == which])[0], words)
    lead = "one_leads" if gap[gap.abs().idxmax()] > 0 else "other_leads"
    values["crossed"] = [key for key, value in gap.items() if value < 0]
    reversed_ = rows[rows["key"].isin(values["crossed"])].drop_duplicates("key")["label"]
    values["crossed_labels"] = words.labels.formats.listed([_lower(x) for x in reversed_])
    conditions = {lead}
    if 0 < len(reversed_) < len(gap):
        conditions.add("some_crossed")
    return Facts(values, frozenset(conditions))


def _of_columns(rows: pd.DataFrame, words: Words, sources: Sources) -> Facts:
    ranked = _ranked(rows, "count")
    if not ranked:
        return Facts({}, frozenset({HIDDEN}))
    values = named("high", ranked[0], words) | named("low", ranked[-1], words)
    half = len(rows) // 2
    total = float(rows["count"].sum())
    second = float(rows["count"].iloc[half:].sum()) / total if total else float("nan")
    values |= {
        "total": number(words.labels.formats.number(total), _every(rows)),
        "second_half_share": number(words.labels.formats.percent(second), _every(rows)),
    }
    return Facts(values, frozenset({"later"} if second > HALF else {"earlier"}))


def _of_ranks(rows: pd.DataFrame, words: Words, sources: Sources) -> Facts:
    """The first and the last item, and between which ranks each may stand."""
    values: dict[str, Any] = {}
    for name, row in (("first", records(rows)[0]), ("last", records(rows)[-1])):
        low, high = (
            words.labels.formats.rank(row.share_low),
            words.labels.formats.rank(row.share_high),
        )
        values |= named(name, row, words)
        values |= {f"{name}_low": number(low, row.ref), f"{name}_high": number(high, row.ref)}
    return Facts(values)


def _lower(label: str) -> str:
    return lower_first(label)


MAKERS: dict[str, Callable[[pd.DataFrame, Words, Sources], Facts]] = {
    "bars": _of_bars,
    "bands": _of_bands,
    "diverging": _of_battery,
    "stacked": _of_stack,
    "flow": _of_flow,
    "dots": _of_dots,
    "columns": _of_columns,
    "ranks": _of_ranks,
}
