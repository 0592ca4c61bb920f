"""What one rung of the robustness grid is; forger, grid and stream tests share the rungs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Severity = Literal["field", "stress"]
SoundStep = Callable[[NDArray[np.float32], np.random.Generator], NDArray[np.float32]]
PictureStep = Callable[[NDArray[np.uint8], np.random.Generator], NDArray[np.uint8]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One degradation at one strength.

    Attributes:
        name: unique, such as ``opus_12`` or ``h264_crf_28``.
        family: what it is a rung of, such as ``codec``, ``noise``, ``h264``.
        severity: ``field`` for what users meet (codecs at their usual rates, CRF up to 32, 360p and
            more, JPEG 50 and more, SNR of 20 dB and more); ``stress`` beyond that. Targets hold
            for field levels; stress levels are printed.
        sound: (S,) float32 at 16 kHz -> the same length and clock; None leaves the sound alone.
        picture: (T, H, W, 3) uint8 RGB at the file's own rate -> (T, H', W', 3) on the same clock;
            None leaves the picture alone.
        sound_delay_s: the sound comes this much later than the picture; 0 for most levels.
    """

    name: str
    family: str
    severity: Severity
    sound: SoundStep | None = None
    picture: PictureStep | None = None
    sound_delay_s: float = 0.0
