"""What rooms, lines and gains do to a waveform; each keeps its length and its clock."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, sosfiltfilt

from avdetect.channels.codecs import Waveform, fit_length, resample
from avdetect.timebase import SAMPLE_RATE_HZ

_NARROW_HZ = 8_000
_SOUND_M_S = 343.0
_SHORTEST_MIRRORED = 32


def narrow_band(waveform: Waveform) -> Waveform:
    """Through an 8 kHz line and back: nothing above 4 kHz is left."""
    narrow = resample(waveform, SAMPLE_RATE_HZ, _NARROW_HZ)
    return fit_length(resample(narrow, _NARROW_HZ, SAMPLE_RATE_HZ), len(waveform))


def telephone_band(waveform: Waveform) -> Waveform:
    """Band pass 300-3400 Hz, as analogue telephone lines have it (ITU-T G.712), zero phase."""
    return band_pass(waveform, 300.0, 3_400.0, order=3)


def band_pass(waveform: Waveform, low_hz: float, high_hz: float, *, order: int) -> Waveform:
    """Zero-phase Butterworth band pass, -6 dB at both edges, each of twice ``order``."""
    sos = butter(order, (low_hz, high_hz), "bandpass", fs=SAMPLE_RATE_HZ, output="sos")
    return _zero_phase(sos, waveform)


def high_pass(waveform: Waveform, cutoff_hz: float = 80.0) -> Waveform:
    """Zero-phase fourth-order high-pass: hum and rumble tell rooms apart, not forgeries."""
    sos = butter(2, cutoff_hz, "highpass", fs=SAMPLE_RATE_HZ, output="sos")
    return _zero_phase(sos, waveform)


def scale_gain(waveform: Waveform, gain_db: float) -> Waveform:
    """Louder or softer by ``gain_db``; no clipping."""
    return (waveform * 10 ** (gain_db / 20)).astype(np.float32)


def clip_peaks(waveform: Waveform, share: float) -> Waveform:
    """Clip so that about ``share`` of the samples (0..1) stand at the rail."""
    rail = float(np.quantile(np.abs(waveform), 1.0 - share)) if len(waveform) else 0.0
    return np.clip(waveform, -rail, rail).astype(np.float32) if rail > 0 else waveform


def add_noise(
    waveform: Waveform, snr_db: float, colour: float, rng: np.random.Generator
) -> Waveform:
    """Add noise with power falling as f^-colour (0 white, 1 pink, 2 brown) at ``snr_db``."""
    spectrum = np.fft.rfft(rng.normal(size=max(len(waveform), 2)))
    frequency = np.fft.rfftfreq(max(len(waveform), 2), 1 / SAMPLE_RATE_HZ)
    shaped = spectrum / np.maximum(frequency, 50.0) ** (colour / 2)
    noise = np.fft.irfft(shaped, max(len(waveform), 2))[: len(waveform)]
    return mix(waveform, noise, snr_db)


def mix(waveform: Waveform, noise: NDArray[np.floating], snr_db: float) -> Waveform:
    """Add (S,) ``noise``, scaled to lie ``snr_db`` below the waveform, both over the clip."""
    return (waveform + noise * rms(waveform) * 10 ** (-snr_db / 20) / rms(noise)).astype(np.float32)


def rms(waveform: NDArray[np.floating]) -> float:
    """Root mean square level, never 0: a level can be divided by."""
    return max(float(np.sqrt(np.mean(np.square(waveform, dtype=np.float64)))), 1e-9)


def reverberate(
    waveform: Waveform, t60_s: float, distance_m: float, rng: np.random.Generator
) -> Waveform:
    """A small room: direct sound, then exponentially decaying noise (Polack 1988).

    The direct sound stays at its place; the tail that would run past the end is cut. The level is
    kept.

    Args:
        waveform: (S,) float32 at 16 kHz.
        t60_s: time in which the tail falls by 60 dB.
        distance_m: mouth to microphone; farther means more tail.
        rng: draws the tail.
    """
    n = int(t60_s * SAMPLE_RATE_HZ)
    time_s = np.arange(n) / SAMPLE_RATE_HZ
    tail = rng.normal(size=n) * np.exp(-6.9 * time_s / t60_s)
    tail[: int(SAMPLE_RATE_HZ * distance_m / _SOUND_M_S) + 1] = 0.0
    tail *= 0.3 * distance_m / max(float(np.sqrt(np.sum(tail**2))), 1e-9)
    tail[0] = 1.0
    out = fftconvolve(waveform, tail)[: len(waveform)]
    return np.asarray(out * rms(waveform) / rms(out), np.float32)


def lose_packets(
    waveform: Waveform, loss: float, burst: float, rng: np.random.Generator
) -> Waveform:
    """Lose 20 ms packets in bursts and repeat the packet before, ever softer.

    The plainest concealment there is; that of ITU-T G.711 Appendix I is `concealment.conceal`.

    Args:
        waveform: (S,) float32 at 16 kHz.
        loss: share of packets lost, 0..1.
        burst: mean number of packets lost in a row, >= 1.
        rng: draws the losses (a two-state Gilbert model).
    """
    size, out, gone, run = SAMPLE_RATE_HZ // 50, waveform.copy(), False, 0
    enter = min(1.0, loss / max(1.0 - loss, 1e-6) / burst)
    for start in range(size, len(out), size):
        gone = rng.random() < (1.0 - 1.0 / burst if gone else enter)
        run = run + 1 if gone else 0
        if gone:
            piece = out[start : start + size]
            out[start : start + size] = out[start - size : start][: len(piece)] * (
                0.7 if run < 4 else 0.0
            )
    return out


def _zero_phase(sos: NDArray[np.float64], waveform: Waveform) -> Waveform:
    # A clip of a few samples cannot be mirrored at its ends.
    padding = "odd" if len(waveform) > _SHORTEST_MIRRORED else None
    return np.asarray(sosfiltfilt(sos, waveform, padtype=padding), np.float32)
