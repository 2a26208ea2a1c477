"""Why people train and what for: motivations by answer and by family, objectives."""

from __future__ import annotations

import pandas as pd

from analysis.chapters.data import Data, cuts, joint, label, shares
from analysis.stats.shares import Shares

CHAPTER = "motivations"


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
    return joint(data, CHAPTER, data.study.roles.objective, data.study.roles.job)


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
    counted = Shares().several(chosen, names)
    counted = counted[counted["category"].isin(names)]
    counted = counted.assign(category=counted["category"].str.partition(":")[2])
    variable = f"{motivation.variable}_{motivation.family}"
    return [label(counted, CHAPTER, variable, population)]
