"""Which sealed packets are in a file, byte for byte, in whatever place.

Anchors are payloads that occur once on both sides and in the same order (the longest such chain, as
in patience comparison); from them matches grow to both sides.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

ABSENT = -1


def match_packets(sealed: list[bytes], found: list[bytes]) -> NDArray[np.int64]:
    """(n_sealed,) index in ``found`` of each sealed tag, or `ABSENT`; increasing where present."""
    matches = np.full(len(sealed), ABSENT, np.int64)
    if sealed == found:
        return np.arange(len(sealed), dtype=np.int64)
    anchors = _longest_increasing(_unique_pairs(sealed, found))
    edges = [(-1, -1), *anchors, (len(sealed), len(found))]
    for index, place in anchors:
        matches[index] = place
    for (i0, j0), (i1, j1) in pairwise(edges):
        i, j = i0 + 1, j0 + 1
        while i < i1 and j < j1 and sealed[i] == found[j]:
            matches[i] = j
            i, j = i + 1, j + 1
        last_i, last_j = i1 - 1, j1 - 1
        while last_i >= i and last_j >= j and sealed[last_i] == found[last_j]:
            matches[last_i] = last_j
            last_i, last_j = last_i - 1, last_j - 1
    return matches


def _unique_pairs(sealed: list[bytes], found: list[bytes]) -> list[tuple[int, int]]:
    once_sealed, once_found = Counter(sealed), Counter(found)
    places = {tag: j for j, tag in enumerate(found) if once_found[tag] == 1}
    return [(i, places[t]) for i, t in enumerate(sealed) if once_sealed[t] == 1 and t in places]


def _longest_increasing(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    tails: list[int] = []
    tail_at: list[int] = []
    before = [ABSENT] * len(pairs)
    for n, (_, place) in enumerate(pairs):
        k = bisect_left(tails, place)
        before[n] = tail_at[k - 1] if k else ABSENT
        tails[k : k + 1] = [place]
        tail_at[k : k + 1] = [n]
    chain: list[tuple[int, int]] = []
    n = tail_at[-1] if tail_at else ABSENT
    while n != ABSENT:
        chain.append(pairs[n])
        n = before[n]
    return chain[::-1]
