"""The numbers that the linear judge of a voice reads: one row per stretch of at most 4 s."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from avdetect.nn.fixed_batch import batch_size, run_fixed
from avdetect.nn.redrawing_judge import RedrawingJudge
from avdetect.speech.redrawn import drawable, redrawn_statistics


def voice_numbers(
    judge: RedrawingJudge, waveforms: NDArray[np.float32], n_heard: list[int], device: torch.device
) -> NDArray[np.float32]:
    """Measure stretches of sound.

    Args:
        judge: whose vocoder draws anew.
        waveforms: (N, S) float32 at 16 kHz, each tiled to the same length.
        n_heard: how many samples of each are no repetition.
        device: where the judge is.

    Returns:
        (N, `avdetect.speech.redrawn.N_REDRAWN`) float32.
    """
    fed = np.stack([drawable(waveform) for waveform in waveforms])

    def draw(sound: Tensor) -> Tensor:
        return judge.vocoder.redraw(sound.to(device)).cpu()

    drawn = run_fixed(draw, torch.from_numpy(fed), batch_size(device)).numpy()
    return np.stack(
        [
            redrawn_statistics(original[:n], copy[:n])
            for original, copy, n in zip(fed, drawn, n_heard, strict=True)
        ]
    )
