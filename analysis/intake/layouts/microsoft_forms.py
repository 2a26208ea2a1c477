"""Microsoft Forms: XLSX (or its CSV), one column a question under its full wording.

https://support.microsoft.com/office/02859424-341d-4d42-b5c4-fa0b89f5aff2. Answers of one cell
are parted, and ended, by ";"; a Likert question has one column a statement. The second of two
questions with one wording carries a 2 after it.
"""

from __future__ import annotations

import re

from analysis.intake.layouts.layout import Export, Layout, Own, Readings, there

START = ("Start time", "Heure de début")
END = ("Completion time", "Heure de fin")


def signs(export: Export) -> list[str]:
    first = there(("ID",), export.headers)
    times = [*there(START, export.headers), *there(END, export.headers)]
    return [*first, *times] if first and times else []


def readings(export: Export) -> Readings:
    return {
        header: [header, re.sub(r"\d+$", "", header)] if header[-1:].isdigit() else [header]
        for header in export.headers
    }


LAYOUT = Layout(
    name="microsoft_forms",
    tool="Microsoft Forms",
    expected="ID, Start time / Heure de début, Completion time / Heure de fin",
    signs=signs,
    forms=("{q}.{a}", "{q} [{a}]"),
    own=Own(
        id=("ID",),
        date=(*START, *END),
        sent=True,
        others=r"Email|Name|Last modified time|Language|Total points|Quiz feedback"
        r"|Grade posted time|(?:Points|Feedback) - .+|Adresse de messagerie|Adresse e-mail|Nom"
        r"|Heure de (?:la )?dernière modification|Langue|Nombre total de points",
    ),
    readings=readings,
    marks=";",
)
