"""Opening a container and decoding it without surprises; the only home of libav's errors.

libav's own log lines never reach standard error: PyAV switches them off when it is imported, and
nothing here switches them on. Inputs cannot make the decoder open further files or addresses
(play-lists, concatenations): the demuxers are an explicit list and nested opening is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NoReturn

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from avdetect.errors import InputError, UnreadableMediaError, UsageError
from avdetect.media.source import RawFormat, Source

MAX_SIDE_PX = 16_384
MAX_PIXELS = 100_000_000

# All that PyAV was seen to raise on damaged input; none of it may reach a caller.
AV_ERRORS = (av.error.FFmpegError, OSError, ValueError, ArithmeticError, LookupError, RuntimeError)
AV_ERRORS_AND_MEMORY = (*AV_ERRORS, MemoryError)

# Demuxers that hold sound or pictures themselves; no play-lists, no text, no devices.
_DEMUXERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,live_flv,asf,mpegts,mpeg,mpegvideo,m4v,h264,hevc,"
    "ivf,obu,av1,yuv4mpegpipe,mjpeg,gif,apng,dv,mxf,nut,rm,wav,w64,aiff,au,caf,mp3,aac,flac,ogg,amr,"
    "amrnb,amrwb,ac3,eac3,dts,wv,tta,ape,voc,dsf,gsm,g722,g729,g723_1,sln,ilbc,mulaw,alaw,s16le,"
    "png_pipe,jpeg_pipe,webp_pipe,bmp_pipe,tiff_pipe,jpegxl_pipe,ppm_pipe,pgm_pipe"
)
_BY_SUFFIX = {"g722": "g722", "722": "g722", "gsm": "gsm"}  # headerless, known by name alone
_RAW_SUFFIXES = frozenset({"ul", "ulaw", "mulaw", "al", "alaw", "raw", "pcm", "sln", "sw", "g711"})
_RAW_DEMUXERS = {"ulaw": "mulaw", "alaw": "alaw", "s16le": "s16le"}
_MAX_DEMUX_ERRORS = 64
_VIDEO_THREADS = 4  # fixed, so that damaged video decodes alike on every machine

DecodedFrame = AudioFrame | VideoFrame


def open_container(source: Source, raw: RawFormat | None = None) -> InputContainer:
    """Open a source with PyAV; the caller closes it.

    Raises:
        UnreadableMediaError: no demuxer knows it.
        UsageError: ``raw`` makes no sense.
    """
    demuxer = _raw_demuxer(raw) if raw else _BY_SUFFIX.get(source.suffix)
    options = {"max_pixels": str(MAX_PIXELS)}
    if raw:
        options |= {"sample_rate": str(raw.rate_hz), "ch_layout": _raw_layout(raw.channels)}
    else:
        options["format_whitelist"] = _DEMUXERS
    try:
        return av.open(
            source.reader(),
            "r",
            format=demuxer,
            options=options,
            metadata_errors="replace",
            io_open=_refuse_nested,
        )
    except AV_ERRORS_AND_MEMORY as e:
        raise UnreadableMediaError(f"{source.name}: {_why_unreadable(source, raw)}") from e


def _refuse_nested(url: str, flags: int, options: dict[str, str]) -> NoReturn:
    raise InputError("an input may not open further files")


def _raw_demuxer(raw: RawFormat) -> str:
    if raw.encoding not in _RAW_DEMUXERS:
        raise UsageError(f"raw format {raw.encoding!r}: use one of {', '.join(_RAW_DEMUXERS)}")
    if not (0 < raw.rate_hz and 0 < raw.channels):
        raise UsageError(f"raw format: {raw.channels} channels at {raw.rate_hz} Hz make no sense")
    return _RAW_DEMUXERS[raw.encoding]


def _raw_layout(channels: int) -> str:
    return {1: "mono", 2: "stereo"}.get(channels, f"{channels}C")


def _why_unreadable(source: Source, raw: RawFormat | None) -> str:
    if source.reader().read(12)[4:8] == b"ftyp":
        return "is an MP4 without its index (moov): the recording or the copy was cut off"
    if source.suffix in _RAW_SUFFIXES and raw is None:
        return "has no header; if it is raw sound, say which with --format and --rate"
    return "is not sound, video or a picture that can be read"


def prepare_decoder(stream: AudioStream | VideoStream, *, threaded: bool) -> None:
    """Set limits and threads of a stream's decoder before its first packet."""
    context = stream.codec_context
    context.options = {"max_pixels": str(MAX_PIXELS)}
    context.thread_count = _VIDEO_THREADS if threaded else 1
    context.thread_type = "AUTO" if threaded else "SLICE"


class Decoder:
    """Decodes chosen streams of one container in file order, stepping over damage.

    Attributes:
        n_bad_packets: packets and frames skipped because they could not be decoded.
    """

    def __init__(
        self, container: InputContainer, streams: Iterable[AudioStream | VideoStream]
    ) -> None:
        self._container = container
        self._streams = tuple(streams)
        self.n_bad_packets = 0
        chosen = {stream.index for stream in self._streams}
        for stream in container.streams:
            if stream.index not in chosen:
                stream.discard = av.stream.Discard.all

    def frames(self) -> Iterator[tuple[Packet[Any], list[DecodedFrame]]]:
        """Every packet with the frames it completed; the last packets flush and are empty."""
        for packet in self._packets():
            try:
                decoded = packet.decode()
            except AV_ERRORS:
                self.n_bad_packets += 1
                decoded = []
            yield packet, [f for f in decoded if isinstance(f, AudioFrame | VideoFrame)]

    def _packets(self) -> Iterator[Packet[Any]]:
        if not self._streams:
            return
        for _ in range(_MAX_DEMUX_ERRORS):
            try:
                yield from self._container.demux(self._streams)
                return
            except AV_ERRORS:  # the demuxer stands behind the damage now: go on from there
                self.n_bad_packets += 1
