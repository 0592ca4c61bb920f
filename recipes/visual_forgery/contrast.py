"""Fit how a forgery map is read as one place against the rest, on twins of training people.

Beside it, how scores of still pictures are brought to its scale.

python -m recipes.visual_forgery.contrast --run NAME [--pairs 200] [--shuffle-labels]

Only forgeries of part of a picture are learned from, each kind alike; see
`avdetect.nn.map_contrast`. `evaluate --run NAME` measures and exports what is written here.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from avdetect.nn.map_contrast import HALF_CELLS, MapContrast, contrast_cells
from recipes.calibrate import fit_calibration
from recipes.forge.twins import TwinSource
from recipes.visual_forgery.card import load_run
from recipes.visual_forgery.figures import Judge, judge_with
from recipes.visual_forgery.settings import RUNS, read_settings

_SEED = 2614
_STRENGTH = 0.01  # of the fit, in cells scaled to unit spread: a smooth reading of few twins
_BATCH = 20
WHOLE_PICTURE = 0.9  # share of a crop beyond which nothing is left to compare with


def local_maps(
    judge: Judge, kinds: Sequence[str], n_pairs: int, poor_share: float = 0.0
) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.int64]]:
    """Of twins that differ in part of the picture: maps, scores of the whole, labels.

    Args:
        judge: see `judge_with`.
        kinds: of forgeries.
        n_pairs: twins of each kind.
        poor_share: of them that are of poor recordings, as in the training.

    Returns:
        (N, 22, 22), (N,) and (N,) 1 = fake.
    """
    rng = np.random.default_rng(_SEED)
    source = TwinSource(dict.fromkeys(kinds, 1.0), held_out=False, poor_share=poor_share)
    maps, scores, labels = [], [], []
    for kind in kinds:
        for start in range(0, n_pairs, _BATCH):
            twins = [source.draw(rng, kind) for _ in range(min(_BATCH, n_pairs - start))]
            twins = [pair for pair in twins if pair.mask.mean() < WHOLE_PICTURE]
            if twins:
                said = judge([t.real for t in twins] + [t.fake for t in twins])
                maps.append(said.maps)
                scores.append(said.scores)
                labels.append(np.repeat([0, 1], len(twins)))
    return np.concatenate(maps), np.concatenate(scores), np.concatenate(labels)


def fit_contrast(maps: NDArray[np.float32], labels: NDArray[np.int64]) -> MapContrast:
    """Logistic regression of cells less their mean: the weights sum to zero by construction."""
    cells = contrast_cells(torch.from_numpy(maps)).flatten(1).double().numpy()
    cells -= cells.mean(1, keepdims=True)
    spread = float(cells.std()) or 1.0
    fitted = LogisticRegression(C=_STRENGTH, max_iter=2000).fit(cells / spread, labels)
    contrast = MapContrast()
    with torch.no_grad():
        weight = torch.from_numpy(fitted.coef_[0] / spread).float()
        contrast.weight.copy_(weight.reshape(-1, HALF_CELLS))
        contrast.bias.fill_(float(fitted.intercept_[0]))
    return contrast.eval()


def level_stills(
    contrast: MapContrast,
    maps: NDArray[np.float32],
    scores: NDArray[np.float64],
    labels: NDArray[np.int64],
) -> None:
    """Set the level at which a score of the whole claims as much as the reading of its map."""
    with torch.inference_mode():
        read = contrast(torch.from_numpy(maps)).double().numpy()
    of_map, of_whole = fit_calibration(read, labels), fit_calibration(scores, labels)
    with torch.no_grad():
        contrast.still_level[0] = of_whole.scale / of_map.scale
        contrast.still_level[1] = (of_whole.offset - of_map.offset) / of_map.scale


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=Path(__file__).with_name("config.toml"))
    parser.add_argument("--run", default="first")
    parser.add_argument("--pairs", type=int, default=200, help="twins of each kind")
    parser.add_argument("--shuffle-labels", action="store_true", help="control: learns nothing")
    given = parser.parse_args()
    torch.set_num_threads(1)
    settings = read_settings(given.config)
    judge = judge_with(load_run(given.run, settings.network))
    maps, scores, labels = local_maps(
        judge, list(settings.kinds), given.pairs, settings.training.poor_share
    )
    if given.shuffle_labels:
        labels = np.random.default_rng(_SEED).permutation(labels)
    contrast = fit_contrast(maps, labels)
    level_stills(contrast, maps, scores, labels)
    torch.save(contrast.state_dict(), RUNS / given.run / "contrast.pt")
    print(f"{len(labels) // 2} twins; written to {RUNS / given.run / 'contrast.pt'}")


if __name__ == "__main__":
    main()
