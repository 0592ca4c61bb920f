"""Measure a trained visual-forgery network and, if asked, export it with its figures.

python -m recipes.visual_forgery.evaluate --model NAME
python -m recipes.visual_forgery.evaluate --run first [--control shuffled] [--export NAME]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

import torch

from avdetect.branches.visual_forgery import load_networks
from avdetect.checkpoint import load_checkpoint, read_card
from avdetect.nn.face_network import FaceNetwork, build_face_network, read_face_config
from avdetect.nn.trained_state import load_trained_state
from recipes.visual_forgery.card import export, load_contrast, load_run
from recipes.visual_forgery.figures import (
    TWINS_PER_KIND,
    Figures,
    Judge,
    generated_faces,
    judge_with,
    others_clips,
    own_forgeries,
)
from recipes.visual_forgery.settings import RUNS, read_settings

_BESIDE = ("temporal", "contrast")


def measure(
    judge: Judge,
    trained_kinds: Mapping[str, float],
    every: int = 1,
    n_pairs: int = TWINS_PER_KIND,
) -> Figures:
    """All held-out figures; scores of the test clips under ``_scores`` (not for the card)."""
    own, masks = own_forgeries(judge, trained_kinds, n_pairs)
    clips, rows, scores = others_clips(judge, every)
    return {
        "own_forgeries": own,
        "masks": masks,
        "others_clips": clips,
        "generated_faces": generated_faces(judge),
        "_scores": [
            [r["file"], r["video_label"], float(s)] for r, s in zip(rows, scores, strict=True)
        ],
    }


def load_shipped(name: str) -> FaceNetwork:
    """The frame network of a committed checkpoint alone, without what stands beside it."""
    checkpoint = load_checkpoint(name)
    config = {k: v for k, v in checkpoint.card.config.items() if k not in _BESIDE}
    beside = tuple(f"{part}." for part in _BESIDE)
    state = {k: v for k, v in checkpoint.state.items() if not k.startswith(beside)}
    net = build_face_network(read_face_config(config))
    load_trained_state(net, state)
    return net.eval()


def shipped_judge(name: str) -> Judge:
    """How a committed checkpoint judges single crops; a temporal head has no part in it."""
    networks = load_networks(load_checkpoint(name))
    return judge_with(networks.frames, networks.contrast)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=Path(__file__).with_name("config.toml"))
    parser.add_argument("--run", default="first")
    parser.add_argument("--model", help="measure this committed checkpoint, not a run folder")
    parser.add_argument("--control", help="run trained with --shuffle-labels, measured before")
    parser.add_argument("--export", help="name of the folder under models/")
    parser.add_argument("--every", type=int, default=1, help="every n-th frame: a quick look")
    parser.add_argument(
        "--pairs", type=int, default=TWINS_PER_KIND, help="own forgeries of each kind"
    )
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    settings = read_settings(arguments.config)
    kinds = settings.kinds
    if arguments.model:
        judge = shipped_judge(arguments.model)
        kinds = read_card(arguments.model).facts["training"]["kinds"]  # what it was taught
    else:
        judge = judge_with(load_run(arguments.run, settings.network), load_contrast(arguments.run))
    figures = measure(judge, kinds, arguments.every, arguments.pairs)
    figures["_every"], figures["_pairs"] = arguments.every, arguments.pairs
    if not arguments.model:
        (RUNS / arguments.run / "figures.json").write_text(json.dumps(figures, indent=1), "utf-8")
    shown = {key: value for key, value in figures.items() if not key.startswith("_")}
    print(json.dumps(shown, indent=1))
    if arguments.export and not arguments.model:
        control = None
        if arguments.control:
            path = RUNS / arguments.control / "figures.json"
            control = (arguments.control, json.loads(path.read_text("utf-8")))
        print(export(arguments.export, arguments.run, settings, figures, control))


if __name__ == "__main__":
    main()
