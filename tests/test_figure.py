import csv
import dataclasses
import html
import io
import json
import re
from html.parser import HTMLParser
from urllib.parse import unquote

import pandas as pd
import pypandoc
import pytest
from display_results import results, study

from analysis.display import tables
from analysis.display.figure import illustrative, markdown, raw, script
from analysis.display.report import report_of
from analysis.display.results import TEST_NUMBERS
from analysis.display.tables import csv_link, table_html

REPORT = report_of(study(), results(), "fr")
EVERY = [each for name in REPORT.catalogue.figures for each in REPORT.names(name)]
VOID = {"input", "br", "meta", "link"}


class Checked(HTMLParser):
    """Fails where a tag is closed that was not opened, or left open."""

    def __init__(self, text):
        super().__init__()
        self.open, self.seen = [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def all(self, tag):
        return [attributes for name, attributes in self.seen if name == tag]


def parts(text):
    """Id, HTML and caption of a block."""
    match = re.fullmatch(
        r"\n::: \{#(\S+) \.\w+\}\n`{3,}\{=html\}\n(.*)\n`{3,}\n\n(.*)\n:::\n", text, re.DOTALL
    )
    assert match, text[:300]
    return match.groups()


@pytest.mark.parametrize("name", EVERY)
def test_a_block_is_a_div_with_its_caption_last(name):
    key, body, caption = parts(REPORT.figure(name).data)
    assert key == f"fig-{name}"
    assert "```" not in body
    assert "\n" not in caption
    page = Checked(body)
    chart = next(a for a in page.all("div") if a.get("class") == "chart")
    assert chart["role"] == "img"
    assert chart["aria-label"] == REPORT.say(name)
    ids = [a["id"] for _, a in page.seen if "id" in a]
    assert chart["aria-describedby"] in ids
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", EVERY)
def test_the_table_is_there_without_script(name):
    _, body, _ = parts(REPORT.figure(name).data)
    page = Checked(body)
    assert {a.get("scope") for a in page.all("th")} == {"col", "row"}
    assert len(page.all("caption")) == len(page.all("details")) == len(page.all("summary")) == 1
    assert [a for a in page.all("button") if "hidden" in a]  # only script can make a picture
    rows = re.findall(r"<tr><th scope=\"row\">", body)
    entry_rows = REPORT._rows(name)
    assert len(rows) == len(entry_rows)


def test_the_table_shows_the_numbers_of_the_chart():
    _, body, _ = parts(REPORT.figure("satisfaction-by-hours").data)
    first = re.search(r"<tbody><tr>(.*?)</tr>", body).group(1)
    cells = [html.unescape(c) for c in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", first)]
    assert cells == [
        "4\u00a0h ou moins",
        "Satisfaisant ou plutôt satisfaisant",
        "52\u00a0%",
        "33\u00a0% à 70\u00a0%",
        "13",
        "25",
        "−31 (−50 à −13)",
        "fragile (base de moins de 30 personnes)",
        "établi par les chiffres publiés",
    ]


def changed(change, **more):
    """The report on estimates that were changed."""
    estimates = change(results().estimates.copy())
    return report_of(study(), dataclasses.replace(results(), estimates=estimates, **more), "fr")


def table_of(name, report=REPORT):
    """Heads of the columns of a figure's table, and its rows by their own head."""
    body = parts(report.figure(name).data)[1]
    head, *lines = re.findall(r"<tr[^>]*>(.*?)</tr>", body)
    cells = [
        [html.unescape(c) for c in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line)]
        for line in (head, *lines)
    ]
    return cells[0], cells[1:]


def note_of(name, report=REPORT):
    body = parts(report.figure(name).data)[1]
    return html.unescape(re.search(r'<p class="note"[^>]*>(.*?)</p>', body).group(1))


def weak(variable, reason, verdict="fragile"):
    def change(estimates):
        cells = (estimates["variable"] == variable) & (estimates["by"] == "")
        estimates.loc[cells, ["verdict", "reason"]] = [verdict, reason]
        return estimates

    return change


def test_simultaneous_intervals_stand_where_a_whole_distribution_is_read():
    head, lines = table_of("age")
    at = head.index("Intervalle simultané à 95\u00a0%")
    row = REPORT.one("age", "under_30")
    assert lines[0][at] == REPORT.formats.interval(row.joint_low, row.joint_high)
    assert head.index("Intervalle à 95\u00a0%") == at - 1
    for other in ("settings", "satisfaction-by-hours", "question-bases"):
        assert "Intervalle simultané à 95\u00a0%" not in table_of(other)[0]


def test_the_difference_to_all_others_stands_beside_the_share_of_a_group():
    head, lines = table_of("satisfaction-by-hours")
    found = [line[head.index("Écart au reste, en points")] for line in lines]
    assert found[0] == "−31 (−50 à −13)"
    assert found[1:4] == ["", "", ""]
    # The share is published, the difference is not: the mark stands beside it.
    assert found[4] == "+23 (+14 à +32) ·\u00a0illustratif"
    assert "Écart au reste, en points" not in table_of("age")[0]


def test_a_difference_of_another_group_or_base_is_not_shown():
    measures = results().measures.copy()
    measures.loc[measures["measure"] == "difference", "base_kind"] = "concerned"
    report = changed(lambda estimates: estimates, measures=measures)
    assert "Écart au reste, en points" not in table_of("satisfaction-by-hours", report)[0]


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("small_base", "base de moins de 30 personnes"),
        ("wide_interval", "intervalle de plus de 40 points"),
        ("few_units", "moins de 8 degrés de liberté"),
        ("no_valid_test", "aucun test valable"),
    ],
)
def test_a_fragile_estimate_says_why(reason, told):
    report = changed(weak("age", reason))
    head, lines = table_of("age", report)
    assert {line[head.index("Avis")] for line in lines} == {f"fragile ({told})"}
    drawn = re.search(r"<script.*?</script>", report.figure("age").data).group()
    assert drawn.count(f"<br>fragile ({told})") == len(lines)
    assert f"Marque claire et cerclée\u00a0: estimation fragile ({told})." in note_of("age", report)
    assert "fragile" not in note_of("age")


def test_reasons_follow_the_thresholds_of_the_study():
    limits = study().definition.thresholds.model_copy(
        update={"fragile_base": 50, "fragile_width": 0.25, "fragile_df": 12, "suppressed_base": 5}
    )
    definition = study().definition.model_copy(update={"thresholds": limits})
    report = report_of(dataclasses.replace(study(), definition=definition), results(), "fr")
    every = "hidden_base;small_base", "small_base;wide_interval", "few_units"
    assert report.labels.reasons(every) == [
        "base de moins de 5 personnes",
        "base de moins de 50 personnes",
        "intervalle de plus de 25 points",
        "moins de 12 degrés de liberté",
    ]


@pytest.mark.parametrize(
    ("name", "variable", "mark"),
    [
        ("satisfaction", "satisfaction", "◇ et couleur pâle"),
        ("skills-organisation", "skill_support_team", "◇ et couleur pâle"),
        ("informal-by-status", "informal_learning", "Marque creuse"),
        ("settings", "training_setting", "Marque claire et cerclée"),
    ],
)
def test_every_kind_of_figure_says_why_it_is_fragile(name, variable, mark):
    report = changed(weak(variable, "small_base;wide_interval"))
    told = "base de moins de 30 personnes ou intervalle de plus de 40 points"
    assert f"{mark}\u00a0: estimation fragile ({told})." in note_of(name, report)


def test_only_the_reasons_that_occur_are_told():
    def change(estimates):
        estimates = weak("age", "small_base")(estimates)
        return weak("status", "few_units")(estimates)

    note = note_of("age", changed(change))
    assert "30 personnes" in note
    assert "degrés" not in note and "points" not in note


def test_a_suppressed_estimate_says_why():
    def change(estimates):
        cell = (estimates["variable"] == "job") & (estimates["category"] == "editor")
        hidden = ["base_n", "count", "share", "share_low", "share_high"]
        estimates.loc[cell, hidden] = float("nan")
        estimates.loc[cell, ["verdict", "reason"]] = ["suppressed", "hidden_base;small_base"]
        return estimates

    report = changed(change)
    head, lines = table_of("jobs", report)
    row = next(line for line in lines if line[0] == "Montage")
    assert row[head.index("Avis")] == "non publié (base de moins de 10 personnes)"
    assert row[head.index("Part")] == row[head.index("Base")] == "secret"
    assert "Hachures\u00a0: estimation non publiée (base de moins de 10 personnes)." in note_of(
        "jobs", report
    )


def test_a_figure_of_which_nothing_is_released_says_so():
    def change(estimates):
        cells = estimates["variable"].eq("status") & estimates["by"].eq("")
        hidden = ["base_n", "count", "share", "share_low", "share_high"]
        estimates.loc[cells, hidden] = float("nan")
        return weak("status", "hidden_base", "suppressed")(estimates)

    report = changed(change)
    assert report.title("status") == "Situation"
    assert report.say("status") == "Aucun nombre n’est publié ici."
    assert "n\u00a0=" not in note_of("status", report)
    head, lines = table_of("status", report)
    assert {line[head.index("Part")] for line in lines} == {"secret"}


def test_the_csv_holds_the_released_numbers():
    _, body, _ = parts(REPORT.figure("satisfaction-by-hours").data)
    link = next(a for a in Checked(body).all("a") if "download" in a)
    assert link["download"] == "satisfaction-by-hours.csv"
    kind, _, content = link["href"].partition(",")
    assert kind == "data:text/csv;charset=utf-8"
    text = unquote(content)
    assert text.startswith("\ufeff")
    lines = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [(line["by_category"], line["count"], line["base_n"]) for line in lines] == [
        ("4_or_less", "13", "25"),
        ("5_7", "16", "23"),
        ("8_14", "34", "47"),
        ("15_21", "23", "29"),
        ("22_plus", "109", "119"),
    ]
    assert float(lines[0]["share"]) == pytest.approx(13 / 25)


def test_the_note_says_base_method_and_marks():
    _, body, _ = parts(REPORT.figure("satisfaction-by-hours").data)
    note = re.search(r'<p class="note"[^>]*>(.*?)</p>', body).group(1)
    assert "Base\u00a0: personnes formées, n\u00a0=\u00a0243." in note
    assert "intervalle de Wilson à 95\u00a0%" in note
    assert "Marque creuse\u00a0: estimation fragile (base de moins de 30 personnes)." in note
    assert "Illustratif" not in note


def test_an_illustrative_figure_is_not_told_as_a_finding():
    assert illustrative(REPORT._rows("jobs"))
    assert REPORT.title("jobs") == "Métiers (illustration sur données reconstituées)"
    assert REPORT.say("jobs").startswith("À titre d’illustration\u00a0: ")
    _, body, _ = parts(REPORT.figure("jobs").data)
    note = re.search(r'<p class="note"[^>]*>(.*?)</p>', body).group(1)
    assert "Illustratif\u00a0:" in note


def test_illustrative_lines_among_others_are_named():
    estimates = results().estimates.copy()
    cell = (estimates["variable"] == "age") & (estimates["category"] == "60_plus")
    estimates.loc[cell, "evidence"] = "illustrative"
    report = report_of(study(), dataclasses.replace(results(), estimates=estimates), "fr")
    _, body, _ = parts(report.figure("age").data)
    assert "Illustratif pour\u00a0: 60 ans et plus." in body


def test_captions_survive_markdown():
    text = (
        '1. *Un* [titre](x) `code` <b> {#id} #1 | ~a~ $x$ @y -- « 80\u00a0% » \\ ... l’IA ^2^ "q"'
    )
    page = pypandoc.convert_text(markdown(text), "html", format="markdown")
    shown = html.unescape(re.sub(r"</?p>", "", page)).strip().replace("\n", " ")
    assert shown == text


def test_a_block_reads_back_through_pandoc():
    page = pypandoc.convert_text(REPORT.figure("status").data, "html", format="markdown")
    assert '<div id="fig-status" class="finding">' in page
    last = re.findall(r"<p>(.*?)</p>", page, re.DOTALL)[-1]
    assert html.unescape(last).replace("\n", " ") == REPORT.title("status")
    assert page.count('data-layout="') == 2


def test_nothing_in_a_label_can_leave_its_place():
    evil = '</script><script>alert(1)</script><!-- ``` "'
    text = script({"label": evil}, "wide")
    assert text.count("</script>") == 1
    assert "<!--" not in text
    inside = text.partition(">")[2].removesuffix("</script>")
    assert json.loads(inside) == {"label": evil}
    table = table_html([evil, "b"], [[evil, evil]], evil)
    assert "<script" not in table
    assert raw("a\n```\nb") == "````{=html}\na\n```\nb\n````"
    assert '"' not in csv_link('a,"b"\n')


def test_an_evil_label_passes_through_a_whole_figure():
    evil = "<img src=x onerror=alert(1)> & </script> ```"
    column = study().definition.sources.actions.columns["trainee_status"]
    column.answers["permanent"]["fr"], kept = evil, column.answers["permanent"]["fr"]
    try:
        report = report_of(study(), results(), "fr")
        _, body, _ = parts(report.figure("action-status").data)
    finally:
        column.answers["permanent"]["fr"] = kept
    assert "<img" not in re.sub(r"<script.*?</script>", "", body)
    assert body.count("</script>") == 2


def test_audit_table_is_filtered_without_script():
    key, body, caption = parts(REPORT.table("audit").data)
    assert key == "tbl-audit"
    assert caption == "Chiffres publiés et recalculés"
    page = Checked(body)
    assert [a["data-status"] for a in page.all("tr") if "data-status" in a] == list(
        results().audit["status"]
    )
    assert [a["value"] for a in page.all("input")] == [
        "",
        "exact",
        "rounds",
        "truncated",
        "contradicted",
        "unspecified",
    ]
    assert 'tr[data-status]:not([data-status="exact"])' in body
    assert "Tronqué au lieu d’arrondi (2)" in body


def test_audited_figures_stand_under_their_subject():
    audit = results().audit
    variables = ["age", "nobody_knows", "age", *["satisfaction"] * (len(audit) - 3)]
    body = tables.audit_table(audit.assign(variable=variables), REPORT.labels, "Chiffres")
    subjects = re.findall(r"<summary>(.*?) <span class=\"tally\">(.*?)</span>", body)
    assert [subject for subject, _ in subjects] == [
        "Quelle est votre tranche d’âge\u00a0?",
        "Autres chiffres",
        REPORT.labels.variable("satisfaction"),
    ]
    told = [int(number) for _, tally in subjects for number in re.findall(r"\u00a0(\d+)", tally)]
    assert sum(told) == len(audit) == len(re.findall("<tr data-status", body))
    # Under another status than those it has, a subject is not shown.
    assert '.part:not(:has([data-status="exact"]))' in body


def test_a_test_that_failed_is_told_in_words():
    failed = {"test": "proportional_odds_failed", "effect": "odds_ratio", "evidence": "observed"}
    numbers = dict.fromkeys(TEST_NUMBERS, float("nan")) | {"n": 17.0}
    names = {"variable": "satisfaction", "by": "training_hours", "population": "trained"}
    names |= {"chapter": "satisfaction", "table": "satisfaction_by_training_hours"}
    tests = pd.DataFrame([failed | numbers | names])
    body = tables.tests_table(tests, results().adjustments, REPORT.labels, "Tests")
    assert "modèle à cotes proportionnelles\u00a0: pas d’estimation finie" in body
    assert "d’une classe à la suivante\u00a0: n.\u00a0d.</td>" in body
    assert " nan" not in body and ">nan" not in body and ">n.\u00a0d.<" in body and ">17<" in body


def test_tests_and_codebook_tables():
    _, body, _ = parts(REPORT.table("tests").data)
    assert "test de tendance de Cochran-Armitage" in body
    effect = "écart de parts, dernière classe moins première\u00a0: 0,40 (0,20 à 0,59)"
    assert effect in body
    assert "établi par les chiffres publiés" in body
    assert "0,012 (3 tests)" in body
    assert "p\u00a0&lt;\u00a00,001 (seul test)" in body
    # The other test is in no family: both its corrected values are empty.
    assert body.count(2 * '<td class="num"></td>') == 1
    _, body, _ = parts(REPORT.table("codebook").data)
    assert body.count('<th scope="row">') == len(study().questionnaire.questions)
    assert "Trois raisons au plus" in body
    _, body, _ = parts(REPORT.table("age").data)
    assert body.count('<th scope="row">') == 5
