import pytest
import torch

from avdetect.errors import ShapeError
from avdetect.nn.offset_curve import (
    MAX_OFFSET_FRAMES,
    best_offset,
    offset_curve,
    offset_heard,
    offset_similarities,
)


def _streams(offset, frames=30, width=24, seed=0):
    """Mouth and speech that agree exactly where the sound is `offset` frames late."""
    generator = torch.Generator().manual_seed(seed)
    speech = torch.randn(1, frames + 2 * MAX_OFFSET_FRAMES, width, generator=generator)
    speech = torch.nn.functional.normalize(speech, dim=2)
    start = MAX_OFFSET_FRAMES + offset
    return speech[:, start : start + frames], speech


@pytest.mark.parametrize("offset", [-15, -4, 0, 1, 9, 15])
def test_late_sound_is_found_with_a_positive_sign(offset):
    mouth, speech = _streams(offset)
    heard = torch.ones(1, 60)
    curve = offset_curve(offset_similarities(mouth, speech), offset_heard(heard))
    assert best_offset(curve).tolist() == [offset]


@pytest.mark.parametrize("offset", [-6, 0, 6])
def test_offset_is_found_where_sound_exists_only_beside_the_mouth(offset):
    mouth, speech = _streams(offset)
    heard = torch.zeros(1, 60)
    heard[:, 15:45] = 1
    curve = offset_curve(offset_similarities(mouth, speech), offset_heard(heard))
    assert best_offset(curve).tolist() == [offset]


def test_similarity_column_holds_its_offset():
    mouth, speech = _streams(4)
    similarity = offset_similarities(mouth, speech)
    assert similarity.shape == (1, 30, 31)
    assert torch.allclose(similarity[0, :, 15 + 4], torch.ones(30), atol=1e-5)
    assert similarity[0, :, 15].mean() < 0.5


def test_frames_near_an_edge_count_nowhere():
    known = offset_heard(torch.ones(1, 60))[0]
    assert not known[:2].any()
    assert not known[-2:].any()
    heard = torch.zeros(1, 60)
    heard[:, 15:45] = 1
    in_step = offset_heard(heard)[0, :, 15]
    assert in_step.tolist() == [False] * 3 + [True] * 25 + [False] * 2


def test_silence_everywhere_gives_a_flat_curve():
    mouth, speech = _streams(0)
    curve = offset_curve(offset_similarities(mouth, speech), offset_heard(torch.zeros(1, 60)))
    assert curve.tolist() == [[0.0] * 31]


def test_noise_prefers_no_offset():
    mouth, _ = _streams(0, seed=1)
    found = []
    for seed in range(300):
        _, other = _streams(0, seed=seed + 2)
        heard = torch.zeros(1, 60)
        heard[:, 15:45] = 1
        curve = offset_curve(offset_similarities(mouth, other), offset_heard(heard))
        found.append(int(best_offset(curve)))
    near = sum(abs(offset) <= 2 for offset in found) / len(found)
    assert near < 0.4  # 5 of 31 offsets would be 0.16 by luck; always 0 would be 1


def test_streams_of_other_lengths_are_refused():
    mouth, speech = _streams(0)
    with pytest.raises(ShapeError, match="speech"):
        offset_similarities(mouth, speech[:, 1:])
