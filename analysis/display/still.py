"""A chart as SVG: what a page shows at once, on paper and without script.

It draws the specification that plotly draws (see sheet.py) when a reader points at the chart.
Across, every place is a percentage, so the picture fills any width its layout is for; down, it is
a pixel. Text keeps its size.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from analysis.display import theme

Spec = dict[str, Any]
# The little HTML that plotly reads in its texts, and what it is in SVG.
TAGS = {"<b>": '<tspan font-weight="700">', "</b>": "</tspan>", "</span>": "</tspan>"}
PATTERN = re.compile(r'fill="url\(#([^)"]*)\)"')
TAG = re.compile(r'(</?b>|</span>|<span style="[^"]*">)')
ANCHORS = {"left": "", "center": ' text-anchor="middle"', "right": ' text-anchor="end"'}


@dataclass(frozen=True)
class Across:
    """The horizontal axis of a chart: data to percentages of the plotting area."""

    low: float
    high: float

    def at(self, x: float) -> str:
        return percent((x - self.low) / (self.high - self.low))

    def place(self, part: Spec, key: str) -> str:
        """A place of a shape or a text, which may be in data, in shares of the area, in pixels."""
        if part.get("xsizemode") == "pixel":
            return number(part[key])
        return percent(part[key]) if part["xref"] == "paper" else self.at(part[key])


def number(value: float) -> str:
    """A number as short as a screen can tell."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def percent(share: float) -> str:
    return number(100 * share) + "%"


def still(spec: Spec, name: str, key: str) -> str:
    """HTML of one layout. name: that of its canvas; key: unique in the page."""
    layout = spec["layout"]
    across = Across(*layout["xaxis"]["range"])
    shapes = layout.get("shapes", [])
    below = [shape for shape in shapes if shape.get("layer") == "below"]
    above = [shape for shape in shapes if shape.get("layer") != "below"]
    body = "".join(
        [
            *(_shape(shape, across) for shape in below),
            *(part for trace in spec["data"] for part in _trace(trace, across, key)),
            *(_shape(shape, across) for shape in above),
            *(_text(note, across) for note in layout.get("annotations", [])),
        ]
    )
    margin = layout["margin"]
    patterns = "".join(map(_pattern, sorted(set(PATTERN.findall(body)))))
    return (
        f'<div class="still {name}" style="padding:0 {margin["r"]}px 0 {margin["l"]}px">'
        f'<svg height="{layout["height"]}" aria-hidden="true">{patterns}{body}</svg></div>'
    )


def _pattern(name: str) -> str:
    """Dots or lines over a fill. name: what follows `#`: key, kind, colour."""
    _, kind, colour = name.rsplit("_", 2)
    drawn = (
        f'<circle cx="3" cy="3" r="1.1" fill="var(--{colour})" opacity=".75"/>'
        if kind == "dots"
        else f'<path d="M0 0V6" stroke="var(--{colour})"/>'
    )
    return (
        f'<pattern id="{name}" width="6" height="6" patternUnits="userSpaceOnUse" '
        f'patternTransform="rotate(45)">{drawn}</pattern>'
    )


def _shape(shape: Spec, across: Across) -> str:
    x0, x1 = shape["x0"], shape["x1"]
    y0, y1, line = shape["y0"], shape["y1"], shape["line"]
    if shape["type"] == "line":
        return _line(
            (across.place(shape, "x0"), across.place(shape, "x1")), (y0, y1),
            line["color"], line["width"],
        )  # fmt: skip
    if shape["type"] == "circle":
        half = (x1 - x0) / 2
        place = f'cx="{number(x0 + half)}" cy="{number(y0 + half)}" r="{number(half)}"'
        return f'<circle {place} fill="{shape["fillcolor"]}"/>'
    if shape.get("xsizemode") == "pixel":
        left, width = number(x0), number(x1 - x0)
    else:
        span = 1.0 if shape["xref"] == "paper" else across.high - across.low
        left, width = across.place(shape, "x0"), percent((x1 - x0) / span)
    return _rect(left, y0, width, y1 - y0, {"fill": shape["fillcolor"], **_stroke(line)})


def _rect(left: str, top: float, width: str, height: float, look: dict[str, Any]) -> str:
    return (
        f'<rect x="{left}" y="{number(top)}" width="{width}" height="{number(height)}"'
        f"{_attributes(look)}/>"
    )


def _line(x: tuple[str, str], y: tuple[float, float], colour: str, width: float) -> str:
    look = _attributes({"stroke": colour, "stroke-width": width})
    return f'<line x1="{x[0]}" x2="{x[1]}" y1="{number(y[0])}" y2="{number(y[1])}"{look}/>'


def _attributes(values: dict[str, Any]) -> str:
    return "".join(f' {key}="{value}"' for key, value in values.items())


def _stroke(line: Spec, at: int = 0) -> dict[str, Any]:
    width = _one(line.get("width", 0), at)
    return {"stroke": _one(line["color"], at), "stroke-width": width} if width else {}


def _one(value: Any, at: int) -> Any:
    """Plotly takes one value for all points, or one each."""
    return value if isinstance(value, str | int | float) else value[at]


def _trace(trace: Spec, across: Across, key: str) -> Iterator[str]:
    yield from _bar(trace, across, key) if trace["type"] == "bar" else _scatter(trace, across)


def _bar(trace: Spec, across: Across, key: str) -> Iterator[str]:
    marker, lying = trace["marker"], trace.get("orientation") == "h"
    along, base, thick = trace["x" if lying else "y"][0], trace["base"][0], trace["width"][0]
    start, end = sorted((base, base + along))
    middle = trace["y" if lying else "x"][0]
    span = across.high - across.low
    if lying:
        left, width = across.at(start), percent((end - start) / span)
        top, height = middle - thick / 2, thick
    else:
        left, width = across.at(middle - thick / 2), percent(thick / span)
        top, height = start, end - start
    look = {"fill": _one(marker["color"], 0), **_stroke(marker["line"])}
    look |= {"rx": marker["cornerradius"]} if marker.get("cornerradius") else {}
    look |= {"opacity": marker["opacity"]} if "opacity" in marker else {}
    yield _rect(left, top, width, height, look)
    if "pattern" in marker:
        pattern = marker["pattern"]
        kind = "dots" if pattern["shape"] == "." else "lines"
        colour = pattern["fgcolor"].removeprefix("var(--").removesuffix(")")
        faint = {"opacity": marker["opacity"]} if "opacity" in marker else {}
        yield _rect(left, top, width, height, {"fill": f"url(#{key}_{kind}_{colour})", **faint})
    if "error_x" in trace:
        yield _interval(trace["error_x"], base + along, middle, across)


def _interval(error: Spec, x: float, y: float, across: Across) -> str:
    ends = across.at(x - error["arrayminus"][0]), across.at(x + error["array"][0])
    return _line(ends, (y, y), error["color"], error["thickness"])


def _scatter(trace: Spec, across: Across) -> Iterator[str]:
    points = list(zip(trace["x"], trace["y"], strict=True))
    if "lines" in trace["mode"]:
        line = trace["line"]
        for (x0, y0), (x1, y1) in pairwise(points):
            if y0 is not None and y1 is not None:
                x = across.at(x0), across.at(x1)
                yield _line(x, (y0, y1), line["color"], line["width"])
    if "error_x" in trace:
        yield _interval(trace["error_x"], *points[0], across)
    if "markers" in trace["mode"]:
        for at, (x, y) in enumerate(points):
            if y is not None:
                yield _mark(trace["marker"], at, across.at(x), y)


def _mark(marker: Spec, at: int, x: str, y: float) -> str:
    half = _one(marker["size"], at) / 2
    look = _attributes({"fill": _one(marker["color"], at), **_stroke(marker["line"], at)})
    symbol = marker.get("symbol", "circle")
    if symbol == "circle":
        return f'<circle cx="{x}" cy="{number(y)}" r="{number(half)}"{look}/>'
    side = half * 1.3 if symbol == "diamond" else half
    turned = ' transform="rotate(45)"' if symbol == "diamond" else ""
    side = side / math.sqrt(2) if turned else side
    corner, whole = number(-side), number(2 * side)
    # A path takes no percentages: it is drawn around the corner of a sheet set at its place.
    return (
        f'<svg x="{x}" y="{number(y)}" overflow="visible"><rect x="{corner}" y="{corner}" '
        f'width="{whole}" height="{whole}"{turned}{look}/></svg>'
    )


def _text(note: Spec, across: Across) -> str:
    font, look = note["font"], {}
    if note["xshift"]:
        look["dx"] = number(note["xshift"])
    if font["size"] != theme.LABEL:
        look["font-size"] = font["size"]
    if font["color"] != theme.INK:
        look["fill"] = font["color"]
    if "family" in font:
        look["font-family"] = html.escape(font["family"])
    if "bgcolor" in note:
        look |= {"stroke": note["bgcolor"], "class": "halo"}
    return (
        f'<text x="{across.place(note, "x")}" y="{number(note["y"])}" dy=".35em"'
        f"{ANCHORS[note['xanchor']]}{_attributes(look)}>{_inside(note['text'])}</text>"
    )


def _inside(text: str) -> str:
    """The text of an annotation: its few tags as SVG, anything else as it is read."""
    return "".join(_piece(piece) for piece in TAG.split(text))


def _piece(piece: str) -> str:
    if piece.startswith("<span"):
        return piece.replace("<span", "<tspan").replace("color:", "fill:")
    return TAGS.get(piece) or html.escape(html.unescape(piece))
