"""What a fusion reaches on the identities that chose its epoch, each figure with its interval."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from avdetect.fusion.late import LateFusion
from avdetect.nn.fusion_network import FusionNetwork
from eval.bootstrap import bootstrap_interval, paired_interval
from eval.metrics import auc
from recipes.fusion.items import FUSED, Item, network_logits
from recipes.fusion.variants import VARIANTS


def compare(
    held: Sequence[Item], network: FusionNetwork, late: LateFusion
) -> dict[str, dict[str, float]]:
    """AUC on development identities: cross-attention, late fusion, their difference, branches."""
    labels = np.array([item.labels["fake"] for item in held])
    groups = np.array([item.sample.group for item in held])
    with torch.inference_mode():
        cross = network_logits(network, held)[:, 0].numpy()
    base = np.array([late.fake_llr(item.llrs) for item in held])
    figures = {
        "cross_attention": figure(labels, cross, groups),
        "late": figure(labels, base, groups),
        "cross_minus_late": paired(labels, cross, base, groups),
    }
    for name in FUSED:
        has = np.array([name in item.llrs for item in held])
        scores = np.array([item.llrs.get(name, 0.0) for item in held])
        figures[name] = figure(labels[has], scores[has], groups[has])
    for variant in VARIANTS:
        chosen = np.array([item.sample.variant in (variant, "real") for item in held])
        if variant != "real":
            figures[f"cross_attention/{variant}"] = figure(
                labels[chosen], cross[chosen], groups[chosen]
            )
            figures[f"late/{variant}"] = figure(labels[chosen], base[chosen], groups[chosen])
    return figures


def figure(
    labels: NDArray[np.int64], scores: NDArray[np.float64], groups: NDArray[np.str_]
) -> dict[str, float]:
    """AUC, its interval over identities, and how many trials."""
    low, high = bootstrap_interval(auc, labels, scores, groups)
    return {"auc": auc(labels, scores), "low": low, "high": high, "n": float(len(labels))}


def paired(
    labels: NDArray[np.int64],
    scores: NDArray[np.float64],
    control: NDArray[np.float64],
    groups: NDArray[np.str_],
) -> dict[str, float]:
    """Difference of AUC on the same resampled identities."""
    low, high = paired_interval(auc, labels, control, scores, groups)
    total = auc(labels, scores) - auc(labels, control)
    return {"auc": total, "low": low, "high": high, "n": float(len(labels))}
