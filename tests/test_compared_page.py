"""The page of a comparison, and the command that makes it: what is said, in both languages."""

from __future__ import annotations

import re
import shutil
from html import unescape
from pathlib import Path

import pandas as pd
import pytest
from compared_studies import project, study
from playwright.sync_api import Browser
from test_accessible import PHONE, WIDE, opened, violations

from analysis.cli import main
from analysis.comparison.build import build, in_order
from analysis.display.compared import Comparison, open_comparison, read_comparison
from analysis.display.compared_rows import rows_of
from analysis.errors import InputError
from analysis.paths import compared_paths
from analysis.publish.check import check_site, parse
from analysis.publish.compared import _context
from analysis.publish.pages import Page, Report
from analysis.release.build import build as build_study
from analysis.study import Study, load_study

WORDING = ("Êtes-vous satisfaits de la formation ?", "Cette formation vous a-t-elle plu ?")
MORE = (",status,student", ",status,unemployed,Sans emploi,Out of work,\n,status,student")
BRAND = "brand: {fr: Essai, en: Trial}"
NBSP = "\u00a0"
REPORT = Report((Page("index", {"title": "Comparaison"}, "", ()),), ())


def brand(fr: str, en: str) -> tuple[str, str]:
    return BRAND, f"brand: {{fr: {fr}, en: {en}}}"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four studies: two regions, a small weighted one, and a later wave of the first."""
    root = project(tmp_path_factory.mktemp("compared"))
    study(root, "north", 240, yml=[brand("Nord", "North")])
    study(root, "south", 90, 0.6, seed=2, yml=[brand("Sud", "South")], form=[WORDING, MORE])
    limits = ("thresholds: {suppressed_base: 0}", "thresholds: {suppressed_base: 16}")
    study(root, "west", 40, 0.2, seed=3, weighted=True, yml=[brand("Ouest", "West"), limits])
    later = [("study: north_later", "study: north_later\nwave_of: north"), brand("Nord", "North"),
             ("start: 2026-", "start: 2028-"), ("end: 2026-", "end: 2028-")]  # fmt: skip
    study(root, "north_later", 200, 0.5, seed=4, yml=later, form=[WORDING, MORE])
    return root


@pytest.fixture(scope="module")
def studies(root: Path) -> dict[str, Study]:
    found = {name: load_study(name, root) for name in ("north", "south", "west", "north_later")}
    for one in found.values():
        build_study(one)
    return found


def compared(studies: dict[str, Study], *names: str, lang: str = "fr") -> Comparison:
    chosen = in_order([studies[name] for name in names])
    build(chosen)
    return read_comparison(chosen, lang)


def text(html: str) -> str:
    """What a piece of a page says, with plain spaces."""
    html = re.sub(r"<script.*?</script>|<svg.*?</svg>", " ", html, flags=re.DOTALL)
    plain = unescape(re.sub(r"<[^>]*>", " ", html)).replace("\\", "")
    return re.sub(r"[\s\u00a0\u202f]+", " ", plain)


def figure(comparison: Comparison, name: str) -> str:
    blocks = comparison.figures().data.split("\n::: {#fig-")
    return next(block for block in blocks if block.startswith(f"compared-{name} "))


# What is said


def test_the_headline_counts_what_is_significant(studies: dict[str, Study]) -> None:
    found = compared(studies, "north", "south")
    n = int((found.cells["p_adjusted"] < 0.05).sum())
    assert n > 2
    cells = int(found.cells["difference"].notna().sum())
    assert found.headline() == (
        f"Sud face à Nord{NBSP}: {n} écarts significatifs sur {cells} réponses comparées"
    )
    assert text(found.cards().data).split()[:3] == ["```{=html}", "5", "questions"]


def test_a_figure_says_shares_difference_bases_and_methods(studies: dict[str, Study]) -> None:
    found = compared(studies, "north", "south", lang="en")
    said = text(figure(found, "survey-training-setting"))
    cell = found.cells[found.cells["category"] == "online"].iloc[0]
    first, second = (f"{100 * cell[f'share_{side}']:.0f}%" for side in ("reference", "other"))
    gap = [f"{100 * cell[name]:+.0f}".replace("-", "−")
           for name in ("difference", "difference_low", "difference_high")]  # fmt: skip
    assert f"“Online, at a distance”: {first} (North), {second} (South)" in said
    assert f"or {gap[0]} points (interval: {gap[1]} to {gap[2]})" in said
    assert "Base: everyone, n = 240 (North) and n = 90 (South)." in said
    assert "95% Wilson interval" in said and "assumes independent samples" in said
    total = int(found.cells["p_value"].notna().sum())
    assert f"adjusted p under 0.05 (Holm, {total} comparisons)" in said


def test_numbers_of_a_figure_are_those_of_the_results(studies: dict[str, Study]) -> None:
    found = compared(studies, "north", "south")
    cells = found.cells[found.cells["question"] == "training_setting"]
    rows = rows_of(cells, found.called)
    assert list(rows["study"]) == ["north", "south"] * 4
    assert list(rows.loc[rows["study"] == "south", "share"]) == list(cells["share_other"])
    assert rows.loc[rows["study"] == "north", "difference"].isna().all()
    html = figure(found, "survey-training-setting")
    head = re.findall(r'<th scope="col"[^>]*>([^<]*)', html)
    assert head[:3] == ["Réponse", "Étude", "Part"] and "p corrigé" in head
    link = re.search(r'href="data:text/csv[^"]*"', html)
    assert link and "study%2Clabel" in link[0] and "difference_low" in link[0]


def test_both_marks_of_a_line_are_drawn_apart(studies: dict[str, Study]) -> None:
    html = figure(compared(studies, "north", "south"), "survey-training-setting")
    wide = html.split('class="still wide"')[1].split("</svg></div>")[0]
    circles = [float(y) for y in re.findall(r'<circle cx="[^"]*" cy="([^"]*)" r="5.5"', wide)]
    diamonds = [float(y) for y in re.findall(r'<svg x="[^"]*" y="([^"]*)" overflow', wide)]
    assert len(circles) == len(diamonds) == 4
    assert [b - a for a, b in zip(circles, diamonds, strict=True)] == [12] * 4


def test_what_is_kept_apart_is_told_with_what_differs(studies: dict[str, Study]) -> None:
    found = compared(studies, "north", "south")
    said = text(found.apart().data)
    assert (
        "Situation autre liste de réponses Dans Sud seulement : « Sans emploi » · des deux côtés :"
        in said
    )
    assert f"autre formulation Nord : « {WORDING[0]} » · Sud : « {WORDING[1]} »" in said
    assert "satisfaction" not in found.figures().data.split("data-layout")[0]


def test_a_share_held_back_is_told_and_not_drawn(studies: dict[str, Study]) -> None:
    found = compared(studies, "north", "west")
    said = text(found.apart().data)
    assert "parts non publiées d’un côté" in said
    assert "fig-compared-survey-motivation-student" not in found.figures().data
    hidden = found.cells[found.cells["verdict"] == "suppressed"]
    assert len(hidden) == 3 and hidden["difference"].isna().all()


def test_thresholds_are_those_of_the_study_they_are_of(studies: dict[str, Study]) -> None:
    wide = figure(compared(studies, "north", "west"), "survey-motivation-pro")
    assert "Marque creuse : estimation fragile (base de moins de 30 personnes" in text(wide)
    assert "intervalle de Korn et Graubard" in text(wide)


def test_items_of_a_battery_are_one_figure(studies: dict[str, Study]) -> None:
    said = text(figure(compared(studies, "north", "south"), "group-skills"))
    assert "Choisir un outil" in said and "Respecter le droit, et l’expliquer" in said
    assert "part d’accord avec chaque item" in said


def test_three_studies_share_a_figure_and_say_which_are_left_out(
    studies: dict[str, Study],
) -> None:
    found = compared(studies, "north", "south", "west")
    setting = text(figure(found, "survey-training-setting"))
    assert "(Nord)" in setting and "(Sud)" in setting and "(Ouest)" in setting
    said = text(figure(found, "survey-satisfaction"))
    assert "Pas de comparaison avec Sud (autre formulation)." in said
    assert found.headline() == f"Nord, Sud et Ouest{NBSP}: ce qui se compare"
    assert found.overview().data.count("{#fig-compared-widest-") == 2


def test_a_change_between_waves_warns_where_the_question_changed(
    studies: dict[str, Study],
) -> None:
    found = compared(studies, "north_later", "north")
    same = text(figure(found, "survey-training-setting"))
    assert "« En ligne, à distance » passe de" in same
    changed = text(figure(found, "survey-satisfaction"))
    assert "Satisfaction : la question a changé d’une vague à l’autre" in changed
    assert f"la formulation a changé : « {WORDING[0]} » puis « {WORDING[1]} »" in changed
    assert "question modifiée :" in changed and "écart significatif" not in changed
    listed = text(figure(found, "survey-status"))
    assert "la liste de réponses a changé : ajoutée « Sans emploi »" in listed
    assert "Nord, 2026" not in same and "(2026)" in same and "(2028)" in same
    moved = found.cells[found.cells["question"].isin(["satisfaction", "status"])]
    assert not moved["significant"].any()


def test_reconstructed_answers_are_an_illustration_and_never_significant(
    studies: dict[str, Study], root: Path
) -> None:
    yml = [brand("Est", "East"), ("synthetic: false", "synthetic: true")]
    rebuilt = study(root, "east", 90, 0.6, seed=2, yml=yml)
    build_study(rebuilt)
    found = compared(studies | {"east": rebuilt}, "north", "east")
    assert set(found.cells["evidence"]) == {"illustrative"}
    assert (found.cells["p_adjusted"] < 0.05).any() and not found.cells["significant"].any()
    said = text(found.figures().data)
    figures = found.figures().data.count("::: {#fig-")
    assert said.count("(illustration sur données reconstituées)") >= figures == 6
    assert "À titre d’illustration : le plus grand écart" in said
    assert "significatif" not in figure(found, "survey-status").split('class="note"')[0]
    assert found.headline() == f"Nord et Est{NBSP}: ce qui se compare"
    assert "illustratifs : ce ne sont pas des résultats" in text(found.cards().data)
    assert "reconstituées, aucune réelle" in text(found.about_studies().data)
    told = _context(found.called.studies, "fr", REPORT, {})
    assert "sans réponse réelle : Est." in told["banner"]
    assert _context(found.called.studies[:1], "fr", REPORT, {})["banner"] is None


def test_a_comparison_that_was_not_made_is_told(studies: dict[str, Study]) -> None:
    with pytest.raises(InputError, match="analysis compare"):
        open_comparison(["south", "west"], "fr", studies["south"].paths.root)


# The command


def call(capsys: pytest.CaptureFixture[str], root: Path, *arguments: str) -> tuple[int, str, str]:
    code = main(["compare", *arguments, "--root", str(root)])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_compare_builds_what_is_stale_and_renders_each_language(
    capsys: pytest.CaptureFixture[str], root: Path, studies: dict[str, Study], browser: Browser
) -> None:
    shutil.rmtree(studies["south"].paths.results)
    code, out, err = call(capsys, root, "north", "south", "--engine", "pandoc")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "south against north: 5 of 7 questions that both ask can be compared",
        "  not status: answers",
        "  not satisfaction: wording",
        "a difference that does not matter is declared in studies/comparisons.yml",
        "numbers in data/clean/compare/north+south/results",
        "page in _site/compare/north+south/fr",
        "page in _site/compare/north+south/en",
    ]
    site = root / "_site/compare/north+south"
    pages = {lang: site / lang / "index.html" for lang in ("fr", "en")}
    for lang, path in pages.items():
        assert check_site(path.parent, ["index"], {"fr": ["index"], "en": ["index"]}) == []
        html = path.read_text(encoding="utf-8")
        assert f'<html lang="{lang}">' in html and "Reconstructed" not in html
        assert 'href="downloads/comparison.csv"' in html
    for path, (width, scheme) in zip(
        pages.values(), [(WIDE, "light"), (PHONE, "dark")], strict=True
    ):
        page = opened(browser, path, color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        assert violations(page) == []
        page.close()
    french, english = (parse(path).ids for path in pages.values())
    assert french == english and "fig-compared-widest-south" in french
    stamp = pages["fr"].stat().st_mtime_ns
    call(capsys, root, "north", "south", "--engine", "pandoc")
    assert pages["fr"].stat().st_mtime_ns == stamp


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["north", "soth"], "write 'south'"),
        (["north", "north"], "north, twice"),
        (["north"], "two or more different studies"),
        (["north", "south", "--lang", "de"], "found:    de"),
    ],
)
def test_a_mistake_in_the_command_ends_with_2(
    capsys: pytest.CaptureFixture[str], root: Path, studies: dict[str, Study],
    names: list[str], said: str,
) -> None:  # fmt: skip
    code, out, err = call(capsys, root, *names)
    assert (code, out) == (2, "") and said in err and "to do:" in err
    assert "Traceback" not in err


def test_the_name_of_many_studies_stays_short(tmp_path: Path) -> None:
    names = tuple(f"a_region_of_the_country_{n}" for n in range(12))
    paths = compared_paths(names, tmp_path)
    assert re.fullmatch(r"a_region_of_the_country_0\+11-[0-9a-f]{8}", paths.study)
    assert compared_paths((*names[:-1], "another"), tmp_path) != paths
    assert compared_paths(("a", "b"), tmp_path).study == "a+b"


def test_no_difference_is_called_significant_without_its_p(studies: dict[str, Study]) -> None:
    cells = compared(studies, "north", "south", "west").cells
    sure = cells[cells["significant"]]
    assert len(sure) and (sure["p_adjusted"] < 0.05).all()
    apart = sure[["difference_low", "difference_high"]]
    assert ((apart > 0).all(axis=1) | (apart < 0).all(axis=1)).all()
    assert pd.isna(cells.loc[cells["difference"].isna(), "p_value"]).all()
