"""Real speech and music codecs, encoded and decoded in memory by FFmpeg through PyAV."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
        decoder_options: what the decoder must be told where no container does.
        lost_packet: what stands for a packet that never came, made from the packet, so that the
            decoder runs its own concealment; None where the codec has none or FFmpeg hides it.
    """

    encoder: str
    decoder: str
    rate_hz: int
    sample_format: str = "s16"
    bit_rate: int | None = None
    options: tuple[tuple[str, str], ...] = ()
    decoder_options: tuple[tuple[str, str], ...] = ()
    lost_packet: Callable[[bytes], bytes] | None = None


def _no_data_frame(_packet: bytes) -> bytes:
    """An AMR frame of type 15, NO_DATA (RFC 4867 section 4.3): the decoder conceals it."""
    return b"\x7c"


def _header_alone(packet: bytes) -> bytes:
    """An Opus packet of one frame without bytes: lost (RFC 6716 section 3.2.1)."""
    return bytes([packet[0] & 0xFC])


def _g726(bit_rate: int) -> Codec:
    bits = (("bits_per_coded_sample", str(bit_rate // 8_000)),)
    return Codec(
        encoder="g726", decoder="g726", rate_hz=8_000, bit_rate=bit_rate, decoder_options=bits
    )


def _amr(bit_rate: int) -> Codec:
    return Codec(
        encoder="libopencore_amrnb",
        decoder="libopencore_amrnb",
        rate_hz=8_000,
        bit_rate=bit_rate,
        lost_packet=_no_data_frame,
    )


def _opus(bit_rate: int, rate_hz: int) -> Codec:
    return Codec(
        encoder="libopus",
        decoder="libopus",
        rate_hz=rate_hz,
        bit_rate=bit_rate,
        options=(("application", "voip"),),
        lost_packet=_header_alone,
    )


def _mp3(bit_rate: int, rate_hz: int = SAMPLE_RATE_HZ) -> Codec:
    return Codec(
        encoder="libmp3lame",
        decoder="mp3",
        rate_hz=rate_hz,
        sample_format="s16p",
        bit_rate=bit_rate,
    )


def _aac(bit_rate: int, rate_hz: int = SAMPLE_RATE_HZ) -> Codec:
    return Codec(
        encoder="aac",
        decoder="aac",
        rate_hz=rate_hz,
        sample_format="fltp",
        bit_rate=bit_rate,
    )


_MUSIC_HZ = 48_000  # usual beside pictures, and at bit rates of music
_AMR_MODES = (4_750, 5_150, 5_900, 6_700, 7_400, 7_950, 10_200, 12_200)

# GSM-FR, Speex and iLBC: FFmpeg has no encoder of its own, PyAV brings none. Its Vorbis encoder is
# experimental and takes stereo only.
CODECS: dict[str, Codec] = {
    "ulaw": Codec(encoder="pcm_mulaw", decoder="pcm_mulaw", rate_hz=8_000),
    "alaw": Codec(encoder="pcm_alaw", decoder="pcm_alaw", rate_hz=8_000),
    "g722": Codec(encoder="g722", decoder="g722", rate_hz=16_000),
    "g723.1": Codec(encoder="g723_1", decoder="g723_1", rate_hz=8_000, bit_rate=6_300),
    **{f"g726_{k}": _g726(k * 1_000) for k in (16, 24, 32, 40)},
    **{f"amr_{mode / 1_000:g}": _amr(mode) for mode in _AMR_MODES},
    "msbc": Codec(encoder="sbc", decoder="sbc", rate_hz=16_000, options=(("msbc", "1"),)),
    "opus_6": _opus(6_000, 8_000),
    "opus_8": _opus(8_000, 8_000),
    "opus_12_narrow": _opus(12_000, 8_000),
    **{f"opus_{k}": _opus(k * 1_000, 16_000) for k in (12, 16, 24)},
    **{f"mp3_{k}": _mp3(k * 1_000) for k in (16, 24, 32, 64)},
    "mp3_128": _mp3(128_000, _MUSIC_HZ),
    **{f"aac_{k}": _aac(k * 1_000) for k in (16, 24, 48)},
    "aac_64": _aac(64_000, _MUSIC_HZ),
}


def through_codec(waveform: Waveform, name: str, lost: NDArray[np.bool_] | None = None) -> Waveform:
    """Encode and decode a waveform; what comes back lies on the same clock.

    Args:
        waveform: (S,) float32 in [-1, 1] at 16 kHz.
        name: a key of `CODECS`.
        lost: (P,) which of its packets (20 ms of AMR and Opus) the decoder never gets and conceals
            by its own means; packets behind the last flag arrive.

    Returns:
        (S,) float32: the codec's delay is removed, the end padded with zeros or cut.

    Raises:
        KeyError: if there is no such codec.
        ValueError: packets of a codec are lost whose decoder cannot be told.
    """
    codec = CODECS[name]
    at_rate = resample(waveform, SAMPLE_RATE_HZ, codec.rate_hz)
    # Two tenths of a second of silence behind flush the codec's own look-ahead.
    padded = np.concatenate([at_rate, np.zeros(codec.rate_hz // 5, np.float32)])
    decoded = _round_trip(padded, codec, lost)[_delay(name) :]
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


def _round_trip(
    waveform: Waveform, codec: Codec, lost: NDArray[np.bool_] | None = None
) -> Waveform:
    packets, extradata = _encode(waveform, codec)
    if lost is not None:
        packets = _lose(packets, codec, lost)
    decoder = cast(AudioCodecContext, CodecContext.create(codec.decoder, "r"))
    decoder.sample_rate, decoder.layout = codec.rate_hz, "mono"
    decoder.options = dict(codec.decoder_options)
    if extradata:
        decoder.extradata = extradata
    decoder.open()
    frames = [decoded for packet in packets for decoded in decoder.decode(packet)]
    frames += decoder.decode(None)
    rates = {decoded.sample_rate for decoded in frames}
    joined = np.concatenate([_floats(decoded) for decoded in frames])
    return resample(joined, rates.pop(), codec.rate_hz)


def _encode(waveform: Waveform, codec: Codec) -> tuple[list[av.Packet[Any]], bytes | None]:
    encoder = cast(AudioCodecContext, CodecContext.create(codec.encoder, "w"))
    encoder.sample_rate, encoder.layout = codec.rate_hz, "mono"
    encoder.format = codec.sample_format
    encoder.time_base = Fraction(1, codec.rate_hz)
    if codec.bit_rate is not None:
        encoder.bit_rate = codec.bit_rate
    encoder.options = dict(codec.options)
    encoder.open()
    packets = [*encoder.encode(_frame(waveform, codec)), *encoder.encode(None)]
    return packets, encoder.extradata


def _lose(
    packets: Sequence[av.Packet[Any]], codec: Codec, lost: NDArray[np.bool_]
) -> list[av.Packet[Any]]:
    if codec.lost_packet is None:
        raise ValueError(f"{codec.decoder} cannot be told of lost packets: lose decoded frames")
    gone = {index for index in np.flatnonzero(lost).tolist() if index < len(packets)}
    return [
        av.Packet(codec.lost_packet(bytes(packet))) if index in gone else packet
        for index, packet in enumerate(packets)
    ]


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
