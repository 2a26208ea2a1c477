"""Pairs of answers against R, enumeration and simulation."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.stats.pairs import COLUMNS, lifts


def two_answers(both, one, two, n):
    """Answers of n people to two answers, from their counts."""
    marks = np.zeros((n, 2), dtype=bool)
    marks[:one, 0] = marks[:both, 1] = marks[one : one + two - both, 1] = True
    return pd.DataFrame(marks, columns=["a", "b"])


def people(marks, names="abcd"):
    return pd.DataFrame([[mark == "1" for mark in who] for who in marks.split()], columns=[*names])


TWELVE = "1100 1010 0110 1001 0011 1000 1100 0101 1110 0010 1100 0001"


def test_lift_and_interval_are_those_of_r():
    # R 4.2.2: p <- cells / n, lift log-transformed, its gradient by central differences and the
    # covariance (diag(p) - p %o% p) / n.
    for counts, expected in {
        (12, 40, 30, 200): (2.0, 1.35141796229, 2.95985410260),
        (3, 25, 40, 341): (1.023, 0.368495751, 2.840002895),
        (60, 100, 90, 150): (1.0, 0.911746226, 1.096796423),
        (1, 3, 4, 24): (2.0, 0.472674989, 8.462474420),
    }.items():
        row = lifts(two_answers(*counts)).iloc[0]
        found = row[["lift", "lift_low", "lift_high"]].tolist()
        assert found == pytest.approx(expected, rel=2e-7)
        assert (row["both"], row["base_n"]) == (counts[0], counts[3])
        assert row["share_both"] == counts[0] / counts[3]


def test_a_pair_no_one_gave_has_an_upper_bound():
    row = lifts(two_answers(0, 20, 10, 341)).iloc[0]
    assert (row["lift"], row["lift_low"]) == (0, 0)
    # Wilson's upper bound of 0 in 341, over the share expected.
    upper = 3.8414588 / (341 + 3.8414588)
    assert row["lift_high"] == pytest.approx(upper / (20 / 341 * 10 / 341), rel=1e-6)


def test_answers_that_nobody_or_everybody_gave_tell_nothing():
    for counts in ((0, 0, 3, 10), (3, 3, 10, 10), (10, 10, 10, 10)):
        row = lifts(two_answers(*counts)).iloc[0]
        assert row[["lift", "lift_low", "lift_high"]].isna().all()
        assert row["both"] == counts[0]


def test_missing_answers_of_any_kind_of_column_will_do():
    answers = people(TWELVE)
    plain = answers.astype(object)
    plain.iloc[0, :2] = None
    pd.testing.assert_frame_equal(lifts(plain), lifts(plain.astype("boolean")))


def test_no_people_or_one_answer():
    answers = people(TWELVE)
    found = lifts(answers[:0])
    assert len(found) == 6
    assert (found["base_n"] == 0).all()
    assert found["lift"].isna().all()
    assert lifts(answers[["a"]]).columns.tolist() == COLUMNS
    assert len(lifts(answers[["a"]])) == 0
    one = lifts(answers[:1])
    assert one["lift"].isna().all()


def test_the_base_is_people_who_answered():
    answers = people(TWELVE)
    longer = pd.concat([answers.astype("boolean"), pd.DataFrame(pd.NA, [12, 13], [*"abcd"])])
    pd.testing.assert_frame_equal(lifts(longer), lifts(answers))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=4, max_size=4).filter(any))
def test_the_lift_lies_in_its_interval(cells):
    both, first, second, _ = cells
    row = lifts(two_answers(both, both + first, both + second, sum(cells))).iloc[0]
    if (both + first) % sum(cells) and (both + second) % sum(cells):
        assert 0 <= row["lift_low"] <= row["lift"] <= row["lift_high"]
    else:
        assert np.isnan(row["lift"])


def test_intervals_of_the_lift_hold_it_about_95_times_in_100():
    rng = np.random.default_rng(3)
    runs = 200
    for n, one, two, lift in ((341, 0.3, 0.2, 1.5), (341, 0.1, 0.1, 1.0)):
        both = lift * one * two
        cells = rng.multinomial(n, [both, one - both, two - both, 1 - one - two + both], runs)
        rows = pd.concat([
            lifts(two_answers(a, a + b, a + c, n)) for a, b, c, _ in cells
        ])  # fmt: skip
        held = rows["lift_low"].le(lift) & rows["lift_high"].ge(lift)
        # Three standard errors of 95 % over 200 runs are 4.6 points.
        assert 0.904 <= held.mean() <= 0.996


def test_order_of_people_changes_nothing():
    answers = people(TWELVE)
    mixed = answers.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(lifts(mixed), lifts(answers))
