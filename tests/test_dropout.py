"""Drop-out against counts by hand, plain pandas, R and simulation."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.stats.dropout import (
    ALONG_COLUMNS,
    PARTIAL_COLUMNS,
    along,
    with_and_without,
)
from analysis.stats.intervals import newcombe

# One person a word, one question a mark: answered, skipped, not asked (by the routing).
SEVEN = "++++ +-++ ++-- +.++ +..- ---- ++-."


def frames(marks=SEVEN, names="abcd"):
    """Who answered what, and who was asked what."""
    rows = [list(word) for word in marks.split()]
    table = pd.DataFrame(rows, columns=[*names[: len(rows[0])]])
    return table == "+", table != "."


def test_along_counts_by_hand():
    frame = along(*frames()).set_index("question")
    assert ["question", *frame.columns] == ALONG_COLUMNS
    assert frame["asked"].tolist() == [7, 5, 6, 6]
    assert frame["answered"].tolist() == [6, 3, 3, 3]
    assert frame["share"].tolist() == [6 / 7, 3 / 5, 3 / 6, 3 / 6]
    # The second person alone skips a question and goes on.
    assert frame["item_non_response"].tolist() == [0, 1, 0, 0]
    assert frame["left_before"].tolist() == [1, 1, 3, 3]
    # The sixth never answers; the third and the last leave at c, the fifth at d, asked no c.
    assert frame["left_here"].tolist() == [1, 0, 2, 1]
    assert frame["remaining"].tolist() == [6, 6, 4, 3]


def test_who_is_not_asked_the_end_has_not_left():
    answered, asked = frames("+.. +-. ...", "abc")
    assert along(answered, asked)["remaining"].tolist() == [3, 2, 2]


def test_an_answer_to_a_question_not_asked_does_not_count():
    answered, asked = frames("+-.", "abc")
    plain = along(answered, asked)
    pd.testing.assert_frame_equal(along(answered.assign(c=True), asked), plain)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text("+-.", min_size=5, max_size=5), min_size=1, max_size=12))
def test_the_parts_add_up_and_people_leave_once(words):
    answered, asked = frames(" ".join(words), "abcde")
    frame = along(answered, asked)
    parts = frame[["answered", "item_non_response", "left_before"]].sum(axis=1)
    assert parts.tolist() == frame["asked"].tolist()
    # The same by a walk along each word.
    left = [word.replace(".", "").endswith("-") for word in words]
    assert frame["left_here"].sum() == sum(left)
    assert frame["remaining"].tolist() == (len(words) - frame["left_here"].cumsum()).tolist()
    mixed = answered.iloc[::-1], asked.iloc[::-1]
    pd.testing.assert_frame_equal(along(*mixed), frame)


def test_no_people_and_no_questions():
    answered, asked = frames()
    frame = along(answered[:0], asked[:0])
    assert frame["asked"].tolist() == [0] * 4
    assert frame["share"].isna().all()
    assert len(along(answered[[]], asked[[]])) == 0


def kept(complete_yes=90, complete_n=200, partial_yes=10, partial_n=50):
    """A figure among people kept, complete ones first."""
    marks = [True] * complete_yes + [False] * (complete_n - complete_yes)
    marks += [True] * partial_yes + [False] * (partial_n - partial_yes)
    return (
        pd.DataFrame({"figure": pd.array(marks, dtype="boolean")}),
        pd.Series([True] * complete_n + [False] * partial_n),
    )


def test_with_and_without_is_the_difference_of_the_two_shares():
    row = with_and_without(*kept()).iloc[0]
    assert row.index.tolist() == PARTIAL_COLUMNS
    assert row[["kept_n", "complete_n", "partial_n"]].tolist() == [250, 200, 50]
    assert row["kept_share"] == 100 / 250
    assert row["difference"] == pytest.approx(100 / 250 - 90 / 200)
    low, high = newcombe((90, 10), (200, 50))
    bounds = row[["difference_low", "difference_high"]].tolist()
    assert bounds == pytest.approx([low / 5, high / 5])


def test_each_figure_has_its_base():
    figures, complete = kept()
    figures["asked_few"] = figures["figure"].where(np.arange(250) % 2 == 0)
    row = with_and_without(figures, complete).iloc[1]
    assert row[["kept_n", "complete_n", "partial_n"]].tolist() == [125, 100, 25]
    assert row["kept_share"] == pytest.approx(50 / 125)


def test_no_partial_answers_or_no_complete_ones():
    row = with_and_without(*kept(partial_yes=0, partial_n=0)).iloc[0]
    ends = ["difference", "difference_low", "difference_high"]
    assert row[ends].tolist() == [0, 0, 0]
    assert np.isnan(row["partial_share"])
    row = with_and_without(*kept(complete_yes=0, complete_n=0)).iloc[0]
    assert row[ends].isna().all()
    assert row["kept_share"] == 10 / 50
    figures, complete = kept()
    assert with_and_without(figures[:0], complete[:0]).iloc[0, 7:].isna().all()


def test_the_interval_holds_the_difference_about_95_times_in_100():
    """Two overlapping shares taken as independent would give bounds several times too wide."""
    rng = np.random.default_rng(5)
    runs = 400
    truth = 50 / 250 * (0.3 - 0.45)
    held = naive = 0
    for _ in range(runs):
        yes = int(rng.binomial(200, 0.45)), int(rng.binomial(50, 0.3))
        row = with_and_without(*kept(yes[0], 200, yes[1], 50)).iloc[0]
        held += row["difference_low"] <= truth <= row["difference_high"]
        low, high = newcombe((yes[0], sum(yes)), (200, 250))
        naive += low <= truth <= high
    # Three standard errors of 95 % over 400 runs are 3.3 points.
    assert 0.917 <= held / runs <= 0.983
    assert naive == runs


def test_a_caller_is_told():
    answered, asked = frames()
    with pytest.raises(ValueError, match="same people and questions"):
        along(answered, asked[["a", "b"]])
    with pytest.raises(ValueError, match="same people and questions"):
        along(answered[1:], asked)
    with pytest.raises(ValueError, match="same people"):
        with_and_without(*(side[i:] for i, side in enumerate(kept())))
