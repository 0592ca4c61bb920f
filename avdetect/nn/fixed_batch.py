"""Inference in batches of one fixed size, so that an item's result never depends on company.

Kernels choose their blocking by the batch size: the same item in a batch of 3 and in a batch of 4
may differ in the last bits. Here every call of the network sees exactly ``batch`` items.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import torch
from torch import Tensor

from avdetect.errors import ShapeError

Output = TypeVar("Output", Tensor, tuple[Tensor, ...])

CPU_BATCH = 4
CUDA_BATCH = 32


def batch_size(device: torch.device) -> int:
    """The one batch size used on ``device``: 4 on a CPU, 32 on a GPU."""
    return CUDA_BATCH if device.type == "cuda" else CPU_BATCH


def run_fixed(net: Callable[..., Output], inputs: Tensor | Sequence[Tensor], batch: int) -> Output:
    """Run ``net`` over ``inputs`` in batches of exactly ``batch``, the last filled with zeros.

    Args:
        net: takes one tensor per entry of ``inputs``, each (batch, ...); gives a tensor or a tuple
            of tensors whose first axis is the batch. Put it in ``eval()`` beforehand.
        inputs: (N, ...) one tensor, or several of the same N; N may be 0.
        batch: items per call.

    Returns:
        What ``net`` gives, (N, ...), with the padding cut off.

    Raises:
        ShapeError: if the tensors of ``inputs`` differ in their first axis.
    """
    tensors = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    n_items = tensors[0].shape[0]
    if any(tensor.shape[0] != n_items for tensor in tensors):
        raise ShapeError(f"inputs: first axes differ: {[t.shape[0] for t in tensors]}")
    chunks: list[Output] = []
    with torch.inference_mode():
        for start in range(0, max(n_items, 1), batch):
            chunks.append(net(*(_filled(t[start : start + batch], batch) for t in tensors)))
    if isinstance(chunks[0], Tensor):
        return torch.cat(chunks)[:n_items]
    columns = zip(*chunks, strict=True)
    return tuple(torch.cat(column)[:n_items] for column in columns)


def _filled(tensor: Tensor, batch: int) -> Tensor:
    if tensor.shape[0] == batch:
        return tensor
    return torch.cat([tensor, tensor.new_zeros(batch - tensor.shape[0], *tensor.shape[1:])])
