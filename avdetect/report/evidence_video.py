"""A judged clip as a video to watch: faces boxed, maps laid over them, scores, verdict and sound.

The clip is read a second time and drawn frame by frame: nothing of it is kept in memory.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np
from moviepy import AudioClip, VideoClip
from numpy.typing import NDArray

from avdetect.errors import InputError, OutputError, UsageError
from avdetect.media.clip import AudioChunk, Clip, PictureFrame, open_clip
from avdetect.media.source import SourceLike
from avdetect.report.evidence_frame import FrameArtist
from avdetect.report.target import check_place
from avdetect.report.text import headline
from avdetect.report.words import plain
from avdetect.scan import Examination
from avdetect.sightings import TrackSightings
from avdetect.timebase import FRAME_RATE_HZ, SAMPLE_RATE_HZ
from avdetect.verdict import Verdict

Progress = Callable[[float, float | None], None]
_SUFFIX = ".mp4"
# Sound at another rate is taken at 16 kHz.
_AAC_RATES_HZ = frozenset(
    (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
)
_H264 = ["-crf", "20", "-movflags", "+faststart", "-f", "mp4"]


def check_target(target: Path, source: Path | None = None) -> None:
    """Refuse a place where no evidence video can be written, before anything is judged.

    Args:
        target: where the video shall be.
        source: the clip it is to be made of.

    Raises:
        UsageError: the name does not end in ``.mp4``, or it is the clip itself.
        OutputError: its folder is missing, or nothing can be written there.
    """
    if target.suffix.lower() != _SUFFIX:
        raise UsageError(f"{target}: an evidence video is an MP4 file; end its name in {_SUFFIX}")
    check_place(target, [] if source is None else [source], "the evidence video")


def check_source(source: SourceLike, *, name: str | None = None) -> None:
    """Refuse a clip that has no moving picture.

    Raises:
        UsageError: it holds sound alone, or a photograph.
        InputError: it cannot be opened.
    """
    with open_clip(source, name=name) as clip:
        _check_pictures(clip)


def write_evidence_video(
    source: SourceLike,
    examination: Examination,
    target: Path,
    *,
    progress: Progress | None = None,
) -> None:
    """Render a clip with what was found in it, as H.264 and AAC at 25 frames a second.

    An existing file is replaced once the new one is whole.

    Args:
        source: the clip that was examined: a path or its bytes, to be read once more.
        examination: made by `Detector.examine` with ``sightings=True``.
        target: an ``.mp4`` file in an existing folder.
        progress: called with seconds done and seconds in all.

    Raises:
        UsageError: no sightings, no moving picture, no ``.mp4``, or the clip itself as target.
        InputError: the clip cannot be read, or is another one by now.
        OutputError: the video could not be written whole; nothing partial is left.
    """
    tracks, verdict = examination.sightings, examination.verdict
    if tracks is None:
        raise UsageError("an evidence video needs sightings: examine the clip with sightings=True")
    check_target(
        target, Path(os.fsdecode(source)) if isinstance(source, str | os.PathLike) else None
    )
    with open_clip(source, name=verdict.input.path) as clip:
        _check_pictures(clip)
        if clip.sha256 != verdict.input.sha256:
            raise InputError(f"{clip.path}: has changed since it was judged; judge it again")
        try:
            # Absolute: ffmpeg takes what stands before a colon for a protocol.
            with TemporaryDirectory(prefix=".evidence-", dir=target.parent.resolve()) as folder:
                part = Path(folder) / "video.part"
                _render(clip, verdict, tracks, part, progress)
                part.replace(target)
        except OSError as error:
            lines = (error.strerror or str(error)).strip().splitlines() or ["unknown reason"]
            raise OutputError(f"{target}: the video was not written: {lines[-1]}") from error


def _check_pictures(clip: Clip) -> None:
    if clip.is_still:
        raise UsageError(f"{clip.path}: is a photograph, no video; --report DIR shows the face")
    if not clip.has_video:
        raise UsageError(f"{clip.path}: has no picture, which an evidence video needs")


def _render(
    clip: Clip,
    verdict: Verdict,
    tracks: tuple[TrackSightings, ...],
    part: Path,
    progress: Progress | None,
) -> None:
    duration_s = max(1 / FRAME_RATE_HZ, verdict.input.duration_s or 0.0)
    line = headline(verdict).removeprefix(f"{plain(verdict.input.path)}: ")
    with closing(_Pictures(clip)) as pictures, closing(_Sound(clip)) as sound:
        artist = FrameArtist(pictures.size, tracks, duration_s, _ascii(line))

        def frame(time_s: float) -> NDArray[np.uint8]:
            tick = round(time_s * FRAME_RATE_HZ)
            if progress is not None:
                progress(min(time_s, duration_s), duration_s)
            shown = pictures.at(tick)
            since = tick if shown is None else shown.ticks.start
            return artist.draw(None if shown is None else shown.picture, tick, since)

        video = VideoClip(frame, duration=duration_s)
        if clip.has_audio:
            video = video.with_audio(AudioClip(sound.at, duration=duration_s, fps=sound.rate_hz))
        video.write_videofile(
            str(part),
            fps=FRAME_RATE_HZ,
            codec="libx264",
            preset="veryfast",
            audio_codec="aac",
            audio_fps=sound.rate_hz,
            temp_audiofile_path=str(part.parent),
            ffmpeg_params=_H264,
            logger=None,
        )
    _check_whole(part, int(duration_s * FRAME_RATE_HZ))


class _Pictures:
    """The clip's pictures, asked for in the order of time; holds two of them."""

    def __init__(self, clip: Clip) -> None:
        self._coming = (item for item in clip.chunks() if isinstance(item, PictureFrame))
        self._now: PictureFrame | None = None
        self._next = next(self._coming, None)
        if self._next is None:
            raise InputError(f"{clip.path}: no picture of it can be decoded; nothing to show")
        height, width = self._next.picture.shape[:2]
        self.size = width, height

    def at(self, tick: int) -> PictureFrame | None:
        """What is on screen, None before the first picture and after the last."""
        while self._next is not None and self._next.ticks.start <= tick:
            self._now, self._next = self._next, next(self._coming, None)
        return self._now if self._now is not None and tick < self._now.ticks.stop else None

    def close(self) -> None:
        """Let go of the decoder."""
        self._coming.close()


class _Sound:
    """The clip's sound, asked for in the order of time; holds a second of it.

    Two channels stay two; more are mixed into one. Where there is no sound are zeros.
    """

    def __init__(self, clip: Clip) -> None:
        chunks = clip.chunks(want_video=False)
        self._coming = (chunk for chunk in chunks if isinstance(chunk, AudioChunk))
        first = next(self._coming, None)
        known = first is not None and first.native_rate_hz in _AAC_RATES_HZ
        self._is_native = known
        self.rate_hz = first.native_rate_hz if first is not None and known else SAMPLE_RATE_HZ
        self._samples = np.zeros((0, 1), np.float32)
        self._start = 0  # index of the first sample held, counted from clip start
        if first is not None:
            self._start = round(first.start_s * self.rate_hz)
            self._samples = self._mixed(first)

    def at(self, time_s: float | NDArray[np.float64]) -> NDArray[np.float32]:
        """(S, C) samples at times that never go back, or (C,) at one."""
        wanted = np.rint(np.atleast_1d(time_s) * self.rate_hz).astype(np.int64)
        while len(wanted) and wanted[-1] >= self._start + len(self._samples):
            chunk = next(self._coming, None)
            if chunk is None:
                break
            self._samples = np.concatenate([self._samples, self._mixed(chunk)])
        passed = min(max(0, int(wanted[0]) - self._start), len(self._samples)) if len(wanted) else 0
        self._samples, self._start = self._samples[passed:], self._start + passed
        index = wanted - self._start
        inside = (index >= 0) & (index < len(self._samples))
        heard = np.zeros((len(wanted), self._samples.shape[1]), np.float32)
        heard[inside] = self._samples[index[inside]]
        return heard if np.ndim(time_s) else heard[0]

    def close(self) -> None:
        """Let go of the decoder."""
        self._coming.close()

    def _mixed(self, chunk: AudioChunk) -> NDArray[np.float32]:
        channels = chunk.native if self._is_native else chunk.waveform
        return channels.T if len(channels) <= 2 else channels.mean(0)[:, None]


def _check_whole(part: Path, n_frames: int) -> None:
    """Read the file back: the encoder's process does not say that the disk was full."""
    try:
        with av.open(str(part)) as container:
            n_written = container.streams.video[0].frames
    except (av.FFmpegError, IndexError) as error:
        raise OSError("the encoder wrote no whole file; is the disk full?") from error
    if n_written < n_frames:
        raise OSError(f"the encoder wrote {n_written} of {n_frames} frames; is the disk full?")


def _ascii(text: str) -> str:
    """The letters that OpenCV can draw."""
    return text.encode("ascii", "replace").decode("ascii")
