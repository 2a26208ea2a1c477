"""Answers rebuilt from published figures, openly synthetic, for studies whose answers are closed.

Counts first (`counts`, a whole-number programme where published charts are hard and the fewest
possible sentences are broken), then rows (`people`, which only deals the counts out), then a
check that counts every figure again on the rows (`check`). The same seed gives the same bytes.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from analysis import whole
from analysis.errors import InputError, Problem
from analysis.paths import record_of
from analysis.reconstruct import actions, check, counts, files, respondents
from analysis.reconstruct.believable import believable
from analysis.reconstruct.catalogue import (
    Catalogue,
    listing_catalogue,
    survey_catalogue,
)
from analysis.reconstruct.linear import InfeasibleError
from analysis.reconstruct.people import Taste, people
from analysis.reconstruct.plan import Counting, Plan, read_plan
from analysis.reconstruct.reference import (
    ACTIONS,
    ALL_ROWS,
    MEAN_BAND,
    MEAN_HOURS,
    TRAININGS,
    Reference,
    refer,
)
from analysis.reconstruct.register import Figure, read_register
from analysis.study import Study

REPORT = "reconstruction.meta.yml"
Wanted = list[tuple[Figure, Reference]]


@dataclass(frozen=True)
class Reconstruction:
    """Clean rows by source, raw tables by source, and what they break.

    `fewest`: the smallest number of sentences that any answers could break, charts being given.
    """

    rows: Mapping[str, pd.DataFrame]
    raw: Mapping[str, pd.DataFrame]
    fewest: int
    broken: list[check.Broken]
    outside: list[Figure]


def reconstruct(study: Study, target: Path | None = None) -> list[Path]:
    """Rebuild the raw files of a study from its register of published figures.

    target: folder to write to, `data/raw/<study>/` unless told otherwise. Returns the files
    written: a table a source, its provenance record, and a report of the sentences broken.
    Raises InputError where the register or reconstruction.yml must change.
    """
    plan = read_plan(study)
    made = rebuild(study, plan)
    folder = target or study.paths.raw
    content = {}
    for source, frame in made.raw.items():
        name = study.definition.sources.present()[source].path
        data = files.content(frame, plan.files[source])
        content[folder / name] = data
        record = files.provenance(study, plan, source, data, len(frame))
        content[record_of(folder / name)] = record
    content[folder / REPORT] = files.report(study, plan, made.fewest, made.broken, made.outside)
    folder.mkdir(parents=True, exist_ok=True)
    with whole.files(*content) as drafts:
        for path, draft in drafts.items():
            draft.write_bytes(content[path])
    return list(content)


def broken_statements(study: Study) -> list[str]:
    """Names of the printed figures that the reconstructed answers do not give back."""
    return [item.figure.figure_id for item in rebuild(study, read_plan(study)).broken]


def rebuild(study: Study, plan: Plan) -> Reconstruction:
    """Everything that `reconstruct` writes, in memory."""
    wanted, outside = placed_figures(study, plan)
    rows: dict[str, pd.DataFrame] = {}
    raw: dict[str, pd.DataFrame] = {}
    flow: dict[str, int] = {}
    fewest = 0
    if plan.survey is not None:
        rows["survey"], raw["survey"], flow, lost = _survey(study, plan, wanted)
        fewest += lost
    for source, listing in plan.listings().items():
        catalogue = listing_catalogue(study, source)
        rng = _chance(study, source)
        frame, lost = _counted(study, catalogue, listing, _of(wanted, source), rng)
        rows[source], fewest = frame, fewest + lost
        raw[source] = _listed(study, source, listing.identifier, catalogue, frame)
    if plan.actions is not None:
        extract, lost = _actions(study, plan, wanted)
        fewest += lost
        rows |= check.extract_rows(study, extract)
        raw["actions"] = extract
    found = check.broken(study, rows, flow, [(f, r) for f, r in wanted if r.source in rows])
    _must_hold(found, fewest)
    raw = {source: files.delivered(study, source, frame) for source, frame in raw.items()}
    return Reconstruction(rows, raw, fewest, found, outside)


def _must_hold(found: list[check.Broken], fewest: int) -> None:
    """What was counted must be what the rows give: anything else is a defect of ours."""
    lost = [item.figure.figure_id for item in found if item.figure.hard]
    if lost:
        raise RuntimeError(f"rows do not give back the charts: {', '.join(lost)}")
    if len(found) != fewest:
        names = ", ".join(item.figure.figure_id for item in found)
        raise RuntimeError(f"{fewest} sentences had to be broken, and these are: {names}")


def _chance(study: Study, part: str) -> np.random.Generator:
    """Chance of one part: changing how one file is made leaves the others as they are."""
    return np.random.default_rng([study.definition.seed, zlib.crc32(part.encode())])


def placed_figures(study: Study, plan: Plan) -> tuple[Wanted, list[Figure]]:
    """Figures with what they count, and those that no file could carry, as declared."""
    assert study.published is not None
    shown = study.paths.shown(study.published)
    wanted, outside, problems = [], [], []
    for figure in read_register(study.published, shown):
        reference = refer(study, figure)
        if reference is not None:
            wanted.append((figure, reference))
        elif {figure.variable, figure.category} & set(plan.beyond):
            outside.append(figure)
        else:
            problems.append(
                Problem(
                    shown,
                    "figures name variables and answers of the study",
                    f"{figure.variable}, {figure.category} ({figure.figure_id})",
                    "a variable and an answer, or a set of answers of study.yml",
                    "correct the figure, or list it under beyond in reconstruction.yml",
                    column="category",
                )
            )
    if problems:
        raise InputError(problems)
    return wanted, outside


def _of(wanted: Wanted, source: str) -> Wanted:
    return [(figure, reference) for figure, reference in wanted if reference.source == source]


def _counted(
    study: Study,
    catalogue: Catalogue,
    counting: Counting,
    wanted: Wanted,
    rng: np.random.Generator,
    taste: Taste | None = None,
) -> tuple[pd.DataFrame, int]:
    """Rows of one source, and the number of sentences that had to be broken."""
    model, values, lost = settle(study, catalogue, counting, wanted, rng)
    return people(model, values, taste or Taste(), rng), lost


def settle(
    study: Study,
    catalogue: Catalogue,
    counting: Counting,
    wanted: Wanted,
    rng: np.random.Generator,
    flow: bool = False,
) -> tuple[counts.Model, np.ndarray, int]:
    """Counts of one source: the fewest sentences broken, then the most believable."""
    model = counts.build(catalogue, counting, wanted, flow)
    try:
        held = counts.switches(model, counts.fewest_broken(model))
    except InfeasibleError as error:
        problem = Problem(
            study.paths.shown(study.published or study.paths.definition),
            "the charts of a study can all be true at once",
            str(error),
            "figures that agree with each other",
            "look for a chart that contradicts another one, or the questionnaire",
        )
        raise InputError([problem]) from error
    lost = sum(round(held[number]) for number in model.soft.values())
    return model, believable(model, counting, wanted, held, rng), lost


def _survey(
    study: Study, plan: Plan, wanted: Wanted
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, int], int]:
    """Kept rows, the export, response flow, and the number of sentences broken."""
    survey, form = plan.survey, study.questionnaire
    assert survey is not None and form is not None
    rng = _chance(study, "survey")
    catalogue = survey_catalogue(study, plan)
    model, values, lost = settle(study, catalogue, survey, _of(wanted, "survey"), rng, flow=True)
    families = {question.name: question.groups for question in form}
    taste = Taste(survey.leanings, survey.traits, families)
    kept = people(model, values, taste, rng)
    number = int(values[model.dropped]) if model.dropped is not None else 0
    dropped = respondents.too_partial(study, catalogue, kept, number, rng)
    received = respondents.word(pd.concat([kept, dropped], ignore_index=True), survey.texts, rng)
    export = respondents.export(study, survey, catalogue, received, rng)
    return kept, export, respondents.flow(catalogue, kept, dropped), lost


def _listed(
    study: Study, source: str, identifier: str, catalogue: Catalogue, frame: pd.DataFrame
) -> pd.DataFrame:
    """A list with its identifiers, several answers in one delimited column."""
    columns = study.definition.sources.present()[source].columns
    found = {}
    for name, column in columns.items():
        if column.type == "id":
            found[name] = [identifier.format(n=n) for n in range(1, len(frame) + 1)]
        elif column.type == "several":
            answers = catalogue.variables[name].answers
            chosen = frame[[f"{name}/{answer}" for answer in answers]].to_numpy(dtype=bool)
            found[name] = [
                ";".join(a for a, yes in zip(answers, row, strict=True) if yes) for row in chosen
            ]
        else:
            found[name] = frame[name].tolist()
    return pd.DataFrame(found)


def _actions(study: Study, plan: Plan, wanted: Wanted) -> tuple[pd.DataFrame, int]:
    """The extract, and the number of sentences on it that had to be broken."""
    extract = plan.actions
    assert extract is not None
    rng = _chance(study, ACTIONS)
    catalogue = listing_catalogue(study, ACTIONS)
    own = [
        (figure, reference)
        for figure, reference in _of(wanted, ACTIONS)
        if reference.variable in (ALL_ROWS, *catalogue.variables)
    ]
    by_group = Counting(tables=[[extract.group]])
    groups, first = _counted(study, catalogue, by_group, own, rng)
    by_band = Counting(tables=[[MEAN_BAND]])
    trainings = listing_catalogue(study, TRAININGS)
    bands, second = _counted(study, trainings, by_band, _of(wanted, TRAININGS), rng)
    frame = actions.actions(
        study,
        extract,
        bands[MEAN_BAND],
        groups[extract.group].value_counts().sort_index(),
        _mean_hours(study, wanted),
        rng,
    )
    return frame, first + second


def _mean_hours(study: Study, wanted: Wanted) -> float:
    for figure, reference in wanted:
        if reference.variable == MEAN_HOURS:
            return float(figure.value)
    problem = Problem(
        study.paths.shown(study.published or study.paths.definition),
        "an extract to reconstruct has a published mean length",
        f"no figure of {MEAN_HOURS}",
        "one",
        "add the figure, or leave actions out of reconstruction.yml",
    )
    raise InputError([problem])
