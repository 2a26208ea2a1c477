"""Whether two questions can be held against each other, and if not, why.

A reason keeps two questions apart; a warning goes with them into every figure and file.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from analysis.comparison.asked import Asked, Table, plain
from analysis.definition import Definition, Period

DAYS_A_MONTH = 365.2425 / 12
# What a later wave may have changed, to be told beside a change that is shown all the same.
OF_WAVES = frozenset({"wording", "answers", "limit"})


@dataclass(frozen=True)
class Match:
    """Two questions side by side.

    first, second: the tables that are compared, None where no two are of one base. reasons: what
    keeps them apart. warnings: what a reader must know. accepted: what someone judged not to
    matter. common: shared names of the answers that both have; only_first, only_second, reworded:
    of those that differ.
    """

    first: Table | None
    second: Table | None
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    accepted: tuple[str, ...]
    common: tuple[str, ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    reworded: tuple[str, ...]


@dataclass(frozen=True)
class Setting:
    """What holds for all questions of two studies: whether they are waves, and whether their
    periods are too far apart."""

    waves: bool
    apart: bool


def setting(first: Definition, second: Definition, months_apart: float) -> Setting:
    """How two studies stand to each other."""
    waves = series(first) == series(second)
    apart = months_between(first.period, second.period) > months_apart
    return Setting(waves, apart and not waves)


def series(definition: Definition) -> str:
    """The study that a study, or the one it asks again, began as."""
    return definition.wave_of or definition.study


def months_between(one: Period, other: Period) -> float:
    """Months from the end of the earlier fieldwork to the start of the later, 0 if they meet."""
    gap: dt.timedelta = max(one.start - other.end, other.start - one.end, dt.timedelta())
    return gap.days / DAYS_A_MONTH


def match(first: Asked, second: Asked, how: Setting, accept: Iterable[str] = ()) -> Match:
    """Hold two questions of one name against each other."""
    tables = _of_one_base(first, second)
    only_first = tuple(a for a in first.answers if a not in second.answers)
    only_second = tuple(a for a in second.answers if a not in first.answers)
    common = [a for a in first.answers if a in second.answers]
    reworded = tuple(a for a in common if plain(first.answers[a]) != plain(second.answers[a]))
    same = [a for a in second.answers if a in first.answers] == common
    found = {
        "kind": first.kind != second.kind,
        "wording": plain(first.wording) != plain(second.wording),
        "answers": bool(only_first or only_second or reworded),
        "limit": first.limit != second.limit,
        "routing": first.routing != second.routing,
        "no_estimate": not (first.tables and second.tables),
        "base": bool(first.tables and second.tables) and tables is None,
        "base_kind": tables is not None and tables[0].kind != tables[1].kind,
        "period": how.apart,
        "no_answer": not common,
    }
    differs = [name for name, there in found.items() if there]
    accepted = [name for name in differs if name in set(accept)]
    told = [name for name in differs if name not in accepted]
    softened = [name for name in told if how.waves and name in OF_WAVES]
    return Match(
        *(tables or _own(first, second)),
        reasons=tuple(name for name in told if name not in softened),
        warnings=tuple(softened + ([] if same or reworded else ["order"])),
        accepted=tuple(accepted),
        common=tuple(a for a in common if a not in reworded),
        only_first=only_first,
        only_second=only_second,
        reworded=reworded,
    )


def _of_one_base(first: Asked, second: Asked) -> tuple[Table, Table] | None:
    """The first tables of both that are of the same people, by their definition."""
    for one in first.tables:
        for other in second.tables:
            if one.where == other.where:
                return one, other
    return None


def _own(first: Asked, second: Asked) -> tuple[Table | None, Table | None]:
    return next(iter(first.tables), None), next(iter(second.tables), None)
