"""Cut a segment out of a clip as a file of its own, without another lossy coding."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.video.frame import PictureType

from avdetect.types import Segment

Packets = Iterator["Packet[Any] | None"]  # first None, once the stream stands
_CLOCK = 90_000  # ticks a second: exact for every usual frame rate


def cut(media: Path, segment: Segment, target: Path) -> Path:
    """Write what a file shows and sounds between two times, re-coded without loss.

    Pictures become FFV1 in their own pixel format, sound 32-bit float PCM at its own rate; both
    keep their offset to each other, and the segment's start becomes 0.

    Args:
        media: any file with a sound or picture stream; of several, the first of each kind is taken.
        segment: seconds from the start of the file.
        target: file to write; Matroska (``.mkv``) takes both.

    Returns:
        ``target``.

    Raises:
        ValueError: nothing lies between these times.
        av.FFmpegError: the file cannot be decoded.
    """
    with av.open(str(media)) as source, av.open(str(target), "w") as output:
        coders: list[Packets] = []
        if source.streams.video:
            coders.append(_video_packets(source, output, segment))
        if source.streams.audio:
            coders.append(_audio_packets(source, output, segment))
        for coder in coders:
            next(coder)  # every stream stands before the first packet is written
        packets = [packet for coder in coders for packet in coder if packet is not None]
        for packet in sorted(packets, key=lambda p: (p.dts or 0) * (p.time_base or 0)):
            output.mux(packet)
    if not packets:
        target.unlink(missing_ok=True)
        raise ValueError(f"nothing between {segment.start_s} and {segment.end_s} s")
    return target


def _video_packets(source: InputContainer, output: OutputContainer, segment: Segment) -> Packets:
    stream = source.streams.video[0]
    coded = output.add_stream("ffv1")
    coded.width, coded.height = stream.width, stream.height
    coded.pix_fmt = stream.pix_fmt or "yuv420p"
    coded.codec_context.time_base = coded.time_base = Fraction(1, _CLOCK)
    yield None
    source.seek(0)
    for frame in source.decode(stream):
        if frame.time is not None and segment.start_s <= frame.time < segment.end_s:
            frame.pts = round((frame.time - segment.start_s) * _CLOCK)
            frame.time_base = Fraction(1, _CLOCK)
            frame.pict_type = PictureType.NONE
            yield from coded.encode(frame)
    yield from coded.encode(None)


def _audio_packets(source: InputContainer, output: OutputContainer, segment: Segment) -> Packets:
    stream = source.streams.audio[0]
    rate_hz, layout = stream.rate, stream.layout.name
    coded = output.add_stream("pcm_f32le", rate=rate_hz, layout=layout)
    as_float = av.AudioResampler(format="flt", layout=layout, rate=rate_hz)
    yield None
    source.seek(0)
    for frame in source.decode(stream):
        for converted in as_float.resample(frame):
            if converted.time is None:
                continue
            first = round((converted.time - segment.start_s) * rate_hz)
            samples = converted.to_ndarray().reshape(-1, stream.channels).astype(np.float32)
            places = first + np.arange(len(samples))
            kept = (places >= 0) & (places < round(segment.duration_s * rate_hz))
            if kept.any():
                interleaved = np.ascontiguousarray(samples[kept]).reshape(1, -1)
                part = av.AudioFrame.from_ndarray(interleaved, format="flt", layout=layout)
                part.sample_rate, part.time_base = rate_hz, Fraction(1, rate_hz)
                part.pts = int(places[kept][0])
                yield from coded.encode(part)
    yield from coded.encode(None)
