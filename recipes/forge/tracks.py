"""Forged face tracks: one kind of `recipes.forge.faces` over a second, and how it holds in time.

anew       parameters drawn again for every frame: flicker, a jittering edge
drifting   one forgery slowly becomes another
constant   one set of parameters for all frames, as good generators do
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from avdetect.channels.picture_codecs import h264_codec, through_picture_codec
from recipes.forge.faces import Face, Material, forge
from recipes.forge.picture_channel import apply_channel, draw_channel, to_bytes

COURSES = ("anew", "drifting", "constant")
# The others need a second person or pictures drawn beforehand for every frame.
TRACK_KINDS = ("self_blend", "resampled", "lip_box", "other_moment", "upsampled")

Pictures = NDArray[np.uint8]


def forge_track(
    kind: str, course: str, track: Sequence[Face], rng: np.random.Generator
) -> Pictures:
    """Forge every frame of a track.

    Args:
        kind: of `TRACK_KINDS`.
        course: of `COURSES`.
        track: T frames in order, pictures of one square size.
        rng: source of chance.

    Returns:
        (T, S, S, 3) uint8 RGB.
    """
    seeds = [int(seed) for seed in rng.integers(2**31, size=2 + len(track))]
    lag = int(rng.integers(1, len(track))) if len(track) > 1 else 0  # of another moment's mouth
    forged = []
    for index in range(len(track)):
        if course == "anew":
            other = int(rng.integers(len(track)))
            forged.append(_forge_frame(kind, track, index, other, seeds[2 + index]))
            continue
        other = (index + lag) % len(track)
        picture = _forge_frame(kind, track, index, other, seeds[0])
        if course == "drifting":
            late = _forge_frame(kind, track, index, other, seeds[1])
            share = index / max(len(track) - 1, 1)
            picture = to_bytes(picture * (1.0 - share) + late * np.float64(share))
        forged.append(picture)
    return np.stack(forged)


def code_twins(
    real: Pictures, fake: Pictures, rng: np.random.Generator
) -> tuple[Pictures, Pictures]:
    """Both twins through one tone, size and H.264 stream setting; (T, S, S, 3) uint8 each."""
    # Grains would stand still from frame to frame, and single-picture codecs have no stream.
    channel = replace(draw_channel(rng), noise=0.0, jpeg_quality=None, h264_crf=None)
    codec = h264_codec(int(rng.integers(18, 33)))
    coded = [
        through_picture_codec(np.stack([apply_channel(channel, p) for p in pictures]), codec)
        for pictures in (real, fake)
    ]
    return coded[0], coded[1]


def _forge_frame(
    kind: str, track: Sequence[Face], index: int, other: int, seed: int
) -> NDArray[np.uint8]:
    material = Material(
        face=track[index],
        moment=track[other] if other != index else None,
        stranger=track[other],
        redrawn=(),
    )
    return forge(kind, material, np.random.default_rng(seed)).fake
