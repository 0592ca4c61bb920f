"""Speech squeezed through a few codewords, as neural codecs and token models do, without training.

The codebooks are random (Gaussian shapes, drawn anew for every copy). Waveform coders that phones
and files use are no fakes and stand in `avdetect.channels`; these copies lose far more of the
phase than they do.
"""

from __future__ import annotations

from functools import lru_cache

import librosa
import numpy as np
from scipy.fft import dct, idct

from recipes.forge.inversion import from_mel, to_mel
from recipes.forge.pitch import Samples
from recipes.forge.prediction import analyse, synthesise

_GAIN_STEP_DB = 1.5
_MDCT_HOP = 320
_N_MELS = 80


def quantise(vectors: Samples, n_words: int, n_stages: int, rng: np.random.Generator) -> Samples:
    """Residual gain-shape quantisation: each stage codes what the stages before it left.

    Args:
        vectors: (N, D).
        n_words: unit-length random codewords a stage.
        n_stages: codebooks.
        rng: draws the codebooks.

    Returns:
        (N, D).
    """
    coded = np.zeros_like(vectors)
    for _ in range(n_stages):
        words = rng.normal(size=(n_words, vectors.shape[1]))
        words /= np.linalg.norm(words, axis=1, keepdims=True)
        likeness = (vectors - coded) @ words.T
        chosen = np.argmax(np.abs(likeness), axis=1)
        gains = likeness[np.arange(len(vectors)), chosen]
        steps = np.rint(20 * np.log10(np.abs(gains) + 1e-9) / _GAIN_STEP_DB)
        coded += (np.sign(gains) * 10 ** (steps * _GAIN_STEP_DB / 20))[:, None] * words[chosen]
    return coded


def spectrum_vectors(waveform: Samples, rng: np.random.Generator) -> Samples:
    """Eight neighbours of an MDCT spectrum by one to three codewords; the top bands by noise."""
    spectrum = _mdct(waveform)
    n_frames, n_coded = len(spectrum), int(rng.choice([160, 200, 240]))
    vectors = spectrum[:, :n_coded].reshape(-1, 8)
    coded = quantise(vectors, int(rng.choice([64, 256])), int(rng.integers(1, 4)), rng)
    bands = spectrum[:, n_coded:].reshape(n_frames, -1, 20)
    levels = np.sqrt(np.mean(bands**2, axis=2, keepdims=True))
    noise = (levels * rng.normal(size=bands.shape)).reshape(n_frames, -1)
    whole = np.concatenate([coded.reshape(n_frames, -1), noise], axis=1)
    return _inverse_mdct(whole)[: len(waveform)]


def residual_vectors(waveform: Samples, rng: np.random.Generator) -> Samples:
    """Linear prediction's residual, 1 to 2 ms at a time, by one or two of some hundred shapes."""
    predictors, residual = analyse(waveform, int(rng.integers(12, 19)))
    size, n_words = int(rng.choice([16, 20, 32])), int(rng.choice([128, 512]))
    padded = np.pad(residual, (0, -len(residual) % size)).reshape(-1, size)
    coded = quantise(padded, n_words, int(rng.integers(1, 3)), rng).reshape(-1)[: len(waveform)]
    return synthesise(coded, predictors)


def mel_tokens(waveform: Samples, rng: np.random.Generator) -> Samples:
    """Mel cepstra in coarse steps, 25 to 50 a second, drawn as sound by Griffin-Lim."""
    n_fft, hop, every = 1_024, 160, int(rng.choice([2, 3, 4]))
    bands = to_mel(np.abs(librosa.stft(waveform, n_fft=n_fft, hop_length=hop)), _N_MELS)
    step = rng.uniform(0.3, 1.5)  # of an orthonormal transform of natural logarithms
    tokens = np.rint(dct(np.log(bands), axis=0, norm="ortho")[:, ::every] / step) * step
    tokens[int(rng.choice([24, 40, _N_MELS])) :] = 0.0
    frames = np.arange(bands.shape[1]) / every
    lower = np.minimum(frames.astype(np.int64), tokens.shape[1] - 1)
    share = frames - lower
    upper = np.minimum(lower + 1, tokens.shape[1] - 1)
    smooth = (1 - share) * tokens[:, lower] + share * tokens[:, upper]
    drawn = librosa.griffinlim(
        from_mel(np.exp(idct(smooth, axis=0, norm="ortho")), n_fft),
        n_iter=int(rng.integers(8, 17)),
        hop_length=hop,
        length=len(waveform),
        random_state=int(rng.integers(2**31)),
    )
    return np.asarray(drawn, np.float64)


def _mdct(waveform: Samples) -> Samples:
    """(T, 320) coefficients of sine-windowed frames of 40 ms (Princen & Bradley 1986)."""
    padded = np.pad(waveform, (_MDCT_HOP, 2 * _MDCT_HOP))
    frames = np.lib.stride_tricks.sliding_window_view(padded, 2 * _MDCT_HOP)[::_MDCT_HOP]
    return np.asarray(frames @ _basis(), np.float64)


def _inverse_mdct(spectrum: Samples) -> Samples:
    frames = spectrum @ _basis().T
    first, second = frames[:, :_MDCT_HOP], frames[:, _MDCT_HOP:]
    return np.asarray((second[:-1] + first[1:]).reshape(-1), np.float64)


@lru_cache(maxsize=1)
def _basis() -> Samples:
    time, bin_ = np.arange(2 * _MDCT_HOP)[:, None] + 0.5, np.arange(_MDCT_HOP)[None] + 0.5
    window = np.sin(np.pi * time / (2 * _MDCT_HOP))
    turn = np.pi / _MDCT_HOP * (time + _MDCT_HOP / 2) * bin_
    return np.asarray(window * np.cos(turn) * np.sqrt(2 / _MDCT_HOP), np.float64)
