"""Open watermarks of picture generators, read by the library that wrote them.

The only ones looked for are those whose decoder and message are public: the DWT-DCT mark of
`invisible-watermark` with the fixed messages of published generators. Matching bits are counted
against what chance gives; all other marks are named in `NOT_CHECKED`, so that nobody takes
silence for proof.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

from avdetect.provenance.origin import WatermarkMatch

Bits = NDArray[np.uint8]
Picture = NDArray[np.uint8]

MAX_CHANCE = 1e-6  # of a match anywhere in one file
LEAST_PIXELS = 256 * 256  # the library marks nothing smaller
_BLOCK_PX = 8  # a wavelet step halves the picture, then blocks of four


@dataclass(frozen=True, slots=True)
class KnownWatermark:
    """A fixed message of a generator; a new one is a row of `KNOWN`.

    Attributes:
        name: of the watermark.
        made_by: which programs write it.
        message: its bits as text of 0 and 1.
    """

    name: str
    made_by: str
    message: str

    @property
    def bits(self) -> Bits:
        """(n,) of 0 and 1."""
        return np.array([int(bit) for bit in self.message], np.uint8)


def _of_text(text: str) -> str:
    return "".join(f"{byte:08b}" for byte in text.encode())


KNOWN = (
    KnownWatermark(
        "StableDiffusionV1",
        "the reference scripts of Stable Diffusion 1",
        _of_text("StableDiffusionV1"),
    ),
    KnownWatermark("SDV2", "the reference scripts of Stable Diffusion 2", _of_text("SDV2")),
    KnownWatermark(
        "SDXL 48-bit",
        "Stable Diffusion XL and Stable Video Diffusion (generative-models, diffusers)",
        "101100111110110010010000011110111011000110011110",
    ),
    KnownWatermark(  # its code drops the two leading zeros of the 48 bits it names
        "FLUX 46-bit",
        "the reference code of FLUX",
        "1010101111111010000111100111001111010100101110",
    ),
)

NOT_CHECKED = (
    "SynthID (Google: pictures, sound, video): its detector is not public",
    "AudioSeal (Meta: sound): weights not at hand",
    "WavMark (sound): weights not at hand",
    "Resemble PerTh (sound): weights not at hand",
    "TrustMark (Adobe: pictures): weights not at hand",
    "Stable Signature (Meta: pictures): weights and keys not at hand",
    "Watermark Anything, Meta Video Seal: weights not at hand",
    "Tree-Ring and Gaussian Shading (pictures): keys are secret to whoever generated",
    "RivaGAN and DWT-DCT-SVD marks of invisible-watermark: no generator's fixed message is known",
)


def find_watermarks(pictures: Sequence[Picture]) -> tuple[WatermarkMatch, ...]:
    """Known watermarks in pictures of one file.

    Args:
        pictures: (H, W, 3) uint8 RGB at their native size, of a photograph or spread over a video.

    Returns:
        One match per watermark, of the picture that shows it best.
    """
    looks = [_block_bits(order) for p in pictures if _is_large(p) for order in (p[..., ::-1], p)]
    n_looks = len(looks) * len(KNOWN)
    matches = []
    for mark in KNOWN:
        read = [_matching(blocks, mark.bits, n_looks) for blocks in looks]
        hits = [n for n, (_, chance) in enumerate(read) if chance <= MAX_CHANCE]
        if hits:
            n_matching, chance = min((read[n] for n in hits), key=lambda one: one[1])
            matches.append(
                WatermarkMatch(
                    name=mark.name,
                    made_by=mark.made_by,
                    n_bits=len(mark.bits),
                    n_matching=n_matching,
                    n_pictures=len({n // 2 for n in hits}),
                    n_examined=len(looks) // 2,
                    chance=chance,
                )
            )
    return tuple(matches)


def _is_large(picture: Picture) -> bool:
    return bool(picture.shape[0] * picture.shape[1] >= LEAST_PIXELS)


def _block_bits(bgr: Picture) -> Bits:
    """The bit that the library reads from every block; messages of any length fold out of it."""
    from imwatermark import WatermarkDecoder  # here: it imports torch

    rows, columns = bgr.shape[0] // _BLOCK_PX, bgr.shape[1] // _BLOCK_PX
    decoder = WatermarkDecoder("bits", rows * columns)
    return np.asarray(decoder.decode(np.ascontiguousarray(bgr), "dwtDct"), np.uint8)


def _matching(blocks: Bits, message: Bits, n_looks: int) -> tuple[int, float]:
    """Matching bits after a vote over all repetitions, and the probability of that by chance.

    The library reads a one where more than half of the blocks vote for it. Zeros are written so
    weakly that half of their blocks may vote for one, so here as many places are read as ones as
    the message has, those with the most votes.
    """
    n, n_ones = len(message), int(message.sum())
    if len(blocks) < n:
        return 0, 1.0
    votes = np.array([blocks[k::n].mean() for k in range(n)])
    ones = np.argsort(-votes, kind="stable")[:n_ones]
    both = int(message[ones].sum())
    chance = overlap_chance(n, n_ones, n_ones, both)
    return n - 2 * (n_ones - both), min(1.0, chance * n_looks)


def overlap_chance(n: int, n_ones: int, n_read: int, n_both: int) -> float:
    """Probability that ``n_both`` or more of ``n_read`` ones fall on ``n_ones`` of ``n`` places.

    The hypergeometric tail: no coin is assumed to be fair, only that no place of a picture
    without the mark is favoured.
    """
    ways = sum(
        comb(n_ones, k) * comb(n - n_ones, n_read - k)
        for k in range(n_both, min(n_ones, n_read) + 1)
    )
    return ways / comb(n, n_read)
