from dataclasses import replace

import numpy as np
import pytest
import torch

from avdetect.branches.base import BranchOutput
from avdetect.branches.visual_forgery import (
    VisualForgeryBranch,
    build_networks,
    build_visual_forgery,
    judged_rows,
)
from avdetect.checkpoint import Checkpoint, ModelCard
from avdetect.errors import CheckpointError
from avdetect.nn.face_network import pin_backbone, read_face_config
from avdetect.nn.fixed_batch import CPU_BATCH, run_fixed
from avdetect.nn.image_encoder import FaceForgeryConfig, FaceForgeryNet, mask_of
from avdetect.nn.trained_state import trained_state
from avdetect.observation import FaceWindow, Observation
from avdetect.types import Part, Segment
from tests.nn.tiny_vision_models import save_tiny_vision

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

    assert output.missing == "face 0 is 31 px large, 48 px needed"
    assert len(output.scores) == 0


def test_turned_face_is_absent_with_its_angle(branch):
    [[output]] = branch.run([seen(a_face(track=3, yaw_deg=-71.0))])

    assert output.missing == "face 3 is turned 71 degrees, at most 45 can be judged"


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
    absent = BranchOutput.absent(Part(face_track=0), "face 0 is 31 px large, 48 px needed", 16)

    pooled = branch.pool(
        Part(face_track=0), [rows([1.0, 3.0]), absent, rows([5.0, 7.0, 9.0], start_s=3.0)]
    )

    assert pooled.score == pytest.approx(5.0)
    assert pooled.segment is not None
    assert (pooled.segment.start_s, pooled.segment.end_s) == pytest.approx((0.0, 3.6))
    assert pooled.missing is None


def test_pool_without_rows_tells_why(branch):
    absent = BranchOutput.absent(Part(face_track=0), "face 0 is 31 px large, 48 px needed", 16)

    pooled = branch.pool(Part(face_track=0), [absent])

    assert pooled.score is None
    assert pooled.missing == "face 0 is 31 px large, 48 px needed"


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


TEMPORAL = {**CONFIG, "temporal": {"width": 16, "heads": 2}}


def temporal_checkpoint(weight):
    """The frame network of `a_checkpoint` with a head whose last layer has that weight."""
    torch.manual_seed(1)
    head = build_networks(TEMPORAL).head
    torch.nn.init.constant_(head.score.weight, weight)
    plain = a_checkpoint(TEMPORAL)
    state = {f"temporal.{name}": tensor for name, tensor in head.state_dict().items()}
    return replace(plain, state={**plain.state, **state})


def talking(n_frames=100, **changes):
    landmarks = np.random.default_rng(3).uniform(0, 200, (n_frames, 478, 2)).astype(np.float32)
    return a_face(n_frames=n_frames, landmarks=landmarks, **changes)


def test_without_a_head_it_is_the_frame_network_bit_for_bit(branch):
    face = a_face(n_frames=33)
    [[output]] = branch.run([seen(face)])

    net = FaceForgeryNet(FaceForgeryConfig.from_table(CONFIG)).eval()
    net.load_state_dict(a_checkpoint().state)
    crops = torch.from_numpy(face.faces[::5])

    def batch(faces):
        said = net(faces.permute(0, 3, 1, 2).float() / 255.0)
        return said.token, said.score, mask_of(said.mask_logits)

    tokens, scores, maps = run_fixed(batch, crops, CPU_BATCH)
    assert np.array_equal(output.tokens, tokens.numpy())
    assert np.array_equal(output.scores, scores.numpy())
    assert np.array_equal(output.maps, maps.numpy())


def test_a_head_that_says_nothing_changes_nothing(branch):
    silent = build_visual_forgery(temporal_checkpoint(0.0), torch.device("cpu"))

    [[plain]] = branch.run([seen(talking())])
    [[output]] = silent.run([seen(talking())])

    assert np.array_equal(output.segments, plain.segments)
    assert np.allclose(output.scores, plain.scores, atol=1e-5)
    assert np.allclose(output.maps, plain.maps, atol=1e-5)


def test_the_head_adds_one_number_to_each_second(branch):
    heard = build_visual_forgery(temporal_checkpoint(0.3), torch.device("cpu"))

    [[plain]] = branch.run([seen(talking())])
    [[output]] = heard.run([seen(talking())])

    added = (output.scores - plain.scores).reshape(4, 5)
    assert np.allclose(added, added[:, :1], atol=1e-5)
    assert np.abs(np.diff(added[:, 0])).min() > 1e-4
    assert np.allclose(output.tokens, plain.tokens, atol=1e-5)


def test_the_head_sees_frames_between_the_judged_ones():
    heard = build_visual_forgery(temporal_checkpoint(0.3), torch.device("cpu"))
    face = talking(n_frames=25)
    flickering = face.faces.copy()
    flickering[7] = 0  # not on the grid of five

    [[output]] = heard.run([seen(face)])
    [[changed]] = heard.run([seen(replace(face, faces=flickering))])

    assert not np.array_equal(output.scores, changed.scores)


def test_too_few_pictures_are_judged_by_frames_alone(branch):
    heard = build_visual_forgery(temporal_checkpoint(0.3), torch.device("cpu"))
    still = seen(a_face(n_frames=1), end_s=0.0, is_still=True)
    frozen = seen(talking(frame_s=np.zeros(100)))  # one picture for four seconds
    for each in (still, frozen, seen(talking(n_frames=7))):
        [[plain]], [[output]] = branch.run([each]), heard.run([each])
        assert np.allclose(output.scores, plain.scores, atol=1e-5)


def test_rows_with_a_head_do_not_depend_on_company():
    heard = build_visual_forgery(temporal_checkpoint(0.3), torch.device("cpu"))
    lone, other = talking(n_frames=40), talking(n_frames=63, track=1, seed=5)

    [[alone]] = heard.run([seen(lone)])
    [_, [_, beside]] = heard.run([seen(other), seen(other, lone)])

    assert np.array_equal(alone.scores, beside.scores)


@pytest.mark.parametrize("config", [CONFIG, {**CONFIG, "temporal": {"widths": 16}}])
def test_a_head_and_its_card_must_agree(config):
    wrong = temporal_checkpoint(0.0)
    wrong = replace(wrong, card=replace(wrong.card, config=config))
    with pytest.raises(CheckpointError, match="visual_forgery-test: weights and card differ"):
        build_visual_forgery(wrong, torch.device("cpu"))


def test_a_vision_model_takes_the_frame_networks_place(tmp_path):
    path = save_tiny_vision("dinov2", tmp_path)
    table = {"token_width": 12, "backbone": {"path": path, "tune": "layer-norm"}}
    digest = pin_backbone(read_face_config(table)).backbone.weights_sha256
    table["backbone"]["weights_sha256"] = digest
    net = build_networks(table).frames
    checkpoint = replace(a_checkpoint(table), state=trained_state(net))

    branch = build_visual_forgery(checkpoint, torch.device("cpu"))
    [[output]] = branch.run([seen(a_face(n_frames=11))])

    assert branch.token_width == output.tokens.shape[1] == 12
    assert output.maps.shape == (3, 28, 28)
    save_tiny_vision("dinov2", tmp_path, seed=1)
    with pytest.raises(CheckpointError, match="other weights"):
        build_visual_forgery(checkpoint, torch.device("cpu"))


CONTRAST = {**CONFIG, "contrast": True}


def contrast_checkpoint():
    """The frame network of `a_checkpoint` with a reading of its map."""
    torch.manual_seed(2)
    contrast = build_networks(CONTRAST).contrast
    torch.nn.init.normal_(contrast.weight)
    state = {f"contrast.{name}": tensor for name, tensor in contrast.state_dict().items()}
    plain = a_checkpoint(CONTRAST)
    return replace(plain, state={**plain.state, **state}), contrast.eval()


def test_frames_of_a_video_are_judged_by_the_contrast_of_their_map():
    checkpoint, contrast = contrast_checkpoint()
    contrasting = build_visual_forgery(checkpoint, torch.device("cpu"))
    face = a_face(n_frames=33)
    net = FaceForgeryNet(FaceForgeryConfig.from_table(CONFIG)).eval()
    net.load_state_dict(a_checkpoint().state)

    [[output]] = contrasting.run([seen(face)])

    crops = torch.from_numpy(face.faces[::5]).permute(0, 3, 1, 2).float() / 255.0
    with torch.inference_mode():
        wanted = contrast(net(crops).mask_logits)
    assert np.allclose(output.scores, wanted.numpy(), atol=1e-4)


def test_a_still_picture_is_judged_as_a_whole(branch):
    contrasting = build_visual_forgery(contrast_checkpoint()[0], torch.device("cpu"))
    still = seen(a_face(n_frames=1), end_s=0.0, is_still=True)
    clip = seen(a_face(n_frames=33, track=1))

    [[plain]] = branch.run([still])
    [[alone]], [[beside], _] = contrasting.run([still]), contrasting.run([still, clip])

    assert np.array_equal(alone.scores, plain.scores)
    assert np.array_equal(beside.scores, plain.scores)


def test_a_contrast_and_its_card_must_agree():
    checkpoint = contrast_checkpoint()[0]
    wrong = replace(checkpoint, card=replace(checkpoint.card, config=CONFIG))
    with pytest.raises(CheckpointError, match="weights and card differ"):
        build_visual_forgery(wrong, torch.device("cpu"))
