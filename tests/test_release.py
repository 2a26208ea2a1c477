"""The gate: evidence, verdicts, plausibility and exports, on made-up answers."""

import dataclasses
import json

import made_up
import openpyxl
import pandas as pd
import pytest

from analysis import chapters
from analysis.chapters.data import Data
from analysis.definition import Thresholds
from analysis.release import plausibility
from analysis.release.build import ESTIMATES, TESTS, release
from analysis.release.evidence import evidence
from analysis.release.exports import write_results
from analysis.release.verdict import reasons, told, verdict


@pytest.fixture(scope="module")
def tables(national):
    return made_up.tables(national, 300)


@pytest.fixture(scope="module")
def frames(national, tables):
    return release(national, tables)


def test_columns_are_those_of_the_design(frames):
    assert list(frames["estimates"].columns) == ESTIMATES
    assert list(frames["tests"].columns) == TESTS
    assert len(frames["audit"]) == 363


def of(frames, **names):
    rows = frames["estimates"]
    for name, value in names.items():
        rows = rows[rows[name] == value]
    return set(rows["evidence"])


def test_evidence_on_rebuilt_answers(frames):
    assert of(frames, table="satisfaction_by_training_hours") == {"published"}
    assert of(frames, variable="skill_tool_choice", by="") == {"published"}
    assert of(frames, table="skill_tool_choice_by_status") == {"illustrative"}
    assert of(frames, variable="trained", population="all", by="") == {"published"}
    assert of(frames, variable="question_base") == {"published"}
    assert of(frames, variable="job") == {"illustrative"}
    assert of(frames, variable="expectation_index") == {"illustrative"}
    assert of(frames, table="satisfaction_by_status") == {"illustrative"}
    assert of(frames, variable="motivation_family") == {"illustrative"}
    assert of(frames, variable="region") == {"illustrative"}
    by_test = frames["tests"].set_index("test")["evidence"]
    assert by_test["cochran_armitage"] == "published"
    assert set(by_test["several_answers_rao_scott"]) == {"illustrative"}
    measures = frames["measures"].set_index("measure")["evidence"]
    assert set(measures["net_agreement"]) == {"published"}
    for name in ("rank", "cronbach_alpha", "mcdonald_omega", "lift"):
        assert set(measures[name]) == {"illustrative"}, name


def test_real_answers_are_observed(national, frames):
    definition = national.definition.model_copy(update={"synthetic": False})
    study = type(national)(national.paths, definition, national.questionnaire, national.recodes)
    assert set(evidence(frames["estimates"], None, None, study)) == {"observed"}


def test_a_statement_that_is_not_confirmed_is_no_evidence(frames):
    # Made-up answers break the statement, so nothing published stands behind the cell.
    audit = frames["audit"].set_index("figure_id")
    assert audit.loc["text.untrained_students", "status"] == "contradicted" or (
        audit.loc["text.untrained_students", "status"] == "impossible"
    )
    rows = frames["estimates"]
    cell = rows[
        (rows["variable"] == "status")
        & (rows["population"] == "untrained")
        & (rows["category"] == "student")
    ]
    assert cell["evidence"].tolist() == ["illustrative"]


def test_verdicts(national):
    rows = pd.DataFrame(
        {
            "chapter": "c", "table": ["t", "t", "t", "t", "t", "u", "t", "t"], "population": "all",
            "by": ["", "", "", "", "", "group", "", ""],
            "base_kind": ["respondents"] * 7 + ["actions"],
            "base_n": [29, 30, 200, 5, 200, 200, 9, 9],
            "share_low": [0.4, 0.2, 0.4, None, 0.4, 0.4, 0.4, 0.4],
            "share_high": [0.6, 0.7, 0.5, None, 0.5, 0.5, 0.9, 0.5],
            "df": [None, None, None, None, 7, None, None, None],
            "method": ["wilson"] * 3 + ["count"] + ["korn_graubard"] + ["wilson"] * 3,
        }
    )  # fmt: skip
    failed = pd.DataFrame(
        {"chapter": "c", "table": ["u"], "population": "all", "p_value": [float("nan")]}
    )
    found = reasons(rows, failed, Thresholds())
    assert told(found).tolist() == [
        "small_base",
        "wide_interval",
        "",
        "",
        "few_units",
        "no_valid_test",
        "hidden_base;small_base;wide_interval",
        "small_base",
    ]
    assert verdict(found).tolist() == [
        "fragile", "fragile", "ok", "ok", "fragile", "fragile", "suppressed", "fragile",
    ]  # fmt: skip


def test_a_suppressed_cell_has_no_number_anywhere(national, tables):
    """With the threshold of a study whose answers are not public, on the same answers."""
    few = national.definition.model_copy(
        update={"thresholds": Thresholds(suppressed_base=20), "synthetic": False}
    )
    frames = release(dataclasses.replace(national, definition=few), tables)
    estimates, precision = frames["estimates"], frames["precision"]
    hidden = estimates["verdict"] == "suppressed"
    assert 0 < hidden.sum() < len(estimates) / 2
    numbers = ["base_n", "count", "share", "share_low", "share_high"]
    assert estimates.loc[hidden, numbers].isna().all(axis=None)
    assert (
        precision.loc[hidden, ["standard_error", "effective_n", "joint_low"]].isna().all(axis=None)
    )
    shown = estimates[~hidden & estimates["base_kind"].isin(["respondents", "concerned"])]
    sampled = shown[~shown["method"].isin(["count", "mean"])]
    assert sampled.loc[sampled["base_n"] > 0, "base_n"].min() >= 20


def test_p_values_are_adjusted_within_a_question_and_a_chapter(frames):
    tests, adjusted = frames["tests"], frames["adjustments"]
    known = tests.dropna(subset="p_adjusted")
    assert (known["p_adjusted"] >= known["p_value"]).all()
    assert (known["p_adjusted"] <= 1).all()
    assert len(adjusted) == 2 * len(tests)
    families = adjusted[adjusted["adjustment"] == "holm"].groupby(["variable", "population"])
    questions = families["tests"].max()
    # Satisfaction of people trained is compared by hours, by status and by age.
    assert questions["satisfaction", "trained"] == 3
    by_chapter = adjusted[adjusted["adjustment"] == "benjamini_hochberg"].query("tests > 0")
    assert (
        by_chapter["family"][by_chapter["tests"] > 0]
        == by_chapter["chapter"][by_chapter["tests"] > 0]
    ).all()


@pytest.fixture
def data(national, tables):
    return Data(national, tables)


@pytest.fixture
def estimates(data):
    return chapters.estimate(data)


def test_plausible_results_pass(estimates, data):
    plausibility.check(estimates, data)
    assert len(estimates) > 500


@pytest.mark.parametrize(
    ("column", "change", "words"),
    [
        ("share", lambda x: x + 0.2, "sum to"),
        ("share_low", lambda x: 1.5, "out of order"),
        ("count", lambda x: x + 10_000, "out of order"),
        ("base_n", lambda x: x - 1, "base"),
    ],
)
def test_a_result_that_contradicts_itself_stops_the_build(estimates, data, column, change, words):
    broken = estimates.astype({column: float})
    row = broken[(broken["variable"] == "practice") & (broken["category"] == "daily")].index[0]
    broken.loc[row, column] = change(broken.loc[row, column])
    with pytest.raises(plausibility.ImplausibleError, match=words):
        plausibility.check(broken, data)


def test_a_cell_stands_once(estimates, data):
    with pytest.raises(plausibility.ImplausibleError, match="twice"):
        plausibility.check(pd.concat([estimates, estimates.tail(1)]), data)


def test_exports(national, frames, tmp_path):
    write_results(tmp_path, frames, national)
    book = openpyxl.load_workbook(tmp_path / "estimates.xlsx", read_only=True)
    assert book.sheetnames[0] == "codebook"
    assert set(frames["estimates"]["chapter"]) < set(book.sheetnames)
    package = json.loads((tmp_path / "datapackage.json").read_text(encoding="utf-8"))
    named = {resource["name"]: resource for resource in package["resources"]}
    fields = [field["name"] for field in named["estimates"]["schema"]["fields"]]
    assert fields == ESTIMATES and package["synthetic"] is True
    again = pd.read_parquet(tmp_path / "estimates.parquet")
    pd.testing.assert_frame_equal(again, frames["estimates"])


def test_the_same_results_are_the_same_bytes(national, frames, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write_results(tmp_path / folder, frames, national)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


def test_a_workbook_cell_never_starts_a_formula(national, frames, tmp_path):
    codebook = frames["codebook"].copy()
    codebook.loc[0, "label_fr"] = '=HYPERLINK("http://example.org")'
    write_results(tmp_path, frames | {"codebook": codebook}, national)
    sheet = openpyxl.load_workbook(tmp_path / "estimates.xlsx")["codebook"]
    column = list(codebook.columns).index("label_fr") + 1
    assert sheet.cell(2, column).data_type == "s"
