"""Out-of-fold LLRs of all cues of one medium: a wide table that figures are printed from."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from avdetect.cues import CUES
from avdetect.cues.base import Cue
from eval.cues.fit import out_of_fold
from eval.cues.gather import CueRow
from eval.cues.material import Sample
from eval.errors import ScoresError
from eval.metrics import auc

_SEED, _N_DEALS = 0, 10  # of the labels dealt at random
Usable = list[tuple[Sample, CueRow, int]]
_HEAD = ("id", "fold", "group", "video_label", "audio_label")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """One clip with what each cue says of it out of fold; a cue that abstained is not in it."""

    id: str
    fold: str
    group: str
    video_label: str
    audio_label: str
    llrs: Mapping[str, float] = field(default_factory=dict)


def score(samples: Sequence[Sample], rows: Mapping[str, Sequence[CueRow]]) -> list[Scored]:
    """Fit every cue fold by fold.

    Args:
        samples: of one medium.
        rows: cue -> a row of each sample.
    """
    found = {
        name: _fold_by_fold(usable(samples, of_cue, CUES[name])) for name, of_cue in rows.items()
    }
    return [
        Scored(
            id=sample.row.id,
            fold=sample.fold,
            group=sample.group,
            video_label=sample.row.video_label,
            audio_label=sample.row.audio_label,
            llrs=_of(found, sample.row.id),
        )
        for sample in samples
    ]


def controls(samples: Sequence[Sample], rows: Mapping[str, Sequence[CueRow]]) -> dict[str, float]:
    """Cue -> mean AUC over `_N_DEALS` deals of labels at random, fitted and scored as in `score`.

    Labels are dealt within each fold, so that nothing is left of the truth but how many of a fold
    are fake: what a cue reaches here it owes to the look of sources, not to forgery.
    """
    rng = np.random.default_rng(_SEED)
    means: dict[str, float] = {}
    for name, of_cue in rows.items():
        found = usable(samples, of_cue, CUES[name])
        drawn = [_control(found, rng) for _ in range(_N_DEALS)]
        known = [value for value in drawn if value is not None]
        if known:
            means[name] = float(np.mean(known))
    return means


def usable(samples: Sequence[Sample], rows: Sequence[CueRow], cue: Cue) -> Usable:
    """Samples that a cue measured and whose truth is known, with the truth (1 = fake)."""
    by_id = {row.id: row for row in rows}
    assert cue.truth is not None
    return [
        (sample, by_id[sample.row.id], int(label == "fake"))
        for sample in samples
        if (label := sample.label(cue.truth)) and by_id[sample.row.id].features
    ]


def write_scores(path: Path, scored: Sequence[Scored]) -> None:
    """Write one medium's table, whole or not at all."""
    cues = [name for name in CUES if any(name in row.llrs for row in scored)]
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with part.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([*_HEAD, *cues])
        for row in scored:
            llrs = [_text(row.llrs.get(name)) for name in cues]
            writer.writerow([*(getattr(row, name) for name in _HEAD), *llrs])
    part.replace(path)


def read_scores(path: Path) -> list[Scored]:
    """Read what `write_scores` wrote.

    Raises:
        ScoresError: it is not there or of another layout.
    """
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            table = list(csv.DictReader(stream))
    except OSError as error:
        raise ScoresError(f"{path}: not there; measure with python -m eval cues --fresh") from error
    if table and not set(_HEAD) <= set(table[0]):
        raise ScoresError(f"{path}: is no table of cues; measure with python -m eval cues --fresh")
    return [_scored(cells) for cells in table]


def _scored(cells: dict[str, str]) -> Scored:
    llrs = {key: float(text) for key, text in cells.items() if key not in _HEAD and text}
    return Scored(**{name: cells[name] for name in _HEAD}, llrs=llrs)


def _fold_by_fold(found: Usable) -> dict[str, float]:
    if not found:
        return {}
    llrs = out_of_fold(
        [row.features for _, row, _ in found],
        [label for _, _, label in found],
        [sample.fold for sample, _, _ in found],
    )
    return {
        sample.row.id: float(llr)
        for (sample, _, _), llr in zip(found, llrs, strict=True)
        if math.isfinite(llr)
    }


def _control(found: Usable, rng: np.random.Generator) -> float | None:
    folds = np.array([sample.fold for sample, _, _ in found])
    labels = np.array([label for _, _, label in found], np.int64)
    for fold in np.unique(folds):
        labels[folds == fold] = rng.permutation(labels[folds == fold])
    dealt = [(s, row, int(label)) for (s, row, _), label in zip(found, labels, strict=True)]
    llrs = _fold_by_fold(dealt)
    kept = [(label, llrs[s.row.id]) for s, _, label in dealt if s.row.id in llrs]
    if len({label for label, _ in kept}) < 2:
        return None
    return auc([label for label, _ in kept], [llr for _, llr in kept])


def _of(table: Mapping[str, Mapping[str, float]], clip: str) -> dict[str, float]:
    return {name: llrs[clip] for name, llrs in table.items() if clip in llrs}


def _text(llr: float | None) -> str:
    return "" if llr is None else f"{llr:.4f}"
