"""From the released results of several studies to the files of their comparison."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from analysis import whole
from analysis.comparison.declared import FILE, check_declared, read_declared
from analysis.comparison.reasons import series
from analysis.comparison.table import NO, YES, Released, comparison
from analysis.errors import InputError, Problem
from analysis.lock import lock
from analysis.paths import compared_paths
from analysis.plain import unguarded_frame
from analysis.release.build import DECIMALS
from analysis.release.exports import write_frames
from analysis.study import Study

PRECISION = ["effective_n", "df", "reason"]
CELL = ["chapter", "table", "population", "variable", "category", "by", "by_category", "base_kind"]
NUMBERS = ["base_n", "count", "share", "share_low", "share_high", "effective_n", "df"]
# What of a study's results a comparison reads.
READ = ("estimates.csv", "precision.csv")
# Names of questions that a message tells of each study: more would not be read.
NAMED = 7
USED = (*READ, "facts.csv", "provenance.json")


def in_order(studies: Sequence[Study]) -> list[Study]:
    """The studies in the order they are compared in: as named, waves by their fieldwork.

    Raises InputError where there are not two different ones, or no language that all have.
    """
    names = [study.name for study in studies]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or len(names) < 2:
        found = f"{twice[0]}, twice" if twice else ", ".join(names)
        problem = Problem("compare", "two or more different studies are compared", found,
                          "the names of two studies", "name each study once")  # fmt: skip
        raise InputError([problem])
    languages(studies)
    if len({series(study.definition) for study in studies}) == 1:
        return sorted(studies, key=lambda study: study.definition.period.start)
    return list(studies)


def languages(studies: Sequence[Study]) -> list[str]:
    """Languages that every study has, in the order of the first. Raises InputError."""
    own = [study.definition.languages for study in studies]
    shared = [lang for lang in own[0] if all(lang in each for each in own[1:])]
    if not shared:
        found = "; ".join(f"{s.name}: {', '.join(s.definition.languages)}" for s in studies)
        problem = Problem("studies/*/study.yml", "compared studies have a language in common",
                          found, "one language that all have",
                          "add its texts to the studies that lack it")  # fmt: skip
        raise InputError([problem])
    return shared


def build(studies: Sequence[Study]) -> Path:
    """Compare studies whose results are there; gives the folder of results, replaced whole.

    Raises InputError where nothing can be compared: with what was looked at, and why not.
    """
    root = studies[0].paths.root
    declared = read_declared(root)
    for study in studies:
        check_declared(declared, study)
    released = [Released(study, read_released(study)) for study in studies]
    questions, cells = comparison(released, declared, languages(studies))
    if not (questions["reason"] != "not_asked").any():
        raise InputError([_nothing_shared(studies, questions)])
    paths = compared_paths([study.name for study in studies], root)
    frames = {
        "comparison": cells.round(DECIMALS),
        "questions": questions,
        "studies": pd.DataFrame([_study(one) for one in released]),
    }
    with lock(paths), whole.folder(paths.results) as folder:
        write_frames(folder, frames, _about(studies))
        text = json.dumps(provenance(studies), indent=2, sort_keys=True) + "\n"
        (folder / "provenance.json").write_text(text, encoding="utf-8")
    return paths.results


def read_released(study: Study) -> pd.DataFrame:
    """Released estimates of a study, each with its row of precision. Raises InputError."""
    folder = study.paths.results
    try:
        estimates, precision = (
            unguarded_frame(pd.read_csv(folder / name, dtype=str, keep_default_na=False))
            for name in READ
        )
    except FileNotFoundError as error:
        raise InputError([_not_built(study, "no " + Path(error.filename).name)]) from error
    if not estimates[CELL].equals(precision[CELL]):
        raise InputError([_not_built(study, "estimates.csv and precision.csv of two builds")])
    found = estimates.assign(**{name: precision[name] for name in PRECISION})
    return found.assign(**{name: pd.to_numeric(found[name], errors="coerce") for name in NUMBERS})


def _study(released: Released) -> dict:
    """A study in one row: what a reader must know of it to read a difference."""
    definition, rows = released.study.definition, released.estimates
    kept = rows[(rows["variable"] == "response_flow") & (rows["category"] == "retained")]
    facts = pd.read_csv(released.study.paths.results / "facts.csv", dtype=str)
    weights = facts[(facts["variable"] == "design") & (facts["category"] == "weights")]["value"]
    return {
        "study": released.name,
        "period_start": definition.period.start.isoformat(),
        "period_end": definition.period.end.isoformat(),
        "respondents": kept["count"].max(),
        "weights": next(iter(weights), ""),
        "synthetic": YES if definition.synthetic else NO,
    }


def _not_built(study: Study, found: str) -> Problem:
    return Problem(
        study.paths.shown(study.paths.results), "a comparison reads results that were built", found,
        "the files of one build", f"run `python -m analysis build {study.name}`",
    )  # fmt: skip


def _nothing_shared(studies: Sequence[Study], questions: pd.DataFrame) -> Problem:
    """What was looked at, where no question of one study is in another."""
    asked = {
        study.name: [
            *questions.loc[(questions["reference"] == study.name), "variable_reference"],
            *questions.loc[(questions["other"] == study.name), "variable_other"],
        ]
        for study in studies
    }
    found = "; ".join(
        f"{name}: {_some(sorted({one for one in names if one}))}" for name, names in asked.items()
    )
    return Problem(
        FILE, "compared studies have a question in common: one name, or one declared as the same",
        found, "a name that stands in both lists",
        "name a question as in the other study, or say in this file which ones are the same",
    )  # fmt: skip


def _some(names: list[str]) -> str:
    """The first of some names, and how many more there are."""
    more = [f"and {len(names) - NAMED} more"] if len(names) > NAMED else []
    return ", ".join([*names[:NAMED], *more]) or "no closed question"


def _about(studies: Sequence[Study]) -> dict:
    """What the data package says of the whole."""
    definitions = [study.definition for study in studies]
    licences = {item.licence.url: item.licence.name for item in definitions}
    return {
        "name": "-".join(item.study.replace("_", "-") for item in definitions),
        "title": " / ".join(item.title[item.languages[0]] for item in definitions),
        "licenses": [{"title": name, "path": url} for url, name in licences.items()],
        "synthetic": any(item.synthetic for item in definitions),
    }


def provenance(studies: Sequence[Study]) -> dict:
    """What the comparison depends on: the results of each study, by their hash."""
    root = studies[0].paths.root
    files = [study.paths.results / name for study in studies for name in USED] + [root / FILE]
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.is_file()
    }
