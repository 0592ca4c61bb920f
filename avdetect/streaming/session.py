"""`StreamSession`: one call that is on the line; bytes in, judgements out."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from avdetect.detector import Detector
from avdetect.errors import UsageError
from avdetect.judgement import run_branches
from avdetect.streaming.inlet import SAMPLE_BYTES
from avdetect.streaming.options import StreamOptions
from avdetect.streaming.track import RunBranches, Track
from avdetect.streaming.updates import Update

CHUNK_S = 0.5  # sound is heard in half seconds, as a scan hears it


class StreamSession:
    """One call. Not to be used from two threads at once.

    Each track is judged on its own, as its own clip: the verdict of a track is that of
    `Detector.scan` on the same bytes. Memory is bounded: the last seconds of sound, and about a
    megabyte of judged rows an hour.

    Args:
        detector: what judges.
        options: what the call's sound is, and what is asked.
        run: judges observations; by default this session's alone, see `SharedBranches`.

    Example:
        >>> session = StreamSession(detector, StreamOptions(encoding="ulaw"))
        >>> for update in session.push(payload):
        ...     print(update.decision, update.fake_llr, update.confidence)
        >>> (last,) = session.finish()
        >>> last.verdict.decision
    """

    def __init__(
        self, detector: Detector, options: StreamOptions, run: RunBranches | None = None
    ) -> None:
        judges = detector.judges
        self.options = options
        self._tracks = {
            name: Track(name, options, judges, run or partial(run_branches, judges.branches))
            for name in options.tracks
        }
        self._width = SAMPLE_BYTES[options.encoding]
        self._rest = b""  # of interleaved sound, less than one sample of every track

    @property
    def waiting_s(self) -> float:
        """Seconds of the track that waits longest for `advance`."""
        return max(track.waiting_s for track in self._tracks.values())

    @property
    def is_over(self) -> bool:
        """Every track has its verdict; what still comes goes unheard."""
        return all(track.is_over for track in self._tracks.values())

    def push(
        self, data: bytes, track: str | None = None, at_s: float | None = None
    ) -> Iterator[Update]:
        """Take bytes as they arrive and hear them; yields what is to be said.

        Args:
            data: any number of bytes; taken as the updates are.
            track: whose they are; None for all tracks, interleaved sample by sample.
            at_s: time of the first one on the sender's clock, None where they follow on.

        Raises:
            UsageError: no such track.
            InputLimitError: the call is longer than a clip may be.
        """
        n_tracks = len(self._tracks) if track is None else 1
        step = round(CHUNK_S * self.options.rate_hz) * self._width * n_tracks
        for begin in range(0, len(data), step):
            self.put(data[begin : begin + step], track, at_s if begin == 0 else None)
            if self.waiting_s >= CHUNK_S:
                yield from self.advance()

    def put(self, data: bytes, track: str | None = None, at_s: float | None = None) -> None:
        """Take bytes as they arrive, to be heard at the next `advance`; quick.

        Raises:
            UsageError: no such track.
            InputLimitError: more is waiting than may.
        """
        if track is not None:
            if track not in self._tracks:
                raise UsageError(f"no track {track!r}: there are {', '.join(self._tracks)}")
            self._tracks[track].put(data, at_s)
            return
        for own, leg in zip(self._split(data), self._tracks.values(), strict=True):
            leg.put(own, at_s)

    def advance(self) -> Iterator[Update]:
        """Hear all that waits; where judgements come too late, only the last is made.

        Raises:
            InputLimitError: the call is longer than a clip may be.
        """
        for track in self._tracks.values():
            yield from track.advance()

    def finish(self) -> Iterator[Update]:
        """Hear the rest and give every track's verdict that is not out yet."""
        for track in self._tracks.values():
            yield from track.finish()

    def _split(self, data: bytes) -> list[bytes]:
        n_tracks = len(self._tracks)
        if n_tracks == 1:
            return [data]
        data = self._rest + data
        step = n_tracks * self._width
        whole = len(data) - len(data) % step
        self._rest = data[whole:]
        legs = [bytearray() for _ in range(n_tracks)]
        for byte in range(step):
            leg = legs[byte // self._width]
            if byte % self._width == 0:
                leg.extend(bytes(whole // step * self._width))
            leg[byte % self._width :: self._width] = data[byte:whole:step]
        return [bytes(leg) for leg in legs]
