"""Breathing: between stretches of speech people audibly take in air; engines seldom do.

Layton et al., "Every Breath You Don't Take: Deepfake Speech Detection Using Breath" (2024): rate
and presence of breaths tell speech in the wild from synthetic speech. A breath is a short rise of
noise without pitch within a pause; the heuristics are those of Ruinskiy & Lavner (2007): level
between floor and speech, length, no voicing, little energy below 500 Hz.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_closing, uniform_filter1d

from avdetect.cues.base import (
    ClipFacts,
    Cue,
    CueCurve,
    CueFigure,
    CueTools,
    Measurement,
    Medium,
    Outputs,
    Truth,
)
from avdetect.observation import ChannelAudio, Observation
from avdetect.timebase import SAMPLE_RATE_HZ, seconds_to_samples
from avdetect.types import Part, Segment

LEAST_S = 5.0  # one breath group: people in speech take air every three to six seconds
LEAST_PAUSE_S = 0.2
HUMAN_PER_MINUTE = (8.0, 25.0)

_HOP = 320  # samples: 20 ms
_SPAN = 640
_FRAME_S = _HOP / SAMPLE_RATE_HZ
_MOST_FRAMES = 60_000  # twenty minutes of one channel tell what two hours would
_MOST_CHANNELS = 16
_ABOVE_FLOOR_DB, _BELOW_SPEECH_DB, _FAINTEST_DB = 5.0, 8.0, 55.0
_SHORTEST_S, _LONGEST_S = 0.1, 1.0
_VOICED = 0.7  # periodicity from which a frame has a pitch
_RUMBLE_DB = 6.0  # more of it below 500 Hz than above: a bump at the microphone
_RISE_DB = 4.0  # of a breath above what is before it in its pause: the tail of a word only falls
_HOLE = 3  # frames of another kind that a breath may hold
_SILENCE_DB = -100.0
_MOST_CURVE_POINTS = 2000

_POWER, _RUMBLE, _PERIODIC, _SPEECH = range(4)  # columns
Frames = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Breath:
    """One intake of air: its time, length, and how far below speech it is."""

    start_s: float
    duration_s: float
    below_speech_db: float


@dataclass(slots=True)
class _Channel:
    start_s: float
    frames: list[Frames] = field(default_factory=list)
    n: int = 0

    def joined(self) -> NDArray[np.float64]:
        return np.concatenate(self.frames).astype(np.float64)


class _Breathing:
    def __init__(self, clip: ClipFacts) -> None:
        self._channels: dict[str, _Channel] = {}

    def add(self, observation: Observation, outputs: Outputs) -> None:
        """Describe the fresh frames of each channel."""
        for channel in observation.channels:
            if len(self._channels) >= _MOST_CHANNELS and channel.channel not in self._channels:
                continue
            known = self._channels.setdefault(
                channel.channel, _Channel(start_s=observation.fresh.start_s)
            )
            if known.n < _MOST_FRAMES:
                first = round((observation.fresh.start_s - known.start_s) / _FRAME_S)
                frames = _describe(channel, observation, first - known.n)
                known.frames.append(frames)
                known.n += len(frames)

    def measurements(self) -> list[Measurement]:
        """Breaths of each channel between its first and its last word."""
        return [_measured(name, known) for name, known in self._channels.items()]

    def figures(self) -> list[CueFigure]:
        """Loudness over time, pauses shaded and breaths marked."""
        measured = [m for m in self.measurements() if m.missing is None]
        return [_curve(m.part, self._channels[m.part.channel or ""]) for m in measured[:4]]


def _describe(channel: ChannelAudio, observation: Observation, n_missed: int) -> Frames:
    """(F, 4) frames of the fresh part; ``n_missed`` unheard ones before it are silence."""
    skip = seconds_to_samples(observation.fresh.start_s - observation.segment.start_s)
    fresh = channel.waveform[skip:]
    n = len(fresh) // _HOP
    padded = np.pad(fresh[: n * _HOP], (0, _SPAN - _HOP))
    described = np.zeros((max(0, n_missed) + n, 4), np.float32)
    described[:, _POWER] = _SILENCE_DB
    if n == 0:
        return described
    windows = np.lib.stride_tricks.sliding_window_view(padded, _SPAN)[::_HOP] * np.hanning(_SPAN)
    power = np.abs(np.fft.rfft(windows, 2 * _SPAN)) ** 2
    hz = np.fft.rfftfreq(2 * _SPAN, 1.0 / SAMPLE_RATE_HZ)
    low, high = power[:, (hz > 60) & (hz < 500)].sum(1), power[:, hz >= 500].sum(1)
    times_s = observation.fresh.start_s + (np.arange(n) + 0.5) * _FRAME_S
    scale = _SPAN**2
    rows = described[-n:]
    rows[:, _POWER] = 10.0 * np.log10((low + high) / scale + 1e-10)
    rows[:, _RUMBLE] = 10.0 * np.log10((low + 1e-9 * scale) / (high + 1e-9 * scale))
    rows[:, _PERIODIC] = _periodicity(power)
    for piece in channel.speech:
        rows[(times_s >= piece.start_s) & (times_s < piece.end_s), _SPEECH] = 1.0
    return described


def _periodicity(power: NDArray[np.float64]) -> NDArray[np.float64]:
    """(F, B) power spectra to the highest normalised autocorrelation at 70 to 400 Hz."""
    auto = np.fft.irfft(power, axis=1)
    lags = slice(SAMPLE_RATE_HZ // 400, SAMPLE_RATE_HZ // 70)
    taper = np.fft.irfft(np.abs(np.fft.rfft(np.hanning(_SPAN), 2 * _SPAN)) ** 2)
    shape = (auto[:, lags] / np.maximum(auto[:, :1], 1e-12)) / (taper[lags] / taper[0])
    return np.asarray(shape.max(1))


def pauses(frames: NDArray[np.float64]) -> list[tuple[int, int]]:
    """First frame and end of every pause between two stretches of speech."""
    spoken = np.flatnonzero(frames[:, _SPEECH] > 0.5)
    gaps = np.flatnonzero(np.diff(spoken) > LEAST_PAUSE_S / _FRAME_S)
    return [(int(spoken[gap]) + 1, int(spoken[gap + 1])) for gap in gaps]


def find_breaths(frames: NDArray[np.float64], start_s: float) -> list[Breath]:
    """The longest intake of air in every pause, where there is one."""
    gaps = pauses(frames)
    if not gaps:
        return []
    speech_db, floor_db = _levels(frames, gaps)
    least_db = max(floor_db + _ABOVE_FLOOR_DB, speech_db - _FAINTEST_DB)
    power = frames[:, _POWER]
    air = (power >= least_db) & (power <= speech_db - _BELOW_SPEECH_DB)
    air &= (frames[:, _PERIODIC] < _VOICED) & (frames[:, _RUMBLE] < _RUMBLE_DB)
    found = [_longest_run(air, power, *gap) for gap in gaps]
    return [
        Breath(
            start_s=start_s + first * _FRAME_S,
            duration_s=(end - first) * _FRAME_S,
            below_speech_db=float(speech_db - power[first:end].mean()),
        )
        for first, end in found
        if _SHORTEST_S <= (end - first) * _FRAME_S <= _LONGEST_S
    ]


def _longest_run(
    air: NDArray[np.bool_], power: NDArray[np.float64], first: int, end: int
) -> tuple[int, int]:
    """Longest run of air within a pause that rises in it; none is (first, first)."""
    held = binary_closing(np.pad(air[first:end], _HOLE), np.ones(_HOLE))[_HOLE:-_HOLE]
    edges = np.flatnonzero(np.diff(np.concatenate([[False], held, [False]]).astype(int)))
    inside = uniform_filter1d(power[first:end], _HOLE, mode="nearest")
    runs = [
        (first + a, first + b)
        for a, b in zip(edges[::2], edges[1::2], strict=True)
        if inside[a:b].max() - inside[: a + int(inside[a:b].argmax()) + 1].min() >= _RISE_DB
    ]
    return max(runs, key=lambda run: run[1] - run[0], default=(first, first))


def _levels(frames: NDArray[np.float64], gaps: list[tuple[int, int]]) -> tuple[float, float]:
    """Level of speech (its louder half), and of the quietest tenth of the pauses, dB."""
    speech = frames[frames[:, _SPEECH] > 0.5, _POWER]
    return float(np.percentile(speech, 75)), float(np.percentile(_in_pauses(frames, gaps), 10))


def _in_pauses(frames: NDArray[np.float64], gaps: list[tuple[int, int]]) -> NDArray[np.float64]:
    return np.concatenate([frames[first:end, _POWER] for first, end in gaps])


def _measured(name: str, known: _Channel) -> Measurement:
    part = Part(channel=name)
    frames = known.joined()
    spoken = np.flatnonzero(frames[:, _SPEECH] > 0.5)
    heard_s = float(spoken[-1] + 1 - spoken[0]) * _FRAME_S if len(spoken) else 0.0
    gaps = pauses(frames)
    if heard_s < LEAST_S or not gaps:
        lack = (
            f"{heard_s:.1f} s from its first word to its last, {LEAST_S:.0f} s needed"
            if heard_s < LEAST_S
            else f"no pause of {LEAST_PAUSE_S:g} s between words"
        )
        return Measurement(medium=Medium.SOUND, part=part, missing=f"channel {name}: {lack}")
    breaths = find_breaths(frames, known.start_s)
    speech_db, floor_db = _levels(frames, gaps)
    loud_db = float(np.percentile(_in_pauses(frames, gaps), 90))
    rate = 60.0 * len(breaths) / heard_s
    return Measurement(
        medium=Medium.SOUND,
        part=part,
        segment=Segment(
            known.start_s + float(spoken[0]) * _FRAME_S,
            known.start_s + float(spoken[-1] + 1) * _FRAME_S,
        ),
        features=(
            # Without a breath both are 0: a share of one would tell how long the clip is.
            float(np.log2(1.0 + rate)),
            len(breaths) / len(gaps),
            (loud_db - speech_db) / 10.0,
            max(floor_db - speech_db, -70.0) / 10.0,
        ),
        value=rate,
        text=(
            f"{len(breaths)} breaths in {len(gaps)} pauses, {rate:.0f} a minute; people who speak "
            f"take {HUMAN_PER_MINUTE[0]:.0f} to {HUMAN_PER_MINUTE[1]:.0f}"
        ),
    )


def _curve(part: Part, known: _Channel) -> CueCurve:
    frames = known.joined()
    step = -(-len(frames) // _MOST_CURVE_POINTS)
    breaths = find_breaths(frames, known.start_s)
    return CueCurve(
        part=part,
        x=np.asarray(known.start_s + np.arange(0, len(frames), step) * _FRAME_S, np.float64),
        y=np.maximum(frames[::step, _POWER], -90.0),
        x_name="time, s",
        y_name="loudness, dB of full scale",
        marks=tuple(float(breath.start_s) for breath in breaths),
        bands=tuple(
            (known.start_s + first * _FRAME_S, known.start_s + end * _FRAME_S)
            for first, end in pauses(frames)
        ),
        caption="Shaded: pauses between words; lines: intakes of air heard in them.",
    )


def _start(clip: ClipFacts, tools: CueTools) -> _Breathing:
    return _Breathing(clip)


CUE = Cue(
    name="breathing",
    title="Breathing",
    measures="Intakes of air in the pauses of a voice: people need them, engines seldom make them.",
    reference="Layton et al. 2024, Every Breath You Don't Take; Ruinskiy & Lavner 2007",
    unit="breaths a minute",
    features=(
        "log2_1_plus_breaths_per_minute",
        "pauses_with_breath",
        "loudest_pause_10db",
        "quietest_pause_10db",
    ),
    truth=Truth.AUDIO,
    media=(Medium.SOUND,),
    start=_start,
    least_s=LEAST_S,
)
