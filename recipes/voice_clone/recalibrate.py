"""Fit the calibration of a checkpoint anew, and write what it is worth into its card.

python -m recipes.voice_clone.recalibrate voice_clone-redrawn-demos-202611
python -m recipes.voice_clone.recalibrate NAME --unseen training      # an imported network

A network without a linear judge is calibrated on clips it has not learned from: all training folds
if it comes from elsewhere, the development fold if this recipe trained it.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from avdetect.branches.voice_clone import build_voice_clone
from avdetect.calibration import Calibration
from avdetect.checkpoint import load_checkpoint, models_dir
from avdetect.checkpoint_writer import to_toml, write_calibration
from eval.manifest.row import ManifestRow
from eval.metrics import cllr, min_cllr
from eval.protocol import read_protocol
from recipes.calibrate import UNKNOWN_FAKES, fit_calibration
from recipes.voice_clone.calibration import (
    FITTED_ON,
    calibration_figures,
    levelled_calibration,
    out_of_fold_scores,
)
from recipes.voice_clone.evaluate import score_rows
from recipes.voice_clone.rows import (
    PROTOCOL,
    development_split,
    measurable,
    shipped_split,
    voice_rows,
)
from recipes.voice_clone.samples import MEASURED_THROUGH, clip_numbers
from recipes.voice_clone.settings import CONFIG, NUMBERS, read_settings

_CHANNELS = ("clean", "ulaw", "amr_7.4", "opus_24")  # as recorded, telephone and internet
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
    """Replace the calibration of a model with a linear judge, and the card's table on it."""
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
    _write(name, after, calibration_facts(name, figures))
    print(f"{name}: {after}, before {checkpoint.calibration}")


def calibrate_network(
    name: str, rows: Sequence[ManifestRow], channels: Sequence[str], unseen: str
) -> None:
    """Calibrate a network alone, on clips it has not learned from, through channels.

    Args:
        name: of a checkpoint in the models folder.
        rows: the clips.
        channels: of `MEASURED_THROUGH`; all count alike.
        unseen: what `unseen_rows` calls them, for the card.
    """
    branch = build_voice_clone(load_checkpoint(name), torch.device("cpu"))
    heard = [score_rows(branch, rows, channel) for channel in channels]
    scores, labels = [s for t in heard for s in t.scores], [k for t in heard for k in t.labels]
    clips = [row.id for t in heard for row in t.rows]
    fitted = fit_calibration(scores, labels, clips, unknown=UNKNOWN_FAKES)
    llrs = [fitted.fake_llr(score) for score in scores]
    facts = {
        "command": f"python -m recipes.voice_clone.recalibrate {name} --unseen {unseen}",
        "fitted_on": f"{len(rows)} clips of data/audio that it has not learned from",
        "channels": list(channels),
        "fitted": {
            "cllr_bits": round(cllr(labels, llrs), 3),
            "min_cllr_bits": round(min_cllr(labels, scores), 3),
        },
    }
    _write(name, fitted, facts)
    print(f"{name}: {fitted}, on these clips {facts['fitted']}")


def unseen_rows(which: str, config: Path) -> list[ManifestRow]:
    """Clips of ``training`` (all training folds) or of the ``development`` fold alone."""
    protocol, rows = read_protocol(PROTOCOL), voice_rows()
    if which == "training":
        return shipped_split(measurable(rows, protocol), protocol)[0]
    return development_split(rows, protocol, read_settings(config).development_fold)[1]


def _write(name: str, calibration: Calibration, facts: Mapping[str, Any]) -> None:
    folder = models_dir() / name  # where it was read from
    card = folder / "card.toml"
    text = card.read_text("utf-8")
    if not _CALIBRATION.search(text):
        text = f"{text.rstrip()}\n\n[calibration]\n"
    write_calibration(folder, calibration)
    card.write_text(with_calibration(text, facts), "utf-8")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="of a checkpoint in models/, or in $AVDETECT_MODELS")
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--jobs", type=int, default=1, help="processes that measure clips")
    parser.add_argument(
        "--unseen",
        choices=("training", "development"),
        help="for a network without a linear judge: clips it has not learned from",
    )
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.unseen is None:
        recalibrate(given.name, config=given.config, n_jobs=given.jobs)
    else:
        calibrate_network(
            given.name, unseen_rows(given.unseen, given.config), _CHANNELS, given.unseen
        )


if __name__ == "__main__":
    main()
