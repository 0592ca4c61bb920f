"""How true the network's maps are: IoU, pixel AUC and IINC, beside one mask laid on every face."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avdetect.nn.image_encoder import VIEW_PX
from avdetect.observation import FACE_CROP_PX
from eval.bootstrap import bootstrap_interval
from eval.metrics import iinc, mask_iou, pixel_auc
from recipes.datasets.faces import load_faces, person
from recipes.forge.resynthesis import GROUPS
from recipes.forge.twins import ForgedPicture, TwinCrops, TwinSource

Figures = dict[str, Any]
Floats = NDArray[np.floating]
Measure = Callable[[NDArray[np.bool_], Floats, float], float | None]

N_BASELINE_MASKS = 200
_SEED = 2612
_THRESHOLDS = np.linspace(0.05, 0.95, 19)
_LEAST_MASK = 0.05  # fainter, nothing was forged within the view
_MARGIN_PX = (FACE_CROP_PX - VIEW_PX) // 2


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedTwins:
    """N twins of one kind and what the network drew.

    Attributes:
        truth: (N, 176, 176) bool, pixels of the network's view that the forger changed.
        maps: (N, 22, 22) log-odds of the fakes' cells.
        maps_of_real: (N, 22, 22) log-odds of their real twins' cells.
        people: of whom each was made, for the intervals.
    """

    truth: NDArray[np.bool_]
    maps: NDArray[np.float32]
    maps_of_real: NDArray[np.float32]
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """One map for every face: (176, 176) mean of the training masks, and where to cut it."""

    mean: Floats
    threshold: float


class TwinPeople:
    """Who is in a twin: the person where known, else the picture's row."""

    def __init__(self) -> None:
        self._faces = {group: load_faces(group) for group in GROUPS}

    def of(self, twin: TwinCrops | ForgedPicture) -> str:
        """A name that is the same for all pictures of one person."""
        faces = self._faces[twin.group]
        return person(faces.rows[faces.clip[twin.index]])


def view_of_pixels(mask: Floats) -> Floats:
    """(224, 224) over the face crop to the (176, 176) that the network looks at."""
    return mask[_MARGIN_PX:-_MARGIN_PX, _MARGIN_PX:-_MARGIN_PX]


def forged_pixels(mask: Floats) -> NDArray[np.bool_]:
    """Where a (H, W) mask is above half of its peak: a forgery may be laid on half transparent."""
    return np.asarray(mask > max(0.5 * float(mask.max()), _LEAST_MASK))


def mean_training_mask(kinds: Mapping[str, float], n_masks: int = N_BASELINE_MASKS) -> Baseline:
    """The mean mask of forgeries drawn as the training draws them, from the training's people.

    It is cut at the level of the best mean IoU on those masks.
    """
    source, rng = TwinSource(kinds, held_out=False), np.random.default_rng(_SEED)
    masks = np.stack([view_of_pixels(source.draw(rng).mask) for _ in range(n_masks)])
    return baseline_of(masks)


def baseline_of(masks: Floats) -> Baseline:
    """The baseline of (N, 176, 176) training masks in [0, 1]."""
    mean, truth = masks.mean(0), [forged_pixels(mask) for mask in masks]

    def fit(threshold: float) -> float:
        return float(np.mean([mask_iou(each, mean > threshold) for each in truth]))

    return Baseline(mean=mean, threshold=float(max(_THRESHOLDS, key=fit)))


def mask_figures(found: Mapping[str, MappedTwins], baseline: Baseline) -> Figures:
    """Figures by kind and over ``all``: of the network, then of the baseline.

    Every figure is a mean over pictures with its 95 % interval over people. The network's map is
    cut at even odds; pixels are those of its view. Pictures forged all over have no pixel AUC.
    """
    whole = MappedTwins(
        truth=np.concatenate([twins.truth for twins in found.values()]),
        maps=np.concatenate([twins.maps for twins in found.values()]),
        maps_of_real=np.concatenate([twins.maps_of_real for twins in found.values()]),
        people=tuple(name for twins in found.values() for name in twins.people),
    )
    return {kind: _of_kind(twins, baseline) for kind, twins in {**found, "all": whole}.items()}


def _of_kind(twins: MappedTwins, baseline: Baseline) -> Figures:
    cell_px = VIEW_PX // twins.maps.shape[-1]
    pixels = twins.maps.repeat(cell_px, 1).repeat(cell_px, 2)
    everywhere = np.broadcast_to(baseline.mean, pixels.shape)
    return {
        "n_pairs": len(twins.truth),
        "forged_share": round(float(twins.truth.mean()), 3),
        "marked_share_of_real": round(float((twins.maps_of_real > 0).mean()), 3),
        "network": _figures(twins.truth, pixels, 0.0, twins.people),
        "mean_training_mask": _figures(twins.truth, everywhere, baseline.threshold, twins.people),
    }


def _iou(truth: NDArray[np.bool_], level: Floats, threshold: float) -> float:
    return mask_iou(truth, level > threshold)


def _iinc(truth: NDArray[np.bool_], level: Floats, threshold: float) -> float:
    return iinc(truth, level > threshold)


def _pixel_auc(truth: NDArray[np.bool_], level: Floats, threshold: float) -> float | None:
    return pixel_auc(truth, level) if truth.any() and not truth.all() else None


_MEASURES: dict[str, Measure] = {"iou": _iou, "pixel_auc": _pixel_auc, "iinc": _iinc}


def _figures(
    truth: NDArray[np.bool_], levels: Floats, threshold: float, people: Sequence[str]
) -> Figures:
    figures: Figures = {}
    for name, measure in _MEASURES.items():
        values = [measure(*pair, threshold) for pair in zip(truth, levels, strict=True)]
        kept = [(v, who) for v, who in zip(values, people, strict=True) if v is not None]
        if not kept:
            continue
        figures[name] = round(float(np.mean([value for value, _ in kept])), 3)
        if len(kept) < len(values):
            figures[f"{name}_n"] = len(kept)
        interval = _interval(*zip(*kept, strict=True))
        if interval is not None:
            figures[f"{name}_95"] = interval
    return figures


def _interval(values: Sequence[float], people: Sequence[str]) -> list[float] | None:
    if len(set(people)) < 2:
        return None
    # The bootstrap wants trials of two classes; a mean has none, so both hold every value.
    low, high = bootstrap_interval(
        lambda labels, scores: float(scores.mean()),
        np.repeat([0, 1], len(values)),
        np.tile(values, 2),
        np.tile(people, 2),
    )
    return [round(low, 3), round(high, 3)]
