"""Explicit fingerprints of several sources, matched by normalised correlation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

_LEAST_DEVIATION = 1e-3

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplicitMatcher:
    """Mean residual spectra of known sources.

    Attributes:
        names: (K,) sources.
        centre: (D,) mean over the sources: what all pictures have in common.
        deviation: (D,) spread of single pictures about their source's mean: how far each frequency
            can be relied on.
        fingerprints: (K, D) each source's mean, centred and divided by ``deviation``.
    """

    names: tuple[str, ...]
    centre: Array
    deviation: Array
    fingerprints: Array

    def whiten(self, spectra: Array) -> Array:
        """(N, D) residual spectra to what is their own in them."""
        return np.asarray((spectra - self.centre) / self.deviation, np.float32)

    def correlations(self, spectra: Array) -> Array:
        """(N, D) to (N, K) in -1..1."""
        return correlations(self.whiten(spectra), self.fingerprints)

    def novelty(self, spectra: Array) -> Array:
        """(N, D) to (N,): mean squared distance to the nearest fingerprint, about 1 for its own."""
        white = self.whiten(spectra)
        distances = [((white - own) ** 2).mean(1) for own in self.fingerprints]
        return np.asarray(np.min(distances, 0), np.float32)


def average_fingerprints(
    spectra: Array, labels: Sequence[str], names: Sequence[str]
) -> ExplicitMatcher:
    """Average the residual spectra of each source's pictures.

    Args:
        spectra: (N, D).
        labels: (N,) source of each.
        names: sources in the order of the fingerprints; each must occur.
    """
    of = np.asarray(labels)
    means = np.stack([spectra[of == name].mean(0) for name in names])
    centre = means.mean(0)
    own_means = means[[list(names).index(label) for label in labels]]
    deviation = (spectra - own_means).std(0) + _LEAST_DEVIATION
    return ExplicitMatcher(
        names=tuple(names),
        centre=centre.astype(np.float32),
        deviation=deviation.astype(np.float32),
        fingerprints=((means - centre) / deviation).astype(np.float32),
    )


def matcher_tensors(matcher: ExplicitMatcher) -> dict[str, Tensor]:
    """A matcher's arrays by the names they have in a checkpoint."""
    import torch

    return {
        f"explicit.{name}": torch.from_numpy(getattr(matcher, name))
        for name in ("centre", "deviation", "fingerprints")
    }


def read_matcher(state: Mapping[str, Tensor], names: Sequence[str]) -> ExplicitMatcher:
    """A matcher from a checkpoint's tensors; raises ``KeyError`` where it is not there."""
    return ExplicitMatcher(
        names=tuple(names),
        centre=state["explicit.centre"].numpy(),
        deviation=state["explicit.deviation"].numpy(),
        fingerprints=state["explicit.fingerprints"].numpy(),
    )


def correlations(one: Array, other: Array) -> Array:
    """(N, D) and (K, D) to their (N, K) normalised correlations; 0 where a row is constant."""
    a, b = _unit(one), _unit(other)
    return np.asarray(a @ b.T, np.float32)


def _unit(rows: Array) -> Array:
    centred = rows - rows.mean(1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    return np.asarray(np.divide(centred, length, where=length > 0, out=np.zeros_like(centred)))
