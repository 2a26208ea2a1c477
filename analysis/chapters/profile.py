"""Who answered: one table a profile question."""

from __future__ import annotations

import pandas as pd

from analysis.chapters.data import Data, cuts, shares
from analysis.study_checks import role_questions

CHAPTER = "profile"
# Roles whose questions stand in this chapter.
OWN = ("profile", "status", "job", "ai_use")


def estimates(data: Data) -> list[pd.DataFrame]:
    """Shares of each profile question, and the cuts study.yml asks for.

    What other chapters group people by is also shown here, whether `profile` names it or not.
    """
    roles = data.study.roles
    also = [name for name in (roles.status, roles.job, roles.ai_use) if name]
    # A question that plays another part has its table in that chapter.
    elsewhere = {name for (_, role, *_), name in role_questions(roles) if role not in OWN}
    questions = [name for name in dict.fromkeys([*roles.profile, *also]) if name not in elsewhere]
    tables = [table for question in questions for table in shares(data, CHAPTER, question)]
    return tables + cuts(data, CHAPTER)
