"""Measure a trained lip-sync network on people and generators it never saw; export it.

python -m recipes.lip_sync.evaluate --model NAME
python -m recipes.lip_sync.evaluate [--shuffle-labels] [--export]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch

from avdetect.branches.lip_sync import LipSyncBranch, build_lip_sync
from avdetect.checkpoint import load_checkpoint
from recipes.lip_sync.export import export, load_trained
from recipes.lip_sync.fakes import (
    score_dubs,
    score_fakes,
    summarise_dubs,
    summarise_fakes,
)
from recipes.lip_sync.settings import Settings, read_settings
from recipes.lip_sync.synchrony import held_out_figures, test_figures
from recipes.lip_sync.train import run_folder

Tables = dict[str, dict[str, object]]


def evaluate(branch: LipSyncBranch, settings: Settings) -> Tables:
    """All figures as nested tables for the card."""
    scored = score_fakes(branch)
    dubs = score_dubs(branch, scored)
    return {
        "synchrony_held_out": held_out_figures(branch, frozenset(settings.held_out)),
        "synchrony_test": test_figures(branch),
        "fakes_of_others": summarise_fakes(scored),
        "dubbed_test_clips": summarise_dubs(scored, dubs),
    }


def _control_figures() -> Tables:
    control = read_settings(Path(__file__).with_name("control.toml"))
    path = run_folder(control, shuffled=True) / "figures.json"
    if not path.is_file():
        raise SystemExit(
            f"{path} is not there: train and evaluate the control first, see README.md"
        )
    figures: Tables = json.loads(path.read_text("utf-8"))
    kept = figures["fakes_of_others"]
    return {
        "control_with_shuffled_labels": {
            "foreign_speech_held_out": figures["synchrony_held_out"]["foreign_speech"],
            "offset_within_one_frame_held_out": figures["synchrony_held_out"][
                "offset_within_one_frame"
            ],
            **{key: value for key, value in kept.items() if str(value).startswith("AUC")},
        }
    }


def main() -> None:
    """Read the command line, print the figures, export where asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=Path(__file__).with_name("config.toml"))
    parser.add_argument("--model", help="measure this committed checkpoint, not a run folder")
    parser.add_argument("--shuffle-labels", action="store_true")
    parser.add_argument("--export", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    settings = read_settings(options.config)
    folder = run_folder(settings, shuffled=options.shuffle_labels)
    if options.model:
        branch = build_lip_sync(load_checkpoint(options.model), torch.device("cpu"))
    else:
        branch = load_trained(settings, folder)
    tables = evaluate(branch, settings)
    for name, table in tables.items():
        print(f"\n[{name}]")
        for key, value in table.items():
            print(f"{key} = {value}")
    if options.model:
        return
    (folder / "figures.json").write_text(json.dumps(tables, indent=1), "utf-8")
    if options.export:
        export(settings, folder, {**tables, **_control_figures()})


if __name__ == "__main__":
    main()
