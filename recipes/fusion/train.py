"""Train cross-attention on the rows of `recipes.fusion.rows`, choose by unseen identities, export.

python -m recipes.fusion.train [--shuffle-labels] [--no-export]
"""

from __future__ import annotations

import argparse
import json
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from avdetect.calibration import Calibration
from avdetect.checkpoint import read_bundle
from avdetect.fusion.late import LateFusion
from avdetect.nn.fusion_network import FusionNetwork
from recipes.export import export_checkpoint
from recipes.fusion.figures import compare
from recipes.fusion.items import FUSED, Item, network_logits, prepare, present
from recipes.fusion.late_fit import SEES, fit_patterns
from recipes.fusion.rows import RUN, branch_calibrations, load_branches, load_samples
from recipes.fusion.variants import LABELS

Settings = dict[str, Any]


def main() -> None:
    """Train, print what was reached on the identities that chose the epoch, export."""
    arguments = _arguments()
    settings: Settings = tomllib.loads((Path(__file__).parent / "config.toml").read_text("utf-8"))
    torch.manual_seed(settings["seed"])
    branches, _ = load_branches()
    items = prepare(load_samples(), branches, branch_calibrations())
    if arguments.shuffle_labels:
        items = _shuffled(items, np.random.default_rng(settings["seed"]))
    train, held = split_groups(items, settings["validation_share"], settings["seed"])
    late = fit_late(train)
    widths = {name: branches[name].token_width for name in FUSED}
    network = fit_network(train, held, widths, settings)
    figures = compare(held, network, late)
    print(json.dumps(figures, indent=2))
    (RUN / ("figures-shuffled.json" if arguments.shuffle_labels else "figures.json")).write_text(
        json.dumps(figures, indent=2)
    )
    if not arguments.no_export and not arguments.shuffle_labels:
        export(network, settings, figures, len(train), len(held))


def fit_late(items: Sequence[Item]) -> LateFusion:
    """Late fusion by logistic regression on the same samples."""
    patterns = fit_patterns([item.llrs for item in items], [item.labels for item in items])
    return LateFusion({name: tuple(vector.tolist()) for name, vector in patterns.items()})


def fit_network(
    train: Sequence[Item],
    held: Sequence[Item],
    widths: dict[str, int],
    settings: Settings,
    *,
    alter: Callable[[FusionNetwork], None] | None = None,
) -> FusionNetwork:
    """Train; the state of lowest loss on ``held`` wins, the one that says nothing included.

    ``alter`` may change the untrained network in place: an ablation takes parts out of it.
    """
    network = FusionNetwork(
        widths, width=settings["width"], heads=settings["heads"], dropout=settings["dropout"]
    )
    if alter is not None:
        alter(network)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=settings["learning_rate"], weight_decay=settings["weight_decay"]
    )
    rng = np.random.default_rng(settings["seed"])
    best, best_state = _loss_on(network, held), _copy(network)
    for epoch in range(settings["epochs"]):
        network.train()
        order = rng.permutation(len(train))
        for start in range(0, len(order), settings["batch_size"]):
            batch = [train[i] for i in order[start : start + settings["batch_size"]]]
            batch = [_drop_modality(item, settings["modality_dropout"], rng) for item in batch]
            optimizer.zero_grad()
            _loss(network, batch).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        loss = _loss_on(network, held)
        print(f"epoch {epoch + 1}: held-out loss {loss:.4f} (best {best:.4f})", flush=True)
        if loss < best:
            best, best_state = loss, _copy(network)
    network.load_state_dict(best_state)
    return network.eval()


def export(
    network: FusionNetwork,
    settings: Settings,
    figures: dict[str, dict[str, float]],
    n_train: int,
    n_held: int,
) -> None:
    """Write the network; `recipes.fusion.calibrate` then fits late fusion and what this adds."""
    names = read_bundle().checkpoints
    facts = {
        "training": {
            "data": "forged variants of real talking heads: see recipes/fusion/README.md",
            "samples": n_train,
            "held_out_samples": n_held,
            "held_out_by": "identity",
        },
        "figures": {
            "command": "python -m recipes.fusion.train",
            "what": "AUC on forged variants of identities that the fusion did not learn from, but "
            "by whose loss the epoch was chosen: development figures. Late is a logistic "
            "regression tuned on the samples learned from",
            **{key.replace("/", "_"): value for key, value in figures.items()},
        },
        "limits": {
            "text": "Trained on short clips and on our own forgeries only; the branches' rows of "
            "other people's generators look different. Read the held-out figures of eval/."
        },
    }
    export_checkpoint(
        names["cross_attention"],
        role="cross_attention",
        summary="Cross-attention over the branches' rows, added to the sum of their LLRs.",
        state=network.state_dict(),
        config={
            "token_widths": network.token_widths,
            "width": settings["width"],
            "heads": settings["heads"],
        },
        facts=facts,
        calibration=Calibration(scale=1.0, offset=0.0, limit=5.0),
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shuffle-labels", action="store_true", help="control: must reach AUC 0.5")
    parser.add_argument("--no-export", action="store_true")
    return parser.parse_args()


def split_groups(items: Sequence[Item], share: float, seed: int) -> tuple[list[Item], list[Item]]:
    """Cut by identity: what is learned from, and a share of the identities held out."""
    groups = sorted({item.sample.group for item in items})
    rng = np.random.default_rng(seed)
    n_held = round(share * len(groups))
    held = set(rng.permutation(groups)[:n_held].tolist())
    return (
        [item for item in items if item.sample.group not in held],
        [item for item in items if item.sample.group in held],
    )


def _shuffled(items: Sequence[Item], rng: np.random.Generator) -> list[Item]:
    order = rng.permutation(len(items))
    return [replace(item, labels=items[k].labels) for item, k in zip(items, order, strict=True)]


def _drop_modality(item: Item, chance: float, rng: np.random.Generator) -> Item:
    if len(item.llrs) < 3 or rng.random() >= chance:
        return item
    return without(item, FUSED[int(rng.integers(len(FUSED)))])


def without(item: Item, gone: str) -> Item:
    """The item as if one branch had not judged it; labels that nobody left can see go too."""
    packed = [
        np.zeros_like(array) if name == gone else array
        for name, array in zip(FUSED, item.packed, strict=True)
    ]
    llrs = {name: llr for name, llr in item.llrs.items() if name != gone}
    labels = {**item.labels, "fake": max(item.labels[SEES[name]] for name in llrs)}
    return replace(item, llrs=llrs, packed=packed, labels=labels)


def _loss(network: FusionNetwork, items: Sequence[Item]) -> Tensor:
    logits = network_logits(network, items)
    labels = torch.tensor(
        [[float(item.labels[name]) for name in LABELS] for item in items], dtype=torch.float32
    )
    each = binary_cross_entropy_with_logits(logits, labels, reduction="none")
    known = present(items)
    # Three forged variants stand beside each real one: weigh both classes alike.
    share = labels[:, 0].mean().clamp(0.05, 0.95)
    weight = torch.where(labels[:, 0] > 0.5, 0.5 / share, 0.5 / (1 - share))
    modal = (each[:, 1:] * known).sum(1) / known.sum(1)
    return ((each[:, 0] + 0.5 * modal) * weight).mean()


@torch.inference_mode()
def _loss_on(network: FusionNetwork, items: Sequence[Item]) -> float:
    network.eval()
    return float(_loss(network, items))


def _copy(network: FusionNetwork) -> dict[str, Tensor]:
    return {key: value.clone() for key, value in network.state_dict().items()}


if __name__ == "__main__":
    main()
