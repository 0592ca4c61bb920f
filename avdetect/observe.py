"""Clip to Observations: one pass, bounded memory, sound and faces on one clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

from avdetect.active_speaker import speaking_track
from avdetect.errors import InputError
from avdetect.faces.buffer import FaceBuffer
from avdetect.faces.detect import FaceFinder
from avdetect.media.clip import AudioChunk, Clip
from avdetect.observation import Observation
from avdetect.speech.buffer import SoundBuffer
from avdetect.timebase import FRAME_RATE_HZ, OBSERVATION_HOP_S, OBSERVATION_S
from avdetect.types import Segment

# How far one stream may run ahead before the other is taken to have ended: bounds memory.
_MAX_LEAD_S = 3 * OBSERVATION_S
_SHORTEST_S = 1 / FRAME_RATE_HZ


def choose_channels(n_channels: int, channel: str, path: str) -> tuple[int, ...]:
    """Indices of the channels asked for: ``all``, ``left``, ``right`` or a number from 0."""
    if channel == "all":
        return tuple(range(n_channels))
    names = {"left": 0, "right": 1}
    index = names.get(channel, int(channel) if channel.isdigit() else -1)
    if not 0 <= index < n_channels:
        raise InputError(
            f"{path}: no channel {channel!r}, it has {n_channels}; use --channel all or 0 to "
            f"{n_channels - 1}"
        )
    return (index,)


def observe(clip: Clip, *, channel: str = "all", pictures: bool = True) -> Iterator[Observation]:
    """Cut a clip into overlapping observations, in time order.

    Each covers `OBSERVATION_S` seconds and starts `OBSERVATION_HOP_S` after the one before; the
    last is moved back so that it ends with the clip. A photograph gives one observation.

    Args:
        clip: an open clip; it is read once, from its start.
        channel: which sound channels to hear, see `choose_channels`.
        pictures: False only listens.

    Raises:
        InputError: the clip cannot be decoded or lacks the channel.
    """
    with ExitStack() as stack:
        faces = None
        if clip.has_video and pictures:
            faces = FaceBuffer(stack.enter_context(FaceFinder()), is_still=clip.is_still)
        yield from _Observer(clip, channel, faces).run()


class _Observer:
    def __init__(self, clip: Clip, channel: str, faces: FaceBuffer | None) -> None:
        self._clip, self._channel, self._faces = clip, channel, faces
        self._sound: SoundBuffer | None = None  # made when the first sound tells its channels
        self._covered_s = 0.0  # end of the last observation
        self._next_start_s = 0.0

    def run(self) -> Iterator[Observation]:
        for item in self._clip.chunks(want_video=self._faces is not None):
            if isinstance(item, AudioChunk):
                self._hear(item)
            elif self._faces is not None:
                self._faces.push(item)
            yield from self._complete(self._known_until_s())
        yield from self._last()

    def _hear(self, chunk: AudioChunk) -> None:
        if self._sound is None:
            n_channels = len(chunk.waveform)
            chosen = choose_channels(n_channels, self._channel, self._clip.path)
            self._sound = SoundBuffer(n_channels, chosen)
        self._sound.push(chunk)

    def _known_until_s(self) -> float:
        ends = [self._sound.end_s if self._sound is not None else 0.0] * self._clip.has_audio
        ends += [self._faces.end_s] if self._faces is not None else []
        return max(min(ends), max(ends) - _MAX_LEAD_S)

    def _complete(self, until_s: float) -> Iterator[Observation]:
        while self._next_start_s + OBSERVATION_S <= until_s:
            start_s = self._next_start_s
            yield self._observation(Segment(start_s, start_s + OBSERVATION_S))
            self._next_start_s = start_s + OBSERVATION_HOP_S
            for buffer in (self._sound, self._faces):
                if buffer is not None:
                    buffer.forget(start_s)  # not more: the last observation may reach back to here

    def _last(self) -> Iterator[Observation]:
        end_s = 0.0
        if self._sound is not None:
            self._sound.finish()
            end_s = self._sound.last_sample_s
        if self._faces is not None:
            end_s = max(end_s, self._faces.end_s)
        yield from self._complete(end_s)
        if end_s - self._covered_s >= _SHORTEST_S or (self._covered_s == 0.0 and end_s > 0.0):
            yield self._observation(Segment(max(0.0, end_s - OBSERVATION_S), end_s))

    def _observation(self, segment: Segment) -> Observation:
        fresh = Segment(min(max(segment.start_s, self._covered_s), segment.end_s), segment.end_s)
        self._covered_s = segment.end_s
        channels, copies = self._sound.window(segment) if self._sound is not None else ((), ())
        faces = self._faces.window(segment) if self._faces is not None else ()
        return Observation(
            segment=segment,
            fresh=fresh,
            channels=channels,
            copies=copies,
            faces=faces,
            speaking_track=speaking_track(faces, channels),
            is_still=self._clip.is_still,
            faces_unfollowed=self._faces.n_unfollowed if self._faces is not None else 0,
        )
