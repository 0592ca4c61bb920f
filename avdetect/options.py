"""What a scan may be told; the same words in Python and on the command line."""

from __future__ import annotations

from dataclasses import dataclass

from avdetect.errors import UsageError

ENCODINGS = ("ulaw", "alaw", "s16le")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanOptions:
    """Options of one scan.

    Attributes:
        channel: ``all``, ``left``, ``right`` or a number from 0; kept as text.
        prior_fake: how probable a fake was before looking, in (0, 1).
        format: ``ulaw``, ``alaw`` or ``s16le`` for sound without a header; needs ``rate``.
        rate: samples a second of such sound.
        name: what to call an input that has no path.
        cues: ``default`` (all that are cheap), ``all``, ``none``, or names with commas.

    Raises:
        UsageError: if a value or a combination makes no sense.
    """

    channel: str | int = "all"
    prior_fake: float = 0.5
    format: str | None = None
    rate: int | None = None
    name: str | None = None
    cues: str = "default"

    def __post_init__(self) -> None:
        if not 0.0 < self.prior_fake < 1.0:
            raise UsageError(f"prior_fake is {self.prior_fake}: it must lie between 0 and 1")
        channel = str(self.channel)
        is_number = channel.isascii() and channel.isdigit()
        if channel not in ("all", "left", "right") and not is_number:
            raise UsageError(f"channel is {channel!r}: use all, left, right or a number")
        object.__setattr__(self, "channel", channel)  # 1 and "1" are one setting, one fingerprint
        if (self.format is None) != (self.rate is None):
            raise UsageError("format and rate belong together: raw sound needs both")
        if self.format is not None and self.format not in ENCODINGS:
            raise UsageError(f"format is {self.format!r}: use {', '.join(ENCODINGS)}")
        if self.rate is not None and self.rate <= 0:
            raise UsageError(f"rate is {self.rate}: it must be samples a second, above 0")
