"""Each number of a sentence is a link to its row, and the row holds that number.

The rows are looked up in the released files, on their own: the line that the page names, the
column that the number can be of, written anew as the language writes it.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from display_results import results, study

from analysis.display import cited
from analysis.display.formats import formats
from analysis.display.report import report_of
from analysis.display.traced import MARK, Traced, lines, number, ranges, together
from analysis.paths import PROJECT
from analysis.publish.pages import read_page
from analysis.study import Study, load_study

FR, EN = report_of(study(), results(), "fr"), report_of(study(), results(), "en")
NATIONAL = load_study("cnc_afdas_2026")
# Where a number stands beside its own table, or is none of the results: figures and tables, the
# headline (the title of a figure of the page, tested below), code, the menu and the feet of pages.
ASIDE = ("figure", "table", "h1", "pre", "code", "nav", "footer", "header", "script", "style")
# What is counted in the prose itself and not by the study.
NO_RESULT = [
    r"\d{1,2}(?:er)? \w+ (?:19|20)\d\d",  # days
    r"2016/679|articles 13 (?:à|to) 22 (?:et|and) 77",  # a regulation and its articles
    r"\b(?:19|20)\d\d\b",  # years of sources
    r"entre 0 et 1(?:00 %)?|de 0 à 1|\b(?:95|100) %",  # levels of intervals, ends of scales
    r"Python \d\.\d+|Licence Ouverte \d\.\d",  # versions
    r"moins de \d+ personnes|plus de \d+ points|à partir de \d+ questions",  # rules of the study
]


class Prose(HTMLParser):
    """Runs of text of a page's body outside ASIDE, each with the link it stands in."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.aside = self.main = 0
        self.runs: list[tuple[str, str]] = []
        self.link = ""
        self.rows: dict[str, str] = {}
        self.row = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.main += tag == "main"
        self.aside += tag in ASIDE
        if tag == "a":
            self.link = values.get("href") or ""
        if tag == "tr":
            self.row = values.get("id") or ""
        if tag in ("p", "li", "dd", "div", "h2", "h3"):
            self.runs.append(("\n", ""))

    def handle_endtag(self, tag: str) -> None:
        self.main -= tag == "main"
        self.aside -= tag in ASIDE
        if tag == "a":
            self.link = ""

    def handle_data(self, data: str) -> None:
        if self.row:
            self.rows[self.row] = self.rows.get(self.row, "") + data + " | "
        if self.main and not self.aside:
            self.runs.append((data, self.link))


def plain(text: str) -> str:
    return re.sub(r"[\u00a0\u202f]", " ", text)


def labels() -> list[str]:
    """Wordings of the study, whose own numbers (ages, hours) are no results. Longest first."""
    form, columns = NATIONAL.questionnaire, NATIONAL.definition.sources.present().values()
    found = [text for q in form for c in q.choices for text in c.labels.values()]
    found += [t for s in columns for c in s.columns.values() for a in c.answers.values()
              for t in a.values()]  # fmt: skip
    found = [plain(text) for text in found if re.search(r"\d", text)]
    return sorted({*found, *(text[:1].lower() + text[1:] for text in found)}, key=len, reverse=True)


@pytest.fixture(scope="module")
def site(national_site: Path) -> Path:
    return national_site


@pytest.fixture(scope="module")
def released(national_copy: Study) -> dict[str, pd.DataFrame]:
    folder = national_copy.paths.results
    return {name: pd.read_csv(folder / f"{name}.csv", keep_default_na=False, na_values=[""])
            for name in ("estimates", "tests", "measures", "facts")}  # fmt: skip


# Those of the national study, whose every question has a role, and which has no other list.
PAGES = sorted(path.stem for path in (PROJECT / "report" / "fr").glob("*.qmd")
               if path.stem not in ("general", "lists", "titles"))  # fmt: skip


def parsed(site: Path, name: str) -> Prose:
    page = Prose()
    page.feed((site / f"{name}.html").read_text(encoding="utf-8"))
    return page


# The method page explains: its numbers are ends of scales and thresholds, of no row.
@pytest.mark.parametrize("name", [name for name in PAGES if name != "method"])
def test_every_number_of_the_prose_is_linked(site: Path, name: str) -> None:
    page = parsed(site, name)
    # A link is one sign that no number is made of, so that sentences stay whole around it.
    text = plain("".join("\u2020" if link and run.strip() else run for run, link in page.runs))
    for label in labels():
        text = text.replace(label, " ")
    for pattern in NO_RESULT:
        text = re.sub(pattern, " ", text, flags=re.MULTILINE)
    assert [f"…{text[max(m.start() - 40, 0):m.end() + 20]}…" for m in re.finditer(r"\d+", text)] \
        == []  # fmt: skip


def could_be(row: pd.Series) -> set[str]:
    """Every way the French pages may write a number of a row."""
    f = formats("fr")
    if "p_value" in row:
        return {f.p_value(row["p_value"])}
    if "category" in row and "value" in row and "measure" not in row:
        return {f.number(float(row["value"]), n) for n in (0, 2, 3)}
    if "measure" in row:
        return {f.rank(row[n]) for n in ("value", "low", "high")} | {
            f.number(row[n], 2) for n in ("value", "low", "high")
        }
    found = {
        f.percent(row["share"]), f.number(row["share"], 2), f.number(row["count"]),
        f.number(row["base_n"]), f.fraction(row["count"], row["base_n"]),
        f.interval(row["share_low"], row["share_high"]),
    }  # fmt: skip
    if row["method"] == "mean":
        found |= {f.number(row["count"] / row["base_n"], n) for n in (1, 2)}
    return found


@pytest.mark.parametrize("name", PAGES)
def test_the_row_a_number_leads_to_holds_it(
    site: Path, released: dict[str, pd.DataFrame], name: str
) -> None:
    page = parsed(site, name)
    links = [(run, link[1:]) for run, link in page.runs if link.startswith("#row-")]
    linked = {anchor for _, anchor in links}
    assert linked == {anchor for anchor in page.rows if anchor.startswith("row-")}
    for text, anchor in links:
        files = re.findall(r"(\w+)\.csv, ([\d–, ]+) \|", page.rows[anchor])
        assert len(files) == 1, page.rows[anchor]
        (file, where), spelled = files[0], []
        for part in where.split(", "):
            first, _, last = part.partition("–")
            spelled += range(int(first), int(last or first) + 1)
        rows = released[file].iloc[[line - 2 for line in spelled]]
        if len(rows) == 1:
            assert text in could_be(rows.iloc[0]), (name, text, anchor)
        else:
            # Computed from several rows: the row says the number, and how many rows it is of.
            assert f" {text} |" in page.rows[anchor].replace("·", "|")
            assert f"Calculé sur {len(rows)} lignes" in plain(page.rows[anchor])


def test_the_synthesis_cites_rows_of_every_kind(site: Path) -> None:
    page = parsed(site, "index")
    assert {anchor[4] for anchor in page.rows if anchor.startswith("row-")} >= {"e"}
    satisfaction = parsed(site, "satisfaction")
    assert any(anchor.startswith("row-t") for anchor in satisfaction.rows)
    assert any(re.fullmatch(r"row-e\d+-e\d+-19", a) for a in parsed(site, "skills").rows)


@pytest.mark.parametrize("name", PAGES)
def test_a_headline_is_the_title_of_a_figure_below_it(site: Path, name: str) -> None:
    html = (site / f"{name}.html").read_text(encoding="utf-8")
    headline = re.search(r"<h1>(.*?)</h1>", html, re.DOTALL)[1]
    assert "<a" not in headline
    if re.search(r"\d", headline):
        assert headline in html.partition("</h1>")[2]


def test_the_synthesis_answers_five_questions_and_says_what_it_cannot(site: Path) -> None:
    html = (site / "index.html").read_text(encoding="utf-8")
    questions = re.split(r"<h3[^>]*>", html.partition("</header>\n")[2])[1:]
    assert len(questions) == 5
    for question in questions:
        assert "Ce qu’on ne peut pas conclure." in question
        # Computed: a number with its row.
        assert 'href="#row-' in question.partition("Ce qu’on ne peut")[0]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_that_cites_ends_with_its_rows(name: str) -> None:
    source = (PROJECT / "report" / "fr" / f"{name}.qmd").read_text(encoding="utf-8")
    calls = re.findall(r"\br\.(?:share|count|interval|mean|base|test|fact|say|cards)\(", source)
    last = read_page(PROJECT / "report" / "fr" / f"{name}.qmd").parts[-2]
    assert (getattr(last, "source", "").strip() == 'r.table("cited")') == bool(calls)


# Without a page


@pytest.mark.parametrize("report", [FR, EN], ids=["fr", "en"])
def test_a_sentence_without_its_links_is_the_one_of_the_figure(report) -> None:
    for name in report.catalogue.figures:
        for each in report.names(name):
            say = report.say(each)
            assert str(say) == MARK.sub(r"\2", say.marked) == report._told(each).say
            linked = report.linked(say)
            shown = re.sub(r"\[((?:\\.|[^\]\\])*)\]\(#row-[\w-]+\)\{[^}]*\}", r"\1", linked)
            assert re.sub(r"\\(.)", r"\1", shown) == str(say)


def test_numbers_of_calls_know_their_row() -> None:
    for got in (
        FR.share("satisfaction", "satisfied"), FR.count("satisfaction", "satisfied"),
        FR.interval("satisfaction", "satisfied"), FR.base("satisfaction"),
        FR.mean("duration_hours"), FR.test("satisfaction", "hours", "cochran_armitage"),
    ):  # fmt: skip
        assert isinstance(got, Traced)
        [(text, rows), *_] = [piece for piece in got.pieces() if piece[1]]
        assert text == got and re.fullmatch(r"[et]\d+", rows)
    row = FR.one("satisfaction", "satisfied")
    assert FR.linked(FR.share("satisfaction", "satisfied")) == (
        f'[80\u00a0\\%](#row-{row.ref}){{.row role="doc-noteref"}}'
    )
    every = FR.sources.results.estimates
    assert every.iloc[int(row.ref[1:]) - 2]["category"] == row.category


def test_the_table_holds_each_row_once() -> None:
    report = report_of(study(), results(), "fr")
    assert report.table("cited").data == ""
    share, base = report.share("satisfaction", "satisfied"), report.base("satisfaction")
    for text in (share, report.count("satisfaction", "satisfied"), share, base):
        report.linked(text)
    html = report.table("cited").data
    assert html.count('<tr id="row-') == len({share.marked[1:5], base.marked[1:5]})
    assert "estimates.csv, " in html


def test_text_around_numbers_changes_and_keeps_their_rows() -> None:
    text = Traced("de " + number("52 %", "e3").marked + " à " + number("92 %", "e7").marked)
    assert text == "de 52 % à 92 %"
    assert list(text.change(str.upper).pieces()) == [
        ("DE ", ""), ("52 %", "E3"), (" À ", ""), ("92 %", "E7"), ("", ""),
    ]  # fmt: skip
    assert number("trois", "e3 e4").inside(str.title) == "Trois"
    assert list(number("trois", "e3").inside(str.title).pieces())[1] == ("Trois", "e3")
    assert number("n. d.", "").marked == "n. d."


def test_names_of_rows() -> None:
    assert lines("e", [0, 10]) == ["e2", "e12"]
    assert together(["e2 e3", "e3", "", "e9"]) == "e2 e3 e9"
    assert ranges([9, 3, 4, 5]) == "3–5, 9"
    assert cited.anchor("e2") == "row-e2"
    assert cited.anchor("e2 e3 e9") == "row-e2-e9-3"
