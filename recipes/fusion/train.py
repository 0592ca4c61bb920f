"""Train both fusions on the rows of `recipes.fusion.rows`, choose by unseen identities, export.

python -m recipes.fusion.train [--shuffle-labels] [--no-export]
"""

from __future__ import annotations

import argparse
import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from avdetect.branches.base import Branch
from avdetect.calibration import Calibration
from avdetect.checkpoint import load_checkpoint, read_bundle
from avdetect.fusion.cross_attention import pack_windows
from avdetect.fusion.late import LateFusion
from avdetect.fusion.subjects import FACE, SYNC, VOICE, Subject, WindowRows
from avdetect.nn.fusion_network import FusionNetwork, pool_windows
from avdetect.types import Part
from eval.bootstrap import bootstrap_interval
from eval.metrics import auc
from recipes.calibrate import fit_calibration
from recipes.export import export_checkpoint
from recipes.fusion.late_fit import SEES, fit_patterns
from recipes.fusion.rows import RUN, Sample, load_branches, load_samples
from recipes.fusion.variants import LABELS, VARIANTS

_BRANCHES = (VOICE, FACE, SYNC)
Settings = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A sample ready for training: LLRs, packed windows and labels."""

    sample: Sample
    llrs: dict[str, float]
    packed: list[NDArray[np.float32]]
    labels: dict[str, int]


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
    widths = {name: branches[name].token_width for name in _BRANCHES}
    network = fit_network(train, held, late, widths, settings)
    figures = compare(held, network, late)
    print(json.dumps(figures, indent=2))
    (RUN / ("figures-shuffled.json" if arguments.shuffle_labels else "figures.json")).write_text(
        json.dumps(figures, indent=2)
    )
    if not arguments.no_export and not arguments.shuffle_labels:
        export(network, late, held, settings, figures, len(train))


def prepare(
    samples: Sequence[Sample], branches: dict[str, Branch], calibrations: dict[str, Calibration]
) -> list[Item]:
    """Pool and calibrate each branch, pack the windows; needs two branches to be of use."""
    widths = {name: branches[name].token_width for name in _BRANCHES}
    items = []
    for sample in samples:
        windows = [WindowRows(segment, outputs) for segment, outputs in sample.windows]
        subject = Subject(Part(channel="mono", face_track=0), {})
        llrs: dict[str, float] = {}
        for name, part in subject.parts().items():
            outputs = [o for window in windows for o in window.outputs.get(name, ())]
            pooled = branches[name].pool(part, outputs) if outputs else None
            if pooled is not None and pooled.score is not None:
                llrs[name] = calibrations[name].fake_llr(pooled.score)
        packed = pack_windows(Subject(subject.part, llrs), windows, widths, calibrations)
        if len(llrs) >= 2 and packed is not None:
            labels = dict(zip(LABELS, VARIANTS[sample.variant], strict=True))
            items.append(Item(sample=sample, llrs=llrs, packed=packed, labels=labels))
    return items


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


def compare(
    held: Sequence[Item], network: FusionNetwork, late: LateFusion
) -> dict[str, dict[str, float]]:
    """AUC on unseen identities: cross-attention, late fusion, their paired difference, branches."""
    labels = np.array([item.labels["fake"] for item in held])
    groups = np.array([item.sample.group for item in held])
    with torch.inference_mode():
        cross = _logits(network, held, late)[:, 0].numpy()
    base = np.array([late.fake_llr(item.llrs) for item in held])
    figures = {
        "cross_attention": _figure(labels, cross, groups),
        "late": _figure(labels, base, groups),
        "cross_minus_late": _paired(labels, cross, base, groups),
    }
    for name in _BRANCHES:
        has = np.array([name in item.llrs for item in held])
        scores = np.array([item.llrs.get(name, 0.0) for item in held])
        figures[name] = _figure(labels[has], scores[has], groups[has])
    for variant in VARIANTS:
        chosen = np.array([item.sample.variant in (variant, "real") for item in held])
        if variant != "real":
            figures[f"cross_attention/{variant}"] = _figure(
                labels[chosen], cross[chosen], groups[chosen]
            )
            figures[f"late/{variant}"] = _figure(labels[chosen], base[chosen], groups[chosen])
    return figures


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
        logits = _logits(network, held, late)[:, 0].numpy()
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
    found = {name: load_checkpoint(names[name]).calibration for name in _BRANCHES}
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
    return [
        Item(sample=i.sample, llrs=i.llrs, packed=i.packed, labels=items[k].labels)
        for i, k in zip(items, order, strict=True)
    ]


def _drop_modality(item: Item, chance: float, rng: np.random.Generator) -> Item:
    if len(item.llrs) < 3 or rng.random() >= chance:
        return item
    gone = _BRANCHES[int(rng.integers(len(_BRANCHES)))]
    packed = [
        np.zeros_like(array) if name == gone else array
        for name, array in zip(_BRANCHES, item.packed, strict=True)
    ]
    llrs = {name: llr for name, llr in item.llrs.items() if name != gone}
    # What nobody left can see must not be asked for.
    labels = {**item.labels, "fake": max(item.labels[SEES[name]] for name in llrs)}
    return Item(sample=item.sample, llrs=llrs, packed=packed, labels=labels)


def _logits(network: FusionNetwork, items: Sequence[Item], late: LateFusion) -> Tensor:
    """(N, 4): late fusion or branch LLR plus the residual; NaN where a modality is absent."""
    inputs = [
        torch.from_numpy(np.concatenate([item.packed[k] for item in items]))
        for k in range(len(_BRANCHES))
    ]
    outputs = network(*inputs)
    sizes = [len(item.packed[0]) for item in items]
    residual = torch.stack([pool_windows(part) for part in outputs.split(sizes)])
    base = [
        [late.fake_llr(item.llrs), *(item.llrs.get(name, float("nan")) for name in _BRANCHES)]
        for item in items
    ]
    return torch.tensor(base, dtype=torch.float32) + residual


def _loss(network: FusionNetwork, items: Sequence[Item], late: LateFusion) -> Tensor:
    logits = _logits(network, items, late)
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


def _figure(
    labels: NDArray[np.int64], scores: NDArray[np.float64], groups: NDArray[np.str_]
) -> dict[str, float]:
    low, high = bootstrap_interval(auc, labels, scores, groups)
    return {"auc": auc(labels, scores), "low": low, "high": high, "n": float(len(labels))}


def _paired(
    labels: NDArray[np.int64],
    scores: NDArray[np.float64],
    control: NDArray[np.float64],
    groups: NDArray[np.str_],
) -> dict[str, float]:
    """Difference of AUC on the same resampled identities."""
    trials = np.arange(len(labels), dtype=np.float64)

    def difference(some: NDArray[np.bool_], drawn: NDArray[np.float64]) -> float:
        rows = drawn.astype(np.int64)
        return auc(some, scores[rows]) - auc(some, control[rows])

    low, high = bootstrap_interval(difference, labels, trials, groups)
    total = auc(labels, scores) - auc(labels, control)
    return {"auc": total, "low": low, "high": high, "n": float(len(labels))}


if __name__ == "__main__":
    main()
