"""Figures that steps are chosen by, on a store made by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from avdetect.branches.voice_front_ends import build_voice_net, front_end
from avdetect.nn.voice_net import VoiceNet
from eval.manifest.row import ManifestRow
from recipes.datasets.voices import VoiceStore
from recipes.voice_clone.development import Development, Scored
from tests.recipes.voice_clone.test_batches import KIND, make_stores

CONFIG = {
    "front_end": "spectrogram",
    "head": "attentive",
    "width": 16,
    "token_width": 8,
    "dropout": 0.0,
    "frame_width": 8,
}


@pytest.fixture
def development(tmp_path: Path) -> Development:
    stores = make_stores(tmp_path)
    rows = []
    for name in ("bona_a", "bona_b", "spoof_c"):
        coded = VoiceStore(tmp_path / "clean").path("channel_0", name)
        coded.parent.mkdir(exist_ok=True)
        coded.write_bytes(stores[0].path("clean", name).read_bytes())
        fake = name.startswith("spoof")
        rows.append(
            ManifestRow(
                id=name,
                path=f"{name}.flac",
                label="fake" if fake else "real",
                generator="G" if fake else "",
            )
        )
    return Development(rows, stores, {"bona_a": [KIND], "bona_b": [KIND]})


def net() -> VoiceNet:
    torch.manual_seed(0)
    return build_voice_net(CONFIG)


def test_twins_stand_beside_their_originals(development: Development) -> None:
    scored = development.score(net(), front_end(CONFIG).inputs)
    assert set(scored) == {"clean", "coded"}
    assert scored["clean"].real.shape == (2,)
    assert scored["clean"].generated.shape == (1,)
    assert scored["clean"].twins.shape == (2, 2)
    originals = scored["clean"].twins[:, 0]
    assert torch.allclose(originals, scored["clean"].real, atol=1e-5)


def test_the_figure_steps_are_chosen_by_is_the_mean_of_all_areas(development: Development) -> None:
    found = development.figures(net(), front_end(CONFIG).inputs)
    areas = [value for name, value in found.items() if name.startswith("auc_")]
    assert len(areas) == 5
    assert found["auc"] == pytest.approx(sum(areas) / 5)


def test_scored_sets_are_ranked_as_they_should() -> None:
    scored = Scored(
        real=torch.tensor([0.0, 1.0]),
        generated=torch.tensor([2.0, 0.5]),
        twins=torch.tensor([[0.0, 1.0], [3.0, 2.0]]),
    )
    assert scored.figures() == {"auc_fakes": 0.75, "auc_twins": 0.5, "ranked": 0.5}
