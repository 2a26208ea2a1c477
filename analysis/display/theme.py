"""Colours, sizes and type of the charts, and how much room a text takes.

Colours are names of CSS custom properties: the page says what they are, in light and in dark.
"""

from __future__ import annotations

from dataclasses import dataclass

INK, SOFT, LINE, PAPER = "var(--ink)", "var(--soft)", "var(--line)", "var(--paper)"
ACCENT, PALE, TRACK, BAND = "var(--c1)", "var(--c1-pale)", "var(--track)", "var(--c1-band)"
# How much of its colour a fragile part of a bar keeps.
FAINT = 0.5
SECOND, THIRD = "var(--c2)", "var(--c3)"
NOTHING = "rgba(0,0,0,0)"
AGREEMENT = ["var(--l1)", "var(--l2)", "var(--l3)", "var(--l4)"]
ON_AGREEMENT = ["var(--on-l1)", "var(--on-l2)", "var(--on-l3)", "var(--on-l4)"]
SEQUENCE = ["var(--s1)", "var(--s2)", "var(--s3)", "var(--s4)", "var(--s5)"]
ON_SEQUENCE = ["var(--on-s1)", "var(--on-s2)", "var(--on-s3)", "var(--on-s4)", "var(--on-s5)"]

SANS = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'
SERIF = '"Iowan Old Style", Charter, "Palatino Linotype", Palatino, Georgia, serif'

LABEL, SMALL, BIG = 14, 12, 24
LEADING = 18

_NARROW = set("iljtfrI.,;:'’|!()[] \u00a0\u202f-·")
_WIDE = set("mwMW%@—…œŒ")


@dataclass(frozen=True)
class Canvas:
    """A width a chart is laid out for, in CSS pixels: it may be wider, never narrower."""

    name: str
    width: int

    @property
    def narrow(self) -> bool:
        return self.name == "narrow"


# The breakpoint stands in charts.js: from 620 pixels on, the wide layout is drawn.
WIDE = Canvas("wide", 620)
NARROW = Canvas("narrow", 280)


def text_width(text: str, size: float = LABEL, bold: bool = False) -> float:
    """Width of a text in pixels, on the safe side for the system fonts it may be set in."""
    units = sum(
        0.36 if c in _NARROW else 0.95 if c in _WIDE else 0.72 if c.isupper() else 0.6 for c in text
    )
    return units * size * (1.07 if bold else 1.0)


def wrap(text: str, width: float, size: float = LABEL, bold: bool = False) -> list[str]:
    """A text cut at its spaces into lines that fit a width. No-break spaces never break."""
    lines: list[str] = []
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size, bold) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
