from __future__ import annotations

import math
import tomllib
from pathlib import Path

import pytest

from avdetect.checkpoint import load_checkpoint
from avdetect.checkpoint_writer import write_checkpoint
from recipes.voice_clone import recalibrate
from recipes.voice_clone.recalibrate import calibration_facts, with_calibration
from tests.branches.test_voice_clone import checkpoint
from tests.recipes.voice_clone.miniature import write_miniature

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


def test_a_network_alone_is_calibrated_on_clips_it_has_not_learned_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, _ = write_miniature(tmp_path)
    monkeypatch.setenv("AVDETECT_DATA", str(tmp_path))
    monkeypatch.setenv("AVDETECT_MODELS", str(tmp_path))
    tiny = checkpoint()
    card = {"role": "voice_clone", "summary": "s", "licence": "l", "config": tiny.card.config}
    write_checkpoint(tmp_path / "tiny", tiny.state, card, None)
    (tmp_path / "default.toml").touch()

    recalibrate.calibrate_network("tiny", rows, ["clean", "ulaw"], "training")

    again = load_checkpoint("tiny")
    assert again.calibration is not None
    assert again.calibration.limit == pytest.approx(math.log(len(rows) / 2))  # clips, not versions
    assert again.card.facts["calibration"]["channels"] == ["clean", "ulaw"]
    assert again.card.config == tiny.card.config
