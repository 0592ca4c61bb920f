"""What a picture shows, as a mosaic of some hundred grey blocks: the same in any codec and size.

Block averages are the classic robust hash of pictures and video (Oostveen, Kalker and Haitsma,
"Visual Hashing of Digital Video", 2001). A seal keeps the averages themselves in eight bits, since
a swapped face moves many blocks by a few grey levels and changes few signs.
"""

from __future__ import annotations

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from avdetect.media.orientation import Axes, display_axes, turn_upright
from avdetect.timebase import FRAME_RATE_HZ

TICK_S = 1 / FRAME_RATE_HZ
SEALED_EVERY = 5  # a seal keeps every fifth tick of the 25 Hz clock
SIDE = 16  # blocks a side of a moving picture
STILL_SIDE = 64  # blocks a side of a photograph, in three planes

_PIXELS_A_BLOCK = 8

Mosaic = NDArray[np.uint8]


class MosaicReader:
    """Makes decoded frames into upright mosaics."""

    def __init__(self, *, still: bool) -> None:
        self._side = STILL_SIDE if still else SIDE
        self._format, self._planes = ("rgb24", 3) if still else ("gray", 1)
        self._reformatter = VideoReformatter()
        self._axes: tuple[int, Axes] | None = None

    def read(self, frame: VideoFrame) -> Mosaic:
        """(side, side, planes) uint8, whatever the shape of the picture."""
        px = self._side * _PIXELS_A_BLOCK
        small = self._reformatter.reformat(
            frame,
            width=px,
            height=px,
            format=self._format,
            interpolation=Interpolation.AREA,
            threads=1,
        )
        pixels = small.to_ndarray().reshape(px, px, self._planes)
        blocks = pixels.reshape(self._side, _PIXELS_A_BLOCK, self._side, _PIXELS_A_BLOCK, -1)
        mosaic = np.rint(blocks.mean(axis=(1, 3))).astype(np.uint8)
        if self._axes is None or self._axes[0] != frame.rotation:
            self._axes = (frame.rotation, display_axes(frame))
        return turn_upright(mosaic, self._axes[1])
