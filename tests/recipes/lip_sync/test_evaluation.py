"""The figures' arithmetic on known scores, and observations as the engine would cut them."""

from dataclasses import replace

import numpy as np
import pytest

from avdetect.types import Segment
from recipes.datasets.talking_heads import TalkingHeadClip
from recipes.lip_sync.fakes import ScoredClip, summarise_fakes
from recipes.lip_sync.observations import observations_of, speech_of
from recipes.lip_sync.synchrony import trimmed


def _scored(number, fake, score):
    return ScoredClip(
        file=f"{number}.mp4",
        fake=fake,
        kind="lip-sync" if fake else "real",
        generator="Wav2Lip" if fake else "",
        source=f"source {number % 5}",
        group=f"person {number}",
        score=score,
        missing=None if score is not None else "no speech here",
        facts={},
    )


def test_higher_scores_of_fakes_give_an_auc_above_one_half():
    clips = [_scored(k, k % 2 == 1, float(k % 2) + 0.01 * k) for k in range(20)]
    table = summarise_fakes([*clips, _scored(99, True, None)])
    assert table["all_kinds"].startswith("AUC 1.000 [1.000, 1.000], 10 fake and 10 real")
    assert table["lip_sync"] == table["all_kinds"] == table["generator_Wav2Lip"]
    assert (table["clips"], table["judged"]) == (21, 20)
    assert table["abstained_for"] == ["1 x no speech here"]


def test_reversed_scores_are_reported_as_they_are():
    clips = [_scored(k, k % 2 == 1, -float(k % 2)) for k in range(20)]
    assert summarise_fakes(clips)["all_kinds"].startswith("AUC 0.000")


@pytest.fixture
def clip():
    frames = 225
    return TalkingHeadClip(
        file="drawn.mp4",
        mouths=np.zeros((frames, 96, 96), np.uint8),
        frame_index=np.arange(frames),
        landmarks=np.random.default_rng(0).uniform(60, 200, (frames, 478, 2)).astype(np.float16),
        faces=np.zeros((0, 224, 224, 3), np.uint8),
        face_index=np.zeros(0, np.int64),
        audio=np.zeros(frames * 640, np.float32),
    )


def test_observations_overlap_and_cover_the_clip_once(clip):
    seen = observations_of(clip)
    assert [o.segment for o in seen] == [Segment(0, 4), Segment(3, 7), Segment(6, 9)]
    assert [o.fresh for o in seen] == [Segment(0, 4), Segment(4, 7), Segment(7, 9)]
    assert [len(o.faces[0].frame_index) for o in seen] == [100, 100, 75]
    assert seen[1].faces[0].frame_index[0] == 75
    assert len(seen[1].channels[0].waveform) == 4 * 16_000


def test_a_silent_clip_has_no_channel_and_a_faceless_one_no_face(clip):
    silent = observations_of(replace(clip, audio=np.zeros(0, np.float32)))
    assert silent[0].channels == ()
    none = np.zeros(0, np.int64)
    faceless = replace(clip, frame_index=none, mouths=clip.mouths[:0], landmarks=clip.landmarks[:0])
    assert observations_of(faceless)[0].faces == ()


def test_silence_is_not_speech():
    assert speech_of(np.zeros(32_000, np.float32)) == ()


def test_trimming_cuts_picture_and_sound_alike(clip):
    short = trimmed(clip, 3.0)
    assert len(short.mouths) == len(short.landmarks) == 75
    assert len(short.audio) == 48_000
