"""What the face shield is worth, on swappers it was made with and on those it never saw.

Each measured person is nobody trained on. A picture of them is the source of a swap onto another
person's head; the judge, an identity encoder that neither swapper nor shield ever saw, says how
alike the swap and the clean source are: without shield, with it, and, as the floor, for the swap
of a stranger. ``taken`` is the share of the way from the stranger's likeness to the true one that a
swapper still goes.

python -m recipes.defence.measure_faces [--people 30]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from avdetect.channels.picture_codecs import jpeg
from avdetect.defence.face_shield import Effort, compose, find_changes
from avdetect.faces.align import align_face
from avdetect.nn.face_swapper import SIDE_PX, FaceSwapper
from avdetect.nn.identity_encoder import IdentityEncoder
from recipes.datasets.faces import load_faces
from recipes.defence.face_crops import CROP_PX, Crops, as_tensor, load_crops, to_side
from recipes.defence.intervals import mean_figure
from recipes.defence.settings import RUNS, IdentitySettings, Settings, read_settings
from recipes.defence.train_identity import load_identity, vectors_of
from recipes.defence.train_identity import weights_path as identity_path
from recipes.defence.train_swappers import load_swapper, weights_path

PSNRS_DB = (35.0, 30.0)  # the second as a face keeps that takes a third of a picture of 35 dB
_SEED = 2611
FIGURES = RUNS / "face_figures.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shielded:
    """Crops (N, 3, 128, 128) of the measured people, by what was done to their pictures.

    Attributes:
        crops: ``clean``, ``shield``, ``jpeg_75`` (unshielded) and ``shield_jpeg_75``.
        targets: (N, 3, 64, 64) whose head each is swapped onto.
        psnr_db: (N,) of the whole pictures.
    """

    crops: dict[str, Tensor]
    targets: Tensor
    psnr_db: NDArray[np.float64]


def shield_people(crops: Crops, settings: Settings, n_people: int, bound_db: float) -> Shielded:
    """Shield one picture of each of some people held out."""
    ids = choose_people(crops, n_people)
    surrogates = [load_identity(one) for one in settings.surrogates]
    columns: dict[str, list[NDArray[np.uint8]]] = {}
    psnrs = []
    groups = {name: load_faces(name) for name in set(crops.groups[ids])}
    for number, i in enumerate(ids):
        faces = groups[str(crops.groups[i])]
        k = int(crops.indices[i])
        picture, landmarks = np.asarray(faces.pictures[k]), faces.landmarks[k]
        changes = find_changes(
            picture,
            [landmarks],
            surrogates,
            least_psnr_db=bound_db,
            effort=Effort(seed=_SEED + number),
        )
        done = compose(picture, changes, bound_db)
        assert done is not None
        psnrs.append(done.psnr_db)
        versions = {"clean": picture, "shield": done.picture}
        versions |= {f"{n}_jpeg_75": jpeg(p, 75) for n, p in versions.items()}
        for name, version in versions.items():
            crop = align_face(version, landmarks)
            small = cv2.resize(crop, (CROP_PX, CROP_PX), interpolation=cv2.INTER_AREA)
            columns.setdefault(name, []).append(np.asarray(small, np.uint8))
        print(f"shielded {number + 1} of {len(ids)}", flush=True)
    return Shielded(
        crops={name: as_tensor(np.stack(column)) for name, column in columns.items()},
        targets=to_side(as_tensor(crops.pictures[np.roll(ids, len(ids) // 2)]), SIDE_PX),
        psnr_db=np.array(psnrs),
    )


def identity_is_trained(one: IdentitySettings) -> bool:
    """Whether an encoder lies in the runs folder."""
    return identity_path(one.name).is_file()


def choose_people(crops: Crops, n_people: int) -> NDArray[np.int64]:
    """One picture each of people held out, alternately of photographs and of films."""
    rng = np.random.default_rng(_SEED)
    still = _one_each(crops, crops.groups == "photographs", rng)
    moving = _one_each(crops, crops.groups != "photographs", rng)
    n_moving = min(len(moving), n_people // 2)
    return np.concatenate([still[: n_people - n_moving], moving[:n_moving]])


def measure(shielded: Shielded, one: IdentitySettings, judge: IdentityEncoder) -> dict[str, Any]:
    """Figures of one identity encoder, and of the swapper on it where one was trained."""
    encoder = load_identity(one)
    vectors = {name: vectors_of(encoder, crops) for name, crops in shielded.crops.items()}
    clean = vectors["clean"]
    figures: dict[str, Any] = {
        "vector": {
            name: mean_figure(_cosine(clean, vectors[name])) for name in vectors if name != "clean"
        }
    }
    figures["vector"]["stranger"] = mean_figure(_cosine(clean, clean.roll(1, 0)))
    if weights_path(one.name).is_file():
        figures["swap"] = _swaps(shielded, load_swapper(one), vectors, judge)
    return figures


def _swaps(
    shielded: Shielded, swapper: FaceSwapper, vectors: dict[str, Tensor], judge: IdentityEncoder
) -> dict[str, Any]:
    true = vectors_of(judge, shielded.crops["clean"])

    def swapped(identities: Tensor) -> Tensor:
        with torch.no_grad():
            drawn: Tensor = swapper(shielded.targets, identities)
        return drawn

    drawn = {name: swapped(rows) for name, rows in vectors.items()}
    drawn["stranger"] = swapped(vectors["clean"].roll(1, 0))
    alike = {name: _cosine(true, vectors_of(judge, faces)) for name, faces in drawn.items()}
    figures: dict[str, Any] = {name: mean_figure(values) for name, values in alike.items()}
    for name in ("shield", "shield_jpeg_75"):
        unshielded = "clean" if name == "shield" else "clean_jpeg_75"
        figures[f"{name}_lowers"] = mean_figure(alike[unshielded] - alike[name])
        span = float((alike[unshielded] - alike["stranger"]).mean())
        left = float((alike[name] - alike["stranger"]).mean())
        figures[f"{name}_taken"] = round(left / span, 3) if span > 0 else None
        error = (drawn[name] - drawn[unshielded]).square().mean((1, 2, 3))
        figures[f"{name}_swap_psnr_db"] = mean_figure(
            -10.0 * np.log10(np.maximum(error.double().numpy(), 1e-10))
        )
        figures[f"{name}_swap_ssim"] = mean_figure(_ssim(drawn[name], drawn[unshielded]))
    return figures


def _ssim(first: Tensor, second: Tensor) -> NDArray[np.float64]:
    """(N,) structural similarity of the luma (Wang et al. 2004), uniform windows of 7 px."""
    luma = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    a, b = (first * luma).sum(1, keepdim=True), (second * luma).sum(1, keepdim=True)

    def mean(x: Tensor) -> Tensor:
        return F.avg_pool2d(x, 7, 1)

    mean_a, mean_b = mean(a), mean(b)
    var_a, var_b = mean(a * a) - mean_a**2, mean(b * b) - mean_b**2
    both = mean(a * b) - mean_a * mean_b
    c1, c2 = 0.01**2, 0.03**2
    value = (2 * mean_a * mean_b + c1) * (2 * both + c2)
    value = value / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))
    return np.asarray(value.mean((1, 2, 3)).double().numpy())


def _cosine(first: Tensor, second: Tensor) -> NDArray[np.float64]:
    return np.asarray(F.cosine_similarity(first, second).double().numpy())


def _one_each(
    crops: Crops, among: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.int64]:
    ids = rng.permutation(np.flatnonzero(crops.held_out & among))
    _, first = np.unique(crops.people[ids], return_index=True)
    return np.asarray(rng.permutation(ids[first]))


def measure_at(settings: Settings, n_people: int, bound_db: float) -> dict[str, Any]:
    """Every figure of the face shield at one bound."""
    shielded = shield_people(load_crops(), settings, n_people, bound_db)
    judge = load_identity(settings.judge)

    def of(networks: Sequence[IdentitySettings]) -> dict[str, Any]:
        trained = [one for one in networks if identity_is_trained(one)]
        return {one.name: measure(shielded, one, judge) for one in trained}

    return {
        "asked_psnr_db": bound_db,
        "picture_psnr_db": mean_figure(shielded.psnr_db),
        "least_picture_psnr_db": round(float(shielded.psnr_db.min()), 2),
        "surrogates": of(settings.surrogates),
        "unseen": of(settings.unseen),
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=30)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    figures: dict[str, Any] = {
        "command": f"python -m recipes.defence.measure_faces --people {arguments.people}"
    }
    for bound_db in PSNRS_DB:
        figures[f"bound_{bound_db:g}_db"] = measure_at(read_settings(), arguments.people, bound_db)
    FIGURES.write_text(json.dumps(figures, indent=1), "utf-8")
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
