"""The seam between the engine and a cue: what a cue is given and what it gives.

A cue measures something beside the branches: a pulse, a blink, a spectrum, a file's history. It is
started once a clip, sees every observation as it passes, and tells its measurements at the end.
What a measurement is worth is not its to say: `avdetect.cues.worth` reads that from a checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from avdetect.branches.base import BranchOutput
from avdetect.media.clip import Clip
from avdetect.media.origin import NO_ORIGIN, Origin
from avdetect.nn.face_network import FaceNetwork
from avdetect.observation import Observation
from avdetect.types import Part, Segment, StreamInfo

WHOLE_CLIP = Part()


class Medium(StrEnum):
    """What a measurement was made on; each has its own worth, for one trace differs in them."""

    SOUND = "sound"
    VIDEO = "video"
    STILL = "still"


class Truth(StrEnum):
    """Which truth about a clip a cue speaks of, and so by which its worth is measured."""

    AUDIO = "audio_label"
    VIDEO = "video_label"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipFacts:
    """What is known of a clip before its first observation.

    Attributes:
        name: for messages.
        is_still: the picture is a photograph.
        duration_s: as the container declares it, None where it does not.
        streams: as the container declares them.
        origin: what the file says of its own making.
    """

    name: str = ""
    is_still: bool = False
    duration_s: float | None = None
    streams: tuple[StreamInfo, ...] = ()
    origin: Origin = NO_ORIGIN

    @classmethod
    def of(cls, clip: Clip) -> ClipFacts:
        """Of an opened clip."""
        return cls(
            name=clip.path,
            is_still=clip.is_still,
            duration_s=clip.duration_s,
            streams=clip.streams,
            origin=clip.origin,
        )

    @property
    def medium(self) -> Medium:
        """Of a cue that looks at the picture."""
        return Medium.STILL if self.is_still else Medium.VIDEO


@dataclass(frozen=True, slots=True, kw_only=True)
class CueTools:
    """What cues may borrow from the engine; shared by all clips of a detector.

    Attributes:
        face_network: of the visual-forgery branch, None where there is none.
        device: where it runs.
    """

    face_network: FaceNetwork | None = None
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What one cue found on one part of a clip, or why it found nothing.

    Attributes:
        part: the channel or face it was measured on; the clip where neither is named.
        segment: the seconds it rests on, None of a photograph or file.
        features: (K,) finite numbers in the order of `Cue.features`; empty if ``missing`` is set.
        value: the one number to show, in `Cue.unit`; None where there is nothing to show.
        text: one plain sentence for an analyst: what was seen, never what it proves.
        missing: why the cue abstained, in words a user can act on; None where it measured.
        medium: what it was measured on.
    """

    medium: Medium
    part: Part = WHOLE_CLIP
    segment: Segment | None = None
    features: tuple[float, ...] = ()
    value: float | None = None
    text: str = ""
    missing: str | None = None

    def __post_init__(self) -> None:
        if bool(self.features) == (self.missing is not None):
            raise ValueError("a measurement has features, or a reason why not")
        if not np.isfinite(self.features).all():
            raise ValueError(f"features must be finite: {self.features}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CuePicture:
    """A picture of what a cue saw.

    Attributes:
        part: as of the measurement.
        time_s: moment it shows, None of a mean over the clip.
        pixels: (H, W, 3) uint8 RGB, at most 320 px a side.
        caption: one sentence.
        shows_person: the face can be recognised, so that it is left out where media are.
    """

    part: Part = WHOLE_CLIP
    time_s: float | None = None
    pixels: NDArray[np.uint8]
    caption: str
    shows_person: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CueCurve:
    """A curve of what a cue measured, at most 2000 points.

    Attributes:
        part: as of the measurement.
        x, y: (N,) float64 finite, x ascending.
        x_name, y_name: of the axes, with their units.
        marks: x of events worth a line, such as blinks.
        bands: intervals of x worth a shade, such as a range of human rates.
        caption: one sentence.
    """

    part: Part = WHOLE_CLIP
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    x_name: str
    y_name: str
    marks: tuple[float, ...] = ()
    bands: tuple[tuple[float, float], ...] = ()
    caption: str


CueFigure = CuePicture | CueCurve
Outputs = Mapping[str, Sequence[BranchOutput]]


class Reading(Protocol):
    """One cue on one clip; its memory is bounded whatever the clip's length."""

    def add(self, observation: Observation, outputs: Outputs) -> None:
        """Take in the next observation, in time order; only its fresh part is new.

        Args:
            observation: with whole pictures.
            outputs: what each branch said of it; empty where cues are run alone.
        """
        ...

    def measurements(self) -> list[Measurement]:
        """What was found so far, one entry a part; may be called more than once."""
        ...

    def figures(self) -> list[CueFigure]:
        """Pictures and curves for the report, at most one a part and four in all."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """One row of the table of cues.

    Attributes:
        name: lower case with underscores; stable, on the wire and in ``--cues``.
        title: for people, such as "Remote pulse".
        measures: one sentence: what trace it looks for and why forgeries leave it.
        reference: the paper or standard it follows.
        unit: of `Measurement.value`, empty for a plain number.
        features: names of the numbers a measurement holds.
        truth: which label its worth is measured by; None of a cue whose trace data that was coded
            anew no longer holds, and which is measured on files made in code.
        media: what it can be measured on.
        cheap: run unless told otherwise.
        least_s: seconds of usable material below which it abstains; 0 for none.
        start: begins a reading of one clip.
    """

    name: str
    title: str
    measures: str
    reference: str
    features: tuple[str, ...]
    media: tuple[Medium, ...]
    start: Callable[[ClipFacts, CueTools], Reading]
    truth: Truth | None
    unit: str = ""
    cheap: bool = True
    least_s: float = 0.0
