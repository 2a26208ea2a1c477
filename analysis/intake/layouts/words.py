"""Wordings to codes: what an export says in words, found in the labels of the questionnaire.

A wording is the same whatever its case, its apostrophes and its spaces; nothing else is guessed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping

import pandas as pd

from analysis.intake.fields import Field
from analysis.intake.layouts.layout import Layout
from analysis.intake.values import BOOLEANS, coded, reworded

SAME = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "“": '"', "”": '"', "‑": "-"})
# French typography puts a space before these, English none.
BEFORE_MARK = re.compile(r" (?=[?!:;%»])|(?<=«) ")
# How exports write a ticked and an unticked box, beside BOOLEANS.
TICKS = {
    "y": "1", "checked": "1", "selected": "1", "x": "1", "coché": "1", "cochée": "1",
    "n": "0", "unchecked": "0", "not selected": "0", "non coché": "0", "non cochée": "0",
}  # fmt: skip
YEAR_FIRST = re.compile(r"(\d{4})/(\d{1,2})/(\d{1,2})(.*)")
NUMBERED_DAY = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{2}|\d{4})( .*)?")
# Types of fields that a layout has its own way to write.
WORDED = ("several", "category", "boolean", "date")
OTHER, OTHER_CODE = "other", "-oth-"


def plain(text: str) -> str:
    """A wording without what typography changes: case, apostrophes, quotes, kinds of spaces."""
    same = unicodedata.normalize("NFC", text).translate(SAME)
    return BEFORE_MARK.sub("", " ".join(same.split())).casefold()


def answer_words(field: Field, layout: str) -> dict[str, str]:
    """Code of each answer by what may stand for it: its code, its labels, and what the choices
    sheet gives in a column named as the layout, the last one first. A label of two answers stands
    for neither."""
    said: dict[str, set[str]] = {}
    for code, labels in field.answer_labels.items():
        for label in labels.values():
            said.setdefault(plain(label), set()).add(code)
    words = {plain(code): code for code in field.answers}
    words |= {label: codes.pop() for label, codes in said.items() if label and len(codes) == 1}
    choices = field.question.choices if field.question else ()
    return words | {plain(c.extra[layout]): c.name for c in choices if c.extra.get(layout)}


def say_codes(
    column: pd.Series, field: Field, answer: str, kept: Collection[str], layout: Layout
) -> tuple[pd.Series, bool]:
    """One column of an export with wordings replaced by codes, and whether places were read.

    answer: of a box, "" for a column that is none; kept: texts that recodes.csv speaks of, which
    are left to it. What is not recognised stays, for the schemas to tell.
    """
    if not (answer or field.type in WORDED):
        return column, False
    texts = coded(column)
    said = [text for text in texts.cat.categories if text not in kept]
    change, by_place = _change(texts.cat.categories, said, field, answer, kept, layout)
    blank = {text for text in said if plain(text) in layout.blanks and text not in field.answers}
    done = reworded(texts, lambda text: None if text in blank else change.get(text, text) or None)
    return done, by_place


def _change(
    cells: Collection[str],
    said: list[str],
    field: Field,
    answer: str,
    kept: Collection[str],
    layout: Layout,
) -> tuple[dict[str, str], bool]:
    """What becomes of each text, and whether places were read. said: what no recode speaks of."""
    if answer:
        return {text: _tick(text, field, answer, layout) for text in said}, False
    if field.type == "several":
        words = _words(field, layout, {t for cell in said for t in cell.split(layout.marks[0])})
        return {cell: _codes(cell, words, kept, layout.marks) for cell in cells}, False
    if field.type == "category":
        return _answers(said, field, layout)
    if field.type == "boolean":
        return {text: TICKS.get(plain(text), text) for text in said}, False
    return days(said), False


def _tick(text: str, field: Field, answer: str, layout: Layout) -> str:
    """A box: what exports write for ticked, or the very answer that is ticked."""
    said = plain(text)
    if said in BOOLEANS:
        return text
    if said in TICKS:
        return TICKS[said]
    if answer_words(field, layout.name).get(said) == answer:
        return "1"
    free = layout.free_other and answer == OTHER and said not in layout.blanks
    return "1" if free else text


def _answers(texts: list[str], field: Field, layout: Layout) -> tuple[dict[str, str], bool]:
    """One answer a cell. Places in the list are read where nothing else is recognised."""
    said = [text for text in texts if plain(text) not in layout.blanks]
    known = {OTHER_CODE: OTHER} if OTHER in field.answers and OTHER_CODE in said else {}
    said = [text for text in said if text not in known]
    words = _words(field, layout, set(said))
    recognised = {text: code for text in said if (code := words.get(plain(text)))}
    if recognised or not said or not layout.position:
        return known | recognised, False
    places = [re.fullmatch(layout.position, text) for text in said]
    # No list has answers enough for a longer number.
    at = [int(place[1]) if place and len(place[1]) < 6 else 0 for place in places]
    if not all(0 < place <= len(field.answers) for place in at):
        return known, False
    return known | {t: field.answers[n - 1] for t, n in zip(said, at, strict=True)}, True


def _words(field: Field, layout: Layout, texts: set[str]) -> dict[str, str]:
    """answer_words(), or the codes alone where a column has nothing else: one answer's code may
    be another one's wording."""
    if texts.issubset(field.answers):
        return {plain(code): code for code in field.answers}
    return answer_words(field, layout.name)


def _codes(text: str, words: Mapping[str, str], kept: Collection[str], marks: str) -> str:
    """Several answers of one cell, as codes joined by ";"."""
    known = {plain(word): word for word in kept}
    return ";".join(known.get(w, words.get(w, w)) for w in split(text, [*words, *known], marks))


def split(text: str, known: Collection[str], marks: str) -> list[str]:
    """Answers of one cell, as plain().

    A known wording that holds a mark is not cut: at each place the longest one that ends at a
    mark is taken. What is not known goes up to the next mark.
    """
    rest, found = plain(text), []
    mark = f"[{re.escape(marks)}]"
    longest = sorted(filter(None, known), key=len, reverse=True)
    one = re.compile(rf"(?:{'|'.join(map(re.escape, longest))})(?=\s*(?:{mark}|$))")
    while rest := rest.strip(f"{marks} "):
        match = one.match(rest) if longest else None
        end = match.end() if match else _next(rest, mark)
        found.append(rest[:end].strip())
        rest = rest[end:]
    return found


def _next(rest: str, mark: str) -> int:
    following = re.search(mark, rest)
    return following.start() if following else len(rest)


def days(texts: list[str]) -> dict[str, str]:
    """Dates with the year first by strokes, or with the month before the day, as ISO 8601.

    The month is first where a column has a second number above 12 and no such first one.
    """
    change = {t: f"{m[1]}-{m[2]:0>2}-{m[3]:0>2}" for t in texts if (m := YEAR_FIRST.fullmatch(t))}
    numbered = {text: m for text in texts if (m := NUMBERED_DAY.fullmatch(text))}
    month_first = any(int(m[2]) > 12 for m in numbered.values()) and all(
        int(m[1]) <= 12 for m in numbered.values()
    )
    for text, m in numbered.items():
        day, month = (m[2], m[1]) if month_first else (m[1], m[2])
        year = m[3] if len(m[3]) == 4 else f"20{m[3]}"
        change[text] = f"{year}-{month:0>2}-{day:0>2}"
    return change
