"""Fine detail and jerkiness of a mouth, frame by frame: what re-made mouths smooth away."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from avdetect.nn.sync_encoder import NET_CROP_PX

N_DETAILS = 7
_FLOOR = 1e-3  # a third of one grey level: below it lies rounding
# Lips and the skin that moves with them, in pixels of the 48 px crop; the rest is its surroundings.
_ROWS, _COLUMNS = slice(14, 36), slice(8, 40)


def mouth_detail(mouths: Tensor, lips: Tensor) -> Tensor:
    """Seven logarithms per frame, free of brightness and contrast.

    Args:
        mouths: (B, T, 48, 48) in [0, 1].
        lips: (B, T, 40, 2) lip points, see `avdetect.faces.lips.lip_points`.

    Returns:
        (B, T, 7) float32: fine detail of the mouth and of its surroundings, change from frame to
        frame of both, second difference of the mouth, speed and second difference of the lips.
    """
    spread = mouths.std((1, 2, 3), keepdim=True).clamp_min(0.02)
    pictures = mouths / spread
    flat = pictures.flatten(0, 1)[:, None]
    smooth = F.avg_pool2d(F.pad(flat, (1, 1, 1, 1), mode="replicate"), 3, 1)
    fine = (flat - smooth).abs()[:, 0].reshape(pictures.shape)
    step = _difference(pictures)
    jerk = _difference(pictures, order=2)
    rows = [
        _inside(fine),
        _outside(fine),
        _inside(step),
        _outside(step),
        _inside(jerk),
        _difference(lips).mean((2, 3)),
        _difference(lips, order=2).mean((2, 3)),
    ]
    return (torch.stack(rows, 2) + _FLOOR).log()


def _difference(stream: Tensor, order: int = 1) -> Tensor:
    change = stream.diff(n=order, dim=1).abs()
    return torch.cat([change[:, :1]] * order + [change], 1)


def _inside(maps: Tensor) -> Tensor:
    return maps[:, :, _ROWS, _COLUMNS].mean((2, 3))


def _outside(maps: Tensor) -> Tensor:
    n_all = NET_CROP_PX**2
    n_in = (_ROWS.stop - _ROWS.start) * (_COLUMNS.stop - _COLUMNS.start)
    return (maps.mean((2, 3)) * n_all - _inside(maps) * n_in) / (n_all - n_in)
