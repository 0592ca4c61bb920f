"""What a vocoder leaves on speech, as statistics of a clip's stretches.

Vocoders build phase and noise by rule, which shows in group delay, flatness and modulation
(`avdetect.speech.statistics`) longer than a particular voice does.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avdetect.speech.statistics import (
    LEAST_FRAMES,
    N_STATISTICS,
    level_voice,
    speech_spectra,
    voice_statistics,
)
from avdetect.timebase import seconds_to_samples

WINDOW_S = 4.0
N_VOICE_FEATURES = N_STATISTICS

Waveform = NDArray[np.float32]


def clip_features(waveform: Waveform) -> tuple[NDArray[np.float32], int] | None:
    """Mean statistics over a clip's stretches of up to `WINDOW_S`.

    Args:
        waveform: (S,) float32 at 16 kHz in [-1, 1].

    Returns:
        (`N_VOICE_FEATURES`,) float32 and the number of stretches that had enough loud frames; None
        where none had.
    """
    kept = [voice_statistics(window) for window in stretches(waveform) if _is_enough(window)]
    return (np.mean(kept, 0, dtype=np.float32), len(kept)) if kept else None


def stretches(waveform: Waveform) -> list[Waveform]:
    """Pieces of `WINDOW_S`, the last one moved back to end with the sound; the whole if shorter."""
    length = seconds_to_samples(WINDOW_S)
    if len(waveform) <= length:
        return [waveform]
    starts = [*range(0, len(waveform) - length, length), len(waveform) - length]
    return [waveform[start : start + length] for start in starts]


def _is_enough(window: Waveform) -> bool:
    _, active = speech_spectra(level_voice(window.astype(np.float64)))
    return int(active.sum()) >= LEAST_FRAMES
