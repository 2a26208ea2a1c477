"""Audit: every printed figure beside its estimate, with a status and a reason.

exact          the estimate is the printed number
rounds         the estimate gives the printed number after rounding
truncated      it gives it only by cutting decimals off
impossible     no count over the base gives the printed percentage (Brown and Heathers' GRIM test)
contradicted   another printed figure, which is named, forbids it
unspecified    the study does not say enough to compute it; what is missing is named
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.definition import AuditNote
from analysis.safe_yaml import read_yaml
from analysis.study import Study

COLUMNS = ["figure_id", "published", "recomputed", "base_n", "status", "explanation"]
EXACT, ROUNDS, TRUNCATED = "exact", "rounds", "truncated"
IMPOSSIBLE, CONTRADICTED, UNSPECIFIED = "impossible", "contradicted", "unspecified"
STATUSES = (EXACT, ROUNDS, TRUNCATED, IMPOSSIBLE, CONTRADICTED, UNSPECIFIED)
BASES = ("base", "total")
TEXTS = Path(__file__).with_name("texts.yml")
EPSILON = 1e-9
TABLE = ("variable", "population", "by", "by_category")
Row = dict[Hashable, Any]


@dataclass(frozen=True)
class Finding:
    """What was found of one figure. `reason` names a text of texts.yml, `facts` fill it."""

    recomputed: str
    base_n: float
    status: str
    reason: str
    facts: dict[str, str]


def findings(
    study: Study, register: pd.DataFrame, estimates: pd.DataFrame, facts: pd.DataFrame
) -> list[Finding]:
    """What is found of each figure of the register, in its order."""
    auditor = _Auditor(study, register, estimates, facts)
    return [auditor.find(figure) for figure in register.to_dict("records")]


def explained(
    study: Study, register: pd.DataFrame, found: list[Finding], lang: str
) -> pd.DataFrame:
    """One row a figure of the register (columns COLUMNS), explained in a language."""
    texts = read_yaml(TEXTS.read_text(encoding="utf-8"))[lang]["audit"]
    names = _names(register, texts, lang)
    rows = []
    for figure, finding in zip(register.to_dict("records"), found, strict=True):
        note = _noted(study, figure)
        rows.append(
            [figure["figure_id"], printed(figure), finding.recomputed, finding.base_n,
             finding.status, _explain(texts, finding, note, lang, names)]
        )  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS).astype({"base_n": "Int64"})


def _noted(study: Study, figure: Row) -> AuditNote | None:
    """What study.yml says of a figure, and that its base is assumed, where it is."""
    note = study.definition.audit.get(figure["figure_id"])
    population = study.definition.populations.get(figure["population"])
    source = study.definition.sources.present().get(population.source if population else "")
    if source is None or not source.assumed:
        return note
    said = note or AuditNote()
    langs = source.assumed
    joined = {lang: " ".join(filter(None, [said.remark.get(lang), langs[lang]])) for lang in langs}
    return AuditNote(missing=said.missing, remark=joined)


def named(rows: pd.DataFrame, register: pd.DataFrame, lang: str) -> pd.DataFrame:
    """Rows with the variable each figure is of, and its label in a language where it has one."""
    column = f"label_{lang}"
    rows = rows.assign(variable=register["variable"].to_numpy())
    return rows.assign(label=register[column].to_numpy()) if column in register else rows


def printed(figure: Row) -> str:
    """A printed figure as one short text: `113 ; 92 %`, `~3/4`, `8.4 hours`."""
    parts: list[str] = []
    if pd.notna(figure["count"]):
        parts.append(f"{figure['count']:g}")
    if pd.notna(figure["percent"]):
        parts.append(f"{figure['percent']:g} %")
    if figure["value"]:
        unit = "" if figure["unit"] in ("fraction", "date") else f" {figure['unit']}"
        parts.append(f"{figure['value']}{unit}")
    return " ; ".join(parts)


def _names(register: pd.DataFrame, texts: dict, lang: str) -> dict[str, str]:
    """What each figure is called in a sentence: its label in the language, if any, and its code."""
    ids = register["figure_id"]
    labels = register.get(f"label_{lang}", pd.Series("", index=register.index)).fillna("")
    return {
        code: texts["witness"].format(label=label, figure=code) if label else code
        for code, label in zip(ids, labels, strict=True)
    }


def _explain(
    texts: dict, found: Finding, note: AuditNote | None, lang: str, names: dict[str, str]
) -> str:
    """The sentence of a finding, its numbers and figures written as the language writes them."""
    facts = dict(found.facts)
    if "witnesses" in facts:
        cited = [names[code] for code in facts["witnesses"].split()]
        facts["witnesses"] = texts["separator"].join(cited)
    for name in ("recomputed", "count", "base"):
        if facts.get(name, "").isdigit():
            facts[name] = f"{int(facts[name]):,}".replace(",", texts["thousands"])
    for name in ("recomputed", "share"):
        if name in facts:
            facts[name] = facts[name].replace(".", texts["decimal"]).replace(" %", texts["percent"])
            facts[name] = facts[name].replace(" ; ", " · ")
    sentence = texts[found.reason].format(**facts)
    if note is not None:
        parts = [sentence, note.missing.get(lang), note.remark.get(lang)]
        sentence = " ".join(part for part in parts if part)
    return sentence


def rounds_to(share: float, percent: float) -> bool:
    """Whether a share is printed as this percentage, half up, with its number of decimals."""
    return math.floor(100 * share * _unit(percent) + 0.5 + EPSILON) / _unit(percent) == percent


def truncates_to(share: float, percent: float) -> bool:
    """Whether cutting decimals off a share gives this percentage."""
    return math.floor(100 * share * _unit(percent) + EPSILON) / _unit(percent) == percent


def possible(percent: float, base: int) -> bool:
    """Whether some count over the base rounds to the percentage (GRIM; Brown, Heathers 2017)."""
    nearest = round(percent / 100 * base)
    return any(
        rounds_to(c / base, percent) for c in (nearest - 1, nearest, nearest + 1) if 0 <= c <= base
    )


def _unit(percent: float) -> int:
    return 1 if float(percent).is_integer() else 10


def worst(statuses: list[str]) -> str:
    return max(statuses, key=STATUSES.index)


def _table(row: Row) -> tuple:
    return tuple(row[name] for name in TABLE)


class _Auditor:
    """The results, indexed by the names that the register uses."""

    def __init__(
        self, study: Study, register: pd.DataFrame, estimates: pd.DataFrame, facts: pd.DataFrame
    ) -> None:
        self.study, self.register = study, register
        # Plain records: 363 look-ups in frames would take longer than the rest of the release.
        self.tables: dict[tuple, list[Row]] = {}
        for row in estimates.to_dict("records"):
            self.tables.setdefault(_table(row), []).append(row)
        self.facts = {(row.variable, row.category): str(row.value) for row in facts.itertuples()}

    def find(self, figure: Row) -> Finding:
        """Status of one figure. What study.yml declares missing is missing, whatever we rebuilt."""
        found = self._compare(figure)
        note = self.study.definition.audit.get(figure["figure_id"])
        if note is not None and note.missing:
            return Finding(found.recomputed, found.base_n, UNSPECIFIED, "unspecified", found.facts)
        return found

    def _compare(self, figure: Row) -> Finding:
        fact = self.facts.get((figure["variable"], figure["category"]))
        if fact is not None:
            # A day stands for the month that is printed.
            same = f"{fact}-".startswith(f"{figure['value']}-")
            return Finding(
                fact,
                math.nan,
                EXACT if same else CONTRADICTED,
                "fact" if same else "fact_differs",
                {"recomputed": fact},
            )
        table = self.tables.get(_table(figure))
        if table is None:
            return Finding("", math.nan, UNSPECIFIED, "no_data", {"recomputed": ""})
        if figure["base_kind"] == "rank":
            return self._rank(figure, table)
        if self._is_withheld(figure, table):
            return Finding("", math.nan, UNSPECIFIED, "withheld", {"recomputed": ""})
        cells = self._cells(figure, table)
        if not cells:
            return Finding("", math.nan, UNSPECIFIED, "no_data", {"recomputed": ""})
        found = [self._cell(figure, cell) for cell in cells]
        best = min(found, key=lambda item: STATUSES.index(item.status))
        return best if best.status != CONTRADICTED else self._contradicted(figure, found[0])

    def _is_withheld(self, figure: Row, table: list[Row]) -> bool:
        """Whether disclosure control keeps back what the figure would be compared with: of a rank,
        any answer of its table."""
        ranked = figure["base_kind"] == "rank"
        own = [row for row in table if ranked or row["category"] == figure["category"]]
        if not own and figure["category"] in BASES:
            return bool(pd.isna(table[0]["base_n"]))
        return any(pd.isna(row["count"]) for row in own)

    def _cells(self, figure: Row, table: list[Row]) -> list[Row]:
        """Candidate estimates, those on the printed base first: the base it holds on is found."""
        # On a base of nobody there is nothing to compare with what is printed.
        table = [row for row in table if row["base_n"] > 0]
        cells = [row for row in table if row["category"] == figure["category"]]
        if table and not cells and figure["category"] in BASES:
            return [table[0] | {"count": table[0]["base_n"], "share": 1.0}]
        return sorted(cells, key=lambda row: row["base_n"] != figure["base_n"])

    def _cell(self, figure: Row, cell: Row) -> Finding:
        facts = {
            "count": f"{cell['count']:g}",
            "base": f"{cell['base_n']:g}",
            "base_kind": cell["base_kind"],
        }
        if figure["value"]:
            return self._value(figure, cell, facts)
        shown: list[str] = []
        statuses: list[str] = []
        if pd.notna(figure["count"]):
            shown.append(f"{cell['count']:g}")
            statuses.append(EXACT if figure["count"] == cell["count"] else CONTRADICTED)
        if pd.notna(figure["percent"]):
            shown.append(f"{100 * cell['share']:.1f} %")
            statuses.append(_percent_status(cell["share"], figure["percent"], int(cell["base_n"])))
        status = worst(statuses)
        facts |= {"recomputed": " ; ".join(shown), "share": f"{100 * cell['share']:.1f} %"}
        return Finding(facts["recomputed"], cell["base_n"], status, status, facts)

    def _value(self, figure: Row, cell: Row, facts: dict[str, str]) -> Finding:
        if figure["unit"] == "fraction":
            status = fraction_status(figure["value"], cell["share"])
            shown = f"{100 * cell['share']:.1f} %"
        else:
            mean = cell["count"] / cell["base_n"]
            decimals = len(figure["value"].partition(".")[2])
            shown = f"{mean:.{decimals + 2}f}"
            status = ROUNDS if f"{mean:.{decimals}f}" == figure["value"] else CONTRADICTED
        facts = facts | {"recomputed": shown}
        reason = f"fraction_{status}" if figure["unit"] == "fraction" else f"mean_{status}"
        return Finding(shown, cell["base_n"], status, reason, facts)

    def _rank(self, figure: Row, table: list[Row]) -> Finding:
        """Place of an answer by its count; equal counts share the better place."""
        sets = self.study.definition.answer_sets.get(figure["variable"], {})
        people = [row for row in table
                  if row["base_kind"] != "mentions" and row["category"] not in sets]  # fmt: skip
        own = next(row for row in people if row["category"] == figure["category"])
        rank = sum(row["count"] > own["count"] for row in people) + 1
        same = f"{rank}" == figure["value"]
        facts = {
            "recomputed": f"{rank}",
            "count": f"{own['count']:g}",
            "base": f"{own['base_n']:g}",
        }
        return Finding(
            f"{rank}",
            own["base_n"],
            EXACT if same else CONTRADICTED,
            "rank" if same else "rank_differs",
            facts,
        )

    def _contradicted(self, figure: Row, found: Finding) -> Finding:
        """Name the printed figures that forbid this one."""
        names = self.witnesses(figure)
        return Finding(
            found.recomputed,
            found.base_n,
            CONTRADICTED,
            "contradicted" if found.reason == CONTRADICTED else found.reason,
            found.facts | {"witnesses": " ".join(names)},
        )

    def witnesses(self, figure: Row) -> list[str]:
        """Codes of the other figures of the same table that give the answer, or of its set."""
        sets = self.study.definition.answer_sets.get(figure["variable"], {})
        members = sets[figure["category"]].answers if figure["category"] in sets else []
        same = pd.Series(True, index=self.register.index)
        for name in TABLE:
            same &= self.register[name] == figure[name]
        same &= self.register["category"].isin([figure["category"], *members])
        same &= self.register["figure_id"] != figure["figure_id"]
        charts = self.register[same & (self.register["place"] != "text")]
        chosen = charts if len(charts) else self.register[same]
        return list(chosen["figure_id"])


def _percent_status(share: float, percent: float, base: int) -> str:
    if rounds_to(share, percent):
        return EXACT if abs(100 * share - percent) < EPSILON else ROUNDS
    if truncates_to(share, percent):
        return TRUNCATED
    return CONTRADICTED if possible(percent, base) else IMPOSSIBLE


SIMPLE = sorted({Fraction(a, b) for b in range(2, 6) for a in range(1, b)})


def fraction_status(text: str, share: float) -> str:
    """Status of a fraction in words: `2/3`, `~3/4` (about), `>1/2` (more than).

    A fraction rounds when none of the other halves, thirds, quarters and fifths is nearer.
    """
    value = Fraction(text.lstrip("~>"))
    if text.startswith(">"):
        return EXACT if share > value else CONTRADICTED
    if abs(share - value) < EPSILON:
        return EXACT
    nearest = min(SIMPLE, key=lambda other: abs(share - float(other)))
    return ROUNDS if nearest == value else CONTRADICTED


def summary(rows: pd.DataFrame) -> dict[str, int]:
    """Number of figures by status, every status named."""
    counts = rows["status"].value_counts()
    return {status: int(counts.get(status, 0)) for status in STATUSES}
