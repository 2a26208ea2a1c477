"""What people wrote, looked through before anyone reads it: what may point at a person.

A scan proposes and never publishes. It writes every open answer with what it found and with a text
where that is left out; a person reads, edits, and writes `publish: yes` where an answer may go out
(see release/free_text.py). It finds too much rather than too little: a name it does not know as one
is a word with a capital in the middle of a sentence. Names without a capital are known by a list of
first names (first_names.csv: some 800 of those that are usual in France, put together for this
project, without accents; left out are those that are words of a remark too, such as claire or
marine). A surname alone without a capital is not found, nor is a rare first name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd

from analysis import whole
from analysis.errors import InputError
from analysis.intake.clean import examine
from analysis.intake.fields import SURVEY, fields
from analysis.plain import guarded_frame
from analysis.study import Study

FILE = "to_review.csv"
COLUMNS = ["question", "id", "publish", "text", "found", "proposed"]
LEFT_OUT = "[…]"
LONGEST = 5_000

CAPITAL = "[A-ZÀ-ÖØ-ÞŒ]"
WORD = f"{CAPITAL}[\\w’'-]*"
# By kind, in the order they are looked for: what one of them takes is not looked at again.
PATTERNS = {
    "e-mail": r"[\w.+-]+(?:@|\s?(?:\[at\]|\(at\)|\barobase\b)\s?)[\w-]+"
              r"(?:\s?(?:\.|\[dot\])\s?[\w-]+)+",
    "url": r"(?:https?://|www\.)\S+|\b[\w-]+(?:\.[\w-]+)*\.(?:fr|com|org|net|eu|io|be|ch|ca|info)\b"
           r"(?:/\S*)?",
    "handle": r"(?<![\w@])@\w[\w.]+",
    "iban": r"\b[A-Z]{2}\d{2}(?:\s?[A-Z0-9]{4}){2,7}(?:\s?[A-Z0-9]{1,3})?\b",
    "phone": r"(?<!\d)(?:\+|00)\d{1,3}[\s.()-]{0,2}\d(?:[\s.()-]{0,2}\d){5,12}(?!\d)"
             r"|(?<!\d)0[1-9](?:[\s.-]?\d{2}){4}(?!\d)",
    "number": r"(?<!\d)\d(?:[\s.-]?\d){8,}(?!\d)",
    "address": r"\b\d{1,4}\s?(?:bis|ter)?,?\s(?:rue|avenue|av\.|boulevard|bd|place|chemin|impasse"
               r"|allée|quai|cours|route)\s[^\n,.;]{2,40}|\b\d{5}\s" + WORD,
    "date": r"\b\d{1,2}[/.-]\d{1,2}[/.-](?:19|20)\d{2}\b",
    "title": r"\b(?:M\.|Mr\.?|Mrs\.?|Ms\.?|Mme|Mlle|Dr\.?|Pr\.?|Monsieur|Madame)\s" + WORD
             + f"(?:[\\s-]{WORD})*" + r"|\b(?:mr|mme|mlle|monsieur|madame)\.?\s[^\W\d_][\w’'-]+",
}  # fmt: skip
FOUND = {kind: re.compile(pattern) for kind, pattern in PATTERNS.items()}
NAMES = re.compile(f"{WORD}(?:\\s(?:de|du|des|le|la|van|von|d’|l’)?\\s?{WORD})*")
LETTERS = re.compile(r"[^\W\d_]+")
START = re.compile(r"(?:^|[.!?…:«»\"“”\n(–—-])\s*$")
# Words of the subject, which point at nobody.
KNOWN = {"ia", "ai", "i", "je", "chatgpt", "gpt", "midjourney", "runway", "photoshop", "python"}


@dataclass(frozen=True)
class Sign:
    """What may point at a person: its kind and its place in the text."""

    kind: str
    start: int
    end: int


def signs(text: str, organisations: Collection[str] = ()) -> list[Sign]:
    """All that may point at a person or an organisation, in the order of the text.

    What follows LONGEST characters is not looked through, and is a sign by itself.
    """
    found = [Sign("long", LONGEST, len(text))] if len(text) > LONGEST else []
    start = text[:LONGEST]
    for kind, pattern in FOUND.items():
        spans = [match.span() for match in pattern.finditer(start)]
        found += [Sign(kind, *span) for span in spans if _free(span, found)]
    for name in sorted(organisations, key=len, reverse=True):
        for match in re.finditer(rf"\b{re.escape(name)}\b", start, re.IGNORECASE):
            if _free(match.span(), found):
                found.append(Sign("organisation", *match.span()))
    for match in NAMES.finditer(start):
        if _free(match.span(), found) and _is_name(match, start):
            found.append(Sign("name", *match.span()))
    for match in LETTERS.finditer(start):
        if _folded(match[0]) in first_names() and _free(match.span(), found):
            found.append(Sign("name", *match.span()))
    return sorted(found, key=lambda sign: sign.start)


@cache
def first_names() -> frozenset[str]:
    """First names in small letters, without accents."""
    lines = Path(__file__).with_name("first_names.csv").read_text(encoding="utf-8").split()
    return frozenset(lines[1:])


def _folded(word: str) -> str:
    """A word in small letters, without accents."""
    apart = unicodedata.normalize("NFKD", word.lower().replace("œ", "oe"))
    return "".join(sign for sign in apart if not unicodedata.combining(sign))


def _free(span: tuple[int, int], found: list[Sign]) -> bool:
    return all(span[1] <= sign.start or span[0] >= sign.end for sign in found)


def _is_name(match: re.Match[str], text: str) -> bool:
    """A word with a capital that does not begin a sentence, or two in a row that do."""
    words = [word for word in match[0].split() if word.lower() not in KNOWN]
    if not words:
        return False
    begins = START.search(text[: match.start()]) is not None
    return len(words) > 1 if begins else True


def proposed(text: str, found: Collection[Sign]) -> str:
    """The text without what was found in it."""
    for sign in sorted(found, key=lambda sign: -sign.start):
        text = text[: sign.start] + LEFT_OUT + text[sign.end :]
    return text


def open_questions(study: Study) -> list[str]:
    """Questions and columns of the survey that people answer in their own words."""
    return [name for name, field in fields(study, SURVEY).items() if field.type == "text"]


def identifier(study: Study) -> str | None:
    """The column that names a response."""
    return next((n for n, field in fields(study, SURVEY).items() if field.type == "id"), None)


def scan(study: Study) -> tuple[Path, pd.DataFrame]:
    """Write every open answer that was kept to data/clean/STUDY/to_review.csv; gives the file and
    the table. Nothing is published: the column `publish` is empty.

    Raises InputError where the sources have problems.
    """
    clean, problems = examine(study)
    if problems:
        raise InputError(problems)
    found = table(study, clean.tables.get(SURVEY, pd.DataFrame()))
    path = study.paths.clean / FILE
    text = guarded_frame(found).to_csv(index=False, lineterminator="\n")
    return whole.write(path, ("\ufeff" + text).encode("utf-8")), found


def table(study: Study, survey: pd.DataFrame) -> pd.DataFrame:
    """COLUMNS, one row an open answer: what was found in it, and the text without."""
    questions = [name for name in open_questions(study) if name in survey]
    named = study.roles.provider
    names = set(survey[named].dropna().str.strip()) if named in questions else set()
    organisations = {name for name in names if len(name) > 3}
    key = identifier(study)
    rows = []
    for question in questions:
        # The name of an organisation is the answer there, not something in it.
        known = () if question == named else organisations
        ids = survey[key].astype(str) if key else survey.index.astype(str)
        given = survey[question]
        for name, text in zip(ids, given, strict=True):
            if pd.isna(text):
                continue
            found = signs(text, known)
            kinds = "; ".join(dict.fromkeys(sign.kind for sign in found))
            rows.append([question, name, "", text, kinds, proposed(text, found)])
    return pd.DataFrame(rows, columns=COLUMNS)
