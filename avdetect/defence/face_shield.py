"""Shield faces: a bounded change after which a one-shot swapper takes somebody else's likeness.

Such a swapper draws its victim from the identity vector of one picture. Projected gradient descent
(Madry et al. 2018) with momentum (Dong et al. 2018) turns that vector away, as surrogate encoders
see it, in expectation over crops, sizes and JPEG qualities (Athalye et al. 2018). The bound is on
the root mean square over each face's square, so that the PSNR there, and with it that of the whole
picture, never falls below what was asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from avdetect.defence.face_patch import FacePatch, crop_face, cut_patch, paste_change
from avdetect.defence.fidelity import psnr_db
from avdetect.nn.identity_encoder import IdentityEncoder
from avdetect.nn.soft_jpeg import SoftJpeg
from avdetect.observation import FACE_CROP_PX

_VIEWS = 1  # draws of crop, size and JPEG per step
_MOMENTUM = 0.9
_STEP_SHARE = 0.07  # of the bound
_JPEG_SHARE = 0.6  # of the views
_TURN, _SCALE, _SHIFT_PX = 0.01, 0.01, 1.0  # how face finders differ, in the 224 px crop
_QUALITIES = (60, 96)
_SMALLER_SHARE, _SMALLEST = 0.3, 0.6  # of the views; factor of size
_TIGHTEN, _LEAST_SHARE = 0.97, 0.1

Progress = Callable[[float, float | None], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How long is sought, and with which draws; the same gives the same shield.

    Attributes:
        n_steps: of the descent, for each face.
        seed: of the draws.
    """

    n_steps: int = 60
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ShieldedPicture:
    """A shielded picture.

    Attributes:
        picture: (H, W, 3) uint8 RGB, to be written.
        n_faces: how many faces were shielded.
        psnr_db: of the whole picture, as it comes back from the file.
        least_face_psnr_db: likewise of the face's square that was changed most.
    """

    picture: NDArray[np.uint8]
    n_faces: int
    psnr_db: float
    least_face_psnr_db: float


@dataclass(frozen=True, slots=True)
class FaceChange:
    """What to add to the patch of one face: (1, 3, h, w) in [0, 1] units."""

    patch: FacePatch
    change: Tensor


def find_changes(
    picture: NDArray[np.uint8],
    faces: Sequence[NDArray[np.floating]],
    encoders: Sequence[IdentityEncoder],
    *,
    least_psnr_db: float,
    effort: Effort | None = None,
    progress: Progress | None = None,
) -> list[FaceChange]:
    """The change of every face of a picture.

    Args:
        picture: (H, W, 3) uint8 RGB.
        faces: (478, 2) mesh points of each face.
        encoders: what to shield from.
        least_psnr_db: bound of each face's square.
        effort: default `Effort`.
        progress: called with steps done and steps in all.
    """
    patches = [p for face in faces if (p := cut_patch(picture, face)) is not None]
    bound = 10.0 ** (-least_psnr_db / 20.0)
    effort = effort or Effort()
    changes = []
    for number, patch in enumerate(patches):
        done = number * effort.n_steps

        def tell(step: int, done: int = done) -> None:
            if progress is not None:
                progress(done + step, len(patches) * effort.n_steps)

        change = find_change(
            patch, encoders, bound, replace(effort, seed=effort.seed + number), tell
        )
        changes.append(FaceChange(patch, change))
    return changes


def compose(
    picture: NDArray[np.uint8],
    changes: Sequence[FaceChange],
    least_psnr_db: float,
    written: Callable[[NDArray[np.uint8]], NDArray[np.uint8]] = lambda picture: picture,
) -> ShieldedPicture | None:
    """Whole steps of whole pixels, weakened until every bound holds on what is written.

    Args:
        picture: (H, W, 3) uint8 RGB, the original.
        changes: of `find_changes`.
        least_psnr_db: neither a face's square nor the whole picture falls below it.
        written: what comes back of a picture from the file it is written to.

    Returns:
        None where writing alone costs more than the bound allows.
    """
    share = 1.0
    while share > _LEAST_SHARE:
        shielded = picture.astype(np.float32)
        for one in changes:
            paste_change(shielded, one.patch.box, one.change * share)
        rounded = np.clip(np.rint(shielded), 0, 255).astype(np.uint8)
        back = written(rounded)
        whole = psnr_db(picture, back)
        squares = [psnr_db(_region(picture, c.patch), _region(back, c.patch)) for c in changes]
        if min(whole, *squares) >= least_psnr_db:
            return ShieldedPicture(
                picture=rounded,
                n_faces=len(changes),
                psnr_db=whole,
                least_face_psnr_db=min(squares),
            )
        share *= _TIGHTEN
    return None


def find_change(
    patch: FacePatch,
    encoders: Sequence[IdentityEncoder],
    bound: float,
    effort: Effort,
    tell: Callable[[int], None] = lambda _step: None,
) -> Tensor:
    """The change (1, 3, h, w) of a face's patch, in [0, 1] units, at most ``bound`` RMS."""
    rng = np.random.default_rng(effort.seed)
    jpeg = SoftJpeg()
    noise = rng.standard_normal(patch.pixels.shape).astype(np.float32)
    change = _project(torch.from_numpy(noise) * 0.1 * bound, patch, bound)
    velocity = torch.zeros_like(change)
    for step in range(effort.n_steps):
        change.requires_grad_(True)
        alike = torch.stack([_alike(patch, change, encoders, jpeg, rng) for _ in range(_VIEWS)])
        (gradient,) = torch.autograd.grad(alike.mean(), change)
        velocity = _MOMENTUM * velocity + gradient / gradient.abs().mean().clamp_min(1e-12)
        rms = velocity.square().mean().sqrt().clamp_min(1e-12)
        moved = change.detach() - _STEP_SHARE * bound * velocity / rms
        change = _project(moved, patch, bound)
        tell(step + 1)
    return change.detach()


def _alike(
    patch: FacePatch,
    change: Tensor,
    encoders: Sequence[IdentityEncoder],
    jpeg: SoftJpeg,
    rng: np.random.Generator,
) -> Tensor:
    """Mean cosine of what the encoders see before and after, in one view of the face."""
    both = torch.cat([patch.pixels, (patch.pixels + change).clamp(0.0, 1.0)])
    height, width = both.shape[2:]
    if rng.random() < _SMALLER_SHARE:
        factor = float(rng.uniform(_SMALLEST, 1.0))
        size = (max(16, round(height * factor)), max(16, round(width * factor)))
        both = F.interpolate(both, size, mode="bilinear", antialias=True, align_corners=False)
    clean, seen = both[:1], both[1:]
    if rng.random() < _JPEG_SHARE:
        seen = jpeg(seen, int(rng.integers(*_QUALITIES)))
    to_crop = patch.to_crop.copy()
    to_crop[:, :2] *= np.array([width / both.shape[3], height / both.shape[2]])
    to_crop = _shaken(to_crop, rng)
    cosines = []
    for net in encoders:
        crops = crop_face(torch.cat([clean, seen]), to_crop, net.config.side_px)
        before, after = net(crops)
        cosines.append((before.detach() * after).sum())
    return torch.stack(cosines).mean()


def _shaken(to_crop: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """The crop as another face finder would have cut it."""
    turn, scale = rng.normal(0.0, _TURN), rng.normal(1.0, _SCALE)
    matrix = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    centre = np.full(2, FACE_CROP_PX / 2)
    shift = rng.normal(0.0, _SHIFT_PX, 2)
    linear = matrix @ to_crop[:, :2]
    offset = matrix @ (to_crop[:, 2] - centre) + centre + shift
    return np.hstack([linear, offset[:, None]])


def _project(change: Tensor, patch: FacePatch, bound: float) -> Tensor:
    """Back into the ball, into the crop, and into what pixels can show."""
    with torch.no_grad():
        change = change * patch.rim
        rms = change.square().mean().sqrt().clamp_min(1e-12)
        change = change * min(1.0, bound / float(rms))
        return (patch.pixels + change).clamp(0.0, 1.0) - patch.pixels


def _region(picture: NDArray[np.uint8], patch: FacePatch) -> NDArray[np.uint8]:
    left, top, right, bottom = patch.box
    return picture[top:bottom, left:right]
