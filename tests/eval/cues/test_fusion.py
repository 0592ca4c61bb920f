"""Cues join the verdict only where they are seen to help it."""

from __future__ import annotations

import numpy as np

from avdetect.cues import CUES
from avdetect.cues.base import Medium
from eval.cues.fusion import gain
from eval.cues.gather import CueRow
from eval.cues.material import Sample
from eval.manifest.row import ManifestRow

CUE = CUES["exposure"]


def population(*, told_by_cue: float, n: int = 240):
    """Samples with verdicts that know a little, and one cue that knows ``told_by_cue``."""
    rng = np.random.default_rng(3)
    samples, rows, verdicts = [], [], {}
    for k in range(n):
        fake = k % 2
        name = f"clip{k}"
        row = ManifestRow(
            id=name,
            path=name,
            label="fake" if fake else "real",
            video_label="fake" if fake else "real",
            identity=f"person{k // 2 % 40}",
        )
        samples.append(
            Sample(row=row, medium=Medium.VIDEO, fold=f"fold{k // 2 % 4}", group=row.person)
        )
        features = rng.normal(size=len(CUE.features))
        features[0] += told_by_cue * fake
        rows.append(
            CueRow(
                cue=CUE.name,
                medium=Medium.VIDEO,
                id=name,
                features=tuple(features),
                missing="",
                cpu_s=0.0,
                media_s=1.0,
            )
        )
        verdicts[name] = 0.5 * float(rng.normal() + (0.7 if fake else -0.7))
    return samples, {CUE.name: rows}, verdicts


def test_a_cue_that_knows_more_is_seen_to_help():
    found = gain(Medium.VIDEO, *population(told_by_cue=2.5))
    assert found.helps
    assert found.auc_gain[1] > 0.0
    assert found.says[CUE.name] > 0.1


def test_a_cue_that_knows_nothing_gets_no_say():
    found = gain(Medium.VIDEO, *population(told_by_cue=0.0))
    assert not found.helps
    assert abs(found.auc_gain[0]) < 0.02


def test_clips_that_the_verdict_did_not_judge_are_left_out():
    samples, rows, verdicts = population(told_by_cue=2.5)
    judged = dict(list(verdicts.items())[:100])
    found = gain(Medium.VIDEO, samples, rows, judged)
    assert found.n_real + found.n_fake == 100


def test_too_few_clips_tell_nothing():
    samples, rows, verdicts = population(told_by_cue=2.5)
    assert gain(Medium.VIDEO, samples, rows, dict(list(verdicts.items())[:6])) is None
