"""A reading that looks at each face once a second and tells of all looks at the end.

A cue of still pictures is two functions: `Method.look` measures one face in one whole picture,
`Method.tell` sums the numbers of all looks up. What lies between them is here, for all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from avdetect.branches.visual_forgery import unusable
from avdetect.cues.base import (
    ClipFacts,
    CueFigure,
    CuePicture,
    CueTools,
    Measurement,
    Medium,
    Outputs,
)
from avdetect.cues.faces import FaceMoment, face_moments
from avdetect.observation import Observation
from avdetect.types import Part, Segment

MOST_LOOKS = 512  # of one face: beyond, every other one is dropped and half as many are kept
MOST_FACES = 32  # of one clip: every cut begins a new track; those looked at most are kept
MOST_FIGURES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one face showed in one picture.

    Attributes:
        numbers: the same count for every look of a cue.
        picture: (H, W, 3) uint8 RGB at most 320 px a side, for the report; None where none is.
        interest: the picture of the largest is kept.
    """

    numbers: tuple[float, ...]
    picture: NDArray[np.uint8] | None = None
    interest: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tale:
    """What all looks at a face say together; the fields are those of `Measurement`."""

    features: tuple[float, ...]
    value: float | None
    text: str


@dataclass(slots=True)
class Looks:
    """All looks at one face, thinned where there are too many.

    Attributes:
        track: number of the face track.
        medium: of the clip.
        times_s, rows: of the looks kept, in time order.
        picture, picture_s, interest: of the most interesting look, and its moment.
        last_s: moment of the last look, kept or not.
        reason: why looks failed, the latest.
    """

    track: int
    medium: Medium
    times_s: list[float] = field(default_factory=list)
    rows: list[NDArray[np.float64]] = field(default_factory=list)
    picture: NDArray[np.uint8] | None = None
    picture_s: float = 0.0
    interest: float = -np.inf
    last_s: float = 0.0
    reason: str | None = None
    _n_seen: int = 0
    _step: int = 1

    @property
    def table(self) -> NDArray[np.float64]:
        """(T, K) numbers of the looks kept."""
        return np.stack(self.rows)

    @property
    def shown_s(self) -> float | None:
        """Moment of the picture; None of a photograph."""
        return None if self.medium is Medium.STILL else self.picture_s

    def take(self, look: Look, time_s: float) -> None:
        """Keep a look, or leave it out where enough are kept."""
        if self._n_seen % self._step == 0:
            self.rows.append(np.asarray(look.numbers, np.float64))
            self.times_s.append(time_s)
        self._n_seen += 1
        self.last_s = time_s
        if len(self.rows) > MOST_LOOKS:
            self.rows, self.times_s = self.rows[::2], self.times_s[::2]
            self._step *= 2
        if look.picture is not None and look.interest > self.interest:
            self.picture, self.picture_s, self.interest = look.picture, time_s, look.interest


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """How one cue measures faces.

    Attributes:
        look: measures one face in one picture, or says why it cannot, in words that follow
            "face 0".
        tell: sums up the looks at one face, or says in a sentence why it abstains.
        caption: of the picture.
        shows_person: the picture shows a face that can be recognised.
        draw: a figure made of all looks in place of the picture; None for the picture.
    """

    look: Callable[[FaceMoment], Look | str]
    tell: Callable[[Looks], Tale | str]
    caption: str
    shows_person: bool = True
    draw: Callable[[Looks], CueFigure] | None = None

    def start(self, clip: ClipFacts, tools: CueTools) -> PerFaceReading:
        """A reading of one clip, as `Cue.start` wants it."""
        return PerFaceReading(clip, self)


class PerFaceReading:
    """One cue on one clip, face by face; see `avdetect.cues.base.Reading`.

    Attributes:
        faces: track -> what was seen of it so far.
    """

    def __init__(self, clip: ClipFacts, method: Method) -> None:
        self._medium, self._method = clip.medium, method
        self.faces: dict[int, Looks] = {}

    def add(self, observation: Observation, outputs: Outputs) -> None:
        """Look at every face of every new whole picture."""
        for face in observation.faces:
            if (reason := unusable(face)) is not None and observation.pictures:
                self._looks(face.track).reason = reason
        for moment in face_moments(observation):
            looks = self._looks(moment.track)
            look = self._method.look(moment)
            if isinstance(look, str):
                looks.reason = f"face {moment.track} {look}"
            else:
                looks.take(look, moment.time_s)

    def measurements(self) -> list[Measurement]:
        """One a face: what its looks say together, or why they say nothing."""
        return [self._measured(looks) for _, looks in sorted(self.faces.items())]

    def figures(self) -> list[CueFigure]:
        """One a face, those with the most looks first."""
        busiest = sorted(self.faces.values(), key=lambda looks: -len(looks.rows))
        drawn = [self._figure(looks) for looks in busiest if looks.rows]
        return [figure for figure in drawn if figure is not None][:MOST_FIGURES]

    def _looks(self, track: int) -> Looks:
        if track not in self.faces and len(self.faces) >= MOST_FACES:
            # The shortest goes; a face just found is as short, but may grow.
            del self.faces[min(self.faces, key=lambda known: len(self.faces[known].rows))]
        return self.faces.setdefault(track, Looks(track, self._medium))

    def _measured(self, looks: Looks) -> Measurement:
        part = Part(face_track=looks.track)
        tale: Tale | str = (
            looks.reason or f"face {looks.track} is in none of the pictures looked at"
        )
        if looks.rows:
            tale = self._method.tell(looks)
        if isinstance(tale, str):
            return Measurement(medium=self._medium, part=part, missing=tale)
        seen = Segment(looks.times_s[0], looks.last_s) if looks.rows else None
        return Measurement(
            medium=self._medium,
            part=part,
            segment=None if self._medium is Medium.STILL else seen,
            features=tuple(float(number) for number in tale.features),
            value=tale.value,
            text=tale.text,
        )

    def _figure(self, looks: Looks) -> CueFigure | None:
        if self._method.draw is not None:
            return self._method.draw(looks)
        if looks.picture is None:
            return None
        return CuePicture(
            part=Part(face_track=looks.track),
            time_s=looks.shown_s,
            pixels=looks.picture,
            caption=self._method.caption,
            shows_person=self._method.shows_person,
        )
