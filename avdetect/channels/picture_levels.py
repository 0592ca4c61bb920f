"""Rungs of the robustness grid for pictures, and for the offset between picture and sound.

Targets hold for field levels: CRF up to 32 in H.264, 360p and more, JPEG 50 and more. Offsets are
field up to 80 ms: ITU-R BT.1359 accepts sound up to 90 ms early and 185 ms late.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import numpy as np

from avdetect.channels import picture_degrade as degrade
from avdetect.channels.levels import Level, PictureStep, Severity
from avdetect.channels.picture_codecs import (
    PictureCodec,
    Pictures,
    h264_codec,
    jpeg,
    through_picture_codec,
    vp9_codec,
)

Step = Callable[[Pictures], Pictures]


def _level(name: str, family: str, severity: Severity, *steps: Step) -> Level:
    return Level(name=name, family=family, severity=severity, picture=_chain(*steps))


def _chain(*steps: Step) -> PictureStep:
    def degraded(pictures: Pictures, rng: np.random.Generator) -> Pictures:
        for step in steps:
            pictures = step(pictures)
        return pictures

    return degraded


def _random(
    name: str, family: str, severity: Severity, step: Callable[..., Pictures], *settings: float
) -> Level:
    def degraded(pictures: Pictures, rng: np.random.Generator) -> Pictures:
        return step(pictures, *settings, rng)

    return Level(name=name, family=family, severity=severity, picture=degraded)


def _coded(codec: PictureCodec) -> Step:
    return partial(through_picture_codec, codec=codec)


def _jpeg(quality: int) -> Step:
    return lambda pictures: np.stack([jpeg(picture, quality) for picture in pictures])


def _resized(side_px: int, *inner: Step) -> Step:
    def resized(pictures: Pictures) -> Pictures:
        def within(small: Pictures) -> Pictures:
            for step in inner:
                small = step(small)
            return small

        return degrade.at_short_side(pictures, side_px, within)

    return resized


def _field_if(is_field: bool) -> Severity:
    return "field" if is_field else "stress"


def _codec_levels() -> Iterable[Level]:
    for crf in (18, 23, 28, 32, 36, 40, 45):
        yield _level(f"h264_crf_{crf}", "h264", _field_if(crf <= 32), _coded(h264_codec(crf)))
    for crf in (31, 37, 50, 63):
        yield _level(f"vp9_crf_{crf}", "vp9", _field_if(crf <= 37), _coded(vp9_codec(crf)))
    for quality in (90, 75, 50, 30):
        yield _level(f"jpeg_{quality}", "jpeg", _field_if(quality >= 50), _jpeg(quality))
    twice = (_coded(h264_codec(23)), _coded(h264_codec(28)))
    yield _level("h264_crf_23_then_28", "reencode", "field", *twice)
    mixed = (_coded(vp9_codec(37)), _coded(h264_codec(32)))
    yield _level("vp9_crf_37_then_h264_crf_32", "reencode", "field", *mixed)


def _camera_levels() -> Iterable[Level]:
    for side_px in (720, 480, 360, 240, 144):
        severity = _field_if(side_px >= 360)
        yield _level(f"resize_{side_px}p", "resize", severity, _resized(side_px))
    for sigma_px in (0.7, 1.5, 3.0):
        step = partial(degrade.blur, sigma_px=sigma_px)
        yield _level(f"blur_{sigma_px:g}px", "blur", _field_if(sigma_px <= 1.5), step)
    for steps in (3, 6, 12, 25):
        severity = _field_if(steps <= 6)
        yield _random(
            f"sensor_noise_{steps}", "sensor_noise", severity, degrade.sensor_noise, steps
        )
    for gamma in (0.7, 1.4, 2.2):
        step = partial(degrade.tone, gamma=gamma)
        yield _level(f"gamma_{gamma:g}", "tone", _field_if(gamma < 2), step)
    for bias in (-30, 30):
        word = "darker" if bias < 0 else "brighter"
        yield _level(f"{word}_{abs(bias)}", "tone", "field", partial(degrade.tone, bias=bias))
    for contrast in (0.5, 0.75, 1.3):
        step = partial(degrade.tone, contrast=contrast)
        yield _level(f"contrast_{contrast:g}", "tone", _field_if(contrast > 0.5), step)


def _line_levels() -> Iterable[Level]:
    for percent, burst in ((5, 2), (10, 3), (30, 5)):
        severity = _field_if(percent <= 10)
        settings = (percent / 100, burst)
        yield _random(f"frame_drop_{percent}pc", "frames", severity, degrade.drop_frames, *settings)
    yield _level("half_frame_rate", "frames", "field", degrade.halve_frame_rate)


def _edit_levels() -> Iterable[Level]:
    for percent in (90, 75):
        step = partial(degrade.crop, share=percent / 100)
        yield _level(f"crop_{percent}pc", "edit", "field", step)
    yield _level("mirrored", "edit", "field", degrade.mirror)
    yield _level("logo", "edit", "field", degrade.overlay_logo)
    yield _level("caption_bar", "edit", "field", degrade.caption_bar)


def _offset_levels() -> Iterable[Level]:
    for ms in (40, 80, 200, 500):
        for side, sign in (("early", -1), ("late", 1)):
            yield Level(
                name=f"sound_{side}_{ms}ms",
                family="av_offset",
                severity=_field_if(ms <= 80),
                sound_delay_s=sign * ms / 1000,
            )


def _laundering_levels() -> Iterable[Level]:
    uploaded = _resized(360, _coded(h264_codec(28)), _coded(h264_codec(30)))
    yield _level("social_network_picture", "laundering", "field", uploaded)
    screen = (
        partial(degrade.blur, sigma_px=0.8),
        partial(degrade.tone, gamma=1.2),
        _coded(h264_codec(28)),
    )
    yield _level("screen_recorded_picture", "laundering", "field", _resized(480, *screen))


PICTURE_LEVELS: dict[str, Level] = {
    level.name: level
    for levels in (
        _codec_levels,
        _camera_levels,
        _line_levels,
        _edit_levels,
        _offset_levels,
        _laundering_levels,
    )
    for level in levels()
}
