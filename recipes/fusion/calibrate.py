"""Fit both fusions on test clips of both kinds of fakes: a handful of numbers.

    python -m recipes.fusion.calibrate

First late fusion: a weight for each branch's LLR, never negative and drawn toward 1, and an offset.
Then, with late fusion fixed, ``scale * score + offset`` of cross-attention beside it. Real test
clips stand against a mixture, half other people's fakes and half forged variants of the same real
clips: a user meets both. Printed cross-fitted by source: each clip under the fit of the other
sources. The fit that ships is on all.
"""

from __future__ import annotations

import json
import math
import tomllib
from dataclasses import dataclass, fields
from itertools import combinations
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from scipy.optimize import minimize

from avdetect.branches.base import Branch
from avdetect.calibration import Calibration
from avdetect.checkpoint import load_checkpoint, read_bundle
from avdetect.checkpoint_writer import to_toml, write_calibration
from avdetect.fusion.late import pattern_name
from avdetect.nn.fusion_network import FusionNetwork
from eval.bootstrap import bootstrap_interval
from eval.metrics import auc, cllr
from eval.splits import Row, video_split
from recipes.datasets.talking_heads import load_clip
from recipes.export import MODELS, export_checkpoint
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
_RIDGE_LATE = 3e-3
Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """Test clips: (N, 3) LLRs with 0 for an absent branch, network scores, what they are."""

    llrs: Vector
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
    late, fused = cross_fitted(trials)
    figures: dict[str, Any] = {}
    for kind, rows in {
        "others": ~trials.forged,
        "forged": trials.forged | (trials.labels == 0),
    }.items():
        labels, groups = trials.labels[rows], trials.groups[rows]
        for label, values in {
            "plain_sum": trials.llrs.sum(1),
            "late_cross_fitted": late,
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
    weights = fit_late(trials)
    export_late(weights)
    scale, offset = fit_added(trials, weights)
    limit = math.log(min(trials.labels.sum(), (1 - trials.labels).sum()))
    write_calibration(MODELS / name, Calibration(scale=scale, offset=offset, limit=limit))
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
        llrs=np.array([[item.llrs.get(name, 0.0) for name in FUSED] for item in items]),
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
        "same real clips; cross-fitted by source",
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


def fit_late(trials: Trials) -> Vector:
    """(4,) weights of the branches' LLRs in the order of ``FUSED``, then the offset."""
    sign, share = _signs_and_shares(trials)

    def loss(vector: Vector) -> float:
        margin = sign * (trials.llrs @ vector[:-1] + vector[-1])
        ridge = _RIDGE_LATE * float(np.square(vector[:-1] - 1.0).sum())
        return float((share * np.logaddexp(0.0, -margin)).sum()) + ridge

    start = np.array([1.0, 1.0, 1.0, 0.0])
    bounds = [(0.0, None)] * 3 + [(None, None)]
    return np.asarray(minimize(loss, start, bounds=bounds).x, np.float64)


def fit_added(trials: Trials, weights: Vector) -> tuple[float, float]:
    """Scale >= 1e-6 and offset of the network's score, late fusion being fixed."""
    sign, share = _signs_and_shares(trials)
    base = trials.llrs @ weights[:-1] + weights[-1]

    def loss(vector: Vector) -> float:
        margin = sign * (base + vector[0] * trials.scores + vector[1])
        return float((share * np.logaddexp(0.0, -margin)).sum() + _RIDGE * vector[0] ** 2)

    found = minimize(loss, np.array([0.1, 0.0]), bounds=[(1e-6, None), (None, None)]).x
    return float(found[0]), float(found[1])


def cross_fitted(trials: Trials) -> tuple[Vector, Vector]:
    """Late fusion and both together: each clip under the fits of all other sources."""
    late, fused = np.zeros(len(trials.scores)), np.zeros(len(trials.scores))
    for source in np.unique(trials.sources):
        mine = trials.sources == source
        others = trials.chosen(~mine)
        weights = fit_late(others)
        scale, offset = fit_added(others, weights)
        late[mine] = trials.llrs[mine] @ weights[:-1] + weights[-1]
        fused[mine] = late[mine] + scale * trials.scores[mine] + offset
    return late, fused


def export_late(weights: Vector) -> None:
    """Write the late checkpoint: the same weights for every set of branches."""
    by_name = dict(zip(FUSED, weights[:-1].tolist(), strict=True))
    export_checkpoint(
        read_bundle().checkpoints["late"],
        role="late",
        summary="Weighted sum of calibrated branch LLRs; a lone branch passes unchanged.",
        state={
            pattern_name(chosen): torch.tensor(
                [*(by_name[name] for name in sorted(chosen)), weights[-1]], dtype=torch.float64
            )
            for size in (2, 3)
            for chosen in combinations(FUSED, size)
        },
        config={},
        facts={
            "training": {
                "data": "three weights and an offset, fitted on the video test clips and on forged "
                "variants of the real ones; cross-fitted figures stand in the card of the "
                "cross-attention checkpoint",
                "command": "python -m recipes.fusion.calibrate",
                "weights": by_name,
                "offset": float(weights[-1]),
            }
        },
        half=False,
    )


def _signs_and_shares(trials: Trials) -> tuple[Vector, Vector]:
    """+1 or -1 by label, and weights: half real, a quarter each for the two kinds of fakes."""
    share = np.zeros(len(trials.scores))
    for rows, part in (
        (trials.labels == 0, 0.5),
        ((trials.labels == 1) & ~trials.forged, 0.25),
        (trials.forged, 0.25),
    ):
        share[rows] = part / max(rows.sum(), 1)
    return np.where(trials.labels == 1, 1.0, -1.0), share


if __name__ == "__main__":
    main()
