"""The questionnaire: an XLSForm, read once, from which schemas, bases and codebook are derived.

https://xlsform.org. pyxform says whether the form is valid; what is kept here is what analysis
needs: questions in order, their answers, labels by language, groups and routing.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pyxform import xls2xform

from analysis import expression
from analysis.errors import InputError, Problem, nearest
from analysis.plain import strange

LONGEST = 10_000  # characters of a label or of a condition
KINDS = ("select_one", "select_multiple", "integer", "decimal", "text", "date")
LABEL = re.compile(r"label::.*\((?P<lang>[a-z]{2,3})\)\s*$")
MESSAGE = re.compile(r"constraint_message::.*\((?P<lang>[a-z]{2,3})\)\s*$")
MOST = re.compile(r"count-selected\(\s*\.\s*\)\s*(<=?)\s*(\d+)")
HINT = re.compile(r"hint::.*\((?P<lang>[a-z]{2,3})\)\s*$")


@dataclass(frozen=True)
class Choice:
    """An answer: its code, its label by language, and any further column of its list."""

    name: str
    labels: dict[str, str]
    row: int
    extra: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Group:
    """A section of the questionnaire, or a battery of items."""

    name: str
    labels: dict[str, str]
    row: int
    relevant: str
    inside: tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """One question as asked. `relevant` joins its own routing and that of its groups.

    `messages`: what the form says, by language, when the constraint is not met.
    """

    name: str
    kind: str
    labels: dict[str, str]
    hints: dict[str, str]
    row: int
    choices: tuple[Choice, ...] = ()
    relevant: str = ""
    constraint: str = ""
    messages: dict[str, str] = field(default_factory=dict)
    required: bool = False
    groups: tuple[str, ...] = ()

    @property
    def several(self) -> bool:
        return self.kind == "select_multiple"

    @property
    def measured(self) -> bool:
        """Whether the answer is a number or a day, which is read in bands."""
        return self.kind in ("integer", "decimal", "date")

    @property
    def most(self) -> int | None:
        """How many answers the constraint lets a person give, where it says so."""
        found = MOST.search(self.constraint)
        return int(found[2]) - (found[1] == "<") if found else None

    @property
    def answers(self) -> list[str]:
        return [choice.name for choice in self.choices]

    @property
    def columns(self) -> list[str]:
        """Columns of the clean table that hold the answers."""
        return [f"{self.name}/{a}" for a in self.answers] if self.several else [self.name]


@dataclass(frozen=True)
class Questionnaire:
    """Questions in the order they are asked, and the groups they stand in."""

    file: str
    questions: dict[str, Question]
    groups: dict[str, Group]
    languages: tuple[str, ...]

    def __getitem__(self, name: str) -> Question:
        return self.questions[name]

    def __contains__(self, name: str) -> bool:
        return name in self.questions

    def __iter__(self) -> Iterator[Question]:
        return iter(self.questions.values())

    def battery(self, group: str) -> dict[str, list[Question]]:
        """Items of a battery by the innermost group they stand in."""
        items: dict[str, list[Question]] = {}
        for question in self:
            if group in question.groups:
                items.setdefault(question.groups[-1], []).append(question)
        return items

    def problem(
        self,
        row: int | None,
        rule: str,
        found: str,
        expected: str,
        action: str,
        column: str | None = None,
    ) -> Problem:
        return Problem(self.file, rule, found, expected, action, row, column)


def read_questionnaire(path: Path, shown: str | None = None) -> Questionnaire:
    """Read and check an XLSForm (`.csv` with its sheets one under another, or `.xlsx`).

    Raises InputError with every problem: not a form, a type that is not supported, a label
    missing in a language, routing that reads an unknown question or function.
    """
    file = shown or path.name
    sheets = _sheets(path, file)
    try:
        form = _assemble(file, sheets, _languages(sheets["survey"]))
    except (KeyError, IndexError) as error:
        # A form so broken that pyxform has the better words for it.
        _check_form(path, file)
        raise _unreadable(file, f"{type(error).__name__}: {error}") from error
    problems = [*_missing_labels(form), *_broken_expressions(form)]
    if problems:
        raise InputError(problems)
    # Last, because our own messages name the nearest known question.
    _check_form(path, file)
    return form


def _sheets(path: Path, file: str) -> dict[str, list[tuple[int, dict[str, str]]]]:
    """Rows of each sheet as dictionaries, each with its row number."""
    try:
        raw = _xlsx_rows(path, file) if path.suffix.lower() == ".xlsx" else _csv_rows(path)
    except (
        OSError,
        UnicodeDecodeError,
        csv.Error,
        KeyError,
        ValueError,
    ) as error:
        raise _unreadable(file, str(error)) from error
    _check_cells(raw, file)
    sheets = {name: _records(rows) for name, rows in raw.items()}
    for name in ("survey", "choices"):
        if not sheets.get(name):
            raise InputError(
                [
                    Problem(
                        file,
                        "an XLSForm has a survey and a choices sheet",
                        "found " + (", ".join(sheets) or "none"),
                        f"a sheet named {name}",
                        f"add the sheet {name}",
                    )
                ]
            )
    return sheets


def _unreadable(file: str, found: str) -> InputError:
    problem = Problem(file, "the questionnaire can be read", found,
                      "an XLSForm as UTF-8 .csv or as .xlsx",
                      "save the form again in one of these formats")  # fmt: skip
    return InputError([problem])


def _check_cells(raw: dict[str, list[tuple[int, list[str]]]], file: str) -> None:
    """Texts of a believable length, without characters that hide what stands around them."""
    problems = []
    for rows in raw.values():
        for row, cells in rows:
            for at, cell in enumerate(cells):
                if len(cell) > LONGEST or (sign := strange(cell)):
                    found = f"{len(cell)} characters" if len(cell) > LONGEST else sign
                    problems.append(
                        Problem(file, "texts are short, and have no hidden characters", found,
                                f"{LONGEST} characters at most, letters and signs",
                                "correct the cell", row, rows[0][1][at] if at < len(rows[0][1])
                                else None)
                    )  # fmt: skip
    if problems:
        raise InputError(problems)


def _csv_rows(path: Path) -> dict[str, list[tuple[int, list[str]]]]:
    sheets: dict[str, list[tuple[int, list[str]]]] = {}
    current: list[tuple[int, list[str]]] = []
    with path.open(encoding="utf-8-sig", newline="") as handle:
        reader = csv.reader(handle)
        for cells in reader:
            if cells and cells[0].strip():
                current = sheets.setdefault(cells[0].strip(), [])
            if any(cell.strip() for cell in cells[1:]):
                current.append((reader.line_num, cells[1:]))
    return sheets


def _xlsx_rows(path: Path, file: str) -> dict[str, list[tuple[int, list[str]]]]:
    # Readers take a moment to import, and most questionnaires come as CSV.
    from analysis.intake.workbooks import sheets  # noqa: PLC0415

    found = sheets(path, file, lambda value: "" if value is None else str(value))
    return {
        title: [(number, row) for number, row in enumerate(rows, start=1) if any(row)]
        for title, rows in found
    }


def _records(rows: list[tuple[int, list[str]]]) -> list[tuple[int, dict[str, str]]]:
    if not rows:
        return []
    header = [cell.strip() for cell in rows[0][1]]
    return [
        (number, {k: v.strip() for k, v in zip(header, cells, strict=False) if k})
        for number, cells in rows[1:]
    ]


def _check_form(path: Path, file: str) -> None:
    """Let pyxform say what is wrong with the form itself."""
    try:
        xls2xform.convert(str(path), warnings=[], validate=False)
    except Exception as error:  # PyXFormError, but also what its parts raise on a strange form
        raise InputError(
            [
                Problem(
                    file,
                    "the questionnaire is a valid XLSForm",
                    str(error) or type(error).__name__,
                    "a form that pyxform accepts (https://xlsform.org)",
                    "correct the row the message names",
                )
            ]
        ) from error


def _languages(rows: list[tuple[int, dict[str, str]]]) -> tuple[str, ...]:
    header = rows[0][1] if rows else {}
    return tuple(match["lang"] for name in header if (match := LABEL.match(name)))


def _texts(record: dict[str, str], pattern: re.Pattern[str]) -> dict[str, str]:
    found = {m["lang"]: text for name, text in record.items() if (m := pattern.match(name))}
    return {lang: text for lang, text in found.items() if text}


def _assemble(file: str, sheets: dict, languages: tuple[str, ...]) -> Questionnaire:
    lists = _choice_lists(sheets["choices"])
    questions: dict[str, Question] = {}
    groups: dict[str, Group] = {}
    stack: list[Group] = []
    problems = []
    for row, record in sheets["survey"]:
        kind, _, list_name = record.get("type", "").partition(" ")
        if kind in ("begin_group", "begin group") or record.get("type") == "begin group":
            group = Group(
                record["name"],
                _texts(record, LABEL),
                row,
                record.get("relevant", ""),
                tuple(parent.name for parent in stack),
            )
            stack.append(group)
            groups[group.name] = group
        elif kind in ("end_group", "end"):
            stack.pop()
        elif kind in KINDS:
            questions[record["name"]] = _question(
                row, record, kind, lists.get(list_name, ()), stack
            )
        elif kind not in ("note", "calculate", "start", "end", "today", "deviceid", ""):
            problems.append(
                Problem(
                    file,
                    "question types that analysis reads",
                    kind,
                    ", ".join(KINDS),
                    nearest(kind, [*KINDS, "begin_group", "end_group"]),
                    row,
                    "type",
                )
            )
    if problems:
        raise InputError(problems)
    return Questionnaire(file, questions, groups, languages)


def _choice_lists(rows: list[tuple[int, dict[str, str]]]) -> dict[str, tuple[Choice, ...]]:
    lists: dict[str, list[Choice]] = {}
    for row, record in rows:
        extra = {
            name: value
            for name, value in record.items()
            if name not in ("list_name", "name") and not LABEL.match(name)
        }
        choice = Choice(record.get("name", ""), _texts(record, LABEL), row, extra)
        lists.setdefault(record.get("list_name", ""), []).append(choice)
    return {name: tuple(choices) for name, choices in lists.items()}


def _question(
    row: int, record: dict[str, str], kind: str, choices: tuple[Choice, ...], stack: list[Group]
) -> Question:
    routes = [group.relevant for group in stack] + [record.get("relevant", "")]
    distinct = list(dict.fromkeys(route for route in routes if route))
    return Question(
        name=record["name"],
        kind=kind,
        labels=_texts(record, LABEL),
        hints=_texts(record, HINT),
        row=row,
        choices=choices,
        relevant=distinct[0] if len(distinct) == 1 else " and ".join(f"({r})" for r in distinct),
        constraint=record.get("constraint", ""),
        messages=_texts(record, MESSAGE),
        required=record.get("required", "").lower() in ("yes", "true", "true()"),
        groups=tuple(group.name for group in stack),
    )


def _missing_labels(form: Questionnaire) -> list[Problem]:
    labelled = [(q.row, q.name, q.labels) for q in form]
    labelled += [(g.row, g.name, g.labels) for g in form.groups.values()]
    seen = {c.row: (c.row, c.name, c.labels) for q in form for c in q.choices}
    return [
        form.problem(
            row,
            "a label in each language",
            f"no {lang} label for {name!r}",
            "a label in " + " and ".join(form.languages),
            f"write the label of {name!r} in {lang}",
            f"label ({lang})",
        )
        for row, name, labels in [*labelled, *seen.values()]
        for lang in form.languages
        if not labels.get(lang)
    ]


def _broken_expressions(form: Questionnaire) -> list[Problem]:
    problems = []
    for question in form:
        for column in ("relevant", "constraint"):
            text = getattr(question, column)
            if not text:
                continue
            try:
                unknown = expression.parse(text).questions() - set(form.questions)
            except expression.ExpressionError as error:
                problems.append(
                    form.problem(
                        question.row,
                        "routing in the supported language",
                        str(error),
                        "an XLSForm expression",
                        "rewrite the expression",
                        column,
                    )
                )
                continue
            problems += [
                form.problem(
                    question.row,
                    "routing reads known questions",
                    f"${{{name}}}",
                    "a question of this form",
                    nearest(name, list(form.questions)),
                    column,
                )
                for name in sorted(unknown)
            ]
    return problems
