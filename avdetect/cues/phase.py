"""Phase of voiced speech: a throat couples the phases of its harmonics, vocoders redraw them.

Group delay (Yegnanarayana & Murthy 1992), instantaneous frequency and relative phase shift
(Saratxaga et al. 2009; Sanchez et al. 2015 for synthetic speech), over voiced frames alone.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from avdetect.cues.base import ClipFacts, Cue, CueCurve, CueTools, Measurement, Medium, Truth
from avdetect.cues.harmonics import BAND_EDGES_HZ, MEASURES, N_BANDS, phase_measures
from avdetect.cues.pitch import FRAME, HOP, HOP_S, track_pitch
from avdetect.cues.sounds import MOST_POINTS, FrameGrid, SoundReading, inside
from avdetect.observation import ChannelAudio, Observation
from avdetect.types import Part, Segment

_LEAST_RUN = 5  # frames
_LEAST_VOICED_S = 0.5
_STEADY = slice(MEASURES.index("shift_stability") * N_BANDS, None)
_BANDS = tuple(f"{low:.0f}_{high:.0f}_hz" for low, high in pairwise(BAND_EDGES_HZ))


class _Phase:
    def __init__(self) -> None:
        self._grid = FrameGrid(FRAME, HOP)
        self._sum = np.zeros(len(MEASURES) * N_BANDS)
        self._weight = np.zeros(len(MEASURES) * N_BANDS)
        self._n_voiced = 0
        self._seen: Segment | None = None
        self._curve: list[tuple[float, float]] = []  # seconds, stability: capped

    def add(self, channel: ChannelAudio, observation: Observation) -> None:
        frames, times_s = self._grid.take(channel, observation.segment.start_s)
        track = track_pitch(frames).within(inside(times_s, channel.speech))
        for run in track.runs(_LEAST_RUN):
            found, n = phase_measures(frames, track, run), run.stop - run.start
            known = np.isfinite(found)
            self._sum[known] += n * found[known]
            self._weight[known] += n
            self._n_voiced += n
            first = self._seen.start_s if self._seen else float(times_s[run][0])
            self._seen = Segment(first, float(times_s[run][-1]))
            steady = found[_STEADY][:N_BANDS]
            if np.isfinite(steady).all() and len(self._curve) < MOST_POINTS:
                self._curve.append((float(times_s[run].mean()), float(steady.mean())))

    def measurement(self, part: Part) -> Measurement:
        voiced_s = self._n_voiced * HOP_S
        if voiced_s < _LEAST_VOICED_S or not self._weight.all():
            needed = f"{_LEAST_VOICED_S:.1f} s needed"
            return Measurement(
                medium=Medium.SOUND,
                part=part,
                missing=f"too little voiced speech: {voiced_s:.1f} s found, {needed}",
            )
        mean: NDArray[np.float64] = self._sum / self._weight
        steady = 100.0 * float(mean[_STEADY][:N_BANDS].mean())
        return Measurement(
            medium=Medium.SOUND,
            part=part,
            segment=self._seen,
            features=tuple(mean.tolist()),
            value=steady,
            text=f"phases of the harmonics keep {steady:.0f} % of their relation from one "
            f"hundredth of a second to the next, over {voiced_s:.1f} s of voiced speech",
        )

    def curve(self, part: Part) -> CueCurve | None:
        if not self._curve:
            return None
        x, y = np.array(self._curve, np.float64).T
        return CueCurve(
            part=part,
            x=x,
            y=100.0 * y,
            x_name="time, s",
            y_name="steadiness of relative phase, %",
            caption="How steady the phases of harmonics stay against each other, a point for each "
            "voiced sound.",
        )


def _start(clip: ClipFacts, tools: CueTools) -> SoundReading:
    return SoundReading(_Phase)


CUE = Cue(
    name="phase",
    title="Phase of the voice",
    measures="How group delay, frequency and phase of a voice's harmonics hang together: a throat "
    "couples them, vocoders draw them anew.",
    reference="Saratxaga et al. 2009 and Sanchez et al. 2015, relative phase shift; Yegnanarayana "
    "& Murthy 1992, group delay",
    unit="%",
    features=tuple(f"{measure}_{band}" for measure in MEASURES for band in _BANDS),
    truth=Truth.AUDIO,
    media=(Medium.SOUND,),
    start=_start,
    least_s=_LEAST_VOICED_S,
)
