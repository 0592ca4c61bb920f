"""Collect what the report shows of synchrony while a clip streams by, in bounded memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from avdetect.branches.agreement import N_OFFSETS, Agreement, OffsetSums
from avdetect.branches.base import BranchOutput
from avdetect.observation import ChannelAudio, FaceWindow, Observation
from avdetect.sync_exhibit import MouthStrip, SyncExhibit
from avdetect.timebase import FRAME_RATE_HZ, SAMPLE_RATE_HZ
from avdetect.types import Part, Segment

_MOST_FACES = 12
_MOST_ROWS = 1000  # of a matrix: more than a page has pixels
_MOST_STRIPS = 2
_LEAST_SPEECH_SHARE = 0.5  # of a strip: a pause shows nothing
_STRIDE_FRAMES = 2  # mouths 80 ms apart: a syllable takes about 200 ms
_MOUTH_PX = 72
_MARGIN_S = 0.6  # of sound around the mouths, the largest offset searched
_COLUMN_SAMPLES = 80  # 5 ms


@dataclass(slots=True)
class _Face:
    """One part's running sums; the matrix grows in blocks and is halved when it is full."""

    sums: OffsetSums | None = None
    first_frame: int = 0
    frames_per_row: int = 1
    total: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, N_OFFSETS), np.float32))
    count: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, N_OFFSETS), np.float32))
    strips: list[tuple[float, MouthStrip]] = field(default_factory=list)

    def add(self, found: Agreement) -> None:
        if self.sums is None:
            self.sums, self.first_frame = found.sums, int(found.frame_index[0])
        else:
            self.sums = OffsetSums.total([self.sums, found.sums])
        since = found.frame_index - self.first_frame
        while int(since[-1]) // self.frames_per_row >= _MOST_ROWS:
            self._halve()
        row = since // self.frames_per_row
        missing = max(0, int(row[-1]) + 1 - len(self.total))
        self.total = np.pad(self.total, ((0, missing), (0, 0)))
        self.count = np.pad(self.count, ((0, missing), (0, 0)))
        known = np.isfinite(found.similarity)
        np.add.at(self.total, row, np.where(known, found.similarity, 0).astype(np.float32))
        np.add.at(self.count, row, known)

    def _halve(self) -> None:
        odd = len(self.total) % 2
        self.total = np.pad(self.total, ((0, odd), (0, 0))).reshape(-1, 2, N_OFFSETS).sum(1)
        self.count = np.pad(self.count, ((0, odd), (0, 0))).reshape(-1, 2, N_OFFSETS).sum(1)
        self.frames_per_row *= 2


class SyncGallery:
    """``add`` each observation in order, then ``exhibits``."""

    def __init__(self) -> None:
        self._faces: dict[Part, _Face] = {}

    def add(self, observation: Observation, outputs: Sequence[BranchOutput]) -> None:
        """Take in one observation and what the lip-sync branch said of it."""
        for output in outputs:
            if output.agreement is None or not len(output.agreement.frame_index):
                continue
            if output.part not in self._faces and len(self._faces) >= _MOST_FACES:
                continue
            face = self._faces.setdefault(output.part, _Face())
            face.add(output.agreement)
            _keep_strip(face, output, observation)

    def exhibits(self) -> tuple[SyncExhibit, ...]:
        """One exhibit per face that was judged in any observation."""
        return tuple(
            SyncExhibit(
                part=part,
                distances=face.sums.mean_distance(),
                offset_frames=face.sums.best_offset(),
                start_s=face.first_frame / FRAME_RATE_HZ,
                row_s=face.frames_per_row / FRAME_RATE_HZ,
                similarity=np.where(
                    face.count > 0, face.total / np.maximum(face.count, 1), np.float32(np.nan)
                ).astype(np.float32),
                strips=tuple(strip for _, strip in face.strips),
            )
            for part, face in sorted(self._faces.items(), key=lambda item: str(item[0]))
            if face.sums is not None
        )


def _keep_strip(face: _Face, output: BranchOutput, observation: Observation) -> None:
    """Keep the worst row of an observation if it is among the clip's worst."""
    scores = np.where(output.weights >= _LEAST_SPEECH_SHARE, output.scores, -np.inf)
    worst = int(scores.argmax())
    score = float(scores[worst])
    if score <= (face.strips[-1][0] if len(face.strips) >= _MOST_STRIPS else -np.inf):
        return
    segment = Segment(*map(float, output.segments[worst]))
    if any(segment.overlap(kept.segment) is not None for _, kept in face.strips):
        return
    strip = _strip(output.part, segment, observation)
    if strip is not None:
        face.strips.append((score, strip))
        face.strips.sort(key=lambda item: -item[0])
        del face.strips[_MOST_STRIPS:]


def _strip(part: Part, segment: Segment, observation: Observation) -> MouthStrip | None:
    seen = next((face for face in observation.faces if face.track == part.face_track), None)
    heard = next((one for one in observation.channels if one.channel == part.channel), None)
    if seen is None or heard is None:
        return None
    begin_s = max(observation.segment.start_s, segment.start_s - _MARGIN_S)
    return MouthStrip(
        segment=segment,
        mouths=_mouths(seen, segment),
        sound_s=begin_s,
        column_s=_COLUMN_SAMPLES / SAMPLE_RATE_HZ,
        envelope=_envelope(heard, begin_s - observation.segment.start_s, segment, begin_s),
    )


def _mouths(face: FaceWindow, segment: Segment) -> NDArray[np.uint8]:
    first, last = round(segment.start_s * FRAME_RATE_HZ), round(segment.end_s * FRAME_RATE_HZ)
    inside = (face.frame_index >= first) & (face.frame_index < last)
    mouths = face.mouths[inside][::_STRIDE_FRAMES]
    small = [
        cv2.resize(mouth, (_MOUTH_PX, _MOUTH_PX), interpolation=cv2.INTER_AREA) for mouth in mouths
    ]
    return np.asarray(small, np.uint8)


def _envelope(
    channel: ChannelAudio, skip_s: float, segment: Segment, begin_s: float
) -> NDArray[np.float32]:
    first = round(skip_s * SAMPLE_RATE_HZ)
    length = round((segment.end_s + _MARGIN_S - begin_s) * SAMPLE_RATE_HZ)
    sound = channel.waveform[first : first + length]
    blocks = sound[: len(sound) // _COLUMN_SAMPLES * _COLUMN_SAMPLES].reshape(-1, _COLUMN_SAMPLES)
    return np.stack([blocks.min(1), blocks.max(1)], axis=1)
