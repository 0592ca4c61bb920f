"""Hum under speech, cut at a random place and sent through real files: is the cut found there?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avdetect.channels.codecs import Waveform, through_codec
from avdetect.channels.histories import LINEAR
from avdetect.cues.base import CueCurve, Measurement
from avdetect.cues.hum import CUE
from avdetect.timebase import SAMPLE_RATE_HZ
from eval.cues.made.speech import read_by, sentences

NEAR_S = 0.2
_LENGTH_S = 10.0
_MARGIN_S = 2.0
_HARMONICS = 16
_PATHS = (LINEAR, "ulaw", "g722", "mp3_64", "aac_48", "opus_24", "amr_12.2")
_MOST = 25  # recordings a path: each is heard seven times cut and seven times whole


@dataclass(frozen=True, slots=True)
class HumCase:
    """One recording with hum.

    Attributes:
        waveform: (S,) float32 at 16 kHz.
        cut_s: where some of it was cut out, None of an uncut one.
    """

    waveform: Waveform
    cut_s: float | None


def make_case(speech: Waveform, rng: np.random.Generator, *, cut: bool) -> HumCase:
    """Hum of slightly wandering frequency 20 to 35 dB below speech; a random stretch cut out.

    Args:
        speech: (S,) float32 at 16 kHz, at least 13 s.
        rng: draws frequency, harmonics, level, place and length of what is cut out.
        cut: whether anything is cut out.
    """
    removed = int(rng.uniform(0.3, 3.0) * SAMPLE_RATE_HZ)
    at = int(rng.uniform(_MARGIN_S, _LENGTH_S - _MARGIN_S) * SAMPLE_RATE_HZ)
    length = int(_LENGTH_S * SAMPLE_RATE_HZ)
    hum = _hum(length + removed, rng)
    level = np.sqrt((speech**2).mean()) * 10 ** (-rng.uniform(20, 35) / 20)
    hiss = rng.normal(0, 0.1 * level, length + removed)
    sound = speech[: length + removed] + hum / np.sqrt((hum**2).mean()) * level + hiss
    if cut:
        sound = np.concatenate([sound[:at], sound[at + removed :]])
    whole = sound[:length].astype(np.float32)
    return HumCase(waveform=whole, cut_s=at / SAMPLE_RATE_HZ if cut else None)


def _hum(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Mains hum: odd harmonics louder, frequency a slow walk within some hundredths of Hz."""
    steps = rng.normal(0, 0.004, n // SAMPLE_RATE_HZ + 2).cumsum()
    wander = np.interp(np.arange(n) / SAMPLE_RATE_HZ, np.arange(len(steps)), steps)
    mains_hz = rng.choice([50.0, 60.0]) + rng.uniform(-0.08, 0.08) + wander
    phase = 2 * np.pi * np.cumsum(mains_hz) / SAMPLE_RATE_HZ
    hum = np.zeros(n)
    for harmonic in range(1, _HARMONICS + 1):
        strength = (1.0 if harmonic % 2 else 0.6) / harmonic**0.7 * rng.uniform(0.3, 1.0)
        hum += strength * np.sin(harmonic * phase + rng.uniform(0, 2 * np.pi))
    return hum


def measured(waveform: Waveform) -> tuple[Measurement, tuple[float, ...]]:
    """The cue's measurement, and the seconds at which it found a break."""
    reading = read_by(CUE, (waveform, SAMPLE_RATE_HZ))
    curves = [figure for figure in reading.figures() if isinstance(figure, CueCurve)]
    return reading.measurements()[0], curves[0].marks if curves else ()


def figures(n: int, seed: int) -> list[tuple[str, str]]:
    """Of ``n`` (at most 25) cut and as many uncut recordings by path: breaks found, and false."""
    n = min(n, _MOST)
    speeches = sentences("modern", _LENGTH_S + 3.1, n, np.random.default_rng([seed, 1]))
    found: list[tuple[str, str]] = []
    for path in _PATHS:
        heard = placed = false = silent = 0
        for number, speech in enumerate(speeches):
            for cut in (True, False):
                case = make_case(speech, np.random.default_rng([seed, 2, number]), cut=cut)
                sound = case.waveform if path == LINEAR else through_codec(case.waveform, path)
                measurement, breaks = measured(sound)
                heard += measurement.missing is None
                if case.cut_s is None:
                    false += bool(breaks)
                else:
                    placed += any(abs(at_s - case.cut_s) <= NEAR_S for at_s in breaks)
                    silent += not breaks
        found.append((f"hum heard, {path}", f"{heard} of {2 * n}"))
        found.append((f"phase break within {NEAR_S} s of the cut, {path}", f"{placed} of {n}"))
        found.append((f"cut not seen, {path}", f"{silent} of {n}"))
        found.append((f"break seen in an uncut recording, {path}", f"{false} of {n}"))
    return found
