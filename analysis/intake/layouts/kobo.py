"""KoboToolbox: CSV or XLSX, XML names or labels, groups in the header or not.

https://support.kobotoolbox.org/export_download.html. Several answers come as one column, as one
column an answer, or as both; groups are cut off with "/" or ".".
"""

from __future__ import annotations

from analysis.intake.layouts.layout import Export, Layout, Own, Readings, pieces, there

SIGNS = ("_uuid", "_submission_time", "_id", "_validation_status", "_submitted_by", "__version__")


def readings(export: Export) -> Readings:
    """Headers without the groups before them."""
    return {
        header: list(dict.fromkeys([*pieces(header, "/"), *pieces(header, ".")]))
        for header in export.headers
    }


LAYOUT = Layout(
    name="kobo",
    tool="KoboToolbox",
    expected="_uuid, _submission_time",
    signs=lambda export: there(SIGNS, export.headers, least=2),
    forms=("{q}/{a}", "{q}.{a}"),
    own=Own(
        id=("_uuid", "_id"),
        date=("start", "_submission_time", "today", "end"),
        sent=True,
        others=r"_\w+|__version__|meta/\w+|deviceid|phonenumber|username|simserial|subscriberid"
        r"|audit|formhub/uuid",
    ),
    readings=readings,
    marks=" ",
    companion=r"(.+)_other",
)
