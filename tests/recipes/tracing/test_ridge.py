"""The closed-form classifier and the recipe's care for what it may learn from."""

from __future__ import annotations

import numpy as np
import pytest

from avdetect.errors import ShapeError
from eval.tracing.pictures import face_rows
from eval.tracing.voices import known_families, voice_rows
from recipes.tracing.picture_folds import SHUFFLED, Library, asked_rows, procedures, training_rows
from recipes.tracing.ridge import fit_ridge
from recipes.tracing.settings import read_settings
from tests.shared import requires_shared


def blobs(n: int, seed: int) -> tuple[np.ndarray, list[str]]:
    rng = np.random.default_rng(seed)
    labels = ["left", "right"] * n
    centres = np.where(np.array(labels) == "left", -1.0, 1.0)
    return (rng.normal(size=(2 * n, 50)) + centres[:, None]).astype(np.float32), labels


def test_separable_classes_are_told_apart_on_new_rows():
    head = fit_ridge(*blobs(20, 0), ["left", "right"], 0.3)
    features, labels = blobs(50, 1)
    assert (
        np.mean([head.names[i] for i in head.scores(features).argmax(1)] == np.array(labels)) > 0.95
    )


def test_rare_class_is_not_drowned():
    features, labels = blobs(40, 0)
    kept = [i for i, label in enumerate(labels) if label == "left" or i < 6]
    head = fit_ridge(features[kept], [labels[i] for i in kept], ["left", "right"], 0.3)
    asked, truth = blobs(50, 1)
    said = np.array(head.names)[head.scores(asked).argmax(1)]
    assert np.mean(said[np.array(truth) == "right"] == "right") > 0.8


def test_other_number_of_features_is_refused():
    head = fit_ridge(*blobs(5, 0), ["left", "right"], 0.3)
    with pytest.raises(ShapeError, match="want"):
        head.scores(np.zeros((1, 49), np.float32))


def test_config_of_the_recipe_is_read_whole():
    assert read_settings().picture.n_steps > 0


@requires_shared
def test_no_procedure_learns_from_what_it_is_asked_about():
    library = Library(face_rows())
    for procedure in procedures(library.rows):
        learned = {(row.file, row.id) for row in training_rows(library, procedure)}
        files = {file for file, _ in learned}
        for row in asked_rows(library, procedure, "native"):
            assert (row.file, row.id) not in learned
            assert row.file not in files


@requires_shared
def test_control_gives_files_other_sources_but_keeps_a_file_together():
    library = Library(face_rows())
    control = next(p for p in procedures(library.rows) if p.name == SHUFFLED)
    true = {row.id: row.source for row in library.rows}
    given: dict[str, set[str]] = {}
    for row in training_rows(library, control):
        given.setdefault(row.file, set()).add(row.source)
    assert all(len(of) == 1 for of in given.values())
    moved = [row.source != true[row.id] for row in training_rows(library, control)]
    assert np.mean(moved) > 0.6


@requires_shared
def test_families_of_few_speakers_are_not_known():
    families = known_families(voice_rows(), "waveform")
    assert families[-1] == "human"
    assert not {"griffin_lim", "parametric"} & set(families)
