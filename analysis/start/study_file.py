"""study.yml as `new` writes it: what is known, and what is not with a mark where it stands."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from typing import Any

import yaml

from analysis.questionnaire import Question, Questionnaire
from analysis.start.roles import Cast
from analysis.start.words import LONGEST_NAME, say, texts, unique

SCHEMA = "# yaml-language-server: $schema=../study.schema.json"
LICENCE = ("Licence Ouverte 2.0", "https://www.etalab.gouv.fr/licence-ouverte-open-licence/")


@dataclass
class Known:
    """What `new` found out of a study.

    own: type by column of the response itself; weight: header of the column of weights, which fit
    where each is a positive number.
    """

    name: str
    languages: tuple[str, ...]
    path: str
    layout: str = ""
    own: dict[str, str] = field(default_factory=dict)
    period: tuple[dt.date, dt.date] | None = None
    delivered: bool = True
    weight: str = ""
    weight_fits: bool = True


def study_file(known: Known, form: Questionnaire, found: Cast) -> str:
    """The text of study.yml."""
    return "\n".join(
        [
            SCHEMA,
            *(f"# {line}" for line in say("study.head", known.languages[0]).split("\n")),
            "",
            *_identity(known, form),
            "",
            *_sources(known),
            "",
            *_populations(known, form, found),
            *_design(known),
            "",
            *_roles(known, found),
            *_sets(known, form, found),
            *([f"\nordered: {_flow(found.ordered)}"] if found.ordered else []),
            "",
        ]
    )


def least_answered(form: Questionnaire) -> int:
    """How many questions a response must answer to be kept: half of them, six at most."""
    return max(1, min(6, len(form.questions) // 2))


def _mark(known: Known, key: str, **values: str) -> str:
    lang = known.languages[0]
    colon = "\u00a0:" if lang == "fr" else ":"
    return f"# {say('mark', lang)}{colon} {say(key, lang, **values)}"


def _by_language(known: Known, key: str, **values: str) -> str:
    return _flow({lang: say(key, lang, **values) for lang in known.languages})


def _flow(value: Any) -> str:
    """A value on one line; texts in quotes where YAML would read them otherwise."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_flow(k)}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_flow, value)) + "]"
    text = str(value)
    plain = text.replace("_", "a").replace("-", "a").replace(" ", "a").isalnum()
    safe = plain and not text[0].isdigit() and text == text.strip() and text[0] != "-"
    quoted = text.casefold() in ("yes", "no", "on", "off", "true", "false", "null", "y", "n")
    return text if safe and not quoted else json.dumps(text, ensure_ascii=False)


def _identity(known: Known, form: Questionnaire) -> list[str]:
    title = known.name.replace("_", " ").replace("-", " ").capitalize()
    both = _flow(dict.fromkeys(known.languages, title))
    today = dt.date.today()
    start, end = known.period or (today, today)
    lines = [f"study: {known.name}"]
    if len(known.languages) > 1:
        lines.append(_mark(known, "study.languages"))
    return [
        *lines,
        f"languages: {_flow(known.languages)}",
        _mark(known, "study.title"),
        f"title: {both}",
        f"brand: {both}",
        f"field: {_by_language(known, 'study.field')}",
        _mark(known, "study.publisher"),
        f"publisher: {_flow(say('study.unknown_publisher', known.languages[0]))}",
        _mark(known, "study.synthetic"),
        "synthetic: false",
        _mark(known, "study.period" if known.period else "study.no_period"),
        f"period: {{start: {start}, end: {end}}}",
        _mark(known, "study.retention"),
        f"retention: {{min_answered: {least_answered(form)}}}",
        _mark(known, "study.licence"),
        f"licence: {_flow({'name': LICENCE[0], 'url': LICENCE[1]})}",
    ]


def _sources(known: Known) -> list[str]:
    lines = ["sources:", "  survey:"]
    if not known.delivered:
        lines.append("    " + _mark(known, "study.path", study=known.name))
    lines.append(f"    path: {_flow(known.path)}")
    if known.layout:
        lines.append(f"    layout: {known.layout}")
    if known.own:
        lines.append("    columns:")
    for name, kind in known.own.items():
        required = "" if kind == "id" else ", required: false"
        label = _by_language(known, f"labels.{name}")
        lines.append(f"      {name}: {{label: {label}, type: {kind}{required}}}")
    return lines


def _populations(known: Known, form: Questionnaire, found: Cast) -> list[str]:
    """Everyone, and for each routing the people it lets through, under a name to decide."""
    lines = ["populations:", f"  all: {{label: {_by_language(known, 'labels.all')}}}"]
    hours, none = found.sure.get("hours"), found.sure.get("no_training")
    trained = f"${{{hours}}} != '{none}'"
    routes: dict[str, str] = {}
    bases = []
    for question in form:
        route = question.relevant
        if route and route not in routes:
            name = "trained" if route == trained else f"asked_{question.name}"
            routes[route] = unique(name[:LONGEST_NAME], routes.values())
            lines += _population(known, routes[route], route, question)
        if route:
            bases.append(f"  {question.name}: {routes[route]}")
    return [*lines, *(["base_populations:", *bases] if bases else [])]


def _population(known: Known, name: str, route: str, first: Question) -> list[str]:
    """A population by its routing; those trained have a name, others are those asked."""
    key = "trained" if name == "trained" else "asked"
    label = {lang: say(f"labels.{key}", lang, value=first.labels.get(lang, first.name))
             for lang in known.languages}  # fmt: skip
    return [
        *(["  " + _mark(known, "study.population")] if key == "asked" else []),
        f"  {name}:",
        f"    label: {_flow(label)}",
        f"    where: {json.dumps(route, ensure_ascii=False)}",
    ]


def _design(known: Known) -> list[str]:
    """The weights of the survey, which a person confirms; behind a # where they do not fit."""
    if not known.weight:
        return []
    key = "study.weight" if known.weight_fits else "study.weight_unfit"
    line = "design: {weights: weight}"
    return ["", _mark(known, key, value=known.weight), line if known.weight_fits else f"# {line}"]


def _roles(known: Known, found: Cast) -> list[str]:
    lines = ["roles:" if found.sure else "roles: {}"]
    more = [value for role, value in found.maybe if role == "battery"]
    for role, value in found.sure.items():
        lines += _batteries(known, value, more) if role == "battery" else [_role(role, value)]
    maybe = [_role(role, value) for role, value in found.maybe if role != "battery"]
    if "battery" not in found.sure:
        maybe += ["  battery:", *_items(more)] if more else []
    if maybe:
        lines.append("  " + _mark(known, "study.roles"))
        lines += [f"  # {line[2:]}" for line in maybe]
    return lines


def _role(role: str, value: Any) -> str:
    return f"  {role}: {_flow(value)}"


def _items(values: list[Any]) -> list[str]:
    return [f"    - {_flow(value)}" for value in values]


def _batteries(known: Known, sure: Any, more: list[Any]) -> list[str]:
    """The batteries that are sure, and others as further items of the same list."""
    if not more and not isinstance(sure, list):
        return [_role("battery", sure)]
    lines = ["  battery:", *_items(sure if isinstance(sure, list) else [sure])]
    if more:
        lines.append("    " + _mark(known, "study.batteries"))
        lines += [f"    # {line[4:]}" for line in _items(more)]
    return lines


def _sets(known: Known, form: Questionnaire, found: Cast) -> list[str]:
    """Answers read together, under a label made of theirs."""
    if not found.sets:
        return []
    lines = ["", _mark(known, "study.satisfied"), "answer_sets:"]
    for name, sets in found.sets.items():
        lines.append(f"  {name}:")
        said = {choice.name: choice.labels for choice in form[name].choices}
        for key, codes in sets.items():
            label = {lang: _together([said[code].get(lang, code) for code in codes], lang)
                     for lang in known.languages}  # fmt: skip
            lines.append(f"    {key}: {{label: {_flow(label)}, answers: {_flow(codes)}}}")
    return lines


def _together(labels: list[str], lang: str) -> str:
    """« Satisfaite ou très satisfaite »."""
    rest = [label[:1].lower() + label[1:] for label in labels[1:]]
    return say("labels.or", lang).join([*labels[:1], *rest])


def meta_file(known: Known, sha256: str, rows: int) -> str:
    """What a raw file is: `.meta.yml` beside it."""
    content = {
        "title": {lang: texts()["meta"]["title"].get(lang) for lang in known.languages},
        "producer": {lang: texts()["meta"]["producer"].get(lang) for lang in known.languages},
        "date": dt.date.today().isoformat(),
        "licence": LICENCE[0],
        "licence_url": LICENCE[1],
        "sha256": sha256,
        "rows": rows,
        "synthetic": False,
    }
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=1000)
