"""What is measured becomes a checkpoint that speaks where it was right, and is silent elsewhere."""

from __future__ import annotations

import numpy as np
import pytest

from avdetect.checkpoint import load_checkpoint
from avdetect.cues import CUES
from avdetect.cues.base import Medium
from avdetect.cues.worth import read_worths
from eval.cues import command
from eval.cues.gather import write_rows
from recipes.cues import train
from tests.eval.cues.test_fusion import population

CUE = CUES["exposure"]


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """Measures a made population with a cue that knows so much, trains on it, loads the result."""

    def ship(told_by_cue: float):
        samples, rows, verdicts = population(told_by_cue=told_by_cue)
        monkeypatch.setattr(command, "ROWS", tmp_path / "rows")
        for module in (command, train):
            monkeypatch.setattr(module, "OUT", tmp_path / "results")
        monkeypatch.setattr(command, "verdicts_of", lambda medium, results: verdicts)
        monkeypatch.setattr(train, "shared_root", lambda: tmp_path)
        made = {Medium.VIDEO: samples}
        monkeypatch.setattr(train, "samples", lambda medium, root: made.get(medium, []))
        monkeypatch.setattr("recipes.export.MODELS", tmp_path / "models")
        monkeypatch.setenv("AVDETECT_MODELS", str(tmp_path / "models"))
        write_rows(tmp_path / "rows" / "video" / "exposure.csv", CUE, rows["exposure"])
        command.score_medium(Medium.VIDEO, samples)
        train.main("cues-made")
        (tmp_path / "models" / "default.toml").write_text("[checkpoints]\n")
        checkpoint = load_checkpoint("cues-made")
        return checkpoint, read_worths(checkpoint, CUES)["exposure", Medium.VIDEO], rows

    return ship


def test_a_cue_that_knows_speaks_has_a_say_and_points_the_right_way(shipped):
    checkpoint, worth, _ = shipped(2.5)
    assert worth.separates and worth.say > 0.0
    assert checkpoint.card.config["enters_verdict"] is True
    k = len(CUE.features)
    assert worth.model.fake_llr((3.0, *[0.0] * (k - 1))) > 0.5
    assert worth.model.fake_llr((-1.0, *[0.0] * (k - 1))) < -0.5
    assert (worth.n_real, worth.n_fake) == (120, 120)


def test_a_cue_that_knows_nothing_claims_nothing_and_has_no_say(shipped):
    checkpoint, worth, rows = shipped(0.0)
    assert not worth.separates and worth.say == 0.0
    assert checkpoint.card.config["enters_verdict"] is False
    claims = [abs(worth.model.fake_llr(row.features)) for row in rows["exposure"]]
    assert np.median(claims) < 0.2
