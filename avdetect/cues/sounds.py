"""Sound for cues: every channel by itself, each moment once, and one reading shared by them all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from avdetect.cues.base import CueCurve, CueFigure, Measurement, Outputs
from avdetect.observation import ChannelAudio, Observation
from avdetect.timebase import SAMPLE_RATE_HZ, seconds_to_samples
from avdetect.types import Part, Segment

_MOST_FIGURES = 4
MOST_POINTS = 2000  # of a curve for the report


class Listener(Protocol):
    """What one cue hears on one channel; its memory is bounded."""

    def add(self, channel: ChannelAudio, observation: Observation) -> None:
        """Hear the next observation of the channel, in time order."""
        ...

    def measurement(self, part: Part) -> Measurement:
        """What was found so far, or why nothing was."""
        ...

    def curve(self, part: Part) -> CueCurve | None:
        """What to draw, None where there is nothing yet."""
        ...


class SoundReading:
    """A reading made of one listener a channel; see `avdetect.cues.base.Reading`."""

    def __init__(self, begin: Callable[[], Listener]) -> None:
        self._begin = begin
        self._listeners: dict[str, Listener] = {}

    def add(self, observation: Observation, outputs: Outputs) -> None:
        """Let each channel's listener hear it."""
        for channel in observation.channels:
            if channel.channel not in self._listeners:
                self._listeners[channel.channel] = self._begin()
            self._listeners[channel.channel].add(channel, observation)

    def measurements(self) -> list[Measurement]:
        """One entry a channel."""
        return [heard.measurement(Part(channel=name)) for name, heard in self._listeners.items()]

    def figures(self) -> list[CueFigure]:
        """One curve a channel."""
        curves = [heard.curve(Part(channel=name)) for name, heard in self._listeners.items()]
        found: list[CueFigure] = [curve for curve in curves if curve is not None]
        return found[:_MOST_FIGURES]


class FrameGrid:
    """Frames on a fixed grid of the clip's clock, each given once though observations overlap.

    Args:
        size: samples of a frame, at most the overlap of observations (one second).
        hop: samples from frame to frame.
    """

    def __init__(self, size: int, hop: int) -> None:
        self._size, self._hop, self._next = size, hop, 0

    def take(
        self, channel: ChannelAudio, start_s: float
    ) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """Frames that end within this observation and were not given before.

        Returns:
            (N, size) float32 views, and (N,) seconds of their centres on the clip's clock.
        """
        begin, end = (
            seconds_to_samples(start_s),
            seconds_to_samples(start_s) + len(channel.waveform),
        )
        first = max(self._next, -(-begin // self._hop))
        last = (end - self._size) // self._hop
        if last < first:
            return np.zeros((0, self._size), np.float32), np.zeros(0)
        numbers = np.arange(first, last + 1)
        self._next = last + 1
        windows = np.lib.stride_tricks.sliding_window_view(channel.waveform, self._size)
        frames = windows[first * self._hop - begin :: self._hop][: len(numbers)]
        return frames, (numbers * self._hop + self._size / 2) / SAMPLE_RATE_HZ


def inside(times_s: NDArray[np.float64], segments: Sequence[Segment]) -> NDArray[np.bool_]:
    """(N,) whether each time lies in one of the segments."""
    found = np.zeros(len(times_s), bool)
    for segment in segments:
        found |= (times_s >= segment.start_s) & (times_s < segment.end_s)
    return found


def thinned(
    x: NDArray[np.float64], y: NDArray[np.float64], n_points: int = MOST_POINTS
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Every k-th point, so that at most ``n_points`` are left."""
    step = max(1, -(-len(x) // n_points))
    return np.asarray(x[::step], np.float64), np.asarray(y[::step], np.float64)
