"""Qualtrics: CSV, TSV or XLSX with three header rows (codes, wordings, ImportId).

https://www.qualtrics.com/support/survey-platform/data-and-analysis-module/data/download-data/
understanding-your-dataset/. Answers come as choice text or as numbers; several ones in one cell
parted by ",", or in one column an answer where the export splits them.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from analysis.intake.layouts.layout import Export, Layout, Own, Readings, there

IMPORT = '{"ImportId"'
SIGNS = ("StartDate", "EndDate", "ResponseId", "RecordedDate", "Finished")


def signs(export: Export) -> list[str]:
    if len(export.rows) > 1 and any(cell.startswith(IMPORT) for cell in export.rows[1]):
        return [IMPORT]
    return there(SIGNS, export.headers, least=3)


def readings(export: Export) -> Readings:
    """Codes, then wordings, which name a choice after a dash."""
    texts = export.rows[0] if export.rows else [""] * len(export.headers)
    return {
        header: [header, text, re.sub(r" - Selected Choice(?= - |$)", "", text)]
        for header, text in zip(export.headers, texts, strict=True)
    }


def heads(export: Export, _is_header: Callable[[str], bool]) -> int:
    """Two rows below the codes, where ImportId is still there."""
    return 2 if signs(export) == [IMPORT] else 0


LAYOUT = Layout(
    name="qualtrics",
    tool="Qualtrics",
    expected='{"ImportId":…}, StartDate, ResponseId',
    signs=signs,
    forms=("{q}_{a}", "{q} - {a}"),
    own=Own(
        id=("ResponseId",),
        date=("StartDate", "RecordedDate", "EndDate"),
        finished=("Finished",),
        others=r"Status|IPAddress|Progress|Duration \(in seconds\)|Recipient\w+|ExternalReference"
        r"|ExternalDataReference|Location\w+|DistributionChannel|UserLanguage|Q_\w+",
    ),
    readings=readings,
    heads=heads,
    marks=",",
    blanks=("-99",),
    position=r"([1-9]\d*)",
    companion=r"(.+?)(?:_\w+)?_TEXT",
)
