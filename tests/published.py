"""Everything that a built site says of the rows of its results, read as a visitor could: downloads
as CSV, workbook and Parquet; the CSV, table, hover texts and sentences of each figure; the data of
the explorer."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import openpyxl
import pandas as pd
from auditor import NAMES, Told

FIELDS = {"count": "count", "base_n": "base", "share": "share", "share_low": "low",
          "share_high": "high"}  # fmt: skip
# Half a unit of the last digit: of results, of a whole percentage; of the explorer, which cuts off
# behind a ten-thousandth, one unit.
RESULTS, PERCENT, CUT = 5e-11, 0.005, 1e-4
PERCENTAGE = re.compile(r"(\d+(?:[.,]\d+)?)\s*%")
# A count over its base; no rank, score or number of items.
FRACTION = re.compile(
    r"(?<![\d,.])(?<!à )(?<!to )(?<!and )"
    r"(\d+) (?:sur|of|out of) (\d+)(?! items?| éléments?)\b"
)
DECIMAL = re.compile(r"(?<![\d.])0\.\d{6,}")
WHOLE = re.compile(r"^[\d\s]+$")
FIGURE = re.compile(r"<figure.*?</figure>", re.S)
DATA = re.compile(r'href="data:text/csv[^,]*,([^"]*)"')
TABLE = re.compile(r"<table>.*?</table>", re.S)
ROW = re.compile(r"<tr([^>]*)>(.*?)</tr>", re.S)
CELL = re.compile(r"<t[hd][^>]*>(.*?)</t[hd]>", re.S)
JSON = re.compile(r'<script type="application/json" data-layout="(\w+)">(.*?)</script>', re.S)
CITED = re.compile(r'<a href="#row-e(\d+)"[^>]*>(.*?)</a>', re.S)
OVER = re.compile(
    r'<a href="#row-e(\d+)"[^>]*>(\d+)</a>'
    r'[^<]*(?:person|people)[^<]*<a href="#row-e\1"[^>]*>(\d+)</a>'
)
TAG = re.compile(r"<[^>]+>")
# Heads of columns, in the languages of the reports.
HEADS = {"Effectif": "count", "Count": "count", "Base": "base", "Part": "share", "Share": "share",
         "Intervalle à 95 %": "interval", "95% interval": "interval"}  # fmt: skip


@dataclass(frozen=True)
class Site:
    """A built site of one language."""

    folder: Path

    def results(self) -> pd.DataFrame:
        """Estimates, then crosses, as they are to download."""
        names = ("estimates", "crosses")
        return pd.concat([pd.read_parquet(self.folder / "downloads" / f"{name}.parquet")
                          for name in names], ignore_index=True)  # fmt: skip

    def rows(self) -> list[Told]:
        return [*self.downloaded(), *self.in_pages()]

    def texts(self) -> Iterator[tuple[str, str]]:
        """Every text file of the site that we write, with its place."""
        for path in sorted(self.folder.rglob("*")):
            if path.suffix in (".html", ".csv", ".json") and "assets" not in path.parts:
                yield path.name, path.read_text(encoding="utf-8")

    def downloaded(self) -> Iterator[Told]:
        for path in sorted((self.folder / "downloads").iterdir()):
            for frame in _frames(path):
                yield from of_frame(frame, path.name)

    def in_pages(self) -> Iterator[Told]:
        estimates = pd.read_csv(self.folder / "downloads" / "estimates.csv", **_AS_IS)
        for path in sorted(self.folder.glob("*.html")):
            text = path.read_text(encoding="utf-8")
            for figure in FIGURE.findall(text):
                yield from _figure(figure, path.name)
            yield from _cited(text, estimates, path.name)
            for layout, data in JSON.findall(text):
                if layout == "explorer":
                    yield from _explorer(json.loads(data), path.name)


_AS_IS: dict = {"keep_default_na": False, "na_values": {}, "dtype": "string"}


def _frames(path: Path) -> list[pd.DataFrame]:
    """Tables of a download: one, or one a sheet."""
    if path.suffix == ".csv":
        return [pd.read_csv(path, **_AS_IS)]
    if path.suffix == ".parquet":
        return [pd.read_parquet(path)]
    if path.suffix == ".xlsx":
        sheets = openpyxl.load_workbook(path, read_only=True)
        return [_sheet(sheet) for sheet in sheets]
    return []


def _sheet(sheet: object) -> pd.DataFrame:
    rows = list(sheet.iter_rows(values_only=True))  # type: ignore[attr-defined]
    width = len(rows[0])
    return pd.DataFrame([(*row, *[None] * width)[:width] for row in rows[1:]], columns=rows[0])


def of_frame(frame: pd.DataFrame, place: str) -> Iterator[Told]:
    """Rows of a table that has the columns of estimates."""
    if not {*NAMES, "base_n", "share"} <= set(frame):
        return
    names = frame[NAMES].fillna("").astype(str).to_numpy().tolist()
    methods = frame["method"].fillna("").astype(str).tolist()
    numbers = {FIELDS[n]: pd.to_numeric(frame[n].replace("", None)).tolist()
               for n in FIELDS if n in frame}  # fmt: skip
    for at, row in enumerate(names):
        told = {
            name: (float(values[at]), 0.0 if name in ("count", "base") else RESULTS)
            for name, values in numbers.items()
            if not pd.isna(values[at])
        }
        yield Told(tuple(row), told, place, methods[at])


def _figure(figure: str, place: str) -> Iterator[Told]:
    """What a figure says: in its CSV, in its table, in its hover texts."""
    csv = DATA.search(figure)
    if not csv:
        return
    rows = pd.read_csv(io.StringIO(unquote(csv[1]).lstrip("\ufeff")), **_AS_IS)
    own = list(of_frame(rows, place))
    yield from own
    if "series_label" not in rows:  # of measures
        return
    labels = list(zip(rows["label"], rows["series_label"], strict=True))
    for table in TABLE.findall(figure):
        yield from _table(table, own, place)
    for text in _hovers(figure):
        lines = [unescape(TAG.sub("", line)) for line in text.split("<br>")]
        label, series, rest = lines[0], lines[1] if len(lines) > 1 else "", " ".join(lines[1:])
        for (one, other), row in zip(labels, own, strict=True):
            if one == label and other in ("", series):
                yield Told(row.names, _numbers(rest), place, row.method)


def _hovers(figure: str) -> Iterator[str]:
    for layout, data in JSON.findall(figure):
        if layout != "explorer":
            for trace in json.loads(data)["data"]:
                found = trace.get("hovertext", [])
                yield from [found] if isinstance(found, str) else found


def _numbers(text: str) -> dict[str, tuple[float, float]]:
    """Numbers of a text on one row: 27 % (16 % à 42 %) 11 sur 41."""
    found: dict[str, tuple[float, float]] = {}
    shares = [float(each.replace(",", ".")) / 100 for each in PERCENTAGE.findall(text)]
    if len(shares) in (1, 3):
        found["share"] = (shares[0], PERCENT)
    if len(shares) in (2, 3):
        found |= {"low": (shares[-2], PERCENT), "high": (shares[-1], PERCENT)}
    for count, base in FRACTION.findall(text):
        found |= {"count": (float(count), 0.0), "base": (float(base), 0.0)}
    return found


def _table(table: str, rows: list[Told], place: str) -> Iterator[Told]:
    """The table of numbers of a figure, which has the rows of its CSV in their order."""
    head, *body = [[unescape(TAG.sub("", cell)).replace("\xa0", " ") for cell in CELL.findall(row)]
                   for _, row in ROW.findall(table)]  # fmt: skip
    if len(body) != len(rows):
        return
    for cells, row in zip(body, rows, strict=True):
        found: dict[str, tuple[float, float]] = {}
        for title, text in zip(head, cells, strict=True):
            kind = HEADS.get(title, "")
            if kind in ("share", "interval"):
                found |= _numbers(text)
            elif kind and WHOLE.match(text):
                found[kind] = (float(re.sub(r"\s", "", text)), 0.0)
        yield Told(row.names, found, place, row.method)


def _cited(text: str, estimates: pd.DataFrame, place: str) -> Iterator[Told]:
    """Numbers of sentences, by the row that each leads to: shares, and a count over its base."""
    rows = list(of_frame(estimates, place))
    for line, number in CITED.findall(text):
        row, told = rows[int(line) - 2], unescape(TAG.sub("", number))
        if found := _numbers(told):
            yield Told(row.names, found, place, row.method)
    for line, count, base in OVER.findall(text):
        row = rows[int(line) - 2]
        told_of = {"count": (float(count), 0.0), "base": (float(base), 0.0)}
        yield Told(row.names, told_of, place, row.method)


def _explorer(data: dict, place: str) -> Iterator[Told]:
    """Every cell of the explorer, by the names of its question, answer and group."""
    cells = data["cells"]["columns"]
    groups = {by["id"]: [code for code, _ in by["groups"]] for by in data["by"]}
    for question in data["questions"]:
        answers = [code for code, _ in question["answers"]]
        kind = "concerned" if question["outside"] else "respondents"
        for by, (there, bases, places) in question["tables"].items():
            for at, cell in enumerate(places):
                group = at // len(answers)
                code = groups[by][there[group]] if by else ""
                names = (question["population"][0], question["variable"], by, code,
                         answers[at % len(answers)], kind)  # fmt: skip
                told = {"count": (cells["count"][cell], 0.0), "base": (bases[group], 0.0)}
                for name in ("share", "share_low", "share_high"):
                    if cells[name][cell] is not None:
                        told[FIELDS[name]] = (cells[name][cell] / data["part"], CUT)
                known = {n: (float(v), unit) for n, (v, unit) in told.items() if v is not None}
                yield Told(names, known, place, data["words"]["method"])


def small_numbers(rows: list[Told], least: int) -> list[Told]:
    """Rows of people with a count or a base from 1 to below the least."""
    people = ("respondents", "concerned", "mentions")
    return [
        row for row in rows
        if row.names[-1] in people and row.method != "mean_score"
        and any(0 < row.numbers.get(name, (0.0,))[0] < least for name in ("count", "base"))
    ]  # fmt: skip


# People counted in a sentence; not what a rule asks for ("under 10 people").
PEOPLE = re.compile(
    r"(?<!moins de)(?<!moins)(?<!que)(?<!1 à)(?<!1 to)(?<!than)(?<!least)(?<!under)(?<![\d,.])"
    r" (\d+) "
    r"(?:personnes?|people|person|réponses?|responses?)\b"
)
N_IS = re.compile(r"\bn = (\d+)")


def small_in_texts(site: Site, least: int) -> list[tuple[str, str]]:
    """Numbers of people from 1 to below the least in what the pages say: n = 3, 3 sur 25,
    3 personnes."""
    found = []
    for place, text in site.texts():
        if not place.endswith(".html"):
            continue
        plain = unescape(TAG.sub("", unescape(text))).replace("\xa0", " ").replace("\u202f", " ")
        for pattern in (FRACTION, N_IS, PEOPLE):
            for match in pattern.finditer(plain):
                if any(0 < int(number) < least for number in match.groups()):
                    found.append((place, plain[max(0, match.start() - 60) : match.end() + 30]))
    return found


def needles(site: Site, gone: list[float]) -> list[tuple[str, float]]:
    """Shares of withheld rows that stand in a page, to eight digits, though no number that is
    published is the same: in a hover text, an error bar or a length of a chart."""
    known = np.unique([float(n) for place, text in site.texts() if place.endswith(".csv")
                       for n in DECIMAL.findall(text)])  # fmt: skip
    # Where a bar starts is the sum of those before it.
    sums = {f"{number:.10f}"[1:10] for number in [*known, *np.add.outer(known, known).ravel()]}
    sought = {f"{share:.10f}"[1:10]: share for share in gone}
    return [
        (place, share) for place, text in site.texts() if place.endswith(".html")
        for form, share in sought.items()
        if form in text and form not in sums and not form.endswith("000")
    ]  # fmt: skip
