"""A linear classifier as it lies in a checkpoint: one score per name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from avdetect.errors import ShapeError

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearHead:
    """Features to scores, one per name; higher = more of that name.

    Attributes:
        names: (K,) classes.
        matrix: (D, K) float32.
        offset: (K,) float32.
    """

    names: tuple[str, ...]
    matrix: NDArray[np.float32]
    offset: NDArray[np.float32]

    def scores(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, D) to (N, K).

        Raises:
            ShapeError: another number of features than it was fitted on.
        """
        if features.ndim != 2 or features.shape[1] != self.matrix.shape[0]:
            raise ShapeError(f"features: want (N, {self.matrix.shape[0]}), got {features.shape}")
        return np.asarray(features @ self.matrix + self.offset, np.float32)


def head_tensors(prefix: str, head: LinearHead) -> dict[str, Tensor]:
    """A head's arrays by the names they have in a checkpoint."""
    import torch

    return {
        f"{prefix}.matrix": torch.from_numpy(head.matrix),
        f"{prefix}.offset": torch.from_numpy(head.offset),
    }


def read_head(state: Mapping[str, Tensor], prefix: str, names: Sequence[str]) -> LinearHead:
    """A head from a checkpoint's tensors; raises ``KeyError`` where it is not there."""
    return LinearHead(
        names=tuple(names),
        matrix=state[f"{prefix}.matrix"].numpy(),
        offset=state[f"{prefix}.offset"].numpy(),
    )
