"""Faces too small or turned too far: no verdict about them, the reason said, the face named."""

import cv2
import numpy as np
import pytest
import soundfile as sf

from avdetect.detector import Detector
from avdetect.faces import detect
from avdetect.types import Decision
from tests.paths import SAMPLES
from tests.synth import Pictures, Sound, constant_rate, encode


@pytest.fixture(scope="module")
def detector():
    return Detector.load(device="cpu")


@pytest.fixture(scope="module")
def portrait():
    picture = cv2.imread(str(SAMPLES / "portrait_real.jpg"))
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def shrunk(portrait, side):
    return cv2.resize(portrait, (side, side), interpolation=cv2.INTER_AREA)


def filmed(path, picture, n=10, sound=None):
    pictures = Pictures(pictures=[picture] * n, times_s=constant_rate(n, 25.0))
    return encode(path, pictures=pictures, sound=sound)


@pytest.fixture(scope="module")
def speech():
    samples, rate_hz = sf.read(SAMPLES / "call_synthetic.wav")
    return Sound(samples=samples[: 4 * rate_hz, 0], rate_hz=rate_hz)


def test_a_small_face_is_inconclusive_with_its_size(detector, portrait, tmp_path):
    verdict = detector.scan(filmed(tmp_path / "small.mp4", shrunk(portrait, 180)))
    assert verdict.decision is Decision.INCONCLUSIVE
    assert verdict.fake_llr is None and verdict.fake_probability is None
    (part,) = verdict.branches["visual_forgery"].parts
    assert part.face_track == 0 and part.fake_llr is None
    assert part.missing.startswith("face 0 is ") and part.missing.endswith("48 px needed")
    assert verdict.missing["visual_forgery"] == part.missing
    assert part.missing in verdict.reason


def test_a_voice_does_not_clear_a_face_too_small_to_judge(detector, portrait, speech, tmp_path):
    rare = 0.001  # at which nothing but forgery itself would be called fake, this voice real
    heard = {
        side: detector.scan(
            filmed(tmp_path / f"{side}.mp4", shrunk(portrait, side), n=100, sound=speech),
            prior_fake=rare,
        )
        for side in (180, 400)
    }
    assert heard[400].decision is Decision.REAL
    assert heard[180].decision is Decision.INCONCLUSIVE
    assert heard[180].fake_llr is not None  # what was judged is still told
    assert "no face in it could be judged" in heard[180].reason


def test_a_turned_face_is_inconclusive_with_its_angle(detector, portrait, tmp_path, monkeypatch):
    monkeypatch.setattr(detect, "_yaw_deg", lambda points: -71.0)
    verdict = detector.scan(filmed(tmp_path / "turned.mp4", shrunk(portrait, 400)))
    assert verdict.decision is Decision.INCONCLUSIVE
    assert verdict.fake_llr is None
    assert "face 0 is turned 71 degrees, at most 45 can be judged" in verdict.reason


def test_beside_a_small_face_the_large_one_is_judged_and_named(detector, portrait, tmp_path):
    picture = np.zeros((400, 640, 3), np.uint8)
    picture[:, :400] = shrunk(portrait, 400)
    picture[100:280, 440:620] = shrunk(portrait, 180)
    verdict = detector.scan(filmed(tmp_path / "two.mp4", picture, n=30))
    parts = {part.face_track: part for part in verdict.branches["visual_forgery"].parts}
    judged = [track for track, part in parts.items() if part.fake_llr is not None]
    left_out = [part.missing for part in parts.values() if part.fake_llr is None]
    assert len(judged) == 1
    assert verdict.decided_by.face_track == judged[0]
    assert f"face {judged[0]}" in verdict.reason
    assert len(left_out) == 1 and left_out[0].endswith("48 px needed")
    assert "visual_forgery" not in verdict.missing
