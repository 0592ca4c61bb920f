"""The frame network over a pretrained mobile encoder: token, score and map, as the small one's.

ImageNet weights start it, because few real faces teach little else to a network from nothing
(self-blending as published starts so too: Shiohara & Yamasaki 2022). A high-pass view, taken at
full resolution, joins it at stride 4: the encoder's first stride would drop a blend's edge.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from avdetect.nn.high_pass import HighPass
from avdetect.nn.image_encoder import VIEW_CELLS, FaceForgery, view_of_face
from avdetect.nn.mobile_encoder import PYRAMID_CHANNELS, MobileEncoder

ENCODERS = ("efficientnet-lite0",)


@dataclass(frozen=True, slots=True, kw_only=True)
class MobileForgeryConfig:
    """Sizes of `MobileForgeryNet`; the ``[config]`` table of its card.

    Attributes:
        encoder: of `ENCODERS`.
        token_width: length of a frame's token.
        map_width: channels of the joined map that the forgery map is read from.
        n_learned: learned high-pass kernels.
    """

    encoder: str = ENCODERS[0]
    token_width: int = 64
    map_width: int = 48
    n_learned: int = 3

    def __post_init__(self) -> None:
        if self.encoder not in ENCODERS:
            raise TypeError(f"encoder = {self.encoder!r} is none of {', '.join(ENCODERS)}")


class MobileForgeryNet(nn.Module):
    """Face crops to `FaceForgery`."""

    def __init__(self, config: MobileForgeryConfig) -> None:
        super().__init__()
        self.token_width = config.token_width
        fine, near, far, deep = PYRAMID_CHANNELS
        width = config.map_width
        self.encoder = MobileEncoder()
        self.high_pass = HighPass(config.n_learned)
        self.detail = nn.Sequential(
            _unit(4 * self.high_pass.n_channels, fine, 3),
            _unit(fine, fine, 3, stride=2),
            _unit(fine, fine, 1, linear=True),
        )
        self.near, self.far, self.deep = (nn.Conv2d(n, width, 1) for n in (near, far, deep))
        self.join = nn.Sequential(nn.BatchNorm2d(width), nn.ReLU(), _unit(width, width, 3))
        self.mask = nn.Conv2d(width, 1, 1)
        self.token = nn.Linear(2 * (deep + width), config.token_width)
        self.score = nn.Linear(config.token_width, 1)

    def forward(self, faces: Tensor) -> FaceForgery:
        """Judge faces.

        Args:
            faces: (B, 3, 224, 224) RGB in [0, 1].

        Raises:
            ShapeError: on any other shape.
        """
        view = view_of_face(faces)
        maps = self.encoder(view, self.detail(F.pixel_unshuffle(self.high_pass(view), 2)))
        joined = self.join(
            self.near(maps.stride8) + _cells(self.far(maps.stride16)) + _cells(self.deep(maps[3]))
        )
        mask_logits = self.mask(joined).float()
        pooled = [_pool(m.float(), mask_logits.detach()) for m in (maps.stride32, joined)]
        token = F.gelu(self.token(torch.cat(pooled, 1)))
        return FaceForgery(token, self.score(token).squeeze(-1), mask_logits.squeeze(1))

    def rectified_norms(self) -> dict[int, list[nn.BatchNorm2d]]:
        """Batch norms of the encoder by stride, 2 to 16, in the order of the layers."""
        return self.encoder.rectified_norms()


def _cells(maps: Tensor) -> Tensor:
    """Any map, drawn out to one value per 8 px cell of the view."""
    return F.interpolate(maps, size=(VIEW_CELLS, VIEW_CELLS), mode="bilinear", align_corners=False)


def _pool(maps: Tensor, mask_logits: Tensor) -> Tensor:
    """Mean over the face beside the mean where the map is high: a small forgery is not diluted."""
    weight = F.adaptive_avg_pool2d(mask_logits.sigmoid(), maps.shape[-1])
    marked = (maps * weight).sum((2, 3)) / (weight.sum((2, 3)) + 0.05 * weight[0].numel())
    return torch.cat([maps.mean((2, 3)), marked], 1)


def _unit(
    width_in: int, width_out: int, kernel: int, *, stride: int = 1, linear: bool = False
) -> nn.Sequential:
    layers: list[nn.Module] = [
        nn.Conv2d(width_in, width_out, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(width_out),
    ]
    return nn.Sequential(*layers, *([] if linear else [nn.ReLU(inplace=True)]))
