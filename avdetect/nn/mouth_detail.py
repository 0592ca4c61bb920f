"""Fine detail and jerkiness of a mouth, frame by frame: what re-made mouths smooth away.

Ratios only: how sharp a camera is and how much a person moves are no signs of forgery.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from avdetect.nn.sync_encoder import NET_CROP_PX, shrunk

N_DETAILS = 4
_FLOOR = 1e-3  # a third of one grey level: below it lies rounding
# Lips and the skin that moves with them, in pixels of the 48 px crop; the rest is its surroundings.
_ROWS, _COLUMNS = slice(14, 36), slice(8, 40)


def mouth_detail(mouths: Tensor, lips: Tensor) -> Tensor:
    """Four logarithms of ratios per frame, free of brightness, contrast, sharpness and liveliness.

    Args:
        mouths: (B, T, P, P) in [0, 1], P a multiple of 48; read at 48 px.
        lips: (B, T, 40, 2) lip points, see `avdetect.faces.lips.lip_points`.

    Returns:
        (B, T, 4) float32: fine detail of the mouth to that of its surroundings, the same of change
        from frame to frame, then second to first difference of the mouth and of the lips.
    """
    mouths = shrunk(mouths, NET_CROP_PX)
    spread = mouths.std((1, 2, 3), keepdim=True).clamp_min(0.02)
    pictures = mouths / spread
    flat = pictures.flatten(0, 1)[:, None]
    smooth = F.avg_pool2d(F.pad(flat, (1, 1, 1, 1), mode="replicate"), 3, 1)
    fine = (flat - smooth).abs()[:, 0].reshape(pictures.shape)
    step, jerk = _difference(pictures), _difference(pictures, order=2)
    rows = [
        _log_ratio(_inside(fine), _outside(fine)),
        _log_ratio(_inside(step), _outside(step)),
        _log_ratio(_inside(jerk), _inside(step)),
        _log_ratio(
            _difference(lips, order=2).mean((2, 3)),
            _difference(lips).mean((2, 3)),
        ),
    ]
    return torch.stack(rows, 2)


def _log_ratio(above: Tensor, below: Tensor) -> Tensor:
    return ((above + _FLOOR) / (below + _FLOOR)).log()


def _difference(stream: Tensor, order: int = 1) -> Tensor:
    change = stream.diff(n=order, dim=1).abs()
    return torch.cat([change[:, :1]] * order + [change], 1)


def _inside(maps: Tensor) -> Tensor:
    return maps[:, :, _ROWS, _COLUMNS].mean((2, 3))


def _outside(maps: Tensor) -> Tensor:
    n_all = NET_CROP_PX**2
    n_in = (_ROWS.stop - _ROWS.start) * (_COLUMNS.stop - _COLUMNS.start)
    return (maps.mean((2, 3)) * n_all - _inside(maps) * n_in) / (n_all - n_in)
