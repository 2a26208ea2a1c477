"""A sheet to draw on: plotly traces, texts and shapes in rows of pixels from the top.

The horizontal axis carries data, the vertical one pixels: so text keeps its size and its place
at every width, and the height follows from what is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import Any, TypedDict, Unpack

import plotly.graph_objects as go

from analysis.display import theme


class Type(TypedDict, total=False):
    """How a text is set."""

    size: int
    color: str
    bold: bool
    serif: bool
    ground: str  # what the text stands on, where that is not even


@dataclass
class Sheet:
    """Collects the parts of one chart; `spec` gives the plotly figure as plain data."""

    canvas: theme.Canvas
    left: int = 0
    right: int = 0
    x_range: tuple[float, float] = (0.0, 1.0)
    traces: list[dict[str, Any]] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    shapes: list[dict[str, Any]] = field(default_factory=list)

    @property
    def room(self) -> float:
        """Width of the plotting area at the least."""
        return self.canvas.width - self.left - self.right

    def text(
        self,
        y: float,
        text: str,
        *,
        x: float = 0.0,
        shift: float = 0.0,
        anchor: str = "left",
        on_data: bool = False,
        **type_: Unpack[Type],
    ) -> None:
        """One line of text, its middle at y. x: share of the plotting area, or data."""
        bold = type_.get("bold", False)
        font: dict[str, Any] = {
            "size": type_.get("size", theme.LABEL),
            "color": type_.get("color", theme.INK),
        }
        if type_.get("serif"):
            font["family"] = theme.SERIF
        ground = {"bgcolor": type_["ground"]} if type_.get("ground") else {}
        self.notes.append(
            {
                "x": x, "y": y, "text": f"<b>{text}</b>" if bold else text, "font": font,
                "xref": "x" if on_data else "paper", "yref": "y", "xanchor": anchor,
                "yanchor": "middle", "xshift": shift, "showarrow": False, "borderpad": 0,
                "align": anchor, **ground,
            }
        )  # fmt: skip

    def lines(self, y: float, texts: list[str], **how: Any) -> float:
        """Lines of text from y down; returns where the next one would start."""
        for n, text in enumerate(texts):
            self.text(y + theme.LEADING * (n + 0.5), text, **how)
        return y + theme.LEADING * len(texts)

    def track(self, y: float, height: float, start: float = 0.0, end: float = 1.0) -> None:
        """The thin ground of a bar, from 0 to 100 %."""
        self.shapes.append(
            {
                "type": "rect", "xref": "x", "yref": "y", "x0": start, "x1": end,
                "y0": y - height / 2, "y1": y + height / 2, "fillcolor": theme.TRACK,
                "line": {"width": 0}, "layer": "below",
            }
        )  # fmt: skip

    def rule(
        self, x: tuple[float, float], y: tuple[float, float], color: str, width: float = 1,
        paper: bool = False, below: bool = True,
    ) -> None:  # fmt: skip
        """A straight line."""
        self.shapes.append(
            {
                "type": "line", "xref": "paper" if paper else "x", "yref": "y", "x0": x[0],
                "x1": x[1], "y0": y[0], "y1": y[1], "line": {"color": color, "width": width},
                "layer": "below" if below else "above",
            }
        )  # fmt: skip

    def swatch(self, x: float, y: float, color: str, dots: str = "") -> None:
        """A small square x pixels from the left, for a legend, dotted where its bars are."""
        side = 12.0
        self._pixels("rect", (x, y - side / 2), side, color)
        for right, down in ((2, -4), (7, 1)) if dots else ():
            self._pixels("circle", (x + right, y + down), 3, dots)

    def _pixels(self, shape: str, corner: tuple[float, float], side: float, color: str) -> None:
        x, y = corner[0] - self.left, corner[1]
        self.shapes.append(
            {
                "type": shape, "xref": "paper", "xsizemode": "pixel", "xanchor": 0, "x0": x,
                "x1": x + side, "yref": "y", "y0": y, "y1": y + side, "fillcolor": color,
                "line": {"width": 0}, "layer": "above",
            }
        )  # fmt: skip

    def legend(self, y: float, entries: list[tuple[str, theme.Fill]]) -> float:
        """Squares with words, over as many lines as they need; returns where it ends."""
        x = 0.0
        for label, fill in entries:
            width = 18 + theme.text_width(label, theme.SMALL + 1) + 16
            if x and x + width - 16 > self.canvas.width:
                x, y = 0.0, y + 22
            self.swatch(x, y + 11, fill.color, fill.ink if fill.dotted else "")
            self.text(
                y + 11, escape(label, quote=False), shift=x - self.left + 18,
                size=theme.SMALL + 1, color=theme.SOFT,
            )  # fmt: skip
            x += width
        return y + 22

    def spec(self, height: float) -> dict[str, Any]:
        """The chart as plain data, checked by plotly."""
        layout = {
            "height": round(height),
            "margin": {"l": self.left, "r": self.right, "t": 0, "b": 0, "pad": 0},
            "paper_bgcolor": theme.NOTHING,
            "plot_bgcolor": theme.NOTHING,
            "font": {"family": theme.SANS, "size": theme.LABEL, "color": theme.INK},
            "xaxis": {"visible": False, "fixedrange": True, "range": list(self.x_range)},
            "yaxis": {"visible": False, "fixedrange": True, "range": [round(height), 0]},
            "showlegend": False,
            "dragmode": False,
            "barmode": "overlay",
            "hovermode": "closest",
            "hoverlabel": {
                "bgcolor": theme.PAPER, "bordercolor": theme.LINE, "align": "left",
                "font": {"family": theme.SANS, "size": 13, "color": theme.INK},
            },
            "annotations": self.notes,
            "shapes": self.shapes,
        }  # fmt: skip
        figure = go.Figure({"data": self.traces, "layout": layout})
        # plotly's own template is 7 kB of colours that no chart of ours uses.
        figure.layout.template = None
        return figure.to_plotly_json()
