"""Speech of the data folder for files made in code, and files as a cue sees them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from avdetect.channels.codecs import Waveform
from avdetect.cues.base import ClipFacts, Cue, CueTools, Reading
from avdetect.media.clip import AudioChunk, open_clip
from avdetect.media.source import SourceLike
from avdetect.observation import Observation
from avdetect.observe import observe
from avdetect.timebase import SAMPLE_RATE_HZ
from eval.datasets.demo_voices import read
from eval.manifest.row import ManifestRow
from eval.shared_data import shared_root

# LibriSpeech was published as MP3 before it was FLAC, and extra.csv is Opus.
_ONCE_MP3 = "resemble-ai/Resemblyzer"


def untouched_clips(table: str, least_s: float) -> list[ManifestRow]:
    """Clips of ``train`` or ``modern`` that were never coded with loss, as far as is known."""
    return [
        row
        for row in read(shared_root())
        if row.id.startswith(f"{table}/")
        and row.codec.startswith(("wav", "flac"))
        and row.source != _ONCE_MP3
        and (row.duration_s or 0.0) >= least_s
    ]


def hear(source: SourceLike | Path) -> Waveform:
    """(S,) float32 at 16 kHz: the first channel, as the engine reads it.

    Raises:
        InputError: it cannot be decoded.
    """
    with open_clip(source) as clip:
        chunks = [c for c in clip.chunks(want_video=False) if isinstance(c, AudioChunk)]
    return np.concatenate([chunk.waveform[0] for chunk in chunks])


def sentences(table: str, length_s: float, n: int, rng: np.random.Generator) -> list[Waveform]:
    """``n`` stretches of speech, each of some clips one behind the other at a common level."""
    rows = untouched_clips(table, 2.0)
    size = round(length_s * SAMPLE_RATE_HZ)
    found: list[Waveform] = []
    for _ in range(n):
        parts: list[Waveform] = []
        while sum(len(part) for part in parts) < size:
            sound = hear(shared_root() / rows[int(rng.integers(len(rows)))].path)
            parts.append(0.05 * sound / max(float(np.sqrt((sound**2).mean())), 1e-6))
        found.append(np.clip(np.concatenate(parts)[:size], -1, 1).astype(np.float32))
    return found


def seen(source: SourceLike) -> tuple[ClipFacts, Sequence[Observation]]:
    """A file as cues see it.

    Args:
        source: a path, bytes, or (samples, rate_hz).
    """
    with open_clip(source) as clip:
        return ClipFacts.of(clip), list(observe(clip, pictures=False))


def read_by(cue: Cue, source: SourceLike) -> Reading:
    """What a cue made of a file."""
    facts, observations = seen(source)
    reading = cue.start(facts, CueTools())
    for observation in observations:
        reading.add(observation, {})
    return reading
