"""What is said of a file that was held against its seal: frozen, typed, JSON."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Outcome(StrEnum):
    """What became of the recording since it was sealed."""

    UNTOUCHED = "untouched"
    REMUXED = "remuxed"
    RE_ENCODED = "re-encoded"
    EDITED = "edited"
    UNRELATED = "unrelated"


class FindingKind(StrEnum):
    """What was done to a stretch or a track."""

    CUT = "cut"
    INSERTED = "inserted"
    ALTERED = "altered"
    SHIFTED = "shifted"
    TRACK_REMOVED = "track_removed"
    TRACK_ADDED = "track_added"


class Region(_Wire):
    """A part of the picture, as fractions of its width and height from the upper left corner."""

    left: float
    top: float
    right: float
    bottom: float


class SealFinding(_Wire):
    """One thing that was changed."""

    kind: FindingKind
    lanes: tuple[str, ...] = Field(description="what it was seen in: sound tracks, pictures")
    sealed_start_s: float | None = Field(None, description="on the clock of what was sealed")
    sealed_end_s: float | None = None
    file_start_s: float | None = Field(None, description="on the clock of the file under test")
    file_end_s: float | None = None
    region: Region | None = Field(None, description="where only a part of the picture changed")
    text: str = Field(description="one plain sentence")


class Stretch(_Wire):
    """Seconds of the sealed recording."""

    start_s: float
    end_s: float


class IntactChain(_Wire):
    """How far the chain of a stream's packets holds in its place."""

    stream: str
    n_seconds: int
    n_intact: int


class SealFacts(_Wire):
    """Who sealed what, and when by their clock."""

    signer: str = Field(description="fingerprint of the signing key")
    made_at: str
    made_by: str
    sealed_name: str
    sealed_sha256: str
    duration_s: float


class Verification(_Wire):
    """The outcome for one file."""

    schema_version: str = "1.0"
    path: str
    sha256: str
    outcome: Outcome
    seal: SealFacts
    findings: tuple[SealFinding, ...] = ()
    re_encoded: tuple[Stretch, ...] = Field(
        (), description="sealed seconds whose content is there, in other bytes"
    )
    intact: tuple[IntactChain, ...] = Field((), description="empty for an untouched file")
    notes: tuple[str, ...] = Field((), description="what limits this answer")

    def to_json(self) -> str:
        """One line of JSON."""
        return self.model_dump_json()
