"""What the model of study.yml alone cannot see: names that must exist elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from analysis import expression
from analysis.definition import Definition, Motivation, Roles
from analysis.errors import Problem, nearest

if TYPE_CHECKING:
    from analysis.study import Study


def check_names(study: Study, shown: str, line: Callable[[tuple], int | None]) -> list[Problem]:
    """Every name of study.yml that must exist elsewhere, and does not.

    shown: the file as it is told; line: the line of a key, given its place in the tree.
    """

    def problem(place: tuple, rule: str, found: str, expected: str, action: str) -> Problem:
        return Problem(shown, rule, found, expected, action, line(place), ".".join(place))

    definition = study.definition
    problems = []
    if definition.study != study.paths.study:
        problems.append(
            problem(
                ("study",),
                "the study is named as its folder",
                definition.study,
                study.paths.study,
                "write the folder's name",
            )
        )
    for name, source in definition.sources.present().items():
        pure = PurePosixPath(source.path)
        if pure.is_absolute() or ".." in pure.parts:
            problems.append(
                problem(
                    ("sources", name, "path"),
                    "sources stay in the study's folder",
                    source.path,
                    "a file below data/raw/<study>/",
                    "write a relative path without ..",
                )
            )
    problems += _missing_texts(definition, problem)
    if study.questionnaire is not None:
        problems += _unknown_names(study, problem)
    return problems


def _missing_texts(definition: Definition, problem: Any) -> list[Problem]:
    """Every text of study.yml in every language of the study."""
    found: list[Problem] = []

    def walk(value: Any, place: tuple) -> None:
        if isinstance(value, BaseModel):
            for key in type(value).model_fields:
                walk(getattr(value, key), (*place, key))
        elif isinstance(value, list):
            for number, item in enumerate(value):
                walk(item, (*place, str(number)))
        elif (
            isinstance(value, dict)
            and place[-1] in ("label", "title", "brand", "field", "published", "missing", "remark")
        ) or (len(place) > 1 and place[-2] in ("answers", "families") and isinstance(value, dict)):
            found.extend(
                problem(
                    place,
                    "a text in each language",
                    f"no {lang} text",
                    "texts in " + ", ".join(definition.languages),
                    f"add {lang}: …",
                )
                for lang in definition.languages
                if value and not value.get(lang)
            )
        elif isinstance(value, dict):
            for key, item in value.items():
                walk(item, (*place, key))

    walk(definition, ())
    return found


def _role_questions(roles: Roles) -> list[tuple[tuple[str, ...], str]]:
    """Every (place, question) pair that the roles name."""
    pairs: list[tuple[tuple[str, ...], str]] = []
    for key, value in roles:
        if key in ("no_training", "satisfied"):
            continue
        if isinstance(value, str):
            pairs.append((("roles", key), value))
        elif isinstance(value, list):
            pairs += [(("roles", key, str(n)), name) for n, name in enumerate(value)]
        elif isinstance(value, Motivation):
            pairs += [(("roles", key, "questions", p), q) for p, q in value.questions.items()]
    return pairs


def _unknown_names(study: Study, problem: Any) -> list[Problem]:
    return [
        *_unknown_roles(study, problem),
        *_unknown_answers(study, problem),
        *_unnamed_families(study, problem),
        *_broken_populations(study, problem),
        *_unknown_populations(study, problem),
        *_unknown_variables(study, problem),
        *_unknown_weights(study, problem),
    ]


def _unknown_roles(study: Study, problem: Any) -> list[Problem]:
    form = study.questionnaire
    assert form is not None
    known, groups = list(form.questions), list(form.groups)
    problems = [
        problem(place, "a role names a question", name, "a question of the questionnaire",
                nearest(name, known))
        for place, name in _role_questions(study.roles) if name not in form
    ]  # fmt: skip
    battery = study.roles.battery
    if battery and battery.group not in form.groups:
        place = ("roles", "battery", "group")
        problems.append(problem(place, "a battery is a group", battery.group,
                                "a group of the questionnaire", nearest(battery.group, groups))
                        )  # fmt: skip
    return problems


def _broken_populations(study: Study, problem: Any) -> list[Problem]:
    """Conditions that cannot be read, or that read what their source does not have."""
    problems = []
    for name, population in study.definition.populations.items():
        place = ("populations", name, "where")
        known = _columns(study, population.source)
        try:
            read = expression.parse(population.where).questions()
        except expression.ExpressionError as error:
            problems.append(problem(place, "populations use the routing language", str(error),
                                    "an XLSForm expression", "rewrite the condition")
                            )  # fmt: skip
            continue
        problems += [
            problem(place, "populations read known questions", f"${{{q}}}",
                    "a question or a column of the population's source", nearest(q, known))
            for q in sorted(read) if q not in known
        ]  # fmt: skip
    return problems


def _columns(study: Study, name: str) -> list[str]:
    """Questions and columns that a condition on a source may read."""
    source = study.definition.sources.present().get(name)
    asked = list(study.questionnaire.questions) if study.questionnaire else []
    return (asked if name == "survey" else []) + (list(source.columns) if source else [])


def _unknown_populations(study: Study, problem: Any) -> list[Problem]:
    definition = study.definition
    known = list(definition.populations)
    named: list[tuple[tuple, str]] = [
        (("tables", chapter, str(n)), cut.population)
        for chapter, cuts in definition.tables.items()
        for n, cut in enumerate(cuts)
    ]
    named += [(("base_populations", q), p) for q, p in definition.base_populations.items()]
    return [
        problem(place, "a table names a population", population, "a population of study.yml",
                nearest(population, known))
        for place, population in named if population not in known
    ]  # fmt: skip


def _unknown_variables(study: Study, problem: Any) -> list[Problem]:
    """Variables named where answers are counted, grouped or weighted, and that have no answers."""
    definition, roles = study.definition, study.roles
    design = definition.design
    named: list[tuple[tuple, str]] = [
        (("tables", chapter, str(n), key), name)
        for chapter, cuts in definition.tables.items()
        for n, cut in enumerate(cuts)
        for key, name in (("variable", cut.variable), ("by", cut.by))
        if name
    ]
    named += [(("ordered", str(n)), name) for n, name in enumerate(definition.ordered)]
    named += [(("pairs", str(n)), name) for n, name in enumerate(definition.pairs)]
    named += [(("headlines", str(n)), h.variable) for n, h in enumerate(definition.headlines)]
    if roles.battery:
        named += [(("roles", "battery", "by", str(n)), b) for n, b in enumerate(roles.battery.by)]
    if design.raking:
        named += [(("design", "raking", "margins", name), name) for name in design.raking.margins]
    known = [*_answer_lists(study), *definition.derived]
    return [
        problem(place, "a variable with answers is named", name,
                "a question or a column with answers", nearest(name, known))
        for place, name in named if name not in known
    ]  # fmt: skip


def _unknown_weights(study: Study, problem: Any) -> list[Problem]:
    """Columns that the survey design names, and that the survey does not have as it needs them."""
    design, survey = study.definition.design, study.definition.sources.survey
    columns = survey.columns if survey else {}
    numbers = [name for name, column in columns.items() if column.type == "number"]
    known = _columns(study, "survey")
    places = [("weights", design.weights, numbers), ("strata", design.strata, known),
              ("clusters", design.clusters, known)]  # fmt: skip
    return [
        problem(("design", key), "the survey design names columns of the survey", name,
                "a column of numbers" if key == "weights" else "a question or a column",
                nearest(name, within))
        for key, name, within in places if name and name not in within
    ]  # fmt: skip


def _answer_lists(study: Study) -> dict[str, list[str]]:
    """Answers of every variable that has a list of them."""
    form, definition = study.questionnaire, study.definition
    lists = {q.name: q.answers for q in form} if form else {}
    for source in definition.sources.present().values():
        lists |= {
            name: list(column.answers)
            for name, column in source.columns.items()
            if column.answers and name not in lists
        }
    bands = [band.name for band in definition.duration_bands]
    return lists | {"duration_band": bands, "mean_duration_band": bands}


def _unknown_answers(study: Study, problem: Any) -> list[Problem]:
    form, definition = study.questionnaire, study.definition
    assert form is not None
    sets: list[tuple[tuple, str, list[str]]] = [
        (("answer_sets", q, s), q, item.answers)
        for q, group in definition.answer_sets.items()
        for s, item in group.items()
    ]
    sets += [
        (("derived", v, "answers", s), d.source, item.answers)
        for v, d in definition.derived.items()
        for s, item in d.answers.items()
    ]
    known = _answer_lists(study)
    problems = []
    for place, name, answers in sets:
        if name not in known:
            problems.append(
                problem(
                    place,
                    "answer sets name a variable",
                    name,
                    "a question or a column",
                    nearest(name, list(known)),
                )
            )
            continue
        problems += [
            problem(
                place,
                "answer sets name answers of their variable",
                answer,
                "an answer of " + name,
                nearest(answer, known[name]),
            )
            for answer in answers
            if answer not in known[name]
        ]
    return problems


def _unnamed_families(study: Study, problem: Any) -> list[Problem]:
    """Families that the questionnaire gives an answer and study.yml gives no label."""
    role, form = study.roles.motivation, study.questionnaire
    if role is None or role.family is None or form is None:
        return []
    given = {
        choice.extra.get(role.family, "")
        for name in role.questions.values()
        if name in form
        for choice in form[name].choices
    } - {""}
    return [
        problem(
            ("roles", "motivation", "families"),
            "each family of answers has a label",
            name,
            "a label in each language",
            f"add {name}: {{…}}",
        )
        for name in sorted(given - set(role.families))
    ]
