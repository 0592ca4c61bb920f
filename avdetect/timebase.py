"""The one clock of the house: seconds from clip start, 16 kHz samples, 25 Hz frames."""

from __future__ import annotations

SAMPLE_RATE_HZ = 16_000  # every speech model of the field reads 16 kHz
FRAME_RATE_HZ = 25  # the rate of SyncNet, AV-HuBERT and the field's AV corpora


def exact_ratio(numerator: int, denominator: int) -> int:
    """Whole-number ratio; refuses a remainder so derived constants cannot drift."""
    quotient, remainder = divmod(numerator, denominator)
    if remainder:
        raise ValueError(f"{numerator} is not a multiple of {denominator}")
    return quotient


SAMPLES_PER_FRAME = exact_ratio(SAMPLE_RATE_HZ, FRAME_RATE_HZ)  # 640

# Engine windows: long enough for a judgement on speech, short enough to bound memory.
OBSERVATION_S = 4.0
OBSERVATION_HOP_S = 3.0


def seconds_to_samples(seconds: float) -> int:
    """Nearest sample index at 16 kHz."""
    return round(seconds * SAMPLE_RATE_HZ)


def seconds_to_frames(seconds: float) -> int:
    """Nearest frame index on the 25 Hz clock."""
    return round(seconds * FRAME_RATE_HZ)
