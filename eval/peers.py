"""Scores of published detectors, turned once to our direction and joined by id."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path

from avdetect.errors import UsageError
from eval.shared_data import shared_path

_HIGHER_IS_FAKE = {"fake": 1.0, "spoof": 1.0, "bonafide": -1.0, "real": -1.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One published detector's scores.

    Attributes:
        name: as in the file's name.
        hears: True for a voice detector, False for one of pictures.
        scores: id -> score, higher = more fake.
    """

    name: str
    hears: bool
    scores: dict[str, float]


def read_peers(folder: Path | None = None) -> list[Peer]:
    """All ``audio_*.csv`` and ``video_*.csv`` of the peers' folder, by name.

    Raises:
        DataNotFoundError: the data folder is not there.
        UsageError: a file is not ``id,score,direction``.
    """
    chosen = folder if folder is not None else shared_path("peers")
    return [read_peer(path) for path in sorted(chosen.glob("*_*.csv"))]


def read_peer(path: Path) -> Peer:
    """One file ``<audio|video>_<name>.csv``; rows without a score are left out."""
    kind, _, name = path.stem.partition("_")
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    try:
        signed = {row["id"]: _fake_score(row) for row in rows}
    except (KeyError, ValueError, TypeError) as error:
        raise UsageError(f"{path}: want columns id,score,direction, and in it: {error}") from error
    if len(signed) < len(rows) or kind not in ("audio", "video"):
        raise UsageError(f"{path}: an id occurs twice, or the name does not start with audio_")
    return Peer(
        name=name,
        hears=kind == "audio",
        scores={key: score for key, score in signed.items() if not math.isnan(score)},
    )


def _fake_score(row: dict[str, str]) -> float:
    return _HIGHER_IS_FAKE[row["direction"]] * float(row["score"] or "nan")
