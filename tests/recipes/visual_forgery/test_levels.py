"""Figures by level: the same twins everywhere, and real ones that a level makes look forged."""

import numpy as np
import pytest

import recipes.visual_forgery.levels as module
from avdetect.calibration import Calibration
from recipes.forge.faces import KINDS, forge
from recipes.forge.twins import ForgedPicture
from recipes.visual_forgery.figures import Judged
from recipes.visual_forgery.levels import level_figures
from tests.recipes.forge.drawn_faces import drawn_material

PLAIN = Calibration(scale=1.0, offset=0.0, limit=9.0)


class DrawnSource:
    def __init__(self, kinds, *, held_out):
        assert held_out

    def forge(self, rng, kind):
        material = drawn_material(int(rng.integers(2**20)))
        return ForgedPicture(
            twins=forge(kind, material, rng), landmarks=material.face.landmarks, group="drawn",
            index=int(rng.integers(2**20)),
        )  # fmt: skip


class OnePersonAPicture:
    def of(self, twin):
        return str(twin.index)


@pytest.fixture(autouse=True)
def drawn(monkeypatch):
    monkeypatch.setattr(module, "TwinSource", DrawnSource)
    monkeypatch.setattr(module, "TwinPeople", OnePersonAPicture)


def detail(crops):
    """A judge that calls fake what lacks fine detail: real ones too, once a blur took it."""
    found = [float(np.abs(np.diff(crop.astype(float), axis=1)).mean()) for crop in crops]
    scores = 4.5 - np.array(found)
    return Judged(scores, scores, np.zeros((len(crops), 22, 22), np.float32))


def test_a_blur_takes_what_the_judge_looks_at():
    figures = level_figures(detail, ["blur_1.5px", "gamma_0.7"], 4, PLAIN)

    assert figures["n_pairs"] == 4 * len(KINDS)
    assert figures["as made"]["real_twins_above_0"] < 0.2
    assert figures["blur_1.5px"]["real_twins_above_0"] == 1.0
    assert figures["blur_1.5px"]["off"] == pytest.approx(
        figures["blur_1.5px"]["auc"] - figures["as made"]["auc"], abs=0.0011
    )
    assert figures["blur_1.5px"]["off"] < figures["gamma_0.7"]["off"]
    assert set(figures["by_kind_as_made"]) == set(KINDS)


def test_an_unknown_level_is_refused():
    with pytest.raises(KeyError, match="h264_crf_99"):
        level_figures(detail, ["h264_crf_99"], 1, PLAIN)
