"""Real picture codecs, encoded and decoded in memory: H.264 and VP9 by FFmpeg, JPEG by OpenCV."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import av
import cv2
import numpy as np
from av.codec.context import CodecContext
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from avdetect.timebase import FRAME_RATE_HZ

Picture = NDArray[np.uint8]
Pictures = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureCodec:
    """One video codec at one setting, 8 bits and 4:2:0 as users' files are.

    Attributes:
        encoder, decoder: FFmpeg names.
        options: private options of the encoder.
    """

    encoder: str
    decoder: str
    options: tuple[tuple[str, str], ...]


def h264_codec(crf: int) -> PictureCodec:
    """H.264 by x264 at a constant rate factor, with predicted frames in both directions."""
    # Without its macroblock tree: on small pictures that reads memory nobody wrote, and the same
    # pictures are coded now one way, now another.
    options = (("crf", str(crf)), ("preset", "veryfast"), ("mbtree", "0"))
    return PictureCodec(encoder="libx264", decoder="h264", options=options)


def vp9_codec(crf: int) -> PictureCodec:
    """VP9 by libvpx in constant quality mode; its CRF is 0..63, and 31 usual at 1080p."""
    options = (("crf", str(crf)), ("b", "0"), ("deadline", "good"), ("cpu-used", "5"))
    return PictureCodec(encoder="libvpx-vp9", decoder="vp9", options=options)


def through_picture_codec(pictures: Pictures, codec: PictureCodec) -> Pictures:
    """Encode and decode successive pictures as one group that begins with a key frame.

    Args:
        pictures: (T, H, W, 3) uint8 RGB; odd sizes are padded by their edge for the codec.
        codec: which, and how.

    Returns:
        (T, H, W, 3) uint8, picture for picture.
    """
    if not len(pictures):
        return pictures
    height, width = pictures.shape[1:3]
    encoder = cast(VideoCodecContext, CodecContext.create(codec.encoder, "w"))
    encoder.width, encoder.height = width + width % 2, height + height % 2
    encoder.pix_fmt, encoder.time_base = "yuv420p", Fraction(1, FRAME_RATE_HZ)
    # One thread: how work is cut among threads shows in the coded picture.
    encoder.thread_count = 1
    encoder.options = dict(codec.options)
    decoder = cast(VideoCodecContext, CodecContext.create(codec.decoder, "r"))
    decoder.thread_count = 1
    shown = []
    for index, picture in enumerate(pictures):
        even = np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), "edge")
        frame = av.VideoFrame.from_ndarray(even, format="rgb24")
        frame.pts = index
        for packet in encoder.encode(frame):
            shown += decoder.decode(packet)
    for packet in encoder.encode(None):
        shown += decoder.decode(packet)
    shown += decoder.decode(None)
    decoded = np.empty_like(pictures)
    for picture, frame in zip(decoded, shown, strict=True):
        picture[:] = frame.to_ndarray(format="rgb24")[:height, :width]
    return decoded


def h264(
    picture: Picture, crf: int, *, predicted: bool = False, after: Picture | None = None
) -> Picture:
    """One picture through H.264, as a key frame or as one predicted from an earlier picture.

    Args:
        picture: (H, W, 3) uint8 RGB; the last line of an odd side is left as it is.
        crf: constant rate factor.
        predicted: from ``after``.
        after: (H, W, 3) uint8, what was shown before; None takes the picture itself, shifted.

    Returns:
        (H, W, 3) uint8.
    """
    height, width = picture.shape[:2]
    even = picture[: height // 2 * 2, : width // 2 * 2]
    frames = even[None]
    if predicted:
        earlier = np.roll(even, 1, axis=1) if after is None else after[: len(even), : even.shape[1]]
        frames = np.stack([earlier, even])
    codec = h264_codec(crf)
    codec = PictureCodec(
        encoder=codec.encoder,
        decoder=codec.decoder,
        options=(*codec.options, ("tune", "zerolatency")),
    )
    coded = picture.copy()
    coded[: even.shape[0], : even.shape[1]] = through_picture_codec(frames, codec)[-1]
    return coded


def jpeg(picture: Picture, quality: int) -> Picture:
    """(H, W, 3) uint8 RGB through JPEG at a quality of 1..100."""
    blob = cv2.imencode(".jpg", picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    decoded = np.asarray(cv2.imdecode(blob, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(decoded[:, :, ::-1])
