"""What a cue reads off a face picture by picture: numbers over time, of the longest tracks."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from avdetect.branches.visual_forgery import unusable
from avdetect.cues.base import ClipFacts, CueFigure, CueTools, Measurement, Medium, Outputs
from avdetect.observation import FaceWindow, Observation
from avdetect.timebase import FRAME_RATE_HZ
from avdetect.types import Part, Segment

MOST_TRACKS = 16  # of a clip cut into thousands of shots, the longest
MOST_S = 300.0  # five minutes of one face tell what two hours would
_MOST_FIGURES = 4
_MOST_GAP_S = 0.3  # longest time without a picture that is bridged
_LEAST_PIECE_S = 1.0
_LEAST_PICTURES_HZ = 12.0  # below, a blink or a syllable falls between two pictures

Series = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceSeries:
    """Numbers of one face, one row a new picture.

    Attributes:
        track: number of the face track.
        time_s: (N,) float64 true presentation times, ascending.
        values: (N, K) float32.
    """

    track: int
    time_s: NDArray[np.float64]
    values: Series

    @property
    def part(self) -> Part:
        """The face."""
        return Part(face_track=self.track)

    @property
    def segment(self) -> Segment:
        """From its first picture to its last."""
        return Segment(float(self.time_s[0]), float(self.time_s[-1]))

    def pieces(self, least_s: float = _LEAST_PIECE_S) -> list[Piece]:
        """Stretches without a gap, on an even 25 Hz clock; shorter ones are left out."""
        breaks = np.flatnonzero(np.diff(self.time_s) > _MOST_GAP_S) + 1
        bounds = [0, *breaks.tolist(), len(self.time_s)]
        found = []
        for first, end in itertools.pairwise(bounds):
            n = int((self.time_s[end - 1] - self.time_s[first]) * FRAME_RATE_HZ + 1e-6) + 1
            if n >= least_s * FRAME_RATE_HZ and end - first >= n * _LEAST_PICTURES_HZ / 25:
                start_s = float(self.time_s[first])
                clock_s = start_s + np.arange(n) / FRAME_RATE_HZ
                rows = slice(first, end)
                columns = [
                    np.interp(clock_s, self.time_s[rows], column)
                    for column in self.values[rows].T.astype(np.float64)
                ]
                found.append(Piece(start_s=start_s, values=np.stack(columns, 1)))
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of a series on an even clock: (N, K) float64, 25 rows a second."""

    start_s: float
    values: NDArray[np.float64]

    @property
    def time_s(self) -> NDArray[np.float64]:
        """(N,) of its rows."""
        clock_s: NDArray[np.float64] = self.start_s + np.arange(len(self.values)) / FRAME_RATE_HZ
        return clock_s

    @property
    def duration_s(self) -> float:
        """Seconds from its first row to the end of its last."""
        return len(self.values) / FRAME_RATE_HZ


Extract = Callable[[Observation, FaceWindow, NDArray[np.int64]], Series]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesRecipe:
    """What one cue does with the faces of a clip.

    Attributes:
        extract: (observation, face, T rows of it) to (T, K) numbers.
        measure: what a face's series says; it may abstain.
        draw: its figure, None where there is nothing to show.
        least_s: seconds in unbroken pieces below which ``measure`` is not asked.
    """

    extract: Extract
    measure: Callable[[FaceSeries], Measurement]
    draw: Callable[[FaceSeries], CueFigure | None]
    least_s: float

    def start(self, clip: ClipFacts, tools: CueTools) -> FaceSeriesReading:
        """A reading of one clip, as `Cue.start` wants it."""
        return FaceSeriesReading(clip, self)


@dataclass(slots=True)
class _Track:
    time_s: list[NDArray[np.float64]] = field(default_factory=list)
    values: list[Series] = field(default_factory=list)
    n: int = 0
    unusable: str | None = None


class FaceSeriesReading:
    """A reading (`avdetect.cues.base.Reading`) that follows every face by a recipe.

    It remembers at most `MOST_TRACKS` faces (the longest) of `MOST_S` seconds each.
    """

    def __init__(self, clip: ClipFacts, recipe: SeriesRecipe) -> None:
        self._is_still = clip.is_still
        self._recipe = recipe
        self._tracks: dict[int, _Track] = {}

    def add(self, observation: Observation, outputs: Outputs) -> None:
        """Read every new picture of every usable face."""
        if self._is_still:
            return
        for face in observation.faces:
            rows = new_rows(face, observation)
            if len(rows) == 0:
                continue
            track = self._tracks.setdefault(face.track, _Track())
            if (reason := unusable(face)) is not None:
                track.unusable = reason
            elif track.n < MOST_S * FRAME_RATE_HZ:
                track.time_s.append(face.frame_s[rows].astype(np.float64))
                values = self._recipe.extract(observation, face, rows)
                track.values.append(np.asarray(values, np.float32))
                track.n += len(rows)
        self._forget_the_shortest({face.track for face in observation.faces})

    def measurements(self) -> list[Measurement]:
        """One a face: what the recipe found, or why it was not asked."""
        return [self._measured(number) for number in sorted(self._tracks)]

    def figures(self) -> list[CueFigure]:
        """Of the longest faces that were measured."""
        measured = [m.part.face_track for m in self.measurements() if m.missing is None]
        longest = sorted(measured, key=lambda number: -self._tracks[number or 0].n)
        drawn = [self._recipe.draw(self._series(number or 0)) for number in longest[:_MOST_FIGURES]]
        return [figure for figure in drawn if figure is not None]

    def _measured(self, number: int) -> Measurement:
        track = self._tracks[number]
        if not track.n:
            return absent(number, track.unusable or f"face {number}: no usable picture")
        series = self._series(number)
        seconds = sum(piece.duration_s for piece in series.pieces())
        if seconds < self._recipe.least_s:
            return absent(
                number,
                f"face {number} was seen for {seconds:.1f} s without a break, "
                f"{self._recipe.least_s:.0f} s needed",
            )
        return self._recipe.measure(series)

    def _series(self, number: int) -> FaceSeries:
        track = self._tracks[number]
        return FaceSeries(
            track=number, time_s=np.concatenate(track.time_s), values=np.concatenate(track.values)
        )

    def _forget_the_shortest(self, on_screen: set[int]) -> None:
        while len(self._tracks) > MOST_TRACKS:
            gone = [number for number in self._tracks if number not in on_screen]
            gone = gone or list(self._tracks)  # cuts may put more into one observation
            del self._tracks[min(gone, key=lambda number: self._tracks[number].n)]


def absent(track: int, reason: str) -> Measurement:
    """That a cue abstains from a face of a video."""
    return Measurement(part=Part(face_track=track), medium=Medium.VIDEO, missing=reason)


def new_rows(face: FaceWindow, observation: Observation) -> NDArray[np.int64]:
    """Rows of a face that are fresh and show a picture that the row before did not."""
    is_new = np.diff(face.frame_s, prepend=-np.inf) > 0.0
    return np.asarray(np.flatnonzero(observation.is_fresh(face.frame_index) & is_new), np.int64)
