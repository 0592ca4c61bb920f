"""Faces drawn in code: skin-like texture with a mesh whose eyes, mouth and oval lie where due."""

import cv2
import numpy as np

from avdetect.faces.align import LEFT_EYE, OUTER_LIPS, RIGHT_EYE
from recipes.forge.faces import Face, Material


def drawn_face(seed=0, side=256):
    rng = np.random.default_rng(seed)
    coarse = cv2.resize(rng.uniform(60, 200, (16, 16, 3)), (side, side))
    fine = rng.normal(0, 6, (side, side, 3))
    return Face(
        picture=np.clip(coarse + fine, 0, 255).astype(np.uint8), landmarks=drawn_mesh(rng, side)
    )


def drawn_mesh(rng, side=256):
    turn, reach = rng.uniform(0, 2 * np.pi, 478), np.sqrt(rng.uniform(0, 1, 478))
    mesh = np.stack([0.5 + 0.30 * reach * np.cos(turn), 0.5 + 0.38 * reach * np.sin(turn)], 1)
    for ids, centre, radius in (
        (LEFT_EYE, (0.38, 0.42), 0.04),
        (RIGHT_EYE, (0.62, 0.42), 0.04),
        (OUTER_LIPS, (0.5, 0.68), 0.08),
    ):
        angle = np.linspace(0, 2 * np.pi, len(ids), endpoint=False)
        mesh[list(ids)] = np.array(centre) + radius * np.stack([np.cos(angle), np.sin(angle)], 1)
    return (mesh * side).astype(np.float32)


def drawn_material(seed=0):
    face = drawn_face(seed)
    return Material(
        face=face,
        moment=drawn_face(seed + 1) if seed % 2 else None,
        stranger=drawn_face(seed + 2),
        redrawn=(np.asarray(cv2.GaussianBlur(face.picture, (0, 0), 1.5)),),
        swapped=drawn_face(seed + 3).picture,
    )
