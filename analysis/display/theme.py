"""Colours, sizes and type of the charts, and how much room a text takes.

Colours are names of CSS custom properties: the page says what they are, in light and in dark.
"""

from __future__ import annotations

from dataclasses import dataclass

INK, SOFT, LINE, PAPER = "var(--ink)", "var(--soft)", "var(--line)", "var(--paper)"
ACCENT, PALE, TRACK, BAND = "var(--c1)", "var(--c1-pale)", "var(--track)", "var(--c1-band)"
# How much of its colour a fragile part of a bar keeps.
FAINT = 0.45
SECOND, THIRD = "var(--c2)", "var(--c3)"
NOTHING = "rgba(0,0,0,0)"

SANS = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'
SERIF = '"Iowan Old Style", Charter, "Palatino Linotype", Palatino, Georgia, serif'

LABEL, SMALL, BIG = 14, 12, 24
LEADING = 18

_NARROW = set("iljtfrI.,;:'’|!()[] \u00a0\u202f-·")
_WIDE = set("mwMW%@—…œŒ")


@dataclass(frozen=True)
class Fill:
    """The fill of an answer, the ink that is read on it, and whether dots of that ink cover it."""

    color: str
    ink: str
    dotted: bool = False


# Two halves of a scale are as dark as each other: the dots tell them apart without their colour.
AGREEMENT = [Fill(f"var(--l{n})", f"var(--on-l{n})", n < 3) for n in range(6)]
NEUTRAL = Fill("var(--neutral)", "var(--on-neutral)")
# Answers that a scale has fills for.
LEVELS = 7
# Fills of each side by its number of answers, the worst first: the two ends where there is one.
LOW = {1: (1,), 2: (1, 2), 3: (0, 1, 2)}
HIGH = {1: (4,), 2: (3, 4), 3: (3, 4, 5)}
SEQUENCE = [Fill(f"var(--s{n})", f"var(--on-s{n})") for n in range(1, 6)]


def sides(low: int, high: int) -> tuple[list[Fill], list[Fill]]:
    """Fills of the two sides of a scale, each of one to three answers, the worst first."""
    return [AGREEMENT[n] for n in LOW[low]], [AGREEMENT[n] for n in HIGH[high]]


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
