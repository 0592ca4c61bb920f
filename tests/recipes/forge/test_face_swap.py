import numpy as np
import pytest
import torch

import recipes.forge.face_swap as module
from recipes.datasets.faces import Faces
from recipes.forge.face_swap import (
    SIDE_PX,
    SwappedFaces,
    cut_face,
    gather_cast,
    lay_back,
    swap,
    train,
)
from tests.recipes.forge.drawn_faces import drawn_face

N_PICTURES = 24


def drawn_group(group):
    """Two people of the training fold, and one of whom there are too few pictures."""
    whose = np.repeat([0, 1, 2], [N_PICTURES, N_PICTURES, 3])
    faces = [drawn_face(seed=person) for person in whose]
    return Faces(
        pictures=np.stack([face.picture for face in faces]),
        landmarks=np.stack([face.landmarks for face in faces]),
        clip=whose,
        rows=[{"identity": f"GRID_{group}{n}", "source_repo": "grid"} for n in range(3)],
    )


@pytest.fixture
def people(monkeypatch):
    monkeypatch.setattr(module, "load_faces", drawn_group)
    monkeypatch.setattr(module, "GROUPS", ("sync",))
    return gather_cast(held_out=False)


def test_a_decoder_is_taught_by_two_dozen_pictures_or_not_at_all(people):
    assert people.n_people == 2
    assert people.faces.shape == (2 * N_PICTURES, 3, SIDE_PX, SIDE_PX)
    assert people.places[-1] == ("sync", 2 * N_PICTURES - 1)


def test_nobody_is_his_own_victim(people):
    assert all(people.victim(i) != people.who[i] for i in range(len(people.who)))


def test_a_decoder_draws_its_person_whoever_is_shown(people):
    net = train(people, n_steps=150)

    drawn = torch.from_numpy(swap(net, people)).float()
    means = people.faces.float().permute(0, 2, 3, 1)
    first, second = means[0], means[-1]
    of_first = drawn[0]  # drawn with the other's decoder
    assert (of_first - second).abs().mean() < (of_first - first).abs().mean()


def test_a_face_is_laid_back_where_it_was_cut():
    faces = drawn_group("sync")
    cell = cut_face(faces, 0)
    flat = np.full_like(cell, 255)

    laid = lay_back(flat, np.zeros_like(faces.pictures[0]), faces.landmarks[0])
    same = lay_back(cell, faces.pictures[0], faces.landmarks[0])

    inside = laid[..., 0] > 0
    points = np.rint(faces.landmarks[0]).astype(int)
    assert inside[points[:, 1], points[:, 0]].mean() > 0.95
    assert not inside[0].any()
    change = np.abs(same.astype(float) - faces.pictures[0])
    assert change[~inside].max() == 0.0
    assert change[inside].mean() < 12.0  # its fine noise is lost, nothing has moved


def test_a_picture_that_nobody_drew_has_no_swapped_face():
    faces = drawn_group("sync")
    drawn = np.zeros((len(faces.clip), SIDE_PX, SIDE_PX, 3), np.uint8)
    swapped = SwappedFaces(drawn, np.arange(len(faces.clip)) == 1)

    assert swapped.picture(faces, 0) is None
    assert swapped.picture(faces, 1).shape == (256, 256, 3)
