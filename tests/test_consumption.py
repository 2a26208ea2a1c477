"""What training consumption adds up to, beside plain pandas on the same rows."""

import extracts
import pandas as pd
import plain_consumption as plain
import pyarrow as pa
import pytest
from extract import STUDY, batches, write_study

from analysis.chapters.holders import WORD, Groups, dimension, places
from analysis.release.build import build
from analysis.study import load_study

ROWS = 4_000


@pytest.fixture(scope="module")
def frame():
    return pa.concat_tables([table for _, table in batches(ROWS)], promote_options="permissive")


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    root = tmp_path_factory.mktemp("consumption")
    write_study(root, ROWS)
    folder = build(load_study(STUDY, root))
    read = {"keep_default_na": False, "na_values": {"share": "", "value": "", "low": ""}}
    return {name: pd.read_csv(folder / f"{name}.csv", **read) for name in ("estimates", "measures")}


def test_every_cell_is_that_of_plain_pandas(results, frame):
    expected, found = plain.cells(frame.to_pandas()), plain.estimated(results["estimates"])
    assert set(expected) <= set(found)
    assert {key: found[key] for key in expected} == pytest.approx(expected)
    # What plain pandas has no row for is a group that nobody is in.
    assert not any(count for key, count in found.items() if key not in expected)


def test_groups_by_year(results, frame):
    rows = results["estimates"]
    table = rows[rows["table"] == "sector_by_year"]
    years = pd.to_datetime(frame.to_pandas()["start_date"]).dt.year.astype(str)
    expected = frame.to_pandas().groupby([years, "sector"], observed=False).size()
    keys = table[["by_category", "category"]].astype(str).itertuples(index=False, name=None)
    found = dict(zip(keys, table["count"], strict=True))
    assert found == expected.to_dict()


def test_shares_of_people_may_add_up_to_more_than_all(results):
    rows = results["estimates"]
    people = rows[(rows["variable"] == "year") & (rows["base_kind"] == "people")]
    everyone = rows[rows["variable"] == "people"]["count"].iloc[0]
    assert people["share"].sum() > 1
    assert (people["share"] == (people["count"] / everyone).round(10)).all()


def test_growth_and_concentration(results, frame):
    measures = results["measures"]
    rows = frame.to_pandas()
    rows["year"] = pd.to_datetime(rows["start_date"]).dt.year
    growth = measures[(measures["measure"] == "growth") & (measures["variable"] == "year")]
    cost = growth[growth["base_kind"] == "cost"].set_index("category")["value"]
    expected = rows.groupby("year")["cost"].sum().pct_change().dropna()
    assert cost.to_numpy(dtype=float) == pytest.approx(expected.to_numpy())
    assert growth["low"].isna().all()  # a complete count
    gini = measures[measures["measure"] == "gini"].set_index("base_kind")["value"]
    held = rows.groupby("provider")["hours"].sum().to_numpy()
    gaps = abs(held[:, None] - held[None, :]).mean()  # the definition: mean difference over 2 means
    assert float(gini["hours"]) == pytest.approx(gaps / (2 * held.mean()))
    first = results["estimates"].set_index(["variable", "category"]).loc[
        ("provider_concentration", "first_ten"), "count"
    ]  # fmt: skip
    assert first == rows["provider"].value_counts().head(10).sum()


def test_a_sample_has_intervals_of_growth(tmp_path):
    root = tmp_path
    write_study(root, 2_000)
    path = root / "studies" / STUDY / "study.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("    ai: true", "    sampling: 0.1"),
                    encoding="utf-8")  # fmt: skip
    folder = build(load_study(STUDY, root))
    measures = pd.read_csv(folder / "measures.csv", keep_default_na=False)
    growth = measures[(measures["measure"] == "growth") & (measures["base_kind"] == "actions")]
    numbers = growth[["low", "value", "high"]].apply(pd.to_numeric)
    numbers = numbers[numbers["value"] > -1]  # of nothing that is left there is no interval
    assert (numbers["low"] < numbers["value"]).all() and (numbers["value"] < numbers["high"]).all()
    assert set(growth["method"]) == {"rate_ratio"}


def test_each_table_only_where_its_column_is(tmp_path):
    files = {"all.csv": extracts.text(extracts.cells(*extracts.ROWS, *extracts.LATER))}
    study = extracts.make(tmp_path, files)
    yml = study.paths.definition / "study.yml"
    text = yml.read_text(encoding="utf-8")
    yml.write_text(text.replace("    person: person\n", "").replace("    cost: cost\n", ""),
                   encoding="utf-8")  # fmt: skip
    folder = build(load_study(STUDY, tmp_path))
    kinds = set(pd.read_csv(folder / "estimates.csv")["base_kind"])
    assert kinds == {"actions", "trainings", "hours", "providers"}


def test_many_groups_fill_several_words():
    months = Groups("month", [f"m{n}" for n in range(100)])
    small = Groups("status", ["a", "b"])
    among = places([small, months])
    assert list(among) == [("status", "a"), ("status", "b")] + [
        ("month", m) for m in months.answers
    ]
    assert len(set(among.values())) == 102
    assert {word for word, _ in among.values()} == {0, 1}
    assert max(bit for _, bit in among.values()) == WORD - 1 < 62
    table = dimension(among, {1: [("month", "m1"), ("status", "a")], 2: [("month", "m99")]})
    (first, second) = table.order_by("key").to_pyarrow().to_pylist()
    assert first == {"key": 1, "word_0": 0b1001, "word_1": 0}
    assert second == {"key": 2, "word_0": 0, "word_1": 1 << (101 - WORD)}


def test_paths_are_in_the_order_of_time(tmp_path):
    """Levels as the rules tell them: awareness, use and integration, on days that part people."""
    told = {"acculturation": "Découvrir l’IA", "use": "ChatGPT au quotidien",
            "integration": "Intégrer l’IA dans une chaîne de production"}  # fmt: skip
    walks = {
        "P1": [("use", "2023-01-02"), ("acculturation", "2023-02-02"), ("use", "2023-03-02")],
        "P2": [("acculturation", "2023-01-02"), ("use", "2023-02-02"),
               ("integration", "2024-01-01")],
        "P3": [("integration", "2023-01-02"), ("acculturation", "2023-01-02")],
        "P4": [("use", "2023-01-02"), ("use", "2023-02-02")],
    }  # fmt: skip
    rows, steps = [], [(who, *step) for who, walk in walks.items() for step in walk]
    for at, (who, level, day) in enumerate(steps):
        row = extracts.ROWS[0].split(",")
        rows.append([f"A{at}", told[level], row[2], who, day, *row[5:]])
    study = extracts.make(tmp_path, {"all.csv": extracts.text(rows)})
    yml = study.paths.definition / "study.yml"
    text = yml.read_text(encoding="utf-8")
    yml.write_text(text.replace("    person: person\n", "    person: person\n    ai: true\n"),
                   encoding="utf-8")  # fmt: skip
    estimates = pd.read_csv(build(load_study(STUDY, tmp_path)) / "estimates.csv")
    paths = estimates[estimates["variable"] == "ai_path"].set_index("category")["count"]
    assert paths[paths > 0].to_dict() == {
        "use_then_acculturation": 1,
        "acculturation_then_use_then_integration": 1,
        "acculturation_then_integration": 1,  # on one day, in the order of the levels
        "use": 1,
    }
