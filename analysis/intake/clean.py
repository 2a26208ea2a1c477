"""Raw files to clean tables: read, recode, check, type, and keep what is complete enough."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis import whole
from analysis.definition import Source, source_files
from analysis.engine import Engine, open_engine
from analysis.errors import InputError, Problem
from analysis.intake import schemas
from analysis.intake.bases import outside_base
from analysis.intake.fields import ACTIONS, SURVEY, Field, fields
from analysis.intake.layouts import PLAIN, arrange, may_repeat
from analysis.intake.readers import read_table
from analysis.intake.recode import Delivered, recode, stray_recodes
from analysis.intake.record import OTHER, REMARKS, check_record
from analysis.intake.schemas import Checked
from analysis.intake.texts import Failure
from analysis.intake.values import typed
from analysis.intake.weighting import weigh
from analysis.paths import Paths, record_of
from analysis.study import Study

if TYPE_CHECKING:
    from analysis.intake.extract.checked import Found

# Columns that the clean tables have in every study.
COMPLETE = "complete"
RESPONSES = "responses"
DROPPED = "dropped"
EXCLUDED = ["source", "row", "id", "reason"]
QUARANTINE = "quarantine.csv"
# Files without a record that are told one by one: an extract may have hundreds.
FEW = 5
CHECKS = ["source", "rule", "column", "tested", "passed", "failed"]


@dataclass(frozen=True)
class Examined:
    """One source, examined to the end whatever was found.

    received: rows below the header, none if the file could not be read; tables: filled only
    where the source has no problem; layout: how the file was read; columns_aside: headers of what
    its tool adds by itself; by_place: headers of answers read by their place in a list; remarks:
    what should be mended and stops nothing.
    """

    source: str
    file: str
    received: int | None
    tables: dict[str, Any]
    excluded: pd.DataFrame
    checks: tuple[Checked, ...]
    problems: tuple[Problem, ...]
    layout: str = PLAIN
    columns_aside: tuple[str, ...] = ()
    by_place: tuple[str, ...] = ()
    in_engine: Found | None = None
    remarks: tuple[Problem, ...] = ()

    @property
    def kept(self) -> int | None:
        if self.in_engine is not None:
            return self.in_engine.kept if self.source in self.tables else None
        return len(self.tables[self.source]) if self.source in self.tables else None


@dataclass(frozen=True)
class Clean:
    """What intake made of a study.

    tables: one typed frame a source; beside the survey `responses` (every response received, kept
    or not), `dropped` (answers of those not kept) and what `weigh` adds; empty as soon as any
    source has a problem, so that nothing is analysed of a part.
    excluded: rows that did not reach a table (source, row in the file, id, reason).
    checks: every rule checked (source, rule, column, units tested, passed, failed).
    sources: the same by source, for the validation report.
    """

    tables: dict[str, Any]
    excluded: pd.DataFrame
    checks: pd.DataFrame
    sources: tuple[Examined, ...]


def clean(study: Study) -> Clean:
    """Clean tables of every source of a study.

    Raises InputError with the problems of all sources at once.
    """
    made, problems = examine(study)
    if problems:
        raise InputError(problems)
    return made


def examine(
    study: Study, engine: Engine | None = None, say: Callable[[str], None] = lambda _: None
) -> tuple[Clean, list[Problem]]:
    """Read and check every source, going on after a problem so that all are found.

    engine: where an extract of actions is worked on that is not read into memory; its table lives
    as long as the engine runs (see `extract_engine`).
    """
    sources = tuple(
        _examine_extract(study, engine, say)
        if engine is not None and name == ACTIONS
        else _examine(study, name)
        for name in study.definition.sources.present()
    )
    problems = [*stray_recodes(study), *(p for source in sources for p in source.problems)]
    tables = {name: table for s in sources for name, table in s.tables.items()}
    if not problems:
        problems = [*outside_base(study, tables)]
    if not problems:
        tables, problems = weigh(study, tables)
    excluded = pd.concat(
        [_excluded("", pd.DataFrame(), "", ""), *(s.excluded for s in sources)], ignore_index=True
    )
    return Clean({} if problems else tables, excluded, _checks(sources), sources), problems


def _checks(sources: tuple[Examined, ...]) -> pd.DataFrame:
    rows = [
        (c.source, c.key, c.column, c.tested, c.passed, c.failed)
        for source in sources
        for c in source.checks
    ]
    return pd.DataFrame(rows, columns=CHECKS)


@contextmanager
def written(clean: Clean, paths: Paths) -> Iterator[dict[Path, Path]]:
    """The clean tables written beside data/clean/<study>/<table>.parquet: the draft of each by
    its place, which all take at the end where nothing is raised meanwhile.

    Rows that stay in an engine are not written again; those of them set aside are listed in
    quarantine.csv, where there are some.
    """
    paths.clean.mkdir(parents=True, exist_ok=True)
    tables = {
        paths.clean / f"{name}.parquet": table
        for name, table in clean.tables.items()
        if isinstance(table, pd.DataFrame)
    }
    aside = [s.in_engine.listed for s in clean.sources if s.in_engine and s.in_engine.aside]
    places = [*tables, *([paths.clean / QUARANTINE] if aside else [])]
    with whole.files(*places) as drafts:
        for path, table in tables.items():
            table.to_parquet(drafts[path], index=False)
        if aside:
            pd.concat(aside).to_csv(drafts[paths.clean / QUARANTINE], index=False)
        yield drafts


# --- One source


@contextmanager
def extract_engine(study: Study) -> Iterator[Engine | None]:
    """The engine that the actions of a study are worked on in; None where they are read into
    memory like every other source."""
    from analysis.intake.extract.files import at_scale  # noqa: PLC0415

    if not at_scale(study):
        yield None
        return
    study.paths.clean.mkdir(parents=True, exist_ok=True)
    with open_engine(study.definition.engine, study.name, study.paths.clean) as engine:
        yield engine


def _examine_extract(study: Study, engine: Engine, say: Callable[[str], None]) -> Examined:
    from analysis.intake.extract.checked import examine_extract  # noqa: PLC0415 - slow to import

    source = study.definition.sources.present()[ACTIONS]
    file = source.table or study.paths.shown(study.paths.raw / source.path)
    nothing = _excluded(ACTIONS, pd.DataFrame(), "", "")
    try:
        found = examine_extract(study, engine, say)
    except InputError as error:
        failed = Checked(ACTIONS, "file_read", "", 1, 1)
        return Examined(ACTIONS, file, None, {}, nothing, (failed,), tuple(error.problems))
    tables = {} if found.table is None else {ACTIONS: found.table}
    return Examined(
        ACTIONS, file, found.received, tables, nothing, found.checks, found.problems,
        in_engine=found, remarks=_unrecorded(study, source),
    )  # fmt: skip


def _unrecorded(study: Study, source: Source) -> tuple[Failure, ...]:
    """The first files of an extract that have no record beside them."""
    paths = source_files(study.paths.raw, source)
    found = (check_record(path, study.paths.shown(path)) for path in paths
             if not record_of(path).is_file())  # fmt: skip
    return tuple(failure for (failure,) in islice(found, FEW))


def _examine(study: Study, source: str) -> Examined:
    path = study.paths.raw / study.definition.sources.present()[source].path
    file = study.paths.shown(path)
    nothing = _excluded(source, pd.DataFrame(), "", "")
    try:
        received = read_table(path, file, may_repeat(study, source))
        empty = received.isna().all(axis=1)
        # A copy of a large frame is not free, and few files have empty rows.
        filled = received[~empty] if empty.any() else received
        arranged = arrange(filled, study, source, path, file)
    except InputError as error:
        failed = Checked(source, "file_read", "", 1, 1)
        return Examined(source, file, None, {}, nothing, (failed,), tuple(error.problems))
    known = fields(study, source)
    delivered = recode(filled, study, source, file, arranged)
    table, checks, problems = _checked_table(known, delivered, study)
    set_aside = _excluded(source, received[empty], "", "empty_row")
    recorded = check_record(path, file)
    remarks = tuple(found for found in recorded if found.key in REMARKS)
    problems = (*(found for found in recorded if found.key not in REMARKS), *problems)
    checks = (*_file_checks(study, known, delivered), *checks)
    if record_of(path).is_file():
        checks = (Checked(source, OTHER, "", 1, len(recorded)), *checks)
    examined = Examined(
        source,
        file,
        len(received) - arranged.extra,
        {},
        set_aside,
        checks,
        problems,
        arranged.layout,
        arranged.aside,
        arranged.placed,
        remarks=remarks,
    )
    if problems:
        return examined
    if source == SURVEY:
        return _retained(examined, table, known, study)
    return replace(examined, tables={source: table.reset_index(drop=True)})


def _excluded(source: str, rows: pd.DataFrame, id_column: str, reason: str) -> pd.DataFrame:
    ids = rows[id_column] if id_column in rows else pd.Series("", index=rows.index)
    return pd.DataFrame(
        {
            "source": source,
            "row": rows.index.to_numpy(dtype="int64"),
            "id": ids.astype("string").to_numpy(),
            "reason": reason,
        },
        columns=EXCLUDED,
    )


def _file_checks(
    study: Study, known: Mapping[str, Field], delivered: Delivered
) -> tuple[Checked, ...]:
    """What was checked of the file as a whole: it reads, its columns are known and all there."""

    def count(*keys: str) -> int:
        return sum(getattr(item, "key", "") in keys for item in delivered.problems)

    source = delivered.source
    recodes = sum(item.source == source for item in study.recodes)
    expected = sum(
        len(f.ticks) if f.type == "several" and f.name not in delivered.frame else 1
        for f in known.values()
    )
    wrong = count("recode_unused", "recode_column", "recode_answer", "recode_twice")
    return (
        Checked(source, "file_read", "", 1, 0),
        Checked(source, "column_unknown", "", delivered.received, count("column_unknown")),
        Checked(source, "column_missing", "", expected, count("column_missing")),
        Checked(source, "recode_unused", "", recodes, wrong),
    )


def _checked_table(
    known: dict[str, Field], delivered: Delivered, study: Study
) -> tuple[pd.DataFrame, tuple[Checked, ...], tuple[Problem, ...]]:
    """The typed table with what was checked and found, indexed by row of the file."""
    frame = delivered.frame
    text = schemas.check(schemas.text_rules(known, frame), frame, delivered)
    table = typed(frame, known)
    present = {name: item for name, item in known.items() if set(item.columns) <= set(table)}
    read = schemas.check(schemas.value_rules(present), table, delivered)
    outcomes = [text, read]
    # Routing reads across columns: with one of them missing, it would say nothing true.
    if delivered.source == SURVEY and len(present) == len(known):
        answers = schemas.answers_frame(table, known)
        unread = _unread(text, known, answers)
        routing = schemas.routing_rules(known, table, answers, unread, _says_complete(table))
        outcomes.append(schemas.check(routing, answers, delivered))
    checks = [checked for outcome in outcomes for checked in outcome.checked]
    failures = [failure for outcome in outcomes for failure in outcome.failures]
    return table, tuple(checks), (*delivered.problems, *failures)


def _unread(
    text: schemas.Outcome, known: Mapping[str, Field], answers: pd.DataFrame
) -> pd.DataFrame:
    """True for each row and question with a cell that could not be read."""
    unread = {str(name): np.zeros(len(answers), dtype=bool) for name in answers}
    owner = {header: field.name for field in known.values() for header in field.headers}
    for (_, column), rows in text.rows.items():
        if owner[column] in unread:
            unread[owner[column]][answers.index.get_indexer(rows)] = True
    return pd.DataFrame(unread, index=answers.index)


def _says_complete(table: pd.DataFrame) -> pd.Series:
    if COMPLETE not in table:
        return pd.Series(False, index=table.index)
    return table[COMPLETE].fillna(False).astype(bool)


# --- Retention


def _retained(
    examined: Examined, table: pd.DataFrame, known: dict[str, Field], study: Study
) -> Examined:
    """Keep responses that are complete or answer enough questions, and count the others."""
    responses = _responses(table, known, study.definition.retention.min_answered)
    dropped = responses.loc[~responses["retained"]]
    aside = _excluded(examined.source, dropped, "response_id", "too_few_answers")
    kept = table.loc[responses["retained"]]
    if COMPLETE not in kept:
        kept = kept.assign(**{COMPLETE: responses.loc[kept.index, COMPLETE]})
    tables = {
        examined.source: kept.reset_index(drop=True),
        RESPONSES: responses.reset_index(drop=True),
        DROPPED: table.loc[~responses["retained"]].reset_index(drop=True),
    }
    excluded = pd.concat([examined.excluded, aside], ignore_index=True)
    return replace(examined, tables=tables, excluded=excluded)


def _responses(table: pd.DataFrame, known: dict[str, Field], least: int) -> pd.DataFrame:
    """Every response received: id, whether complete, questions answered, whether kept and why."""
    answers = schemas.answers_frame(table, known)
    n_answered = answers.notna().sum(axis=1)
    complete = _says_complete(table) if COMPLETE in table else _finished(table, known, answers)
    retained = complete | (n_answered >= least)
    identifier = next((f.name for f in known.values() if f.type == "id"), None)
    ids = table[identifier] if identifier else pd.Series(table.index, table.index).astype("string")
    reason = pd.Series("", index=table.index).where(retained, "too_few_answers")
    return pd.DataFrame(
        {
            "response_id": ids,
            COMPLETE: complete,
            "n_answered": n_answered,
            "retained": retained,
            "reason": reason.astype("string"),
        }
    )


def _finished(table: pd.DataFrame, known: dict[str, Field], answers: pd.DataFrame) -> pd.Series:
    """Where an export does not say it: every required question that was asked has an answer."""
    everyone = pd.Series(True, index=table.index)
    unread = pd.DataFrame(False, index=answers.index, columns=answers.columns)
    skipped = [
        rule.units & answers[rule.column].isna()
        for rule in schemas.routing_rules(known, table, answers, unread, everyone)
        if rule.key == "route_skipped" and rule.units is not None
    ]
    return ~pd.concat(skipped, axis=1).any(axis=1) if skipped else everyone
