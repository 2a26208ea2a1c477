"""Attacks on what leaves the gate, by an auditor that reads nothing else.

ATTACKS and SITES say how many random studies are attacked in their results, and how many in the
pages and downloads of their site: `make attack` tries many.
"""

from __future__ import annotations

import dataclasses
import os
from functools import partial

import attacked
import numpy as np
import pandas as pd
import pytest
from attacked import Data
from auditor import NAMES, Auditor, Combinations, Told
from published import Site, needles, of_frame, small_in_texts, small_numbers

from analysis.definition import Disclosure
from analysis.display.charts import Words
from analysis.release import build, crosses
from analysis.release.disclosure import control
from analysis.release.disclosure.complementary import protect
from analysis.study import Study

ATTACKS, SITES = int(os.environ.get("ATTACKS", "200")), int(os.environ.get("SITES", "6"))
PARTS = 10
RULES = {"minimum_count": 5, "minimum_base": 5, "tolerance": 3}


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> Study:
    return attacked.make(tmp_path_factory.mktemp("attacked"), RULES)


@pytest.fixture(scope="module")
def combinations(plain) -> Combinations:
    return Combinations(plain)


def under(study: Study, rules: Disclosure) -> Study:
    """The same study under other rules."""
    return dataclasses.replace(
        study, definition=study.definition.model_copy(update={"disclosure": rules})
    )


def random_study(plain: Study, seed: int) -> tuple[Study, dict[str, pd.DataFrame]]:
    """Small bases, sparse tables, several that hang together; rules more and less strict."""
    rng = np.random.default_rng(seed)
    least, tolerance = int(rng.choice([5, 10])), int(rng.choice([3, 5]))
    rounding = 5 if seed % 8 == 7 else None
    rules = Disclosure(
        minimum_count=least, minimum_base=least, tolerance=tolerance, rounding=rounding
    )
    study = under(plain, rules)
    return study, attacked.answers(study, int(rng.integers(25, 130)), seed)


def attack(study: Study, tables: dict, combinations: Combinations) -> tuple[dict, int]:
    """What is recovered from the results of a study, and how many numbers are hidden."""
    true, told = attacked.frames(study, tables)
    rows = list(of_frame(told, "results"))
    assert study.definition.disclosure
    assert not small_numbers(rows, study.definition.disclosure.minimum_count)
    auditor = Auditor(combinations, study.definition.disclosure).see(rows)
    return attacked.recovered(auditor, tables, true, told)


@pytest.mark.parametrize("part", range(PARTS))
def test_of_random_studies_nothing_hidden_is_recovered(plain, combinations, part, monkeypatch):
    """In one part of ten the cheapest choice is looked for, in the others it is the fast one, as in
    a large study."""
    if part:
        monkeypatch.setattr(control, "protect", partial(protect, few=0))
    found = 0
    seeds = range(part, ATTACKS, PARTS)
    for seed in seeds:
        study, tables = random_study(plain, seed)
        told_too_closely, hidden = attack(study, tables, combinations)
        assert not told_too_closely, (seed, told_too_closely)
        found += hidden
    assert found > 10 * len(seeds)


def test_without_complementary_suppression_the_attack_succeeds(plain, combinations, monkeypatch):
    """The auditor can find what is hidden: with the small counts alone left out, it does."""
    monkeypatch.setattr(control, "protect", lambda task: task.closed(task.hidden))
    found, hidden = attack(*random_study(plain, 1), combinations)
    assert 0 < len(found) < hidden


def test_where_the_numbers_are_public_small_counts_are_seen(plain):
    study = under(plain, Disclosure(public=True))
    _, told = attacked.frames(study, attacked.answers(study, 60, 1))
    assert len(small_numbers(list(of_frame(told, "results")), 10)) > 20


def site_of(study: Study, seed: int, lang: str) -> tuple[Site, dict[str, pd.DataFrame]]:
    people = int(np.random.default_rng(seed).integers(40, 130))
    tables = attacked.answers(study, people, seed)
    return Site(attacked.site(study, tables, lang)), tables


def leaks(study: Study, site: Site, tables: dict, combinations: Combinations) -> list:
    """All that a site tells too closely: counts that follow, small numbers, shares of withheld
    rows."""
    true = pd.concat(attacked.computed(Data(study, tables)), ignore_index=True)
    told, rules = site.results(), study.definition.disclosure
    assert rules and len(told) == len(true)
    rows = site.rows()
    auditor = Auditor(combinations, rules).see(rows)
    found, hidden = attacked.recovered(auditor, tables, true, told)
    assert hidden > 20
    gone = true.loc[told["share"].isna(), "share"].dropna()
    return [
        *found.items(),
        *small_numbers(rows, rules.minimum_count),
        *small_in_texts(site, rules.minimum_count),
        *needles(site, list(gone)),
        *unread(site, told),
    ]


def unread(site: Site, told: pd.DataFrame) -> list:
    """Tests and measures that are shown of a table of which something is withheld, save those of
    the auditor's sums: a difference of two shares that are shown."""
    names = ["population", "variable", "by"]
    gone = set(map(tuple, told.loc[told["count"].isna(), names].to_numpy().tolist()))
    found = []
    for name, number in (("tests", "statistic"), ("measures", "value")):
        frame = pd.read_parquet(site.folder / "downloads" / f"{name}.parquet")
        shown = frame[frame[number].notna()]
        if name == "measures":
            shown = shown[~shown["measure"].isin(["difference", "lift", "net_agreement"])]
            shown = shown[shown["base_kind"] != "concerned"]
        found += [row for row in map(tuple, shown[names].to_numpy().tolist()) if row in gone]
    return found


@pytest.mark.parametrize("seed", range(SITES))
def test_of_built_sites_nothing_hidden_is_recovered(tmp_path, seed):
    """Every page, hover text, table, embedded JSON, CSV, workbook and Parquet file of a site."""
    lang, rules = ("fr", "en")[seed % 2], RULES | ({"rounding": 5} if seed % 4 == 3 else {})
    study = attacked.make(tmp_path, rules, langs=(lang,))
    site, tables = site_of(study, seed, lang)
    assert not leaks(study, site, tables, Combinations(study))


def test_a_number_in_a_hover_text_alone_is_found(tmp_path, monkeypatch):
    """A page that says under the pointer what its results withhold."""
    study = attacked.make(tmp_path, RULES)
    tables = attacked.answers(study, 80, 1)
    true = pd.concat(attacked.computed(Data(study, tables)))
    numbers = {tuple(row[:6]): row[6:] for row in
               true[[*NAMES, "count", "base_n"]].itertuples(index=False, name=None)}  # fmt: skip
    hover = Words.hover

    def tells(words, row):
        count, base = numbers[tuple(getattr(row, name) for name in NAMES)]
        return hover(words, row) + f"<br>{count:.0f} sur {base:.0f}"

    monkeypatch.setattr(Words, "hover", tells)
    site = Site(attacked.site(study, tables))
    found = leaks(study, site, tables, Combinations(study))
    assert any(isinstance(each, Told) for each in found)
    assert not small_numbers(list(site.downloaded()), RULES["minimum_count"])


def test_a_share_of_a_printed_base_is_found(tmp_path, monkeypatch):
    """A gate that withholds counts and leaves their shares."""
    for module in (build, crosses):
        monkeypatch.setattr(module, "HIDDEN", ["count"])
    study = attacked.make(tmp_path, RULES)
    tables = attacked.answers(study, 80, 1)
    attacked.built(study, tables)
    results = study.paths.results
    rows = list(of_frame(pd.read_csv(results / "crosses.csv", keep_default_na=False), "crosses"))
    assert not small_numbers(rows, RULES["minimum_count"])
    combinations = Combinations(study)
    auditor = Auditor(combinations, study.definition.disclosure).see(rows)
    true = attacked.computed(Data(study, tables))[1]
    told = pd.read_parquet(results / "crosses.parquet")
    found, hidden = attacked.recovered(auditor, tables, true.reset_index(drop=True), told)
    assert 0 < len(found) <= hidden
