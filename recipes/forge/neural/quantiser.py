"""Residual vector quantisation with codebooks that follow a running mean of their vectors."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

TRAINING_ONLY = (".counts", ".sums")  # ends of buffer names that copying does not need
_DECAY = 0.99
_STALE = 0.1  # entries chosen less often than this share of the mean are dealt anew


class ResidualQuantiser(nn.Module):
    """Each codebook quantises what the ones before it left over.

    As in SoundStream (Zeghidour et al. 2021): trained with a random number of codebooks, so that
    one network serves several bit rates; codebooks by exponential moving average (van den Oord et
    al. 2017), dealt from vectors of the batch at first and wherever an entry falls out of use.
    """

    codes: Tensor
    counts: Tensor
    sums: Tensor

    def __init__(self, n_quantisers: int, n_codes: int, width: int) -> None:
        super().__init__()
        self.n_quantisers = n_quantisers
        # Without it a few loud features take all codes, and more codebooks tell nothing more.
        self.even = nn.BatchNorm1d(width, affine=False)
        self.register_buffer("codes", torch.zeros(n_quantisers, n_codes, width))
        self.register_buffer("counts", torch.ones(n_quantisers, n_codes))
        self.register_buffer("sums", torch.zeros(n_quantisers, n_codes, width))

    def forward(self, vectors: Tensor, n_used: int = 0) -> tuple[Tensor, Tensor]:
        """Quantise.

        Args:
            vectors: (B, D, T).
            n_used: number of codebooks; 0 as in `Vocoder.forward`.

        Returns:
            (B, D, T) sums of code vectors, each feature at unit variance, gradients passed straight
            through, and the commitment loss.
        """
        flat = self.even(vectors.float()).transpose(1, 2).reshape(-1, vectors.shape[1])
        if self.training and not n_used:
            n_used = int(torch.randint(1, self.n_quantisers + 1, ()))
        residual, penalty = flat, flat.new_zeros(())
        for index in range(n_used or self.n_quantisers):
            quantised = self._quantise(residual, index)
            penalty = penalty + F.mse_loss(residual, quantised)
            residual = residual - quantised.detach()
        total = flat + (-residual).detach()  # flat - residual is the sum of codes
        total = total.view(len(vectors), -1, vectors.shape[1]).transpose(1, 2)
        return total, penalty

    def _quantise(self, vectors: Tensor, index: int) -> Tensor:
        detached = vectors.detach()
        if self.training and not self._begun(index):
            self._deal(detached, index, torch.ones_like(self.counts[index], dtype=torch.bool))
        codes = self.codes[index]
        with torch.autocast("cpu", enabled=False):  # bfloat16 cannot tell near entries apart
            chosen = (codes.square().sum(1) - 2 * detached @ codes.T).argmin(1)
        quantised = codes[chosen].clone()
        if self.training:
            self._follow(detached, chosen, index)
        return quantised

    def _begun(self, index: int) -> bool:
        return bool(self.sums[index].any())

    def _follow(self, vectors: Tensor, chosen: Tensor, index: int) -> None:
        counts = torch.bincount(chosen, minlength=self.codes.shape[1]).float()
        sums = torch.zeros_like(self.sums[index]).index_add_(0, chosen, vectors)
        self.counts[index].lerp_(counts, 1 - _DECAY)
        self.sums[index].lerp_(sums, 1 - _DECAY)
        self.codes[index] = self.sums[index] / self.counts[index].clamp(min=1e-5)[:, None]
        self._deal(vectors, index, self.counts[index] < _STALE * len(vectors) / self.codes.shape[1])

    def _deal(self, vectors: Tensor, index: int, stale: Tensor) -> None:
        n_stale = int(stale.sum())
        if not n_stale:
            return
        drawn = vectors[torch.randint(len(vectors), (n_stale,))]
        drawn = drawn + 1e-3 * torch.randn_like(drawn)
        fair_share = len(vectors) / self.codes.shape[1]
        self.codes[index, stale] = drawn
        self.counts[index, stale] = fair_share
        self.sums[index, stale] = drawn * fair_share
