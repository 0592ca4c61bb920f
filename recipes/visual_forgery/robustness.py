"""What adversarial training is worth: the shipped network tuned for as long with and without it.

Both are tuned from the committed weights on the same twins for the same number of steps, the second
with the ``[adversarial]`` switch on, and attacked on forgeries of people never trained on.

python -m recipes.visual_forgery.robustness [--steps 40] [--pairs 20]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from avdetect.channels.picture_codecs import h264, jpeg
from avdetect.channels.picture_degrade import blur
from avdetect.checkpoint import read_bundle
from avdetect.nn.face_network import FaceNetwork
from eval.attacks.black_box import random_search, squares
from eval.attacks.gradient import Ball, fgsm, pgd
from eval.bootstrap import bootstrap_interval
from eval.metrics import accuracy, auc
from recipes.datasets.faces import load_faces, person
from recipes.forge.twins import TwinCrops, TwinSource
from recipes.visual_forgery.evaluate import load_shipped
from recipes.visual_forgery.settings import RUNS, AdversarialSettings, Settings, read_settings
from recipes.visual_forgery.train import Training, as_tensors

MODEL = read_bundle().checkpoints["visual_forgery"]
_SWITCH = AdversarialSettings(share=0.5, epsilon=2 / 255, steps=1)
_RATE = 6e-4  # the warm-up of a long training lets half of it through here
_PAIRS_PER_BATCH = 6
_PGD_STEPS, _QUERIES = 5, 60
_SEED = 2611
_AT_ONCE = 8

Picture = NDArray[np.uint8]
Attack = Callable[[Callable[[Tensor], Tensor], Tensor, Tensor], Tensor]


def attacks(chance: torch.Generator) -> dict[str, Attack]:
    """Attacks by name, each of a score, faces and directions."""
    table: dict[str, Attack] = {"none": lambda _score, faces, _towards: faces}
    for epsilon in (1, 2, 4):
        ball = Ball(epsilon=epsilon / 255)

        def by_sign(score: Any, faces: Tensor, towards: Tensor, ball: Ball = ball) -> Tensor:
            return fgsm(score, faces, towards, ball)

        table[f"fgsm {epsilon}/255"] = by_sign
    ball_2 = Ball(epsilon=2 / 255)
    table["pgd 2/255"] = lambda s, f, t: pgd(s, f, t, ball_2, _PGD_STEPS, chance)
    table[f"{_QUERIES} queries 2/255"] = _searched
    table["laundered: JPEG 50"] = _laundered(lambda picture: jpeg(picture, 50))
    table["laundered: H.264 crf 32"] = _laundered(lambda picture: h264(picture, 32))
    table["laundered: blur"] = _laundered(lambda picture: blur(picture[None], 1.0)[0])
    return table


def _searched(score: Callable[[Tensor], Tensor], faces: Tensor, towards: Tensor) -> Tensor:
    """Black box: a random search that sees nothing but the score."""
    rng = np.random.default_rng(_SEED)

    def query(values: NDArray[np.float32]) -> float:
        with torch.no_grad():
            return float(score(torch.from_numpy(values).permute(2, 0, 1)[None])[0])

    found = []
    for face, way in zip(faces.permute(0, 2, 3, 1).numpy(), towards.tolist(), strict=True):
        original = np.ascontiguousarray(face, np.float32)
        propose = squares(original, 2 / 255)
        found.append(random_search(query, original, int(way), propose, _QUERIES, rng).attacked)
    return torch.from_numpy(np.stack(found)).permute(0, 3, 1, 2)


def _laundered(step: Callable[[Picture], Picture]) -> Attack:
    """Every face through a channel; which way it is to look makes no difference."""

    def attack(_score: Any, faces: Tensor, _towards: Tensor) -> Tensor:
        pictures = np.rint(faces.permute(0, 2, 3, 1).numpy() * 255.0).astype(np.uint8)
        sent = np.stack([step(np.ascontiguousarray(picture)) for picture in pictures])
        return torch.from_numpy(sent).permute(0, 3, 1, 2).float() / 255.0

    return attack


def tune(settings: Settings, twins: Iterator[TwinCrops], n_steps: int) -> FaceNetwork:
    """The shipped network after some steps; the last weights, not their average."""
    training = Training(settings, half=False)
    training.net.load_state_dict(load_shipped(MODEL).state_dict())
    for _ in range(n_steps):
        pairs = [as_tensors(next(twins)) for _ in range(settings.training.pairs_per_batch)]
        pictures, labels, masks = (torch.stack(column) for column in zip(*pairs, strict=True))
        training.advance((pictures, labels, masks))
    return training.net.eval().requires_grad_(False)


def measure(net: FaceNetwork, twins: list[TwinCrops], people: list[str]) -> dict[str, Any]:
    """Accuracy at score 0 and AUC under each attack, with 95 % intervals by person."""

    def score(faces: Tensor) -> Tensor:
        found: Tensor = net(faces).score
        return found

    faces = torch.cat([as_tensors(pair)[0] for pair in twins]).float() / 255.0
    labels = np.tile([False, True], len(twins))
    towards = torch.tensor(np.where(labels, -1.0, 1.0), dtype=torch.float32)
    groups = [name for name in people for _ in range(2)]
    figures: dict[str, Any] = {}
    for name, attack in attacks(torch.Generator().manual_seed(_SEED)).items():
        parts = zip(torch.split(faces, _AT_ONCE), torch.split(towards, _AT_ONCE), strict=True)
        attacked = torch.cat([attack(score, f, t) for f, t in parts])
        with torch.no_grad():
            said = torch.cat([score(f) for f in torch.split(attacked, _AT_ONCE)])
        scores = said.double().numpy()

        def right(truth: Any, values: Any) -> float:
            return accuracy(truth, values, 0.0)

        figures[name] = {
            "accuracy": round(right(labels, scores), 3),
            "accuracy_95": _rounded(bootstrap_interval(right, labels, scores, groups)),
            "auc": round(auc(labels, scores), 3),
            "auc_95": _rounded(bootstrap_interval(auc, labels, scores, groups)),
        }
    return figures


def _rounded(interval: tuple[float, float]) -> list[float]:
    return [round(value, 3) for value in interval]


def _people(twins: list[TwinCrops]) -> list[str]:
    groups = {group: load_faces(group) for group in {pair.group for pair in twins}}
    found = []
    for pair in twins:
        faces = groups[pair.group]
        row = faces.rows[faces.clip[pair.index]]
        # Nobody is known in most photographs: there each is a person of its own.
        found.append(person(row) if pair.group != "photographs" else row["file"])
    return found


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=Path(__file__).with_name("config.toml"))
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--pairs", type=int, default=20)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    read = read_settings(arguments.config)
    kinds = {kind: odds for kind, odds in read.kinds.items() if kind != "redrawn"}
    training = replace(
        read.training,
        n_steps=arguments.steps,
        learning_rate=_RATE,
        pairs_per_batch=_PAIRS_PER_BATCH,
    )
    plain = replace(read, training=training, kinds=kinds, adversarial=None)
    held_out = TwinSource(kinds, held_out=True).stream(_SEED)
    twins = [next(held_out) for _ in range(arguments.pairs)]
    people = _people(twins)
    figures: dict[str, Any] = {
        "n_pairs": len(twins),
        "n_people": len(set(people)),
        "steps": arguments.steps,
        "shipped": measure(load_shipped(MODEL).requires_grad_(False), twins, people),
    }
    source = TwinSource(kinds, held_out=False)
    for name, settings in (
        ("tuned", plain),
        ("tuned_adversarially", replace(plain, adversarial=_SWITCH)),
    ):
        figures[name] = measure(
            tune(settings, source.stream(_SEED), arguments.steps), twins, people
        )
        print(json.dumps({name: figures[name]}), flush=True)
    RUNS.mkdir(parents=True, exist_ok=True)
    (RUNS / "robustness.json").write_text(json.dumps(figures, indent=1), "utf-8")
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
