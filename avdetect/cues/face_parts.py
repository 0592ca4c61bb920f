"""Where the parts of an aligned face lie on the 28 x 28 grid of a forgery map."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from avdetect.nn.image_encoder import MASK_SIDE, VIEW_CELLS
from avdetect.observation import FACE_CROP_PX

# Centre x, y and radii in pixels of the 224 px crop, after the template of `avdetect.faces.align`.
_EYES = ((83.0, 88.0, 22.0, 13.0), (141.0, 88.0, 22.0, 13.0))
_MOUTH = (112.0, 148.0, 32.0, 20.0)
_OVAL = (112.0, 116.0, 62.0, 80.0)
_RIM = (0.8, 1.15)  # of the oval: where a pasted face ends

PARTS = ("eyes", "mouth", "rim")
Mask = NDArray[np.bool_]


@lru_cache(maxsize=1)
def part_masks() -> dict[str, Mask]:
    """(28, 28) masks of `PARTS`, the ``face`` (its oval) and the ``view`` of the network."""
    away = _distance(_OVAL)
    margin = (MASK_SIDE - VIEW_CELLS) // 2
    view = np.zeros((MASK_SIDE, MASK_SIDE), bool)
    view[margin : MASK_SIDE - margin, margin : MASK_SIDE - margin] = True
    masks = {
        "eyes": (_distance(_EYES[0]) <= 1.0) | (_distance(_EYES[1]) <= 1.0),
        "mouth": _distance(_MOUTH) <= 1.0,
        "rim": (away >= _RIM[0]) & (away <= _RIM[1]),
        "face": away <= 1.0,
    }
    return {name: mask & view for name, mask in masks.items()} | {"view": view}


def _distance(ellipse: tuple[float, float, float, float]) -> NDArray[np.float64]:
    """(28, 28) distance of each cell from an ellipse's centre, in its radii."""
    x, y, across, down = ellipse
    centres = (np.arange(MASK_SIDE) + 0.5) * (FACE_CROP_PX / MASK_SIDE)
    away = np.hypot((centres[None, :] - x) / across, (centres[:, None] - y) / down)
    return np.asarray(away, np.float64)
