"""Words compared: what a text is without typography, which scale its answers stand on, its name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from analysis.intake.layouts.words import plain
from analysis.safe_yaml import read_yaml

# «satisfait·e·s», «formé(e)s»: what inclusive writing adds to a word.
ENDINGS = "e|s|es|ne|nes|te|tes|le|les|se|ses|ve|ves|rice|rices|trice|trices|euse|euses|ère|ères"
INCLUSIVE = re.compile(rf"[·•‧.\-](?:{ENDINGS})(?![^\W\d_])|\((?:{ENDINGS})\)s?")
LEADING = re.compile(r"^\d+\s*[-–.:=)]\s*(?=[^\W\d])")
NUMBERS = re.compile(r"\d+(?:[.,]\d+)?")
LONGEST_NAME = 40


@cache
def words() -> dict[str, Any]:
    """words.yml, read once."""
    return read_yaml(Path(__file__).with_name("words.yml").read_text(encoding="utf-8"))


@cache
def texts() -> dict[str, Any]:
    """texts.yml, read once."""
    return read_yaml(Path(__file__).with_name("texts.yml").read_text(encoding="utf-8"))


def say(path: str, lang: str, **values: Any) -> str:
    """A text of texts.yml in a language, by its place (`study.title`)."""
    entry = texts()
    for part in path.split("."):
        entry = entry[part]
    return str(entry.get(lang) or entry["en"]).format(**values)


def unaccented(text: str) -> str:
    parts = unicodedata.normalize("NFKD", text.replace("œ", "oe").replace("æ", "ae"))
    return "".join(letter for letter in parts if not unicodedata.combining(letter))


@cache
def bare(text: str) -> str:
    """A text as words alone: no case, accents, punctuation, nor inclusive endings."""
    said = unaccented(INCLUSIVE.sub("", plain(text)))
    return " ".join(re.findall(r"[a-z0-9]+|[<>]", said))


@cache
def stem(text: str) -> str:
    """bare(), without the number before an answer and without the endings of gender and number,
    so that « 4 - Satisfaites » is « satisfait »; words of one meaning are one word."""
    same = {unaccented(word): meant for word, meant in words()["same"].items()}
    said = bare(LEADING.sub("", text)).split()
    known = (same.get(word) or same.get(_singular(word)) or word for word in said)
    return " ".join(_singular(word) for part in known for word in part.split())


def _singular(word: str) -> str:
    return re.sub(r"(?:es|e|s)$", "", word) if len(word) > 4 else word


def has_word(text: str, wanted: Iterable[str]) -> bool:
    """Whether one of the words or phrases stands in a text, each word whole."""
    said = f" {bare(text)} "
    return any(f" {word} " in said for word in map(bare, wanted))


def is_one_of(text: str, wanted: Iterable[str]) -> bool:
    """Whether a text is, as a whole, one of those."""
    return stem(text) in {stem(word) for word in wanted}


# --- Names


def slug(text: str, taken: Collection[str] = (), longest: int = LONGEST_NAME) -> str:
    """A short name for a text, of letters, digits and underscores, not among those taken.

    Small words are left out where something else remains.
    """
    said = bare(text).replace("<", "").replace(">", "").split()
    kept = [word for word in said if word not in words()["small"]] or said
    name = ""
    for word in kept:
        if name and len(name) + len(word) + 1 > longest:
            break
        name = f"{name}_{word}" if name else word[:longest]
    return unique(name or "x", taken)


def unique(name: str, taken: Collection[str]) -> str:
    """A name that is not taken: the same, or with the first free number after it."""
    number, made = 2, name
    while made in taken:
        made, number = f"{name}_{number}", number + 1
    return made


def question_name(text: str, taken: Collection[str]) -> str:
    """A slug that XML takes for a name: it begins with a letter."""
    name = slug(text)
    return unique(name if name[0].isalpha() else f"q_{name}", taken)


def language_of(said: Iterable[str]) -> str:
    """The language most small words are of: French where nothing tells."""
    count = dict.fromkeys(words()["languages"], 0)
    for text in said:
        for word in re.split(r"[\s'_/.-]+", plain(text)):
            for lang, small in words()["languages"].items():
                count[lang] += word in small
    return max(count, key=lambda lang: count[lang])


# --- Scales


@dataclass(frozen=True)
class Scale:
    """Answers that stand on a scale, by their place in the list they were given in.

    order: from worst, or least, to best; sides: -1, 0 or 1 of each of these; outside: places of
    answers beside the scale (not concerned, don't know).
    """

    family: str
    order: tuple[int, ...]
    sides: tuple[int, ...]
    outside: tuple[int, ...] = ()


@cache
def _levels(family: str) -> dict[str, tuple[int, int]]:
    """(rank, side) of each wording of a family of scales."""
    return {
        stem(said): (rank, int(side))
        for rank, (side, *wordings) in enumerate(words()["scales"][family])
        for said in wordings
    }


def scale_of(labels: Sequence[str]) -> Scale | None:
    """The scale that answers stand on: each is a level of one family, and three at least are.

    Where two families have all of them, the first one is meant.
    """
    outside = tuple(at for at, label in enumerate(labels) if is_one_of(label, words()["outside"]))
    inside = [at for at in range(len(labels)) if at not in outside]
    found = [scale for family in words()["scales"] if (scale := _scale(family, labels, inside))]
    if not found:
        return None
    scale = found[0]
    return Scale(scale.family, scale.order, scale.sides, outside)


def _scale(family: str, labels: Sequence[str], inside: Sequence[int]) -> Scale | None:
    levels = [_levels(family).get(stem(labels[at])) for at in inside]
    known = [level for level in levels if level]
    if len(inside) < 3 or len(known) < len(inside) or len(set(known)) < len(known):
        return None
    ranked = sorted(zip(known, inside, strict=True))
    return Scale(family, tuple(at for _, at in ranked), tuple(side for (_, side), _ in ranked))


def bands_of(labels: Sequence[str]) -> list[int] | None:
    """Places of answers that are bands of a number, in its order; None where they are not.

    One answer may stand for nothing at all (« aucune », "none"), and comes first.
    """
    values = [_band(label) for label in labels]
    known = [value for value in values if value is not None]
    if len(labels) < 3 or len(known) < len(labels) or len(set(known)) < len(known):
        return None
    if sum(value < 0 for value in known) > 1:
        return None
    return sorted(range(len(labels)), key=lambda at: known[at])


def _band(label: str) -> float | None:
    """Where a band stands: its first number, a little less for « moins de », more for « plus »."""
    kinds = words()["bands"]
    numbers = NUMBERS.findall(label)
    if not numbers:
        return -1.0 if has_word(label, kinds["none"]) else None
    beside = {word for part in (*kinds["beside"], *kinds["under"], *kinds["over"])
              for word in bare(part).split()}  # fmt: skip
    if not all(word in beside or word.isdigit() for word in bare(label).split()):
        return None  # a text that happens to hold a number
    first = float(numbers[0].replace(",", "."))
    if has_word(label, kinds["under"]) and len(numbers) == 1:
        return first - 0.5
    return first + 0.5 if has_word(label, kinds["over"]) and len(numbers) == 1 else first
