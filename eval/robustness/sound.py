"""The sound of a file at 16 kHz, in bounded pieces, through a step of a level."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avdetect.channels.levels import SoundStep
from avdetect.media.clip import AudioChunk, open_clip
from avdetect.media.sound import CHUNKS_A_SECOND

PIECE_S = 600  # a level sees this much at once; beyond it a codec or a room starts afresh


def degraded_sound(
    path: Path, step: SoundStep | None, seeds: np.random.SeedSequence
) -> Iterator[tuple[float, NDArray[np.float32]]]:
    """Pieces of `PIECE_S`: start in seconds from clip start, and (C, S) float32 at 16 kHz.

    Every channel goes through the step by itself, by chance of its own: the two sides of a call
    come over two lines.

    Raises:
        InputError: as the engine would refuse the file.
    """
    rngs: list[np.random.Generator] = []
    with open_clip(path) as clip:
        chunks = (c for c in clip.chunks(want_video=False) if isinstance(c, AudioChunk))
        while parts := list(islice(chunks, PIECE_S * CHUNKS_A_SECOND)):
            piece = np.concatenate([part.waveform for part in parts], axis=1)
            rngs = rngs or [np.random.default_rng(seed) for seed in seeds.spawn(len(piece))]
            if step is not None:
                piece = np.stack([step(row, rng) for row, rng in zip(piece, rngs, strict=True)])
            yield parts[0].start_s, piece
