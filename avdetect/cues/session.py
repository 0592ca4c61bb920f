"""All cues of one clip: started, shown every observation, asked at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from avdetect.cues.base import ClipFacts, Cue, CueFigure, CueTools, Measurement, Outputs, Reading
from avdetect.cues.worth import CueWorth, Worths
from avdetect.observation import Observation


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
        self._readings: list[tuple[Cue, Reading]] = [(cue, cue.start(clip, tools)) for cue in cues]

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


def _finding(cue: Cue, measurement: Measurement, worths: Worths) -> CueFinding:
    worth = worths.get((cue.name, measurement.medium))
    fake_llr = None
    if worth is not None and worth.separates and measurement.missing is None:
        fake_llr = worth.model.fake_llr(measurement.features)
    return CueFinding(cue=cue, measurement=measurement, worth=worth, fake_llr=fake_llr)
