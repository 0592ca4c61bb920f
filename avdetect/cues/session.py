"""All cues of one clip: started, shown every observation, asked at the end.

A cue that fails is missing from there on, and the clip's verdict comes without it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from avdetect.cues.base import (
    ClipFacts,
    Cue,
    CueFigure,
    CueTools,
    Measurement,
    Medium,
    Outputs,
    Reading,
)
from avdetect.cues.worth import CueWorth, Worths
from avdetect.observation import Observation

_LOGGER = logging.getLogger(__name__)

_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True, kw_only=True)
class CueFinding:
    """One measurement with what it is worth.

    ``fake_llr`` is None where that is not known, or where the cue was no better than chance:
    what says nothing has no number.
    """

    cue: Cue
    measurement: Measurement
    worth: CueWorth | None
    fake_llr: float | None

    @property
    def added_llr(self) -> float:
        """What it adds to the verdict."""
        if self.worth is None or self.fake_llr is None:
            return 0.0
        return self.worth.say * self.fake_llr


@dataclass(frozen=True, slots=True, kw_only=True)
class CueExhibit:
    """A figure of one cue, for the report."""

    cue: str
    figure: CueFigure


class CueSession:
    """Readings of one clip by the chosen cues, in their order."""

    def __init__(self, cues: Sequence[Cue], clip: ClipFacts, tools: CueTools) -> None:
        self._readings = [(cue, _GuardedReading(cue, clip, tools)) for cue in cues]

    def add(self, observation: Observation, outputs: Outputs) -> None:
        """Show the next observation to every cue."""
        for _, reading in self._readings:
            reading.add(observation, outputs)

    def findings(self, worths: Worths) -> tuple[CueFinding, ...]:
        """What every cue found, judged by what its measurements are worth."""
        return tuple(
            _finding(cue, measurement, worths)
            for cue, reading in self._readings
            for measurement in reading.measurements()
        )

    def exhibits(self) -> tuple[CueExhibit, ...]:
        """Every cue's figures."""
        return tuple(
            CueExhibit(cue=cue.name, figure=figure)
            for cue, reading in self._readings
            for figure in reading.figures()
        )


class _GuardedReading:
    """A reading that is missing, and says so, from when its cue raised what it should not."""

    def __init__(self, cue: Cue, clip: ClipFacts, tools: CueTools) -> None:
        self._cue, self._clip = cue, clip
        self._failure: str | None = None
        self._reading: Reading | None = self._tried(lambda: cue.start(clip, tools))

    def add(self, observation: Observation, outputs: Outputs) -> None:
        if (reading := self._reading) is not None:
            self._tried(lambda: reading.add(observation, outputs))

    def measurements(self) -> list[Measurement]:
        found = None
        if (reading := self._reading) is not None:
            found = self._tried(reading.measurements)
        if self._failure is not None:
            return [Measurement(medium=_medium(self._cue, self._clip), missing=self._failure)]
        return found or []

    def figures(self) -> list[CueFigure]:
        if (reading := self._reading) is None:
            return []
        return self._tried(reading.figures) or []

    def _tried(self, step: Callable[[], _Found]) -> _Found | None:
        try:
            return step()
        except Exception as error:  # a cue stands beside the branches: it may end no clip, no batch
            _LOGGER.exception("cue %s failed", self._cue.name)
            self._failure = f"the cue failed on this input: {type(error).__name__}, see the log"
            self._reading = None
            return None


def _medium(cue: Cue, clip: ClipFacts) -> Medium:
    """What a cue would have measured."""
    return clip.medium if clip.medium in cue.media else cue.media[0]


def _finding(cue: Cue, measurement: Measurement, worths: Worths) -> CueFinding:
    worth = worths.get((cue.name, measurement.medium))
    fake_llr = None
    if worth is not None and worth.separates and measurement.missing is None:
        fake_llr = worth.model.fake_llr(measurement.features)
    return CueFinding(cue=cue, measurement=measurement, worth=worth, fake_llr=fake_llr)
