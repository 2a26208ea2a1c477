"""LimeSurvey: CSV or XLSX, question codes or texts as headers, answer codes or full answers.

https://www.limesurvey.org/manual/Exporting_results. Several answers and batteries come as one
column a subquestion: `q[SQ001]`, `q_SQ001` (expression-manager codes), `q.SQ001.` (R), or
`Question [Answer]`. Full answers write N/A for a box that was never shown.
"""

from __future__ import annotations

from analysis.intake.layouts.layout import Export, Layout, Own, Readings, there

CODES = ("submitdate", "lastpage", "startlanguage", "seed")
TEXTS = (
    "Date submitted", "Last page", "Start language", "Seed",
    "Date de soumission", "Dernière page", "Langue de départ", "Tête de série",
)  # fmt: skip


def signs(export: Export) -> list[str]:
    codes = [reading for header in readings(export).values() for reading in header]
    return there(CODES, codes, least=2) or there(TEXTS, codes, least=2)


def readings(export: Export) -> Readings:
    """Headers, and the code and the text of those that hold both (`code. Text`)."""
    return {
        header: [header, *(part.strip() for part in header.split(". ", 1) if ". " in header)]
        for header in export.headers
    }


LAYOUT = Layout(
    name="limesurvey",
    tool="LimeSurvey",
    expected="submitdate, lastpage, startlanguage",
    signs=signs,
    forms=("{q}[{a}]", "{q} [{a}]", "{q}_{a}", "{q}.{a}."),
    own=Own(
        id=("id", "Response ID", "ID de la réponse"),
        date=(
            "startdate", "datestamp", "submitdate", "Date started", "Date de lancement",
            "Date last action", "Date de la dernière action",
            "Date submitted", "Date de soumission",
        ),
        filled=("submitdate", "Date submitted", "Date de soumission"),
        others=r"lastpage|startlanguage|seed|ipaddr|refurl|token|interviewtime|groupTime\d+"
        r"|questionTime\d+|Last page|Start language|Seed|IP address|Referrer URL|Access code"
        r"|Token|Total time|Dernière page|Langue de départ|Tête de série|Adresse IP"
        r"|URL de référence|Code d.accès|Temps total|Group time.*|Question time.*",
    ),
    readings=readings,
    blanks=("n/a",),
    position=r"(?:AO?|SQ)?0*([1-9]\d*)",
    companion=r"(.+?)(?:\[other\]|_other|\.other\.|\[comment\]|_comment| \[(?:Other|Autre)\])",
    free_other=True,
)  # fmt: skip
