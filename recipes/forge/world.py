"""WORLD (Morise 2016) as a forger: analysed, changed, synthesised.

`recipes.forge.voices.world` is the plain copy. Raises ModuleNotFoundError where pyworld is not
installed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter1d, median_filter

from avdetect.timebase import SAMPLE_RATE_HZ
from recipes.forge.pitch import Samples
from recipes.forge.voices import _pyworld as load_pyworld

_FRAME_MS = 5.0
_N_FFT = 1_024


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """What WORLD knows of an utterance, every 5 ms.

    Attributes:
        pitch_hz: (T,) 0 where unvoiced.
        envelope: (T, 513) power spectra.
        aperiodicity: (T, 513) share of noise in amplitude, 0..1.
    """

    pitch_hz: Samples
    envelope: Samples
    aperiodicity: Samples


def analyse(waveform: Samples) -> Speech:
    """(S,) float64 at 16 kHz to its parameters."""
    world = load_pyworld()
    pitch, times = world.dio(waveform, SAMPLE_RATE_HZ, frame_period=_FRAME_MS)
    pitch = world.stonemask(waveform, pitch, times, SAMPLE_RATE_HZ)
    return Speech(
        pitch_hz=pitch,
        envelope=world.cheaptrick(waveform, pitch, times, SAMPLE_RATE_HZ, fft_size=_N_FFT),
        aperiodicity=world.d4c(waveform, pitch, times, SAMPLE_RATE_HZ, fft_size=_N_FFT),
    )


def synthesise(speech: Speech) -> Samples:
    """Parameters to (S',) float64; S' is whole frames."""
    drawn = load_pyworld().synthesize(
        *(np.ascontiguousarray(x) for x in (speech.pitch_hz, speech.envelope, speech.aperiodicity)),
        SAMPLE_RATE_HZ,
        _FRAME_MS,
    )
    return np.asarray(drawn, np.float64)


def periodic(waveform: Samples, rng: np.random.Generator) -> Samples:
    """Next to no noise in voiced speech: the buzz of the first statistical synthesisers."""
    speech = analyse(waveform)
    voiced = (speech.pitch_hz > 0)[:, None]
    quieter = np.clip(speech.aperiodicity * rng.uniform(0.0, 0.5), 1e-3, 1.0)
    return synthesise(replace(speech, aperiodicity=np.where(voiced, quieter, speech.aperiodicity)))


def coarse(waveform: Samples, rng: np.random.Generator) -> Samples:
    """Envelopes of 12 to 24 cepstra, smoothed over 10 to 40 ms: averages, as models learn them."""
    world, speech = load_pyworld(), analyse(waveform)
    coded = world.code_spectral_envelope(speech.envelope, SAMPLE_RATE_HZ, int(rng.integers(12, 25)))
    smooth = gaussian_filter1d(coded, rng.uniform(1, 4), axis=0, mode="nearest")
    envelope = world.decode_spectral_envelope(np.ascontiguousarray(smooth), SAMPLE_RATE_HZ, _N_FFT)
    return synthesise(replace(speech, envelope=envelope))


def smooth_pitch(waveform: Samples, rng: np.random.Generator) -> Samples:
    """Intonation without jitter, wider or flatter."""
    speech = analyse(waveform)
    voiced = speech.pitch_hz > 0
    if not voiced.any():
        return synthesise(speech)
    frames = np.arange(len(voiced))
    contour = np.interp(frames, frames[voiced], np.log(speech.pitch_hz[voiced]))
    contour = gaussian_filter1d(median_filter(contour, 5), rng.uniform(3, 12), mode="nearest")
    mean = float(contour[voiced].mean())
    pitch = np.exp(mean + rng.uniform(0.0, 1.3) * (contour - mean))
    return synthesise(replace(speech, pitch_hz=np.where(voiced, pitch, 0.0)))


def warped(waveform: Samples, rng: np.random.Generator) -> Samples:
    """Another speaker: formants moved by 5 to 18 %, pitch by up to five semitones."""
    speech, factor = analyse(waveform), float(1 + rng.uniform(0.05, 0.18))
    factor = factor if rng.random() < 0.5 else 1 / factor
    bins = np.arange(speech.envelope.shape[1])
    read = np.clip(bins / factor, 0, bins[-1])
    lower = np.minimum(read.astype(np.int64), bins[-1] - 1)
    share = read - lower

    def moved(spectra: Samples) -> Samples:
        return np.asarray((1 - share) * spectra[:, lower] + share * spectra[:, lower + 1])

    return synthesise(
        Speech(
            pitch_hz=speech.pitch_hz * 2 ** (rng.uniform(-5, 5) / 12),
            envelope=np.exp(moved(np.log(speech.envelope))),
            aperiodicity=np.clip(moved(speech.aperiodicity), 1e-3, 1.0),
        )
    )
