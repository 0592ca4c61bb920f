"""One pass over a recording: hashes of its packets and prints of what is heard and seen.

Packets are hashed as they lie in the file, without being decoded. Nothing is kept but tags of
packets, band levels and mosaics: some 10 kB a second, whatever the size of the picture.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from avdetect.errors import InputError, UnreadableMediaError
from avdetect.media.container import (
    AV_ERRORS_AND_MEMORY,
    Decoder,
    open_container,
    prepare_decoder,
)
from avdetect.media.jpeg import is_cut_jpeg
from avdetect.media.picture import PictureReader
from avdetect.media.probe import Probe, probe
from avdetect.media.sound import AudioChunk, SoundReader
from avdetect.media.source import RawFormat, Source
from avdetect.provenance.chains import packet_tag
from avdetect.provenance.payload import Payload, PayloadReader
from avdetect.provenance.picture_print import TICK_S, Mosaic, MosaicReader
from avdetect.provenance.sound_print import HOP_S, BandReader, Levels
from avdetect.timebase import FRAME_RATE_HZ, SAMPLE_RATE_HZ
from avdetect.types import channel_name

Progress = Callable[[float, float | None], None]

MAX_TRACKS = 16  # of one kind; what hides more is not a recording
_MAX_CHANNELS = 8  # printed one by one; beyond it only their mean
MIX = "mix"


@dataclass(slots=True)
class PacketTrack:
    """The packets of one stream in file order.

    Attributes:
        track: number of the stream among those of its kind, from 0.
        kind: ``audio`` or ``video``.
        codec: name of the decoder.
        tags: `TAG_BYTES` bytes a payload.
        times_ms: when each is presented, milliseconds from clip start.
        seconds: digest of the payloads of each second of presentation.
    """

    track: int
    kind: str
    codec: str
    tags: bytearray = field(default_factory=bytearray)
    times_ms: array[int] = field(default_factory=lambda: array("q"))
    seconds: dict[int, bytes] = field(default_factory=dict)


@dataclass(slots=True)
class SoundTrack:
    """Band levels of one sound stream, per lane: a channel, or the ``mix`` of several."""

    track: int
    n_channels: int
    lanes: dict[str, Levels]


@dataclass(slots=True)
class PictureTrack:
    """Mosaics of one picture stream.

    Attributes:
        track: number of the stream among the pictures.
        width, height: as stored, pixels.
        mosaics: (T, side, side, planes) uint8, one per tick of the 25 Hz clock from clip start; a
            photograph has one.
        n_lead_ticks: ticks before the first picture; their mosaics are black.
    """

    track: int
    width: int
    height: int
    mosaics: Mosaic
    n_lead_ticks: int


@dataclass(slots=True)
class Recording:
    """What one pass found; see the classes above."""

    name: str
    size: int
    sha256: str
    is_still: bool
    duration_s: float = 0.0
    n_bad_packets: int = 0
    packets: list[PacketTrack] = field(default_factory=list)
    sounds: list[SoundTrack] = field(default_factory=list)
    pictures: list[PictureTrack] = field(default_factory=list)


def read_recording(
    source: Source, key: bytes, *, raw: RawFormat | None = None, progress: Progress | None = None
) -> Recording:
    """Hash and print every sound and picture stream; cover art is left out.

    Args:
        source: an opened file; it stays open.
        key: of the seal, for the tags of packets.
        raw: how to read sound without a header.
        progress: told seconds done and in all.

    Raises:
        UnreadableMediaError: no stream can be decoded, or nothing comes out of it.
        InputLimitError: beyond the limits of `avdetect.media`.
        InputError: the file changed meanwhile.
    """
    try:
        with open_container(source, raw) as container:
            facts = probe(container, source.name)
        if facts.is_still and is_cut_jpeg(source.reader()):
            raise UnreadableMediaError(f"{source.name}: is a photograph that was cut off")
        with open_container(source, raw) as container:
            recording = _Pass(source, container, facts, key).run(progress or (lambda *_: None))
    except AV_ERRORS_AND_MEMORY as e:
        if isinstance(e, InputError):
            raise
        raise UnreadableMediaError(f"{source.name}: decoding failed: {e}") from e
    source.check_unchanged()
    if not any(len(lane) for sound in recording.sounds for lane in sound.lanes.values()) and not (
        any(len(picture.mosaics) for picture in recording.pictures)
    ):
        raise UnreadableMediaError(f"{source.name}: holds nothing that can be decoded")
    return recording


class _Pass:
    """State of one pass over a container."""

    def __init__(self, source: Source, container: InputContainer, facts: Probe, key: bytes) -> None:
        self._source, self._container, self._facts = source, container, facts
        self._readers: dict[int, _PacketReader] = {}
        self._sounds: dict[int, _SoundPrinter] = {}
        self._pictures: dict[int, _PicturePrinter] = {}
        for track, sound in enumerate(self._sound_streams()[:MAX_TRACKS]):
            self._readers[sound.index] = _PacketReader(track, "audio", sound, facts, key)
            self._sounds[sound.index] = _SoundPrinter(track, source.name, facts.start_s)
        for track, video in enumerate(self._video_streams()[:MAX_TRACKS]):
            self._readers[video.index] = _PacketReader(track, "video", video, facts, key)
            self._pictures[video.index] = _PicturePrinter(track, source.name, facts, video)

    def run(self, progress: Progress) -> Recording:
        streams = [s for s in self._container.streams if s.index in self._readers]
        wanted = [s for s in streams if isinstance(s, AudioStream | VideoStream)]
        for stream in wanted:
            prepare_decoder(stream, threaded=isinstance(stream, VideoStream))
        decoder = Decoder(self._container, wanted)
        shown_s = 0.0
        for packet, frames in decoder.frames():
            reader = self._readers[packet.stream.index]
            if packet.size:
                reader.feed(bytes(packet), _seconds(packet.pts, packet.time_base))
            for frame in frames:
                self._print(packet.stream.index, frame)
            if reader.last_s >= shown_s + 1.0:
                shown_s = reader.last_s
                progress(shown_s, self._facts.duration_s)
        return self._collect(decoder.n_bad_packets)

    def _print(self, index: int, frame: AudioFrame | VideoFrame) -> None:
        if isinstance(frame, AudioFrame):
            self._sounds[index].feed(frame)
        else:
            self._pictures[index].feed(frame)

    def _collect(self, n_bad_packets: int) -> Recording:
        sounds = [printer.finish() for printer in self._sounds.values()]
        pictures = [printer.finish(self._facts.is_still) for printer in self._pictures.values()]
        ends_s = [len(p.mosaics) * TICK_S for p in pictures if not self._facts.is_still]
        ends_s += [len(lane) * HOP_S for sound in sounds for lane in sound.lanes.values()]
        return Recording(
            name=self._source.name,
            size=self._source.size,
            sha256=self._source.sha256,
            is_still=self._facts.is_still,
            duration_s=max(ends_s, default=0.0),
            n_bad_packets=n_bad_packets,
            packets=[reader.finish() for reader in self._readers.values()],
            sounds=sounds,
            pictures=pictures,
        )

    def _sound_streams(self) -> list[AudioStream]:
        return [s for s in self._container.streams.audio if s.codec_context is not None]

    def _video_streams(self) -> list[VideoStream]:
        cover = Disposition.attached_pic | Disposition.timed_thumbnails
        streams = [s for s in self._container.streams.video if s.codec_context is not None]
        if self._facts.is_still:
            return [s for s in streams if s.index == self._facts.video]
        return [s for s in streams if not s.disposition & cover]


def _seconds(count: int | None, time_base: object) -> float | None:
    return None if count is None or time_base is None else float(count * time_base)  # type: ignore[operator]


class _PacketReader:
    def __init__(
        self, track: int, kind: str, stream: AudioStream | VideoStream, facts: Probe, key: bytes
    ) -> None:
        self._found = PacketTrack(track, kind, stream.codec_context.name)
        self._payloads = PayloadReader(stream)
        self._start_s, self._key = facts.start_s, key
        self._seconds: dict[int, hashlib._Hash] = {}
        self.last_s = 0.0

    def feed(self, data: bytes, time_s: float | None) -> None:
        self._note(self._payloads.read(data, None if time_s is None else time_s - self._start_s))

    def finish(self) -> PacketTrack:
        self._note(self._payloads.flush())
        self._found.seconds = {k: digest.digest() for k, digest in sorted(self._seconds.items())}
        return self._found

    def _note(self, payloads: Iterator[Payload]) -> None:
        for payload, time_s in payloads:
            self._found.tags += packet_tag(self._key, payload)
            self._found.times_ms.append(round(time_s * 1000))
            second = max(0, int(time_s))
            digest = self._seconds.setdefault(second, hashlib.sha256())
            digest.update(len(payload).to_bytes(8, "big") + payload)
            self.last_s = time_s


class _SoundPrinter:
    def __init__(self, track: int, name: str, start_s: float) -> None:
        self._track, self._reader = track, SoundReader(name, start_s)
        self._lanes: dict[str, BandReader] = {}
        self._n_channels = 0

    def feed(self, frame: AudioFrame) -> None:
        for chunk in self._reader.feed(frame):
            self._take(chunk)

    def finish(self) -> SoundTrack:
        for chunk in self._reader.flush():
            self._take(chunk)
        lanes = {name: reader.finish() for name, reader in self._lanes.items()}
        return SoundTrack(self._track, self._n_channels, lanes)

    def _take(self, chunk: AudioChunk) -> None:
        if not self._lanes:
            self._begin(chunk)
        mean = chunk.waveform.mean(axis=0)
        for channel, (name, reader) in enumerate(self._lanes.items(), start=-1):
            is_mix = name == MIX or self._n_channels == 1
            reader.feed(mean if is_mix else chunk.waveform[channel])

    def _begin(self, chunk: AudioChunk) -> None:
        n = self._n_channels = len(chunk.waveform)
        names = [channel_name(i, n) for i in range(n)] if n <= _MAX_CHANNELS else []
        self._lanes = {name: BandReader() for name in (names if n == 1 else [MIX, *names])}
        lead = np.zeros(round(chunk.start_s * SAMPLE_RATE_HZ), np.float32)
        for reader in self._lanes.values():
            reader.feed(lead)


class _PicturePrinter:
    def __init__(self, track: int, name: str, facts: Probe, stream: VideoStream) -> None:
        rate = stream.average_rate or stream.guessed_rate
        frame_s = float(1 / rate) if rate else 1 / FRAME_RATE_HZ
        self._track, self._size = track, (stream.codec_context.width, stream.codec_context.height)
        mosaics = MosaicReader(still=facts.is_still)
        self._reader = PictureReader(name, facts.start_s, frame_s, convert=mosaics.read)
        self._shown: list[Mosaic] = []
        self._lead: int | None = None

    def feed(self, frame: VideoFrame) -> None:
        for picture in self._reader.feed(frame):
            self._take(picture.picture, picture.ticks)

    def finish(self, is_still: bool) -> PictureTrack:
        for picture in self._reader.flush():
            self._take(picture.picture, picture.ticks)
        shown = self._shown[:1] if is_still else self._shown
        mosaics = np.array(shown, np.uint8) if shown else np.zeros((0, 1, 1, 1), np.uint8)
        lead = 0 if is_still else self._lead or 0
        return PictureTrack(self._track, *self._size, mosaics, lead)

    def _take(self, mosaic: Mosaic, ticks: range) -> None:
        if self._lead is None:
            self._lead = ticks.start
            self._shown += [np.zeros_like(mosaic)] * ticks.start
        self._shown += [mosaic] * len(ticks)
