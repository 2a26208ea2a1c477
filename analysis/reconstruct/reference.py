"""What a figure of the register counts: which variable, which answers, among whom."""

from __future__ import annotations

from dataclasses import dataclass

from analysis import expression
from analysis.reconstruct.register import Figure
from analysis.study import Study

# Categories of the register that stand for the base itself, and its words for response flow.
BASE_CATEGORIES = ("base", "total")
FLOW = "response_flow"
FLOWS = (
    "responses_any",
    "responses_complete",
    "responses_partial",
    "partial_retained",
    "partial_dropped",
    "retained",
)
ALL_ROWS = ""
ACTIONS, TRAININGS = "actions", "trainings"
BAND, MEAN_BAND, MEAN_HOURS = "duration_band", "mean_duration_band", "duration_hours"


@dataclass(frozen=True)
class Reference:
    """`answers` None: everyone who answered. `mentions`: the base counts mentions, not rows."""

    source: str
    variable: str
    answers: tuple[str, ...] | None
    where: str = "true()"
    mentions: bool = False

    @property
    def reads(self) -> set[str]:
        return expression.parse(self.where).questions()


def refer(study: Study, figure: Figure) -> Reference | None:
    """What a figure counts; None where no file of the study could carry it."""
    population = study.definition.populations.get(figure.population)
    source = population.source if population else "survey"
    where = population.where if population else "true()"
    if figure.variable == FLOW:
        return Reference(source, FLOW, (figure.category,)) if figure.category in FLOWS else None
    if figure.variable in (TRAININGS, MEAN_BAND):
        source = TRAININGS
    if figure.variable == source:
        return Reference(source, ALL_ROWS, None, where)
    variable, category = figure.variable, figure.category
    if "_x_" in variable:
        variable, _, by = variable.partition("_x_")
        group, _, category = category.partition(":")
        where = f"({where}) and ${{{by}}} = '{group}'"
    question = _question(study, variable, figure.population, category)
    answers = _answers(study, variable, question, category)
    if answers is None and category not in BASE_CATEGORIES:
        return None
    return Reference(source, question, answers, where, figure.base_kind == "responses")


def _question(study: Study, variable: str, population: str, category: str) -> str:
    """The question behind a variable that several questions ask, or that derives from one."""
    derived = study.definition.derived.get(variable)
    if derived is not None:
        return derived.source
    motivation = study.roles.motivation
    if motivation is None or variable != motivation.variable:
        return variable
    if population in motivation.questions:
        return motivation.questions[population]
    asked = [q for q in motivation.questions.values() if category in study.question(q).answers]
    return asked[0] if len(asked) == 1 else variable


def _answers(study: Study, variable: str, question: str, category: str) -> tuple[str, ...] | None:
    definition, battery = study.definition, study.battery_of(question)
    if variable in definition.derived and category in definition.derived[variable].answers:
        return tuple(definition.derived[variable].answers[category].answers)
    if category in answers_of(study, question):
        return (category,)
    if category in definition.answer_sets.get(question, {}):
        return tuple(definition.answer_sets[question][category].answers)
    if battery:
        side = study.totals(battery).get(category)
        return tuple(side) if side else None
    return None


def answers_of(study: Study, variable: str) -> list[str]:
    """Answers of a question, a column or a band of length."""
    if study.questionnaire is not None and variable in study.questionnaire:
        return study.questionnaire[variable].answers
    if variable in (BAND, MEAN_BAND):
        return [band.name for band in study.definition.duration_bands]
    if variable == MEAN_HOURS:
        return ["mean"]
    for source in study.definition.sources.present().values():
        if variable in source.columns:
            return list(source.columns[variable].answers)
    return []
