"""Forgers are held out by name, and what was forged is found again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recipes.datasets.voices import VoiceStore
from recipes.voice_clone import twins
from recipes.voice_clone.twins import kept_twins, split_families


def forge(waveform: np.ndarray, _: np.random.Generator) -> np.ndarray:
    return waveform


FAMILIES = {
    "world": {"world": forge, "world_coarse": forge},
    "quantised": {"quantised_mel": forge},
    "neural": {"neural a@10": forge, "neural a@20": forge, "neural b@10": forge},
}


def names(families: dict) -> set[str]:
    return {kind for kinds in families.values() for kind in kinds}


def test_a_family_a_kind_or_all_steps_of_a_vocoder_can_be_held_out() -> None:
    kept, held_out = split_families(FAMILIES, ["quantised", "world_coarse", "neural a"])
    assert names(kept) == {"world", "neural b@10"}
    assert names(held_out) == {"quantised_mel", "world_coarse", "neural a@10", "neural a@20"}
    assert "quantised" not in kept


def test_a_family_named_like_one_of_its_kinds_goes_whole() -> None:
    kept, _ = split_families(FAMILIES, ["world"])
    assert not names(kept) & {"world", "world_coarse"}


def test_a_name_that_nothing_has_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing here forges mistyped"):
        split_families(FAMILIES, ["mistyped"])


def test_only_twins_of_the_asked_kinds_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twins, "FORGED", tmp_path)
    store = VoiceStore(tmp_path)
    for kind, clip in (("world", "a"), ("quantised_mel", "a"), ("neural a@10", "b")):
        store.write(kind, clip, np.zeros(4, np.int16))
    assert kept_twins(FAMILIES) == {"a": ["quantised_mel", "world"], "b": ["neural a@10"]}
    assert kept_twins({"world": {"world": forge}}) == {"a": ["world"]}
