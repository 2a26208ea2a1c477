"""The register of published figures, and the mistakes it may hold."""

import pytest

from analysis.errors import InputError
from analysis.release.register import COLUMNS, read_register


def problems(tmp_path, text):
    path = tmp_path / "published.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_register(path, "studies/x/published.csv")
    return caught.value.problems


def row(**cells):
    return ",".join(cells.get(name, "") for name in COLUMNS)


HEADER = ",".join(COLUMNS)


def test_the_national_register(national):
    register = read_register(national.published, "published.csv")
    assert len(register) == 363 and register["figure_id"].is_unique
    crossed = register.set_index("figure_id").loc["satisfaction_by_hours.22_plus.satisfied"]
    assert (crossed["variable"], crossed["by"], crossed["by_category"], crossed["category"]) == (
        "satisfaction",
        "training_hours",
        "22_plus",
        "satisfied",
    )


def test_missing_column(tmp_path):
    (problem,) = problems(tmp_path, "figure_id,place\na,chart\n")
    assert problem.row == 1 and "percent" in problem.found


def test_bad_rows_are_all_named(tmp_path):
    text = (
        "\n".join(
            [
                HEADER,
                row(figure_id="a", place="chart", count="12"),
                row(figure_id="a", place="page", count="3"),
                row(figure_id="b", place="text", percent="12,5".replace(",", ";")),
            ]
        )
        + "\n"
    )
    found = {(problem.column, problem.row) for problem in problems(tmp_path, text)}
    assert found == {("figure_id", 3), ("place", 3), ("percent", 4)}


def test_empty_file(tmp_path):
    (problem,) = problems(tmp_path, "")
    assert problem.file == "studies/x/published.csv"


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ({}, "value"),
        ({"value": "two thirds", "unit": "fraction"}, "value"),
        ({"value": "1/0", "unit": "fraction"}, "value"),
        ({"value": "9" * 5000}, "value"),
        ({"count": "1e999"}, "count"),
        ({"percent": "-1"}, "percent"),
    ],
)
def test_a_figure_prints_something_that_can_be_compared(tmp_path, cells, column):
    text = f"{HEADER}\n" + row(figure_id="a", place="text", **cells) + "\n"
    assert [(p.column, p.row) for p in problems(tmp_path, text)] == [(column, 2)]
