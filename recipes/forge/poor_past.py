"""What a real picture may have been through before anybody forged it: small, coded hard, smoothed.

A network that meets only good pictures takes what a poor recording looks like for forgery. Given to
the picture before it is forged, such a past is in the real twin and in the fake alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from avdetect.channels.picture_codecs import Picture, PictureCodec, through_picture_codec
from recipes.forge.picture_channel import h264, jpeg, resize, sharpen

_INTERPOLATIONS = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)
_OLD_ENCODERS = ("mpeg4", "flv", "mpeg2video")
_LEAST_PX = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class PoorPast:
    """Settings of one past; the neutral default changes nothing.

    Attributes:
        smooth: spread in 8-bit steps of a bilateral filter, as cameras denoise and phones beautify.
        shrink: factor the picture is made smaller by, and enlarged back at the end.
        interpolation: OpenCV flag of the enlargement.
        encoder: FFmpeg's name of a codec of old web video, None for none.
        quantiser: of that codec, 1..31.
        h264_crf, jpeg_quality: instead of it, None for none.
        sharpen: share of an unsharp mask added after enlarging.
    """

    smooth: float = 0.0
    shrink: float = 1.0
    interpolation: int = cv2.INTER_LINEAR
    encoder: str | None = None
    quantiser: int = 2
    h264_crf: int | None = None
    jpeg_quality: int | None = None
    sharpen: float = 0.0


def draw_past(rng: np.random.Generator) -> PoorPast:
    """A past by chance: at least a hard codec, and mostly a small picture."""
    codec = rng.random()
    return PoorPast(
        smooth=rng.uniform(8.0, 40.0) if rng.random() < 0.35 else 0.0,
        shrink=rng.uniform(0.35, 0.95) if rng.random() < 0.7 else 1.0,
        interpolation=int(rng.choice(_INTERPOLATIONS)),
        encoder=str(rng.choice(_OLD_ENCODERS)) if codec < 0.35 else None,
        quantiser=int(rng.integers(3, 14)),
        h264_crf=int(rng.integers(26, 39)) if 0.35 <= codec < 0.8 else None,
        jpeg_quality=int(rng.integers(20, 75)) if codec >= 0.8 else None,
        sharpen=rng.uniform(0.2, 1.2) if rng.random() < 0.3 else 0.0,
    )


def apply_past(past: PoorPast, picture: Picture, after: Picture | None = None) -> Picture:
    """(H, W, 3) uint8 RGB with its past, same size; the same input gives the same output.

    H.264 predicts it from ``after``, an earlier moment of the same video, where that is given.
    """
    height, width = picture.shape[:2]
    picture = _filmed(past, picture)
    if past.encoder is not None:
        picture = old_video(picture, past.encoder, past.quantiser)
    if past.h264_crf is not None:
        after = None if after is None else _filmed(past, after)
        picture = h264(picture, past.h264_crf, predicted=True, after=after)
    if past.jpeg_quality is not None:
        picture = jpeg(picture, past.jpeg_quality)
    picture = resize(picture, (width, height), past.interpolation)
    return sharpen(picture, past.sharpen) if past.sharpen > 0.0 else picture


def _filmed(past: PoorPast, picture: Picture) -> Picture:
    """All that comes before the codec, in the size that is coded."""
    height, width = picture.shape[:2]
    if past.smooth > 0.0:
        picture = np.asarray(cv2.bilateralFilter(picture, 7, past.smooth, 4.0), np.uint8)
    if past.shrink < 1.0:
        small = (
            max(_LEAST_PX, int(width * past.shrink)),
            max(_LEAST_PX, int(height * past.shrink)),
        )
        picture = resize(picture, small, cv2.INTER_AREA)
    return picture


def old_video(picture: Picture, encoder: str, quantiser: int) -> Picture:
    """One picture through a codec of old web video, as a frame predicted from itself.

    Args:
        picture: (H, W, 3) uint8 RGB.
        encoder: FFmpeg's name: ``mpeg4``, ``flv`` or ``mpeg2video``.
        quantiser: of every block, 1..31.
    """
    step = str(quantiser)
    codec = PictureCodec(encoder=encoder, decoder=encoder, options=(("qmin", step), ("qmax", step)))
    return np.ascontiguousarray(through_picture_codec(np.stack([picture, picture]), codec)[-1])
