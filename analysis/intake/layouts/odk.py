"""ODK Central (and Briefcase): CSV with `group-question` headers and answers parted by spaces.

https://docs.getodk.org/central-submissions/. Several answers come as one column, and as one
`question/answer` column an answer beside it where the export splits them.
"""

from __future__ import annotations

from analysis.intake.layouts.layout import Export, Layout, Own, Readings, pieces, there

SIGNS = ("KEY", "SubmissionDate", "meta-instanceID", "instanceID", "SubmitterID", "ReviewState")


def readings(export: Export) -> Readings:
    """Headers without the groups before them."""
    return {header: pieces(header, "-") for header in export.headers}


def signs(export: Export) -> list[str]:
    found = there(SIGNS, export.headers, least=2)
    return found if "KEY" in found else []


LAYOUT = Layout(
    name="odk",
    tool="ODK Central",
    expected="SubmissionDate, KEY",
    signs=signs,
    forms=("{q}/{a}",),
    own=Own(
        id=("KEY", "meta-instanceID", "instanceID"),
        date=("start", "SubmissionDate", "today", "end"),
        sent=True,
        others=r"meta-\w+|instanceName|Submitter\w+|Attachments\w+|Status|ReviewState|DeviceID"
        r"|Edits|FormVersion|deviceid|phonenumber|username|audit|isValidated",
    ),
    readings=readings,
    marks=" ",
    companion=r"(.+)_other",
)
