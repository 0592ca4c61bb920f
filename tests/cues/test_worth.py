"""A cue's LLR is linear in the features it was fitted on, and bounded by its evidence."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from avdetect.checkpoint import Checkpoint, ModelCard
from avdetect.cues import CUES
from avdetect.cues.base import Medium
from avdetect.cues.worth import LinearLlr, read_worths
from avdetect.errors import CheckpointError

K = len(CUES["exposure"].features)


def checkpoint(features=CUES["exposure"].features, **changed) -> Checkpoint:
    numbers = {
        "mean": [1.0] * K,
        "deviation": [2.0] * K,
        "weights": [1.0] + [0.0] * (K - 1),
        "offset": [0.25],
        "limit": [3.0],
        "say": [0.5],
        "figures": [0.8, 0.7, 0.9, 0.5, 0.1, 0.3, 40.0, 50.0],
    } | changed
    state = {f"exposure/video/{key}": torch.tensor(value) for key, value in numbers.items()}
    card = ModelCard(
        name="cues-test",
        role="cues",
        summary="",
        licence="",
        weights_sha256="",
        config={"features": {"exposure": list(features)}},
        facts={},
    )
    return Checkpoint(card=card, state=state, calibration=None)


def test_llr_is_the_weighted_sum_of_standardised_features():
    worth = read_worths(checkpoint(), CUES)["exposure", Medium.VIDEO]
    assert worth.model.fake_llr((3.0, 9.0, 9.0)) == pytest.approx(1.25)
    assert (worth.n_real, worth.n_fake, worth.say) == (40, 50, 0.5)
    assert worth.separates


def test_llr_claims_no_more_than_its_evidence_however_far_a_feature_lies():
    model = LinearLlr(
        mean=np.zeros(1), deviation=np.ones(1), weights=np.ones(1), offset=0.0, limit=3.0
    )
    assert model.fake_llr((1e9,)) == 3.0
    assert model.fake_llr((-1e9,)) == -3.0


def test_a_cue_that_was_not_surely_better_than_chance_does_not_separate():
    figures = [0.55, 0.45, 0.65, 0.5, 0.4, 0.5, 40.0, 50.0]
    assert not read_worths(checkpoint(figures=figures), CUES)["exposure", Medium.VIDEO].separates


def test_a_cue_measured_on_few_clips_of_a_class_does_not_separate():
    figures = [0.95, 0.9, 0.99, 0.5, 0.1, 0.1, 400.0, 6.0]
    assert not read_worths(checkpoint(figures=figures), CUES)["exposure", Medium.VIDEO].separates


def test_a_cue_that_the_look_of_sources_explains_does_not_separate():
    figures = [0.74, 0.61, 0.87, 0.65, 0.4, 0.3, 140.0, 90.0]
    assert not read_worths(checkpoint(figures=figures), CUES)["exposure", Medium.VIDEO].separates


def test_other_features_than_it_was_fitted_on_are_refused():
    with pytest.raises(CheckpointError, match=r"recipes\.cues\.train"):
        read_worths(checkpoint(features=("brightness",)), CUES)


def test_what_holds_no_cues_is_refused():
    broken = checkpoint()
    del broken.state["exposure/video/limit"]
    with pytest.raises(CheckpointError, match="not a checkpoint of cues"):
        read_worths(broken, CUES)
