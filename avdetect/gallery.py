"""Collect the exhibits for the report while a clip streams by, in bounded memory."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import cv2
import librosa
import numpy as np
from numpy.typing import NDArray

from avdetect.branches.base import BranchOutput, FrameScores
from avdetect.exhibits import (
    AudioExhibit,
    Exhibits,
    FaceExhibit,
    FaceThumbnail,
    MaskedFace,
    SoundBite,
)
from avdetect.observation import ChannelAudio, FaceWindow, Observation
from avdetect.sightings import Sightings, TrackSightings
from avdetect.suspect_faces import SuspectFaces
from avdetect.sync_gallery import SyncGallery
from avdetect.timebase import SAMPLE_RATE_HZ
from avdetect.types import Part, Segment
from avdetect.verdict import SuspiciousSegment, TimelineEntry

_COLUMN_SAMPLES = 320  # 20 ms
_N_FFT = 512
_AHEAD = _N_FFT - _COLUMN_SAMPLES  # samples after a column that its window reads
_MOST_COLUMNS = 3000
_MOST_THUMBNAILS = 24
_MOST_TRACKS = 12
_THUMBNAIL_PX = 112
_MOST_BITES = 5
_MOST_STANDING = 5  # windows kept for stretches that may stand out once the rest is known
_PEAK_FRAMES = 25  # half a second: the least that a word takes
_FLOOR_DB = -100.0


@dataclass(slots=True)
class _Channel:
    envelope: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 2), np.float32))
    spectrogram: NDArray[np.float32] = field(
        default_factory=lambda: np.zeros((_N_FFT // 2 + 1, 0), np.float32)
    )
    samples_per_column: int = _COLUMN_SAMPLES
    pending: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))

    def push(self, waveform: NDArray[np.float32]) -> None:
        samples = np.concatenate([self.pending, waveform])
        # A column is drawn once the samples after it that its window reads are there, too.
        n_columns = max(0, len(samples) - _AHEAD) // self.samples_per_column
        used = n_columns * self.samples_per_column
        self.pending = samples[used:]
        if n_columns:
            self._draw(samples[: used + _AHEAD], n_columns)
        while len(self.envelope) > _MOST_COLUMNS:
            self._halve()

    def finish(self) -> None:
        if len(self.pending):
            missing = -len(self.pending) % self.samples_per_column
            self.push(np.zeros(missing + _AHEAD, np.float32))

    def _draw(self, samples: NDArray[np.float32], n_columns: int) -> None:
        blocks = samples[:-_AHEAD].reshape(n_columns, self.samples_per_column)
        outline = np.stack([blocks.min(1), blocks.max(1)], axis=1)
        self.envelope = np.concatenate([self.envelope, outline])
        transform = librosa.stft(samples, n_fft=_N_FFT, hop_length=_COLUMN_SAMPLES, center=False)
        power = np.abs(transform) ** 2
        per_column = self.samples_per_column // _COLUMN_SAMPLES
        power = power[:, : n_columns * per_column].reshape(len(power), n_columns, per_column)
        level = librosa.power_to_db(power.mean(2) / (_N_FFT / 4) ** 2, amin=1e-10, top_db=None)
        self.spectrogram = np.concatenate([self.spectrogram, level.astype(np.float32)], axis=1)

    def _halve(self) -> None:
        n_pairs = len(self.envelope) // 2
        pairs = self.envelope[: 2 * n_pairs].reshape(n_pairs, 2, 2)
        self.envelope = np.stack([pairs[:, :, 0].min(1), pairs[:, :, 1].max(1)], axis=1)
        columns = self.spectrogram[:, : 2 * n_pairs].reshape(-1, n_pairs, 2)
        self.spectrogram = columns.max(2)
        self.samples_per_column *= 2


class Gallery:
    """Exhibits of one scan; ``add`` each observation in order, then ``exhibits``.

    Args:
        sightings: told of every observation, too, where an evidence video is wanted.
    """

    def __init__(self, sightings: Sightings | None = None) -> None:
        self._channels: dict[str, _Channel] = {}
        self._heard_until: dict[str, float] = {}
        self._thumbnails: dict[int, list[tuple[float, NDArray[np.uint8]]]] = {}
        self._stride_s: dict[int, float] = {}
        self._bites, self._standing = _Worst(_MOST_BITES), _Worst(_MOST_STANDING)
        self._synchrony = SyncGallery()
        self._suspects, self._sightings = SuspectFaces(), sightings

    def add(self, observation: Observation, outputs: Mapping[str, Sequence[BranchOutput]]) -> None:
        """Take in one observation and what the branches said of it."""
        for channel in observation.channels:
            self._draw(channel, observation.segment)
        for face in observation.faces:
            self._picture(face, observation.fresh)
        self._synchrony.add(observation, outputs.get("lip_sync", ()))
        self._suspects.add(observation, outputs)
        if self._sightings is not None:
            self._sightings.add(observation, outputs)
        for output in outputs.get("voice_clone", ()):
            if len(output.scores) and output.weights.sum() > 0:
                self._keep_bite(output, observation)

    def exhibits(self, timeline: Sequence[TimelineEntry]) -> Exhibits:
        """Everything collected; thumbnails are given the score of their moment."""
        for channel in self._channels.values():
            channel.finish()
        return Exhibits(
            audio=tuple(
                AudioExhibit(
                    channel=name,
                    column_s=channel.samples_per_column / SAMPLE_RATE_HZ,
                    envelope=channel.envelope,
                    spectrogram=np.maximum(channel.spectrogram, _FLOOR_DB),
                    max_hz=SAMPLE_RATE_HZ / 2,
                )
                for name, channel in self._channels.items()
                if len(channel.envelope)
            ),
            faces=tuple(
                FaceExhibit(
                    track=track,
                    thumbnails=tuple(
                        FaceThumbnail(
                            time_s=time_s,
                            picture=picture,
                            fake_llr=_score_at(timeline, Part(face_track=track), time_s),
                        )
                        for time_s, picture in thumbnails
                    ),
                )
                for track, thumbnails in sorted(self._thumbnails.items())
            ),
            synchrony=self._synchrony.exhibits(),
            masked_faces=tuple(
                MaskedFace(
                    track=track,
                    time_s=moment.time_s,
                    picture=moment.picture,
                    forgery_map=moment.forgery_map,
                    fake_llr=_score_at(timeline, Part(face_track=track), moment.time_s),
                )
                for track, moments in self._suspects.moments().items()
                for moment in moments
            ),
        )

    def sightings(self) -> tuple[TrackSightings, ...] | None:
        """Where each face was seen; None unless asked for."""
        return None if self._sightings is None else self._sightings.tracks()

    def bites(self, suspicious: Sequence[SuspiciousSegment] = ()) -> tuple[SoundBite, ...]:
        """Windows of sound to listen to: those of stretches that stand out, then the worst.

        Args:
            suspicious: the stretches that the verdict shows.
        """
        worst = self._bites.bites()
        kept = [*self._standing.bites(), *worst]
        chosen: list[SoundBite] = []
        voices = [stretch for stretch in suspicious if stretch.branch == "voice_clone"]
        for stretch in sorted(voices, key=lambda s: -s.score):
            where = Segment(stretch.start_s, stretch.end_s)
            overlaps = [
                (common.duration_s, bite)
                for bite in kept
                if bite.channel == stretch.channel and (common := bite.segment.overlap(where))
            ]
            if overlaps:
                _, bite = max(overlaps, key=lambda found: found[0])
                if not _is_among(bite, chosen):
                    chosen.append(replace(bite, stands_out=where))
        chosen += [bite for bite in worst if not _is_among(bite, chosen)]
        return tuple(chosen[:_MOST_BITES])

    def _draw(self, channel: ChannelAudio, segment: Segment) -> None:
        drawn_s = self._heard_until.get(channel.channel, 0.0)
        store = self._channels.setdefault(channel.channel, _Channel())
        skip = round((drawn_s - segment.start_s) * SAMPLE_RATE_HZ)
        if skip < 0:  # the channel was silent or a copy for a while: keep the axis true
            store.push(np.zeros(-skip, np.float32))
        store.push(channel.waveform[max(0, skip) :])
        self._heard_until[channel.channel] = segment.end_s

    def _picture(self, face: FaceWindow, fresh: Segment) -> None:
        if face.track not in self._thumbnails and len(self._thumbnails) >= _MOST_TRACKS:
            return
        strip = self._thumbnails.setdefault(face.track, [])
        stride_s = self._stride_s.setdefault(face.track, 0.5)
        for time_s, picture in zip(face.frame_s.tolist(), face.faces, strict=True):
            if time_s < fresh.start_s or (strip and time_s - strip[-1][0] < stride_s):
                continue
            small = cv2.resize(
                picture, (_THUMBNAIL_PX, _THUMBNAIL_PX), interpolation=cv2.INTER_AREA
            )
            strip.append((time_s, np.asarray(small, np.uint8)))
        while len(strip) > _MOST_THUMBNAILS:
            del strip[1::2]
            self._stride_s[face.track] *= 2

    def _keep_bite(self, output: BranchOutput, observation: Observation) -> None:
        """Remember a window by its score, and by its worst half second where frames are scored."""
        score, peak = float(np.average(output.scores, weights=output.weights)), _peak(output.frames)
        for channel in observation.channels:
            if channel.channel == output.part.channel:
                self._bites.offer(score, channel, observation.segment)
                if peak is not None:
                    self._standing.offer(peak, channel, observation.segment)


class _Worst:
    """The windows of the highest scores, copied; nothing is copied that would not be kept."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._heap: list[tuple[float, int, SoundBite]] = []
        self._count = itertools.count()

    def offer(self, score: float, channel: ChannelAudio, segment: Segment) -> None:
        if len(self._heap) >= self._most and score <= self._heap[0][0]:
            return
        bite = SoundBite(
            channel=channel.channel,
            segment=segment,
            waveform=channel.waveform.copy(),
            speech=channel.speech,
            bandwidth_hz=channel.bandwidth_hz,
        )
        heapq.heappush(self._heap, (score, next(self._count), bite))
        if len(self._heap) > self._most:
            heapq.heappop(self._heap)

    def bites(self) -> list[SoundBite]:
        """Worst first."""
        return [bite for _, _, bite in sorted(self._heap, key=lambda b: (-b[0], b[1]))]


def _peak(frames: FrameScores | None) -> float | None:
    """Highest mean of half a second of speech; None without frames."""
    if frames is None or not (frames.weights > 0).any():
        return None
    scores = frames.scores[frames.weights > 0].astype(np.float64)
    width = min(_PEAK_FRAMES, len(scores))
    totals = np.concatenate([[0.0], np.cumsum(scores)])
    return float((totals[width:] - totals[:-width]).max() / width)


def _is_among(bite: SoundBite, chosen: Sequence[SoundBite]) -> bool:
    return any(bite.channel == c.channel and bite.segment == c.segment for c in chosen)


def _score_at(timeline: Sequence[TimelineEntry], part: Part, time_s: float) -> float | None:
    for entry in timeline:
        if (
            entry.branch == "visual_forgery"
            and entry.face_track == part.face_track
            and entry.start_s <= time_s < entry.end_s
        ):
            return entry.fake_llr
    return None
