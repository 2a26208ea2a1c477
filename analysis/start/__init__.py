"""`new`: a study started from a questionnaire, an export, or both.

What can be decided is; what cannot is marked where it stands (analysis/pending.py). The folders
of the study appear whole or not at all, and nothing that is there is ever written over.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

from analysis.errors import InputError, Problem
from analysis.intake.clean import examine
from analysis.intake.fields import SURVEY
from analysis.paths import PROJECT, Paths
from analysis.pending import COLUMN as TO_DECIDE
from analysis.pending import Pending, join, pending
from analysis.questionnaire import Questionnaire, read_questionnaire
from analysis.start import recodes
from analysis.start.delivered import Delivery, is_private, read_delivery
from analysis.start.forms import Form, form_of, labels_of, languages_of, read_form
from analysis.start.items import Guessed, guess
from analysis.start.recodes import Line
from analysis.start.roles import Cast, batteries, cast, trained_only
from analysis.start.study_file import Known, least_answered, meta_file, study_file
from analysis.start.words import language_of, say
from analysis.study import Study, load_study

NAME = re.compile(r"[a-z][a-z0-9_]{1,59}")
FORM_ENDINGS = (".csv", ".xlsx")
# Fewer people show nothing of how a question was routed.
FEWEST = 5
OTHER_LANGUAGE = {"fr": "en", "en": "fr"}


@dataclass
class Started:
    """What `new` made: for the screen."""

    study: str
    language: str
    folder: Path
    delivery: Delivery | None
    form: Questionnaire
    cast: Cast
    private: list[str]
    problems: int
    kept: int | None = None
    least: int = 0
    left: list[Pending] = field(default_factory=list)


def start(
    name: str,
    form: Path | None,
    export: Path | None,
    root: Path = PROJECT,
    lang: str | None = None,
) -> Started:
    """Start a study below `root`. Raises InputError; then nothing has been written."""
    paths = Paths(name, root)
    _check(paths, form, export)
    delivery = read_delivery(export, export.name) if export else None
    guessed = guess(delivery) if delivery else Guessed([], [])
    languages = _languages(form, delivery, lang)
    rows = read_form(form, form.name, languages) if form else form_of(guessed.items, languages)
    scratch = Path(tempfile.mkdtemp(prefix=".new-", dir=root))
    try:
        started = _write(Paths(name, scratch), rows, delivery, guessed, form is not None)
        _put_in_place(Paths(name, scratch), paths)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return replace(started, folder=paths.definition)


# --- Before anything is written


def _check(paths: Paths, form: Path | None, export: Path | None) -> None:
    """Raises InputError with everything that stands in the way."""
    problems = [*_check_name(paths)]
    if form is None and export is None:
        problems.append(
            Problem("new", "a study starts from a questionnaire or an export", "neither",
                    "--form FILE, --export FILE or both", "name one of these files")
        )  # fmt: skip
    for option, path in (("--form", form), ("--export", export)):
        if path is not None and not path.is_file():
            beside = ", ".join(sorted(p.name for p in path.parent.glob("*") if p.is_file())[:8])
            problems.append(
                Problem(str(path), f"the file of {option} is there", "no such file",
                        "a file that can be read",
                        f"correct the path; beside it: {beside or 'nothing'}")
            )  # fmt: skip
    if form is not None and form.suffix.lower() not in FORM_ENDINGS:
        problems.append(
            Problem(str(form), "a questionnaire is an XLSForm", form.suffix or "no ending",
                    "a file ending in .xlsx or .csv", "save the form as .xlsx or .csv")
        )  # fmt: skip
    if problems:
        raise InputError(problems)


def _check_name(paths: Paths) -> list[Problem]:
    name = paths.study
    if not NAME.fullmatch(name):
        safe = re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_") or "region_2026"
        return [
            Problem("studies/", "a study has a plain name", name,
                    "small letters, digits and underscores, a letter first (60 at most)",
                    f"write for instance {safe if safe[0].isalpha() else 'study_' + safe}")
        ]  # fmt: skip
    return [
        Problem(paths.shown(folder), "new never writes over what is there", "the folder exists",
                "a name that no study has", "choose another name, or move the folder away")
        for folder in (paths.definition, paths.raw) if folder.exists()
    ]  # fmt: skip


def _languages(form: Path | None, delivery: Delivery | None, lang: str | None) -> tuple[str, ...]:
    """Both languages, that of the wordings first."""
    told = languages_of(form, form.name) if form else []
    said = labels_of(form, form.name) if form else []
    for column in delivery.columns if delivery else ():
        said += [column.wording, *map(str, list(column.counts)[:3])]
    first = lang or next(iter(told), "") or language_of(said)
    return first, OTHER_LANGUAGE[first]


# --- In a folder aside


def _write(
    paths: Paths, rows: Form, delivery: Delivery | None, guessed: Guessed, asked: bool
) -> Started:
    """Everything of the study, below another root."""
    lang = rows.languages[0]
    paths.definition.mkdir(parents=True)
    paths.raw.mkdir(parents=True)
    known = Known(paths.study, rows.languages, "survey.csv", delivered=delivery is not None)
    private: list[str] = []
    if delivery is not None:
        known.path = f"survey{delivery.path.suffix.lower()}"
        _describe(known, delivery, guessed)
        private = _copy(paths, known, delivery)
    form = _write_form(paths, rows)
    found = cast(form, lang)
    (paths.definition / "study.yml").write_text(study_file(known, form, found), encoding="utf-8")
    problems, kept = 0, None
    if delivery is not None:
        form = _fit(paths, rows, delivery, guessed, asked)
        if not asked and (closed := _closed_to(paths, found)):
            form = _route(paths, rows, closed)
            found = trained_only(found, list(closed))
            text = study_file(known, form, found)
            (paths.definition / "study.yml").write_text(text, encoding="utf-8")
        study = load_study(paths.study, paths.root)
        clean, told = examine(study)
        problems, kept = len(told), None if told else len(clean.tables[SURVEY])
    least = least_answered(form)
    return Started(paths.study, lang, paths.definition, delivery, form, found, private, problems,
                   kept, least, pending(paths, rows.languages))  # fmt: skip


def _write_form(paths: Paths, rows: Form) -> Questionnaire:
    path = paths.definition / "questionnaire.csv"
    path.write_text(rows.written(), encoding="utf-8")
    return read_questionnaire(path, paths.shown(path))


def _describe(known: Known, delivery: Delivery, guessed: Guessed) -> None:
    """The columns of the response itself, and the days it was given on."""
    layout = delivery.layout
    known.layout = layout.name if layout else ""
    own = layout.own if layout else None
    if "response_id" in guessed.own or (own and (own.numbered or delivery.own(*own.id))):
        known.own["response_id"] = "id"
    date = delivery.own(*own.date) if own else None
    header = guessed.own.get("started_on")
    date = next((c for c in delivery.columns if c.header == header), date)
    if date is not None and date.is_date:
        known.own["started_on"] = "date"
        days = date.dates.dropna()
        known.period = days.min().date(), days.max().date()
    if "complete" in guessed.own or (own and delivery.own(*own.filled, *own.finished)):
        known.own["complete"] = "boolean"
    weight = next((c for c in delivery.columns if c.header == guessed.own.get("weight")), None)
    if weight is not None:
        known.own["weight"], known.weight = "number", weight.readings[-1]
        known.weight_fits = len(weight.cells) == delivery.rows and bool((weight.numbers > 0).all())


def _copy(paths: Paths, known: Known, delivery: Delivery) -> list[str]:
    """The export as it came, with its description; returns headers of personal data in it."""
    target = paths.raw / known.path
    shutil.copyfile(delivery.path, target)
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    meta = target.with_name(target.name + ".meta.yml")
    meta.write_text(meta_file(known, digest, delivery.rows), encoding="utf-8")
    private = [c.header for c in delivery.columns if len(c.cells) and is_private(c)]
    if private:
        said = say("ignore", known.languages[0], value=", ".join(private))
        text = f"# {said}\n{target.name}\n"
        (paths.raw / ".gitignore").write_text(text, encoding="utf-8")
    return private


def _fit(
    paths: Paths, rows: Form, delivery: Delivery, guessed: Guessed, asked: bool
) -> Questionnaire:
    """recodes.csv, step by step: what is set aside, then headers, then values."""
    lang = rows.languages[0]
    lines = [] if asked else recodes.asides(guessed.asides, lang)
    now = recodes.read(_with(paths, lines))
    lines = [*lines, *recodes.headers(now, rows.wanted, guessed.own)]
    now = recodes.read(_with(paths, lines))
    if now.unknown:
        lines = [*lines, *_unknown(now.unknown, guessed, lang)]
        now = recodes.read(_with(paths, lines))
    lines = [*lines, *recodes.values(now, rows.wanted, lang)]
    study = _with(paths, lines)
    if now.missing:
        _mark_missing(rows, now.missing, lang)
        return _write_form(paths, rows)
    assert study.questionnaire is not None
    return study.questionnaire


def _with(paths: Paths, lines: list[Line]) -> Study:
    """The study with these recodes."""
    text = recodes.written(lines)
    (paths.definition / "recodes.csv").write_text(text, encoding="utf-8")
    return load_study(paths.study, paths.root)


def _unknown(headers: list[str], guessed: Guessed, lang: str) -> list[Line]:
    """Columns that the questionnaire does not have: set aside, with a mark where it is a guess."""
    reasons = {aside.header: aside for aside in guessed.asides}
    sure = [reasons[header] for header in headers if header in reasons]
    lines = recodes.asides(sure, lang)
    mark, reason = say("to_decide.not_in_form", lang), say("reasons.tool", lang)
    return lines + [Line("drop", "", h, reason, mark) for h in headers if h not in reasons]


def _closed_to(paths: Paths, found: Cast) -> dict[str, str]:
    """Routing by question, where an export shows it: nobody without training answers, others do."""
    hours, none = found.sure.get("hours"), found.sure.get("no_training")
    study = load_study(paths.study, paths.root)
    clean, problems = examine(study)
    if not hours or not none or problems or study.questionnaire is None:
        return {}
    survey = clean.tables[SURVEY]
    without = survey[hours] == none
    if without.sum() < FEWEST:
        return {}
    closed = []
    for question in study.questionnaire:
        answered = survey[question.columns].notna().any(axis=1)
        # A question that few answer may have been skipped by chance.
        common = answered.sum() >= max(FEWEST, (~without).sum() / 2)
        if question.choices and common and not (answered & without).any():
            closed.append(question.name)
    return dict.fromkeys(closed, f"${{{hours}}} != '{none}'")


def _route(paths: Paths, rows: Form, routes: dict[str, str]) -> Questionnaire:
    """The questionnaire with this routing in it."""
    for row in rows.survey:
        row["relevant"] = routes.get(row.get("name", ""), "")
    return _write_form(paths, rows)


def _mark_missing(rows: Form, missing: list[str], lang: str) -> None:
    names = {column.partition("/")[0] for column in missing}
    for row in rows.survey:
        if row.get("name") in names:
            told = [text for text in [row.get(TO_DECIDE, "")] if text]
            row[TO_DECIDE] = join([say("to_decide.not_in_export", lang), *told])


def _put_in_place(made: Paths, paths: Paths) -> None:
    """Both folders take their place, or neither."""
    for folder in (paths.definition, paths.raw):
        folder.parent.mkdir(parents=True, exist_ok=True)
    made.definition.rename(paths.definition)
    try:
        made.raw.rename(paths.raw)
    except OSError:
        paths.definition.rename(made.definition)
        raise


# --- On the screen


def told(started: Started) -> str:
    """What was read, and what is left to do in order."""
    lang, name = started.language, started.study
    lines = [say("screen.done", lang, study=name)]
    if started.delivery is not None:
        tool = started.delivery.layout.tool if started.delivery.layout else ""
        lines.append(say("screen.read", lang, rows=started.delivery.rows,
                         columns=len(started.delivery.columns),
                         layout=tool or say("screen.plain", lang)))  # fmt: skip
        if started.kept is not None:
            lines.append(say("screen.kept", lang, kept=started.kept, rows=started.delivery.rows,
                             least=started.least))  # fmt: skip
    lines.append(say("screen.kinds", lang, value=_kinds(started)))
    if started.cast.sure:
        lines.append(say("screen.roles", lang, value=", ".join(started.cast.sure)))
    if started.private:
        said = ", ".join(started.private)
        lines.append(say("screen.private", lang, value=said, study=name))
    steps = [each.line(say("screen.row", lang)) for each in started.left]
    if started.problems:
        steps.append(say("screen.problems", lang, value=started.problems, study=name))
    else:
        steps.append(say("screen.check", lang, study=name))
    steps.append(say("screen.publish", lang, study=name))
    numbered = [f"  {number}. {step}" for number, step in enumerate(steps, start=1)]
    return "\n".join([*lines, "", say("screen.left", lang), *numbered])


def _kinds(started: Started) -> str:
    counts: Counter[str] = Counter(question.kind for question in started.form)
    counts["battery"] = len(batteries(started.form, started.language))
    return ", ".join(say(f"kinds.{kind}", started.language, n=n) for kind, n in counts.items() if n)
