"""What a container holds: its streams, which of them are judged, and when the clip starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from avdetect.errors import InputLimitError, UnreadableMediaError
from avdetect.media.container import MAX_PIXELS, MAX_SIDE_PX, Decoder, prepare_decoder
from avdetect.media.orientation import display_axes, is_transposed
from avdetect.types import StreamInfo

# Enough to meet the first frame of every stream of a sanely interleaved file.
_PROBE_PACKETS = 600
_PROBE_BYTES = 16 << 20

_AnyStream = TypeVar("_AnyStream", AudioStream, VideoStream)
_COVER = Disposition.attached_pic | Disposition.timed_thumbnails
_PHOTOGRAPH_BRANDS = frozenset({"avif", "heic", "heix", "mif1"})  # photographs in an MP4 container


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Facts of one container.

    Attributes:
        streams: sound and picture streams in the order of the container, cover art included.
        duration_s: as the container declares it, which may be wrong; None where it is silent.
        audio: index of the sound stream that is judged, None without sound.
        video: index of the picture stream that is judged, None without picture.
        start_s: earliest first frame of the judged streams on the container's clock, seconds.
        is_still: the picture is a single photograph.
    """

    streams: tuple[StreamInfo, ...]
    duration_s: float | None
    audio: int | None
    video: int | None
    start_s: float
    is_still: bool


def probe(container: InputContainer, name: str) -> Probe:
    """Read the facts, decoding no further than the first frame of each judged stream.

    Raises:
        UnreadableMediaError: neither sound nor picture in it.
        InputLimitError: pictures larger than `MAX_SIDE_PX` or `MAX_PIXELS`.
    """
    is_still = _is_photograph(container, name)
    audio = _preferred([s for s in container.streams.audio if _decodable(s)])
    video = _preferred([s for s in container.streams.video if _decodable(s) and not _is_cover(s)])
    if audio is None and video is None:
        raise UnreadableMediaError(f"{name}: holds no sound or picture stream that can be decoded")
    if video is not None:
        check_picture_size(video.codec_context.width, video.codec_context.height, name)
    starts, turned = _first_frames(container, [s for s in (audio, video) if s is not None])
    return Probe(
        streams=tuple(
            _stream_info(s, starts.get(s.index), turned and s is video, is_still)
            for s in container.streams
            if isinstance(s, AudioStream | VideoStream)
        ),
        duration_s=None if is_still else _seconds(container.duration, av.time_base),
        audio=None if audio is None else audio.index,
        video=None if video is None else video.index,
        start_s=min(starts.values(), default=0.0),
        is_still=is_still,
    )


def _is_photograph(container: InputContainer, name: str) -> bool:
    if container.format.name.endswith("_pipe"):
        return True
    if container.metadata.get("major_brand", "").strip() not in _PHOTOGRAPH_BRANDS:
        return False
    marks = [s.disposition for s in container.streams.video]
    tiled = any(d & Disposition.dependent for d in marks)
    if tiled or sum(bool(d & Disposition.default) for d in marks) != 1:
        # A tile would be judged as if it were the picture.
        raise UnreadableMediaError(f"{name}: is a photograph in tiles; save it as JPEG or PNG")
    return True


def check_picture_size(width: int, height: int, name: str) -> None:
    """Raise InputLimitError for a picture too large to decode in bounded memory."""
    if max(width, height) > MAX_SIDE_PX or width * height > MAX_PIXELS:
        limit = f"{MAX_SIDE_PX} px a side and {MAX_PIXELS // 1_000_000} megapixels"
        raise InputLimitError(f"{name}: pictures of {width}x{height} px are beyond {limit}")


def _decodable(stream: Stream) -> bool:
    return stream.codec_context is not None


def _is_cover(stream: Stream) -> bool:
    return bool(stream.disposition & _COVER)


def _preferred(streams: Sequence[_AnyStream]) -> _AnyStream | None:
    marked = [s for s in streams if s.disposition & Disposition.default]
    candidates = marked or streams
    return candidates[0] if candidates else None


def _seconds(count: int | None, per_second: int) -> float | None:
    return None if count is None or count < 0 else count / per_second


def _first_frames(
    container: InputContainer, streams: list[AudioStream | VideoStream]
) -> tuple[dict[int, float], bool]:
    """Start of each stream by index (declared where no frame came); is the picture on its side."""
    starts: dict[int, float] = {}
    turned, n_bytes = False, 0
    for stream in streams:
        prepare_decoder(stream, threaded=False)
    for n, (packet, frames) in enumerate(Decoder(container, streams).frames()):
        for frame in frames[:1]:
            if packet.stream.index not in starts:
                starts[packet.stream.index] = frame.time or 0.0
                turned |= isinstance(frame, VideoFrame) and is_transposed(display_axes(frame))
        n_bytes += packet.size
        if len(starts) == len(streams) or n >= _PROBE_PACKETS or n_bytes > _PROBE_BYTES:
            break
    for stream in streams:
        if stream.index not in starts and stream.start_time is not None and stream.time_base:
            starts[stream.index] = float(stream.start_time * stream.time_base)
    return starts, turned


def _stream_info(
    stream: AudioStream | VideoStream, start_s: float | None, turned: bool, is_still: bool
) -> StreamInfo:
    declared = 0.0
    if stream.start_time is not None and stream.time_base is not None:
        declared = float(stream.start_time * stream.time_base)
    duration_s = None
    if stream.duration is not None and stream.time_base is not None:
        duration_s = float(stream.duration * stream.time_base)
    codec = stream.codec_context.name if _decodable(stream) else "unknown"
    start_s = declared if start_s is None else start_s
    if isinstance(stream, AudioStream):
        known = _decodable(stream)
        return StreamInfo(
            kind="audio",
            codec=codec,
            start_s=start_s,
            duration_s=duration_s,
            rate=float(stream.codec_context.sample_rate) if known else None,
            channels=stream.codec_context.layout.nb_channels if known else None,
        )
    width, height = _size(stream)
    mean_rate = stream.average_rate or stream.guessed_rate
    still = is_still or _is_cover(stream)
    return StreamInfo(
        kind="image" if still else "video",
        codec=codec,
        start_s=start_s,
        duration_s=None if still else duration_s,
        rate=float(mean_rate) if mean_rate and not still else None,
        width=height if turned else width,
        height=width if turned else height,
    )


def _size(stream: VideoStream) -> tuple[int | None, int | None]:
    if not _decodable(stream):
        return None, None
    return stream.codec_context.width or None, stream.codec_context.height or None
