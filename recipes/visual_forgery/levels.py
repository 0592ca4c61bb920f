"""What the face network keeps of its own forgeries after a channel: AUC by level of the grid.

python -m recipes.visual_forgery.levels [--model NAME] [--pairs N] [--levels NAME ...]

Twins of people never trained on, the same ones at every level, each level for both twins.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from avdetect.calibration import Calibration
from avdetect.channels.levels import Level
from avdetect.channels.picture_levels import PICTURE_LEVELS
from avdetect.checkpoint import load_checkpoint, read_bundle
from avdetect.faces.align import align_face
from eval.bootstrap import bootstrap_interval, paired_interval
from eval.metrics import auc
from recipes.forge.faces import KINDS
from recipes.forge.twins import ForgedPicture, TwinSource
from recipes.visual_forgery.evaluate import shipped_judge
from recipes.visual_forgery.figures import Figures, Judge
from recipes.visual_forgery.mask_figures import TwinPeople
from recipes.visual_forgery.settings import RUNS

DEFAULT_LEVELS = (
    "h264_crf_23",
    "h264_crf_28",
    "h264_crf_32",
    "vp9_crf_37",
    "jpeg_75",
    "jpeg_50",
    "h264_crf_23_then_28",
    "blur_1.5px",
    "sensor_noise_6",
    "contrast_0.75",
)
_SEED = 2613


def level_figures(
    judge: Judge, names: Sequence[str], n_pairs: int, calibration: Calibration
) -> Figures:
    """AUC as made and at each level, what it is off, and real twins that would be called fake.

    Scored as still pictures are, by the picture as a whole.

    Args:
        judge: see `recipes.visual_forgery.figures.judge_with`.
        names: levels of `PICTURE_LEVELS`.
        n_pairs: twins of each kind of forgery.
        calibration: of the branch, for real twins with LLR > 0.
    """
    rng = np.random.default_rng(_SEED)
    source = TwinSource(dict.fromkeys(KINDS, 1.0), held_out=True)
    pairs = [source.forge(rng, kind) for kind in KINDS for _ in range(n_pairs)]
    people = TwinPeople()
    groups = [people.of(pair) for pair in pairs] * 2
    labels = np.repeat([0, 1], len(pairs))
    clean = _scores(judge, pairs, None)
    figures: Figures = {"n_pairs": len(pairs), "n_people": len(set(groups))}
    for name in ("as made", *names):
        level = PICTURE_LEVELS[name] if name != "as made" else None
        scores = clean if level is None else _scores(judge, pairs, level)
        low, high = bootstrap_interval(auc, labels, scores, groups)
        llrs = np.array([calibration.fake_llr(float(s)) for s in scores[: len(pairs)]])
        entry: Figures = {
            "auc": round(auc(labels, scores), 3),
            "auc_95": [round(low, 3), round(high, 3)],
            "real_twins_above_0": round(float((llrs > 0.0).mean()), 3),
        }
        if level is not None:
            low, high = paired_interval(auc, labels, clean, scores, groups)
            entry["off"] = round(auc(labels, scores) - auc(labels, clean), 3)
            entry["off_95"] = [round(low, 3), round(high, 3)]
        figures[name] = entry
    figures["by_kind_as_made"] = {
        kind: round(auc(*_of_kind(kind, pairs, labels, clean)), 3) for kind in KINDS
    }
    return figures


def _of_kind(
    kind: str,
    pairs: Sequence[ForgedPicture],
    labels: NDArray[np.int64],
    scores: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    chosen = np.tile([pair.twins.kind == kind for pair in pairs], 2)
    return labels[chosen], scores[chosen]


def _scores(
    judge: Judge, pairs: Sequence[ForgedPicture], level: Level | None
) -> NDArray[np.float64]:
    """(2 N,) scores, all real ones first."""
    crops = [
        align_face(_through(picture, level, index), pairs[index].landmarks)
        for side in ([pair.twins.real for pair in pairs], [pair.twins.fake for pair in pairs])
        for index, picture in enumerate(side)
    ]
    return judge(crops).scores


def _through(picture: NDArray[np.uint8], level: Level | None, seed: int) -> NDArray[np.uint8]:
    if level is None or level.picture is None:
        return picture
    return np.asarray(level.picture(picture[None], np.random.default_rng(seed))[0])


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=read_bundle().checkpoints["visual_forgery"])
    parser.add_argument("--pairs", type=int, default=20, help="twins of each kind")
    parser.add_argument("--levels", nargs="+", default=list(DEFAULT_LEVELS), metavar="NAME")
    given = parser.parse_args()
    torch.set_num_threads(1)
    calibration = load_checkpoint(given.model).calibration
    assert calibration is not None  # a branch's checkpoint has one
    judge = shipped_judge(given.model)
    figures = level_figures(judge, given.levels, given.pairs, calibration)
    RUNS.mkdir(parents=True, exist_ok=True)
    (RUNS / "levels.json").write_text(json.dumps(figures, indent=1), "utf-8")
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
