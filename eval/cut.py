"""Cut a segment out of a clip as a file of its own, without another lossy coding."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.video.stream import VideoStream

from avdetect.types import Segment

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
        n_written = sum(
            write(source, output, segment)
            for kind, write in (("video", _cut_video), ("audio", _cut_audio))
            if source.streams.get({kind: 0})
        )
    if not n_written:
        raise ValueError(f"nothing between {segment.start_s} and {segment.end_s} s")
    return target


def _cut_video(source: InputContainer, output: OutputContainer, segment: Segment) -> int:
    stream = source.streams.video[0]
    coded: VideoStream = output.add_stream("ffv1")
    coded.width, coded.height = stream.width, stream.height
    coded.pix_fmt = stream.pix_fmt or "yuv420p"
    coded.codec_context.time_base = coded.time_base = Fraction(1, _CLOCK)
    n_written = 0
    source.seek(0)
    for frame in source.decode(stream):
        if frame.time is None or not segment.start_s <= frame.time < segment.end_s:
            continue
        frame.pts = round((frame.time - segment.start_s) * _CLOCK)
        frame.time_base = Fraction(1, _CLOCK)
        frame.pict_type = av.video.frame.PictureType.NONE
        output.mux(coded.encode(frame))
        n_written += 1
    output.mux(coded.encode(None))
    return n_written


def _cut_audio(source: InputContainer, output: OutputContainer, segment: Segment) -> int:
    stream = source.streams.audio[0]
    rate_hz, layout = stream.rate, stream.layout.name
    coded: AudioStream = output.add_stream("pcm_f32le", rate=rate_hz, layout=layout)
    as_float = av.AudioResampler(format="flt", layout=layout, rate=rate_hz)
    n_written = 0
    source.seek(0)
    for frame in source.decode(stream):
        if frame.time is None:
            continue
        first_s = frame.time - segment.start_s
        for converted in as_float.resample(frame):
            samples = converted.to_ndarray().reshape(-1, stream.channels)
            times_s = first_s + np.arange(len(samples)) / rate_hz
            kept = samples[(times_s >= 0.0) & (times_s < segment.duration_s)]
            if not len(kept):
                continue
            part = av.AudioFrame.from_ndarray(kept.reshape(1, -1), format="flt", layout=layout)
            part.sample_rate, part.time_base = rate_hz, Fraction(1, rate_hz)
            part.pts = round(max(first_s, 0.0) * rate_hz)
            output.mux(coded.encode(part))
            n_written += len(kept)
    output.mux(coded.encode(None))
    return n_written
