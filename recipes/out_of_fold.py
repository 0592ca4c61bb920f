"""Calibrate and write scores of clips by models that never saw their fold."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from eval.manifest.row import ManifestRow
from eval.out_of_fold import COLUMNS, OutOfFold
from eval.protocol import Protocol
from recipes.calibrate import UNKNOWN_FAKES, fit_calibration
from recipes.datasets.voices import is_fake

POOL = "pool"


def with_llrs(
    scored: Sequence[OutOfFold],
    truth: Mapping[str, ManifestRow],
    *,
    unknown: float = UNKNOWN_FAKES,
) -> list[OutOfFold]:
    """Cross-fitted: each fold is calibrated on the pool and on its own procedure, without itself.

    Args:
        scored: whole procedures, the pool among them.
        truth: rows by id.
        unknown: share of fakes to come that is taken to score as genuine clips do.
    """
    done: dict[tuple[str, str], Callable[[float], float]] = {}
    for procedure, fold in dict.fromkeys((e.procedure, e.fold) for e in scored):
        others = [
            (e.score, int(is_fake(truth[e.id])))
            for e in scored
            if e.procedure in (POOL, procedure) and e.fold != fold and e.score is not None
        ]
        scores, labels = zip(*others, strict=True)
        done[procedure, fold] = fit_calibration(scores, labels, unknown=unknown).fake_llr
    return [
        replace(e, fake_llr=None if e.score is None else done[e.procedure, e.fold](e.score))
        for e in scored
    ]


def config_sha256(protocol: Protocol, settings: Mapping[str, Any]) -> str:
    """Hash of what decides out-of-fold scores beside the code: settings, and how folds are cut."""
    cut = {
        "folds": protocol.folds,
        "sets": protocol.sets,
        "roles": protocol.roles,
        "held_out": protocol.held_out,
        "train_only": protocol.train_only,
    }
    canonical = json.dumps({"protocol": cut, "settings": settings}, sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def write_out_of_fold(
    path: Path, scored: Iterable[OutOfFold], *, commit: str, config_sha256: str
) -> None:
    """Write the file whole or not at all; the last two columns say what made it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    with part.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        for e in scored:
            numbers = ["" if v is None else f"{v:.6f}" for v in (e.score, e.fake_llr)]
            writer.writerow([e.procedure, e.id, e.fold, *numbers, commit, config_sha256])
    part.replace(path)
