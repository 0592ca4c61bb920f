"""Self-consistency of camera traces: does every patch of a picture come from one pipeline?

In the sense of EXIF-SC (Huh et al. 2018, "Fighting fake news: image splice detection via learned
self-consistency") and Noiseprint (Cozzolino & Verdoliva 2020), without their networks: in one
picture, noise is a function of brightness and texture (Liu et al. 2006, noise level functions). The
law is fitted on patches around the face, and those of the face are held against it.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from avdetect.cues.base import Cue, Medium, Truth
from avdetect.cues.faces import FaceMoment
from avdetect.cues.per_face import Look, Looks, Method, Tale
from avdetect.cues.regions import (
    FACE_OVAL,
    Mask,
    Plane,
    cut,
    heat,
    luma,
    neighbourhood,
    polygon,
    view,
)

PATCH_PX = 16
_LEAST_FACE, _LEAST_AROUND = 8, 16  # patches
_DARKEST, _BRIGHTEST = 12.0, 243.0  # beyond, sensor and tone curve are cut off and noise with them
_REACH = 0.8
_N_TRACES = 3
_KERNEL = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / 6.0  # Immerkær 1996
_NOISE_FLOOR = 0.05  # grey levels; what rounding leaves


def _look(moment: FaceMoment) -> Look | str:
    box = neighbourhood(moment, _REACH)
    pixels = cut(moment.picture.pixels, box)
    traces, law, usable = patch_traces(pixels)
    share = _per_patch(polygon(moment.landmarks, FACE_OVAL, box).astype(np.float32)).mean(axis=-1)
    face, around = usable & (share > 0.9), usable & (share < 0.05)
    if face.sum() < _LEAST_FACE or around.sum() < _LEAST_AROUND:
        return "covers too few whole patches of 16 px, or too few lie around it, to compare them"
    off, spread = off_the_law(traces, law, around)
    inside = off[face]
    typical = np.median(inside, axis=0)
    scatter = 1.4826 * np.median(np.abs(inside - typical), axis=0)
    apart = float(np.linalg.norm(typical / spread) / math.sqrt(_N_TRACES))
    return Look(
        numbers=(
            *typical,
            math.log(apart + 0.1),
            *np.log(scatter[:2] / spread[:2]),
            math.log(spread[0]),
            math.exp(typical[0]),
        ),
        picture=_picture(off / spread, usable, pixels),
        interest=apart,
    )


def _tell(looks: Looks) -> Tale | str:
    medians = np.median(looks.table, axis=0)
    return Tale(
        features=tuple(medians[:-1]),
        value=float(medians[-1]),
        text=f"the face has {medians[-1]:.2f} times the noise that its surround would have at the "
        "same brightness and texture",
    )


def patch_traces(
    pixels: NDArray[np.uint8],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """What each patch of 16 px shows of its pipeline, and what that may depend on.

    Args:
        pixels: (H, W, 3) uint8 RGB.

    Returns:
        traces: (h, w, 3) log noise of brightness, log share of the finest detail, log noise of
            colour.
        law: (h, w, 4) a constant, brightness and its square, and log texture.
        usable: (h, w) patches neither clipped nor flat.
    """
    light = luma(pixels)
    colour = cv2.cvtColor(pixels, cv2.COLOR_RGB2YCrCb)[..., 1].astype(np.float32)
    finest = _filtered(light)
    soft = np.asarray(cv2.GaussianBlur(light, (0, 0), 1.5), np.float32)
    coarse = _per_patch(soft - cv2.GaussianBlur(light, (0, 0), 3.0))
    noise = 1.4826 * np.median(np.abs(_per_patch(finest)), axis=-1)
    middle = np.sqrt(np.mean(_per_patch(light - soft) ** 2, axis=-1))
    colour_noise = np.mean(np.abs(_per_patch(_filtered(colour))), axis=-1)
    level = _per_patch(light).mean(axis=-1)
    texture = np.log(np.sqrt(np.mean(coarse**2, axis=-1)) + 0.1)
    tone = (level - 128.0) / 128.0
    traces = np.stack(
        [
            np.log(noise + _NOISE_FLOOR),
            np.log(noise + _NOISE_FLOOR) - np.log(middle + _NOISE_FLOOR),
            np.log(colour_noise + _NOISE_FLOOR),
        ],
        axis=-1,
    )
    law = np.stack([np.ones_like(tone), tone, tone**2, texture], axis=-1)
    usable = (level > _DARKEST) & (level < _BRIGHTEST) & (middle > _NOISE_FLOOR)
    return traces.astype(np.float64), law.astype(np.float64), np.asarray(usable)


def off_the_law(
    traces: NDArray[np.float64], law: NDArray[np.float64], fitted_on: Mask
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far every patch lies off the law of some, and their own spread about it.

    Args:
        traces: (h, w, 3) and ``law`` (h, w, 4), as of `patch_traces`.
        law: what traces may depend on.
        fitted_on: (h, w) the patches that make the law.

    Returns:
        (h, w, 3) natural-log units, and (3,) robust deviation of the patches fitted on.
    """
    kept = fitted_on.copy()
    for _ in range(3):  # robust: the farthest tenth is left out of the next fit
        rows = law[kept]
        weights = np.linalg.solve(
            rows.T @ rows + 0.1 * np.eye(rows.shape[1]), rows.T @ traces[kept]
        )
        off = traces - law @ weights
        worst = np.abs(off).max(axis=-1)
        kept = fitted_on & (worst <= np.quantile(worst[fitted_on], 0.9))
    spread = 1.4826 * np.median(np.abs(off[fitted_on]), axis=0)
    return off, np.maximum(spread, 0.05)


def distances(scaled: NDArray[np.float64]) -> NDArray[np.float64]:
    """(h, w) root mean square of the traces' distances, smoothed over neighbouring patches."""
    size = np.sqrt(np.mean(np.clip(scaled, -6.0, 6.0) ** 2, axis=-1))
    return np.asarray(cv2.blur(size, (3, 3), borderType=cv2.BORDER_REFLECT), np.float64)


def _filtered(plane: Plane) -> Plane:
    return np.asarray(cv2.filter2D(plane, cv2.CV_32F, _KERNEL), np.float32)


def _per_patch(plane: NDArray[np.floating]) -> NDArray[np.floating]:
    """(H, W) to (h, w, 256): whole patches alone."""
    rows, columns = (side // PATCH_PX for side in plane.shape)
    cut_to = plane[: rows * PATCH_PX, : columns * PATCH_PX]
    tiles = cut_to.reshape(rows, PATCH_PX, columns, PATCH_PX).swapaxes(1, 2)
    return np.asarray(tiles.reshape(rows, columns, -1))


def _picture(
    scaled: NDArray[np.float64], usable: Mask, pixels: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    rows, columns = (side * PATCH_PX for side in usable.shape)
    shown = np.where(usable, distances(scaled), 0.0)
    return heat(shown, 0.5, 4.0, view(pixels[:rows, :columns]))


_METHOD = Method(
    look=_look,
    tell=_tell,
    caption="Bright: patches whose noise does not follow the law of the face's surround.",
)


CUE = Cue(
    name="patches",
    title="Self-consistency of camera traces",
    measures="Noise of the face against the law of noise in its surround: one pipeline or two.",
    reference="Huh et al. 2018 (EXIF-SC); Cozzolino & Verdoliva 2020 (Noiseprint)",
    unit="times the noise expected",
    features=(
        "log_noise_off_law",
        "log_fineness_off_law",
        "log_colour_noise_off_law",
        "log_distance",
        "log_scatter_of_noise",
        "log_scatter_of_fineness",
        "log_spread_around",
    ),
    truth=Truth.VIDEO,
    media=(Medium.VIDEO, Medium.STILL),
    start=_METHOD.start,
)
