"""The property table and the table of vocoders are complete and say where they are from."""

from __future__ import annotations

import pytest

from avdetect.tracing.properties import CAMERA, PROPERTIES, generators, title_of
from avdetect.tracing.vocoders import family_of, vocoder_families
from eval.shared_data import read_rows
from eval.tracing.pictures import face_rows, known_sources
from eval.tracing.voices import voice_rows
from tests.shared import requires_shared

YES_NO = {"yes", "no", "unknown"}
ALLOWED = {
    "family": {"gan", "vae", "hybrid", "diffusion"},
    "upsampling": {"transposed", "nearest", "filtered", "unknown"},
    "normalisation": {"batch", "instance", "group", "demodulation", "unknown"},
    "depth": {"shallow", "middle", "deep", "unknown"},
    **dict.fromkeys(("adversarial", "reconstruction", "perceptual", "diffusion"), YES_NO),
}


@pytest.mark.parametrize("generator", generators().values(), ids=str)
def test_row_names_its_paper_repository_and_basis(generator):
    assert generator.paper.startswith("https://")
    assert generator.repo.count("/") == 1
    assert generator.basis in {"code", "paper"}


@pytest.mark.parametrize("name", PROPERTIES)
def test_property_has_an_allowed_value_in_every_row(name):
    assert {g.properties[name] for g in generators().values()} <= ALLOWED[name]


def test_unknown_property_is_explained():
    for generator in generators().values():
        if "unknown" in generator.properties.values():
            assert generator.note


@requires_shared
def test_every_generator_of_the_data_has_a_row_and_its_repository():
    table = {(r["generator"], r["source_repo"]) for r in read_rows("data/faces/synthetic.csv")}
    of_data = {name for name, _ in table if not name.startswith("_")}
    assert of_data == set(generators())
    named = {g.repo for g in generators().values()}
    assert named <= {repo for _, repo in table}


@requires_shared
def test_generators_with_fewer_files_are_not_known():
    rows = face_rows()
    assert len(known_sources(rows)) == 9
    assert known_sources(rows)[-1] == CAMERA
    assert {r.source for r in rows if not r.is_known} == set(generators()) - set(
        known_sources(rows)
    )


@requires_shared
def test_no_source_file_is_in_two_folds():
    folds: dict[tuple[str, str], set[int]] = {}
    for row in face_rows():
        if row.is_known:
            folds.setdefault((row.source, row.file), set()).add(row.fold)
    assert all(len(of) == 1 for of in folds.values())


def test_vocoder_stands_in_one_family_with_its_source():
    tables = vocoder_families()
    names = [name for of in tables.values() for name in of]
    assert len(names) == len(set(names))
    assert all(source for of in tables.values() for source in of.values())
    assert family_of("HiFi-GAN") == "gan"
    assert family_of("something new") is None


@requires_shared
def test_no_speaker_is_in_two_folds():
    folds: dict[str, set[int]] = {}
    for row in voice_rows():
        folds.setdefault(row.speaker, set()).add(row.folds["speaker"])
    assert all(len(of) == 1 for of in folds.values())


def test_titles_are_words_for_people():
    assert title_of("dcgan_celeba64") == "DCGAN"
    assert title_of(CAMERA) == "camera (no generator's trace found)"
