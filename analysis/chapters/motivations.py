"""Why people train and what for: motivations by answer and by family, objectives."""

from __future__ import annotations

import pandas as pd

from analysis.chapters import compare
from analysis.chapters.data import Data, cuts, label, names, shares
from analysis.stats.pairs import lifts

CHAPTER = "motivations"
# People expected to give both answers of a pair, from which on its lift is estimated.
EXPECTED = 5


def estimates(data: Data) -> list[pd.DataFrame]:
    """Shares of motivations in each population asked, of their families, and of objectives."""
    roles = data.study.roles
    tables: list[pd.DataFrame] = []
    for population, question in (roles.motivation.questions if roles.motivation else {}).items():
        tables += shares(data, CHAPTER, question, population)
        tables += families(data, question, population)
    if roles.objective:
        tables += shares(data, CHAPTER, roles.objective)
        if roles.job:
            tables += shares(data, CHAPTER, roles.objective, by=roles.job)
    return tables + cuts(data, CHAPTER)


def tests(data: Data) -> list[dict]:
    """Whether objectives depend on the job."""
    return compare.tests(data, CHAPTER, data.study.roles.objective, data.study.roles.job)


def measures(data: Data) -> list[pd.DataFrame]:
    """Lift of the pairs of answers of the questions that study.yml asks for.

    None under a survey design, for which their test does not hold.
    """
    if data.sample is not None:
        return []
    return [pairs(data, question) for question in data.study.definition.pairs]


def pairs(data: Data, question: str) -> pd.DataFrame:
    """How much more often two answers are given together than if one said nothing of the other."""
    population = data.study.population_of(question)
    found = lifts(data.chosen(question, population, data.population(population)))
    # With fewer, most intervals miss the true lift on one side.
    found = found[found["expected"] >= EXPECTED].rename(
        columns={"first": "category", "second": "by_category", "lift": "value"}
        | {"lift_low": "low", "lift_high": "high"}
    )
    named = names(data, CHAPTER, question) | {"by": data.study.variable_of(question)}
    return found.assign(**named, base_kind="respondents", measure="lift", method="delta")


def families(data: Data, question: str, population: str) -> list[pd.DataFrame]:
    """Share of people with at least one motivation of each family."""
    motivation = data.study.roles.motivation
    if motivation is None or motivation.family is None:
        return []
    sets: dict[str, list[str]] = {}
    for choice in data.study.question(question).choices:
        sets.setdefault(choice.extra.get(motivation.family, ""), []).append(choice.name)
    sets.pop("", None)
    chosen = data.chosen(question, population, data.population(population))
    names = {f"{motivation.family}:{name}": members for name, members in sets.items()}
    counted = data.how(population).several(chosen, names)
    counted = counted[counted["category"].isin(names)]
    counted = counted.assign(category=counted["category"].str.partition(":")[2])
    variable = f"{motivation.variable}_{motivation.family}"
    return [label(counted, CHAPTER, variable, population)]
