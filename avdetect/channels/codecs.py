"""Real speech and music codecs, encoded and decoded in memory by FFmpeg through PyAV."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, cast

import av
import numpy as np
import torch
import torchaudio.functional as AF
from av.audio.codeccontext import AudioCodecContext
from av.codec.context import CodecContext
from numpy.typing import NDArray

from avdetect.timebase import SAMPLE_RATE_HZ

Waveform = NDArray[np.float32]
_PROBE_SAMPLES = SAMPLE_RATE_HZ
_MOST_DELAY_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec:
    """One codec at one setting.

    Attributes:
        encoder, decoder: FFmpeg names.
        rate_hz: sampling rate at which it works.
        sample_format: what its encoder takes.
        bit_rate: bits a second, None where the codec has one rate only.
        options: private options of the encoder.
    """

    encoder: str
    decoder: str
    rate_hz: int
    sample_format: str = "s16"
    bit_rate: int | None = None
    options: tuple[tuple[str, str], ...] = ()


def _amr(bit_rate: int) -> Codec:
    return Codec(
        encoder="libopencore_amrnb", decoder="libopencore_amrnb", rate_hz=8_000, bit_rate=bit_rate
    )


def _opus(bit_rate: int, rate_hz: int) -> Codec:
    options = (("application", "voip"),)
    return Codec(
        encoder="libopus", decoder="libopus", rate_hz=rate_hz, bit_rate=bit_rate, options=options
    )


def _mp3(bit_rate: int, rate_hz: int = SAMPLE_RATE_HZ) -> Codec:
    return Codec(
        encoder="libmp3lame",
        decoder="mp3",
        rate_hz=rate_hz,
        sample_format="s16p",
        bit_rate=bit_rate,
    )


def _aac(bit_rate: int) -> Codec:
    return Codec(
        encoder="aac",
        decoder="aac",
        rate_hz=SAMPLE_RATE_HZ,
        sample_format="fltp",
        bit_rate=bit_rate,
    )


CODECS: dict[str, Codec] = {
    "ulaw": Codec(encoder="pcm_mulaw", decoder="pcm_mulaw", rate_hz=8_000),
    "alaw": Codec(encoder="pcm_alaw", decoder="pcm_alaw", rate_hz=8_000),
    "g722": Codec(encoder="g722", decoder="g722", rate_hz=16_000),
    "amr_4.75": _amr(4_750),
    "amr_7.4": _amr(7_400),
    "amr_12.2": _amr(12_200),
    "opus_6": _opus(6_000, 8_000),
    "opus_12": _opus(12_000, 16_000),
    "opus_16": _opus(16_000, 16_000),
    "opus_24": _opus(24_000, 16_000),
    "mp3_24": _mp3(24_000),
    "mp3_32": _mp3(32_000),
    "mp3_64": _mp3(64_000),
    "aac_24": _aac(24_000),
    "aac_48": _aac(48_000),
}


def through_codec(waveform: Waveform, name: str) -> Waveform:
    """Encode and decode a waveform; what comes back lies on the same clock.

    Args:
        waveform: (S,) float32 in [-1, 1] at 16 kHz.
        name: a key of `CODECS`.

    Returns:
        (S,) float32: the codec's delay is removed, the end padded with zeros or cut.

    Raises:
        KeyError: if there is no such codec.
    """
    codec = CODECS[name]
    at_rate = resample(waveform, SAMPLE_RATE_HZ, codec.rate_hz)
    # Two tenths of a second of silence behind flush the codec's own look-ahead.
    padded = np.concatenate([at_rate, np.zeros(codec.rate_hz // 5, np.float32)])
    decoded = _round_trip(padded, codec)[_delay(name) :]
    return fit_length(resample(decoded, codec.rate_hz, SAMPLE_RATE_HZ), len(waveform))


def resample(waveform: Waveform, from_hz: int, to_hz: int) -> Waveform:
    """Linear-phase resampling, (S,) to (ceil(S * to / from),); nothing moves in time."""
    if from_hz == to_hz:
        return waveform
    out = AF.resample(
        torch.from_numpy(np.ascontiguousarray(waveform)), from_hz, to_hz, lowpass_filter_width=32
    )
    return np.asarray(out.numpy(), np.float32)


def fit_length(waveform: Waveform, n_samples: int) -> Waveform:
    """Cut the end, or fill it with zeros."""
    if len(waveform) >= n_samples:
        return waveform[:n_samples]
    return np.concatenate([waveform, np.zeros(n_samples - len(waveform), np.float32)])


@lru_cache(maxsize=64)
def _delay(name: str) -> int:
    """Samples at the codec's rate by which its output is late, measured on a noise probe."""
    codec = CODECS[name]
    rng = np.random.default_rng(0)
    # Noise below 1.5 kHz with a beat: every codec keeps it, and its correlation has one peak.
    low = resample(rng.normal(0, 0.2, _PROBE_SAMPLES // 4).astype(np.float32), 3_000, codec.rate_hz)
    envelope = np.repeat(rng.uniform(0.1, 1.0, 40), -(-len(low) // 40))[: len(low)]
    probe = (low * envelope).astype(np.float32)
    decoded = fit_length(_round_trip(probe, codec), len(probe))
    size = 2 * len(probe)
    spectrum = np.fft.rfft(decoded, size) * np.conj(np.fft.rfft(probe, size))
    correlation = np.fft.irfft(spectrum, size)[: int(_MOST_DELAY_S * codec.rate_hz)]
    return int(np.argmax(correlation))


def _round_trip(waveform: Waveform, codec: Codec) -> Waveform:
    encoder = cast(AudioCodecContext, CodecContext.create(codec.encoder, "w"))
    encoder.sample_rate, encoder.layout = codec.rate_hz, "mono"
    encoder.format = codec.sample_format
    encoder.time_base = Fraction(1, codec.rate_hz)
    if codec.bit_rate is not None:
        encoder.bit_rate = codec.bit_rate
    encoder.options = dict(codec.options)
    encoder.open()
    frame = _frame(waveform, codec)
    packets = [*encoder.encode(frame), *encoder.encode(None)]
    decoder = cast(AudioCodecContext, CodecContext.create(codec.decoder, "r"))
    decoder.sample_rate, decoder.layout = codec.rate_hz, "mono"
    if encoder.extradata:
        decoder.extradata = encoder.extradata
    decoder.open()
    frames = [decoded for packet in packets for decoded in decoder.decode(packet)]
    frames += decoder.decode(None)
    rates = {decoded.sample_rate for decoded in frames}
    joined = np.concatenate([_floats(decoded) for decoded in frames])
    return resample(joined, rates.pop(), codec.rate_hz)


def _frame(waveform: Waveform, codec: Codec) -> av.AudioFrame:
    clipped = np.clip(waveform, -1.0, 1.0)
    whole = np.round(clipped * 32767).astype(np.int16)
    samples: NDArray[Any] = clipped if codec.sample_format == "fltp" else whole
    frame = av.AudioFrame.from_ndarray(samples[None], format=codec.sample_format, layout="mono")
    frame.sample_rate, frame.pts = codec.rate_hz, 0
    frame.time_base = Fraction(1, codec.rate_hz)
    return frame


def _floats(frame: av.AudioFrame) -> Waveform:
    samples = frame.to_ndarray()
    mono = samples.reshape(-1) if frame.layout.nb_channels == 1 else samples.mean(0)
    scale = 32768.0 if samples.dtype == np.int16 else 1.0
    return (mono / scale).astype(np.float32)
