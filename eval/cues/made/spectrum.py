"""How surely the traces of up-sampling are found in real pictures that were enlarged by a network.

Not by a trained one: by what its last layer does, zeros between pixels and a filter whose taps
overlap unevenly (Zhang et al. 2019, Odena et al. 2016 on the checkerboard of deconvolution).
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from avdetect.cues.spectrum import CUE
from eval.cues.made.portraits import CODINGS, Picture, features_of, portraits
from eval.metrics import auc

_PEAKS = [k for k, name in enumerate(CUE.features) if "peak" in name]


def figures(n: int, seed: int) -> list[tuple[str, str]]:
    """AUC of the strongest peak over ``n`` pictures, each as it is and up-sampled by two."""
    rng = np.random.default_rng(seed)
    faces = list(portraits(n, rng))
    enlarged = [replace(each, picture=_enlarged(each.picture, rng)) for each in faces]
    rows = []
    for name, coded in CODINGS:
        labels, features = features_of(CUE, faces, enlarged, coded)
        found = auc(labels, features[:, _PEAKS].max(axis=1))
        text = f"AUC of the strongest peak {found:.3f} (n = {sum(labels)})"
        rows.append((f"up-sampled by two, {name}", text))
    return rows


def _enlarged(picture: Picture, rng: np.random.Generator) -> Picture:
    height, width = (side // 2 * 2 for side in picture.shape[:2])
    half = (width // 2, height // 2)
    small = cv2.resize(picture[:height, :width], half, interpolation=cv2.INTER_AREA)
    spaced = np.zeros((height, width, 3), np.float32)
    spaced[::2, ::2] = small
    uneven = float(rng.uniform(0.03, 0.06))
    taps = np.array([0.5 - uneven, 1.0 + 2.0 * uneven, 0.5 - uneven])
    wide = cv2.filter2D(spaced, -1, np.outer(taps, taps), borderType=cv2.BORDER_REFLECT)
    return np.clip(np.rint(wide), 0, 255).astype(np.uint8)
