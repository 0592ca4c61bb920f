"""What a file says or carries of its origin: credentials, watermarks and metadata together."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.video.frame import VideoFrame

from avdetect.errors import InputError, UnreadableMediaError
from avdetect.media.container import (
    AV_ERRORS_AND_MEMORY,
    Decoder,
    open_container,
    prepare_decoder,
)
from avdetect.media.probe import check_picture_size, probe
from avdetect.media.source import RawFormat, Source, open_source
from avdetect.provenance.content_credentials import read_credentials
from avdetect.provenance.metadata import find_metadata_marks
from avdetect.provenance.origin import (
    ContentCredentials,
    CredentialState,
    MetadataMark,
    ProvenanceFindings,
    WatermarkMatch,
)
from avdetect.provenance.watermarks import NOT_CHECKED, Picture, find_watermarks

MAX_PICTURES = 8  # of a video that are looked at
_EVERY_S = 2.0

_NETWORK_NOTE = (
    "Content Credentials kept elsewhere and revocation of certificates: nothing is fetched from "
    "the network"
)


def inspect_provenance(
    path: Path, *, trust_anchors: str | None = None, raw: RawFormat | None = None
) -> ProvenanceFindings:
    """Read what a file says of its origin.

    Args:
        path: a sound, video or picture file.
        trust_anchors: certificates that may vouch for signers, PEM; None trusts nobody.
        raw: how to read sound without a header.

    Raises:
        InputError: the file cannot be read, or is no media.
    """
    with open_source(path) as source:
        pictures = _pictures(source, raw)
        credentials = read_credentials(source, trust_anchors)
        marks = find_metadata_marks(source, raw)
        found = find_watermarks(pictures)
        source.check_unchanged()
        notes = [*NOT_CHECKED, _NETWORK_NOTE]
        if not pictures:
            notes.insert(0, "Watermarks of pictures: there is no picture in it")
        return ProvenanceFindings(
            path=source.name,
            sha256=source.sha256,
            credentials=credentials,
            watermarks=found,
            metadata=marks,
            sentences=tuple(_sentences(credentials, found, marks)),
            not_checked=tuple(notes),
        )


def _pictures(source: Source, raw: RawFormat | None) -> list[Picture]:
    """Full-size pictures: the photograph, or one every two seconds from the start of a video."""
    try:
        with open_container(source, raw) as container:
            facts = probe(container, source.name)
        if facts.video is None:
            return []
        with open_container(source, raw) as container:
            return list(_spread(container, facts.video, source.name))
    except AV_ERRORS_AND_MEMORY as e:
        if isinstance(e, InputError):
            raise
        raise UnreadableMediaError(f"{source.name}: decoding failed: {e}") from e


def _spread(container: av.container.InputContainer, index: int, name: str) -> Iterator[Picture]:
    stream = next(s for s in container.streams.video if s.index == index)
    prepare_decoder(stream, threaded=False)
    n, next_s = 0, 0.0
    for _, frames in Decoder(container, [stream]).frames():
        for frame in frames:
            if not isinstance(frame, VideoFrame) or (frame.time or 0.0) < next_s:
                continue
            check_picture_size(frame.width, frame.height, name)
            yield frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
            n, next_s = n + 1, (frame.time or 0.0) + _EVERY_S
            if n == MAX_PICTURES:
                return


def _sentences(
    credentials: ContentCredentials,
    watermarks: tuple[WatermarkMatch, ...],
    marks: tuple[MetadataMark, ...],
) -> Iterator[str]:
    yield _credential_sentence(credentials)
    if credentials.made_by_model:
        vouched = {
            CredentialState.TRUSTED: "vouched for by a signer you trust",
            CredentialState.UNTRUSTED: "vouched for by a signer nobody vouches for here",
        }.get(credentials.state, "though the credentials do not hold")
        yield (
            "Its Content Credentials say that a generative model made it, or a part of it, "
            f"{vouched}."
        )
    for mark in watermarks:
        yield (
            f"It carries the watermark {mark.name} of {mark.made_by}: {mark.n_matching} of "
            f"{mark.n_bits} bits match, by chance once in {1 / max(mark.chance, 1e-300):.0e} files."
        )
    for entry in marks:
        yield f"Its metadata ({entry.where}) name {entry.generator} as what made it."
    if not watermarks and not marks and not credentials.made_by_model:
        yield (
            "Nothing in it names a generative model, which proves nothing: such marks are easily "
            "removed."
        )


def _credential_sentence(credentials: ContentCredentials) -> str:
    signer = f"by {credentials.signer}" if credentials.signer else "by an unnamed signer"
    return {
        CredentialState.ABSENT: "It carries no Content Credentials.",
        CredentialState.TRUSTED: f"Its Content Credentials are valid, signed {signer}, "
        "whom your trust anchors vouch for.",
        CredentialState.UNTRUSTED: f"Its Content Credentials are whole and signed {signer}, but no "
        "trust anchor vouches for that signer.",
        CredentialState.TAMPERED: "It was changed after its Content Credentials were signed "
        f"{signer}: they do not match the file.",
        CredentialState.INVALID: f"Its Content Credentials, signed {signer}, are not valid "
        f"({', '.join(credentials.problems[:3])}).",
        CredentialState.REMOTE: "Its Content Credentials lie on a server, which was not asked.",
        CredentialState.UNREADABLE: "It carries Content Credentials that cannot be read: damaged.",
    }[credentials.state]
