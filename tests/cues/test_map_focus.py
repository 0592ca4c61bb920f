"""Maps that keep to one region are told from maps that wander, and their place is named."""

import numpy as np
import pytest

from avdetect.cues.face_parts import PARTS, part_masks
from avdetect.cues.map_focus import CUE, iinc
from eval.metrics.masks import iinc as published_iinc
from tests.cues.meshes import face_window, observations, read, still_meshes
from tests.cues.test_embedding_drift import rows


def reading_of(map_at, seconds=6.0):
    seen = observations(face_window(still_meshes(round(25 * seconds))))
    outputs = [{"visual_forgery": [rows(each, lambda moment: np.ones(4), map_at)]} for each in seen]
    return read(CUE, seen, outputs)


def named(found):
    return dict(zip(CUE.features, found.features, strict=True))


def part_map(name, level=0.8):
    return np.where(part_masks()[name], level, 0.02).astype(np.float32)


def wandering(moment):
    drawn = np.full((28, 28), 0.02, np.float32)
    rng = np.random.default_rng(round(1000 * moment))
    row, column = rng.integers(3, 19, 2)
    drawn[row : row + 6, column : column + 6] = 0.8
    return drawn


@pytest.mark.parametrize("name", PARTS)
def test_the_part_that_is_marked_is_named(name):
    (found,) = reading_of(lambda moment: part_map(name)).measurements()
    values = named(found)
    assert max(PARTS, key=lambda part: values[f"log_{part}_over_face"]) == name
    assert f"most at the {name}" in found.text


def test_a_region_that_stays_agrees_with_itself():
    (found,) = reading_of(lambda moment: part_map("mouth")).measurements()
    assert named(found)["iinc_over_time"] == 0.0
    assert named(found)["agreement_over_time"] == pytest.approx(1.0)


def test_a_region_that_wanders_does_not():
    (stays,) = reading_of(lambda moment: part_map("mouth")).measurements()
    (wanders,) = reading_of(wandering).measurements()
    assert named(wanders)["iinc_over_time"] > 0.4 > named(stays)["iinc_over_time"]
    assert named(wanders)["agreement_over_time"] < 0.5


def test_an_even_map_is_not_concentrated():
    def even(moment):
        return np.full((28, 28), 0.3, np.float32)

    (flat,) = reading_of(even).measurements()
    (sharp,) = reading_of(lambda moment: part_map("eyes")).measurements()
    assert named(flat)["concentration"] == pytest.approx(0.1, abs=0.01)
    assert named(sharp)["concentration"] > 0.5
    assert named(flat)["log_odds_level"] == pytest.approx(np.log(0.3 / 0.7), abs=0.01)


def test_iinc_is_the_published_one():
    rng = np.random.default_rng(0)
    for share in (0.0, 0.05, 0.3, 0.9):
        first, second = rng.random((2, 16, 16)) < share
        assert iinc(first, second) == pytest.approx(published_iinc(first, second))
    empty = np.zeros((16, 16), bool)
    assert iinc(empty, ~empty) == pytest.approx(published_iinc(empty, ~empty))


def test_the_figure_shows_nobody_and_is_small():
    (picture,) = reading_of(lambda moment: part_map("mouth")).figures()
    assert picture.shows_person is False
    assert picture.pixels.shape == (280, 280, 3) and picture.pixels.dtype == np.uint8
    bright = picture.pixels.sum(2)
    assert bright[185, 140] > bright[40, 40]


def test_a_branch_without_maps_gives_no_measurement_but_a_reason():
    seen = observations(face_window(still_meshes(100)))
    outputs = [{"visual_forgery": [rows(each, lambda moment: np.ones(4))]} for each in seen]
    (found,) = read(CUE, seen, outputs).measurements()
    assert found.missing is not None and "maps" in found.missing


def test_without_the_branch_the_cue_abstains():
    (found,) = read(CUE, observations(face_window(still_meshes(100)))).measurements()
    assert found.missing is not None and "visual-forgery" in found.missing
