"""EfficientNet-Lite0 (Tan & Le 2019; the Lite variants of 2020) as a pyramid of feature maps.

The layers and their padding are those of the published network, so that its ImageNet weights can
start a training. No squeeze-and-excitation and bounded ReLU: it runs well on processors.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

# Expansion, kernel, stride of the first, channels, repeats of every stage.
_STAGES = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
_STEM_CHANNELS = 32
# Blocks after which a map of the pyramid is complete: strides 4, 8, 16 and 32.
_ENDS = (3, 5, 11, 16)
PYRAMID_CHANNELS = (24, 40, 112, 320)


class Pyramid(NamedTuple):
    """Maps of (B, 3, H, W) pictures: 24, 40, 112 and 320 channels; odd sides round up."""

    stride4: Tensor
    stride8: Tensor
    stride16: Tensor
    stride32: Tensor


class MobileEncoder(nn.Module):
    """Pictures to their `Pyramid`; 3.0 M parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _Unit(3, _STEM_CHANNELS, 3, stride=2)
        blocks: list[nn.Module] = []
        width = _STEM_CHANNELS
        for expansion, kernel, stride, channels, repeats in _STAGES:
            for repeat in range(repeats):
                first = stride if repeat == 0 else 1
                blocks.append(_Block(width, expansion, kernel, first, channels))
                width = channels
        self.blocks = nn.ModuleList(blocks)

    def forward(self, picture: Tensor, detail: Tensor | None = None) -> Pyramid:
        """Encode.

        Args:
            picture: (B, 3, H, W) RGB in [0, 1].
            detail: (B, 24, ceil(H / 4), ceil(W / 4)) added to the map of stride 4.
        """
        x = self.stem((picture - 127.0 / 255.0) * (255.0 / 128.0))
        maps = []
        for index, block in enumerate(self.blocks, 1):
            x = block(x)
            if index == _ENDS[0] and detail is not None:
                x = x + detail
            if index in _ENDS:
                maps.append(x)
        return Pyramid(*maps)

    def rectified_norms(self) -> dict[int, list[nn.BatchNorm2d]]:
        """Batch norms by stride, 2 to 16; a bounded rectifier follows each."""
        found: dict[int, list[nn.BatchNorm2d]] = {2: [self.stem.norm], 4: [], 8: [], 16: []}
        ends = (1, *_ENDS[:3])
        for stride, start, end in zip(found, (0, *ends[:3]), ends, strict=True):
            for block in self.blocks[start:end]:
                units = [unit for unit in block.modules() if isinstance(unit, _Unit)]
                found[stride] += [unit.norm for unit in units if not unit.linear]
        return found

    def load_published(self, state: Mapping[str, Tensor]) -> None:
        """Take ImageNet weights named as ``efficientnet_lite_pytorch`` names them.

        Raises:
            KeyError: if a weight of ours is missing there.
            RuntimeError: if a shape differs.
        """
        self.load_state_dict({key: state[_published_name(key)] for key in self.state_dict()})


class _Unit(nn.Module):
    """Convolution and batch norm, bounded unless linear; strides pad as TensorFlow's SAME does."""

    def __init__(
        self,
        width_in: int,
        width_out: int,
        kernel: int,
        *,
        stride: int = 1,
        groups: int = 1,
        linear: bool = False,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width_in, width_out, kernel, stride, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(width_out, eps=1e-3, momentum=0.03)
        self.linear = linear

    def forward(self, x: Tensor) -> Tensor:
        kernel, stride = self.conv.kernel_size[0], self.conv.stride[0]
        sides = []
        for side in (x.shape[3], x.shape[2]):
            wanted = max((-(-side // stride) - 1) * stride + kernel - side, 0)
            sides += [wanted // 2, wanted - wanted // 2]
        x = self.norm(self.conv(F.pad(x, sides) if any(sides) else x))
        return x if self.linear else F.relu6(x)


class _Block(nn.Module):
    """Inverted residual (Sandler et al. 2018)."""

    def __init__(
        self, width_in: int, expansion: int, kernel: int, stride: int, width_out: int
    ) -> None:
        super().__init__()
        width = width_in * expansion
        self.expand = _Unit(width_in, width, 1) if expansion > 1 else nn.Identity()
        self.depthwise = _Unit(width, width, kernel, stride=stride, groups=width)
        self.project = _Unit(width, width_out, 1, linear=True)
        self.skips = stride == 1 and width_in == width_out

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.project(self.depthwise(self.expand(x)))
        return x + y if self.skips else y


def _published_name(key: str) -> str:
    """``blocks.3.depthwise.norm.bias`` to ``_blocks.3._bn1.bias`` and the like."""
    parts = key.split(".")
    if parts[0] == "stem":
        return ".".join(["_conv_stem" if parts[1] == "conv" else "_bn0", parts[2]])
    norm = {"expand": "_bn0", "depthwise": "_bn1", "project": "_bn2"}[parts[2]]
    return ".".join(
        ["_blocks", parts[1], f"_{parts[2]}_conv" if parts[3] == "conv" else norm, parts[4]]
    )
