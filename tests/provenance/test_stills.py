"""Sealed photographs: saved again, painted over, cropped, exchanged."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from avdetect.errors import UnreadableMediaError
from avdetect.provenance.verification import FindingKind, Outcome
from tests.provenance.clips import moving, sealed, verified
from tests.synth import photograph


@pytest.fixture
def picture() -> np.ndarray:
    return cv2.resize(moving(0.1, seed=4, side=256)[0], (512, 384))


def saved(path, picture, quality):
    cv2.imwrite(str(path), picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return path


def test_a_photograph_saved_again_is_re_encoded(picture, tmp_path):
    seal = sealed(photograph(tmp_path / "a.png", picture))
    result = verified(saved(tmp_path / "b.jpg", picture, 60), seal)
    assert result.outcome is Outcome.RE_ENCODED


def test_a_smaller_copy_is_re_encoded(picture, tmp_path):
    seal = sealed(photograph(tmp_path / "a.png", picture))
    small = cv2.resize(picture, (256, 192), interpolation=cv2.INTER_AREA)
    assert verified(saved(tmp_path / "b.jpg", small, 80), seal).outcome is Outcome.RE_ENCODED


def test_a_painted_part_is_found_where_it_is(picture, tmp_path):
    seal = sealed(photograph(tmp_path / "a.png", picture))
    picture[96:192, 256:384] = picture[96:192, 256:384][::-1] // 2 + 60
    result = verified(saved(tmp_path / "b.jpg", picture, 75), seal)
    assert result.outcome is Outcome.EDITED
    (finding,) = result.findings
    assert finding.kind is FindingKind.ALTERED
    region = finding.region
    assert (region.left, region.right) == pytest.approx((0.5, 0.75), abs=0.06)
    assert (region.top, region.bottom) == pytest.approx((0.25, 0.5), abs=0.06)


def test_a_change_of_colour_alone_is_found(picture, tmp_path):
    seal = sealed(photograph(tmp_path / "a.png", picture))
    picture[96:192, 256:384] = picture[96:192, 256:384][..., [2, 0, 1]]
    assert verified(photograph(tmp_path / "b.png", picture), seal).outcome is Outcome.EDITED


def test_a_cropped_photograph_says_that_its_shape_changed(picture, tmp_path):
    seal = sealed(photograph(tmp_path / "a.png", picture))
    result = verified(photograph(tmp_path / "b.png", picture[:, :300]), seal)
    assert result.outcome in (Outcome.EDITED, Outcome.UNRELATED)
    assert "512x384 px and is 300x384 now" in result.notes[0]


def test_another_photograph_is_not_what_was_sealed(picture, tmp_path):
    seal = sealed(photograph(tmp_path / "a.png", picture))
    other = np.random.default_rng(0).integers(0, 256, picture.shape, dtype=np.uint8)
    assert verified(photograph(tmp_path / "b.png", other), seal).outcome is Outcome.UNRELATED


def test_a_cut_off_photograph_is_refused(picture, tmp_path):
    path = saved(tmp_path / "a.jpg", picture, 90)
    path.write_bytes(path.read_bytes()[:-4000])
    with pytest.raises(UnreadableMediaError, match="cut off"):
        sealed(path)
