"""The face whose lips move with the speech is the one that speaks."""

from dataclasses import replace

import numpy as np
import pytest

from avdetect.active_speaker import lip_motion, lip_turns, outdone, speaking_track
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


def test_of_two_who_speak_one_after_the_other_the_longer_seen_is_named():
    first, second = face(1, 5 + 5 * np.sin(np.arange(T))), face(2, 5 + 5 * np.cos(np.arange(T)))
    early = replace_frames(first, np.arange(T) - 60)
    assert speaking_track([early, second], [TALK]) == 2


def replace_frames(found, frame_index):
    return replace(found, frame_index=frame_index)


def test_a_syllable_turns_twice_and_trembling_never():
    clock = np.arange(30)
    assert lip_turns(0.05 * np.sin(2 * np.pi * clock / 10)) == pytest.approx(6, abs=1)
    assert lip_turns(np.random.default_rng(0).normal(0.02, 0.001, 30)) == 0
    assert lip_turns(np.linspace(0.0, 0.1, 30)) == 0


def test_a_face_is_outdone_by_one_that_moves_more_and_never_by_itself_or_the_absent():
    frames = np.arange(10, 40)
    assert outdone(STILL, [STILL, MOVING], frames)
    assert not outdone(MOVING, [STILL, MOVING], frames)
    assert not outdone(STILL, [STILL], frames)
    assert not outdone(STILL, [replace_frames(MOVING, np.arange(T) + 100)], frames)
