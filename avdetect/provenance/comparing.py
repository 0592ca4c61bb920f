"""A sealed recording against a file, track by track: what changed, what was copied, what is new."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from avdetect.provenance import sound_print
from avdetect.provenance.alignment import Run, align
from avdetect.provenance.chains import TAG_BYTES, links_held
from avdetect.provenance.changes import (
    Change,
    changes_of,
    following,
    moved_alike,
    regions_of,
)
from avdetect.provenance.lanes import Lane, PictureLane, SoundLane
from avdetect.provenance.opened_seal import OpenedPackets, OpenedPicture, OpenedSeal, OpenedSound
from avdetect.provenance.packet_match import ABSENT, match_packets
from avdetect.provenance.recording import MIX, PacketTrack, PictureTrack, Recording, SoundTrack
from avdetect.provenance.sealing import packet_label, seconds_in_order

_Sealed = TypeVar("_Sealed")
_Found = TypeVar("_Found")

_MOST_HINTS = 16
_LEAST_SHIFT_S = 0.25  # between sound and picture: the smallest that is no codec's delay


@dataclass(slots=True)
class Comparison:
    """What comparing found.

    Attributes:
        changes: of every lane, in sealed order.
        copied: per sealed stream that has a twin in the file: its packets, and which were copied.
        all_copied: whether every packet of every stream was copied, and none is new.
        intact: per sealed stream its name, its seconds, and in how many the chain of packets holds
            in its place.
        found_share: part of the sealed seconds whose content is in the file, 0 to 1.
        removed, added: names of tracks that only one of the two has.
        shift_s: by how much later the sound is against the picture than it was when sealed.
        notes: what could not be compared.
    """

    changes: list[Change] = field(default_factory=list)
    copied: list[tuple[OpenedPackets, NDArray[np.bool_]]] = field(default_factory=list)
    all_copied: bool = True
    intact: list[tuple[str, int, int]] = field(default_factory=list)
    found_share: float = 0.0
    removed: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    shift_s: float = 0.0
    notes: list[str] = field(default_factory=list)


def compare(seal: OpenedSeal, file: Recording) -> Comparison:
    """Hold a moving picture or a sound against its seal."""
    result = Comparison()
    hints_s = _compare_packets(seal, file, result)
    sounds = _pair_sounds(seal, file, result)
    pictures = _pair_pictures(seal, file, result)
    lanes: list[Lane] = [*sounds, *pictures]
    runs = [_aligned(lane, hints_s) for lane in lanes]
    shared_s = sorted(
        {r.offset * ln.file_hop_s for ln, rs in zip(lanes, runs, strict=True) for r in rs}
    )
    if len(lanes) > 1:
        runs = [_aligned(lane, [*hints_s, *shared_s]) for lane in lanes]
        _tell_one_story(lanes, runs)
    for lane, found in zip(lanes, runs, strict=True):
        result.changes += changes_of(lane, found)
        if isinstance(lane, PictureLane):
            result.changes += regions_of(lane, found)
    result.changes.sort(key=lambda change: change.sealed_s)
    result.found_share = _share(lanes, runs)
    result.shift_s = _shift_s(sounds, pictures, runs)
    return result


def _aligned(lane: Lane, hints_s: Sequence[float]) -> list[Run]:
    return align(lane, [round(s / lane.file_hop_s) for s in hints_s])


def _tell_one_story(lanes: list[Lane], runs: list[list[Run]]) -> None:
    """Pictures follow the first sound where they can; a sound too quiet to tell, the picture."""
    sounds = [n for n, lane in enumerate(lanes) if isinstance(lane, SoundLane)]
    pictures = [n for n, lane in enumerate(lanes) if isinstance(lane, PictureLane)]
    if not sounds or not pictures:
        return
    heard, seen = sounds[0], pictures[0]
    for n in pictures:
        runs[n] = following(lanes[n], runs[n], lanes[heard], runs[heard])
    for n in sounds:
        if not moved_alike(lanes[n], runs[n], lanes[seen], runs[seen]):
            runs[n] = following(lanes[n], runs[n], lanes[seen], runs[seen])


def _share(lanes: list[Lane], runs: list[list[Run]]) -> float:
    whole = sum(lane.n_sealed * lane.sealed_hop_s for lane in lanes)
    found = sum(
        (run.end - run.start) * lane.sealed_hop_s
        for lane, each in zip(lanes, runs, strict=True)
        for run in each
    )
    return found / whole if whole else 0.0


def _shift_s(sounds: Sequence[Lane], pictures: Sequence[Lane], runs: list[list[Run]]) -> float:
    if not sounds or not pictures or not runs[0] or not runs[len(sounds)]:
        return 0.0
    heard, seen = runs[0][0], runs[len(sounds)][0]
    shift_s = heard.offset * sounds[0].file_hop_s - seen.offset * pictures[0].file_hop_s
    return shift_s if abs(shift_s) >= _LEAST_SHIFT_S else 0.0


def _compare_packets(seal: OpenedSeal, file: Recording, result: Comparison) -> list[float]:
    """Which packets were copied; returns by how many seconds they moved, most frequent first."""
    hints: dict[float, int] = {}
    unmatched = list(file.packets)
    for sealed in seal.packets:
        kind = sealed.facts.kind
        twins = [(match_packets(sealed.tags, _tags(t)), t) for t in unmatched if t.kind == kind]
        if not twins:
            result.all_copied = False
            continue
        matches, twin = max(twins, key=lambda pair: int((pair[0] != ABSENT).sum()))
        unmatched.remove(twin)
        there = matches != ABSENT
        result.copied.append((sealed, there))
        label = packet_label(kind, sealed.facts.track)
        held = links_held(seal.key, label, sealed.links, seconds_in_order(twin.seconds))
        result.intact.append((f"{kind} track {sealed.facts.track + 1}", len(held), sum(held)))
        result.all_copied &= bool(there.all()) and len(twin.times_ms) == len(there)
        times_s = np.array(twin.times_ms, np.float64) / 1000
        moved = np.round(times_s[matches[there]] - sealed.times_s[there], 2)
        for shift_s, count in zip(*np.unique(moved, return_counts=True), strict=True):
            hints[float(shift_s)] = hints.get(float(shift_s), 0) + int(count)
    return sorted(hints, key=lambda s: -hints[s])[:_MOST_HINTS]


def _tags(track: PacketTrack) -> list[bytes]:
    data = bytes(track.tags)
    return [data[k : k + TAG_BYTES] for k in range(0, len(data), TAG_BYTES)]


def _pair_sounds(seal: OpenedSeal, file: Recording, result: Comparison) -> list[SoundLane]:
    tracks = sorted({sound.facts.track for sound in seal.sounds})
    sealed = [[s for s in seal.sounds if s.facts.track == track] for track in tracks]
    pairs = _pairs(sealed, file.sounds, lambda s, f: _likeness(_sound_lanes(s, f, [])[:1]))
    _note_lone(
        "sound track", [t + 1 for t in tracks], [f.track + 1 for f in file.sounds], pairs, result
    )
    return [
        lane for s, f in pairs for lane in _sound_lanes(sealed[s], file.sounds[f], result.notes)
    ]


def _sound_lanes(sealed: list[OpenedSound], found: SoundTrack, notes: list[str]) -> list[SoundLane]:
    title = f"sound track {sealed[0].facts.track + 1}" if sealed else "sound"
    same_channels = bool(sealed) and sealed[0].facts.n_channels == found.n_channels
    if sealed and not same_channels:
        sealed = sealed[:1]
        notes.append(
            f"{title} had {sealed[0].facts.n_channels} channels and now has {found.n_channels}: "
            "only the mix of all was compared"
        )
    lanes = []
    for each in sealed:
        levels = (
            found.lanes.get(each.facts.lane)
            if same_channels
            else next(iter(found.lanes.values()), None)
        )
        if levels is not None:
            lane = each.facts.lane
            name = title if lane in (MIX, "mono") else f"{title}, channel {lane}"
            measured = sound_print.features(levels, each.facts.floor_mdb / 1000)
            lanes.append(SoundLane(name, each.symbols, measured))
    return lanes


def _pair_pictures(seal: OpenedSeal, file: Recording, result: Comparison) -> list[PictureLane]:
    sealed = [picture for picture in seal.pictures if not picture.facts.still]
    found = [] if file.is_still else file.pictures
    pairs = _pairs(sealed, found, lambda s, f: _likeness([_picture_lane(s, f)]))
    _note_lone(
        "picture track",
        [s.facts.track + 1 for s in sealed],
        [f.track + 1 for f in found],
        pairs,
        result,
    )
    return [_picture_lane(sealed[s], found[f]) for s, f in pairs]


def _picture_lane(sealed: OpenedPicture, found: PictureTrack) -> PictureLane:
    name = "picture" if sealed.facts.track == 0 else f"picture track {sealed.facts.track + 1}"
    return PictureLane(name, sealed.mosaics, found.mosaics)


def _likeness(lanes: Sequence[Lane]) -> float:
    return sum((run.evidence for lane in lanes for run in align(lane)), start=0.0)


def _pairs(
    sealed: Sequence[_Sealed],
    found: Sequence[_Found],
    likeness: Callable[[_Sealed, _Found], float],
) -> list[tuple[int, int]]:
    """Indices of sealed and found tracks that belong together, the likest first chosen."""
    if len(sealed) == 1 and len(found) == 1:
        return [(0, 0)]
    scored = [
        (likeness(s, f), -abs(i - j), i, j)
        for i, s in enumerate(sealed)
        for j, f in enumerate(found)
    ]
    pairs: list[tuple[int, int]] = []
    for _, _, i, j in sorted(scored, reverse=True):
        if all(i != a and j != b for a, b in pairs):
            pairs.append((i, j))
    return sorted(pairs)


def _note_lone(
    title: str,
    sealed: list[int],
    found: list[int],
    pairs: list[tuple[int, int]],
    result: Comparison,
) -> None:
    paired_sealed, paired_found = {i for i, _ in pairs}, {j for _, j in pairs}
    result.removed += [f"{title} {n}" for i, n in enumerate(sealed) if i not in paired_sealed]
    result.added += [f"{title} {n}" for j, n in enumerate(found) if j not in paired_found]
