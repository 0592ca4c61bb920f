"""Fit the judges on statistics, a forest and a linear model, and set them beside a network.

python -m recipes.voice_clone.statistics --run first
"""

from __future__ import annotations

import argparse
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression

from avdetect.branches.voice_clone import build_voice_net
from avdetect.nn.forest import Forest
from avdetect.nn.voice_net import MOST_DEVIATIONS, StatisticsHead
from avdetect.nn.voice_statistics import voice_statistics
from avdetect.speech.features import N_MELS, STEP_SAMPLES, spectral_views
from eval.splits import Row
from eval.voice_split import is_fake, voice_split
from recipes.datasets.voices import VoiceStore, clip_id
from recipes.voice_clone.batches import crop_clip
from recipes.voice_clone.settings import RUNS, STORE, StatisticsSettings, read_settings

_VARIANTS = ("clean", "channel_0", "channel_1", "twin", "twin_channel_0")
_STEPS = 80  # four seconds, as the branch sees them


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """N variants of clips.

    Attributes:
        statistics: (N, K) float32, see `voice_statistics`.
        labels: (N,) 1 = fake, twins included.
        groups: source with generator, for balance.
        corpora: whose voice, as the corpus: LJ, vctk, ...
        clips: which clip, for shuffling labels.
    """

    statistics: NDArray[np.float32]
    labels: NDArray[np.int64]
    groups: list[str]
    corpora: list[str]
    clips: list[str]


def collect(rows: Sequence[Row], store: VoiceStore) -> Samples:
    """Statistics of four seconds of every prepared variant of every clip."""
    statistics, labels, groups, corpora, clips = [], [], [], [], []
    for row in rows:
        clip = clip_id(row)
        for variant in _VARIANTS:
            if not store.path(variant, clip).is_file():
                continue
            twin = variant.startswith("twin")
            statistics.append(_statistics(store, variant, clip))
            labels.append(int(twin or is_fake(row)))
            groups.append(f"{row['source_repo']} {'twin' if twin else row['generator']}")
            corpora.append(re.split(r"[^A-Za-z]", row["speaker"])[0])
            clips.append(f"{'twin ' if twin else ''}{clip}")
    return Samples(
        statistics=np.stack(statistics),
        labels=np.array(labels),
        groups=groups,
        corpora=corpora,
        clips=clips,
    )


def _statistics(store: VoiceStore, variant: str, clip: str) -> NDArray[np.float32]:
    waveform, speech = store.read(variant, clip), store.read_speech(clip)
    rng = np.random.default_rng(zlib.crc32(clip.encode()))  # twin and original: the same crop
    spare = min(len(waveform) // STEP_SAMPLES, len(speech)) - _STEPS
    first = int(rng.integers(0, max(1, spare + 1)))
    waveform, speech = crop_clip(waveform, speech, _STEPS, first)
    mask = torch.from_numpy(speech)[None]
    with torch.inference_mode():
        views = spectral_views(torch.from_numpy(waveform)[None], mask)
        return np.asarray(voice_statistics(views, mask, N_MELS)[0].numpy(), np.float32)


def shuffle_labels(samples: Samples, seed: int) -> NDArray[np.int64]:
    """Labels dealt anew, one per clip, so that its variants agree."""
    rng = np.random.default_rng(seed)
    dealt = {clip: int(rng.integers(2)) for clip in sorted(set(samples.clips))}
    return np.array([dealt[clip] for clip in samples.clips])


def balance(samples: Samples, labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weights under which the corpus of a voice tells nothing of the label.

    Groups count by the square root of their size; then within each corpus both classes weigh alike;
    a corpus of one class only keeps half its weight.
    """
    pairs = list(zip(samples.groups, labels.tolist(), strict=True))
    sizes = Counter(pairs)
    weights = np.array([sizes[pair] ** -0.5 for pair in pairs])
    corpora = np.array(samples.corpora)
    for corpus in set(samples.corpora):
        inside = corpora == corpus
        size = np.sqrt(weights[inside].sum())
        present = [label for label in (0, 1) if (inside & (labels == label)).any()]
        for label in present:
            chosen = inside & (labels == label)
            weights[chosen] *= 0.5 * size / weights[chosen].sum()
    return np.asarray(weights * len(labels) / weights.sum())


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
    head = StatisticsHead(
        as_tensors(model), samples.statistics.shape[1], N_MELS, settings.network_share
    )
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
    build_voice_net(network).load_state_dict(state)  # whole, or not written
    torch.save({"state": state, "network": network}, run / "joined.pt")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=Path(__file__).with_name("config.toml"))
    parser.add_argument("--run", default="first", help="name of the folder below runs/voice_clone")
    parser.add_argument("--which", default="best", choices=("best", "final"), help="network's file")
    parser.add_argument("--shuffle-labels", action="store_true", help="the control: stays at 0.5")
    given = parser.parse_args()
    torch.set_num_threads(1)
    settings = read_settings(given.config).statistics
    split = voice_split()
    # Development clips have done their part once the settings stand: they may teach these judges.
    samples = collect([*split.training, *split.development], VoiceStore(STORE))
    labels = shuffle_labels(samples, settings.seed) if given.shuffle_labels else samples.labels
    head = fit(samples, labels, settings)
    join(RUNS / given.run, head, given.which)
    print(f"{len(labels)} samples, {len(head.forest.feature)} nodes, depth {head.forest.depth}")


if __name__ == "__main__":
    main()
