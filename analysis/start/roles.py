"""Which question plays which part, where its wording and its answers leave no doubt."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from analysis.questionnaire import Question, Questionnaire
from analysis.start.words import Scale, bands_of, has_word, is_one_of, scale_of, words

# Scales that say by themselves what was asked.
SELF_TOLD = ("satisfaction",)


@dataclass
class Cast:
    """Roles found. sure: as study.yml has them; maybe: (role, question) that a person decides.

    ordered: questions whose answers stand in an order; sets: answers read together, by question,
    as {name: codes}.
    """

    sure: dict[str, Any] = field(default_factory=dict)
    maybe: list[tuple[str, Any]] = field(default_factory=list)
    ordered: list[str] = field(default_factory=list)
    sets: dict[str, dict[str, list[str]]] = field(default_factory=dict)


def cast(form: Questionnaire, lang: str) -> Cast:
    """Roles of the questions of a form, read in one of its languages."""
    found = Cast()
    items = {q.name for battery in batteries(form, lang) for q in battery.items}
    free = [question for question in form if question.name not in items]
    profile = [q.name for q in free if _is_profile(q, lang)]
    if profile:
        found.sure["profile"] = profile
    for role, rule in words()["roles"].items():
        names = [q.name for q in free if _plays(q, rule, lang)]
        taken = [n for n in names if n not in found.sure.values()]
        if len(taken) == 1:
            found.sure[role] = _value(role, taken[0])
        else:
            found.maybe += [(role, _value(role, name)) for name in taken]
    _add_batteries(found, batteries(form, lang))
    _complete(found, form, lang)
    found.ordered = [q.name for q in free if _is_ordered(q, lang)
                     and q.name not in (found.sure.get("satisfaction"), found.sure.get("hours"))
                     ]  # fmt: skip
    return found


def trained_only(found: Cast, asked: list[str]) -> Cast:
    """The same, where the question on motivation is asked of people trained only."""
    motivation = found.sure.get("motivation")
    if motivation is None or motivation["variable"] not in asked:
        return found
    questions = {"trained": motivation["variable"]}
    return replace(found, sure=found.sure | {"motivation": motivation | {"questions": questions}})


def _value(role: str, name: str) -> Any:
    """What study.yml says of a role that a question plays."""
    return {"variable": name, "questions": {"all": name}} if role == "motivation" else name


def _labels(question: Question, lang: str) -> list[str]:
    return [choice.labels.get(lang) or choice.name for choice in question.choices]


def _scale(question: Question, lang: str) -> Scale | None:
    """The scale of a question, by its labels or else by its codes."""
    if question.kind != "select_one":
        return None
    return scale_of(_labels(question, lang)) or scale_of(question.answers)


def _bands(question: Question, lang: str) -> list[int] | None:
    if question.kind != "select_one":
        return None
    return bands_of(_labels(question, lang)) or bands_of(question.answers)


def _is_ordered(question: Question, lang: str) -> bool:
    scale = _scale(question, lang)
    marks = question.kind == "select_one" and all(code.isdigit() for code in question.answers)
    return bool((scale and not scale.outside) or _bands(question, lang) or marks)


def _said(question: Question, lang: str) -> str:
    return f"{question.labels.get(lang, '')} {question.name}"


def _is_profile(question: Question, lang: str) -> bool:
    """A closed question on who answers, whose wording is short: others mention a sector too."""
    closed = question.kind == "select_one" and len(question.choices) > 1
    short = len(question.labels.get(lang, "").split()) <= 12
    opinion = (scale := _scale(question, lang)) is not None and scale.family != "level"
    return closed and short and not opinion and has_word(_said(question, lang), words()["profile"])


def _plays(question: Question, rule: dict[str, Any], lang: str) -> bool:
    said = _said(question, lang)
    if question.kind not in rule["kinds"] or has_word(said, rule.get("without", [])):
        return False
    scale = _scale(question, lang)
    if "scale" in rule and (scale is None or scale.family not in rule["scale"]):
        return False
    if scale is not None and scale.family in SELF_TOLD and scale.family in rule.get("scale", []):
        return True
    return _answers_fit(question, rule, lang) and all(
        has_word(said, some) for some in rule.get("words", [])
    )


def _answers_fit(question: Question, rule: dict[str, Any], lang: str) -> bool:
    """Whether answers are bands, in an order, of the unit that a role asks for."""
    if "bands" in rule and not _bands(question, lang):
        return False
    if "ordered" in rule and not _is_ordered(question, lang):
        return False
    texts = [_said(question, lang), *_labels(question, lang)]
    return "answers" not in rule or any(has_word(text, rule["answers"]) for text in texts)


# --- Batteries


@dataclass(frozen=True)
class Items:
    """Questions of one group with one list of answers that is a scale, or that may be one."""

    group: str
    items: tuple[Question, ...]
    scale: Scale | None


def batteries(form: Questionnaire, lang: str) -> list[Items]:
    """Groups whose questions all have one answer of the same list, two questions at least."""
    found: list[Items] = []
    for name in form.groups:
        members = [question for question in form if name in question.groups]
        lists = {tuple(question.answers) for question in members}
        alike = all(question.kind == "select_one" for question in members)
        mine = {question.name for question in members}
        inside = any(mine & {question.name for question in other.items} for other in found)
        if len(members) > 1 and alike and len(lists) == 1 and not inside:
            found.append(Items(name, tuple(members), _scale(members[0], lang)))
    return found


def _add_batteries(found: Cast, groups: list[Items]) -> None:
    """Batteries of agreement are sure; one on another scale is for a person to decide."""
    agreement = [each for each in groups if each.scale and each.scale.family == "agreement"]
    sure = [_battery(each) for each in agreement]
    if sure:
        found.sure["battery"] = sure if len(sure) > 1 else sure[0]
    found.maybe += [("battery", _battery(each)) for each in groups if each not in agreement]


def _battery(each: Items) -> dict[str, Any]:
    answers, scale = each.items[0].answers, each.scale
    if scale is None:
        half = len(answers) // 2
        return {"group": each.group, "scale": answers, "disagree": answers[:half],
                "agree": answers[-half:]}  # fmt: skip
    order = [answers[at] for at in scale.order]
    sides = dict(zip(order, scale.sides, strict=True))
    made: dict[str, Any] = {
        "group": each.group,
        "scale": order,
        "disagree": [code for code in order if sides[code] < 0],
        "agree": [code for code in order if sides[code] > 0],
    }
    return made | ({"not_concerned": answers[scale.outside[0]]} if scale.outside else {})


# --- What roles need beside a question


def _complete(found: Cast, form: Questionnaire, lang: str) -> None:
    """The answers that count as satisfied, those who took no training, wordings of motivation."""
    sure = found.sure
    if "satisfaction" in sure:
        question = form[sure["satisfaction"]]
        scale = _scale(question, lang)
        assert scale is not None
        sides = list(zip(scale.order, scale.sides, strict=True))
        found.sets[question.name] = {
            "satisfied_total": [question.answers[at] for at, side in sides if side > 0],
            "dissatisfied_total": [question.answers[at] for at, side in sides if side < 0],
        }
        sure["satisfied"] = "satisfied_total"
    if "hours" in sure:
        question = form[sure["hours"]]
        none = [code for code, label in zip(question.answers, _labels(question, lang), strict=True)
                if has_word(label, words()["bands"]["none"]) or is_one_of(code, words()["none"])
                ]  # fmt: skip
        if none:
            sure["no_training"] = none[0]
