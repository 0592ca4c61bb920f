"""Windows for learning synchrony: 1.2 s of mouth with the sound around it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from avdetect.branches.sync_windows import sound_around, unbroken_runs
from avdetect.faces.lips import lip_points
from avdetect.nn.sync_encoder import NET_CROP_PX, WINDOW_FRAMES, shrink_mouths
from avdetect.timebase import SAMPLES_PER_FRAME
from eval.shared_data import read_rows
from eval.splits import Row, video_split
from recipes.datasets.talking_heads import TalkingHeadClip, load_clip


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkingClip:
    """One unbroken stretch of a talking head, small enough to keep hundreds in memory.

    Attributes:
        file: path below ``data/video``.
        identity, source: grouping keys; an unknown identity is its source.
        mouths: (T, P, P) float32 in [0, 1]; P is what the streams read, 48 or 96.
        lips: (T, 40, 2) float32, see `lip_points`.
        audio: (S,) float32 at 16 kHz, sample 0 with frame 0; may be longer or shorter than T.
        lead: frames of sound that ``audio`` holds before frame 0.
    """

    file: str
    identity: str
    source: str
    mouths: NDArray[np.float32]
    lips: NDArray[np.float32]
    audio: NDArray[np.float32]
    lead: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One window before batching.

    Attributes:
        mouths: (30, P, P) float32, see `TalkingClip`.
        lips: (30, 40, 2) float32.
        sound: (38400,) float32: 0.6 s before to 0.6 s after the mouths, zero beyond the edges.
        heard: (60,) bool, where a frame of sound exists.
    """

    mouths: NDArray[np.float32]
    lips: NDArray[np.float32]
    sound: NDArray[np.float32]
    heard: NDArray[np.bool_]


def training_rows(held_out: frozenset[str]) -> tuple[list[Row], list[Row]]:
    """Real rows in synchrony as (train, held out); the held out are identities of ``sync.csv``.

    Development rows without sound or with a note (lag, little speech) are left out.
    """
    sync = read_rows("data/video/sync.csv")
    development = [row for row in video_split()[0] if row["has_audio"] == "yes" and not row["note"]]
    train = [row for row in sync if row["identity"] not in held_out]
    return train + development, [row for row in sync if row["identity"] in held_out]


def talking_clips(rows: list[Row], crop_px: int = NET_CROP_PX) -> list[TalkingClip]:
    """Load rows and cut each to its longest unbroken stretch of at least 1.2 s."""
    clips = []
    for row in rows:
        clip = load_clip(row["file"])
        runs = unbroken_runs(clip.frame_index)
        start, stop = max(runs, key=lambda run: run[1] - run[0], default=(0, 0))
        if stop - start >= WINDOW_FRAMES and len(clip.audio):
            clips.append(_cut(clip, row, slice(start, stop), crop_px))
    return clips


def cut_window(clip: TalkingClip, start: int) -> Window:
    """The window whose mouths begin at frame ``start`` of the clip."""
    stop = start + WINDOW_FRAMES
    sound, heard = sound_around(clip.audio, (clip.lead + start) * SAMPLES_PER_FRAME)
    return Window(
        mouths=clip.mouths[start:stop], lips=clip.lips[start:stop], sound=sound, heard=heard
    )


def stack_windows(windows: list[Window]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Mouths (B, 30, P, P), lips (B, 30, 40, 2), sound (B, 38400) and heard (B, 60) bool."""
    return (
        torch.from_numpy(np.stack([w.mouths for w in windows])),
        torch.from_numpy(np.stack([w.lips for w in windows])),
        torch.from_numpy(np.stack([w.sound for w in windows])),
        torch.from_numpy(np.stack([w.heard for w in windows])),
    )


def _cut(clip: TalkingHeadClip, row: Row, kept: slice, crop_px: int) -> TalkingClip:
    return TalkingClip(
        file=row["file"],
        identity=row["identity"] or row["source_repo"],
        source=row["source_repo"],
        mouths=shrink_mouths(torch.from_numpy(clip.mouths[kept]), crop_px).numpy(),
        lips=lip_points(clip.landmarks[kept]),
        audio=clip.audio,
        lead=int(clip.frame_index[kept.start]),
    )
