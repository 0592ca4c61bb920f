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

_SEED = 0  # of the shuffled labels
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
    shuffled: Mapping[str, float] = field(default_factory=dict)


def score(samples: Sequence[Sample], rows: Mapping[str, Sequence[CueRow]]) -> list[Scored]:
    """Fit every cue fold by fold, once with true and once with shuffled labels.

    Args:
        samples: of one medium.
        rows: cue -> a row of each sample.
    """
    true = {name: _fold_by_fold(samples, found, CUES[name]) for name, found in rows.items()}
    rng = np.random.default_rng(_SEED)
    control = {name: _fold_by_fold(samples, found, CUES[name], rng) for name, found in rows.items()}
    return [
        Scored(
            id=sample.row.id,
            fold=sample.fold,
            group=sample.group,
            video_label=sample.row.video_label,
            audio_label=sample.row.audio_label,
            llrs=_of(true, sample.row.id),
            shuffled=_of(control, sample.row.id),
        )
        for sample in samples
    ]


def usable(
    samples: Sequence[Sample], rows: Sequence[CueRow], cue: Cue
) -> list[tuple[Sample, CueRow, int]]:
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
        writer.writerow([*_HEAD, *cues, *(f"{name}:shuffled" for name in cues)])
        for row in scored:
            llrs = [_text(row.llrs.get(name)) for name in cues]
            shuffled = [_text(row.shuffled.get(name)) for name in cues]
            writer.writerow([*(getattr(row, name) for name in _HEAD), *llrs, *shuffled])
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
    numbers = {key: float(text) for key, text in cells.items() if key not in _HEAD and text}
    return Scored(
        **{name: cells[name] for name in _HEAD},
        llrs={key: value for key, value in numbers.items() if ":" not in key},
        shuffled={key.partition(":")[0]: value for key, value in numbers.items() if ":" in key},
    )


def _fold_by_fold(
    samples: Sequence[Sample],
    rows: Sequence[CueRow],
    cue: Cue,
    shuffled: np.random.Generator | None = None,
) -> dict[str, float]:
    found = usable(samples, rows, cue)
    labels = np.array([label for _, _, label in found], np.int64)
    if shuffled is not None:
        labels = shuffled.permutation(labels)  # nothing of the truth is left
    llrs = out_of_fold(
        np.array([row.features for _, row, _ in found]).reshape(len(found), -1),
        labels,
        [sample.fold for sample, _, _ in found],
    )
    return {
        sample.row.id: float(llr)
        for (sample, _, _), llr in zip(found, llrs, strict=True)
        if math.isfinite(llr)
    }


def _of(table: Mapping[str, Mapping[str, float]], clip: str) -> dict[str, float]:
    return {name: llrs[clip] for name, llrs in table.items() if clip in llrs}


def _text(llr: float | None) -> str:
    return "" if llr is None else f"{llr:.4f}"
