"""The gate: evidence, verdicts, plausibility and exports, on made-up answers."""

import dataclasses
import hashlib
import json
import math
import re
import shutil
import subprocess

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
        "hidden_base",
        "small_base",
    ]
    assert verdict(found).tolist() == [
        "fragile", "fragile", "ok", "ok", "fragile", "fragile", "suppressed", "fragile",
    ]  # fmt: skip


def test_a_suppressed_cell_has_no_number_anywhere(national, tables):
    """With the threshold of a study whose answers are not public, on the same answers."""
    few = national.definition.model_copy(
        update={
            "thresholds": Thresholds(suppressed_base=20),
            "synthetic": False,
            "disclosure": None,
        }
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


def test_the_data_package_describes_every_table_as_it_is(national, frames, tmp_path):
    """By the Frictionless Data Package 1.0 and Table Schema specifications."""
    write_results(tmp_path, frames, national)
    package = json.loads((tmp_path / "datapackage.json").read_text(encoding="utf-8"))
    assert re.fullmatch(r"[a-z0-9._-]+", package["name"])
    assert package["profile"] == "tabular-data-package"
    assert {r["path"] for r in package["resources"]} == {f"{name}.csv" for name in frames}
    names = [resource["name"] for resource in package["resources"]]
    assert len(set(names)) == len(names)
    for resource in package["resources"]:
        assert re.fullmatch(r"[a-z0-9._-]+", resource["name"])
        content = (tmp_path / resource["path"]).read_bytes()
        assert resource["bytes"] == len(content)
        assert resource["hash"] == "sha256:" + hashlib.sha256(content).hexdigest()
        assert (tmp_path / resource["path"]).with_suffix(".parquet").is_file()
        told = pd.read_csv(tmp_path / resource["path"], dtype=str, keep_default_na=False)
        fields = resource["schema"]["fields"]
        assert [field["name"] for field in fields] == list(told.columns)
        for field in fields:
            values = told.loc[told[field["name"]] != "", field["name"]]
            limits = field.get("constraints", {})
            assert set(values) <= set(limits.get("enum", values)), field
            if field["type"] == "integer":
                assert values.str.fullmatch(r"-?\d+").all(), field
            if field["type"] == "number":
                found = values.astype(float)
                assert found.between(
                    limits.get("minimum", -math.inf), limits.get("maximum", math.inf)
                ).all(), field
            else:
                assert field["type"] in ("integer", "string")


@pytest.mark.skipif(shutil.which("frictionless") is None, reason="frictionless is not on the path")
def test_frictionless_accepts_the_data_package(national, frames, tmp_path):
    write_results(tmp_path, frames, national)
    done = subprocess.run(
        ["frictionless", "validate", "datapackage.json"],
        cwd=tmp_path, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_numbers_of_the_workbook_look_like_what_they_are(national, frames, tmp_path):
    write_results(tmp_path, frames, national)
    book = openpyxl.load_workbook(tmp_path / "estimates.xlsx")

    def look(sheet, title):
        heads = {cell.value: cell.column for cell in book[sheet][1]}
        return book[sheet].cell(2, heads[title]).number_format

    assert look("satisfaction", "share") == "0.0%"
    assert look("satisfaction", "count") == "#,##0"
    assert look("tests", "effect_size") == "0.00"
    assert look("tests", "p_value") == "0.0000"
    assert look("satisfaction", "category") == "General"
    for sheet in book:
        assert sheet.freeze_panes == "A2", sheet.title
        # Columns of one look that stand side by side are described together.
        for columns in sheet.column_dimensions.values():
            for cell in sheet[1][columns.min - 1 : columns.max]:
                assert len(cell.value) < columns.width <= 61, (sheet.title, cell.value)


def test_the_same_results_are_the_same_bytes(national, frames, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write_results(tmp_path / folder, frames, national)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes(), path.name


def test_a_workbook_cell_never_starts_a_formula_or_a_link(national, frames, tmp_path):
    starts = ["=", "+", "-", "@", "http://", "\t="]
    texts = [f'{start}HYPERLINK("http://example.org")' for start in starts]
    titles = {"codebook": "label_fr", "estimates": "category", "tests": "variable",
              "audit": "explanation"}  # fmt: skip
    changed = {name: frames[name].head(len(starts)).copy() for name in titles}
    for name, title in titles.items():
        changed[name][title] = texts
    write_results(tmp_path, changed, national)
    book = openpyxl.load_workbook(tmp_path / "estimates.xlsx")
    for name, title in titles.items():
        rows = book[changed[name]["chapter"].iloc[0] if name == "estimates" else name]
        column = list(changed[name].columns).index(title) + 1
        cells = [rows.cell(line, column) for line in range(2, 2 + len(starts))]
        assert [(cell.data_type, cell.value, cell.hyperlink) for cell in cells] == [
            ("s", text, None) for text in texts
        ]
