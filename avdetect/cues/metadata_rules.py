"""Rules that hold what a file says of its making against itself and against how it was coded.

Each rule is one sentence and a strength from 0 to 1: how seldom it fires on files that nobody
changed. None proves anything: tags can be written, lost, and made by a messenger on the way.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from avdetect.cues.base import ClipFacts
from avdetect.cues.jpeg_tables import exact_quality
from avdetect.types import StreamInfo

_GENERATORS = (
    *("stable diffusion", "stable-diffusion", "midjourney", "dall-e", "dall·e", "comfyui"),
    *("automatic1111", "invokeai", "adobe firefly", "novelai", "runway", "pika labs", "openai"),
    *("sora", "heygen", "synthesia", "d-id", "wav2lip", "sadtalker", "deepfacelab", "facefusion"),
    *("faceswap", "roop", "deepfacelive", "reface", "avatarify", "elevenlabs", "kling", "veo"),
)
_EDITORS = (
    *("photoshop", "lightroom", "gimp", "affinity", "pixelmator", "snapseed", "picsart", "canva"),
    *("paint.net", "faceapp", "facetune", "meitu", "luminar", "imagemagick", "after effects"),
    *("premiere", "davinci", "final cut", "capcut", "imovie", "kdenlive", "shotcut", "audacity"),
    *("vegas", "avidemux", "filmora", "audition", "inshot"),
)
_RECODERS = ("lavf", "lavc", "libx264", "x264", "handbrake", "ffmpeg", "moviepy", "mencoder")
_CAMERA_TAGS = (
    *("make", "model", "com.apple.quicktime.make", "com.apple.quicktime.model"),
    *("com.android.version", "com.android.manufacturer", "com.android.model"),
)
_SOFTWARE_TAGS = (
    *("encoder", "software", "writing_application", "encoded_by", "tool", "comment"),
    *("com.apple.quicktime.software", "handler_name", "encoding_tool", "parameters"),
)
_CREATED_TAGS = ("creation_time", "date", "datetime", "com.apple.quicktime.creationdate")
_FIRST_CAMERA_YEAR = 1995  # digital cameras write nothing earlier; clocks never set say 1904, 1970
_RECORDER_RATES_HZ = (44100.0, 48000.0, 8000.0)  # what phones and cameras record at
_MOST_START_GAP_S = 0.15
_MOST_END_GAP_S = 0.5


class Kind(StrEnum):
    """What a rule speaks of: one feature of the cue each."""

    GENERATOR = "generator"
    EDITOR = "editor"
    CONTRADICTION = "contradiction"
    CLOCK = "clock"
    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row of the table of rules.

    Attributes:
        name: stable, lower case.
        kind: which feature it counts for.
        strength: 0 to 1.
        found: what the file does, in words that follow "the file", or None.
    """

    name: str
    kind: Kind
    strength: float
    found: Callable[[ClipFacts], str | None]


def _said(clip: ClipFacts) -> dict[str, str]:
    """Every claim of a file, EXIF before container tags."""
    camera = clip.origin.jpeg.camera if clip.origin.jpeg else {}
    return {**clip.origin.tags, **camera}


def _named(clip: ClipFacts, names: tuple[str, ...]) -> str | None:
    """The first name that a claim of software holds as a word, and the claim's key, in words."""
    for key, value in _said(clip).items():
        if key not in _SOFTWARE_TAGS:
            continue
        for name in names:
            # Encoders append their version to their name: Lavf60, Photoshop24.
            if re.search(rf"(?<![a-z]){re.escape(name)}(?![a-z])", value.lower()):
                return f"names {name} in its tag {key}"
    return None


def _camera(clip: ClipFacts) -> str | None:
    said = _said(clip)
    return next((said[tag] for tag in _CAMERA_TAGS if said.get(tag)), None)


def _generator(clip: ClipFacts) -> str | None:
    return _named(clip, _GENERATORS)


def _editor(clip: ClipFacts) -> str | None:
    return _named(clip, _EDITORS)


def _camera_recoded(clip: ClipFacts) -> str | None:
    if (recoder := _named(clip, _RECODERS)) and _camera(clip):
        return f"claims a camera, yet {recoder}"
    return None


def _recoded(clip: ClipFacts) -> str | None:
    return None if _camera(clip) else _named(clip, _RECODERS)


def _camera_library_tables(clip: ClipFacts) -> str | None:
    jpeg = clip.origin.jpeg
    if jpeg is None or not jpeg.tables or not _camera(clip):
        return None
    quality = exact_quality(jpeg.tables[0])
    if quality is None:
        return None
    return f"claims a camera, yet has the tables of the common library at quality {quality}"


def _camera_progressive(clip: ClipFacts) -> str | None:
    jpeg = clip.origin.jpeg
    if jpeg is None or not jpeg.is_progressive or not _camera(clip):
        return None
    return "claims a camera, yet is coded progressively, as web tools do"


def _camera_odd_rate(clip: ClipFacts) -> str | None:
    rates = [s.rate for s in clip.streams if s.kind == "audio" and s.rate]
    if not rates or not _camera(clip) or rates[0] in _RECORDER_RATES_HZ:
        return None
    return f"claims a camera, yet its sound has {rates[0]:.0f} Hz"


def _photograph_without_camera(clip: ClipFacts) -> str | None:
    jpeg = clip.origin.jpeg
    return "names no camera" if jpeg is not None and not _camera(clip) else None


def _clock_unset(clip: ClipFacts) -> str | None:
    said = _said(clip)
    for tag in _CREATED_TAGS:
        year = re.match(r"\s*(\d{4})\b", said.get(tag, ""))
        if year and int(year[1]) < _FIRST_CAMERA_YEAR:
            return f"says it was made in {year[1]}, before there were such files"
    return None


def _sound_and_picture(clip: ClipFacts) -> tuple[StreamInfo, StreamInfo] | None:
    sound = next((s for s in clip.streams if s.kind == "audio"), None)
    picture = next((s for s in clip.streams if s.kind == "video"), None)
    return (sound, picture) if sound and picture else None


def _starts_apart(clip: ClipFacts) -> str | None:
    if (pair := _sound_and_picture(clip)) is None:
        return None
    gap_s = pair[0].start_s - pair[1].start_s
    if abs(gap_s) <= _MOST_START_GAP_S:
        return None
    return f"has sound that starts {_apart(gap_s)} the picture"


def _ends_apart(clip: ClipFacts) -> str | None:
    if (pair := _sound_and_picture(clip)) is None:
        return None
    sound, picture = pair
    if sound.duration_s is None or picture.duration_s is None:
        return None
    gap_s = sound.start_s + sound.duration_s - picture.start_s - picture.duration_s
    if abs(gap_s) <= _MOST_END_GAP_S:
        return None
    return f"has sound that ends {_apart(gap_s)} the picture"


def _apart(gap_s: float) -> str:
    return f"{abs(gap_s):.2f} s {'after' if gap_s > 0 else 'before'}"


RULES: tuple[Rule, ...] = (
    Rule(name="generator_named", kind=Kind.GENERATOR, strength=1.0, found=_generator),
    Rule(name="editor_named", kind=Kind.EDITOR, strength=0.6, found=_editor),
    Rule(name="recoded", kind=Kind.EDITOR, strength=0.2, found=_recoded),
    Rule(name="camera_recoded", kind=Kind.CONTRADICTION, strength=0.8, found=_camera_recoded),
    Rule(
        name="camera_with_library_tables",
        kind=Kind.CONTRADICTION,
        strength=0.4,  # several makers of telephones use the library, too
        found=_camera_library_tables,
    ),
    Rule(
        name="camera_progressive", kind=Kind.CONTRADICTION, strength=0.7, found=_camera_progressive
    ),
    Rule(
        name="camera_with_odd_sound", kind=Kind.CONTRADICTION, strength=0.6, found=_camera_odd_rate
    ),
    Rule(name="clock_unset", kind=Kind.CLOCK, strength=0.2, found=_clock_unset),
    Rule(name="starts_apart", kind=Kind.CLOCK, strength=0.4, found=_starts_apart),
    Rule(name="ends_apart", kind=Kind.CLOCK, strength=0.4, found=_ends_apart),
    Rule(name="no_camera", kind=Kind.MISSING, strength=0.1, found=_photograph_without_camera),
)
