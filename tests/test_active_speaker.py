"""The face whose lips move with the speech is the one that speaks."""

import numpy as np

from avdetect.active_speaker import lip_motion, speaking_track
from avdetect.observation import ChannelAudio, FaceWindow
from avdetect.types import Segment

T = 50
TALK = ChannelAudio(
    channel="mono", waveform=np.zeros(32000, np.float32), speech=(Segment(0.0, 2.0),)
)
QUIET = ChannelAudio(channel="mono", waveform=np.zeros(32000, np.float32), speech=())


def face(track, opening):
    """A face 100 px high whose lips are ``opening`` (T,) px apart."""
    points = np.zeros((T, 478, 2), np.float32)
    points[:, 152, 1] = 100.0
    points[:, 13, 1], points[:, 14, 1] = 70.0, 70.0 + opening
    return FaceWindow(
        track=track,
        shot=0,
        frame_index=np.arange(T),
        frame_s=np.arange(T) / 25,
        faces=np.zeros((T, 1, 1, 3), np.uint8),
        mouths=np.zeros((T, 1, 1), np.uint8),
        boxes=np.zeros((T, 4), np.float32),
        landmarks=points,
        size_px=100.0,
        yaw_deg=0.0,
    )


MOVING = face(3, 5 + 5 * np.sin(np.arange(T)))
STILL = face(1, np.full(T, 2.0))


def test_the_moving_lips_speak():
    assert speaking_track([STILL, MOVING], [TALK]) == 3


def test_the_only_face_speaks():
    assert speaking_track([STILL], [TALK]) == 1


def test_nobody_speaks_in_silence():
    assert speaking_track([MOVING], [QUIET]) is None
    assert speaking_track([], [TALK]) is None


def test_two_alike_are_not_told_apart():
    assert speaking_track([MOVING, face(4, 5 + 5 * np.cos(np.arange(T)))], [TALK]) is None


def test_motion_is_per_face_height_and_second():
    opening = np.arange(T, dtype=np.float64) % 2 * 4.0  # 4 px each frame, 100 px face, 25 Hz
    assert abs(lip_motion(face(0, opening), [TALK]) - 1.0) < 1e-5
