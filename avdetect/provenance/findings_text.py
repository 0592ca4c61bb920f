"""Changes of single lanes joined into findings, each with one plain sentence."""

from __future__ import annotations

from collections.abc import Iterator

from avdetect.provenance.changes import Change, Kind
from avdetect.provenance.comparing import Comparison
from avdetect.provenance.verification import FindingKind, Region, SealFinding

_SAME_S = 0.6  # changes of two lanes nearer than this are one


def findings_of(result: Comparison) -> tuple[SealFinding, ...]:
    """All findings in sealed order; those of whole tracks first."""
    return tuple([*_of_tracks(result), *(_told(group) for group in _groups(result.changes))])


def clock(seconds: float) -> str:
    """Minutes and seconds: ``1:02.50``; hours where there are any."""
    hundredths = round(seconds * 100)
    minutes, rest = divmod(hundredths, 6000)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{head}:{rest / 100:05.2f}"


def _of_tracks(result: Comparison) -> Iterator[SealFinding]:
    for name in result.removed:
        yield SealFinding(
            kind=FindingKind.TRACK_REMOVED, lanes=(name,), text=f"The {name} was removed."
        )
    for name in result.added:
        yield SealFinding(
            kind=FindingKind.TRACK_ADDED, lanes=(name,), text=f"The {name} was added."
        )
    if result.shift_s:
        side = "later" if result.shift_s > 0 else "earlier"
        yield SealFinding(
            kind=FindingKind.SHIFTED,
            lanes=("sound", "picture"),
            text=f"The sound comes {abs(result.shift_s):.2f} s {side} against the picture than "
            "when it was sealed.",
        )


def _groups(changes: list[Change]) -> list[list[Change]]:
    groups: list[list[Change]] = []
    for change in changes:
        for group in groups:
            if _same(group[0], change) and all(c.lane != change.lane for c in group):
                group.append(change)
                break
        else:
            groups.append([change])
    return groups


def _same(one: Change, other: Change) -> bool:
    pairs = [*zip(one.sealed_s, other.sealed_s, strict=True)]
    pairs += [*zip(one.file_s, other.file_s, strict=True)]
    return one.kind is other.kind and all(abs(a - b) <= _SAME_S for a, b in pairs)


def _told(group: list[Change]) -> SealFinding:
    """One finding; where several lanes show it, the sound tells where, being finer."""
    first = min(group, key=lambda change: (not change.lane.startswith("sound"), change.sealed_s))
    lanes = tuple(sorted({change.lane for change in group}, key=lambda n: (n[0] != "s", n)))
    region = (
        Region(**dict(zip(("left", "top", "right", "bottom"), first.region, strict=True)))
        if first.region
        else None
    )
    return SealFinding(
        kind=FindingKind(first.kind.value),
        lanes=lanes,
        sealed_start_s=round(first.sealed_s[0], 3),
        sealed_end_s=round(first.sealed_s[1], 3),
        file_start_s=round(first.file_s[0], 3),
        file_end_s=round(first.file_s[1], 3),
        region=region,
        text=_sentence(first, lanes),
    )


def _sentence(change: Change, lanes: tuple[str, ...]) -> str:
    where = " and ".join(lanes)
    sealed = f"{clock(change.sealed_s[0])} to {clock(change.sealed_s[1])}"
    file = f"{clock(change.file_s[0])} to {clock(change.file_s[1])}"
    if change.kind is Kind.CUT:
        at = clock(change.file_s[0])
        return f"What was sealed from {sealed} was cut out ({where}); it is missing at {at}."
    if change.kind is Kind.INSERTED:
        return f"From {file} something was inserted that was not sealed ({where})."
    if change.region is not None:
        left, top, right, bottom = (round(100 * part) for part in change.region)
        box = f"{left} to {right} % from the left, {top} to {bottom} % from the top"
        if change.sealed_s[1] <= change.sealed_s[0]:
            return f"A part of the picture was altered: {box}."
        return f"From {file} a part of the picture was altered: {box}."
    moved = "" if abs(change.sealed_s[0] - change.file_s[0]) < _SAME_S else f" (sealed as {sealed})"
    return f"From {file}{moved} other content is in its place ({where})."
