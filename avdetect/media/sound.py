"""One sound stream on the clip's clock: native rate first, then 16 kHz, in half-second chunks."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import av
import numpy as np
from av.audio.frame import AudioFrame

from avdetect.errors import InputLimitError
from avdetect.media.container import AV_ERRORS
from avdetect.media.samples import SampleReader, Samples
from avdetect.timebase import SAMPLE_RATE_HZ

CHUNKS_A_SECOND = 2
CHUNK_SAMPLES = SAMPLE_RATE_HZ // CHUNKS_A_SECOND

# Containers round timestamps (Matroska to 1 ms, FLV too), so sound is taken as unbroken up to one
# frame of picture; beyond it the hole is filled with zeros, or the overlap dropped.
JITTER_S = 0.040
BACKWARD_JUMP_S = 1.0  # a clock that steps back further has been started anew: go on from here
# Of zeros in all, with those before the first sound; beyond it timestamps are broken or hostile.
MAX_SILENCE_S = 3600.0
MAX_CLIP_S = 24 * 3600.0
MAX_CHANNELS = 32
MIN_RATE_HZ, MAX_RATE_HZ = 400, 1_536_000
_LOUDEST = 1e5  # a float sample beyond it is damage: integers put into floats stay below


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """Half a second of sound (the last one shorter), both views of the same stretch.

    Attributes:
        start_s: true time of sample 0 of both views, seconds from clip start.
        native: (C, S) float32 in [-1, 1] as decoded, S = half of ``native_rate_hz``.
        native_rate_hz: samples a second of ``native``.
        waveform: (C, S') float32 at 16 kHz, S' = 8000.
    """

    start_s: float
    native: Samples
    native_rate_hz: int
    waveform: Samples


class _Queue:
    """Samples in, exact blocks out; holds no more than it was given."""

    def __init__(self, channels: int) -> None:
        self._parts: deque[Samples] = deque()
        self._empty = np.zeros((channels, 0), np.float32)
        self.size = 0

    def put(self, samples: Samples) -> None:
        self._parts.append(samples)
        self.size += samples.shape[1]

    def take(self, size: int) -> Samples:
        joined = np.concatenate([self._empty, *self._parts], axis=1)
        self._parts.clear()
        self._parts.append(joined[:, size:])
        self.size = joined.shape[1] - min(size, joined.shape[1])
        return joined[:, :size]


class _Upstream:
    """Streaming resampler to 16 kHz, every channel on its own so that none leaks into another."""

    def __init__(self, channels: int, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._resamplers = [
            av.AudioResampler(format="fltp", layout="mono", rate=SAMPLE_RATE_HZ)
            for _ in range(channels)
        ]

    def push(self, native: Samples | None) -> Samples:
        """(C, S) at the native rate to (C, S') at 16 kHz; None flushes what is held back."""
        rows = [
            self._channel(resampler, None if native is None else native[i : i + 1])
            for i, resampler in enumerate(self._resamplers)
        ]
        return np.concatenate(rows, axis=0)

    def _channel(self, resampler: av.AudioResampler, row: Samples | None) -> Samples:
        frame = None
        if row is not None:
            frame = AudioFrame.from_ndarray(np.ascontiguousarray(row), format="fltp", layout="mono")
            frame.sample_rate = self._rate_hz
        if frame is None and self._rate_hz == SAMPLE_RATE_HZ:
            return np.zeros((1, 0), np.float32)  # nothing is held back where nothing is resampled
        out = [f.to_ndarray() for f in resampler.resample(frame)]
        return np.concatenate([np.zeros((1, 0), np.float32), *out], axis=1).astype(np.float32)


class SoundReader:
    """Turns decoded sound frames into chunks whose sample index is true time.

    Attributes:
        n_bad_samples: samples that were not finite (or absurdly large) and became zeros.
        n_bad_frames: frames left out because damage made them another kind of sound.
        end_s: time up to which sound has been read, None before the first frame.
    """

    def __init__(self, name: str, clip_start_s: float) -> None:
        self._name, self._clip_start_s = name, clip_start_s
        self.n_bad_samples = self.n_bad_frames = 0
        self.start_s: float | None = None
        self._rate_hz = self._channels = 0
        self._n_native = self._n_silence = 0  # samples taken so far; zeros among and before them
        self._rebase_s = 0.0
        self._n_emitted = 0  # chunks

    @property
    def end_s(self) -> float | None:
        """Time up to which sound has been read, None before the first frame."""
        return None if self.start_s is None else self.start_s + self._n_native / self._rate_hz

    def feed(self, frame: AudioFrame) -> Iterator[AudioChunk]:
        """Take one decoded frame; yields the chunks it completes.

        Raises:
            InputLimitError: channels, rate, holes or length beyond the limits above.
        """
        if self.start_s is None:
            self._begin(frame)
        gap = self._gap(frame)
        if gap > 0:
            yield from self._silence(gap)
        try:
            samples = self._reader.read(frame)
        except AV_ERRORS:
            self.n_bad_frames += 1
            return
        yield from self._append(self._clean(samples)[:, max(0, -gap) :])

    def flush(self) -> Iterator[AudioChunk]:
        """The rest, after the last frame."""
        if self.start_s is None:
            return
        if self._native.size:
            yield from self._push_block(self._native.take(self._native.size))
        self._waveform.put(self._upstream.push(None))
        while self._pending:
            native = self._pending.popleft()
            yield self._chunk(native, self._n_waveform() - self._n_emitted * CHUNK_SAMPLES)

    def _begin(self, frame: AudioFrame) -> None:
        rate_hz, channels = frame.sample_rate, frame.layout.nb_channels
        if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
            limits = f"{MIN_RATE_HZ} to {MAX_RATE_HZ} Hz"
            raise InputLimitError(f"{self._name}: sound at {rate_hz} Hz is outside {limits}")
        if not 1 <= channels <= MAX_CHANNELS:
            raise InputLimitError(
                f"{self._name}: {channels} sound channels are more than {MAX_CHANNELS}"
            )
        self._rate_hz, self._channels = rate_hz, channels
        self._reader = SampleReader(frame)
        self.start_s = max(0.0, (frame.time or self._clip_start_s) - self._clip_start_s)
        self._count_silence(round(self.start_s * rate_hz))
        self._native, self._waveform = _Queue(channels), _Queue(channels)
        self._upstream = _Upstream(channels, rate_hz)
        self._pending: deque[Samples] = deque()

    def _gap(self, frame: AudioFrame) -> int:
        """Samples missing before this frame (> 0) or already there (< 0); 0 within the jitter."""
        expected_s = self.end_s or 0.0
        if frame.time is None or not self._n_native:
            return 0
        time_s = frame.time - self._clip_start_s + self._rebase_s
        if time_s < expected_s - BACKWARD_JUMP_S:
            self._rebase_s += expected_s - time_s
            time_s = expected_s
        if max(time_s, expected_s) > MAX_CLIP_S:
            hours = f"{MAX_CLIP_S / 3600:.0f} hours"
            raise InputLimitError(f"{self._name}: is longer than {hours}; cut it into pieces")
        late_s = time_s - expected_s
        return 0 if abs(late_s) <= JITTER_S else round(late_s * self._rate_hz)

    def _silence(self, n_samples: int) -> Iterator[AudioChunk]:
        self._count_silence(n_samples)
        while n_samples:
            size = min(n_samples, self._rate_hz)
            yield from self._append(np.zeros((self._channels, size), np.float32))
            n_samples -= size

    def _count_silence(self, n_samples: int) -> None:
        self._n_silence += n_samples
        if self._n_silence > MAX_SILENCE_S * self._rate_hz:
            raise InputLimitError(
                f"{self._name}: its timestamps leave holes of over {MAX_SILENCE_S / 3600:.0f} h"
            )

    def _clean(self, samples: Samples) -> Samples:
        good = np.abs(samples) < _LOUDEST  # false for NaN
        n_bad = good.size - int(np.count_nonzero(good))
        if not n_bad:
            return samples
        self.n_bad_samples += n_bad
        return np.where(good, samples, np.float32(0))

    def _append(self, samples: Samples) -> Iterator[AudioChunk]:
        self._native.put(samples)
        self._n_native += samples.shape[1]
        while self._native.size >= (size := self._block_size()):
            yield from self._push_block(self._native.take(size))

    def _block_size(self) -> int:
        """Length of the next native block: half a second, exact on average for odd rates."""
        k = self._n_emitted + len(self._pending)
        return (k + 1) * self._rate_hz // CHUNKS_A_SECOND - k * self._rate_hz // CHUNKS_A_SECOND

    def _push_block(self, native: Samples) -> Iterator[AudioChunk]:
        # The resampler holds some samples back, so a block waits until its 16 kHz view is whole.
        self._pending.append(native)
        self._waveform.put(self._upstream.push(native))
        while len(self._pending) > 1 and self._waveform.size >= CHUNK_SAMPLES:
            yield self._chunk(self._pending.popleft(), CHUNK_SAMPLES)

    def _chunk(self, native: Samples, n_waveform: int) -> AudioChunk:
        n_waveform = min(n_waveform, CHUNK_SAMPLES)
        waveform = self._waveform.take(n_waveform)
        short = n_waveform - waveform.shape[1]
        if short > 0:  # the resampler's tail may miss a sample or two
            waveform = np.pad(waveform, ((0, 0), (0, short)))
        start_s = (self.start_s or 0.0) + self._n_emitted / CHUNKS_A_SECOND
        self._n_emitted += 1
        return AudioChunk(start_s, native, self._rate_hz, waveform)

    def _n_waveform(self) -> int:
        return round(self._n_native * SAMPLE_RATE_HZ / self._rate_hz)
