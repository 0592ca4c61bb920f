"""The pulse of a known rate is found, by what patches share and not by what they do not."""

import numpy as np
import pytest

from avdetect.cues.face_series import FaceSeries
from avdetect.cues.pulse import CUE, LEAST_S, _draw
from avdetect.cues.skin import N_PATCHES, SKIN, patch_colours
from eval.cues.made.pulse import measured
from tests.cues.meshes import face_window, observations, read, still_meshes


def crops(seconds, bpm, *, depth=0.02, phases=None, seed=0, level=130.0):
    """(T, 224, 224, 3) grainy crops whose patches of skin beat, each in its own phase."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(round(25 * seconds)) / 25
    phases = np.zeros(N_PATCHES) if phases is None else phases
    grain = rng.normal(0, 3.0, (224, 224, 3))
    faces = np.empty((len(time_s), 224, 224, 3), np.uint8)
    for picture, moment in zip(faces, time_s, strict=True):
        light = 1.0 + 0.02 * np.sin(2 * np.pi * 0.25 * moment)
        colours = np.full((224, 224, 3), level) * light + np.roll(grain, rng.integers(224), 1)
        for (_, (left, top, right, bottom)), phase in zip(SKIN, phases, strict=True):
            beat = depth * np.cos(2 * np.pi * bpm / 60 * moment + phase)
            colours[top:bottom, left:right] *= 1.0 + beat * np.array([0.43, 1.0, 0.69])
        picture[:] = np.clip(colours, 0, 255)
    return faces


def found(faces):
    face = face_window(still_meshes(len(faces)), crops=faces)
    reading = read(CUE, observations(face))
    (measurement,) = reading.measurements()
    return measurement, reading


@pytest.mark.slow
@pytest.mark.parametrize(("bpm", "fps"), [(58.0, 25.0), (77.0, 30000 / 1001), (121.0, 25.0)])
def test_the_rate_of_a_real_video_is_within_five_beats(bpm, fps):
    measurement = measured(bpm, np.random.default_rng(int(bpm)), seconds=10.0, fps=fps)
    assert measurement.missing is None
    assert measurement.value == pytest.approx(bpm, abs=5.0)
    assert measurement.features[0] > 0.0  # more power in the beat than beside it


@pytest.mark.slow
def test_the_least_duration_is_enough_and_less_abstains():
    rng = np.random.default_rng(4)
    assert measured(83.0, rng, seconds=LEAST_S + 0.2).value == pytest.approx(83.0, abs=5.0)
    short = measured(83.0, rng, seconds=LEAST_S - 1.0)
    assert short.missing is not None and f"{LEAST_S:.0f} s needed" in short.missing


@pytest.mark.parametrize("bpm", [50.0, 72.0, 140.0])
def test_one_beat_in_all_patches_is_one_pulse(bpm):
    measurement, reading = found(crops(10.0, bpm))
    snr, coherence, elsewhere, agreeing, _ = measurement.features
    assert measurement.value == pytest.approx(bpm, abs=2.0)
    assert coherence > 0.9 > elsewhere and agreeing == 1.0 and snr > 0.0
    (curve,) = reading.figures()
    assert curve.marks[0] == pytest.approx(bpm, abs=2.0)
    assert curve.x[curve.y.argmax()] == pytest.approx(bpm, abs=3.0)


def test_patches_that_beat_apart_do_not_cohere():
    phases = np.arange(N_PATCHES) * 2 * np.pi / N_PATCHES
    apart, _ = found(crops(10.0, 72.0, phases=phases))
    together, _ = found(crops(10.0, 72.0))
    assert apart.features[1] < together.features[1] - 0.2


def test_a_mask_without_a_pulse_has_no_peak():
    mask, _ = found(crops(10.0, 72.0, depth=0.0))
    beating, _ = found(crops(10.0, 72.0))
    assert mask.features[0] < 0.0 < beating.features[0]
    assert mask.features[3] < 0.75


def test_a_dark_face_abstains():
    dark, reading = found(crops(8.0, 72.0, level=12.0))
    assert dark.missing is not None and "too dark" in dark.missing
    assert reading.figures() == []


def test_a_picture_shown_still_abstains():
    faces = np.repeat(crops(1.0, 72.0)[:1], 200, 0)
    still, reading = found(faces)
    assert still.missing is not None and "same in every picture" in still.missing
    assert reading.figures() == []
    series = FaceSeries(
        track=0, time_s=np.arange(200) / 25, values=patch_colours(faces).reshape(200, -1)
    )
    assert _draw(series) is None


@pytest.mark.parametrize("patches", [SKIN, SKIN[:1]])
def test_skin_without_one_of_the_colours_abstains(patches):
    faces = crops(8.0, 72.0)
    for _, (left, top, right, bottom) in patches:
        faces[:, top:bottom, left:right, 2] = 0
    orange, reading = found(faces)
    assert orange.missing is not None and "too few colours" in orange.missing
    assert reading.figures() == []


def test_skin_that_lacks_a_colour_for_some_seconds_is_measured():
    faces = crops(10.0, 72.0)
    faces[:60, ..., 2] = 0
    measurement, _ = found(faces)
    assert measurement.missing is None and np.isfinite(measurement.features).all()


def test_patches_lie_within_the_crop_and_are_read_as_they_are():
    faces = np.zeros((2, 224, 224, 3), np.uint8)
    for index, (_, (left, top, right, bottom)) in enumerate(SKIN):
        assert 0 <= left < right <= 224 and 0 <= top < bottom <= 224
        faces[1, top:bottom, left:right] = 10 * index + 10
    assert patch_colours(faces)[1, :, 0] == pytest.approx(10.0 * np.arange(1, N_PATCHES + 1))
