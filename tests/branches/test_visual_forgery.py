from dataclasses import replace

import numpy as np
import pytest
import torch

from avdetect.branches.base import BranchOutput
from avdetect.branches.visual_forgery import (
    VisualForgeryBranch,
    build_visual_forgery,
    judged_rows,
)
from avdetect.checkpoint import Checkpoint, ModelCard
from avdetect.errors import CheckpointError
from avdetect.nn.image_encoder import FaceForgeryConfig, FaceForgeryNet
from avdetect.observation import FaceWindow, Observation
from avdetect.types import Part, Segment

CONFIG = {"widths": [8, 8, 8, 8], "depths": [0, 0, 0, 1], "token_width": 16, "n_learned": 2}


def a_checkpoint(config=None):
    torch.manual_seed(0)
    net = FaceForgeryNet(FaceForgeryConfig.from_table(CONFIG))
    card = ModelCard(
        name="visual_forgery-test",
        role="visual_forgery",
        summary="",
        licence="Apache-2.0",
        weights_sha256="",
        config=config or CONFIG,
        facts={},
    )
    return Checkpoint(card=card, state=net.state_dict(), calibration=None)


@pytest.fixture(scope="module")
def branch():
    return build_visual_forgery(a_checkpoint(), torch.device("cpu"))


def a_face(first=0, n_frames=100, track=0, seed=0, **changes):
    index = np.arange(first, first + n_frames)
    rng = np.random.default_rng(seed)
    face = FaceWindow(
        track=track,
        shot=0,
        frame_index=index,
        frame_s=index / 25,
        faces=rng.integers(0, 256, (n_frames, 224, 224, 3), np.uint8),
        mouths=np.zeros((n_frames, 96, 96), np.uint8),
        boxes=np.zeros((n_frames, 4), np.float32),
        landmarks=np.zeros((n_frames, 478, 2), np.float32),
        size_px=160.0,
        yaw_deg=5.0,
    )
    return replace(face, **changes)


def seen(*faces, start_s=0.0, end_s=4.0, fresh_s=None, is_still=False):
    fresh = Segment(start_s if fresh_s is None else fresh_s, end_s)
    return Observation(segment=Segment(start_s, end_s), fresh=fresh, faces=faces, is_still=is_still)


def test_five_rows_a_second_on_the_clips_grid(branch):
    [[output]] = branch.run([seen(a_face())])

    assert output.part == Part(face_track=0)
    assert np.allclose(output.segments[:, 0], np.arange(20) * 0.2)
    assert np.allclose(output.segments[:, 1] - output.segments[:, 0], 0.2)
    assert output.tokens.shape == (20, branch.token_width)
    assert output.scores.dtype == np.float32


def test_overlap_is_judged_once():
    first = judged_rows(a_face(0, 100), seen(end_s=4.0))
    second_face = a_face(75, 100)
    second = judged_rows(second_face, seen(start_s=3.0, end_s=7.0, fresh_s=4.0))

    times = [*(first / 25), *(second_face.frame_index[second] / 25)]
    assert np.allclose(times, np.arange(35) * 0.2)


def test_frames_off_the_grid_still_give_one_row():
    face = a_face(first=6, n_frames=3)  # frames 6, 7, 8: none on the grid of five

    assert judged_rows(face, seen()).tolist() == [0]


def test_small_face_is_absent_with_its_size(branch):
    [[output]] = branch.run([seen(a_face(size_px=31.0))])

    assert output.missing == "face 0 is 31 px wide, 48 px needed"
    assert len(output.scores) == 0


def test_turned_face_is_absent_with_its_angle(branch):
    [[output]] = branch.run([seen(a_face(track=3, yaw_deg=-71.0))])

    assert output.missing == "face 3 is turned 71 degrees, at most 60 can be judged"


def test_no_face_gives_an_empty_list(branch):
    assert branch.run([seen(), seen()]) == [[], []]


def test_rows_do_not_depend_on_company(branch):
    lone, other = a_face(n_frames=11, seed=1), a_face(n_frames=33, track=1, seed=2)

    [[alone]] = branch.run([seen(lone)])
    together = branch.run([seen(other), seen(a_face(size_px=9.0), lone, other)])

    assert np.array_equal(alone.scores, together[1][1].scores)
    assert np.array_equal(alone.tokens, together[1][1].tokens)
    assert np.array_equal(together[0][0].scores, together[1][2].scores)


def test_masks_cover_the_crop_within_bounds(branch):
    [[output]] = branch.run([seen(a_face(n_frames=25))])

    assert output.maps.shape == (5, 28, 28)
    assert output.maps.dtype == np.float32
    assert 0.0 < output.maps[:, 3:-3, 3:-3].min() < output.maps.max() < 1.0
    assert output.maps.sum() == output.maps[:, 3:-3, 3:-3].sum()  # the rim is not looked at


def test_each_row_has_the_map_of_its_own_frame(branch):
    first, second = a_face(n_frames=11, seed=1), a_face(n_frames=11, track=1, seed=2)

    [[alone]] = branch.run([seen(second)])
    [[_, beside]] = branch.run([seen(first, second)])

    assert np.allclose(alone.maps, beside.maps, atol=1e-6)
    assert not np.allclose(alone.maps[0], alone.maps[1], atol=1e-3)


def rows(scores, weight=1.0, start_s=0.0):
    n = len(scores)
    start = start_s + np.arange(n) * 0.2
    return BranchOutput(
        part=Part(face_track=0),
        segments=np.stack([start, start + 0.2], 1),
        scores=np.array(scores, np.float32),
        tokens=np.zeros((n, 16), np.float32),
        weights=np.full(n, weight, np.float32),
    )


def test_pool_is_the_mean_over_all_frames(branch):
    absent = BranchOutput.absent(Part(face_track=0), "face 0 is 31 px wide, 48 px needed", 16)

    pooled = branch.pool(
        Part(face_track=0), [rows([1.0, 3.0]), absent, rows([5.0, 7.0, 9.0], start_s=3.0)]
    )

    assert pooled.score == pytest.approx(5.0)
    assert pooled.segment is not None
    assert (pooled.segment.start_s, pooled.segment.end_s) == pytest.approx((0.0, 3.6))
    assert pooled.missing is None


def test_pool_without_rows_tells_why(branch):
    absent = BranchOutput.absent(Part(face_track=0), "face 0 is 31 px wide, 48 px needed", 16)

    pooled = branch.pool(Part(face_track=0), [absent])

    assert pooled.score is None
    assert pooled.missing == "face 0 is 31 px wide, 48 px needed"


def test_quality_grows_with_frames_and_face_size(branch):
    part = Part(face_track=0)
    few = branch.pool(part, [rows([0.0])]).quality
    small = branch.pool(part, [rows([0.0] * 25, weight=0.4)]).quality
    full = branch.pool(part, [rows([0.0] * 25)]).quality

    assert 0.0 < few < small < full == 1.0


def test_still_picture_is_judged_at_low_quality(branch):
    picture = seen(a_face(n_frames=1), end_s=0.0, is_still=True)

    [[output]] = branch.run([picture])
    pooled = branch.pool(output.part, [output])

    assert pooled.score is not None
    assert pooled.quality < 0.1


def test_weights_of_another_layout_are_refused():
    with pytest.raises(CheckpointError, match="visual_forgery-test"):
        build_visual_forgery(a_checkpoint({**CONFIG, "widths": [8, 8, 8, 16]}), torch.device("cpu"))


def test_branch_is_named_for_the_bundle(branch):
    assert isinstance(branch, VisualForgeryBranch)
    assert branch.name == "visual_forgery"
