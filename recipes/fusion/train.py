"""Train both fusions on the rows of `recipes.fusion.rows`, choose by unseen identities, export.

python -m recipes.fusion.train [--shuffle-labels] [--no-export]
"""

from __future__ import annotations

import argparse
import json
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from avdetect.calibration import Calibration
from avdetect.checkpoint import load_checkpoint, read_bundle
from avdetect.fusion.late import LateFusion
from avdetect.nn.fusion_network import FusionNetwork
from recipes.calibrate import fit_calibration
from recipes.export import export_checkpoint
from recipes.fusion.figures import compare
from recipes.fusion.items import FUSED, Item, fused_logits, prepare
from recipes.fusion.late_fit import SEES, fit_patterns
from recipes.fusion.rows import RUN, load_branches, load_samples
from recipes.fusion.variants import LABELS

Settings = dict[str, Any]


def main() -> None:
    """Train, print what was reached on identities that trained nothing, export."""
    arguments = _arguments()
    settings: Settings = tomllib.loads((Path(__file__).parent / "config.toml").read_text("utf-8"))
    torch.manual_seed(settings["seed"])
    branches, _ = load_branches()
    calibrations = _calibrations()
    items = prepare(load_samples(), branches, calibrations)
    if arguments.shuffle_labels:
        items = _shuffled(items, np.random.default_rng(settings["seed"]))
    train, held = _split(items, settings)
    late = LateFusion(
        {
            name: tuple(vector.tolist())
            for name, vector in fit_patterns(
                [item.llrs for item in train], [item.labels for item in train]
            ).items()
        }
    )
    widths = {name: branches[name].token_width for name in FUSED}
    network = fit_network(train, held, late, widths, settings)
    figures = compare(held, network, late)
    print(json.dumps(figures, indent=2))
    (RUN / ("figures-shuffled.json" if arguments.shuffle_labels else "figures.json")).write_text(
        json.dumps(figures, indent=2)
    )
    if not arguments.no_export and not arguments.shuffle_labels:
        export(network, late, held, settings, figures, len(train))


def fit_network(
    train: Sequence[Item],
    held: Sequence[Item],
    late: LateFusion,
    widths: dict[str, int],
    settings: Settings,
) -> FusionNetwork:
    """Train the residual; the state of lowest loss on ``held`` wins, the zero one included."""
    network = FusionNetwork(
        widths, width=settings["width"], heads=settings["heads"], dropout=settings["dropout"]
    )
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=settings["learning_rate"], weight_decay=settings["weight_decay"]
    )
    rng = np.random.default_rng(settings["seed"])
    best, best_state = _loss_on(network, held, late), _copy(network)
    for epoch in range(settings["epochs"]):
        network.train()
        order = rng.permutation(len(train))
        for start in range(0, len(order), settings["batch_size"]):
            batch = [train[i] for i in order[start : start + settings["batch_size"]]]
            batch = [_drop_modality(item, settings["modality_dropout"], rng) for item in batch]
            optimizer.zero_grad()
            _loss(network, batch, late).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        loss = _loss_on(network, held, late)
        print(f"epoch {epoch + 1}: held-out loss {loss:.4f} (best {best:.4f})", flush=True)
        if loss < best:
            best, best_state = loss, _copy(network)
    network.load_state_dict(best_state)
    return network.eval()


def export(
    network: FusionNetwork,
    late: LateFusion,
    held: Sequence[Item],
    settings: Settings,
    figures: dict[str, dict[str, float]],
    n_train: int,
) -> None:
    """Write both checkpoints and name them in the card's words."""
    names = read_bundle().checkpoints
    facts = {
        "training": {
            "data": "forged variants of real talking heads: see recipes/fusion/README.md",
            "samples": n_train,
            "held_out_samples": len(held),
            "held_out_by": "identity",
        },
        "figures": {
            "command": "python -m recipes.fusion.train",
            "what": "AUC on forged variants of identities held out from the fusion's training",
            **{key.replace("/", "_"): value for key, value in figures.items()},
        },
        "limits": {
            "text": "Trained on short clips and on our own forgeries only; the branches' rows of "
            "other people's generators look different. Read the held-out figures of eval/."
        },
    }
    export_checkpoint(
        names["late"],
        role="late",
        summary="Weighted sum of calibrated branch LLRs, one vector per set of branches.",
        state={key: torch.tensor(vector) for key, vector in late.patterns.items()},
        config={},
        facts=facts,
        half=False,
    )
    with torch.inference_mode():
        logits = fused_logits(network, held, late)[:, 0].numpy()
    labels = np.array([item.labels["fake"] for item in held])
    export_checkpoint(
        names["cross_attention"],
        role="cross_attention",
        summary="Cross-attention over the branches' rows, as a correction of late fusion.",
        state=network.state_dict(),
        config={
            "token_widths": network.token_widths,
            "width": settings["width"],
            "heads": settings["heads"],
        },
        facts=facts,
        calibration=fit_calibration(logits, labels),
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shuffle-labels", action="store_true", help="control: must reach AUC 0.5")
    parser.add_argument("--no-export", action="store_true")
    return parser.parse_args()


def _calibrations() -> dict[str, Calibration]:
    names = read_bundle().checkpoints
    found = {name: load_checkpoint(names[name]).calibration for name in FUSED}
    return {name: calibration for name, calibration in found.items() if calibration is not None}


def _split(items: Sequence[Item], settings: Settings) -> tuple[list[Item], list[Item]]:
    groups = sorted({item.sample.group for item in items})
    rng = np.random.default_rng(settings["seed"])
    n_held = round(settings["validation_share"] * len(groups))
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
    gone = FUSED[int(rng.integers(len(FUSED)))]
    packed = [
        np.zeros_like(array) if name == gone else array
        for name, array in zip(FUSED, item.packed, strict=True)
    ]
    llrs = {name: llr for name, llr in item.llrs.items() if name != gone}
    # What nobody left can see must not be asked for.
    labels = {**item.labels, "fake": max(item.labels[SEES[name]] for name in llrs)}
    return replace(item, llrs=llrs, packed=packed, labels=labels)


def _loss(network: FusionNetwork, items: Sequence[Item], late: LateFusion) -> Tensor:
    logits = fused_logits(network, items, late)
    labels = torch.tensor(
        [[float(item.labels[name]) for name in LABELS] for item in items], dtype=torch.float32
    )
    known = ~logits.isnan()
    each = (
        binary_cross_entropy_with_logits(torch.nan_to_num(logits), labels, reduction="none") * known
    )
    # Three forged variants stand beside each real one: weigh both classes alike.
    share = labels[:, :1].mean().clamp(0.05, 0.95)
    weight = torch.where(labels[:, :1] > 0.5, 0.5 / share, 0.5 / (1 - share))
    per_item = each[:, 0] + 0.5 * each[:, 1:].sum(1) / known[:, 1:].sum(1)
    return (per_item * weight[:, 0]).mean()


@torch.inference_mode()
def _loss_on(network: FusionNetwork, items: Sequence[Item], late: LateFusion) -> float:
    network.eval()
    return float(_loss(network, items, late))


def _copy(network: FusionNetwork) -> dict[str, Tensor]:
    return {key: value.clone() for key, value in network.state_dict().items()}


if __name__ == "__main__":
    main()
