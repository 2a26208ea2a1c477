"""The validation report: what came in, what was checked, what to correct.

One content, two forms: validation.html for the person who manages the survey, validation.json
for programs. Both are written whether or not there are problems.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from analysis import whole
from analysis.engine import Engine
from analysis.errors import Problem
from analysis.intake.clean import Clean, Examined, examine
from analysis.intake.fields import Field, fields
from analysis.intake.layouts import LAYOUTS
from analysis.intake.schemas import Checked
from analysis.intake.texts import Failure, rule_text, text, texts, told
from analysis.paths import Paths
from analysis.study import Study

PAGE, DATA = "validation.html", "validation.json"
# A page with every row of a file in which each fails would be of no use. The JSON has all that
# the schemas list (LISTED), and the number of the others.
SHOWN = 200


def validate(
    study: Study, engine: Engine | None = None, say: Callable[[str], None] = lambda _: None
) -> tuple[Clean, list[Problem]]:
    """Read and check every source. With a problem anywhere, the tables of Clean are empty."""
    return examine(study, engine, say)


def write_validation(
    study: Study, clean: Clean, problems: Sequence[Problem], lang: str | None = None
) -> Path:
    """Write validation.html and validation.json of a study, in its first language or `lang`.

    Returns the path of the page.
    """
    lang = lang or study.definition.languages[0]
    title = study.definition.title.get(lang, study.name)
    content = report(study, clean, problems, lang) | {"title": title}
    return _write(study.paths, content, lang)


def write_study_problems(paths: Paths, problems: Sequence[Problem], lang: str = "en") -> Path:
    """The same two files where the study itself cannot be read, so that nothing was checked."""
    content = {
        "study": paths.study,
        "title": paths.study,
        "language": lang,
        "valid": False,
        "sources": [],
        "rules": [],
        "problems": [_told(item, lang) for item in problems],
        "remarks": [],
    }
    return _write(paths, content, lang)


def report(study: Study, clean: Clean, problems: Sequence[Problem], lang: str) -> dict[str, Any]:
    """The content of the report as plain values: sources, rules, problems."""
    return {
        "study": study.name,
        "language": lang,
        "valid": not problems,
        "sources": [_source(study, item, lang) for item in clean.sources],
        "rules": [rule for item in clean.sources for rule in _rules(study, item, lang)],
        "problems": [_told(item, lang) for item in problems],
        "remarks": [_told(found, lang) for item in clean.sources for found in item.remarks],
    }


# --- Content


def _named(study: Study, source: str, lang: str) -> str:
    """What a source is called: a list, by the population that it is."""
    if source in texts()["sources"]:
        return text(texts()["sources"][source], lang)
    whole = (p for p in study.definition.populations.values() if p.source == source)
    return next((_capital(p.label.get(lang, source)) for p in whole), source)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _source(study: Study, item: Examined, lang: str) -> dict[str, Any]:
    return {
        "source": item.source,
        "label": _named(study, item.source, lang),
        "file": item.file,
        "layout": item.layout,
        "tool": LAYOUTS[item.layout].tool if item.layout in LAYOUTS else "",
        "columns_aside": list(item.columns_aside),
        "by_place": list(item.by_place),
        "received": item.received,
        "kept": item.kept,
        "set_aside": [
            {
                "reason": str(reason),
                "text": _reason(study, str(reason), lang),
                "count": len(rows),
                "rows": [int(row) for row in rows["row"]],
            }
            for reason, rows in item.excluded.groupby("reason", sort=False)
        ]
        + _aside(study, item, lang),
    }


def _aside(study: Study, item: Examined, lang: str) -> list[dict[str, Any]]:
    """Rows set aside in an engine: how many, and where the first ones stand (quarantine.csv has
    more of each)."""
    if item.in_engine is None:
        return []
    listed = item.in_engine.listed
    twice = listed["rule"] == "unique"
    return [
        {
            "reason": reason,
            "text": _reason(study, reason, lang),
            "count": count,
            "rows": [int(row) for row in rows["row"].dropna()],
        }
        for reason, rows in (("bad_row", listed[~twice]), ("repeated", listed[twice]))
        if (count := item.in_engine.aside.get(reason, 0))
    ]


def _reason(study: Study, reason: str, lang: str) -> str:
    least = str(study.definition.retention.min_answered)
    return text(texts()["reasons"][reason], lang, minimum=least)


def _rules(study: Study, item: Examined, lang: str) -> list[dict[str, Any]]:
    """One entry a rule, with its columns below it."""
    known = fields(study, item.source)
    by_key: dict[str, list[Checked]] = {}
    for checked in item.checks:
        by_key.setdefault(checked.key, []).append(checked)
    return [
        {
            "source": item.source,
            "file": item.file,
            "rule": key,
            "text": rule_text(key, "rule", lang, {}),
            **_counts(checks),
            "columns": [_column(checked, known, lang) for checked in checks if checked.column],
        }
        for key, checks in by_key.items()
    ]


def _counts(checks: Sequence[Checked]) -> dict[str, int]:
    return {
        name: sum(getattr(checked, name) for checked in checks)
        for name in ("tested", "passed", "failed")
    }


def _column(checked: Checked, known: Mapping[str, Field], lang: str) -> dict[str, Any]:
    expected = rule_text(checked.key, "expected", lang, dict(checked.values))
    label = _label(checked.column, known, lang)
    return {
        "column": checked.column,
        "label": label,
        "expected": expected,
        **_counts([checked]),
    }


def _label(column: str, known: Mapping[str, Field], lang: str) -> str:
    """What a column asks or holds, in words."""
    name, _, answer = column.partition("/")
    field = known[name]
    label = field.labels.get(lang, name)
    return f"{label} – {field.answer_labels[answer].get(lang, answer)}" if answer else label


def _told(item: Problem, lang: str) -> dict[str, Any]:
    words = told(item, lang)
    return {
        "rule": item.key if isinstance(item, Failure) else "",
        "text": words["rule"],
        "file": item.file,
        "row": item.row,
        "column": item.column,
        "found": words["found"],
        "expected": words["expected"],
        "action": words["action"],
    }


# --- Files


def _write(paths: Paths, content: dict[str, Any], lang: str) -> Path:
    paths.clean.mkdir(parents=True, exist_ok=True)
    page = paths.clean / PAGE
    data = json.dumps(content, ensure_ascii=False, indent=1) + "\n"
    with whole.files(page, paths.clean / DATA) as drafts:
        drafts[page].write_text(render(content, lang), encoding="utf-8")
        drafts[paths.clean / DATA].write_text(data, encoding="utf-8")
    return page


def render(content: Mapping[str, Any], lang: str) -> str:
    """The page as HTML that needs no other file; everything found in a file is escaped."""

    def say(key: str, **values: Any) -> str:
        words = {name: number(v, lang) if isinstance(v, int) else v for name, v in values.items()}
        return text(texts()["page"][key], lang, **words)

    return _template(lang).render(
        report=content, say=say, lang=lang, groups=_groups(content["problems"]), shown=SHOWN
    )


@cache
def _template(lang: str) -> jinja2.Template:
    """The page, compiled once a language."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = lambda value: number(value, lang)
    return environment.get_template("validation.html")


def _groups(problems: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Problems that share file, rule and what to expect, so that it is said once."""
    if not problems:
        return []
    keys = ["file", "text"]
    frame = pd.DataFrame(problems).astype(object)
    return [
        {**dict(zip(keys, key, strict=True)), "problems": [problems[at] for at in group.index]}
        for key, group in frame.groupby(keys, sort=False)
    ]


def number(value: int | None, lang: str) -> str:
    """A count as it is written in a language."""
    if value is None:
        return "–"
    return f"{value:,}".replace(",", "\u202f" if lang == "fr" else ",")
