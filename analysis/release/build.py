"""From clean tables to released results: the one gate through which numbers leave."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from analysis import chapters, whole
from analysis.chapters import consumption
from analysis.chapters.data import KEYS, Data
from analysis.chapters.responses import facts
from analysis.definition import source_files
from analysis.errors import InputError, Problem
from analysis.lock import lock
from analysis.paths import record_of
from analysis.release import crosses, plausibility
from analysis.release.audit import COLUMNS, explained, findings, named
from analysis.release.disclosure.control import decide
from analysis.release.disclosure.linked import MEASURE_NAMES, NAMES, without
from analysis.release.disclosure.rounding import rounded, whole_percentages
from analysis.release.evidence import evidence, of_measures, of_tests
from analysis.release.exports import codebook, write_results
from analysis.release.free_text import fewest, free_text
from analysis.release.register import read_register
from analysis.release.verdict import HIDDEN, hide, reasons, told, verdict, withhold
from analysis.stats.families import adjust
from analysis.stats.shares import PRECISION
from analysis.study import Study

PROVENANCE = "provenance.json"
# Whatever reads, checks, computes or writes a result.
PACKAGES = (
    "learner-survey", "duckdb", "highspy", "ibis-framework", "numpy", "openpyxl", "pandas",
    "pandera", "pyarrow", "pydantic", "pyreadstat", "PyYAML", "pyxform", "scipy", "XlsxWriter",
)  # fmt: skip
SETTINGS = ("synthetic", "seed", "period", "retention", "design", "thresholds", "disclosure")
CODE = Path(__file__).parent.parent
CELL = [*KEYS, "base_kind"]
ESTIMATES = [c for c in chapters.ESTIMATE_COLUMNS if c not in PRECISION] + ["verdict", "evidence"]
CROSSES = [*ESTIMATES, "reason"]
PRECISIONS = [*CELL, *PRECISION, "design_effect", "verdict", "reason"]
MEASURES = [*chapters.MEASURE_COLUMNS, "evidence"]
AFTER_P = chapters.TEST_COLUMNS.index("p_value") + 1
TESTS = [
    *chapters.TEST_COLUMNS[:AFTER_P],
    "p_adjusted",
    *chapters.TEST_COLUMNS[AFTER_P:],
    "evidence",
]
DECIMALS = 10


def release(
    study: Study, tables: dict[str, Any], say: Callable[[str], None] = lambda _: None
) -> dict[str, pd.DataFrame]:
    """Every table of results, by name, checked for plausibility, without what is withheld."""
    data = Data(study, tables, say)
    estimates = chapters.estimate(data)
    plausibility.check(estimates, data)
    tests, measures = chapters.test(data), chapters.measure(data, estimates)
    counted = crosses.counted(data, estimates)
    decided = decide(data, estimates, counted, tests, measures)
    found = pd.concat([facts(data), decided.facts], ignore_index=True)
    why = withhold(reasons(estimates, tests, study.definition.thresholds), decided.estimates)
    estimates["verdict"], estimates["reason"] = verdict(why), told(why)
    estimates["design_effect"] = estimates["base_n"] / estimates["effective_n"]
    hidden = [*HIDDEN, *PRECISION, "design_effect"]
    estimates = hide(estimates, hidden, decided.estimates)
    frames: dict[str, pd.DataFrame] = {}
    register = None
    if study.published:
        register = read_register(study.published, study.paths.shown(study.published))
        audited = findings(study, register, estimates, found)
        for lang in study.definition.languages:
            frames[f"audit_{lang}"] = named(
                explained(study, register, audited, lang), register, lang
            )
        frames["audit"] = frames[f"audit_{study.definition.languages[0]}"][COLUMNS]
    estimates["evidence"] = evidence(estimates, register, frames.get("audit"), study)
    released = crosses.crossed(
        counted, decided.crosses, study, estimates, tests, register, frames.get("audit")
    )
    tests = without(tests, decided.tests, NAMES)
    adjusted = adjust(tests)
    tests = _with_adjusted(tests, adjusted)
    tests["evidence"] = of_tests(tests, estimates)
    measures["evidence"] = of_measures(measures, estimates)
    first = {
        "estimates": estimates[ESTIMATES],
        "tests": tests[TESTS],
        "measures": without(measures, decided.measures, MEASURE_NAMES)[MEASURES],
        "precision": estimates[PRECISIONS],
        "adjustments": adjusted,
        "crosses": released[CROSSES],
    }
    rules = study.definition.disclosure
    if study.controlled and rules and rules.rounding:
        first = rounded(first, rules.rounding)
    if study.controlled and study.definition.design.declared:
        first = whole_percentages(first)
    first = {name: _rounded(frame) for name, frame in first.items()}
    written = free_text(study, tables["survey"]) if "survey" in tables else {}
    titles = consumption.titles(data, fewest(study))
    if not titles.empty:
        written["titles"] = titles
    return first | frames | written | {"facts": found, "codebook": codebook(study)}


def _with_adjusted(tests: pd.DataFrame, adjusted: pd.DataFrame) -> pd.DataFrame:
    """The p value that each test has within its question, beside it."""
    key = ["chapter", "table", "population", "variable", "by", "test"]
    within = adjusted.loc[adjusted["adjustment"] == "holm", [*key, "p_adjusted"]]
    return tests.merge(within, on=key, how="left", validate="one_to_one")


def _rounded(frame: pd.DataFrame) -> pd.DataFrame:
    """Numbers without the last bits, which differ between processors."""
    return frame.round(DECIMALS)


def build(study: Study, say: Callable[[str], None] = lambda _: None) -> Path:
    """Validate, clean, analyse and release a study. Returns the folder of results.

    Raises InputError where the input must change, changed meanwhile, or is in the hands of another
    process. Results are replaced whole, or not at all, and clean tables along with them.
    """
    # Readers and schemas are slow to import and not needed to look at results.
    from analysis.intake.clean import extract_engine, written  # noqa: PLC0415
    from analysis.intake.validation import validate, write_validation  # noqa: PLC0415

    with lock(study.paths, say=say):
        made_of = fingerprint(study)
        say("reading and checking the sources")
        with extract_engine(study) as engine:
            clean, problems = validate(study, engine, say)
            write_validation(study, clean, problems)
            if problems:
                raise InputError(problems)
            say("estimating")
            frames = release(study, clean.tables, say)
        say("writing results")
        before = read_provenance(study.paths.results)
        with written(clean, study.paths) as tables, whole.folder(study.paths.results) as folder:
            write_results(folder, frames, study)
            record = made_of | {
                "settings": settings(study),
                "tables": {place.name: _sha256(draft) for place, draft in tables.items()},
                "files": {path.name: _sha256(path) for path in sorted(folder.iterdir())},
            }
            text = json.dumps(record, indent=2, sort_keys=True) + "\n"
            (folder / PROVENANCE).write_text(text, encoding="utf-8")
            unchanged(study, made_of)
        for name in set(before.get("tables", {})) - set(record["tables"]):
            (study.paths.clean / name).unlink(missing_ok=True)
    return study.paths.results


def unchanged(study: Study, made_of: dict) -> None:
    """Raises InputError that names the input files which changed since a fingerprint."""
    then, now = made_of["inputs"], fingerprint(study)["inputs"]
    changed = sorted(name for name in then | now if then.get(name) != now.get(name))
    if changed:
        raise InputError(
            [
                Problem(
                    name,
                    "a file stays as it is while results are made of it",
                    "it changed meanwhile" if name in now else "it is gone",
                    "the file as it was when the command began",
                    "let the program that writes it end, and call the command again",
                )
                for name in changed
            ]
        )


def fingerprint(study: Study) -> dict:
    """What results depend on: input files and code by their hash, programs by version."""
    code = [
        path
        for path in sorted(CODE.rglob("*"))
        if path.suffix in (".py", ".yml")
        and not {"display", "publish"} & set(path.relative_to(CODE).parts)
    ]
    digest = hashlib.sha256()
    for path in code:
        digest.update(path.relative_to(CODE).as_posix().encode() + b"\0" + path.read_bytes())
    return {
        "inputs": {study.paths.shown(path): _sha256(path) for path in inputs(study)},
        "code": digest.hexdigest(),
        "versions": {"Python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in PACKAGES},
    }


def inputs(study: Study) -> list[Path]:
    """The files a study is made of: its sources with their records, and its definition. Others
    that lie beside them are none of our business, and their names are not published."""
    sources = study.definition.sources.present().values()
    raw = [file for source in sources for file in source_files(study.paths.raw, source)]
    records = [record_of(path) for path in raw]
    own = study.paths.definition.glob("*")
    return sorted(path for path in (*raw, *records, *own) if path.is_file())


def settings(study: Study) -> dict:
    """The choices of study.yml that change a number, those left at their default included."""
    return study.definition.model_dump(mode="json", include=set(SETTINGS))


def read_provenance(results: Path) -> dict:
    """What results say they were made of; nothing where they are not there."""
    try:
        found = json.loads((results / PROVENANCE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def is_fresh(study: Study) -> bool:
    """Whether the results there are those that the inputs and the code would give, and they and
    the clean tables are as they were written."""
    paths, record = study.paths, read_provenance(study.paths.results)
    made_of = fingerprint(study)
    if {name: record.get(name) for name in made_of} != made_of:
        return False
    files = {path.name for path in paths.results.iterdir()} - {PROVENANCE}
    return files == set(record.get("files", ())) and all(
        path.is_file() and _sha256(path) == known
        for place, part in ((paths.results, "files"), (paths.clean, "tables"))
        for path, known in ((place / name, known) for name, known in record.get(part, {}).items())
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
