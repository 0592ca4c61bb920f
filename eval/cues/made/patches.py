"""How surely a face with another camera's noise is found in real pictures."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from avdetect.channels.picture_degrade import sensor_noise
from avdetect.cues.patches import CUE
from avdetect.cues.regions import FACE_OVAL, polygon
from eval.cues.made.portraits import CODINGS, Portrait, features_of, portraits
from eval.metrics import auc

_OWN, _FOREIGN = 4.0, 1.0  # deviation of sensor noise at mid grey, 8-bit steps
_AT = CUE.features.index("log_distance")


def figures(n: int, seed: int) -> list[tuple[str, str]]:
    """AUC over ``n`` portraits, each with one camera's noise and with two cameras'."""
    rng = np.random.default_rng(seed)
    faces = [_denoised(each) for each in portraits(n, rng)]
    whole = [_noisy(each, rng, _OWN) for each in faces]
    pasted = [_noisy(each, rng, _FOREIGN) for each in faces]
    rows = []
    for name, coded in CODINGS:
        labels, features = features_of(CUE, whole, pasted, coded)
        text = f"AUC of the distance {auc(labels, features[:, _AT]):.3f} (n = {sum(labels)})"
        rows.append((f"face with a quarter of its surround's noise, {name}", text))
    return rows


def _denoised(portrait: Portrait) -> Portrait:
    """Without the noise and the coding that the picture came with."""
    return replace(portrait, picture=np.asarray(cv2.GaussianBlur(portrait.picture, (0, 0), 1.2)))


def _noisy(portrait: Portrait, rng: np.random.Generator, inside: float) -> Portrait:
    """Sensor noise of ``inside`` within the face and `_OWN` around it."""
    height, width = portrait.picture.shape[:2]
    face = polygon(portrait.landmarks, FACE_OVAL, (0, 0, width, height))
    own, other = (sensor_noise(portrait.picture[None], d, rng)[0] for d in (_OWN, inside))
    return replace(portrait, picture=np.where(face[..., None], other, own))
