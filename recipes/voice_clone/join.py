"""Fit the linear judge on the training folds and set it beside a trained network.

python -m recipes.voice_clone.join --run first
python -m recipes.voice_clone.join --run first --model NAME   # beside a shipped model's network
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from avdetect.branches.voice_front_ends import build_voice_net
from avdetect.checkpoint import load_checkpoint
from avdetect.nn.redrawing_judge import RedrawingJudge
from avdetect.nn.trained_state import load_trained_state
from eval.protocol import read_protocol
from recipes.voice_clone.calibration import level, out_of_fold_scores
from recipes.voice_clone.judge import fit
from recipes.voice_clone.rows import (
    PROTOCOL,
    measurable,
    shipped_split,
    voice_rows,
)
from recipes.voice_clone.samples import clip_numbers
from recipes.voice_clone.settings import CONFIG, NUMBERS, RUNS, read_settings

_SEED = 0  # of labels dealt anew
_JUDGE = "linear_judge."


def join(run: Path, head: RedrawingJudge, saved: Mapping[str, Any]) -> None:
    """Write ``joined.pt``: a network with the judge beside it.

    Args:
        run: folder to write to.
        head: the judge.
        saved: ``network``, the table that builds it, and ``state``; a judge in them is replaced.
    """
    network = {**saved["network"], "linear_judge": head.table()}
    state = saved["state"] | {f"{_JUDGE}{k}": v for k, v in head.state_dict().items()}
    load_trained_state(build_voice_net(network), state)  # whole, or not written
    run.mkdir(parents=True, exist_ok=True)
    torch.save({"state": state, "network": network}, run / "joined.pt")


def shipped_network(name: str) -> dict[str, Any]:
    """Table and state of a shipped model, for a judge of its own beside the same network."""
    shipped = load_checkpoint(name)
    return {"network": shipped.card.config, "state": dict(shipped.state)}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--run", default="first", help="name of the folder below runs/voice_clone")
    parser.add_argument("--which", default="best", choices=("best", "final"), help="network's file")
    parser.add_argument("--model", help="shipped model whose network to take instead of the run's")
    parser.add_argument("--jobs", type=int, default=1, help="processes that measure clips")
    parser.add_argument("--shuffle-labels", action="store_true", help="the control: stays at 0.5")
    given = parser.parse_args()
    torch.set_num_threads(1)
    settings = read_settings(given.config)
    protocol = read_protocol(PROTOCOL)
    # Development clips have done their part once the settings stand: they may teach this judge.
    training, _ = shipped_split(measurable(voice_rows(), protocol), protocol)
    measured = clip_numbers(training, NUMBERS, settings.judge.vocoder, n_jobs=given.jobs)
    head = fit(training, measured, settings.judge, shuffled=_SEED if given.shuffle_labels else None)
    if not given.shuffle_labels:
        level(head, out_of_fold_scores(training, protocol, measured, settings.judge))
    run = RUNS / given.run
    saved = (
        shipped_network(given.model)
        if given.model
        else torch.load(run / f"{given.which}.pt", weights_only=True)
    )
    join(run, head, saved)
    print(f"learned from {len(training)} clips")


if __name__ == "__main__":
    main()
