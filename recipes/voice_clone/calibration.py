"""Calibration of the voice branch, by cross-fitting: no measured clip has a part in it.

Each training fold is scored by a judge that had not seen it, and the levels of recorded, coded and
telephone sound and the calibration are fitted on these scores; the judge that ships then learns
from all of the folds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from avdetect.branches.voice_clone import VoiceCloneBranch
from avdetect.calibration import Calibration
from avdetect.nn.redrawing_judge import RedrawingJudge
from eval.manifest.folds import fold_split
from eval.manifest.leaks import refuse_leaks
from eval.manifest.row import ManifestRow
from eval.metrics import cllr, min_cllr
from eval.protocol import Protocol
from recipes.calibrate import UNKNOWN_FAKES, fit_calibration
from recipes.datasets.voices import is_fake
from recipes.voice_clone.judge import fit, judge, raw_scores
from recipes.voice_clone.samples import MEASURED_THROUGH, ClipNumbers
from recipes.voice_clone.settings import JudgeSettings

FITTED_ON = "training folds, each scored by judges that had not seen it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A clip through one channel, scored by a judge that had not seen its fold.

    Attributes:
        clip: which; heard through several channels it is still one.
        fold: that its judge had not seen.
        raw: (3,) what the judge's models say, not levelled.
        fake: whether the clip is.
        channel: of `MEASURED_THROUGH`.
        narrow: whether most of it has a telephone's bandwidth.
    """

    clip: str
    fold: str
    raw: NDArray[np.float32]
    fake: bool
    channel: str
    narrow: bool


def out_of_fold_scores(
    training: Sequence[ManifestRow],
    protocol: Protocol,
    measured: Mapping[str, ClipNumbers],
    settings: JudgeSettings,
    folds: Sequence[str] | None = None,
) -> list[Trial]:
    """Every training clip through every measured channel.

    Args:
        training: rows of the training folds.
        protocol: gives the folds.
        measured: numbers of every clip of the training folds.
        settings: of the judge.
        folds: the training folds; None takes those of the shipped weights.

    Raises:
        LeakError: a fold shares what the protocol holds out with those its judge learned from.
    """
    trials = []
    chosen = protocol.roles["train"] if folds is None else folds
    for fold in chosen:
        others = [other for other in chosen if other != fold]
        taught, test = fold_split(training, protocol, fold, training_folds=others)
        refuse_leaks([*taught, *test], protocol.held_out, name=f"calibration without {fold}")
        head = fit(taught, measured, settings)
        for index, channel in enumerate(MEASURED_THROUGH):
            for row in test:
                raw = raw_scores(head, measured[row.id], channel)
                narrow = bool(measured[row.id].narrow[index].mean() > 0.5)
                if raw is not None:
                    trials.append(
                        Trial(
                            clip=row.id,
                            fold=fold,
                            raw=raw,
                            fake=is_fake(row),
                            channel=channel,
                            narrow=narrow,
                        )
                    )
    return trials


def level(head: RedrawingJudge, trials: Sequence[Trial]) -> None:
    """Set the judge's scales and offsets: all scores become log-likelihood ratios."""
    recorded = [t for t in trials if t.channel == "clean" and not t.narrow]
    wide = [t for t in trials if t.channel != "clean" and not t.narrow]
    narrow = [t for t in trials if t.narrow]
    for k, (model, chosen) in enumerate(((0, recorded), (1, wide), (1, narrow))):
        if {t.fake for t in chosen} == {False, True}:  # else nothing came that way to level by
            found = _fit(chosen, [float(t.raw[model]) for t in chosen])
            head.scale[k], head.offset[k] = found.scale, found.offset


def levelled_llrs(head: RedrawingJudge, trials: Sequence[Trial]) -> NDArray[np.float64]:
    """(N,) LLR of each trial, levelled and calibrated on those of the other folds alone.

    Args:
        head: whose scales and offsets are set anew for each fold, and left at the last.
        trials: of `out_of_fold_scores`, two folds or more.
    """
    llrs = np.zeros(len(trials))
    for fold in dict.fromkeys(t.fold for t in trials):
        others = [t for t in trials if t.fold != fold]
        level(head, others)
        calibration = _fit(others, _mixed(head, others), unknown=UNKNOWN_FAKES)
        held_out = [i for i, t in enumerate(trials) if t.fold == fold]
        scores = _mixed(head, [trials[i] for i in held_out])
        llrs[held_out] = [calibration.fake_llr(score) for score in scores]
    return llrs


def levelled_calibration(branch: VoiceCloneBranch, trials: Sequence[Trial]) -> Calibration:
    """What is left to calibrate behind `level`: little but the limit."""
    return _fit(trials, _mixed(linear_judge(branch), trials), unknown=UNKNOWN_FAKES)


def _mixed(head: RedrawingJudge, trials: Sequence[Trial]) -> list[float]:
    raw = torch.from_numpy(np.stack([t.raw for t in trials]))
    return [float(x) for x in head.mixed(raw, torch.tensor([t.narrow for t in trials]))]


def _fit(trials: Sequence[Trial], scores: Sequence[float], *, unknown: float = 0.0) -> Calibration:
    labels, clips = [int(t.fake) for t in trials], [t.clip for t in trials]
    return fit_calibration(scores, labels, clips, unknown=unknown)


def calibration_figures(
    branch: VoiceCloneBranch,
    sets: Mapping[str, Sequence[ManifestRow]],
    measured: Mapping[str, ClipNumbers],
    calibrations: Mapping[str, Calibration],
) -> dict[str, dict[str, dict[str, float]]]:
    """Cllr of each calibration beside minCllr, in bits, by set and channel, on measured clips."""
    head = linear_judge(branch)
    table: dict[str, dict[str, dict[str, float]]] = {}
    for name, rows in sets.items():
        for channel in MEASURED_THROUGH:
            found = [(judge(head, measured[row.id], channel), int(is_fake(row))) for row in rows]
            scores, labels = zip(*((s, label) for s, label in found if s is not None), strict=True)
            bits = {
                key: cllr(labels, [calibration.fake_llr(score) for score in scores])
                for key, calibration in calibrations.items()
            }
            bits["min_cllr_bits"] = min_cllr(labels, scores)
            key = channel.replace(".", "_")
            table.setdefault(name, {})[key] = {k: round(v, 3) for k, v in bits.items()}
    return table


def linear_judge(branch: VoiceCloneBranch) -> RedrawingJudge:
    """The branch's judge; raises ``ValueError`` where a network stands alone."""
    if branch.linear_judge is None:
        raise ValueError("a network alone is not calibrated by the scores of a linear judge")
    return branch.linear_judge
