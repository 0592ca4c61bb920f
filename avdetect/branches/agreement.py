"""How well a mouth agrees with the sound at each offset: what curve, matrix and facts are made of.

Offsets run from -15 to 15 frames of the 25 Hz clock, > 0 where the sound is late; column 15 + d of
every array holds offset d.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from avdetect.nn.offset_curve import MAX_OFFSET_FRAMES, best_offset, curve_of_sums
from avdetect.timebase import FRAME_RATE_HZ

N_OFFSETS = 2 * MAX_OFFSET_FRAMES + 1
_PEAK_FRAMES = 2  # either side: one syllable's agreement is as wide


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetSums:
    """Sums over mouth frames, at each offset.

    Attributes:
        similarity: (31,) float64, of cosines.
        distance: (31,) float64, of distances of unit vectors, each 0..2.
        count: (31,) int64, frames whose sound is there at that offset.
    """

    similarity: NDArray[np.float64]
    distance: NDArray[np.float64]
    count: NDArray[np.int64]

    @staticmethod
    def total(found: Iterable[OffsetSums]) -> OffsetSums:
        """Those of several observations of one face with one channel; at least one."""
        sums = list(found)
        return OffsetSums(
            similarity=np.sum([one.similarity for one in sums], 0),
            distance=np.sum([one.distance for one in sums], 0),
            count=np.sum([one.count for one in sums], 0),
        )

    def best_offset(self) -> int:
        """Frames by which the sound is late where mouth and sound agree best."""
        return int(best_offset(self._curve()))

    def lead(self) -> float:
        """How far the best offset stands above all that are more than two frames away from it.

        In units of the noise of `avdetect.nn.offset_curve.curve_of_sums`; 0 without a rival.
        """
        curve = self._curve()[0].numpy()
        best = int(curve.argmax())
        rivals = curve[np.abs(np.arange(N_OFFSETS) - best) > _PEAK_FRAMES]
        rivals = rivals[np.isfinite(rivals)]
        return float(curve[best] - rivals.max()) if len(rivals) else 0.0

    def mean_distance(self) -> NDArray[np.float64]:
        """(31,) mean distance at each offset; NaN where no frame was heard."""
        heard = self.count > 0
        return np.where(heard, self.distance / np.maximum(self.count, 1), np.nan)

    def facts(self) -> dict[str, float]:
        """``av_offset_s``, ``sync_distance`` and ``sync_confidence``.

        LSE-D and LSE-C as SyncNet's evaluation computes them and Wav2Lip reports them (Chung &
        Zisserman 2016; Prajwal et al. 2020): the mean distance at the best offset, and how far it
        lies below the median over all offsets. Ours is a distance of unit vectors, so the figures
        are not on the scale of their network.
        """
        curve, offset = self.mean_distance(), self.best_offset()
        at_best = float(np.nan_to_num(curve[MAX_OFFSET_FRAMES + offset]))
        heard = curve[np.isfinite(curve)]
        return {
            "av_offset_s": offset / FRAME_RATE_HZ,
            "sync_distance": at_best,
            "sync_confidence": float(np.median(heard)) - at_best if len(heard) else 0.0,
        }

    def _curve(self) -> Tensor:
        return curve_of_sums(
            torch.from_numpy(self.similarity)[None], torch.from_numpy(self.count)[None]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """One face with one channel in one observation; F counts its mouth frames.

    Attributes:
        sums: over all frames and windows.
        frame_index: (F,) int64 position on the clip's 25 Hz clock.
        similarity: (F, 31) float16 cosine of mouth and sound; NaN where no sound is known.
    """

    sums: OffsetSums
    frame_index: NDArray[np.int64]
    similarity: NDArray[np.float16]

    def summed(self) -> Agreement:
        """The same without its frames: all that a verdict needs."""
        return replace(
            self,
            frame_index=np.zeros(0, np.int64),
            similarity=np.zeros((0, N_OFFSETS), np.float16),
        )


def agree(similarity: Tensor, known: Tensor, first_frames: NDArray[np.int64]) -> Agreement:
    """Agreement of one observation's windows.

    Args:
        similarity: (B, T, 31) cosines, see `avdetect.nn.offset_curve.offset_similarities`.
        known: (B, T, 31) bool.
        first_frames: (B,) position of each window's first mouth on the clip's 25 Hz clock.
    """
    cosine = similarity.cpu().numpy().astype(np.float64)
    told = known.cpu().numpy()
    distance = np.sqrt(np.maximum(2.0 - 2.0 * cosine, 0.0))
    sums = OffsetSums(
        similarity=(cosine * told).sum((0, 1)),
        distance=(distance * told).sum((0, 1)),
        count=told.sum((0, 1)).astype(np.int64),
    )
    frames = (first_frames[:, None] + np.arange(cosine.shape[1])).ravel()
    frame_index, row = np.unique(frames, return_inverse=True)
    total, count = np.zeros((2, len(frame_index), N_OFFSETS))
    np.add.at(total, row, (cosine * told).reshape(-1, N_OFFSETS))
    np.add.at(count, row, told.reshape(-1, N_OFFSETS))
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return Agreement(
        sums=sums, frame_index=frame_index.astype(np.int64), similarity=mean.astype(np.float16)
    )
