"""Le Sphinx (iQ2, iQ3, Declic): CSV or XLSX, with a row of variable names and one of wordings.

The tool's own columns are CLE, DATE_SAISIE, ORIGINE_SAISIE and their like. Whichever of names and
wordings comes first, the other row is no answer. Several answers come in one cell parted by ";",
or in one column an answer.
"""

from __future__ import annotations

from collections.abc import Callable

from analysis.intake.layouts.layout import Export, Layout, Own, Readings, there

OWN = (
    "CLE", "DATE_SAISIE", "DATE_ENREG", "DATE_MODIF", "TEMPS_SAISIE", "ORIGINE_SAISIE",
    "LANG_SAISIE", "APPAREIL_SAISIE", "PROGRESSION", "DERNIERE_QUESTION_SAISIE",
)  # fmt: skip
MOST_HEADS = 3


def signs(export: Export) -> list[str]:
    """Its own columns, in whichever header row they stand."""
    for row in (export.headers, *export.rows[:MOST_HEADS]):
        if found := there(OWN, row, least=2):
            return found
    return []


def readings(export: Export) -> Readings:
    """Headers, and what stands below them in further rows of headers."""
    return {
        header: [header, *(row[at] for row in export.rows)]
        for at, header in enumerate(export.headers)
    }


def heads(export: Export, is_header: Callable[[str], bool]) -> int:
    """Rows where at least half of what is written is a name or a wording of the study."""
    count = 0
    for row in export.rows[:MOST_HEADS]:
        written = [cell for cell in row if cell]
        known = sum(is_header(cell) for cell in written)
        if known < 2 or 2 * known < len(written):
            break
        count += 1
    return count


LAYOUT = Layout(
    name="sphinx",
    tool="Le Sphinx",
    expected="CLE, DATE_SAISIE, ORIGINE_SAISIE",
    signs=signs,
    forms=("{q}_{a}", "{q} - {a}", "{q}/{a}", "{q} : {a}"),
    own=Own(
        id=("CLE",),
        date=("DATE_SAISIE", "DATE_ENREG"),
        others="|".join(OWN) + r"|\w+_SAISIE|USER_AGENT|IP|CLE_\w+",
    ),
    readings=readings,
    heads=heads,
    marks=";",
    blanks=("non réponse", "non-réponse"),
    position=r"([1-9]\d*)",
)
