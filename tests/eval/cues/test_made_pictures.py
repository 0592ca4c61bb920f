"""Figures of cues of pictures on files made from real portraits."""

from eval.cues.made import metadata, patches, spectrum
from tests.shared import requires_shared

pytestmark = requires_shared


def auc_of(figures, name):
    return float(dict(figures)[name].split("AUC of the ")[1].split()[-4])


def test_rules_on_metadata_are_met_by_files_that_contradict_themselves_alone():
    assert [text for _, text in metadata.figures(3, seed=1)] == ["3 of 3"] * 4


def test_peaks_of_up_sampling_outlive_video_coding():
    assert auc_of(spectrum.figures(4, seed=1), "up-sampled by two, H.264 at crf 28") > 0.9


def test_foreign_noise_is_found_in_fine_coding_and_honestly_lost_in_coarse():
    figures = patches.figures(4, seed=1)
    name = "face with a quarter of its surround's noise"
    assert auc_of(figures, f"{name}, JPEG of quality 90") > 0.9
    assert len(figures) == 5


def test_the_same_seed_gives_the_same_figures():
    assert metadata.figures(2, seed=7) == metadata.figures(2, seed=7)
    assert spectrum.figures(2, seed=7) == spectrum.figures(2, seed=7)
