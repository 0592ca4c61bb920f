"""Stretches of clips and of partial spoofs, on the grids of 50 ms steps and 20 ms frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avdetect.branches.base import FRAME_S
from avdetect.channels.codecs import Waveform
from avdetect.speech.features import STEP_SAMPLES
from avdetect.timebase import seconds_to_samples
from recipes.forge.partial import PartialSpoof

Masks = NDArray[np.float32]

_GRID = 2 * STEP_SAMPLES  # crops of spoofs begin where a step and a frame do
_FRAME_SAMPLES = seconds_to_samples(FRAME_S)


def crop_clip(
    waveform: Waveform, speech: Masks, n_steps: int, first: int
) -> tuple[Waveform, Masks]:
    """Steps ``first`` to ``first + n_steps`` of a clip; a shorter clip is tiled as the branch does.

    Args:
        waveform: (S,) float32 at 16 kHz.
        speech: (T,) one per 50 ms; where none is speech, all is taken to be.
        n_steps: length wanted, steps of 50 ms.
        first: step to begin at; 0 for clips shorter than ``n_steps``.

    Returns:
        (800 n_steps,) and (n_steps,) float32.
    """
    have = max(1, min(len(waveform) // STEP_SAMPLES, len(speech)))
    end = min(have, first + n_steps)
    waveform = waveform[first * STEP_SAMPLES : end * STEP_SAMPLES]
    speech = np.resize(speech[first:end], n_steps)
    tiled = np.resize(waveform, n_steps * STEP_SAMPLES)
    return tiled, speech if speech.any() else np.ones_like(speech)


def crop_spoof(spoof: PartialSpoof, n_steps: int, place: float) -> tuple[Waveform, Waveform, Masks]:
    """A stretch with the middle of the forged word in it, tiled where the clip is shorter.

    Args:
        spoof: with its counterpart.
        n_steps: length wanted, steps of 50 ms.
        place: where in the stretch the middle is to lie, 0..1, as far as the clip allows.

    Returns:
        Counterpart and spoof (800 n_steps,), and 1 for every 20 ms that is fake (2.5 n_steps,).
    """
    n_samples = n_steps * STEP_SAMPLES
    (segment,) = spoof.segments
    middle = seconds_to_samples((segment.start_s + segment.end_s) / 2)
    latest = max(0, len(spoof.waveform) - n_samples)
    first = int(np.clip(middle - place * n_samples, 0, latest)) // _GRID * _GRID
    end = min(first + n_samples, len(spoof.waveform) // _GRID * _GRID)
    frames = spoof.frame_labels()[first // _FRAME_SAMPLES : end // _FRAME_SAMPLES]
    original, fake = (
        np.resize(waveform[first:end], n_samples) for waveform in (spoof.bona_fide, spoof.waveform)
    )
    return original, fake, np.resize(frames, n_frames(n_steps))


def first_step(have: int, n_steps: int, rng: np.random.Generator) -> int:
    """Where a crop of ``n_steps`` out of ``have`` begins; 0 where there are too few."""
    return int(rng.integers(0, max(1, have - n_steps + 1)))


def n_frames(n_steps: int) -> int:
    """Frames of 20 ms in an even number of steps of 50 ms."""
    return n_steps * STEP_SAMPLES // _FRAME_SAMPLES
