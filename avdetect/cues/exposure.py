"""Exposure statistics: cameras clip the brightest and darkest pixels, generators rarely do.

McCloskey & Albright, "Detecting GAN-generated imagery using saturation cues" (2019): a camera's
sensor and tone curve leave some pixels at either end; networks that normalise their features hardly
reach them.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

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
from avdetect.cues.faces import face_moments
from avdetect.observation import Observation
from avdetect.types import Part, Segment

_DARK, _BRIGHT = 5, 250  # 8-bit levels
_STEPS = 256


class _Exposure:
    def __init__(self, clip: ClipFacts) -> None:
        self._medium = clip.medium
        self._counts: dict[int, NDArray[np.int64]] = {}
        self._seen: dict[int, Segment] = {}

    def add(self, observation: Observation, outputs: Outputs) -> None:
        """Count the brightness of each face's pixels, one picture a second."""
        for moment in face_moments(observation):
            levels = moment.crop.max(axis=2)
            counts = np.bincount(levels.ravel(), minlength=_STEPS)
            self._counts[moment.track] = self._counts.get(moment.track, 0) + counts
            first = self._seen.get(moment.track, Segment(moment.time_s, moment.time_s))
            self._seen[moment.track] = Segment(first.start_s, moment.time_s)

    def measurements(self) -> list[Measurement]:
        """Share of dark and bright pixels, and spread of the brightness."""
        return [self._measured(track, self._shares(track)) for track in sorted(self._counts)]

    def figures(self) -> list[CueFigure]:
        """The histogram of each face's brightness."""
        return [
            CueCurve(
                part=Part(face_track=track),
                x=np.arange(_STEPS, dtype=np.float64),
                y=self._shares(track),
                x_name="brightest colour channel, 8-bit level",
                y_name="share of pixels",
                bands=((0.0, float(_DARK)), (float(_BRIGHT), _STEPS - 1.0)),
                caption="Shaded: levels that a camera's exposure fills and generators seldom do.",
            )
            for track in sorted(self._counts)[:4]
        ]

    def _shares(self, track: int) -> NDArray[np.float64]:
        counts: NDArray[np.float64] = self._counts[track].astype(np.float64)
        return np.asarray(counts / counts.sum())

    def _measured(self, track: int, shares: NDArray[np.float64]) -> Measurement:
        dark, bright = float(shares[:_DARK].sum()), float(shares[_BRIGHT:].sum())
        levels = np.arange(_STEPS)
        mean = float(shares @ levels)
        spread = float(np.sqrt(shares @ (levels - mean) ** 2))
        return Measurement(
            medium=self._medium,
            part=Part(face_track=track),
            segment=None if self._medium is Medium.STILL else self._seen[track],
            features=(math.log10(dark + 1e-4), math.log10(bright + 1e-4), spread / 64.0),
            value=100.0 * (dark + bright),
            text=f"{100 * bright:.2f} % of the face's pixels blown out, {100 * dark:.2f} % black",
        )


def _start(clip: ClipFacts, tools: CueTools) -> _Exposure:
    return _Exposure(clip)


CUE = Cue(
    name="exposure",
    title="Exposure",
    measures="Shares of saturated and of black pixels: cameras leave them, generators hardly.",
    reference="McCloskey & Albright 2019, Detecting GAN-generated imagery using saturation cues",
    unit="%",
    features=("log10_dark_share", "log10_bright_share", "brightness_spread"),
    truth=Truth.VIDEO,
    media=(Medium.VIDEO, Medium.STILL),
    start=_start,
)
