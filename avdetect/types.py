"""Words that every module shares: segments, parts, decisions, streams."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

MAX_FACES = 4  # of one moment, the largest, are followed; each costs about 6 ms a frame, and memory


@dataclass(frozen=True, order=True, slots=True)
class Segment:
    """Half-open time interval ``[start_s, end_s)`` in seconds from clip start."""

    start_s: float
    end_s: float

    def __post_init__(self) -> None:
        if not self.end_s >= self.start_s:
            raise ValueError(f"segment ends before it starts: {self.start_s} .. {self.end_s}")

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.end_s - self.start_s

    def overlap(self, other: Segment) -> Segment | None:
        """The common part of two segments, or None where they do not meet."""
        start_s, end_s = max(self.start_s, other.start_s), min(self.end_s, other.end_s)
        return Segment(start_s, end_s) if end_s > start_s else None


def total_seconds(segments: Iterable[Segment]) -> float:
    """Sum of lengths in seconds; segments are taken to be disjoint."""
    return sum(segment.duration_s for segment in segments)


class Decision(StrEnum):
    """What the verdict says of a clip."""

    FAKE = "fake"
    REAL = "real"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, order=True, slots=True)
class Part:
    """What a branch judged: one sound channel, one face, or one face with one channel.

    Attributes:
        channel: name of the sound channel (see `channel_name`), None for silent evidence.
        face_track: number of the face track, None for evidence without a face.
    """

    channel: str | None = None
    face_track: int | None = None

    def __str__(self) -> str:
        words = [f"channel {self.channel}" if self.channel is not None else ""]
        words.append(f"face {self.face_track}" if self.face_track is not None else "")
        return " with ".join(word for word in words if word) or "clip"


def channel_name(index: int, n_channels: int) -> str:
    """Name of a sound channel: ``mono``, ``left``/``right``, or the number from 0."""
    if n_channels == 1:
        return "mono"
    if n_channels == 2:
        return ("left", "right")[index]
    return str(index)


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamInfo:
    """Facts of one stream, read from its container and decoder.

    Attributes:
        kind: ``audio``, ``video`` or ``image``.
        codec: name of the decoder, such as ``pcm_mulaw`` or ``h264``.
        start_s: presentation time of the first sample or frame, seconds on the container clock.
        duration_s: seconds, None where the container does not tell.
        rate: samples a second for audio, mean frames a second for video, None where unknown.
        channels: number of sound channels, None for pictures.
        width, height: pixels as shown (after rotation), None for sound.
    """

    kind: str
    codec: str
    start_s: float = 0.0
    duration_s: float | None = None
    rate: float | None = None
    channels: int | None = None
    width: int | None = None
    height: int | None = None
