"""Passages of a page that only some studies have.

A page is written once for all studies. What is true of some of them stands in a block, which is
taken out, cells included, before anything of the page runs:

    ::: {.only-if has="satisfaction hours" lacks="synthetic"}
    …
    :::

`has` names what a study must have, `lacks` what it must not have: a role or a source of study.yml,
`page:NAME`, `several:QUESTION`, `consumption:WHAT` (what the extract of actions holds), or one of
WORDS.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from analysis.definition import Roles, Sources
from analysis.errors import nearest
from analysis.publish.pages import CODE, FENCE, RenderError
from analysis.study import Study

WORDS = {
    "synthetic": "answers are reconstructed",
    "register": "there are published figures to audit",
    "published": "study.yml names a publication",
    "quotes": "comments were chosen for publication",
    "lists": "there are lists that are counted whole",
    "assumed": "the number of rows of a list is assumed",
    "not_concerned": "a battery has an answer of those it does not concern",
    "neutral": "a battery has an answer on neither side",
}
OPEN = re.compile(r"^:{3,}[ \t]*(?P<what>\S.*)$")
SHUT = re.compile(r"^:{3,}[ \t]*$")
ONLY = re.compile(r"^\{\.only-if(?P<attributes>(?:\s+(?:has|lacks)=\"[^\"]*\")+)\s*\}$")
ATTRIBUTE = re.compile(r"(has|lacks)=\"([^\"]*)\"")


def conditions(study: Study, pages: Mapping[str, bool]) -> dict[str, bool]:
    """Every word a page may ask for, and whether it holds. pages: whether each one stands."""
    definition, form = study.definition, study.questionnaire
    present, batteries = definition.sources.present(), study.batteries
    found = {role: bool(getattr(study.roles, role)) for role in Roles.model_fields}
    found |= dict.fromkeys(Sources.model_fields, False) | dict.fromkeys(present, True)
    found |= {f"page:{name}": stands for name, stands in pages.items()}
    extract = study.roles.consumption
    found |= {
        f"consumption:{name}": extract is not None and bool(getattr(extract, name))
        for name in ("person", "provider", "cost", "ai", "sampling")
    }
    found["consumption:part"] = extract is not None and len(extract.counts) > 1
    found["consumption:volumes"] = any(
        found[f"consumption:{name}"] for name in ("person", "provider", "cost", "ai")
    )
    found |= {f"several:{question.name}": question.several for question in form or ()}
    return found | {
        "synthetic": definition.synthetic,
        "register": study.published is not None,
        "published": bool(definition.published),
        "quotes": (study.paths.results / "quotes.csv").is_file(),
        "lists": bool(set(present) - {"survey"}),
        "assumed": any(source.assumed for source in present.values()),
        "not_concerned": any(battery.not_concerned for battery in batteries),
        "neutral": any(battery.neutral for battery in batteries),
    }


def only(text: str, holds: Mapping[str, bool], name: str) -> str:
    """A page without the passages that do not hold, line by line as long as it was.

    Raises RenderError, naming the line, for a word that nothing is called or a block left open.
    """
    lines = text.split("\n")
    for at, (shut, kept) in sorted(_blocks(lines, holds, name).items()):
        if not kept:
            lines[at : shut + 1] = [""] * (shut + 1 - at)
        lines[at] = lines[shut] = ""
    return "\n".join(lines)


def _blocks(lines: list[str], holds: Mapping[str, bool], name: str) -> dict[int, tuple[int, bool]]:
    """First and last line of each block, and whether it is kept."""
    found: dict[int, tuple[int, bool]] = {}
    opened: list[tuple[int, bool | None]] = []
    for at, line in _outside_code(lines):
        if start := OPEN.match(line):
            mark = ONLY.match(start["what"])
            if mark is None and ".only-if" in start["what"]:
                raise RenderError(f'{name}, line {at + 1}: a passage is opened by has="…"')
            opened.append((at, mark and _kept(mark["attributes"], holds, f"{name}, line {at + 1}")))
        elif SHUT.match(line) and opened:
            start_at, kept = opened.pop()
            if kept is not None:
                found[start_at] = at, kept
    for at, kept in opened:
        if kept is not None:
            raise RenderError(f"{name}, line {at + 1}: a passage is not closed")
    return found


def _outside_code(lines: list[str]) -> Iterator[tuple[int, str]]:
    ticks = ""
    for at, line in enumerate(lines):
        fence = FENCE.match(line)
        if ticks:
            ticks = "" if line.strip() == ticks else ticks
        elif fence and (CODE.match(fence["info"].strip()) or "`" not in fence["info"]):
            ticks = fence["ticks"]
        else:
            yield at, line


def _kept(attributes: str, holds: Mapping[str, bool], where: str) -> bool:
    asked = {key: words.split() for key, words in ATTRIBUTE.findall(attributes)}
    for words in asked.values():
        _check(words, holds, where)
    has = all(holds.get(word, False) for word in asked.get("has", []))
    return has and not any(holds.get(word, False) for word in asked.get("lacks", []))


def _check(words: Collection[str], holds: Mapping[str, bool], where: str) -> None:
    for word in words:
        if word not in holds and not word.startswith("several:"):
            raise RenderError(f"{where}: no study has {word!r}; {nearest(word, sorted(holds))}")
