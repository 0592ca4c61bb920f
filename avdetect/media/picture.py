"""One picture stream on the clip's clock: only the frames shown on the 25 Hz clock, upright RGB."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from avdetect.errors import InputLimitError
from avdetect.media.orientation import Axes, display_axes, turn_upright
from avdetect.media.probe import check_picture_size
from avdetect.media.sound import BACKWARD_JUMP_S, MAX_CLIP_S, MAX_SILENCE_S
from avdetect.timebase import FRAME_RATE_HZ

NATIVE_PX = 1024  # traces of coding need the pixels as they were coded, but not all of them
_CODING_GRID_PX = 16
MAX_SHOWN_PX = 1920  # longest side handed out: a face of interest fills 100 px long before that
_SHORTEST_S, _LONGEST_S = 0.01, 10.0  # of a last frame: MPEG-TS tells 1/90000 s
_MOST_GRACE_S = 0.018  # just under half a tick of the 25 Hz clock


@dataclass(frozen=True, slots=True)
class PictureFrame:
    """One picture and where it is shown.

    Attributes:
        time_s: true presentation time, seconds from clip start.
        picture: (H, W, 3) uint8 RGB, upright, longest side at most `MAX_SHOWN_PX`.
        ticks: the positions k of the 25 Hz clock at which this picture is shown, never empty.
            Ticks of successive frames join without overlap.
        native_luma: (h, w) uint8 of a photograph alone: the middle of its luminance as decoded,
            neither scaled nor turned, at most `NATIVE_PX` a side, cut on the grid of 16 px that
            JPEG and its kin code by. None of a video.
    """

    time_s: float
    picture: NDArray[np.uint8]
    ticks: range
    native_luma: NDArray[np.uint8] | None = None


def first_tick(time_s: float, grace_s: float) -> int:
    """First tick at which a picture that starts at ``time_s`` can be shown.

    Tick k shows the last picture that started by k/25 s plus ``grace_s``. With just under half a
    frame of grace that is the nearest picture: a 25 Hz source stays whole whatever the rounding of
    its timestamps, and no other lags behind its sound.
    """
    return max(0, math.ceil((time_s - grace_s) * FRAME_RATE_HZ))


class PictureReader:
    """Turns decoded frames into pictures on the 25 Hz clock; converts only those that are shown."""

    def __init__(
        self,
        name: str,
        clip_start_s: float,
        frame_s: float,
        *,
        is_still: bool = False,
        convert: Callable[[VideoFrame], NDArray[np.uint8]] | None = None,
    ) -> None:
        """Begin a stream.

        Args:
            name: what messages call the clip.
            clip_start_s: clip start on the container's clock.
            frame_s: seconds from frame to frame, for the last one and for lost timestamps.
            is_still: it is a photograph, whose luminance is handed out, too.
            convert: makes a frame that is shown into a picture; default upright RGB.
        """
        self._name, self._clip_start_s, self._frame_s = name, clip_start_s, frame_s
        self._is_still = is_still
        self._grace_s = min(_MOST_GRACE_S, 0.45 * frame_s)
        self._to_picture = convert or self._convert
        self._reformatter = VideoReformatter()
        self._pending: VideoFrame | None = None
        self._pending_s = 0.0
        self._next_tick = 0
        self._shown = False
        self._axes: tuple[int, Axes] | None = None  # of the stream, and the turn it was read at
        self._rebase_s = 0.0

    def feed(self, frame: VideoFrame) -> Iterator[PictureFrame]:
        """Take one decoded frame; yields the one before it, if it is shown at all.

        Raises:
            InputLimitError: pictures too large, or a clip longer than `MAX_CLIP_S`.
        """
        check_picture_size(frame.width, frame.height, self._name)
        time_s = self._time(frame)
        if self._pending is None:
            self._next_tick = first_tick(time_s, self._grace_s)
        yield from self._show_until(first_tick(time_s, self._grace_s))
        self._pending, self._pending_s = frame, time_s

    def flush(self) -> Iterator[PictureFrame]:
        """The last frame, shown for its own duration."""
        if self._pending is None:
            return
        duration_s = self._frame_s
        if self._pending.duration and self._pending.time_base:
            duration_s = float(self._pending.duration * self._pending.time_base)
        duration_s = min(max(duration_s, _SHORTEST_S), _LONGEST_S)
        end = first_tick(self._pending_s + duration_s, self._grace_s)
        yield from self._show_until(end if self._shown else self._next_tick + 1)
        self._pending = None

    def _time(self, frame: VideoFrame) -> float:
        previous_s = self._pending_s if self._pending is not None else None
        if frame.time is None:
            return 0.0 if previous_s is None else previous_s + self._frame_s
        time_s = frame.time - self._clip_start_s + self._rebase_s
        if previous_s is None:
            return max(0.0, self._within_limit(time_s))
        if time_s < previous_s - BACKWARD_JUMP_S:  # the clock was started anew: go on from here
            self._rebase_s += previous_s + self._frame_s - time_s
            time_s = previous_s + self._frame_s
        if time_s - previous_s > MAX_SILENCE_S:
            hours = f"{MAX_SILENCE_S / 3600:.0f} h"
            raise InputLimitError(f"{self._name}: one picture is shown for more than {hours}")
        return max(self._within_limit(time_s), previous_s)

    def _within_limit(self, time_s: float) -> float:
        if time_s > MAX_CLIP_S:
            hours = f"{MAX_CLIP_S / 3600:.0f} hours"
            raise InputLimitError(f"{self._name}: is longer than {hours}; cut it into pieces")
        return time_s

    def _show_until(self, end: int) -> Iterator[PictureFrame]:
        if self._pending is None or end <= self._next_tick:
            return
        ticks = range(self._next_tick, end)
        self._next_tick = end
        self._shown = True
        luma = _native_luma(self._pending) if self._is_still else None
        yield PictureFrame(self._pending_s, self._to_picture(self._pending), ticks, luma)

    def _convert(self, frame: VideoFrame) -> NDArray[np.uint8]:
        scale = min(1.0, MAX_SHOWN_PX / max(frame.width, frame.height))
        rgb = self._reformatter.reformat(
            frame,
            width=max(1, round(frame.width * scale)),
            height=max(1, round(frame.height * scale)),
            format="rgb24",
            interpolation=Interpolation.AREA if scale < 1 else Interpolation.BILINEAR,
            threads=1,
        )
        if self._axes is None or self._axes[0] != frame.rotation:
            self._axes = (frame.rotation, display_axes(frame))
        return turn_upright(rgb.to_ndarray().astype(np.uint8, copy=False), self._axes[1])


def _native_luma(frame: VideoFrame) -> NDArray[np.uint8]:
    """The middle of a picture's luminance as decoded; of YUV that is the coded plane itself."""
    luma = frame.to_ndarray(format="gray").astype(np.uint8, copy=False)
    top, left = (
        max(0, side - NATIVE_PX) // 2 // _CODING_GRID_PX * _CODING_GRID_PX for side in luma.shape
    )
    return np.ascontiguousarray(luma[top : top + NATIVE_PX, left : left + NATIVE_PX])
