"""Studies held against each other: what is compared, what is not and why, and what stands in the
files. Expected numbers come from the raw answers, counted again."""

from __future__ import annotations

import csv
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from compared_studies import built, study
from statsmodels.stats import proportion
from statsmodels.stats.multitest import multipletests

from analysis.comparison.asked import asked, plain
from analysis.comparison.build import build, in_order, languages, read_released
from analysis.comparison.declared import Declared, check_declared, read_declared
from analysis.comparison.reasons import Setting, match, months_between
from analysis.comparison.table import CELLS, QUESTIONS, Released, comparison
from analysis.definition import Period
from analysis.errors import InputError
from analysis.paths import PROJECT
from analysis.release.build import build as build_study
from analysis.study import Study

WORDING = ("Êtes-vous satisfaits de la formation ?", "Cette formation vous a-t-elle plu ?")
MORE = (",status,student", ",status,unemployed,Sans emploi,Out of work,\n,status,student")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("studies")


@pytest.fixture(scope="module")
def north(root: Path) -> Study:
    return built(root, "north", 240)


@pytest.fixture(scope="module")
def south(root: Path) -> Study:
    return built(root, "south", 90, 0.6, seed=2)


@pytest.fixture(scope="module")
def west(root: Path) -> Study:
    """Weighted, and with a small base held back."""
    limits = ("thresholds: {suppressed_base: 0}", "thresholds: {suppressed_base: 16}")
    return built(root, "west", 40, 0.2, seed=3, weighted=True, yml=[limits])


def tables(*studies: Study) -> tuple[pd.DataFrame, pd.DataFrame]:
    folder = build(in_order(studies))
    questions, cells = (
        pd.read_csv(folder / f"{name}.csv", keep_default_na=False, na_values={
            column: [""] for column in CELLS if re.match("base_n|count|share|diff|p_", column)})
        for name in ("questions", "comparison")
    )  # fmt: skip
    return questions, cells


def raw(study: Study) -> list[dict[str, str]]:
    with (study.paths.raw / "survey.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def counted(study: Study, question: str, answer: str) -> tuple[int, int]:
    given = [row[question].split(";") for row in raw(study) if row[question]]
    return sum(answer in one for one in given), len(given)


# What is compared


def test_every_cell_is_that_of_the_raw_answers(north: Study, south: Study) -> None:
    _, cells = tables(north, south)
    assert set(cells["question"]) == {
        "status", "training_setting", "motivation_pro", "motivation_student", "skill_tool",
        "skill_law", "satisfaction",
    }  # fmt: skip
    plain_cells = cells[~cells["category"].isin(["agree", "disagree"])]
    assert len(plain_cells) == 3 + 4 + 3 + 3 + 4 + 4 + 4
    for row in plain_cells.itertuples():
        first = counted(north, row.question, row.category)
        second = counted(south, row.question, row.category)
        assert (row.count_reference, row.base_n_reference) == first
        assert (row.count_other, row.base_n_other) == second
        low, high = proportion.confint_proportions_2indep(
            *second, *first, compare="diff", method="newcomb"
        )
        found = (row.difference, row.difference_low, row.difference_high)
        share = second[0] / second[1] - first[0] / first[1]
        assert found == pytest.approx((share, low, high), abs=1e-9)
        if row.test == "score":
            score = proportion.test_proportions_2indep(
                *second, *first, method="score", correction=False
            )
            assert row.p_value == pytest.approx(score.pvalue, abs=1e-9)


def test_p_values_are_corrected_for_all_the_cells_of_all_the_studies(
    north: Study, south: Study, west: Study
) -> None:
    _, cells = tables(north, south, west)
    assert list(dict.fromkeys(cells["other"])) == ["south", "west"]
    known = cells[cells["p_value"].notna()]
    _, holm, _, _ = multipletests(known["p_value"], method="holm")
    np.testing.assert_allclose(known["p_adjusted"], holm, atol=1e-7)
    assert cells.loc[cells["p_value"].isna(), "p_adjusted"].isna().all()


def test_an_item_is_compared_by_both_sides_of_its_scale(north: Study, south: Study) -> None:
    _, cells = tables(north, south)
    item = cells[cells["question"] == "skill_law"].set_index("category")
    sides = {"agree": ["rather_agree", "strongly_agree"],
             "disagree": ["strongly_disagree", "rather_disagree"]}  # fmt: skip
    for side, answers in sides.items():
        for end in ("reference", "other"):
            assert item.loc[side, f"count_{end}"] == item.loc[answers, f"count_{end}"].sum()


def test_a_weighted_study_is_compared_by_its_own_intervals(north: Study, west: Study) -> None:
    _, cells = tables(north, west)
    cell = cells[(cells["question"] == "satisfaction")].iloc[0]
    assert (cell["method_reference"], cell["method_other"]) == ("wilson", "korn_graubard")
    people = [row for row in raw(west) if row["satisfaction"]]
    weights = np.array([float(row["weight"]) for row in people])
    chosen = np.array([row["satisfaction"] == cell["category"] for row in people])
    assert cell["share_other"] == pytest.approx((weights * chosen).sum() / weights.sum())
    below = np.hypot(cell["share_other"] - cell["share_low_other"],
                     cell["share_high_reference"] - cell["share_reference"])  # fmt: skip
    assert cell["difference"] - cell["difference_low"] == pytest.approx(below, abs=1e-9)


def test_what_one_study_holds_back_is_not_compared_and_cannot_be_worked_out(
    north: Study, west: Study
) -> None:
    questions, cells = tables(north, west)
    assert counted(west, "motivation_student", "curiosity")[1] < 16
    hidden = questions.set_index("question").loc["motivation_student"]
    assert (hidden["comparable"], hidden["reason"]) == ("no", "hidden")
    rows = cells[cells["question"] == "motivation_student"]
    gone = ["base_n_other", "count_other", "share_other", "share_low_other", "share_high_other",
            "difference", "difference_low", "difference_high", "p_value", "p_adjusted"]  # fmt: skip
    assert len(rows) == 3 and rows[gone].isna().all().all()
    assert set(rows["verdict"]) == {"suppressed"} and set(rows["comparable"]) == {"no"}
    assert all("hidden_base" in why for why in rows["reason_other"])


def test_the_weaker_verdict_and_evidence_stand(north: Study, root: Path) -> None:
    """Rebuilt answers without a register are illustrative, whatever they are compared with."""
    rebuilt = built(root, "rebuilt", 25, yml=[("synthetic: false", "synthetic: true")])
    _, cells = tables(north, rebuilt)
    assert set(cells["evidence_reference"]) == {"observed"}
    assert set(cells["evidence"]) == {"illustrative"}
    assert set(cells["verdict_other"]) == {"fragile"} == set(cells["verdict"])


# What is not, and why


def reasons(north: Study, root: Path, name: str, **how: Any) -> dict[str, tuple[str, str]]:
    questions, _ = tables(north, built(root, name, 60, **how))
    return {row.question: (row.reason, row.warning) for row in questions.itertuples()}


def test_case_spaces_and_punctuation_do_not_change_a_wording() -> None:
    assert plain("Êtes-vous  SATISFAITS\u00a0?") == plain("êtes vous satisfaits ?")
    assert plain("l’IA") == plain("l'IA") != plain("les IA")
    assert plain("moins de 5 %") != plain("moins de 50 %")


def test_what_is_worded_otherwise_is_said(north: Study, root: Path) -> None:
    form = [
        WORDING,
        ("Par curiosité", "Par envie"),
        ("Pourquoi vous former ?", "POURQUOI vous former"),
    ]
    found = reasons(north, root, "worded", form=form)
    assert found.pop("satisfaction") == ("wording", "")
    assert found.pop("motivation_pro") == ("answers", "")
    assert found.pop("motivation_student") == ("answers", "")
    assert set(found.values()) == {("", "")}


def test_a_wording_is_compared_in_every_language_that_both_have(north: Study, root: Path) -> None:
    form = [("Are you satisfied with the training?", "Did you like the training?")]
    assert reasons(north, root, "english", form=form)["satisfaction"] == ("wording", "")


def test_what_has_no_estimate_or_no_answer_in_common_is_kept_apart(north: Study) -> None:
    question = asked(north, read_released(north), Declared(), ["fr"])["survey", "status"]
    how = Setting(waves=False, apart=False)
    assert match(question, question, how).reasons == ()
    assert match(question, replace(question, tables=()), how).reasons == ("no_estimate",)
    other = replace(question, answers={f"other_{name}": said for name, said in
                                       question.answers.items()})  # fmt: skip
    assert match(question, other, how).reasons == ("answers", "no_answer")


def test_another_list_is_told_with_what_differs(north: Study, root: Path) -> None:
    form = [MORE, (",setting,other,Autre,Other,\n", "")]
    questions, cells = tables(north, built(root, "lists", 60, form=form))
    rows = questions.set_index("question")
    assert rows.loc["status", ["reason", "only_reference", "only_other"]].tolist() == [
        "answers", "", "unemployed",
    ]  # fmt: skip
    assert rows.loc["training_setting", "only_reference"] == "other"
    assert rows.loc["status", "common"] == "employee;self_employed;student"
    apart = cells[cells["question"] == "status"]
    assert len(apart) == 1 and apart["difference"].isna().all()
    assert apart.iloc[0][["comparable", "reason"]].tolist() == ["no", "answers"]


def test_the_order_of_answers_is_a_warning(north: Study, root: Path) -> None:
    employee = (
        ',status,employee,"Salarié·e, en CDI ou en CDD","Employee, permanent or fixed-term",\n'
    )
    own = ",status,self_employed,À mon compte,Self-employed,\n"
    found = reasons(north, root, "turned", form=[(employee + own, own + employee)])
    assert found["status"] == ("", "order")


def test_another_kind_and_another_limit(north: Study, root: Path) -> None:
    form = [
        ("select_one satisfaction", "select_multiple satisfaction"),
        (",required,relevant\n", ",required,relevant,constraint\n"),
        ('train, in 2025?",yes,', 'train, in 2025?",yes,,count-selected(.) <= 4'),
    ]
    yml = [("  satisfaction: satisfaction\n", "")]
    found = reasons(north, root, "kinds", form=form, yml=yml)
    assert found["training_setting"] == ("limit", "")
    assert "kind" in found["satisfaction"][0]


def test_another_base_by_routing_and_by_population(north: Study, root: Path) -> None:
    form = [
        ("satisfied with the training?,,", "satisfied with the training?,,${status} != 'student'")
    ]
    yml = [("motivation_student: students}", "motivation_student: students, satisfaction: pros}")]
    questions, _ = tables(north, built(root, "routed", 60, form=form, yml=yml))
    row = questions.set_index("question").loc["satisfaction"]
    assert row["reason"] == "routing;base"
    assert (row["population_reference"], row["population_other"]) == ("all", "pros")


def test_one_base_under_another_name_is_the_same(north: Study, root: Path) -> None:
    yml = [("  pros: {", "  in_work: {"), ("motivation_pro: pros", "motivation_pro: in_work"),
           ("{pros: motivation_pro", "{in_work: motivation_pro"),
           ("${status} != 'student'", "${status}  !=  'student'")]  # fmt: skip
    questions, _ = tables(north, built(root, "renamed_base", 60, yml=yml))
    row = questions.set_index("question").loc["motivation_pro"]
    assert row["comparable"] == "yes" and row["population_other"] == "in_work"


def test_another_kind_of_base(north: Study, root: Path) -> None:
    """Where "not concerned" is an answer of one scale, its shares are of those concerned."""
    concerned = (",satisfaction,very_dissatisfied", ",agreement,none,Sans objet,Not applicable,\n"
                 ",satisfaction,very_dissatisfied")  # fmt: skip
    scale = "    agree: [rather_agree, strongly_agree]\n"
    yml = [(scale, scale + "    not_concerned: none\n")]
    found = reasons(north, root, "concerned", form=[concerned], yml=yml)
    assert found["skill_tool"] == ("answers;base_kind", "")


def test_periods_too_far_apart(north: Study, root: Path) -> None:
    dates = [("start: 2026-01-01, end: 2026-03-31", "start: 2027-04-02, end: 2027-05-31")]
    found = reasons(north, root, "later", yml=dates)
    assert {reason for reason, _ in found.values()} == {"period"}
    (root / "studies" / "comparisons.yml").write_text("months_apart: 13\n", encoding="utf-8")
    questions, _ = tables(north, load(root, "later"))
    (root / "studies" / "comparisons.yml").unlink()
    assert set(questions["comparable"]) == {"yes"}


def load(root: Path, name: str) -> Study:
    from analysis.study import load_study  # noqa: PLC0415

    return load_study(name, root)


def test_months_between_two_periods() -> None:
    def period(start: str, end: str) -> Period:
        return Period.model_validate({"start": start, "end": end})

    first = period("2025-12-11", "2026-01-16")
    assert months_between(first, period("2026-01-01", "2026-02-01")) == 0
    later = period("2027-01-16", "2027-02-16")
    assert months_between(first, later) == months_between(later, first)
    assert months_between(first, later) == pytest.approx(12, abs=0.01)


def test_a_complete_count_is_not_tested(national_copy: Study) -> None:
    """The national study beside itself under another name."""
    again = national_copy.definition.model_copy(update={"study": "again"})
    released = read_released(national_copy)
    pair = [Released(national_copy, released),
            Released(replace(national_copy, definition=again), released)]  # fmt: skip
    questions, cells = comparison(pair, Declared(), ["fr"])
    by_source = questions.groupby("source")["reason"].unique()
    assert {source: list(why) for source, why in by_source.items()} == {
        "survey": [""],
        "actions": ["complete_count"],
        "institutions": ["complete_count"],
        "programmes": ["complete_count"],
    }
    counted = cells[cells["source"] == "actions"]
    assert len(counted) == 3 and counted["difference"].isna().all()
    assert set(cells.loc[cells["source"] == "survey", "difference"]) == {0.0}
    # A question that two populations are asked in one wording is two questions.
    motivation = questions[questions["question"].str.startswith("motivation_")]
    assert list(motivation["population_other"]) == ["trained_non_students", "trained_students"]


def test_the_national_study_and_a_region_share_one_question_put_otherwise(
    national_copy: Study, tmp_path: Path
) -> None:
    name = "hauts_de_france_2026"
    for folder in ("studies", "data/raw"):
        shutil.copytree(PROJECT / folder / name, tmp_path / folder / name)
    region = load(tmp_path, name)
    build_study(region)
    pair = [Released(one, read_released(one)) for one in (national_copy, region)]
    questions, cells = comparison(pair, Declared(), ["fr"])
    (both,) = questions[questions["reason"] != "not_asked"].itertuples()
    assert (both.question, both.comparable) == ("ai_use_frequency", "no")
    assert set(both.reason.split(";")) >= {"wording", "answers"}
    assert "never" in both.common.split(";") and both.only_reference and both.only_other
    assert cells["difference"].isna().all()


# Waves


def test_a_wave_shows_its_change_and_warns_where_the_question_changed(
    north: Study, root: Path
) -> None:
    yml = [("study: north_2027", "study: north_2027\nwave_of: north"),
           ("start: 2026-01-01", "start: 2028-01-01"), ("end: 2026-", "end: 2028-")]  # fmt: skip
    wave = built(root, "north_2027", 200, 0.5, seed=4, yml=yml, form=[WORDING, MORE])
    questions, cells = tables(wave, north)
    rows = questions.set_index("question")
    assert set(rows["waves"]) == {"yes"} and set(rows["comparable"]) == {"yes"}
    # Named in either order, the earlier wave is the reference.
    assert set(questions["reference"]) == {"north"}
    assert rows.loc["satisfaction", "warning"] == "wording"
    assert rows.loc["status", "warning"] == "answers"
    common = cells[cells["question"] == "status"]["category"]
    assert list(common) == ["employee", "self_employed", "student"]


def test_two_later_waves_are_waves_of_each_other(north: Study, root: Path) -> None:
    def wave(name: str, year: int) -> Study:
        yml = [(f"study: {name}", f"study: {name}\nwave_of: north"),
               ("start: 2026-01-01", f"start: {year}-01-01"),
               ("end: 2026-03-31", f"end: {year}-03-31")]  # fmt: skip
        return study(root, name, 30, yml=yml)

    one, other = wave("north_2030", 2030), wave("north_2029", 2029)
    assert [each.name for each in in_order([one, north, other])] == [
        "north", "north_2029", "north_2030",
    ]  # fmt: skip


# Declarations

SAME = """
questions:
  liked:
    studies:
      north: {variable: satisfaction, answers: {satisfied: yes_rather}}
      other_names: {variable: pleased, answers: {ok: yes_rather}}
    accept: [wording]
    why: {fr: Même sens., en: Same meaning.}
"""


def test_one_question_under_two_names_is_compared_by_declaration(north: Study, root: Path) -> None:
    form = [WORDING, ("satisfaction,satisfaction,", "satisfaction,pleased,"),
            (",satisfaction,satisfied,", ",satisfaction,ok,")]  # fmt: skip
    yml = [("  satisfaction: satisfaction\n", "  satisfaction: pleased\n")]
    other = built(root, "other_names", 80, seed=9, form=form, yml=yml)
    questions, _ = tables(north, other)
    assert set(questions.set_index("question").loc[["satisfaction", "pleased"], "reason"]) == {
        "not_asked"
    }
    path = root / "studies" / "comparisons.yml"
    path.write_text(SAME, encoding="utf-8")
    questions, cells = tables(north, other)
    path.unlink()
    row = questions.set_index("question").loc["liked"]
    assert (row["comparable"], row["accepted"]) == ("yes", "wording")
    assert (row["variable_reference"], row["variable_other"]) == ("satisfaction", "pleased")
    cell = cells[(cells["question"] == "liked") & (cells["category"] == "yes_rather")].iloc[0]
    assert cell["count_reference"] == counted(north, "satisfaction", "satisfied")[0]
    assert cell["count_other"] == counted(other, "pleased", "ok")[0]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("variable: satisfaction,", "variable: satisfacton,", "write 'satisfaction'"),
        ("{satisfied: yes_rather}", "{satisfed: yes_rather}", "write 'satisfied'"),
        ("{satisfied: yes_rather}", "{satisfied: a, dissatisfied: a}", "a, twice"),
        ("accept: [wording]", "accept: [base]", "accept"),
        ("why: {fr: Même sens., en: Same meaning.}", "why: {fr: Même sens.}", "write the reason"),
        ("questions:", "question:", "question"),
        ("questions:", "questions: [", "YAML"),
    ],
)
def test_a_wrong_declaration_is_told(
    north: Study, tmp_path: Path, old: str, new: str, said: str
) -> None:
    (tmp_path / "studies").mkdir()
    path = tmp_path / "studies" / "comparisons.yml"
    path.write_text(SAME.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError, match=re.escape(said)) as error:
        check_declared(read_declared(tmp_path), north)
    assert "comparisons.yml" in str(error.value) and "to do:" in str(error.value)


def test_routing_is_read_by_shared_names(north: Study, root: Path) -> None:
    """A question routed on another one is of one base where that one has two names."""
    declared = Declared.model_validate(
        {"questions": {"situation": {"studies": {
            "north": {"variable": "status"}, "north2": {"variable": "status"}}}}}
    )  # fmt: skip
    released = read_released(north)
    one = asked(north, released, declared, ["fr"])["survey", "motivation_pro"]
    other = asked(north, released, Declared(), ["fr"])["survey", "motivation_pro"]
    assert "situation" in str(one.routing) and "status" in str(other.routing)
    how = Setting(waves=False, apart=False)
    assert match(one, one, how).reasons == ()
    assert match(one, other, how).reasons == ("routing", "base")


# Files and mistakes


def test_files_are_described_and_reproducible(north: Study, south: Study) -> None:
    folder = build([north, south])
    names = {path.name for path in folder.iterdir()}
    assert names == {
        *(f"{name}.{ending}" for name in ("comparison", "questions", "studies")
          for ending in ("csv", "parquet")),
        "datapackage.json", "provenance.json",
    }  # fmt: skip
    assert folder == north.paths.root / "data/clean/compare/north+south/results"
    package = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    fields = {
        field["name"]: field for resource in package["resources"]
        for field in resource["schema"]["fields"]
    }  # fmt: skip
    assert set(CELLS) | set(QUESTIONS) <= set(fields)
    undescribed = [name for name, field in fields.items() if "description" not in field]
    assert undescribed == []
    assert fields["share_low_other"]["constraints"] == {"minimum": 0, "maximum": 1}
    assert "synthetic" in package and package["synthetic"] is False
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert {path.name: path.read_bytes() for path in build([north, south]).iterdir()} == before


def test_nothing_in_common_says_what_was_looked_at(north: Study, south: Study) -> None:
    """Every question of one of them is said to be called otherwise."""
    path = north.paths.root / "studies" / "comparisons.yml"
    names = [question.name for question in north.questionnaire or () if question.choices]
    path.write_text(
        "questions:\n" + "".join(
            f"  x_{name}: {{studies: {{north: {{variable: {name}}}, a: {{variable: b}}}}}}\n"
            for name in names
        ),
        encoding="utf-8",
    )  # fmt: skip
    with pytest.raises(InputError) as error:
        build([north, south])
    path.unlink()
    said = str(error.value)
    listed = ", ".join(sorted(names))
    assert f"north: {listed}; south: {listed}" in said
    assert "studies/comparisons.yml" in said and "to do:" in said


def test_results_that_were_not_built_are_told(north: Study, root: Path) -> None:
    bare = study(root, "bare", 20)
    with pytest.raises(InputError, match="analysis build bare"):
        build([north, bare])


def test_studies_without_a_language_in_common(north: Study) -> None:
    other = north.definition.model_copy(update={"languages": ["de"], "study": "german"})
    german = Study(north.paths, other, north.questionnaire, ())
    with pytest.raises(InputError, match="north: fr, en; german: de"):
        languages([north, german])


@pytest.mark.parametrize("names", [["north"], ["north", "north"]])
def test_one_study_is_not_compared_with_itself(north: Study, names: list[str]) -> None:
    with pytest.raises(InputError, match="two or more different studies"):
        in_order([north for _ in names])
