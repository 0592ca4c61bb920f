"""What happens to a picture after it was made, real or forged: sampled once, applied to both twins.

Resizing, blur, noise, tone, JPEG and H.264. A channel keeps the geometry, so that mesh points
found before it still hold after it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from avdetect.channels.picture_codecs import Picture, h264, jpeg
from avdetect.channels.picture_degrade import to_bytes

__all__ = [
    "Picture",
    "PictureChannel",
    "apply_channel",
    "draw_channel",
    "draw_light_channel",
    "h264",
    "jpeg",
    "resize",
    "sharpen",
    "to_bytes",
]

_INTERPOLATIONS = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC)


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureChannel:
    """Settings of one channel; the neutral default changes nothing.

    Attributes:
        gain, bias, gamma: tone; per colour for ``gain``.
        sharpen: share of an unsharp mask added.
        shrink: factor the picture is made smaller by, and enlarged back at the end.
        interpolation: OpenCV flag used both ways.
        blur_px: standard deviation of a Gaussian blur.
        noise: standard deviation of sensor noise, 8-bit steps.
        noise_seed: the same grains for both twins.
        jpeg_quality: 1..100, None for no JPEG.
        h264_crf: constant rate factor, None for no H.264.
        h264_predicted: judge a predicted frame rather than a key frame.
    """

    gain: tuple[float, float, float] = (1.0, 1.0, 1.0)
    bias: float = 0.0
    gamma: float = 1.0
    sharpen: float = 0.0
    shrink: float = 1.0
    interpolation: int = cv2.INTER_LINEAR
    blur_px: float = 0.0
    noise: float = 0.0
    noise_seed: int = 0
    jpeg_quality: int | None = None
    h264_crf: int | None = None
    h264_predicted: bool = False


def draw_channel(rng: np.random.Generator) -> PictureChannel:
    """A channel by chance: between untouched and a small, twice compressed video."""
    codec = rng.random()
    gain = rng.uniform(0.75, 1.25) * rng.uniform(0.95, 1.05, 3)
    return PictureChannel(
        gain=(float(gain[0]), float(gain[1]), float(gain[2])),
        bias=rng.uniform(-15.0, 15.0),
        gamma=rng.uniform(0.8, 1.25),
        sharpen=rng.uniform(0.0, 1.0) if rng.random() < 0.2 else 0.0,
        shrink=rng.uniform(0.4, 1.0) if rng.random() < 0.45 else 1.0,
        interpolation=int(rng.choice(_INTERPOLATIONS)),
        blur_px=rng.uniform(0.3, 2.2) if rng.random() < 0.3 else 0.0,
        noise=rng.uniform(0.5, 4.0) if rng.random() < 0.2 else 0.0,
        noise_seed=int(rng.integers(2**31)),
        jpeg_quality=int(rng.integers(40, 96)) if codec < 0.35 or codec > 0.9 else None,
        h264_crf=int(rng.integers(18, 35)) if codec > 0.35 and codec < 0.95 else None,
        h264_predicted=bool(rng.random() < 0.5),
    )


def draw_light_channel(rng: np.random.Generator) -> PictureChannel:
    """A channel that costs little by chance: none, a good JPEG, or the H.264 of a good video."""
    codec = rng.random()
    return PictureChannel(
        jpeg_quality=int(rng.integers(85, 98)) if codec < 0.3 else None,
        h264_crf=int(rng.integers(14, 23)) if codec > 0.5 else None,
        h264_predicted=bool(rng.random() < 0.5),
    )


def apply_channel(
    channel: PictureChannel, picture: Picture, after: Picture | None = None
) -> Picture:
    """A picture through the channel; the same input gives the same output.

    Args:
        channel: what happens to it.
        picture: (H, W, 3) uint8 RGB.
        after: (H, W, 3) uint8, an earlier moment of the same video, from which H.264 predicts
            where the channel says so.

    Returns:
        (H, W, 3) uint8.
    """
    height, width = picture.shape[:2]
    picture = _filmed(channel, picture, channel.noise_seed)
    if channel.h264_crf is not None:
        if after is not None:  # grains do not stand still
            after = _filmed(channel, after, channel.noise_seed + 1)
        picture = h264(picture, channel.h264_crf, predicted=channel.h264_predicted, after=after)
    return resize(picture, (width, height), channel.interpolation)


def _filmed(channel: PictureChannel, picture: Picture, noise_seed: int) -> Picture:
    """All that comes before the video codec, in the size that is coded."""
    height, width = picture.shape[:2]
    picture = _tone(channel, picture)
    if channel.shrink < 1.0:
        small = (max(32, int(width * channel.shrink)), max(32, int(height * channel.shrink)))
        picture = resize(picture, small, channel.interpolation)
    if channel.blur_px > 0.0:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), channel.blur_px), np.uint8)
    if channel.noise > 0.0:
        grains = np.random.default_rng(noise_seed).standard_normal(picture.shape, np.float32)
        picture = to_bytes(picture + channel.noise * grains)
    if channel.jpeg_quality is not None:
        picture = jpeg(picture, channel.jpeg_quality)
    return picture


def _tone(channel: PictureChannel, picture: Picture) -> Picture:
    steps = np.arange(256, dtype=np.float32)[:, None] / 255.0
    curve = steps**channel.gamma * np.array(channel.gain, np.float32) * 255.0 + channel.bias
    picture = np.asarray(cv2.LUT(picture, to_bytes(curve)[None]), np.uint8)
    if channel.sharpen > 0.0:
        picture = sharpen(picture, channel.sharpen)
    return picture


def sharpen(picture: Picture, share: float) -> Picture:
    """Add a share of an unsharp mask."""
    smooth = cv2.GaussianBlur(picture, (0, 0), 1.5)
    return np.asarray(cv2.addWeighted(picture, 1.0 + share, smooth, -share, 0.0), np.uint8)


def resize(picture: Picture, size: tuple[int, int], interpolation: int) -> Picture:
    """(H, W, 3) to a size of (width, height) by an interpolation of OpenCV."""
    if size == (picture.shape[1], picture.shape[0]):
        return picture
    return np.asarray(cv2.resize(picture, size, interpolation=interpolation), np.uint8)
