"""One picture's measurements, and what three ways of matching make of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from avdetect.nn.fingerprint_network import FingerprintTracer
from avdetect.tracing.blocks import cut_blocks
from avdetect.tracing.linear import LinearHead
from avdetect.tracing.matching import ExplicitMatcher
from avdetect.tracing.residual import residual_spectrum

KINDS = ("implicit", "correlation", "whitened")  # ways of matching, in the order of the evidence
_MOST_NETWORK_BLOCKS = 16

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What is measured of one source of pictures: a photograph, or several frames of a video.

    Attributes:
        spectrum: (D,) mean log power of its residual, see `residual_spectrum`.
        embedding: (E,) mean embedding of its blocks, of unit length.
        n_blocks: blocks that were measured.
    """

    spectrum: Array
    embedding: Array
    n_blocks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Matchers:
    """The three ways to match; all of them over the same sources in one order."""

    network: FingerprintTracer
    explicit: ExplicitMatcher
    whitened: LinearHead

    def evidence(self, measured: Sequence[Measurement]) -> Array:
        """(N, 3, K): implicit cosine, explicit correlation, whitened explicit score."""
        spectra = np.stack([m.spectrum for m in measured])
        embeddings = torch.from_numpy(np.stack([m.embedding for m in measured]))
        with torch.no_grad():
            cosines = self.network.cosines(embeddings).numpy()
        return np.stack(
            [cosines, self.explicit.correlations(spectra), self.whitened.scores(spectra)], 1
        )

    def novelty(self, measured: Sequence[Measurement]) -> Array:
        """(N,) how far each is from every known source; about 1 for their own pictures."""
        return self.explicit.novelty(np.stack([m.spectrum for m in measured]))


def measure(network: FingerprintTracer, pictures: Sequence[NDArray[np.uint8]]) -> Measurement:
    """Measure pictures of one source together.

    Args:
        network: in evaluation mode.
        pictures: (H, W, 3) uint8 RGB each at native pixels, each side 64 px or more.
    """
    blocks = np.concatenate([cut_blocks(picture) for picture in pictures])
    return Measurement(
        spectrum=residual_spectrum(blocks),
        embedding=embed(network, blocks),
        n_blocks=len(blocks),
    )


def embed(network: FingerprintTracer, blocks: NDArray[np.uint8]) -> Array:
    """(N, 64, 64, 3) uint8 blocks of one picture to their mean embedding, of unit length."""
    few = blocks[:: -(-len(blocks) // _MOST_NETWORK_BLOCKS)]
    batch = torch.from_numpy(np.ascontiguousarray(few)).permute(0, 3, 1, 2).float() / 255.0
    with torch.no_grad():
        _, embeddings = network(batch)
    return np.asarray(F.normalize(embeddings.mean(0), dim=0).numpy(), np.float32)


def pair_similarities(one: Measurement, other: Measurement, explicit: ExplicitMatcher) -> Array:
    """(2,) likeness of two measurements: cosine of embeddings, correlation of whitened spectra."""
    white = explicit.whiten(np.stack([one.spectrum, other.spectrum]))
    a, b = white - white.mean(1, keepdims=True)
    correlation = float(a @ b) / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-9)
    return np.array([float(one.embedding @ other.embedding), correlation], np.float32)
