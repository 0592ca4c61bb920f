"""One track's bytes on their way in: placed by their times, decoded as a file would be.

Lost packets are bridged as a telephone does (`avdetect.channels.concealment`): a seam or a hole in
the sound would be heard as a trace of forgery.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import cast

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.codec.context import CodecContext

from avdetect.channels.concealment import conceal
from avdetect.errors import InputLimitError
from avdetect.media.samples import Samples
from avdetect.media.sound import BACKWARD_JUMP_S, AudioChunk, SoundReader

DECODERS = {"ulaw": "pcm_mulaw", "alaw": "pcm_alaw", "s16le": "pcm_s16le"}
SAMPLE_BYTES = {"ulaw": 1, "alaw": 1, "s16le": 2}
MAX_WAITING_S = 20.0
# A longer hole is shortened to this: it still parts the speech around it, and a wrong clock costs
# no minutes of silence to be listened to.
MAX_HOLE_S = 10.0
_TOLERANCE_S = 0.015  # that times may waver; the shortest packets in use are of 20 ms
_FRAME_S, _RECENT_FRAMES = 0.010, 5  # what concealment counts in, and how far it looks back
_BLEND_S = 0.00375  # before a loss, rewritten by concealment: held until it is known that none is


@dataclass(slots=True)
class _Run:
    """Unbroken sound, and how many samples are missing before it."""

    n_missing: int
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
        self._recent = np.zeros(0, np.float32)
        self._n_held = 0  # samples at the end of the recent ones that are not heard yet
        self._n_heard = 0
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
                are bridged, repeated sound is dropped, a clock that starts anew is followed.

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
        n_missing = max(0, late)
        if n_missing or not self._runs:
            self._runs.append(_Run(n_missing))
        self._runs[-1].data += data[: n_samples * self._width]
        self._end += n_missing + n_samples

    def chunks(self) -> Iterator[AudioChunk]:
        """What has arrived, in half seconds; the last bit waits for the rest of its half."""
        while self._runs:
            run = self._runs.popleft()
            frames = self._decoder.decode(av.Packet(bytes(run.data)))
            whole = np.concatenate([frame.to_ndarray()[0] for frame in frames])
            fresh = whole.astype(np.float32) / np.float32(32_768)
            yield from self._feed(self._join(run.n_missing, fresh))

    def finish(self) -> Iterator[AudioChunk]:
        """The rest, after the last byte."""
        yield from self.chunks()
        yield from self._feed(self._recent[len(self._recent) - self._n_held :])
        self._n_held = 0
        yield from self._reader.flush()

    def _join(self, n_missing: int, fresh: Samples) -> Samples:
        """What can be heard now: held samples, the bridge over a hole, fresh ones but the last."""
        frame = round(_FRAME_S * self._rate_hz)
        ahead = -len(self._recent) % frame  # so that the hole begins with a frame
        begin = ahead + len(self._recent)
        padding, hole = (np.zeros(n, np.float32) for n in (ahead, n_missing))
        whole = np.concatenate([padding, self._recent, hole, fresh])
        if n_missing:
            lost = np.arange(begin // frame + -(-n_missing // frame)) >= begin // frame
            whole = conceal(whole, lost, self._rate_hz)
        n_held = min(len(whole) - ahead, round(_BLEND_S * self._rate_hz))
        ready = whole[begin - self._n_held : len(whole) - n_held]
        self._recent = whole[ahead:][-_RECENT_FRAMES * frame :]
        self._n_held = n_held
        return ready

    def _feed(self, samples: Samples) -> Iterator[AudioChunk]:
        if not len(samples):
            return
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples[None]), "fltp", "mono")
        frame.sample_rate, frame.time_base = self._rate_hz, Fraction(1, self._rate_hz)
        frame.pts = self._n_heard
        self._n_heard += len(samples)
        yield from self._reader.feed(frame)

    def _late(self, at_s: float | None) -> int:
        """Samples missing before ``at_s`` (> 0) or already there (< 0); 0 within the tolerance."""
        if at_s is None:
            return 0
        if self._origin_s is None:
            self._origin_s = at_s - self.end_s
        late_s = at_s - self._origin_s - self.end_s
        if abs(late_s) <= _TOLERANCE_S:
            return 0
        if late_s < -BACKWARD_JUMP_S:
            self._origin_s += late_s
            return 0
        self.lost_s += max(0.0, late_s)
        if late_s > MAX_HOLE_S:
            self._origin_s += late_s - MAX_HOLE_S
            late_s = MAX_HOLE_S
        return round(late_s * self._rate_hz)
