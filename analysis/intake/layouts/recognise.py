"""Which layout a file has: the one study.yml names, where it fits, or the one the file shows."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from analysis.errors import InputError
from analysis.intake.fields import fields
from analysis.intake.layouts import (
    google_forms,
    kobo,
    limesurvey,
    microsoft_forms,
    odk,
    qualtrics,
    sphinx,
    spss,
)
from analysis.intake.layouts.layout import Export, Layout
from analysis.intake.layouts.words import plain
from analysis.intake.texts import Failure, problem
from analysis.study import Study

PLAIN = "plain"
# In the order they are recognised: signs that nothing else has go first.
LAYOUTS: dict[str, Layout] = {
    module.LAYOUT.name: module.LAYOUT
    for module in (spss, qualtrics, sphinx, limesurvey, odk, kobo, microsoft_forms, google_forms)
}
# Layouts that may be told by nothing but wordings as headers, where their own columns are gone.
WORDED = ("google_forms", "microsoft_forms", "sphinx")
FIRST_ROWS = 4


def export_of(path: Path, frame: pd.DataFrame) -> Export:
    """The headers and the first rows of a file."""
    first = frame.head(FIRST_ROWS).astype(object)
    rows = first.where(first.notna(), "").to_numpy().tolist()
    return Export(path, [str(name) for name in frame], rows)


def layout_of(study: Study, source: str, export: Export, file: str) -> Layout | None:
    """The layout of a file; none is the plain one, which needs nothing.

    Raises InputError where study.yml names another layout than the file has.
    """
    named = study.definition.sources.present()[source].layout
    if named in LAYOUTS and LAYOUTS[named].signs(export):
        return LAYOUTS[named]
    shown = None if _is_plain(study, source, export) else _shown(export)
    if shown is None and _is_worded(study, source, export):
        shown = LAYOUTS[named if named in WORDED else WORDED[0]]
    if named is None or (named == PLAIN and shown is None) or (shown and shown.name == named):
        return shown
    raise InputError([_wrong(named, shown, export, file)])


def _is_plain(study: Study, source: str, export: Export) -> bool:
    """Whether each header is a name of the study or one that recodes.csv speaks of."""
    known = {name for field in fields(study, source).values() for name in field.headers}
    known |= {i.found for i in study.recodes if i.source == source and i.kind != "value"}
    return known.issuperset(export.headers)


def _shown(export: Export) -> Layout | None:
    """The first layout with a sign in the file."""
    return next((layout for layout in LAYOUTS.values() if layout.signs(export)), None)


def _is_worded(study: Study, source: str, export: Export) -> bool:
    """Whether most headers are wordings of questions."""
    labels = {
        plain(label)
        for field in fields(study, source).values()
        for label in field.labels.values()
        if field.question
    }
    return 2 * sum(plain(header) in labels for header in export.headers) > len(export.headers)


def _wrong(named: str, shown: Layout | None, export: Export, file: str) -> Failure:
    """A layout named that is not the file's, with what shows it."""
    meant = LAYOUTS.get(named)
    expected = f"{meant.tool} ({meant.expected})" if meant else PLAIN
    if shown is None:
        return problem("layout_unseen", file, 1, value=named, known=expected)
    why = ", ".join(shown.signs(export) or export.headers[:3])
    return problem(
        "layout_other", file, 1, value=f"{shown.tool} ({why})", known=expected, right=shown.name
    )
