"""The questionnaire: an XLSForm, read once, from which schemas, bases and codebook are derived.

https://xlsform.org. pyxform says whether the form is valid; what is kept here is what analysis
needs: questions in order, their answers, labels by language, groups and routing.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pyxform import xls2xform

from analysis import expression
from analysis.errors import InputError, Problem, nearest
from analysis.plain import strange
from analysis.plain_text import kind_of, read_cells

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

    Raises InputError with every problem: not a form, a type that is not supported, a list that is
    not there, a name that stands twice, a label missing in a language, routing that reads an
    unknown question, answer or function.
    """
    file = shown or path.name
    sheets = read_sheets(path, file)
    _stop_at([*_broken_sheets(file, sheets), *_broken_rows(file, sheets["survey"])])
    form = _assemble(file, sheets, _languages(sheets["survey"]))
    _stop_at([
        *_unknown_lists(file, sheets),
        *_repeated_names(file, sheets),
        *_repeated_labels(file, sheets["choices"]),
        *_missing_labels(form),
        *_broken_expressions(form, sheets["survey"]),
    ])  # fmt: skip
    # Last, because our own messages name the nearest known question.
    _check_form(path, file)
    return form


def _stop_at(problems: list[Problem]) -> None:
    if problems:
        raise InputError(problems)


Rows = list[tuple[int, dict[str, str]]]
CSV, XLSX = "CSV in UTF-8", "an .xlsx workbook"


def read_sheets(path: Path, file: str) -> dict[str, Rows]:
    """Rows of each sheet as dictionaries, each with its row number. `survey` and `choices` are
    there, the second one empty in a form without lists. Raises InputError."""
    raw = _xlsx_rows(path, file) if path.suffix.lower() == ".xlsx" else _csv_rows(path, file)
    _check_cells(raw, file)
    sheets = {name: _records(rows) for name, rows in raw.items()}
    lists = any("select" in record.get("type", "") for _, record in sheets.get("survey", []))
    problems = [
        Problem(file, "an XLSForm has a survey and a choices sheet",
                "found " + (", ".join(map(repr, sheets)) or "no sheet"),
                f"a sheet named {name}, with rows below its header",
                f"add the sheet {name} (https://xlsform.org)"
                + (f", or {nearest(name, list(sheets))}" if sheets else ""))
        for name in (("survey", "choices") if lists else ("survey",)) if not sheets.get(name)
    ]  # fmt: skip
    _stop_at(problems)
    return {"choices": [], **sheets}


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


def _csv_rows(path: Path, file: str) -> dict[str, list[tuple[int, list[str]]]]:
    sheets: dict[str, list[tuple[int, list[str]]]] = {}
    current: list[tuple[int, list[str]]] = []
    problems = []
    row = 1
    try:
        for row, cells in read_cells(path, file, CSV):
            if cells and cells[0].strip():
                problems += _no_sheet(file, row, cells[0].strip())
                current = sheets.setdefault(cells[0].strip(), [])
            if any(cell.strip() for cell in cells[1:]):
                current.append((row, cells[1:]))
                problems += _too_wide(file, current)
    except csv.Error as error:
        raise InputError(
            [Problem(file, "the questionnaire is CSV", str(error), CSV, "save the form again",
                     row)]
        ) from error  # fmt: skip
    _stop_at(problems)
    return sheets


def _no_sheet(file: str, row: int, name: str) -> list[Problem]:
    """The word `sheet` where a sheet begins, as the title of the column of their names."""
    if name.lower() != "sheet":
        return []
    return [
        Problem(file, "the first column names a sheet where it begins", name,
                "survey or choices on a line of its own, and the header of the sheet below it",
                "write the name of the sheet, and move its header down one line", row)
    ]  # fmt: skip


def _too_wide(file: str, rows: list[tuple[int, list[str]]]) -> list[Problem]:
    """The last row, where it has more cells than the header of its sheet: a comma in a text that
    is not in quotes moves all that stands behind it, its routing among it."""
    header, (row, cells) = rows[0][1], rows[-1]
    if len(cells) <= len(header):
        return []
    return [
        Problem(file, "a row has no more cells than its header", f"{len(cells)}: {','.join(cells)}",
                f"{len(header)} cells at most", "put a text that holds a comma in quotes, or "
                "remove empty cells at the end", row)
    ]  # fmt: skip


def _xlsx_rows(path: Path, file: str) -> dict[str, list[tuple[int, list[str]]]]:
    # Readers take a moment to import, and most questionnaires come as CSV.
    from analysis.intake.workbooks import sheets  # noqa: PLC0415

    with path.open("rb") as handle:
        data = handle.read(512)
    if not data.startswith(b"PK"):
        kind = kind_of(data) or ("an empty file" if not data else "text (CSV, maybe)")
        raise InputError(
            [Problem(file, "the file is what its ending says", kind, XLSX,
                     f"save it again as {XLSX}, or rename it to .csv if it is CSV")]
        )  # fmt: skip
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
        if path.suffix.lower() == ".csv":
            rows = io.StringIO()
            csv.writer(rows).writerows(cells for _, cells in read_cells(path, file, CSV))
            plain = io.BytesIO(rows.getvalue().encode())
            xls2xform.convert(plain, warnings=[], validate=False, file_type=".csv")
        else:
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


def _kind(record: dict[str, str]) -> tuple[str, str]:
    """The type of a row, with an underscore where it has two words, and its list."""
    said = re.sub(r"^(begin|end) ", r"\1_", record.get("type", ""))
    kind, _, list_name = said.partition(" ")
    return kind, list_name


def _assemble(file: str, sheets: dict[str, Rows], languages: tuple[str, ...]) -> Questionnaire:
    lists = _choice_lists(sheets["choices"])
    questions: dict[str, Question] = {}
    groups: dict[str, Group] = {}
    stack: list[Group] = []
    for row, record in sheets["survey"]:
        kind, list_name = _kind(record)
        if kind == "begin_group":
            group = _group(row, record, stack)
            stack.append(group)
            groups[group.name] = group
        elif kind == "end_group":
            stack.pop()
        elif kind in KINDS:
            choices = lists.get(list_name, ())
            questions[record["name"]] = _question(row, record, kind, choices, stack)
    return Questionnaire(file, questions, groups, languages)


def _group(row: int, record: dict[str, str], stack: list[Group]) -> Group:
    inside = tuple(parent.name for parent in stack)
    return Group(record["name"], _texts(record, LABEL), row, record.get("relevant", ""), inside)


# --- Mistakes in the sheets

UNREAD = ("note", "calculate", "start", "end", "today", "deviceid", "")
NAMED = (*KINDS, "begin_group")
NAME = re.compile(r"[^\W\d][\w.-]*")


def _broken_sheets(file: str, sheets: dict[str, Rows]) -> list[Problem]:
    """Columns that a sheet cannot do without, told once and not at each row."""
    needed = {"survey": ("type", "name"), "choices": ("list_name", "name")}
    problems = []
    for sheet, columns in needed.items():
        header = list(sheets[sheet][0][1]) if sheets[sheet] else list(columns)
        row = sheets[sheet][0][0] - 1 if sheets[sheet] else None
        problems += [
            Problem(file, f"the sheet {sheet} has its columns", ", ".join(header) or "no header",
                    f"a column {column}", f"add the column {column} (https://xlsform.org)", row,
                    column)
            for column in columns if column not in header
        ]  # fmt: skip
    if sheets["survey"] and not _languages(sheets["survey"]):
        given = ", ".join(key for key in sheets["survey"][0][1] if "label" in key) or "no label"
        problems.append(
            Problem(file, "labels say their language", given,
                    "a column label::Français (fr), and one for each other language",
                    "name the column of labels so", sheets["survey"][0][0] - 1, "label")
        )  # fmt: skip
    return problems


def _broken_rows(file: str, rows: Rows) -> list[Problem]:
    """Rows that are no question: of an unknown type, without a name, groups that do not close."""
    problems = []
    open_: list[tuple[int, str]] = []
    for row, record in rows:
        kind, _ = _kind(record)
        name = record.get("name", "")
        if kind in NAMED and not NAME.fullmatch(name):
            problems.append(
                Problem(file, "a question has a name", name or "no name",
                        "a letter, then letters, digits, - or _ , without spaces",
                        "write a short name", row, "name")
            )  # fmt: skip
        if kind == "begin_group":
            open_.append((row, name))
        elif kind == "end_group" and open_:
            open_.pop()
        elif kind == "end_group":
            problems.append(
                Problem(file, "groups open and close", "end_group without begin_group",
                        "one begin_group for each end_group",
                        "remove this row, or begin the group above", row, "type")
            )  # fmt: skip
        elif kind not in (*NAMED, *UNREAD):
            problems.append(
                Problem(file, "question types that analysis reads", kind, ", ".join(KINDS),
                        nearest(kind, [*NAMED, "end_group"]), row, "type")
            )  # fmt: skip
    return problems + [
        Problem(file, "groups open and close", f"begin_group {name!r} without end_group",
                "one end_group for each begin_group", "add a row end_group after its questions",
                row, "type")
        for row, name in open_
    ]  # fmt: skip


def _unknown_lists(file: str, sheets: dict[str, Rows]) -> list[Problem]:
    """Questions with answers whose list the sheet of choices does not have."""
    known = list(_choice_lists(sheets["choices"]))
    problems = []
    for row, record in sheets["survey"]:
        kind, list_name = _kind(record)
        if kind in ("select_one", "select_multiple") and list_name not in known:
            problems.append(
                Problem(file, "the list of a question is in the sheet choices",
                        list_name or f"{kind} without a list", "a list of the sheet choices",
                        nearest(list_name, known), row, "type")
            )  # fmt: skip
    return problems


def _repeated_names(file: str, sheets: dict[str, Rows]) -> list[Problem]:
    """Questions that share a name, and answers of one list that do."""
    named = [
        (row, record["name"], "a question", "name")
        for row, record in sheets["survey"] if _kind(record)[0] in NAMED
    ]  # fmt: skip
    listed = [
        (row, f"{record.get('list_name')}: {record['name']}", "an answer of a list", "name")
        for row, record in sheets["choices"] if record.get("name")
    ]  # fmt: skip
    problems = []
    for rows in (named, listed):
        first: dict[str, int] = {}
        for row, name, what, column in rows:
            if name in first:
                problems.append(
                    Problem(file, f"{what} has a name of its own", name, "another name",
                            f"rename it here or in row {first[name]}", row, column)
                )  # fmt: skip
            first.setdefault(name, row)
    return problems


def _repeated_labels(file: str, choices: Rows) -> list[Problem]:
    """Answers of one list that read the same in a language: an export of labels cannot tell them
    apart, nor can a reader."""
    first: dict[tuple[str, str, str], int] = {}
    problems = []
    for row, record in choices:
        for lang, text in _texts(record, LABEL).items():
            place = (record.get("list_name", ""), lang, " ".join(text.split()).casefold())
            if text.strip() and first.setdefault(place, row) != row:
                problems.append(
                    Problem(file, "an answer of a list has a label of its own", text,
                            f"another {lang} label than row {first[place]}",
                            "word one of both otherwise, or remove it", row, f"label ({lang})")
                )  # fmt: skip
    return problems


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


def _broken_expressions(form: Questionnaire, rows: Rows) -> list[Problem]:
    """Routing and constraints that cannot be read, or read what the form does not have."""
    return [
        form.problem(row, *found, column)
        for row, record in rows
        for column in ("relevant", "constraint")
        if record.get(column)
        for found in unreadable(record[column], form, list(form.questions), record.get("name", ""))
    ]


def _rewritten(text: str) -> str:
    """What to do about an expression that cannot be read: the usual reasons, in turn."""
    reasons = [
        (re.search("[‘’“”«»]", text), "write straight quotes around an answer: 'answer'"),
        ("==" in text, "write = once"),
        (re.search(r"\{", re.sub(r"\$\{\w+\}", "", text)), "write a question as ${name}"),
    ]
    return next((action for found, action in reasons if found), "rewrite the expression")


def unreadable(
    text: str, form: Questionnaire | None, known: Sequence[str], this: str = ""
) -> list[tuple[str, str, str, str]]:
    """What is wrong with an expression, as (rule, found, expected, action).

    known: names it may read; form: where their answers are; this: the question that `.` is.
    """
    try:
        node = expression.parse(text)
    except expression.ExpressionError as error:
        return [("routing in the supported language", str(error), "an XLSForm expression",
                 _rewritten(text))]  # fmt: skip
    problems = [
        ("routing reads known questions", f"${{{name}}}", "a question of this form or a column",
         nearest(name, known))
        for name in sorted(node.questions()) if name not in known
    ]  # fmt: skip
    for name, answer in expression.answers(node, this):
        answers = form[name].answers if form is not None and name in form else []
        if answers and answer and answer not in answers:
            problems.append(("routing reads known answers", f"{answer!r} of ${{{name}}}",
                             f"an answer of {name}", nearest(answer, answers)))  # fmt: skip
    return problems
