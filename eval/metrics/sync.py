"""How far a measured offset between sound and picture is from the true one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from avdetect.timebase import FRAME_RATE_HZ

_ROUNDING = 1e-9  # 0.24 - 0.20 is one frame, whatever binary fractions say


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncOffsetError:
    """Error of measured audio-video offsets over clips.

    Attributes:
        mean_s: mean absolute error, seconds.
        median_s: median absolute error, seconds.
        bias_s: mean signed error, seconds; > 0 says later sound than there is.
        mean_frames: mean absolute error in frames of 25 Hz (40 ms).
        within_tolerance: share of clips not farther off than the tolerance.
    """

    mean_s: float
    median_s: float
    bias_s: float
    mean_frames: float
    within_tolerance: float


def sync_offset_error(
    true_offset_s: ArrayLike,
    measured_offset_s: ArrayLike,
    *,
    tolerance_s: float = 1.0 / FRAME_RATE_HZ,
) -> SyncOffsetError:
    """Error of measured audio-video offsets, as SyncNet counts it (Chung & Zisserman 2016).

    There an offset is right within one video frame of 25 Hz; ITU-R BT.1359-1 holds sound 45 ms
    early to 125 ms late for the limit of what viewers notice.

    Args:
        true_offset_s: (N,) seconds, > 0 where the sound is late.
        measured_offset_s: (N,) the same; clips without a measurement belong into coverage.
        tolerance_s: largest error that counts as right, itself included.

    Raises:
        ValueError: lengths differ, nothing is there, or an offset is not finite.
    """
    true, measured = np.asarray(true_offset_s, float), np.asarray(measured_offset_s, float)
    if true.ndim != 1 or true.shape != measured.shape or not true.size:
        raise ValueError(f"want one measured offset a clip: {true.shape} and {measured.shape}")
    if not (np.isfinite(true).all() and np.isfinite(measured).all()):
        raise ValueError("an offset is not finite; leave unjudged clips out and report coverage")
    error = measured - true
    return SyncOffsetError(
        mean_s=float(np.abs(error).mean()),
        median_s=float(np.median(np.abs(error))),
        bias_s=float(error.mean()),
        mean_frames=float(np.abs(error).mean() * FRAME_RATE_HZ),
        within_tolerance=float(np.mean(np.abs(error) <= tolerance_s + _ROUNDING)),
    )
