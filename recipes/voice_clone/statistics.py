"""Fit the judges on statistics, a forest and a linear model, and set them beside a network.

python -m recipes.voice_clone.statistics --run first
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression

from avdetect.branches.voice_clone import LEAST_SPEECH_S
from avdetect.branches.voice_front_ends import build_voice_net
from avdetect.nn.forest import Forest
from avdetect.nn.trained_state import load_trained_state
from avdetect.nn.voice_net import MOST_DEVIATIONS, StatisticsHead
from eval.manifest.row import ManifestRow
from eval.protocol import read_protocol
from recipes.datasets.voices import clip_id, is_fake
from recipes.voice_clone.rows import PROTOCOL, measurable, shipped_split, voice_rows
from recipes.voice_clone.samples import MEASURED_THROUGH, ClipStatistics, clip_statistics
from recipes.voice_clone.settings import (
    CONFIG,
    RUNS,
    STATISTICS,
    StatisticsSettings,
    read_settings,
)

_TWIN = "twin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """N variants of clips.

    Attributes:
        statistics: (N, K) float32, see `voice_statistics`.
        labels: (N,) 1 = fake, twins included.
        groups: source with generator, for balance.
        clips: which clip, for shuffling labels.
    """

    statistics: NDArray[np.float32]
    labels: NDArray[np.int64]
    groups: list[str]
    clips: list[str]


def samples_of(rows: Sequence[ManifestRow], measured: Mapping[str, ClipStatistics]) -> Samples:
    """What the judges learn from rows: clips and twins, clean and through one channel."""
    labels, groups, clips = [], [], []
    for row in rows:
        for k in range(len(measured[row.id].taught)):
            is_twin = k >= 2
            labels.append(int(is_twin or is_fake(row)))
            groups.append(f"{row.source} {_TWIN if is_twin else row.generator}")
            clips.append(f"{_TWIN if is_twin else ''} {clip_id(row)}")
    return Samples(
        statistics=np.concatenate([measured[row.id].taught for row in rows]),
        labels=np.array(labels),
        groups=groups,
        clips=clips,
    )


def judge(
    head: StatisticsHead, clip: ClipStatistics, channel: str = MEASURED_THROUGH[0]
) -> float | None:
    """Clip score by the judges alone, pooled as the branch pools; None with too little speech."""
    k = MEASURED_THROUGH.index(channel)
    speech_s = clip.speech_s[k].astype(np.float64)
    if speech_s.sum() < LEAST_SPEECH_S:
        return None
    numbers = torch.from_numpy(clip.heard[k])
    with torch.inference_mode():
        scores = head(numbers, torch.zeros(len(numbers), 1)).squeeze(1).double().numpy()
    return float(np.average(scores, weights=speech_s))


def shuffle_labels(samples: Samples, seed: int) -> NDArray[np.int64]:
    """Labels dealt anew, one per clip, so that its variants agree."""
    rng = np.random.default_rng(seed)
    dealt = {clip: int(rng.integers(2)) for clip in sorted(set(samples.clips))}
    return np.array([dealt[clip] for clip in samples.clips])


def balance(samples: Samples, labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weights by which both classes count alike, and groups by the square root of their size."""
    pairs = list(zip(samples.groups, labels.tolist(), strict=True))
    sizes = Counter(pairs)
    weights = np.array([sizes[pair] ** -0.5 for pair in pairs])
    for label in (0, 1):
        weights[labels == label] /= weights[labels == label].sum()
    return np.asarray(weights * len(labels) / 2)


def fit(
    samples: Samples, labels: NDArray[np.int64], settings: StatisticsSettings
) -> StatisticsHead:
    """Extremely randomised trees (Geurts et al. 2006) and ridge logistic regression."""
    weights = balance(samples, labels)
    model = ExtraTreesClassifier(
        settings.n_trees,
        min_samples_leaf=settings.min_samples_leaf,
        max_features=settings.max_features,
        random_state=settings.seed,
        n_jobs=1,
    ).fit(samples.statistics, labels, sample_weight=weights)
    head = StatisticsHead(as_tensors(model), samples.statistics.shape[1], settings.network_share)
    centre, spread = samples.statistics.mean(0), samples.statistics.std(0) + 1e-4
    standard = np.clip((samples.statistics - centre) / spread, -MOST_DEVIATIONS, MOST_DEVIATIONS)
    linear = LogisticRegression(C=settings.ridge, max_iter=300).fit(
        standard, labels, sample_weight=weights
    )
    head.centre[:], head.spread[:] = torch.from_numpy(centre), torch.from_numpy(spread)
    share = settings.linear_share
    with torch.no_grad():
        head.linear.weight[:] = share * torch.from_numpy(linear.coef_).float()
        head.linear.bias[:] = share * torch.from_numpy(linear.intercept_).float()
    return head


def as_tensors(model: ExtraTreesClassifier) -> Forest:
    """A fitted two-class forest as tensors; leaves keep the weighted share of class 1."""
    trees = [estimator.tree_ for estimator in model.estimators_]
    starts = np.cumsum([0] + [tree.node_count for tree in trees])
    forest = Forest(len(trees), int(starts[-1]), max(int(tree.max_depth) for tree in trees))
    for start, tree in zip(starts, trees, strict=False):
        nodes = slice(int(start), int(start) + tree.node_count)
        leaf = tree.children_left < 0
        inner = np.flatnonzero(~leaf)
        if not np.array_equal(tree.children_left[inner], inner + 1):
            raise ValueError("the trees are not in depth-first order: grow without max_leaf_nodes")
        shares = tree.value[:, 0, :] / tree.value[:, 0, :].sum(1, keepdims=True)
        forest.feature[nodes] = torch.from_numpy(np.where(leaf, -1, tree.feature)).short()
        forest.threshold[nodes] = torch.from_numpy(np.where(leaf, 0.0, tree.threshold)).float()
        forest.right[nodes] = torch.from_numpy(np.where(leaf, 0, tree.children_right + start)).int()
        forest.value[nodes] = torch.from_numpy(shares[:, 1]).float()
    forest.roots[:] = torch.from_numpy(starts[:-1]).int()
    return forest


def join(run: Path, head: StatisticsHead, which: str) -> None:
    """Write ``joined.pt``: the run's network with the judges on statistics beside it."""
    saved = torch.load(run / f"{which}.pt", weights_only=True)
    table = {
        "n_trees": len(head.forest.roots),
        "n_nodes": len(head.forest.feature),
        "depth": head.forest.depth,
        "network_share": head.network_share,
    }
    network = {**saved["network"], "statistics": table}
    state = saved["state"] | {f"statistics.{k}": v for k, v in head.state_dict().items()}
    load_trained_state(build_voice_net(network), state)  # whole, or not written
    torch.save({"state": state, "network": network}, run / "joined.pt")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--run", default="first", help="name of the folder below runs/voice_clone")
    parser.add_argument("--which", default="best", choices=("best", "final"), help="network's file")
    parser.add_argument("--shuffle-labels", action="store_true", help="the control: stays at 0.5")
    given = parser.parse_args()
    torch.set_num_threads(1)
    settings = read_settings(given.config)
    protocol = read_protocol(PROTOCOL)
    # Development clips have done their part once the settings stand: they may teach these judges.
    training, _ = shipped_split(measurable(voice_rows(), protocol), protocol)
    samples = samples_of(training, clip_statistics(training, STATISTICS))
    labels = (
        shuffle_labels(samples, settings.statistics.seed)
        if given.shuffle_labels
        else samples.labels
    )
    head = fit(samples, labels, settings.statistics)
    join(RUNS / given.run, head, given.which)
    print(f"{len(labels)} samples, {len(head.forest.feature)} nodes, depth {head.forest.depth}")


if __name__ == "__main__":
    main()
