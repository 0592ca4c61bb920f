"""The fitted reading finds the place that is forged, whatever the whole map's level."""

import numpy as np
import torch

import recipes.visual_forgery.contrast as module
from eval.metrics import auc
from recipes.calibrate import fit_calibration
from recipes.forge.twins import TwinCrops
from recipes.visual_forgery.contrast import fit_contrast, level_stills, local_maps
from recipes.visual_forgery.figures import Judged


def maps(n, seed, spread=2.0):
    """Real and forged maps; each recording has a level of its own, forgeries a marked mouth."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    found = rng.normal(0.0, 1.0, (n, 22, 22)) + rng.normal(0.0, spread, (n, 1, 1))
    found[labels == 1, 12:18, 7:15] += 1.5
    return found.astype(np.float32), labels


def test_it_reads_the_mouth_and_not_the_level():
    contrast = fit_contrast(*maps(200, 0))
    held, labels = maps(200, 1, spread=3.0)

    with torch.inference_mode():
        scores = contrast(torch.from_numpy(held)).numpy()

    assert auc(labels, scores) > 0.97
    assert auc(labels, held.mean((1, 2))) < 0.75  # the level alone says next to nothing
    weight = (contrast.weight - contrast.weight.mean()).detach()
    assert weight[12:18, 7:].mean() > 4 * weight[:6].abs().mean()


def test_pictures_forged_as_a_whole_are_left_out(monkeypatch):
    class Source:
        def __init__(self, kinds, *, held_out, poor_share):
            assert not held_out
            assert poor_share == 0.5

        def draw(self, rng, kind):
            crop = np.zeros((224, 224, 3), np.uint8)
            share = 1.0 if rng.random() < 0.5 else 0.2
            mask = (np.arange(224)[:, None] < 224 * share) * np.ones((224, 224), np.float32)
            return TwinCrops(real=crop, fake=crop, mask=mask, kind=kind, group="drawn", index=0)

    monkeypatch.setattr(module, "TwinSource", Source)

    def judge(crops):
        blank = np.zeros(len(crops))
        return Judged(blank, blank, np.zeros((len(crops), 22, 22), np.float32))

    found, scores, labels = local_maps(judge, ["lip_box", "redrawn"], 30, poor_share=0.5)

    assert 30 < len(labels) < 90  # of 120 with whole pictures
    assert labels.mean() == 0.5
    assert len(found) == len(scores) == len(labels)


def test_a_score_of_the_whole_comes_to_claim_as_much_as_the_map():
    found, labels = maps(200, 0)
    contrast = fit_contrast(found, labels)
    rng = np.random.default_rng(2)
    scores = 7.0 + 0.1 * (labels + rng.normal(0.0, 0.5, len(labels)))  # of some other scale

    level_stills(contrast, found, scores, labels)

    with torch.inference_mode():
        read = contrast(torch.from_numpy(found)).double().numpy()
        whole = contrast.of_still(torch.from_numpy(scores)).numpy()
    of_map = fit_calibration(read, labels)  # one calibration serves both
    llrs = np.array([[of_map.scale * s + of_map.offset for s in part] for part in (read, whole)])
    own = fit_calibration(scores, labels)
    assert np.allclose(llrs[1], [own.scale * s + own.offset for s in scores], atol=1e-4)
