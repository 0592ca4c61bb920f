from __future__ import annotations

import numpy as np

from avdetect.channels.training_chain import CALL_CODECS, FILE_CODECS, training_channel
from tests.channels.test_codecs import chirps


def test_twins_meet_the_very_same_channel() -> None:
    sound = chirps(0.7)
    for seed in range(25):
        channel = training_channel(np.random.default_rng(seed))
        heard, again = channel(sound), channel(sound.copy())
        assert np.array_equal(heard, again), channel.names
        assert heard.shape == sound.shape, channel.names
        assert heard.dtype == np.float32, channel.names
        assert np.isfinite(heard).all(), channel.names


def test_the_same_seed_draws_the_same_channel() -> None:
    sound = chirps(0.5)
    for seed in (0, 3):
        first, second = (training_channel(np.random.default_rng(seed)) for _ in range(2))
        assert first.names == second.names
        assert np.array_equal(first(sound), second(sound))


def test_every_codec_and_every_kind_of_damage_is_drawn() -> None:
    drawn = [training_channel(np.random.default_rng(seed)).names for seed in range(3_000)]
    met = {name.removesuffix(" with loss") for names in drawn for name in names}
    for kinds in (*CALL_CODECS.values(), *FILE_CODECS.values()):
        assert met >= set(kinds)
    assert {f"amr_{rate:g}" for rate in (4.75, 5.15, 5.9, 6.7, 7.4, 7.95, 10.2, 12.2)} <= met
    assert {"room", "replay", "noise", "babble", "hum", "gain", "clipping", "agc", "rates"} <= met
    assert {"narrow band", "telephone band"} <= met
    assert any(name.endswith("with loss") for names in drawn for name in names)
    assert 0.08 < np.mean([not names for names in drawn]) < 0.15
