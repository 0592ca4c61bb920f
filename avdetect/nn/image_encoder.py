"""Compact face-forgery network: token, score and a coarse map of where the forgery lies.

The traces (a blend's edge, resampling, two noises) are a few pixels wide: the high-pass view is
taken at full resolution and folded into channels, so that no pixel is dropped before it is read.
The map is trained with the forger's mask (Li et al. 2020, Face X-Ray) and weights the pooling.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from avdetect.nn.high_pass import HighPass
from avdetect.nn.shapes import check_shape
from avdetect.observation import FACE_CROP_PX

VIEW_PX = 176  # centre of the face crop that is looked at: hairline to chin, ear to ear
_MARGIN_PX = (FACE_CROP_PX - VIEW_PX) // 2
_MASK_STRIDE = 8
VIEW_CELLS = VIEW_PX // _MASK_STRIDE  # 22
MASK_SIDE = FACE_CROP_PX // _MASK_STRIDE  # 28; cells outside the view are 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceForgeryConfig:
    """Sizes of `FaceForgeryNet`; the ``[config]`` table of its card.

    Attributes:
        widths: channels at strides 2, 4, 8 and 16.
        depths: residual blocks at strides 2, 4, 8 and 16.
        token_width: length of a frame's token.
        n_learned: learned high-pass kernels.
        context: every place is told of the mean over the face, which a blend departs from.
    """

    widths: tuple[int, int, int, int] = (24, 40, 72, 112)
    depths: tuple[int, int, int, int] = (1, 1, 2, 1)
    token_width: int = 64
    n_learned: int = 3
    context: bool = False

    @staticmethod
    def from_table(table: dict[str, Any]) -> FaceForgeryConfig:
        """Read a card's ``[config]``; TOML knows lists only."""
        lists: dict[str, Any] = {
            key: tuple(v) if isinstance(v, list) else v for key, v in table.items()
        }
        return FaceForgeryConfig(**lists)


class FaceForgery(NamedTuple):
    """What the network says of B faces.

    Attributes:
        token: (B, D) embedding.
        score: (B,) log-odds of its training mix, higher = more fake.
        mask_logits: (B, 22, 22) log-odds of forgery per 8 px cell of the view.
    """

    token: Tensor
    score: Tensor
    mask_logits: Tensor


class FaceForgeryNet(nn.Module):
    """Face crops to `FaceForgery`."""

    def __init__(self, config: FaceForgeryConfig) -> None:
        super().__init__()
        self.token_width = config.token_width
        w, d = config.widths, config.depths
        self.high_pass = HighPass(config.n_learned)
        n_folded = 4 * (3 + self.high_pass.n_channels)
        self.stage2 = nn.Sequential(_conv(n_folded, w[0]), *_residuals(w[0], d[0]))
        self.stage4 = nn.Sequential(_conv(w[0], w[1], 2), *_residuals(w[1], d[1]))
        self.stage8 = nn.Sequential(_conv(w[1], w[2], 2), *_residuals(w[2], d[2]))
        self.stage16 = nn.Sequential(_conv(w[2], w[3], 2), *_residuals(w[3], d[3]))
        self.context4 = _Context(w[1]) if config.context else nn.Identity()
        self.context8 = _Context(w[2]) if config.context else nn.Identity()
        self.mask_near = nn.Conv2d(w[2], 1, 1)
        self.mask_far = nn.Conv2d(w[3], 1, 1)
        self.token = nn.Linear(2 * w[3], config.token_width)
        self.score = nn.Linear(config.token_width, 1)

    def forward(self, faces: Tensor) -> FaceForgery:
        """Judge faces.

        Args:
            faces: (B, 3, 224, 224) RGB in [0, 1].

        Raises:
            ShapeError: on any other shape.
        """
        view = view_of_face(faces).contiguous()
        picture = torch.cat([(view - 0.5) * 4.0, self.high_pass(view)], 1)
        traces = self.context4(self.stage4(self.stage2(F.pixel_unshuffle(picture, 2))))
        fine = self.context8(self.stage8(traces))
        coarse = self.stage16(fine)
        far = F.interpolate(self.mask_far(coarse).float(), scale_factor=2.0, mode="nearest")
        mask_logits = self.mask_near(fine).float() + far
        token = F.gelu(self.token(_pool(coarse.float(), mask_logits)))
        return FaceForgery(token, self.score(token).squeeze(-1), mask_logits.squeeze(1))

    def rectified_norms(self) -> dict[int, list[nn.BatchNorm2d]]:
        """Batch norms by stride, in the order of the layers; a rectifier follows each."""
        stages = {2: self.stage2, 4: self.stage4, 8: self.stage8, 16: self.stage16}
        return {
            stride: [layer for layer in stage.modules() if isinstance(layer, nn.BatchNorm2d)]
            for stride, stage in stages.items()
        }


def view_of_face(faces: Tensor) -> Tensor:
    """(B, 3, 224, 224) face crops to the (B, 3, 176, 176) that is looked at.

    Raises:
        ShapeError: on any other shape.
    """
    check_shape(faces, f"B 3 {FACE_CROP_PX} {FACE_CROP_PX}", "faces")
    return faces[..., _MARGIN_PX:-_MARGIN_PX, _MARGIN_PX:-_MARGIN_PX]


def mask_of(mask_logits: Tensor) -> Tensor:
    """(B, 22, 22) log-odds over the view to (B, 28, 28) in [0, 1] over the whole face crop."""
    margin = _MARGIN_PX // _MASK_STRIDE
    return F.pad(mask_logits.float().sigmoid(), (margin, margin, margin, margin))


def view_of_mask(mask: Tensor) -> Tensor:
    """(B, 224, 224) forgery mask in [0, 1] to its (B, 22, 22) cell means over the view."""
    margin = slice(_MARGIN_PX, FACE_CROP_PX - _MARGIN_PX)
    return F.avg_pool2d(mask[:, None, margin, margin], _MASK_STRIDE).squeeze(1)


def _pool(features: Tensor, mask_logits: Tensor) -> Tensor:
    """Mean over the face beside the mean where the map is high: a small forgery is not diluted."""
    weight = F.avg_pool2d(mask_logits.sigmoid(), 2)
    marked = (features * weight).sum((2, 3)) / (weight.sum((2, 3)) + 1.0)
    return torch.cat([features.mean((2, 3)), marked], 1)


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _conv(width, width)
        self.second = nn.Sequential(
            nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.second(self.first(x)))


class _Context(nn.Module):
    """Adds to every place what the mean over all places says; nothing before it is trained."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mix = nn.Linear(width, width)
        nn.init.zeros_(self.mix.weight)
        nn.init.zeros_(self.mix.bias)

    def forward(self, x: Tensor) -> Tensor:
        told: Tensor = self.mix(x.mean((2, 3)))
        return x + told[..., None, None]


def _conv(width_in: int, width_out: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(width_in, width_out, 3, stride, 1, bias=False),
        nn.BatchNorm2d(width_out),
        nn.ReLU(inplace=True),
    )


def _residuals(width: int, depth: int) -> list[nn.Module]:
    return [_Residual(width) for _ in range(depth)]
