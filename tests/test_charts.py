import dataclasses
import json
import re

import pytest
from display_results import results, study

from analysis.display import theme
from analysis.display.report import report_of
from analysis.display.results import Results

REPORT = report_of(study(), results(), "fr")
EVERY = [each for name in REPORT.catalogue.figures for each in REPORT.names(name)]
TAG = re.compile(r"<[^>]+>")


def specs(report, name):
    found = re.findall(
        r'<script type="application/json" data-layout="(\w+)">(.*?)</script>',
        report.figure(name).data,
    )
    return {layout: json.loads(text) for layout, text in found}


def bars(spec):
    return [trace for trace in spec["data"] if trace["type"] == "bar"]


def texts(spec):
    return [TAG.sub("", note["text"]) for note in spec["layout"]["annotations"]]


def width_of(note):
    """Width of a text; the tag after a label is set smaller."""
    label, _, tag = note["text"].partition("<span")
    small = theme.text_width(TAG.sub("", f"<span{tag}"), theme.SMALL) if tag else 0
    return theme.text_width(TAG.sub("", label), note["font"]["size"]) + small


def with_estimates(change):
    """The same report on other estimates."""
    estimates = change(results().estimates.copy())
    return report_of(study(), dataclasses.replace(results(), estimates=estimates), "fr")


def test_every_figure_of_the_catalogue_is_drawn():
    groups = len(study().questionnaire.battery("skills"))
    # What only an extract with years, persons and providers has: test_consumed_pages.py draws it.
    absent = {name for name in REPORT.catalogue.figures if not REPORT.names(name)}
    assert absent == {
        "action-years", "ai-by-year", "ai-levels", "ai-paths", "leading-providers", "times-trained"
    }  # fmt: skip
    assert len(EVERY) == len(REPORT.catalogue.figures) - len(absent) - 1 + groups


@pytest.mark.parametrize("name", EVERY)
def test_specifications_are_plain_small_and_for_both_widths(name):
    drawn = specs(REPORT, name)
    assert set(drawn) == {"wide", "narrow"}
    for spec in drawn.values():
        assert {trace["type"] for trace in spec["data"]} <= {"bar", "scatter"}
        assert "template" not in spec["layout"]
        assert spec["layout"]["height"] > 20
        colours = re.findall(r'"(#[0-9a-f]{3,8})"', json.dumps(spec))
        assert colours == []  # the page gives the colours, for light and dark


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("canvas", [theme.WIDE, theme.NARROW], ids=lambda canvas: canvas.name)
def test_no_text_leaves_the_narrowest_width_its_layout_is_for(name, canvas):
    spec = specs(REPORT, name)[canvas.name]
    margin = spec["layout"]["margin"]
    low, high = spec["layout"]["xaxis"]["range"]
    plot = canvas.width - margin["l"] - margin["r"]
    for note in spec["layout"]["annotations"]:
        share = (note["x"] - low) / (high - low) if note["xref"] == "x" else note["x"]
        at = margin["l"] + plot * share + note["xshift"]
        width = width_of(note)
        start = at - {"left": 0, "center": width / 2, "right": width}[note["xanchor"]]
        assert start > -4, note["text"]
        assert start + width < canvas.width + 4, note["text"]
        assert note["font"]["size"] >= theme.SMALL
        assert note.get("textangle", 0) == 0


def test_labels_are_whole_and_above_their_bar():
    for spec in specs(REPORT, "settings").values():
        shown = " ".join(texts(spec))
        for answer in study().question("training_setting").answers:
            assert REPORT.label("settings", answer) in shown
        first = bars(spec)[0]
        label = spec["layout"]["annotations"][0]
        assert label["y"] < first["y"][0]
        assert label["x"] == 0


def test_bars_show_shares_and_intervals_of_the_results():
    one = REPORT.one("satisfaction_reason", "competent_trainer")
    first = bars(specs(REPORT, "satisfaction-reasons")["wide"])[0]
    assert first["x"] == [pytest.approx(one.share)]
    assert first["x"][0] + first["error_x"]["array"][0] == pytest.approx(one.share_high)
    assert first["x"][0] - first["error_x"]["arrayminus"][0] == pytest.approx(one.share_low)
    assert specs(REPORT, "satisfaction-reasons")["wide"]["layout"]["xaxis"]["range"] == [0, 1]


def test_several_answers_go_by_value_and_other_answers_last():
    lengths = [trace["x"][0] for trace in bars(specs(REPORT, "motivations-pro")["wide"])]
    assert lengths[:-1] == sorted(lengths[:-1], reverse=True)
    labels = [text for text in texts(specs(REPORT, "settings")["wide"]) if "%" not in text]
    assert labels[-2:] == ["Aucune formation comprenant de l’IA", "Autre cadre"]


def test_ordered_answers_keep_their_order():
    labels = [t for t in texts(specs(REPORT, "hours")["wide"]) if "%" not in t]
    assert labels == [
        "4\u00a0h ou moins",
        "5 à 7\u00a0h",
        "8 à 14\u00a0h",
        "15 à 21\u00a0h",
        "22\u00a0h et plus",
    ]


def test_fragile_bars_are_pale_and_outlined():
    fragile = bars(specs(REPORT, "motivations-students")["wide"])[0]["marker"]
    firm = bars(specs(REPORT, "motivations-pro")["wide"])[0]["marker"]
    assert fragile["color"] == [theme.PALE]
    assert fragile["line"]["width"] > 0
    assert firm["color"] == [theme.ACCENT]
    assert firm["line"]["width"] == 0


def hide(variable, category, numbers=("base_n", "count", "share", "share_low", "share_high")):
    def change(estimates):
        cell = (estimates["variable"] == variable) & (estimates["category"] == category)
        estimates.loc[cell, list(numbers)] = float("nan")
        estimates.loc[cell, ["verdict", "reason"]] = ["suppressed", "hidden_base;small_base"]
        return estimates

    return change


def test_a_suppressed_bar_is_hatched_and_says_no_number():
    report = with_estimates(hide("job", "editor"))
    for spec in specs(report, "jobs").values():
        hatched = [bar for bar in bars(spec) if "pattern" in bar["marker"]]
        assert len(hatched) == 1
        assert hatched[0]["x"] == [1.0]
        assert "Montage" in hatched[0]["hovertext"][0]
        told = hatched[0]["hovertext"][0]
        assert told.endswith("non publié (base de moins de 10 personnes)")
        assert not re.search(r"\d", told.replace("moins de 10", ""))
        assert "secret" in texts(spec)


@pytest.mark.parametrize(
    ("name", "variable", "category"),
    [
        ("skills-transversal", "skill_legal_rules", "rather_agree"),
        ("satisfaction-levels-by-hours", "satisfaction", "rather_satisfied"),
        ("satisfaction-by-hours", "satisfaction", "satisfied_total"),
        ("informal-by-status", "informal_learning", "peers"),
        ("action-months", "month", "2024-08"),
        ("comment-themes", "comment_theme", "budget"),
        ("flow", "question_base", "practice"),
    ],
)
def test_every_kind_of_chart_survives_a_suppressed_estimate(name, variable, category):
    change = hide(variable, category)
    if name == "satisfaction-by-hours":
        # The whole column would leave nothing to tell: one band is hidden.
        def change(estimates):
            one = estimates["by_category"] == "5_7"
            return estimates.where(~one, hide(variable, category)(estimates.copy()))

    report = with_estimates(change)
    whole, hidden = specs(REPORT, name)["wide"], specs(report, name)["wide"]
    assert hidden != whole
    assert "secret" in report.figure(name).data


def test_diverging_halves_meet_at_zero_and_leave_those_not_concerned_out():
    spec = specs(REPORT, "skills-organisation")["wide"]
    cells = {
        answer: REPORT.one("skill_support_team", answer, base_kind="concerned")
        for answer in ("strongly_disagree", "rather_disagree", "rather_agree", "strongly_agree")
    }
    last = bars(spec)[-4:]
    ends = [(bar["base"][0], bar["base"][0] + bar["x"][0]) for bar in last]
    low = cells["rather_disagree"].share
    assert ends[0] == (0, pytest.approx(-low))
    assert ends[1] == (pytest.approx(-low), pytest.approx(-low - cells["strongly_disagree"].share))
    assert ends[2][0] == 0
    assert ends[3][1] == pytest.approx(cells["rather_agree"].share + cells["strongly_agree"].share)
    shown = texts(spec)
    outside = REPORT.one("skill_support_team", "not_concerned", base_kind="respondents")
    base = cells["rather_agree"].base_n
    assert f"n\u00a0=\u00a0{base:.0f} · {outside.count:.0f} sans objet" in shown
    assert [bar["marker"]["color"][0] for bar in last] == [
        theme.AGREEMENT[2].color,
        theme.AGREEMENT[1].color,
        theme.AGREEMENT[3].color,
        theme.AGREEMENT[4].color,
    ]


def test_bands_are_points_on_a_line_with_counts_under_them():
    spec = specs(REPORT, "satisfaction-by-hours")["wide"]
    line = [trace for trace in spec["data"] if trace["mode"] == "lines+markers"]
    assert len(line) == 1
    assert line[0]["marker"]["color"] == [
        theme.PAPER,
        theme.PAPER,
        theme.ACCENT,
        theme.PAPER,
        theme.ACCENT,
    ]
    assert line[0]["y"] == sorted(line[0]["y"], reverse=True)  # up the page, as satisfaction
    assert "13 sur 25" in texts(spec)
    assert "109 sur 119" in texts(spec)
    assert "13/25" in texts(specs(REPORT, "satisfaction-by-hours")["narrow"])


def test_stacked_bars_fill_a_hundred_percent():
    drawn = bars(specs(REPORT, "satisfaction-levels-by-hours")["wide"])
    rows = {}
    for bar in drawn:
        rows.setdefault(bar["y"][0], []).append(bar)
    assert len(rows) == 5
    for pieces in rows.values():
        assert sum(bar["x"][0] for bar in pieces) == pytest.approx(1)
        ends = [bar["base"][0] + bar["x"][0] for bar in pieces]
        assert [bar["base"][0] for bar in pieces[1:]] == pytest.approx(ends[:-1])


def weaken(variable):
    def change(estimates):
        cells = (estimates["variable"] == variable) & (estimates["by"] == "")
        estimates.loc[cells, ["verdict", "reason"]] = ["fragile", "wide_interval"]
        return estimates

    return change


@pytest.mark.parametrize(
    ("name", "variable"),
    [("satisfaction", "satisfaction"), ("skills-organisation", "skill_support_team")],
)
def test_a_fragile_part_of_a_bar_is_paler_and_says_why(name, variable):
    faint = specs(with_estimates(weaken(variable)), name)["wide"]
    weak = [bar for bar in bars(faint) if bar["marker"].get("opacity") == theme.FAINT]
    assert len(weak) == 4
    assert all("intervalle de plus de 40 points" in bar["hovertext"][0] for bar in weak)
    firm = specs(REPORT, name)["wide"]
    assert all("opacity" not in bar["marker"] for bar in bars(firm))
    if name != "satisfaction":  # a bar for all has no label of its own to carry the mark
        assert [text for text in texts(faint) if text.startswith("◇")]


def test_a_rank_is_a_mark_between_the_ranks_it_may_be():
    drawn = specs(REPORT, "skills-ranking")["wide"]
    points = drawn["data"]
    assert [point["x"][0] for point in points] == sorted(point["x"][0] for point in points)
    third = points[2]
    assert third["x"] == [3] and third["error_x"]["arrayminus"] == [2]
    assert third["error_x"]["array"] == [3]
    assert "3 (1 à 6)" in texts(drawn)
    low, high = drawn["layout"]["xaxis"]["range"]
    assert low < 1 and high > len(points)


def test_drop_out_keeps_the_order_of_the_questionnaire_and_joins_the_battery():
    drawn = specs(REPORT, "drop-out")["wide"]
    assert [bar["x"][0] for bar in bars(drawn)] == [3, 4, 9, 2]
    assert "Compétences acquises\u00a0: 19 items" in texts(drawn)
    assert [text for text in texts(drawn) if text.isdigit()] == ["3", "4", "9", "2"]


def test_flow_bars_shrink_with_the_counts():
    wide, narrow = specs(REPORT, "flow")["wide"], specs(REPORT, "flow")["narrow"]
    counts = [378, 341, 262, 243, 237]
    heights = [-bar["y"][0] for bar in bars(wide)]
    assert [h / heights[0] for h in heights] == pytest.approx([n / 378 for n in counts])
    assert [bar["x"][0] for bar in bars(narrow)] == pytest.approx([n / 378 for n in counts])
    assert [t for t in texts(wide) if t.isdigit()] == [str(n) for n in counts]


def test_dots_differ_by_shape_and_not_by_colour_alone():
    spec = specs(REPORT, "age-by-training")["wide"]
    marks = {(t["marker"]["symbol"], t["error_x"]["color"]) for t in spec["data"]}
    assert marks == {("circle", theme.ACCENT), ("diamond", theme.SECOND)}
    assert texts(spec)[:4:2] == ["●", "◆"]


def test_wrapping_keeps_every_word_and_no_break_spaces():
    text = "Une très longue étiquette à 80\u00a0% qui ne tient pas sur une ligne"
    lines = theme.wrap(text, 120)
    assert " ".join(lines) == text
    assert len(lines) > 2
    assert all(theme.text_width(line) <= 120 for line in lines)
    assert theme.wrap("anticonstitutionnellement", 20) == ["anticonstitutionnellement"]


def test_results_without_rows_draw_nothing():
    empty = Results(results().estimates.head(0))
    report = report_of(study(), empty, "fr")
    assert report.figure("action-months").data == ""
    assert not report.has_figure("institution-types")
