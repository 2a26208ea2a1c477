"""From clean tables to released results: the one gate through which numbers leave."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from analysis import chapters
from analysis.chapters.data import KEYS, Data
from analysis.chapters.responses import facts
from analysis.release import plausibility
from analysis.release.audit import COLUMNS, explained, findings, named
from analysis.release.crosses import crossed
from analysis.release.evidence import evidence, of_measures, of_tests
from analysis.release.exports import codebook, write_results
from analysis.release.register import read_register
from analysis.release.verdict import HIDDEN, hide, reasons, told, verdict
from analysis.stats.families import adjust
from analysis.stats.shares import PRECISION
from analysis.study import Study

PACKAGES = ("pandas", "numpy", "scipy", "pandera", "pyxform")
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


def release(study: Study, tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Every table of results, by name, checked for plausibility."""
    data = Data(study, tables)
    estimates = chapters.estimate(data)
    plausibility.check(estimates, data)
    found = facts(data)
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
    tests, measures = chapters.test(data), chapters.measure(data, estimates)
    why = reasons(estimates, tests, study.definition.thresholds)
    estimates["verdict"], estimates["reason"] = verdict(why), told(why)
    estimates["evidence"] = evidence(estimates, register, frames.get("audit"), study)
    crosses = crossed(data, estimates, tests, register, frames.get("audit"))
    estimates["design_effect"] = estimates["base_n"] / estimates["effective_n"]
    estimates = hide(estimates, [*HIDDEN, *PRECISION, "design_effect"])
    adjusted = adjust(tests)
    tests = _with_adjusted(tests, adjusted)
    tests["evidence"] = of_tests(tests, estimates)
    measures["evidence"] = of_measures(measures, estimates)
    first = {
        "estimates": estimates[ESTIMATES],
        "tests": tests[TESTS],
        "measures": measures[MEASURES],
        "precision": estimates[PRECISIONS],
        "adjustments": adjusted,
        "crosses": crosses[CROSSES],
    }
    first = {name: _rounded(frame) for name, frame in first.items()}
    return first | frames | {"facts": found, "codebook": codebook(study)}


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

    Raises InputError where the input must change. Results are replaced whole, or not at all.
    """
    # Readers and schemas are slow to import and not needed to look at results.
    from analysis.errors import InputError  # noqa: PLC0415
    from analysis.intake.clean import write_clean  # noqa: PLC0415
    from analysis.intake.validation import validate, write_validation  # noqa: PLC0415

    inputs = fingerprint(study)
    say("reading and checking the sources")
    clean, problems = validate(study)
    write_validation(study, clean, problems)
    if clean is None or problems:
        raise InputError(problems)
    write_clean(clean, study.paths)
    say("estimating")
    frames = release(study, clean.tables)
    say("writing results")
    _replace(study.paths.results, frames, study, inputs)
    return study.paths.results


def _replace(target: Path, frames: dict[str, pd.DataFrame], study: Study, inputs: dict) -> None:
    """Write results beside their place, then put them there in one move."""
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=".results-", dir=target.parent))
    try:
        write_results(folder, frames, study)
        text = json.dumps(inputs, indent=2, sort_keys=True) + "\n"
        (folder / "provenance.json").write_text(text, encoding="utf-8")
        old = target.with_name(".results-old")
        shutil.rmtree(old, ignore_errors=True)
        if target.exists():
            target.replace(old)
        folder.replace(target)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def fingerprint(study: Study) -> dict:
    """What results depend on: input files and code by their hash, packages by version."""
    root = study.paths.root
    raw = [path for path in sorted(study.paths.raw.glob("*")) if path.is_file()]
    own = [path for path in sorted(study.paths.definition.glob("*")) if path.is_file()]
    code = [
        path
        for path in sorted(Path(__file__).parent.parent.rglob("*"))
        if path.suffix in (".py", ".yml") and not {"display", "publish"} & set(path.parts)
    ]
    digest = hashlib.sha256()
    for path in code:
        digest.update(path.name.encode() + path.read_bytes())
    return {
        "inputs": {path.relative_to(root).as_posix(): _sha256(path) for path in raw + own},
        "code": digest.hexdigest(),
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_fresh(study: Study) -> bool:
    """Whether the results there are those that the inputs and the code would give."""
    path = study.paths.results / "provenance.json"
    try:
        return json.loads(path.read_text(encoding="utf-8")) == fingerprint(study)
    except (OSError, ValueError):
        return False
