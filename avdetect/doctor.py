"""What is installed, whether the models are whole, and one timed verdict on a sound made here."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import numpy as np
from numpy.typing import NDArray

from avdetect.checkpoint import list_checkpoints, models_dir, read_bundle, verify_checkpoint
from avdetect.errors import AvdetectError
from avdetect.timebase import SAMPLE_RATE_HZ

PACKAGES = (
    "avdetect",
    "torch",
    "torchaudio",
    "transformers",
    "speechbrain",
    "librosa",
    "av",
    "mediapipe",
    "opencv-contrib-python-headless",
    "silero-vad",
    "safetensors",
    "numpy",
    "pydantic",
)
_SELF_TEST_S = 8.0
_SYLLABLES_PER_S = 4.5
_VOICE_HZ = 110.0
# First three formants in Hz of five vowels of adult men (Peterson & Barney 1952).
_FORMANTS_HZ = np.array(
    [
        (730.0, 1090.0, 2440.0),
        (270.0, 2290.0, 3010.0),
        (300.0, 870.0, 2240.0),
        (530.0, 1840.0, 2480.0),
        (570.0, 840.0, 2410.0),
    ]
)
_FORMANT_WIDTHS_HZ = (90.0, 120.0, 160.0)
_FORMANT_LEVELS = (1.0, 0.5, 0.25)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of the doctor: what was looked at, whether it is well, and what was found."""

    subject: str
    well: bool
    finding: str


def check_installation(model: str = "default") -> Iterator[Check]:
    """Look at all that a verdict needs, cheapest first; a problem is a Check, not an error."""
    yield Check(
        subject="system",
        well=True,
        finding=f"Python {platform.python_version()}, {platform.platform(terse=True)}",
    )
    yield from (_check_package(name) for name in PACKAGES)
    yield _check_device()
    yield from _check_models(model)
    yield from _self_test(model)


def babble(seconds: float, seed: int = 2) -> NDArray[np.float32]:
    """Speech-like sound without words: (S,) float32 in [-1, 1] at 16 kHz.

    Harmonics of a wavering voice under moving vowel formants, four and a half syllables a second:
    enough like speech for a voice activity detector to call it so.
    """
    rng = np.random.default_rng(seed)
    time_s = np.arange(int(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    waver = 0.12 * np.sin(2 * np.pi * 0.45 * time_s) + 0.03 * np.sin(2 * np.pi * 2.7 * time_s)
    pitch_hz = _VOICE_HZ * (1 + waver)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / SAMPLE_RATE_HZ
    syllable, within = np.divmod(time_s * _SYLLABLES_PER_S, 1.0)
    voice = np.zeros_like(time_s)
    formants_hz = _formant_tracks(syllable.astype(int), within, rng)
    for harmonic in range(1, 35):
        gain = _vowel_gain(harmonic * pitch_hz, formants_hz)
        voice += gain * np.sin(harmonic * phase)
    loudness = 1 - 0.9 * np.cos(np.pi * within) ** 8
    voice = voice / np.abs(voice).max() * loudness + 0.01 * rng.normal(size=time_s.size)
    return np.asarray(0.4 * voice / np.abs(voice).max(), np.float32)


def _formant_tracks(
    syllable: NDArray[np.int_], within: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    order = rng.integers(0, len(_FORMANTS_HZ), int(syllable.max()) + 2)
    glide = np.clip((within - 0.6) / 0.4, 0, 1)[:, None]
    here, there = _FORMANTS_HZ[order[syllable]], _FORMANTS_HZ[order[syllable + 1]]
    return np.asarray(here * (1 - glide) + there * glide)


def _vowel_gain(
    frequency_hz: NDArray[np.float64], formants_hz: NDArray[np.float64]
) -> NDArray[np.float64]:
    resonances = [
        level / (1 + ((frequency_hz - formants_hz[:, index]) / width_hz) ** 2)
        for index, (level, width_hz) in enumerate(
            zip(_FORMANT_LEVELS, _FORMANT_WIDTHS_HZ, strict=True)
        )
    ]
    return np.asarray(np.sum(resonances, axis=0))


def _check_package(name: str) -> Check:
    try:
        return Check(subject=name, well=True, finding=version(name))
    except PackageNotFoundError:
        return Check(subject=name, well=False, finding="not installed; run make env")


def _check_device() -> Check:
    import torch

    finding = f"CPU, {torch.get_num_threads()} threads of {os.cpu_count()} cores"
    if torch.cuda.is_available():
        finding = f"CUDA: {torch.cuda.get_device_name()}; {finding}"
    return Check(subject="device", well=True, finding=finding)


def _check_models(model: str) -> Iterator[Check]:
    try:
        roles = read_bundle(model).checkpoints
        yield Check(subject="models", well=bool(roles), finding=f"{models_dir()}, bundle {model}")
        names = sorted({*roles.values(), *list_checkpoints()})
    except AvdetectError as error:
        yield Check(subject="models", well=False, finding=str(error))
        return
    for name in names:
        try:
            finding = f"sha256 {verify_checkpoint(name)[:16]} as its card says"
            yield Check(subject=name, well=True, finding=finding)
        except AvdetectError as error:
            yield Check(subject=name, well=False, finding=str(error))


def _self_test(model: str) -> Iterator[Check]:
    from avdetect.detector import Detector

    start = time.perf_counter()
    try:
        detector = Detector.load(model)
    except AvdetectError as error:
        yield Check(subject="load", well=False, finding=str(error))
        return
    loaded = time.perf_counter()
    yield Check(
        subject="load", well=True, finding=f"on {detector.device} in {loaded - start:.1f} s"
    )
    sound = (babble(_SELF_TEST_S), SAMPLE_RATE_HZ)
    first, again = (detector.scan(sound, name="self-test") for _ in range(2))
    seconds = (time.perf_counter() - loaded) / 2
    if first.error is not None:
        yield Check(subject="self-test", well=False, finding=first.error.message)
        return
    speech_s = first.quality.speech_s or 0.0
    same = first.to_json() == again.to_json()
    yield Check(
        subject="self-test",
        well=same and speech_s > 0,
        finding=f"{_SELF_TEST_S:.0f} s of sound judged in {seconds:.1f} s, "
        f"{speech_s:.1f} s of speech found, {'the same' if same else 'NOT the same'} when repeated",
    )
