"""Forged twins of real windows: one kind of mismatch each, with labels per mouth frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from avdetect.nn.offset_curve import MAX_OFFSET_FRAMES
from avdetect.nn.sync_encoder import NET_CROP_PX, WINDOW_FRAMES
from avdetect.timebase import FRAME_RATE_HZ, SAMPLES_PER_FRAME
from recipes.forge.timing import (
    ForgedMouth,
    ForgedSpeech,
    delay,
    displaced_mouth,
    foreign_speech,
    frozen_mouth,
    random_stretch,
    retimed_speech,
    reversed_mouth,
    slowed_mouth,
)
from recipes.lip_sync.windows import Window

# Foreign speech and re-made mouths are what other people's fakes amount to; the rest keeps the
# head from learning those two alone.
SHARES = {
    "foreign_speech": 0.35,
    "retimed_speech": 0.12,
    "dubbed_mouth": 0.28,
    "displaced_mouth": 0.08,
    "frozen_mouth": 0.05,
    "slowed_mouth": 0.07,
    "reversed_mouth": 0.05,
}


@cache
def _paste_mask(side_px: int) -> NDArray[np.float32]:
    scale = side_px / NET_CROP_PX
    y, x = np.mgrid[:side_px, :side_px] - (side_px - 1) / 2
    mask = (np.hypot(x / (19.0 * scale), y / (14.0 * scale)) < 1.0).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), 1.5 * scale), np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A window with the truth about it.

    Attributes:
        window: the material.
        fake: whether anything in it is forged.
        labels: (30,) bool per mouth frame.
        offset: frames by which the sound was made late, the truth for a real window.
    """

    window: Window
    fake: bool
    labels: NDArray[np.bool_]
    offset: int


def forged_twin(
    window: Window, kind: str, rng: np.random.Generator, *, other: Window, dub: ForgedMouth | None
) -> Judged:
    """Forge one window.

    Args:
        window: a real one, in synchrony.
        kind: a key of `SHARES`.
        rng: source of all chance.
        other: a window of another clip, for its speech.
        dub: the re-chosen mouths, for the kind ``dubbed_mouth``.
    """
    start, stop = random_stretch(WINDOW_FRAMES, rng)
    if kind in _SPEECH:
        speech = _SPEECH[kind](window, other, (start, stop), rng)
        labels = speech.labels[MAX_OFFSET_FRAMES : MAX_OFFSET_FRAMES + WINDOW_FRAMES]
        return _judged(replace(window, sound=speech.sound), labels)
    mouth = dub if kind == "dubbed_mouth" else _mouth(kind, start, stop, rng)
    if mouth is None:
        raise ValueError("dubbed_mouth needs the re-chosen mouths")
    mouths = mouth.apply(window.mouths)
    if rng.random() < 0.5:  # half of the generators paste the mouth into the true lower face
        mask = _paste_mask(mouths.shape[-1])
        mouths = window.mouths + mask * (mouths - window.mouths)
    changed = replace(window, mouths=mouths, lips=mouth.apply(window.lips))
    return _judged(changed, mouth.labels)


def real_twin(window: Window, rng: np.random.Generator) -> Judged:
    """The real window, at times with the harmless seams that re-timing leaves."""
    if rng.random() < SHARES["retimed_speech"]:
        window = replace(window, sound=retime_heard(window, rng, (0, 0)).sound)
    return _judged(window, np.zeros(WINDOW_FRAMES, np.bool_))


def with_speech(window: Window, other: Window) -> Window:
    """The window's mouths with the speech of another clip."""
    rng = np.random.default_rng(0)
    return replace(window, sound=_foreign(window, other, (0, WINDOW_FRAMES), rng).sound)


def late(judged: Judged, offset: int) -> Judged:
    """The same with its sound ``offset`` frames later: no forgery, and real stays real."""
    window = judged.window
    heard = np.zeros_like(window.heard)
    kept = slice(max(offset, 0), len(heard) + min(offset, 0))
    heard[kept] = window.heard[max(-offset, 0) : len(heard) - max(offset, 0)]
    moved = replace(window, sound=delay(window.sound, offset / FRAME_RATE_HZ), heard=heard)
    return replace(judged, window=moved, offset=judged.offset + offset)


def _judged(window: Window, labels: NDArray[np.bool_]) -> Judged:
    return Judged(window=window, fake=bool(labels.any()), labels=labels, offset=0)


def _mouth(kind: str, start: int, stop: int, rng: np.random.Generator) -> ForgedMouth:
    if kind == "frozen_mouth":
        return frozen_mouth(WINDOW_FRAMES, start, stop)
    if kind == "slowed_mouth":
        return slowed_mouth(WINDOW_FRAMES, start, stop, rng.uniform(0.3, 0.7))
    if kind == "reversed_mouth":
        return reversed_mouth(WINDOW_FRAMES, start, stop)
    if kind == "displaced_mouth":
        return displaced_mouth(WINDOW_FRAMES, start, stop, int(rng.integers(6, 25)))
    raise ValueError(f"no forgery of the mouth is called {kind!r}")


def _foreign(
    window: Window, other: Window, stretch: tuple[int, int], rng: np.random.Generator
) -> ForgedSpeech:
    del rng  # chance has chosen the stretch already
    start, stop = stretch
    if stop - start == WINDOW_FRAMES:  # a whole window: the sound around it is foreign too
        start, stop = -MAX_OFFSET_FRAMES, WINDOW_FRAMES + MAX_OFFSET_FRAMES
    begin, end = _heard_samples(other)
    first, last = _heard_samples(window)
    # Laid from the first sample that is heard: foreign sound has no silent margin of its own.
    foreign = np.roll(np.resize(other.sound[begin:end], len(window.sound)), first)
    forged = foreign_speech(
        window.sound, foreign, start + MAX_OFFSET_FRAMES, stop + MAX_OFFSET_FRAMES
    )
    forged.sound[:first], forged.sound[last:] = 0.0, 0.0
    return forged


def _retimed(
    window: Window, other: Window, stretch: tuple[int, int], rng: np.random.Generator
) -> ForgedSpeech:
    del other, stretch
    return retime_heard(window, rng, (3, 8))


def retime_heard(window: Window, rng: np.random.Generator, steps: tuple[int, int]) -> ForgedSpeech:
    """`retimed_speech` over the part of the window's sound that exists."""
    first, last = _heard_samples(window)
    forged = retimed_speech(window.sound[first:last], rng, steps)
    sound, labels = window.sound.copy(), np.zeros(len(window.heard), np.bool_)
    sound[first:last] = forged.sound
    start = first // SAMPLES_PER_FRAME
    labels[start : start + len(forged.labels)] = forged.labels
    return ForgedSpeech(sound=sound, labels=labels)


def _heard_samples(window: Window) -> tuple[int, int]:
    frames = np.flatnonzero(window.heard)
    return int(frames[0]) * SAMPLES_PER_FRAME, (int(frames[-1]) + 1) * SAMPLES_PER_FRAME


_SPEECH: dict[
    str, Callable[[Window, Window, tuple[int, int], np.random.Generator], ForgedSpeech]
] = {"foreign_speech": _foreign, "retimed_speech": _retimed}
