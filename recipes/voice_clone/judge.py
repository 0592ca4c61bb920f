"""The linear judge of how speech differs from its copy: what it learns, its fit, its scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from avdetect.branches.voice_clone import LEAST_SPEECH_S
from avdetect.nn.redrawing_judge import MOST_DEVIATIONS, RedrawingJudge
from eval.manifest.row import ManifestRow
from recipes.datasets.voices import clip_id, is_fake
from recipes.voice_clone.drawing import unfitted_judge
from recipes.voice_clone.samples import MEASURED_THROUGH, TAUGHT, ClipNumbers
from recipes.voice_clone.settings import JudgeSettings

_MADE = ("twin", "said")  # of a human clip, by us
_UNCODED = ("clean", *_MADE)
_USUAL_PERCENTILE = 90  # of the mean square deviation of what a model learned from


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """N variants of clips.

    Attributes:
        numbers: (N, K) float32, see `avdetect.branches.voice_numbers`.
        labels: (N,) 1 = fake, twins and synthetic speech included.
        groups: source with generator, for balance.
        clips: which clip, for shuffling labels.
    """

    numbers: NDArray[np.float32]
    labels: NDArray[np.int64]
    groups: list[str]
    clips: list[str]


def samples_of(
    rows: Sequence[ManifestRow], measured: Mapping[str, ClipNumbers], taught: Sequence[str]
) -> Samples:
    """Those versions of clips, and of what was made beside them, that ``taught`` names.

    Args:
        rows: clips.
        measured: their numbers.
        taught: of `TAUGHT`, or of `MEASURED_THROUGH` for a clip's first observation.
    """
    numbers, labels, groups, clips = [], [], [], []
    for row in rows:
        for version, found in _versions(measured[row.id]).items():
            if version in taught:
                made = next((name for name in _MADE if version.startswith(name)), "")
                numbers.append(found)
                labels.append(int(bool(made) or is_fake(row)))
                groups.append(f"{row.source} {made or row.generator}")
                clips.append(f"{made} {clip_id(row)}")
    return Samples(numbers=np.stack(numbers), labels=np.array(labels), groups=groups, clips=clips)


def _versions(clip: ClipNumbers) -> dict[str, NDArray[np.float32]]:
    heard = dict(zip(MEASURED_THROUGH, clip.heard[:, 0], strict=True))
    return heard | dict(zip(TAUGHT, clip.taught, strict=False))


def raw_scores(head: RedrawingJudge, clip: ClipNumbers, channel: str) -> NDArray[np.float32] | None:
    """(3,) what the judge's models say of a clip, pooled as the branch pools; see `judge`."""
    pooled = _pooled(clip, channel, lambda numbers, narrow: head.raw(numbers))
    return None if pooled is None else pooled.astype(np.float32)


def judge(
    head: RedrawingJudge, clip: ClipNumbers, channel: str = MEASURED_THROUGH[0]
) -> float | None:
    """Clip score, pooled as the branch pools; None with too little speech."""
    pooled = _pooled(clip, channel, head)
    return None if pooled is None else float(pooled)


def _pooled(
    clip: ClipNumbers, channel: str, ask: Callable[[Tensor, Tensor], Tensor]
) -> NDArray[np.float64] | None:
    """Mean over observations, weighted by speech; None with too little speech."""
    k = MEASURED_THROUGH.index(channel)
    speech_s = clip.speech_s[k].astype(np.float64)
    if speech_s.sum() < LEAST_SPEECH_S:
        return None
    with torch.inference_mode():
        said = ask(torch.from_numpy(clip.heard[k]), torch.from_numpy(clip.narrow[k]))
    return np.asarray(np.average(said.double().numpy(), axis=0, weights=speech_s))


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
    rows: Sequence[ManifestRow],
    measured: Mapping[str, ClipNumbers],
    settings: JudgeSettings,
    *,
    shuffled: int | None = None,
) -> RedrawingJudge:
    """Ridge logistic regressions, both classes and all groups balanced.

    Args:
        rows: what to learn from.
        measured: their numbers.
        settings: which versions of them teach which model.
        shuffled: seed by which labels are dealt anew, for the control.
    """
    head = unfitted_judge(settings.vocoder)
    recorded, coded = (
        samples_of(rows, measured, taught)
        for taught in (settings.recorded_from, settings.coded_from)
    )
    for k, samples in enumerate((recorded, coded)):
        labels = samples.labels if shuffled is None else shuffle_labels(samples, shuffled)
        _fit_model(head, k, samples.numbers, labels, balance(samples, labels), settings.ridge)
    classes = samples_of(rows, measured, _UNCODED).numbers, coded.numbers
    sizes = [len(numbers) for numbers in classes]
    labels = np.repeat([0, 1], sizes)
    weights = np.repeat([1 / size for size in sizes], sizes) * len(labels) / 2
    _fit_model(head, 2, np.concatenate(classes), labels, weights, settings.ridge)
    return head


def _fit_model(
    head: RedrawingJudge,
    k: int,
    numbers: NDArray[np.float32],
    labels: NDArray[np.int64],
    weights: NDArray[np.float64],
    ridge: float,
) -> None:
    centre, spread = numbers.mean(0), numbers.std(0) + 1e-4
    standard = np.clip((numbers - centre) / spread, -MOST_DEVIATIONS, MOST_DEVIATIONS)
    linear = LogisticRegression(C=ridge, max_iter=1000).fit(standard, labels, sample_weight=weights)
    with torch.no_grad():
        if k < 2:  # which of the two a sound is stays said, however odd it is
            head.usual[k] = float(np.percentile(np.square(standard).mean(1), _USUAL_PERCENTILE))
        head.centre[k], head.spread[k] = torch.from_numpy(centre), torch.from_numpy(spread)
        head.linear.weight[k] = torch.from_numpy(linear.coef_[0]).float()
        head.linear.bias[k] = float(linear.intercept_[0])
