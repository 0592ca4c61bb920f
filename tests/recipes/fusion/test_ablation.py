"""The ablation takes out what it says, and shows what that was worth."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from avdetect.fusion.subjects import FACE, SYNC, VOICE
from avdetect.nn.fusion_network import FusionNetwork
from recipes.fusion.ablation import ablation, blind
from recipes.fusion.items import FUSED, Item
from recipes.fusion.rows import Sample

SETTINGS = {
    "seed": 0, "width": 16, "heads": 2, "dropout": 0.0, "learning_rate": 5e-3,
    "weight_decay": 0.0, "epochs": 12, "batch_size": 32, "modality_dropout": 0.3,
    "validation_share": 0.25,
}  # fmt: skip
WIDTH, ROWS = 4, 3


def item(number: int) -> Item:
    """Fake if odd: 1, 5, … known by sync tokens alone, 3, 7, … by voice tokens alone."""
    rng = np.random.default_rng(number)
    out_of_sync, voice_fake = int(number % 4 == 1), int(number % 4 == 3)
    fake = out_of_sync + voice_fake
    packed = []
    for name in FUSED:
        rows = rng.normal(0.0, 0.3, (1, ROWS, WIDTH + 4)).astype(np.float32)
        rows[..., -1] = 1.0  # present
        if name in (SYNC, VOICE):
            rows[..., 0] += 2.0 * (out_of_sync if name == SYNC else voice_fake) - 1.0
        packed.append(rows)
    labels = {
        "fake": fake, "audio_fake": voice_fake, "video_fake": 0, "out_of_sync": out_of_sync,
    }  # fmt: skip
    return Item(
        sample=Sample(
            file=str(number), group=str(number // 8), windows=[],
            variant="foreign" if fake else "real",
        ),
        llrs={name: float(rng.normal()) for name in (VOICE, FACE, SYNC)},
        packed=packed,
        labels=labels,
    )  # fmt: skip


@pytest.fixture(scope="module")
def figures():
    return ablation([item(number) for number in range(640)], SETTINGS)


def test_tokens_that_alone_know_are_missed(figures):
    assert figures["whole"]["all branches"]["auc"] > 0.95
    assert figures["no_sync_tokens"]["all branches"]["auc"] < 0.9
    assert figures["no_sync_tokens"]["all branches, less whole"]["high"] < 0.0
    assert figures["late"]["all branches, less whole"]["high"] < 0.0


def test_a_missing_branch_is_a_trained_case(figures):
    for name in (SYNC, VOICE):  # what the one left sees, it still finds
        assert figures["whole"][f"no {name}"]["auc"] > 0.95
        assert figures["whole"][f"no {name}"]["n"] == 120  # fakes of the gone one are no test


def test_measured_identities_are_of_their_own(figures):
    assert figures["whole"]["all branches"]["n"] == 160
    assert set(figures) == {
        "whole", "no_cross_attention", "no_sync_tokens", "no_modality_dropout", "late",
    }  # fmt: skip


def test_a_blind_network_reads_each_branch_by_itself():
    torch.manual_seed(0)
    network = FusionNetwork(dict.fromkeys(FUSED, WIDTH), width=16, heads=2).eval()
    torch.nn.init.normal_(network.heads.weight)
    seen = []
    network.read.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[1]))
    rows = [torch.from_numpy(part) for part in item(1).packed]
    changed = [rows[0] + 1.0, *rows[1:]]
    changed[0][..., -1] = 1.0

    blind(network)
    for inputs in (rows, changed):
        network(*inputs)

    same = torch.isclose(seen[0], seen[1]).all(-1)[0]
    assert same.tolist() == [False] * ROWS + [True] * (2 * ROWS)
