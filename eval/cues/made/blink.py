"""Blinks on mesh sequences whose blinks are known: uneven pictures, repeats and gaps included."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from avdetect.cues.base import ClipFacts, CueCurve, CueTools, Reading
from avdetect.cues.blink import CUE
from avdetect.observation import FaceWindow, Observation
from avdetect.timebase import FRAME_RATE_HZ
from avdetect.types import Segment

_EYES = ((33, 160, 158, 133, 153, 144), (362, 385, 387, 263, 373, 380))
_OPEN = 0.30  # height of an eye over its width
_DURATION_S = (0.16, 0.40)
_APART_S = 0.9


def figures(n: int, seed: int) -> list[tuple[str, str]]:
    """How often the number of blinks is exact, over ``n`` made sequences."""
    exact = 0
    for case in range(n):
        rng = np.random.default_rng((seed, case))
        seconds = float(rng.uniform(8.0, 40.0))
        blinks = blink_times(seconds, rng)
        reading = CUE.start(ClipFacts(), CueTools())
        for observation in blinking(seconds, blinks, rng):
            reading.add(observation, {})
        exact += found_exactly(reading, blinks)
    return [("sequences whose blinks are counted exactly", f"{exact} of {n}")]


def found_exactly(reading: Reading, blinks: Sequence[float]) -> bool:
    """Whether the blinks marked in the figure are the known ones, each within 0.1 s."""
    (figure,) = reading.figures()
    if not isinstance(figure, CueCurve) or len(figure.marks) != len(blinks):
        return False
    return bool(np.allclose(figure.marks, blinks, atol=0.1))


def blink_times(seconds: float, rng: np.random.Generator) -> list[float]:
    """Moments of blinks, from none to 40 a minute, clear of each other and of both ends."""
    rate = rng.uniform(0.0, 40.0) / 60.0
    drawn = np.sort(rng.uniform(1.0, seconds - 1.0, rng.poisson(rate * seconds)))
    kept: list[float] = []
    for moment in drawn.tolist():
        if not kept or moment - kept[-1] >= _APART_S:
            kept.append(moment)
    return kept


def blinking(
    seconds: float, blinks: Sequence[float], rng: np.random.Generator
) -> list[Observation]:
    """A face that blinks, as observations of 4 s every 3 s.

    The source's pictures come unevenly, 14 to 40 a second, so that 25 Hz ticks repeat some; one
    tick in twenty has no face. The head moves, the eyes narrow and widen slowly, the mesh trembles.
    """
    source_s = np.cumsum(rng.uniform(1 / 40, 1 / 14, round(seconds * 40)))
    ticks = np.arange(round(seconds * FRAME_RATE_HZ))
    shown = np.searchsorted(source_s, ticks / FRAME_RATE_HZ, "right") - 1
    ticks, shown = ticks[shown >= 0], shown[shown >= 0]
    seen = rng.random(len(ticks)) > 0.05
    ticks, frame_s = ticks[seen], source_s[shown[seen]]
    meshes = _meshes(source_s, _openness(source_s, blinks, rng), rng)[shown[seen]]
    return [
        _observation(start, min(start + 4.0, seconds), ticks, frame_s, meshes)
        for start in np.arange(0.0, max(seconds - 1.0, 1.0), 3.0).tolist()
    ]


def _openness(
    times_s: NDArray[np.float64], blinks: Sequence[float], rng: np.random.Generator
) -> NDArray[np.float64]:
    """(T,) height of the eyes over their width."""
    slow = 1.0 + 0.12 * np.sin(2 * np.pi * 0.1 * times_s + rng.uniform(0, 6))
    height = _OPEN * slow + rng.normal(0.0, 0.006, len(times_s))
    for moment in blinks:
        duration_s = rng.uniform(*_DURATION_S)
        away = np.abs(times_s - moment) / (duration_s / 2.0)
        height *= 1.0 - rng.uniform(0.65, 0.95) * np.clip(1.6 - 1.6 * away, 0.0, 1.0)
    return np.asarray(height)


def _meshes(
    times_s: NDArray[np.float64], openness: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float32]:
    """(T, 478, 2) faces 160 px wide that sway and nod."""
    base = np.random.default_rng(0).uniform(60, 200, (478, 2))
    points = np.tile(base, (len(times_s), 1, 1))
    for ids, (x, y) in zip(_EYES, ((100.0, 110.0), (160.0, 110.0)), strict=True):
        corner, upper, upper2, corner2, lower2, lower = ids
        points[:, corner], points[:, corner2] = (x - 12.0, y), (x + 12.0, y)
        for index, offset in ((upper, -5.0), (upper2, 5.0), (lower2, 5.0), (lower, -5.0)):
            points[:, index, 0] = x + offset
        points[:, [upper, upper2], 1] = (y - 12.0 * openness)[:, None]
        points[:, [lower, lower2], 1] = (y + 12.0 * openness)[:, None]
    angle = 0.1 * np.sin(2 * np.pi * 0.3 * times_s + rng.uniform(0, 6))
    turn = np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], 1)
    turned = np.einsum("tij,tpj->tpi", turn.reshape(-1, 2, 2), points - 130.0) + 130.0
    sway = 20.0 * np.sin(2 * np.pi * 0.2 * times_s)
    turned[..., 0] += sway[:, None]
    return np.asarray(turned + rng.normal(0.0, 0.15, turned.shape), np.float32)


def _observation(
    start_s: float,
    end_s: float,
    ticks: NDArray[np.int64],
    frame_s: NDArray[np.float64],
    meshes: NDArray[np.float32],
) -> Observation:
    clock_s = ticks / FRAME_RATE_HZ
    rows = (clock_s >= start_s - 1e-6) & (clock_s < end_s - 1e-6)
    n = int(rows.sum())
    face = FaceWindow(
        track=0,
        shot=0,
        frame_index=ticks[rows],
        frame_s=frame_s[rows],
        faces=np.broadcast_to(np.uint8(90), (n, 224, 224, 3)),
        mouths=np.broadcast_to(np.uint8(90), (n, 96, 96)),
        boxes=np.tile(np.array([50, 50, 210, 210], np.float32), (n, 1)),
        landmarks=meshes[rows],
        size_px=160.0,
        yaw_deg=0.0,
    )
    fresh = Segment(start_s if start_s == 0.0 else start_s + 1.0, end_s)
    return Observation(segment=Segment(start_s, end_s), fresh=fresh, faces=(face,))
