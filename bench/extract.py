"""Extracts of training actions of any size, made up: streamed to disk, the same for the same seed.

    python bench/extract.py FOLDER ROWS [parquet|csv]

Writes a study `consumption` below FOLDER: its study.yml, and `actions/year=YYYY/part-N.parquet` or
`actions/actions_YYYY.csv` (semicolons, decimal commas). No person, provider or training is real.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

STUDY = "consumption"
YEARS = tuple(range(2017, 2025))
BATCH = 500_000
STATUSES = ["permanent", "intermittent", "author", "job_seeker"]
SECTORS = [f"sector_{n}" for n in range(1, 15)]
REGIONS = [f"region_{n}" for n in range(1, 19)]
SIZES = ["under_11", "11_49", "50_249", "250_999", "1000_plus"]
AI = [
    "Découvrir l’intelligence artificielle", "ChatGPT au quotidien", "Midjourney pour l’image",
    "IA générative et écriture de scénario", "Machine learning : les bases", "Prompts efficaces",
    "Intégrer l’IA dans une chaîne de production", "Deep learning appliqué au son",
]  # fmt: skip
OTHER = [
    "Excel niveau 2", "Montage vidéo avec Premiere", "Social media et plan média",
    "Anglais du film", "Habilitation électrique", "Gestes et postures", "After Effects expert",
    "Droit social", "Aïkido scénique", "Conduite de réunion", "Mixage audio", "Sécurité incendie",
    "Paie du spectacle", "Écriture de série", "Photoshop", "Management d’équipe", "Étalonnage",
]  # fmt: skip
COLUMNS = {
    "action_id": "id", "training_title": "text", "provider": "text", "person": "text",
    "start_date": "date", "hours": "number", "cost": "number", "trainee_status": "category",
    "sector": "category", "region": "category", "company_size": "category",
}  # fmt: skip
ANSWERS = {
    "trainee_status": STATUSES, "sector": SECTORS, "region": REGIONS, "company_size": SIZES,
}  # fmt: skip


def titles() -> tuple[pa.Array, int]:
    """Titles of the catalogue, those about AI first, and how many these are."""
    sessions = [f"{title} – module {n}" for n in range(1, 401) for title in AI]
    others = [f"{title} – module {n}" for n in range(1, 1601) for title in OTHER]
    return pa.array([*sessions, *others]), len(sessions)


def batches(rows: int, seed: int = 2026) -> Iterator[tuple[int, pa.Table]]:
    """Year and rows, piece by piece."""
    catalogue, about_ai = titles()
    people = max(rows * 2 // 5, 1)
    done = 0
    for at, year in enumerate(YEARS):
        left = rows * (at + 1) // len(YEARS) - done
        while left:
            size = min(left, BATCH)
            yield year, _batch(size, done, year, people, (catalogue, about_ai), seed)
            done, left = done + size, left - size


def _batch(
    size: int, first: int, year: int, people: int, catalogue: tuple[pa.Array, int], seed: int
) -> pa.Table:
    rng = np.random.default_rng([seed, first])
    names, about_ai = catalogue
    # A little more AI each year; few trainings and few providers take most of the actions.
    ai = rng.random(size) < 0.01 * (year - YEARS[0] + 1)
    popular = rng.random(size) ** 2
    title = np.where(ai, popular * about_ai, about_ai + popular * (len(names) - about_ai))
    day = np.datetime64(f"{year}-01-01") + rng.integers(0, 365, size)
    hours = rng.choice([3.5, 7, 14, 21, 35, 70], size, p=[0.1, 0.4, 0.2, 0.15, 0.1, 0.05])
    columns = {
        "action_id": _numbered("A", np.arange(first, first + size)),
        "training_title": pa.DictionaryArray.from_arrays(title.astype(np.int32), names),
        "provider": _numbered("Organisme fictif ", (rng.random(size) ** 3 * 8000).astype(int)),
        "person": _numbered("P", rng.integers(0, people, size)),
        "start_date": pa.array(day.astype("datetime64[D]")),
        "hours": pa.array(hours),
        "cost": pa.array(np.round(hours * rng.uniform(15, 60, size), 2)),
    }
    for name, answers in ANSWERS.items():
        codes = (rng.random(size) ** 1.5 * len(answers)).astype(np.int32)
        columns[name] = pa.DictionaryArray.from_arrays(codes, pa.array(answers))
    return pa.table({name: columns[name] for name in COLUMNS})


def _numbered(prefix: str, numbers: np.ndarray) -> pa.Array:
    """Names such as P00000042."""
    width = 9
    digits = np.char.zfill(numbers.astype(f"U{width}"), width)
    return pa.array(np.char.add(prefix, digits))


def write_study(
    root: Path, rows: int, form: str = "parquet", seed: int = 2026, **source: str
) -> Path:
    """Write the study with so many actions below `root`; returns the folder of its raw files."""
    raw = root / "data" / "raw" / STUDY / "actions"
    definition = root / "studies" / STUDY
    raw.mkdir(parents=True)
    definition.mkdir(parents=True)
    (definition / "study.yml").write_text(study_yml(**source), encoding="utf-8")
    if form == "parquet":
        _write_parquet(raw, rows, seed)
    else:
        _write_csv(raw, rows, seed)
    return raw


def _write_parquet(raw: Path, rows: int, seed: int) -> None:
    for number, (year, table) in enumerate(batches(rows, seed)):
        folder = raw / f"year={year}"
        folder.mkdir(exist_ok=True)
        pq.write_table(table, folder / f"part-{number:04d}.parquet")


def _write_csv(raw: Path, rows: int, seed: int) -> None:
    for year, table in batches(rows, seed):
        frame = table.to_pandas()
        path = raw / f"actions_{year}.csv"
        for name in ("hours", "cost"):
            frame[name] = frame[name].astype(str).str.replace(".", ",", regex=False)
        frame.to_csv(path, sep=";", index=False, mode="a", header=not path.exists())


def study_yml(engine: str = "duckdb://", on_bad_row: str = "stop", more: str = "") -> str:
    """A study of consumption alone; its labels are its names."""
    columns = "".join(_column(name, kind) for name, kind in COLUMNS.items())
    return f"""study: {STUDY}
languages: [fr, en]
engine: {engine}
brand: {{fr: Consommation, en: Consumption}}
title: {{fr: Consommation de formation fictive, en: Made-up training consumption}}
field: {{fr: formation, en: training}}
publisher: bench
synthetic: true
period: {{start: {YEARS[0]}-01-01, end: {YEARS[-1]}-12-31}}
licence: {{name: MIT, url: "https://opensource.org/license/mit"}}
sources:
  actions:
    path: actions
    on_bad_row: {on_bad_row}
    columns:
{columns}populations:
  everything:
    label: {{fr: ensemble des actions, en: all actions}}
    source: actions
  employees:
    label: {{fr: actions du salariat permanent, en: actions of permanent employees}}
    source: actions
    where: "${{trainee_status}} = 'permanent'"
roles:
  consumption:
    counts: [everything, employees]
    actions: everything
    trainings: everything
    title: training_title
    hours: hours
    date: start_date
    person: person
    provider: provider
    cost: cost
    by: [trainee_status, sector, region, company_size]
    ai: true
duration_bands:
  - {{name: under_7, label: {{fr: Moins de 7 h, en: Under 7 h}}, below: 7}}
  - {{name: 7_20, label: {{fr: 7 à 20 h, en: 7 to 20 h}}, below: 21}}
  - {{name: 21_plus, label: {{fr: 21 h et plus, en: 21 h or more}}}}
{more}"""


def _column(name: str, kind: str) -> str:
    written = f"      {name}: {{label: {{fr: {name}, en: {name}}}, type: {kind}"
    if name in ANSWERS:
        labels = ", ".join(f"{answer}: {{fr: {answer}, en: {answer}}}" for answer in ANSWERS[name])
        written += f", answers: {{{labels}}}"
    return written + "}\n"


if __name__ == "__main__":
    folder, rows, *form = sys.argv[1:]
    print(write_study(Path(folder), int(rows), *form))
