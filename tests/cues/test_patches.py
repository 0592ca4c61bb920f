import numpy as np
import pytest

from avdetect.cues.patches import CUE, PATCH_PX, distances, off_the_law, patch_traces
from avdetect.cues.regions import FACE_OVAL, polygon
from eval.metrics import auc, pixel_auc
from tests.cues.portrait import feature, measured, mesh, read, seen
from tests.cues.textures import decoded, jpeg_bytes, texture

LANDMARKS = mesh((160.0, 160.0), 130.0)


def spliced(seed=0, inside=2.0, around=5.0):
    """One scene whose face has noise of another strength than its surround."""
    clean, rng = (
        texture(320, 320, seed=seed, noise=0.0, fall=2.0),
        np.random.default_rng(100 + seed),
    )
    face = polygon(LANDMARKS, FACE_OVAL, (0, 0, 320, 320))
    strength = np.where(face, inside, around)[..., None]
    noisy = clean + strength * rng.standard_normal(clean.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8), face


def test_noise_of_one_pipeline_lies_on_its_law():
    told = measured(CUE, spliced(inside=5.0)[0], LANDMARKS)
    assert told.value == pytest.approx(1.0, abs=0.12)


@pytest.mark.parametrize(("inside", "around"), [(2.0, 5.0), (5.0, 2.5)])
def test_a_face_of_another_camera_lies_off_the_law_of_its_surround(inside, around):
    told = measured(CUE, spliced(inside=inside, around=around)[0], LANDMARKS)
    assert told.value == pytest.approx(inside / around, rel=0.25)


def test_pasted_faces_are_told_from_whole_pictures_through_jpeg():
    scores = []
    for seed in range(8):
        for inside in (5.0, 2.0):
            picture = decoded(jpeg_bytes(spliced(seed, inside)[0], 95))
            scores.append(feature(CUE, measured(CUE, picture, LANDMARKS), "log_distance"))
    assert auc([0, 1] * 8, scores) >= 0.95


def test_the_map_shows_which_patches_are_foreign():
    picture, face = spliced()
    traces, law, usable = patch_traces(picture)
    rows, columns = usable.shape
    share = face[: rows * PATCH_PX, : columns * PATCH_PX]
    share = share.reshape(rows, PATCH_PX, columns, PATCH_PX).mean(axis=(1, 3))
    off, spread = off_the_law(traces, law, usable & (share < 0.05))
    clear = (share > 0.9) | (share < 0.05)
    far = distances(off / spread)[clear]
    assert pixel_auc((share > 0.9)[clear][None], far[None]) > 0.9


def test_a_face_without_surround_abstains():
    told = measured(CUE, texture(180, 150), mesh((75.0, 90.0), 136.0))
    assert "too few" in told.missing


def test_the_figure_is_a_map_over_the_picture():
    (figure,) = read(CUE, seen([spliced()[0]], [LANDMARKS])).figures()
    assert figure.pixels.ndim == 3
    assert max(figure.pixels.shape[:2]) <= 320
