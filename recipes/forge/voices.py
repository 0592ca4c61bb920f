"""Fake twins of human speech: the same words and voice through a vocoder.

Every function takes and gives (S,) float32 at 16 kHz on the same clock and at the same level, so
that twin and original differ in nothing but the vocoder.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import librosa
import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from avdetect.timebase import SAMPLE_RATE_HZ

Waveform = NDArray[np.float32]
_FRAME_MS = 5.0
_LOUDEST = 0.999


def forge_twin(waveform: Waveform, kind: str, rng: np.random.Generator) -> Waveform:
    """A vocoded copy of a human utterance.

    Args:
        waveform: (S,) float32 in [-1, 1] at 16 kHz.
        kind: a key of `VOCODERS`.
        rng: draws the vocoder's setting (mel bands, order, iterations).

    Returns:
        (S,) float32 of the same length and root-mean-square level.

    Raises:
        KeyError: if there is no such vocoder.
    """
    twin = VOCODERS[kind](waveform.astype(np.float64), rng)
    twin = np.pad(twin, (0, max(0, len(waveform) - len(twin))))[: len(waveform)]
    level = np.sqrt(np.mean(waveform.astype(np.float64) ** 2))
    twin = twin * level / max(float(np.sqrt(np.mean(twin**2))), 1e-9)
    loudest = max(float(np.abs(twin).max(initial=0.0)), 1e-9)
    return np.asarray(twin * min(1.0, _LOUDEST / loudest), np.float32)


def world(waveform: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """WORLD analysis and synthesis (Morise 2016), the envelope coded to a few cepstra or not."""
    pyworld = _pyworld()
    f0, times = pyworld.dio(waveform, SAMPLE_RATE_HZ, frame_period=_FRAME_MS)
    f0 = pyworld.stonemask(waveform, f0, times, SAMPLE_RATE_HZ)
    envelope = pyworld.cheaptrick(waveform, f0, times, SAMPLE_RATE_HZ)
    aperiodicity = pyworld.d4c(waveform, f0, times, SAMPLE_RATE_HZ)
    n_cepstra = int(rng.choice([0, 24, 40, 60]))
    if n_cepstra:
        coded = pyworld.code_spectral_envelope(envelope, SAMPLE_RATE_HZ, n_cepstra)
        envelope = pyworld.decode_spectral_envelope(
            coded, SAMPLE_RATE_HZ, (envelope.shape[1] - 1) * 2
        )
    out = pyworld.synthesize(f0, envelope, aperiodicity, SAMPLE_RATE_HZ, _FRAME_MS)
    return np.asarray(out, np.float64)


def griffin_lim(waveform: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Mel inversion with phase by fast Griffin-Lim (Perraudin et al. 2013)."""
    magnitude, n_fft, hop = _through_mel(waveform, rng)
    out = librosa.griffinlim(
        magnitude,
        n_iter=int(rng.integers(4, 17)),
        hop_length=hop,
        n_fft=n_fft,
        length=len(waveform),
        random_state=int(rng.integers(2**31)),
    )
    return np.asarray(out, np.float64)


def mel_magnitude(waveform: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Mel-smoothed magnitudes under the original phase: a vocoder that gets phase right."""
    magnitude, n_fft, hop = _through_mel(waveform, rng)
    phase = np.exp(1j * np.angle(librosa.stft(waveform, n_fft=n_fft, hop_length=hop)))
    out = librosa.istft(magnitude * phase, n_fft=n_fft, hop_length=hop, length=len(waveform))
    return np.asarray(out, np.float64)


def linear_prediction(
    waveform: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """LPC vocoder: pulses and noise through all-pole frames (Atal & Hanauer 1971)."""
    pyworld, order = _pyworld(), int(rng.integers(14, 25))
    hop, size = 80, 400
    f0, _ = pyworld.dio(waveform, SAMPLE_RATE_HZ, frame_period=_FRAME_MS)
    padded = np.pad(waveform, (size // 2, size)) + 1e-5 * rng.normal(size=len(waveform) + 600)
    window = np.hanning(size)
    excitation = _excitation(f0, hop, len(padded), rng)
    out = np.zeros(len(padded) + size)
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    coefficients = librosa.lpc(frames * window, order=order, axis=-1)
    for index, a in enumerate(coefficients):
        start = index * hop
        residual = lfilter(a, [1.0], frames[index] * window)
        source = excitation[start : start + size] * window
        gain = np.sqrt(np.sum(residual**2) / max(float(np.sum(source**2)), 1e-12))
        out[start : start + size] += lfilter([gain], a, source)
    return out[size // 2 : size // 2 + len(waveform)]


def _through_mel(
    waveform: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.float64], int, int]:
    n_fft = int(rng.choice([512, 1024, 1024, 2048]))
    hop, n_mels = n_fft // 4, int(rng.choice([40, 64, 80, 80, 100, 128]))
    magnitude = np.abs(librosa.stft(waveform, n_fft=n_fft, hop_length=hop))
    basis = librosa.filters.mel(
        sr=SAMPLE_RATE_HZ, n_fft=n_fft, n_mels=n_mels, fmax=float(rng.choice([7600, 8000]))
    )
    inverse = np.linalg.pinv(basis.astype(np.float64))
    return np.maximum(inverse @ (basis @ magnitude), 1e-7), n_fft, hop


def _excitation(
    f0: NDArray[np.float64], hop: int, n_samples: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    pitch = np.repeat(f0, hop)
    pitch = np.pad(pitch, (0, max(0, n_samples - len(pitch))))[:n_samples]
    turns = np.floor(np.cumsum(pitch / SAMPLE_RATE_HZ))
    pulses = np.diff(turns, prepend=0.0) > 0
    noise = rng.normal(0, 1, n_samples)
    voiced = pulses * np.sqrt(SAMPLE_RATE_HZ / np.maximum(pitch, 50.0))
    return np.asarray(np.where(pitch > 0, voiced + 0.1 * noise, noise))


def _pyworld() -> ModuleType:
    """The compiled half of pyworld: its ``__init__`` needs pkg_resources, gone from setuptools."""
    if "pyworld.pyworld" in sys.modules:
        return sys.modules["pyworld.pyworld"]
    package = importlib.util.find_spec("pyworld")
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError("pyworld is not installed: install the extra 'train'")
    folder = Path(package.submodule_search_locations[0])
    path = next(
        path
        for suffix in importlib.machinery.EXTENSION_SUFFIXES
        if (path := folder / f"pyworld{suffix}").is_file()
    )
    spec = importlib.util.spec_from_file_location("pyworld.pyworld", path)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"{path} cannot be loaded: reinstall pyworld")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules["pyworld.pyworld"] = module
    return module


VOCODERS: dict[str, Callable[[NDArray[np.float64], np.random.Generator], NDArray[np.float64]]] = {
    "world": world,
    "griffin_lim": griffin_lim,
    "mel_magnitude": mel_magnitude,
    "linear_prediction": linear_prediction,
}
