"""Every key of study.yml, told: studies/KEYS.md for people, studies/study.schema.json for editors.

`python -m analysis.keys` (or `make docs`) writes both from the model of analysis/definition.py and
from keys.yml, so that neither can say anything else than what is read.
"""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import yaml
from pydantic import BaseModel

from analysis.definition import Definition
from analysis.paths import PROJECT

DOCUMENT, SCHEMA = "KEYS.md", "study.schema.json"
SCALARS = {str: "text", int: "whole number", float: "number", bool: "true or false"}
NOTHING: tuple = (None, [], {})
HEAD = """# Clés de study.yml – Keys of study.yml

Fichier produit par `make docs` à partir du modèle qui lit `study.yml` ; ne pas le modifier ici.
*Made by `make docs` from the model that reads `study.yml`; not to be edited here.*

Une clé sans valeur par défaut est obligatoire. Un texte se donne dans chaque langue de l’étude :
`{fr: …, en: …}`. *A key without a default is required. A text is given in each language of the
study.*
"""


class UntoldError(Exception):
    """Keys without a meaning, or meanings without a key: keys.yml is behind the model."""


def models() -> list[type[BaseModel]]:
    """Definition, and every model below it, in the order of their first mention."""
    found: list[type[BaseModel]] = []

    def walk(model: type[BaseModel]) -> None:
        if model not in found:
            found.append(model)
            for annotation in get_type_hints(model).values():
                for nested in models_in(annotation):
                    walk(nested)

    walk(Definition)
    return found


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Models that an annotation names, however deep."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from models_in(part)


@cache
def told() -> dict[str, dict[str, dict[str, str]]]:
    """keys.yml: `en`, `fr` and `example` of each key, by model. Raises UntoldError."""
    path = Path(__file__).with_name("keys.yml")
    words = yaml.safe_load(path.read_text(encoding="utf-8"))
    wanted = {(model.__name__, key) for model in models() for key in model.model_fields}
    given = {(model, key) for model, keys in words.items() for key in keys}
    lacking = [f"{model}.{key}" for model, key in sorted(wanted - given)]
    stray = [f"{model}.{key}" for model, key in sorted(given - wanted)]
    half = [
        f"{model}.{key}" for model, key in sorted(given & wanted)
        if set(words[model][key]) != {"en", "fr", "example"}
    ]  # fmt: skip
    if lacking or stray or half:
        raise UntoldError(
            "analysis/keys.yml must tell every key of analysis/definition.py (en, fr, example), "
            f"then `make docs` be run. Not told: {lacking}; half told: {half}; "
            f"no such key: {stray}"
        )
    return words


# --- KEYS.md


def document() -> str:
    """The content of KEYS.md: one table a model."""
    return "\n".join([HEAD, *(_section(model) for model in models())])


def _section(model: type[BaseModel]) -> str:
    name = "study.yml" if model is Definition else model.__name__
    hints = get_type_hints(model, include_extras=True)
    lines = [
        f"## {name}\n",
        "| clé · key | type | défaut · default | sens · meaning | exemple |",
        "| --- | --- | --- | --- | --- |",
        *(_row(model, key, hints[key]) for key in model.model_fields),
    ]
    return "\n".join([*lines, ""])


def _row(model: type[BaseModel], key: str, hint: Any) -> str:
    words = told()[model.__name__][key]
    cells = [
        f"`{key}`",
        _type(hint),
        _default(model, key),
        f"{words['fr']} *{words['en']}*",
        f"`{key}: {words['example']}`",
    ]
    return "| " + " | ".join(cells) + " |"


def _type(hint: Any) -> str:
    """A type in words, with a link to the table of a model."""
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return f"[{hint.__name__}](#{hint.__name__.lower()})"
    inside = get_args(hint)
    said: dict[Any, Callable[[], str]] = {
        Annotated: lambda: "text by language",
        Literal: lambda: ", ".join(f"`{value}`" for value in inside),
        dict: lambda: f"name: {_type(inside[1])}",
        list: lambda: f"list of {_type(inside[0])}",
        tuple: lambda: " and ".join(_type(part) for part in inside),
        Union: lambda: " or ".join(_type(part) for part in inside if part is not type(None)),
    }
    origin = get_origin(hint)
    say = said.get(Union if origin is types.UnionType else origin)
    return say() if say else SCALARS.get(hint, "date")


def _default(model: type[BaseModel], key: str) -> str:
    field = model.model_fields[key]
    if field.is_required():
        return "–"
    value = field.get_default(call_default_factory=True)
    if value in NOTHING or isinstance(value, BaseModel):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


# --- study.schema.json


def schema() -> str:
    """The content of the JSON schema: pydantic's own, with the meaning of each key in it."""
    content = Definition.model_json_schema()
    parts = {"Definition": content, **content.get("$defs", {})}
    for name, part in parts.items():
        for key, entry in part.get("properties", {}).items():
            words = told()[name][key]
            entry["description"] = f"{words['fr']}\n{words['en']}\n{key}: {words['example']}"
            entry.pop("title", None)
    content["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    content["title"] = "study.yml"
    return json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def write(root: Path = PROJECT) -> list[Path]:
    """Write both files below studies/."""
    made = {root / "studies" / DOCUMENT: document(), root / "studies" / SCHEMA: schema()}
    for path, content in made.items():
        path.write_text(content, encoding="utf-8")
    return list(made)


if __name__ == "__main__":
    for written in write():
        print(written.relative_to(PROJECT))
