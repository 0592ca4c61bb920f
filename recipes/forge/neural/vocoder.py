"""What every network here is: speech in, the same speech out, drawn anew by a vocoder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

from torch import Tensor, nn


class Copy(NamedTuple):
    """A copied waveform (B, S) and what its codebooks ask the encoder to pay, a scalar."""

    waveform: Tensor
    penalty: Tensor


class Vocoder(nn.Module, ABC):
    """Analysis and synthesis in one module, on the clock of its input."""

    @abstractmethod
    def forward(self, waveform: Tensor, n_quantisers: int = 0) -> Copy:
        """Copy speech.

        Args:
            waveform: (B, S) float32 at 16 kHz and about `vocoders.LEVEL`, any S of at least 0.1 s.
            n_quantisers: of a network with codebooks, how many to use; 0 means all when it is
                evaluated and a random number when it is trained. Others ignore it.
        """
