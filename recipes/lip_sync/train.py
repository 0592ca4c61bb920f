"""Train the lip-sync branch and export it.

    python -m recipes.lip_sync.train --config recipes/lip_sync/config.toml

``--shuffle-labels`` trains the control: mouths with other clips' speech, then shuffled labels.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2
import torch

from recipes.lip_sync.head_stage import train_head
from recipes.lip_sync.progress import Job
from recipes.lip_sync.settings import Settings, read_settings
from recipes.lip_sync.streams import crop_px
from recipes.lip_sync.sync_stage import SyncStage, train_sync
from recipes.lip_sync.windows import talking_clips, training_rows

RUNS = Path(__file__).resolve().parents[2] / "runs" / "lip_sync"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The command line."""

    config: Path
    shuffle_labels: bool
    resume: bool


def run_folder(settings: Settings, *, shuffled: bool) -> Path:
    """Where a training keeps its state: ``sync.pt``, ``head.pt``."""
    return RUNS / (settings.name + ("-shuffled" if shuffled else ""))


def train(options: Options) -> None:
    """Both stages, one after the other; each stage's state is written as it goes."""
    settings = read_settings(options.config)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    rows, held_rows = training_rows(frozenset(settings.held_out))
    side_px = crop_px(settings)
    clips, held_out = talking_clips(rows, side_px), talking_clips(held_rows, side_px)
    minutes = sum(len(clip.mouths) for clip in clips) / 25 / 60
    print(f"{len(clips)} clips, {minutes:.1f} min; {len(held_out)} held out", flush=True)
    folder = run_folder(settings, shuffled=options.shuffle_labels)
    folder.mkdir(parents=True, exist_ok=True)
    job = Job(
        clips=clips,
        held_out=held_out,
        settings=settings,
        folder=folder,
        shuffled=options.shuffle_labels,
        resume=options.resume,
    )
    stage = train_sync(job)
    head = train_head(stage, job)
    torch.save(trained_state(stage, head), folder / "network.pt")


def trained_state(stage: SyncStage, head: torch.nn.Module) -> dict[str, torch.Tensor]:
    """The tensors a checkpoint holds: ``encoder.*`` and ``head.*``."""
    return {
        **{f"encoder.{key}": value for key, value in stage.encoder.state_dict().items()},
        **{f"head.{key}": value for key, value in head.state_dict().items()},
    }


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=Path(__file__).with_name("config.toml"))
    parser.add_argument("--shuffle-labels", action="store_true")
    parser.add_argument("--resume", action="store_true")
    train(Options(**vars(parser.parse_args())))


if __name__ == "__main__":
    main()
