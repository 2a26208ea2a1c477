"""A questionnaire as rows: made from guessed questions, or read from someone's XLSForm.

Rows are those of an XLSForm, with one more column, `to_decide`, that no tool reads and `validate`
reports: what the person who knows must still say of the row.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from pathlib import Path

from analysis import expression
from analysis.pending import COLUMN as TO_DECIDE
from analysis.pending import TRANSLATE, join
from analysis.questionnaire import KINDS, read_sheets
from analysis.start.items import Answer, Item, Note
from analysis.start.words import is_one_of, question_name, say, slug, texts, unique, words

LANGUAGES = {"fr": "Français (fr)", "en": "English (en)"}
Row = dict[str, str]
# Codes that need no label of their own in a second language.
SAID = ("yes", "no", "other")
# What other tools ask that analysis reads as another type; `text` is told.
TYPES = {
    "select one from": "select_one",
    "select multiple from": "select_multiple",
    "select all that apply from": "select_multiple",
    "select one": "select_one",
    "select multiple": "select_multiple",
    "select all that apply": "select_multiple",
    "select1": "select_one",
    "int": "integer",
    "range": "integer",
    "datetime": "date",
    "dateTime": "date",
    "string": "text",
}
OR_OTHER = re.compile(r"\s+or[_ ]other\s*$")
UNREAD = (
    "note", "calculate", "start", "end", "today", "deviceid", "username", "email", "phonenumber",
    "audit", "hidden", "start-geopoint", "background-audio", "simserial", "subscriberid",
    "acknowledge", "trigger",
)  # fmt: skip
UNTOLD = ("image", "audio", "video", "file", "geopoint", "geotrace", "geoshape", "barcode")


@dataclass(frozen=True)
class Wanted:
    """What a column of the export should become: its column in the study, and its texts' codes.

    kind: `box`, `several`, `date` or nothing (texts that become codes, or stay as they are).
    """

    header: str
    column: str
    codes: dict[str, str] = field(default_factory=dict)
    kind: str = ""
    rare: tuple[str, ...] = ()


@dataclass
class Form:
    """Rows of the survey and choices sheets; the first language is that of the wordings."""

    languages: tuple[str, ...]
    survey: list[Row] = field(default_factory=list)
    choices: list[Row] = field(default_factory=list)
    wanted: list[Wanted] = field(default_factory=list)

    def labels(self, text: str, code: str = "") -> Row:
        """A label in each language: the same where nothing better is known."""
        said = texts()["labels"].get(code, {}) if code in SAID else {}
        text = " ".join(text.split())
        return {f"label::{LANGUAGES[lang]}": text if lang == self.languages[0] else
                said.get(lang, text) for lang in self.languages}  # fmt: skip

    def to_translate(self, text: str, code: str = "") -> list[str]:
        """Whether a label must be translated, as a thing to decide."""
        letters = any(letter.isalpha() for letter in text)
        if len(self.languages) < 2 or code in SAID or not letters:
            return []
        return [_translate(self.languages[0])]

    def written(self) -> str:
        """The XLSForm as CSV, its sheets one under another."""
        handle = io.StringIO()
        writer = csv.writer(handle, lineterminator="\n")
        for sheet, rows in (("survey", self.survey), ("choices", self.choices)):
            header = list(dict.fromkeys(key for row in rows for key in row))
            header.sort(key=lambda key: key == TO_DECIDE)
            writer.writerow([sheet])
            writer.writerow(["", *header])
            writer.writerows(["", *(row.get(key, "") for key in header)] for row in rows)
        return handle.getvalue()


def _translate(lang: str) -> str:
    return TRANSLATE[("fr", "en").index(lang)]


# --- From guessed questions


def form_of(items: list[Item], languages: tuple[str, ...]) -> Form:
    """The questionnaire that guessed questions make, and what their columns should become."""
    form = Form(languages)
    names: set[str] = set()
    lists: dict[tuple[str, ...], tuple[str, dict[str, str]]] = {}
    open_ = group = ""
    for item in items:
        if item.battery != open_:
            if open_:
                form.survey.append({"type": "end_group"})
            if item.battery:
                form.survey.append(_begin(form, item, names))
                group = form.survey[-1]["name"]
            open_ = item.battery
        name = question_name(item.base, names)
        names.add(name)
        list_name, codes = _list(form, item, group if item.battery else name, lists)
        form.survey.append(_question(form, item, name, list_name))
        form.wanted += _wanted(item, name, codes)
    if open_:
        form.survey.append({"type": "end_group"})
    return form


def _begin(form: Form, item: Item, names: set[str]) -> Row:
    label = item.within or say("labels.battery", form.languages[0])
    name = question_name(item.within or "battery", names)
    names.add(name)
    notes = form.to_translate(label)
    if not item.within:
        notes.insert(0, say("to_decide.name", form.languages[0]))
    return {"type": "begin_group", "name": name, **form.labels(label), TO_DECIDE: join(notes)}


def _question(form: Form, item: Item, name: str, list_name: str) -> Row:
    label = item.label or name
    notes = [_told(note, form.languages[0]) for note in item.notes] + form.to_translate(label)
    kind = f"{item.kind} {list_name}" if list_name else item.kind
    return {"type": kind, "name": name, **form.labels(label), TO_DECIDE: join(notes)}


def _told(note: Note, lang: str) -> str:
    key, values = note
    return say(f"to_decide.{key}", lang, **values)


def _list(
    form: Form, item: Item, name: str, lists: dict[tuple[str, ...], tuple[str, dict[str, str]]]
) -> tuple[str, dict[str, str]]:
    """The list of a question, written once for all that have it, and code of each label."""
    if not item.answers:
        return "", {}
    key = tuple(f"{answer.code}|{answer.label}" for answer in item.answers)
    if key not in lists:
        codes = _codes(item.answers)
        lists[key] = name, codes
        form.choices += [
            _choice(form, name, answer, codes[answer.label]) for answer in item.answers
        ]
    return lists[key]


def _codes(answers: tuple[Answer, ...]) -> dict[str, str]:
    """Code of each answer by its label: its own where it is one already, else a slug."""
    codes: dict[str, str] = {}
    for answer in answers:
        given = answer.code or _given_code(answer.label) or slug(answer.label)
        codes[answer.label] = unique(given, codes.values())
    return codes


def _given_code(label: str) -> str:
    if re.fullmatch(r"[a-z0-9][a-z0-9_.-]*|[A-Z]{1,3}\d+|-?\d+", label) and label != "autre":
        return label
    return next((code for code in SAID if is_one_of(label, words()[code])), "")


def _choice(form: Form, list_name: str, answer: Answer, code: str) -> Row:
    label = answer.label or say("labels.other", form.languages[0])
    notes = [_told(answer.note, form.languages[0])] if answer.note and code != "other" else []
    notes += form.to_translate(label, code) if not notes else []
    row = {"list_name": list_name, "name": code, **form.labels(label, code)}
    return row | {TO_DECIDE: join(notes)}


def _wanted(item: Item, name: str, codes: dict[str, str]) -> list[Wanted]:
    if item.boxes:
        return [Wanted(a.header, f"{name}/{codes[a.label]}", {a.said[0]: "1"}, "box")
                for a in item.answers]  # fmt: skip
    said = {text: codes[answer.label] for answer in item.answers for text in answer.said}
    rare = next((a.said for a in item.answers if a.note and a.note[0] == "rare"), ())
    kind = {"select_multiple": "several", "date": "date"}.get(item.kind, "")
    return [Wanted(item.header, name, said, kind, rare)]


# --- From an XLSForm


def read_form(path: Path, shown: str, languages: tuple[str, ...]) -> Form:
    """Someone's XLSForm as analysis reads it: types it knows, a label in each language.

    Raises InputError where the file is no XLSForm. What is left out or changed is said in the row.
    """
    sheets = read_sheets(path, shown)
    form = Form(languages)
    known = {record.get("name", "") for _, record in sheets["survey"]}
    for _, record in sheets["survey"]:
        if row := _survey_row(form, record, known):
            form.survey.append(row)
            form.survey += _specified(form, record, row)
    for _, record in sheets["choices"]:
        form.choices.append(_choice_row(form, record))
    form.choices += _others(form, [record for _, record in sheets["survey"]])
    return form


def _specified(form: Form, record: Row, row: Row) -> list[Row]:
    """The text that a tool asks for by itself where a list goes on with « other »."""
    if not OR_OTHER.search(record.get("type", "")):
        return []
    labels = {key: f"{text} – {say('labels.other', _language(key, 'label'))}"
              for key, text in row.items() if key.startswith("label")}  # fmt: skip
    return [{"type": "text", "name": f"{row['name']}_other", **labels}]


def _others(form: Form, records: list[Row]) -> list[Row]:
    """« Other » of the lists to which a tool adds it by itself, unless they have it."""
    lists = {said.split()[-1] for record in records
             if OR_OTHER.search(record.get("type", ""))
             and (said := OR_OTHER.sub("", record["type"]).strip())}  # fmt: skip
    lists -= {row["list_name"] for row in form.choices if row["name"] == "other"}
    label = say("labels.other", form.languages[0])
    return [{"list_name": name, "name": "other", **form.labels(label, "other")}
            for name in sorted(lists)]  # fmt: skip


def languages_of(path: Path, shown: str) -> list[str]:
    """Languages that the labels of an XLSForm are said to be in, of those the tool writes."""
    header = [key for _, record in read_sheets(path, shown)["survey"] for key in record]
    found = [lang for key in header if (lang := _language(key, "label"))]
    return [lang for lang in dict.fromkeys(found) if lang in LANGUAGES]


def labels_of(path: Path, shown: str) -> list[str]:
    """Labels of an XLSForm that are said to be in no language."""
    return [record["label"] for rows in read_sheets(path, shown).values()
            for _, record in rows if record.get("label")]  # fmt: skip


def _language(key: str, column: str) -> str:
    """The language that a column such as `label::French (fr)` is in; "" where it is none."""
    match = re.fullmatch(rf"{column}::?\s*(.+)", key)
    if not match:
        return ""
    code = re.search(r"\(([a-z]{2})\)", match[1])
    first = match[1].strip().casefold()[:2]
    return code[1] if code else {"fr": "fr", "en": "en", "an": "en"}.get(first, first)


def _texts_of(form: Form, record: Row, column: str) -> Row:
    """A text of a record in each language of the form, from whichever columns it has."""
    said = {_language(key, column): text for key, text in record.items()
            if _language(key, column) and text}  # fmt: skip
    plain = record.get(column, "") or next(iter(said.values()), "")
    return {f"{column}::{LANGUAGES[lang]}": said.get(lang) or plain for lang in form.languages}


def _untranslated(form: Form, record: Row, column: str = "label") -> list[str]:
    given = {_language(key, column) for key, text in record.items() if text}
    given |= {form.languages[0]} if record.get(column) else set()
    lacking = [lang for lang in form.languages if lang not in given]
    return [_translate(form.languages[0])] if lacking else []


def _survey_row(form: Form, record: Row, known: set[str]) -> Row | None:
    said = record.get("type", "")
    if said.replace(" ", "_") in ("end_group", "end_repeat"):
        return {"type": "end_group"}
    kind, note = _kind(form, said)
    if not kind:
        return None
    row = {"type": kind, "name": record.get("name", ""), **_texts_of(form, record, "label")}
    label = next((row[key] for key in row if key.startswith("label")), "")
    if not label:  # a question without a label is told by its name
        row |= form.labels(record.get("name", ""))
    notes = [*note, *_untranslated(form, record)] if label else note
    if any(key.startswith("hint") for key in record):
        row |= _texts_of(form, record, "hint")
    for column in ("relevant", "constraint"):
        text = record.get(column, "")
        readable = not text or _readable(text, known)
        row[column] = text if readable else ""
        if not readable:
            place = {"relevant": "routing"}.get(column, column)
            notes.append(say(f"to_decide.{place}", form.languages[0], value=text))
    row["required"] = record.get("required", "")
    return row | {TO_DECIDE: join(notes)}


def _kind(form: Form, said: str) -> tuple[str, list[str]]:
    """The type of a row as analysis reads it ("" for none), and what to decide of it."""
    if said.replace(" ", "_") in ("begin_group", "begin_repeat"):
        return "begin_group", []
    said = OR_OTHER.sub("", said.strip())
    for other, meant in TYPES.items():
        if re.match(rf"{re.escape(other)}\b", said) and not said.startswith(meant):
            said = re.sub(rf"^{re.escape(other)}", meant, said)
            break
    first = said.partition(" ")[0]
    if first in KINDS:
        return said, []
    if not first or first in UNREAD or first in UNTOLD:
        return "", []
    return "text", [say("to_decide.type_form", form.languages[0], value=first)]


def _readable(text: str, known: set[str]) -> bool:
    try:
        return expression.parse(text).questions() <= known
    except expression.ExpressionError:
        return False


def _choice_row(form: Form, record: Row) -> Row:
    list_name = record.get("list_name", "") or record.get("list name", "")
    row = {"list_name": list_name, "name": record.get("name", "") or record.get("value", "")}
    row |= _texts_of(form, record, "label")
    extra = {key: text for key, text in record.items()
             if not re.match(r"list.name$|name$|value$|label|media|image", key)}  # fmt: skip
    return row | extra | {TO_DECIDE: join(_untranslated(form, record))}
