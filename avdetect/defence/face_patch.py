"""The part of a picture around one face, and how swappers cut their square face out of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from avdetect.faces.align import face_transform
from avdetect.observation import FACE_CROP_PX

_WORK_PX = 256  # longer side at which a change is sought: finer ones do not reach a swapper
_RIM_SHARE = 0.04  # of the square, over which a change fades out

Box: TypeAlias = "tuple[int, int, int, int]"


@dataclass(frozen=True, slots=True, kw_only=True)
class FacePatch:
    """One face to be shielded.

    Attributes:
        box: left, top, right, bottom in picture pixels: all that a swapper's crop shows.
        pixels: (1, 3, h, w) in [0, 1], the box at working size.
        to_crop: (2, 3) from pixels of ``pixels`` to the 224 px face crop.
        rim: (1, 1, h, w) in [0, 1], 1 inside the crop, fading to 0 at its edge.
    """

    box: Box
    pixels: Tensor
    to_crop: NDArray[np.float64]
    rim: Tensor


def cut_patch(picture: NDArray[np.uint8], landmarks: NDArray[np.floating]) -> FacePatch | None:
    """The patch of a face; None where the face lies outside of the picture.

    Args:
        picture: (H, W, 3) uint8 RGB.
        landmarks: (478, 2) mesh points in its pixels.
    """
    transform = face_transform(landmarks)
    side = float(FACE_CROP_PX)
    corners = np.array([[0, 0], [side, 0], [side, side], [0, side]])
    inverse = np.linalg.inv(transform[:, :2])
    placed = (corners - transform[:, 2]) @ inverse.T
    low = np.clip(np.floor(placed.min(0)), 0, None).astype(int)
    high = np.minimum(np.ceil(placed.max(0)), picture.shape[1::-1]).astype(int)
    if (high - low).min() < 2:
        return None
    box = (int(low[0]), int(low[1]), int(high[0]), int(high[1]))
    region = picture[box[1] : box[3], box[0] : box[2]]
    factor = min(1.0, _WORK_PX / max(region.shape[:2]))
    size = (max(2, round(region.shape[1] * factor)), max(2, round(region.shape[0] * factor)))
    small = cv2.resize(region, size, interpolation=cv2.INTER_AREA) if factor < 1.0 else region
    scale = np.array([size[0] / region.shape[1], size[1] / region.shape[0]])
    to_crop = np.hstack(
        [transform[:, :2] / scale, (transform[:, :2] @ low + transform[:, 2])[:, None]]
    )
    return FacePatch(
        box=box,
        pixels=torch.from_numpy(np.ascontiguousarray(small)).permute(2, 0, 1)[None].float() / 255.0,
        to_crop=to_crop,
        rim=_rim(to_crop, size),
    )


def crop_face(pixels: Tensor, to_crop: NDArray[np.float64], side_px: int) -> Tensor:
    """The face as a swapper reads it, differentiable.

    Args:
        pixels: (B, 3, h, w).
        to_crop: (2, 3) from its pixels to the 224 px face crop.
        side_px: side of the swapper's square.

    Returns:
        (B, 3, side_px, side_px), sampled twice as fine and averaged, so that nothing aliases.
    """
    height, width = pixels.shape[2:]
    fine = 2 * side_px
    inverse = np.linalg.inv(to_crop[:, :2])
    # Pixel k of the fine crop lies at (k + 0.5) / fine of the 224 px crop, less half a pixel.
    step = FACE_CROP_PX / fine
    linear = inverse * step
    offset = inverse @ (np.full(2, step / 2 - 0.5) - to_crop[:, 2])
    half = np.array([width, height]) / 2.0
    theta = np.zeros((2, 3))
    theta[:, :2] = linear * (fine / 2) / half[:, None]
    centre = linear @ np.full(2, (fine - 1) / 2) + offset
    theta[:, 2] = (centre + 0.5) / half - 1.0
    grid = F.affine_grid(
        torch.from_numpy(theta).float()[None].expand(len(pixels), -1, -1),
        [len(pixels), 3, fine, fine],
        align_corners=False,
    )
    sampled = F.grid_sample(pixels, grid, padding_mode="reflection", align_corners=False)
    return F.avg_pool2d(sampled, 2)


def paste_change(picture: NDArray[np.float32], box: Box, change: Tensor) -> None:
    """Add a change to a picture, in place.

    Args:
        picture: (H, W, 3) in 8-bit steps, 0 to 255.
        box: where the change belongs, pixels.
        change: (1, 3, h, w) at working size, 1 = 255 steps; enlarged where the box is larger.
    """
    left, top, right, bottom = box
    steps = change[0].permute(1, 2, 0).numpy() * 255.0
    size = (right - left, bottom - top)
    if size != (steps.shape[1], steps.shape[0]):
        steps = np.asarray(cv2.resize(steps, size, interpolation=cv2.INTER_CUBIC))
    picture[top:bottom, left:right] += steps


def _rim(to_crop: NDArray[np.float64], size: tuple[int, int]) -> Tensor:
    x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    points = np.stack([x, y], -1) @ to_crop[:, :2].T + to_crop[:, 2]
    inner = np.minimum(points, FACE_CROP_PX - 1 - points).min(-1) / (_RIM_SHARE * FACE_CROP_PX)
    return torch.from_numpy(np.clip(inner, 0.0, 1.0).astype(np.float32))[None, None]
