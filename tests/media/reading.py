"""Reads a clip whole, for tests: sound joined, pictures listed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from avdetect.media.clip import AudioChunk, Clip, PictureFrame, open_clip


@dataclass(frozen=True)
class Whole:
    clip: Clip
    chunks: list[AudioChunk]
    pictures: list[PictureFrame]

    @property
    def waveform(self) -> np.ndarray:
        """(C, S) at 16 kHz."""
        return np.concatenate([chunk.waveform for chunk in self.chunks], axis=1)

    @property
    def native(self) -> np.ndarray:
        """(C, S) at the native rate."""
        return np.concatenate([chunk.native for chunk in self.chunks], axis=1)

    @property
    def onset_s(self) -> float:
        """True time of the first loud sample of the first channel."""
        return self.chunks[0].start_s + float(np.argmax(np.abs(self.waveform[0]) > 0.3)) / 16000

    @property
    def times_s(self) -> list[float]:
        return [picture.time_s for picture in self.pictures]


def read_whole(source: Any, *, want_video: bool = True, **options: Any) -> Whole:
    with open_clip(source, **options) as clip:
        items = list(clip.chunks(want_video=want_video))
    chunks = [item for item in items if isinstance(item, AudioChunk)]
    return Whole(clip, chunks, [item for item in items if isinstance(item, PictureFrame)])
