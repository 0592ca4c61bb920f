from __future__ import annotations

import tomllib

import pytest

from recipes.voice_clone.recalibrate import calibration_facts, with_calibration

_CARD = """\
role = "voice_clone"

[figures]

[figures.held_out]
"A generator (with words)" = 0.5

[calibration]
fitted_on = ["clean"]
cllr_bits = 1.0

[calibration.old]
clean = 1

[storage]
change = 0.3
"""


def test_only_the_calibration_of_a_card_is_replaced() -> None:
    facts = calibration_facts("model", {"modern": {"clean": {"cllr_bits": 0.9}}})
    card = tomllib.loads(with_calibration(_CARD, facts))
    assert card.pop("calibration") == facts
    old = tomllib.loads(_CARD)
    old.pop("calibration")
    assert card == old


def test_the_calibration_may_be_the_last_table() -> None:
    head, _, _ = _CARD.partition("\n[storage]")
    facts = calibration_facts("model", {})
    assert tomllib.loads(with_calibration(head, facts))["calibration"] == facts


def test_writing_twice_changes_nothing() -> None:
    facts = calibration_facts("model", {"modern": {"clean": {"cllr_bits": 0.9}}})
    once = with_calibration(_CARD, facts)
    assert with_calibration(once, facts) == once


def test_a_card_without_calibration_is_refused() -> None:
    with pytest.raises(ValueError, match="no table"):
        with_calibration('role = "voice_clone"\n', {})
