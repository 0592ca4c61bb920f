"""Forged mismatches of mouth and speech, made from real clips: what is false is known per frame.

A mouth is forged by choosing which of its own frames is shown when, or a mean of several; speech
by moving, cutting or exchanging sound. Nothing else of a clip changes, so that a forged clip
differs from its real twin by the mismatch alone. A constant delay is no forgery: see `delay`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avdetect.timebase import FRAME_RATE_HZ, SAMPLES_PER_FRAME, seconds_to_samples

_FADE_S = 0.01  # long enough not to click, shorter than a plosive
_LEAST_LAG_FRAMES = 3  # 120 ms: beyond what viewers and broadcasters accept as in time


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgedMouth:
    """Which mouths are shown in place of the true ones.

    Attributes:
        blend: (T, N) float32, each row sums to 1: the frame shown at t is this mean of N sources.
        labels: (T,) bool, True where a false mouth is shown.
    """

    blend: NDArray[np.float32]
    labels: NDArray[np.bool_]

    def apply(self, sources: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, ...) source frames or lip points to (T, ...)."""
        flat = self.blend @ sources.reshape(len(sources), -1)
        return np.asarray(flat.reshape(len(self.blend), *sources.shape[1:]), np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgedSpeech:
    """Forged sound of the length of the true one.

    Attributes:
        sound: (S,) float32.
        labels: (S // 640,) bool per 25 Hz frame, True where the sound is not the mouth's.
    """

    sound: NDArray[np.float32]
    labels: NDArray[np.bool_]


def frozen_mouth(frames: int, start: int, stop: int) -> ForgedMouth:
    """The mouth stands still from ``start`` to ``stop``."""
    index = np.arange(frames)
    index[start:stop] = start
    return _by_index(index, frames, start, stop)


def slowed_mouth(frames: int, start: int, stop: int, speed: float) -> ForgedMouth:
    """The mouth moves at ``speed`` (0 < speed < 1) of its pace from ``start`` to ``stop``."""
    index = np.arange(frames)
    index[start:stop] = start + np.floor(np.arange(stop - start) * speed).astype(np.int64)
    return _by_index(index, frames, start, stop)


def reversed_mouth(frames: int, start: int, stop: int) -> ForgedMouth:
    """The mouth runs backwards from ``start`` to ``stop``."""
    index = np.arange(frames)
    index[start:stop] = index[start:stop][::-1]
    return _by_index(index, frames, start, stop)


def displaced_mouth(frames: int, start: int, stop: int, lag: int) -> ForgedMouth:
    """From ``start`` to ``stop`` the mouth of ``lag`` frames away is shown, wrapping around."""
    index = np.arange(frames)
    index[start:stop] = (index[start:stop] + lag) % frames
    return _by_index(index, frames, start, stop)


def dubbed_mouth(agreement: NDArray[np.float32], temperature: float, inertia: float) -> ForgedMouth:
    """Mouths of the clip re-chosen to fit given speech, as a lip-sync generator would.

    After Video Rewrite (Bregler et al. 1997), with a mean over the fitting frames in place of one:
    the mean has the over-smooth look of regressed mouths, and fits the speech too well.

    Args:
        agreement: (T, N) similarity of the speech at t with each source frame.
        temperature: of the softmax over sources; low = one frame, high = a blur of many.
        inertia: 0..1, how much of the previous frame's choice stays.
    """
    logits = agreement / temperature
    weights = np.exp(logits - logits.max(1, keepdims=True))
    weights /= weights.sum(1, keepdims=True)
    for t in range(1, len(weights)):
        weights[t] = inertia * weights[t - 1] + (1 - inertia) * weights[t]
    return ForgedMouth(blend=weights.astype(np.float32), labels=np.ones(len(agreement), np.bool_))


def foreign_speech(
    sound: NDArray[np.float32], other: NDArray[np.float32], start: int, stop: int
) -> ForgedSpeech:
    """Another recording's speech from frame ``start`` to ``stop``, at this one's level.

    Args:
        sound: (S,) float32 true sound.
        other: (S,) float32 foreign sound; shorter ones are repeated.
        start: first 25 Hz frame replaced.
        stop: the frame after the last one replaced.
    """
    begin, end = start * SAMPLES_PER_FRAME, min(stop * SAMPLES_PER_FRAME, len(sound))
    level, foreign = _level(sound[begin:end]), np.resize(other, len(sound))
    foreign = foreign * np.float32(level / _level(foreign[begin:end]))
    gate = np.zeros(len(sound), np.float32)
    gate[begin:end] = 1.0
    gate = _faded(gate)
    labels = np.zeros(len(sound) // SAMPLES_PER_FRAME, np.bool_)
    labels[start:stop] = True
    return ForgedSpeech(sound=sound * (1 - gate) + foreign * gate, labels=labels)


def retimed_speech(
    sound: NDArray[np.float32], rng: np.random.Generator, steps: tuple[int, int] = (3, 8)
) -> ForgedSpeech:
    """The same speech spoken with other pauses and lengths.

    The sound is cut every 0.2 to 0.5 s and each piece moved by a random walk, so that no one
    offset fits all pieces. Frames are false where the piece lies 120 ms or more from the median.

    Args:
        sound: (S,) float32.
        rng: source of the cuts.
        steps: smallest and largest step of the walk in frames; (0, 0) cuts without moving, which
            gives a real twin the same seams.
    """
    frames = len(sound) // SAMPLES_PER_FRAME
    lag, at, lags = 0, 0, np.zeros(frames, np.int64)
    edges: list[int] = []
    while at < frames:
        length = int(rng.integers(5, 13))
        lags[at : at + length] = lag
        lag += int(rng.choice((-1, 1)) * rng.integers(steps[0], steps[1] + 1))
        at += length
        edges.append(min(at, frames))
    out = np.zeros_like(sound)
    fade = seconds_to_samples(_FADE_S)
    for start, stop in zip([0, *edges[:-1]], edges, strict=True):
        begin, end = start * SAMPLES_PER_FRAME, stop * SAMPLES_PER_FRAME
        end = len(sound) if stop == frames else end
        # Seams fade to silence and back: a click would tell the forgery.
        positions = np.arange(begin, end) - lags[start] * SAMPLES_PER_FRAME
        piece = np.take(sound, positions, mode="wrap")
        ramp = np.minimum(
            1.0, np.minimum(np.arange(len(piece)), np.arange(len(piece))[::-1]) / fade
        )
        out[begin:end] = piece * ramp
    wrong = np.abs(lags - np.median(lags)) >= _LEAST_LAG_FRAMES
    return ForgedSpeech(sound=out.astype(np.float32), labels=wrong)


def delay(sound: NDArray[np.float32], delay_s: float) -> NDArray[np.float32]:
    """The sound ``delay_s`` later (earlier where negative), of the same length; not a forgery."""
    shift = seconds_to_samples(delay_s)
    moved = np.zeros_like(sound)
    if shift >= 0:
        moved[shift:] = sound[: len(sound) - shift]
    else:
        moved[:shift] = sound[-shift:]
    return moved


def random_stretch(frames: int, rng: np.random.Generator, least_s: float = 0.4) -> tuple[int, int]:
    """The whole of ``frames`` half of the time, else a stretch of at least ``least_s``."""
    if rng.random() < 0.5:
        return 0, frames
    length = int(rng.integers(round(least_s * FRAME_RATE_HZ), frames))
    start = int(rng.integers(0, frames - length + 1))
    return start, start + length


def _by_index(index: NDArray[np.int64], frames: int, start: int, stop: int) -> ForgedMouth:
    blend = np.zeros((len(index), frames), np.float32)
    blend[np.arange(len(index)), index] = 1.0
    labels = np.zeros(len(index), np.bool_)
    labels[start:stop] = index[start:stop] != np.arange(start, stop)
    return ForgedMouth(blend=blend, labels=labels)


def _faded(gate: NDArray[np.float32]) -> NDArray[np.float32]:
    length = seconds_to_samples(_FADE_S)
    kernel = np.ones(length, np.float32) / length
    return np.asarray(np.clip(np.convolve(gate, kernel, mode="same"), 0, 1), np.float32)


def _level(sound: NDArray[np.float32]) -> float:
    return float(np.sqrt(np.mean(np.square(sound)))) + 1e-5 if len(sound) else 1.0
