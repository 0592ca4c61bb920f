"""Cuts found while the pictures pass: each new shot starts where picture and colours both jump.

Hard cuts only, as in the classic comparison of Boreczky & Rowe (1996): two thumbnails in a row
differ in their colour histogram and, the mean brightness taken off, in their pixels. Both
thresholds follow the recent past, so fast motion or a low frame rate raises them. Slow fades are
not found; a face track ends there by itself when the face is lost.
"""

from __future__ import annotations

from collections import deque
from statistics import median

import cv2
import numpy as np
from numpy.typing import NDArray

_THUMBNAIL = (48, 27)  # width, height: a head is a few pixels, its gestures vanish
_BINS = 6  # a colour, 216 in all
_PAST = 15  # frame pairs

# Fractions of the full range; measured on talking heads joined by cuts (see tests/media).
_COLOUR_JUMP, _PIXEL_JUMP = 0.15, 0.045
_LONE_PIXEL_JUMP = 0.10  # a cut between like-coloured rooms, or nearer to the same face
_COLOUR_TIMES, _PIXEL_TIMES = 4.0, 4.0


class ShotDetector:
    """Tells of each picture whether it starts a new shot; keeps one thumbnail and a few numbers."""

    def __init__(self) -> None:
        self._thumbnail: NDArray[np.float32] | None = None
        self._histogram: NDArray[np.float32] | None = None
        self._colour_past: deque[float] = deque(maxlen=_PAST)
        self._pixel_past: deque[float] = deque(maxlen=_PAST)

    def update(self, picture: NDArray[np.uint8]) -> bool:
        """Take the next picture.

        Args:
            picture: (H, W, 3) uint8 RGB, any size and frame rate.

        Returns:
            True when this picture starts a new shot; the first picture always does.
        """
        small = cv2.resize(picture, _THUMBNAIL, interpolation=cv2.INTER_AREA)
        thumbnail = small.astype(np.float32).mean(axis=2) / 255
        thumbnail -= thumbnail.mean()
        histogram = cv2.calcHist([small], [0, 1, 2], None, [_BINS] * 3, [0, 256] * 3).ravel()
        histogram = (histogram / histogram.sum()).astype(np.float32)
        before, self._thumbnail = self._thumbnail, thumbnail
        histogram_before, self._histogram = self._histogram, histogram
        if before is None or histogram_before is None:
            return True
        pixels = float(np.abs(thumbnail - before).mean())
        colours = float(np.abs(histogram - histogram_before).sum() / 2)
        if pixels == 0.0 and colours == 0.0:
            return False  # a picture held or repeated says nothing of the usual motion
        return self._is_jump(colours, pixels)

    def _is_jump(self, colours: float, pixels: float) -> bool:
        usual_colours = median(self._colour_past) if self._colour_past else 0.0
        usual_pixels = median(self._pixel_past) if self._pixel_past else 0.0
        both = colours > max(_COLOUR_JUMP, _COLOUR_TIMES * usual_colours) and pixels > max(
            _PIXEL_JUMP, _PIXEL_TIMES * usual_pixels
        )
        lone = pixels > max(_LONE_PIXEL_JUMP, 2 * _PIXEL_TIMES * usual_pixels)
        if not (both or lone):  # a jump is not part of the usual motion
            self._colour_past.append(colours)
            self._pixel_past.append(pixels)
        return both or lone
