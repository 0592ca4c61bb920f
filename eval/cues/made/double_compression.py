"""How surely double JPEG compression is found, on real pictures coded once and twice.

The pictures are shrunk first, so that the grid they came with is gone. Both of a pair end with the
same coding of the same content; only one was coded before.
"""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from avdetect.cues.double_compression import ALIGNED_GAIN, CUE, smoothed
from avdetect.cues.jpeg_history import BLOCK_PX, aligned_history, second_steps
from avdetect.cues.jpeg_tables import standard_table
from eval.cues.made.portraits import (
    Picture,
    as_jpeg,
    from_jpeg,
    measured_file,
    photograph,
    portraits,
)
from eval.metrics import auc, pixel_auc

_QUALITIES = ((50, 75), (60, 90), (70, 85), (75, 95), (90, 95), (85, 75), (95, 85))
_FOUND_FROM = 5  # the first pairs: the last coding is the finer one
_SIDE_PX = 184
_MOST_PICTURES = 50
_SHIFT = (5, 3)  # down, right


def figures(n: int, seed: int) -> list[tuple[str, str]]:
    """AUC over ``n`` pictures a pair of qualities, on one grid and on two; of a pasted region.

    At most 50 pictures are taken: each is coded some thirty times.
    """
    n = min(n, _MOST_PICTURES)
    rng = np.random.default_rng(seed)
    pictures = [_shrunk(each.picture) for each in portraits(n, rng)]
    rows, singles, doubles = [], [], []
    for first, last in _QUALITIES:
        once, same, shifted = _scores(pictures, first, last)
        labels = [0] * n + [1] * n
        on_one = auc(labels, once[0] + same)
        on_two = auc(labels, once[1] + shifted)
        rows.append(
            (f"quality {first} then {last}", f"AUC {on_one:.3f} on one grid, {on_two:.3f} on two")
        )
        if len(rows) <= _FOUND_FROM:
            singles += once[0]
            doubles += same
    pooled = auc([0] * len(singles) + [1] * len(doubles), singles + doubles)
    limit = math.log10(ALIGNED_GAIN + 0.01)
    alarms, misses = np.mean(np.array(singles) >= limit), np.mean(np.array(doubles) < limit)
    rows.append(
        (
            "all with a finer last coding, one grid",
            f"AUC {pooled:.3f}, false alarms {100 * alarms:.1f} %, missed {100 * misses:.1f} %",
        )
    )
    rows.append(("pasted region in a picture of quality 60 then 90", _pasted(pictures)))
    return [(name, f"{text} (n = {n})") for name, text in rows]


def _shrunk(picture: Picture) -> Picture:
    image = Image.fromarray(picture).resize((_SIDE_PX, _SIDE_PX), Image.Resampling.LANCZOS)
    return np.asarray(image)


def _scores(
    pictures: list[Picture], first: int, last: int
) -> tuple[tuple[list[float], list[float]], list[float], list[float]]:
    """Of single codings both scores, of double ones that of their kind."""
    down, right = _SHIFT
    once: tuple[list[float], list[float]] = ([], [])
    same, shifted = [], []
    for picture in pictures:
        cut = picture[down:, right:]
        for score, kept in zip(_score(as_jpeg(cut, last)), once, strict=True):
            kept.append(score)
        same.append(_score(as_jpeg(from_jpeg(as_jpeg(cut, first)), last))[0])
        coded = from_jpeg(as_jpeg(picture, first))[down:, right:]
        shifted.append(_score(as_jpeg(coded, last))[1])
    return once, same, shifted


def _score(blob: bytes) -> tuple[float, float]:
    features = measured_file(CUE, blob).features or (0.0, 0.0, 0.0)
    return features[0], features[1]


def _pasted(pictures: list[Picture]) -> str:
    """Whether blocks of a region that was never coded before stand out from the rest."""
    scores = []
    for picture, other in zip(pictures, np.roll(pictures, 1, axis=0), strict=True):
        forged = from_jpeg(as_jpeg(picture, 60)).copy()
        inside = np.s_[48:136, 48:136]
        forged[inside] = other[inside]
        final = photograph(as_jpeg(forged, 90))[0].native_luma
        if final is None:
            raise ValueError("a photograph has a luminance of its own")
        history = aligned_history(final, second_steps(standard_table(90).tolist()))
        truth = np.zeros((_SIDE_PX // BLOCK_PX, _SIDE_PX // BLOCK_PX))
        truth[6:17, 6:17] = 1
        scores.append(pixel_auc(truth, -smoothed(history.block_llr)))
    return f"mean AUC of its blocks {np.mean(scores):.3f}"
