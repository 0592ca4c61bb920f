"""Which faces are trained on and which held out: by person where known, else by source."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recipes.datasets.faces import Faces, Row

# Photographs without a known person fold by source; these sources are never trained on.
HELD_OUT_SOURCES = frozenset(
    {
        "podgorskiy/ALAE",
        "serengil/deepface",
        "emanuelebeozzo/stylegan3-perceptual-test",
        "astorfi/lip-reading-deeplearning",
    }
)
_HELD_OUT_SHARE = 4  # one known person in four


def is_held_out(row: Row) -> bool:
    """Whether a row is measured on; decided by a hash of the person, never by chance."""
    if row["source_repo"] in HELD_OUT_SOURCES:
        return True
    known = row["identity"]
    if known.startswith("GRID_"):  # names a sentence, not a speaker: one fold for the whole corpus
        return False
    return bool(known) and zlib.crc32(known.encode()) % _HELD_OUT_SHARE == 0


def fold(faces: Faces, *, held_out: bool) -> NDArray[np.int64]:
    """Indices of the pictures of one side of the fold."""
    wanted = np.array([is_held_out(row) == held_out for row in faces.rows])
    return np.flatnonzero(wanted[faces.clip])


def sources(rows: Sequence[Row]) -> list[str]:
    """Repositories the rows come from, sorted; they are named in the card."""
    return sorted({row["source_repo"] for row in rows})
