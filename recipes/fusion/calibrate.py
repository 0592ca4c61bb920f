"""Fit how much cross-attention may add, on clips of other people's generators.

    python -m recipes.fusion.calibrate

With the plain sum of branch LLRs as a fixed offset, the log-odds of fake are that sum plus
``scale * score + offset``; scale is never negative. Printed cross-fitted by source: each clip under
the fit of the other sources. The fit that ships is on all of them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from scipy.optimize import minimize

from avdetect.branches.base import Branch
from avdetect.calibration import Calibration
from avdetect.checkpoint import load_checkpoint, read_bundle
from avdetect.nn.fusion_network import FusionNetwork
from eval.bootstrap import bootstrap_interval
from eval.metrics import auc, cllr
from eval.splits import Row, video_split
from recipes.datasets.talking_heads import load_clip
from recipes.export import write_calibration
from recipes.fusion.items import FUSED, Item, network_logits, prepare
from recipes.fusion.rows import RUN, Sample, branch_calibrations, group_of, load_branches
from recipes.fusion.variants import observations

_RIDGE = 1e-3
Vector = NDArray[np.float64]


def main() -> None:
    """Run branches and network over the test clips, fit, print, write."""
    name = read_bundle().checkpoints["cross_attention"]
    branches, _ = load_branches()
    rows = {row["file"]: row for row in video_split()[1] if row["has_audio"] == "yes"}
    items = test_items(list(rows.values()), branches)
    with torch.inference_mode():
        scores = network_logits(load_network(name), items)[:, 0].numpy().astype(np.float64)
    base = np.array([sum(item.llrs.values()) for item in items])
    labels = np.array([rows[item.sample.file]["label"] == "fake" for item in items], np.int64)
    sources = np.array([rows[item.sample.file]["source_repo"] for item in items])
    groups = np.array([item.sample.group for item in items])
    fused = cross_fitted(base, scores, labels, sources)
    figures = {
        label: {
            "auc": auc(labels, values),
            "interval": bootstrap_interval(auc, labels, values, groups),
            "cllr": cllr(labels, values),
        }
        for label, values in {"late": base, "cross_attention_cross_fitted": fused}.items()
    }
    print(json.dumps({"clips": len(items), "fake": int(labels.sum()), **figures}, indent=2))
    (RUN / "calibration.json").write_text(json.dumps(figures, indent=2))
    scale, offset = fit(base, scores, labels)
    limit = math.log(min(labels.sum(), (1 - labels).sum()))
    write_calibration(name, Calibration(scale=scale, offset=offset, limit=limit))
    print(f"shipped: scale {scale:.4g}, offset {offset:.4g}, limit {limit:.3g}")


def test_items(rows: Sequence[Row], branches: dict[str, Branch]) -> list[Item]:
    """Clips of the test split in which at least two branches had something to say."""
    samples = []
    for row in track(rows, description="test clips"):
        clip = load_clip(row["file"])
        if not len(clip.frame_index) or not len(clip.audio):
            continue
        seen = list(observations(clip))
        said = {name: branch.run(seen) for name, branch in branches.items()}
        windows = [
            (o.segment, {name: found[k][:1] for name, found in said.items()})
            for k, o in enumerate(seen)
        ]
        samples.append(
            Sample(file=row["file"], group=group_of(row), variant="real", windows=windows)
        )
    return prepare(samples, branches, branch_calibrations())


def load_network(name: str) -> FusionNetwork:
    """The network of an exported checkpoint."""
    checkpoint = load_checkpoint(name)
    config = checkpoint.card.config
    widths = {branch: int(config["token_widths"][branch]) for branch in FUSED}
    network = FusionNetwork(widths, width=int(config["width"]), heads=int(config["heads"]))
    network.load_state_dict(checkpoint.state, strict=True)
    return network.eval()


def fit(base: Vector, scores: Vector, labels: NDArray[np.int64]) -> tuple[float, float]:
    """Scale >= 1e-6 and offset of a logistic regression with ``base`` as fixed offset."""
    sign = np.where(labels == 1, 1.0, -1.0)
    weight = np.where(labels == 1, 0.5 / labels.sum(), 0.5 / (1 - labels).sum())

    def loss(vector: Vector) -> float:
        margin = sign * (base + vector[0] * scores + vector[1])
        return float((weight * np.logaddexp(0.0, -margin)).sum() + _RIDGE * vector[0] ** 2)

    found = minimize(loss, np.array([0.1, 0.0]), bounds=[(1e-6, None), (None, None)]).x
    return float(found[0]), float(found[1])


def cross_fitted(
    base: Vector, scores: Vector, labels: NDArray[np.int64], sources: NDArray[np.str_]
) -> Vector:
    """Each clip under the fit of all other sources."""
    fused = np.zeros(len(base))
    for source in np.unique(sources):
        mine = sources == source
        scale, offset = fit(base[~mine], scores[~mine], labels[~mine])
        fused[mine] = base[mine] + scale * scores[mine] + offset
    return fused


if __name__ == "__main__":
    main()
