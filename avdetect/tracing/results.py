"""What tracing says: plain frozen results, one per file, and which files share a source."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Medium = Literal["picture", "voice"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One possible source.

    Attributes:
        source: id of a generator or of a family of vocoders; ``camera`` or ``human`` for none.
        title: the same in words.
        probability: among the known sources, given that it is one of them.
    """

    source: str
    title: str
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedProperty:
    """What the fingerprint says of the design of whatever made it.

    Attributes:
        name: one of `avdetect.tracing.properties.PROPERTIES`.
        value: the likeliest.
        probability: of that value among those known; uncalibrated.
    """

    name: str
    value: str
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Where one file comes from.

    Attributes:
        path: the file's name as it goes on the wire.
        sha256: of its bytes.
        medium: which tracer looked.
        source: the candidate it is attributed to, or ``unknown``.
        title: the same in words.
        reason: why it is ``unknown``; None where it is not.
        candidates: known sources, likeliest first; empty where nothing could be measured.
        design: parsed properties; empty where a camera made it or nothing could be measured.
        n_looked_at: blocks of pictures, or stretches of speech, that were measured.
    """

    path: str
    sha256: str
    medium: Medium
    source: str
    title: str
    reason: str | None
    candidates: tuple[Candidate, ...]
    design: tuple[ParsedProperty, ...]
    n_looked_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A file that could not be read.

    Attributes:
        path: its name.
        code: of the error, see `avdetect.errors`.
        message: one line for people.
    """

    path: str
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceGroup:
    """Files that seem to come from one source, two or more.

    Attributes:
        medium: pictures are never grouped with voices.
        paths: of its members, in the order given.
        probability: mean over its pairs that both come from one source.
    """

    medium: Medium
    paths: tuple[str, ...]
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracing:
    """All of one call.

    Attributes:
        traces: one or two per readable file: its pictures, its voice.
        groups: files of one source; who stands in none is alone.
        failures: files that could not be read.
        models: ids of the checkpoints that looked.
    """

    traces: tuple[Trace, ...]
    groups: tuple[SourceGroup, ...]
    failures: tuple[Failure, ...]
    models: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain lists and dicts, ready for JSON."""
        return asdict(self)
