"""Headers of many files to the columns of a study, which come and go over the years."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.errors import Problem
from analysis.intake.fields import Field
from analysis.intake.texts import near, problem
from analysis.study import Recode

SOURCE = "actions"


@dataclass(frozen=True)
class Mapped:
    """What the header of a file gives. names: the place of each column of the study in the header;
    used: rows of recodes.csv that served; problems: what must change."""

    names: dict[str, int]
    used: frozenset[int]
    problems: tuple[Problem, ...]


def mapped(
    header: Sequence[str],
    known: Mapping[str, Field],
    recodes: Sequence[Recode],
    file: str,
    folders: Sequence[str] = (),
) -> Mapped:
    """Put the header of one file under the names of the study.

    A column that is not required may be missing. recodes: those of the source; a header may be
    written one way one year and another way the next. folders: columns that only the names of
    folders tell (`year=2024`), which nobody needs to know.
    """
    becomes = {item.found: item for item in recodes if item.kind == "header"}
    dropped = {item.found: item for item in recodes if item.kind == "drop"}
    names: dict[str, int] = {}
    used: set[int] = set()
    problems: list[Problem] = []
    for at, found in enumerate(_without_empty_end(header)):
        item = becomes.get(found) or dropped.get(found)
        if item is not None:
            used.add(item.row)
        if found in dropped and found not in becomes:
            continue
        name = item.becomes if item is not None else found
        if not found:
            value = str(at + 1)
            problems.append(problem("header_empty", file, 1, value, value=value))
        elif name in names:
            both = f"{header[names[name]]}, {found}"
            problems.append(problem("header_twice", file, 1, name, value=name, known=both))
        elif name in known:
            names[name] = at
        elif found not in folders:
            suggestion = near(found, [*known, *becomes])
            problems.append(problem("column_unknown", file, 1, found, value=found, near=suggestion))
    wanted = {item.becomes: item.found for item in becomes.values()}
    for name, field in known.items():
        if name not in names and (field.required or field.type == "id"):
            found = wanted.get(name, "")
            detail = f" ({name})" if found else ""
            problems.append(
                problem("column_missing", file, 1, found or name, value=found or name,
                        detail=detail)
            )  # fmt: skip
    return Mapped(names, frozenset(used), tuple(problems))


def unused(
    recodes: Sequence[Recode], used: frozenset[int], place: str, file: str, headers: Sequence[str]
) -> list[Problem]:
    """Headers that recodes.csv names and that no file has."""
    return [
        problem("recode_unused", file, item.row, "found", value=item.found, place=place,
                near=near(item.found, headers))
        for item in recodes
        if item.kind in ("header", "drop") and item.row not in used
    ]  # fmt: skip


def aimless(recodes: Sequence[Recode], known: Mapping[str, Field], file: str) -> list[Problem]:
    """Recodes that lead to a column or an answer that the study does not have."""
    problems: list[Problem] = []
    for item in recodes:
        if item.kind == "header" and item.becomes not in known:
            problems.append(
                problem("recode_column", file, item.row, "becomes", value=item.becomes,
                        near=near(item.becomes, list(known)))
            )  # fmt: skip
        if item.kind != "value":
            continue
        field = known.get(item.column)
        if field is None:
            problems.append(
                problem("recode_column", file, item.row, "column", value=item.column,
                        near=near(item.column, list(known)))
            )  # fmt: skip
        elif field.type == "category" and item.becomes and item.becomes not in field.answers:
            problems.append(
                problem("recode_answer", file, item.row, "becomes", value=item.becomes,
                        known=", ".join(field.answers),
                        near=near(item.becomes, list(field.answers)))
            )  # fmt: skip
    return problems


def _without_empty_end(header: Sequence[str]) -> list[str]:
    """The header without the delimiters that a spreadsheet leaves at its end."""
    kept = list(header)
    while kept and not kept[-1]:
        kept.pop()
    return kept
