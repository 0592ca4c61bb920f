"""Steadiness from picture to picture: a face drawn anew each time trembles and flickers.

Generators and swappers work picture by picture; what is left after the head's own movement is taken
out is jitter of the shape (Sun et al., "LRNet" 2021, who read forgeries off landmark sequences) and
flicker of the face's brightness, colour and sharpness against its surround (Guera & Delp 2018).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from avdetect.cues.base import Cue, CueCurve, Measurement, Medium, Truth
from avdetect.cues.face_series import FaceSeries, Piece, Series, SeriesRecipe
from avdetect.observation import FaceWindow, Observation

LEAST_S = 2.0
# Points that a person cannot move on their own: around eye sockets, nose, forehead; and the
# outline, along which a pasted face meets its surround.
_INNER = (33, 133, 362, 263, 168, 6, 197, 195, 5, 4, 98, 327, 9, 151, 107, 336)
_OUTLINE = (10, 338, 297, 284, 251, 389, 356, 454, 127, 162, 21, 54, 103, 67, 109, 234)
_N_POINTS = len(_INNER) + len(_OUTLINE)
_RING_PX = 14  # of the 224 px crop's border: hair, ears, background
_FACE = (slice(56, 176), slice(64, 160))  # rows, columns: brows to chin, cheek to cheek
_MOST_CURVE_POINTS = 2000

Array = NDArray[np.float64]


def _extract(observation: Observation, face: FaceWindow, rows: NDArray[np.int64]) -> Series:
    points = face.landmarks[rows][:, list(_INNER + _OUTLINE)]
    looks = np.array([_look(crop) for crop in face.faces[rows]], np.float32)
    return np.concatenate([points.reshape(len(rows), -1), looks], 1)


def _look(crop: NDArray[np.uint8]) -> tuple[float, float, float, float]:
    """Of one crop: logs of how much brighter, redder, bluer, sharper the face is than around it."""
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    edges = np.abs(cv2.Laplacian(grey, cv2.CV_16S))
    inner = np.array(cv2.mean(crop[_FACE])[:3]) + 1.0
    ring = _border(crop, _RING_PX).mean(0, dtype=np.float64) + 1.0
    brightness = np.log(inner.sum() / ring.sum())
    red = np.log(inner[0] / inner[1]) - np.log(ring[0] / ring[1])
    blue = np.log(inner[2] / inner[1]) - np.log(ring[2] / ring[1])
    face, surround = float(edges[_FACE].mean()), float(_border(edges[..., None], _RING_PX).mean())
    return brightness, red, blue, float(np.log((face + 0.5) / (surround + 0.5)))


def _border(picture: NDArray[np.generic], width: int) -> NDArray[np.generic]:
    """(N, C) pixels of the left, right and upper border; below is the neck, which moves."""
    channels = picture.shape[2]
    strips = (picture[:, :width], picture[:, -width:], picture[:width, width:-width])
    return np.concatenate([strip.reshape(-1, channels) for strip in strips])


def jitter(points: Array) -> Array:
    """Tremble of points once their affine movement is taken out.

    Args:
        points: (N, P, 2) at 25 Hz, in any unit.

    Returns:
        (N - 2, P) size of the second difference, in face sizes (root mean square of the points'
        distance from their centre).
    """
    centred = points - points.mean(1, keepdims=True)
    mean = centred.mean(0)
    basis = np.linalg.pinv(mean)  # (2, P): every shape as an affine image of the mean one
    residual = centred - mean @ (basis @ centred)
    size = np.sqrt((centred**2).sum(2).mean())
    bend = residual[2:] - 2.0 * residual[1:-1] + residual[:-2]
    return np.asarray(np.linalg.norm(bend, axis=2) / max(size, 1e-6))


def _points(piece: Piece) -> Array:
    return piece.values[:, : 2 * _N_POINTS].reshape(-1, _N_POINTS, 2)


def _flicker(pieces: list[Piece]) -> Array:
    """(4,) root mean square of the second differences of the face's look."""
    looks = [piece.values[:, 2 * _N_POINTS :] for piece in pieces]
    bends = np.concatenate([np.diff(look, 2, axis=0) for look in looks])
    # A cut within a track, or a lamp switched on, is no flicker: the median of squares forgets it.
    return np.asarray(np.sqrt(np.median(bends**2, axis=0)))


def _measure(series: FaceSeries) -> Measurement:
    pieces = series.pieces()
    trembles = np.concatenate([jitter(_points(piece)) for piece in pieces])
    inner = float(np.median(trembles[:, : len(_INNER)]))
    outline = float(np.median(trembles[:, len(_INNER) :]))
    bursts = float(np.percentile(trembles.mean(1), 95) / max(np.median(trembles.mean(1)), 1e-6))
    flicker = _flicker(pieces)
    colour = float(np.hypot(flicker[1], flicker[2]))
    return Measurement(
        medium=Medium.VIDEO,
        part=series.part,
        segment=series.segment,
        features=(
            float(np.log10(inner + 1e-5)),
            float(np.log10(outline + 1e-5) - np.log10(inner + 1e-5)),
            float(np.log10(max(bursts, 1.0))),
            float(np.log10(flicker[0] + 1e-5)),
            float(np.log10(colour + 1e-5)),
            float(np.log10(flicker[3] + 1e-5)),
        ),
        value=1000.0 * inner,
        text=(
            f"the rigid part of the face trembles by {1000 * inner:.2f} thousandths of its size, "
            f"its outline by {1000 * outline:.2f}; sharpness flickers by {100 * flicker[3]:.2f} %"
        ),
    )


def _draw(series: FaceSeries) -> CueCurve:
    pieces = series.pieces()
    moments = np.concatenate([piece.time_s[1:-1] for piece in pieces])[:_MOST_CURVE_POINTS]
    trembles = np.concatenate([jitter(_points(piece)).mean(1) for piece in pieces])
    return CueCurve(
        part=series.part,
        x=moments,
        y=1000.0 * trembles[:_MOST_CURVE_POINTS],
        x_name="time, s",
        y_name="tremble of the mesh, thousandths of the face",
        caption="The head's own movement is taken out; what is left should be small and even.",
    )


_RECIPE = SeriesRecipe(extract=_extract, measure=_measure, draw=_draw, least_s=LEAST_S)

CUE = Cue(
    name="steadiness",
    title="Steadiness",
    measures="Trembling of the face's shape and flicker of its look against what surrounds it.",
    reference="Sun et al. 2021, LRNet (landmark sequences); Guera & Delp 2018",
    unit="thousandths of the face",
    features=(
        "log10_jitter",
        "log10_outline_over_inner",
        "log10_bursts",
        "log10_brightness_flicker",
        "log10_colour_flicker",
        "log10_sharpness_flicker",
    ),
    truth=Truth.VIDEO,
    media=(Medium.VIDEO,),
    start=_RECIPE.start,
    least_s=LEAST_S,
)
