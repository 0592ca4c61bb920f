"""Variants of one talking head differ in nothing but the forgery."""

import numpy as np
import pytest

from avdetect.timebase import SAMPLE_RATE_HZ
from avdetect.types import total_seconds
from recipes.datasets.talking_heads import TalkingHeadClip
from recipes.fusion.variants import VARIANTS, Draws, forge_variant, observations


@pytest.fixture(scope="module")
def draws():
    return Draws.draw(np.random.default_rng(1))


def test_the_real_variant_without_a_channel_is_the_clip_itself(clip, draws):
    plain = next(
        d
        for seed in range(99)
        if not (d := Draws.draw(np.random.default_rng(seed))).sound.steps and d.picture is None
    )
    same = forge_variant("real", clip, clip, plain)
    np.testing.assert_array_equal(same.audio, clip.audio)
    np.testing.assert_array_equal(same.faces, clip.faces)


@pytest.mark.parametrize("variant", VARIANTS)
def test_only_what_the_label_says_differs_from_the_real_twin(clip, draws, variant):
    other = TalkingHeadClip(
        **{f: getattr(clip, f) for f in clip.__slots__ if f != "audio"},
        audio=clip.audio[::-1].copy(),
    )
    real = forge_variant("real", clip, other, draws)
    forged = forge_variant(variant, clip, other, draws)
    _, audio_fake, video_fake, out_of_sync = VARIANTS[variant]
    assert len(forged.audio) == len(clip.audio)
    assert bool(audio_fake or out_of_sync) != np.array_equal(forged.audio, real.audio)
    assert bool(video_fake) != np.array_equal(forged.faces, real.faces)


def test_the_clip_is_cut_as_the_engine_cuts_it(clip):
    found = list(observations(clip))
    assert [round(o.segment.start_s, 2) for o in found] == [0.0, 1.2]
    assert total_seconds(o.fresh for o in found) == pytest.approx(
        len(clip.audio) / SAMPLE_RATE_HZ, abs=0.01
    )
    assert all(o.speaking_track == 0 and o.channels[0].speech for o in found)
    assert found[0].faces[0].faces.shape == (100, 224, 224, 3)
