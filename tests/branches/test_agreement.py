"""Curves of agreement over offsets, from similarities whose best offset is known."""

import numpy as np
import pytest
import torch

from avdetect.branches.agreement import OffsetSums, agree


def _agree(offset, first_frames=(0,), height=0.5, noise=0.0, known=None):
    rng = np.random.default_rng(0)
    similarity = torch.from_numpy(rng.normal(0, noise, (len(first_frames), 30, 31)))
    similarity[:, :, 15 + offset] += height
    told = torch.ones(similarity.shape, dtype=torch.bool) if known is None else known
    return agree(similarity, told, np.array(first_frames))


def test_late_sound_is_positive_seconds_with_its_distance_and_confidence():
    facts = _agree(3).sums.facts()
    assert facts["av_offset_s"] == pytest.approx(0.12)
    assert facts["sync_distance"] == pytest.approx(1.0)  # of unit vectors at a cosine of 0.5
    assert facts["sync_confidence"] == pytest.approx(2.0**0.5 - 1.0)
    assert _agree(-5).sums.facts()["av_offset_s"] == pytest.approx(-0.2)


def test_two_observations_vote_for_one_offset():
    weak, strong = _agree(-8, height=0.1).sums, _agree(4, height=0.6).sums
    total = OffsetSums.total([weak, strong])
    assert total.best_offset() == 4
    assert (total.count == 60).all()
    assert total.mean_distance()[15 - 8] < total.mean_distance()[15]


def test_noise_leads_by_less_than_a_peak():
    assert _agree(0, height=0.0, noise=0.3).sums.lead() < _agree(2, noise=0.3).sums.lead() / 2


def test_an_offset_without_sound_has_no_distance_and_is_never_found():
    known = torch.ones(1, 30, 31, dtype=torch.bool)
    known[:, :, 20:] = False
    sums = _agree(10, known=known).sums
    assert np.isnan(sums.mean_distance()[20:]).all()
    assert sums.best_offset() < 5
    assert np.isfinite(list(sums.facts().values())).all()


def test_nothing_heard_is_no_lead_and_no_confidence():
    sums = _agree(0, known=torch.zeros(1, 30, 31, dtype=torch.bool)).sums
    assert sums.lead() == 0.0
    assert sums.facts() == {"av_offset_s": -0.6, "sync_distance": 0.0, "sync_confidence": 0.0}


def test_overlapping_windows_give_each_frame_one_row_of_means():
    found = _agree(3, first_frames=(5, 15))
    assert found.frame_index.tolist() == list(range(5, 45))
    assert found.similarity[:, 18] == pytest.approx(0.5)
    assert found.summed().sums is found.sums
    assert len(found.summed().similarity) == 0
