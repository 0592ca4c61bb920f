"""Trembling and flicker are measured as made; what a head does by itself is none."""

import numpy as np
import pytest

from avdetect.cues.steadiness import CUE, LEAST_S, jitter
from tests.cues.meshes import face_window, observations, read, still_meshes


def moving(n=150, scale=1.0):
    """A head that sways, nears and rolls, and does not tremble."""
    time_s = np.arange(n) / 25
    meshes = still_meshes(n) - 130.0
    angle, size = 0.2 * np.sin(2 * time_s), 1.0 + 0.2 * np.sin(time_s)
    turn = np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], 1)
    turned = np.einsum("tij,tpj->tpi", turn.reshape(-1, 2, 2), meshes) * size[:, None, None]
    turned[..., 0] += 30 * np.sin(1.5 * time_s)[:, None]
    return scale * (turned + 200.0)


def found(meshes, crops=None):
    reading = read(CUE, observations(face_window(meshes, crops=crops)))
    (measurement,) = reading.measurements()
    return measurement


def textured(n=150, flicker=0.0, seed=0):
    rng = np.random.default_rng(seed)
    ground = rng.integers(60, 190, (224, 224, 3)).astype(np.float64)
    crops = np.repeat(ground[None], n, 0)
    crops[:, 56:176, 64:160] *= (1.0 + flicker * rng.standard_normal(n))[:, None, None, None]
    return np.clip(crops, 0, 255).astype(np.uint8)


def test_a_head_that_moves_as_a_whole_does_not_tremble():
    assert jitter(moving()).max() < 1e-9


def test_tremble_is_measured_in_face_sizes():
    trembling = moving() + np.random.default_rng(0).normal(0, 0.3, moving().shape)
    spread = np.sqrt(((trembling[0] - trembling[0].mean(0)) ** 2).sum(1).mean())
    # The second difference of noise has variance 6 along each of the two axes.
    expected = np.sqrt(12.0) * 0.3 / spread
    assert np.sqrt((jitter(trembling) ** 2).mean()) == pytest.approx(expected, rel=0.15)
    assert np.allclose(jitter(4.0 * trembling), jitter(trembling))


def test_more_tremble_is_more_jitter_whatever_the_pictures_size():
    noise = np.random.default_rng(0).normal(0, 1.0, moving().shape)
    little, much = found(moving() + 0.2 * noise), found(moving() + 0.8 * noise)
    large = found(3.0 * (moving() + 0.8 * noise))
    assert much.features[0] - little.features[0] == pytest.approx(np.log10(4.0), abs=0.05)
    assert large.features[0] == pytest.approx(much.features[0], abs=0.01)


def test_an_outline_that_trembles_alone_stands_out():
    noise = np.random.default_rng(0).normal(0, 1.0, moving().shape)
    outline = [10, 338, 297, 284, 251, 389, 356, 454, 127, 162, 21, 54, 103, 67, 109, 234]
    even = moving() + 0.2 * noise
    loose = even.copy()
    loose[:, outline] += noise[:, outline]
    assert found(loose).features[1] > found(even).features[1] + 0.3


def test_a_face_that_flickers_against_its_surround_is_found():
    steady = found(moving(), textured())
    flickering = found(moving(), textured(flicker=0.03))
    assert flickering.features[3] > steady.features[3] + 1.0


def test_a_lamp_that_flickers_on_all_alike_is_no_flicker_of_the_face():
    lamp = 1.0 + 0.03 * np.random.default_rng(3).standard_normal(150)
    lit = (textured() * lamp[:, None, None, None]).clip(0, 255).astype(np.uint8)
    face_alone = textured(flicker=0.03)
    assert found(moving(), lit).features[3] < found(moving(), face_alone).features[3] - 0.5


def test_a_short_clip_abstains_and_a_figure_is_drawn_of_a_long_one():
    n = round(25 * LEAST_S)
    assert found(moving(n - 15)).missing is not None
    (curve,) = read(CUE, observations(face_window(moving()))).figures()
    assert len(curve.x) == len(curve.y) == 148
