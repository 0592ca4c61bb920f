"""Making a seal: hashes of packets and prints of content, chained second by second, signed."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from numpy.typing import NDArray

from avdetect.media.source import RawFormat, open_source
from avdetect.provenance import picture_print, sound_print
from avdetect.provenance.chains import KEY_BYTES, LINK_BYTES, chain_links
from avdetect.provenance.recording import (
    PacketTrack,
    PictureTrack,
    Progress,
    SoundTrack,
    read_recording,
)
from avdetect.provenance.seal import (
    Seal,
    SealBody,
    SealedFile,
    SealedPackets,
    SealedPicture,
    SealedRaw,
    SealedSound,
    pack_blob,
    sign,
)

SOUND_MOMENTS_A_SECOND = round(1 / (sound_print.HOP_S * sound_print.SEALED_EVERY))
PICTURE_MOMENTS_A_SECOND = round(1 / (picture_print.TICK_S * picture_print.SEALED_EVERY))


def make_seal(
    path: Path,
    key: Ed25519PrivateKey,
    *,
    raw: RawFormat | None = None,
    progress: Progress | None = None,
) -> Seal:
    """Read a recording once and seal it.

    Args:
        path: a sound, video or picture file.
        key: whose signature the seal gets.
        raw: how to read sound without a header.
        progress: told seconds done and in all.

    Raises:
        InputError: the file cannot be read (see `avdetect.provenance.recording`).
    """
    chain_key = secrets.token_bytes(KEY_BYTES)
    with open_source(path) as source:
        found = read_recording(source, chain_key, raw=raw, progress=progress)
    body = SealBody(
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        made_by=f"avdetect {version('avdetect')}",
        chain_key=chain_key.hex(),
        file=SealedFile(name=_base_name(found.name), n_bytes=found.size, sha256=found.sha256),
        raw=_sealed_raw(raw),
        n_bad_packets=found.n_bad_packets,
        duration_ms=round(found.duration_s * 1000),
        packets=tuple(_sealed_packets(track, chain_key) for track in found.packets),
        sounds=tuple(each for track in found.sounds for each in _sealed_sounds(track, chain_key)),
        pictures=tuple(
            _sealed_picture(track, chain_key, still=found.is_still) for track in found.pictures
        ),
    )
    return sign(body, key)


def packet_label(kind: str, track: int) -> str:
    """Which chain of a seal is that of a stream's packets."""
    return f"packets/{kind}/{track}"


def seconds_in_order(seconds: dict[int, bytes]) -> list[bytes]:
    """Digest of every second up to the last one; a second without packets has no bytes."""
    return [seconds.get(k, b"") for k in range(max(seconds, default=-1) + 1)]


def by_second(rows: NDArray[np.generic], moments_a_second: int) -> Iterator[bytes]:
    """The bytes of every second of prints, (N, ...) a row a moment; the last may be short."""
    for start in range(0, len(rows), moments_a_second):
        yield np.ascontiguousarray(rows[start : start + moments_a_second]).tobytes()


def _base_name(name: str) -> str:
    return name.rsplit("/", 1)[-1]


def _sealed_raw(raw: RawFormat | None) -> SealedRaw | None:
    if raw is None:
        return None
    return SealedRaw(encoding=raw.encoding, rate_hz=raw.rate_hz, channels=raw.channels)


def _sealed_packets(track: PacketTrack, key: bytes) -> SealedPackets:
    label = packet_label(track.kind, track.track)
    links = b"".join(chain_links(key, label, seconds_in_order(track.seconds)))
    times = np.diff(np.array(track.times_ms, "<i8"), prepend=np.int64(0)).astype("<i8")
    return SealedPackets(
        track=track.track,
        kind="audio" if track.kind == "audio" else "video",
        codec=track.codec,
        tags=pack_blob(bytes(track.tags)),
        times_ms=pack_blob(times),
        n_packets=len(times),
        n_seconds=len(links) // LINK_BYTES,
        links=pack_blob(links),
    )


def _sealed_sounds(track: SoundTrack, key: bytes) -> Iterator[SealedSound]:
    for lane, levels in track.lanes.items():
        floor_db = round(sound_print.noise_floor_db(levels), 3)
        packed = sound_print.pack(sound_print.symbols(sound_print.features(levels, floor_db)))
        groups = by_second(packed, SOUND_MOMENTS_A_SECOND)
        links = b"".join(chain_links(key, f"sound/{track.track}/{lane}", groups))
        yield SealedSound(
            track=track.track,
            lane=lane,
            n_channels=track.n_channels,
            floor_mdb=round(floor_db * 1000),
            n_moments=len(packed),
            symbols=pack_blob(packed),
            links=pack_blob(links),
        )


def _sealed_picture(track: PictureTrack, key: bytes, *, still: bool) -> SealedPicture:
    mosaics = track.mosaics if still else track.mosaics[:: picture_print.SEALED_EVERY]
    groups = by_second(mosaics, 1 if still else PICTURE_MOMENTS_A_SECOND)
    links = b"".join(chain_links(key, f"picture/{track.track}", groups))
    return SealedPicture(
        track=track.track,
        width=track.width,
        height=track.height,
        still=still,
        side=mosaics.shape[1],
        planes=mosaics.shape[3],
        n_moments=len(mosaics),
        mosaics=pack_blob(mosaics),
        links=pack_blob(links),
    )
