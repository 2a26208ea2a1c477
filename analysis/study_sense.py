"""What study.yml says that cannot be meant: days, limits, roles of another kind, no such answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from analysis.definition import Battery
from analysis.errors import Problem, nearest

if TYPE_CHECKING:
    from analysis.study import Study

Tell = Callable[[tuple[str, ...], str, str, str, str], Problem]

ONE, SEVERAL, TEXT = "select_one", "select_multiple", "text"
SAID = {ONE: "one answer", SEVERAL: "several answers", TEXT: "free text",
        "integer": "a whole number", "decimal": "a number", "date": "a day"}  # fmt: skip
# The kinds of question that each role can be played by.
KINDS = {
    "status": (ONE,),
    "profile": (ONE, SEVERAL),
    "job": (ONE, SEVERAL),
    "ai_use": (ONE,),
    "settings": (ONE, SEVERAL),
    "hours": (ONE,),
    "informal_learning": (ONE, SEVERAL),
    "motivation": (ONE, SEVERAL),
    "objective": (ONE, SEVERAL),
    "satisfaction": (ONE,),
    "dissatisfaction_reason": (ONE, SEVERAL),
    "satisfaction_reason": (ONE, SEVERAL),
    "practice": (ONE,),
    "practice_benefit": (ONE, SEVERAL),
    "non_use_reason": (ONE, SEVERAL),
    "comment": (TEXT,),
    "comment_theme": (ONE, TEXT),
    "comment_theme_second": (ONE, TEXT),
}


def senseless(study: Study, tell: Tell) -> list[Problem]:
    """Every such thing. tell: a problem at a place of study.yml."""
    found = [*_days(study, tell), *_limits(study, tell), *_bands(study, tell)]
    found += _populations(study, tell)
    if study.questionnaire is not None:
        found += [*_bases(study, tell), *_kinds(study, tell), *_named_answers(study, tell)]
        found += _retention(study, tell)
        for battery in study.batteries:
            if battery.group in study.questionnaire.groups:
                found += _battery(study, battery, tell)
    return found


def _days(study: Study, tell: Tell) -> Iterator[Problem]:
    period = study.definition.period
    if period.end < period.start:
        yield tell(("period", "end"), "a period ends after it starts", str(period.end),
                   f"{period.start} or later", "exchange both days, or correct one"
                   )  # fmt: skip


def _limits(study: Study, tell: Tell) -> Iterator[Problem]:
    """Columns whose smallest value is above their largest."""
    for name, source in study.definition.sources.present().items():
        for column, item in source.columns.items():
            place = ("sources", name, "columns", column)
            low, high = item.minimum, item.maximum
            if low is not None and high is not None and low > high:
                yield tell((*place, "maximum"), "the smallest number comes first", f"{high:g}",
                           f"{low:g} or more", "exchange both numbers")  # fmt: skip
            if item.after and item.before and item.after > item.before:
                yield tell((*place, "before"), "the first day comes first", str(item.before),
                           f"{item.after} or later", "exchange both days")  # fmt: skip
            if item.type in ("category", "several") and not item.answers:
                yield tell((*place, "answers"), "a column of answers lists them", "no answers",
                           "answers: {code: {fr: …, en: …}}", "list the answers, or write "
                           "type: text")  # fmt: skip


def _bands(study: Study, tell: Tell) -> Iterator[Problem]:
    ends = [band.below for band in study.definition.duration_bands]
    for at, (one, other) in enumerate(pairwise(ends), start=1):
        if one is None or (other is not None and other <= one):
            yield tell(("duration_bands", str(at)), "each band ends after the one before",
                       f"{other} after {one}", "growing numbers, and none for the last band",
                       "put the bands in order")  # fmt: skip


def _populations(study: Study, tell: Tell) -> Iterator[Problem]:
    definition = study.definition
    known = list(definition.sources.present())
    for name, population in definition.populations.items():
        if population.source not in known:
            yield tell(("populations", name, "source"), "a population is of a source of the study",
                       population.source, "one of " + ", ".join(known),
                       nearest(population.source, known))  # fmt: skip
    if "survey" in known and "all" not in definition.populations:
        yield tell(("populations",), "a survey has a population named all",
                   ", ".join(definition.populations) or "none", "all: {label: {fr: …, en: …}}",
                   "add the population all")  # fmt: skip


def _bases(study: Study, tell: Tell) -> Iterator[Problem]:
    form = study.questionnaire
    assert form is not None
    known = [*form.questions, *form.groups]
    for name in study.definition.base_populations:
        if name not in known:
            yield tell(("base_populations", name), "a base is that of a question or a group", name,
                       "a question or a group of the questionnaire", nearest(name, known)
                       )  # fmt: skip


def _retention(study: Study, tell: Tell) -> Iterator[Problem]:
    """More answers asked of a partial response than there are questions."""
    assert study.questionnaire is not None
    retention, asked = study.definition.retention, len(study.questionnaire.questions)
    if "min_answered" in retention.model_fields_set and retention.min_answered > asked:
        yield tell(("retention", "min_answered"), "a partial response can answer enough questions",
                   str(retention.min_answered), f"{asked} at most, the questions of the form",
                   f"write how many answers make a response worth keeping ({asked} keeps those "
                   "that answer everything)")  # fmt: skip


def _kinds(study: Study, tell: Tell) -> Iterator[Problem]:
    """Roles that a question of another kind plays."""
    form = study.questionnaire
    assert form is not None
    for role, kinds in KINDS.items():
        value = getattr(study.roles, role)
        motivation = getattr(value, "questions", None)
        named = motivation.values() if motivation else value if isinstance(value, list) else [value]
        for name in named:
            if name in form and form[name].kind not in kinds:
                question = form[name]
                yield tell(
                    ("roles", role), f"the role {role} is for a question of its kind",
                    f"{name}: {SAID[question.kind]} ({question.kind}, questionnaire row "
                    f"{question.row})",
                    "a question with " + " or ".join(SAID[kind] for kind in kinds),
                    "name another question, correct its type in the questionnaire, or remove "
                    "the role",
                )  # fmt: skip


def _named_answers(study: Study, tell: Tell) -> Iterator[Problem]:
    """Answers and sets of answers that a role names."""
    form, roles = study.questionnaire, study.roles
    assert form is not None
    if roles.hours and roles.hours in form and roles.no_training:
        known = form[roles.hours].answers
        if roles.no_training not in known:
            yield tell(("roles", "no_training"), "no_training is an answer of hours",
                       roles.no_training, f"an answer of {roles.hours}",
                       nearest(roles.no_training, known))  # fmt: skip
    if roles.satisfaction and roles.satisfaction in form and roles.satisfied:
        sets = list(study.definition.answer_sets.get(roles.satisfaction, {}))
        if roles.satisfied not in sets:
            yield tell(("roles", "satisfied"), "satisfied is an answer set of satisfaction",
                       roles.satisfied, f"a set below answer_sets.{roles.satisfaction}",
                       nearest(roles.satisfied, sets) if sets else
                       "declare the set in answer_sets")  # fmt: skip


def _battery(study: Study, battery: Battery, tell: Tell) -> Iterator[Problem]:
    """Items that are not answered on the scale of their battery."""
    form = study.questionnaire
    assert form is not None
    items = [question for question in form if battery.group in question.groups]
    for question in items:
        if question.kind != ONE:
            yield tell(("roles", "battery", "group"), "items of a battery have one answer",
                       f"{question.name}: {SAID[question.kind]} (questionnaire row "
                       f"{question.row})", "select_one questions only",
                       "move the question out of the group")  # fmt: skip
    known = list(dict.fromkeys(code for item in items for code in item.answers))
    named = [("scale", code) for code in battery.scale]
    named += [("disagree", code) for code in battery.disagree]
    named += [("agree", code) for code in battery.agree]
    named += [("not_concerned", battery.not_concerned)] if battery.not_concerned else []
    for key, code in named:
        if code not in known:
            yield tell(("roles", "battery", key), "a battery names answers of its items", code,
                       f"an answer of the group {battery.group}", nearest(code, known)
                       )  # fmt: skip
