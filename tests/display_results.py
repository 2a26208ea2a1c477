"""Results as the release room writes them, made from the published register for display tests.

What the register does not print (months, regions, status of trainees, indices) is put in by hand
and marked illustrative, so that every figure of the catalogue has rows.
"""

from __future__ import annotations

import csv
import dataclasses
from functools import cache

import pandas as pd

from analysis.definition import Thresholds
from analysis.display.results import (
    ADJUSTMENT_NUMBERS,
    CELL,
    ESTIMATE_NUMBERS,
    MEASURE_NUMBERS,
    MEASURES,
    PRECISION_NUMBERS,
    TEST_NUMBERS,
    TESTED,
    Results,
    typed,
    with_precision,
)
from analysis.stats.intervals import wilson
from analysis.study import Study, load_study

CHAPTERS = {"actions": "consumption", "institutions": "offer", "programmes": "offer"}
COMPLETE = ("actions", "trainings", "institutions", "programmes", "figures", "mentions")
FLOW = {
    "responses_any": 378, "responses_complete": 315, "responses_partial": 63,
    "partial_retained": 26, "partial_dropped": 37, "retained": 341,
}  # fmt: skip
MONTHS = [180, 260, 330, 350, 340, 410, 190, 90, 470, 560, 610, 408]


@cache
def study() -> Study:
    """The national study, with the thresholds a study has that says nothing of them."""
    loaded = load_study("cnc_afdas_2026")
    definition = loaded.definition.model_copy(update={"thresholds": Thresholds()})
    return dataclasses.replace(loaded, definition=definition)


@cache
def results() -> Results:
    """Estimates and their precision, a few tests and measures, and a short audit of the national
    study."""
    found, sure = estimates(), precision()
    return Results(
        with_precision(found, sure), tests(), audit(), sure, measures(), adjustments(), facts()
    )


def rows(variable, population, base_kind, cells, by="", by_category="", **more):
    """Rows of one table. cells: (category, count, base)."""
    return [
        {
            "chapter": "chapter", "table": f"{variable}_by_{by}" if by else variable,
            "population": population, "variable": variable, "category": category, "by": by,
            "by_category": by_category, "base_kind": base_kind, "base_n": base, "count": count,
            "share": count / base if base else float("nan"), "evidence": "published", **more,
        }
        for category, count, base in cells
    ]  # fmt: skip


def estimates() -> pd.DataFrame:
    found = [
        *_flow(), *_bases(), *_leaving(), *_register(), *_skills(), *_by_hours(), *_by_hand()
    ]  # fmt: skip
    frame = pd.DataFrame(found).drop_duplicates(
        ["variable", "population", "by", "by_category", "base_kind", "category"]
    )
    counted = frame["base_kind"].isin(COMPLETE) | frame["variable"].isin(
        ["response_flow", "question_base", "left_before", "item_nonresponse"]
    )
    frame["method"] = frame.get("method", pd.Series(index=frame.index, dtype=object)).fillna(
        counted.map({True: "count", False: "wilson"})
    )
    low, high = wilson(frame["count"], frame["base_n"].clip(lower=1), 0.95)
    sampled = frame["method"].isin(["wilson", "mean_score"])
    frame["share_low"] = pd.Series(low, index=frame.index).where(sampled)
    frame["share_high"] = pd.Series(high, index=frame.index).where(sampled)
    frame["verdict"] = _reason(frame).map(lambda reason: "fragile" if reason else "ok")
    return typed(_with_sets(frame), ESTIMATE_NUMBERS)


def _reason(frame: pd.DataFrame) -> pd.Series:
    """Why a sample estimate is fragile, as the release room writes it."""
    limits, sampled = study().definition.thresholds, frame["share_low"].notna()
    small = sampled & (frame["base_n"] < limits.fragile_base)
    wide = (frame["share_high"] - frame["share_low"]) > limits.fragile_width
    names = zip(small.map({True: "small_base", False: ""}),
                wide.map({True: "wide_interval", False: ""}), strict=True)  # fmt: skip
    return pd.Series([";".join(filter(None, pair)) for pair in names], index=frame.index)


def precision() -> pd.DataFrame:
    """A row for each estimate; simultaneous intervals for two questions read as a whole."""
    frame = estimates()
    whole = frame["variable"].isin(["age", "ai_use_frequency"]) & (frame["by"] == "")
    whole &= ~frame["category"].isin(["weekly_or_more"])
    made = frame[CELL].assign(
        standard_error=float("nan"), effective_n=frame["base_n"], df=float("nan"),
        joint_low=(frame["share_low"] - 0.02).clip(lower=0).where(whole),
        joint_high=(frame["share_high"] + 0.02).clip(upper=1).where(whole),
        design_effect=1.0, verdict=frame["verdict"], reason=_reason(frame),
    )  # fmt: skip
    return typed(made, PRECISION_NUMBERS)


def _leaving():
    """Where people left, who skipped a question, and who those who left are."""
    questions = [question.name for question in study().questionnaire]
    left = {"age": 3, "skill_legal_rules": 4, questions[-1]: 2, "satisfaction": 9}
    counts = [(name, left.get(name, 0), 378) for name in questions]
    yield from rows("left_before", "received", "respondents", counts, evidence="illustrative")
    skipped = [(name, 5, 262 if "skill" in name else 341) for name in questions]
    yield from rows("item_nonresponse", "all", "respondents", skipped)
    for group, counts in {"complete": [90, 40, 80, 80, 25], "partial": [10, 2, 3, 9, 2]}.items():
        answers = study().question("age").answers
        cells = [(a, n, sum(counts)) for a, n in zip(answers, counts, strict=True)]
        yield from rows(
            "age", "received", "respondents", cells, "completion", group, evidence="illustrative"
        )


def measures() -> pd.DataFrame:
    """One or two of each measure. What says how answers go together is illustrative."""
    items = [q.name for members in study().questionnaire.battery("skills").values()
             for q in members]  # fmt: skip
    n, together, found = len(items), {"evidence": "illustrative"}, []
    for place, item in enumerate(items, start=1):
        ends = max(place - 2, 1), min(place + 3, n)
        found.append(_measure("rank", item, place, *ends, **together))
        net = 0.6 - 0.04 * place
        found.append(_measure("net_agreement", item, net, net - 0.1, net + 0.1))
        found.append(_measure("polarisation", item, 0.4, 0.3, 0.5))
    for group in study().questionnaire.battery("skills"):
        where = {"category": group, **together}
        found.append(_measure("cronbach_alpha", "expectation_index", 0.81, 0.77, 0.85, **where))
        found.append(_measure("mcdonald_omega", "expectation_index", 0.82, 0.78, 0.86, **where))
    found += [*_differences(), *_answers_together(), *_predicted()]
    where = {"category": "satisfied_total", "population": "trained"}
    found.append(_measure("partials_difference", "satisfaction", -0.004, -0.011, 0.003, **where))
    return typed(pd.DataFrame(found)[MEASURES], MEASURE_NUMBERS)


def _measure(name, variable, value, low, high, **more):
    made = {
        "chapter": "chapter", "table": variable, "population": "trained", "category": "", "by": "",
        "by_category": "", "base_kind": "concerned", "base_n": 245, "method": "made",
        "evidence": "published",
    }  # fmt: skip
    return made | {"measure": name, "variable": variable, "value": value, "low": low,
                   "high": high} | more  # fmt: skip


def _differences():
    where = {"base_kind": "respondents", "category": "satisfied_total", "by": "training_hours"}
    yield _measure("difference", "satisfaction", -0.31, -0.5, -0.13, **where,
                   by_category="4_or_less")  # fmt: skip
    yield _measure("difference", "satisfaction", 0.23, 0.14, 0.32, **where, by_category="22_plus",
                   evidence="illustrative")  # fmt: skip
    yield _measure("difference", "age", 0.1, -0.08, 0.3, category="under_30",
                   population="received", by="completion", by_category="partial",
                   base_kind="respondents", evidence="illustrative")  # fmt: skip


def _answers_together():
    where = {"by": "training_objective", "base_kind": "respondents"}
    for first, second, value, evidence in (
        ("use_ai", "discover_ai", 1.4, "observed"),
        ("use_ai", "personal_project", 1.9, "observed"),
        ("discover_ai", "personal_project", 3.1, "illustrative"),
    ):
        yield _measure("lift", "training_objective", value, value - 0.3, value + 0.3, **where,
                       category=first, by_category=second, evidence=evidence)  # fmt: skip
    for theme in ("", "budget"):
        where = {"category": theme, "population": "all", "base_kind": "respondents", "base_n": 53}
        yield _measure("cohen_kappa", "comment_theme", 0.71, 0.6, 0.8, **where)
        yield _measure("krippendorff_alpha", "comment_theme", 0.7, 0.58, 0.8, **where)


def _predicted():
    for band in ("4_or_less", "22_plus"):
        for answer in study().question("satisfaction").answers:
            yield _measure("predicted_share", "satisfaction", 0.25, 0.2, 0.31, category=answer,
                           by="training_hours", by_category=band, base_kind="respondents",
                           evidence="illustrative")  # fmt: skip


def adjustments() -> pd.DataFrame:
    """The first test is one of three of its question, and the only one of its chapter."""
    one = tests().iloc[:1][[*TESTED, "p_value"]]
    made = [
        one.assign(adjustment=name, family=name, tests=n, p_adjusted=p)
        for name, n, p in (("holm", 3, 0.012), ("benjamini_hochberg", 1, 1e-6))
    ]
    return typed(pd.concat(made), ADJUSTMENT_NUMBERS)


def facts() -> pd.DataFrame:
    made = [
        ("design", "weights", "raked"),
        ("design", "effective_n", "312.4172"),
        ("design", "design_effect", "1.0915"),
        ("design", "raking_rounds", "17"),
        ("design", "raking_gap", "3.1e-09"),
        ("fieldwork", "fieldwork_start", "2025-12-11"),
    ]
    return typed(pd.DataFrame(made, columns=["variable", "category", "value"]), [])  # fmt: skip


def _with_sets(frame: pd.DataFrame) -> pd.DataFrame:
    """Answers of a table stand in the order of their question, sets of answers after them."""
    form, asked = study().questionnaire, study().roles.motivation.questions
    place = []
    for row in frame.itertuples():
        name = asked.get(row.population, row.variable)
        known = form[name].answers if name in form else []
        extract = row.chapter == "consumption" or not known
        place.append(0 if extract else known.index(row.category) if row.category in known else 99)
    keys = ["variable", "population", "by", "by_category", "base_kind"]
    table = frame.groupby(keys, sort=False).ngroup()
    order = frame.assign(_table=table, _place=place)
    return order.sort_values(["_table", "_place"], kind="stable").drop(columns=["_table", "_place"])


def _flow():
    cells = [(name, count, FLOW["responses_any"]) for name, count in FLOW.items()]
    return rows("response_flow", "all", "respondents", cells)


def _bases():
    bases = {"satisfaction": (243, 262), "practice": (237, 262), "training_objective": (258, 262),
             "motivation_pro": (228, 237), "motivation_student": (23, 25),
             "satisfaction_reason": (192, 196), "dissatisfaction_reason": (47, 47),
             "practice_benefit": (193, 202), "non_use_reason": (34, 35),
             "training_provider_name": (196, 262), "comment": (102, 262),
             "comment_theme": (53, 102)}  # fmt: skip
    cells = []
    for question in study().questionnaire:
        default = (245, 262) if "skills" in question.groups else (341, 341)
        cells.append((question.name, *bases.get(question.name, default)))
    return rows("question_base", "all", "respondents", cells)


def _register():
    with study().published.open(encoding="utf-8", newline="") as handle:
        printed = list(csv.DictReader(handle))
    for line in printed:
        usable = line["base_n"] and (line["count"] or line["percent"]) and line["place"] == "chart"
        name = line["variable"]
        if not usable or name.startswith("skill_") or "_x_" in name:
            continue
        base = int(line["base_n"])
        count = int(line["count"] or round(float(line["percent"]) * base / 100))
        kind = "mentions" if line["base_kind"] == "responses" else line["base_kind"]
        yield from rows(name, line["population"], kind, [(line["category"], count, base)])
    yield from _statements()


def _statements():
    yield from rows("satisfaction", "trained", "respondents", [("satisfied_total", 195, 243)])
    yield from rows(
        "trained", "all", "respondents", [("trained", 262, 341), ("untrained", 79, 341)]
    )
    yield from rows("ai_use_frequency", "all", "respondents", [("weekly_or_more", 207, 341)])
    yield from rows("comment", "all", "respondents", [("base", 102, 102)])
    themes = {"transversal_issues": 19, "fast_obsolescence": 17, "budget": 2,
              "workflow_integration": 3, "profile_adaptation": 3, "trainer_expertise": 3,
              "other": 6}  # fmt: skip
    cells = [(theme, n, 53) for theme, n in themes.items()]
    yield from rows("comment_theme", "all", "respondents", cells)
    people = {"student": [44, 18, 20, 15, 10, 15, 5, 4, 8, 2],
              "non_students": [141, 155, 133, 98, 96, 36, 43, 30, 23, 12]}  # fmt: skip
    answers = study().question("informal_learning").answers
    for name, counts in people.items():
        base = {"student": 69, "non_students": 272}[name]
        cells = [(a, n, base) for a, n in zip(answers, counts, strict=True)]
        yield from rows("informal_learning", name, "respondents", cells)
    sectors = {"film_audiovisual": 220, "advertising": 75, "games_animation_vfx": 64, "other": 50}
    yield from rows("sector", "all", "respondents", [(s, n, 341) for s, n in sectors.items()])


def _skills():
    with study().published.open(encoding="utf-8", newline="") as handle:
        printed = [r for r in csv.DictReader(handle) if r["variable"].startswith("skill_")]
    items: dict[str, dict[str, int]] = {}
    for line in printed:
        if line["place"] == "chart":
            items.setdefault(line["variable"], {})[line["category"]] = int(line["count"])
    for name, seen in items.items():
        seen["rather_disagree"] = seen["disagree"] - seen["strongly_disagree"]
        seen["rather_agree"] = seen["agree"] - seen["strongly_agree"]
        order = [*study().question(name).answers, "disagree", "agree"]
        concerned = seen["agree"] + seen["disagree"]
        cells = [(answer, seen[answer], 245) for answer in order]
        yield from rows(name, "trained", "respondents", cells)
        cells = [(a, seen[a], concerned) for a in order if a != "not_concerned"]
        yield from rows(name, "trained", "concerned", cells)


def _by_hours():
    with study().published.open(encoding="utf-8", newline="") as handle:
        printed = [
            r
            for r in csv.DictReader(handle)
            if r["variable"] == "satisfaction_x_training_hours" and r["place"] == "chart"
        ]
    bands: dict[str, dict[str, int]] = {}
    for line in printed:
        band, _, answer = line["category"].partition(":")
        bands.setdefault(band, {})[answer] = int(line["count"])
    for band in study().question("training_hours").answers:
        if band in bands:
            seen = bands[band]
            seen["satisfied_total"] = seen["rather_satisfied"] + seen["satisfied"]
            base = seen["satisfied_total"] + seen["dissatisfied"] + seen["rather_dissatisfied"]
            order = [*study().question("satisfaction").answers, "satisfied_total"]
            cells = [(answer, seen[answer], base) for answer in order]
            yield from rows("satisfaction", "trained", "respondents", cells, "training_hours", band)


def _by_hand():
    made = {"evidence": "illustrative"}
    months = [(f"2024-{m:02d}", n, 4198) for m, n in enumerate(MONTHS, start=1)]
    yield from rows("month", "actions_group_1", "actions", months, **made)
    for column, counts in {
        "trainee_status": [2300, 1898], "sector": [2500, 1000, 500, 198],
        "region": [2400, 500, 400, 300, 250, 150, 120, 78], "group": [3793, 405],
    }.items():  # fmt: skip
        answers = study().definition.sources.actions.columns[column].answers
        cells = [(a, n, 4198) for a, n in zip(answers, counts, strict=True)]
        yield from rows(column, "actions_group_1", "actions", cells, **made)
    lengths = zip([b.name for b in study().definition.duration_bands],
                  [600, 1500, 1400, 300, 398], strict=True)  # fmt: skip
    cells = [(band, n, 4198) for band, n in lengths] + [("up_to_14", 3500, 4198)]
    yield from rows("duration_band", "actions_group_1", "actions", cells, **made)
    courses = [("up_to_14", 149, 275)]
    yield from rows("mean_duration_band", "trainings_group_1", "trainings", courses, **made)
    mean = rows("duration_hours", "actions_group_1", "actions", [("mean", 35263, 4198)])
    yield mean[0] | {"share": float("nan"), "method": "mean"}
    yield from rows("actions", "group_1", "actions", [("actions", 4198, 4198)])
    yield from rows("actions", "group_2", "actions", [("actions", 405, 4198)])
    yield from rows("trainings", "group_1", "trainings", [("trainings", 275, 275)])
    yield from rows("institutions", "institutions", "institutions", [("institutions", 39, 39)])
    yield from rows("programmes", "programmes", "programmes", [("programmes", 111, 111)])
    yield from _offer_by_hand()
    yield from _survey_by_hand(made)


def _offer_by_hand():
    for kind, counts in {"public": [1, 2, 4], "non_profit_or_consular": [6, 0, 1],
                         "commercial": [6, 11, 8]}.items():  # fmt: skip
        levels = ("none_visible", "exploratory", "strong")
        cells = [(a, n, sum(counts)) for a, n in zip(levels, counts, strict=True)]
        yield from rows(
            "ai_integration", "institutions", "institutions", cells, "institution_type", kind
        )
    found = {"ai_modules": [17, 22], "ai_conferences": [11, 28], "specialised_track": [5, 34],
             "ai_integration": [13, 13, 13]}  # fmt: skip
    for name, counts in found.items():
        answers = study().definition.sources.institutions.columns[name].answers
        cells = [(a, n, 39) for a, n in zip(answers, counts, strict=True)]
        yield from rows(name, "institutions", "institutions", cells)
    cells = [("practical", 107, 111), ("single_tool", 38, 111)]
    yield from rows("approach", "programmes", "programmes", cells)
    yield from rows("trainer_profile", "programmes", "programmes", [("unspecified", 28, 111)])


def _survey_by_hand(made):
    groups = study().questionnaire.battery("skills")
    scores = [(g, n, 240) for g, n in zip(groups, [160, 150, 149, 130, 140, 110], strict=True)]
    yield from rows(
        "expectation_index", "trained", "concerned", scores, method="mean_score", **made
    )
    families = {"career": 180, "efficiency": 200, "personal_development": 190,
                "obligation_advice": 75, "other": 11}  # fmt: skip
    cells = [(family, n, 228) for family, n in families.items()]
    yield from rows("motivation_family", "trained_non_students", "respondents", cells, **made)
    for population, counts in {"trained_students": [4, 4, 6, 4],
                               "trained_non_students": [12, 28, 100, 85]}.items():  # fmt: skip
        answers = study().question("satisfaction").answers
        cells = [(a, n, sum(counts)) for a, n in zip(answers, counts, strict=True)]
        cells.append(("satisfied_total", counts[2] + counts[3], sum(counts)))
        yield from rows("satisfaction", population, "respondents", cells)
    for status, counts in {"student": [4, 4, 6, 4], "permanent": [5, 12, 40, 30],
                           "intermittent": [3, 8, 40, 35]}.items():  # fmt: skip
        answers = study().question("satisfaction").answers
        cells = [(a, n, sum(counts)) for a, n in zip(answers, counts, strict=True)]
        yield from rows("satisfaction", "trained", "respondents", cells, "status", status, **made)
    ages = {"trained": [43, 38, 79, 79, 23], "untrained": [57, 4, 4, 10, 4]}
    for population, counts in ages.items():
        cells = [(a, n, sum(counts))
                 for a, n in zip(study().question("age").answers, counts, strict=True)]  # fmt: skip
        yield from rows("age", population, "respondents", cells, **made)
    jobs = [("director", 30, 31, 41), ("screenwriter", 19, 10, 20), ("animator", 4, 3, 6),
            ("graphic_designer", 40, 18, 42), ("other", 40, 30, 60),
            ("art_director", 22, 9, 23)]  # fmt: skip
    for job, use, discover, base in jobs:
        cells = [("use_ai", use, base), ("discover_ai", discover, base)]
        yield from rows("training_objective", "trained", "respondents", cells, "job", job, **made)
    jobs = dict(zip(study().question("job").answers,
                    [80, 45, 40, 38, 30, 26, 22, 12, 8, 6, 34], strict=True))  # fmt: skip
    yield from rows("job", "all", "respondents", [(j, n, 341) for j, n in jobs.items()], **made)


def tests() -> pd.DataFrame:
    made = [
        ("cochran_armitage", 4.9, 1e-6, "share_difference", 0.396, 0.2, 0.59),
        ("linear_by_linear", 5.1, 4e-7, "correlation", 0.33, 0.21, 0.44),
    ]
    return typed(
        pd.DataFrame(
            {
                "chapter": "satisfaction", "table": "satisfaction_by_training_hours",
                "population": "trained", "variable": "satisfaction", "by": "training_hours",
                "test": name, "statistic": z, "df": 1, "p_value": p, "p_adjusted": p * 2,
                "effect": effect, "effect_size": size, "effect_low": low, "effect_high": high,
                "n": 243, "evidence": "published",
            }
            for name, z, p, effect, size, low, high in made
        ),
        TEST_NUMBERS,
    )  # fmt: skip


def audit() -> pd.DataFrame:
    made = [("status.student", "69", "69", "341", "exact", "Même nombre."),
            ("status.permanent", "33 %", "33,4 %", "341", "rounds", "114 sur 341 font 33,4 %."),
            ("text.students", "73 %", "73,9 %", "23", "truncated", "17 sur 23 font 73,9 %."),
            ("text.peers", "44 ; 63 %", "63,8 %", "69", "truncated", "44 sur 69 font 63,8 %."),
            ("text.total", "113 ; 92 %", "109", "119", "contradicted", "Autre chiffre."),
            ("method.interviews", "37", "", "", "unspecified", "Pas de donnée.")]  # fmt: skip
    names = ["figure_id", "published", "recomputed", "base_n", "status", "explanation"]
    return typed(pd.DataFrame(made, columns=names), [])
