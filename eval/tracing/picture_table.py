"""The scores of pictures as arrays, and their fusion fold by fold."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avdetect.tracing.picture_evidence import KINDS
from eval.tracing.fusing import fit_weights, fuse
from eval.tracing.scores import PICTURE_SCORES, Row, number, read_table

_COLUMNS = ("procedure", "condition", "fold", "source", "file", "side_px", "novelty")
FITTED_ON = ("native", "crop_64", "crop_64_jpeg", "crop_128_jpeg")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """Pictures under one procedure, over the sources that it knew.

    Attributes:
        names: (K,) sources.
        condition, source, file: (N,) words.
        fold, side_px: (N,) numbers.
        novelty: (N,) distance from every known source.
        evidence: (N, 3, K) in the order of `KINDS`.
    """

    names: tuple[str, ...]
    condition: NDArray[np.str_]
    source: NDArray[np.str_]
    file: NDArray[np.str_]
    fold: NDArray[np.int64]
    side_px: NDArray[np.int64]
    novelty: NDArray[np.float64]
    evidence: NDArray[np.float64]

    @property
    def is_known(self) -> NDArray[np.bool_]:
        """(N,) its source is one of ``names``."""
        return np.isin(self.source, self.names)

    def take(self, kept: NDArray[np.bool_]) -> Scored:
        """Some of the pictures."""
        return Scored(
            names=self.names,
            condition=self.condition[kept],
            source=self.source[kept],
            file=self.file[kept],
            fold=self.fold[kept],
            side_px=self.side_px[kept],
            novelty=self.novelty[kept],
            evidence=self.evidence[kept],
        )


def read_scores(procedure: str, fold: int | None = None) -> Scored:
    """All pictures that a procedure was asked about.

    Raises:
        ScoresError: no such table, or a cell is no number.
    """
    rows = [r for r in read_table(PICTURE_SCORES, _COLUMNS) if r["procedure"] == procedure]
    if fold is not None:
        rows = [row for row in rows if int(row["fold"]) == fold]
    prefix = f"{KINDS[0]}:"
    names = tuple(
        c.removeprefix(prefix) for c in rows[0] if c.startswith(prefix) and rows[0][c] != ""
    )
    return Scored(
        names=names,
        condition=_words(rows, "condition"),
        source=_words(rows, "source"),
        file=_words(rows, "file"),
        fold=np.array([int(row["fold"]) for row in rows]),
        side_px=np.array([int(row["side_px"]) for row in rows]),
        novelty=np.array([number(PICTURE_SCORES, row, "novelty") for row in rows]),
        evidence=np.array(
            [
                [[number(PICTURE_SCORES, row, f"{k}:{name}") for name in names] for k in KINDS]
                for row in rows
            ]
        ),
    )


def fitted_weights(scored: Scored, kinds: tuple[int, ...]) -> NDArray[np.float64]:
    """Weights over pictures of known sources, sources alike; kinds that are not asked for: 0."""
    kept = scored.take(scored.is_known & np.isin(scored.condition, FITTED_ON))
    truth = np.array([kept.names.index(source) for source in kept.source])
    counts = Counter(kept.source.tolist())
    importance = np.array([1.0 / counts[source] for source in kept.source.tolist()])
    weights = np.zeros(len(KINDS))
    weights[list(kinds)] = fit_weights(kept.evidence[:, list(kinds)], truth, importance)
    return weights


def cross_fitted_logits(scored: Scored, kinds: tuple[int, ...]) -> NDArray[np.float64]:
    """(N, K) logits of every picture, by weights fitted on the other folds."""
    logits = np.empty((len(scored.fold), len(scored.names)))
    for fold in np.unique(scored.fold):
        own = scored.fold == fold
        logits[own] = fuse(scored.evidence[own], fitted_weights(scored.take(~own), kinds))
    return logits


def _words(rows: list[Row], column: str) -> NDArray[np.str_]:
    return np.array([row[column] for row in rows])
