"""The explorer: any closed question by any profile variable, chosen by the reader.

Everything it can show is in the page as one compact JSON, made from the released crosses alone;
assets/explorer.js draws the choice that the address names. Without a script the page shows the
table of its first choice and names the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from analysis.display.catalogue import Catalogue, Texts
from analysis.display.figure import raw, script
from analysis.display.formats import lower_first
from analysis.display.labels import Labels
from analysis.display.rows import Sources
from analysis.display.tables import table_html

NUMBERS = ["count", "share", "share_low", "share_high"]
SHARES = NUMBERS[1:]
# Shares are whole numbers of this part, cut and not rounded: whole percentages made of them are
# then those that are made of the shares themselves.
PART = 10_000
TABLE = ["variable", "population", "by"]
COLUMNS = ["share", "interval", "count", "base_n", "verdict", "evidence"]
PAGE_WORDS = [
    "question", "by", "everyone", "title", "title_everyone", "most", "widest", "level", "few",
    "unknown", "table_of", "totals",
]  # fmt: skip
FIGURE_WORDS = [
    "base", "base_alone", "n", "fragile", "suppressed", "hidden_say", "illustrative",
    "illustrative_some", "illustrative_say", "csv", "csv_of", "link_of",
]  # fmt: skip
FORMATS = ["decimal", "thousands", "percent", "interval", "fraction", "missing", "withheld",
           "quote", "list_last", "list_or"]  # fmt: skip


@dataclass(frozen=True)
class Names:
    """Short names of questions: the topics of the figures that show them."""

    sources: Sources
    catalogue: Catalogue
    texts: Texts

    def topic(self, variable: str, population: str) -> str:
        """The topic of the figure of a whole question, or ""."""
        labels = self.sources.labels
        for key, entry in self.catalogue.figures.items():
            plain = not (entry.by or entry.category or entry.populations or entry.top)
            if entry.variable is None or not plain or entry.each or key not in self.texts.figures:
                continue
            # Only motivations are asked of several populations, in a figure each.
            several = entry.variable == "motivation" and entry.population != population
            if self.sources.variable(entry.variable) == variable and not several:
                return labels.formats.typography(self.texts.figures[key].topic)
        return ""


@dataclass(frozen=True)
class Asked:
    """A question of the explorer. answers: codes in the order shown, totals last."""

    name: str
    variable: str
    population: str
    answers: list[str]
    totals: int
    battery: bool


def explorer(crosses: pd.DataFrame, names: Names) -> str:
    """Markdown of the explorer. crosses: as released; "" where there are none."""
    if crosses.empty:
        return ""
    labels = names.sources.labels
    data = payload(crosses, names)
    parts = [
        '<link rel="stylesheet" href="assets/explorer.css">',
        '<div class="explorer" id="explorer">',
        _form(data),
        '<p class="explorer-message" role="status"></p>',
        _view(data, crosses, labels),
        _without_script(data, labels),
        script(data, "explorer"),
        '<script src="assets/explorer.js" defer></script></div>',
    ]
    return f"\n{raw(chr(10).join(parts))}\n"


def payload(crosses: pd.DataFrame, names: Names) -> dict[str, Any]:
    """All that the page needs: questions, groups, tables, and the words around them.

    Tables are `[groups, bases, cells]`: places of groups in their variable, people in each, and
    for each group and answer a place in the columns of `cells`. Shares are in parts of PART.
    """
    sources, labels = names.sources, names.sources.labels
    crosses = crosses.assign(base_n=crosses["base_n"].astype(float))
    cells, at = _cells(crosses, labels)
    crosses = crosses.assign(cell=at)
    whole = dict(iter(crosses.groupby(TABLE, sort=False)))
    asked = [
        found for name in _closed(sources) for found in [_asked(name, whole, sources)] if found
    ]
    by = [variable for variable in crosses["by"].unique() if variable]
    groups = {variable: labels.answers(variable) for variable in by}
    questions = [
        _question(each, names)
        | {
            "tables": {
                variable: _table(whole[each.variable, each.population, variable], each, groups)
                for variable in ["", *by]
                if (each.variable, each.population, variable) in whole
            }
        }
        for each in asked
    ]
    return {
        "questions": questions,
        "by": [_by(variable, groups[variable], names) for variable in by],
        "cells": cells,
        "first": _first(questions, sources),
        "study": sources.study.name,
        "part": PART,
        "words": _words(crosses, labels),
        "formats": {name: labels.formats.facts[name] for name in FORMATS},
    }


def _closed(sources: Sources) -> list[str]:
    form = sources.study.questionnaire
    return [question.name for question in form or () if question.choices]


def _asked(name: str, whole: dict[Any, pd.DataFrame], sources: Sources) -> Asked | None:
    """What is shown of a question: answers in their order, or from the most frequent one on where
    they have none; then the totals of several answers."""
    study = sources.study
    variable, population = study.variable_of(name), study.population_of(name)
    rows = whole.get((variable, population, ""))
    if rows is None:
        return None
    question = study.question(name)
    in_battery = study.battery_of(name) is not None
    shares = rows.set_index("category")["share"]
    answers = [answer for answer in question.answers if answer in shares.index]
    if not (in_battery or study.ordered(variable)) and shares[answers].notna().all():
        answers.sort(key=lambda answer: -float(shares[answer]))
    sets = study.definition.answer_sets.get(name, {})
    alone = [code for code, item in sets.items() if len(item.answers) < 2]
    totals = [code for code in shares.index if code not in (*question.answers, *alone)]
    return Asked(name, variable, population, answers + totals, len(totals), in_battery)


def _question(asked: Asked, names: Names) -> dict[str, Any]:
    labels, study = names.sources.labels, names.sources.study
    wording = labels.variable(asked.name, asked.population)
    topic = names.topic(asked.variable, asked.population)
    groups = study.question(asked.name).groups
    battery = study.battery_of(asked.name)
    outside = ""
    if asked.battery and battery and battery.not_concerned:
        answer = labels.answer(asked.name, battery.not_concerned)
        outside = labels.term("figure", "not_concerned_note", answer=answer)
    answers = [
        [code, labels.answer(asked.variable, code, asked.population)] for code in asked.answers
    ]
    return {
        "id": asked.name,
        "name": topic or wording,
        "text": f"{wording} {labels.hint(asked.name, asked.population)}".strip(),
        "section": " · ".join(labels.group(group) for group in groups),
        "variable": asked.variable,
        "population": [asked.population, labels.population(asked.population)],
        "outside": outside,
        "answers": answers,
        "totals": asked.totals,
    }


def _by(variable: str, groups: list[str], names: Names) -> dict[str, Any]:
    labels = names.sources.labels
    topic = names.topic(variable, names.sources.population(variable))
    wording = labels.variable(variable)
    called = lower_first(topic) if topic else labels.formats.quote(wording)
    return {
        "id": variable,
        "name": topic or wording,
        "called": called,
        "groups": [[code, labels.answer(variable, code)] for code in groups],
    }


def _table(
    rows: pd.DataFrame, asked: Asked, groups: dict[str, list[str]]
) -> list[list[int | None]]:
    by = rows["by"].iloc[0]
    codes = groups[by] if by else [""]
    found = rows.pivot(index="by_category", columns="category", values="cell")
    bases = rows.groupby("by_category")["base_n"].first()
    there = [code for code in codes if code in found.index]
    cells = found.loc[there, asked.answers].to_numpy(dtype=int).reshape(-1)
    return [
        [codes.index(code) for code in there],
        _whole(bases.reindex(there).to_numpy()),
        [int(cell) for cell in cells],
    ]


def _cells(crosses: pd.DataFrame, labels: Labels) -> tuple[dict[str, Any], np.ndarray]:
    """Distinct cells as columns, and the place of each row's among them.

    Small bases give the same count over the same base many times over.
    """
    keys = [*NUMBERS, "method", "verdict", "reason", "evidence"]
    at = crosses.groupby(keys, sort=False, dropna=False).ngroup().to_numpy()
    distinct = crosses.drop_duplicates(keys)
    verdicts = distinct[["verdict", "reason"]].drop_duplicates().to_numpy().tolist()
    kinds = list(distinct["evidence"].drop_duplicates())
    pairs = distinct[["verdict", "reason"]].to_numpy().tolist()
    cells: dict[str, Any] = {
        "count": _whole(distinct["count"].to_numpy(dtype=float)),
        **{name: _whole(np.floor(distinct[name].to_numpy() * PART + 1e-5)) for name in SHARES},
        "verdict": [verdicts.index(pair) for pair in pairs],
        "evidence": [kinds.index(kind) for kind in distinct["evidence"]],
    }
    told = [
        [verdict, reason, labels.verdict(verdict, reason), labels.reasons([reason])]
        for verdict, reason in verdicts
    ]
    evidence = [[kind, labels.term("evidence", kind)] for kind in kinds]
    return {"columns": cells, "verdicts": told, "evidence": evidence}, at


def _whole(values: np.ndarray) -> list[int | None]:
    return [None if np.isnan(value) else int(value) for value in values]


def _first(questions: list[dict[str, Any]], sources: Sources) -> dict[str, str]:
    """The choice of a page without an address: satisfaction by hours, where they are there."""
    roles = sources.study.roles
    chosen = next((q for q in questions if q["id"] == roles.satisfaction), questions[0])
    return {"q": chosen["id"], "by": roles.hours if roles.hours in chosen["tables"] else ""}


def _words(crosses: pd.DataFrame, labels: Labels) -> dict[str, Any]:
    words: dict[str, Any] = {name: _template(labels, "explorer", name) for name in PAGE_WORDS}
    words |= {name: _template(labels, "figure", name) for name in FIGURE_WORDS}
    words |= {f"column_{n}": labels.term("columns", n) for n in ["label", "series", *COLUMNS]}
    method = labels.term("methods", crosses["method"].iloc[0])
    return words | {"line": labels.term("figure", "interval", method=method),
                    "method": crosses["method"].iloc[0]}  # fmt: skip


def _template(labels: Labels, section: str, key: str) -> str:
    """A text with its braces, which the script fills."""
    labels.term(section, key)  # says so where it is missing
    return labels.formats.typography(labels.terms[section][key][labels.lang])


# What stands in the page before the script


def _form(data: dict[str, Any]) -> str:
    """The two choices; the script shows them."""
    words, first = data["words"], data["first"]
    options, section = [], None
    for question in data["questions"]:
        if question["section"] != section:
            options.append("</optgroup>" if section else "")
            section = question["section"]
            options.append(f'<optgroup label="{escape(section)}">' if section else "")
        options.append(_option(question["id"], question["name"], question["id"] == first["q"]))
    options.append("</optgroup>" if section else "")
    by = [_option("", words["everyone"], first["by"] == "")]
    by += [_option(each["id"], each["name"], each["id"] == first["by"]) for each in data["by"]]
    return (
        '<form class="choice" hidden autocomplete="off">'
        f'<div><label for="explorer-q">{escape(words["question"])}</label>'
        f'<select id="explorer-q">{"".join(options)}</select></div>'
        f'<div><label for="explorer-by">{escape(words["by"])}</label>'
        f'<select id="explorer-by">{"".join(by)}</select></div></form>'
    )


def _option(value: str, text: str, chosen: bool) -> str:
    mark = " selected" if chosen else ""
    return f'<option value="{escape(value)}"{mark}>{escape(text)}</option>'


def title_of(data: dict[str, Any], question: dict[str, Any], by: str) -> str:
    """What a choice is called."""
    words = data["words"]
    if not by:
        return str(words["title_everyone"].format(question=question["name"]))
    called = next(each["called"] for each in data["by"] if each["id"] == by)
    return str(words["title"].format(question=question["name"], by=called))


def _view(data: dict[str, Any], crosses: pd.DataFrame, labels: Labels) -> str:
    """The first choice: its title, its table, and the places that the script fills."""
    first = data["first"]
    question = next(each for each in data["questions"] if each["id"] == first["q"])
    title = title_of(data, question, first["by"])
    table = _first_table(data, question, crosses, labels, title)
    # An item of a battery is its own wording: what it is an item of says more.
    told = question["section"] if question["text"] == question["name"] else question["text"]
    region = escape(data["words"]["table_of"].format(title=title))
    return (
        '<section class="finding explorer-view" aria-labelledby="explorer-title">'
        f'<h2 id="explorer-title">{escape(title)}</h2><p class="q">{escape(told)}</p>'
        '<p class="evidence" hidden></p>'
        '<div class="bars" role="img" aria-labelledby="explorer-title" '
        'aria-describedby="explorer-say" hidden></div>'
        '<p class="say" id="explorer-say" role="status"></p>'
        '<div class="fig-foot" hidden><p class="note"></p><div class="tools">'
        '<a class="csv" href="#explorer" download=""></a>'
        '<a class="self" href="#explorer">#</a></div></div>'
        f'<div class="scroll" tabindex="0" role="region" aria-label="{region}">{table}</div>'
        "</section>"
    )


def _first_table(
    data: dict[str, Any], question: dict[str, Any], crosses: pd.DataFrame, labels: Labels,
    title: str,
) -> str:  # fmt: skip
    """The table of the first choice, as the script writes that of any other."""
    by = data["first"]["by"]
    keep = (question["variable"], question["population"][0], by)
    rows = crosses[(crosses[TABLE] == list(keep)).all(axis=1)]
    codes = [code for code, _ in question["answers"]]
    groups = next((e["groups"] for e in data["by"] if e["id"] == by), [["", ""]])
    order = {code: at for at, (code, _) in enumerate(groups)}
    rows = rows[rows["category"].isin(codes)].assign(
        answer=lambda frame: frame["category"].map(codes.index),
        group=lambda frame: frame["by_category"].map(order),
    )
    rows = rows.sort_values(["answer", "group"])
    answers, named = dict(question["answers"]), dict(groups)
    body, sections = [], []
    for row in rows.itertuples():
        label = named[str(row.by_category)] if by else answers[str(row.category)]
        body.append([label, *_row(row, labels)])
        sections.append(answers[str(row.category)])
    head = [data["words"][f"column_{n}"] for n in ["series" if by else "label", *COLUMNS]]
    return table_html(head, body, title, (1, 2, 3, 4), sections=sections if by else ())


def _row(row: Any, labels: Labels) -> list[str]:
    formats = labels.formats
    numbers = [
        formats.percent(row.share),
        formats.interval(row.share_low, row.share_high),
        formats.number(row.count),
        formats.number(row.base_n),
    ]
    return [
        *(formats.told(text, row.verdict) for text in numbers),
        labels.verdict(row.verdict, row.reason),
        labels.term("evidence", row.evidence),
    ]


def _without_script(data: dict[str, Any], labels: Labels) -> str:
    """What the reader without a script must know, and the questions that the file answers."""
    items = "".join(f"<li>{escape(question['name'])}</li>" for question in data["questions"])
    by = labels.formats.listed([each["called"] for each in data["by"]])
    said = escape(labels.term("explorer", "no_script", by=by))
    file = escape(labels.term("explorer", "file"))
    return (
        f'<noscript><p>{said} <a href="downloads/crosses.csv">{file}</a></p>'
        f"<ul>{items}</ul></noscript>"
    )
