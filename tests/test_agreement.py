"""Agreement of coders against R packages, simulation and hand counts."""

from dataclasses import astuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from analysis.stats.agreement import THEME_COLUMNS, by_theme, cohen_kappa, krippendorff_alpha

TWO = [[20, 5], [10, 15]]
THREE = [[25, 3, 2], [4, 18, 6], [1, 2, 14]]


def coders(table):
    """The codes of two coders from the table that crosses them."""
    counts = np.array(table)
    rows, columns = np.indices(counts.shape)
    first, second = (np.repeat(side.ravel(), counts.ravel()) for side in (rows, columns))
    return pd.Series(first), pd.Series(second)


def side_by_side(table):
    return pd.concat(coders(table), axis=1, keys=["first", "second"])


def four_coders():
    """Twelve comments by four coders: the example of `kripp.alpha` in R package irr 0.84.1."""
    rows = ["11-1", "2232", "3333", "3333", "2222", "1234", "4444", "1121", "2222", "-555"]
    codes = [[float(mark) if mark != "-" else np.nan for mark in row] for row in rows]
    return pd.DataFrame([*codes, [np.nan, np.nan, 1, 1], [np.nan, np.nan, 3, np.nan]])


def test_kappa_and_its_interval_are_those_of_psych_and_vcd():
    # cohen.kappa(table)$confid, R package psych 2.2.9; confint(Kappa(table)), vcd 1.4-11.
    kappa = cohen_kappa(*coders(TWO))
    assert astuple(kappa)[:3] == pytest.approx((0.4, 0.1510922905, 0.6489077095), rel=1e-9)
    assert (kappa.observed, kappa.expected, kappa.n) == (pytest.approx(0.7), pytest.approx(0.5), 50)
    kappa = cohen_kappa(*coders(THREE))
    expected = (0.6358241165, 0.4910753378, 0.7805728953)
    assert astuple(kappa)[:3] == pytest.approx(expected, rel=1e-9)


def test_alpha_is_that_of_irr():
    # kripp.alpha(t(data), level)$value, R package irr 0.84.1.
    values = {"nominal": 0.7434210526, "ordinal": 0.8153875038, "interval": 0.8491071429}
    for level, value in values.items():
        alpha = krippendorff_alpha(four_coders(), level, 99)
        assert alpha.value == pytest.approx(value, rel=1e-9)
        assert alpha.n == 11
        chance_corrected = (alpha.observed - alpha.expected) / (1 - alpha.expected)
        assert chance_corrected == pytest.approx(value, rel=1e-9)
    values = {"nominal": 0.6370280146, "ordinal": 0.7265598932, "interval": 0.7207995003}
    for level, value in values.items():
        alpha = krippendorff_alpha(side_by_side(THREE), level, 99)
        assert alpha.value == pytest.approx(value, rel=1e-9)


def test_the_bootstrap_of_alpha_is_that_of_comments_drawn_in_r():
    # quantile(replicate(4000, kripp.alpha(x[, sample(ncol(x), replace = TRUE)])$value),
    # c(.025, .975)), R package irr 0.84.1, set.seed(2).
    for table, low, high in ((THREE, 0.4808345, 0.7751406), (TWO, 0.1405539, 0.6364749)):
        alpha = krippendorff_alpha(side_by_side(table), draws=4999)
        assert alpha.low == pytest.approx(low, abs=0.03)
        assert alpha.high == pytest.approx(high, abs=0.03)


def test_intervals_hold_the_truth_about_95_times_in_100():
    """Coders agree on 80 % of comments, of two codes half each: kappa is 0.6."""
    rng = np.random.default_rng(7)
    runs = 300
    held = np.zeros(2)
    for _ in range(runs):
        pair = side_by_side(rng.multinomial(80, [0.4, 0.1, 0.1, 0.4]).reshape(2, 2))
        kappa = cohen_kappa(pair["first"], pair["second"])
        alpha = krippendorff_alpha(pair, draws=199)
        held += [one.low <= 0.6 <= one.high for one in (kappa, alpha)]
    # Three standard errors of 95 % over 300 runs are 3.8 points, and 199 draws cost the bootstrap.
    assert (held / runs > 0.90).all()
    assert (held / runs < 0.99).all()


def test_full_agreement_has_an_interval():
    # 43 of 43 agree: Wilson's lower bound, corrected for the chance of the codes.
    low = binomtest(43, 43).proportion_ci(method="wilson").low
    kappa = cohen_kappa(*coders([[25, 0], [0, 18]]))
    chance = (25**2 + 18**2) / 43**2
    assert kappa.value == kappa.high == 1
    assert kappa.low == pytest.approx((low - chance) / (1 - chance))
    # 86 codes given, 50 and 36 of each: two drawn without putting back differ so often.
    alpha = krippendorff_alpha(side_by_side([[25, 0], [0, 18]]))
    differ = 2 * 50 * 36 / (86 * 85)
    assert alpha.value == alpha.high == 1
    assert alpha.low == pytest.approx(1 - (1 - low) / differ)


def test_full_disagreement_has_an_interval():
    kappa = cohen_kappa(*coders([[0, 10], [10, 0]]))
    assert kappa.value == kappa.low == -1
    assert -1 < kappa.high < 0


def test_one_disagreement_over_and_over_has_no_bootstrap():
    for times in (1, 10):
        alpha = krippendorff_alpha(side_by_side([[0, times], [0, 0]]))
        # 2 codes of each comment, half and half, drawn without putting back.
        assert alpha.value == pytest.approx(1 - (2 * times - 1) / times)
        assert np.isnan([alpha.low, alpha.high]).all()


def test_codes_that_do_not_vary_give_no_agreement():
    for found in (
        cohen_kappa(*coders([[12]])),
        krippendorff_alpha(side_by_side([[12]])),
        krippendorff_alpha(side_by_side([[12]]), "ordinal"),
    ):
        assert np.isnan([found.value, found.low, found.high]).all()
        assert (found.observed, found.expected, found.n) == (1, 1, 12)


def test_no_comment_coded_twice_gives_no_agreement():
    first = pd.Series(["a", None, "b"])
    second = pd.Series([None, "a", None])
    for found in (
        cohen_kappa(first, second),
        cohen_kappa(first[:0], second[:0]),
        krippendorff_alpha(pd.concat([first, second], axis=1)),
        krippendorff_alpha(pd.concat([first, second], axis=1)[:0]),
    ):
        assert np.isnan(astuple(found)[:5]).all()
        assert found.n == 0


def test_comments_left_uncoded_are_not_in_the_base():
    first, second = coders(THREE)
    longer = pd.concat([first, pd.Series([1, np.nan])], ignore_index=True)
    other = pd.concat([second, pd.Series([np.nan, 2])], ignore_index=True)
    assert cohen_kappa(longer, other) == cohen_kappa(first, second)
    pair, wider = pd.concat([first, second], axis=1), pd.concat([longer, other], axis=1)
    assert krippendorff_alpha(wider) == krippendorff_alpha(pair)


def test_ordered_categories_give_the_order():
    names = ["low", "middle", "high"]
    kind = pd.CategoricalDtype(names, ordered=True)
    pair = side_by_side(THREE)
    named = pair.apply(lambda codes: pd.Series(pd.Categorical.from_codes(codes, dtype=kind)))
    assert krippendorff_alpha(named, "ordinal") == krippendorff_alpha(pair, "ordinal")
    # In the order of the alphabet, high is first and the distances others.
    plain = named.astype(object)
    assert krippendorff_alpha(plain, "ordinal").value != krippendorff_alpha(pair, "ordinal").value


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=4, max_size=40),
    st.randoms(use_true_random=False),
)
def test_order_of_comments_and_names_of_codes_change_nothing(pairs, random):
    pair = pd.DataFrame(pairs, columns=["first", "second"])
    order = list(range(len(pair)))
    random.shuffle(order)
    mixed = pair.iloc[order]
    renamed = pair.replace({0: "d", 1: "b", 2: "c", 3: "a"})
    plain = astuple(cohen_kappa(pair["first"], pair["second"]))
    for other in (mixed, renamed):
        again = astuple(cohen_kappa(other["first"], other["second"]))
        assert again == pytest.approx(plain, nan_ok=True, abs=1e-9)
    alpha = astuple(krippendorff_alpha(pair, draws=49))
    again = astuple(krippendorff_alpha(mixed, draws=49))
    assert again == pytest.approx(alpha, nan_ok=True, abs=1e-9)
    if np.isfinite(plain[0]):
        assert -1 <= plain[1] <= plain[0] + 1e-9
        assert plain[0] - 1e-9 <= plain[2] <= 1


def test_same_seed_same_interval():
    pair = side_by_side(THREE)
    first, again = (krippendorff_alpha(pair, seed=3) for _ in range(2))
    assert first == again
    assert krippendorff_alpha(pair, seed=4).low != first.low


def test_each_theme_is_a_pair_of_marks():
    first, second = coders(THREE)
    one, two = (pd.get_dummies(codes).astype("boolean") for codes in (first, second))
    one.loc[len(one)], two.loc[len(two)] = pd.NA, True
    table = by_theme(one, two).set_index("theme")
    assert ["theme", *table.columns] == THEME_COLUMNS
    assert table["n"].tolist() == [75, 75, 75]
    assert table["first"].tolist() == [30, 28, 17]
    assert table["second"].tolist() == [30, 23, 22]
    kappa = cohen_kappa(first == 1, second == 1)
    assert table.loc[1, ["kappa", "kappa_low", "kappa_high", "observed"]].tolist() == [
        kappa.value, kappa.low, kappa.high, kappa.observed,
    ]  # fmt: skip
    alpha = krippendorff_alpha(pd.concat([first == 1, second == 1], axis=1))
    assert table.loc[1, ["alpha", "alpha_low", "alpha_high"]].tolist() == [
        alpha.value, alpha.low, alpha.high,
    ]  # fmt: skip


def test_a_theme_of_one_coder_alone_was_never_given_by_the_other():
    marks = pd.DataFrame({"price": [True, False, True, False]})
    table = by_theme(marks, marks.assign(time=[True, True, False, False])).set_index("theme")
    assert table.loc["time", ["first", "second", "observed"]].tolist() == [0, 2, 0.5]
    assert table.loc["time", "kappa"] == 0
    assert by_theme(marks[:0], marks[:0])["kappa"].isna().all()


def test_a_caller_is_told():
    first, second = coders(TWO)
    with pytest.raises(ValueError, match="same comments"):
        cohen_kappa(first, second[1:])
    with pytest.raises(ValueError, match="same comments"):
        by_theme(first.to_frame() == 1, second[1:].to_frame() == 1)
    with pytest.raises(ValueError, match="no level 'ratio'"):
        krippendorff_alpha(side_by_side(TWO), "ratio")
