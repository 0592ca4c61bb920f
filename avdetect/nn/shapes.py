"""Shape checks at public doors, in words a caller can act on."""

from __future__ import annotations

from torch import Tensor

from avdetect.errors import ShapeError


def check_shape(tensor: Tensor, pattern: str, name: str) -> None:
    """Raise `ShapeError` unless ``tensor`` matches ``pattern``.

    Args:
        tensor: any tensor.
        pattern: one word per axis, a number for a fixed size, a letter for any: ``"B T 3 96 96"``.
        name: what the caller calls the tensor.
    """
    axes = pattern.split()
    fits = tensor.dim() == len(axes) and all(
        not axis.isdigit() or int(axis) == size
        for axis, size in zip(axes, tensor.shape, strict=False)
    )
    if not fits:
        raise ShapeError(f"{name}: want ({', '.join(axes)}), got {tuple(tensor.shape)}")
