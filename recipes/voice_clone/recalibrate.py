"""Fit the calibration of a checkpoint anew, and write what it is worth into its card.

python -m recipes.voice_clone.recalibrate voice_clone-redrawn-demos-202611
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from avdetect.branches.voice_clone import build_voice_clone
from avdetect.checkpoint import load_checkpoint
from avdetect.checkpoint_writer import to_toml, write_calibration
from eval.protocol import read_protocol
from recipes.export import MODELS
from recipes.voice_clone.calibration import (
    FITTED_ON,
    calibration_figures,
    levelled_calibration,
    out_of_fold_scores,
)
from recipes.voice_clone.rows import PROTOCOL, measurable, shipped_split, voice_rows
from recipes.voice_clone.samples import MEASURED_THROUGH, clip_numbers
from recipes.voice_clone.settings import CONFIG, NUMBERS, read_settings

_CALIBRATION = re.compile(r"(?ms)^\[calibration\]\n.*?(?=^\[(?!calibration\.)|\Z)")


def calibration_facts(name: str, figures: Mapping[str, Any]) -> dict[str, Any]:
    """The card's table on calibration."""
    return {
        "command": f"python -m recipes.voice_clone.recalibrate {name}",
        "fitted_on": FITTED_ON,
        "channels": list(MEASURED_THROUGH),
        **figures,
    }


def with_calibration(card: str, facts: Mapping[str, Any]) -> str:
    """A card's text with its ``[calibration]`` table, and the tables below it, replaced."""
    text, n = _CALIBRATION.subn(
        lambda _: f"[calibration]\n{to_toml(facts, 'calibration.')}\n", card, count=1
    )
    if not n:
        raise ValueError("the card has no table [calibration]")
    return text.rstrip("\n") + "\n"


def recalibrate(name: str, *, config: Path, n_jobs: int) -> None:
    """Replace ``calibration.safetensors`` and the card's table on it."""
    protocol, rows = read_protocol(PROTOCOL), voice_rows()
    known = measurable(rows, protocol)
    training, test = shipped_split(known, protocol)
    settings = read_settings(config).judge
    measured = clip_numbers(known, NUMBERS, settings.vocoder, n_jobs=n_jobs)
    checkpoint = load_checkpoint(name)
    branch = build_voice_clone(checkpoint, torch.device("cpu"))
    trials = out_of_fold_scores(training, protocol, measured, settings)
    after = levelled_calibration(branch, trials)
    compared = {"cllr_bits": after}
    if checkpoint.calibration is not None:
        compared["before"] = checkpoint.calibration
    figures = calibration_figures(branch, test, measured, compared)
    for fold, channels in figures.items():
        for channel, bits in channels.items():
            before = bits.pop("before", None)
            print(f"{fold} {channel}: {bits}, Cllr before {before}", flush=True)
    write_calibration(MODELS / name, after)
    card = MODELS / name / "card.toml"
    card.write_text(
        with_calibration(card.read_text("utf-8"), calibration_facts(name, figures)), "utf-8"
    )
    print(f"{name}: {after}, before {checkpoint.calibration}")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="of a checkpoint in models/")
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--jobs", type=int, default=1, help="processes that measure clips")
    given = parser.parse_args()
    torch.set_num_threads(1)
    recalibrate(given.name, config=given.config, n_jobs=given.jobs)


if __name__ == "__main__":
    main()
