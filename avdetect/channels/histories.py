"""What a recording went through on its way: one codec after another, the last in a real file.

A history is made as it comes about: the first codec is a call or a file long gone, the last is the
file at hand, in its own container or unpacked into linear samples. What comes back is read by the
engine's own reader, so that whoever learns from it hears what the engine hears.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, cast

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream

from avdetect.channels.codecs import Waveform, fit_length, resample, through_codec
from avdetect.channels.degrade import narrow_band, scale_gain, telephone_band
from avdetect.media.clip import AudioChunk, open_clip
from avdetect.timebase import SAMPLE_RATE_HZ

LINEAR = "linear"  # no codec: samples as they are, in WAV or FLAC

# Family -> settings of `avdetect.channels.codecs.CODECS` that a user meets.
FAMILIES: dict[str, tuple[str, ...]] = {
    "ulaw": ("ulaw",),
    "alaw": ("alaw",),
    "g722": ("g722",),
    "amr": ("amr_4.75", "amr_5.9", "amr_7.4", "amr_7.95", "amr_10.2", "amr_12.2"),
    "opus": ("opus_12", "opus_16", "opus_24"),
    "mp3": ("mp3_24", "mp3_32", "mp3_64"),
    "aac": ("aac_24", "aac_48"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """One kind of file: FFmpeg's name of container and encoder, and how its encoder is set."""

    container: str
    encoder: str
    rate_hz: int
    bit_rate: int | None = None
    sample_format: str = "s16"


# Family -> files in which a user meets it; what the container says is then known.
FILES: dict[str, tuple[_File, ...]] = {
    "ulaw": (_File(container="wav", encoder="pcm_mulaw", rate_hz=8_000),),
    "alaw": (_File(container="wav", encoder="pcm_alaw", rate_hz=8_000),),
    "amr": tuple(
        _File(container="amr", encoder="libopencore_amrnb", rate_hz=8_000, bit_rate=bit_rate)
        for bit_rate in (5_900, 7_950, 12_200)
    ),
    "opus": tuple(
        _File(container="ogg", encoder="libopus", rate_hz=rate_hz, bit_rate=bit_rate)
        for rate_hz in (16_000, 48_000)
        for bit_rate in (16_000, 24_000, 32_000, 48_000)
    ),
    "mp3": tuple(
        _File(
            container="mp3",
            encoder="libmp3lame",
            rate_hz=rate_hz,
            bit_rate=bit_rate,
            sample_format="s16p",
        )
        for rate_hz, bit_rate in ((16_000, 32_000), (22_050, 48_000), (44_100, 128_000))
    ),
    "aac": tuple(
        _File(
            container="mp4", encoder="aac", rate_hz=rate_hz, bit_rate=bit_rate, sample_format="fltp"
        )
        for rate_hz, bit_rate in ((16_000, 32_000), (44_100, 64_000), (48_000, 96_000))
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What was done, in the order of time.

    Attributes:
        first: family of the codec before the last, `LINEAR` for none.
        last: family of the last codec, `LINEAR` for none.
        in_own_file: the last codec's own container is at hand; False where it was unpacked since.
    """

    first: str = LINEAR
    last: str = LINEAR
    in_own_file: bool = False

    def __post_init__(self) -> None:
        if self.last == LINEAR and self.first != LINEAR:
            raise ValueError("where one codec was used, it was the last")
        if self.in_own_file and self.last not in FILES:
            raise ValueError(f"no file of its own is known for {self.last}")


def make_history(waveform: Waveform, history: History, rng: np.random.Generator) -> Waveform:
    """Send speech through a history and read the file at its end as the engine does.

    Settings, a gain between the codecs and the band of the source are drawn at random: the band of
    a telephone does not mean that a codec was used.

    Args:
        waveform: (S,) float32 in [-1, 1] at 16 kHz, of no history itself.
        history: what to do.
        rng: draws the settings.

    Returns:
        (S,) float32 at 16 kHz.
    """
    sound = _source(waveform, rng)
    if history.first != LINEAR:
        sound = through_codec(sound, str(rng.choice(FAMILIES[history.first])))
        if rng.random() < 0.5:
            sound = scale_gain(sound, rng.uniform(-9, 0))
    if history.in_own_file:
        return fit_length(_file_read_back(sound, _drawn(FILES[history.last], rng)), len(waveform))
    if history.last != LINEAR:
        sound = through_codec(sound, str(rng.choice(FAMILIES[history.last])))
        if rng.random() < 0.3:
            sound = scale_gain(sound, rng.uniform(-9, 0))
    return np.asarray(np.round(np.clip(sound, -1, 1) * 32767) / 32768, np.float32)


def _source(waveform: Waveform, rng: np.random.Generator) -> Waveform:
    """At a level and in a band of its own."""
    peak = float(np.abs(waveform).max(initial=0.0)) or 1.0
    sound = (waveform / peak * 10 ** (rng.uniform(-18, -1) / 20)).astype(np.float32)
    kind = rng.random()
    if kind < 0.2:
        return narrow_band(sound)
    return narrow_band(telephone_band(sound)) if kind < 0.3 else sound


def _drawn(files: tuple[_File, ...], rng: np.random.Generator) -> _File:
    return files[int(rng.integers(len(files)))]


def file_bytes(waveform: Waveform, family: str, setting: int = 0) -> bytes:
    """A real file of a family around a waveform.

    Args:
        waveform: (S,) float32 in [-1, 1] at 16 kHz.
        family: a key of `FILES`.
        setting: which of its files.
    """
    return _encoded(waveform, FILES[family][setting])


def _file_read_back(waveform: Waveform, file: _File) -> Waveform:
    with open_clip(_encoded(waveform, file)) as clip:
        chunks = [c for c in clip.chunks(want_video=False) if isinstance(c, AudioChunk)]
    return np.concatenate([chunk.waveform[0] for chunk in chunks])


def _encoded(waveform: Waveform, file: _File) -> bytes:
    at_rate = resample(waveform, SAMPLE_RATE_HZ, file.rate_hz)
    out = io.BytesIO()
    with av.open(out, "w", format=file.container) as muxer:
        stream = cast(AudioStream, muxer.add_stream(file.encoder, rate=file.rate_hz, layout="mono"))
        context = stream.codec_context
        if file.bit_rate is not None:
            context.bit_rate = file.bit_rate
        for frame in _frames(at_rate, file, context):
            muxer.mux(stream.encode(frame))
        muxer.close()
        return out.getvalue()


def _frames(
    at_rate: Waveform, file: _File, context: AudioCodecContext
) -> list[av.AudioFrame | None]:
    samples: Any = np.clip(at_rate, -1, 1)
    if file.sample_format != "fltp":
        samples = np.round(samples * 32767).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(samples[None], format=file.sample_format, layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = file.rate_hz, 0, Fraction(1, file.rate_hz)
    shape = av.AudioResampler(
        format=file.sample_format,
        layout="mono",
        rate=file.rate_hz,
        frame_size=context.frame_size or 960,
    )
    return [*shape.resample(frame), *shape.resample(None), None]
