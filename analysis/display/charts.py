"""The charts: rows in, plotly specifications out, one for a wide page and one for a phone.

Each function lays out a frame of rows (see rows.py) on a canvas. Only bar and scatter traces,
shapes and annotations are used, so a partial build of plotly.js draws them all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from analysis.definition import Battery
from analysis.display import theme
from analysis.display.catalogue import Entry
from analysis.display.formats import lower_first
from analysis.display.labels import Labels
from analysis.display.sheet import Sheet

Spec = dict[str, Any]
# Beside the base of a line whose bars are too pale to be seen so.
WEAK = "◇ "


@dataclass(frozen=True)
class Words:
    """What a chart needs beside its rows: labels and formats, and its entry of the catalogue.

    `each`: labels by study, where rows are of several.
    """

    labels: Labels
    entry: Entry
    steps: tuple[str, ...] = ()
    step_notes: tuple[str, ...] = ()
    each: Mapping[str, Labels] = field(default_factory=dict)

    def verdict(self, row: Any) -> str:
        """The verdict of a row and why, by the thresholds of the study it is of."""
        labels = self.each[row.study] if self.each else self.labels
        return labels.verdict(row.verdict, row.reason)

    def value(self, row: Any) -> str:
        """The number printed at the end of a mark."""
        formats = self.labels.formats
        if row.verdict == "suppressed":
            return formats.withheld
        if self.entry.value == "count":
            return formats.number(row.count)
        if self.entry.value == "fraction":
            return f"{formats.number(row.count)}\u00a0/\u00a0{formats.number(row.base_n)}"
        if self.entry.value == "mean":
            return formats.number(row.share, 2)
        if self.entry.value == "rank":
            return formats.with_ends(*map(formats.rank, (row.share, row.share_low, row.share_high)))
        return formats.percent(row.share)

    def hover(self, row: Any) -> str:
        """What the pointer shows: the same numbers as the table, in one line each."""
        formats, lines = self.labels.formats, [f"<b>{escape(str(row.label))}</b>"]
        if row.series_label:
            lines.append(escape(str(row.series_label)))
        lines.append(self.value(row))
        if not math.isnan(row.share_low) and self.entry.value == "share":
            lines[-1] += f" ({formats.interval(row.share_low, row.share_high)})"
        if self.entry.value == "share" and row.verdict != "suppressed":
            lines.append(formats.fraction(row.count, row.base_n))
        if row.verdict != "ok":
            lines.append(escape(self.verdict(row)))
        return "<br>".join(lines)

    def base_number(self, row: Any) -> str:
        """The base of a row, as a number."""
        return self.labels.formats.told(self.labels.formats.number(row.base_n), row.verdict)

    def count_number(self, row: Any) -> str:
        """The count of a row, as a number."""
        return self.labels.formats.told(self.labels.formats.number(row.count), row.verdict)

    def base(self, n: float) -> str:
        """A base as it stands beside a label: n = 243."""
        formats = self.labels.formats
        told = formats.withheld if math.isnan(n) else formats.number(n)
        return self.labels.term("figure", "n", n=told)


def draw(rows: pd.DataFrame, words: Words) -> dict[str, Spec]:
    """Both layouts of a figure, by the name of their canvas."""
    chart = CHARTS[words.entry.kind]
    return {canvas.name: chart(rows, words, canvas) for canvas in (theme.WIDE, theme.NARROW)}


def records(rows: pd.DataFrame) -> list[Any]:
    return list(rows.itertuples(index=False))


@dataclass(frozen=True)
class Look:
    """How a bar is drawn where it is not the plain one: its place, its fill, its interval."""

    thick: float = 14
    start: float = 0.0
    fill: theme.Fill | None = None  # that of an answer, which pales where it is fragile
    length: float | None = None
    interval: bool = True


def _hidden(row: Any) -> bool:
    return bool(row.verdict == "suppressed" or math.isnan(row.share))


def _count(row: Any) -> float:
    """A count to draw; one that may not be shown has no length."""
    return 0.0 if math.isnan(row.count) else float(row.count)


def _bar(row: Any, y: float, words: Words, look: Look) -> Spec:
    """One horizontal bar: full where the estimate holds, pale and outlined where it is fragile,
    hatched where it may not be shown."""
    if _hidden(row):
        return _hatch(y, look.thick, (0.0, 1.0), words.hover(row))
    trace: Spec = {
        "type": "bar", "orientation": "h", "y": [y], "base": [look.start],
        "width": [look.thick], "x": [row.share if look.length is None else look.length],
        "marker": {"color": [look.fill.color if look.fill else theme.ACCENT], "cornerradius": 2,
                   "line": {"width": 0}},
        "hoverinfo": "text", "hovertext": [words.hover(row)], "cliponaxis": False,
    }  # fmt: skip
    if row.verdict == "fragile" and look.fill is None:
        trace["marker"] |= {"color": [theme.PALE], "line": {"width": 1.5, "color": theme.ACCENT}}
    if row.verdict == "fragile" and look.fill is not None:
        trace["marker"]["opacity"] = theme.FAINT
    if look.fill and look.fill.dotted:
        trace["marker"]["pattern"] = {
            "shape": ".", "fgcolor": look.fill.ink, "fillmode": "overlay", "size": 7,
            "solidity": 0.1, "fgopacity": 0.75,
        }  # fmt: skip
    if look.interval and not math.isnan(row.share_low):
        trace["error_x"] = _interval(row, theme.INK, 1.6)
    return trace


def _interval(row: Any, colour: str, thickness: float) -> Spec:
    """The interval of an estimate, as a thin line over the end of its mark."""
    return {
        "type": "data", "symmetric": False, "array": [row.share_high - row.share],
        "arrayminus": [row.share - row.share_low], "color": colour, "thickness": thickness,
        "width": 0,
    }  # fmt: skip


def _hatch(y: float, thick: float, ends: tuple[float, float], hover: str) -> Spec:
    """The place of an estimate that is not released."""
    return {
        "type": "bar", "orientation": "h", "y": [y], "base": [ends[0]], "width": [thick],
        "x": [ends[1] - ends[0]], "hoverinfo": "text", "hovertext": [hover],
        "marker": {
            "color": [theme.TRACK], "line": {"width": 0},
            "pattern": {"shape": "/", "fgcolor": theme.SOFT, "size": 6, "solidity": 0.15},
        },
    }  # fmt: skip


def _label(sheet: Sheet, y: float, row: Any, room: float, tag: str = "") -> float:
    """The label of a line, whole, above its mark, with its tag in a softer type after it."""
    lines = theme.wrap(str(row.label), room)
    tag_width = theme.text_width(tag, theme.SMALL) + 8
    fits = bool(tag) and theme.text_width(lines[-1]) + tag_width <= room
    texts = [escape(line, quote=False) for line in lines]
    if fits:
        texts[-1] += _soft(f"\u2002{tag}")
    y = sheet.lines(y, texts)
    if tag and not fits:
        small = [_soft(escape(line, quote=False)) for line in theme.wrap(tag, room, theme.SMALL)]
        y = sheet.lines(y, small)
    return y


def _soft(text: str) -> str:
    return f'<span style="font-size:{theme.SMALL}px;color:{theme.SOFT}">{text}</span>'


def bars(rows: pd.DataFrame, words: Words, canvas: theme.Canvas) -> Spec:
    """Lines of a label above a bar on a track to 100 %, the value at the right."""
    found = records(rows)
    values = [words.value(row) for row in found]
    right = math.ceil(max(theme.text_width(v, theme.LABEL, bold=True) for v in values)) + 10
    sheet = Sheet(canvas, right=right, x_range=(0.0, _end(rows, words)))
    y = 2.0
    for row, value in zip(found, values, strict=True):
        y = _label(sheet, y, row, canvas.width, str(row.tag)) + 10
        sheet.track(y, 14, end=sheet.x_range[1])
        counted = words.entry.value == "count"
        look = Look(length=_count(row) if counted else None, interval=not counted)
        sheet.traces.append(_bar(row, y, words, look))
        sheet.text(y, value, x=1, shift=right, anchor="right", bold=True)
        y += 16
    return sheet.spec(y)


def _end(rows: pd.DataFrame, words: Words) -> float:
    """Where the track ends: 100 % for a share, the largest count for counts."""
    largest = max(map(_count, records(rows)))
    return largest or 1.0 if words.entry.value == "count" else 1.0


def diverging(rows: pd.DataFrame, words: Words, canvas: theme.Canvas) -> Spec:
    """Items around one zero line: disagreement to the left, agreement to the right, totals at
    the ends, the base and those not concerned at the right of each label."""
    battery = _battery(rows["key"], words)
    share = rows.set_index(["key", "series"])["share"]
    disagree, agree = words.labels.study.sides
    low = max(share.xs(disagree, level="series").fillna(0).max(), 0.05)
    high = max(share.xs(agree, level="series").fillna(0).max(), 0.05)
    total = theme.text_width("100 %", theme.LABEL, bold=True) + 8
    # A text on the very edge of the range would not be drawn.
    ends = (-low * 1.001, high * 1.001)
    sheet = Sheet(canvas, left=math.ceil(total), right=math.ceil(total), x_range=ends)
    y = 0.0
    for key in rows["key"].drop_duplicates():
        y = _item(sheet, y, rows[rows["key"] == key], words)
    return sheet.spec(sheet.legend(y + 2, _scale_legend(rows, battery)))


def _battery(items: Iterable[Any], words: Words) -> Battery:
    """The battery of the items of a chart: they are all of one."""
    found = words.labels.study.battery_of(str(next(iter(items))))
    if found is None:
        raise ValueError("a diverging chart is of the items of a battery")
    return found


def _scale_legend(rows: pd.DataFrame, battery: Battery) -> list[tuple[str, theme.Fill]]:
    names = rows.drop_duplicates("series").set_index("series")["series_label"]
    fills = _scale_fills(battery)
    return [(names[answer], fills[answer]) for answer in battery.scale]


def _scale_fills(battery: Battery) -> dict[str, theme.Fill]:
    """From strong disagreement to strong agreement, the neutral answer in grey."""
    sides = theme.sides(len(battery.disagree), len(battery.agree))
    fills = dict(zip([*battery.disagree, *battery.agree], [*sides[0], *sides[1]], strict=True))
    return fills | dict.fromkeys(battery.neutral, theme.NEUTRAL)


def _item(sheet: Sheet, y: float, item: pd.DataFrame, words: Words) -> float:
    """One item of a battery: label and base above, the answers of its two sides below."""
    cells = {row.series: row for row in records(item)}
    label, note = next(iter(cells.values())), _item_base(cells, words)
    room = sheet.canvas.width
    small = theme.text_width(note, theme.SMALL) + 12
    lines = theme.wrap(str(label.label), room)
    beside = not sheet.canvas.narrow and theme.text_width(lines[-1]) + small <= room
    end = sheet.lines(y, [escape(t, quote=False) for t in lines], shift=-sheet.left)
    if beside:
        sheet.text(
            end - 9, note, x=1, shift=sheet.right, anchor="right", size=theme.SMALL,
            color=theme.SOFT,
        )  # fmt: skip
    else:
        end = sheet.lines(end, [_soft(note)], shift=-sheet.left)
    middle = end + 12
    _halves(sheet, middle, cells, words)
    sheet.rule((0, 0), (middle - 12, middle + 12), theme.INK, 1.2, below=False)
    return middle + 22


def _item_base(cells: dict[str, Any], words: Words) -> str:
    agree = cells[words.labels.study.sides[1]]
    battery = _battery([agree.key], words)
    fragile = any(row.verdict == "fragile" for row in cells.values())
    parts = [(WEAK if fragile else "") + words.base(agree.base_n)]
    # What is on neither side stands outside the bars.
    parts += [
        f"{lower_first(str(cells[answer].series_label))}\u00a0: {words.value(cells[answer])}"
        for answer in battery.neutral
    ]
    outside = cells.get(battery.not_concerned or "")
    if outside is not None:
        n = words.count_number(outside)
        parts.append(words.labels.term("figure", "not_concerned", n=n))
    return " · ".join(parts)


def _halves(sheet: Sheet, y: float, cells: dict[str, Any], words: Words) -> None:
    """The bars of one item from the zero line outwards, and the total of each side."""
    disagree, agree = words.labels.study.sides
    battery = _battery([cells[agree].key], words)
    fills = _scale_fills(battery)
    sides = [(list(reversed(battery.disagree)), -1, disagree), (battery.agree, 1, agree)]
    if any(_hidden(cells[answer]) for answers, _, _ in sides for answer in answers):
        hover = words.hover(cells[sides[1][2]])
        sheet.traces.append(_hatch(y, 18, sheet.x_range, hover))
        return
    for answers, sign, total in sides:
        start = 0.0
        for answer in answers:
            row = cells[answer]
            length = sign * row.share
            trace = _bar(row, y, words, Look(18, start, fills[answer], length, False))
            trace["marker"]["cornerradius"] = 0
            sheet.traces.append(trace)
            start += length
        sheet.text(
            y, words.value(cells[total]), x=start, on_data=True, shift=6 * sign, bold=True,
            anchor="left" if sign > 0 else "right",
        )  # fmt: skip


def stacked(rows: pd.DataFrame, words: Words, canvas: theme.Canvas) -> Spec:
    """One bar to 100 % a group, cut into the answers of a scale."""
    answers = rows.drop_duplicates("series")
    fills = _palette(words.entry.palette, len(answers))
    by_answer = dict(zip(answers["series"], fills, strict=True))
    sheet, y = Sheet(canvas), 0.0
    y = sheet.legend(y, list(zip(answers["series_label"], fills, strict=True))) + 6
    for key in rows["key"].drop_duplicates():
        y = _stack(sheet, y, records(rows[rows["key"] == key]), words, by_answer)
    return sheet.spec(y)


def _palette(name: str, n: int) -> list[theme.Fill]:
    """Fills of n answers: two sides around a neutral middle, or spread over those there are."""
    if name == "agreement" and n <= theme.LEVELS:
        low, high = theme.sides(n // 2, n // 2)
        return [*low, *([theme.NEUTRAL] if n % 2 else []), *high]
    fills = theme.SEQUENCE
    if n > len(fills):
        raise ValueError(f"a stacked bar holds {len(fills)} answers at most, not {n}")
    return [fills[round(k * (len(fills) - 1) / max(n - 1, 1))] for k in range(n)]


def _stack(
    sheet: Sheet, y: float, cells: list[Any], words: Words, fills: dict[str, theme.Fill]
) -> float:
    first = cells[0]
    if first.label:
        mark = WEAK if any(cell.verdict == "fragile" for cell in cells) else ""
        y = _label(sheet, y, first, sheet.canvas.width, mark + words.base(first.base_n))
    start, middle = 0.0, y + 13
    if any(_hidden(cell) for cell in cells):
        hidden = next(cell for cell in cells if _hidden(cell))
        sheet.traces.append(_hatch(middle, 22, (0.0, 1.0), words.hover(hidden)))
    for cell in cells:
        if _hidden(cell):
            continue
        fill, share = fills[cell.series], cell.share
        trace = _bar(cell, middle, words, Look(22, start, fill, share, False))
        trace["marker"] |= {"cornerradius": 0, "line": {"width": 1, "color": theme.PAPER}}
        sheet.traces.append(trace)
        value = words.value(cell)
        if theme.text_width(value, 13, bold=True) + 6 <= share * sheet.room:
            weak = cell.verdict == "fragile"
            sheet.text(
                middle, value, x=start + share / 2, on_data=True, anchor="center", size=13,
                color=theme.INK if weak else fill.ink, bold=True,
                ground=fill.color if fill.dotted and not weak else "",
            )  # fmt: skip
        start += share
    return middle + 22


def bands(rows: pd.DataFrame, words: Words, canvas: theme.Canvas) -> Spec:
    """A line over ordered bands, intervals as soft bars behind, counts under each band."""
    found, n = records(rows), len(rows)
    left, top, plot = 46, 26.0, 220.0
    sheet = Sheet(canvas, left=left, x_range=(-0.5, n - 0.5))
    _grid(sheet, top, plot, words)
    heights = [top + plot * (1 - (0 if math.isnan(r.share) else r.share)) for r in found]
    for at, row in enumerate(found):
        if not _hidden(row):
            sheet.traces += _soft_bar(at, row, top, plot)
    sheet.traces.append(_line(found, heights, words))
    for at, row in enumerate(found):
        _point_value(sheet, at, heights, words.value(row))
    bottom = top + plot + 8
    room = sheet.room / n - 4
    ends = [_under(sheet, at, bottom, row, room, words) for at, row in enumerate(found)]
    return sheet.spec(max(ends) + 2)


def _grid(sheet: Sheet, top: float, plot: float, words: Words) -> None:
    """Quarters of 100 %, labelled at the left: the values are read off the points."""
    for share in (0, 0.25, 0.5, 0.75, 1.0):
        y = top + plot * (1 - share)
        sheet.rule((0, 1), (y, y), theme.LINE, paper=True)
        text = words.labels.formats.percent(share)
        sheet.text(y, text, shift=-sheet.left, size=theme.SMALL, color=theme.SOFT)


def _soft_bar(at: int, row: Any, top: float, plot: float) -> list[Spec]:
    """The interval of a point, as a broad soft bar behind it, and a thin line that is seen by
    those who do not see soft colours."""
    low = row.share if math.isnan(row.share_low) else row.share_low
    high = row.share if math.isnan(row.share_high) else row.share_high
    return [
        {
            "type": "scatter", "mode": "lines", "x": [at, at], "hoverinfo": "skip",
            "y": [top + plot * (1 - low), top + plot * (1 - high)],
            "line": {"color": colour, "width": width},
        }
        for colour, width in ((theme.BAND, 10), (theme.ACCENT, 1.2))
    ]  # fmt: skip


def _line(found: list[Any], heights: list[float], words: Words) -> Spec:
    """Points joined by a line; a fragile point is hollow, a hidden one is not drawn."""
    fragile = [row.verdict == "fragile" for row in found]
    shown = [h if row.verdict != "suppressed" else None
             for h, row in zip(heights, found, strict=True)]  # fmt: skip
    return {
        "type": "scatter", "mode": "lines+markers", "x": list(range(len(found))), "y": shown,
        "line": {"color": theme.ACCENT, "width": 2.5},
        "marker": {
            "size": [11 if weak else 10 for weak in fragile], "opacity": 1,
            "color": [theme.PAPER if weak else theme.ACCENT for weak in fragile],
            "line": {"width": [2 if weak else 1.5 for weak in fragile],
                     "color": [theme.ACCENT if weak else theme.PAPER for weak in fragile]},
        },
        "hoverinfo": "text", "hovertext": [words.hover(row) for row in found],
        "cliponaxis": False,
    }  # fmt: skip


def _point_value(sheet: Sheet, at: int, heights: list[float], value: str) -> None:
    """The value of a point, in a quarter that the line does not cross."""
    here = heights[at]
    before = heights[at - 1] if at else None
    after = heights[at + 1] if at + 1 < len(heights) else None
    if after is None or after >= here:
        side, up = 1, -1
    elif before is None or before >= here:
        side, up = -1, -1
    else:
        side, up = 1, 1
    if after is None and sheet.canvas.narrow:
        side = -1 if before is None or before >= here else side
    sheet.text(
        here + 13 * up, value, x=at, on_data=True, shift=8 * side, bold=True,
        anchor="left" if side > 0 else "right",
    )  # fmt: skip


def _under(sheet: Sheet, at: int, y: float, row: Any, room: float, words: Words) -> float:
    """Band and counts under a point, cut into lines that fit between its neighbours."""
    size = theme.SMALL if sheet.canvas.narrow else theme.LABEL
    counts = words.labels.formats.fraction(row.count, row.base_n)
    if sheet.canvas.narrow:
        counts = f"{words.labels.formats.number(row.count)}/{words.base_number(row)}"
    how: dict[str, Any] = {"x": at, "on_data": True, "anchor": "center"}
    y = sheet.lines(y, theme.wrap(str(row.label), room, size), size=size, **how)
    texts = theme.wrap(counts, room, theme.SMALL)
    return sheet.lines(y, texts, size=theme.SMALL, color=theme.SOFT, **how)


def flow(rows: pd.DataFrame, words: Words, canvas: theme.Canvas) -> Spec:
    """Steps of the response flow: bars that shrink, the number, the step and its reason."""
    return _flow_rows(rows, words, canvas) if canvas.narrow else _flow_columns(rows, words, canvas)


def _flow_columns(rows: pd.DataFrame, words: Words, canvas: theme.Canvas) -> Spec:
    found, n = records(rows), len(rows)
    largest, floor = max(*map(_count, found), 1.0), 64.0
    sheet = Sheet(canvas, x_range=(-0.46, n - 0.54))
    room = canvas.width / n - 14
    ends = []
    for at, row in enumerate(found):
        height = floor * _count(row) / largest
        sheet.traces.append(_block(at, floor, height, row, words))
        left: dict[str, Any] = {"x": at - 0.46, "on_data": True}
        sheet.text(
            floor + 20, words.count_number(row), size=theme.BIG, serif=True, bold=True, **left
        )
        y = sheet.lines(floor + 38, theme.wrap(words.steps[at], room), **left)
        soft = theme.wrap(words.step_notes[at], room, theme.SMALL)
        ends.append(sheet.lines(y, soft, size=theme.SMALL, color=theme.SOFT, **left))
    return sheet.spec(max(ends) + 2)


def _block(at: int, floor: float, height: float, row: Any, words: Words) -> Spec:
    return {
        "type": "bar", "x": [at], "y": [-height], "base": [floor], "width": [0.92],
        "marker": {"color": theme.ACCENT, "cornerradius": 2, "line": {"width": 0}},
        "hoverinfo": "text", "hovertext": [words.hover(row)],
    }  # fmt: skip


def _flow_rows(rows: pd.DataFrame, words: Words, canvas: theme.Canvas) -> Spec:
    found = records(rows)
    largest = max(*map(_count, found), 1.0)
    sheet, y = Sheet(canvas, left=64), 2.0
    for at, row in enumerate(found):
        number = words.count_number(row)
        sheet.text(y + 14, number, shift=-64, size=theme.BIG, serif=True, bold=True)
        bar = _bar(row, y + 10, words, Look(16, length=_count(row) / largest, interval=False))
        sheet.traces.append(bar)
        y = sheet.lines(y + 24, theme.wrap(words.steps[at], sheet.room))
        soft = theme.wrap(words.step_notes[at], sheet.room, theme.SMALL)
        y = sheet.lines(y, soft, size=theme.SMALL, color=theme.SOFT) + 12
    return sheet.spec(y)


def dots(rows: pd.DataFrame, words: Words, canvas: theme.Canvas) -> Spec:
    """Two or three groups compared on each line: a mark and an interval each, values at right."""
    return _marks(rows, words, canvas, 0)


def pairs(rows: pd.DataFrame, words: Words, canvas: theme.Canvas) -> Spec:
    """The same with each mark on a line of its own, so that intervals are told apart; how far the
    groups are apart stands after the label."""
    return _marks(rows, words, canvas, 12)


def _marks(rows: pd.DataFrame, words: Words, canvas: theme.Canvas, step: float) -> Spec:
    """step: pixels from the mark of one group down to that of the next."""
    series = rows.drop_duplicates("series")
    marks = dict(zip(series["series"], MARKS, strict=False))
    column = math.ceil(theme.text_width("100 %", theme.LABEL, bold=True)) + 8
    sheet = Sheet(canvas, right=column * len(series))
    y = _dots_legend(sheet, list(zip(series["series_label"], marks.values(), strict=True)))
    down = step * (len(series) - 1)
    for key in rows["key"].drop_duplicates():
        cells = records(rows[rows["key"] == key])
        y = _label(sheet, y, cells[0], canvas.width, _dots_base(cells, words)) + 11
        sheet.track(y + down / 2, 6 + down)
        for row in cells:
            at = list(marks).index(row.series)
            if not _hidden(row):
                sheet.traces.append(_dot(row, y + step * at, marks[row.series], words))
            sheet.text(
                y + down / 2, words.value(row), x=1, shift=column * (at + 1), anchor="right",
                bold=True, color=marks[row.series][1],
            )  # fmt: skip
        y += down + 17
    return sheet.spec(y)


def gaps(rows: pd.DataFrame, words: Words, canvas: theme.Canvas) -> Spec:
    """A difference and its interval a line, around the line of no difference; told at the right,
    or on a phone under the label."""
    found = records(rows[rows["difference"].notna()])
    told = max(theme.text_width(row.gap, theme.LABEL, bold=True) for row in found)
    ends = rows[["difference_low", "difference_high"]].to_numpy(dtype=float)
    end = max(0.1, float(np.nanmax(abs(ends)))) * 1.06
    beside = not canvas.narrow
    right = math.ceil(told) + 14 if beside else 0
    sheet, y = Sheet(canvas, right=right, x_range=(-end, end)), 2.0
    for row in found:
        y = _label(sheet, y, row, canvas.width, str(row.tag))
        if not beside:
            y = sheet.lines(y, [row.gap], bold=True)
        sheet.track(y + 11, 6, -end, end)
        sheet.rule((0, 0), (y, y + 22), theme.INK, 1.2, below=False)
        sheet.traces.append(_gap(row, y + 11, words))
        if beside:
            sheet.text(y + 11, row.gap, x=1, shift=right, anchor="right", bold=True)
        y += 28
    return sheet.spec(y)


def _gap(row: Any, y: float, words: Words) -> Spec:
    """A difference drawn as a share is, with what it is a difference of under the pointer."""
    drawn = row._replace(
        share=row.difference, share_low=row.difference_low, share_high=row.difference_high
    )
    said = "<br>".join([f"<b>{escape(str(row.label))}</b>", escape(str(row.tag)), row.gap])
    return _dot(drawn, y, MARKS[0], words) | {"hovertext": [said]}


MARKS = [
    ("circle", theme.ACCENT, "●"),
    ("diamond", theme.SECOND, "◆"),
    ("square", theme.THIRD, "■"),
]


def _dots_base(cells: list[Any], words: Words) -> str:
    """After the label: its tag, or the base where lines are groups and each has its own."""
    return str(cells[0].tag) or (words.base(cells[0].base_n) if words.entry.by else "")


def _dots_legend(sheet: Sheet, entries: list[tuple[str, tuple[str, str, str]]]) -> float:
    y = 0.0
    for label, (_, colour, sign) in entries:
        texts = theme.wrap(label, sheet.canvas.width - 18, theme.SMALL + 1)
        sheet.text(y + 9, sign, color=colour)
        y = sheet.lines(y, texts, shift=18, size=theme.SMALL + 1, color=colour)
    return y + 8


def _dot(row: Any, y: float, mark: tuple[str, str, str], words: Words) -> Spec:
    symbol, colour, _ = mark
    weak = row.verdict == "fragile"
    trace: Spec = {
        "type": "scatter", "mode": "markers", "x": [row.share], "y": [y], "cliponaxis": False,
        "marker": {
            "symbol": symbol, "size": 11, "color": theme.PAPER if weak else colour, "opacity": 1,
            "line": {"width": 2 if weak else 1, "color": colour if weak else theme.PAPER},
        },
        "hoverinfo": "text", "hovertext": [words.hover(row)],
    }  # fmt: skip
    if not math.isnan(row.share_low):
        trace["error_x"] = _interval(row, colour, 1.4)
    return trace


def columns(rows: pd.DataFrame, words: Words, canvas: theme.Canvas) -> Spec:
    """Counts over months: columns where there is room, short lines on a phone."""
    if canvas.narrow:
        return _column_rows(rows, words, canvas)
    found, n = records(rows), len(rows)
    largest, plot, top = max(*map(_count, found), 1.0), 150.0, 22.0
    sheet, floor = Sheet(canvas, x_range=(-0.5, n - 0.5)), top + plot
    for at, row in enumerate(found):
        height = plot * _count(row) / largest
        sheet.traces.append(_block(at, floor, height, row, words) | {"width": [0.72]})
        how: dict[str, Any] = {"x": at, "on_data": True, "anchor": "center"}
        sheet.text(floor - height - 11, words.value(row), size=13, bold=True, **how)
        sheet.text(floor + 14, _month(row, words), size=theme.SMALL, color=theme.SOFT, **how)
    sheet.rule((0, 1), (floor, floor), theme.INK, paper=True, below=False)
    return sheet.spec(floor + 26)


def _month(row: Any, words: Words) -> str:
    months = row.variable == "month"
    return words.labels.formats.month(row.category, short=True) if months else str(row.label)


def _column_rows(rows: pd.DataFrame, words: Words, canvas: theme.Canvas) -> Spec:
    found = records(rows)
    names = [_month(row, words) for row in found]
    left = math.ceil(max(theme.text_width(name) for name in names)) + 8
    right = math.ceil(max(theme.text_width(words.value(r), bold=True) for r in found)) + 8
    largest = max(*map(_count, found), 1.0)
    sheet, y = Sheet(canvas, left=left, right=right), 12.0
    for row, name in zip(found, names, strict=True):
        sheet.text(y, name, shift=-left)
        look = Look(length=_count(row) / largest, interval=False)
        sheet.traces.append(_bar(row, y, words, look))
        sheet.text(y, words.value(row), x=1, shift=right, anchor="right", bold=True)
        y += 24
    return sheet.spec(y - 10)


def ranks(rows: pd.DataFrame, words: Words, canvas: theme.Canvas) -> Spec:
    """A mark and its interval a line, the first rank at the left, rank and interval in figures
    at the right."""
    found = records(rows)
    values = [words.value(row) for row in found]
    right = math.ceil(max(theme.text_width(v, theme.LABEL, bold=True) for v in values)) + 14
    last = max(len(found), 2)
    # Room at both ends, or half of a mark on the first rank would be cut.
    sheet, y = Sheet(canvas, right=right, x_range=(1 - 0.03 * last, 1.03 * last)), 2.0
    for row, value in zip(found, values, strict=True):
        y = _label(sheet, y, row, canvas.width, str(row.tag)) + 11
        sheet.track(y, 6, 1, last)
        if not _hidden(row):
            sheet.traces.append(_dot(row, y, MARKS[0], words))
        sheet.text(y, value, x=1, shift=right, anchor="right", bold=True)
        y += 17
    return sheet.spec(y)


CHARTS: dict[str, Callable[[pd.DataFrame, Words, theme.Canvas], Spec]] = {
    "bars": bars,
    "diverging": diverging,
    "bands": bands,
    "stacked": stacked,
    "flow": flow,
    "dots": dots,
    "columns": columns,
    "ranks": ranks,
    "pairs": pairs,
    "gaps": gaps,
}
