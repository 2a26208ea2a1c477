"""What results are made of, as their record (provenance.json) tells it, for readers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from analysis.definition import Definition
from analysis.display.labels import Labels
from analysis.display.tables import table_html
from analysis.keys import models_in, told

# What stands in the table of thresholds: the rules that keep a number from being shown as sound.
LIMITS = ("thresholds", "disclosure")


def provenance_table(record: Mapping[str, Any], labels: Labels, caption: str) -> str:
    """Files, programs, settings and code that gave the results; nothing without a record."""
    parts = {
        "inputs": list(record.get("inputs", {}).items()),
        "versions": list(record.get("versions", {}).items()),
        "settings": list(_settings(record, labels)),
        "code": [("analysis/", record["code"])] if "code" in record else [],
    }
    rows = [(part, *row) for part, found in parts.items() for row in found]
    return _table(rows, labels, caption, "provenance") if rows else ""


def limits_table(record: Mapping[str, Any], labels: Labels, caption: str) -> str:
    """The thresholds and rules of disclosure control that the results were made under."""
    told = {"settings": _in_force(record.get("settings", {}))}
    rows = [("", *row) for row in _settings(told, labels, LIMITS)]
    return _table(rows, labels, caption, "") if rows else ""


def _in_force(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that decide: of public numbers, that they are; and where disclosure control is
    declared at all, no threshold that it takes the place of."""
    rules, found = settings.get("disclosure"), dict(settings)
    if rules is None:
        return {name: value for name, value in found.items() if name != "disclosure"}
    limits = settings.get("thresholds", {})
    found["thresholds"] = {n: v for n, v in limits.items() if n != "suppressed_base"}
    found["disclosure"] = (
        {"public": True} if rules["public"] else {n: v for n, v in rules.items() if n != "public"}
    )
    return found


def _table(rows: list[tuple[str, str, str]], labels: Labels, caption: str, named: str) -> str:
    head = [labels.term("columns", name) for name in ("part", "held")]
    sections = [labels.term(named, part) for part, _, _ in rows] if named else []
    html = table_html(head, [[what, value] for _, what, value in rows], caption, sections=sections)
    return f'<div class="scroll" tabindex="0">{html}</div>'


def _settings(
    record: Mapping[str, Any], labels: Labels, only: tuple[str, ...] | None = None
) -> Iterator[tuple[str, str]]:
    """Each setting as the keys of study.yml tell it, and its value as the language writes it."""
    for name, value in record.get("settings", {}).items():
        if only is None or name in only:
            yield from _told(labels, Definition, name, name, value)


def _told(
    labels: Labels, model: type, key: str, place: str, value: Any
) -> Iterator[tuple[str, str]]:
    fields = getattr(model, "model_fields", {})
    below = next(models_in(fields[key].annotation), None) if key in fields else None
    if isinstance(value, Mapping) and value:
        for name, inside in value.items():
            yield from _told(labels, below or dict, name, f"{place}.{name}", inside)
        return
    words = told().get(model.__name__, {}).get(key, {}).get(labels.lang, "")
    yield (f"{words} ({place})" if words else place), _value(value, labels)


def _value(value: Any, labels: Labels) -> str:
    if value is None or value == {}:
        return labels.term("provenance", "nothing")
    if isinstance(value, bool):
        return labels.term("provenance", str(value).lower())
    if isinstance(value, int):
        # A seed is a name, not a quantity.
        return str(value)
    if isinstance(value, float):
        return str(labels.formats.number(value, len(f"{value:g}".partition(".")[2])))
    return str(value)
