"""What the model of study.yml alone cannot see: names that must exist elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PureWindowsPath
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from analysis.definition import Battery, Definition, Motivation, Roles
from analysis.engine import PASSWORD, USER, holds_credentials, redacted
from analysis.errors import Problem, nearest
from analysis.questionnaire import unreadable
from analysis.study_sense import senseless

if TYPE_CHECKING:
    from analysis.study import Study

# Answers that a scale has colours for.
LEVELS = 7
SINGLE, SEVERAL, MEASURED = "single", "several", "measured"


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
        if not source.path and not source.table:
            problems.append(
                problem(("sources", name, "path"), "a source has a file", "no path",
                        "a file below data/raw/<study>/", "add path: …")
            )  # fmt: skip
        elif source.path and _leaves(study, source.path):
            problems.append(
                problem(
                    ("sources", name, "path"),
                    "sources stay in the study's folder",
                    source.path,
                    "a file below data/raw/<study>/",
                    "write a relative path without .., to a file that is no link out of the folder",
                )
            )
    if holds_credentials(definition.engine):
        problems.append(
            problem(
                ("engine",),
                "no user and no password stand in a file",
                redacted(definition.engine) + " with credentials",
                "an address without them",
                f"take them out, and set {USER} and {PASSWORD} in the environment",
            )
        )
    problems += [*_missing_texts(definition, problem), *senseless(study, problem)]
    if study.questionnaire is not None:
        problems += _unknown_names(study, problem)
    elif definition.sources.survey is not None:
        return [*problems, _no_questionnaire(study)]
    else:
        problems += _unknown_populations(study, problem)
    return problems


def _no_questionnaire(study: Study) -> Problem:
    folder = study.paths.shown(study.paths.definition)
    return Problem(
        f"{folder}/questionnaire.csv", "a survey has its questionnaire", "no such file",
        "questionnaire.csv or questionnaire.xlsx (an XLSForm)",
        "put it there, or let `new` write one from the export under another name of study",
    )  # fmt: skip


def _leaves(study: Study, path: str) -> bool:
    """Whether the path of a source leads out of the folder of raw files, here or on Windows."""
    parts = path.replace("\\", "/").split("/")
    if not path.strip() or PureWindowsPath(path).drive or not parts[0] or ".." in parts:
        return True
    # No name of a file is longer on any system.
    if max(len(part.encode()) for part in parts) > 255 or len(path) > 1000:
        return True
    return not study.paths.holds(study.paths.raw, study.paths.raw / path)


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
            and place[-1]
            in ("label", "title", "brand", "field", "published", "missing", "remark", "assumed")
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


def role_questions(roles: Roles) -> list[tuple[tuple[str, ...], str]]:
    """Every (place, question) pair that the roles name."""
    pairs: list[tuple[tuple[str, ...], str]] = []
    for key, value in roles:
        if key in ("no_training", "satisfied"):
            continue
        if isinstance(value, str):
            pairs.append((("roles", key), value))
        elif isinstance(value, list):
            pairs += [(("roles", key, str(n)), name) for n, name in enumerate(value)
                      if isinstance(name, str)]  # fmt: skip
        elif isinstance(value, Motivation):
            pairs += [(("roles", key, "questions", p), q) for p, q in value.questions.items()]
    return pairs


def _unknown_names(study: Study, problem: Any) -> list[Problem]:
    return [
        *_unknown_roles(study, problem),
        *_unknown_answers(study, problem),
        *_unknown_headlines(study, problem),
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
        for place, name in role_questions(study.roles) if name not in form
    ]  # fmt: skip
    for place, battery in _batteries(study):
        if battery.group not in form.groups:
            problems.append(
                problem((*place, "group"), "a battery is a group", battery.group,
                        "a group of the questionnaire", nearest(battery.group, groups))
            )  # fmt: skip
    return problems + _scales(study, problem)


def _batteries(study: Study) -> list[tuple[tuple[str, ...], Battery]]:
    """The batteries and where each stands."""
    several = isinstance(study.roles.battery, list)
    return [
        (("roles", "battery", str(n)) if several else ("roles", "battery"), battery)
        for n, battery in enumerate(study.batteries)
    ]


def _scales(study: Study, problem: Any) -> list[Problem]:
    """Scales that are too short or too long to be drawn, or whose sides are not on them; answers
    to items that their battery does not name."""
    form, problems = study.questionnaire, []
    assert form is not None
    for place, battery in _batteries(study):
        sides = {*battery.disagree, *battery.agree}
        if not 2 <= len(battery.scale) <= LEVELS or not battery.disagree or not battery.agree:
            problems.append(
                problem((*place, "scale"), "a scale has two to seven answers, and two sides",
                        f"{len(battery.scale)} answers", "two to seven",
                        "correct scale, disagree and agree")
            )  # fmt: skip
        problems += [
            problem(place, "the sides of a scale are answers on it", name, "an answer of scale",
                    nearest(name, battery.scale))
            for name in sorted(sides - set(battery.scale))
        ]  # fmt: skip
        problems += [
            problem(place, "an answer stands on one side of a scale", name, "agree or disagree",
                    f"remove {name} from one of them")
            for name in sorted({*battery.disagree} & {*battery.agree})
        ]  # fmt: skip
        known = {*battery.scale, battery.not_concerned}
        problems += [
            problem(place, "a battery names every answer to its items", f"{answer} of {item.name}",
                    "an answer of scale, or not_concerned", f"add {answer} to the battery")
            for item in form if battery.group in item.groups
            for answer in item.answers if answer not in known
        ]  # fmt: skip
    name = study.roles.satisfaction or ""
    if name in form and len(form[name].answers) > LEVELS:
        problems.append(
            problem(("roles", "satisfaction"), "satisfaction has two to seven answers",
                    f"{len(form[name].answers)} answers", "two to seven",
                    "leave the question without a role: it then has its place on a general page")
        )  # fmt: skip
    return problems


def _broken_populations(study: Study, problem: Any) -> list[Problem]:
    """Conditions that cannot be read, or that read what their source does not have."""
    return [
        problem(("populations", name, "where"), *found)
        for name, population in study.definition.populations.items()
        for form in [study.questionnaire if population.source == "survey" else None]
        for found in unreadable(population.where, form, _columns(study, population.source))
    ]


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
    if (spec := definition.roles.consumption) is not None:
        named += [
            (("roles", "consumption", "counts", str(n)), p) for n, p in enumerate(spec.counts)
        ]
        named += [(("roles", "consumption", "actions"), spec.actions)]
    return [
        problem(place, "a table names a population", population, "a population of study.yml",
                nearest(population, known))
        for place, population in named if population not in known
    ]  # fmt: skip


def _unknown_variables(study: Study, problem: Any) -> list[Problem]:
    """Variables named where answers are counted, grouped or weighted, and that are not there, or
    of another kind than that place needs."""
    definition = study.definition
    by_source = {name: _variables(study, name) for name in definition.sources.present()}
    survey = by_source.get("survey", {})
    single, several = (
        [name for name, kind in survey.items() if kind == wanted] for wanted in (SINGLE, SEVERAL)
    )
    raking = definition.design.raking
    answers = "a question or a column with answers"
    alone = "a question or a column of the survey with one answer"
    named: list[tuple[tuple, str, list[str], str]] = [
        (("tables", chapter, str(n), key), name, list(by_source[source]), f"{answers} of {source}")
        for chapter, cuts in definition.tables.items()
        for n, cut in enumerate(cuts)
        for source in _source_of(definition, cut.population)
        for key, name in (("variable", cut.variable), ("by", cut.by))
        if name
    ]
    every = [name for variables in by_source.values() for name in variables]
    named += [(("ordered", str(n)), v, every, answers) for n, v in enumerate(definition.ordered)]
    named += [
        (("pairs", str(n)), name, several, "a question of the survey with several answers")
        for n, name in enumerate(definition.pairs)
    ]
    named += [
        (("headlines", str(n), "variable"), item.variable, list(survey), f"{answers} of survey")
        for n, item in enumerate(definition.headlines)
    ]
    for place, battery in _batteries(study):
        named += [((*place, "by", str(n)), by, single, alone) for n, by in enumerate(battery.by)]
    for name in raking.margins if raking else []:
        named.append((("design", "raking", "margins", name), name, single, alone))
    return [
        problem(place, "a variable is named where its answers can be read", name, expected,
                nearest(name, known))
        for place, name, known, expected in named if name not in known
    ]  # fmt: skip


def _source_of(definition: Definition, population: str) -> list[str]:
    """The source of a population, if both are there."""
    found = definition.populations.get(population)
    return [found.source] if found and found.source in definition.sources.present() else []


def _variables(study: Study, source: str) -> dict[str, str]:
    """Variables of a source whose answers can be counted, derived ones included: SINGLE or SEVERAL
    where they have a list of answers, MEASURED for questions that are read in bands."""
    form, definition = study.questionnaire, study.definition
    kinds = {"select_one": SINGLE, "select_multiple": SEVERAL, "category": SINGLE, SEVERAL: SEVERAL}
    kinds |= dict.fromkeys(("integer", "decimal", "date"), MEASURED)
    asked = {q.name: q.kind for q in form} if form and source == "survey" else {}
    columns = definition.sources.present()[source].columns
    types: dict[str, str] = asked | {name: column.type for name, column in columns.items()}
    found = {name: kinds[kind] for name, kind in types.items() if kind in kinds}
    derived = {n: SINGLE for n, d in definition.derived.items() if found.get(d.source) == SINGLE}
    return found | derived


def _unknown_weights(study: Study, problem: Any) -> list[Problem]:
    """Columns that the survey design names, and that the survey does not have as it needs them."""
    design, survey = study.definition.design, study.definition.sources.survey
    if survey is None:
        return []
    numbers = [name for name, column in survey.columns.items() if column.type == "number"]
    several = [name for name, kind in _variables(study, "survey").items() if kind == SEVERAL]
    known = [name for name in _columns(study, "survey") if name not in several]
    places = [("weights", design.weights, numbers), ("strata", design.strata, known),
              ("clusters", design.clusters, known)]  # fmt: skip
    return [
        problem(("design", key), "the survey design names columns of the survey", name,
                "a column of numbers" if key == "weights"
                else "a column or a question with one answer",
                nearest(name, within) if within else "add the column to sources.survey.columns")
        for key, name, within in places if name and name not in within
    ] + _misplaced_population(study, problem)  # fmt: skip


def _misplaced_population(study: Study, problem: Any) -> list[Problem]:
    """A population by stratum without strata, or in all with them."""
    design = study.definition.design
    if design.population is None or isinstance(design.population, dict) == bool(design.strata):
        return []
    found, expected = "one number for all strata", "a number for each stratum"
    if not design.strata:
        found, expected = "numbers by stratum, and no strata", "one number"
    return [
        problem(("design", "population"), "the population size is that of each stratum", found,
                expected, f"write {expected}")
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
    lists |= {name: list(item.answers) for name, item in definition.derived.items()}
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
    raking = definition.design.raking
    margins = raking.margins if raking else {}
    sets += [
        (("design", "raking", "margins", v, answer), v, [answer])
        for v, shares in margins.items() if v in known
        for answer in shares
    ]  # fmt: skip
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


def _unknown_headlines(study: Study, problem: Any) -> list[Problem]:
    """Headlines of a category that their variable does not have, neither as answer nor as set."""
    definition, lists = study.definition, _answer_lists(study)
    known = {
        item.variable: [*lists[item.variable], *definition.answer_sets.get(item.variable, {})]
        for item in definition.headlines
        if item.variable in lists
    }
    return [
        problem(("headlines", str(n), "category"), "headlines name answers of their variable",
                item.category, "an answer, or answers read together, of " + item.variable,
                nearest(item.category, known[item.variable]))
        for n, item in enumerate(definition.headlines)
        if item.category not in known.get(item.variable, [item.category])
    ]  # fmt: skip


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
