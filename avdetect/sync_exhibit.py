"""What the report shows of a speaking face's synchrony; small, whatever the clip's length."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avdetect.types import Part, Segment


@dataclass(frozen=True, slots=True, kw_only=True)
class MouthStrip:
    """One short stretch, mouths above the sound.

    Attributes:
        segment: of the mouths; M mouths are spread evenly over it.
        mouths: (M, H, W) uint8 grey, aligned, centred on the lips.
        sound_s: when ``envelope`` begins, seconds on the clip's clock; at or before the mouths.
        column_s: seconds per column of ``envelope``.
        envelope: (N, 2) float32 lowest and highest sample of each column, in [-1, 1].
    """

    segment: Segment
    mouths: NDArray[np.uint8]
    sound_s: float
    column_s: float
    envelope: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncExhibit:
    """One judged face with its channel: agreement at 31 offsets of whole frames, -15 to 15.

    Attributes:
        part: face and channel.
        distances: (31,) mean distance at each offset, low = agree; NaN where nothing was heard.
        offset_frames: where they agree best, > 0 where the sound is late.
        start_s: when the first row of ``similarity`` begins.
        row_s: seconds per row.
        similarity: (N, 31) float32 cosine over time and offset; NaN where the face was not judged.
        strips: the stretches most in need of a look, worst first.
    """

    part: Part
    distances: NDArray[np.float64]
    offset_frames: int
    start_s: float
    row_s: float
    similarity: NDArray[np.float32]
    strips: tuple[MouthStrip, ...]
