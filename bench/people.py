"""A made-up study of as many people as asked for: 60 single-answer questions and weights.

`python bench/people.py FOLDER PEOPLE` writes studies/million/ and data/raw/million/ below FOLDER,
as a region would have them. The same seed gives the same bytes. No answer is anyone's.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import yaml
from pyarrow import csv as arrow_csv

STUDY = "million"
BLOCK = 100_000
START = dt.date(2025, 12, 11)
DAYS = 37
# Name, French and English label of each list of answers.
SCALES: dict[str, list[tuple[str, str, str]]] = {
    "yes_no": [
        ("yes", "Oui", "Yes"), ("no", "Non", "No"), ("unsure", "Ne sait pas", "Not sure"),
    ],
    "agreement": [
        ("strongly_disagree", "Pas du tout d’accord", "Strongly disagree"),
        ("rather_disagree", "Plutôt pas d’accord", "Rather disagree"),
        ("rather_agree", "Plutôt d’accord", "Rather agree"),
        ("strongly_agree", "Tout à fait d’accord", "Strongly agree"),
    ],
    "satisfaction": [
        ("very_low", "Très faible", "Very low"), ("low", "Faible", "Low"),
        ("medium", "Moyenne", "Medium"), ("high", "Élevée", "High"),
        ("very_high", "Très élevée", "Very high"),
    ],
    "frequency": [
        ("never", "Jamais", "Never"), ("yearly", "Chaque année", "Every year"),
        ("monthly", "Chaque mois", "Every month"), ("weekly", "Chaque semaine", "Every week"),
        ("daily", "Chaque jour", "Every day"), ("no_answer", "Sans réponse", "No answer"),
    ],
    "sector": [
        ("film", "Cinéma", "Film"), ("audiovisual", "Audiovisuel", "Audiovisual"),
        ("animation", "Animation", "Animation"), ("games", "Jeu vidéo", "Games"),
        ("music", "Musique", "Music"), ("press", "Presse", "Press"),
        ("other", "Autre", "Other"),
    ],
}  # fmt: skip
PROFILE = ["sector", "satisfaction", "frequency", "yes_no", "agreement"]
QUESTIONS = 60
# These are asked only of people who did not answer "never" to the question before them.
ROUTED = (40, 41, 42, 43)
ROUTE = 39
HEADERS = {
    "response_id": "Identifiant",
    "started_on": "Date de réponse",
    "complete": "Questionnaire terminé",
    "weight": "Poids",
}


def scales() -> dict[str, str]:
    """The list of answers of each question, in the order they are asked."""
    kinds = list(SCALES)
    listed = [*PROFILE, *(kinds[at % len(kinds)] for at in range(len(PROFILE), QUESTIONS))]
    listed[ROUTE] = "frequency"
    return {
        f"{'profile' if at < len(PROFILE) else 'question'}_{at + 1:02d}": scale
        for at, scale in enumerate(listed)
    }


def write_study(folder: Path, people: int, seed: int = 2026) -> Path:
    """Write the study and its raw file below a folder; returns the raw file."""
    definition = folder / "studies" / STUDY
    definition.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(_definition(seed), allow_unicode=True, sort_keys=False)
    (definition / "study.yml").write_text(text, encoding="utf-8")
    _write_rows(definition / "questionnaire.csv", _form())
    _write_rows(definition / "recodes.csv", _recodes())
    raw = folder / "data" / "raw" / STUDY / "survey.csv"
    raw.parent.mkdir(parents=True, exist_ok=True)
    _write_answers(raw, people, seed)
    text = yaml.safe_dump(_provenance(raw, people, seed), allow_unicode=True, sort_keys=False)
    raw.with_name("survey.csv.meta.yml").write_text(text, encoding="utf-8")
    return raw


# --- The study


def _both(french: str, english: str) -> dict[str, str]:
    return {"fr": french, "en": english}


def _definition(seed: int) -> dict:
    columns = {
        "response_id": {"label": _both("Identifiant", "Identifier"), "type": "id"},
        "started_on": {"label": _both("Jour de la réponse", "Day of the answer"), "type": "date"},
        "complete": {"label": _both("Terminé", "Completed"), "type": "boolean"},
        "weight": {"label": _both("Poids", "Weight"), "type": "number", "minimum": 0},
    }
    return {
        "study": STUDY,
        "languages": ["fr", "en"],
        "brand": _both("Essai", "Trial"),
        "title": _both("Réponses fictives en grand nombre", "Many made-up answers"),
        "field": _both("tous secteurs", "all sectors"),
        "publisher": "bench",
        "synthetic": True,
        "seed": seed,
        "period": {"start": START.isoformat(), "end": _day(DAYS - 1).isoformat()},
        "retention": {"min_answered": 6},
        "sources": {"survey": {"path": "survey.csv", "columns": columns}},
        "populations": {"all": {"label": _both("ensemble", "everyone")}},
        "roles": {"profile": list(scales())},
        "design": {"weights": "weight"},
        "licence": {"name": "CC0", "url": "https://creativecommons.org/publicdomain/zero/1.0/"},
    }


def _day(at: int) -> dt.date:
    return START + dt.timedelta(days=at)


def _form() -> list[list[str]]:
    """An XLSForm as one CSV: the sheets one under another."""
    names = list(scales())
    labels = ["label::Français (fr)", "label::English (en)"]
    rows = [["survey"], ["", "type", "name", *labels, "required", "relevant"]]
    for at, (name, scale) in enumerate(scales().items()):
        relevant = f"${{{names[ROUTE]}}} != 'never'" if at in ROUTED else ""
        asked = [f"Question {at + 1} ?", f"Question {at + 1}?"]
        rows.append(["", f"select_one {scale}", name, *asked, "yes", relevant])
    rows += [["choices"], ["", "list_name", "name", *labels]]
    rows += [["", scale, *answer] for scale, answers in SCALES.items() for answer in answers]
    rows += [["settings"], ["", "form_title", "form_id", "default_language"]]
    return [*rows, ["", "Réponses fictives", STUDY, "Français (fr)"]]


def _recodes() -> list[list[str]]:
    return [
        ["source", "kind", "column", "found", "becomes"],
        *(["survey", "header", "", found, name] for name, found in HEADERS.items()),
        ["survey", "value", "complete", "Oui", "yes"],
        ["survey", "value", "complete", "Non", "no"],
    ]


def _write_rows(path: Path, rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle, lineterminator="\n").writerows(rows)


def _provenance(raw: Path, people: int, seed: int) -> dict:
    with raw.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    return {
        "title": _both("Réponses fictives", "Made-up answers"),
        "producer": _both("bench/people.py", "bench/people.py"),
        "date": START.isoformat(),
        "licence": "CC0",
        "licence_url": "https://creativecommons.org/publicdomain/zero/1.0/",
        "sha256": digest,
        "rows": people,
        "synthetic": True,
        "seed": seed,
    }


# --- The answers


def _write_answers(path: Path, people: int, seed: int) -> None:
    with path.open("wb") as handle:
        handle.write((",".join([*HEADERS.values(), *scales()]) + "\n").encode())
        writer: arrow_csv.CSVWriter | None = None
        for table in _blocks(people, seed):
            if writer is None:
                options = arrow_csv.WriteOptions(include_header=False, quoting_style="none")
                writer = arrow_csv.CSVWriter(handle, table.schema, write_options=options)
            writer.write_table(table)
        if writer is not None:
            writer.close()


def _blocks(people: int, seed: int) -> Iterator[pa.Table]:
    shapes = np.random.default_rng(seed)
    # How often each answer is given is drawn once, so that blocks tell of one population.
    shares = {
        name: shapes.dirichlet(np.full(len(SCALES[scale]), 3.0)) for name, scale in scales().items()
    }
    for first in range(0, people, BLOCK):
        rng = np.random.default_rng([seed, first])
        yield _block(first, min(BLOCK, people - first), shares, rng)


def _block(
    first: int, size: int, shares: dict[str, np.ndarray], rng: np.random.Generator
) -> pa.Table:
    # One in ten leaves before the end; the fewest answers of these are too few to be kept.
    last = np.where(rng.random(size) < 0.1, rng.integers(0, QUESTIONS, size), QUESTIONS)
    days = [_day(at).isoformat() for at in range(DAYS)]
    columns = {
        "response_id": pa.array([f"R{first + at + 1:07d}" for at in range(size)]),
        "started_on": _words(days, np.sort(rng.integers(0, DAYS, size)), np.ones(size, bool)),
        "complete": _words(["Non", "Oui"], (last == QUESTIONS).astype(int), np.ones(size, bool)),
        "weight": pa.array(np.round(rng.lognormal(0, 0.4, size), 4).astype(str)),
    }
    asked = np.ones(size, bool)
    for at, (name, scale) in enumerate(scales().items()):
        answers = [answer for answer, _, _ in SCALES[scale]]
        picked = rng.choice(len(answers), size, p=shares[name])
        columns[name] = _words(answers, picked, (at < last) & (asked | (at not in ROUTED)))
        if at == ROUTE:
            asked = picked != answers.index("never")
    return pa.table(columns)


def _words(words: list[str], picked: np.ndarray, given: np.ndarray) -> pa.Array:
    return pa.array(words).take(pa.array(picked, mask=~given))


if __name__ == "__main__":
    print(write_study(Path(sys.argv[1]), int(sys.argv[2])))
