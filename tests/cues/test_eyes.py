import cv2
import numpy as np
import pytest

from avdetect.channels.picture_codecs import h264
from avdetect.cues.base import ClipFacts, CuePicture, CueTools
from avdetect.cues.eyes import CUE, cut_iris, highlight_overlap, iris_px, roundness
from avdetect.cues.faces import face_moments
from avdetect.media.clip import open_clip
from avdetect.observe import observe
from tests.cues.portrait import feature, measured, mesh, read, seen
from tests.paths import SAMPLES

LANDMARKS = mesh((200.0, 200.0), 240.0)  # irises of 24 px
_CENTRES = [LANDMARKS[index] for index in (468, 473)]
_SUB = 4  # bits of a fraction of a pixel, for drawing


def drawn(highlights, *, pupil=(0.4, 0.4), landmarks=LANDMARKS, side=400):
    """Two eyes; ``highlights`` holds a list of (x, y, r) an eye, all in iris radii."""
    picture = np.full((side, side, 3), (200, 160, 140), np.uint8)
    radius = iris_px(moment(picture, landmarks), 0) / 2
    for index, marks in zip((468, 473), highlights, strict=True):
        x, y = landmarks[index]
        _disc(picture, x, y, (2.0 * radius, 1.4 * radius), (235, 230, 228))
        _disc(picture, x, y, (radius, radius), (95, 75, 60))
        _disc(picture, x, y, (pupil[0] * radius, pupil[1] * radius), (18, 16, 16))
        for dx, dy, r in marks:
            at = (x + dx * radius, y + dy * radius)
            _disc(picture, *at, (r * radius, r * radius), (250, 250, 250))
    return cv2.GaussianBlur(picture, (0, 0), 0.6)


def _disc(picture, x, y, radii, colour):
    place = (round((x - 0.5) * 2**_SUB), round((y - 0.5) * 2**_SUB))
    scale = 2**_SUB
    points = [
        (place[0] + radii[0] * scale * np.cos(a), place[1] + radii[1] * scale * np.sin(a))
        for a in np.linspace(0, 2 * np.pi, 64)
    ]
    cv2.fillPoly(picture, [np.round(points).astype(np.int32)], colour, cv2.LINE_AA, _SUB)


def moment(picture, landmarks=LANDMARKS):
    return next(iter(face_moments(seen([picture], [landmarks]))))


_SAME = [(-0.3, -0.3, 0.22)]


def test_the_same_lamp_in_both_eyes_overlaps():
    told = measured(CUE, drawn([_SAME, _SAME]), LANDMARKS)
    assert told.value > 70.0
    assert feature(CUE, told, "highlight_in_both") == 1.0


def test_lamps_at_other_places_do_not_overlap():
    told = measured(CUE, drawn([_SAME, [(0.4, 0.3, 0.22)]]), LANDMARKS)
    assert told.value < 10.0


def test_a_lamp_in_one_eye_alone_is_said():
    told = measured(CUE, drawn([_SAME, []]), LANDMARKS)
    assert told.text.startswith("a highlight is seen in one eye and not in the other")
    assert "no highlight" in measured(CUE, drawn([[], []]), LANDMARKS).text


def test_agreement_outlives_video_coding():
    same = measured(CUE, h264(drawn([_SAME, _SAME]), 23), LANDMARKS)
    other = measured(CUE, h264(drawn([_SAME, [(0.4, 0.3, 0.22)]]), 23), LANDMARKS)
    assert same.value > other.value + 40.0


def test_a_ragged_pupil_is_less_of_an_ellipse():
    picture = drawn([[], []])
    round_eye = cut_iris(moment(picture), 0)
    ragged = picture.copy()
    x, y = _CENTRES[0]
    for dx, dy in ((0.45, 0.1), (-0.2, 0.45), (0.1, -0.5)):
        _disc(ragged, x + dx * 12, y + dy * 12, (2.6, 2.6), (18, 16, 16))
    assert roundness(round_eye) > 0.85
    assert roundness(cut_iris(moment(ragged), 0)) < roundness(round_eye) - 0.08


def test_an_overlap_forgives_a_shift_of_a_tenth_of_an_iris():
    mask = np.zeros((48, 48), bool)
    mask[18:24, 18:24] = True
    assert highlight_overlap(mask, np.roll(mask, (4, -4), axis=(0, 1))) == 1.0
    assert highlight_overlap(mask, np.roll(mask, (16, 0), axis=(0, 1))) == 0.0
    assert highlight_overlap(mask, np.zeros_like(mask)) == 0.0


@pytest.mark.parametrize("width", [60.0, 90.0])
def test_small_irises_abstain_with_their_size(width):
    landmarks = mesh((128.0, 128.0), width)
    told = measured(CUE, drawn([[], []], landmarks=landmarks, side=256), landmarks)
    assert f"irises of {0.1 * width:.1f} px, 10 px needed" in told.missing


def test_closed_eyes_abstain():
    landmarks = LANDMARKS.copy()
    for upper, lower in ((159, 145), (386, 374)):
        landmarks[upper] = landmarks[lower] - (0.0, 3.0)
    assert "closed" in measured(CUE, drawn([_SAME, _SAME]), landmarks).missing


def test_an_eye_outside_the_picture_abstains():
    picture = drawn([_SAME, _SAME])[:, : int(_CENTRES[1][0])]
    assert "outside the picture" in measured(CUE, picture, LANDMARKS).missing


def test_the_figure_shows_both_irises_over_their_highlights():
    (figure,) = read(CUE, seen([drawn([_SAME, _SAME])], [LANDMARKS])).figures()
    assert isinstance(figure, CuePicture)
    height = figure.pixels.shape[0] // 2
    assert (figure.pixels[height:] == 255).all(axis=2).any()


def test_a_real_portrait_is_measured_or_told_why_not():
    with open_clip(SAMPLES / "portrait_real.jpg") as clip:
        reading = CUE.start(ClipFacts(is_still=True), CueTools())
        for observation in observe(clip, whole_pictures=True):
            reading.add(observation, {})
    (told,) = reading.measurements()
    assert told.features or "px needed" in told.missing or "closed" in told.missing
