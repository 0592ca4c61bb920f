"""One track's bytes on their way in: placed by their times, decoded as a file would be."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import cast

import av
from av.audio.codeccontext import AudioCodecContext
from av.codec.context import CodecContext

from avdetect.errors import InputLimitError
from avdetect.media.sound import BACKWARD_JUMP_S, JITTER_S, AudioChunk, SoundReader

DECODERS = {"ulaw": "pcm_mulaw", "alaw": "pcm_alaw", "s16le": "pcm_s16le"}
SAMPLE_BYTES = {"ulaw": 1, "alaw": 1, "s16le": 2}
MAX_WAITING_S = 20.0
# A longer hole is shortened to this: it still parts the speech around it, and a wrong clock costs
# no minutes of silence to be listened to.
MAX_HOLE_S = 10.0


@dataclass(slots=True)
class _Run:
    """Unbroken sound: its first sample on the track's clock, and its bytes."""

    begin: int
    data: bytearray = field(default_factory=bytearray)


class Inlet:
    """Holds what has arrived until it is heard; never more than `MAX_WAITING_S`.

    Attributes:
        lost_s: seconds of sound that never came, by the times given.
    """

    def __init__(self, name: str, encoding: str, rate_hz: int) -> None:
        self._name, self._rate_hz, self._width = name, rate_hz, SAMPLE_BYTES[encoding]
        context = CodecContext.create(DECODERS[encoding], "r")
        self._decoder = cast(AudioCodecContext, context)
        self._decoder.sample_rate = rate_hz
        self._decoder.layout = "mono"
        self._reader = SoundReader(name, 0.0)
        self._runs: deque[_Run] = deque()
        self._odd = b""  # the first byte of a sample of which the second is still to come
        self._end = 0  # sample behind the last one that arrived, on the track's clock
        self._origin_s: float | None = None  # of the track's clock, on the sender's
        self.lost_s = 0.0

    @property
    def end_s(self) -> float:
        """Seconds of the track that have arrived, holes included."""
        return self._end / self._rate_hz

    @property
    def waiting_s(self) -> float:
        """Seconds that have arrived and are not heard yet."""
        return sum(len(run.data) for run in self._runs) / (self._width * self._rate_hz)

    def put(self, data: bytes, at_s: float | None = None) -> None:
        """Take bytes as they arrive.

        Args:
            data: any number of bytes of the track.
            at_s: time of the first one on the sender's clock; None where they follow on. Holes
                become silence, repeated sound is dropped, a clock that starts anew is followed.

        Raises:
            InputLimitError: more is waiting than may; hear some first.
        """
        if self.waiting_s + len(data) / (self._width * self._rate_hz) > MAX_WAITING_S:
            raise InputLimitError(
                f"{self._name}: more than {MAX_WAITING_S:.0f} s of sound wait to be heard; "
                "send no faster than they are taken"
            )
        late = self._late(at_s)
        if late:
            self._odd = b""  # its other half is lost
        data = self._odd + data[max(0, -late) * self._width :]
        n_samples = len(data) // self._width
        self._odd = data[n_samples * self._width :]
        if not n_samples:
            return
        begin = self._end + max(0, late)
        if late > 0 or not self._runs:
            self._runs.append(_Run(begin))
        self._runs[-1].data += data[: n_samples * self._width]
        self._end = begin + n_samples

    def chunks(self) -> Iterator[AudioChunk]:
        """What has arrived, in half seconds; the last bit waits for the rest of its half."""
        while self._runs:
            run = self._runs.popleft()
            for frame in self._decoder.decode(av.Packet(bytes(run.data))):
                frame.pts, frame.time_base = run.begin, Fraction(1, self._rate_hz)
                yield from self._reader.feed(frame)

    def finish(self) -> Iterator[AudioChunk]:
        """The rest, after the last byte."""
        yield from self.chunks()
        yield from self._reader.flush()

    def _late(self, at_s: float | None) -> int:
        """Samples missing before ``at_s`` (> 0) or already there (< 0); 0 within the jitter."""
        if at_s is None:
            return 0
        if self._origin_s is None:
            self._origin_s = at_s - self.end_s
        late_s = at_s - self._origin_s - self.end_s
        if abs(late_s) <= JITTER_S:
            return 0
        if late_s < -BACKWARD_JUMP_S:
            self._origin_s += late_s
            return 0
        self.lost_s += max(0.0, late_s)
        if late_s > MAX_HOLE_S:
            self._origin_s += late_s - MAX_HOLE_S
            late_s = MAX_HOLE_S
        return round(late_s * self._rate_hz)
