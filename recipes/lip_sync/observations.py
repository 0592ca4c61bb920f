"""Prepared clips as the observations that the engine would make of them, without decoding again."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from avdetect.faces.align import LEFT_EYE, RIGHT_EYE
from avdetect.observation import FACE_CROP_PX, ChannelAudio, FaceWindow, Observation
from avdetect.speech.vad import VoiceActivity, speech_segments
from avdetect.timebase import (
    FRAME_RATE_HZ,
    OBSERVATION_HOP_S,
    OBSERVATION_S,
    SAMPLE_RATE_HZ,
    seconds_to_samples,
)
from avdetect.types import Segment
from recipes.datasets.talking_heads import TalkingHeadClip

_NOSE_TIP = 1
# A nose tip stands out of the eyes' plane by about half of their distance: what it moves sideways
# tells the turn.
_NOSE_REACH = 0.55


def observations_of(clip: TalkingHeadClip) -> list[Observation]:
    """Observations of 4 s every 3 s, with one channel and one face, as far as each is there.

    Face crops are left blank: the lip-sync branch does not read them.
    """
    end_s = max(
        len(clip.audio) / SAMPLE_RATE_HZ,
        (int(clip.frame_index[-1]) + 1) / FRAME_RATE_HZ if len(clip.frame_index) else 0.0,
    )
    speech = speech_of(clip.audio)
    n_steps = max(1, math.ceil((end_s - OBSERVATION_S) / OBSERVATION_HOP_S) + 1)
    starts = [step * OBSERVATION_HOP_S for step in range(n_steps)]
    observations, covered_s = [], 0.0
    for start_s in starts:
        segment = Segment(start_s, max(start_s, min(start_s + OBSERVATION_S, end_s)))
        observations.append(
            Observation(
                segment=segment,
                fresh=Segment(covered_s, max(covered_s, segment.end_s)),
                channels=_channels(clip.audio, speech, segment),
                faces=_faces(clip, segment),
                speaking_track=0,
            )
        )
        covered_s = segment.end_s
    return observations


def speech_of(audio: NDArray[np.float32]) -> tuple[Segment, ...]:
    """Stretches of speech in (S,) float32 at 16 kHz, seconds."""
    if not len(audio):
        return ()
    activity = VoiceActivity()
    return speech_segments(np.concatenate([activity.push(audio), activity.finish()]), 0.0)


def _channels(
    audio: NDArray[np.float32], speech: tuple[Segment, ...], segment: Segment
) -> tuple[ChannelAudio, ...]:
    begin, end = seconds_to_samples(segment.start_s), seconds_to_samples(segment.end_s)
    waveform = audio[begin:end]
    if not len(waveform):
        return ()
    parts = tuple(part for s in speech if (part := s.overlap(segment)) is not None)
    return (ChannelAudio(channel="mono", waveform=waveform, speech=parts),)


def _faces(clip: TalkingHeadClip, segment: Segment) -> tuple[FaceWindow, ...]:
    first, last = segment.start_s * FRAME_RATE_HZ, segment.end_s * FRAME_RATE_HZ
    kept = (clip.frame_index >= first) & (clip.frame_index < last)
    if not kept.any():
        return ()
    landmarks = clip.landmarks[kept].astype(np.float32)
    low, high = landmarks.min(1), landmarks.max(1)
    blank = np.broadcast_to(np.uint8(0), (len(landmarks), FACE_CROP_PX, FACE_CROP_PX, 3))
    face = FaceWindow(
        track=0,
        shot=0,
        frame_index=clip.frame_index[kept],
        frame_s=clip.frame_index[kept] / FRAME_RATE_HZ,
        faces=blank,
        mouths=clip.mouths[kept],
        boxes=np.concatenate([low, high], 1),
        landmarks=landmarks,
        size_px=float(np.median((high - low).max(1))),
        yaw_deg=_turn_deg(landmarks),
    )
    return (face,)


def _turn_deg(landmarks: NDArray[np.float32]) -> float:
    left, right = landmarks[:, LEFT_EYE].mean(1), landmarks[:, RIGHT_EYE].mean(1)
    across = right - left
    width = np.linalg.norm(across, axis=1)
    nose = landmarks[:, _NOSE_TIP] - (left + right) / 2
    aside = (nose * across).sum(1) / np.maximum(width, 1e-3) ** 2
    return float(np.degrees(np.median(np.arctan2(aside, _NOSE_REACH))))
