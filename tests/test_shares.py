"""Shares recomputed in plain pandas."""

import numpy as np
import pandas as pd
import pytest

from analysis.stats.shares import COLUMNS, Shares, mean_row


@pytest.fixture
def answers():
    return pd.Series(pd.Categorical(["a", "b", "b", None, "a", "b"], categories=["a", "b", "c"]))


@pytest.fixture
def chosen():
    frame = pd.DataFrame({"q/x": [True, True, False, None], "q/y": [True, False, False, None]})
    return frame.astype("boolean").rename(columns=lambda name: name.split("/")[1])


def test_single_leaves_missing_answers_out_of_the_base(answers):
    result = Shares().single(answers)
    assert list(result.columns) == COLUMNS
    assert result["base_n"].tolist() == [5, 5, 5]
    assert result["count"].tolist() == [2, 3, 0]
    assert result["share"].tolist() == [0.4, 0.6, 0.0]


def test_single_counts_sets_of_answers(answers):
    result = Shares().single(answers, {"a_or_c": ["a", "c"]}).set_index("category")
    assert result.loc["a_or_c", "count"] == 2


def test_several_bases(chosen):
    people = Shares().several(chosen, {"any": ["x", "y"]}).set_index("category")
    assert people["base_n"].unique().tolist() == [3]
    assert people["count"].to_dict() == {"x": 2, "y": 1, "any": 2}
    mentions = Shares().mentions(chosen)
    assert mentions["base_n"].unique().tolist() == [3]
    assert mentions["share"].sum() == pytest.approx(1)
    assert mentions["share_low"].isna().all()


def test_an_empty_group_keeps_the_columns(answers):
    result = Shares().single(answers[answers.isna()])
    assert list(result.columns) == COLUMNS
    assert (result["base_n"] == 0).all() and result["share"].isna().all()


def test_a_complete_count_has_no_interval(answers):
    result = Shares(sample=False).single(answers)
    assert result["share_low"].isna().all() and (result["method"] == "count").all()


def test_a_mean_is_total_over_base():
    row = mean_row("mean", 84.0, 10, "actions").iloc[0]
    assert row["count"] / row["base_n"] == 8.4
    assert np.isnan(row["share"])
