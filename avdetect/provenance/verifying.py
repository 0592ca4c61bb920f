"""Holding a file against its seal: untouched, remuxed, re-encoded or edited, and where.

Bytes come first: a file with the sealed SHA-256 is untouched and nothing more is looked at.
Otherwise packets tell what was copied without re-encoding, and prints of content whether what is
heard and seen is still the same.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avdetect.errors import SealError, UnreadableMediaError
from avdetect.media.source import RawFormat, Source, open_source
from avdetect.provenance.alignment import spans
from avdetect.provenance.comparing import Comparison, compare
from avdetect.provenance.findings_text import findings_of
from avdetect.provenance.opened_seal import OpenedSeal
from avdetect.provenance.recording import Progress, Recording, read_recording
from avdetect.provenance.seal import Seal, SealBody
from avdetect.provenance.signing import key_fingerprint
from avdetect.provenance.still_compare import UNRELATED_SHARE, altered_cells, still_changes
from avdetect.provenance.verification import (
    IntactChain,
    Outcome,
    SealFacts,
    Stretch,
    Verification,
)

_UNRELATED_SHARE = 0.1  # of the sealed seconds: less of them in a file is chance
_TICK_S = 0.02
_JOIN_S = 0.5  # re-encoded stretches nearer than this are told as one
_SHAPE_TOLERANCE = 0.02


def require_signer(seal: Seal, trusted: bytes, name: str) -> None:
    """Refuse a seal that the trusted key did not sign.

    Args:
        seal: read by `read_seal`, so that its signature holds.
        trusted: raw public key of the signer the user trusts.
        name: of the seal, for the message.

    Raises:
        SealError: another key signed it.
    """
    signer = bytes.fromhex(seal.signature.public_key)
    if signer != trusted:
        raise SealError(
            f"{name}: was sealed by key {key_fingerprint(signer)}, not by the one you trust "
            f"({key_fingerprint(trusted)}): it proves nothing to you"
        )


def verify_file(
    path: Path, seal: Seal, *, raw: RawFormat | None = None, progress: Progress | None = None
) -> Verification:
    """Say what became of a recording since it was sealed.

    Args:
        path: the file under test.
        seal: see `require_signer`.
        raw: how to read it if it has no header; default as it was sealed.
        progress: told seconds done and in all.

    Raises:
        InputError: the file cannot be read.
        SealError: the seal is damaged.
    """
    body = seal.body
    with open_source(path) as source:
        if source.sha256 == body.file.sha256:
            return _verification(source.name, source.sha256, seal, Outcome.UNTOUCHED)
        opened = OpenedSeal(seal, "the seal")
        file = _read(source, body, opened.key, raw, progress)
    if any(picture.facts.still for picture in opened.pictures):
        return _still_verification(seal, opened, file)
    return _moving_verification(seal, opened, file)


def _read(
    source: Source, body: SealBody, key: bytes, raw: RawFormat | None, progress: Progress | None
) -> Recording:
    if raw is None and body.raw is not None:
        raw = RawFormat(body.raw.encoding, body.raw.rate_hz, body.raw.channels)
        if source.suffix == Path(body.file.name).suffix[1:].lower():
            return read_recording(source, key, raw=raw, progress=progress)
        try:  # somebody may have given it a header
            return read_recording(source, key, progress=progress)
        except UnreadableMediaError:
            pass
    return read_recording(source, key, raw=raw, progress=progress)


def _moving_verification(seal: Seal, opened: OpenedSeal, file: Recording) -> Verification:
    result = compare(opened, file)
    if result.found_share < _UNRELATED_SHARE and not any(c.any() for _, c in result.copied):
        return _verification(file.name, file.sha256, seal, Outcome.UNRELATED)
    findings = findings_of(result)
    re_encoded = () if findings and result.all_copied else tuple(_re_encoded(result))
    outcome = Outcome.REMUXED if result.all_copied else Outcome.RE_ENCODED
    notes = list(result.notes)
    if file.n_bad_packets:
        notes.append(f"{file.n_bad_packets} damaged packets of the file were stepped over")
    return _verification(
        file.name,
        file.sha256,
        seal,
        Outcome.EDITED if findings else outcome,
        findings=findings,
        re_encoded=re_encoded,
        intact=tuple(
            IntactChain(stream=name, n_seconds=n, n_intact=held) for name, n, held in result.intact
        ),
        notes=tuple(notes),
    )


def _re_encoded(result: Comparison) -> list[Stretch]:
    """Sealed seconds that were not copied in every stream, less those that were changed."""
    ends_s = [float(p.times_s.max(initial=0.0)) + 1.0 for p, _ in result.copied]
    if not ends_s:
        return []
    lost = np.zeros(int(max(ends_s) / _TICK_S) + 1, bool)
    for packets, copied in result.copied:
        order = np.argsort(packets.times_s, kind="stable")
        times_s, kept = packets.times_s[order], copied[order]
        step_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else _TICK_S
        following_s = np.append(times_s[1:], times_s[-1:] + step_s)
        for start_s, end_s, is_kept in zip(times_s, following_s, kept, strict=True):
            if not is_kept:
                lost[_tick(start_s) : max(_tick(start_s) + 1, _tick(end_s))] = True
    joined = _closed(lost, round(_JOIN_S / _TICK_S))
    for change in result.changes:
        if change.region is None:
            joined[_tick(change.sealed_s[0]) : _tick(change.sealed_s[1])] = False
    return [Stretch(start_s=a * _TICK_S, end_s=b * _TICK_S) for a, b in spans(joined)]


def _tick(time_s: float) -> int:
    return max(0, round(time_s / _TICK_S))


def _closed(mask: NDArray[np.bool_], gap: int) -> NDArray[np.bool_]:
    closed = mask.copy()
    found = spans(mask)
    for (_, end), (start, _) in pairwise(found):
        if start - end <= gap:
            closed[end:start] = True
    return closed


def _still_verification(seal: Seal, opened: OpenedSeal, file: Recording) -> Verification:
    (sealed,) = opened.pictures
    if not file.is_still or not file.pictures:
        return _verification(file.name, file.sha256, seal, Outcome.UNRELATED)
    shown, facts = file.pictures[0], sealed.facts
    altered = altered_cells(sealed.mosaics[0], shown.mosaics[0])
    notes = []
    before, now = facts.width / facts.height, shown.width / shown.height
    if abs(before / now - 1) > _SHAPE_TOLERANCE:
        notes.append(
            f"the picture was {facts.width}x{facts.height} px and is {shown.width}x{shown.height} "
            "now: it was cropped, turned or stretched, which moves all of it"
        )
    if float(altered.mean()) > UNRELATED_SHARE:
        return _verification(file.name, file.sha256, seal, Outcome.UNRELATED, notes=tuple(notes))
    result = Comparison(changes=list(still_changes(altered, "picture")))
    findings = findings_of(result)
    copied = all(
        packets.tags == [bytes(t.tags)]
        for packets, t in zip(opened.packets, file.packets, strict=False)
    )
    outcome = Outcome.REMUXED if copied else Outcome.RE_ENCODED
    return _verification(
        file.name,
        file.sha256,
        seal,
        Outcome.EDITED if findings or notes else outcome,
        findings=findings,
        notes=tuple(notes),
    )


def _verification(
    name: str, sha256: str, seal: Seal, outcome: Outcome, **more: object
) -> Verification:
    body = seal.body
    facts = SealFacts(
        signer=key_fingerprint(bytes.fromhex(seal.signature.public_key)),
        made_at=body.made_at,
        made_by=body.made_by,
        sealed_name=body.file.name,
        sealed_sha256=body.file.sha256,
        duration_s=body.duration_ms / 1000,
    )
    return Verification(path=name, sha256=sha256, outcome=outcome, seal=facts, **more)
