"""What more minutes of real talking faces are worth: the sync streams trained on shares of them.

python -m recipes.lip_sync.learning_curve [--shares 0.25 0.5 1.0] [--epochs 20]

Each share is of whole people, the smaller within the larger, and trains for as many steps as the
whole would in ``--epochs``, so that minutes differ and nothing else. People held out are those of
``config.toml``. A share that is finished is not trained again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch

from avdetect.timebase import FRAME_RATE_HZ
from eval.bootstrap import bootstrap_interval
from eval.metrics import auc
from recipes.lip_sync.progress import Job
from recipes.lip_sync.settings import Settings, read_settings
from recipes.lip_sync.streams import crop_px
from recipes.lip_sync.sync_stage import SyncStage, foreign_trials, offset_errors, train_sync
from recipes.lip_sync.synchrony import share as share_with_interval
from recipes.lip_sync.train import RUNS
from recipes.lip_sync.windows import TalkingClip, talking_clips, training_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One point of the curve.

    Attributes:
        share: of the people's minutes that was asked for.
        minutes, n_clips, n_people: what that came to.
        within_one: share of offsets within one frame, with its interval over people.
        foreign_auc: AUC of foreign speech, with its interval.
    """

    share: float
    minutes: float
    n_clips: int
    n_people: int
    within_one: str
    foreign_auc: str


def people_of_share(clips: Sequence[TalkingClip], share: float, seed: int) -> list[TalkingClip]:
    """Clips of people drawn in a fixed order until they hold a share of all minutes.

    Args:
        clips: of everybody.
        share: in (0, 1].
        seed: of the order; the same seed puts smaller shares within larger ones.
    """
    people = sorted({clip.identity for clip in clips})
    order = np.random.default_rng(seed).permutation(people).tolist()
    wanted = share * sum(len(clip.mouths) for clip in clips)
    chosen: set[str] = set()
    frames = 0
    for person in order:
        if frames >= wanted - 1e-6:
            break
        chosen.add(person)
        frames += sum(len(clip.mouths) for clip in clips if clip.identity == person)
    return [clip for clip in clips if clip.identity in chosen]


def measure(stage: SyncStage, held_out: Sequence[TalkingClip]) -> tuple[str, str]:
    """Offsets within one frame and foreign speech on 1.2 s of people never trained on."""
    people = [clip.identity for clip in held_out]
    errors = offset_errors(stage, held_out)
    within = share_with_interval(
        np.abs(errors).ravel() <= 1, [p for p in people for _ in range(errors.shape[1])]
    )
    labels, scores = foreign_trials(stage, held_out)
    low, high = bootstrap_interval(auc, labels, scores, [*people, *people])
    return within, f"{auc(labels, scores):.3f} [{low:.3f}, {high:.3f}]"


def train_share(
    share: float,
    epochs: int,
    settings: Settings,
    clips: list[TalkingClip],
    held_out: list[TalkingClip],
) -> Point:
    """Train on a share, as long as the whole would for ``epochs``, and measure."""
    some = people_of_share(clips, share, settings.seed)
    frames = sum(len(clip.mouths) for clip in some)
    rounds = round(epochs * sum(len(clip.mouths) for clip in clips) / frames)
    folder = RUNS / f"learning_curve-{share:g}"
    folder.mkdir(parents=True, exist_ok=True)
    job = Job(
        clips=some,
        held_out=held_out,
        settings=replace(settings, sync_epochs=rounds),
        folder=folder,
        shuffled=False,
        resume=True,
    )
    within, foreign = measure(train_sync(job).eval(), held_out)
    return Point(
        share=share,
        minutes=round(frames / FRAME_RATE_HZ / 60, 1),
        n_clips=len(some),
        n_people=len({clip.identity for clip in some}),
        within_one=within,
        foreign_auc=foreign,
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=Path(__file__).with_name("config.toml"))
    parser.add_argument("--shares", type=float, nargs="+", default=[0.25, 0.5, 1.0])
    parser.add_argument("--epochs", type=int, default=20, help="of the whole; fixes the steps")
    given = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    settings = read_settings(given.config)
    rows, held_rows = training_rows(frozenset(settings.held_out))
    side_px = crop_px(settings)
    clips, held_out = talking_clips(rows, side_px), talking_clips(held_rows, side_px)
    points = [train_share(s, given.epochs, settings, clips, held_out) for s in given.shares]
    path = RUNS / "learning_curve.json"
    path.write_text(json.dumps([asdict(point) for point in points], indent=1), "utf-8")
    for point in points:
        print(
            f"{point.minutes:5.1f} min  {point.n_people:3d} people  {point.n_clips:4d} clips   "
            f"within one frame {point.within_one}   foreign AUC {point.foreign_auc}"
        )


if __name__ == "__main__":
    main()
