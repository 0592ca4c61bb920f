"""Real clips in which sound and picture do not belong together, and nothing is forged."""

from __future__ import annotations

import numpy as np
import pytest

from avdetect.branches.sync_windows import CROWD, STILL_MOUTH
from avdetect.detector import Detector
from avdetect.types import Decision
from eval.compose import held_out_clips
from eval.compose_call import read_mono
from eval.compose_video import Scene, compose_scene
from eval.mux import mux
from eval.shared_data import read_rows, shared_path
from tests.shared import requires_shared
from tests.synth import Sound, encode, tone

pytestmark = [pytest.mark.slow, requires_shared]


@pytest.fixture(scope="module")
def detector():
    return Detector.load(device="cpu")


@pytest.fixture(scope="module")
def people():
    return held_out_clips()


def listeners():
    """Pictures of faces that the lists say hardly speak."""
    rows = [
        row for row in read_rows("data/video/clips.csv") if "little or no speech" in row["note"]
    ]
    return {row["identity"]: shared_path(f"data/video/{row['file']}") for row in rows}


def test_a_voice_over_a_still_face_is_narration_and_no_forgery(detector, people, tmp_path):
    for person in ("lp_d7", "lp_d8"):
        clip = mux(listeners()[person], people[0][1], tmp_path / f"{person}.mkv")
        verdict = detector.scan(clip)
        assert verdict.missing["lip_sync"] == STILL_MOUTH
        assert verdict.synchrony == ()
        assert verdict.decision is not Decision.FAKE


def test_music_and_silence_are_no_speech(detector, people, tmp_path):
    chord = sum(tone(8.0, hz=hz, amplitude=0.1) for hz in (220.0, 277.2, 329.6))
    beat = chord * (0.4 + 0.6 * (np.arange(len(chord)) % 8000 < 4000))
    for name, samples in (("music", beat), ("silence", np.zeros(128_000))):
        sound = encode(tmp_path / f"{name}.m4a", sound=Sound(samples=samples))
        verdict = detector.scan(mux(people[0][0], sound, tmp_path / f"{name}.mkv"))
        assert "no speech" in verdict.missing["lip_sync"]


def test_a_crowd_of_voices_is_nobodys_speech(detector, people, tmp_path):
    rows = [row for row in read_rows("data/audio/train.csv") if row["label"] == "bonafide"][:200:5]
    voices = [read_mono(shared_path(f"data/audio/{row['file']}"), 16_000) for row in rows]
    crowd = sum(np.resize(v / np.sqrt(np.mean(v**2)), 96_000) for v in voices) * 0.01
    sound = encode(tmp_path / "crowd.wav", sound=Sound(samples=crowd, codec="pcm_s16le"))
    verdict = detector.scan(mux(people[2][0], sound, tmp_path / "crowd.mkv"))
    assert verdict.missing["lip_sync"] in (CROWD, "no speech here", STILL_MOUTH)


def test_of_two_faces_and_a_cut_each_speaker_is_judged_and_the_listener_is_not(
    detector, people, tmp_path
):
    scene = Scene(talker=people[0], listener=listeners()["lp_d7"], after_cut=people[2])
    cut_s = compose_scene(scene, tmp_path / "scene.mp4")
    verdict = detector.scan(tmp_path / "scene.mp4")
    judged = [p for p in verdict.branches["lip_sync"].parts if p.fake_llr is not None]
    assert len(judged) == 2
    first, second = sorted(judged, key=lambda part: part.start_s)
    assert first.end_s <= cut_s + 0.1
    assert second.start_s >= cut_s - 0.1
    assert len(verdict.synchrony) == 2
    assert verdict.decision is not Decision.FAKE


def test_a_voice_that_goes_on_over_a_reaction_shot_is_not_held_against_the_listener(
    detector, people, tmp_path
):
    heard = people[0][1]
    scene = Scene(
        talker=people[0], listener=listeners()["lp_d7"], after_cut=(listeners()["lp_d8"], heard)
    )
    compose_scene(scene, tmp_path / "reaction.mp4")
    verdict = detector.scan(tmp_path / "reaction.mp4")
    judged = [p for p in verdict.branches["lip_sync"].parts if p.fake_llr is not None]
    assert len(judged) == 1
    assert verdict.decision is not Decision.FAKE
