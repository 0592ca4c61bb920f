"""A mouth drawn in code: an ellipse that opens with the envelope of its own sound."""

from __future__ import annotations

import cv2
import numpy as np

from avdetect.observation import ChannelAudio, FaceWindow, Observation
from avdetect.timebase import FRAME_RATE_HZ, SAMPLE_RATE_HZ, SAMPLES_PER_FRAME
from avdetect.types import Segment

# Where a mesh has its points hardly matters; eyes and lips must have a place and a size.
_MESH = np.random.default_rng(0).uniform(60, 200, (478, 2))
_FOREHEAD, _UPPER_LIP, _LOWER_LIP, _CHIN = 10, 13, 14, 152


def meshes(openness: np.ndarray) -> np.ndarray:
    """(T, 478, 2) float32: a face 140 px high whose lips part with the mouth."""
    points = np.tile(_MESH, (len(openness), 1, 1)).astype(np.float32)
    for index, height in ((_FOREHEAD, 60), (_UPPER_LIP, 150), (_CHIN, 200)):
        points[:, index] = (130, height)
    points[:, _LOWER_LIP, 0], points[:, _LOWER_LIP, 1] = 130, 150 + 12 * openness
    return points


def opening(frames: int, seed: int) -> np.ndarray:
    """(T,) how far the mouth is open, 0..1: syllables of uneven length."""
    rng = np.random.default_rng(seed)
    knots = rng.uniform(0, 1, frames // 3 + 3) * (rng.random(frames // 3 + 3) < 0.7)
    return np.interp(np.arange(frames) / 3, np.arange(len(knots)), knots)


def voice(openness: np.ndarray, seed: int) -> np.ndarray:
    """(640 T,) float32: a buzz as loud and as bright as the mouth is open."""
    rng = np.random.default_rng(seed)
    envelope = np.interp(
        np.arange(len(openness) * SAMPLES_PER_FRAME) / SAMPLES_PER_FRAME,
        np.arange(len(openness)) + 0.5,
        openness,
    )
    time_s = np.arange(len(envelope)) / SAMPLE_RATE_HZ
    buzz = np.sin(2 * np.pi * 150 * time_s) + envelope * np.sin(2 * np.pi * 1200 * time_s)
    return (0.2 * envelope * buzz + rng.normal(0, 0.002, len(envelope))).astype(np.float32)


def pictures(openness: np.ndarray) -> np.ndarray:
    """(T, 96, 96) uint8: skin, lips and the dark between them."""
    frames = np.full((len(openness), 96, 96), 170, np.uint8)
    for picture, wide in zip(frames, openness, strict=True):
        cv2.ellipse(picture, (48, 48), (26, 8 + round(14 * wide)), 0, 0, 360, 110, -1)
        cv2.ellipse(picture, (48, 48), (22, 1 + round(14 * wide)), 0, 0, 360, 30, -1)
    return frames


def observation(seconds: float = 4.0, seed: int = 0, sound_seed: int | None = None) -> Observation:
    """One talking face with its sound; another ``sound_seed`` gives it foreign speech."""
    frames = round(seconds * FRAME_RATE_HZ)
    openness = opening(frames, seed)
    heard = openness if sound_seed is None else opening(frames, sound_seed)
    segment = Segment(0.0, seconds)
    face = FaceWindow(
        track=0,
        shot=0,
        frame_index=np.arange(frames),
        frame_s=np.arange(frames) / FRAME_RATE_HZ,
        faces=np.broadcast_to(np.uint8(0), (frames, 224, 224, 3)),
        mouths=pictures(openness),
        boxes=np.tile(np.float32([50, 50, 210, 210]), (frames, 1)),
        landmarks=meshes(openness),
        size_px=160.0,
        yaw_deg=0.0,
    )
    channel = ChannelAudio(channel="mono", waveform=voice(heard, seed), speech=(segment,))
    return Observation(
        segment=segment, fresh=segment, channels=(channel,), faces=(face,), speaking_track=0
    )
