"""Metadata against content: what a file says of its making, held against how it was made.

A table of documented rules (`avdetect.cues.metadata_rules`), after the practice of file forensics:
camera claims against quantisation tables (Kee, Johnson & Farid 2011, "Digital image authentication
from JPEG headers"), software names, clocks. It speaks of a file's history and never of forgery.
"""

from __future__ import annotations

import cv2
import numpy as np

from avdetect.cues.base import (
    ClipFacts,
    Cue,
    CueFigure,
    CuePicture,
    CueTools,
    Measurement,
    Medium,
    Outputs,
)
from avdetect.cues.metadata_rules import RULES, Kind, Rule
from avdetect.observation import Observation

_ROW_PX, _WIDTH_PX, _BAR_PX = 24, 320, 80


class _Metadata:
    def __init__(self, clip: ClipFacts) -> None:
        self._clip = clip
        has_picture = clip.is_still or any(s.kind == "video" for s in clip.streams)
        self._medium = clip.medium if has_picture else Medium.SOUND
        self._fired: list[tuple[Rule, str]] = [
            (rule, found) for rule in RULES if (found := rule.found(clip)) is not None
        ]

    def add(self, observation: Observation, outputs: Outputs) -> None:
        """Nothing: a file's claims are known before its first picture."""

    def measurements(self) -> list[Measurement]:
        """One of the file: the strengths of the rules that fired, kind by kind."""
        origin = self._clip.origin
        if not origin.tags and origin.jpeg is None and not self._fired:
            reason = "the file says nothing of its making"
            return [Measurement(medium=self._medium, missing=reason)]
        return [
            Measurement(
                medium=self._medium,
                features=tuple(
                    sum(rule.strength for rule, _ in self._fired if rule.kind is kind)
                    for kind in Kind
                ),
                value=float(len(self._fired)),
                text=_told([found for _, found in self._fired]),
            )
        ]

    def figures(self) -> list[CueFigure]:
        """The rules, with a bar as long as a rule is strong beside each that fired."""
        fired = {rule.name for rule, _ in self._fired}
        picture = np.full((_ROW_PX * len(RULES), _WIDTH_PX, 3), 255, np.uint8)
        for row, rule in enumerate(RULES):
            top = row * _ROW_PX
            shade = (0, 0, 0) if rule.name in fired else (160, 160, 160)
            name = rule.name.replace("_", " ")
            at = (8, top + 17)
            cv2.putText(picture, name, at, cv2.FONT_HERSHEY_SIMPLEX, 0.45, shade, 1, cv2.LINE_AA)
            if rule.name in fired:
                left = _WIDTH_PX - _BAR_PX - 8
                right = left + round(_BAR_PX * rule.strength)
                cv2.rectangle(picture, (left, top + 6), (right, top + 18), (200, 80, 40), -1)
        return [
            CuePicture(
                pixels=picture,
                caption="Rules that hold the file's claims against its coding; bars: those met.",
                shows_person=False,
            )
        ]


def _told(found: list[str]) -> str:
    if not found:
        return "nothing the file says of its making contradicts its coding"
    return "the file " + "; ".join(found)


def _start(clip: ClipFacts, tools: CueTools) -> _Metadata:
    return _Metadata(clip)


CUE = Cue(
    name="metadata",
    title="Metadata against content",
    measures="Claims of camera, software and time that contradict each other or the coding.",
    reference="Kee, Johnson & Farid 2011, Digital image authentication from JPEG headers",
    unit="met",
    features=tuple(f"{kind.value}_strength" for kind in Kind),
    truth=None,
    media=(Medium.SOUND, Medium.VIDEO, Medium.STILL),
    start=_start,
)
