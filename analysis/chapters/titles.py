"""Which trainings are about AI: titles told apart by rules that a region edits, in the engine.

A rule is a line of `ai_rules.csv`: the classes it gives (`ai`, `generative`, `sector`, and the
levels `acculturation` and `integration`), how it matches (`phrase`: these words; `word`: these
words or their plural; `stem`: a word that begins so), its pattern, and `except`, what must not
stand in the title (words, parted by |). Titles and patterns meet without case, accents and
punctuation. A title is of another class only if it is of `ai`; an AI title of no other level is of
`use`.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import ibis
import pandas as pd
from ibis.expr import types as ir

from analysis.errors import InputError, Problem, nearest

DEFAULT = Path(__file__).with_name("ai_rules.csv")
SAMPLE = Path(__file__).with_name("ai_sample.csv")
HEADER = ["rule", "class", "kind", "pattern", "except", "note"]
CLASSES = ["ai", "generative", "sector", "acculturation", "integration"]
KINDS = ["phrase", "word", "stem"]
VALUES = {
    "ai": ["ai", "not_ai"],
    "ai_kind": ["generative", "other_ai"],
    "ai_scope": ["sector", "general"],
    "ai_level": ["acculturation", "use", "integration"],
}
ACCENTS = "àâäáãåçéèêëîïíìôöóòõùûüúÿñ’ʼ"
PLAIN = "aaaaaaceeeeiiiiooooouuuuyn''"


@dataclass(frozen=True)
class TitleRule:
    """A line of ai_rules.csv, its patterns in plain letters."""

    name: str
    classes: tuple[str, ...]
    kind: str
    pattern: str
    unless: tuple[str, ...]


def plain(text: str) -> str:
    """Text in lower case without accents and punctuation, words parted by one space."""
    text = text.lower().replace("œ", "oe").replace("æ", "ae")
    letters = unicodedata.normalize("NFKD", text)
    letters = "".join(sign for sign in letters if not unicodedata.combining(sign))
    return " ".join(re.findall(r"[a-z0-9]+", letters))


def read_rules(path: Path, shown: str) -> list[TitleRule]:
    """Rules of a file. Raises InputError with each line that is no rule."""
    with path.open(encoding="utf-8-sig", newline="") as handle:
        lines = list(csv.reader(handle))
    if not lines or lines[0] != HEADER:
        found = ",".join(lines[0]) if lines else "an empty file"
        raise InputError([Problem(shown, "rules of titles have their six columns", found,
                                  ",".join(HEADER), "write this header", 1)])  # fmt: skip
    rules, problems = [], []
    for row, line in enumerate(lines[1:], start=2):
        if not any(line):
            continue
        cells = dict(zip(HEADER, [*line, *[""] * len(HEADER)], strict=False))
        problems += _faults(cells, shown, row)
        unless = tuple(filter(None, map(plain, cells["except"].split("|"))))
        classes = tuple(cells["class"].split())
        rules.append(
            TitleRule(cells["rule"], classes, cells["kind"], plain(cells["pattern"]), unless)
        )
    if problems:
        raise InputError(problems)
    return rules


def _faults(cells: dict[str, str], shown: str, row: int) -> list[Problem]:
    faults = [
        Problem(shown, "a rule gives classes that are known", word, ", ".join(CLASSES),
                nearest(word, CLASSES), row, "class")
        for word in cells["class"].split() or [""] if word not in CLASSES
    ]  # fmt: skip
    if cells["kind"] not in KINDS:
        faults.append(
            Problem(
                shown,
                "a rule matches in a way that is known",
                cells["kind"],
                ", ".join(KINDS),
                nearest(cells["kind"], KINDS),
                row,
                "kind",
            )
        )
    if not plain(cells["pattern"]):
        faults.append(Problem(shown, "a rule has a pattern", cells["pattern"], "letters or digits",
                              "write what a title must hold", row, "pattern"))  # fmt: skip
    return faults


def spaced(title: ir.StringValue) -> ir.StringValue:
    """A title in plain letters with a space at both ends, as `plain` makes it."""
    letters = title.lower().translate(ACCENTS, PLAIN).replace("œ", "oe").replace("æ", "ae")
    return ibis.literal(" ") + letters.re_replace("[^a-z0-9]+", " ").strip() + " "


def hit(rule: TitleRule, letters: ir.StringValue) -> ir.BooleanValue:
    """Whether a rule matches a title in plain letters."""
    found = letters.re_search(_pattern(rule))
    if not rule.unless:
        return found
    words = "|".join(rule.unless)
    return found & ~letters.re_search(f" ({words}) ")


def _pattern(rule: TitleRule) -> str:
    return " " + _inside(rule)


def _inside(rule: TitleRule) -> str:
    return rule.pattern + {"phrase": " ", "word": "[sx]? ", "stem": ""}[rule.kind]


def _any(rules: Sequence[TitleRule], letters: ir.StringValue) -> ir.BooleanValue:
    """Whether some rule matches; those without exceptions are one pattern."""
    simple = [_inside(rule) for rule in rules if not rule.unless]
    found = [hit(rule, letters) for rule in rules if rule.unless]
    if simple:
        found.append(letters.re_search(f" ({'|'.join(simple)})"))
    return reduce(lambda one, other: one | other, found) if found else ibis.literal(False)


def classified(titles: ir.Table, rules: Sequence[TitleRule]) -> ir.Table:
    """Titles with a column for each of VALUES (those beside `ai` are empty for another title).

    titles: a table with a column `title`.
    """
    letters = titles.mutate(letters=spaced(titles["title"]))
    about = _any([rule for rule in rules if "ai" in rule.classes], letters["letters"])
    told = letters.mutate(about=about)

    def also(name: str) -> ir.BooleanValue:
        """Whether a title about AI is of a further class; no other title is looked at."""
        further = [rule for rule in rules if name in rule.classes]
        return ibis.ifelse(told["about"], _any(further, told["letters"]), False)

    def of_ai(value: ir.StringValue) -> ir.StringValue:
        return ibis.ifelse(told["about"], value, ibis.null("string"))

    level = ibis.cases(
        (also("acculturation"), "acculturation"), (also("integration"), "integration"), else_="use"
    )
    return told.select(
        "title",
        ai=ibis.ifelse(told["about"], "ai", "not_ai"),
        ai_kind=of_ai(ibis.ifelse(also("generative"), "generative", "other_ai")),
        ai_scope=of_ai(ibis.ifelse(also("sector"), "sector", "general")),
        ai_level=of_ai(level),
    )


def quality(rules: Sequence[TitleRule], part: str = "held_out") -> pd.DataFrame:
    """How the rules do on the labelled sample (columns: variable, category, labelled, found,
    precision, recall), on titles of one part of it: `held_out` or `tuned`."""
    sample = pd.read_csv(SAMPLE, keep_default_na=False)
    sample = sample[sample["part"] == part].reset_index(drop=True)
    con = ibis.duckdb.connect()
    titles = con.create_table("titles", ibis.memtable(sample[["title"]]))
    told = classified(titles, rules).to_pyarrow().to_pandas().fillna("")
    told = told.set_index("title").loc[sample["title"]].reset_index()
    rows = []
    for variable, categories in VALUES.items():
        for category in categories:
            labelled, found = (frame[variable] == category for frame in (sample, told))
            both = int((labelled & found).sum())
            rows.append((variable, category, int(labelled.sum()), int(found.sum()), both))
    frame = pd.DataFrame(rows, columns=["variable", "category", "labelled", "found", "both"])
    frame["precision"] = frame["both"] / frame["found"]
    frame["recall"] = frame["both"] / frame["labelled"]
    return frame.drop(columns="both")
