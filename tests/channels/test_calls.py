from __future__ import annotations

import numpy as np
import pytest

from avdetect.channels.calls import lossy_call
from avdetect.channels.codecs import through_codec
from tests.channels.test_codecs import chirps


@pytest.mark.parametrize("name", ["ulaw", "g722"])
def test_a_gap_is_silent_or_filled(name: str) -> None:
    sound = chirps(1.2)
    mute, filled = (
        lossy_call(name, 0.2, concealed=concealed)(sound, np.random.default_rng(1))
        for concealed in (False, True)
    )
    silent = np.convolve(np.abs(mute) < 1e-4, np.ones(200), "valid") == 200
    spoken = np.convolve(np.abs(sound) < 1e-4, np.ones(200), "valid") < 200
    gaps = np.flatnonzero(silent & spoken)
    assert len(gaps)
    assert np.abs(filled[gaps]).max() > 0.01


@pytest.mark.parametrize("name", ["ulaw", "g722", "amr_5.9", "opus_16"])
def test_without_loss_a_call_is_its_codec(name: str) -> None:
    sound = chirps(0.6)
    heard = lossy_call(name, 0.0)(sound, np.random.default_rng(0))
    assert np.allclose(heard, through_codec(sound, name), atol=0.02)


def test_codecs_that_conceal_by_themselves_cannot_be_silenced() -> None:
    with pytest.raises(ValueError, match="conceals"):
        lossy_call("amr_12.2", 0.1, concealed=False)
