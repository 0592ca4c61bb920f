"""How surely a face that was resampled and pasted back into its own sharp picture is found."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from avdetect.cues.regions import LEFT_BROW, RIGHT_BROW, polygon
from avdetect.cues.warp import CUE
from avdetect.faces.align import OUTER_LIPS
from eval.cues.made.portraits import CODINGS, Picture, Portrait, features_of, portraits
from eval.metrics import auc

_SCALES = (0.35, 0.7)  # of the face as a generator made it, to the face as shown
_BLENDING_PX = 3.0


def figures(n: int, seed: int) -> list[tuple[str, str]]:
    """AUC of the blur ratio and of the cue's fineness over ``n`` faces, untouched and resampled."""
    rng = np.random.default_rng(seed)
    faces = list(portraits(n, rng))
    forged = [resampled(each, float(rng.uniform(*_SCALES)), rng) for each in faces]
    ratio, fineness = (
        CUE.features.index(name) for name in ("log_blur_ratio", "fineness_inner_less_rim")
    )
    rows = []
    for name, coded in CODINGS:
        labels, features = features_of(CUE, faces, forged, coded)
        text = (
            f"AUC of the blur ratio {auc(labels, features[:, ratio]):.3f}, "
            f"of the fineness within {auc(labels, -features[:, fineness]):.3f}"
        )
        rows.append((f"resampled face, {name}", f"{text} (n = {sum(labels)})"))
    return rows


def resampled(portrait: Portrait, scale: float, rng: np.random.Generator) -> Portrait:
    """The inner face warped to ``scale``, slightly turned, warped back and blended in."""
    height, width = portrait.picture.shape[:2]
    angle_deg = float(rng.uniform(-8.0, 8.0))
    there = cv2.getRotationMatrix2D((0.0, 0.0), angle_deg, scale)
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]]) @ there[:, :2].T
    there[:, 2] = -corners.min(0) + 1.0
    size = tuple(int(side) for side in np.ceil(np.ptp(corners, axis=0)) + 2)
    smooth = cv2.GaussianBlur(portrait.picture, (0, 0), 0.4 / scale)
    small = cv2.warpAffine(smooth, there, size, flags=cv2.INTER_LINEAR)
    back = cv2.warpAffine(
        small, there, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    )
    return replace(portrait, picture=_blended(portrait, np.asarray(back, np.uint8)))


def _blended(portrait: Portrait, face: Picture) -> NDArray[np.uint8]:
    height, width = portrait.picture.shape[:2]
    inner = (*LEFT_BROW, *RIGHT_BROW, *OUTER_LIPS)
    mask = polygon(portrait.landmarks, inner, (0, 0, width, height), grow=1.1)
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), _BLENDING_PX)[..., None]
    mixed = soft * face + (1.0 - soft) * portrait.picture
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)
