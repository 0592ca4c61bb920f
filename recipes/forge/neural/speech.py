"""Human speech that vocoders learn from, and the part of it that they never hear."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import librosa
import numpy as np
from numpy.typing import NDArray

from avdetect.channels.codecs import Waveform
from avdetect.channels.degrade import high_pass
from avdetect.timebase import SAMPLE_RATE_HZ
from eval.datasets import demo_voices
from eval.manifest.row import ManifestRow
from eval.protocol import read_protocol
from eval.shared_data import shared_root
from recipes.datasets.voices import clip_id, is_fake, read_waveform

LEVEL = 0.08  # root mean square of speech that the networks are fed with
_MOST_S = 6.0
_SILENCE_DB = 40.0
_UNSEEN_SHARE = 16  # one speaker in so many is kept for measuring


@dataclass(frozen=True, slots=True, kw_only=True)
class HumanSpeech:
    """Human clips of the folds that are not held out, by what they are for.

    Attributes:
        seen: (S,) float32 at 16 kHz and `LEVEL`, for training.
        unseen: the same, of other speakers and not sent through Opus, for measuring.
    """

    seen: list[Waveform]
    unseen: list[Waveform]


def human_rows(held_out_folds: Sequence[str]) -> list[ManifestRow]:
    """Human clips whose source stands in a fold of the protocol ``voice`` that is not held out."""
    folds = read_protocol("voice").folds
    sources = {s for fold, names in folds.items() if fold not in held_out_folds for s in names}
    rows = demo_voices.read(shared_root())
    return [row for row in rows if not is_fake(row) and row.source in sources]


def clean_speech(row: ManifestRow) -> Waveform:
    """A clip as `recipes.datasets.voices` keeps it as ``clean``: high-passed and trimmed."""
    raw = high_pass(read_waveform(row)[: int(_MOST_S * SAMPLE_RATE_HZ)])
    return np.asarray(librosa.effects.trim(raw, top_db=_SILENCE_DB)[0], np.float32)


def load_human_speech(held_out_folds: Sequence[str], cache: Path) -> HumanSpeech:
    """All human clips of the other folds, decoded once into ``cache``; raises where data lacks."""
    cache.mkdir(parents=True, exist_ok=True)
    seen: list[Waveform] = []
    unseen: list[Waveform] = []
    for row in human_rows(held_out_folds):
        if not is_unseen(row):
            seen.append(_cached(row, cache))
        elif row.quality != demo_voices.OPUS:
            unseen.append(_cached(row, cache))
    return HumanSpeech(seen=seen, unseen=unseen)


def is_unseen(row: ManifestRow) -> bool:
    """True for the speakers that no vocoder hears, drawn by a hash of their name."""
    return zlib.crc32(row.person.encode()) % _UNSEEN_SHARE == 0


def draw_crops(
    clips: Sequence[Waveform], shape: tuple[int, int], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Crops of clips drawn in proportion to their length, at up to 6 dB off their level.

    Args:
        clips: (S,) float32 each.
        shape: B crops of S samples; shorter clips are repeated.
        rng: draws clips, places and gains.

    Returns:
        (B, S) float32.
    """
    lengths = np.array([len(clip) for clip in clips], np.float64)
    crops = np.empty(shape, np.float32)
    for crop, index in zip(
        crops, rng.choice(len(clips), shape[0], p=lengths / lengths.sum()), strict=True
    ):
        clip = clips[index]
        start = int(rng.integers(0, max(1, len(clip) - shape[1] + 1)))
        crop[:] = np.resize(clip[start : start + shape[1]], shape[1])
        crop *= 10 ** (rng.uniform(-6, 6) / 20)
    return crops


def _cached(row: ManifestRow, cache: Path) -> Waveform:
    path = cache / f"{clip_id(row)}.npy"
    if not path.is_file():
        speech = clean_speech(row)
        level = float(np.sqrt(np.mean(speech**2)))
        partial = path.with_suffix(".part.npy")
        np.save(partial, (speech * LEVEL / max(level, 1e-6)).astype(np.float16))
        partial.replace(path)
    return np.asarray(np.load(path), np.float32)
