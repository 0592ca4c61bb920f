"""What is fitted on measured talking heads: calibrations, late weights, what attention adds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize

from avdetect.branches.base import Branch
from avdetect.calibration import Calibration
from avdetect.fusion.any_forged import AnyForged
from avdetect.fusion.cross_attention import CrossAttentionFusion
from avdetect.fusion.late import LateFusion, LateRule, pattern_name
from avdetect.fusion.subjects import FACE, SYNC, VOICE, Subject, WindowRows
from avdetect.nn.fusion_network import FusionNetwork
from avdetect.types import Part
from recipes.calibrate import UNKNOWN_FAKES, fit_calibration
from recipes.fusion.items import FUSED, Item, network_logits, prepare
from recipes.fusion.late_fit import fit_weights
from recipes.fusion.measured_rows import Measured
from recipes.fusion.variants import LABELS, VARIANTS

_RIDGE = 1e-3
_RIDGE_LATE = 3e-3
_LEAST_SCALE = 1e-6
# Nobody knows which part the next forgery will be of, so the rule "any" takes all alike.
EQUAL_SHARES = dict.fromkeys(FUSED, 1.0 / len(FUSED))
RULES = ("any", "sum")
_SOUND_TRUTH = {"real": 0, "cloned": 1}
Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A handful of numbers.

    Attributes:
        calibrations: of the branches; that of the voice is its own recipe's and stays.
        weights: for a sum, (4,) of the branches' LLRs in the order of ``FUSED``, then the offset;
            None where any forged part is enough.
        added: the network's score beside late fusion.
    """

    calibrations: dict[str, Calibration]
    weights: Vector | None
    added: Calibration

    @property
    def late(self) -> LateRule:
        """The rule of late fusion that was fitted, or needs no fit."""
        return late_rule(self.weights)


def late_rule(weights: Vector | None) -> LateRule:
    """A sum with these weights; without any, whatever part is forged, the clip is."""
    return AnyForged(EQUAL_SHARES) if weights is None else LateFusion(late_patterns(weights))


@dataclass(frozen=True, slots=True, kw_only=True)
class Judges:
    """The branches and the fusion network as they ship, but for what is fitted here."""

    branches: dict[str, Branch]
    network: FusionNetwork
    voice: Calibration


def is_fake(measured: Measured) -> bool:
    """Whether anything in a clip is forged, by others or by us."""
    return measured.forged or measured.row["label"] == "fake"


def truth_of(branch: str, measured: Measured) -> int | None:
    """1 or 0 for what a branch can see of a clip, None where that is not known."""
    if measured.picture_alone:
        if branch != FACE:
            return None
        return int(measured.forged or measured.row["video_label"] == "fake")
    if measured.forged:
        seen = dict(zip(LABELS, VARIANTS[measured.sample.variant], strict=True))
        return seen[{VOICE: "audio_fake", FACE: "video_fake", SYNC: "out_of_sync"}[branch]]
    if branch == VOICE:
        return _SOUND_TRUTH.get(measured.row["audio_label"])
    return int(measured.row["video_label" if branch == FACE else "label"] == "fake")


def fit(
    judges: Judges, chosen: Sequence[Measured], rule: str = RULES[0], *, attention: bool = True
) -> Fit:
    """Calibrate the picture and the synchrony branch, then fuse all of them, on ``chosen``.

    The picture branch is calibrated on clips as they are and recompressed alike, so that what it
    claims holds for poor recordings, too; and beside every true picture on one with a forged face,
    for few folds hold more than a handful of other people's forged pictures.

    In the fit of fusion, half of the weight lies on real clips, a quarter each on other people's
    fakes and on our own forgeries of the same real clips: a user meets both.

    Args:
        judges: what is calibrated and fused.
        chosen: clips to fit on.
        rule: of late fusion, one of `RULES`.
        attention: whether cross-attention may add what it is fitted to add, or nothing.
    """
    calibrations = {VOICE: judges.voice}
    for branch in (FACE, SYNC):
        calibrations[branch] = _calibrated(
            [
                (score, truth, measured.row["file"])
                for measured in chosen
                if (truth := truth_of(branch, measured)) is not None
                and (score := raw_scores(judges, measured).get(branch)) is not None
            ]
        )
    items, kept = _items(judges, chosen, calibrations)
    trials = _Trials.of(judges.network, items, kept)
    weights = _late_weights(trials) if rule == "sum" else None
    late = late_rule(weights)
    base = np.array([late.fake_llr(item.llrs) for item in items])
    added = _added(trials, base)
    if not attention:
        added = replace(added, scale=_LEAST_SCALE, offset=0.0)  # the limit is of the clips
    return Fit(calibrations=calibrations, weights=weights, added=added)


def _calibrated(seen: Sequence[tuple[float, int, str]]) -> Calibration:
    """From scores, truths and the clips they are of."""
    scores, labels, files = zip(*seen, strict=True)
    return fit_calibration(scores, labels, files, unknown=UNKNOWN_FAKES)


def fused_llrs(judges: Judges, fitted: Fit, chosen: Sequence[Measured]) -> dict[str, float]:
    """File -> LLR of the clips as they are by the engine's own fusion; none without evidence."""
    cpu = torch.device("cpu")
    fusion = CrossAttentionFusion(
        judges.network, fitted.late, fitted.added, fitted.calibrations, cpu
    )
    llrs: dict[str, float] = {}
    for measured in chosen:
        scores = raw_scores(judges, measured) if measured.as_it_is else {}
        if scores:
            found = {name: fitted.calibrations[name].fake_llr(s) for name, s in scores.items()}
            windows = [WindowRows(segment, outputs) for segment, outputs in measured.sample.windows]
            subject = Subject(Part(channel="mono", face_track=0), found)
            llrs[measured.row["file"]] = fusion.judge(subject, windows).fake_llr
    return llrs


def late_patterns(weights: Vector) -> dict[str, tuple[float, ...]]:
    """The same weights and offset for every set of two or more branches, as late fusion wants."""
    by_name = dict(zip(FUSED, weights[:-1].tolist(), strict=True))
    return {
        pattern_name(chosen): (*(by_name[name] for name in sorted(chosen)), float(weights[-1]))
        for size in (2, 3)
        for chosen in combinations(FUSED, size)
    }


def raw_scores(judges: Judges, measured: Measured) -> dict[str, float]:
    """Branch -> raw score of a clip; a branch that abstains is left out."""
    found: dict[str, float] = {}
    for name, branch in judges.branches.items():
        outputs = [o for _, said in measured.sample.windows for o in said.get(name, ())]
        pooled = branch.pool(outputs[0].part, outputs) if outputs else None
        if pooled is not None and pooled.score is not None:
            found[name] = pooled.score
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trials:
    """(N, 3) LLRs with 0 for an absent branch, (N,) network scores, labels, who forged them."""

    llrs: Vector
    scores: Vector
    labels: NDArray[np.int64]
    forged: NDArray[np.bool_]

    @staticmethod
    def of(network: FusionNetwork, items: Sequence[Item], kept: Sequence[Measured]) -> _Trials:
        with torch.inference_mode():
            scores = network_logits(network, items)[:, 0].numpy().astype(np.float64)
        return _Trials(
            llrs=np.array([[item.llrs.get(name, 0.0) for name in FUSED] for item in items]),
            scores=scores,
            labels=np.array([int(is_fake(measured)) for measured in kept]),
            forged=np.array([measured.forged for measured in kept]),
        )

    def signs_and_shares(self) -> tuple[Vector, Vector]:
        share = np.zeros(len(self.scores))
        for rows, part in (
            (self.labels == 0, 0.5),
            ((self.labels == 1) & ~self.forged, 0.25),
            (self.forged, 0.25),
        ):
            share[rows] = part / max(rows.sum(), 1)
        return np.where(self.labels == 1, 1.0, -1.0), share


def _items(
    judges: Judges, chosen: Sequence[Measured], calibrations: Mapping[str, Calibration]
) -> tuple[list[Item], list[Measured]]:
    """Clips that two branches judged."""
    by_sample = {id(m.sample): m for m in chosen if not m.picture_alone}
    items = prepare([m.sample for m in by_sample.values()], judges.branches, dict(calibrations))
    return items, [by_sample[id(item.sample)] for item in items]


def _late_weights(trials: _Trials) -> Vector:
    """Weights of the branches, and an offset."""
    return fit_weights(trials.llrs, *trials.signs_and_shares(), _RIDGE_LATE)


def _added(trials: _Trials, base: Vector) -> Calibration:
    """What the network's score adds to late fusion's (N,) LLRs."""
    sign, share = trials.signs_and_shares()

    def loss(vector: Vector) -> float:
        margin = sign * (base + vector[0] * trials.scores + vector[1])
        return float((share * np.logaddexp(0.0, -margin)).sum() + _RIDGE * vector[0] ** 2)

    found = minimize(loss, np.array([0.1, 0.0]), bounds=[(_LEAST_SCALE, None), (None, None)]).x
    rarer = min(int(trials.labels.sum()), int((1 - trials.labels).sum()))
    return Calibration(scale=float(found[0]), offset=float(found[1]), limit=math.log(rarer))
