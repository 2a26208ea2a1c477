"""The routing language on whole frames."""

import re

import pandas as pd
import pytest

from analysis.expression import ExpressionError, evaluate, parse


@pytest.fixture
def frame():
    return pd.DataFrame(
        {
            "status": pd.Categorical(
                ["student", "permanent", None], categories=["student", "permanent"]
            ),
            "hours": pd.Series([3.5, 20, None], dtype="Float64"),
            "reason/price": pd.Series([True, False, None], dtype="boolean"),
            "reason/pace": pd.Series([True, True, None], dtype="boolean"),
        }
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${status} = 'student'", [True, False, False]),
        ("${status} != 'student'", [False, True, True]),
        ("${status} != ''", [True, True, False]),
        ("selected(${reason}, 'price')", [True, False, False]),
        ("not(selected(${reason}, 'price'))", [False, True, True]),
        ("selected(${status}, 'permanent')", [False, True, False]),
        ("count-selected(${reason}) <= 1", [False, True, True]),
        ("${hours} > 10", [False, True, False]),
        ("${hours} >= 3.5 and ${status} = 'student'", [True, False, False]),
        ("${status} = 'student' or ${hours} = 20", [True, True, False]),
        ("(${status} = 'x' or ${hours} = 20) and true()", [False, True, False]),
        ("(${hours} = 20) = selected(${status}, 'permanent')", [True, True, True]),
    ],
)
def test_truth(frame, text, expected):
    assert evaluate(parse(text), frame).tolist() == expected


def test_this_is_the_question_itself(frame):
    assert evaluate(parse("count-selected(.) <= 1"), frame, this="reason").tolist() == [
        False,
        True,
        True,
    ]


def test_and_binds_tighter_than_or(frame):
    text = "${status} = 'permanent' or ${status} = 'student' and ${hours} > 10"
    assert evaluate(parse(text), frame).tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("regex(${status}, 'x')", "regex"),
        ("${status} = ", "ends too early"),
        ("${status} = 'x' ${status}", "nothing may follow"),
        ("selected(${status})", "2 argument"),
        ("${status} & 1", "cannot read"),
        ("(${status} = 'x'", "ends too early"),
    ],
)
def test_what_is_not_supported_is_named(text, part):
    with pytest.raises(ExpressionError, match=re.escape(part)):
        parse(text)


def test_questions_read():
    assert parse("selected(${a}, 'x') and not(${b} = ${c})").questions() == {"a", "b", "c"}
