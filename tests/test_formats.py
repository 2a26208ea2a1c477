import datetime as dt

import pytest

from analysis.display.formats import formats, lower_first
from analysis.errors import InputError

FR, EN = formats("fr"), formats("en")


@pytest.mark.parametrize(
    ("share", "decimals", "french", "english"),
    [
        (0.8, 0, "80\u00a0%", "80%"),
        (1 / 3, 1, "33,3\u00a0%", "33.3%"),
        (0, 0, "0\u00a0%", "0%"),
        (1, 0, "100\u00a0%", "100%"),
        # 0.585 * 100 is 58.49999… in binary: half goes up, as a printed figure does.
        (0.585, 0, "59\u00a0%", "59%"),
        (0.285, 0, "29\u00a0%", "29%"),
        (0.125, 0, "13\u00a0%", "13%"),
    ],
)
def test_percent(share, decimals, french, english):
    assert FR.percent(share, decimals) == french
    assert EN.percent(share, decimals) == english


@pytest.mark.parametrize(
    ("value", "decimals", "french", "english"),
    [
        (4198, 0, "4\u202f198", "4,198"),
        (1234567.5, 1, "1\u202f234\u202f567,5", "1,234,567.5"),
        (8.4, 1, "8,4", "8.4"),
        (-0.27, 2, "−0,27", "−0.27"),
        (-0.001, 1, "0,0", "0.0"),
    ],
)
def test_number(value, decimals, french, english):
    assert FR.number(value, decimals) == french
    assert EN.number(value, decimals) == english


def test_a_number_that_people_gave_may_be_a_year():
    assert FR.answered(1985) == EN.answered(1985) == "1985"
    assert EN.answered(12_500) == "12,500" and FR.answered(7.5, 1) == "7,5"


def test_a_label_in_a_sentence():
    assert lower_first("The trainer was competent") == "the trainer was competent"
    assert [lower_first(text) for text in ("I know it", "I’m able", "IA")] == [
        "I know it", "I’m able", "IA"]  # fmt: skip
    assert lower_first("Il faut") == "il faut"


def test_interval_and_fraction():
    assert FR.interval(0.75, 0.85) == "75\u00a0% à 85\u00a0%"
    assert EN.interval(0.75, 0.85) == "75% to 85%"
    assert FR.fraction(13, 25) == "13 sur 25"
    assert EN.fraction(3148, 4198) == "3,148 of 4,198"


def test_what_is_not_known_is_said_to_be_missing():
    nan = float("nan")
    assert FR.percent(nan) == FR.number(None) == FR.interval(0.2, nan) == "n.\u00a0d."
    assert EN.fraction(nan, 25) == EN.p_value(nan) == "n/a"


def test_dates():
    assert FR.date(dt.date(2025, 12, 11)) == "11 décembre 2025"
    assert FR.date(dt.date(2026, 1, 1)) == "1er janvier 2026"
    assert EN.date(dt.date(2026, 1, 1)) == "1 January 2026"
    assert FR.month("2024-02") == "février 2024"
    assert FR.month("2024-08", short=True) == "août"
    period = FR.period(dt.date(2025, 12, 11), dt.date(2026, 1, 16))
    assert period == "11 décembre 2025 – 16 janvier 2026"


@pytest.mark.parametrize(
    ("p", "french"),
    [
        (0.0004, "p\u00a0<\u00a00,001"),
        (0.001, "p\u00a0=\u00a00,001"),
        (0.0315, "p\u00a0=\u00a00,032"),
        (1.0, "p\u00a0=\u00a01,000"),
    ],
)
def test_p_value(p, french):
    assert FR.p_value(p) == french


def test_french_signs_never_part_from_their_words():
    text = FR.typography("Oui ; « 8 à 14 h » : 12 % ? Non !")
    assert text == ("Oui\u00a0; «\u00a08 à 14\u00a0h\u00a0»\u00a0: 12\u00a0%\u00a0? Non\u00a0!")
    assert EN.typography("Yes; “8 to 14 h”") == "Yes; “8 to 14\u00a0h”"


def test_words_and_lists():
    assert [FR.words(n) for n in (0, 4, 13)] == ["zéro", "quatre", "13"]
    assert FR.listed(["a", "b", "c"]) == "a, b et c"
    assert EN.listed(["a", "b"]) == "a and b"
    assert FR.listed(["a"]) == "a"
    assert FR.quote("Oui") == "«\u00a0Oui\u00a0»"


def test_a_language_nobody_described_is_a_mistake_in_the_input():
    with pytest.raises(InputError) as raised:
        formats("xx")
    assert raised.value.problems[0].found == "xx"
    assert "en, fr" in raised.value.problems[0].expected
