"""The verdict as users and wires see it: frozen, typed, versioned.

The JSON schema of `Verdict` is committed as ``avdetect/schema/verdict-1.json``; a test holds the
two together. Numbers are JSON numbers or null, never NaN. Every ``fake_llr`` is a calibrated
natural-log likelihood ratio: > 0 favours fake.
"""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from avdetect.types import Decision

SCHEMA_VERSION = "1.5"


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("must be finite")
    return value


Finite = Annotated[float, AfterValidator(_finite)]
Probability = Annotated[float, Field(ge=0.0, le=1.0)]


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Stream(_Wire):
    """One stream of the input, as the container declares it."""

    kind: str = Field(description="audio, video or image")
    codec: str
    start_s: Finite = 0.0
    duration_s: Finite | None = None
    rate: Finite | None = Field(None, description="samples or frames a second")
    channels: int | None = None
    width: int | None = None
    height: int | None = None


class Input(_Wire):
    """What was judged."""

    path: str = Field(description="as given; bytes that are not UTF-8 shown as \\xNN")
    sha256: str | None = Field(None, description="of the file's bytes; null if unreadable")
    duration_s: Finite | None = None
    streams: tuple[Stream, ...] = ()


class PartVerdict(_Wire):
    """One branch's judgement of one sound channel or face over the clip."""

    channel: str | None = None
    face_track: int | None = None
    start_s: Finite | None = None
    end_s: Finite | None = None
    fake_llr: Finite | None = None
    missing: str | None = Field(None, description="why this part was not judged")


class BranchVerdict(_Wire):
    """One branch over the clip: its worst part corrected for their number."""

    fake_llr: Finite | None = None
    quality: Probability = Field(0.0, description="0: nothing usable, 1: all the material needed")
    parts: tuple[PartVerdict, ...] = ()


class Modalities(_Wire):
    """Fusion's separate answers, each a fake_llr; null where it has no evidence."""

    audio_fake: Finite | None = None
    video_fake: Finite | None = None
    out_of_sync: Finite | None = None


class TimelineEntry(_Wire):
    """One row of the timeline; indicative: windows are calibrated like the clip score."""

    start_s: Finite
    end_s: Finite
    branch: str
    channel: str | None = None
    face_track: int | None = None
    fake_llr: Finite


class FusedEntry(_Wire):
    """One row of what the branches say together; indicative, like the timeline it is fused from."""

    start_s: Finite
    end_s: Finite
    channel: str | None = None
    face_track: int | None = None
    fake_llr: Finite


class Evidence(_Wire):
    """Something a reader can go and look at or listen to."""

    branch: str
    channel: str | None = None
    face_track: int | None = None
    start_s: Finite
    end_s: Finite
    fake_llr: Finite
    text: str = Field(description="one plain sentence")


class SuspiciousSegment(_Wire):
    """A stretch whose frames stand out as forged: says where, and no such clip is called real."""

    branch: str
    channel: str | None = None
    face_track: int | None = None
    start_s: Finite
    end_s: Finite
    score: Probability = Field(
        description="how surely it stands out from what surrounds it; ranks stretches, and is no "
        "probability of fake"
    )


class Synchrony(_Wire):
    """How sound and lips of one speaking face lie to each other; never enters the decision.

    A constant offset is a fault of the recording, and no forgery.
    """

    channel: str | None = None
    face_track: int | None = None
    av_offset_s: Finite | None = Field(
        description="seconds by which the sound is late, early where < 0; searched up to 0.6 s "
        "either way, null where no offset stands out"
    )
    sync_distance: Finite = Field(
        description="LSE-D: mean distance of mouth and sound at the best offset, 0 to 2, low = "
        "in sync; not on the scale of SyncNet's own network"
    )
    sync_confidence: Finite = Field(
        description="LSE-C: how far that lies below the median of all offsets, high = in sync"
    )
    text: str = Field(description="one plain sentence")


class CueReliability(_Wire):
    """How well a cue tells fake from real where it was measured: clips of sources it never saw."""

    auc: Probability
    auc_low: Probability = Field(description="lower end of the 95 % interval")
    auc_high: Probability
    false_alarm_rate: Probability = Field(description="share of real clips with an LLR above 0")
    miss_rate: Probability = Field(description="share of fake clips with an LLR of at most 0")
    n_real: int
    n_fake: int


class Cue(_Wire):
    """A measurement beside the branches, with what it is worth."""

    name: str
    title: str = ""
    channel: str | None = None
    face_track: int | None = None
    start_s: Finite | None = Field(None, description="of the seconds it rests on; null of a file")
    end_s: Finite | None = None
    value: Finite | None = None
    unit: str = ""
    text: str = Field("", description="one plain sentence: what was seen, not what it proves")
    missing: str | None = Field(None, description="why nothing was measured")
    fake_llr: Finite | None = Field(
        None, description="calibrated; null where it abstained or was not surely worth anything"
    )
    reliability: CueReliability | None = Field(None, description="null where it is not known")
    added_llr: Finite = Field(0.0, description="what it added to the verdict: 0 for most cues")


class Model(_Wire):
    """A checkpoint that took part."""

    id: str
    sha256: str


class ReferencePart(_Wire):
    """One sound channel of the clip beside the enrolled voice."""

    channel: str
    speech_s: Finite = Field(description="seconds of speech compared")
    similarity: Annotated[float, Field(ge=-1.0, le=1.0)] | None = Field(
        None, description="cosine of the two speaker embeddings"
    )
    missing: str | None = Field(None, description="why this channel was not compared")


class ReferenceVerdict(_Wire):
    """How alike a clip's voices are to an enrolled one; never enters the decision.

    Similarity is not identity: a good clone of the enrolled person scores high, too.
    """

    path: str = Field(description="the enrolled recording")
    sha256: str
    speech_s: Finite = Field(description="seconds of speech in the enrolled recording")
    model: Model | None = Field(None, description="the speaker model; null without one")
    parts: tuple[ReferencePart, ...] = ()
    missing: str | None = Field(None, description="why nothing was compared")


class Quality(_Wire):
    """How much there was to judge."""

    speech_s: Finite | None = Field(None, description="seconds of speech, longest channel")
    bandwidth_hz: Finite | None = Field(None, description="effective audio bandwidth")
    face_px: Finite | None = Field(None, description="median side of the largest face track")
    frames_used: int = Field(0, description="frames on the 25 Hz clock that held a face")
    faces_seen: int = Field(0, description="face tracks followed; a cut starts new ones")
    more_faces: bool = Field(False, description="smaller faces were left out at some time")


class Failure(_Wire):
    """Why the input could not be judged at all."""

    code: str
    message: str


class Verdict(_Wire):
    """One clip's verdict. See the module docstring for conventions."""

    schema_version: str = SCHEMA_VERSION
    input: Input
    decision: Decision
    reason: str = Field("", description="one sentence: what carried the decision, or why none")
    decided_by: PartVerdict | None = Field(None, description="the part that carried the decision")
    fake_llr: Finite | None = None
    fake_probability: Probability | None = None
    prior_fake: Probability
    branches: dict[str, BranchVerdict] = Field(default_factory=dict)
    modalities: Modalities = Modalities()
    timeline: tuple[TimelineEntry, ...] = ()
    fused_timeline: tuple[FusedEntry, ...] = Field(
        (), description="of each face with its voice, or either alone: the branches together"
    )
    evidence: tuple[Evidence, ...] = ()
    suspicious: tuple[SuspiciousSegment, ...] = Field(
        (),
        description="stretches of a voice or a face that stand out as forged from the rest; they "
        "change no number, and a clip that has one is not called real",
    )
    synchrony: tuple[Synchrony, ...] = Field(
        (), description="audio-video offset of each judged speaking face"
    )
    cues: tuple[Cue, ...] = Field(
        (), description="forensic measurements, useful or not; see `added_llr`"
    )
    missing: dict[str, str] = Field(default_factory=dict, description="branch -> reason")
    reference: ReferenceVerdict | None = Field(
        None, description="the voice beside an enrolled one; null unless asked for"
    )
    quality: Quality = Quality()
    models: tuple[Model, ...] = ()
    error: Failure | None = None

    def to_json(self, *, indent: int | None = None) -> str:
        """The verdict as one JSON object, keys in the order of the schema."""
        return self.model_dump_json(indent=indent)

    @classmethod
    def from_json(cls, text: str | bytes) -> Verdict:
        """Read a verdict back; raises ``pydantic.ValidationError`` on any other shape."""
        return cls.model_validate_json(text)


def json_schema() -> dict[str, Any]:
    """The JSON schema of `Verdict`, as committed under ``avdetect/schema/``."""
    return Verdict.model_json_schema(mode="serialization")
