"""The last few seconds of every sound channel, with speech and bandwidth, on the clip's clock."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from avdetect.media.bandwidth import effective_bandwidth_hz
from avdetect.media.clip import AudioChunk
from avdetect.observation import ChannelAudio
from avdetect.speech.vad import CHUNK_S, VoiceActivity, speech_segments
from avdetect.timebase import SAMPLE_RATE_HZ, seconds_to_samples
from avdetect.types import Segment, channel_name

# Correlation above which a channel is a stereo copy of an earlier one, not another caller.
_COPY_CORRELATION = 0.98
_SILENCE_RMS = 1e-5
_SHORTEST_FOR_BANDWIDTH_S = 0.1
_MOST_SILENCE_S = 4.0  # put in at once: the speech network takes ten times the memory of its sound

Copy = tuple[str, str]  # names of a channel and of the one it copies


class SoundBuffer:
    """Streaming store of one clip's sound; ``push`` in time order, read ``window``, ``forget``."""

    def __init__(self, n_channels: int, chosen: tuple[int, ...]) -> None:
        self._names = [channel_name(index, n_channels) for index in chosen]
        self._chosen = list(chosen)
        self._activity = [VoiceActivity() for _ in chosen]
        self._waveform = np.zeros((len(chosen), 0), np.float32)
        self._first_sample = 0  # clip-clock index of the buffer's first sample
        self._speech: list[NDArray[np.float32]] = [np.zeros(0, np.float32) for _ in chosen]
        self._first_chunk = 0  # clip-clock index of the first 32 ms probability kept
        self._bandwidth: list[list[tuple[float, float]]] = [[] for _ in chosen]

    @property
    def end_s(self) -> float:
        """Time up to which sound and speech are known."""
        return (self._first_chunk + len(self._speech[0])) * CHUNK_S

    @property
    def last_sample_s(self) -> float:
        """Time of the end of the sound received so far."""
        return self._n_known / SAMPLE_RATE_HZ

    @property
    def _n_known(self) -> int:
        """Samples of the clip's clock up to the end of the sound received so far."""
        return self._first_sample + self._waveform.shape[1]

    def fill(self, until_s: float) -> bool:
        """Append a piece of a long gap before ``until_s``; False where `push` may do the rest."""
        n_samples = seconds_to_samples(_MOST_SILENCE_S)
        if seconds_to_samples(until_s) - self._n_known <= n_samples:
            return False
        self._append(np.zeros((len(self._names), n_samples), np.float32))
        return True

    def push(self, chunk: AudioChunk) -> None:
        """Append a chunk; a gap before it is silence, an overlap with what is known is cut."""
        while self.fill(chunk.start_s):
            pass
        known = self._n_known
        begin = seconds_to_samples(chunk.start_s)
        fresh = chunk.waveform[self._chosen, max(0, known - begin) :]
        gap = np.zeros((len(self._names), max(0, begin - known)), np.float32)
        self._append(np.concatenate([gap, fresh], axis=1))
        if chunk.native.shape[1] < _SHORTEST_FOR_BANDWIDTH_S * chunk.native_rate_hz:
            return
        for index, source in enumerate(self._chosen):
            bandwidth_hz = effective_bandwidth_hz(chunk.native[source], chunk.native_rate_hz)
            if bandwidth_hz is not None:
                self._bandwidth[index].append((chunk.start_s, bandwidth_hz))

    def finish(self) -> None:
        """Complete the last chunk of speech probabilities."""
        for index, activity in enumerate(self._activity):
            self._speech[index] = np.concatenate([self._speech[index], activity.finish()])

    def window(self, segment: Segment) -> tuple[tuple[ChannelAudio, ...], tuple[Copy, ...]]:
        """Distinct channels within ``segment``, and (copy, original) names of the others."""
        begin = seconds_to_samples(segment.start_s) - self._first_sample
        end = min(seconds_to_samples(segment.end_s) - self._first_sample, self._waveform.shape[1])
        sound = self._waveform[:, max(0, begin) : max(0, end)]
        if not sound.shape[1]:
            return (), ()
        channels: list[ChannelAudio] = []
        copies: list[tuple[str, str]] = []
        for index, name in enumerate(self._names):
            original = next((c for c in channels if _same_sound(c.waveform, sound[index])), None)
            if original is not None:
                copies.append((name, original.channel))
                continue
            channels.append(
                ChannelAudio(
                    channel=name,
                    waveform=np.ascontiguousarray(sound[index]),
                    speech=self._speech_in(index, segment),
                    bandwidth_hz=self._bandwidth_in(index, segment),
                )
            )
        return tuple(channels), tuple(copies)

    def forget(self, before_s: float) -> None:
        """Drop everything earlier than ``before_s``."""
        n_samples = max(0, seconds_to_samples(before_s) - self._first_sample)
        n_samples = min(n_samples, self._waveform.shape[1])
        self._waveform = self._waveform[:, n_samples:].copy()
        self._first_sample += n_samples
        n_chunks = max(0, math.floor(before_s / CHUNK_S) - self._first_chunk)
        n_chunks = min(n_chunks, len(self._speech[0]))
        self._speech = [speech[n_chunks:] for speech in self._speech]
        self._first_chunk += n_chunks
        self._bandwidth = [
            [entry for entry in entries if entry[0] >= before_s - 2.0]
            for entries in self._bandwidth
        ]

    def _append(self, waveform: NDArray[np.float32]) -> None:
        self._waveform = np.concatenate([self._waveform, waveform], axis=1)
        for index, activity in enumerate(self._activity):
            self._speech[index] = np.concatenate(
                [self._speech[index], activity.push(waveform[index])]
            )

    def _speech_in(self, index: int, segment: Segment) -> tuple[Segment, ...]:
        first = max(0, math.floor(segment.start_s / CHUNK_S) - self._first_chunk)
        last = max(first, math.ceil(segment.end_s / CHUNK_S) - self._first_chunk)
        found = speech_segments(
            self._speech[index][first:last], (self._first_chunk + first) * CHUNK_S
        )
        return tuple(part for piece in found if (part := piece.overlap(segment)) is not None)

    def _bandwidth_in(self, index: int, segment: Segment) -> float | None:
        inside = [
            hertz
            for start_s, hertz in self._bandwidth[index]
            if segment.start_s - 1.0 <= start_s < segment.end_s
        ]
        return float(np.median(inside)) if inside else None


def _same_sound(a: NDArray[np.float32], b: NDArray[np.float32]) -> bool:
    norm_a, norm_b = float(np.linalg.norm(a)), float(np.linalg.norm(b))
    if min(norm_a, norm_b) < _SILENCE_RMS * math.sqrt(len(a)):
        return False
    return float(np.dot(a, b)) > _COPY_CORRELATION * norm_a * norm_b
