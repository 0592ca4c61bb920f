import cv2
import numpy as np
import pytest

import recipes.forge.twins as module
from recipes.datasets.faces import Faces
from recipes.forge.face_swap import SwappedFaces
from recipes.forge.picture_channel import PictureChannel, apply_channel
from recipes.forge.twins import TwinSource
from tests.recipes.forge.drawn_faces import drawn_face

KINDS = {"self_blend": 1.0, "other_moment": 1.0, "redrawn": 1.0, "cross_blend": 1.0, "swapped": 1.0}


def drawn_group(group):
    faces = [drawn_face(seed) for seed in range(8)]
    return Faces(
        pictures=np.stack([face.picture for face in faces]),
        landmarks=np.stack([face.landmarks for face in faces]),
        clip=np.repeat(np.arange(4), 2),
        rows=[{"identity": "", "source_repo": f"{group}/{n % 2}"} for n in range(4)],
    )


def drawn_swaps(group, known=(False, True)):
    drawn = np.stack([cv2.resize(p, (64, 64)) for p in drawn_group(group).pictures])
    return SwappedFaces(drawn, np.resize(known, 8))


@pytest.fixture
def source(monkeypatch):
    monkeypatch.setattr(module, "load_faces", drawn_group)
    monkeypatch.setattr(
        module,
        "load_redrawn",
        lambda group, _: np.stack(
            [cv2.GaussianBlur(p, (0, 0), 1.5) for p in drawn_group(group).pictures]
        ),
    )
    monkeypatch.setattr(module, "load_swapped", drawn_swaps)
    return TwinSource(KINDS, held_out=False)


def test_both_twins_go_through_one_channel(source, monkeypatch):
    used = []

    def spy(channel, picture, after):
        used.append(channel)
        return apply_channel(channel, picture, after)

    monkeypatch.setattr(module, "apply_channel", spy)
    rng = np.random.default_rng(0)
    for _ in range(6):
        source.draw(rng)

    assert len(used) == 12
    assert used[0::2] == used[1::2]
    assert len(set(used)) == 6


@pytest.mark.parametrize("kind", KINDS)
def test_crops_differ_only_where_the_mask_says(source, monkeypatch, kind):
    monkeypatch.setattr(module, "draw_channel", lambda _: PictureChannel())
    twins = [source.draw(np.random.default_rng(seed), kind) for seed in range(4)]

    for pair in twins:
        assert np.array_equal(pair.real[pair.mask == 0], pair.fake[pair.mask == 0])
    assert any((pair.real != pair.fake).any() for pair in twins)


@pytest.mark.parametrize("kind", ["self_blend", "redrawn", "other_moment"])
def test_a_poor_past_is_in_both_twins_and_leaves_the_forgery_where_it_was(
    source, monkeypatch, kind
):
    poor = TwinSource(KINDS, held_out=False, poor_share=1.0)
    monkeypatch.setattr(module, "draw_channel", lambda _: PictureChannel())
    good = drawn_group("any").pictures
    for seed in range(4):
        twins = poor.forge(np.random.default_rng(seed), kind).twins
        outside = twins.mask == 0

        assert not any(np.array_equal(twins.real, picture) for picture in good)
        assert np.array_equal(twins.real[outside], twins.fake[outside])
        assert (twins.real != twins.fake).any()


@pytest.mark.parametrize("kind", ["self_blend", "redrawn", "other_moment"])
def test_twins_of_a_moving_video_follow_another_moment_forged_alike(source, kind):
    moving = TwinSource(KINDS, held_out=False, moving_share=1.0)
    pictures = drawn_group("any").pictures
    followed = 0
    for seed in range(8):
        pair = moving.forge(np.random.default_rng(seed), kind)
        alone = source.forge(np.random.default_rng(seed), kind)
        assert alone.earlier is None
        if pair.earlier is None:  # the other picture that was drawn is the very same
            continue
        followed += 1
        sibling = pictures[pair.index ^ 1]
        changed = (pair.earlier.fake != sibling).any(axis=-1)
        assert np.array_equal(pair.earlier.real, sibling)
        assert changed.any() and not changed[pair.earlier.mask == 0].any()
    assert 0 < followed < 8


def test_each_twin_is_predicted_from_its_own_earlier_moment(source, monkeypatch):
    moving, seen = TwinSource(KINDS, held_out=False, moving_share=1.0), []
    monkeypatch.setattr(module, "draw_channel", lambda _: PictureChannel(h264_crf=32))
    monkeypatch.setattr(
        module,
        "apply_channel",
        lambda channel, picture, after: seen.append((channel, after)) or picture,
    )
    for seed in range(6):
        moving.draw(np.random.default_rng(seed), "self_blend")
    pairs = list(zip(seen[0::2], seen[1::2], strict=True))
    followed = [(real, fake) for real, fake in pairs if real[1] is not None]
    assert followed
    for (channel, before_real), (_, before_fake) in followed:
        assert channel.h264_predicted
        assert (before_real != before_fake).any()


def test_light_twins_go_through_light_channels(source, monkeypatch):
    light = TwinSource(KINDS, held_out=False, light_share=1.0)
    monkeypatch.setattr(module, "draw_channel", None)
    monkeypatch.setattr(module, "draw_light_channel", lambda _: PictureChannel())

    pair = light.draw(np.random.default_rng(0), "self_blend")

    assert np.array_equal(pair.real[pair.mask == 0], pair.fake[pair.mask == 0])


def test_a_swapped_face_has_no_earlier_moment(source):
    moving = TwinSource(KINDS, held_out=False, moving_share=1.0)

    assert moving.forge(np.random.default_rng(0), "swapped").earlier is None


def test_same_seed_same_twins(source):
    first, second = (next(source.stream(7)) for _ in range(2))

    assert np.array_equal(first.fake, second.fake)
    assert first.kind == second.kind


def test_only_faces_that_a_decoder_drew_are_swapped(source):
    rng = np.random.default_rng(0)

    assert all(source.draw(rng, "swapped").index % 2 for _ in range(12))


def test_a_fold_without_swapped_faces_is_refused(source, monkeypatch):
    monkeypatch.setattr(module, "load_swapped", lambda group: drawn_swaps(group, (False,)))

    with pytest.raises(ValueError, match="swapped"):
        TwinSource(KINDS, held_out=False)
