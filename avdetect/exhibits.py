"""Small pictures and sounds kept for the report while a clip streams by; bounded in size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avdetect.sync_exhibit import SyncExhibit
from avdetect.types import Segment


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioExhibit:
    """One channel's waveform outline and spectrogram, at most a few thousand columns.

    Attributes:
        channel: name of the channel.
        column_s: seconds per column of both arrays (they share the axis; column 0 is at 0 s).
        envelope: (N, 2) float32 lowest and highest sample of each column, in [-1, 1].
        spectrogram: (F, N) float32 dB relative to full scale, row 0 = 0 Hz, last row = max_hz.
        max_hz: frequency of the last row.
    """

    channel: str
    column_s: float
    envelope: NDArray[np.float32]
    spectrogram: NDArray[np.float32]
    max_hz: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceThumbnail:
    """One moment of one face track: (H, W, 3) uint8 RGB, at most 112 px a side."""

    time_s: float
    picture: NDArray[np.uint8]
    fake_llr: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceExhibit:
    """A strip of one face track, in time order, at most 24 thumbnails."""

    track: int
    thumbnails: tuple[FaceThumbnail, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedFace:
    """A suspicious moment of one face track, with the map of where the face looks forged.

    Attributes:
        track: number of the face track.
        time_s: seconds from clip start.
        picture: (224, 224, 3) uint8 RGB face crop.
        forgery_map: (28, 28) float32 in [0, 1], one cell per 8 px of the crop.
        fake_llr: of the stretch of the timeline it lies in; None where there is none.
    """

    track: int
    time_s: float
    picture: NDArray[np.uint8]
    forgery_map: NDArray[np.float32]
    fake_llr: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """What of a stretch of sound carries its score, patch by patch of its spectrogram.

    Attributes:
        fake_llr: of the whole stretch alone.
        falls: (F, N) float32, how far that LLR falls when the patch is muffled; > 0: the patch
            speaks for fake. Row 0 is the lowest band, column 0 the earliest time.
        edges_hz: (F + 1) edges of the bands, ascending.
        edges_s: (N + 1) edges of the columns, seconds from the stretch's start.
        spectrogram: (K, M) float32 dB, row 0 = 0 Hz, last row = ``edges_hz[-1]``.
    """

    fake_llr: float
    falls: NDArray[np.float32]
    edges_hz: tuple[float, ...]
    edges_s: tuple[float, ...]
    spectrogram: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundBite:
    """A stretch of one channel worth listening to.

    Attributes:
        channel: name of the channel.
        segment: where in the clip.
        waveform: (S,) float32 in [-1, 1] at 16 kHz.
        speech: stretches of speech in it, on the clip's clock.
        bandwidth_hz: of the channel as recorded, by which a voice is judged; None if unknown.
        attribution: what of it carries its score; None where that was not looked into.
        stands_out: the stretch in it that stands out from the rest of its clip; None for most.
    """

    channel: str
    segment: Segment
    waveform: NDArray[np.float32]
    speech: tuple[Segment, ...] = ()
    bandwidth_hz: float | None = None
    attribution: Attribution | None = None
    stands_out: Segment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibits:
    """Everything the report shows beside the verdict's numbers."""

    audio: tuple[AudioExhibit, ...] = ()
    faces: tuple[FaceExhibit, ...] = ()
    synchrony: tuple[SyncExhibit, ...] = ()
    masked_faces: tuple[MaskedFace, ...] = ()
