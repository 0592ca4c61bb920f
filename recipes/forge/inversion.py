"""Speech drawn again from its mel spectrogram, under phases of several makes.

Text-to-speech systems without a neural vocoder end this way; the mel spectrogram is all they know.
"""

from __future__ import annotations

from functools import lru_cache

import librosa
import numpy as np
from numpy.typing import NDArray

from avdetect.timebase import SAMPLE_RATE_HZ
from recipes.forge.pitch import HOP, Samples, track_pitch

Spectra = NDArray[np.complex128]
_N_FFT = 1_024
_FLOOR = 1e-7
_PULSE = 1_024


def to_mel(magnitude: Samples, n_mels: int) -> Samples:
    """(F, T) magnitudes to (n_mels, T)."""
    forward, _ = _mel(2 * (len(magnitude) - 1), n_mels)
    return np.asarray(np.maximum(forward @ magnitude, _FLOOR), np.float64)


def from_mel(bands: Samples, n_fft: int) -> Samples:
    """(n_mels, T) bands to (n_fft / 2 + 1, T) magnitudes, by the pseudo-inverse."""
    _, inverse = _mel(n_fft, len(bands))
    return np.asarray(np.maximum(inverse @ bands, _FLOOR), np.float64)


def mel_smoothed(magnitude: Samples, n_mels: int) -> Samples:
    """(F, T) magnitudes as ``n_mels`` bands remember them."""
    return from_mel(to_mel(magnitude, n_mels), 2 * (len(magnitude) - 1))


def griffin_lim(waveform: Samples, rng: np.random.Generator) -> Samples:
    """Consistent phases by 20 to 48 rounds, plain (Griffin & Lim 1984) or with momentum."""
    n_fft = int(rng.choice([512, 1_024, 2_048]))
    hop = n_fft // int(rng.choice([2, 4, 4, 8]))
    drawn = librosa.griffinlim(
        _magnitude(waveform, n_fft, hop, rng),
        n_iter=int(rng.integers(20, 49)),
        momentum=float(rng.choice([0.0, 0.99])),
        hop_length=hop,
        length=len(waveform),
        random_state=int(rng.integers(2**31)),
    )
    return np.asarray(drawn, np.float64)


def random_phase(waveform: Samples, rng: np.random.Generator) -> Samples:
    """Phases of noise, made a little consistent by at most two rounds."""
    n_fft = int(rng.choice([512, 1_024]))
    hop = n_fft // 4
    drawn = librosa.griffinlim(
        _magnitude(waveform, n_fft, hop, rng),
        n_iter=int(rng.integers(1, 3)),
        momentum=0.0,
        hop_length=hop,
        length=len(waveform),
        random_state=int(rng.integers(2**31)),
    )
    return np.asarray(drawn, np.float64)


def single_pass(waveform: Samples, rng: np.random.Generator) -> Samples:
    """Phases that go on from frame to frame at each peak's frequency (SPSI, Beauregard 2015)."""
    hop = _N_FFT // int(rng.choice([4, 8]))
    magnitude = _magnitude(waveform, _N_FFT, hop, rng)
    phases = continued_phases(magnitude, hop)
    return _inverted(magnitude * np.exp(1j * phases), hop, len(waveform))


def jittered_phase(waveform: Samples, rng: np.random.Generator) -> Samples:
    """The true phases, disturbed: a vocoder that gets them about right."""
    hop = _N_FFT // 4
    spectra = librosa.stft(waveform, n_fft=_N_FFT, hop_length=hop)
    smooth = mel_smoothed(np.abs(spectra), int(rng.choice([64, 80, 100])))
    jitter = rng.normal(0.0, rng.uniform(0.3, 0.9), spectra.shape)
    # What a network smears in time it smears less at low frequencies.
    jitter *= np.linspace(0.2, 1.0, len(spectra))[:, None]
    return _inverted(smooth * np.exp(1j * (np.angle(spectra) + jitter)), hop, len(waveform))


def zero_phase_pulses(waveform: Samples, rng: np.random.Generator) -> Samples:
    """One symmetric pulse a period, shaped by the mel spectrum; noise where there is no pitch."""
    return _pulses(waveform, rng, minimum_phase=False)


def minimum_phase_pulses(waveform: Samples, rng: np.random.Generator) -> Samples:
    """The same with pulses that ring after their onset, as STRAIGHT and WORLD have them."""
    return _pulses(waveform, rng, minimum_phase=True)


def continued_phases(magnitude: Samples, hop: int) -> Samples:
    """(F, T) phases for (F, T) magnitudes: every bin follows the peak it belongs to."""
    n_bins, n_frames = magnitude.shape
    phases, phase = np.zeros((n_bins, n_frames)), np.zeros(n_bins)
    turn = 2 * np.pi * hop / (2 * (n_bins - 1))
    log_magnitude = np.log(magnitude)
    for frame in range(n_frames):
        here = log_magnitude[:, frame]
        inside = here[1:-1]
        peaks = 1 + np.flatnonzero((inside > here[:-2]) & (inside >= here[2:]))
        if len(peaks):
            left, top, right = here[peaks - 1], here[peaks], here[peaks + 1]
            exact = peaks + 0.5 * (left - right) / np.minimum(left - 2 * top + right, -1e-12)
            nearest = np.searchsorted((peaks[1:] + peaks[:-1]) / 2, np.arange(n_bins))
            phase = (phase[peaks] + turn * exact)[nearest] + np.pi * (np.arange(n_bins) % 2)
            phase -= (np.pi * (peaks % 2))[nearest]
        phases[:, frame] = phase
    return phases


def _pulses(waveform: Samples, rng: np.random.Generator, *, minimum_phase: bool) -> Samples:
    pitch = track_pitch(waveform)
    spectra = librosa.stft(waveform, n_fft=_PULSE, win_length=512, hop_length=HOP)
    magnitude = mel_smoothed(np.abs(spectra), int(rng.choice([24, 32, 40])))[:, : len(pitch)]
    # Voices turn to noise upwards.
    middle, hz = rng.uniform(3_500, 6_500), np.fft.rfftfreq(_PULSE, 1 / SAMPLE_RATE_HZ)
    periodic = (1 / (1 + np.exp((hz - middle) / 500)))[:, None] * (pitch > 0)
    noise = librosa.stft(
        rng.normal(size=len(waveform)), n_fft=_PULSE, win_length=512, hop_length=HOP
    )
    noise = noise[:, : len(pitch)] / np.sqrt(np.mean(np.abs(noise) ** 2))
    out = _inverted(magnitude * np.sqrt(1 - periodic) * noise, HOP, len(waveform), 512)
    places = _pulse_places(pitch)
    places = places[places < len(waveform)]  # the last frame of pitch hangs over the end
    frames = np.minimum(places // HOP, len(pitch) - 1)
    # A pulse every P samples has as much power as noise when it is sqrt(P) times as strong.
    strength = np.sqrt(
        SAMPLE_RATE_HZ / np.maximum(pitch[frames], 1.0) / np.sum(np.hanning(512) ** 2)
    )
    shaped = (magnitude * np.sqrt(periodic))[:, frames] * strength
    responses, lead = _responses(shaped, minimum_phase=minimum_phase)
    voiced = np.zeros(len(waveform) + 2 * _PULSE)
    for place, response in zip((places + _PULSE - lead).tolist(), responses, strict=True):
        voiced[place : place + _PULSE] += response
    return out + voiced[_PULSE : _PULSE + len(waveform)]


def _pulse_places(pitch_hz: Samples) -> NDArray[np.int64]:
    """Sample indices at which another period is full."""
    turns = np.cumsum(np.repeat(pitch_hz, HOP) / SAMPLE_RATE_HZ)
    return np.flatnonzero(np.diff(np.floor(turns), prepend=0.0) > 0)


def _responses(magnitude: Samples, *, minimum_phase: bool) -> tuple[Samples, int]:
    """(N, 1024) impulse responses of (513, N) magnitudes, and where in them the pulse is."""
    if not minimum_phase:
        return np.fft.fftshift(np.fft.irfft(magnitude.T), axes=1), _PULSE // 2
    cepstrum = np.fft.irfft(np.log(np.maximum(magnitude.T, _FLOOR)))
    cepstrum[:, 1 : _PULSE // 2] *= 2
    cepstrum[:, _PULSE // 2 + 1 :] = 0.0
    return np.fft.irfft(np.exp(np.fft.rfft(cepstrum))), 0


def _magnitude(waveform: Samples, n_fft: int, hop: int, rng: np.random.Generator) -> Samples:
    magnitude = np.abs(librosa.stft(waveform, n_fft=n_fft, hop_length=hop))
    n_mels = int(rng.choice([40, 64, 80, 100]))
    return mel_smoothed(magnitude, min(n_mels, n_fft * 80 // 512))  # more would be empty


def _inverted(spectra: Spectra, hop: int, n_samples: int, win_length: int | None = None) -> Samples:
    drawn = librosa.istft(spectra, hop_length=hop, win_length=win_length, length=n_samples)
    return np.asarray(drawn, np.float64)


@lru_cache(maxsize=32)
def _mel(n_fft: int, n_mels: int) -> tuple[Samples, Samples]:
    basis = librosa.filters.mel(sr=SAMPLE_RATE_HZ, n_fft=n_fft, n_mels=n_mels)
    return basis.astype(np.float64), np.linalg.pinv(basis.astype(np.float64))
