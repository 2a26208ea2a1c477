"""Recodes: headers and values by recodes.csv, and two layouts of several answers."""

import pandas as pd
import pytest

from analysis.definition import Definition
from analysis.intake.fields import fields
from analysis.intake.recode import recode, stray_recodes
from analysis.intake.values import (
    answered,
    as_boolean,
    as_date,
    as_integer,
    as_number,
    by_text,
    coded,
    typed,
)
from analysis.paths import Paths
from analysis.study import Recode, Study

TEXT = {"fr": "t", "en": "t"}


def study(*recodes: tuple[str, str, str, str]) -> Study:
    """A study with one extract, and recodes of it from row 2 on."""
    answers = {"red": TEXT, "blue": TEXT, "dark_blue": TEXT}
    columns = {
        "key": {"label": TEXT, "type": "id"},
        "colour": {"label": TEXT, "type": "category", "answers": answers},
        "worn": {"label": TEXT, "type": "several", "answers": answers},
        "ok": {"label": TEXT, "type": "boolean", "required": False},
    }
    definition = Definition.model_validate(
        {
            "study": "s",
            "languages": ["fr", "en"],
            "brand": TEXT,
            "title": TEXT,
            "field": TEXT,
            "publisher": "p",
            "synthetic": True,
            "period": {"start": "2026-01-01", "end": "2026-01-31"},
            "sources": {"actions": {"path": "a.csv", "columns": columns}},
            "populations": {},
            "licence": {"name": "n", "url": "https://example.org/u"},
        }
    )
    listed = tuple(Recode(row, "actions", *item) for row, item in enumerate(recodes, start=2))
    return Study(Paths("s"), definition, None, listed)


def frame(**columns: list) -> pd.DataFrame:
    rows = max(map(len, columns.values()))
    base = {"key": list("abcdef")[:rows], "colour": ["red"] * rows, "worn": [None] * rows}
    base |= {"ok": [None] * rows}
    return pd.DataFrame(
        base | columns, index=pd.RangeIndex(2, 2 + rows, name="row"), dtype="string"
    )


def told(made: Study, given: pd.DataFrame) -> list:
    found = recode(given, made, "actions", "a.csv").problems
    return [(p.key, p.file, p.row, p.column) for p in found]


FILE = "studies/s/recodes.csv"


def test_headers_values_and_drops():
    made = study(
        ("header", "", "Couleur", "colour"),
        ("value", "colour", "Rouge", "red"),
        ("value", "colour", "?", ""),
        ("drop", "", "Note", "of no use"),
    )
    given = frame(Note=["x", "y", "z"], Couleur=["Rouge", "blue", "?"]).drop(columns="colour")
    done = recode(given, made, "actions", "a.csv")
    assert done.problems == ()
    assert done.frame["colour"].astype(object).where(done.frame["colour"].notna()).tolist()[:2] == [
        "red",
        "blue",
    ]
    assert pd.isna(done.frame.loc[4, "colour"])
    assert done.raw["colour"].tolist() == ["Rouge", "blue", "?"]
    assert done.headers["colour"] == "Couleur"
    assert "Note" not in done.frame


def test_two_words_for_one_answer_become_one():
    made = study(
        ("value", "colour", "Rouge", "red"),
        ("value", "colour", "rouge", "red"),
        ("value", "colour", "-", ""),
        ("value", "key", "b", "B"),
    )
    given = frame(colour=["rouge", "red", None, "Rouge", "-"])
    done = recode(given, made, "actions", "a.csv")
    assert done.problems == ()
    assert done.frame["colour"].isna().tolist() == [False, False, True, False, True]
    table = typed(done.frame, fields(made, "actions"))
    assert table["colour"].value_counts().to_dict() == {"red": 3, "blue": 0, "dark_blue": 0}
    assert table["key"].tolist() == ["a", "B", "c", "d", "e"]


def test_values_are_recoded_at_once_not_one_after_another():
    made = study(("value", "colour", "red", "blue"), ("value", "colour", "blue", "red"))
    done = recode(frame(colour=["red", "blue"]), made, "actions", "a.csv")
    assert done.frame["colour"].tolist() == ["blue", "red"]


@pytest.mark.parametrize(
    "recodes",
    [
        [("header", "", "Couleurs", "colour")],
        [("drop", "", "Couleurs", "of no use")],
        [("value", "colour", "rouge", "red")],
        [("value", "worn", "rouge", "red")],
    ],
)
def test_recode_that_matches_nothing(recodes):
    assert told(study(*recodes), frame(colour=["red"])) == [("recode_unused", FILE, 2, "found")]


def test_recode_to_nowhere():
    assert told(study(("value", "color", "red", "blue")), frame(colour=["red"])) == [
        ("recode_column", FILE, 2, "column")
    ]
    assert told(study(("value", "colour", "red", "bleu")), frame(colour=["red"])) == [
        ("recode_answer", FILE, 2, "becomes")
    ]
    assert told(study(("header", "", "colour", "color")), frame(colour=["red"])) == [
        ("recode_column", FILE, 2, "becomes")
    ]


def test_contradicting_recodes():
    made = study(("value", "colour", "red", "blue"), ("value", "colour", "red", "red"))
    assert ("recode_twice", FILE, 3, "found") in told(made, frame(colour=["red"]))


def test_recode_of_a_source_that_is_not_there():
    made = study()
    astray = Recode(7, "action", "header", "", "x", "colour")
    found = stray_recodes(Study(made.paths, made.definition, None, (astray,)))
    assert [(p.row, p.column) for p in found] == [(7, "source")]
    assert "'actions'" in found[0].action


def test_unknown_and_missing_columns_are_named():
    made = study(("header", "", "Teinte", "colour"))
    given = frame(Teintes=["red"]).drop(columns="colour")
    found = recode(given, made, "actions", "a.csv").problems
    assert [(p.key, p.file, p.row, p.column) for p in found] == [
        ("column_unknown", "a.csv", 1, "Teintes"),
        ("column_missing", "a.csv", 1, "Teinte"),
    ]
    assert "'Teinte'" in found[0].action
    assert "colour" in found[1].expected


def test_two_columns_under_one_name():
    made = study(("header", "", "Couleur", "colour"))
    assert ("header_twice", "a.csv", 1, "colour") in told(made, frame(Couleur=["red"]))


def worn(done) -> list:
    known = fields(study(), "actions")
    table = typed(done.frame, known)
    return table[["worn/red", "worn/blue", "worn/dark_blue"]].values.tolist()


TICKED = [[True, True, False], [False, False, True], [False, False, False]]


@pytest.mark.parametrize("mark", [";", "|", ",", " ", " ; "])
def test_one_delimited_column(mark):
    given = frame(worn=[f"red{mark}blue", "dark_blue", None])
    done = recode(given, study(), "actions", "a.csv")
    assert done.problems == ()
    assert worn(done) == TICKED


@pytest.mark.parametrize(
    ("yes", "no"), [("1", "0"), ("Oui", "Non"), ("yes", "no"), ("TRUE", "FALSE"), ("vrai", "faux")]
)
def test_one_column_an_answer(yes, no):
    columns = {
        f"worn/{name}": [yes if row[at] else no for row in TICKED]
        for at, name in enumerate(("red", "blue", "dark_blue"))
    }
    done = recode(frame(**columns).drop(columns="worn"), study(), "actions", "a.csv")
    assert done.problems == ()
    assert worn(done) == TICKED


def test_labels_with_commas_in_a_delimited_column():
    made = study(("value", "worn", "Bleu, foncé", "dark_blue"), ("value", "worn", "Rouge", "red"))
    done = recode(frame(worn=["Rouge; Bleu, foncé", "Rouge"]), made, "actions", "a.csv")
    assert done.problems == ()
    assert done.frame["worn"].tolist() == ["red;dark_blue", "red"]


def test_both_layouts_at_once_and_half_a_layout():
    both = frame(**{f"worn/{name}": ["1"] for name in ("red", "blue", "dark_blue")})
    assert told(study(), both) == [("column_both", "a.csv", 1, "worn")]
    half = both.drop(columns=["worn", "worn/blue"])
    assert told(study(), half) == [("column_missing", "a.csv", 1, "worn/blue")]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7),
        ("7,5", 7.5),
        ("7.5", 7.5),
        ("1 200", 1200),
        ("1\u202f200,25", 1200.25),
        ("-3", -3),
        ("1e3", 1000),
        ("7 h", None),
        ("1.200,5", None),
        ("inf", None),
        ("nan", None),
        ("1e999", None),
    ],
)
def test_numbers(text, value):
    read = as_number(pd.Series([text], dtype="string"))[0]
    assert pd.isna(read) if value is None else read == value


def test_whole_numbers():
    assert as_integer(pd.Series(["7", "7,5"], dtype="string")).isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-01-31", "2026-01-31"),
        ("31/01/2026", "2026-01-31"),
        ("1/2/2026", "2026-02-01"),
        ("2026-01-31T09:30:00+01:00", "2026-01-31"),
        ("31/01/2026 09:30", "2026-01-31"),
        ("2026-02-30", None),
        ("01/31/2026", None),
        ("janvier", None),
    ],
)
def test_dates(text, day):
    read = as_date(pd.Series([text], dtype="string"))[0]
    assert pd.isna(read) if day is None else read == pd.Timestamp(day)


def test_booleans():
    read = as_boolean(pd.Series(["Oui", "0", "peut-être", None], dtype="string"))
    assert read[0] and not read[1]
    assert read.isna().tolist() == [False, False, True, True]


@pytest.mark.parametrize("convert", [as_number, as_date, as_boolean])
def test_a_text_that_comes_again_is_read_the_same(convert):
    text = pd.Series(
        ["1", "2026-01-31", None, "1", "?", "oui", "1"], dtype="string", index=range(7)
    )
    pd.testing.assert_series_equal(by_text(coded(text), convert), convert(text))


def test_a_column_with_no_text_at_all():
    empty = pd.Series([None, None], dtype="string")
    assert coded(empty).isna().all()
    for convert in (as_number, as_date, as_boolean):
        assert by_text(coded(empty), convert).isna().all()


def test_answers_to_a_several_answer_field_are_joined_in_their_order():
    field = fields(study(), "actions")["worn"]
    ticks = [[True, True, False], [False, False, True], [False] * 3, [None] * 3, [True, True, True]]
    table = pd.DataFrame(ticks, columns=field.ticks, dtype="boolean")
    joined = answered(table, field)
    assert joined.astype(object).where(joined.notna(), None).tolist() == [
        "red;blue",
        "dark_blue",
        None,
        None,
        "red;blue;dark_blue",
    ]
