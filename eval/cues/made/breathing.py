"""Breaths put into the pauses of a voice, through a codec: how many are counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from avdetect.channels.codecs import through_codec
from avdetect.cues.base import ClipFacts, CueCurve, CueTools
from avdetect.cues.breathing import CUE
from avdetect.media.clip import AudioChunk, open_clip
from avdetect.observe import observe
from avdetect.timebase import SAMPLE_RATE_HZ

_CALL = Path(__file__).resolve().parents[3] / "samples" / "call_synthetic.wav"
_VOICE = (3.4, 7.3)  # seconds of its left channel that are one breath group after another
_FLOOR_DB = -62.0  # of the room, against full scale
_BREATH_DB = (-30.0, -18.0)  # against speech (Ruinskiy & Lavner 2007)
_NEAR_S = 0.15
_MOST_CASES = 30  # each is twenty seconds of sound
_BAND = butter(2, [700.0, 5000.0], "bandpass", fs=SAMPLE_RATE_HZ, output="sos")
_CODECS = ("opus_24", "aac_48", "ulaw")

Sound = NDArray[np.float64]


def figures(n: int, seed: int) -> list[tuple[str, str]]:
    """Share of the breaths that are found, and how often one is heard where none was put."""
    n = min(n, _MOST_CASES)
    found, put, false, empty = 0, 0, 0, 0
    for case in range(n):
        rng = np.random.default_rng((seed, case))
        sound, breaths, n_pauses = breathing_voice(rng)
        marks = heard(sound, _CODECS[case % len(_CODECS)])
        hits = sum(any(abs(mark - at) < _NEAR_S for mark in marks) for at in breaths)
        found, put = found + hits, put + len(breaths)
        false, empty = false + len(marks) - hits, empty + n_pauses - len(breaths)
    return [
        (f"breaths found after {', '.join(_CODECS)}", f"{found} of {put}, {n} voices"),
        ("pauses without a breath in which one was heard", f"{false} of {empty}"),
    ]


def breathing_voice(rng: np.random.Generator) -> tuple[Sound, list[float], int]:
    """A synthetic voice in six stretches, with a breath in about half of the pauses.

    Returns:
        (S,) samples at 16 kHz, when each breath begins in seconds, and how many pauses there are.
    """
    voice = _voice()
    speech_db = 10.0 * np.log10(float((voice**2).mean()))
    parts: list[Sound] = [np.zeros(SAMPLE_RATE_HZ // 2)]
    breaths: list[float] = []
    n_stretches = 6
    for index in range(n_stretches):
        parts.append(_faded(voice[: round(rng.uniform(1.5, 3.5) * SAMPLE_RATE_HZ)]))
        if index == n_stretches - 1:
            break
        pause = np.zeros(round(rng.uniform(0.7, 1.1) * SAMPLE_RATE_HZ))
        if rng.random() < 0.5:
            start = round(0.2 * SAMPLE_RATE_HZ)
            air = _air(rng, speech_db + rng.uniform(*_BREATH_DB))
            breaths.append((sum(map(len, parts)) + start) / SAMPLE_RATE_HZ)
            pause[start : start + len(air)] += air
        parts.append(pause)
    sound = np.concatenate([*parts, np.zeros(SAMPLE_RATE_HZ // 2)])
    room = 10.0 ** (_FLOOR_DB / 20.0) * rng.standard_normal(len(sound))
    return sound + room, breaths, n_stretches - 1


def heard(sound: Sound, codec: str) -> tuple[float, ...]:
    """Seconds at which the cue hears breaths in a sound that has been through a codec."""
    coded = through_codec(sound.astype(np.float32), codec)
    reading = CUE.start(ClipFacts(), CueTools())
    with open_clip((coded, SAMPLE_RATE_HZ)) as clip:
        for observation in observe(clip):
            reading.add(observation, {})
    curves = reading.figures()
    return curves[0].marks if curves and isinstance(curves[0], CueCurve) else ()


def _voice() -> Sound:
    with open_clip(str(_CALL)) as clip:
        chunks = [each.waveform[0] for each in clip.chunks() if isinstance(each, AudioChunk)]
    first, end = (round(moment * SAMPLE_RATE_HZ) for moment in _VOICE)
    return np.concatenate(chunks)[first:end].astype(np.float64)


def _faded(voice: Sound) -> Sound:
    """With 20 ms to begin and to end in, so that no click is heard."""
    n = SAMPLE_RATE_HZ // 50
    faded = voice.copy()
    faded[:n] *= np.linspace(0.0, 1.0, n)
    faded[-n:] *= np.linspace(1.0, 0.0, n)
    return faded


def _air(rng: np.random.Generator, level_db: float) -> Sound:
    """A quarter to half a second of noise as the mouth colours it, swelling and ebbing."""
    n = round(rng.uniform(0.25, 0.5) * SAMPLE_RATE_HZ)
    noise = np.asarray(sosfilt(_BAND, rng.standard_normal(n))) * np.hanning(n) ** 0.5
    return np.asarray(noise * 10.0 ** (level_db / 20.0) / np.sqrt((noise**2).mean()))
