"""Who answered: one table a profile question."""

from __future__ import annotations

import pandas as pd

from analysis.chapters.data import Data, cuts, shares

CHAPTER = "profile"


def estimates(data: Data) -> list[pd.DataFrame]:
    """Shares of each profile question, and the cuts study.yml asks for.

    What other chapters group people by is also shown here, whether `profile` names it or not.
    """
    roles = data.study.roles
    also = [name for name in (roles.status, roles.job, roles.ai_use) if name]
    questions = dict.fromkeys([*roles.profile, *also])
    tables = [table for question in questions for table in shares(data, CHAPTER, question)]
    return tables + cuts(data, CHAPTER)
