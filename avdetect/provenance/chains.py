"""Keyed chains of hashes: one link a second, each made over the one before (HMAC-SHA256, RFC 2104).

The key of a chain is random, made anew for every seal and written in it: it keeps the links of one
seal from being compared with those of another. What nobody can forge is the signature over them.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator

KEY_BYTES = 32
LINK_BYTES = 16
TAG_BYTES = 8


def chain_links(key: bytes, label: str, groups: Iterable[bytes]) -> Iterator[bytes]:
    """One link per group, in their order.

    Args:
        key: of this seal, `KEY_BYTES` long.
        label: which chain of the seal this is, so that none can take another's place.
        groups: the bytes of each second, or their digest.
    """
    previous = _anchor(key, label)
    for number, group in enumerate(groups):
        previous = next_link(key, previous, number, group)
        yield previous


def links_held(key: bytes, label: str, links: list[bytes], groups: list[bytes]) -> list[bool]:
    """Per sealed link: whether it follows from the sealed one before and this file's group."""
    before = [_anchor(key, label), *links[:-1]]
    held = [
        hmac.compare_digest(next_link(key, previous, number, group), link)
        for number, (previous, link, group) in enumerate(zip(before, links, groups, strict=False))
    ]
    return held + [False] * (len(links) - len(held))


def _anchor(key: bytes, label: str) -> bytes:
    return hmac.digest(key, label.encode(), "sha256")[:LINK_BYTES]


def next_link(key: bytes, previous: bytes, number: int, group: bytes) -> bytes:
    """The link of group ``number``, `LINK_BYTES` long."""
    message = previous + number.to_bytes(8, "big") + hashlib.sha256(group).digest()
    return hmac.digest(key, message, "sha256")[:LINK_BYTES]


def packet_tag(key: bytes, payload: bytes) -> bytes:
    """What a packet is recognised by wherever it stands, `TAG_BYTES` long."""
    return hmac.digest(key, payload, "sha256")[:TAG_BYTES]
