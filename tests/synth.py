"""Tiny real media files made in code, with known truth: sound, pictures, clocks; seeded.

Pictures carry their own number as blocks of black and white (`numbered_picture`, `read_number`), so
that a test can tell which frame came back after any codec.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

_CLOCK = 90_000  # ticks a second for pictures: every usual frame rate is exact
_NUMBER_BITS = 10


@dataclass(frozen=True, kw_only=True)
class Sound:
    """A sound stream to encode: samples (S,) or (C, S) float in [-1, 1]."""

    samples: np.ndarray
    rate_hz: int = 16000
    codec: str = "aac"
    start_s: float = 0.0
    layout: str | None = None
    bit_rate: int | None = None

    @property
    def channels(self) -> np.ndarray:
        return np.atleast_2d(np.asarray(self.samples, np.float32))


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """A picture stream to encode: (H, W, 3) uint8 RGB pictures shown at ``times_s``."""

    pictures: Sequence[np.ndarray]
    times_s: Sequence[float]
    codec: str = "libx264"
    pix_fmt: str = "yuv420p"
    rotation_deg: int = 0
    options: dict[str, str] = field(default_factory=dict)


def tone(seconds: float, rate_hz: int = 16000, hz: float = 440.0, amplitude: float = 0.3):
    """(S,) float32 sine."""
    t = np.arange(round(seconds * rate_hz)) / rate_hz
    return (amplitude * np.sin(2 * np.pi * hz * t)).astype(np.float32)


def noise(seconds: float, rate_hz: int = 16000, seed: int = 0, amplitude: float = 0.1):
    """(S,) float32 white Gaussian noise."""
    rng = np.random.default_rng(seed)
    return (amplitude * rng.standard_normal(round(seconds * rate_hz))).astype(np.float32)


def click(seconds: float, at_s: float, rate_hz: int = 16000, length_s: float = 0.001):
    """(S,) float32 silence with one short pulse that starts at ``at_s``."""
    samples = np.zeros(round(seconds * rate_hz), np.float32)
    start = round(at_s * rate_hz)
    samples[start : start + max(1, round(length_s * rate_hz))] = 0.9
    return samples


def speech_like(seconds: float, rate_hz: int = 16000, seed: int = 0) -> np.ndarray:
    """(S,) float32 voiced syllables with a gliding pitch and three formants; no words."""
    rng = np.random.default_rng(seed)
    n = round(seconds * rate_hz)
    t = np.arange(n) / rate_hz
    pitch = 120 + 40 * rng.random() + 15 * np.sin(2 * np.pi * 0.7 * t + rng.random() * 6)
    phase = 2 * np.pi * np.cumsum(pitch) / rate_hz
    voice = np.zeros(n)
    syllable = rng.integers(0, 4, n // max(1, round(0.2 * rate_hz)) + 1)
    vowels = np.array([[730, 1090, 2440], [270, 2290, 3010], [570, 840, 2410], [660, 1720, 2410]])
    formants = vowels[np.repeat(syllable, round(0.2 * rate_hz))[:n]]
    for harmonic in range(1, int(min(4000, rate_hz / 2) / 180)):
        hz = harmonic * pitch
        gain = sum(np.exp(-(((hz - formants[:, k]) / 130) ** 2)) / (k + 1) for k in range(3))
        voice += (gain + 0.02) * np.sin(harmonic * phase)
    rhythm = np.clip(np.sin(2 * np.pi * 2.5 * t + rng.random()), 0, 1) ** 0.5
    voice = voice * rhythm + 0.003 * rng.standard_normal(n)
    return (0.5 * voice / np.abs(voice).max()).astype(np.float32)


def numbered_picture(number: int, width: int = 64, height: int = 48) -> np.ndarray:
    """(H, W, 3) uint8: ``number`` in binary as blocks over the upper half, colour ramp below."""
    picture = np.zeros((height, width, 3), np.uint8)
    ramp = np.linspace(40, 220, width).astype(np.uint8)
    picture[height // 2 :, :, 0], picture[height // 2 :, :, 2] = ramp, ramp[::-1]
    edges = np.linspace(0, width, _NUMBER_BITS + 1).round().astype(int)
    for bit in range(_NUMBER_BITS):
        if number >> bit & 1:
            picture[: height // 2, edges[bit] : edges[bit + 1]] = 255
    return picture


def read_number(picture: np.ndarray) -> int:
    """The number that `numbered_picture` wrote, after any codec or scaling."""
    height, width = picture.shape[:2]
    upper = picture[: max(1, height // 2 - 2)].mean(axis=(0, 2))
    edges = np.linspace(0, width, _NUMBER_BITS + 1)
    centres = ((edges[:-1] + edges[1:]) / 2).astype(int)
    return sum(1 << bit for bit, x in enumerate(centres) if upper[x] > 128)


def numbered_pictures(times_s: Sequence[float], *, width: int = 64, height: int = 48, **options):
    """`Pictures` that count 0, 1, 2, … at the times given."""
    pictures = [numbered_picture(i, width, height) for i in range(len(times_s))]
    return Pictures(pictures=pictures, times_s=times_s, **options)


def constant_rate(n: int, fps: float, start_s: float = 0.0) -> list[float]:
    """Times of ``n`` frames at a constant rate."""
    return [start_s + i / fps for i in range(n)]


def encode(
    path: Path, *, sound: Sound | None = None, pictures: Pictures | None = None, container=None
) -> Path:
    """Write a media file; the container follows the name unless it is given.

    Packets are muxed in the order of time, as a recorder would.
    """
    with av.open(str(path), "w", format=container) as out:
        video = _add_video(out, pictures) if pictures else None
        audio = _add_audio(out, sound) if sound else None
        packets = []
        if pictures:
            packets += _video_packets(video, pictures)
        if sound:
            packets += _audio_packets(audio, sound)
        out.start_encoding()
        for packet in sorted(packets, key=lambda p: p.dts * p.time_base):
            out.mux(packet)
    return path


def _add_video(out, pictures: Pictures):
    height, width = pictures.pictures[0].shape[:2]
    stream = out.add_stream(pictures.codec, options=pictures.options)
    stream.width, stream.height, stream.pix_fmt = width, height, pictures.pix_fmt
    stream.codec_context.time_base = stream.time_base = Fraction(1, _CLOCK)
    if pictures.rotation_deg:
        stream.set_display_rotation(pictures.rotation_deg)
    return stream


def _video_packets(stream, pictures: Pictures):
    packets = []
    for picture, time_s in zip(pictures.pictures, pictures.times_s, strict=True):
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = round(time_s * _CLOCK), Fraction(1, _CLOCK)
        packets += stream.encode(frame)
    return packets + stream.encode(None)


def _layout(sound: Sound) -> str:
    count = len(sound.channels)
    return sound.layout or {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}.get(count, f"{count}C")


def _add_audio(out, sound: Sound):
    stream = out.add_stream(sound.codec, rate=sound.rate_hz, layout=_layout(sound))
    if sound.bit_rate:
        stream.bit_rate = sound.bit_rate
    return stream


def _audio_packets(stream, sound: Sound):
    context, rate = stream.codec_context, sound.rate_hz
    # Interleaved: PyAV 18 miscounts the planes of eight channels and more.
    interleaved = np.ascontiguousarray(sound.channels.T).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(interleaved, format="flt", layout=_layout(sound))
    frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
    frame.pts = round(sound.start_s * rate)
    shape = av.AudioResampler(
        format=context.format,
        layout=context.layout,
        rate=rate,
        frame_size=context.frame_size or 960,
    )
    packets = []
    for part in [*shape.resample(frame), *shape.resample(None)]:
        packets += stream.encode(part)
    return packets + stream.encode(None)


def wav_bytes(samples: np.ndarray, rate_hz: int, *, codec: int = 1, bits: int = 16) -> bytes:
    """A WAV header written by hand around samples already in their wire form (C interleaved)."""
    data = np.ascontiguousarray(samples).tobytes()
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    block = channels * bits // 8
    header = b"".join(
        [
            np.array([codec, channels], "<u2").tobytes(),
            np.array([rate_hz, min(rate_hz * block, 2**32 - 1)], "<u4").tobytes(),
            np.array([block, bits], "<u2").tobytes(),
        ]
    )
    body = b"WAVEfmt " + np.uint32(16).tobytes() + header
    body += b"data" + np.uint32(len(data)).tobytes() + data
    return b"RIFF" + np.uint32(len(body)).tobytes() + body


def ulaw_bytes(samples: np.ndarray) -> bytes:
    """Headerless µ-law (ITU-T G.711), as in the payload of a call; (S,) or (C, S) interleaved."""
    return _g711(np.atleast_2d(samples), "pcm_mulaw", "mulaw")


def alaw_bytes(samples: np.ndarray) -> bytes:
    """Headerless A-law (ITU-T G.711); (S,) or (C, S) interleaved."""
    return _g711(np.atleast_2d(samples), "pcm_alaw", "alaw")


def _g711(channels: np.ndarray, codec: str, container: str) -> bytes:
    import io

    out = io.BytesIO()
    sound = Sound(samples=channels, rate_hz=8000, codec=codec)
    with av.open(out, "w", format=container) as muxer:
        stream = _add_audio(muxer, sound)
        for packet in _audio_packets(stream, sound):
            muxer.mux(packet)
        muxer.close()
        return out.getvalue()


def photograph(path: Path, picture: np.ndarray | None = None) -> Path:
    """A still picture; the format follows the name (png, jpg, webp, bmp, tiff)."""
    from PIL import Image

    Image.fromarray(numbered_picture(5) if picture is None else picture).save(path)
    return path
