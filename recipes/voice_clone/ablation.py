"""What each part of the procedure is worth: the same few hundred steps without it.

python -m recipes.voice_clone.ablation [--steps 200]

Each variant is trained anew on small batches and measured on the development fold: on fakes of
others, and on twins by forgers that no variant met. Results go to ``ablation.csv`` beside this
file; a variant that stands there already is not trained again.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from recipes.voice_clone.development import Development, read_development
from recipes.voice_clone.settings import CONFIG, Settings, read_settings
from recipes.voice_clone.train import VoiceTrainer, training_batches

RESULTS = Path(__file__).with_name("ablation.csv")
_FIGURES = (
    "auc_fakes_clean", "auc_fakes_coded", "auc_twins_clean", "auc_twins_coded", "auc_frames",
)  # fmt: skip
_SMALL = {"n_pairs": 3, "n_partial": 2, "n_generated": 3}


def _with(**changed: Any) -> Callable[[Settings], Settings]:
    """Other settings of training."""
    return lambda settings: replace(settings, training=replace(settings.training, **changed))


def _seeing(*views: str) -> Callable[[Settings], Settings]:
    """Other front ends."""
    return lambda s: replace(s, network=s.network | {"front_end": list(views)})


VARIANTS: Mapping[str, Callable[[Settings], Settings]] = {
    "all": _with(),
    "without forging": _with(n_pairs=0, n_partial=0, n_generated=sum(_SMALL.values())),
    "without fakes of others": _with(n_pairs=6, n_generated=0),
    "without channels": _with(channel_share=0.0),
    "without pairs": _with(paired=False, rank_weight=0.0),
    "without softening": _with(softened_share=0.0),
    "spectrogram alone": _seeing("spectrogram"),
    "waveform alone": _seeing("waveform"),
}


def settings_of(variant: str, settings: Settings, n_steps: int) -> Settings:
    """The settings of one variant at the smaller budget."""
    return VARIANTS[variant](_with(**_SMALL, n_steps=n_steps)(settings))


def run_variant(settings: Settings, development: Development) -> dict[str, float]:
    """Train from the start and measure."""
    trainer = VoiceTrainer(settings)
    trainer.learn_from(training_batches(settings), settings.training.n_steps)
    return development.figures(trainer.averaged, trainer.inputs)


def read_results(path: Path) -> list[dict[str, str]]:
    """Rows of a results file; none where there is no file."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def write_results(path: Path, rows: list[dict[str, str]]) -> None:
    """Write the file whole."""
    part = path.with_suffix(".part")
    with part.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, ("variant", "steps", *_FIGURES), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    part.replace(path)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=200, help="of each variant")
    parser.add_argument("--variants", nargs="+", default=list(VARIANTS), choices=list(VARIANTS))
    given = parser.parse_args()
    torch.set_num_threads(1)
    settings, development = read_settings(CONFIG), read_development()
    for variant in given.variants:
        rows = read_results(RESULTS)
        if any(row["variant"] == variant and row["steps"] == str(given.steps) for row in rows):
            continue
        found = run_variant(settings_of(variant, settings, given.steps), development)
        row = {name: f"{found[name]:.3f}" for name in _FIGURES}
        rows.append({"variant": variant, "steps": str(given.steps), **row})
        write_results(RESULTS, rows)
        print(variant, row, flush=True)


if __name__ == "__main__":
    main()
