"""How many neurons of a face network are active, layer by layer, without touching the network.

Wang et al., "FakeSpotter" (2020): a neuron is active where it exceeds its layer's mean activation
over training faces, and the counts of a forged face differ from those of a real one. That mean need
not be shipped: a batch normalisation carries the mean and deviation of its own outputs over the
training set, and with them the mean of what follows the rectifier.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn

from avdetect.nn.fixed_batch import batch_size, run_fixed
from avdetect.nn.image_encoder import FaceForgeryNet
from avdetect.nn.mobile_forgery import MobileForgeryNet

STAGES = (2, 4, 8, 16)
CountedNet: TypeAlias = FaceForgeryNet | MobileForgeryNet


@dataclass(frozen=True, slots=True, kw_only=True)
class NeuronCounts:
    """Counts of N faces in L layers.

    Attributes:
        active: (N, L) share of the layer's neurons (channel and place) above its mean activation.
        busy: (N, L) share of its channels whose mean over the face is above it.
        stages: (L,) stride of the stage that each layer belongs to, of `STAGES`.
    """

    active: Tensor
    busy: Tensor
    stages: tuple[int, ...]


class NeuronCounter:
    """Counts neurons in a private twin of a network; not shared between threads.

    The twin has the network's own tensors, so it costs no memory, and hooks of its own: other
    threads that run the network meet none.
    """

    def __init__(self, net: CountedNet, device: torch.device) -> None:
        self._net = _twin(net)
        self._device = device
        self._counted: list[Tensor] = []
        self._stages: list[int] = []
        for stage, layers in self._net.rectified_norms().items():
            for layer in layers:
                layer.register_forward_hook(self._hook(mean_activation(layer)))
                self._stages.append(stage)

    def count(self, crops: Tensor) -> NeuronCounts:
        """Count.

        Args:
            crops: (N, 224, 224, 3) uint8 RGB face crops.
        """
        counted = run_fixed(self._count_batch, crops, batch_size(self._device))
        return NeuronCounts(
            active=counted[..., 0], busy=counted[..., 1], stages=tuple(self._stages)
        )

    def _count_batch(self, crops: Tensor) -> Tensor:
        self._counted.clear()
        self._net(crops.to(self._device).permute(0, 3, 1, 2).float() / 255.0)
        return torch.stack(self._counted, 1).cpu()

    def _hook(self, threshold: float) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        def hook(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            # At once: the rectifier that follows works in place.
            active = (output > threshold).float().mean((1, 2, 3))
            busy = (output.relu().mean((2, 3)) > threshold).float().mean(1)
            self._counted.append(torch.stack([active, busy], 1))

        return hook


def mean_activation(layer: nn.BatchNorm2d) -> float:
    """Mean of a layer's rectified outputs over the faces it was trained on.

    A normalised channel is taken to be normal with mean ``bias`` and deviation ``|weight|``.
    """
    mean = layer.bias.detach().double()
    deviation = layer.weight.detach().double().abs().clamp(min=1e-9)
    ratio = mean / deviation
    below = 0.5 * (1.0 + torch.erf(ratio / math.sqrt(2.0)))
    density = torch.exp(-0.5 * ratio**2) / math.sqrt(2.0 * math.pi)
    return float((mean * below + deviation * density).mean())


def _twin(net: CountedNet) -> CountedNet:
    """The same network over the same tensors, with modules of its own."""
    tensors = [*net.parameters(), *net.buffers()]
    return copy.deepcopy(net, {id(tensor): tensor for tensor in tensors}).eval()
