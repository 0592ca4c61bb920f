"""Everyone whose scores stand in a table: our answers, the procedure cross-validated, peers."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from eval.answers import ANSWERS, CLIP, PICTURE, SOUND, Question
from eval.errors import ScoresError
from eval.manifest.row import ManifestRow
from eval.peers import Peer
from eval.protocol import Protocol
from eval.run.store import CLEAN, ScoreRow
from eval.score_file import ScoredTrials

_OUT_OF_FOLD_COLUMNS = ("procedure", "id", "fold", "fake_llr", "commit", "config_sha256")
_PEER_QUESTIONS = {"audio": SOUND, "video": PICTURE, "": CLIP}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One column of scores and the question it answers.

    Attributes:
        name: shown in tables.
        kind: ``weights`` (this weight file), ``procedure`` (cross-validated) or ``peer``.
        question: which truth it is held against.
        scores: id -> score, higher = more fake; a clip that was not judged is absent.
        is_llr: scores are natural-log likelihood ratios.
        asked: ids it was asked about, None for all.
    """

    name: str
    kind: Literal["weights", "procedure", "peer"]
    question: Question
    scores: Mapping[str, float]
    is_llr: bool
    asked: frozenset[str] | None = None

    def asked_of(self, row: ManifestRow) -> bool:
        """Whether it was asked about a row whose truth is known."""
        return self.question.admits(row) and (self.asked is None or row.id in self.asked)

    def entering(self, rows: Iterable[ManifestRow]) -> list[ManifestRow]:
        """Rows that it was asked about and whose truth is known."""
        return [row for row in rows if self.asked_of(row)]

    def judged(self, rows: Iterable[ManifestRow]) -> list[ManifestRow]:
        """Of the entering rows, those it did not abstain on."""
        return [row for row in self.entering(rows) if row.id in self.scores]

    def trials(
        self, rows: Iterable[ManifestRow], *, abstained: float | None = None
    ) -> ScoredTrials:
        """Trials of the judged rows, or of all entering ones with a score for the abstentions."""
        chosen = self.judged(rows) if abstained is None else self.entering(rows)
        return ScoredTrials(
            ids=[row.id for row in chosen],
            is_fake=np.array([self.question.is_fake(row) for row in chosen], bool),
            scores=np.array([self.scores.get(row.id, abstained) for row in chosen], np.float64),
            groups=np.array([row.person for row in chosen], np.str_),
        )


def our_contenders(
    protocol: Protocol, scores: Iterable[ScoreRow], *, level: str = CLEAN
) -> list[Contender]:
    """One contender for each of the protocol's answers, from one level of a score file."""
    rows = [row for row in scores if row.level == level]
    return [
        Contender(
            name=name,
            kind="weights",
            question=ANSWERS[name],
            scores={row.id: llr for row in rows if (llr := row.llr(name)) is not None},
            is_llr=True,
        )
        for name in protocol.answers
    ]


def peer_contenders(peers: Sequence[Peer], *, default_kind: str = "") -> list[Contender]:
    """Peers against the truth of what they look at; ``default_kind`` where a file does not say."""
    return [
        Contender(
            name=peer.name,
            kind="peer",
            question=_PEER_QUESTIONS[peer.kind or default_kind],
            scores=peer.scores,
            is_llr=False,
        )
        for peer in peers
    ]


def procedure_contenders(
    path: Path, protocol: Protocol, known_ids: Iterable[str]
) -> list[Contender]:
    """The procedures of an out-of-fold score file, by name; none where there is no file.

    An empty ``fake_llr`` is an abstention. They answer what the protocol's first answer does.

    Raises:
        ScoresError: other columns, a figure that is no number, an id twice or not in the manifest.
    """
    if not path.is_file():
        return []
    scores: dict[str, dict[str, float]] = defaultdict(dict)
    asked: dict[str, set[str]] = defaultdict(set)
    with path.open(newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        lacking = set(_OUT_OF_FOLD_COLUMNS) - set(reader.fieldnames or ())
        if lacking:
            raise ScoresError(f"{path}: lacks columns {', '.join(sorted(lacking))}")
        for cells in reader:
            procedure, clip_id = cells["procedure"], cells["id"]
            if clip_id in asked[procedure]:
                raise ScoresError(f"{path}: id {clip_id!r} occurs twice under {procedure!r}")
            asked[procedure].add(clip_id)
            if cells["fake_llr"]:
                scores[procedure][clip_id] = _number(path, clip_id, cells["fake_llr"])
    strangers = sorted(set().union(*asked.values()) - set(known_ids))
    if strangers:
        raise ScoresError(
            f"{path}: {len(strangers)} ids are not in the manifest, such as {strangers[0]!r}; "
            "write it anew"
        )
    return [
        Contender(
            name=f"cross-validated: {procedure}",
            kind="procedure",
            question=ANSWERS[protocol.answers[0]],
            scores=scores[procedure],
            is_llr=True,
            asked=frozenset(asked[procedure]),
        )
        for procedure in sorted(asked)
    ]


def _number(path: Path, clip_id: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise ScoresError(f"{path}, id {clip_id!r}: fake_llr {text!r} is not a number")
    return value
