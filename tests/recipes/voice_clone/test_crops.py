"""Crops keep waveform, speech and truth together."""

from __future__ import annotations

import numpy as np
import pytest

from avdetect.types import Segment
from recipes.forge.partial import PartialSpoof
from recipes.voice_clone.crops import crop_clip, crop_spoof


def test_short_clips_are_tiled_as_the_branch_does_it() -> None:
    waveform, mask = crop_clip(np.arange(1_600, dtype=np.float32), np.ones(2, np.float32), 5, 0)
    assert waveform.shape == (4_000,)
    assert waveform[1_600] == 0.0
    assert mask.tolist() == [1.0] * 5


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
def test_a_crop_of_a_spoof_holds_its_word(place: float) -> None:
    clock = np.arange(96_000, dtype=np.float32)
    spoof = PartialSpoof(
        waveform=clock, bona_fide=-clock, segments=(Segment(2.5, 3.1),), fade_s=0.0
    )
    original, fake, frames = crop_spoof(spoof, 40, place)
    assert np.array_equal(original, -fake)
    forged = fake[np.repeat(frames, 320) > 0]
    assert forged.min() >= 2.48 * 16_000
    assert forged.max() <= 3.12 * 16_000
    assert frames.sum() == pytest.approx(30, abs=12)
