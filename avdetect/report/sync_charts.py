"""Geometry of the synchrony section: offset curve, similarity matrix, mouths beside their sound."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve1d

from avdetect.report.charts import Tick, time_ticks
from avdetect.report.pictures import png_uri
from avdetect.sync_exhibit import MouthStrip, SyncExhibit
from avdetect.timebase import FRAME_RATE_HZ
from avdetect.types import Part
from avdetect.verdict import Synchrony, Verdict

CURVE_SIZE = (680.0, 120.0)
MATRIX_SIZE = (680.0, 124.0)
STRIP_WIDTH = 680.0
WAVE_HEIGHT = 44.0
SIZES = {
    "curve_size": CURVE_SIZE,
    "matrix_size": MATRIX_SIZE,
    "strip_width": STRIP_WIDTH,
    "wave_height": WAVE_HEIGHT,
}
_SMOOTH_S = 1.0
_MS_PER_FRAME = 1000 / FRAME_RATE_HZ


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Mean distance over offsets, as an SVG path; y grows downward, low distance lies low.

    Attributes:
        path: of the line; it is broken where no sound was heard.
        found_x, found_y: the best offset; None of both where none was heard.
        found_ms: the same in milliseconds, > 0 where the sound is late.
        low, high: distances at the bottom and the top of the drawing.
        ticks: offsets in milliseconds (in ``seconds``, as the axis names them).
    """

    path: str
    found_x: float | None
    found_y: float | None
    found_ms: int
    low: float
    high: float
    ticks: tuple[Tick, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """Mouths above the sound of the same seconds.

    Attributes:
        start_s, end_s: of the stretch.
        mouths: data URIs of pictures, in time order, spread evenly over the width.
        heard: outline of the sound as recorded, an SVG path.
        moved: the same moved by the found offset; empty where there is none to move by.
        ticks: on the clip's clock.
    """

    start_s: float
    end_s: float
    mouths: tuple[str, ...]
    heard: str
    moved: str
    ticks: tuple[Tick, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncFigure:
    """All that the page draws of one judged face; ``matrix`` is empty without media."""

    part: Part
    found: Synchrony
    curve: Curve
    matrix: str
    matrix_start_s: float
    matrix_ticks: tuple[Tick, ...]
    found_y: float
    strips: tuple[Strip, ...]


def sync_figures(
    exhibits: Sequence[SyncExhibit], verdict: Verdict, *, media: bool
) -> list[SyncFigure]:
    """One figure per face whose synchrony the verdict states; ``media`` allows pictures."""
    stated = {Part(found.channel, found.face_track): found for found in verdict.synchrony}
    return [
        _figure(exhibit, stated[exhibit.part], media=media)
        for exhibit in exhibits
        if exhibit.part in stated
    ]


def _figure(exhibit: SyncExhibit, found: Synchrony, *, media: bool) -> SyncFigure:
    seconds = len(exhibit.similarity) * exhibit.row_s
    is_told = found.av_offset_s is not None
    move_s = exhibit.offset_frames / FRAME_RATE_HZ if is_told else 0.0
    ticks = time_ticks(seconds)
    return SyncFigure(
        part=exhibit.part,
        found=found,
        curve=_curve(exhibit),
        matrix=matrix_uri(_smoothed(exhibit.similarity, exhibit.row_s)) if media else "",
        matrix_start_s=exhibit.start_s,
        matrix_ticks=tuple(
            Tick(x=tick.seconds / seconds * MATRIX_SIZE[0], seconds=exhibit.start_s + tick.seconds)
            for tick in ticks
        ),
        found_y=_row_y(exhibit.offset_frames, len(exhibit.distances)),
        strips=tuple(_strip(strip, move_s) for strip in exhibit.strips) if media else (),
    )


def matrix_uri(similarity: NDArray[np.float32]) -> str:
    """Similarity over time (x) and offset (y, late sound above) as a PNG; bright = alike.

    Args:
        similarity: (N, 31) cosine; NaN is left grey.
    """
    known = np.isfinite(similarity)
    low, high = np.percentile(similarity[known], (2, 98)) if known.any() else (0.0, 1.0)
    levels = np.clip((np.nan_to_num(similarity) - low) / max(high - low, 1e-6), 0.0, 1.0)
    colours = cv2.applyColorMap(np.asarray(255 * levels, np.uint8), cv2.COLORMAP_VIRIDIS)
    colours[~known] = 214
    return png_uri(np.ascontiguousarray(colours.swapaxes(0, 1)[::-1]))


def _smoothed(similarity: NDArray[np.float32], row_s: float) -> NDArray[np.float32]:
    """Means over a second: single frames agree by chance at many offsets."""
    length = max(1, round(_SMOOTH_S / row_s))
    known = np.isfinite(similarity)
    window = np.ones(length)
    count = convolve1d(known.astype(np.float64), window, axis=0, mode="constant")
    total = convolve1d(np.nan_to_num(similarity).astype(np.float64), window, 0, mode="constant")
    return np.where(known, total / np.maximum(count, 1), np.nan).astype(np.float32)


def _curve(exhibit: SyncExhibit) -> Curve:
    width, height = CURVE_SIZE
    distances, n = exhibit.distances, len(exhibit.distances)
    heard = np.isfinite(distances)
    low, high = (
        (float(distances[heard].min()), float(distances[heard].max())) if heard.any() else (0, 2)
    )
    xs = np.arange(n) / (n - 1) * width
    ys = 8 + (height - 16) * (high - np.nan_to_num(distances)) / max(high - low, 1e-6)
    found = n // 2 + exhibit.offset_frames
    frames = range(-(n // 2), n // 2 + 1, 5)
    return Curve(
        path=_broken_line(xs, ys, heard),
        found_x=float(xs[found]) if heard[found] else None,
        found_y=float(ys[found]) if heard[found] else None,
        found_ms=round(exhibit.offset_frames * _MS_PER_FRAME),
        low=low,
        high=high,
        ticks=tuple(
            Tick(x=float(xs[n // 2 + frame]), seconds=frame * _MS_PER_FRAME) for frame in frames
        ),
    )


def _broken_line(xs: NDArray[np.float64], ys: NDArray[np.float64], drawn: NDArray[np.bool_]) -> str:
    path, pen = "", "M"
    for x, y, is_drawn in zip(xs, ys, drawn, strict=True):
        path += f"{pen}{x:.1f} {y:.1f}" if is_drawn else ""
        pen = "L" if is_drawn else "M"
    return path


def _strip(strip: MouthStrip, move_s: float) -> Strip:
    seconds = strip.segment.duration_s
    first = math.ceil(strip.segment.start_s / 0.2 - 1e-6)
    times = [0.2 * k for k in range(first, math.floor(strip.segment.end_s / 0.2 + 1e-6) + 1)]
    return Strip(
        start_s=strip.segment.start_s,
        end_s=strip.segment.end_s,
        mouths=tuple(png_uri(mouth) for mouth in strip.mouths),
        heard=_outline(strip, strip.segment.start_s),
        # What belongs to a mouth at t is heard at t + offset where the sound is late.
        moved=_outline(strip, strip.segment.start_s + move_s) if move_s else "",
        ticks=tuple(
            Tick(x=(time - strip.segment.start_s) / seconds * STRIP_WIDTH, seconds=time)
            for time in times
        ),
    )


def _outline(strip: MouthStrip, begin_s: float) -> str:
    """The sound from ``begin_s`` over the strip's length; every outline has one loudness scale."""
    times = strip.sound_s + (np.arange(len(strip.envelope)) + 0.5) * strip.column_s
    seconds = strip.segment.duration_s
    inside = (times >= begin_s) & (times < begin_s + seconds)
    if not inside.any():
        return ""
    xs = (times[inside] - begin_s) / seconds * STRIP_WIDTH
    loudest = max(float(np.abs(strip.envelope).max()), 1e-3)
    middle = WAVE_HEIGHT / 2
    low, high = (strip.envelope[inside] / loudest).T
    upper, lower = middle - high * (middle - 1), middle - low * (middle - 1) + 0.4
    points = [*zip(xs, upper, strict=True), *zip(xs[::-1], lower[::-1], strict=True)]
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + "Z"


def _row_y(offset_frames: int, n: int) -> float:
    """Middle of an offset's row in the matrix; late sound lies above."""
    return (n // 2 - offset_frames + 0.5) / n * MATRIX_SIZE[1]
