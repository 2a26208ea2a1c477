"""Adjusted p values against statsmodels, R and their own properties."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from analysis.stats.families import COLUMNS, KEY, adjust, benjamini_hochberg, holm

METHODS = {"holm": holm, "benjamini_hochberg": benjamini_hochberg}
NAMES = {"holm": "holm", "benjamini_hochberg": "fdr_bh"}
P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def results(*rows):
    """One row a test: chapter, variable, group, test, p."""
    columns = ["chapter", "variable", "by", "test", "p_value"]
    frame = pd.DataFrame(rows, columns=columns)
    tables = frame["variable"] + "_by_" + frame["by"]
    return frame.assign(population="trained", effect="gamma", table=tables)


def adjusted(tests, adjustment):
    found = adjust(tests)
    return found[found["adjustment"] == adjustment].reset_index(drop=True)


SEVERAL = results(
    ("satisfaction", "satisfaction", "hours", "linear_by_linear", 0.01),
    ("satisfaction", "satisfaction", "hours", "gamma", 0.03),
    ("satisfaction", "satisfaction", "hours", "proportional_odds_assumption", 0.001),
    ("satisfaction", "satisfaction", "status", "chi_square", 0.04),
    ("satisfaction", "satisfaction", "job", "fisher", np.nan),
    ("satisfaction", "reason", "status", "chi_square", 0.2),
    ("skills", "level", "status", "chi_square", 0.02),
)
SEVERAL.loc[2, "effect"] = ""


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("tests", [1, 2, 9])
def test_equals_statsmodels(name, tests):
    p = np.random.default_rng(tests).uniform(size=tests) ** 3
    expected = multipletests(p, method=NAMES[name])[1]
    np.testing.assert_allclose(METHODS[name](pd.Series(p)), expected, atol=1e-12)


def test_equals_r():
    # p.adjust(c(0.04, 0.001, 0.03, 0.2, 0.012, 0.5), "holm") and "BH", R 4.2.2, package stats.
    p = pd.Series([0.04, 0.001, 0.03, 0.2, 0.012, 0.5])
    assert holm(p).tolist() == pytest.approx([0.12, 0.006, 0.12, 0.4, 0.06, 0.5])
    assert benjamini_hochberg(p).tolist() == pytest.approx([0.06, 0.006, 0.06, 0.24, 0.036, 0.5])


@pytest.mark.parametrize("method", METHODS.values())
def test_a_missing_p_is_no_test(method):
    p = pd.Series([0.04, np.nan, 0.01], index=["b", "a", "c"], name="p_value")
    found = method(p)
    assert found.index.equals(p.index) and found.name == "p_value"
    assert np.isnan(found["a"])
    pd.testing.assert_series_equal(found.dropna(), method(p.dropna()))
    assert method(p[:0]).empty and method(p[1:2]).isna().all()


@pytest.mark.parametrize("method", METHODS.values())
@settings(deadline=None)
@given(p=P_VALUES, seed=st.integers(0, 99))
def test_never_under_p_and_whatever_the_order(method, p, seed):
    values = pd.Series(p)
    found = method(values)
    assert ((found >= values) & (found <= 1)).all()
    mixed = values.sample(frac=1, random_state=seed)
    pd.testing.assert_series_equal(method(mixed).sort_index(), found)


def test_a_question_is_a_family_and_the_first_test_of_a_table_leads():
    found = adjusted(SEVERAL, "holm")
    # Two tables of satisfaction have a p: 0.01 (leading) and 0.04.
    assert found.loc[[0, 3], "p_adjusted"].tolist() == pytest.approx([0.02, 0.04])
    # gamma in the place of its lead: 0.03 beside 0.04.
    assert found.loc[1, "p_adjusted"] == pytest.approx(0.06)
    assert found.loc[[0, 1, 3], "tests"].tolist() == [2, 2, 2]
    assert found.loc[[0, 5, 6], "family"].tolist() == ["satisfaction", "reason", "level"]
    # Alone in their families.
    assert found.loc[[5, 6], "p_adjusted"].tolist() == [0.2, 0.02]
    assert found.loc[[5, 6], "tests"].tolist() == [1, 1]


def test_a_chapter_is_a_family():
    found = adjusted(SEVERAL, "benjamini_hochberg")
    assert found.loc[[0, 3, 5], "p_adjusted"].tolist() == pytest.approx([0.03, 0.06, 0.2])
    assert found.loc[1, "p_adjusted"] == pytest.approx(0.06)  # 0.03, 0.04, 0.2: 0.04 x 3 / 2
    assert found.loc[[0, 3, 6], "tests"].tolist() == [3, 3, 1]
    assert found.loc[[0, 6], "family"].tolist() == ["satisfaction", "skills"]


@pytest.mark.parametrize("adjustment", METHODS)
def test_assumptions_and_missing_p_are_in_no_family(adjustment):
    found = adjusted(SEVERAL, adjustment).loc[[2, 4]]
    assert found["p_adjusted"].isna().all()
    assert found["family"].tolist() == ["", ""] and found["tests"].tolist() == [0, 0]
    without = adjusted(SEVERAL.drop([2, 4]), adjustment)["p_adjusted"]
    assert without.tolist() == adjusted(SEVERAL, adjustment)["p_adjusted"].dropna().tolist()


def test_a_lead_without_p_leaves_its_place_to_the_next():
    failed = SEVERAL.copy()
    failed.loc[0, "p_value"] = np.nan
    found = adjusted(failed, "holm")
    assert found.loc[[1, 3], "p_adjusted"].tolist() == pytest.approx([0.06, 0.06])


def test_a_population_is_another_question():
    others = SEVERAL.assign(population="untrained")
    found = adjusted(pd.concat([SEVERAL, others], ignore_index=True), "holm")
    assert found.loc[[0, 7], "tests"].tolist() == [2, 2]
    assert found.loc[[0, 7], "p_adjusted"].tolist() == pytest.approx([0.02, 0.02])


def test_shape_of_the_result():
    found = adjust(SEVERAL.sample(frac=1, random_state=1))
    assert list(found.columns) == COLUMNS and len(found) == 2 * len(SEVERAL)
    assert found["adjustment"].tolist() == ["holm", "benjamini_hochberg"] * len(SEVERAL)
    assert not found.duplicated([*KEY, "adjustment"]).any()
    assert adjust(SEVERAL[:0]).empty


TESTS = st.lists(
    st.tuples(
        st.sampled_from(["c", "d"]), st.sampled_from(["u", "v"]), st.sampled_from(["x", "y", "z"]),
        st.sampled_from(["", "gamma"]), st.one_of(st.just(np.nan), st.floats(0, 1)),
    ),
    max_size=12,
)  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(rows=TESTS, seed=st.integers(0, 99))
def test_properties_of_any_results(rows, seed):
    tests = results(*[(c, v, by, f"test_{i}", p) for i, (c, v, by, _, p) in enumerate(rows)])
    tests["effect"] = [effect for *_, effect, _ in rows]
    found = adjust(tests)
    there = found["p_adjusted"].notna()
    assert (found.loc[there, "p_adjusted"] >= found.loc[there, "p_value"]).all()
    assert (found.loc[there, "p_adjusted"] <= 1).all()
    alone = there & (found["tests"] == 1)
    assert (found.loc[alone, "p_adjusted"] == found.loc[alone, "p_value"]).all()
    # Tables in another order, the tests of each in their own.
    orders = {name: i for i, name in enumerate(tests["table"].sample(frac=1, random_state=seed))}
    mixed = tests.sort_values("table", key=lambda names: names.map(orders), kind="stable")
    back = adjust(mixed).sort_values(["test", "adjustment"], ignore_index=True)
    expected = found.sort_values(["test", "adjustment"], ignore_index=True)
    pd.testing.assert_frame_equal(back, expected)


@settings(max_examples=30, deadline=None)
@given(p=P_VALUES)
def test_leads_alone_are_the_plain_adjustments(p):
    tests = results(*[("c", "v", f"group_{i}", "chi_square", value) for i, value in enumerate(p)])
    for name, method in METHODS.items():
        expected = method(pd.Series(p))
        np.testing.assert_array_equal(adjusted(tests, name)["p_adjusted"], expected)
