"""Compose a 720p conversation of square face clips: two side by side, then a cut to a third."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from moviepy import (
    AudioFileClip,
    ColorClip,
    CompositeVideoClip,
    VideoFileClip,
    concatenate_videoclips,
)

SIZE_PX = (1280, 720)
_FRAME_RATE_HZ = 25
_FACE_PX = 560
_LEFT_PX, _RIGHT_PX, _TOP_PX = 40, 680, 80
_LONGEST_SHOT_S = 6.0
_WALL = (58, 66, 78)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Who is seen and heard.

    Attributes:
        talker: picture and sound of the left face, who is heard before the cut.
        listener: picture of the right face, who is seen beside the talker and not heard.
        after_cut: picture and sound of the face after the cut.
    """

    talker: tuple[Path, Path]
    listener: Path
    after_cut: tuple[Path, Path]


def compose_scene(scene: Scene, target: Path) -> float:
    """Write the scene as H.264 with AAC, 1280x720 at 25 frames a second.

    Returns:
        Second of the cut.
    """
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        talker = stack.enter_context(_picture(scene.talker[0], _FACE_PX))
        listener = stack.enter_context(_picture(scene.listener, _FACE_PX))
        last = stack.enter_context(_picture(scene.after_cut[0], SIZE_PX[1]))
        heard = stack.enter_context(AudioFileClip(str(scene.talker[1])))
        heard_last = stack.enter_context(AudioFileClip(str(scene.after_cut[1])))
        cut_s = _whole_frames(talker.duration, listener.duration, heard.duration)
        last_s = _whole_frames(last.duration, heard_last.duration)
        together = CompositeVideoClip(
            [
                ColorClip(SIZE_PX, color=_WALL, duration=cut_s),
                talker.with_position((_LEFT_PX, _TOP_PX)),
                listener.with_position((_RIGHT_PX, _TOP_PX)),
            ],
            size=SIZE_PX,
        ).with_duration(cut_s)
        alone = CompositeVideoClip(
            [
                ColorClip(SIZE_PX, color=_WALL, duration=last_s),
                last.with_position("center"),
            ],
            size=SIZE_PX,
        ).with_duration(last_s)
        whole = concatenate_videoclips(
            [
                together.with_audio(heard.subclipped(0, cut_s)),
                alone.with_audio(heard_last.subclipped(0, last_s)),
            ]
        )
        whole.write_videofile(
            str(target),
            fps=_FRAME_RATE_HZ,
            codec="libx264",
            preset="veryfast",
            audio_codec="aac",
            audio_fps=48_000,
            temp_audiofile_path=folder,
            logger=None,
        )
    return cut_s


def _picture(path: Path, side_px: int) -> VideoFileClip:
    """A square clip scaled as it is decoded, which is much faster than frame by frame."""
    return VideoFileClip(str(path), audio=False, target_resolution=(side_px, side_px))


def _whole_frames(*durations_s: float) -> float:
    return int(min(*durations_s, _LONGEST_SHOT_S) * _FRAME_RATE_HZ) / _FRAME_RATE_HZ
