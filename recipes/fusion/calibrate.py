"""Fit how much cross-attention may add, on test clips of both kinds of fakes.

    python -m recipes.fusion.calibrate

With the plain sum of branch LLRs as a fixed offset, the log-odds of fake are that sum plus
``scale * score + offset``; scale is never negative. Real test clips stand against a mixture, half
other people's fakes and half forged variants of the same real clips: a user meets both. Printed
cross-fitted by source: each clip under the fit of the other sources. The fit that ships is on all.
"""

from __future__ import annotations

import json
import math
import tomllib
from dataclasses import dataclass, fields
from typing import Any

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
from recipes.export import MODELS, to_toml, write_calibration
from recipes.fusion.items import FUSED, network_logits, prepare
from recipes.fusion.rows import (
    RUN,
    Sample,
    branch_calibrations,
    forged_samples,
    group_of,
    load_branches,
)
from recipes.fusion.variants import observations

_RIDGE = 1e-3
Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """Test clips: sum of LLRs, network score, and what they are."""

    base: Vector
    scores: Vector
    labels: NDArray[np.int64]
    forged: NDArray[np.bool_]
    sources: NDArray[np.str_]
    groups: NDArray[np.str_]

    def chosen(self, rows: NDArray[np.bool_]) -> Trials:
        """Some of the trials."""
        return Trials(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


def main() -> None:
    """Run branches and network over the test clips, fit, print, write."""
    name = read_bundle().checkpoints["cross_attention"]
    trials = test_trials(load_network(name))
    fused = cross_fitted(trials)
    figures: dict[str, Any] = {}
    for kind, rows in {
        "others": ~trials.forged,
        "forged": trials.forged | (trials.labels == 0),
    }.items():
        labels, groups = trials.labels[rows], trials.groups[rows]
        for label, values in {
            "late": trials.base,
            "network_alone": trials.scores,
            "cross_attention_cross_fitted": fused,
        }.items():
            figures[f"{kind}_{label}"] = {
                "auc": auc(labels, values[rows]),
                "interval": bootstrap_interval(auc, labels, values[rows], groups),
                "cllr": cllr(labels, values[rows]),
                "n": int(rows.sum()),
            }
    print(json.dumps(figures, indent=2))
    (RUN / "calibration.json").write_text(json.dumps(figures, indent=2))
    scale, offset = fit(trials)
    limit = math.log(min(trials.labels.sum(), (1 - trials.labels).sum()))
    write_calibration(name, Calibration(scale=scale, offset=offset, limit=limit))
    note_in_card(name, figures)
    print(f"shipped: scale {scale:.4g}, offset {offset:.4g}, limit {limit:.3g}")


def test_trials(network: FusionNetwork) -> Trials:
    """Clips of the test split, and forged variants of its real ones, that two branches judged."""
    branches, _ = load_branches()
    rows = [row for row in video_split()[1] if row["has_audio"] == "yes"]
    real = [row for row in rows if row["label"] == "real"]
    samples = [sample for row in track(rows, "test clips") for sample in _as_it_is(row, branches)]
    samples += [
        sample for row in track(real, "variants") for sample in forged_samples(row, real, branches)
    ]
    items = prepare(samples, branches, branch_calibrations())
    by_file = {row["file"]: row for row in rows}
    with torch.inference_mode():
        scores = network_logits(network, items)[:, 0].numpy().astype(np.float64)
    forged = np.array([item.sample.variant != "real" for item in items])
    fake = np.array([by_file[item.sample.file]["label"] == "fake" for item in items])
    return Trials(
        base=np.array([sum(item.llrs.values()) for item in items]),
        scores=scores,
        labels=(forged | fake).astype(np.int64),
        forged=forged,
        sources=np.array([by_file[item.sample.file]["source_repo"] for item in items]),
        groups=np.array([item.sample.group for item in items]),
    )


def _as_it_is(row: Row, branches: dict[str, Branch]) -> list[Sample]:
    clip = load_clip(row["file"])
    if not len(clip.frame_index) or not len(clip.audio):
        return []
    seen = list(observations(clip))
    said = {name: branch.run(seen) for name, branch in branches.items()}
    windows = [
        (o.segment, {name: found[k][:1] for name, found in said.items()})
        for k, o in enumerate(seen)
    ]
    return [Sample(file=row["file"], group=group_of(row), variant="real", windows=windows)]


def note_in_card(name: str, figures: dict[str, Any]) -> None:
    """Put the figures on test clips into the checkpoint's card."""
    path = MODELS / name / "card.toml"
    card = tomllib.loads(path.read_text("utf-8"))
    card["figures_on_test_clips"] = {
        "command": "python -m recipes.fusion.calibrate",
        "what": "real test clips against other people's fakes, and against forged variants of the "
        "same real clips; late is the plain sum of LLRs",
        **figures,
    }
    path.write_text(to_toml(card), "utf-8")


def load_network(name: str) -> FusionNetwork:
    """The network of an exported checkpoint."""
    checkpoint = load_checkpoint(name)
    config = checkpoint.card.config
    widths = {branch: int(config["token_widths"][branch]) for branch in FUSED}
    network = FusionNetwork(widths, width=int(config["width"]), heads=int(config["heads"]))
    network.load_state_dict(checkpoint.state, strict=True)
    return network.eval()


def fit(trials: Trials) -> tuple[float, float]:
    """Scale >= 1e-6 and offset of a logistic regression with the sum of LLRs as fixed offset."""
    sign = np.where(trials.labels == 1, 1.0, -1.0)
    weight = np.zeros(len(sign))
    for rows, share in (
        (trials.labels == 0, 0.5),
        ((trials.labels == 1) & ~trials.forged, 0.25),
        (trials.forged, 0.25),
    ):
        weight[rows] = share / max(rows.sum(), 1)

    def loss(vector: Vector) -> float:
        margin = sign * (trials.base + vector[0] * trials.scores + vector[1])
        return float((weight * np.logaddexp(0.0, -margin)).sum() + _RIDGE * vector[0] ** 2)

    found = minimize(loss, np.array([0.1, 0.0]), bounds=[(1e-6, None), (None, None)]).x
    return float(found[0]), float(found[1])


def cross_fitted(trials: Trials) -> Vector:
    """Each clip under the fit of all other sources."""
    fused = np.zeros(len(trials.base))
    for source in np.unique(trials.sources):
        mine = trials.sources == source
        scale, offset = fit(trials.chosen(~mine))
        fused[mine] = trials.base[mine] + scale * trials.scores[mine] + offset
    return fused


if __name__ == "__main__":
    main()
