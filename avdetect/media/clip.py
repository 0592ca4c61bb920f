"""`Clip`: one media file, read once from front to back, sound and picture on one clock."""

from __future__ import annotations

from collections.abc import Iterator

from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.stream import VideoStream

from avdetect.errors import InputError, UnreadableMediaError
from avdetect.media.container import (
    AV_ERRORS_AND_MEMORY,
    DecodedFrame,
    Decoder,
    open_container,
    prepare_decoder,
)
from avdetect.media.jpeg import is_cut_jpeg
from avdetect.media.origin import Origin, read_origin
from avdetect.media.picture import PictureFrame, PictureReader
from avdetect.media.probe import Probe, probe
from avdetect.media.sound import AudioChunk, SoundReader
from avdetect.media.source import RawFormat, Source, SourceLike, open_source
from avdetect.timebase import FRAME_RATE_HZ
from avdetect.types import StreamInfo

_SLOW_FPS = 5

__all__ = ["AudioChunk", "Clip", "PictureFrame", "RawFormat", "open_clip"]


class Clip:
    """An opened media file; use as a context manager. Made by `open_clip`.

    Attributes:
        path: its name as it goes on the wire and into messages (see `display_path`).
        sha256: of the bytes that are judged.
        streams: every sound and picture stream, judged or not.
        duration_s: as the container declares it: may be None, may be wrong.
        has_audio: a sound stream is there that can be decoded.
        has_video: a picture stream is there (cover art does not count; a photograph does).
        is_still: the picture is a single photograph.
        origin: what the file says of its own making.
        n_bad_samples: sound samples that were not finite and became zeros, known after reading.
        n_bad_packets: packets or frames skipped as damaged, known after reading.
    """

    def __init__(self, source: Source, facts: Probe, raw: RawFormat | None, origin: Origin) -> None:
        self.origin = origin
        self._source, self._facts, self._raw = source, facts, raw
        self.path, self.sha256 = source.name, source.sha256
        self.streams: tuple[StreamInfo, ...] = facts.streams
        self.duration_s = facts.duration_s
        self.has_audio, self.has_video = facts.audio is not None, facts.video is not None
        self.is_still = facts.is_still
        self.n_bad_samples = 0
        self.n_bad_packets = 0

    def __enter__(self) -> Clip:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._source.close()

    def chunks(self, *, want_video: bool = True) -> Iterator[AudioChunk | PictureFrame]:
        """Decode once from start to end; sound and pictures come roughly in the order of time.

        Times are seconds from clip start, which is the earliest first frame of the judged streams.
        Sound comes in half seconds; pictures when the next one is known. The judged streams are
        the first ones marked as default, else the first.

        Args:
            want_video: False reads past the pictures without decoding them.

        Raises:
            UnreadableMediaError: nothing could be decoded.
            InputLimitError: beyond a stated limit (picture size, channels, rate, holes, length).
            InputError: the file changed meanwhile.
        """
        n_items = 0
        with open_container(self._source, self._raw) as container:
            for item in self._read(container, want_video):
                n_items += 1
                yield item
        self._source.check_unchanged()
        if not n_items and (self.has_audio or want_video):
            damage = (
                "is damaged or cut off; nothing" if self.n_bad_packets else "holds nothing that"
            )
            raise UnreadableMediaError(f"{self.path}: {damage} can be decoded")

    def _read(
        self, container: InputContainer, want_video: bool
    ) -> Iterator[AudioChunk | PictureFrame]:
        streams = self._judged_streams(container, want_video)
        decoder = Decoder(container, streams)
        sound = SoundReader(self.path, self._facts.start_s)
        picture = PictureReader(
            self.path, self._facts.start_s, _frame_s(streams), is_still=self.is_still
        )
        self.n_bad_samples = self.n_bad_packets = 0
        try:
            for _, frames in decoder.frames():
                for frame in frames:
                    yield from self._place(frame, sound, picture)
            yield from sound.flush()
            yield from picture.flush()
        except AV_ERRORS_AND_MEMORY as e:
            if isinstance(e, InputError):
                raise
            raise UnreadableMediaError(f"{self.path}: decoding failed: {e}") from e
        finally:
            self.n_bad_samples = sound.n_bad_samples
            self.n_bad_packets = decoder.n_bad_packets + sound.n_bad_frames

    def _place(
        self, frame: DecodedFrame, sound: SoundReader, picture: PictureReader
    ) -> Iterator[AudioChunk | PictureFrame]:
        if isinstance(frame, AudioFrame):
            yield from sound.feed(frame)
        else:
            yield from picture.feed(frame)

    def _judged_streams(
        self, container: InputContainer, want_video: bool
    ) -> list[AudioStream | VideoStream]:
        wanted = (self._facts.audio, self._facts.video if want_video else None)
        streams = [
            stream
            for stream in container.streams
            if stream.index in wanted and isinstance(stream, AudioStream | VideoStream)
        ]
        for stream in streams:
            prepare_decoder(stream, threaded=_worth_threads(stream))
        return streams


def _worth_threads(stream: AudioStream | VideoStream) -> bool:
    """Threads hold frames back: at a frame a second the picture would lag far behind the sound."""
    if not isinstance(stream, VideoStream):
        return False
    return stream.average_rate is None or stream.average_rate >= _SLOW_FPS


def _frame_s(streams: list[AudioStream | VideoStream]) -> float:
    for stream in streams:
        if isinstance(stream, VideoStream) and (rate := stream.average_rate or stream.guessed_rate):
            return float(1 / rate)
    return 1 / FRAME_RATE_HZ


def open_clip(source: SourceLike, *, raw: RawFormat | None = None, name: str | None = None) -> Clip:
    """Open a media file for reading; nothing but its first frames is decoded yet.

    Args:
        source: a path, bytes (content), a binary file object, or ``(samples, rate_hz)``; see
            `avdetect.media.source.open_source`.
        raw: how to read sound without a header; None for everything that has one.
        name: what to call it in messages and on the wire, else taken from ``source``.

    Raises:
        InputNotFoundError: nothing is there, or it may not be read.
        UnreadableMediaError: empty, or not media.
        InputLimitError: beyond a stated limit.
        InputError: a folder, a pipe, or a file that changes meanwhile.
        UsageError: ``raw`` makes no sense.
    """
    opened = open_source(source, name=name)
    try:
        with open_container(opened, raw) as container:
            facts = probe(container, opened.name)
            origin = read_origin(container, opened.reader())
        if facts.is_still and is_cut_jpeg(opened.reader()):
            raise UnreadableMediaError(f"{opened.name}: is a photograph that was cut off")
        return Clip(opened, facts, raw, origin)
    except AV_ERRORS_AND_MEMORY as e:
        opened.close()
        raise UnreadableMediaError(f"{opened.name}: decoding failed: {e}") from e
    except BaseException:
        opened.close()
        raise
