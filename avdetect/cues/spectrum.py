"""Frequency traces: the tail of the power spectrum and peaks that up-sampling leaves in it.

Durall et al., "Watch your up-convolution" (2020): generated pictures miss the natural fall of power
towards high frequencies, seen in its azimuthal mean. Zhang et al., "Detecting and simulating
artifacts in GAN fake images" (2019) and Frank et al. (2020): up-sampling copies the spectrum to
half and quarter of the sampling rate. Face and whole picture are read at the source's own pixels.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from avdetect.cues.base import Cue, CueCurve, CueFigure, Medium, Truth
from avdetect.cues.faces import FaceMoment
from avdetect.cues.per_face import Look, Looks, Method, Tale
from avdetect.cues.regions import Plane, luma
from avdetect.types import Part

_TILE_PX = 64
_MOST_TILES = 36
_N_RINGS = 32  # of the azimuthal mean, up to half the sampling rate along the axes
_FIT = slice(2, 12)  # rings of 0.03 to 0.19 cycles a pixel: nearly straight in natural pictures
_TAIL, _LAST = slice(20, 28), slice(28, 32)
# Cycles a pixel at which a stride of two or four leaves copies; the first is the checkerboard.
_COPIES = {
    "half_both": ((0.5, 0.5),),
    "half_one": ((0.5, 0.0), (0.0, 0.5)),
    "quarter": ((0.25, 0.0), (0.0, 0.25), (0.25, 0.25), (0.5, 0.25), (0.25, 0.5)),
}


def _look(moment: FaceMoment) -> Look | str:
    crop = moment.crop
    if min(crop.shape[:2]) < _TILE_PX:
        return f"is {min(crop.shape[:2])} px wide in the picture, {_TILE_PX} px needed"
    face = mean_log_power(luma(crop))
    whole = mean_log_power(luma(_middle(moment.picture.pixels)))
    rings = azimuthal_mean(face)
    return Look(numbers=(*rings, *azimuthal_mean(whole), *copies(face), *copies(whole)))


def _tell(looks: Looks) -> Tale | str:
    means = looks.table.mean(axis=0)
    face, whole = means[:_N_RINGS], means[_N_RINGS : 2 * _N_RINGS]
    peaks, whole_peaks = np.split(means[2 * _N_RINGS :], 2)
    slope, tail, last = _shape(face)
    whole_slope, whole_tail, _ = _shape(whole)
    highest = float(max(peaks.max(), whole_peaks.max()))
    return Tale(
        features=(
            slope,
            tail,
            last,
            whole_slope,
            tail - whole_tail,
            *peaks,
            float(whole_peaks.max()),
        ),
        value=_db(tail),
        text=f"finest detail {abs(_db(tail)):.1f} dB {'above' if tail > 0 else 'below'} the fall "
        f"of the coarser; strongest peak of up-sampling {_db(highest):.1f} dB",
    )


def mean_log_power(plane: Plane) -> NDArray[np.float64]:
    """(64, 64) mean natural-log power over windowed tiles, frequency 0 first (Welch 1967).

    The mean of logarithms keeps one contrasty tile from drowning the rest.
    """
    rows, columns = (_starts(side) for side in plane.shape)
    tiles = np.stack(
        [plane[y : y + _TILE_PX, x : x + _TILE_PX] for y in rows for x in columns]
    ).astype(np.float64)
    tiles = (tiles - tiles.mean(axis=(1, 2), keepdims=True)) * _window()
    power = np.abs(np.fft.fft2(tiles)) ** 2 / (_window() ** 2).sum()
    return np.asarray(np.log(power + 1e-3).mean(axis=0))


def azimuthal_mean(log_power: NDArray[np.float64]) -> NDArray[np.float64]:
    """(32,) mean over rings of equal frequency, from the lowest to half the sampling rate."""
    ring = _rings()
    counts = np.bincount(ring.ravel(), minlength=_N_RINGS + 1)
    sums = np.bincount(ring.ravel(), log_power.ravel(), minlength=_N_RINGS + 1)
    return np.asarray((sums / np.maximum(counts, 1))[:_N_RINGS])


def copies(log_power: NDArray[np.float64]) -> tuple[float, ...]:
    """How far power at each of `_COPIES` stands above its neighbours, natural log.

    Args:
        log_power: (`_TILE_PX`, `_TILE_PX`) natural log, zero frequency at [0, 0].
    """
    smooth = median_filter(log_power, size=5, mode="wrap")
    above = log_power - smooth
    return tuple(
        float(np.mean([above[round(y * _TILE_PX), round(x * _TILE_PX)] for y, x in places]))
        for places in _COPIES.values()
    )


def _shape(rings: NDArray[np.float64]) -> tuple[float, float, float]:
    """Fall of power with the log of frequency; how far tail and end stand off that line."""
    frequency = np.log(np.arange(1, _N_RINGS + 1))
    slope, offset = np.polyfit(frequency[_FIT], rings[_FIT], 1)
    off = rings - (slope * frequency + offset)
    return float(slope), float(off[_TAIL].mean()), float(off[_LAST].mean() - off[_TAIL].mean())


def _middle(picture: NDArray[np.uint8], most_px: int = 512) -> NDArray[np.uint8]:
    height, width = picture.shape[:2]
    top, left = max(0, height - most_px) // 2, max(0, width - most_px) // 2
    return picture[top : top + most_px, left : left + most_px]


def _starts(side: int) -> NDArray[np.int64]:
    most = round(_MOST_TILES**0.5)
    n = min(most, max(1, 2 * side // _TILE_PX - 1))
    return np.linspace(0, max(0, side - _TILE_PX), n).round().astype(np.int64)


def _db(natural_log: float) -> float:
    return float(10.0 * natural_log / np.log(10.0))


@cache
def _window() -> NDArray[np.float64]:
    hann = np.hanning(_TILE_PX + 2)[1:-1]
    return np.asarray(np.outer(hann, hann))


@cache
def _rings() -> NDArray[np.int64]:
    frequency = np.fft.fftfreq(_TILE_PX) * _TILE_PX
    radius = np.hypot(frequency[:, None], frequency[None, :])
    ring = np.rint(radius).astype(np.int64) - 1
    return np.where((ring < 0) | (ring >= _N_RINGS), _N_RINGS, ring)  # the last one is not read


def _draw(looks: Looks) -> CueFigure:
    rings = looks.table[:, :_N_RINGS].mean(axis=0)
    return CueCurve(
        part=Part(face_track=looks.track),
        x=np.arange(1, _N_RINGS + 1) / _TILE_PX,
        y=10.0 * rings / np.log(10.0),
        x_name="cycles a pixel",
        y_name="mean power, dB",
        bands=((21 / _TILE_PX, 0.5),),
        caption="Power of the face's detail from coarse to fine; shaded: what generators miss.",
    )


_METHOD = Method(look=_look, tell=_tell, caption="", shows_person=False, draw=_draw)


CUE = Cue(
    name="spectrum",
    title="Frequency traces",
    measures="Fall of power towards fine detail, and peaks: generators enlarge by copying.",
    reference="Durall et al. 2020; Zhang et al. 2019; Frank et al. 2020",
    unit="dB",
    features=(
        "slope",
        "tail_off_slope",
        "end_off_tail",
        "whole_slope",
        "tail_less_whole_tail",
        *(f"peak_{name}" for name in _COPIES),
        "whole_peak",
    ),
    truth=Truth.VIDEO,
    media=(Medium.VIDEO, Medium.STILL),
    start=_METHOD.start,
)
