"""What is told of the keys of study.yml: all of them, and never behind the model."""

import json

import jsonschema
import pytest
from pydantic import BaseModel, TypeAdapter, create_model

from analysis import keys
from analysis.paths import PROJECT
from analysis.safe_yaml import read_yaml

STALE = "is behind analysis/definition.py or analysis/keys.yml: run `make docs` and commit it"


@pytest.mark.parametrize(
    ("name", "made"), [(keys.DOCUMENT, keys.document), (keys.SCHEMA, keys.schema)]
)
def test_what_is_committed_is_what_the_model_says(name, made):
    written = (PROJECT / "studies" / name).read_text(encoding="utf-8")
    assert written == made(), f"studies/{name} {STALE}"


def test_every_model_is_found():
    names = {model.__name__ for model in keys.models()}
    assert {"Definition", "Battery", "AnswerSet", "Raking", "Licence"} <= names


def test_a_key_without_a_meaning_is_named(monkeypatch):
    more = create_model("Period", __base__=BaseModel, start=(str, ...), midday=(str, "noon"))
    monkeypatch.setattr(keys, "models", lambda: [more])
    keys.told.cache_clear()
    try:
        with pytest.raises(keys.UntoldError) as caught:
            keys.told()
    finally:
        keys.told.cache_clear()
    assert "Not told: ['Period.midday']" in str(caught.value)
    assert "Roles.status" in str(caught.value)  # told, and in no model


def test_examples_are_values_of_their_key():
    for model in keys.models():
        for key, field in model.model_fields.items():
            value = read_yaml(keys.told()[model.__name__][key]["example"])
            TypeAdapter(field.annotation).validate_python(value)


def test_the_schema_for_editors_takes_a_sound_study_and_no_unknown_key():
    schema = jsonschema.Draft202012Validator(json.loads(keys.schema()))
    path = PROJECT / "studies" / "cnc_afdas_2026" / "study.yml"
    tree = json.loads(json.dumps(read_yaml(path.read_text(encoding="utf-8")), default=str))
    assert not list(schema.iter_errors(tree))
    (error,) = schema.iter_errors(tree | {"sede": 2026})
    assert "sede" in error.message


def test_the_document_has_type_default_and_both_languages():
    lines = keys.document().splitlines()
    (row,) = [line for line in lines if line.startswith("| `fragile_base` ")]
    assert "whole number | `30` | Sous cette base" in row and "*Under this base" in row
    assert "| `base_populations` | name: text |" in keys.document()
    assert "| `title` | text by language |" in keys.document()
