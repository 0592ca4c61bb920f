"""Codec history: through which codecs did this recording go, one after the other.

The last codec is mostly known from the file. What came before it, or a history unpacked into WAV,
is told by traces that the coding leaves (after Luo, Yang & Huang 2014 and Hicsonmez et al. 2011).
Who says that a file is an original voice message, and it was a telephone call once, has to explain.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from avdetect.channels.histories import LINEAR
from avdetect.cues.base import ClipFacts, Cue, CueCurve, CueTools, Measurement, Medium
from avdetect.cues.codec_model import (
    CHECKPOINT,
    NAMES,
    CodecModel,
    container_family,
    shipped_model,
)
from avdetect.cues.codec_traces import codec_traces
from avdetect.cues.sounds import MOST_POINTS, Listener, SoundReading
from avdetect.observation import ChannelAudio, Observation
from avdetect.timebase import SAMPLE_RATE_HZ
from avdetect.types import Part, Segment

_LEAST_S = 2.0  # of a stretch with sound; traces were learned from two to four seconds
_NARROW_HZ, _WIDE_HZ = 4200.0, 8200.0

TITLES = {
    LINEAR: "no codec",
    "ulaw": "G.711 µ-law at 8 kHz",
    "alaw": "G.711 A-law at 8 kHz",
    "g722": "G.722 at 16 kHz",
    "amr": "AMR narrow band at 8 kHz",
    "opus": "Opus",
    "mp3": "MP3",
    "aac": "AAC",
}
EITHER_LAW = "G.711 at 8 kHz (µ-law or A-law)"
_LAWS = (NAMES.index("ulaw"), NAMES.index("alaw"))


class _CodecHistory:
    def __init__(self, container: str, model: CodecModel) -> None:
        self._container, self._model = container, model
        self._sum = np.zeros((len(NAMES), len(NAMES)))
        self._heard_s = self._longest_s = 0.0
        self._seen: Segment | None = None
        self._bandwidths_hz: list[float] = []
        self._curve: list[tuple[float, float]] = []

    def add(self, channel: ChannelAudio, observation: Observation) -> None:
        fresh = observation.segment.overlap(observation.fresh)
        if fresh is None or len(channel.waveform) < _LEAST_S * SAMPLE_RATE_HZ:
            return
        traces = codec_traces(channel.waveform)
        if traces is None:
            return
        found = self._model.log_probabilities(traces, self._container)
        # Outside of what is possible all stays -inf, and 0 times that would be no number.
        self._sum += fresh.duration_s * np.maximum(found, -1e6)
        self._heard_s += fresh.duration_s
        self._longest_s = max(self._longest_s, fresh.duration_s)
        first = self._seen.start_s if self._seen else observation.segment.start_s
        self._seen = Segment(first, observation.segment.end_s)
        if len(self._curve) < MOST_POINTS:
            middle_s = 0.5 * (observation.segment.start_s + observation.segment.end_s)
            self._curve.append((middle_s, 1.0 - float(np.exp(found[0]).sum())))
            if channel.bandwidth_hz is not None:
                self._bandwidths_hz.append(channel.bandwidth_hz)

    def measurement(self, part: Part) -> Measurement:
        if not self._heard_s:
            reason = f"too little sound: one stretch of {_LEAST_S:.0f} s with speech is needed"
            return Measurement(medium=Medium.SOUND, part=part, missing=reason)
        shares = self._probabilities()
        named = name_history(shares, self._model.sure)
        if named is None:
            return Measurement(medium=Medium.SOUND, part=part, missing=_unsure(shares))
        earlier = 1.0 - float(shares[0].sum())
        return Measurement(
            medium=Medium.SOUND,
            part=part,
            segment=self._seen,
            features=(earlier,),
            value=float(len(named)),
            text=f"history: {', then '.join(named) or 'no lossy codec'}{self._band()}",
        )

    def _probabilities(self) -> NDArray[np.float64]:
        # Stretches of one recording err alike: n of them say as much as the root of n that do not.
        mean = self._sum / self._heard_s * math.sqrt(self._heard_s / self._longest_s)
        return np.asarray(np.exp(mean - np.logaddexp.reduce(mean, axis=None)))

    def _band(self) -> str:
        if not self._bandwidths_hz:
            return ""
        hertz = float(np.median(self._bandwidths_hz))
        kind = "telephone" if hertz < _NARROW_HZ else "wide" if hertz < _WIDE_HZ else "full"
        return f"; {kind} band, up to {hertz / 1000:.1f} kHz"

    def curve(self, part: Part) -> CueCurve | None:
        if not self._curve:
            return None
        x, y = np.array(self._curve, np.float64).T
        return CueCurve(
            part=part,
            x=x,
            y=100.0 * y,
            x_name="time, s",
            y_name="another codec came before, %",
            caption="How surely each stretch went through a codec before the last one.",
        )


class _Mute:
    """Where nothing can be said, whatever is heard."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def add(self, channel: ChannelAudio, observation: Observation) -> None:
        return

    def measurement(self, part: Part) -> Measurement:
        return Measurement(medium=Medium.SOUND, part=part, missing=self._reason)

    def curve(self, part: Part) -> CueCurve | None:
        return None


def name_history(shares: NDArray[np.float64], sure: float) -> tuple[str, ...] | None:
    """Codecs in the order of time, in words; None where no history is likely enough.

    Where µ-law and A-law are likely enough together alone, the name leaves open which it was.

    Args:
        shares: (F, L) probabilities of first and last codec, as in `NAMES`.
        sure: least probability.
    """
    first, last = np.unravel_index(int(shares.argmax()), shares.shape)
    if shares[first, last] >= sure:
        return tuple(TITLES[NAMES[k]] for k in (int(first), int(last)) if NAMES[k] != LINEAR)
    if int(first) in _LAWS and shares[_LAWS, last].sum() >= sure:
        return (EITHER_LAW, TITLES[NAMES[int(last)]])
    if int(last) in _LAWS and first == 0 and shares[0, _LAWS].sum() >= sure:
        return (EITHER_LAW,)
    return None


def _unsure(shares: NDArray[np.float64]) -> str:
    best = np.argsort(shares, axis=None)[::-1][:2]
    told = []
    for flat in best:
        pair = [int(k) for k in np.unravel_index(int(flat), shares.shape)]
        words = " then ".join(TITLES[NAMES[k]] for k in pair if NAMES[k] != LINEAR)
        told.append(f"{words or 'no codec'} {100 * shares.flat[flat]:.0f} %")
    return f"no history fits clearly: {', '.join(told)}"


def _start(clip: ClipFacts, tools: CueTools) -> SoundReading:
    codec = next((s.codec for s in clip.streams if s.kind == "audio"), "pcm_s16le")
    return SoundReading(lambda: _listener(codec))


def _listener(codec: str) -> Listener:
    container, model = container_family(codec), shipped_model()
    if container is None:
        return _Mute(f"histories that end in the codec {codec} were not learned")
    if model is None:
        return _Mute(f"the model {CHECKPOINT} is not among the models at hand")
    return _CodecHistory(container, model)


CUE = Cue(
    name="codec_history",
    title="Codec history",
    measures="Through which codecs the sound went, one after the other: a call played into a file "
    "keeps the traces of the call.",
    reference="Luo, Yang & Huang 2014, double-compressed audio; Hicsonmez et al. 2011, codec "
    "identification",
    unit="codecs",
    features=("earlier_codec_share",),
    truth=None,
    media=(Medium.SOUND,),
    start=_start,
    least_s=_LEAST_S,
)
