"""The routing language in an engine: the same truth as in pandas, row by row."""

import ibis
import pandas as pd
import pytest

from analysis.compiled import always, condition
from analysis.expression import ExpressionError, evaluate, parse


@pytest.fixture(scope="module")
def frame():
    statuses = pd.Categorical(["student", "permanent", None, "it's"])
    return pd.DataFrame(
        {
            "status": statuses,
            "hours": pd.Series([3.5, 20, None, 0], dtype="Float64"),
            "day": pd.to_datetime(["2024-01-01", None, "2024-12-31", "2023-06-01"]),
            "size": pd.Series(["10", "x", None, "250"], dtype="string"),
            "certified": pd.Series([True, False, None, True], dtype="boolean"),
            "reason/price": pd.Series([True, False, None, True], dtype="boolean"),
            "reason/pace": pd.Series([True, True, None, False], dtype="boolean"),
        }
    )


@pytest.fixture(scope="module")
def table(frame):
    plain = frame.assign(status=frame["status"].astype("string"), row=range(len(frame)))
    return ibis.duckdb.connect().create_table("rows", ibis.memtable(plain))


@pytest.mark.parametrize(
    "text",
    [
        "${status} = 'student'",
        "${status} != 'student'",
        "${status} != ''",
        "${status} = ''",
        '${status} = "it\'s"',
        "${status} < 'q'",
        "selected(${reason}, 'price')",
        "not(selected(${reason}, 'price'))",
        "selected(${reason}, 'nothing')",
        "selected(${status}, 'permanent')",
        "selected(${absent}, 'permanent')",
        "count-selected(${reason}) <= 1",
        "count-selected(${absent}) = 0",
        "${hours} > 10",
        "${hours} != 20",
        "10 < ${hours}",
        "${size} >= 50",
        "${size} = '10'",
        "${absent} = ''",
        "${certified} = 'True'",
        "${certified} = 1",
        "${day} >= '2024-01-01'",
        "${day} = ''",
        "1 < 2 and 'a' = 'a'",
        "${hours} >= 3.5 and ${status} = 'student'",
        "${status} = 'student' or ${hours} = 20 or ${size} = ''",
        "not(${status} = 'x' or ${hours} = 20) and true()",
        "(${hours} = 20) = selected(${status}, 'permanent')",
        "false()",
    ],
)
def test_an_engine_and_pandas_agree(frame, table, text):
    node = parse(text)
    rows = table.mutate(inside=condition(node, table)).order_by("row").to_pandas()
    assert rows["inside"].tolist() == evaluate(node, frame).tolist()


def test_a_number_differs_from_every_text(table):
    rows = table.mutate(inside=condition(parse("${hours} != ''"), table)).order_by("row")
    assert rows.to_pandas()["inside"].tolist() == [True, True, False, True]
    with pytest.raises(ExpressionError, match="no order"):
        condition(parse("${hours} < 'x'"), table)


def test_everyone_is_known_without_looking():
    assert always(parse("true()"))
    assert not always(parse("not(false())"))
