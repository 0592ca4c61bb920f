"""Clip to Observations: one pass, bounded memory, sound and faces on one clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

from avdetect.active_speaker import speaking_track
from avdetect.errors import InputLimitError
from avdetect.faces.buffer import FaceBuffer
from avdetect.faces.detect import FaceFinder
from avdetect.media.clip import AudioChunk, Clip, PictureFrame
from avdetect.observation import Observation
from avdetect.speech.buffer import SoundBuffer
from avdetect.timebase import FRAME_RATE_HZ, OBSERVATION_HOP_S, OBSERVATION_S
from avdetect.types import Segment

# How far one stream may run ahead before the other is taken to have ended: bounds memory.
_MAX_LEAD_S = 3 * OBSERVATION_S
_SHORTEST_S = 1 / FRAME_RATE_HZ


def choose_channels(n_channels: int, channel: str, path: str) -> tuple[int, ...]:
    """Indices of the channels asked for: ``all``, ``left``, ``right`` or a number from 0.

    Raises:
        InputLimitError: there are fewer channels.
    """
    if channel == "all":
        return tuple(range(n_channels))
    names = {"left": 0, "right": 1}
    index = names.get(channel, int(channel) if channel.isdigit() else -1)
    if not 0 <= index < n_channels:
        raise InputLimitError(  # for good: a batch must not try the file again
            f"{path}: no channel {channel!r}, it has {n_channels}; use --channel all or 0 to "
            f"{n_channels - 1}"
        )
    return (index,)


def observe(
    clip: Clip,
    *,
    channel: str = "all",
    pictures: bool = True,
    whole_pictures: bool = False,
    watch: Callable[[AudioChunk | PictureFrame], None] = lambda _: None,
) -> Iterator[Observation]:
    """Cut a clip into overlapping observations, in time order.

    Each covers `OBSERVATION_S` seconds and starts `OBSERVATION_HOP_S` after the one before; the
    last is moved back so that it ends with the clip. A photograph gives one observation.

    Args:
        clip: an open clip; it is read once, from its start.
        channel: which sound channels to hear, see `choose_channels`.
        pictures: False only listens.
        whole_pictures: keep one whole picture a second in `Observation.pictures`.
        watch: is shown every piece that could be decoded, before it is observed.

    Raises:
        InputError: the clip cannot be decoded.
        InputLimitError: it lacks the channel.
    """
    with ExitStack() as stack:
        faces = None
        if clip.has_video and pictures:
            faces = FaceBuffer(
                stack.enter_context(FaceFinder()),
                is_still=clip.is_still,
                keep_pictures=whole_pictures,
            )
        observer = Observer(
            clip.path, channel, faces, has_audio=clip.has_audio, is_still=clip.is_still
        )
        for item in clip.chunks(want_video=faces is not None):
            watch(item)
            yield from observer.push(item)
        yield from observer.finish()


class Observer:
    """What `observe` is made of, for callers to whom a clip comes piece by piece.

    Args:
        name: of the clip, for messages.
        channel: which sound channels to hear, see `choose_channels`.
        faces: where pictures go; None only listens.
        has_audio: sound is to be waited for.
        is_still: the picture is a photograph.
    """

    def __init__(
        self,
        name: str,
        channel: str = "all",
        faces: FaceBuffer | None = None,
        *,
        has_audio: bool = True,
        is_still: bool = False,
    ) -> None:
        self._name, self._channel, self._faces = name, channel, faces
        self._has_audio, self._is_still = has_audio, is_still
        self._sound: SoundBuffer | None = None  # made when the first sound tells its channels
        self._covered_s = 0.0  # end of the last observation
        self._next_start_s = 0.0

    def push(self, item: AudioChunk | PictureFrame) -> Iterator[Observation]:
        """Take the next piece, in time order; yields the observations it completes."""
        if isinstance(item, AudioChunk):
            yield from self._hear(item)
        elif self._faces is not None:
            self._faces.push(item)
        yield from self._complete(self._known_until_s())

    def finish(self) -> Iterator[Observation]:
        """The rest, after the last piece."""
        end_s = 0.0
        if self._sound is not None:
            self._sound.finish()
            end_s = self._sound.last_sample_s
        if self._faces is not None:
            end_s = max(end_s, self._faces.end_s)
        yield from self._complete(end_s)
        if self._is_due(end_s):
            yield self._cover(_last_segment(end_s))

    def so_far(self) -> Observation | None:
        """What `finish` would give last if the clip ended here, or None; nothing is changed."""
        end_s = self._known_until_s()
        return self._observation(_last_segment(end_s)) if self._is_due(end_s) else None

    def _hear(self, chunk: AudioChunk) -> Iterator[Observation]:
        if self._sound is None:
            n_channels = len(chunk.waveform)
            chosen = choose_channels(n_channels, self._channel, self._name)
            self._sound = SoundBuffer(n_channels, chosen)
        while self._sound.fill(chunk.start_s):  # observed on the way: no long gap is held whole
            yield from self._complete(self._known_until_s())
            self._forget()
        self._sound.push(chunk)

    def _known_until_s(self) -> float:
        ends = [self._sound.end_s if self._sound is not None else 0.0] * self._has_audio
        ends += [self._faces.end_s] if self._faces is not None else []
        return max(min(ends), max(ends) - _MAX_LEAD_S)

    def _complete(self, until_s: float) -> Iterator[Observation]:
        while self._next_start_s + OBSERVATION_S <= until_s:
            start_s = self._next_start_s
            yield self._cover(Segment(start_s, start_s + OBSERVATION_S))
            self._next_start_s = start_s + OBSERVATION_HOP_S
            self._forget()

    def _forget(self) -> None:
        # Not more: the last observation may reach back to the start of the one before it.
        before_s = max(0.0, self._next_start_s - OBSERVATION_HOP_S)
        for buffer in (self._sound, self._faces):
            if buffer is not None:
                buffer.forget(before_s)

    def _is_due(self, end_s: float) -> bool:
        """Whether enough lies behind the last observation for another that ends there."""
        return end_s - self._covered_s >= _SHORTEST_S or (self._covered_s == 0.0 and end_s > 0.0)

    def _cover(self, segment: Segment) -> Observation:
        observation = self._observation(segment)
        self._covered_s = segment.end_s
        return observation

    def _observation(self, segment: Segment) -> Observation:
        fresh = Segment(min(max(segment.start_s, self._covered_s), segment.end_s), segment.end_s)
        channels, copies = self._sound.window(segment) if self._sound is not None else ((), ())
        faces = self._faces.window(segment) if self._faces is not None else ()
        return Observation(
            segment=segment,
            fresh=fresh,
            channels=channels,
            copies=copies,
            faces=faces,
            speaking_track=speaking_track(faces, channels),
            is_still=self._is_still,
            faces_unfollowed=self._faces.n_unfollowed if self._faces is not None else 0,
            pictures=self._faces.pictures(segment) if self._faces is not None else (),
        )


def _last_segment(end_s: float) -> Segment:
    return Segment(max(0.0, end_s - OBSERVATION_S), end_s)
