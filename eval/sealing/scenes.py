"""Recordings to be sealed and edited, made from real clips: sound alone, picture alone, both."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from avdetect.media.clip import AudioChunk, open_clip
from eval.errors import ManifestError
from eval.shared_data import read_rows, shared_path

RATE_HZ = 16_000
FPS = 25
MOST_S = 20.0
_LEAST_S = 6.0

Samples = NDArray[np.float32]
Frames = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Scene:
    """One recording as samples and pictures.

    Attributes:
        name: of the scene.
        source: the repository its clips are from; scenes of one source are never split.
        samples: (S,) float32 at 16 kHz, or None.
        frames: (T, H, W, 3) uint8 at 25 fps, or None.
    """

    name: str
    source: str
    samples: Samples | None
    frames: Frames | None

    @property
    def duration_s(self) -> float:
        """Seconds."""
        if self.frames is not None:
            return len(self.frames) / FPS
        return 0.0 if self.samples is None else len(self.samples) / RATE_HZ


def in_half(source: str, half: str) -> bool:
    """Whether a source belongs to the half on which thresholds were chosen, or to the other."""
    return ("test", "dev")[zlib.crc32(source.encode()) % 2] == half


def talking_scenes(half: str, most: int) -> list[Scene]:
    """Up to ``most`` scenes of one person each, with sound and picture.

    Raises:
        DataNotFoundError: the data is not there.
    """
    rows = [
        row
        for row in read_rows("data/video/clips.csv")
        if row["label"] == "real"
        and row["has_audio"] == "yes"
        and in_half(row["source_repo"], half)
    ]
    root = shared_path("data/video")
    scenes = []
    for identity, group in _grouped(rows, "identity", "duration_s"):
        parts = [
            (read_frames(root / r["file"]), read_samples(root / r["audio_file"])) for r in group
        ]
        parts = [(f, s) for f, s in parts if f.shape[1:3] == parts[0][0].shape[1:3]]
        frames = np.concatenate([f for f, _ in parts])
        samples = np.concatenate([_fit(s, len(f)) for f, s in parts])
        scenes.append(Scene(identity, group[0]["source_repo"], samples, frames))
        if len(scenes) == most:
            break
    return _required(scenes)


def spoken_scenes(half: str, most: int) -> list[Scene]:
    """Up to ``most`` scenes of one speaker each, sound alone.

    Raises:
        DataNotFoundError: the data is not there.
    """
    rows = [
        row
        for row in read_rows("data/audio/train.csv")
        if row["label"] == "bonafide" and in_half(row["source_repo"], half)
    ]
    root = shared_path("data/audio")
    scenes = []
    for speaker, group in _grouped(rows, "speaker", "duration_s"):
        samples = np.concatenate([read_samples(root / row["file"]) for row in group])
        scenes.append(Scene(speaker, group[0]["source_repo"], samples, None))
        if len(scenes) == most:
            break
    return _required(scenes)


def silent_copy(scene: Scene) -> Scene:
    """The same pictures without their sound."""
    return Scene(f"{scene.name} (silent)", scene.source, None, scene.frames)


def _required(scenes: list[Scene]) -> list[Scene]:
    if len(scenes) < 2:
        raise ManifestError("too few clips of 6 s and more to seal; check the data folder")
    return scenes


def _grouped(
    rows: Iterable[dict[str, str]], by: str, seconds: str
) -> Iterable[tuple[str, list[dict[str, str]]]]:
    groups: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        groups.setdefault(row[by], []).append(row)
    for name, group in groups.items():
        chosen: list[dict[str, str]] = []
        for row in group:
            if sum(float(r[seconds]) for r in chosen) < MOST_S - 2.0:
                chosen.append(row)
        if sum(float(r[seconds]) for r in chosen) >= _LEAST_S:
            yield name, chosen


def _fit(samples: Samples, n_frames: int) -> Samples:
    size = n_frames * RATE_HZ // FPS
    return np.pad(samples, (0, max(0, size - len(samples))))[:size]


def read_frames(path: Path) -> Frames:
    """(T, H, W, 3) uint8, every frame of the first picture stream."""
    with av.open(str(path)) as container:
        return np.stack([f.to_ndarray(format="rgb24") for f in container.decode(video=0)])


def read_samples(path: Path) -> Samples:
    """(S,) float32 at 16 kHz, mono."""
    with open_clip(path) as clip:
        chunks = [c for c in clip.chunks(want_video=False) if isinstance(c, AudioChunk)]
    return np.concatenate([chunk.waveform.mean(axis=0) for chunk in chunks])
