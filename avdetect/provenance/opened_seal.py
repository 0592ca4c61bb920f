"""A seal unpacked into arrays, its chains recomputed, ready to be held against a file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avdetect.errors import SealError
from avdetect.provenance import sound_print
from avdetect.provenance.chains import LINK_BYTES, TAG_BYTES, chain_links
from avdetect.provenance.picture_print import Mosaic
from avdetect.provenance.seal import (
    Seal,
    SealedPackets,
    SealedPicture,
    SealedSound,
    unpack_blob,
)
from avdetect.provenance.sealing import (
    PICTURE_MOMENTS_A_SECOND,
    SOUND_MOMENTS_A_SECOND,
    by_second,
)

_SYMBOL_BYTES = sound_print.N_FEATURES // 4


@dataclass(frozen=True, slots=True)
class OpenedPackets:
    """Tags and times of one stream's payloads, and the links of its seconds."""

    facts: SealedPackets
    tags: list[bytes]
    times_s: NDArray[np.float64]
    links: list[bytes]


@dataclass(frozen=True, slots=True)
class OpenedSound:
    """Symbols of one lane: (n, 32) of -1, 0, 1."""

    facts: SealedSound
    symbols: NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class OpenedPicture:
    """Mosaics of one track: (n, side, side, planes) uint8."""

    facts: SealedPicture
    mosaics: Mosaic


class OpenedSeal:
    """All tracks of a seal.

    Raises:
        SealError: a blob is damaged or a chain does not hold, which a signed seal of ours never is.
    """

    def __init__(self, seal: Seal, name: str) -> None:
        self._name, self.key = name, bytes.fromhex(seal.body.chain_key)
        self.packets = [self._packets(each) for each in seal.body.packets]
        self.sounds = [self._sound(each) for each in seal.body.sounds]
        self.pictures = [self._picture(each) for each in seal.body.pictures]

    def _packets(self, facts: SealedPackets) -> OpenedPackets:
        tags = unpack_blob(facts.tags, facts.n_packets * TAG_BYTES, self._name)
        times = unpack_blob(facts.times_ms, facts.n_packets * 8, self._name)
        links = unpack_blob(facts.links, facts.n_seconds * LINK_BYTES, self._name)
        return OpenedPackets(
            facts,
            _cut(tags, TAG_BYTES),
            np.cumsum(np.frombuffer(times, "<i8")) / 1000,
            _cut(links, LINK_BYTES),
        )

    def _sound(self, facts: SealedSound) -> OpenedSound:
        data = unpack_blob(facts.symbols, facts.n_moments * _SYMBOL_BYTES, self._name)
        packed = np.frombuffer(data, np.uint8).reshape(-1, _SYMBOL_BYTES)
        label = f"sound/{facts.track}/{facts.lane}"
        self._check(label, by_second(packed, SOUND_MOMENTS_A_SECOND), facts.links)
        return OpenedSound(facts, sound_print.unpack(packed))

    def _picture(self, facts: SealedPicture) -> OpenedPicture:
        shape = (facts.n_moments, facts.side, facts.side, facts.planes)
        data = unpack_blob(facts.mosaics, int(np.prod(shape)), self._name)
        mosaics = np.frombuffer(data, np.uint8).reshape(shape)
        groups = by_second(mosaics, 1 if facts.still else PICTURE_MOMENTS_A_SECOND)
        self._check(f"picture/{facts.track}", groups, facts.links)
        return OpenedPicture(facts, mosaics)

    def _check(self, label: str, groups: Iterable[bytes], links: str) -> None:
        expected = list(chain_links(self.key, label, groups))
        sealed = _cut(unpack_blob(links, len(expected) * LINK_BYTES, self._name), LINK_BYTES)
        for second, (link, given) in enumerate(zip(expected, sealed, strict=True)):
            if link != given:
                raise SealError(f"{self._name}: the chain of {label} breaks at second {second}")


def _cut(data: bytes, size: int) -> list[bytes]:
    return [data[k : k + size] for k in range(0, len(data), size)]
