"""What each estimate rests on: real answers, published figures, or a choice of ours.

Answers rebuilt from published figures give those figures back, and say nothing else. A table is
`published` when the register prints every one of its answers, or enough of them for the rest to
follow; a cell is, when a figure that the audit confirms prints it. Everything else on rebuilt
answers is `illustrative`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.release.audit import EXACT, ROUNDS, TRUNCATED
from analysis.study import Study

OBSERVED, PUBLISHED, ILLUSTRATIVE = "observed", "published", "illustrative"
# Measures of how the answers of one person go together, or go with having finished, which no
# printed share tells.
TOGETHER = [
    "rank", "cronbach_alpha", "mcdonald_omega", "lift", "cohen_kappa", "krippendorff_alpha",
    "partials_difference",
]  # fmt: skip
TABLE = ["variable", "population", "by", "by_category"]
CELL = [*TABLE, "category"]
FLOW = ["response_flow", "question_base"]
# Of a table: an answer, what its base is made of, its share.
Cell = tuple[str, str, float]


def evidence(
    estimates: pd.DataFrame,
    register: pd.DataFrame | None,
    audited: pd.DataFrame | None,
    study: Study,
) -> pd.Series:
    """Evidence of each estimate, on the estimates' index.

    register, audited: the published figures and their audit, row by row; None where there is no
    register.
    """
    if not study.definition.synthetic:
        return pd.Series(OBSERVED, index=estimates.index)
    if register is None or audited is None:
        return pd.Series(ILLUSTRATIVE, index=estimates.index)
    printed = _printed_cells(register, audited)
    tables = _printed_tables(estimates, printed, study)
    cell = pd.MultiIndex.from_frame(estimates[CELL].astype(str))
    table = pd.MultiIndex.from_frame(estimates[TABLE].astype(str))
    # A person's score mixes several items, and no one printed how answers to them go together.
    follows = (table.isin(tables) | cell.isin(list(printed))) & (
        estimates["method"] != "mean_score"
    )
    follows |= estimates["variable"].isin(FLOW)
    follows |= pd.Series(_follow(estimates, printed, study), index=estimates.index)
    # How many there are in all was assumed; the shares of them are printed.
    follows &= ~(
        (estimates["method"] == "assumed") & (estimates["variable"] == estimates["base_kind"])
    )
    return pd.Series(PUBLISHED, index=estimates.index).where(follows, ILLUSTRATIVE)


def of_tests(tests: pd.DataFrame, estimates: pd.DataFrame) -> pd.Series:
    """Evidence of each test: that of the weakest estimate of the table it reads."""
    return _weakest(tests, estimates, ["table", "population"])


def of_measures(measures: pd.DataFrame, estimates: pd.DataFrame) -> pd.Series:
    """Evidence of each measure: that of its table, unless it says how answers go together."""
    found = _weakest(measures, estimates, ["table", "population"])
    together = measures["measure"].isin(TOGETHER) & (found == PUBLISHED)
    return found.mask(together, ILLUSTRATIVE)


def _weakest(rows: pd.DataFrame, estimates: pd.DataFrame, key: list[str]) -> pd.Series:
    order = [OBSERVED, PUBLISHED, ILLUSTRATIVE]
    weakest = estimates.groupby(key)["evidence"].agg(lambda kinds: max(kinds, key=order.index))
    found = [weakest[tuple(row)] for row in rows[key].to_numpy()]
    return pd.Series(found, index=rows.index, dtype="object")


def _printed_cells(register: pd.DataFrame, audited: pd.DataFrame) -> set[tuple[str, ...]]:
    """Cells of charts, and cells of statements that the audit confirms.

    A rank orders answers, it does not count them.
    """
    confirmed = audited["status"].isin([EXACT, ROUNDS, TRUNCATED]).to_numpy()
    counts = (register["base_kind"] != "rank").to_numpy()
    rows = register[counts & (confirmed | (register["place"] != "text").to_numpy())]
    return set(rows[CELL].astype(str).itertuples(index=False, name=None))


def _printed_tables(
    estimates: pd.DataFrame, printed: set[tuple[str, ...]], study: Study
) -> list[tuple]:
    """Tables whose every answer is printed or follows, and tables derived from one of them."""
    sets = {
        (variable, name)
        for variable, items in study.definition.answer_sets.items()
        for name in items
    }
    tables: dict[tuple[str, ...], list[Cell]] = {}
    columns = [*TABLE, "category", "base_kind", "share"]
    for *names, category, base_kind, share in estimates[columns].itertuples(index=False, name=None):
        answers = tables.setdefault(tuple(map(str, names)), [])
        if (names[0], category) not in sets:
            answers.append((str(category), base_kind, share))
    known = [k for k, answers in tables.items() if _complete(k, answers, printed, study.sides)]
    derived = [
        (name, *key[1:])
        for name, item in study.definition.derived.items()
        for key in known
        if key[0] == item.source
    ]
    return known + derived


def _follow(estimates: pd.DataFrame, printed: set[tuple[str, ...]], study: Study) -> list[bool]:
    """Whether each cell of a single-answer table is a sum or a difference of printed ones: of
    answers, of answers read together, and of all answers."""
    found = dict.fromkeys(estimates.index, False)
    known_sets = study.definition.answer_sets
    # Without a printed set, `_complete` has said it all.
    named = {cell[:4] for cell in printed if cell[4] in known_sets.get(cell[0], {})}
    inside = pd.MultiIndex.from_frame(estimates[TABLE].astype(str)).isin(list(named))
    for key, rows in estimates[inside].groupby([*TABLE, "base_kind"], sort=False):
        names = tuple(map(str, key[:-1]))
        sets = known_sets.get(names[0], {})
        answers = [c for c in rows["category"] if c not in sets]
        known = [c for c in rows["category"] if (*names, c) in printed]
        if not set(known) & set(sets) or abs(_total(rows, answers) - 1) > 1e-9:
            continue
        of = {c: np.isin(answers, sets[c].answers if c in sets else [c]) for c in rows["category"]}
        basis = np.array([np.ones(len(answers)), *(of[c] for c in known)], dtype=float)
        rank = np.linalg.matrix_rank(basis)
        for at, category in rows["category"].items():
            found[at] = bool(np.linalg.matrix_rank(np.vstack([basis, of[category]])) == rank)
    return [found[at] for at in estimates.index]


def _total(rows: pd.DataFrame, answers: list[str]) -> float:
    return float(rows.loc[rows["category"].isin(answers), "share"].sum())


def _complete(
    key: tuple[str, ...],
    answers: list[Cell],
    printed: set[tuple[str, ...]],
    sides: tuple[str, str],
) -> bool:
    names = {category for category, _, _ in answers}
    there = {name for name in names if (*key, name) in printed}
    if there == names:
        return True
    # Two totals with their extremes give the answers between them.
    if set(sides) < there:
        return len(there) >= 5
    # The last answer of a single-answer table is what the others leave.
    first = sum(share for _, base_kind, share in answers if base_kind == answers[0][1])
    return len(there) == len(names) - 1 and abs(first - 1) < 1e-9
