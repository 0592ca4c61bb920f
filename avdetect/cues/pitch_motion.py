"""Small motions of the pitch: jitter, shimmer, tremor, and how a voice begins and ends.

A larynx is driven by muscles that fire irregularly, so that no two periods are quite alike and the
pitch trembles by some cycles a second (Titze 1994). Synthesis draws the pitch smooth, frame by
frame; conversion draws it anew.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from avdetect.cues.base import ClipFacts, Cue, CueCurve, CueTools, Measurement, Medium, Truth
from avdetect.cues.pitch import FRAME, HOP, HOP_S, PitchTrack, track_pitch
from avdetect.cues.sounds import FrameGrid, SoundReading, inside
from avdetect.observation import ChannelAudio, Observation
from avdetect.timebase import SAMPLE_RATE_HZ
from avdetect.types import Part, Segment

_LEAST_RUN = 8  # frames: shorter runs are no vowel
_TREMOR_FRAMES = 24  # 0.24 s: a spectrum in steps of 4 Hz
_TREMOR_BANDS = ((1, 3), (3, 6), (6, 13))  # bins: 4-8, 12-21, 25-50 Hz
_LEAST_TREMORS = 1
_LEAST_VOICED_S = 0.8
_CYCLE_SPAN = 160  # samples that two neighbouring cycles are compared over, 10 ms
_SEARCH = 4  # samples to either side of the pitch period
_MOST_CURVE = 2000
_USUAL_EDGE = 0.25  # of a voice whose beginning or end is not heard
_EDGE_FRAMES = 3  # of a run, over which its onset and end are measured

FEATURES = (
    "log10_jitter",
    "log10_shimmer_db",
    "log10_pitch_bend",
    "tremor_4_8_hz_db",
    "tremor_12_21_hz_db",
    "tremor_25_50_hz_db",
    "log10_pitch_spread",
    "onset_steepness",
    "end_steepness",
    "log10_runs_a_second",
)


class _PitchMotion:
    def __init__(self) -> None:
        self._grid = FrameGrid(FRAME, HOP)
        self._sums: dict[str, tuple[float, float]] = {}  # name -> sum, weight
        self._tremor = np.zeros(_TREMOR_FRAMES // 2 + 1)
        self._n_tremors = self._n_voiced = 0
        self._seen: Segment | None = None
        self._curve: list[tuple[float, float]] = []

    def add(self, channel: ChannelAudio, observation: Observation) -> None:
        frames, times_s = self._grid.take(channel, observation.segment.start_s)
        track = track_pitch(frames).within(inside(times_s, channel.speech))
        for run in track.runs(_LEAST_RUN):
            self._hear(frames, track, run)
            first = self._seen.start_s if self._seen else float(times_s[run][0])
            self._seen = Segment(first, float(times_s[run][-1]))
            points = zip(times_s[run].tolist(), track.hertz[run].tolist(), strict=True)
            self._curve += list(points)[: _MOST_CURVE - len(self._curve)]

    def _hear(self, frames: NDArray[np.float32], track: PitchTrack, run: slice) -> None:
        n = run.stop - run.start
        self._n_voiced += n
        log_pitch = np.log(track.hertz[run])
        periods, loudness_db = _cycles(frames[run], track.hertz[run])
        self._count("jitter", np.abs(np.diff(periods, 2)) / periods[1:-1], n)
        self._count("shimmer", np.abs(np.diff(loudness_db, 2)), n)
        self._count("bend", np.abs(np.diff(log_pitch, 2)), n)
        self._count("pitch", log_pitch, n)
        self._count("pitch_square", np.array([np.median(log_pitch) ** 2]), n)
        self._count("onset", _rise(track.strength, run.start, -1), 1)
        self._count("end", _rise(track.strength, run.stop - 1, 1), 1)
        self._count("run", np.ones(1), 1)
        for piece in _pieces(log_pitch):
            self._tremor += np.abs(np.fft.rfft(piece)) ** 2
            self._n_tremors += 1

    def _count(self, name: str, values: NDArray[np.float64], weight: float) -> None:
        if len(values):
            total, weights = self._sums.get(name, (0.0, 0.0))
            # The median: one frame at a wrong pitch must not make a trembling voice.
            self._sums[name] = (total + weight * float(np.median(values)), weights + weight)

    def _mean(self, name: str) -> float:
        total, weight = self._sums[name]
        return total / weight

    def measurement(self, part: Part) -> Measurement:
        voiced_s = self._n_voiced * HOP_S
        vowel_s = _TREMOR_FRAMES * HOP_S
        if voiced_s < _LEAST_VOICED_S:
            reason = f"{voiced_s:.1f} s found, {_LEAST_VOICED_S:.1f} s needed"
        elif self._n_tremors < _LEAST_TREMORS:
            reason = f"no sound is held for {vowel_s:.2f} s"
        else:
            reason = ""
        if reason:
            missing = f"too little sustained voice: {reason}"
            return Measurement(medium=Medium.SOUND, part=part, missing=missing)
        jitter, shimmer_db = self._mean("jitter"), self._mean("shimmer")
        return Measurement(
            medium=Medium.SOUND,
            part=part,
            segment=self._seen,
            features=self._features(jitter, shimmer_db, voiced_s),
            value=100.0 * jitter,
            text=f"periods of the voice differ by {100 * jitter:.2f} % and its loudness by "
            f"{shimmer_db:.2f} dB from one moment to the next, over {voiced_s:.1f} s of voice",
        )

    def _features(self, jitter: float, shimmer_db: float, voiced_s: float) -> tuple[float, ...]:
        spread = max(self._mean("pitch_square") - self._mean("pitch") ** 2, 1e-8)
        tremor = self._tremor / self._n_tremors
        return (
            float(np.log10(jitter + 1e-5)),
            float(np.log10(shimmer_db + 1e-3)),
            float(np.log10(self._mean("bend") + 1e-5)),
            *(float(10 * np.log10(tremor[a:b].mean() + 1e-9)) for a, b in _TREMOR_BANDS),
            float(0.5 * np.log10(spread)),
            self._mean("onset") if "onset" in self._sums else _USUAL_EDGE,
            self._mean("end") if "end" in self._sums else _USUAL_EDGE,
            float(np.log10(self._sums["run"][1] / voiced_s)),
        )

    def curve(self, part: Part) -> CueCurve | None:
        if not self._curve:
            return None
        x, y = np.array(self._curve, np.float64).T
        return CueCurve(
            part=part,
            x=x,
            y=y,
            x_name="time, s",
            y_name="pitch, Hz",
            caption="Pitch of the voiced sounds, a point each hundredth of a second.",
        )


def _cycles(
    frames: NDArray[np.float32], pitch_hz: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Period at the middle of each frame, in samples, by comparing two neighbouring cycles alone.

    Returns:
        (N,) periods to a fraction of a sample, and (N,) level of one whole period in dB.
    """
    period = np.round(SAMPLE_RATE_HZ / pitch_hz).astype(int)
    tried = np.arange(-_SEARCH, _SEARCH + 1)
    rows = np.arange(len(frames))[:, None]
    # The two spans lie around the frame's middle, a period apart.
    begin = (FRAME - _CYCLE_SPAN - period) // 2
    here = frames[rows, begin[:, None] + np.arange(_CYCLE_SPAN)].astype(np.float64)
    alike = np.stack(
        [_correlation(here, frames, begin + period + shift) for shift in tried], axis=1
    )
    best = np.clip(alike.argmax(axis=1), 1, len(tried) - 2)
    left, middle, right = (alike[rows[:, 0], best + k] for k in (-1, 0, 1))
    bend = np.minimum(left - 2 * middle + right, -1e-9)
    fraction = np.clip(0.5 * (left - right) / bend, -0.5, 0.5)
    return period + tried[best] + fraction, _level_db(frames, period)


def _level_db(frames: NDArray[np.float32], period: NDArray[np.int64]) -> NDArray[np.float64]:
    """(N,) level of one period in the middle: another length would beat with the pitch."""
    summed = np.cumsum(np.pad(frames.astype(np.float64) ** 2, ((0, 0), (1, 0))), axis=1)
    rows, first = np.arange(len(frames)), (FRAME - period) // 2
    energy = summed[rows, first + period] - summed[rows, first]
    return np.asarray(10 * np.log10(energy / period + 1e-10))


def _correlation(
    here: NDArray[np.float64], frames: NDArray[np.float32], begin: NDArray[np.int64]
) -> NDArray[np.float64]:
    columns = np.clip(begin[:, None] + np.arange(_CYCLE_SPAN), 0, FRAME - 1)
    there = frames[np.arange(len(frames))[:, None], columns].astype(np.float64)
    energy = (here**2).sum(axis=1) * (there**2).sum(axis=1)
    return np.asarray((here * there).sum(axis=1) / np.sqrt(energy + 1e-12))


def _rise(strength: NDArray[np.float64], edge: int, outward: int) -> NDArray[np.float64]:
    """(1,) by how much periodicity falls over the frames outside a run's edge; () at the border."""
    beyond = edge + outward * _EDGE_FRAMES
    if not 0 <= beyond < len(strength):
        return np.zeros(0)
    return np.array([strength[edge] - strength[beyond]])


def _pieces(log_pitch: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Stretches of `_TREMOR_FRAMES`, half overlapping, freed of slow motion and windowed."""
    at = np.linspace(-1, 1, _TREMOR_FRAMES)
    slow = np.stack([np.ones_like(at), at, at**2], axis=1)
    window = np.hanning(_TREMOR_FRAMES + 2)[1:-1]
    pieces = []
    for begin in range(0, len(log_pitch) - _TREMOR_FRAMES + 1, _TREMOR_FRAMES // 2):
        piece = log_pitch[begin : begin + _TREMOR_FRAMES]
        rest = piece - slow @ np.linalg.lstsq(slow, piece, rcond=None)[0]
        pieces.append(rest * window)
    return pieces


def _start(clip: ClipFacts, tools: CueTools) -> SoundReading:
    return SoundReading(_PitchMotion)


CUE = Cue(
    name="pitch_motion",
    title="Motion of the pitch",
    measures="How much a voice's periods, loudness and pitch tremble: muscles do so at random, "
    "synthesis draws smooth curves.",
    reference="Titze 1994, Principles of Voice Production; Boersma 1993, pitch by autocorrelation",
    unit="%",
    features=FEATURES,
    truth=Truth.AUDIO,
    media=(Medium.SOUND,),
    start=_start,
    least_s=_LEAST_VOICED_S,
)
