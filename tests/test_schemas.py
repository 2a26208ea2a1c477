"""Schemas derived from the questionnaire: routing both ways, constraints, counts of units."""

from pathlib import Path

import pandas as pd
import pandera.pandas as pa
import pytest
import small_study as small

from analysis.errors import InputError
from analysis.intake import schemas
from analysis.intake.clean import clean, examine, written
from analysis.intake.fields import fields
from analysis.intake.schemas import schema, text_rules, value_rules
from analysis.study import load_study


@pytest.fixture
def raw(tmp_path) -> Path:
    return small.make(tmp_path)


def studied(raw: Path):
    return load_study(small.STUDY, raw.parents[2])


def responding(raw: Path, *responses: dict[str, str]):
    """Clean tables and problems of a survey with these responses and two sound ones."""
    sound = [small.RESPONSES[0], small.RESPONSES[2]]  # so that every recode is of use
    small.write_survey(raw / "survey.csv", [*responses, *sound])
    return examine(studied(raw))


def told(problems) -> list[tuple]:
    return [(p.key, p.row, p.column) for p in problems]


def test_schema_is_derived_from_study_and_questionnaire(raw):
    study = studied(raw)
    known = fields(study, "survey")
    columns = [header for field in known.values() for header in field.headers]
    frame = pd.DataFrame({name: pd.Series([], dtype="string") for name in columns})
    made = schema(text_rules(known, frame))
    assert isinstance(made, pa.DataFrameSchema)
    for question in study.questionnaire:
        if question.kind == "select_one":
            check = made.columns[question.name].checks[0]
            assert list(check.statistics["allowed_values"]) == question.answers
    assert made.columns["response_id"].unique
    assert not made.columns["response_id"].nullable
    limits = {rule.column: rule.values for rule in value_rules(fields(study, "actions"))}
    assert limits["hours"] == {"minimum": "0.5", "maximum": "1200"}
    assert limits["start_date"] == {"minimum": "2024-01-01", "maximum": "2024-12-31"}


def test_clean_tables_are_typed(raw):
    tables = clean(studied(raw)).tables
    survey = tables["survey"]
    assert survey["response_id"].tolist() == ["R1", "R2", "R3"]
    assert survey["complete"].dtype == "boolean"
    assert survey["started_on"].dtype.kind == "M"
    assert survey["age"].cat.ordered
    assert survey["age"].cat.categories[0] == "under_30"
    assert survey["training_setting/online"].tolist() == [False, True, True]
    assert survey["motivation_pro/curiosity"].dtype == "boolean"
    assert survey["motivation_pro/curiosity"].isna().tolist() == [True, False, True]
    assert survey.loc[1, "comment"] == "Trop court, « à refaire »"
    form = studied(raw).questionnaire
    questions = [column for question in form for column in question.columns]
    assert list(survey) == ["response_id", "started_on", "complete", *questions]
    actions = tables["actions"]
    assert actions["hours"].tolist()[:2] == [7.5, 14]
    assert actions["start_date"][0] == pd.Timestamp("2024-01-15")
    assert actions["group"].tolist()[:3] == ["group_1", "group_1", "group_2"]
    assert tables["programmes"]["approach/practical"].tolist() == [True, False]


def test_retention_counts_every_response(raw):
    made = clean(studied(raw))
    responses = made.tables["responses"]
    assert responses["n_answered"].tolist() == [8, 16, 6, 2, 0]
    assert responses["complete"].tolist() == [True, True, False, False, False]
    assert responses["reason"].tolist() == ["", "", "", "too_few_answers", "too_few_answers"]
    assert made.excluded.values.tolist() == [
        ["survey", 5, "R4", "too_few_answers"],
        ["survey", 6, "R5", "too_few_answers"],
    ]


def test_complete_response_is_kept_however_short(raw):
    study = studied(raw)
    short = {**small.UNTRAINED, "informal_learning": "peers", "complete": "Oui"}
    stop = study.definition.retention.min_answered
    made, problems = responding(raw, short, {**small.PROFILE, "complete": "Non"})
    assert not problems
    assert made.tables["responses"]["n_answered"].tolist()[:2] == [8, 5]
    assert made.tables["responses"]["retained"].tolist()[:2] == [True, stop <= 5]


def test_empty_rows_are_counted(raw):
    path = raw / "institutions.csv"
    lines = [*small.INSTITUTIONS[:2], ",,,,,", small.INSTITUTIONS[2]]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    made = clean(studied(raw))
    assert len(made.tables["institutions"]) == 2
    aside = made.excluded[made.excluded["source"] == "institutions"]
    assert aside[["row", "reason"]].values.tolist() == [[3, "empty_row"]]


def test_answer_behind_a_closed_route(raw):
    _, problems = responding(
        raw,
        {**small.UNTRAINED, "informal_learning": "peers", "practice": "daily", "complete": "Oui"},
    )
    assert told(problems) == [("route_closed", 2, "practice")]
    assert problems[0].found == "daily"
    assert "${training_hours} != 'none'" in problems[0].expected


def test_zeros_behind_a_closed_route_are_no_answer(raw):
    columns = [c for c in small.header() if c.startswith("motivation_pro/")]
    small.write_survey(raw / "survey.csv", small.RESPONSES)
    for column in columns:
        small.set_cell(raw / "survey.csv", 2, column, "0")
    made = clean(studied(raw))
    assert made.tables["survey"].loc[0, columns].isna().all()


def test_required_question_skipped(raw):
    skipped = {k: v for k, v in small.TRAINED.items() if k != "job"}
    _, problems = responding(raw, {**skipped, "complete": "Oui"})
    assert told(problems) == [("route_skipped", 2, "job")]


def test_stopping_before_a_required_question_is_no_mistake(raw):
    made, problems = responding(raw, {"status": "student", "complete": "Non"})
    assert problems == []
    assert made.tables["responses"]["n_answered"].tolist()[:1] == [1]


def test_complete_without_the_last_required_question(raw):
    _, problems = responding(raw, {**small.UNTRAINED, "complete": "Oui"})
    assert told(problems) == [("route_skipped", 2, "informal_learning")]


@pytest.mark.parametrize(
    ("answers", "column"),
    [
        ({"informal_learning": "none;peers"}, "informal_learning"),
        ({"training_setting": "online;none"}, "training_setting"),
        ({"training_setting": "online", "training_hours": "none"}, "training_hours"),
    ],
)
def test_constraints_of_the_questionnaire(raw, answers, column):
    base = {**small.UNTRAINED, "informal_learning": "peers", "complete": "Oui"}
    _, problems = responding(raw, base | answers)
    assert ("constraint", 2, column) in told(problems)


def test_one_mistake_is_told_once(raw):
    """An unknown status opens no route by itself: what depends on it is not judged."""
    _, problems = responding(raw, {**small.TRAINED, "status": "studnet", "complete": "Oui"})
    assert told(problems) == [("allowed", 2, "status")]
    assert "'student'" in problems[0].action


def test_many_failures_of_one_column_are_counted_not_listed(raw, monkeypatch):
    monkeypatch.setattr(schemas, "LISTED", 2)
    wrong = [{**small.PROFILE, "age": f"age {n}", "complete": "Non"} for n in range(5)]
    made, problems = responding(raw, *wrong)
    assert told(problems) == [
        ("allowed", 2, "age"),
        ("allowed", 3, "age"),
        ("more_rows", None, "age"),
    ]
    assert "3 more rows" in problems[2].found and "5 in all" in problems[2].found
    checks = made.checks.set_index(["source", "rule", "column"])
    assert checks.loc[("survey", "allowed", "age"), ["tested", "failed"]].tolist() == [7, 5]


def test_what_is_counted_but_not_listed_opens_no_route_either(raw, monkeypatch):
    monkeypatch.setattr(schemas, "LISTED", 1)
    wrong = [{**small.TRAINED, "status": "studnet", "complete": "Oui"}] * 3
    named = [{**answers, "response_id": f"W{n}"} for n, answers in enumerate(wrong)]
    _, problems = responding(raw, *named)
    assert told(problems) == [("allowed", 2, "status"), ("more_rows", None, "status")]


def test_an_identifier_that_comes_again_names_the_row_where_it_stands_first(raw):
    twice = {**small.PROFILE, "complete": "Non"}
    again = [twice | {"response_id": name} for name in ("A", "B", "A", "A", "B")]
    _, problems = responding(raw, *again)
    assert told(problems) == [("unique", row, "Identifiant") for row in (4, 5, 6)]
    assert [dict(problem.values)["first"] for problem in problems] == ["2", "2", "3"]


def test_every_rule_says_how_much_it_tested(raw):
    small.set_cell(raw / "survey.csv", 2, "practice", "daily")
    made, problems = examine(studied(raw))
    checks = made.checks.set_index(["source", "rule", "column"])
    closed = checks.loc[("survey", "route_closed", "practice")]
    # The question is closed to the one response that had no training.
    assert closed.tolist() == [1, 0, 1]
    assert checks.loc[("survey", "allowed", "practice"), "tested"] == 2
    assert checks.loc[("survey", "required", "complete"), "tested"] == 5
    assert (checks["tested"] == checks["passed"] + checks["failed"]).all()
    assert checks["failed"].sum() == len(problems) == 1


def test_survey_without_a_column_that_says_complete(raw):
    study_yml = raw.parents[2] / "studies" / small.STUDY / "study.yml"
    text = study_yml.read_text(encoding="utf-8")
    head, _, tail = text.partition("      complete:\n")
    study_yml.write_text(head + tail[tail.index("  actions:") :], encoding="utf-8")
    recodes = study_yml.with_name("recodes.csv")
    kept = [
        line.replace(
            "survey,header,,Questionnaire terminé,complete", "survey,drop,,Questionnaire terminé,x"
        )
        for line in recodes.read_text(encoding="utf-8").splitlines()
        if not line.startswith("survey,value,complete")
    ]
    recodes.write_text("\n".join(kept) + "\n", encoding="utf-8")
    responses = clean(studied(raw)).tables["responses"]
    assert responses["complete"].tolist() == [True, True, False, False, False]


def test_delimited_layout_gives_the_same_tables(raw):
    before = clean(studied(raw)).tables["survey"]
    frame = pd.read_csv(raw / "survey.csv", dtype="string", keep_default_na=False)
    for question in studied(raw).questionnaire:
        if question.several:
            ticks = frame[question.columns] == "1"
            frame[question.name] = ticks.apply(
                lambda row: " ".join(c.partition("/")[2] for c in row.index[row]), axis=1
            )
            frame = frame.drop(columns=question.columns)
    frame.to_csv(raw / "survey.csv", index=False)
    pd.testing.assert_frame_equal(clean(studied(raw)).tables["survey"], before)


@pytest.mark.parametrize("ending", ["xlsx", "parquet"])
def test_other_formats_give_the_same_tables(raw, ending):
    before = clean(studied(raw)).tables["survey"]
    frame = pd.read_csv(raw / "survey.csv", dtype="string")
    other = raw / f"survey.{ending}"
    frame.to_excel(other, index=False) if ending == "xlsx" else frame.to_parquet(other)
    study_yml = raw.parents[2] / "studies" / small.STUDY / "study.yml"
    text = study_yml.read_text(encoding="utf-8")
    study_yml.write_text(
        text.replace("path: survey.csv", f"path: survey.{ending}"), encoding="utf-8"
    )
    pd.testing.assert_frame_equal(clean(studied(raw)).tables["survey"], before)


def test_written_tables_read_back_the_same(raw):
    study = studied(raw)
    made = clean(study)
    with written(made, study.paths) as drafts:
        assert not list(study.paths.clean.glob("*.parquet"))
    assert {path.stem for path in drafts} == set(made.tables)
    for path in drafts:
        pd.testing.assert_frame_equal(pd.read_parquet(path), made.tables[path.stem])
    assert sorted(path.name for path in study.paths.clean.iterdir()) == sorted(
        path.name for path in drafts
    )


def test_no_table_where_any_source_has_a_problem(raw):
    (raw / "programmes.csv").unlink()
    made, problems = examine(studied(raw))
    assert made.tables == {}
    assert told(problems) == [("file_missing", None, None)]
    with pytest.raises(InputError):
        clean(studied(raw))


def test_national_study_comes_through_whole(national):
    made = clean(national)
    responses = made.tables["responses"]
    assert len(responses) == 378
    assert len(made.tables["survey"]) == responses["retained"].sum() == 341
    assert responses["complete"].sum() == 315
    assert made.excluded["reason"].value_counts().to_dict() == {"too_few_answers": 37}
    sizes = {name: len(made.tables[name]) for name in ("actions", "institutions", "programmes")}
    assert sizes == {"actions": 4198, "institutions": 39, "programmes": 111}
    assert made.checks["failed"].sum() == 0
