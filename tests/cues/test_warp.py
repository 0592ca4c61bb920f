import cv2
import numpy as np
import pytest

from avdetect.channels.picture_codecs import h264, jpeg
from avdetect.cues.base import ClipFacts, CuePicture, CueTools
from avdetect.cues.regions import LEFT_BROW, RIGHT_BROW, polygon
from avdetect.cues.sharpness import Edges
from avdetect.cues.warp import CUE
from avdetect.faces.align import OUTER_LIPS
from avdetect.media.clip import open_clip
from avdetect.observe import observe
from eval.metrics import auc
from tests.cues.portrait import feature, measured, mesh, read, seen
from tests.cues.textures import softened, texture
from tests.paths import SAMPLES
from tests.shared import requires_shared


def pasted(picture, landmarks, scale):
    """The inner face made smaller and enlarged again, blended into the sharp picture."""
    box = (0, 0, picture.shape[1], picture.shape[0])
    inner = polygon(landmarks, (*LEFT_BROW, *RIGHT_BROW, *OUTER_LIPS), box, grow=1.1)
    soft = cv2.GaussianBlur(inner.astype(np.float32), (0, 0), 2.0)[..., None]
    mixed = soft * softened(picture, scale) + (1.0 - soft) * picture
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("sigma_px", [0.8, 1.5, 2.5])
def test_the_blur_of_edges_is_measured_in_pixels(sigma_px):
    # Borders 40 px apart: what one blurs does not reach the next.
    board = np.kron(np.indices((6, 6)).sum(0) % 2, np.ones((40, 40))).astype(np.float32) * 160 + 40
    blurred = cv2.GaussianBlur(board, (0, 0), sigma_px)
    found = Edges(blurred).blur_px(np.ones(board.shape, bool))
    assert found == pytest.approx(np.hypot(sigma_px, 0.75), rel=0.1)


def test_a_flat_region_has_no_edges():
    assert Edges(np.full((64, 64), 90, np.float32)).blur_px(np.ones((64, 64), bool)) is None


@pytest.mark.parametrize("scale", [0.4, 0.6])
def test_a_face_from_another_size_is_less_sharp_than_its_frame(scale):
    landmarks, picture = mesh(), texture(256, 256, seed=3)
    untouched = measured(CUE, picture, landmarks)
    forged = measured(CUE, pasted(picture, landmarks, scale), landmarks)
    assert untouched.value == pytest.approx(1.0, abs=0.2)
    assert forged.value > 1.3 * untouched.value
    name = "fineness_inner_less_rim"
    assert feature(CUE, forged, name) < feature(CUE, untouched, name) - 0.3


@pytest.mark.parametrize(
    "coded",
    [lambda p: jpeg(p, 90), lambda p: jpeg(p, 75), lambda p: h264(p, 18), lambda p: h264(p, 23)],
    ids=["jpeg-90", "jpeg-75", "h264-18", "h264-23"],
)
def test_the_difference_outlives_coding(coded):
    landmarks, ratios = mesh(), []
    for seed in range(8):
        picture = texture(256, 256, seed=seed)
        ratios.append(measured(CUE, coded(picture), landmarks).value)
        ratios.append(measured(CUE, coded(pasted(picture, landmarks, 0.45)), landmarks).value)
    assert auc([0, 1] * 8, ratios) >= 0.95


def test_a_face_that_fills_its_picture_is_not_compared():
    told = measured(CUE, texture(160, 124), mesh((62.0, 80.0), 120.0))
    assert "fills its picture" in told.missing


def test_a_clip_tells_of_its_typical_second_and_shows_where_detail_is():
    landmarks = mesh()
    pictures = [pasted(texture(seed=k), landmarks, 0.45) for k in range(3)]
    reading = read(CUE, seen(pictures, [landmarks] * 3))
    (told,) = reading.measurements()
    assert told.segment.end_s == 2.0
    assert told.value > 1.3
    (figure,) = reading.figures()
    assert isinstance(figure, CuePicture)
    assert figure.pixels.dtype == np.uint8
    assert max(figure.pixels.shape[:2]) <= 320


def test_a_real_portrait_through_the_engine_is_sharper_than_its_forgery():
    with open_clip(SAMPLES / "portrait_real.jpg") as clip:
        reading = CUE.start(ClipFacts(is_still=True), CueTools())
        seen_by_engine = list(observe(clip, whole_pictures=True))
        for observation in seen_by_engine:
            reading.add(observation, {})
    (told,) = reading.measurements()
    face = seen_by_engine[0].faces[0]
    forged = pasted(seen_by_engine[0].pictures[0].pixels, face.landmarks[0], 0.3)
    again = measured(CUE, forged, face.landmarks[0])
    assert again.value > 1.2 * told.value


@requires_shared
def test_resampled_faces_are_found_among_real_ones():
    from eval.cues.made.warp import figures

    for name, text in figures(10, seed=5):
        assert float(text.split("ratio ")[1].split(",")[0]) > 0.8, name
