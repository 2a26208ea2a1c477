import dataclasses
import html
import re

import pytest
from display_results import results, study

from analysis.display import measured
from analysis.display.report import report_of
from analysis.display.results import Results

FR, EN = report_of(study(), results(), "fr"), report_of(study(), results(), "en")


def cells(name, report=FR):
    """Heads of a table, and its rows."""
    body = report.table(name).data
    rows = [row for row in re.findall(r"<tr>(.*?)</tr>", body) if "rowgroup" not in row]
    found = [
        [html.unescape(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
        for row in rows
    ]
    return found[0], found[1:]


def with_measures(change):
    measures = change(results().measures.copy())
    return report_of(study(), dataclasses.replace(results(), measures=measures), "fr")


def test_items_go_by_rank_with_net_agreement_and_polarisation():
    head, rows = cells("ranking")
    assert head == ["Item", "Rang", "Accord net, en points", "Polarisation, de 0 à 1", "Base"]
    assert len(rows) == 19
    assert rows[2][1:] == [
        "3 (1 à 6) ·\u00a0illustratif",
        "+48 (+38 à +58)",
        "0,40 (0,30 à 0,50)",
        "245",
    ]
    turned = with_measures(lambda m: m.assign(value=m["value"].where(m["measure"] != "rank",
                                                                     20 - m["value"])))  # fmt: skip
    assert [row[0] for row in cells("ranking", turned)[1]] == [row[0] for row in rows[::-1]]


def test_items_of_one_rank_share_it():
    def tied(measures):
        first = measures.index[measures["measure"] == "rank"][:2]
        measures.loc[first, "value"] = 1.5
        return measures

    rows = cells("ranking", with_measures(tied))[1]
    assert [row[1].split(" ")[0] for row in rows[:3]] == ["1,5", "1,5", "3"]


def test_ranks_of_observed_answers_carry_no_mark():
    observed = with_measures(lambda measures: measures.assign(evidence="observed"))
    assert "illustratif" not in observed.table("ranking").data
    assert "illustratif" not in observed.table("reliability").data
    assert observed.title("skills-ranking") == (
        "«\u00a0Connaître les outils d’IA et leurs apports\u00a0» vient en tête, "
        "à un rang de 1 à 4 sur 19"
    )


def test_reliability_of_each_expectation():
    head, rows = cells("reliability", EN)
    assert head == ["Set of items", "Items", "Cronbach’s alpha", "McDonald’s omega", "n"]
    groups = study().questionnaire.battery("skills")
    assert [row[1] for row in rows] == [str(len(items)) for items in groups.values()]
    assert rows[0] == [
        "Technical mastery ·\u00a0illustrative",
        "4",
        "0.81 (0.77 to 0.85)",
        "0.82 (0.78 to 0.86)",
        "245",
    ]


def test_pairs_are_shown_only_where_the_evidence_allows():
    head, rows = cells("pairs")
    assert head[:2] == ["Réponse", "Donnée avec"]
    # The strongest of the three rests on reconstructed answers, and is not there.
    assert [row[2] for row in rows] == ["1,90 (1,60 à 2,20)", "1,40 (1,10 à 1,70)"]
    made_up = with_measures(lambda measures: measures.assign(evidence="illustrative"))
    assert made_up.table("pairs").data == ""


def test_only_the_strongest_pairs_of_a_question_are_shown(monkeypatch):
    monkeypatch.setattr(measured, "PAIRS", 1)
    assert [row[2] for row in cells("pairs")[1]] == ["1,90 (1,60 à 2,20)"]


def test_agreement_of_coders_in_all_and_by_theme():
    head, rows = cells("agreement")
    assert head == ["Thème", "Kappa de Cohen", "Alpha de Krippendorff", "Remarques"]
    assert rows[0] == ["Ensemble des thèmes", "0,71 (0,60 à 0,80)", "0,70 (0,58 à 0,80)", "53"]
    assert rows[1][0] == FR.label("comment_theme", "budget")


def test_headlines_with_and_without_partial_responses():
    _, rows = cells("partials")
    share = 195 / 243
    assert rows[0][1:] == [
        FR.formats.percent(share, 1),
        FR.formats.percent(share + 0.004, 1),
        "−0,4 (−1,1 à +0,3)",
    ]


def test_drop_out_along_the_questionnaire():
    head, rows = cells("drop_out")
    assert head == ["Question", "Personnes interrogées", "Sans réponse", "Parties avant"]
    assert len(rows) == len(study().questionnaire.questions)
    age = next(row for row in rows if row[0] == FR.label("age"))
    assert age[1:] == ["341", "1\u00a0% (5 sur 341)", "1\u00a0% (3 sur 378) ·\u00a0illustratif"]


def test_those_who_left_beside_those_who_stayed():
    head, rows = cells("leavers")
    assert head[1:] == ["Réponses complètes", "Réponses partielles", "Écart, en points", "Avis"]
    assert rows[0] == [
        "Moins de 30 ans ·\u00a0illustratif",
        "29\u00a0% (90 sur 315)",
        "38\u00a0% (10 sur 26)",
        "+10 (−8 à +30)",
        "fragile (base de moins de 30 personnes)",
    ]


def sections(name, report=FR):
    found = re.findall(
        r'<th scope="rowgroup" colspan="(\d+)"><span>(.*?)</span>', report.table(name).data
    )
    return [(int(width), html.unescape(text)) for width, text in found]


def test_rows_stand_under_the_question_they_are_about():
    assert sections("leavers") == [(5, FR.label("age"))]
    assert sections("partials") == [(4, FR.label("satisfaction"))]
    assert sections("pairs") == [(4, FR.label("objective"))]
    assert sections("tests") == [
        (6, f"{FR.label('satisfaction')} Croisée avec\u00a0: {FR.label('hours')}")
    ]


def test_a_verdict_that_says_nothing_has_no_column():
    estimates = results().estimates.assign(verdict="ok", reason="")
    report = report_of(study(), dataclasses.replace(results(), estimates=estimates), "fr")
    assert "Avis" not in cells("leavers", report)[0]


def test_a_group_that_is_not_released_shows_no_number():
    def hide(estimates):
        cell = estimates["by"].eq("completion") & estimates["by_category"].eq("partial")
        hidden = ["base_n", "count", "share", "share_low", "share_high"]
        estimates.loc[cell, hidden] = float("nan")
        estimates.loc[cell, ["verdict", "reason"]] = ["suppressed", "hidden_base;small_base"]
        return estimates

    estimates = hide(results().estimates.copy())
    report = report_of(study(), dataclasses.replace(results(), estimates=estimates), "fr")
    row = cells("leavers", report)[1][0]
    assert row[2] == "n.\u00a0d."
    assert row[4] == "non publié (base de moins de 10 personnes)"


def test_predicted_shares_by_band():
    head, rows = cells("predicted")
    answers = study().question("satisfaction").answers
    assert head[1:] == [FR.labels.answer("satisfaction", answer) for answer in answers]
    assert rows[0] == [
        "4\u00a0h ou moins ·\u00a0illustratif",
        *["25\u00a0% (20\u00a0% à 31\u00a0%)"] * 4,
    ]


@pytest.mark.parametrize("name", list(measured.MAKERS))
def test_a_study_without_these_results_has_no_such_table(name):
    estimates = results().estimates
    gone = estimates["variable"].isin(["left_before", "item_nonresponse"])
    bare = Results(estimates[~gone & (estimates["by"] != "completion")])
    assert report_of(study(), bare, "fr").table(name).data == ""
    assert FR.table(name).data.count("{#tbl-") == 1


@pytest.mark.parametrize("name", list(measured.MAKERS))
def test_no_value_is_left_unsaid(name):
    for report in (FR, EN):
        head, rows = cells(name, report)
        for text in (text for row in [head, *rows] for text in row):
            assert not re.search(r"\bnan\b|None|[{}]", text)
