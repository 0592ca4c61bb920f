import numpy as np
import pytest

from avdetect.cues.base import ClipFacts, CuePicture, CueTools
from avdetect.cues.double_compression import ALIGNED_GAIN, CUE, smoothed
from avdetect.cues.jpeg_history import aligned_history, second_steps, shifted_history
from avdetect.cues.jpeg_tables import exact_quality, near_quality, standard_table
from avdetect.media.clip import open_clip
from avdetect.observe import observe
from eval.cues.made.portraits import measured_file, photograph
from eval.metrics import auc, pixel_auc
from tests import synth
from tests.cues.textures import decoded, jpeg_bytes, png_bytes, texture
from tests.shared import requires_shared


def native_luma(blob):
    return photograph(blob)[0].native_luma


def coded_twice(picture, first, last, shift=(0, 0)):
    return jpeg_bytes(decoded(jpeg_bytes(picture, first))[shift[0] :, shift[1] :], last)


def test_a_picture_coded_once_shows_no_trace_of_an_earlier_coding():
    for seed, quality in enumerate((75, 85, 90, 95)):
        measured = measured_file(CUE, jpeg_bytes(texture(seed=seed), quality))
        assert measured.value < ALIGNED_GAIN
        assert measured.text.startswith("no trace")


@pytest.mark.parametrize(("first", "last"), [(60, 90), (75, 95), (70, 85)])
def test_an_earlier_coarser_coding_is_found_and_its_quality_named(first, last):
    measured = measured_file(CUE, coded_twice(texture(), first, last))
    assert measured.value > 2 * ALIGNED_GAIN
    assert "more than once" in measured.text
    named = int(measured.text.split("about ")[1].split(",")[0])
    assert named == pytest.approx(first, abs=6)


@pytest.mark.parametrize("shift", [(5, 3), (0, 4), (7, 7)])
def test_an_earlier_grid_is_found_where_it_was_left_by_a_crop(shift):
    history = shifted_history(native_luma(coded_twice(texture(), 60, 90, shift)))
    assert history.grid == ((-shift[0]) % 8, (-shift[1]) % 8)
    once = shifted_history(native_luma(jpeg_bytes(texture()[shift[0] :, shift[1] :], 90)))
    assert history.peak > 2 * once.peak


def test_double_compression_separates_pictures_of_code():
    singles, doubles = [], []
    for seed in range(6):
        picture = texture(160, 160, seed=seed)
        singles.append(measured_file(CUE, jpeg_bytes(picture, 90)).value)
        doubles.append(measured_file(CUE, coded_twice(picture, 70, 90)).value)
    assert auc([0] * 6 + [1] * 6, singles + doubles) >= 0.95


def test_a_region_pasted_into_a_jpeg_lacks_the_trace_of_its_surround():
    forged = decoded(jpeg_bytes(texture(seed=1), 60)).copy()
    forged[64:160, 96:192] = texture(seed=2)[64:160, 96:192]
    luma = native_luma(jpeg_bytes(forged, 90))
    history = aligned_history(luma, second_steps(standard_table(90).tolist()))
    truth = np.zeros((32, 32))
    truth[8:20, 12:24] = 1
    assert pixel_auc(truth, -smoothed(history.block_llr)) > 0.95


def test_a_png_that_was_a_jpeg_is_told_from_one_that_was_not():
    never = measured_file(CUE, png_bytes(texture()))
    once = measured_file(CUE, png_bytes(decoded(jpeg_bytes(texture(), 80))))
    assert once.value > 5 * max(never.value, 0.01)
    assert "a JPEG before it was saved as it is now" in once.text


def test_flat_and_small_pictures_abstain_in_words():
    flat = measured_file(CUE, jpeg_bytes(np.full((256, 256, 3), 128, np.uint8), 90))
    assert "too little detail" in flat.missing
    small = measured_file(CUE, jpeg_bytes(texture(96, 96), 90))
    assert "smaller than 128 px" in small.missing


def test_the_engine_hands_over_what_is_needed_and_a_map_comes_back(tmp_path):
    path = tmp_path / "saved_again.jpg"
    path.write_bytes(coded_twice(texture(), 60, 90))
    with open_clip(path) as clip:
        facts = ClipFacts(is_still=clip.is_still, streams=clip.streams, origin=clip.origin)
        reading = CUE.start(facts, CueTools())
        for observation in observe(clip, whole_pictures=True):
            reading.add(observation, {})
    assert reading.measurements()[0].value > ALIGNED_GAIN
    (figure,) = reading.figures()
    assert isinstance(figure, CuePicture)
    assert figure.pixels.shape == (256, 256, 3)


def test_nothing_is_said_of_a_video(tmp_path):
    pictures = synth.numbered_pictures(synth.constant_rate(30, 25.0))
    path = synth.encode(tmp_path / "clip.mp4", pictures=pictures)
    with open_clip(path) as clip:
        reading = CUE.start(ClipFacts(is_still=clip.is_still), CueTools())
        for observation in observe(clip, whole_pictures=True):
            reading.add(observation, {})
    assert reading.measurements() == []
    assert reading.figures() == []


def test_tables_of_the_common_library_are_known_by_their_quality():
    tables = {quality: photograph(jpeg_bytes(texture(64, 64), quality))[1] for quality in (30, 90)}
    for quality, facts in tables.items():
        assert exact_quality(facts.origin.jpeg.tables[0]) == quality
    assert exact_quality([7] * 64) is None
    assert near_quality(standard_table(72)[1:10].tolist(), range(1, 10)) == pytest.approx(72, abs=1)


@requires_shared
@pytest.mark.slow
def test_double_compression_is_found_on_real_pictures():
    from eval.cues.made.double_compression import figures

    told = dict(figures(4, seed=3))
    pooled = told["all with a finer last coding, one grid"]
    assert float(pooled.split()[1].rstrip(",")) >= 0.95
    assert float(told["pasted region in a picture of quality 60 then 90"].split()[5]) > 0.9
