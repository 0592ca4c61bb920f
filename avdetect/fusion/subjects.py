"""Who is judged: a speaking face with its voice, a silent face, or a voice without a face."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from avdetect.branches.base import BranchOutput
from avdetect.types import Part, Segment

VOICE, FACE, SYNC = "voice_clone", "visual_forgery", "lip_sync"


@dataclass(frozen=True, slots=True)
class WindowRows:
    """What the branches said of one observation: branch name -> outputs, one per part."""

    segment: Segment
    outputs: Mapping[str, Sequence[BranchOutput]]


@dataclass(frozen=True, slots=True)
class Subject:
    """One face and voice that belong together, or either alone.

    Attributes:
        part: channel and face; one of them None where there is only the other.
        fake_llrs: calibrated LLR of each branch that judged this subject.
    """

    part: Part
    fake_llrs: dict[str, float]

    def parts(self) -> dict[str, Part]:
        """The part under which each branch reports this subject."""
        return {
            VOICE: Part(channel=self.part.channel),
            FACE: Part(face_track=self.part.face_track),
            SYNC: self.part,
        }


def find_subjects(fake_llrs: Mapping[str, Mapping[Part, float]]) -> list[Subject]:
    """Join the parts that each branch judged into subjects.

    A face that lip_sync judged with a channel is one subject with that channel's voice. Faces and
    channels that nothing joins stand alone, unless there is exactly one of each: a face on the
    screen and a voice in the room are taken together, lip_sync merely had nothing to say.

    Args:
        fake_llrs: branch -> part -> calibrated LLR, judged parts only.
    """
    voices = {p.channel: llr for p, llr in fake_llrs.get(VOICE, {}).items()}
    faces = {p.face_track: llr for p, llr in fake_llrs.get(FACE, {}).items()}
    joined = dict(fake_llrs.get(SYNC, {}))
    pairs = sorted(joined)
    if not pairs and len(voices) == 1 and len(faces) == 1:
        pairs = [Part(channel=next(iter(voices)), face_track=next(iter(faces)))]
    subjects = [_subject(pair, voices, faces, joined) for pair in pairs]
    for channel in sorted(set(voices) - {pair.channel for pair in pairs}, key=str):
        subjects.append(_subject(Part(channel=channel), voices, {}, {}))
    for track in sorted(set(faces) - {pair.face_track for pair in pairs}, key=str):
        subjects.append(_subject(Part(face_track=track), {}, faces, {}))
    return subjects


def _subject(
    part: Part,
    voices: Mapping[str | None, float],
    faces: Mapping[int | None, float],
    joined: Mapping[Part, float],
) -> Subject:
    fake_llrs: dict[str, float] = {}
    if part.channel is not None and part.channel in voices:
        fake_llrs[VOICE] = voices[part.channel]
    if part.face_track is not None and part.face_track in faces:
        fake_llrs[FACE] = faces[part.face_track]
    if part in joined:
        fake_llrs[SYNC] = joined[part]
    return Subject(part, fake_llrs)
