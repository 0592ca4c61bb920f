"""Fakes unlike all known ones: less is claimed of what sounds human, and it shows in Cllr."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from eval.out_of_fold import OutOfFold
from recipes.voice_clone import unknown_share


@pytest.fixture
def scored(monkeypatch):
    """A pool that is told apart, and newer fakes that sound as human speech does."""
    monkeypatch.setattr(unknown_share, "is_fake", lambda row: row.fake)
    monkeypatch.setattr("recipes.out_of_fold.is_fake", lambda row: row.fake)
    entries, truth = [], {}
    for n in range(80):
        fake = n % 2 == 1
        name = f"pool {n}"
        truth[name] = SimpleNamespace(fake=fake)
        score = (2.0 if fake else -2.0) + 1.5 * ((n * 7) % 11 - 5) / 5
        fold = f"fold {n % 4 // 2}"
        entries.append(OutOfFold(procedure="pool", id=name, fold=fold, score=score))
    for n in range(20):
        name = f"new {n}"
        truth[name] = SimpleNamespace(fake=n % 2 == 1)
        entries.append(OutOfFold(procedure="modern_unseen", id=name, fold="modern", score=-2.0))
    return entries, truth


def test_unknown_fakes_cost_less_and_known_ones_a_little(scored):
    sure, open_to_more = (unknown_share.cllr_by_share(*scored, share) for share in (0.0, 0.3))
    assert open_to_more["modern_unseen"] < sure["modern_unseen"]
    assert open_to_more["pool"] > sure["pool"]
