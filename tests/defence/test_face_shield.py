"""Shields over a real photograph, against random but real networks."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from avdetect.channels.picture_codecs import jpeg
from avdetect.defence.face_patch import crop_face, cut_patch
from avdetect.defence.face_shield import Effort, compose, find_changes
from avdetect.defence.fidelity import psnr_db
from avdetect.defence.pictures import find_faces, read_photograph
from avdetect.faces.align import align_face
from tests.defence.shields import small_identity
from tests.paths import SAMPLES

PORTRAIT = SAMPLES / "portrait_real.jpg"
BRIEF = Effort(n_steps=12)


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    return read_photograph(PORTRAIT)


@pytest.fixture(scope="module")
def mesh(portrait) -> np.ndarray:
    (landmarks,) = find_faces(portrait).landmarks
    return landmarks


@pytest.fixture(scope="module")
def encoders():
    return [small_identity(0), small_identity(1)]


@pytest.fixture(scope="module")
def changes(portrait, mesh, encoders):
    return find_changes(portrait, [mesh], encoders, least_psnr_db=35.0, effort=BRIEF)


def seen_by(net, picture, mesh) -> torch.Tensor:
    side = net.config.side_px
    crop = cv2.resize(align_face(picture, mesh), (side, side), interpolation=cv2.INTER_AREA)
    return net(torch.from_numpy(crop).permute(2, 0, 1)[None].float() / 255.0)


def test_the_bound_holds_in_the_face_and_over_the_picture(portrait, changes):
    shielded = compose(portrait, changes, 35.0)
    left, top, right, bottom = changes[0].patch.box
    square = np.s_[top:bottom, left:right]
    assert psnr_db(portrait[square], shielded.picture[square]) >= 35.0
    assert shielded.least_face_psnr_db == psnr_db(portrait[square], shielded.picture[square])
    assert shielded.psnr_db >= shielded.least_face_psnr_db


def test_outside_of_the_faces_not_a_pixel_changes(portrait, changes):
    shielded = compose(portrait, changes, 35.0).picture
    left, top, right, bottom = changes[0].patch.box
    outside = np.ones(portrait.shape[:2], bool)
    outside[top:bottom, left:right] = False
    assert outside.any()
    assert np.array_equal(portrait[outside], shielded[outside])


@pytest.mark.parametrize("quality", [None, 75])
def test_what_the_encoders_see_turns_away_and_stays_so_through_jpeg(
    portrait, mesh, encoders, changes, quality
):
    shielded = compose(portrait, changes, 35.0).picture
    for net in encoders:
        plain = portrait if quality is None else jpeg(portrait, quality)
        sent = shielded if quality is None else jpeg(shielded, quality)
        clean = seen_by(net, portrait, mesh)
        unshielded = float((clean * seen_by(net, plain, mesh)).sum())
        assert float((clean * seen_by(net, sent, mesh)).sum()) < unshielded - 1e-4


def test_the_same_seed_gives_the_same_shield(portrait, mesh, encoders, changes):
    again = find_changes(portrait, [mesh], encoders, least_psnr_db=35.0, effort=BRIEF)
    assert torch.equal(again[0].change, changes[0].change)


def test_a_file_format_that_costs_too_much_is_told(portrait, changes):
    assert compose(portrait, changes, 45.0, lambda picture: jpeg(picture, 20)) is None


def test_the_differentiable_crop_is_the_engines_crop(portrait, mesh):
    patch = cut_patch(portrait, mesh)
    crop = crop_face(patch.pixels, patch.to_crop, 64)[0].permute(1, 2, 0).numpy() * 255.0
    engines = cv2.resize(align_face(portrait, mesh), (64, 64), interpolation=cv2.INTER_AREA)
    assert psnr_db(np.rint(crop).astype(np.uint8), engines) > 25.0


def test_a_face_outside_of_the_picture_has_no_patch(portrait, mesh):
    assert cut_patch(portrait, mesh + 10_000.0) is None


def test_a_picture_on_its_side_is_read_upright(tmp_path, portrait):
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees clockwise to show
    path = tmp_path / "turned.jpg"
    Image.fromarray(np.rot90(portrait).copy()).save(path, exif=exif, quality=95)
    upright = read_photograph(path)
    assert psnr_db(portrait, upright) > 30.0
    assert len(find_faces(upright).landmarks) == 1


def test_every_face_of_a_large_group_picture_is_found(portrait):
    row = np.hstack([portrait, portrait[:, ::-1], portrait])
    large = cv2.resize(row, None, fx=1.7, fy=1.7, interpolation=cv2.INTER_CUBIC)
    found = find_faces(large)
    assert len(found.landmarks) == 3
    centres = sorted(float(points[:, 0].mean()) / large.shape[1] for points in found.landmarks)
    assert centres[0] < 0.34 < centres[1] < 0.67 < centres[2]
