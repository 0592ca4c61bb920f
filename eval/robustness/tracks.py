"""Tracks of a file that is written without a second loss: copied packets, or lossless coding."""

from __future__ import annotations

import errno
import heapq
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeAlias

import av
import numpy as np
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream
from numpy.typing import NDArray

from avdetect.channels.picture_codecs import Pictures
from avdetect.errors import OutputError, UnreadableMediaError
from avdetect.media.container import AV_ERRORS
from avdetect.timebase import SAMPLE_RATE_HZ

CLOCK_HZ = 90_000  # of pictures: every usual frame rate is exact before the container rounds
_PACKET_SAMPLES = SAMPLE_RATE_HZ // 10
# Sources are read through Python, so that these can only be about the file that is written.
_DISK_ERRORS = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EACCES, errno.ENOENT, errno.ENOTDIR}
)

TimedPacket: TypeAlias = "tuple[Fraction, Packet[Any]]"
# Adds its stream to the output at once, and gives that stream's packets in the order of time.
Track: TypeAlias = "Callable[[OutputContainer], Iterator[TimedPacket]]"


def write_tracks(target: Path, container: str, tracks: Sequence[Track], name: str) -> Path:
    """Write a file whole or not at all.

    Args:
        target: file to write.
        container: FFmpeg name, such as ``matroska`` (whose clock is 1 ms) or ``wav``.
        tracks: what it holds.
        name: of the source, for messages.

    Raises:
        UnreadableMediaError: a track's source cannot be decoded or copied.
        OutputError: the disk is full or the folder may not be written.
    """
    part = target.with_name(target.name + ".part")
    try:
        # Exact: else Matroska draws a number of its own for every file.
        options = {"fflags": "+bitexact"}
        with av.open(str(part), "w", format=container, options=options) as output:
            packets = [track(output) for track in tracks]
            for _, packet in heapq.merge(*packets, key=itemgetter(0)):
                output.mux(packet)
        part.replace(target)
    except AV_ERRORS as e:
        if getattr(e, "errno", None) in _DISK_ERRORS:
            raise OutputError(
                f"{target}: could not be written: {e}; name a folder with room"
            ) from e
        raise UnreadableMediaError(f"{name}: cannot be decoded: {e}") from e
    finally:
        part.unlink(missing_ok=True)
    return target


def copied(container: InputContainer, source: VideoStream) -> Track:
    """The packets of an opened stream as they are, with their timestamps."""

    def track(output: OutputContainer) -> Iterator[TimedPacket]:
        stream = output.add_stream_from_template(source)
        if source.average_rate:  # else a reader guesses how long the last frame is shown
            stream.codec_context.framerate = source.average_rate

        def packets() -> Iterator[TimedPacket]:
            for packet in container.demux(source):
                if packet.dts is not None:  # else: the flush at the end
                    time = packet.dts * packet.time_base
                    packet.stream = stream
                    yield time, packet

        return packets()

    return track


def lossless_pictures(
    chunks: Iterator[tuple[NDArray[np.int64], Pictures]], rate: Fraction | None
) -> Track:
    """Pictures as lossless H.264 in RGB: what is decoded is bit for bit what was handed in.

    Args:
        chunks: times in ticks of `CLOCK_HZ` (T,), and pictures (T, H, W, 3) of one size.
        rate: mean frames a second, None where unknown.
    """

    def track(output: OutputContainer) -> Iterator[TimedPacket]:
        first = next(chunks)
        options = {"qp": "0", "preset": "ultrafast"}
        stream = output.add_stream("libx264rgb", rate=rate, options=options)
        stream.height, stream.width = first[1].shape[1:3]
        stream.pix_fmt = "rgb24"
        stream.codec_context.time_base = stream.time_base = Fraction(1, CLOCK_HZ)
        stream.codec_context.thread_count = 1

        def packets() -> Iterator[TimedPacket]:
            for ticks, pictures in chain([first], chunks):
                for tick, picture in zip(ticks.tolist(), pictures, strict=True):
                    frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                    frame.pts, frame.time_base = tick, Fraction(1, CLOCK_HZ)
                    yield from _timed(stream.encode(frame))
            yield from _timed(stream.encode(None))

        return packets()

    return track


def plain_sound(pieces: Iterator[NDArray[np.float32]], start_s: float) -> Track:
    """Sound as 32-bit float PCM at 16 kHz; what would begin before time 0 is cut.

    Args:
        pieces: (C, S) float32, one after the other without a gap.
        start_s: of the first sample, on the file's clock.
    """

    def track(output: OutputContainer) -> Iterator[TimedPacket]:
        first = next(pieces)
        layout = {1: "mono", 2: "stereo"}.get(len(first), f"{len(first)}C")
        stream = output.add_stream("pcm_f32le", rate=SAMPLE_RATE_HZ, layout=layout)

        def packets() -> Iterator[TimedPacket]:
            place = round(start_s * SAMPLE_RATE_HZ)
            for piece in chain([first], pieces):
                for begin in range(0, piece.shape[1], _PACKET_SAMPLES):
                    part = piece[:, begin : begin + _PACKET_SAMPLES]
                    kept = part[:, max(0, -place) :]
                    if kept.shape[1]:
                        yield from _timed(stream.encode(_sound_frame(kept, layout, max(0, place))))
                    place += part.shape[1]
            yield from _timed(stream.encode(None))

        return packets()

    return track


def _sound_frame(samples: NDArray[np.float32], layout: str, place: int) -> av.AudioFrame:
    interleaved = np.ascontiguousarray(samples.T).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(interleaved, format="flt", layout=layout)
    frame.sample_rate, frame.pts = SAMPLE_RATE_HZ, place
    frame.time_base = Fraction(1, SAMPLE_RATE_HZ)
    return frame


def _timed(packets: Sequence[Packet[Any]]) -> Iterator[TimedPacket]:
    for packet in packets:
        if packet.dts is not None:
            yield packet.dts * packet.time_base, packet
