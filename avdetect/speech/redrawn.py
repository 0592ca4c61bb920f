"""How a voice changes when a vocoder draws it anew: speech of a vocoder changes less.

A vocoder knows the mel spectrogram of speech and invents the rest, phases above all. Drawn anew by
another, human speech loses what only a throat and a room put there; speech that a vocoder has drawn
before has little left to lose. Original and copy come from one recording: what a microphone, room
or line did stands on both sides and falls out of the difference (as the reconstruction error of
diffusion does for pictures, Wang et al. 2023).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avdetect.speech.statistics import (
    BANDS,
    LEAST_FRAMES,
    N_STATISTICS,
    Spectra,
    level_voice,
    speech_spectra,
    voice_statistics,
)

DRAWING_LEVEL = 0.08  # root mean square of speech that the vocoder is fed with
_MEASURES_PER_BAND = 7
_FAINT = 1e-4  # magnitudes below are rounding

N_REDRAWN = _MEASURES_PER_BAND * len(BANDS) + N_STATISTICS


def drawable(waveform: NDArray[np.float32]) -> NDArray[np.float32]:
    """(S,) as the vocoder is fed with it: high-passed, at `DRAWING_LEVEL`."""
    return level_voice(waveform.astype(np.float64), DRAWING_LEVEL).astype(np.float32)


def redrawn_statistics(fed: NDArray[np.float32], drawn: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far a copy is from its original.

    Args:
        fed: (S,) float32 at 16 kHz, of `drawable`.
        drawn: (S,) what a vocoder made of it.

    Returns:
        (`N_REDRAWN`,) float32: in each of nine bands, over frames that are not silence, mean and
        deviation of the coherence of original and copy within a frame, mean and deviation of how
        alike their phases run from bin to bin, mean, deviation and size of the difference of log
        magnitudes; then `voice_statistics` of the original less those of the copy. Zeros where
        fewer than 20 frames are active.
    """
    original, active = speech_spectra(fed.astype(np.float64))
    if active.sum() < LEAST_FRAMES:
        return np.zeros(N_REDRAWN, np.float32)
    level = np.sqrt(np.mean(np.square(drawn, dtype=np.float64))) + 1e-9
    copy, _ = speech_spectra(drawn * (DRAWING_LEVEL / level))
    bands = [_band(original[active, a:b], copy[active, a:b]) for a, b in BANDS]
    change = voice_statistics(fed) - voice_statistics(drawn)
    return np.concatenate([*bands, change]).astype(np.float32)


def _band(original: Spectra, copy: Spectra) -> NDArray[np.float64]:
    """(7,) measures of two (N, F) spectra."""
    cross = original * copy.conj()
    energy = (np.abs(original) ** 2).sum(1) * (np.abs(copy) ** 2).sum(1)
    coherence = np.abs(cross.sum(1)) / np.sqrt(energy + _FAINT**3)
    steps = np.cos(np.angle(cross[:, 1:] * cross[:, :-1].conj())).mean(1)
    louder = np.log(np.abs(original) + _FAINT) - np.log(np.abs(copy) + _FAINT)
    return np.array(
        [
            *(coherence.mean(), coherence.std()),
            *(steps.mean(), steps.std()),
            *(louder.mean(), louder.std(), np.abs(louder).mean()),
        ]
    )
