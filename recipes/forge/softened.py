"""Subtler twins: the fake's phases under the original's magnitudes, in part or wholly.

A good vocoder hits the spectrum far better than any of ours, and what is left of it is in the
phases and the fine structure. Taught by coarse twins alone, a network listens for the coarseness.
"""

from __future__ import annotations

import librosa
import numpy as np

from avdetect.channels.codecs import Waveform

_N_FFT, _HOP = 512, 128
_FLOOR = 1e-5


def soften(original: Waveform, twin: Waveform, share: float) -> Waveform:
    """Draw a twin's magnitudes toward its original's.

    Args:
        original: (S,) float32.
        twin: (S,) its fake on the same clock.
        share: 0 leaves the twin, 1 leaves its phases alone; between, magnitudes are mixed in
            decibels.

    Returns:
        (S,) float32.
    """
    true, fake = (librosa.stft(sound, n_fft=_N_FFT, hop_length=_HOP) for sound in (original, twin))
    gain = ((np.abs(true) + _FLOOR) / (np.abs(fake) + _FLOOR)) ** share
    mixed = librosa.istft(fake * gain, hop_length=_HOP, n_fft=_N_FFT, length=len(original))
    return np.asarray(mixed, np.float32)
