"""The pictures of a file at its own rate and size, in bounded groups, through a step of a level."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from avdetect.channels.levels import PictureStep
from avdetect.channels.picture_codecs import Picture, Pictures
from avdetect.errors import UnreadableMediaError
from avdetect.media.clip import open_clip
from avdetect.media.container import Decoder, open_container, prepare_decoder
from avdetect.media.orientation import display_axes, turn_upright
from avdetect.media.probe import Probe, probe
from avdetect.media.source import open_source
from avdetect.timebase import FRAME_RATE_HZ
from eval.robustness.tracks import CLOCK_HZ

GROUP_PICTURES = 48  # a level sees this many at once; a video codec begins each with a key frame
_GROUP_BYTES = 128 << 20

# What their demuxers tell of time is whole, so that packets can be copied into Matroska.
_COPIED_CODECS = ("h264", "hevc", "vp8", "vp9", "av1")
_COPIED_CONTAINERS = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm")


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """A file opened for reading its pictures, its name for messages, and its facts."""

    name: str
    container: InputContainer
    facts: Probe

    @property
    def video(self) -> VideoStream | None:
        """The picture stream that is judged, None without one."""
        streams = (s for s in self.container.streams.video if s.index == self.facts.video)
        return next(streams, None)


def open_file(path: Path, stack: ExitStack) -> OpenedFile:
    """Open a file until ``stack`` closes it.

    Raises:
        InputError: as the engine would refuse it.
    """
    open_clip(path).close()  # refuses what the engine refuses, such as half a photograph
    source = stack.enter_context(open_source(path))
    with closing(open_container(source)) as container:
        facts = probe(container, source.name)
    return OpenedFile(source.name, stack.enter_context(closing(open_container(source))), facts)


def can_be_copied(path: Path) -> bool:
    """True where every picture packet has its place in time, and all of them are shown."""
    with ExitStack() as stack:
        file = open_file(path, stack)
        if file.video is None or file.facts.is_still:
            return False
        if file.video.codec_context.name not in _COPIED_CODECS:
            return False
        if file.container.format.name not in _COPIED_CONTAINERS:
            return False
        return all(_is_whole(packet) for packet in file.container.demux(file.video) if packet.size)


def _is_whole(packet: Packet[Any]) -> bool:
    timed = packet.pts is not None and packet.dts is not None
    return timed and not packet.is_discard and not packet.is_corrupt


def degraded_pictures(
    file: OpenedFile, step: PictureStep | None, rng: np.random.Generator
) -> Iterator[tuple[NDArray[np.int64], Pictures]]:
    """Groups of `GROUP_PICTURES`, fewer where they are large.

    Yields:
        times in ticks of `CLOCK_HZ` (T,), strictly rising, and pictures (T, H, W, 3).

    Raises:
        UnreadableMediaError: no picture can be decoded.
    """
    shown = _pictures(file)
    first = next(shown, None)
    if first is None:
        raise UnreadableMediaError(f"{file.name}: no picture in it can be decoded")
    shown = chain([first], shown)
    # Even, so that halving the frame rate does not stumble from group to group.
    size = max(2, min(GROUP_PICTURES, _GROUP_BYTES // first[1].nbytes) // 2 * 2)
    while group := list(islice(shown, size)):
        pictures = np.stack([picture for _, picture in group])
        ticks = np.array([tick for tick, _ in group], np.int64)
        yield ticks, pictures if step is None else step(pictures, rng)


def _pictures(file: OpenedFile) -> Iterator[tuple[int, Picture]]:
    stream = file.video
    if stream is None:
        return
    prepare_decoder(stream, threaded=not file.facts.is_still)
    frame_s = float(1 / (stream.average_rate or FRAME_RATE_HZ))
    upright = _Upright()
    tick: int | None = None
    for _, frames in Decoder(file.container, [stream]).frames():
        for frame in frames:
            if not isinstance(frame, VideoFrame):
                continue
            told = None if frame.time is None else round(frame.time * CLOCK_HZ)
            if tick is None:
                tick = max(0, told or 0)
            else:
                tick = max(tick + 1, tick + round(frame_s * CLOCK_HZ) if told is None else told)
            yield tick, upright.convert(frame)


class _Upright:
    """Converts frames to RGB as the engine does, all to the size of the first."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()
        self._size: tuple[int, int] | None = None

    def convert(self, frame: VideoFrame) -> Picture:
        if self._size is None:
            self._size, self._axes = (frame.width, frame.height), display_axes(frame)
        rgb = self._reformatter.reformat(
            frame,
            width=self._size[0],
            height=self._size[1],
            format="rgb24",
            interpolation=Interpolation.BILINEAR,
            threads=1,
        )
        return turn_upright(rgb.to_ndarray().astype(np.uint8, copy=False), self._axes)
