"""The reconstruction, counted again in plain pandas on the files it writes."""

from __future__ import annotations

import csv
import hashlib
import math
import time
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import yaml

from analysis.errors import InputError
from analysis.reconstruct import counts, placed_figures, rebuild, reconstruct, settle
from analysis.reconstruct.catalogue import Catalogue, Variable, survey_catalogue
from analysis.reconstruct.linear import InfeasibleError, assign
from analysis.reconstruct.plan import Counting, Listing, Plan, read_plan
from analysis.reconstruct.reference import Reference
from analysis.reconstruct.register import Claim, Figure, claims, read_register
from analysis.study import Study, load_study

BROKEN = {
    "text.age_30_49",
    "text.student_mandatory",
    "text.satisfied_22_plus",
    "text.identify_risks",
    "text.peers_students",
    "text.respondents_announced",
}
FIRST_QUESTIONS = ["status", "age", "sector/other", "job", "ai_use_frequency"]


@pytest.fixture(scope="module")
def study() -> Study:
    return load_study("cnc_afdas_2026")


@pytest.fixture(scope="module")
def made(study, tmp_path_factory):
    """One run into a fresh folder, with the time it took: the processor's, which other work on
    the machine does not lengthen (a single thread does it all)."""
    folder = tmp_path_factory.mktemp("raw")
    start = time.process_time()
    written = reconstruct(study, folder)
    return folder, written, time.process_time() - start


@pytest.fixture(scope="module")
def survey(made) -> pd.DataFrame:
    return pd.read_csv(made[0] / "survey.csv", dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def kept(survey) -> pd.DataFrame:
    """Rows with six questions answered or more: everyone who went past the first page."""
    return survey[survey["training_hours"] != ""]


@pytest.fixture(scope="module")
def lists(made) -> dict[str, pd.DataFrame]:
    folder = made[0]
    read = {"dtype": str, "keep_default_na": False}
    actions = pd.read_csv(
        folder / "training_actions.csv", sep=";", decimal=",", encoding="utf-8-sig"
    )
    return {
        "actions": actions,
        "institutions": pd.read_csv(folder / "institutions.csv", **read),
        "programmes": pd.read_csv(folder / "programmes.csv", **read),
    }


@pytest.fixture(scope="module")
def register(study) -> list[dict[str, str]]:
    with study.published.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


@pytest.fixture(scope="module")
def model(study):
    """The programme of the survey, not yet solved."""
    plan = read_plan(study)
    wanted, _ = placed_figures(study, plan)
    own = [(figure, reference) for figure, reference in wanted if reference.source == "survey"]
    return counts.build(survey_catalogue(study, plan), plan.survey, own, flow=True)


def population(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Populations of the register, written out by hand."""
    trained, student = frame["training_hours"] != "none", frame["status"] == "student"
    happy = frame["satisfaction"].isin(["satisfied", "rather_satisfied"])
    masks = {
        "all": trained | ~trained,
        "trained": trained,
        "trained_students": trained & student,
        "trained_non_students": trained & ~student,
        "satisfied": happy,
        "dissatisfied": ~happy & (frame["satisfaction"] != ""),
        "practising": frame["practice"].isin(["daily", "occasional"]),
        "not_practising": frame["practice"] == "none",
    }
    return frame[masks[name]]


def count_and_base(kept: pd.DataFrame, row: dict[str, str]) -> tuple[int, int]:
    """Count and base of a chart figure of the survey."""
    variable, category, name = row["variable"], row["category"], row["population"]
    frame = population(kept, name)
    if variable == "motivation":
        variable = "motivation_student" if name == "trained_students" else "motivation_pro"
    if variable == "satisfaction_x_training_hours":
        hours, category = category.split(":")
        frame, variable = frame[frame["training_hours"] == hours], "satisfaction"
    if f"{variable}/{category}" in frame:
        columns = [column for column in frame if column.startswith(f"{variable}/")]
        chosen = (frame[f"{variable}/{category}"] == "1").sum()
        if row["base_kind"] == "responses":
            return chosen, (frame[columns] == "1").to_numpy().sum()
        return chosen, (frame[f"{variable}/{category}"] != "").sum()
    answered = frame.loc[frame[variable] != "", variable]
    sides = {
        "agree": ["rather_agree", "strongly_agree"],
        "disagree": ["rather_disagree", "strongly_disagree"],
        "base": answered.unique(),
    }
    return answered.isin(sides.get(category, [category])).sum(), len(answered)


def rounds(count: int, base: int) -> int:
    return math.floor(Fraction(100 * int(count), int(base)) + Fraction(1, 2))


def test_under_a_minute(made):
    assert made[2] < 60


def test_same_bytes_as_the_files_committed(study, made):
    folder, written, _ = made
    committed = {path.name: path.read_bytes() for path in study.paths.raw.iterdir()}
    assert {path.name for path in written} == set(committed)
    differing = [name for name, data in committed.items() if (folder / name).read_bytes() != data]
    assert differing == []


def test_another_seed_gives_other_rows_with_the_same_figures(study):
    plan = read_plan(study).model_copy(update={"survey": None})
    other = Study(
        study.paths,
        study.definition.model_copy(update={"seed": 7}),
        study.questionnaire,
        study.recodes,
    )
    one, two = rebuild(study, plan), rebuild(other, plan)
    for source, frame in one.raw.items():
        assert not frame.equals(two.raw[source]), source
        assert len(frame) == len(two.raw[source])
    assert one.broken == two.broken == []


def test_every_file_has_its_provenance(made):
    folder, written, _ = made
    tables = [path for path in written if path.suffix == ".csv"]
    assert len(tables) == 4
    for path in tables:
        record = yaml.safe_load((folder / f"{path.name}.meta.yml").read_text(encoding="utf-8"))
        assert record["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert record["synthetic"] is True
        assert record["seed"] == 2026
        assert record["rows"] == len(path.read_text(encoding="utf-8").splitlines()) - 1
        assert {"fr", "en"} == set(record["method"]) == set(record["title"])


def test_response_flow(survey, kept):
    complete = survey["Questionnaire terminé"] == "Oui"
    assert len(survey) == 378
    assert complete.sum() == 315
    assert (~complete).sum() == 63
    assert len(kept) == 341
    assert (~complete.loc[kept.index]).sum() == 26
    assert len(survey) - len(kept) == 37
    assert survey["Identifiant"].is_unique
    assert survey["Date de réponse"].between("2025-12-11", "2026-01-16").all()


def test_rows_too_partial_stop_within_the_first_questions(survey, kept):
    partial = survey.drop(kept.index)
    answered = partial[FIRST_QUESTIONS].ne("").to_numpy()
    assert answered[:, 0].all()
    assert (answered[:, :-1] >= answered[:, 1:]).all()
    questions = survey.columns[survey.columns.get_loc("status") :]
    profile = [
        c for c in questions if c.split("/")[0] in {f.split("/")[0] for f in FIRST_QUESTIONS}
    ]
    assert partial[[c for c in questions if c not in profile]].eq("").all(axis=None)


def test_charts_of_the_survey(kept, register):
    checked = []
    for row in register:
        known = any(c == row["variable"] or c.startswith(row["variable"]) for c in kept)
        if row["place"] != "chart" or not (known or "_x_training_hours" in row["variable"]):
            continue
        count, base = count_and_base(kept, row)
        if row["base_n"] and row["category"] != "base":
            assert base == int(row["base_n"]), row["figure_id"]
        if row["count"]:
            assert count == int(row["count"]), row["figure_id"]
        if row["percent"]:
            assert rounds(count, base) == int(row["percent"]), row["figure_id"]
        checked.append(row["figure_id"])
    others = ("consumption.", "offer.")
    charts = [r for r in register if r["place"] == "chart"]
    assert len(checked) == len([r for r in charts if not r["figure_id"].startswith(others)])


def test_charts_of_the_lists(lists, register):
    for row in register:
        if row["place"] == "text" or not row["figure_id"].startswith("offer."):
            continue
        variable, _, by = row["variable"].partition("_x_")
        frame = lists[row["population"]]
        category = row["category"]
        if by:
            group, category = category.split(":")
            frame = frame[frame[by] == group]
        count = len(frame) if category == "total" else (frame[variable] == category).sum()
        if row["count"]:
            assert count == int(row["count"]), row["figure_id"]
        else:
            assert rounds(count, len(frame)) == int(row["percent"]), row["figure_id"]
    approach = lists["programmes"]["approach"].str.get_dummies(";")
    assert len(approach) == 111
    assert rounds(approach["practical"].sum(), 111) == 96
    assert rounds(approach["single_tool"].sum(), 111) == 34


def test_training_actions(lists, register):
    actions = lists["actions"]
    printed = {row["figure_id"]: row for row in register}
    assert len(actions) == 4198
    assert (actions["Groupe"] == 2).sum() == 405
    assert round(actions["Durée (h)"].mean(), 1) == 8.4
    assert (actions["Durée (h)"] < 15).mean() > 0.5
    assert actions["Numéro d'action"].is_unique
    dates = pd.to_datetime(actions["Date de début"], format="%d/%m/%Y")
    assert (dates.dt.year == 2024).all()
    assert (dates.dt.day_of_week < 5).all()
    means = actions.groupby("Intitulé")["Durée (h)"].mean()
    assert len(means) == 275
    bands = pd.cut(means, [0, 5, 8, 15, 22, np.inf], right=False).value_counts(sort=False)
    names = ["under_5", "5_7", "8_14", "15_21", "22_plus"]
    for name, count in zip(names, bands, strict=True):
        assert rounds(count, 275) == int(printed[f"consumption.duration.{name}"]["percent"]), name
    assert rounds(bands.iloc[:3].sum(), 275) == 54


def test_offer_agrees_with_the_text(lists):
    frame = lists["institutions"]
    shown = frame[frame["ai_integration"] == "none_visible"]
    assert frame["ai_integration"].value_counts().to_dict() == {
        "none_visible": 13,
        "exploratory": 13,
        "strong": 13,
    }
    assert (frame["ai_modules"] == "with_modules").sum() == 17
    assert (frame["ai_conferences"] == "with_conferences").sum() == 11
    assert (frame["specialised_track"] == "yes").sum() == 5
    assert (shown["ai_modules"] == "without_modules").all()


def test_routing(kept):
    untrained = kept["training_hours"] == "none"
    assert untrained.sum() == 79
    assert ((kept["training_setting/none"] == "1") == untrained).all()
    after = kept.columns[kept.columns.get_loc("motivation_pro/stay_competitive") :]
    assert kept.loc[untrained, after].eq("").all(axis=None)
    assert kept.loc[untrained, "training_provider_name"].eq("").all()
    routes = {
        "motivation_pro": kept["status"] != "student",
        "motivation_student": kept["status"] == "student",
        "dissatisfaction_reason": kept["satisfaction"].isin(
            ["dissatisfied", "rather_dissatisfied"]
        ),
        "satisfaction_reason": kept["satisfaction"].isin(["satisfied", "rather_satisfied"]),
        "practice_benefit": kept["practice"].isin(["daily", "occasional"]),
        "non_use_reason": kept["practice"] == "none",
    }
    for name, asked in routes.items():
        columns = [column for column in kept if column.startswith(f"{name}/")]
        assert kept.loc[~asked, columns].eq("").all(axis=None), name
    assert kept.loc[kept["comment"] == "", "comment_theme"].eq("").all()


def test_number_of_answers(kept):
    questions = {column.split("/")[0] for column in kept if "/" in column}
    for name in questions:
        columns = [column for column in kept if column.startswith(f"{name}/")]
        answered = kept[kept[columns[0]] != ""]
        given = (answered[columns] == "1").sum(axis=1)
        assert given.min() >= 1, name
        if name in ("dissatisfaction_reason", "satisfaction_reason"):
            assert given.max() <= 3
        if f"{name}/none" in kept:
            assert given[answered[f"{name}/none"] == "1"].eq(1).all()


def test_nobody_answers_after_leaving(kept):
    """Bases along the questionnaire, and each later answer among those who gave the earlier."""
    skills = [column for column in kept if column.startswith("skill_")]
    steps = {
        "training_objective/use_ai": 258,
        **dict.fromkeys(skills, 245),
        "satisfaction": 243,
        "practice": 237,
    }
    for (name, base), later in zip(steps.items(), [*[*steps][1:], "comment"], strict=True):
        answered = kept[name] != ""
        assert answered.sum() == base, name
        assert (kept.loc[~answered, later] == "").all(), later
    complete = kept["Questionnaire terminé"] == "Oui"
    assert (complete & (kept["training_hours"] != "none")).sum() == 236
    assert (kept.loc[~complete, "comment"] == "").all()


def test_answers_to_the_battery_hang_together(kept):
    """One latent level a person: items agree with each other far beyond chance."""
    scale = ["strongly_disagree", "rather_disagree", "rather_agree", "strongly_agree"]
    items = kept[[column for column in kept if column.startswith("skill_")]]
    scores = items.apply(lambda item: item.map({answer: n for n, answer in enumerate(scale)}))
    correlations = scores.corr().to_numpy()[np.triu_indices(19, 1)]
    assert 0.3 < correlations.mean() < 0.8
    assert correlations.min() > 0.1


def test_statements_broken_are_those_reported(made):
    report = yaml.safe_load((made[0] / "reconstruction.meta.yml").read_text(encoding="utf-8"))
    assert {line["figure_id"] for line in report["statements_broken"]} == BROKEN
    assert report["fewest_statements_broken"] == len(BROKEN)


def test_some_statements_hold_on_the_rows(kept):
    trained = kept[kept["training_hours"] != "none"]
    long = trained["training_hours"] == "22_plus"
    for status, printed in (("intermittent", 66), ("permanent", 20)):
        inside = trained["status"] == status
        assert rounds((inside & long).sum(), inside.sum()) == printed
    for job, use, discover in (
        ("director", 73, 76),
        ("screenwriter", 95, 50),
        ("graphic_designer", 95, 43),
        ("art_director", 95, 39),
    ):
        asked = trained[(trained["job"] == job) & (trained["training_objective/use_ai"] != "")]
        assert rounds((asked["training_objective/use_ai"] == "1").sum(), len(asked)) == use
        found = (asked["training_objective/discover_ai"] == "1").sum()
        assert rounds(found, len(asked)) == discover
    students = kept[(kept["status"] == "student") & (kept["satisfaction"] != "")]
    assert len(students) == 18
    assert (students["motivation_student/curriculum_mandatory"] == "1").sum() == 13


@pytest.mark.parametrize("figure_id", sorted(BROKEN - {"text.respondents_announced"}))
def test_no_answers_could_keep_a_statement_broken(model, figure_id):
    """Each is impossible by itself beside the charts, so no other choice breaks fewer."""
    with pytest.raises(InfeasibleError):
        model.programme.solve({}, {model.soft[figure_id]: 0.0})


def test_two_numbers_of_respondents_cannot_both_hold(model):
    both = [model.soft["text.respondents_announced"], model.soft["method.responses_any"]]
    with pytest.raises(InfeasibleError):
        model.programme.solve({}, dict.fromkeys(both, 0.0))


def figure(**given) -> Figure:
    plain = {
        "figure_id": "f",
        "place": "chart",
        "variable": "colour",
        "population": "all",
        "category": "red",
        "base_kind": "",
        "base_n": None,
        "count": None,
        "percent": None,
        "value": "",
        "unit": "",
    }
    return Figure(**plain | given)


def test_a_printed_percentage_rounds_half_up():
    (share,) = claims(figure(percent=Decimal(43)))
    assert share.holds(17, 40)
    assert not share.holds(87, 200)
    (decimal,) = claims(figure(percent=Decimal("42.5")))
    assert decimal.holds(17, 40)
    assert not decimal.holds(43, 100)


@pytest.mark.parametrize(
    ("text", "count", "holds"),
    [(">1/2", 50, False), (">1/2", 51, True), ("~3/4", 77, True), ("2/3", 70, False)],
)
def test_fractions_in_words(text, count, holds):
    (share,) = claims(figure(value=text, unit="fraction"))
    assert share.holds(count, 100) is holds


def test_a_rank_counts_answers_given_more_often():
    (rank,) = claims(figure(value="2", unit="rank"))
    assert rank == Claim("rank", Fraction(2), Fraction(5, 2))
    assert rank.holds(0, 0, 2)
    assert not rank.holds(0, 0, 1)


def test_assign_gives_totals_and_keeps_within_limits():
    scores = np.random.default_rng(3).standard_normal((30, 4))
    totals = np.array([20, 15, 9, 1])
    given = assign(scores, totals, 1, 2)
    assert given.sum(axis=0).tolist() == totals.tolist()
    assert given.sum(axis=1).min() >= 1
    assert given.sum(axis=1).max() <= 2


def test_assign_gives_a_single_answer_to_those_who_lean_to_it_most():
    scores = np.array([[5.0, 0.0], [1.0, 0.0], [3.0, 0.0]])
    assert assign(scores, np.array([2, 1]), 1, 1).tolist() == [
        [True, False],
        [False, True],
        [True, False],
    ]


def test_assign_says_when_nobody_is_left():
    with pytest.raises(InfeasibleError):
        assign(np.zeros((2, 2)), np.array([2, 2]), 1, 1)


def test_rules_are_asked_of_the_questionnaire(study):
    catalogue = survey_catalogue(study, read_plan(study))
    reasons = catalogue.variables["satisfaction_reason"]
    informal = catalogue.variables["informal_learning"]
    assert catalogue.most(reasons) == 3
    assert catalogue.exclusive(reasons) == []
    assert catalogue.exclusive(informal) == ["none"]
    assert catalogue.most(informal) == len(informal.answers) - 1
    cells = catalogue.cells(["training_hours"])
    fits = catalogue.compatible(catalogue.variables["training_setting"], cells)
    assert (fits["none"] == (cells["training_hours"] == "none")).all()


def toy(*figures: Figure):
    catalogue = Catalogue({"colour": Variable("colour", "one", ("red", "green"))})
    wanted = [(f, Reference("things", "colour", (f.category,))) for f in figures]
    return catalogue, Counting(tables=[["colour"]]), wanted


def test_the_fewest_statements_are_broken(study):
    catalogue, counting, wanted = toy(
        figure(base_n=10, count=4),
        figure(figure_id="true", place="text", percent=Decimal(40)),
        figure(figure_id="false", place="text", percent=Decimal(60)),
        figure(figure_id="other", place="text", category="green", count=6),
    )
    model, values, lost = settle(study, catalogue, counting, wanted, np.random.default_rng(1))
    assert lost == 1
    assert [name for name, number in model.soft.items() if values[number]] == ["false"]
    assert values[model.tables[0].numbers].sum() == 10


def test_charts_that_contradict_each_other_are_an_input_error(study):
    catalogue, counting, wanted = toy(figure(base_n=10, count=4), figure(category="green", count=7))
    with pytest.raises(InputError, match="all be true at once"):
        settle(study, catalogue, counting, wanted, np.random.default_rng(1))


def test_tables_that_share_questions_two_by_two_are_an_input_error():
    variables = {name: Variable(name, "one", ("yes", "no")) for name in "abc"}
    counting = Counting(tables=[["a", "b"], ["b", "c"], ["a", "c"]])
    with pytest.raises(InputError, match="tables form a tree"):
        counts.build(Catalogue(variables), counting, [])


def test_a_number_that_cannot_be_read_names_its_row(study, tmp_path):
    text = study.published.read_text(encoding="utf-8").replace(",378,", ",many,", 1)
    path = tmp_path / "published.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_register(path, "published.csv")
    assert caught.value.problems[0].row == 2


def copied(study: Study, tmp_path, plan: str) -> Study:
    """The study with another reconstruction.yml."""
    folder = tmp_path / "studies" / study.name
    folder.mkdir(parents=True)
    for path in study.paths.definition.iterdir():
        if path.is_file() and path.name != "reconstruction.yml":
            (folder / path.name).write_bytes(path.read_bytes())
    if plan:
        (folder / "reconstruction.yml").write_text(plan, encoding="utf-8")
    return load_study(study.name, tmp_path)


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ("", "no reconstruction.yml"),
        ("date: [", "valid YAML"),
        ("date: 2026-01-01\nproducer: {fr: a, en: a}\nfiles: {}\nsurvay: {}", "survay"),
    ],
)
def test_mistakes_in_the_plan_are_input_errors(study, tmp_path, plan, message):
    with pytest.raises(InputError, match=message.replace(".", r"\.")):
        reconstruct(copied(study, tmp_path, plan), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_unknown_question_in_the_plan_is_named(study, tmp_path):
    text = (study.paths.definition / "reconstruction.yml").read_text(encoding="utf-8")
    changed = text.replace("[status, age, training_hours]", "[status, agee, training_hours]")
    with pytest.raises(InputError, match="agee"):
        read_plan(copied(study, tmp_path, changed))


def test_a_figure_nobody_can_place_is_named(study):
    plan = read_plan(study)
    bare = Plan.model_validate(plan.model_dump() | {"beyond": []})
    with pytest.raises(InputError, match=r"method\.interviews"):
        rebuild(study, bare)


def test_too_few_titles_are_an_input_error(study):
    plan = read_plan(study)
    assert plan.actions is not None
    short = {
        name: titles.model_copy(update={"lists": {key: ["un"] for key in titles.lists}})
        for name, titles in plan.actions.titles.items()
    }
    actions = plan.actions.model_copy(update={"titles": short})
    bare = plan.model_copy(update={"survey": None, "actions": actions})
    with pytest.raises(InputError, match="enough titles"):
        rebuild(study, bare)


def test_a_list_alone_can_be_rebuilt(study):
    plan = read_plan(study).model_copy(
        update={"survey": None, "actions": None, "institutions": None}
    )
    assert isinstance(plan.programmes, Listing)
    made = rebuild(study, plan)
    assert list(made.raw) == ["programmes"]
    assert made.raw["programmes"]["programme_id"].is_unique
