"""Joint tests of several-answer questions against printed values, simulation and plain tests."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency, kstest

from analysis.paths import PROJECT
from analysis.stats.association import chi_square
from analysis.stats.several import joint_tests, joint_tests_of_two

FARMERS = PROJECT.parent / "shared" / "reference" / "farmer1.csv"
RAO_SCOTT, BOOTSTRAP, BONFERRONI = (
    f"several_answers_{name}" for name in ("rao_scott", "bootstrap", "bonferroni")
)


def outcomes(groups, chosen, draws=199, seed=1):
    return {outcome.test: outcome for outcome in joint_tests(groups, chosen, draws, seed)}


def people(rng, sizes=(60, 80, 60), answers=4, tilt=0.0):
    """Correlated answers of people in groups; tilt: how much the first group leans to the first."""
    groups = np.repeat(np.arange(len(sizes)), sizes)
    leaning = rng.normal(size=(len(groups), 1)) + rng.normal(size=(len(groups), answers))
    leaning[groups == 0, 0] += tilt
    names = [f"answer_{n}" for n in range(answers)]
    return pd.Series(groups), pd.DataFrame(leaning > 0.7, columns=names)


def stored():
    """A small case written out: 24 people, three groups, three answers that go together."""
    chosen = [
        "110 100 110 111 100 110 000 100",
        "010 011 001 110 011 010 111 001",
        "001 011 001 000 101 011 001 010",
    ]
    rows = [[mark == "1" for mark in who] for line in chosen for who in line.split()]
    return pd.Series(np.repeat(["a", "b", "c"], 8)), pd.DataFrame(rows, columns=list("xyz"))


def test_farmers_print_what_mrcv_prints():
    if not FARMERS.exists():
        pytest.skip(f"no reference data at {FARMERS}")
    farmers = pd.read_csv(FARMERS)
    found = outcomes(farmers["education"], farmers.iloc[:, 2:].astype(bool), 4999)
    # MI.test(farmer1, I = 1, J = 5), R package MRCV 0.4-0; R Journal 2014-014.
    assert found[RAO_SCOTT].n == 262
    assert round(found[BOOTSTRAP].statistic, 1) == 30.8
    assert round(found[RAO_SCOTT].statistic, 1) == 28.7
    assert round(found[RAO_SCOTT].df, 1) == 18.6
    assert round(found[RAO_SCOTT].p_value, 4) == 0.0632
    assert round(found[BONFERRONI].p_value, 4) == 0.1357
    assert found[BOOTSTRAP].p_value == pytest.approx(0.063, abs=0.015)


def test_statistic_is_the_sum_of_chi_squares_of_each_answer():
    groups, chosen = stored()
    each = [chi2_contingency(pd.crosstab(groups, chosen[name]), correction=False) for name in "xyz"]
    found = outcomes(groups, chosen)
    assert found[BOOTSTRAP].statistic == pytest.approx(sum(one.statistic for one in each))
    assert found[BONFERRONI].p_value == pytest.approx(3 * min(one.pvalue for one in each))
    assert found[BONFERRONI].df == 2
    effect = np.mean([np.sqrt(one.statistic / 24) for one in each])
    assert found[RAO_SCOTT].effect_size == pytest.approx(effect)


def test_rao_scott_from_the_covariances_within_groups():
    """The same moments from the covariance of answers in each group, without the people."""
    groups, chosen = stored()
    share = chosen.mean().to_numpy()
    scale = np.sqrt(np.outer(share * (1 - share), share * (1 - share)))
    inside = {
        g: np.cov(rows.T.astype(float), bias=True) / scale for g, rows in chosen.groupby(groups)
    }
    names = list(inside)
    squares = 0.0
    for a in range(3):
        for b in range(3):
            # Three groups of one size: weights of the centred membership are these products.
            block = sum(
                inside[g] / 3 * (((a == k) - 1 / 3) * ((b == k) - 1 / 3) * 3)
                for k, g in enumerate(names)
            )
            squares += (block**2).sum()
    found = outcomes(groups, chosen)
    assert found[RAO_SCOTT].df == pytest.approx(6**2 / squares)
    assert found[RAO_SCOTT].statistic == pytest.approx(found[BOOTSTRAP].statistic * 6 / squares)


def test_one_answer_is_the_ordinary_chi_square():
    groups, chosen = people(np.random.default_rng(5), (400, 500, 600), 1)
    found = outcomes(groups, chosen, 4999)
    plain = chi_square(pd.crosstab(groups, chosen["answer_0"]))
    assert found[BOOTSTRAP].statistic == pytest.approx(plain.statistic)
    assert found[BONFERRONI].p_value == pytest.approx(plain.p_value)
    assert found[RAO_SCOTT].effect_size == pytest.approx(np.sqrt(plain.statistic / plain.n))
    # Its variance is that inside groups, which equals the pooled one only without a difference.
    assert found[RAO_SCOTT].p_value == pytest.approx(plain.p_value, abs=0.01)
    assert found[BOOTSTRAP].p_value == pytest.approx(plain.p_value, abs=0.025)


def test_groups_alike_in_one_answer_give_the_very_chi_square_df():
    groups = pd.Series(np.repeat(["a", "b", "c"], 10))
    found = outcomes(groups, pd.DataFrame({"x": [True, False] * 15}))
    assert found[RAO_SCOTT].df == pytest.approx(2)
    assert found[RAO_SCOTT].p_value == pytest.approx(1)
    assert found[BOOTSTRAP].p_value == 1


def test_rao_scott_and_a_large_bootstrap_agree_on_correlated_answers():
    for seed, tilt in ((1, 0.0), (2, 0.3), (3, 0.5)):
        groups, chosen = people(np.random.default_rng(seed), (150, 200, 150), 5, tilt)
        found = outcomes(groups, chosen, 9999)
        assert found[RAO_SCOTT].p_value == pytest.approx(found[BOOTSTRAP].p_value, abs=0.03)


def test_errors_of_the_first_kind_are_about_five_in_a_hundred():
    rng = np.random.default_rng(11)
    runs = 400
    wrong = dict.fromkeys([RAO_SCOTT, BOOTSTRAP, BONFERRONI], 0)
    for _ in range(runs):
        groups, chosen = people(rng)
        found = outcomes(groups, chosen)
        for name in wrong:
            wrong[name] += found[name].p_value <= 0.05
    # Three standard errors of 5 % over 400 runs are 3.3 points.
    assert 0.017 <= wrong[RAO_SCOTT] / runs <= 0.083
    assert 0.017 <= wrong[BOOTSTRAP] / runs <= 0.083
    assert wrong[BONFERRONI] / runs <= 0.083


def test_a_difference_is_found():
    groups, chosen = people(np.random.default_rng(4), tilt=1.5)
    found = outcomes(groups, chosen, 999)
    assert found[RAO_SCOTT].p_value < 0.001
    assert found[BOOTSTRAP].p_value == 1 / 1000
    assert found[BONFERRONI].p_value < 0.001


def test_the_base_is_people_with_a_group_and_an_answer():
    groups, chosen = stored()
    plain = outcomes(groups, chosen)
    more = pd.concat([chosen.astype("boolean"), pd.DataFrame(pd.NA, range(24, 27), list("xyz"))])
    more.loc[27] = True
    wider = pd.concat([groups, pd.Series(["a", "b", "c", None], range(24, 28))])
    wider = wider.astype(pd.CategoricalDtype(["nobody", "a", "b", "c"]))
    more = more.assign(never=False, always=True).astype("boolean")
    more.loc[24:26, ["never", "always"]] = pd.NA
    # Missing ends of intervals are not equal to themselves, but written alike.
    assert repr(outcomes(wider, more)) == repr(plain)


def test_nothing_to_compare_gives_no_test():
    groups, chosen = stored()
    assert joint_tests(groups[:8], chosen[:8], 99, 1) == []
    assert joint_tests(groups, chosen.assign(x=True, y=False, z=True), 99, 1) == []
    assert joint_tests(groups[:0], chosen[:0], 99, 1) == []


def test_same_seed_same_p_in_any_order_of_rows():
    groups, chosen = people(np.random.default_rng(8), tilt=0.2)
    mixed = np.random.default_rng(9).permutation(len(groups))
    first, again = outcomes(groups, chosen), outcomes(groups[mixed], chosen.loc[mixed])
    for name, outcome in first.items():
        assert again[name].p_value == pytest.approx(outcome.p_value, rel=1e-12)
        assert again[name].statistic == pytest.approx(outcome.statistic, rel=1e-12)
    assert outcomes(groups, chosen, seed=2)[BOOTSTRAP].p_value != first[BOOTSTRAP].p_value


def test_bonferroni_stops_at_one():
    groups = pd.Series(np.repeat(["a", "b"], 20))
    chosen = pd.DataFrame({name: [True, False] * 20 for name in "xyz"})
    assert outcomes(groups, chosen)[BONFERRONI].p_value == 1


TWO_RAO_SCOTT, TWO_BOOTSTRAP, TWO_BONFERRONI = (
    f"several_by_several_{name}" for name in ("rao_scott", "bootstrap", "bonferroni")
)


def outcomes_of_two(first, second, draws=199, seed=1):
    return {outcome.test: outcome for outcome in joint_tests_of_two(first, second, draws, seed)}


def two_questions():
    """The stored case with a second several-answer question of two answers, w and v."""
    marks = "10 10 11 10 10 11 00 10 01 01 10 11 01 00 11 01 00 01 10 00 11 01 01 10"
    rows = [[mark == "1" for mark in who] for who in marks.split()]
    return stored()[1], pd.DataFrame(rows, columns=list("wv"))


def unrelated(rng, n, answers=3, sectors=3):
    """Answers that go together inside each of two questions, unrelated from one to the other."""
    sides = []
    for k, name in ((answers, "answer"), (sectors, "sector")):
        leaning = rng.normal(size=(n, 1)) + rng.normal(size=(n, k))
        sides.append(pd.DataFrame(leaning > 0.7, columns=[f"{name}_{i}" for i in range(k)]))
    return sides


def test_two_questions_give_what_mrcv_gives():
    # MI.test(data, I = 3, J = 2, type = "all", add.constant = FALSE), R package MRCV 0.4-0.
    found = outcomes_of_two(*two_questions(), 9999)
    assert found[TWO_RAO_SCOTT].n == 24
    assert found[TWO_BOOTSTRAP].statistic == pytest.approx(22.8796285, rel=1e-8)
    assert found[TWO_RAO_SCOTT].statistic == pytest.approx(24.0622741, rel=1e-8)
    assert found[TWO_RAO_SCOTT].df == pytest.approx(6.31013937, rel=1e-8)
    assert found[TWO_RAO_SCOTT].p_value == pytest.approx(6.54343194e-4, rel=1e-7)
    assert found[TWO_BONFERRONI].p_value == pytest.approx(8.38508004e-4, rel=1e-7)
    # Its bootstrap, with B = 4999, gives 0.0018.
    assert found[TWO_BOOTSTRAP].p_value == pytest.approx(0.0018, abs=0.0015)


def test_statistic_of_two_is_the_sum_over_tables_of_two_by_two():
    first, second = two_questions()
    each = [
        chi2_contingency(pd.crosstab(first[a], second[b]), correction=False)
        for a in first
        for b in second
    ]
    found = outcomes_of_two(first, second)
    assert found[TWO_BOOTSTRAP].statistic == pytest.approx(sum(one.statistic for one in each))
    assert found[TWO_BONFERRONI].statistic == pytest.approx(max(one.statistic for one in each))
    assert found[TWO_BONFERRONI].p_value == pytest.approx(6 * min(one.pvalue for one in each))
    effect = np.mean([np.sqrt(one.statistic / 24) for one in each])
    assert found[TWO_RAO_SCOTT].effect_size == pytest.approx(effect)


def test_two_answers_alone_are_the_ordinary_chi_square():
    first, second = unrelated(np.random.default_rng(3), 900, 1, 1)
    found = outcomes_of_two(first, second, 4999)
    plain = chi_square(pd.crosstab(first["answer_0"], second["sector_0"]))
    assert found[TWO_BOOTSTRAP].statistic == pytest.approx(plain.statistic)
    assert found[TWO_BONFERRONI].p_value == pytest.approx(plain.p_value)
    assert found[TWO_RAO_SCOTT].p_value == pytest.approx(plain.p_value, abs=0.02)
    assert found[TWO_BOOTSTRAP].p_value == pytest.approx(plain.p_value, abs=0.025)


def test_single_answers_spread_over_columns_are_a_joint_test_with_a_group():
    """A group of one column a category: the same tables, each category against the others."""
    groups, chosen = stored()
    found = outcomes_of_two(chosen, pd.get_dummies(groups).astype(bool))
    # X² of one category against the others, weighted by 1 less its share, adds up to Pearson's.
    one_by_group = outcomes(groups, chosen)[BOOTSTRAP].statistic
    assert found[TWO_BOOTSTRAP].statistic * (1 - 1 / 3) == pytest.approx(one_by_group)


def test_drawing_patterns_or_people_is_the_same_bootstrap():
    # 300 people: four patterns by four are drawn as patterns; sixteen by more, as people.
    for answers in (2, 6):
        first, second = unrelated(np.random.default_rng(6), 300, answers, answers)
        patterns = len(first.drop_duplicates()) * len(second.drop_duplicates())
        assert (patterns <= 300) == (answers == 2)
        found = outcomes_of_two(first, second, 4999)
        assert found[TWO_BOOTSTRAP].p_value == pytest.approx(found[TWO_RAO_SCOTT].p_value, abs=0.04)


def test_p_values_of_two_unrelated_questions_are_uniform():
    rng = np.random.default_rng(12)
    runs = 300
    found = [outcomes_of_two(*unrelated(rng, 120)) for _ in range(runs)]
    for name in (TWO_RAO_SCOTT, TWO_BOOTSTRAP, TWO_BONFERRONI):
        # Three standard errors of 5 % over 300 runs are 3.8 points.
        assert np.mean([one[name].p_value <= 0.05 for one in found]) <= 0.088
    drawn = np.array([one[TWO_BOOTSTRAP].p_value for one in found])
    assert kstest(drawn, "uniform").pvalue > 0.001


def test_a_link_between_two_questions_is_found():
    first, second = unrelated(np.random.default_rng(4), 150)
    found = outcomes_of_two(first, second.assign(same=first["answer_0"]), 999)
    assert found[TWO_RAO_SCOTT].p_value < 0.001
    assert found[TWO_BOOTSTRAP].p_value == 1 / 1000
    assert found[TWO_BONFERRONI].p_value < 0.001


def test_the_base_of_two_is_people_who_answered_both():
    first, second = two_questions()
    plain = outcomes_of_two(first, second)
    more_first = pd.concat([first.astype("boolean"), pd.DataFrame(pd.NA, [24], list("xyz"))])
    more_first.loc[25] = True
    more_second = pd.concat([second.astype("boolean"), pd.DataFrame(pd.NA, [25], list("wv"))])
    more_second.loc[24] = True
    more_second = more_second.sort_index().assign(never=False).astype("boolean")
    more_second.loc[25, "never"] = pd.NA
    assert repr(outcomes_of_two(more_first, more_second)) == repr(plain)


def test_the_order_of_two_questions_and_of_rows_changes_nothing():
    first, second = unrelated(np.random.default_rng(8), 200)
    mixed = np.random.default_rng(9).permutation(200)
    plain = outcomes_of_two(first, second)
    again = outcomes_of_two(first.loc[mixed], second.loc[mixed])
    turned = outcomes_of_two(second, first)
    for name, outcome in plain.items():
        assert again[name].p_value == pytest.approx(outcome.p_value, rel=1e-10)
        assert turned[name].statistic == pytest.approx(outcome.statistic, rel=1e-10)


def test_nothing_to_compare_between_two_gives_no_test():
    first, second = two_questions()
    assert joint_tests_of_two(first, second.assign(w=True, v=False), 99, 1) == []
    assert joint_tests_of_two(first[:0], second[:0], 99, 1) == []
    assert joint_tests_of_two(first, pd.DataFrame(pd.NA, first.index, ["w"]), 99, 1) == []
