"""Numbers as words."""

from __future__ import annotations

import math

import pytest

from avdetect.report import words


@pytest.mark.parametrize(
    ("ratio", "expected"),
    [
        (1.9, "no support either way"),
        (2.1, "weak support for fake"),
        (50, "moderate support for fake"),
        (1 / 50, "moderate support for real"),
        (5_000, "strong support for fake"),
        (1e9, "extremely strong support for fake"),
    ],
)
def test_verbal_scale_of_the_ensfi_guideline(ratio, expected):
    assert words.support_words(math.log(ratio)) == expected


@pytest.mark.parametrize(
    ("fake_llr", "start"),
    [
        (0.0, "as probable"),
        (math.log(67.36), "about 67 times more probable if the clip is fake"),
        (-math.log(1234), "about 1,200 times more probable if the clip is real"),
        (math.log(2.5), "about 2.5 times"),
        (5_000.0, "about "),
    ],
)
def test_ratio_in_words(fake_llr, start):
    assert words.ratio_words(fake_llr).startswith(start)


@pytest.mark.parametrize(
    ("probability", "expected"),
    [
        (0.5, "50.0 %"),
        (0.99996, "> 99.9 %"),
        (0.0, "< 0.001 %"),
        (0.001, "0.1 %"),
        (0.00037, "0.04 %"),
    ],
)
def test_probability_never_claims_certainty(probability, expected):
    assert words.percent_words(probability) == expected


@pytest.mark.parametrize(
    ("prior", "expected"), [(0.5, "50 %"), (0.0002, "0.02 %"), (0.999, "99.9 %")]
)
def test_prior_is_not_rounded_away(prior, expected):
    assert words.prior_words(prior) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.0, "0:00.0"), (59.96, "1:00.0"), (61.23, "1:01.2"), (3723.0, "1:02:03.0")],
)
def test_time(seconds, expected):
    assert words.time_words(seconds) == expected


def test_plain_keeps_letters_and_escapes_what_acts():
    assert words.plain("Grüße 日本 µ") == "Grüße 日本 µ"
    assert words.plain("a\nb\x1b[0m\u202e\udcff\x7f") == "a\\nb\\x1b[0m\\u202e\\udcff\\x7f"


@pytest.mark.parametrize(
    ("fake_llr", "expected"), [(4.206, "+4.21"), (-0.001, "+0.00"), (None, "n/a")]
)
def test_llr_has_a_sign_and_no_negative_zero(fake_llr, expected):
    assert words.llr_words(fake_llr) == expected
