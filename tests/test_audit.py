"""Statuses of printed figures, one by one, then on a small register."""

import pandas as pd
import pytest

from analysis.release.audit import (
    STATUSES,
    explained,
    findings,
    fraction_status,
    possible,
    printed,
    rounds_to,
    summary,
    truncates_to,
)
from analysis.release.register import read_register
from analysis.stats.shares import Shares


def test_rounding_is_half_up():
    assert rounds_to(0.125, 13) and not rounds_to(0.125, 12)
    assert rounds_to(262 / 341, 77)
    assert rounds_to(0.0845, 8.5)


def test_truncation():
    assert truncates_to(17 / 23, 73) and not rounds_to(17 / 23, 73)
    assert not truncates_to(0.52, 53)


@pytest.mark.parametrize(
    ("percent", "base", "expected"),
    [
        (73, 23, False),
        (74, 23, True),
        (65, 245, True),
        (50, 18, True),
        (52, 18, False),
        (0, 7, True),
        (100, 7, True),
    ],
)
def test_possible_counts(percent, base, expected):
    assert possible(percent, base) is expected


def test_possible_agrees_with_scrutiny():
    # GRIM for percentages with one decimal at n = 150 (scrutiny README): 67.4 no, 54.0 yes.
    assert not possible(67.4, 150)
    assert possible(54.0, 150)


@pytest.mark.parametrize(
    ("text", "share", "status"),
    [
        ("2/3", 26 / 39, "exact"),
        ("1/3", 0.342, "rounds"),
        ("~3/4", 0.768, "rounds"),
        (">1/2", 0.54, "exact"),
        (">1/2", 0.5, "contradicted"),
        ("~1/2", 0.35, "contradicted"),
    ],
)
def test_fractions(text, share, status):
    assert fraction_status(text, share) == status


HEADER = (
    "figure_id,place,slide,variable,population,base_n,base_kind,category,label_fr,count,"
    "percent,value,unit,note\n"
)
REGISTER = (
    HEADER
    + """\
chart.yes,chart,,practice,trained,23,respondents,daily,,17,74,,,
text.truncated,text,,practice,trained,23,respondents,daily,,,73,,,
text.impossible,text,,practice,trained,23,respondents,daily,,,77,,,
text.contradicted,text,,practice,trained,23,respondents,daily,,,70,,,
text.rank,text,,practice,trained,,rank,daily,,,,1,rank,
text.wrong_rank,text,,practice,trained,,rank,none,,,,1,rank,
text.nowhere,text,,interviews,all,,count,interviews,,37,,,,
text.base,text,,practice,trained,,respondents,base,,23,,,,
text.missing,text,,practice,trained,,respondents,none,,,17,,,
"""
)


@pytest.fixture
def rows(national, tmp_path):
    path = tmp_path / "published.csv"
    path.write_text(REGISTER, encoding="utf-8")
    register = read_register(path, "published.csv")
    answers = pd.Series(
        pd.Categorical(
            ["daily"] * 17 + ["occasional"] * 2 + ["none"] * 4, ["daily", "occasional", "none"]
        )
    )
    estimates = (
        Shares()
        .single(answers)
        .assign(variable="practice", population="trained", by="", by_category="")
    )
    definition = national.definition.model_copy(
        update={
            "audit": {
                "text.missing": type(next(iter(national.definition.audit.values())))(
                    missing={"fr": "Il manque la base."}
                )
            }
        }
    )
    study = type(national)(national.paths, definition, national.questionnaire, national.recodes)
    facts = pd.DataFrame(columns=["variable", "category", "value"])
    return explained(study, register, findings(study, register, estimates, facts), "fr").set_index(
        "figure_id"
    )


def test_every_status_is_found(rows):
    assert rows["status"].to_dict() == {
        "chart.yes": "rounds",
        "text.truncated": "truncated",
        "text.impossible": "impossible",
        "text.contradicted": "contradicted",
        "text.rank": "exact",
        "text.wrong_rank": "contradicted",
        "text.nowhere": "unspecified",
        "text.base": "exact",
        "text.missing": "unspecified",
    }


def test_explanations_name_what_they_rest_on(rows):
    assert "chart.yes" in rows.loc["text.contradicted", "explanation"]
    assert "Il manque la base." in rows.loc["text.missing", "explanation"]
    assert "17 sur 23" in rows.loc["text.truncated", "explanation"]
    assert rows.loc["text.truncated", "base_n"] == 23
    assert rows.loc["chart.yes", "published"] == "17 ; 74 %"


def test_a_possible_count_that_a_chart_forbids_is_contradicted():
    assert possible(70, 23)  # 16 of 23


def test_summary_names_every_status(rows):
    assert list(summary(rows)) == list(STATUSES)
    assert sum(summary(rows).values()) == len(rows)


def test_the_base_a_percentage_holds_on_is_found(national, tmp_path):
    path = tmp_path / "published.csv"
    path.write_text(HEADER + "sector.a,chart,,sector,all,409,responses,a,,220,54,,,\n")
    register = read_register(path, "published.csv")
    estimates = pd.DataFrame(
        {
            "category": "a",
            "base_kind": ["respondents", "mentions"],
            "base_n": [341, 409],
            "count": 220,
            "share": [220 / 341, 220 / 409],
            "variable": "sector",
            "population": "all",
            "by": "",
            "by_category": "",
        }
    )
    facts = pd.DataFrame(columns=["variable", "category", "value"])
    (row,) = explained(
        national, register, findings(national, register, estimates, facts), "en"
    ).to_dict("records")
    assert (row["status"], row["base_n"]) == ("rounds", 409)


def test_printed_figures_as_one_text(national):
    register = read_register(national.published, "published.csv").set_index("figure_id")
    shown = {
        figure: printed(register.loc[figure])
        for figure in (
            "text.satisfied_22_plus",
            "text.trained_three_quarters",
            "consumption.mean_hours",
        )
    }
    assert shown == {
        "text.satisfied_22_plus": "113 ; 92 %",
        "text.trained_three_quarters": "~3/4",
        "consumption.mean_hours": "8.4 hours",
    }
