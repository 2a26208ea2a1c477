"""Google Forms: CSV or the linked sheet, one column a question under its full wording.

https://support.google.com/docs/answer/139706. Boxes ticked stand in one cell, parted by ", ",
which may also stand within a wording; a grid has one column a row, `Question [Row]`.
"""

from __future__ import annotations

from analysis.intake.layouts.layout import Layout, Own, there

STAMPS = ("Timestamp", "Horodateur", "Horodatage")

LAYOUT = Layout(
    name="google_forms",
    tool="Google Forms",
    expected="Timestamp / Horodateur",
    signs=lambda export: there(STAMPS, export.headers[:1]),
    forms=("{q} [{a}]",),
    own=Own(
        date=STAMPS,
        sent=True,
        numbered=True,
        others=r"Email Address|Adresse e-mail|Username|Nom d.utilisateur|Score|Total score"
        r"|.+ \[(?:Score|Feedback)\]",
    ),
    marks=",;",
)
