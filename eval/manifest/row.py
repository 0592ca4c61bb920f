"""One clip, or one segment of a clip, and what is true of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from avdetect.types import Segment

Truth = Literal["real", "fake", ""]


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestRow:
    """A row of a manifest; empty words and None mean unknown or not there.

    Attributes:
        id: unique within a manifest; scores are joined by it.
        path: media file, POSIX, relative to the data root.
        label: ``real`` or ``fake``; fake if anything in the clip is.
        audio_path: sound that belongs to a silent picture, relative to the data root.
        audio_label, video_label: the same of its sound and of its picture alone.
        fake_segments: what was forged, seconds from the clip's start; empty for a real clip, None
            for a fake whose forged part is unknown.
        start_s, end_s: of the segment that this row is, None for the whole file.
        speaker, identity: whose voice and whose face.
        source: repository, recording or page the clip comes from: what a fold is cut by.
        generator: of the fake; empty for a real clip.
        kind: of the forgery, such as ``vocoder``, ``lip-sync`` or the data set's attack name.
        language: ISO 639-1 where the data set says it.
        quality: compression or recording condition as the data set names it, such as ``c23``.
        codec: of the file or of the line it went through.
        rate_hz: sampling rate of the original sound.
        duration_s: length in seconds.
        split: ``train``, ``dev``, ``test`` or as the data set names its parts.
        fold: frozen group of a protocol that cuts its data by source.
    """

    id: str
    path: str
    label: Literal["real", "fake"]
    audio_path: str = ""
    audio_label: Truth = ""
    video_label: Truth = ""
    fake_segments: tuple[Segment, ...] | None = None
    start_s: float | None = None
    end_s: float | None = None
    speaker: str = ""
    identity: str = ""
    source: str = ""
    generator: str = ""
    kind: str = ""
    language: str = ""
    quality: str = ""
    codec: str = ""
    rate_hz: int | None = None
    duration_s: float | None = None
    split: str = ""
    fold: str = ""

    def __post_init__(self) -> None:
        if not self.id or not self.path:
            raise ValueError("a row needs an id and a path")
        if self.label not in ("real", "fake"):
            raise ValueError(f"label must be real or fake: {self.label!r}")
        if not {self.audio_label, self.video_label} <= {"real", "fake", ""}:
            raise ValueError("audio_label and video_label must be real, fake or empty")
        if self.label == "real" and "fake" in (self.audio_label, self.video_label):
            raise ValueError("a clip with a fake part is not real")
        if self.label == "real" and (self.generator or self.fake_segments):
            raise ValueError("a real clip has neither a generator nor fake segments")
        if (self.start_s is None) != (self.end_s is None):
            raise ValueError("a segment has a start_s and an end_s, a whole file neither")
        if self.start_s is not None and self.end_s is not None and self.start_s >= self.end_s:
            raise ValueError(f"start_s {self.start_s} is not before end_s {self.end_s}")
        if self.label == "real" and self.fake_segments is None:
            object.__setattr__(self, "fake_segments", ())

    @property
    def person(self) -> str:
        """The unit that intervals resample: speaker, else identity, else source, else the clip."""
        return self.speaker or self.identity or self.source or self.id
