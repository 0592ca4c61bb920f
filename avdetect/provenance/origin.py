"""What a file says, or carries, of its own origin: frozen, typed, JSON.

These are claims and marks, never a verdict: a file without them proves nothing, and whoever forges
can strip them.
"""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CredentialState(StrEnum):
    """What validating Content Credentials came to."""

    ABSENT = "absent"
    TRUSTED = "trusted"
    UNTRUSTED = "untrusted"
    TAMPERED = "tampered"
    INVALID = "invalid"
    REMOTE = "remote"
    UNREADABLE = "unreadable"


class ClaimedAction(_Wire):
    """One step of the history that a manifest claims."""

    action: str = Field(description="such as c2pa.created")
    source_type: str | None = Field(None, description="IPTC digital source type, its last part")
    software: str | None = None
    when: str | None = None


class ClaimedIngredient(_Wire):
    """A file from which this one is said to be made."""

    title: str
    relationship: str | None = None
    made_by_model: bool = Field(False, description="its own manifest says so")


class ContentCredentials(_Wire):
    """The active C2PA manifest: its state, and what it claims."""

    state: CredentialState
    signer: str | None = Field(None, description="organisation named in the certificate")
    signed_at: str | None = Field(None, description="by a time authority; null without one")
    claim_generator: str | None = None
    title: str | None = None
    actions: tuple[ClaimedAction, ...] = ()
    ingredients: tuple[ClaimedIngredient, ...] = ()
    made_by_model: bool = Field(False, description="says that a generative model made it or a part")
    problems: tuple[str, ...] = Field((), description="codes of the C2PA specification")


class WatermarkMatch(_Wire):
    """A known watermark that was read from the pictures."""

    name: str
    made_by: str
    n_bits: int
    n_matching: int
    n_pictures: int = Field(description="pictures it was read in, of those looked at")
    n_examined: int
    chance: float = Field(description="probability of so many matching bits without the watermark")


class MetadataMark(_Wire):
    """A generator that names itself in the metadata."""

    where: str
    generator: str
    text: str = Field(description="the beginning of what stands there")


class ProvenanceFindings(_Wire):
    """All that was found of a file's origin."""

    schema_version: str = "1.0"
    path: str
    sha256: str
    credentials: ContentCredentials
    watermarks: tuple[WatermarkMatch, ...] = ()
    metadata: tuple[MetadataMark, ...] = ()
    sentences: tuple[str, ...] = Field((), description="the findings in plain words")
    not_checked: tuple[str, ...] = Field((), description="what was not looked for, and why")

    @property
    def names_a_model(self) -> bool:
        """Whether anything found says that a generative model made the file or a part of it."""
        return self.credentials.made_by_model or bool(self.watermarks or self.metadata)

    def to_json(self) -> str:
        """One line of JSON."""
        return self.model_dump_json()
