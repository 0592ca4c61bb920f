"""Variants of one talking head differ in nothing but the forgery."""

import cv2
import numpy as np
import pytest

from avdetect.faces.align import align_face, align_mouth
from avdetect.faces.detect import FaceFinder
from avdetect.media.clip import open_clip
from avdetect.types import total_seconds
from recipes.datasets.talking_heads import TalkingHeadClip
from recipes.fusion.variants import VARIANTS, Draws, forge_variant, observations
from tests.paths import SAMPLES

SECONDS = 5.2


@pytest.fixture(scope="module")
def clip():
    """The sample photograph as a clip, with the sample call's left voice."""
    picture = cv2.cvtColor(cv2.imread(str(SAMPLES / "portrait_real.jpg")), cv2.COLOR_BGR2RGB)
    with FaceFinder() as finder:
        points = finder.measure(picture, finder.propose(picture)[0]).landmarks
    with open_clip(SAMPLES / "call_synthetic.wav") as call:
        sound = np.concatenate([chunk.waveform[0] for chunk in call.chunks()])
    ticks = np.arange(round(SECONDS * 25))
    face_ticks = ticks[::5]
    return TalkingHeadClip(
        file="made.mp4",
        mouths=np.repeat(align_mouth(picture, points)[None], len(ticks), 0),
        frame_index=ticks,
        landmarks=np.repeat(points[None].astype(np.float16), len(ticks), 0),
        faces=np.repeat(align_face(picture, points)[None], len(face_ticks), 0),
        face_index=face_ticks,
        audio=sound[: round(SECONDS * 16000)],
    )


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
    assert total_seconds(o.fresh for o in found) == pytest.approx(SECONDS, abs=0.01)
    assert all(o.speaking_track == 0 and o.channels[0].speech for o in found)
    assert found[0].faces[0].faces.shape == (100, 224, 224, 3)
