"""The JPEG layer against the JPEG codec, and its gradients."""

import cv2
import numpy as np
import pytest
import torch

from avdetect.channels.picture_codecs import jpeg
from avdetect.defence.fidelity import psnr_db
from avdetect.errors import ShapeError
from avdetect.nn.soft_jpeg import SoftJpeg
from tests.paths import SAMPLES


def portrait(side_px: int = 200) -> np.ndarray:
    picture = cv2.imread(str(SAMPLES / "portrait_real.jpg"))[:, :, ::-1]
    return np.ascontiguousarray(picture[40 : 40 + side_px, 130 : 130 + side_px])


def as_batch(picture: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255.0


@pytest.mark.parametrize("quality", [30, 75, 95])
def test_it_loses_what_the_codec_loses(quality):
    picture = portrait(192)
    coded = jpeg(picture, quality)
    with torch.no_grad():
        drawn = SoftJpeg()(as_batch(picture), quality)[0].permute(1, 2, 0).numpy()
    layer = np.rint(drawn * 255.0).astype(np.uint8)
    assert psnr_db(coded, layer) > psnr_db(picture, coded) + 3.0


def test_sides_need_not_be_whole_blocks():
    picture = as_batch(portrait(200))[..., :37, :51]
    assert SoftJpeg()(picture, 60).shape == picture.shape


def test_gradients_pass_the_rounding():
    picture = as_batch(portrait(32)).requires_grad_(True)
    SoftJpeg()(picture, 50).sum().backward()
    assert picture.grad is not None
    assert picture.grad.abs().mean() > 0.1


def test_another_shape_is_refused():
    with pytest.raises(ShapeError, match="pictures"):
        SoftJpeg()(torch.zeros(1, 1, 16, 16), 50)
