"""Calibration of the voice branch, by cross-fitting: no measured clip has a part in it.

Each training fold is scored by judges that had not seen it, and the calibration is fitted on these
scores; the judges that ship then learn from all of the folds. The network beside the judges is left
out of these scores, as it is in `recipes.voice_clone.folds`: it has a tenth of the shipped score.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from avdetect.branches.voice_clone import VoiceCloneBranch
from avdetect.calibration import Calibration
from eval.manifest.folds import fold_split
from eval.manifest.leaks import refuse_leaks
from eval.manifest.row import ManifestRow
from eval.metrics import cllr, min_cllr
from eval.protocol import Protocol
from recipes.calibrate import fit_calibration
from recipes.datasets.voices import is_fake
from recipes.voice_clone.evaluate import score_rows
from recipes.voice_clone.rows import measurable, shipped_split
from recipes.voice_clone.samples import MEASURED_THROUGH, ClipStatistics
from recipes.voice_clone.settings import StatisticsSettings
from recipes.voice_clone.statistics import fit, judge, samples_of

FITTED_ON = "training folds, each scored by judges that had not seen it"


def out_of_fold_calibration(
    rows: Sequence[ManifestRow],
    protocol: Protocol,
    measured: Mapping[str, ClipStatistics],
    settings: StatisticsSettings,
) -> Calibration:
    """Calibration from out-of-fold scores of the training folds, as recorded and by telephone.

    Args:
        rows: all clips; those of measured folds, and what shares a name with them, play no part.
        protocol: gives the training folds.
        measured: statistics of every clip of the training folds.
        settings: of the judges.

    Raises:
        LeakError: a fold shares what the protocol holds out with those its judges learned from.
    """
    training, _ = shipped_split(measurable(rows, protocol), protocol)
    scores: list[float] = []
    labels: list[int] = []
    clips: Counter[bool] = Counter()
    folds = protocol.roles["train"]
    for fold in folds:
        others = [other for other in folds if other != fold]
        taught, test = fold_split(training, protocol, fold, training_folds=others)
        refuse_leaks([*taught, *test], protocol.held_out, name=f"calibration without {fold}")
        samples = samples_of(taught, measured)
        head = fit(samples, samples.labels, settings)
        for channel in MEASURED_THROUGH:
            for row in test:
                score = judge(head, measured[row.id], channel)
                if score is not None:
                    scores.append(score)
                    labels.append(int(is_fake(row)))
        clips.update(is_fake(row) for row in test)
    # A clip heard through two channels is still one clip: it supports no longer odds.
    return replace(fit_calibration(scores, labels), limit=math.log(min(clips.values())))


def calibration_figures(
    branch: VoiceCloneBranch,
    sets: Mapping[str, Sequence[ManifestRow]],
    calibrations: Mapping[str, Calibration],
) -> dict[str, dict[str, dict[str, float]]]:
    """Cllr of each calibration beside minCllr, in bits, by set and channel, on measured clips."""
    table: dict[str, dict[str, dict[str, float]]] = {}
    for name, rows in sets.items():
        for channel in MEASURED_THROUGH:
            trials = score_rows(branch, rows, channel)
            bits = {
                key: cllr(trials.labels, [calibration.fake_llr(s) for s in trials.scores])
                for key, calibration in calibrations.items()
            }
            bits["min_cllr_bits"] = min_cllr(trials.labels, trials.scores)
            table.setdefault(name, {})[channel] = {k: round(v, 3) for k, v in bits.items()}
    return table
