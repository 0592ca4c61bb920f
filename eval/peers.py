"""Scores of other detectors, turned once to our direction and joined by id."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path

from eval.errors import ScoresError
from eval.shared_data import shared_path

_HIGHER_IS_FAKE = {"fake": 1.0, "spoof": 1.0, "bonafide": -1.0, "real": -1.0}
_KINDS = ("audio", "video")


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One detector's scores.

    Attributes:
        name: as in the file's name.
        kind: ``audio`` for a voice detector, ``video`` for one of pictures, empty if not said.
        scores: id -> score, higher = more fake; an id that was not judged is absent.
    """

    name: str
    kind: str
    scores: dict[str, float]

    @property
    def hears(self) -> bool:
        """Whether it is a voice detector."""
        return self.kind == "audio"


def read_peers(where: Path | None = None) -> list[Peer]:
    """Every score file of a folder, by name, or the one file given.

    Args:
        where: folder or CSV; None takes ``peers`` of the data folder.

    Raises:
        DataNotFoundError: the data folder is not there.
        ScoresError: nothing is there, or a file is not ``id,score,direction``.
    """
    chosen = where if where is not None else shared_path("peers")
    paths = sorted(chosen.glob("*.csv")) if chosen.is_dir() else [chosen]
    if not paths:
        raise ScoresError(f"{chosen}: holds no .csv of id,score,direction")
    return [read_peer(path) for path in paths]


def read_peer(path: Path) -> Peer:
    """One file ``[audio_|video_]<name>.csv``; rows without a score are left out."""
    kind, separator, name = path.stem.partition("_")
    if not separator or kind not in _KINDS:
        kind, name = "", path.stem
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            rows = list(csv.DictReader(stream))
        signed = {row["id"]: _fake_score(row) for row in rows}
    except OSError as error:
        raise ScoresError(f"{path}: cannot be read: {error.strerror}") from error
    except (KeyError, ValueError, TypeError, csv.Error) as error:
        raise ScoresError(
            f"{path}: want id,score,direction with {', '.join(_HIGHER_IS_FAKE)} as direction; "
            f"stumbled over {error}"
        ) from error
    if any(math.isinf(score) for score in signed.values()):
        raise ScoresError(f"{path}: a score is infinite; give a number, or nothing if unjudged")
    if len(signed) < len(rows):
        raise ScoresError(f"{path}: an id occurs twice; a clip has one score")
    return Peer(
        name=name,
        kind=kind,
        scores={key: score for key, score in signed.items() if not math.isnan(score)},
    )


def _fake_score(row: dict[str, str]) -> float:
    return _HIGHER_IS_FAKE[row["direction"]] * float(row["score"] or "nan")
