"""Pages of training consumption: what they show, and how much data they carry."""

import re

import extracts  # noqa: F401 - puts bench/ on the path
import pandas as pd
import pytest
from extract import STUDY, write_study

from analysis.display.report import open_report
from analysis.paths import PROJECT
from analysis.publish.pages import Cell, read_page
from analysis.release.build import build
from analysis.study import load_study

LIMIT = 200_000
DATA = re.compile(r'<script type="application/json"[^>]*>.*?</script>|href="data:[^"]*"', re.DOTALL)


@pytest.fixture(scope="module")
def roots(tmp_path_factory):
    """The same made-up study with few and with many rows."""
    found = {}
    for rows in (4_000, 80_000):
        root = tmp_path_factory.mktemp("consumed")
        write_study(root, rows)
        (root / "report").symlink_to(PROJECT / "report")
        build(load_study(STUDY, root))
        found[rows] = root
    return found


def cells(root, lang, page):
    """What each cell of a page gives."""
    report = open_report(STUDY, lang, root)
    parts = read_page(PROJECT / "report" / lang / f"{page}.qmd").parts
    sources = [part.source for part in parts if isinstance(part, Cell)][1:]
    return {source.strip(): eval(source, {"r": report}).data for source in sources}


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_a_page_carries_little_data_whatever_the_rows(roots, lang):
    sizes = {}
    for rows, root in roots.items():
        shown = cells(root, lang, "consumption")
        sizes[rows] = sum(
            len(found.encode()) for text in shown.values() for found in DATA.findall(text)
        )
        assert all(shown.values()), [call for call, text in shown.items() if not text]
    assert sizes[4_000] > 50_000 and max(sizes.values()) < LIMIT
    assert sizes[80_000] < 1.1 * sizes[4_000]  # more digits, no more rows


def test_volumes_are_those_of_the_results(roots):
    shown = cells(roots[4_000], "en", "consumption")['r.table("volumes")']
    rows = pd.read_csv(roots[4_000] / "data/clean" / STUDY / "results" / "estimates.csv")
    rows = rows[
        (rows["variable"] == "region") & (rows["category"] == "region_3") & rows["by"].isna()
    ]
    counts = rows.set_index("base_kind")["count"]
    line = re.search(r"<tr[^>]*><th[^>]*>region_3</th>(.*?)</tr>", shown)[1]
    told = [re.sub(r"\D", "", cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", line)]
    kinds = ["actions", "people", "trainings", "hours", "cost"]
    assert list(map(float, told)) == pytest.approx([counts[kind] for kind in kinds], abs=0.5)


def test_rules_are_shown_with_what_they_match(roots):
    folder = roots[80_000] / "data/clean" / STUDY / "results"
    titles = pd.read_csv(folder / "titles.csv", keep_default_na=False)
    matched = titles[titles["pattern"] == "midjourney"]
    assert matched["title"].str.contains("Midjourney").all() and len(matched)
    assert (matched["level"] == "use").all()
    none = titles[titles["rule"] == ""]
    assert not none["title"].str.contains("IA |ChatGPT|Midjourney|Prompts").any()
    assert none["actions"].min() >= 10 and none["actions"].is_monotonic_decreasing
    shown = cells(roots[80_000], "fr", "titles")
    assert "Midjourney" in shown['r.table("title_rules")']
    assert none["title"].iloc[0] in shown['r.table("titles_unmatched")']
    assert shown['r.table("title_quality")'].count("%") >= 18


def test_the_figure_of_providers_names_the_largest(roots):
    shown = cells(roots[4_000], "en", "consumption")['r.figure("leading-providers")']
    folder = roots[4_000] / "data/clean" / STUDY / "results"
    rows = pd.read_csv(folder / "estimates.csv")
    rows = rows[(rows["variable"] == "provider") & (rows["base_kind"] == "actions")]
    rows = rows[rows["by"].isna() & (rows["category"] != "other_providers")]
    assert len(rows) == 10
    for row in rows.itertuples():
        assert row.category in shown and f"{row.count:,.0f}" in shown
