"""Pairs of answers against R, enumeration and simulation."""

from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import fisher_exact

from analysis.stats.pairs import COLUMNS, MARGIN_COLUMNS, lifts, lifts_given_margins


def two_answers(both, one, two, n):
    """Answers of n people to two answers, from their counts."""
    marks = np.zeros((n, 2), dtype=bool)
    marks[:one, 0] = marks[:both, 1] = marks[one : one + two - both, 1] = True
    return pd.DataFrame(marks, columns=["a", "b"])


def people(marks, names="abcd"):
    return pd.DataFrame([[mark == "1" for mark in who] for who in marks.split()], columns=[*names])


TWELVE = "1100 1010 0110 1001 0011 1000 1100 0101 1110 0010 1100 0001"


def test_lift_interval_and_p_are_those_of_r():
    # R 4.2.2: p <- cells / n, lift log-transformed, its gradient by central differences and the
    # covariance (diag(p) - p %o% p) / n; fisher.test(cells)$p.value.
    for counts, expected in {
        (12, 40, 30, 200): (2.0, 1.35141796229, 2.95985410260, 0.00568889721),
        (3, 25, 40, 341): (1.023, 0.368495751, 2.840002895, 1.0),
        (60, 100, 90, 150): (1.0, 0.911746226, 1.096796423, 1.0),
        (1, 3, 4, 24): (2.0, 0.472674989, 8.462474420, 0.436758893),
    }.items():
        row = lifts(two_answers(*counts)).iloc[0]
        found = row[["lift", "lift_low", "lift_high", "p_value"]].tolist()
        assert found == pytest.approx(expected, rel=2e-7)
        assert (row["both"], row["base_n"]) == (counts[0], counts[3])
        assert row["share_both"] == counts[0] / counts[3]


def test_a_pair_no_one_gave_has_an_upper_bound():
    row = lifts(two_answers(0, 20, 10, 341)).iloc[0]
    assert (row["lift"], row["lift_low"], row["p_value"]) == (0, 0, pytest.approx(1))
    # Wilson's upper bound of 0 in 341, over the share expected.
    upper = 3.8414588 / (341 + 3.8414588)
    assert row["lift_high"] == pytest.approx(upper / (20 / 341 * 10 / 341), rel=1e-6)


def test_answers_that_nobody_or_everybody_gave_tell_nothing():
    for counts in ((0, 0, 3, 10), (3, 3, 10, 10), (10, 10, 10, 10)):
        row = lifts(two_answers(*counts)).iloc[0]
        assert row[["lift", "lift_low", "lift_high", "p_value"]].isna().all()
        assert row["both"] == counts[0]
        assert lifts_given_margins(two_answers(*counts), 9).iloc[0][-2:].isna().all()


def test_missing_answers_of_any_kind_of_column_will_do():
    answers = people(TWELVE)
    plain = answers.astype(object)
    plain.iloc[0, :2] = None
    pd.testing.assert_frame_equal(lifts(plain), lifts(plain.astype("boolean")))


def test_no_people_or_one_answer():
    answers = people(TWELVE)
    for found in (lifts(answers[:0]), lifts_given_margins(answers[:0], 9)):
        assert len(found) == 6
        assert (found["base_n"] == 0).all()
        assert found.iloc[:, 5:].isna().to_numpy()[:, -1].all()
    assert lifts(answers[["a"]]).columns.tolist() == COLUMNS
    assert len(lifts(answers[["a"]])) == 0
    assert lifts_given_margins(answers[["a"]], 9).columns.tolist() == MARGIN_COLUMNS
    one = lifts(answers[:1])
    assert one["lift"].isna().all()


def test_the_base_is_people_who_answered():
    answers = people(TWELVE)
    longer = pd.concat([answers.astype("boolean"), pd.DataFrame(pd.NA, [12, 13], [*"abcd"])])
    pd.testing.assert_frame_equal(lifts(longer), lifts(answers))
    pd.testing.assert_frame_equal(lifts_given_margins(longer, 49), lifts_given_margins(answers, 49))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=4, max_size=4).filter(any))
def test_p_is_that_of_fisher_exact_and_the_lift_lies_in_its_interval(cells):
    both, first, second, neither = cells
    row = lifts(two_answers(both, both + first, both + second, sum(cells))).iloc[0]
    if (both + first) % sum(cells) and (both + second) % sum(cells):
        expected = fisher_exact([[both, first], [second, neither]]).pvalue
        assert row["p_value"] == pytest.approx(expected, rel=1e-6)
        assert 0 <= row["lift_low"] <= row["lift"] <= row["lift_high"]
    else:
        assert np.isnan(row["p_value"])


def test_p_of_many_people():
    for both in (90_000, 90_300, 91_000, 120_000):
        row = lifts(two_answers(both, 300_000, 300_000, 1_000_000)).iloc[0]
        cells = [[both, 300_000 - both], [300_000 - both, 400_000 + both]]
        assert row["p_value"] == pytest.approx(fisher_exact(cells).pvalue, rel=1e-5)


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


def test_draws_are_those_of_curveball_in_vegan():
    # R package vegan 2.6-4, 200,000 tables of simulate(nullmodel(m, "curveball"), burnin = 1000,
    # thin = 20): mean of both, and the smaller share of tables as high or as low, doubled.
    expected = [2.817235, 2.23143, 1.71243, 1.783445, 1.36832, 1.08714]
    p_values = [0.40702, 1, 0.80647, 1, 1, 1]
    found = lifts_given_margins(people(TWELVE), 3999, 1)
    assert found["both"].tolist() == [4, 2, 1, 2, 1, 1]
    assert found["both_expected"].tolist() == pytest.approx(expected, abs=0.06)
    assert found["p_value"].tolist() == pytest.approx(p_values, abs=0.06)
    # Seven people gave a, six gave b, of twelve.
    assert found["lift_expected"][0] == pytest.approx(found["both_expected"][0] * 12 / 42)


def test_draws_are_uniform_over_the_tables_with_these_margins():
    """Every table of five people by three answers with these margins, written out and averaged."""
    answers = people("110 101 010 100 011", "abc")
    totals = answers.sum().tolist()
    rows = [list(combinations(range(3), k)) for k in answers.sum(axis=1)]
    tables = [table for table in product(*rows)
              if [sum(j in who for who in table) for j in range(3)] == totals]  # fmt: skip
    assert len(tables) > 5
    found = lifts_given_margins(answers, 3999, 2)
    for pair, mean in zip(combinations(range(3), 2), found["both_expected"], strict=True):
        exact = np.mean([sum(set(pair) <= set(who) for who in table) for table in tables])
        assert mean == pytest.approx(exact, abs=0.05)


def three_at_most(rng, n=150, answers=6):
    """Answers preferred unequally, no other link than the limit of three."""
    keys = rng.random((n, answers)) ** (1 / np.linspace(1, 3, answers))
    place = (-keys).argsort(axis=1).argsort(axis=1)
    return pd.DataFrame(place < rng.integers(1, 4, size=(n, 1)))


def test_a_limit_on_answers_is_told_from_a_link():
    """Without a link, lifts are under 1 by the limit alone, and the draws expect as much."""
    answers = three_at_most(np.random.default_rng(5))
    plain, limited = lifts(answers), lifts_given_margins(answers, 299)
    assert plain["lift"].mean() < 0.9
    assert limited["lift_expected"].mean() == pytest.approx(plain["lift"].mean(), abs=0.05)
    assert (plain["p_value"] < 0.05).sum() > (limited["p_value"] < 0.05).sum()
    linked = answers.copy()
    linked.loc[:39] = [[True, True, *[False] * 4]] * 40
    row = lifts_given_margins(linked, 299).iloc[0]
    assert row["both"] > row["both_expected"] + 15
    assert row["p_value"] == 2 / 300


def test_order_of_people_changes_nothing_and_seeds_do():
    answers = three_at_most(np.random.default_rng(6))
    mixed = answers.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(lifts(mixed), lifts(answers))
    first = lifts_given_margins(answers, 49, 1)
    pd.testing.assert_frame_equal(lifts_given_margins(mixed, 49, 1), first)
    assert not lifts_given_margins(answers, 49, 2).equals(first)
