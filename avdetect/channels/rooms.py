"""Small rooms: mirror images for what comes early, decaying noise for what comes late."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, sosfilt

from avdetect.channels.codecs import Waveform
from avdetect.channels.degrade import rms
from avdetect.timebase import SAMPLE_RATE_HZ

_SOUND_M_S = 343.0
_EARLY_S = 0.08  # beyond it echoes lie so dense that noise cannot be told from images
_SMALLEST_M, _LARGEST_M = np.array([3.0, 2.5, 2.3]), np.array([6.0, 5.0, 3.0])
_FROM_WALL_M = 0.3
_FARTHEST_M = 4.0


def room_response(t60_s: float, distance_m: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Impulse response from a mouth to a microphone in a shoebox room of drawn size.

    The first 80 ms are image sources, rounded to the nearest sample and high-passed (Allen &
    Berkley 1979); the walls absorb alike, as reverberation time asks (Eyring 1930). What follows
    is exponentially decaying Gaussian noise (Polack 1988) of the power that the images would have,
    as in Lehmann & Johansson (2010).

    Args:
        t60_s: time in which the sound falls by 60 dB.
        distance_m: mouth to microphone, up to 4 m.
        rng: draws the size of the room and both places.

    Returns:
        (ceil(t60_s * 16000),) at 16 kHz; the direct sound is 1 at sample 0.

    Raises:
        ValueError: farther than 4 m.
    """
    size, mouth, microphone = _place(distance_m, rng)
    length = int(np.ceil(max(t60_s, _EARLY_S) * SAMPLE_RATE_HZ))
    volume = float(np.prod(size))
    walls = 2 * float(size[0] * size[1] + size[1] * size[2] + size[0] * size[2])
    reflected = np.exp(-0.5 * 0.161 * volume / walls / t60_s)
    response = _images(size, mouth, microphone, float(reflected), length)
    # Density of images 4 pi c^3 t^2 / V times power 1 / (c t)^2 of each.
    time_s = np.arange(length) / SAMPLE_RATE_HZ + distance_m / _SOUND_M_S
    power = 4 * np.pi * _SOUND_M_S / volume / SAMPLE_RATE_HZ * 10 ** (-6 * time_s / t60_s)
    late = np.arange(length) >= _EARLY_S * SAMPLE_RATE_HZ
    response += late * rng.normal(size=length) * np.sqrt(power)
    # All images push the same way: without it a room would boom below 80 Hz.
    sos = butter(2, 80.0, "highpass", fs=SAMPLE_RATE_HZ, output="sos")
    filtered = sosfilt(sos, response)
    return np.asarray(filtered / filtered[0], np.float64)


def in_room(
    waveform: Waveform, t60_s: float, distance_m: float, rng: np.random.Generator
) -> Waveform:
    """(S,) float32 at 16 kHz as heard in a room; level and clock of the direct sound are kept."""
    heard = fftconvolve(waveform, room_response(t60_s, distance_m, rng))[: len(waveform)]
    return np.asarray(heard * rms(waveform) / rms(heard), np.float32)


def _place(
    distance_m: float, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    if distance_m > _FARTHEST_M:
        raise ValueError(f"distance_m is {distance_m}: small rooms end at {_FARTHEST_M} m")
    while True:
        size = rng.uniform(_SMALLEST_M, _LARGEST_M)
        mouth = rng.uniform(_FROM_WALL_M, size - _FROM_WALL_M)
        way = rng.normal(size=3) * (1.0, 1.0, 0.3)  # mouths and microphones are about level
        microphone = mouth + distance_m * way / np.linalg.norm(way)
        if np.all((microphone > _FROM_WALL_M) & (microphone < size - _FROM_WALL_M)):
            return size, mouth, microphone


def _images(
    size: NDArray[np.float64],
    mouth: NDArray[np.float64],
    microphone: NDArray[np.float64],
    reflected: float,
    length: int,
) -> NDArray[np.float64]:
    direct_m = float(np.linalg.norm(mouth - microphone))
    n = int(np.ceil((_EARLY_S * _SOUND_M_S + direct_m) / (2 * size.min()))) + 1
    along = np.arange(-n, n + 1)
    # Along one axis the images stand at 2 n L + x after |2 n| echoes and at 2 n L - x after |2n-1|.
    echoes = np.concatenate([np.abs(2 * along), np.abs(2 * along - 1)])
    squares = []
    for axis in range(3):
        shift = 2 * along * size[axis] - microphone[axis]
        squares.append(np.concatenate([shift + mouth[axis], shift - mouth[axis]]) ** 2)
    x, y, z = squares
    distance_m = np.sqrt(x[:, None, None] + y[None, :, None] + z[None, None, :]).ravel()
    n_echoes = (echoes[:, None, None] + echoes[None, :, None] + echoes[None, None, :]).ravel()
    sample = np.rint((distance_m - direct_m) / _SOUND_M_S * SAMPLE_RATE_HZ).astype(np.int64)
    heard = sample < min(length, int(_EARLY_S * SAMPLE_RATE_HZ))
    strength = reflected ** n_echoes[heard] / distance_m[heard]
    return np.bincount(sample[heard], strength, minlength=length).astype(np.float64)
