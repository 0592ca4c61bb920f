"""Which clips are held out, what is true of each, and as which file a user would hand it over."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from avdetect.errors import UsageError
from eval.mux import mux
from eval.shared_data import shared_path
from eval.splits import video_split
from eval.voice_split import FOLDER, modern_rows, voice_split

HeldoutSet = Literal["voice-pool", "voice-modern", "video"]
SETS: tuple[HeldoutSet, ...] = get_args(HeldoutSet)

_VOICE_TRUTH = {"bonafide": "real", "spoof": "fake"}
_SOUND_TRUTH = {"real": "real", "cloned": "fake", "unknown": "", "none": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldoutClip:
    """One held-out clip and what is true of it.

    Attributes:
        id: the ``file`` column of its table, unique within a set.
        label: ``real`` or ``fake``; fake if anything in it is.
        audio_label, video_label: the same of its sound and its picture, empty where unknown or
            where there is none.
        group: speaker or identity; its source where unknown. The unit that is resampled.
        generator, kind, source: of the fake, of the forgery, of the file.
        files: one media file, or a silent video and its sound, which belong together.
    """

    id: str
    label: str
    audio_label: str
    video_label: str
    group: str
    generator: str
    kind: str
    source: str
    files: tuple[Path, ...]


def heldout_clips(name: str, *, limit: int | None = None) -> list[HeldoutClip]:
    """The clips of a held-out set, in the order of its table.

    Args:
        name: one of `SETS`.
        limit: keep this many, spread evenly over the table; None keeps all.

    Raises:
        UsageError: no such set.
        DataNotFoundError: the data folder is not there.
    """
    if name == "voice-pool":
        clips = [_voice_clip(row) for row in voice_split().held_out]
    elif name == "voice-modern":
        clips = [_voice_clip(row) for row in modern_rows()]
    elif name == "video":
        clips = [_video_clip(row) for row in video_split()[1]]
    else:
        raise UsageError(f"no held-out set {name!r}; there are: {', '.join(SETS)}")
    if limit is None or limit >= len(clips):
        return clips
    return [clips[index * len(clips) // limit] for index in range(limit)]


@contextmanager
def as_files(clips: Sequence[HeldoutClip]) -> Iterator[dict[str, HeldoutClip]]:
    """Path -> clip, one file each as a user would have it; muxed files go when this ends."""
    with tempfile.TemporaryDirectory(prefix="heldout-") as folder:
        files: dict[str, HeldoutClip] = {}
        for number, clip in enumerate(clips):
            if len(clip.files) == 1:
                path = clip.files[0]
            else:
                # Numbered, so that a name cannot tell the label.
                path = mux(clip.files[0], clip.files[1], Path(folder) / f"{number}.mkv")
            files[str(path)] = clip
        yield files


def _voice_clip(row: dict[str, str]) -> HeldoutClip:
    truth = _VOICE_TRUTH[row["label"]]
    return HeldoutClip(
        id=row["file"],
        label=truth,
        audio_label=truth,
        video_label="",
        group=row["speaker"] or row["source_repo"],
        generator=row["generator"] if truth == "fake" else "",
        kind=row["family"] if truth == "fake" else "",
        source=row["source_repo"],
        files=(shared_path(f"{FOLDER}/{row['file']}"),),
    )


def _video_clip(row: dict[str, str]) -> HeldoutClip:
    files = [row["file"], row["audio_file"]] if row["has_audio"] == "yes" else [row["file"]]
    return HeldoutClip(
        id=row["file"],
        label=row["label"],
        audio_label=_SOUND_TRUTH[row["audio_label"]],
        video_label=row["video_label"],
        group=row["identity"] or row["source_repo"],
        generator=row["generator"],
        kind=row["fake_kind"],
        source=row["source_repo"],
        files=tuple(shared_path(f"data/video/{file}") for file in files),
    )
