"""Held-out figures of the visual-forgery network: own forgeries, others' fakes, generated faces."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from avdetect.faces.align import align_face
from avdetect.nn.face_network import FaceNetwork
from avdetect.nn.fixed_batch import CPU_BATCH, run_fixed
from avdetect.nn.map_contrast import MapContrast
from eval.bootstrap import bootstrap_interval
from eval.metrics import auc, cllr, eer
from eval.peers import read_peers
from recipes.calibrate import cross_fitted_llrs
from recipes.datasets.face_folds import fold
from recipes.datasets.faces import Faces, Row, load_faces, person
from recipes.forge.faces import KINDS
from recipes.forge.picture_channel import PictureChannel, apply_channel
from recipes.forge.twins import TwinSource
from recipes.visual_forgery.mask_figures import (
    MappedTwins,
    TwinPeople,
    forged_pixels,
    mask_figures,
    mean_training_mask,
    view_of_pixels,
)

Figures = dict[str, Any]
Floats = NDArray[np.float64]


class Judged(NamedTuple):
    """What is said of N crops.

    Attributes:
        scores: (N,) of the picture as a whole, by which still pictures are judged.
        contrasts: (N,) of one place against the rest, by which frames of a video are; where a
            checkpoint has no such reading, the scores again.
        maps: (N, 22, 22) log-odds.
    """

    scores: Floats
    contrasts: Floats
    maps: NDArray[np.float32]


Judge = Callable[[Sequence[NDArray[np.uint8]]], Judged]

TWINS_PER_KIND = 40
_SEED = 2611
_FOLDS = 5
_SPOKEN = ("lip-sync", "talking-portrait")
# Both sides of the generated-face trials leave through the same door: the smallest generator's
# side and one JPEG, so that size and compression cannot tell them apart.
_EQUAL_CHANNEL = PictureChannel(shrink=0.5, jpeg_quality=80)


def judge_with(net: FaceNetwork, contrast: MapContrast | None = None) -> Judge:
    """Crops to scores and maps, as the branch computes them."""
    net.eval()

    def batch(faces: Tensor) -> tuple[Tensor, ...]:
        said = net(faces.permute(0, 3, 1, 2).float() / 255.0)
        if contrast is None:
            return said.score, said.score, said.mask_logits
        return contrast.of_still(said.score), contrast(said.mask_logits), said.mask_logits

    def judge(crops: Sequence[NDArray[np.uint8]]) -> Judged:
        scores, read, maps = run_fixed(batch, torch.from_numpy(np.stack(crops)), CPU_BATCH)
        return Judged(scores.double().numpy(), read.double().numpy(), maps.numpy())

    return judge


def own_forgeries(
    judge: Judge, trained_kinds: Mapping[str, float], n_pairs: int = TWINS_PER_KIND
) -> tuple[Figures, Figures]:
    """Twins forged from held-out people and sources: AUC per kind, and how true the maps are.

    Args:
        judge: see `judge_with`.
        trained_kinds: kinds and odds of the training, for the maps' baseline.
        n_pairs: twins of each kind.

    Returns:
        Figures of the scores by kind, and of the maps (see `mask_figures`) by kind and ``all``.
    """
    rng = np.random.default_rng(_SEED)
    source = TwinSource(dict.fromkeys(KINDS, 1.0), held_out=True)
    people = TwinPeople()
    found: dict[str, MappedTwins] = {}
    figures: Figures = {}
    for kind in KINDS:
        twins = [source.draw(rng, kind) for _ in range(n_pairs)]
        scores, contrasts, maps = judge([t.real for t in twins] + [t.fake for t in twins])
        labels = np.repeat([0, 1], len(twins))
        found[kind] = MappedTwins(
            truth=np.stack([forged_pixels(view_of_pixels(t.mask)) for t in twins]),
            maps=maps[len(twins) :],
            maps_of_real=maps[: len(twins)],
            people=tuple(people.of(t) for t in twins),
        )
        figures[kind] = {
            "n_pairs": len(twins),
            "auc": round(auc(labels, scores), 3),
            "fake_above_its_twin": round(
                float((scores[labels == 1] > scores[labels == 0]).mean()), 3
            ),
            "auc_of_contrast": round(auc(labels, contrasts), 3),
        }
    return figures, mask_figures(found, mean_training_mask(trained_kinds))


def others_clips(judge: Judge, every: int = 1) -> tuple[Figures, list[Row], Floats]:
    """The frozen test clips: figures, the rows that had a face, and their clip scores.

    Args:
        judge: see `judge_with`.
        every: judge every n-th of a clip's frames (themselves 5 a second) for a quick look.
    """
    faces = load_faces("test")
    rank = np.concatenate([np.arange(n) for n in np.bincount(faces.clip)])
    kept = np.flatnonzero(rank % every == 0)
    said = judge([align_face(faces.pictures[i], faces.landmarks[i]) for i in kept])
    rows = faces.rows
    clip_scores, clip_wholes = (
        np.array([values[faces.clip[kept] == k].mean() for k in range(len(rows))])
        for values in (said.contrasts, said.scores)
    )
    real = np.array([row["video_label"] == "real" for row in rows])
    figures: Figures = {"n_real": int(real.sum()), "n_frames": len(kept)}
    for name, kinds in {"spoken": _SPOKEN, **{kind: (kind,) for kind in _SPOKEN}}.items():
        chosen = real | np.array([row["fake_kind"] in kinds for row in rows])
        figures[name] = _trial(rows, clip_scores, chosen)
        figures[f"{name}_as_whole_pictures"] = _trial(rows, clip_wholes, chosen)
    figures["generators"] = {
        name: _trial(rows, clip_scores, real | np.array([r["generator"] == name for r in rows]))
        for name in sorted({row["generator"] for row in rows if row["video_label"] == "fake"})
    }
    figures["within_one_source"] = {
        repo: _figure(labels, of_repo, people)
        for repo, labels, of_repo, people in _mixed_sources(rows, clip_scores)
    }
    figures["peers_spoken"] = _peers(
        rows, real | np.array([r["fake_kind"] in _SPOKEN for r in rows])
    )
    figures["by_name"] = {
        row["file"]: round(float(score), 2)
        for row, score in zip(rows, clip_scores, strict=True)
        if row["video_label"] == "fake" and row["fake_kind"] not in _SPOKEN
    }
    return figures, rows, clip_scores


def generated_faces(judge: Judge) -> Figures:
    """Generated faces against held-out photographs, size and compression made equal."""
    fakes, photographs = load_faces("synthetic"), load_faces("photographs")
    real_ids = fold(photographs, held_out=True)
    real = judge([_equalised(photographs, i) for i in real_ids]).scores
    fake = judge([_equalised(fakes, i) for i in range(len(fakes.pictures))]).scores
    made_by = np.array([fakes.rows[k]["generator"] for k in fakes.clip])
    groups = [person(photographs.rows[photographs.clip[i]]) for i in real_ids]
    named = {"all": np.ones(len(fake), bool), **{g: made_by == g for g in np.unique(made_by)}}
    figures: Figures = {"n_real": len(real)}
    for name, chosen in named.items():
        labels = np.repeat([0, 1], [len(real), int(chosen.sum())])
        scores = np.concatenate([real, fake[chosen]])
        names = [*groups, *(f"{g}/{i}" for i, g in enumerate(made_by[chosen]))]
        figures[str(name)] = _figure(labels, scores, names)
    return figures


def _equalised(faces: Faces, index: int) -> NDArray[np.uint8]:
    picture = apply_channel(_EQUAL_CHANNEL, np.asarray(faces.pictures[index]))
    return align_face(picture, faces.landmarks[index])


def _mixed_sources(
    rows: list[Row], scores: Floats
) -> list[tuple[str, NDArray[np.int64], Floats, list[str]]]:
    """Sources with at least five spoken clips of either side: nothing but people differs there."""
    mixed = []
    for repo in sorted({row["source_repo"] for row in rows}):
        kept = [
            k
            for k, row in enumerate(rows)
            if row["source_repo"] == repo
            and (row["video_label"] == "real" or row["fake_kind"] in _SPOKEN)
        ]
        labels = np.array([rows[k]["video_label"] == "fake" for k in kept]).astype(int)
        if min(labels.sum(), len(labels) - labels.sum()) >= 5:
            mixed.append((repo, labels, scores[kept], [person(rows[k]) for k in kept]))
    return mixed


def _trial(rows: list[Row], scores: Floats, chosen: NDArray[np.bool_]) -> Figures:
    labels = np.array([row["video_label"] == "fake" for row in rows]).astype(int)[chosen]
    groups = [person(row) for row, keep in zip(rows, chosen, strict=True) if keep]
    repos = [row["source_repo"] for row, keep in zip(rows, chosen, strict=True) if keep]
    figure = _figure(labels, scores[chosen], groups)
    # One repository's clips share more than their people; this is the interval to believe.
    low, high = bootstrap_interval(auc, labels, scores[chosen], repos)
    figure["auc_95_by_source"] = [round(low, 3), round(high, 3)]
    repos_of_fakes = {repo for repo, label in zip(repos, labels, strict=True) if label}
    if len(repos_of_fakes) >= _FOLDS:  # else some fold would be fitted without a fake
        llrs = cross_fitted_llrs(scores[chosen], labels, repos, _FOLDS)
        figure["cllr_cross_fitted"] = round(cllr(labels, llrs), 3)
    return figure


def _figure(labels: NDArray[np.int64], scores: Floats, groups: Sequence[str]) -> Figures:
    low, high = bootstrap_interval(auc, labels, scores, groups)
    return {
        "n_fake": int(labels.sum()),
        "n_groups": len(set(groups)),
        "auc": round(auc(labels, scores), 3),
        "auc_95": [round(low, 3), round(high, 3)],
        "eer": round(eer(labels, scores), 3),
    }


def _peers(rows: list[Row], chosen: NDArray[np.bool_]) -> Figures:
    """Published detectors on the same clips; a clip without a score of theirs is left out."""
    figures: Figures = {}
    for peer in read_peers():
        kept = [
            r for r, keep in zip(rows, chosen, strict=True) if keep and r["file"] in peer.scores
        ]
        if peer.hears or not kept:
            continue
        labels = np.array([row["video_label"] == "fake" for row in kept]).astype(int)
        scores = np.array([peer.scores[row["file"]] for row in kept])
        figures[peer.name] = _figure(labels, scores, [person(row) for row in kept])
    return figures
