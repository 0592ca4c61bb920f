"""What a live call may be told; the same words in Python, on the command line and on the wire."""

from __future__ import annotations

from dataclasses import dataclass

from avdetect.errors import UsageError
from avdetect.options import ENCODINGS

RATES_HZ = (8_000, 16_000)
MAX_TRACKS = 2  # the two legs of a call


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamOptions:
    """Options of one live call.

    Attributes:
        encoding: ``ulaw``, ``alaw`` (ITU-T G.711) or ``s16le`` (16-bit linear, little-endian).
        rate_hz: samples a second of each track, 8000 or 16000.
        tracks: names of the call's one or two legs, in the order in which they are interleaved.
        prior_fake: how probable a fake was before listening, in (0, 1).
        stop_at: confidence in (0.5, 1) at which a track is judged for good and heard no further;
            None hears every track to its end.
        name: what to call the call in its verdicts.

    Raises:
        UsageError: if a value makes no sense.
    """

    encoding: str = "ulaw"
    rate_hz: int = 8_000
    tracks: tuple[str, ...] = ("mono",)
    prior_fake: float = 0.5
    stop_at: float | None = None
    name: str = "<call>"

    def __post_init__(self) -> None:
        if self.encoding not in ENCODINGS:
            raise UsageError(f"encoding is {self.encoding!r}: use {', '.join(ENCODINGS)}")
        if self.rate_hz not in RATES_HZ:
            raise UsageError(f"rate is {self.rate_hz}: a live call has 8000 or 16000 Hz")
        n_tracks = len(self.tracks)
        if not 1 <= n_tracks <= MAX_TRACKS or len(set(self.tracks)) < n_tracks:
            raise UsageError(f"tracks are {', '.join(self.tracks)}: name one leg or two")
        if not 0.0 < self.prior_fake < 1.0:
            raise UsageError(f"prior_fake is {self.prior_fake}: it must lie between 0 and 1")
        if self.stop_at is not None and not 0.5 < self.stop_at < 1.0:
            raise UsageError(f"stop_at is {self.stop_at}: it must lie between 0.5 and 1")
