"""What each part of the fusion is worth: cross-attention, sync tokens, modality dropout.

python -m recipes.fusion.ablation

Every variant is trained anew on the same identities, its epoch chosen on others, and measured on
yet others, with every branch and with each branch gone. Needs the rows of `recipes.fusion.rows`.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from avdetect.fusion.subjects import SYNC
from avdetect.nn.fusion_network import N_FEATURES, FusionNetwork
from recipes.fusion.figures import figure, paired
from recipes.fusion.items import FUSED, Item, network_logits, prepare
from recipes.fusion.rows import RUN, branch_calibrations, load_branches, load_samples
from recipes.fusion.train import Settings, fit_late, fit_network, split_groups, without

Figures = dict[str, dict[str, float]]
Scores = NDArray[np.float64]


class KeepRows(nn.Module):
    """In place of an attention: every branch's rows stay as they are, blind to the others."""

    def forward(self, queries: Tensor, keys: Tensor, present: Tensor) -> Tensor:
        """The queries; (B, Q, W)."""
        return queries


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One way to fuse.

    Attributes:
        cross: branches' rows attend to each other.
        sync_tokens: the tokens of mouth and speech are read, not the branch's score alone.
        modality_dropout: overrides the config's where given.
    """

    cross: bool = True
    sync_tokens: bool = True
    modality_dropout: float | None = None


VARIANTS = {
    "whole": Variant(),
    "no_cross_attention": Variant(cross=False),
    "no_sync_tokens": Variant(sync_tokens=False),
    "no_modality_dropout": Variant(modality_dropout=0.0),
}


def train_variant(
    variant: Variant, learn: Sequence[Item], choose: Sequence[Item], settings: Settings
) -> Callable[[Sequence[Item]], Scores]:
    """Train one variant; returns what scores items by it."""
    torch.manual_seed(settings["seed"])
    settings = dict(settings)
    if variant.modality_dropout is not None:
        settings["modality_dropout"] = variant.modality_dropout
    view = (lambda items: items) if variant.sync_tokens else _without_sync_tokens
    learn, choose = view(learn), view(choose)
    widths = {name: learn[0].packed[k].shape[-1] - N_FEATURES for k, name in enumerate(FUSED)}
    network = fit_network(learn, choose, widths, settings, alter=None if variant.cross else blind)

    def score(items: Sequence[Item]) -> Scores:
        with torch.inference_mode():
            return np.asarray(network_logits(network, view(items))[:, 0].double().numpy())

    return score


def blind(network: FusionNetwork) -> None:
    """Take cross-attention between branches out of a network; the verdict still reads all rows."""
    for name in network.token_widths:
        network.cross[name] = KeepRows()


def late_scores(learn: Sequence[Item]) -> Callable[[Sequence[Item]], Scores]:
    """Late fusion by logistic regression on the same samples."""
    late = fit_late(learn)
    return lambda items: np.array([late.fake_llr(item.llrs) for item in items])


def ablation(items: Sequence[Item], settings: Settings) -> dict[str, Figures]:
    """AUC of every variant with all branches and with each gone, and what it is off the whole.

    Returns:
        variant -> test -> ``auc``, ``low``, ``high``, ``n``; for all but ``whole`` the paired
        differences to it under ``<test>, less whole``.
    """
    learn, choose, measure = _three_ways(items, settings)
    tests = {"all branches": list(measure), **{f"no {n}": _gone(measure, n) for n in FUSED}}
    scorers = {name: train_variant(v, learn, choose, settings) for name, v in VARIANTS.items()}
    scorers["late"] = late_scores(learn)
    said = {name: {t: score(some) for t, some in tests.items()} for name, score in scorers.items()}
    figures: dict[str, Figures] = {}
    for name, scores in said.items():
        figures[name] = {}
        for test, some in tests.items():
            labels = np.array([item.labels["fake"] for item in some])
            groups = np.array([item.sample.group for item in some])
            figures[name][test] = figure(labels, scores[test], groups)
            if name != "whole":
                less = paired(labels, scores[test], said["whole"][test], groups)
                figures[name][f"{test}, less whole"] = less
    return figures


def _three_ways(
    items: Sequence[Item], settings: Settings
) -> tuple[list[Item], list[Item], list[Item]]:
    """To learn from, to choose the epoch by, to measure on: disjoint in identity."""
    rest, measure = split_groups(items, settings["validation_share"], settings["seed"])
    learn, choose = split_groups(rest, settings["validation_share"], settings["seed"] + 1)
    return learn, choose, measure


def _gone(items: Sequence[Item], name: str) -> list[Item]:
    """Items with one branch gone; fakes that nobody left can see are no test and are left out."""
    kept = []
    for item in items:
        if set(item.llrs) - {name}:
            bare = without(item, name)
            if bare.labels["fake"] == item.labels["fake"]:
                kept.append(bare)
    return kept


def _without_sync_tokens(items: Sequence[Item]) -> list[Item]:
    bare = []
    for item in items:
        packed = list(item.packed)
        rows = packed[FUSED.index(SYNC)].copy()
        rows[..., :-N_FEATURES] = 0.0  # score, weight, time and presence stay
        packed[FUSED.index(SYNC)] = rows
        bare.append(replace(item, packed=packed))
    return bare


def main() -> None:
    """Command line."""
    settings: Settings = tomllib.loads((Path(__file__).parent / "config.toml").read_text("utf-8"))
    branches, _ = load_branches()
    items = prepare(load_samples(), branches, branch_calibrations())
    figures = ablation(items, settings)
    (RUN / "ablation.json").write_text(json.dumps(figures, indent=1), "utf-8")
    for name, tests in figures.items():
        print(f"\n{name}")
        for test, f in tests.items():
            interval = f"[{f['low']:+.3f}, {f['high']:+.3f}]"
            print(f"    {test:34s} {f['auc']:+.3f} {interval}  n {f['n']:.0f}")


if __name__ == "__main__":
    main()
