"""How scenes are written: the codecs of what is sealed, and of what others make of it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import OutputContainer

from eval.sealing.scenes import FPS, RATE_HZ, Frames, Samples, Scene


@dataclass(frozen=True, slots=True, kw_only=True)
class Coding:
    """How to write a recording.

    Attributes:
        suffix: of the file, which names the container.
        video, audio: encoders.
        options: of the picture's encoder.
        bit_rate: of the sound, bits a second.
        rate_hz: of the sound.
        side_px: width and height of the picture, None as it is.
        fps: of the picture.
    """

    suffix: str
    video: str = "libx264"
    audio: str = "aac"
    options: tuple[tuple[str, str], ...] = ()
    bit_rate: int | None = None
    rate_hz: int = RATE_HZ
    side_px: int | None = None
    fps: int = FPS


def write_scene(scene: Scene, path: Path, coding: Coding) -> Path:
    """Encode a scene; packets are interleaved by time."""
    with av.open(str(path), "w") as out:
        packets: list[Any] = []
        if scene.frames is not None:
            packets += _coded_pictures(out, scene.frames, coding)
        if scene.samples is not None:
            packets += _coded_sound(out, scene.samples, coding)
        out.start_encoding()
        for packet in sorted(packets, key=lambda p: p.dts * p.time_base):
            out.mux(packet)
    return path


def _coded_pictures(out: OutputContainer, frames: Frames, coding: Coding) -> list[Any]:
    stream: Any = out.add_stream(coding.video, rate=coding.fps, options=dict(coding.options))
    side = coding.side_px
    stream.height, stream.width = (side, side) if side else frames.shape[1:3]
    stream.pix_fmt = "yuvj420p" if coding.video == "mjpeg" else "yuv420p"
    packets: list[Any] = []
    for n in range(len(frames) * coding.fps // FPS):
        frame = av.VideoFrame.from_ndarray(
            frames[min(n * FPS // coding.fps, len(frames) - 1)], format="rgb24"
        )
        frame.pts, frame.time_base = n, Fraction(1, coding.fps)
        packets += stream.encode(frame)
    return [*packets, *stream.encode(None)]


def _coded_sound(out: OutputContainer, samples: Samples, coding: Coding) -> list[Any]:
    stream: Any = out.add_stream(coding.audio, rate=coding.rate_hz, layout="mono")
    if coding.bit_rate:
        stream.bit_rate = coding.bit_rate
    frame = av.AudioFrame.from_ndarray(np.clip(samples, -1, 1)[None], format="flt", layout="mono")
    frame.sample_rate, frame.time_base, frame.pts = RATE_HZ, Fraction(1, RATE_HZ), 0
    shape = av.AudioResampler(
        format=stream.codec_context.format,
        layout="mono",
        rate=coding.rate_hz,
        frame_size=stream.codec_context.frame_size or 960,
    )
    packets: list[Any] = []
    for part in [*shape.resample(frame), *shape.resample(None)]:
        packets += stream.encode(part)
    return [*packets, *stream.encode(None)]


_X264 = (
    ("crf", "21"),
    ("preset", "veryfast"),
    ("x264-params", "keyint=12:min-keyint=12:scenecut=0:bframes=2"),
)
SEALED_CODINGS = {
    "sound": (
        Coding(suffix=".m4a", bit_rate=64_000),
        Coding(suffix=".mka", audio="libopus", bit_rate=48_000),
    ),
    "picture": (Coding(suffix=".mp4", options=_X264),),
    "both": (Coding(suffix=".mp4", options=_X264, bit_rate=64_000),),
}
_FAST = (("preset", "veryfast"),)
OTHER_CODINGS = {
    "sound": (
        Coding(suffix=".mp3", audio="libmp3lame", bit_rate=64_000),
        Coding(suffix=".ogg", audio="libopus", bit_rate=24_000),
        Coding(suffix=".m4a", bit_rate=32_000),
        Coding(suffix=".wav", audio="pcm_mulaw", rate_hz=8000),
        Coding(suffix=".flac", audio="flac"),
        Coding(suffix=".ogg", audio="libopus", bit_rate=12_000),
    ),
    "picture": (
        Coding(suffix=".mp4", options=(("crf", "30"), *_FAST)),
        Coding(suffix=".mkv", video="libx265", options=(("crf", "32"), ("preset", "ultrafast"))),
        Coding(
            suffix=".webm",
            video="libvpx-vp9",
            options=(("crf", "40"), ("b", "0"), ("deadline", "realtime"), ("cpu-used", "8")),
        ),
        Coding(suffix=".avi", video="mpeg4", options=(("b", "400000"),)),
        Coding(suffix=".mp4", options=(("crf", "28"), *_FAST), side_px=160),
        Coding(suffix=".mp4", options=(("crf", "26"), *_FAST), fps=30),
        Coding(suffix=".mp4", options=(("crf", "38"), *_FAST)),
    ),
}
OTHER_CODINGS["both"] = (
    Coding(suffix=".mp4", options=(("crf", "30"), *_FAST), bit_rate=32_000),
    Coding(
        suffix=".mkv",
        video="libx265",
        options=(("crf", "32"), ("preset", "ultrafast")),
        audio="libopus",
        bit_rate=24_000,
    ),
    Coding(
        suffix=".webm",
        video="libvpx-vp9",
        options=(("crf", "40"), ("b", "0"), ("deadline", "realtime"), ("cpu-used", "8")),
        audio="libopus",
        bit_rate=16_000,
    ),
    Coding(
        suffix=".avi",
        video="mpeg4",
        options=(("b", "400000"),),
        audio="libmp3lame",
        bit_rate=64_000,
    ),
    Coding(suffix=".mp4", options=(("crf", "28"), *_FAST), side_px=160, bit_rate=48_000),
    Coding(suffix=".mp4", options=(("crf", "26"), *_FAST), fps=30, bit_rate=48_000),
)
REMUXED_SUFFIXES = {
    "sound": (".mka", ".mkv"),
    "picture": (".mkv", ".ts", ".mov"),
    "both": (".mkv", ".ts", ".mov"),
}
